//! The end where nothing becomes better.

use super::{Callback, Run, Watch};
use crate::Result;
use autodiff::{Float, StateDict};

/// Stops when a value has not improved for so many epochs in a row.
///
/// An epoch improves if its value is better than the best so far by more than `min_delta`; NaN is no improvement.
///
/// A training that it has stopped, and that is taken up from its checkpoint, goes on if the patience is larger now; else it is
/// stopped at once.
///
/// ```
/// use train::EarlyStopping;
/// let stopping: EarlyStopping = EarlyStopping::smallest("valid_loss").patience(5).min_delta(1e-3).restore_best();
/// assert_eq!(stopping.best(), None); // so far
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping<T: Float = f32> {
    watch: Watch,
    patience: u64,
    restore: bool,
    bad: u64,
    weights: Option<StateDict<T>>,
}

impl<T: Float> EarlyStopping<T> {
    /// For a value of the epochs that is to become small, as `valid_loss`. The patience is three epochs.
    pub fn smallest(name: impl Into<String>) -> Self {
        Self::new(name, false)
    }

    /// For a value of the epochs that is to become large, as `valid_accuracy`. The patience is three epochs.
    pub fn largest(name: impl Into<String>) -> Self {
        Self::new(name, true)
    }

    fn new(name: impl Into<String>, largest: bool) -> Self {
        Self { watch: Watch::new(name, largest), patience: 3, restore: false, bad: 0, weights: None }
    }

    /// How many epochs without improvement in a row end the training.
    ///
    /// # Panics
    /// If it is 0.
    #[must_use]
    #[track_caller]
    pub fn patience(self, epochs: u64) -> Self {
        assert!(epochs > 0, "a patience of 0 epochs ends every training");
        Self { patience: epochs, ..self }
    }

    /// How much better than the best a value must be. Default: 0.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn min_delta(mut self, delta: f64) -> Self {
        assert!(delta >= 0.0 && delta.is_finite(), "a min_delta of {delta} must be finite and not negative");
        self.watch.min_delta = delta;
        self
    }

    /// Ends every training, stopped or not, with the model of the best epoch: parameters, running statistics and counters.
    #[must_use]
    pub fn restore_best(self) -> Self {
        Self { restore: true, ..self }
    }

    /// The best value so far.
    pub fn best(&self) -> Option<f64> {
        self.watch.best
    }

    /// Asks for a stop if there is no patience left.
    fn judge(&self, run: &mut Run<'_, T>) {
        if self.bad >= self.patience {
            run.stop(format!("{} has not improved for {} epochs", self.watch.name, self.bad));
        }
    }
}

impl<T: Float> Callback<T> for EarlyStopping<T> {
    fn start(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        if run.steps() == 0 {
            (self.watch.best, self.bad, self.weights) = (None, 0, None);
        }
        // One that was taken up may have been stopped before.
        self.judge(run);
        Ok(())
    }

    fn epoch(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        let value = run.value(&self.watch.name)?;
        if self.watch.improves(value) {
            self.bad = 0;
            self.weights = self.restore.then(|| StateDict::of(run.model));
        } else {
            self.bad += 1;
        }
        self.judge(run);
        Ok(())
    }

    fn end(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        match &self.weights {
            Some(weights) => Ok(weights.load_into(run.model)?),
            None => Ok(()),
        }
    }

    fn state(&mut self) -> Result<StateDict<T>> {
        let mut state = StateDict::new();
        self.watch.save(&mut state);
        state.set_count("bad", self.bad);
        if let Some(weights) = &self.weights {
            state.nest("weights", weights);
            state.set_note("weights", "of the best epoch");
        }
        Ok(state)
    }

    fn load_state(&mut self, state: &StateDict<T>) -> Result<()> {
        self.watch.load(state);
        self.bad = state.count("bad").unwrap_or(0);
        self.weights = state.note("weights").map(|_| state.part("weights"));
        Ok(())
    }
}
