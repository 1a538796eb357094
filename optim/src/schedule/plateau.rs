//! Less learning rate where a metric no longer improves.

use crate::engine::{below_one, expect, not_negative};
use autodiff::{Error, Float, Result, StateDict};

/// Multiplies the learning rate by a factor when a metric has not improved for a while: `ReduceLROnPlateau` of `PyTorch`.
///
/// ```
/// use optim::Plateau;
/// let mut plateau = Plateau::new().factor(0.5).patience(1);
/// let losses = [1.0, 0.8, 0.8, 0.9, 0.7];
/// let factors = losses.map(|loss| plateau.observe(loss)); // base learning rate times this
/// assert_eq!(factors, [1.0, 1.0, 1.0, 0.5, 0.5]);
/// ```
///
/// Unlike a [`Schedule`](crate::Schedule), it has a state, which belongs to a training and is saved with it; see
/// [`state_dict`](Self::state_dict).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    factor: f64,
    patience: u64,
    threshold: f64,
    absolute: bool,
    largest: bool,
    cooldown: u64,
    floor: f64,
    epsilon: f64,
    current: f64,
    best: Option<f64>,
    bad: u64,
    resting: u64,
}

/// The names in a state dict.
const COUNTS: [&str; 4] = ["factor", "best", "bad", "resting"];

impl Default for Plateau {
    fn default() -> Self {
        Self::new()
    }
}

impl Plateau {
    /// For a metric that is to become small; all else at the defaults of `PyTorch`.
    pub fn new() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            absolute: false,
            largest: false,
            cooldown: 0,
            floor: 0.0,
            epsilon: 1e-8,
            current: 1.0,
            best: None,
            bad: 0,
            resting: 0,
        }
    }

    /// What the learning rate is multiplied by. Default: `0.1`.
    ///
    /// # Panics
    /// If it is not at least 0 and below 1.
    #[track_caller]
    pub fn factor(self, factor: f64) -> Self {
        Self { factor: below_one("factor", factor), ..self }
    }

    /// How many metrics without improvement pass. Default: `10`.
    pub fn patience(self, patience: u64) -> Self {
        Self { patience, ..self }
    }

    /// How much better than the best a metric must be, as a part of the best: below `best · (1 - threshold)`.
    /// Default: `1e-4`.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    pub fn threshold(self, threshold: f64) -> Self {
        Self { threshold: not_negative("threshold", threshold), ..self }
    }

    /// Whether the threshold is a difference, `best - threshold`. Default: `false`.
    pub fn absolute(self, absolute: bool) -> Self {
        Self { absolute, ..self }
    }

    /// Whether the metric is to become large, as an accuracy is. Default: `false`.
    pub fn largest(self, largest: bool) -> Self {
        Self { largest, ..self }
    }

    /// For how many metrics after a change none counts as bad. Default: `0`.
    pub fn cooldown(self, cooldown: u64) -> Self {
        Self { cooldown, ..self }
    }

    /// The smallest factor. Default: `0.0`. `PyTorch`'s `min_lr` is this times the base learning rate.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    pub fn floor(self, floor: f64) -> Self {
        Self { floor: not_negative("floor", floor), ..self }
    }

    /// A change that is not larger than this does not happen. Default: `1e-8`. `PyTorch`'s `eps` is this times the base
    /// learning rate.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon: not_negative("epsilon", epsilon), ..self }
    }

    /// Takes the next metric, and returns the factor of the base learning rate from now on. NaN is no improvement.
    pub fn observe(&mut self, metric: f64) -> f64 {
        if self.improves(metric) {
            self.best = Some(metric);
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        if self.resting > 0 {
            self.resting -= 1;
            self.bad = 0;
        }
        if self.bad > self.patience {
            let next = (self.current * self.factor).max(self.floor);
            if self.current - next > self.epsilon {
                self.current = next;
            }
            self.resting = self.cooldown;
            self.bad = 0;
        }
        self.current
    }

    /// What has been observed, to be saved, as counts: `factor` and `best`, the bits of an `f64` (NaN if there is no best yet),
    /// and the metrics `bad` in a row and those left to rest. Not the settings, which belong to the program.
    ///
    /// ```
    /// use optim::Plateau;
    /// let new = || Plateau::new().factor(0.5).patience(1);
    /// let mut plateau = new();
    /// [1.0, 0.8, 0.8].map(|loss| plateau.observe(loss));
    ///
    /// let mut resumed = new();
    /// resumed.load_state_dict(&plateau.state_dict::<f32>())?;
    /// assert_eq!(resumed.observe(0.9), 0.5);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn state_dict<T: Float>(&self) -> StateDict<T> {
        let mut state = StateDict::new();
        let counts =
            [self.current.to_bits(), self.best.unwrap_or(f64::NAN).to_bits(), self.bad, self.resting];
        for (name, count) in COUNTS.into_iter().zip(counts) {
            state.set_count(name, count);
        }
        state
    }

    /// Takes up what [`state_dict`](Self::state_dict) has given, instead of what has been observed since.
    ///
    /// # Errors
    /// If it is not the state of a plateau; the error names what is missing and what does not belong there. All is then as it
    /// was.
    #[track_caller]
    pub fn load_state_dict<T: Float>(&mut self, state: &StateDict<T>) -> Result<()> {
        expect("Plateau", state, &[], &COUNTS)?;
        let [factor, best, bad, resting] =
            COUNTS.map(|name| state.count(name).expect("the names were compared"));
        let [factor, best] = [factor, best].map(f64::from_bits);
        if !(0.0..=1.0).contains(&factor) {
            return Err(Error::new("Plateau", format!("the factor must be from 0 to 1, not {factor}")));
        }
        (self.current, self.best) = (factor, (!best.is_nan()).then_some(best));
        (self.bad, self.resting) = (bad, resting);
        Ok(())
    }

    fn improves(&self, metric: f64) -> bool {
        let best = match self.best {
            Some(best) => best,
            None if self.largest => return metric > f64::NEG_INFINITY,
            None => return metric < f64::INFINITY,
        };
        match (self.largest, self.absolute) {
            (false, false) => metric < best * (1.0 - self.threshold),
            (false, true) => metric < best - self.threshold,
            (true, false) => metric > best * (1.0 + self.threshold),
            (true, true) => metric > best + self.threshold,
        }
    }
}
