//! What can go wrong around a training.

use std::io;
use std::path::Path;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What has ended a training before its time, in one line.
///
/// A closure that is given to the [`Trainer`](crate::Trainer) turns errors of tensors and of files into it by `?`, and any other
/// with `.map_err(train::Error::other)?`.
///
/// ```
/// let number = |text: &str| -> train::Result<f64> { text.parse().map_err(train::Error::other) };
/// assert_eq!(number("x").unwrap_err().to_string(), "invalid float literal");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation on tensors, or a step of the optimiser.
    #[error(transparent)]
    Tensor(#[from] autodiff::Error),
    /// A file: a checkpoint, a log.
    #[error(transparent)]
    File(#[from] nn::save::Error),
    /// What is asked for does not fit the training.
    #[error("{0}")]
    Training(String),
    /// An error of the program's own closures and callbacks.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Any other error.
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |error| Self::File(nn::save::Error::Io { file: path.display().to_string(), error })
    }

    pub(crate) fn format(path: &Path, message: impl Into<String>) -> Self {
        Self::File(nn::save::Error::Format { file: path.display().to_string(), message: message.into() })
    }
}
