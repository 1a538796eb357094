//! Recurrent layers: names, shapes, states, dropout, and what they say when misused.
#![allow(missing_docs)]

use autodiff::{Module, Result, Rng, Tensor, check};
use nn::{Gru, GruCell, Layer, Lstm, LstmCell, LstmState, RecurrentOptions, Rnn, RnnCell, evaluate};

#[test]
fn parameters_have_the_names_of_torch() {
    let options = RecurrentOptions { layers: 2, bidirectional: true, ..RecurrentOptions::default() };
    let lstm = Lstm::<f32>::with(3, 4, options, &mut Rng::seed(1));
    let mut names = Vec::new();
    lstm.parameters(&mut |name, p| names.push(format!("{name} {}", p.shape())));
    let expected = [
        "weight_ih_l0 [3, 16]",
        "weight_hh_l0 [4, 16]",
        "bias_ih_l0 [16]",
        "bias_hh_l0 [16]",
        "weight_ih_l0_reverse [3, 16]",
        "weight_hh_l0_reverse [4, 16]",
        "bias_ih_l0_reverse [16]",
        "bias_hh_l0_reverse [16]",
        "weight_ih_l1 [8, 16]",
        "weight_hh_l1 [4, 16]",
        "bias_ih_l1 [16]",
        "bias_hh_l1 [16]",
        "weight_ih_l1_reverse [8, 16]",
        "weight_hh_l1_reverse [4, 16]",
        "bias_ih_l1_reverse [16]",
        "bias_hh_l1_reverse [16]",
    ];
    assert_eq!(names, expected);

    let mut bare = Gru::<f32>::with(3, 4, RecurrentOptions { bias: false, ..options }, &mut Rng::seed(1));
    let mut names = Vec::new();
    bare.parameters_mut(&mut |name, _| names.push(name.to_owned()));
    assert_eq!(names[..3], ["weight_ih_l0", "weight_hh_l0", "weight_ih_l0_reverse"]);
    assert_eq!(names.len(), 8);
}

#[test]
fn numbers_are_drawn_within_their_bound() {
    let cell = LstmCell::<f64>::new(30, 25, &mut Rng::seed(1));
    cell.parameters(&mut |name, p| {
        let largest = p.abs().max().item();
        assert!(largest <= 0.2 && largest > 0.19, "{name}: {largest}");
        assert!(p.mean().item().abs() < 0.04, "{name}");
    });
}

#[test]
fn dropout_works_between_layers_in_training_only() -> Result<()> {
    let options = RecurrentOptions { layers: 2, ..RecurrentOptions::default() };
    let of = |dropout| Gru::<f64>::with(3, 4, RecurrentOptions { dropout, ..options }, &mut Rng::seed(1));
    let (plain, dropping) = (of(0.0), of(0.5));
    let x = Rng::seed(2).normal([2, 5, 3], 0.0, 1.0);
    let expected = plain.forward(&x)?.to_vec();
    assert_eq!(evaluate(|| dropping.forward(&x))?.to_vec(), expected);
    assert_ne!(dropping.forward(&x)?.to_vec(), expected);
    // The first layer's last state lies below the dropout.
    let (_, state) = dropping.run(&x, None)?;
    assert_eq!(state.slice(0, 0..1)?.to_vec(), plain.run(&x, None)?.1.slice(0, 0..1)?.to_vec());
    Ok(())
}

