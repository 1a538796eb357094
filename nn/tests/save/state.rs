//! State dicts: strict and not, all or nothing, and files that keep them whole.

use super::models::{Block, LeNet, Mlp};
use autodiff::{Array, Rng, Tensor};
use nn::save::{Checkpoints, npz, safetensors};
use nn::{Affine, AlphaDropout, ChannelDropout, Dropout, Gru, Layer, RecurrentOptions, StateDict};
use std::fs;

#[test]
fn a_state_has_every_place_in_the_order_of_the_model() {
    let state = StateDict::of(&Block::new(3, 4, 2, &mut Rng::seed(1)));
    let names: Vec<_> = state.arrays().map(|(name, _)| name).collect();
    let norm = ["weight", "bias", "running_mean", "running_var"];
    let mut expected = vec!["conv1.weight".to_owned()];
    expected.extend(norm.map(|name| format!("bn1.{name}")));
    expected.push("conv2.weight".to_owned());
    expected.extend(norm.map(|name| format!("bn2.{name}")));
    expected.push("downsample.0.weight".to_owned());
    expected.extend(norm.map(|name| format!("downsample.1.{name}")));
    assert_eq!(names, expected);
}

#[test]
fn what_does_not_fit_is_named_at_once_and_nothing_is_loaded() {
    let mut model = Mlp::new(&mut Rng::seed(1));
    let before = StateDict::of(&model);
    let mut state = StateDict::of(&Mlp::new(&mut Rng::seed(2)))
        .renamed(|name| Some(name.replace("output.bias", "head.bias").replace("hidden.bias", "head.shift")));
    state.set_array("output.weight", Array::full(1.0, [4, 5]));
    let error = state.load_into(&mut model).unwrap_err().to_string();
    let expected = "load_state_dict: missing [\"hidden.bias\", \"output.bias\"], \
                    unexpected [\"head.shift\", \"head.bias\"], \
                    misshapen [\"output.weight\": [4, 5] for [4, 4]] at nn/tests/save/state.rs:";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(StateDict::of(&model), before);

    let mismatch = state.load_matching(&mut model);
    assert_eq!((mismatch.missing.len(), mismatch.unexpected.len(), mismatch.misshapen.len()), (2, 2, 1));
    let after = StateDict::of(&model);
    assert_eq!(after.array("hidden.weight"), state.array("hidden.weight"));
    assert_eq!(after.array("output.weight"), before.array("output.weight"));
    assert_eq!(after.array("hidden.bias"), before.array("hidden.bias"));
}

#[test]
fn a_transposed_matrix_is_told_from_others() {
    let mut layer = Affine::<f32>::new(2, 3, &mut Rng::seed(1)).without_bias();
    let mut state = StateDict::new();
    state.set_array("weight", Array::full(0.0, [3, 2]));
    let error = state.load_into(&mut layer).unwrap_err().to_string();
    assert!(error.contains("[3, 2] for [2, 3] (transposed: does it come from PyTorch?)"), "{error}");
}

#[test]
fn loading_drops_gradients_and_moves_counters() {
    let mut model = (Affine::<f64>::new(2, 2, &mut Rng::seed(1)), Dropout::new(0.5, &mut Rng::seed(2)));
    let x = Tensor::ones([3, 2]);
    let state = StateDict::of(&model);
    assert_eq!(state.counts().collect::<Vec<_>>(), [("1.calls", 0)]);
    model.1.forward(&model.0.forward(&x).unwrap()).unwrap().sum().backward().unwrap();
    assert_eq!(model.1.calls(), 1);
    state.load_into(&mut model).unwrap();
    assert_eq!(model.1.calls(), 0);
    assert!(model.0.weight.grad().is_none() && model.0.weight.is_tracked());
    assert!(model.0.weight.is_transposed(), "loading keeps the mark");
}

#[test]
fn every_dropout_has_its_counter() {
    let mut rng = Rng::seed(1);
    let options = RecurrentOptions { layers: 2, dropout: 0.5, ..RecurrentOptions::default() };
    let model = (
        Gru::<f32>::with(2, 2, options, &mut rng),
        ChannelDropout::new(0.5, &mut rng),
        AlphaDropout::new(0.5, &mut rng),
    );
    model.0.forward(&Tensor::ones([1, 3, 2])).unwrap();
    let counts = StateDict::<f32>::of(&model);
    assert_eq!(counts.counts().collect::<Vec<_>>(), [("0.dropout.calls", 1), ("1.calls", 0), ("2.calls", 0)]);
}

