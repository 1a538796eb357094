//! Files that are cut short or changed: an error in one line, or, where only numbers were changed, other numbers.

use autodiff::{Array, Rng};
use nn::StateDict;
use nn::save::{Result, npy, npz, safetensors};
use std::fs;
use std::path::Path;

fn state() -> StateDict<f32> {
    let mut state = StateDict::new();
    state.set_array("a.weight", Array::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2]).unwrap());
    state.set_array("b", Array::scalar(5.0));
    state.set_count("steps", 3);
    state
}

type Load = fn(&Path) -> Result<()>;

/// The file of each format, and its reader.
fn files() -> Vec<(&'static str, Vec<u8>, Load)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let bytes = || fs::read(&path).unwrap();
    safetensors::save(&path, &state()).unwrap();
    let tensors = bytes();
    npz::save(&path, &state()).unwrap();
    let stored = bytes();
    npy::save(&path, state().array("a.weight").unwrap()).unwrap();
    let single = bytes();
    let deflated = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/save/numpy/deflated.npz");
    let npz: Load = |path| npz::load::<f32>(path).map(drop);
    vec![
        ("safetensors", tensors, |path| safetensors::load::<f32>(path).map(drop)),
        ("npz", stored, npz),
        ("deflated npz", fs::read(deflated).unwrap(), npz),
        ("npy", single, |path| npy::load::<f32>(path).map(drop)),
    ]
}

/// The error, which names the file in one line.
fn told(path: &Path, result: Result<()>, what: &str) {
    let error = result.expect_err(what).to_string();
    assert!(error.starts_with(&format!("{}: ", path.display())), "{what}: {error}");
    assert_eq!(error.lines().count(), 1, "{what}: {error}");
}

#[test]
fn a_file_cut_short_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for (name, bytes, load) in files() {
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            told(&path, load(&path), &format!("{name} cut to {length} bytes"));
        }
    }
}

#[test]
fn a_changed_byte_is_an_error_or_another_state_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed");
    let mut rng = Rng::seed(1);
    for (name, bytes, load) in files() {
        let mut errors = 0;
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << rng.below(8);
            fs::write(&path, &changed).unwrap();
            if let Err(error) = load(&path) {
                errors += 1;
                told(&path, Err(error), name);
            }
        }
        assert!(errors > bytes.len() / 8, "{name}: {errors} errors for {} changes", bytes.len());
    }
}

#[test]
fn a_file_that_is_not_there_or_another_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _, load) in files() {
        let path = folder.path().join("missing");
        told(&path, load(&path), name);
        told(folder.path(), load(folder.path()), name);
        let path = folder.path().join("other");
        fs::write(&path, vec![b'x'; 1000]).unwrap();
        told(&path, load(&path), name);
    }
}

#[test]
fn what_a_state_cannot_hold_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.safetensors");
    let header = r#"{"ids":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 16]].concat();
    fs::write(&path, bytes).unwrap();
    let error = safetensors::load::<f32>(&path).unwrap_err().to_string();
    let expected = "\"ids\" is I64 [2]: arrays of F16, BF16, F32 and F64, and single I64 and U64 are read";
    assert!(error.ends_with(expected), "{error}");
}