#[test]
fn a_layer_is_its_cell_step_by_step() -> Result<()> {
    let mut rng = Rng::seed(3);
    let x = rng.normal::<f64>([2, 4, 3], 0.0, 1.0);
    let at = |time| x.slice(1, time..time + 1)?.squeeze(1);
    let near = |a: &Tensor<f64>, b: &Tensor<f64>| {
        assert!(a.to_vec().iter().zip(b.to_vec()).all(|(a, b)| (a - b).abs() < 1e-14), "{a:?} {b:?}");
    };

    let lstm = Lstm::<f64>::new(3, 5, &mut rng);
    let (y, last) = lstm.run(&x, None)?;
    let mut state = LstmState::zeros([2, 5]);
    for time in 0..4 {
        state = lstm.cells()[0].forward(&at(time)?, &state)?;
        near(&state.hidden, &y.slice(1, time..time + 1)?);
    }
    near(&state.hidden, &last.hidden);
    near(&state.cell, &last.cell);

    let (gru, rnn) = (Gru::<f64>::new(3, 5, &mut rng), Rnn::<f64>::new(3, 5, &mut rng).relu());
    let (mut of_gru, mut of_rnn) = (Tensor::zeros([2, 5]), Tensor::zeros([2, 5]));
    for time in 0..4 {
        of_gru = gru.cells()[0].forward(&at(time)?, &of_gru)?;
        of_rnn = rnn.cells()[0].forward(&at(time)?, &of_rnn)?;
    }
    near(&of_gru, &gru.run(&x, None)?.1);
    near(&of_rnn, &rnn.run(&x, None)?.1);
    Ok(())
}

#[test]
fn gradients_of_gradients_go_through_layers() {
    let options = RecurrentOptions { layers: 2, bidirectional: true, ..RecurrentOptions::default() };
    let lstm = Lstm::<f64>::with(2, 2, options, &mut Rng::seed(4));
    let x = Rng::seed(5).normal([2, 3, 2], 0.0, 1.0);
    check::second_order(|x| lstm.forward(&x[0]), &[x]).unwrap_or_else(|mismatch| panic!("{mismatch}"));
}

#[test]
fn an_empty_sequence_leaves_the_state() -> Result<()> {
    let lstm = Lstm::<f32>::new(3, 2, &mut Rng::seed(1));
    let start = LstmState { hidden: Tensor::ones([1, 4, 2]), cell: Tensor::full(2.0, [1, 4, 2]) };
    let (y, last) = lstm.run(&Tensor::zeros([4, 0, 3]), Some(&start))?;
    assert_eq!(y.shape(), [4, 0, 2]);
    assert_eq!((last.hidden.to_vec(), last.cell.to_vec()), (vec![1.0; 8], vec![2.0; 8]));
    assert_eq!(lstm.forward(&Tensor::zeros([0, 5, 3]))?.shape(), [0, 5, 2]);
    Ok(())
}

#[test]
fn misuse_is_said_at_the_line_of_the_caller() {
    let mut rng = Rng::seed(1);
    let x = Tensor::<f32>::zeros([4, 5, 3]);
    macro_rules! says {
        ($call:expr, $text:literal) => {
            let (error, line) = ($call.unwrap_err(), line!());
            assert_eq!((error.site().file(), error.site().line()), (file!(), line), "{error}");
            assert_eq!(error.to_string().rsplit_once(" at ").unwrap().0, $text);
        };
    }
    let (gru, lstm) = (Gru::new(2, 6, &mut rng), Lstm::new(3, 6, &mut rng));
    says!(gru.forward(&x), "gru: the layer takes [batch, time, 2], and the input is [4, 5, 3]");
    let first = RecurrentOptions { time_first: true, ..RecurrentOptions::default() };
    let rnn = Rnn::with(2, 6, first, &mut rng);
    says!(rnn.forward(&x), "rnn: the layer takes [time, batch, 2], and the input is [4, 5, 3]");
    let state = LstmState::zeros([1, 5, 6]);
    says!(lstm.run(&x, Some(&state)), "lstm: the state to start from must be [1, 4, 6], and it is [1, 5, 6]");
    let (cell, gru) = (RnnCell::new(3, 2, &mut rng), GruCell::<f32>::new(3, 2, &mut rng));
    says!(cell.forward(&x, &x), "rnn: the cell takes [batch, 3], and the input is [4, 5, 3]");
    let (row, state) = (Tensor::zeros([4, 3]), Tensor::zeros([4, 3]));
    says!(gru.forward(&row, &state), "gru: the state to start from must be [4, 2], and it is [4, 3]");
}

#[test]
#[should_panic(expected = "a recurrent layer of 0 layers")]
fn there_is_a_layer() {
    let none = RecurrentOptions { layers: 0, ..RecurrentOptions::default() };
    let _ = Rnn::<f32>::with(1, 1, none, &mut Rng::seed(1));
}
