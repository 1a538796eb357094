//! Losses of predicted numbers.

use super::{PREDICTION, alike, broadcasts, loss, within};
use autodiff::{Div, ErrorKind, Float, Op, Result, Tensor};
use std::f64::consts::PI;

loss! {
    /// The squared error `(prediction - target)²` of each element. [`mean_squared_error`](super::mean_squared_error) is its
    /// mean.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{Reduction, SquaredError};
    /// let y = Tensor::from_vec([1.0f32, 5.0], [2])?;
    /// let t = Tensor::from_vec([2.0, 3.0], [2])?;
    /// assert_eq!(SquaredError::new().reduction(Reduction::None).loss(&y, &t)?.to_vec(), [1.0, 4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    SquaredError {}
}

impl SquaredError {
    /// The loss; both tensors have one shape.
    ///
    /// # Errors
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        alike("squared_error", PREDICTION, prediction, target)?;
        Ok(self.reduction.of((prediction - target).square()))
    }
}

loss! {
    /// The absolute error `|prediction - target|` of each element. [`mean_absolute_error`](super::mean_absolute_error) is its
    /// mean.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{AbsoluteError, Reduction};
    /// let y = Tensor::from_vec([1.0f32, 5.0], [2])?;
    /// let t = Tensor::from_vec([2.0, 3.0], [2])?;
    /// assert_eq!(AbsoluteError::new().reduction(Reduction::Sum).loss(&y, &t)?.item(), 3.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AbsoluteError {}
}

impl AbsoluteError {
    /// The loss; both tensors have one shape.
    ///
    /// # Errors
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        alike("absolute_error", PREDICTION, prediction, target)?;
        Ok(self.reduction.of((prediction - target).abs()))
    }
}

loss! {
    /// Huber's loss (Annals of Mathematical Statistics 35, 1964), with `d = prediction - target`: `d² / 2` where `|d| ≤ δ`,
    /// `δ (|d| - δ/2)` elsewhere.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{Huber, Reduction};
    /// let y = Tensor::from_vec([1.0f32, 5.0], [2])?;
    /// let t = Tensor::from_vec([2.0, 1.0], [2])?;
    /// let huber = Huber::new().delta(2.0).reduction(Reduction::None);
    /// assert_eq!(huber.loss(&y, &t)?.to_vec(), [0.5, 6.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Huber {
        /// Where the parabola ends and the straight line begins; positive, 1 unless it is set.
        delta: f64 = 1.0,
    }
}

impl Huber {
    /// The loss; both tensors have one shape.
    ///
    /// # Errors
    /// If the shapes differ, or `delta` is not positive.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        let delta = self.delta;
        within("huber", delta > 0.0, || format!("delta is {delta}, but it must be positive"))?;
        alike("huber", PREDICTION, prediction, target)?;
        Ok(self.reduction.of(rounded(&(prediction - target), delta)))
    }
}

loss! {
    /// The smooth absolute error (Girshick, arXiv:1504.08083, equation 3), with `d = prediction - target`: `d² / 2β` where
    /// `|d| < β`, `|d| - β/2` elsewhere. It is [`Huber`]'s with `δ = β`, divided by `β`; `β = 0` gives `|d|`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{Reduction, SmoothL1};
    /// let y = Tensor::from_vec([1.0f32, 5.0], [2])?;
    /// let t = Tensor::from_vec([2.0, 1.0], [2])?;
    /// let smooth = SmoothL1::new().beta(2.0).reduction(Reduction::None);
    /// assert_eq!(smooth.loss(&y, &t)?.to_vec(), [0.25, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    SmoothL1 {
        /// Where the parabola ends and the straight line begins; not negative, 1 unless it is set.
        beta: f64 = 1.0,
    }
}

impl SmoothL1 {
    /// The loss; both tensors have one shape.
    ///
    /// # Errors
    /// If the shapes differ, or `beta` is negative.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        let beta = self.beta;
        within("smooth_l1", beta >= 0.0, || format!("beta is {beta}, but it must not be negative"))?;
        alike("smooth_l1", PREDICTION, prediction, target)?;
        let difference = prediction - target;
        Ok(self.reduction.of(match beta {
            0.0 => difference.abs(),
            _ => rounded(&difference, beta) / beta,
        }))
    }
}

