//! NumPy's file of several arrays: a ZIP archive of [`npy`] files.
//!
//! A count is a `uint64` without axes. Notes are not written.

use super::npy::{self, Item};
use super::{Error, Result, file};
use autodiff::{Float, StateDict};
use flate2::{Crc, read::DeflateDecoder};
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

/// Writes the arrays and counts of a state to a file, uncompressed, for `numpy.load`.
///
/// # Errors
/// If the file cannot be written, or would be larger than 4 GiB, or if an array and a count have the same name. A file that was
/// there stays as it was.
///
/// ```
/// use autodiff::{Array, StateDict};
/// use nn::save::npz;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("arrays.npz");
/// let mut arrays = StateDict::<f32>::new();
/// arrays.set_array("x", Array::from_vec([1.0, 2.0], [2])?);
/// npz::save(&path, &arrays)?;
/// assert_eq!(npz::load(&path)?, arrays);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save<T: Float>(path: impl AsRef<Path>, state: &StateDict<T>) -> Result<()> {
    let path = path.as_ref();
    let counts = state.counts().map(|(name, count)| (name, npy::encode_count(count)));
    let arrays = state.arrays().map(|(name, array)| (name, npy::encode(array)));
    let bytes = pack(counts.chain(arrays));
    file::write(path, &bytes.map_err(|message| Error::format(path, message))?)
}

/// Reads the arrays and counts in a file that `numpy.savez`, `numpy.savez_compressed` or [`save`] has written.
///
/// # Errors
/// If the file cannot be read, is damaged, or holds something else; if it or what it holds is larger than 4 GiB.
pub fn load<T: Float>(path: impl AsRef<Path>) -> Result<StateDict<T>> {
    let path = path.as_ref();
    let bytes = file::read(path)?;
    let mut state = StateDict::new();
    unpack(&bytes, |name, content| {
        let name = name.strip_suffix(".npy").ok_or_else(|| format!("{name:?} is no npy file"))?;
        match npy::decode(content).map_err(|message| format!("{name:?}: {message}"))? {
            Item::Array(array) => state.set_array(name, array),
            Item::Count(count) => state.set_count(name, count),
        }
        Ok(())
    })
    .map_err(|message| Error::format(path, message))?;
    Ok(state)
}

/// What a local header, an entry of the directory, and the end of the directory start with.
const LOCAL: u32 = 0x0403_4b50;
const ENTRY: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Bytes of each, without what varies.
const LOCAL_SIZE: usize = 30;
const ENTRY_SIZE: usize = 46;
const END_SIZE: usize = 22;

/// An archive of files that are stored as they are.
fn pack<'a>(files: impl Iterator<Item = (&'a str, Vec<u8>)>) -> Result<Vec<u8>, String> {
    let (mut archive, mut directory, mut count) = (Vec::new(), Vec::new(), 0u16);
    let too_large = || "more than an npz file holds: write safetensors".to_owned();
    let narrow = |size: usize| u32::try_from(size).map_err(|_| too_large());
    let mut taken = HashSet::new();
    for (name, content) in files {
        if !taken.insert(name) {
            return Err(format!("the name {name:?} is taken twice"));
        }
        let name = format!("{name}.npy");
        let length = u16::try_from(name.len()).map_err(|_| format!("the name {name:?} is too long"))?;
        let start = narrow(archive.len())?;
        let size = narrow(content.len())?;
        let mut crc = Crc::new();
        crc.update(&content);
        // Version 2.0; names are UTF-8; stored; 1980-01-01 00:00, so that equal states are equal files.
        let mut common = [20u16, 1 << 11, 0, 0, 33].map(u16::to_le_bytes).concat();
        common.extend([crc.sum(), size, size].map(u32::to_le_bytes).concat());
        common.extend(length.to_le_bytes());
        common.extend([0; 2]);

        archive.extend(LOCAL.to_le_bytes());
        archive.extend(&common);
        archive.extend(name.as_bytes());
        archive.extend(content);

        directory.extend(ENTRY.to_le_bytes());
        directory.extend(20u16.to_le_bytes());
        directory.extend(common);
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
        count = count.checked_add(1).ok_or_else(too_large)?;
    }
    let (start, size) = (narrow(archive.len())?, narrow(directory.len())?);
    archive.extend(directory);
    archive.extend(END.to_le_bytes());
    archive.extend([0; 4]);
    archive.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    archive.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    archive.extend([0; 2]);
    Ok(archive)
}

