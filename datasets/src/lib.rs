//! Data sets, from files to batches of tensors.
//!
//! | for | see |
//! | --- | --- |
//! | MNIST and Fashion-MNIST, which ship with the repository | [`mnist`] |
//! | the same from the network (feature `download`) | `download` |
//! | 1,797 small digits, inside the crate | [`digits`] |
//! | files of one's own: IDX, CSV | [`idx`], [`table`] |
//! | folders of PNG images, one a class | [`ImageFolder`] |
//! | images with labels; parts of them | [`Dataset`], [`Split`] |
//! | batches, shuffled or not, made ahead by threads | [`Loader`], [`Batch`] |
//! | data of any other kind, tensors side by side | [`Samples`] |
//! | images that are shifted, turned, distorted at random | [`Augment`] |
//!
//! # Example
//!
//! Finds the class whose mean image is nearest, batch by batch:
//!
//! ```
//! use datasets::{Loader, Split, digits};
//!
//! let Split { train, test } = digits::load()?;
//! assert_eq!((train.shape(), train.classes()), ([1, 8, 8], 10));
//!
//! let mut means = vec![[0.0; 64]; 10];
//! for batch in Loader::new(&train, 64).shuffle(7) {
//!     // batch.images: [64, 1, 8, 8], values from 0 to 1; batch.labels: 64 numbers below 10.
//!     for (image, &label) in batch.images.to_vec().chunks_exact(64).zip(&batch.labels) {
//!         for (mean, pixel) in means[label].iter_mut().zip(image) {
//!             *mean += pixel / 150.0;
//!         }
//!     }
//! }
//!
//! let test = test.all()?;
//! let mut right = 0;
//! for (image, &label) in test.images.to_vec().chunks_exact(64).zip(&test.labels) {
//!     let distance = |mean: &[f32; 64]| mean.iter().zip(image).map(|(m, p)| (m - p).powi(2)).sum::<f32>();
//!     let nearest = (0..10).min_by(|&a, &b| distance(&means[a]).total_cmp(&distance(&means[b])));
//!     right += usize::from(nearest == Some(label));
//! }
//! assert!(right > 250, "{right} of {}", test.len());
//! # Ok::<(), datasets::Error>(())
//! ```
//!
//! A model takes the batches as they are:
//!
//! ```text
//! for batch in Loader::new(&train, 64).shuffle(7) {
//!     let loss = model.forward(&batch.images)?.cross_entropy(&batch.labels)?;
//!     loss.backward()?;
//!     optimizer.step(&mut model)?;
//! }
//! ```
//!
//! # Bad files
//!
//! Nothing that is read is believed: every reader returns an [`Error`] that names the file and says with
//! figures what is wrong, panics on no input, and holds no more memory than the bytes that arrived and the
//! limits of [`idx`] and [`table`] account for.

mod augment;
mod dataset;
pub mod digits;
#[cfg(feature = "download")]
pub mod download;
mod error;
mod folder;
pub mod idx;
mod loader;
pub mod mnist;
mod samples;
mod source;
pub mod table;
mod workers;

pub use augment::{Augment, ImageBatch};
pub use dataset::{Batch, Dataset, Split};
pub use error::{Attempt, Error, Result};
pub use folder::ImageFolder;
pub use loader::{Batches, Loader};
pub use samples::Samples;
