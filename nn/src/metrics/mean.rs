//! A mean of numbers that come one after the other.

/// The weighted mean of numbers that come one after the other: `Σ w x / Σ w`.
///
/// Each number moves the mean by `(x - mean) w / Σ w` (West, *Updating mean and variance estimates*, CACM 22, 1979): no sum
/// grows without bound, and the mean of equal numbers is that number to the last bit. NaN stays.
///
/// ```
/// use nn::metrics::Mean;
/// let mut loss = Mean::new();
/// loss.add(0.5, 64.0); // the mean over a batch of 64
/// loss.add(1.0, 32.0); // and over the last one
/// assert!((loss.value() - 64.0 / 96.0).abs() < 1e-15);
/// assert_eq!(loss.weight(), 96.0);
/// assert!(Mean::new().value().is_nan());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    mean: f64,
    weight: f64,
}

impl Mean {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a number with its weight, as a mean over a batch with the size of the batch. A weight of 0 changes nothing.
    ///
    /// # Panics
    /// If the weight is negative or not finite.
    #[track_caller]
    pub fn add(&mut self, value: f64, weight: f64) {
        assert!(weight >= 0.0 && weight.is_finite(), "a weight of {weight} must be finite and not negative");
        if weight == 0.0 {
            return;
        }
        self.weight += weight;
        if value.is_finite() && self.mean.is_finite() {
            self.mean += (value - self.mean) * (weight / self.weight);
        } else {
            // The difference of two infinities would be NaN.
            self.mean += value;
        }
    }

    /// Takes in all that another mean has.
    ///
    /// ```
    /// use nn::metrics::Mean;
    /// let [mut a, mut b] = [Mean::new(); 2];
    /// a.add(1.0, 1.0);
    /// b.add(4.0, 2.0);
    /// a.merge(&b);
    /// assert_eq!((a.value(), a.weight()), (3.0, 3.0));
    /// ```
    pub fn merge(&mut self, other: &Self) {
        self.add(other.mean, other.weight);
    }

    /// The mean; NaN if nothing has been taken in.
    pub fn value(&self) -> f64 {
        if self.weight == 0.0 { f64::NAN } else { self.mean }
    }

    /// The sum of the weights.
    pub fn weight(&self) -> f64 {
        self.weight
    }
}
