//! PyTorch and NumPy, both ways. What comes from them was written by `make.py`.

use super::models;
use autodiff::{Array, Rng, Tensor};
use nn::save::{npy, npz, safetensors, torch};
use nn::{Layer, StateDict, evaluate};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/save")
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "{what}: {found:?} for {expected:?}");
    }
}

fn logits(model: &dyn Layer, x: &Array<f32>) -> Vec<f32> {
    evaluate(|| model.forward(&Tensor::from(x.clone()))).unwrap().to_vec()
}

#[test]
fn models_of_pytorch_load_and_give_its_logits() {
    for (name, mut model) in models::all(&mut Rng::seed(1)) {
        let load = |name: String| safetensors::load(folder().join("torch").join(name)).unwrap();
        let (state, run): (StateDict, StateDict) =
            (load(format!("{name}.safetensors")), load(format!("{name}.run.safetensors")));
        let state = state.renamed(|name| Some(name.replace("in_proj_", "in_proj.")));
        torch::import(&state, &model).load_into(&mut model).unwrap();
        let expected = run.array("logits").unwrap().to_vec();
        assert_close(&logits(&*model, run.array("x").unwrap()), &expected, name);
        let batches = StateDict::of(&model).count("norm.num_batches_tracked");
        assert_eq!(batches, (name == "recurrent").then_some(3));
    }
}

/// The bytes in a file of `ours/` are those that are saved here. With `UPDATE_SAVED` they are made so, and what comes of
/// them is not yet known: false.
fn is_saved(name: &str, save: impl FnOnce(&Path)) -> bool {
    let kept = folder().join("ours").join(name);
    if std::env::var_os("UPDATE_SAVED").is_some() {
        save(&kept);
        return false;
    }
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join(name);
    save(&path);
    assert!(
        fs::read(path).unwrap() == fs::read(kept).unwrap(),
        "{name} is not what PyTorch or NumPy has seen"
    );
    true
}

#[test]
fn models_saved_here_give_the_same_logits_in_pytorch() {
    let mut rng = Rng::seed(2);
    for (name, mut model) in models::all(&mut rng.clone()) {
        // Numbers that do not depend on the machine, as trained running statistics would in their last bits.
        let mut state = StateDict::of(&model);
        for (name, array) in StateDict::of(&model).arrays() {
            let middle = if name.ends_with("running_var") { 1.0 } else { 0.0 };
            let drawn: Tensor = rng.uniform(array.shape(), middle - 0.5, middle + 0.5);
            state.set_array(name, drawn.array().clone());
        }
        state.load_into(&mut model).unwrap();

        let load = |path: String| -> StateDict { safetensors::load(folder().join(path)).unwrap() };
        if is_saved(&format!("{name}.safetensors"), |path| {
            let state = torch::export(&model).renamed(|name| Some(name.replace("in_proj.", "in_proj_")));
            safetensors::save(path, &state).unwrap();
        }) {
            let run = load(format!("torch/{name}.run.safetensors"));
            let there = load(format!("ours/{name}.logits.safetensors")).array("logits").unwrap().to_vec();
            assert_close(&logits(&*model, run.array("x").unwrap()), &there, name);
        }
    }
}

/// 0, 1/4, .. 5/4.
fn quarters() -> Array<f64> {
    Array::from_vec((0..6).map(|i| f64::from(i) / 4.0).collect::<Vec<_>>(), [2, 3]).unwrap()
}

#[test]
fn what_numpy_writes_is_read() {
    let x = quarters();
    for name in ["stored.npz", "deflated.npz"] {
        let state: StateDict<f64> = npz::load(folder().join("numpy").join(name)).unwrap();
        for array in ["double", "single.weight", "half", "big", "fortran"] {
            assert_eq!(state.array(array), Some(&x), "{name}: {array}");
        }
        assert_eq!(state.array("vector").unwrap().to_vec(), [0.75, 1.0, 1.25]);
        assert_eq!(state.array("vector").unwrap().shape(), [3]);
        assert_eq!(state.array("scalar"), Some(&Array::scalar(1.25)));
        assert_eq!(state.array("empty").unwrap().shape(), [0, 3]);
        assert_eq!(state.count("steps"), Some(12));
        assert_eq!((state.arrays().len(), state.counts().len()), (8, 1));
    }
    assert_eq!(npy::load::<f64>(folder().join("numpy/x.npy")).unwrap(), x);
    let error = npy::load::<f32>(folder().join("numpy/whole.npy")).unwrap_err().to_string();
    assert!(
        error.ends_with(r#"whole.npy: the type is "<i8": convert to float32 or float64 first"#),
        "{error}"
    );
}

#[test]
fn what_is_written_numpy_reads() {
    let x = quarters();
    let mut state = StateDict::new();
    state.set_array("x", x.clone());
    state.set_array("vector", Array::from_vec([1.0, f64::INFINITY], [2]).unwrap());
    state.set_array("scalar", Array::scalar(-0.5));
    state.set_array("empty", Array::full(0.0, [0, 2]));
    state.set_count("größe", u64::MAX);
    let arrays = is_saved("arrays.npz", |path| npz::save(path, &state).unwrap());
    let single = Array::from_vec(x.to_vec().iter().map(|&x| x as f32).collect::<Vec<_>>(), [2, 3]).unwrap();
    if !(is_saved("x.npy", |path| npy::save(path, &single).unwrap()) && arrays) {
        return;
    }

    let seen = fs::read_to_string(folder().join("ours/numpy.json")).unwrap().replace("Infinity", "\"inf\"");
    let expected = serde_json::json!({
        "x": ["float64", [2, 3], [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]],
        "npy": ["float32", [2, 3], [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]],
        "vector": ["float64", [2], [1.0, "inf"]],
        "scalar": ["float64", [], [-0.5]],
        "empty": ["float64", [0, 2], []],
        "größe": ["uint64", [], [u64::MAX]],
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&seen).unwrap(), expected);
}
