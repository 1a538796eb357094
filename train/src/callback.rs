//! What is called on the way of a training.

mod best;
mod early_stopping;
mod log;
mod progress;

pub use best::BestCheckpoint;
pub use early_stopping::EarlyStopping;
pub use log::{CsvLog, JsonlLog};
pub use progress::Progress;

use crate::trainer::{History, value};
use crate::{Error, Result};
use autodiff::{Float, Module, StateDict};
use optim::Optimizer;

/// What is called on the way of a training; every hook does nothing unless it is written.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::Sgd;
/// use train::{Callback, Result, Run, Trainer};
///
/// /// Stops where the loss is small enough.
/// struct Goal(f64);
///
/// impl Callback for Goal {
///     fn step(&mut self, run: &mut Run<'_>) -> Result<()> {
///         if run.value("loss")? < self.0 {
///             run.stop("the loss is small enough");
///         }
///         Ok(())
///     }
/// }
///
/// let mut w = Parameter::new(Tensor::scalar(1.0));
/// let history = Trainer::new(100).callback(Goal(0.1)).fit(
///     &mut w,
///     &mut Sgd::new(0.1),
///     |_| [()],
///     |w, ()| Ok(w.square()),
/// )?;
/// assert_eq!(history.stopped.as_deref(), Some("the loss is small enough"));
/// assert_eq!(history.losses.len(), 7); // 0.64^6 = 0.069
/// # Ok::<(), train::Error>(())
/// ```
pub trait Callback<T: Float = f32> {
    /// Before the first step, and after a checkpoint has been taken up: then [`Run::steps`] is not 0.
    ///
    /// A [stop](Run::stop) here is before the first step. A callback whose [`state`](Self::state) says that the training is over asks
    /// for it here, again: else one that it has stopped goes on when it is taken up, until it stops it at another step or epoch.
    ///
    /// # Errors
    /// Any, which ends the training; so do those of the other hooks.
    fn start(&mut self, _run: &mut Run<'_, T>) -> Result<()> {
        Ok(())
    }

    /// After each step.
    ///
    /// # Errors
    /// Any.
    fn step(&mut self, _run: &mut Run<'_, T>) -> Result<()> {
        Ok(())
    }

    /// After each epoch and its validation.
    ///
    /// # Errors
    /// Any.
    fn epoch(&mut self, _run: &mut Run<'_, T>) -> Result<()> {
        Ok(())
    }

    /// After the training, whether it was stopped or not; not after an error.
    ///
    /// # Errors
    /// Any.
    fn end(&mut self, _run: &mut Run<'_, T>) -> Result<()> {
        Ok(())
    }

    /// What it must remember to go on from here, asked for before each checkpoint. What has been done so far should be on the disk.
    ///
    /// # Errors
    /// Any.
    fn state(&mut self) -> Result<StateDict<T>> {
        Ok(StateDict::new())
    }

    /// Takes up what [`state`](Self::state) has given, before [`start`](Self::start).
    ///
    /// # Errors
    /// If it does not fit.
    fn load_state(&mut self, _state: &StateDict<T>) -> Result<()> {
        Ok(())
    }
}

impl<T: Float, C: Callback<T> + ?Sized> Callback<T> for &mut C {
    fn start(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        (**self).start(run)
    }

    fn step(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        (**self).step(run)
    }

    fn epoch(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        (**self).epoch(run)
    }

    fn end(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        (**self).end(run)
    }

    fn state(&mut self) -> Result<StateDict<T>> {
        (**self).state()
    }

    fn load_state(&mut self, state: &StateDict<T>) -> Result<()> {
        (**self).load_state(state)
    }
}

/// The training, as a [`Callback`] sees it.
#[non_exhaustive]
pub struct Run<'a, T: Float = f32> {
    /// What is trained.
    pub model: &'a mut dyn Module<T>,
    /// What moves it.
    pub optimizer: &'a mut dyn Optimizer<T>,
    /// What has come out so far.
    pub history: &'a History,
    /// The values of the step or of the epoch, by name; none at start and end.
    pub values: &'a [(String, f64)],
    /// The number of the epoch, from 0.
    pub epoch: u64,
    /// How many epochs are asked for.
    pub epochs: u64,
    /// How many steps an epoch has; 0 if none is left.
    pub epoch_steps: u64,
    pub(crate) stop: &'a mut Option<String>,
}

impl<T: Float> Run<'_, T> {
    /// How many steps are done, in all epochs.
    pub fn steps(&self) -> u64 {
        self.history.losses.len() as u64
    }

    /// The value of this name.
    ///
    /// # Errors
    /// If there is none; it names those that there are.
    pub fn value(&self, name: &str) -> Result<f64> {
        value(self.values, name).ok_or_else(|| {
            let names: Vec<_> = self.values.iter().map(|(name, _)| name).collect();
            Error::Training(format!("no value is called {name:?}: there are {names:?}"))
        })
    }

    /// Asks for the end of the training after this step or epoch, or, at the start, before the first step, and says why. The first
    /// who asks is heard.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.stop.get_or_insert_with(|| reason.into());
    }
}

/// A value that is to become small or large, and the best so far.
#[derive(Clone, Debug)]
struct Watch {
    name: String,
    largest: bool,
    min_delta: f64,
    best: Option<f64>,
}

impl Watch {
    fn new(name: impl Into<String>, largest: bool) -> Self {
        Self { name: name.into(), largest, min_delta: 0.0, best: None }
    }

    /// Whether this is better than the best so far by more than `min_delta`; it is then the best. NaN is not.
    fn improves(&mut self, value: f64) -> bool {
        let better = match self.best {
            None => !value.is_nan(),
            Some(best) if self.largest => value > best + self.min_delta,
            Some(best) => value < best - self.min_delta,
        };
        if better {
            self.best = Some(value);
        }
        better
    }

    fn save<T: Float>(&self, state: &mut StateDict<T>) {
        if let Some(best) = self.best {
            state.set_count("best", best.to_bits());
        }
    }

    fn load<T: Float>(&mut self, state: &StateDict<T>) {
        self.best = state.count("best").map(f64::from_bits);
    }
}
