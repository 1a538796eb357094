//! The best model, in a file.

use super::{Callback, Run, Watch};
use crate::{Error, Result};
use autodiff::{Float, StateDict};
use nn::save::safetensors;
use std::path::PathBuf;

/// Writes the model to a file whenever an epoch is better than all before: parameters, running statistics and counters, and notes
/// of the epoch and the value. The file is there as a whole or not at all ([`nn::save`]).
///
/// ```
/// use autodiff::{Parameter, StateDict, Tensor};
/// use nn::save::safetensors;
/// use optim::Sgd;
/// use train::{BestCheckpoint, Trainer};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("best.safetensors");
/// let mut w = Parameter::new(Tensor::scalar(1.0));
/// Trainer::new(3).callback(BestCheckpoint::smallest("loss", &path)).fit(
///     &mut w,
///     &mut Sgd::new(1.5), // too much: it diverges
///     |_| [()],
///     |w, ()| Ok(w.square()),
/// )?;
/// let best: StateDict = safetensors::load(&path)?;
/// assert_eq!((best.note("epoch"), best.note("loss")), (Some("0"), Some("1")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BestCheckpoint {
    watch: Watch,
    path: PathBuf,
}

impl BestCheckpoint {
    /// For a value of the epochs that is to become small, as `valid_loss`.
    pub fn smallest(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { watch: Watch::new(name, false), path: path.into() }
    }

    /// For a value of the epochs that is to become large, as `valid_accuracy`.
    pub fn largest(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { watch: Watch::new(name, true), path: path.into() }
    }

    /// The best value so far.
    pub fn best(&self) -> Option<f64> {
        self.watch.best
    }
}

impl<T: Float> Callback<T> for BestCheckpoint {
    fn start(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        if run.steps() == 0 {
            self.watch.best = None;
        }
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        Ok(())
    }

    fn epoch(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        let value = run.value(&self.watch.name)?;
        if self.watch.improves(value) {
            let mut state = StateDict::of(run.model);
            state.set_note("epoch", &run.epoch.to_string());
            state.set_note(&self.watch.name, &value.to_string());
            safetensors::save(&self.path, &state)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<StateDict<T>> {
        let mut state = StateDict::new();
        self.watch.save(&mut state);
        Ok(state)
    }

    fn load_state(&mut self, state: &StateDict<T>) -> Result<()> {
        self.watch.load(state);
        Ok(())
    }
}