/// Shows every file in an archive, stored or deflated.
fn unpack(archive: &[u8], mut visit: impl FnMut(&str, &[u8]) -> Result<(), String>) -> Result<(), String> {
    // The end is followed by a comment of up to 64 KiB, which an npz file has not.
    let first = archive.len().saturating_sub(END_SIZE + usize::from(u16::MAX));
    let end = (first..(archive.len() + 1).saturating_sub(END_SIZE)).rev().map(|at| &archive[at..]);
    let end = end
        .into_iter()
        .find(|end| word(end, 0) == Some(END))
        .ok_or("this is no npz file, or its end is missing")?;
    let damaged = || "the directory of the archive is damaged".to_owned();
    let (count, start) = (short(end, 10).ok_or_else(damaged)?, word(end, 16).ok_or_else(damaged)?);
    if count == u16::MAX || start == u32::MAX {
        return Err("an archive of more than 4 GiB or 65534 files is not read".into());
    }
    let mut directory = archive.get(start as usize..).ok_or_else(damaged)?;
    let mut left = u32::MAX as usize;
    for _ in 0..count {
        let entry = directory.get(..ENTRY_SIZE).ok_or_else(damaged)?;
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(short(entry, at).unwrap_or(0)));
        let size = ENTRY_SIZE + name + extra + comment;
        let name = directory.get(ENTRY_SIZE..ENTRY_SIZE + name).ok_or_else(damaged)?;
        let name = std::str::from_utf8(name).map_err(|_| damaged())?;
        let content = content(archive, entry, left).map_err(|message| format!("{name:?}: {message}"))?;
        left -= content.len();
        visit(name, &content)?;
        directory = directory.get(size..).ok_or_else(damaged)?;
    }
    if word(directory, 0) == Some(END) { Ok(()) } else { Err(damaged()) }
}

/// What the file of an entry of the directory holds, of at most so many bytes.
fn content(archive: &[u8], entry: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let short = |at| short(entry, at).expect("an entry is complete");
    let [crc, packed, size, start] =
        [16, 20, 24, 42].map(|at| word(entry, at).expect("an entry is complete") as usize);
    let (flags, method) = (short(8), short(10));
    if word(entry, 0) != Some(ENTRY) {
        return Err("its entry in the directory is damaged".into());
    }
    if flags & 1 == 1 {
        return Err("it is encrypted".into());
    }
    if size > limit || packed == u32::MAX as usize {
        return Err("the archive holds more than 4 GiB".into());
    }
    let data = (|| {
        let local = archive.get(start..)?;
        let skipped = usize::from(self::short(local, 26)?) + usize::from(self::short(local, 28)?);
        local.get(LOCAL_SIZE + skipped..)?.get(..packed).filter(|_| word(local, 0) == Some(LOCAL))
    })();
    let data = data.ok_or("it does not lie within the archive")?;
    let content = match method {
        0 => data.to_vec(),
        8 => {
            // One byte more than promised shows that there are more.
            let mut content = Vec::new();
            let inflated = DeflateDecoder::new(data).take(size as u64 + 1).read_to_end(&mut content);
            inflated.map_err(|error| error.to_string())?;
            content
        }
        _ => return Err(format!("compression method {method} is not known")),
    };
    let mut found = Crc::new();
    found.update(&content);
    if content.len() != size || found.sum() as usize != crc {
        return Err("its length or check sum is wrong".into());
    }
    Ok(content)
}

/// The number of 16 bits at a position.
fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|&word| u16::from_le_bytes(word))
}

/// The number of 32 bits at a position.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|&word| u32::from_le_bytes(word))
}
