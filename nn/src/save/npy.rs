//! NumPy's file of one array (NEP 1): a magic word, a header that is a Python dictionary, and the numbers.

use super::number::{self, Format};
use super::{Error, Result, file};
use autodiff::{Array, Float, Shape};
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Writes an array to a file, for `numpy.load`.
///
/// # Errors
/// If the file cannot be written. A file that was there stays as it was.
///
/// ```
/// use autodiff::Array;
/// use nn::save::npy;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("x.npy");
/// let x = Array::from_vec([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
/// npy::save(&path, &x)?;
/// assert_eq!(npy::load::<f64>(&path)?.to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save<T: Float>(path: impl AsRef<Path>, array: &Array<T>) -> Result<()> {
    file::write(path.as_ref(), &encode(array))
}

/// Reads the array in a file that `numpy.save` or [`save`] has written: `float16`, `float32` or `float64` of either byte
/// order, in C or Fortran order.
///
/// # Errors
/// If the file cannot be read, is damaged, or holds something else.
pub fn load<T: Float>(path: impl AsRef<Path>) -> Result<Array<T>> {
    let path = path.as_ref();
    let bytes = file::read(path)?;
    let item = decode(&bytes).and_then(|item| match item {
        Item::Array(array) => Ok(array),
        Item::Count(_) => Err("a whole number, where an array of floats is needed".to_owned()),
    });
    item.map_err(|message| Error::format(path, message))
}

/// What a file holds.
pub(super) enum Item<T: Float> {
    Array(Array<T>),
    /// A whole number without axes, of 64 bits.
    Count(u64),
}

/// The file of an array.
pub(super) fn encode<T: Float>(array: &Array<T>) -> Vec<u8> {
    let mut bytes = header(&format!("<f{}", Format::of::<T>().size()), array.shape());
    number::write(array, &mut bytes);
    bytes
}

/// The file of a count.
pub(super) fn encode_count(count: u64) -> Vec<u8> {
    let mut bytes = header("<u8", Shape::SCALAR);
    bytes.extend(count.to_le_bytes());
    bytes
}

/// Version 1.0; the numbers start at a multiple of 64 bytes.
fn header(descr: &str, shape: Shape) -> Vec<u8> {
    let sizes = match &shape.to_vec()[..] {
        [size] => format!("{size},"),
        sizes => sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let before = MAGIC.len() + 4;
    let end = (before + text.len() + 1).next_multiple_of(64);
    text.push_str(&" ".repeat(end - before - text.len() - 1));
    text.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// What the bytes of a file are; else what is wrong with them.
pub(super) fn decode<T: Float>(bytes: &[u8]) -> Result<Item<T>, String> {
    let short = || "the file ends within its header".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or("this is no npy file")?;
    let (&[version, _], rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let (length, rest) = match version {
        1 => {
            let (&length, rest) = rest.split_first_chunk().ok_or_else(short)?;
            (usize::from(u16::from_le_bytes(length)), rest)
        }
        2 | 3 => {
            let (&length, rest) = rest.split_first_chunk().ok_or_else(short)?;
            (u32::from_le_bytes(length) as usize, rest)
        }
        _ => return Err(format!("version {version} of the format is not known")),
    };
    let (text, data) = rest.split_at_checked(length).ok_or_else(short)?;
    let text = std::str::from_utf8(text).map_err(|_| "the header is no text")?;

    let descr = field(text, "descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let descr = descr.ok_or("the header names no simple type")?.0;
    let fortran = field(text, "fortran_order")?.starts_with("True");
    let sizes = sizes(field(text, "shape")?).ok_or("the header has no sound shape")?;
    let shape = Shape::new(&sizes).map_err(|error| error.kind().to_string())?;
    let size = kind(descr)?.1;
    let promised = shape.size().checked_mul(size).ok_or("the header promises more than memory holds")?;
    if data.len() != promised {
        return Err(format!(
            "the header promises {promised} bytes of numbers, the file holds {}",
            data.len()
        ));
    }
    let mut data = data.to_vec();
    if descr.starts_with('>') {
        data.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    match kind(descr)?.0 {
        Some(format) => {
            let wrong = |error: autodiff::Error| error.kind().to_string();
            let values = number::read(&data, format);
            if !fortran {
                return Ok(Item::Array(Array::from_vec(values, shape).map_err(wrong)?));
            }
            let reversed: Vec<usize> = shape.iter().rev().collect();
            let axes: Vec<isize> = (0..shape.rank() as isize).rev().collect();
            let array = Array::from_vec(values, reversed).and_then(|array| array.permute(&axes));
            Ok(Item::Array(array.map_err(wrong)?.contiguous()))
        }
        None if sizes.is_empty() => {
            let count = u64::from_le_bytes(data.try_into().expect("eight bytes, as was promised"));
            match i64::try_from(count) {
                Err(_) if descr.ends_with("i8") => Err("a negative number, where a count is needed".into()),
                _ => Ok(Item::Count(count)),
            }
        }
        None => Err(format!("the type is {descr:?}: convert to float32 or float64 first")),
    }
}

/// The format of a type, none for a whole number of 64 bits, and its bytes.
fn kind(descr: &str) -> Result<(Option<Format>, usize), String> {
    Ok(match descr.strip_prefix(['<', '>']) {
        Some("f2") => (Some(Format::F16), 2),
        Some("f4") => (Some(Format::F32), 4),
        Some("f8") => (Some(Format::F64), 8),
        Some("i8" | "u8") => (None, 8),
        _ => return Err(format!("the type is {descr:?}: convert to float32 or float64 first")),
    })
}

/// What follows the name of a field.
fn field<'a>(header: &'a str, name: &str) -> Result<&'a str, String> {
    let (_, rest) =
        header.split_once(&format!("'{name}':")).ok_or_else(|| format!("the header has no {name:?}"))?;
    Ok(rest.trim_start())
}

/// The sizes in `(2, 3)`.
fn sizes(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    let inside = inside.trim().strip_suffix(',').unwrap_or(inside.trim());
    if inside.is_empty() {
        return Some(Vec::new());
    }
    inside.split(',').map(|size| size.trim().parse().ok()).collect()
}
