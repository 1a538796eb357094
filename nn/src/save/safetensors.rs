//! [Safetensors](https://github.com/huggingface/safetensors), the files that models are exchanged in: the length of a header,
//! the header, which is JSON and says where each array lies, and the numbers.
//!
//! A count is an unsigned number of 64 bits without axes; such numbers, signed too, are read as counts. Notes are the metadata.
//! Half precision is read, and rounded to the element type; arrays of whole numbers are not.

use super::number::{self, Format};
use super::{Error, Result, file};
use ::safetensors::tensor::{Dtype, SafeTensors, TensorInfo};
use autodiff::{Array, Float, Shape, StateDict};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The name in the header that is no array's.
const NOTES: &str = "__metadata__";

/// Writes a state to a file. The bytes depend on nothing but the state; for an example see [`save`](crate::save).
///
/// # Errors
/// If the file cannot be written, if an array and a count have the same name, or one is called `__metadata__`. A file that was
/// there stays as it was.
pub fn save<T: Float>(path: impl AsRef<Path>, state: &StateDict<T>) -> Result<()> {
    let path = path.as_ref();
    file::write(path, &encode(state).map_err(|message| Error::format(path, message))?)
}

/// Reads the state in a file.
///
/// # Errors
/// If the file cannot be read, is damaged, or holds what a state cannot.
///
/// ```
/// use nn::save::safetensors;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// std::fs::write(&path, "no model")?;
/// let error = safetensors::load::<f32>(&path).unwrap_err().to_string();
/// assert!(error.ends_with("model.safetensors: header too large"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn load<T: Float>(path: impl AsRef<Path>) -> Result<StateDict<T>> {
    let path = path.as_ref();
    decode(&file::read(path)?).map_err(|message| Error::format(path, message))
}

/// The header is written here and not by the crate, whose metadata come in any order: equal states are equal files.
fn encode<T: Float>(state: &StateDict<T>) -> Result<Vec<u8>, String> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    let mut entry = |name: &str, dtype: &str, shape: &[usize], start: usize, end: usize| {
        let place = json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] });
        if name == NOTES || header.insert(name.to_owned(), place).is_some() {
            return Err(format!("the name {name:?} is taken twice"));
        }
        Ok(())
    };
    // First what is aligned to eight bytes.
    for (name, count) in state.counts() {
        entry(name, "U64", &[], data.len(), data.len() + 8)?;
        data.extend(count.to_le_bytes());
    }
    for (name, array) in state.arrays() {
        let start = data.len();
        number::write(array, &mut data);
        entry(name, &T::NAME.to_uppercase(), &array.shape().to_vec(), start, data.len())?;
    }
    if state.notes().len() > 0 {
        let notes: Map<_, _> =
            state.notes().map(|(name, note)| (name.to_owned(), Value::from(note))).collect();
        header.insert(NOTES.to_owned(), Value::Object(notes));
    }
    let mut header = Value::Object(header).to_string();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    Ok(bytes)
}

fn decode<T: Float>(bytes: &[u8]) -> Result<StateDict<T>, String> {
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let data = &bytes[8 + header..];
    let mut state = StateDict::new();
    for name in metadata.offset_keys() {
        let info = metadata.info(&name).expect("the name comes from the header");
        let bytes = &data[info.data_offsets.0..info.data_offsets.1];
        let format = match info.dtype {
            Dtype::F16 => Format::F16,
            Dtype::BF16 => Format::Bf16,
            Dtype::F32 => Format::F32,
            Dtype::F64 => Format::F64,
            _ => {
                state.set_count(&name, count(&name, info, bytes)?);
                continue;
            }
        };
        let shape = Shape::new(&info.shape).map_err(|error| format!("array {name:?}: {}", error.kind()))?;
        let array = Array::from_vec(number::read(bytes, format), shape);
        state.set_array(&name, array.map_err(|error| format!("array {name:?}: {}", error.kind()))?);
    }
    for (name, note) in metadata.metadata().iter().flatten() {
        state.set_note(name, note);
    }
    Ok(state)
}

/// The count in the eight bytes of a whole number without axes.
fn count(name: &str, info: &TensorInfo, bytes: &[u8]) -> Result<u64, String> {
    let word: Option<[u8; 8]> = bytes.try_into().ok().filter(|_| info.shape.is_empty());
    match (info.dtype, word) {
        (Dtype::U64, Some(word)) => Ok(u64::from_le_bytes(word)),
        (Dtype::I64, Some(word)) => u64::try_from(i64::from_le_bytes(word))
            .map_err(|_| format!("{name:?} is negative, where a count is needed")),
        (dtype, _) => Err(format!(
            "{name:?} is {dtype} {:?}: arrays of F16, BF16, F32 and F64, and single I64 and U64 are read",
            info.shape
        )),
    }
}