/// `d² / 2` where `|d| ≤ δ`, `δ (|d| - δ/2)` elsewhere: `c (d - c/2)` with `c` the `d` cut at `±δ`.
fn rounded<T: Float>(difference: &Tensor<T>, delta: f64) -> Tensor<T> {
    let cut = difference.clamp(-delta, delta);
    (difference - &cut * 0.5) * cut
}

loss! {
    /// The negative logarithm of a Poisson likelihood, for counts: with the logarithm of the rate as prediction
    /// `e^prediction - target · prediction`, or with the rate itself `prediction - target · ln(prediction + ε)`. What does
    /// not depend on the prediction, `ln target!`, is left out unless `full` is set.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::PoissonNll;
    /// let log_rate = Tensor::from_vec([0.0f32, 1.0], [2])?;
    /// let counts = Tensor::from_vec([1.0, 3.0], [2])?;
    /// let loss = PoissonNll::new().loss(&log_rate, &counts)?;
    /// assert!((loss.item() - (1.0 + 1f32.exp() - 3.0) / 2.0).abs() < 1e-6);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    PoissonNll {
        /// Whether the prediction is the logarithm of the rate; it is unless this is set to `false`.
        log_input: bool = true,
        /// Whether Stirling's approximation of `ln target!`, `t ln t - t + ln(2π t) / 2`, is added where the target `t` is
        /// above 1.
        full: bool = false,
        /// What is added to a rate before its logarithm is taken; 10⁻⁸ unless it is set.
        epsilon: f64 = 1e-8,
    }
}

impl PoissonNll {
    /// The loss; both tensors have one shape.
    ///
    /// # Errors
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        alike("poisson_nll", PREDICTION, prediction, target)?;
        let mut losses = if self.log_input {
            prediction.exp() - target * prediction
        } else {
            prediction - target * (prediction + self.epsilon).ln()
        };
        if self.full {
            let one = Tensor::scalar(T::ONE);
            let many = target.gt(&one)?;
            let t = many.select(target, &one)?;
            let stirling = &t * t.ln() - &t + (&t * (2.0 * PI)).ln() * 0.5;
            losses = losses + many.select(&stirling, &Tensor::scalar(T::ZERO))?;
        }
        Ok(self.reduction.of(losses))
    }
}

loss! {
    /// The negative logarithm of a normal density whose mean and variance are predicted (Nix and Weigend, 1994):
    /// `(ln v + (prediction - target)² / v) / 2` with `v = max(variance, ε)`. The constant `ln(2π) / 2` is left out unless
    /// `full` is set. A variance below `ε` gets no gradient.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::GaussianNll;
    /// let mean = Tensor::from_vec([0.0f32, 1.0], [2, 1])?;
    /// let target = Tensor::from_vec([2.0, 1.0], [2, 1])?;
    /// let loss = GaussianNll::new().loss(&mean, &target, &Tensor::ones([2, 1]))?;
    /// assert_eq!(loss.item(), 1.0); // (2² + 0) / 2, halved
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    GaussianNll {
        /// Whether `ln(2π) / 2` is added.
        full: bool = false,
        /// The least variance that is reckoned with; 10⁻⁶ unless it is set.
        epsilon: f64 = 1e-6,
    }
}

impl GaussianNll {
    /// The loss of predicted means, with predicted variances, which broadcast to them.
    ///
    /// # Errors
    /// If the shapes of prediction and target differ, that of the variances does not broadcast to theirs, or a variance is
    /// negative.
    #[track_caller]
    pub fn loss<T: Float>(
        &self,
        prediction: &Tensor<T>,
        target: &Tensor<T>,
        variance: &Tensor<T>,
    ) -> Result<Tensor<T>> {
        const OP: &str = "gaussian_nll";
        alike(OP, PREDICTION, prediction, target)?;
        broadcasts(OP, "the variances must broadcast to the predictions", prediction, variance)?;
        if let Some(negative) = variance.to_vec().into_iter().find(|&v| v < T::ZERO) {
            return Err(ErrorKind::Message(format!("a variance is {negative}")).of(OP));
        }
        let variance = variance.maximum(&Tensor::scalar(T::from_f64(self.epsilon)))?;
        let squares = Div.apply(&[&(prediction - target).square(), &variance])?;
        let losses = (variance.ln() + squares) * 0.5;
        Ok(self.reduction.of(if self.full { losses + 0.5 * (2.0 * PI).ln() } else { losses }))
    }
}
