//! Bytes from a file or from memory, gzip or plain, and never more of them than a limit.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::{Error, Result};

/// What gzip starts with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A stream of uncompressed bytes that knows the name of its file, for errors.
pub(crate) struct Source<'a> {
    pub(crate) file: String,
    pub(crate) limit: usize,
    content: Box<dyn Read + 'a>,
    gzip: bool,
    read: usize,
}

impl<'a> Source<'a> {
    /// The content of a file, of which at most `limit` bytes will be read.
    pub(crate) fn open(path: &Path, limit: usize) -> Result<Source<'static>> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Source::new(&name, BufReader::new(file), limit),
            Err(error) => Err(Error::Io { file: name, error }),
        }
    }

    /// The content of `bytes`, decompressed if they start as gzip does.
    pub(crate) fn new(name: &str, mut bytes: impl BufRead + 'a, limit: usize) -> Result<Source<'a>> {
        let file = name.to_owned();
        let gzip = match bytes.fill_buf() {
            Ok(start) => start.starts_with(&GZIP),
            Err(error) => return Err(Error::Io { file, error }),
        };
        let content: Box<dyn Read + 'a> =
            if gzip { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) };
        Ok(Source { file, limit, content, gzip, read: 0 })
    }

    /// Appends the next `count` bytes to `into`; fewer only where the content ends.
    ///
    /// `into` grows with what arrives, not with `count`, which may be a lie of the file's header.
    pub(crate) fn read(&mut self, count: usize, into: &mut Vec<u8>) -> Result<()> {
        let before = into.len();
        let outcome = self.content.by_ref().take(count as u64).read_to_end(into);
        self.read += into.len() - before;
        outcome.map(drop).map_err(|error| self.failed(error))
    }

    /// How many bytes follow. Reads to the end, where gzip keeps its checksum.
    pub(crate) fn count_rest(&mut self) -> Result<usize> {
        let room = self.limit.saturating_sub(self.read) as u64;
        let mut rest = self.content.by_ref().take(room + 1);
        let count = io::copy(&mut rest, &mut io::sink()).map_err(|error| self.failed(error))?;
        if count > room { Err(self.too_large()) } else { Ok(count as usize) }
    }

    /// Everything.
    pub(crate) fn read_all(&mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        self.read(self.limit + 1, &mut all)?;
        if all.len() > self.limit { Err(self.too_large()) } else { Ok(all) }
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { file: self.file.clone(), limit: self.limit }
    }

    fn failed(&self, error: io::Error) -> Error {
        let file = self.file.clone();
        if self.gzip { Error::Gzip { file, read: self.read, error } } else { Error::Io { file, error } }
    }
}
