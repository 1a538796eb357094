//! The last states of a training, in a folder.

use super::{Error, Result, safetensors};
use autodiff::{Float, StateDict};
use std::fs;
use std::path::PathBuf;

const PREFIX: &str = "checkpoint-";
const SUFFIX: &str = ".safetensors";

/// What the file of a step is called.
fn name(step: u64) -> String {
    format!("{PREFIX}{step:08}{SUFFIX}")
}

/// A folder of checkpoints: the state of a training after so many steps, in one file each, of which the last are kept.
///
/// A training that is taken up from a checkpoint goes on to the same bytes as one that was never interrupted, if the
/// checkpoint holds all that changes in it: the state of the model (with counters, as that of [`Dropout`](crate::Dropout)) and of
/// the optimiser, the [position](autodiff::Rng::position) of each random stream that is drawn from, the position in the data.
/// What does not change, as seeds and hyperparameters, is the program's.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Affine, Layer, StateDict, save::Checkpoints};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("run");
///
/// let train = |checkpoints: &Checkpoints, steps: u64| -> Result<Vec<f32>, Box<dyn std::error::Error>> {
///     let mut rng = Rng::seed(7);
///     let mut model = Affine::new(2, 1, &mut rng);
///     let mut start = 0;
///     if let Some((step, state)) = checkpoints.latest()? {
///         state.part("model").load_into(&mut model)?;
///         rng.seek(state.count("rng").ok_or("no position")?);
///         start = step;
///     }
///     for step in start..steps {
///         let x = rng.normal([8, 2], 0.0, 1.0);
///         (model.forward(&x)? - x.sum_keep(-1)?).square().mean().backward()?;
///         nn::Module::parameters_mut(&mut model, &mut |_, parameter| {
///             parameter.step(|w, g| *w = w.zip(g, |w, g| w - 0.1 * g).unwrap());
///         });
///         let mut state = StateDict::new();
///         state.nest("model", &StateDict::of(&model)); // and that of the optimiser, if there is one
///         state.set_count("rng", rng.position());
///         checkpoints.save(step + 1, &state)?;
///     }
///     Ok(model.weight.to_vec())
/// };
///
/// let at_once = train(&Checkpoints::new(folder.join("a")), 6)?;
/// train(&Checkpoints::new(folder.join("b")), 4)?; // stopped ..
/// assert_eq!(train(&Checkpoints::new(folder.join("b")), 6)?, at_once); // .. and resumed
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
}

impl Checkpoints {
    /// The checkpoints in a folder, which is made when the first is saved. The last three are kept. One training writes to a
    /// folder at a time, and a training that begins anew needs another folder, or an empty one: see [`save`](Self::save).
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), keep: 3 }
    }

    /// The same, but so many are kept.
    ///
    /// # Panics
    /// If that is none.
    #[must_use]
    #[track_caller]
    pub fn keep(self, keep: usize) -> Self {
        assert!(keep > 0, "of no checkpoints none can be taken up");
        Self { keep, ..self }
    }

    /// The file of a checkpoint, whether it is there or not.
    pub fn path(&self, step: u64) -> PathBuf {
        self.folder.join(name(step))
    }

    /// The checkpoints that are there, oldest first: the files that are called as [`path`](Self::path) says, no others.
    ///
    /// # Errors
    /// If the folder is there and cannot be read.
    pub fn steps(&self) -> Result<Vec<u64>> {
        let failed = |error| Error::io(&self.folder, error);
        if !self.folder.try_exists().map_err(failed)? {
            return Ok(Vec::new());
        }
        let mut steps = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            let number = file.to_str().and_then(|file| file.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
            let step = number.and_then(|number| number.parse().ok());
            // Without the zeros before it, it is not the file that is read and removed.
            steps.extend(step.filter(|&step| file.to_str() == Some(&name(step))));
        }
        steps.sort_unstable();
        Ok(steps)
    }

    /// Saves the state after `step` steps, and removes the oldest checkpoints. Whenever the machine stops, the files that are
    /// there are whole.
    ///
    /// A checkpoint of this step is replaced. Where there are checkpoints of later steps nothing is saved: they are of another
    /// training, or of one that was to be taken up, and [`latest`](Self::latest) would give them and not this one.
    ///
    /// ```
    /// use autodiff::StateDict;
    /// use nn::save::Checkpoints;
    /// # let folder = tempfile::tempdir()?;
    /// let checkpoints = Checkpoints::new(folder.path());
    /// let state = StateDict::<f32>::new();
    /// checkpoints.save(300, &state)?;
    /// let error = checkpoints.save(10, &state).unwrap_err().to_string();
    /// assert!(error.ends_with("there is a checkpoint of step 300, later than 10: take it up, or use another folder"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there is a checkpoint of a later step, or a file cannot be written or removed.
    pub fn save<T: Float>(&self, step: u64, state: &StateDict<T>) -> Result<()> {
        fs::create_dir_all(&self.folder).map_err(|error| Error::io(&self.folder, error))?;
        if let Some(later) = self.steps()?.last().filter(|&&last| last > step) {
            let message = format!(
                "there is a checkpoint of step {later}, later than {step}: take it up, or use another folder"
            );
            return Err(Error::format(&self.folder, message));
        }
        safetensors::save(self.path(step), state)?;
        let steps = self.steps()?;
        for &old in &steps[..steps.len().saturating_sub(self.keep)] {
            let path = self.path(old);
            fs::remove_file(&path).map_err(|error| Error::io(&path, error))?;
        }
        Ok(())
    }

    /// The newest state and its step; none if nothing has been saved.
    ///
    /// # Errors
    /// If it cannot be read, or is damaged.
    pub fn latest<T: Float>(&self) -> Result<Option<(u64, StateDict<T>)>> {
        match self.steps()?.last() {
            Some(&step) => Ok(Some((step, safetensors::load(self.path(step))?))),
            None => Ok(None),
        }
    }
}