#[test]
fn files_hold_a_state_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let mut state = StateDict::of(&LeNet::new(&mut Rng::seed(1)));
    let odd = [f32::NAN, f32::NEG_INFINITY, -0.0, f32::MIN_POSITIVE / 8.0, f32::MAX];
    state.set_array("odd", Array::from_vec(odd, [5]).unwrap());
    state.set_array("", Array::scalar(1.0));
    state.set_array("none", Array::full(0.0, [3, 0, 2]));
    state.set_count("steps", u64::MAX);
    for note in ["b", "a", "zürich \"\n"] {
        state.set_note(note, note);
    }
    let bits = |state: &StateDict| -> Vec<(String, Vec<u32>)> {
        let of = |array: &Array<f32>| array.to_vec().iter().map(|x| x.to_bits()).collect();
        state.arrays().map(|(name, array)| (name.to_owned(), of(array))).collect()
    };
    safetensors::save(&path, &state).unwrap();
    let loaded: StateDict = safetensors::load(&path).unwrap();
    assert_eq!(bits(&loaded), bits(&state));
    assert!(loaded.counts().eq(state.counts()) && loaded.notes().eq(state.notes()));
    let bytes = fs::read(&path).unwrap();
    safetensors::save(&path, &loaded).unwrap();
    assert!(fs::read(&path).unwrap() == bytes, "equal states are equal files");
    // Through the other element type and back.
    let wide: StateDict<f64> = safetensors::load(&path).unwrap();
    safetensors::save(&path, &wide).unwrap();
    assert_eq!(bits(&safetensors::load(&path).unwrap()), bits(&state));

    let path = folder.path().join("state.npz");
    npz::save(&path, &state).unwrap();
    assert_eq!(bits(&npz::load(&path).unwrap()), bits(&state));
}

#[test]
fn the_last_checkpoints_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path().join("a/b")).keep(2);
    assert_eq!(checkpoints.latest::<f32>().unwrap(), None);
    let mut state = StateDict::<f32>::new();
    for step in [1, 5, 99_999_999, 100_000_000] {
        state.set_count("step", step);
        checkpoints.save(step, &state).unwrap();
    }
    for other in ["x", "400000000000.5", "+00000400", "400"] {
        fs::write(folder.path().join(format!("a/b/checkpoint-{other}.safetensors")), "").unwrap();
    }
    fs::write(folder.path().join("a/b/.checkpoint-100000001.safetensors.new"), "torn").unwrap();
    assert_eq!(checkpoints.steps().unwrap(), [99_999_999, 100_000_000]);
    assert_eq!(checkpoints.latest().unwrap(), Some((100_000_000, state)));
}

#[test]
fn what_a_later_checkpoint_would_hide_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path()).keep(2);
    let mut state = StateDict::<f32>::new();
    for step in [100, 200, 300] {
        checkpoints.save(step, &state).unwrap();
    }
    // A training that has begun anew in the folder of another, whether there is room for its file or not.
    for checkpoints in [checkpoints.clone(), checkpoints.clone().keep(5)] {
        let error = checkpoints.save(10, &state).unwrap_err().to_string();
        let expected = "there is a checkpoint of step 300, later than 10: take it up, or use another folder";
        assert_eq!(error, format!("{}: {expected}", folder.path().display()));
        assert_eq!(checkpoints.steps().unwrap(), [200, 300]);
    }
    // The same step once more is replaced.
    state.set_count("again", 1);
    checkpoints.save(300, &state).unwrap();
    assert_eq!(checkpoints.latest().unwrap(), Some((300, state)));
    assert_eq!(checkpoints.steps().unwrap(), [200, 300]);
}

#[test]
fn a_failed_save_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    fs::write(&path, "old").unwrap();
    let mut state = StateDict::<f32>::new();
    state.set_array("a", Array::scalar(1.0));
    state.set_count("a", 1);
    for result in [safetensors::save(&path, &state), npz::save(&path, &state)] {
        let error = result.expect_err("an array and a count have one name").to_string();
        assert!(error.ends_with("x.safetensors: the name \"a\" is taken twice"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }

    let nowhere = folder.path().join("no/x.safetensors");
    let error = safetensors::save(&nowhere, &StateDict::<f32>::new()).unwrap_err().to_string();
    assert!(error.starts_with(&nowhere.display().to_string()), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}
