//! What can be wrong with a file.

use std::io;
use std::path::Path;

/// The result of everything here that reads or writes files.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Which file, and what is wrong with it, in one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read or written.
    #[error("{file}: {error}")]
    Io {
        /// The file.
        file: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// The file is not what it should be, or what is to be written does not go into such a file.
    #[error("{file}: {message}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
}

impl Error {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { file: path.display().to_string(), error }
    }

    /// From a message without the file.
    pub(super) fn format(path: &Path, message: impl Into<String>) -> Self {
        Self::Format { file: path.display().to_string(), message: message.into() }
    }
}
