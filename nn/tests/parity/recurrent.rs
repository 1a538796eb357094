//! Recurrent layers and cells: outputs, last states, and the gradients of inputs, states and parameters.

use super::reader::Options;
use super::{Outcome, load};
use autodiff::{Float, Module, Result, Rng, Tensor};
use nn::{Gru, GruCell, Lstm, LstmCell, LstmState, RecurrentOptions, Rnn, RnnCell};

calls! { "recurrent";
    rnn_tanh: |x, o| layer(Rnn::with(features(x), o.int("hidden"), options(o), &mut rng()), x, o, |rnn: &Rnn<f64>, x, states| rnn.run(x, states.first()).map(both));
    rnn_relu: |x, o| {
        let rnn = Rnn::with(features(x), o.int("hidden"), options(o), &mut rng()).relu();
        layer(rnn, x, o, |rnn: &Rnn<f64>, x, states| rnn.run(x, states.first()).map(both))
    };
    gru: |x, o| layer(Gru::with(features(x), o.int("hidden"), options(o), &mut rng()), x, o, |gru: &Gru<f64>, x, states| gru.run(x, states.first()).map(both));
    lstm: |x, o| {
        let lstm = Lstm::with(features(x), o.int("hidden"), options(o), &mut rng());
        layer(lstm, x, o, |lstm: &Lstm<f64>, x, states| {
            let (y, last) = lstm.run(x, state(states).as_ref())?;
            Ok(vec![y, last.hidden, last.cell])
        })
    };
    rnn_tanh_cell: |x, o| {
        let cell = RnnCell::new(features(x), o.int("hidden"), &mut rng());
        let cell = if o.flag("bias") { cell } else { cell.without_bias() };
        parts(cell, x, 1, |cell, x, states| Ok(vec![cell.forward(x, &states[0])?]))
    };
    rnn_relu_cell: |x, o| {
        let mut cell = RnnCell::new(features(x), o.int("hidden"), &mut rng());
        cell.relu = true;
        let cell = if o.flag("bias") { cell } else { cell.without_bias() };
        parts(cell, x, 1, |cell, x, states| Ok(vec![cell.forward(x, &states[0])?]))
    };
    gru_cell: |x, o| {
        let cell = GruCell::new(features(x), o.int("hidden"), &mut rng());
        let cell = if o.flag("bias") { cell } else { cell.without_bias() };
        parts(cell, x, 1, |cell, x, states| Ok(vec![cell.forward(x, &states[0])?]))
    };
    lstm_cell: |x, o| {
        let cell = LstmCell::new(features(x), o.int("hidden"), &mut rng());
        let cell = if o.flag("bias") { cell } else { cell.without_bias() };
        parts(cell, x, 2, |cell: &LstmCell<f64>, x, states| {
            let next = cell.forward(x, &state(states).expect("a state"))?;
            Ok(vec![next.hidden, next.cell])
        })
    };
}

/// What is drawn is replaced.
fn rng() -> Rng {
    Rng::seed(1)
}

/// How many features the input has.
fn features(x: &[Tensor<f64>]) -> usize {
    x[0].shape().dim(x[0].rank() - 1)
}

fn options(o: &Options) -> RecurrentOptions {
    RecurrentOptions {
        layers: o.int("layers"),
        bidirectional: o.flag("bidirectional"),
        bias: o.flag("bias"),
        time_first: o.flag("time_first"),
        ..RecurrentOptions::default()
    }
}

/// The state of a case, if it has one.
fn state<T: Float>(states: &[Tensor<T>]) -> Option<LstmState<T>> {
    (!states.is_empty()).then(|| LstmState { hidden: states[0].clone(), cell: states[1].clone() })
}

/// Both outputs of a layer whose state is one tensor.
fn both((y, last): (Tensor<f64>, Tensor<f64>)) -> Vec<Tensor<f64>> {
    vec![y, last]
}

/// Calls a layer, whose inputs are the sequence, the states if the case has them, and the parameters.
fn layer<M: Module<f64>>(
    model: M,
    x: &[Tensor<f64>],
    o: &Options,
    call: impl Fn(&M, &Tensor<f64>, &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>>,
) -> Result<Outcome> {
    let mut parameters = 0;
    model.parameters(&mut |_, _| parameters += 1);
    assert_eq!(o.flag("state"), x.len() > 1 + parameters);
    let states = x.len() - 1 - parameters;
    parts(model, x, states, call)
}

/// The same with so many states.
fn parts<M: Module<f64>>(
    mut model: M,
    x: &[Tensor<f64>],
    states: usize,
    call: impl Fn(&M, &Tensor<f64>, &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>>,
) -> Result<Outcome> {
    let (given, parameters) = x.split_at(1 + states);
    let places = load(&mut model, parameters);
    let outputs = call(&model, &given[0], &given[1..])?;
    Ok(Outcome { outputs, variables: [given, &places].concat() })
}
