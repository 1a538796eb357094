//! Saving and loading: files, the names and layouts of `PyTorch`, checkpoints of a training.
//!
//! What is saved is a [`StateDict`](crate::StateDict): of a model, of an optimiser, of a whole training.
//!
//! ```
//! use autodiff::Rng;
//! use nn::{Affine, StateDict, save::safetensors};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("model.safetensors");
//! let model = Affine::<f32>::new(3, 2, &mut Rng::seed(7));
//! safetensors::save(&path, &StateDict::of(&model))?;
//!
//! let mut other = Affine::<f32>::new(3, 2, &mut Rng::seed(8));
//! safetensors::load(&path)?.load_into(&mut other)?;
//! assert_eq!(other.weight.to_vec(), model.weight.to_vec());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | | |
//! |---|---|
//! | [`safetensors`] | the files that models are exchanged in; everything that a state holds |
//! | [`npz`], [`npy`] | NumPy's files: arrays and counts, a single array |
//! | [`torch`] | the layouts of `PyTorch`, there and back |
//! | [`Checkpoints`] | the last states of a training, in a folder |
//!
//! A file is written to a temporary one beside it, synced, and renamed: there is the old file or the new one, whenever the
//! machine stops. A file that is damaged or cut short is an error, in one line that names it. Files hold `f32` or `f64`, as the
//! state does; either is read from them, and half precision too, rounded to the nearest where that is less.

mod checkpoint;
mod error;
mod file;
pub mod npy;
pub mod npz;
mod number;
pub mod safetensors;
pub mod torch;

pub use checkpoint::Checkpoints;
pub use error::{Error, Result};
