//! Chapter 8: how large the initial weights must be.
//!
//! Five layers of 100 units, their weights drawn from a normal distribution, take a thousand inputs that are normally
//! distributed themselves. How the activations are distributed, layer by layer, says whether such a network can learn.
//! The weights have the deviation
//!
//! - 1: sigmoid and tanh saturate. Many units stand at an end, where they are flat and let no gradient pass; through the
//!   others of tanh so much comes back that it grows thirtyfold. With relu everything grows, sevenfold a layer.
//! - 0.01: values and gradients shrink to nothing, layer by layer. The sigmoids are left at one half each: nothing of
//!   the input arrives at the last layer.
//! - `√(2 / (fan in + fan out))`, Xavier's (Glorot and Bengio, 2010): where the function is about the identity, as tanh
//!   is near 0, activations and gradients keep their size. The text book's `√(1 / fan in)` is the same number here.
//! - `√(2 / fan in)`, He's (He et al., 2015): the same for relu, which lets half of the values pass.
//!
//! Then such networks, with relu, learn MNIST, or do not.
//!
//! `cargo run --release --example weight_init` prints the numbers and draws the histograms and the training curves.

use autodiff::{Rng, Tensor, grad};
use datasets::{Dataset, Loader, mnist};
use examples::chapter::{self, Claims, Options, Result, table};
use examples::classifier::{accuracy, batches};
use nn::{Affine, Flatten, Init, Layer, Relu, Sequential, Sigmoid, Tanh};
use optim::{Optimizer, Sgd};
use std::process::ExitCode;
use train::figure::lines::smoothed;
use train::figure::{Figure, Histogram, Lines};

const DEPTH: usize = 5;
const WIDTH: usize = 100;

const INITS: [(&str, Init); 4] = [
    ("deviation 1", Init::Normal(1.0)),
    ("deviation 0.01", Init::Normal(0.01)),
    ("Xavier", Init::XavierNormal),
    ("He", Init::HeNormal),
];

/// An activation function, its largest derivative, and the range of its histograms.
struct Activation {
    name: &'static str,
    layer: &'static dyn Layer,
    steepest: f32,
    range: (f64, f64),
}

const ACTIVATIONS: [Activation; 3] = [
    Activation { name: "sigmoid", layer: &Sigmoid, steepest: 0.25, range: (0.0, 1.0) },
    Activation { name: "tanh", layer: &Tanh, steepest: 1.0, range: (-1.0, 1.0) },
    Activation { name: "relu", layer: &Relu, steepest: 1.0, range: (0.0, 3.0) },
];

fn main() -> ExitCode {
    chapter::run(|options, claims| {
        activations(options, claims)?;
        training(options, claims)
    })
}

/// What five layers make of a thousand inputs.
struct Passage {
    /// The activations of each layer, `[1000, 100]`.
    activations: Vec<Tensor>,
    /// The deviation of each layer's activations, over inputs and units.
    deviations: Vec<f64>,
    /// The deviation of a unit of the last layer over the inputs, pooled over the units: what it tells them apart by.
    over_inputs: f64,
    /// The share of the last layer's activations where the function is flat: its derivative is below a hundredth of the
    /// largest.
    flat: f64,
    /// The deviation of a gradient at the first layer's activations, if it is 1 at the last layer's.
    gradient: f64,
}

impl Passage {
    // ANCHOR: passage
    fn new(activation: &Activation, init: Init, seed: u64) -> autodiff::Result<Self> {
        let mut rng = Rng::seed(seed);
        let mut x: Tensor = rng.normal([1000, WIDTH], 0.0, 1.0).variable();
        let mut sums = x.clone();
        let mut activations = Vec::new();
        for _ in 0..DEPTH {
            let layer = Affine::new(WIDTH, WIDTH, &mut rng).with_init(init, &mut rng);
            sums = layer.forward(&x)?;
            x = activation.layer.forward(&sums)?;
            activations.push(x.clone());
        }
        let [slopes] = grad(&x.sum(), [&sums])?;
        let flat = slopes.to_vec().iter().filter(|&&slope| slope < 0.01 * activation.steepest).count();
        let direction: Tensor = rng.normal([1000, WIDTH], 0.0, 1.0);
        let [gradient] = grad(&(&x * &direction).sum(), [&activations[0]])?;
        Ok(Self {
            deviations: activations.iter().map(deviation).collect(),
            over_inputs: f64::from(x.var_keep(0, 0)?.mean().item()).sqrt(),
            flat: flat as f64 / slopes.size() as f64,
            gradient: deviation(&gradient),
            activations,
        })
    }
    // ANCHOR_END: passage
}

/// The standard deviation of all elements.
fn deviation(x: &Tensor) -> f64 {
    f64::from((x - x.mean()).square().mean().item()).sqrt()
}

fn activations(options: &Options, claims: &mut Claims) -> Result<()> {
    let mut passages = Vec::new();
    for activation in &ACTIVATIONS {
        let title = format!(
            "{}: share of the activations by value, five layers (bars above 0.2 are cut)",
            activation.name
        );
        let mut figure = Figure::new(title).columns(DEPTH);
        for (name, init) in INITS {
            let passage = Passage::new(activation, init, options.seed)?;
            for (layer, values) in passage.activations.iter().enumerate() {
                let title = format!("{name}, layer {}", layer + 1);
                let histogram = Histogram::new(title, "", &values.to_vec(), activation.range, 30);
                figure = figure.panel(histogram.top(0.2));
            }
            passages.push((activation.name, name, passage));
        }
        figure.save(&format!("weight_init_{}", activation.name))?;
    }

    println!(
        "The deviation of the activations of each layer; of the last layer's units over the inputs; how many of"
    );
    println!(
        "its activations are flat; the deviation of a gradient that has come back to the first layer:\n"
    );
    let header = ["function", "weights", "1", "2", "3", "4", "5", "over inputs", "flat", "gradient"];
    let rows = passages.iter().map(|(function, name, passage)| {
        let layer = |i: usize| format!("{:.1e}", passage.deviations[i]);
        let [over_inputs, gradient] = [passage.over_inputs, passage.gradient].map(|x| format!("{x:.1e}"));
        let flat = format!("{:.0} %", 100.0 * passage.flat);
        let [function, name] = [function, name].map(ToString::to_string);
        [function, name, layer(0), layer(1), layer(2), layer(3), layer(4), over_inputs, flat, gradient]
    });
    table(header, rows);

    let of = |function, name| {
        let found = passages.iter().find(|passage| passage.0 == function && passage.1 == name);
        &found.expect("every function was tried with every deviation").2
    };
    // The last layer's deviation as a multiple of the first's.
    let growth = |passage: &Passage| passage.deviations[DEPTH - 1] / passage.deviations[0];
    let he = of("relu", "He");
    let widest = he.deviations.iter().copied().fold(0.0, f64::max);
    let ratio = widest / he.deviations.iter().copied().fold(f64::INFINITY, f64::min);
    claims.hold(
        format!("He, relu: the deviations of all layers are within a factor of 1.5 ({ratio:.2})"),
        ratio < 1.5,
    );
    let gradient = he.gradient;
    claims.hold(
        format!("He, relu: a gradient comes back within a factor of 1.5 of its size ({gradient:.2})"),
        (1.0 / 1.5..1.5).contains(&gradient),
    );
    let ratio = growth(of("relu", "Xavier"));
    claims.hold(
        format!("Xavier, relu: the deviation falls below a half by the last layer ({ratio:.2})"),
        ratio < 0.5,
    );
    let ratio = growth(of("relu", "deviation 0.01"));
    claims
        .hold(format!("0.01, relu: the deviation falls below a ten-thousandth ({ratio:.1e})"), ratio < 1e-4);
    let ratio = growth(of("relu", "deviation 1"));
    claims.hold(format!("1, relu: the deviation grows more than a thousandfold ({ratio:.0})"), ratio > 1e3);
    let xavier = of("tanh", "Xavier");
    let ratio = growth(xavier);
    claims.hold(format!("Xavier, tanh: the deviation keeps a third or more ({ratio:.2})"), ratio > 1.0 / 3.0);
    let flat = of("tanh", "deviation 1").flat;
    claims.hold(
        format!("1, tanh: two thirds and more of the last layer are flat ({:.0} %)", 100.0 * flat),
        flat > 2.0 / 3.0,
    );
    let over_inputs = of("sigmoid", "deviation 0.01").over_inputs;
    claims.hold(
        format!("0.01, sigmoid: over the inputs the last layer varies by less than 1e-6 ({over_inputs:.1e})"),
        over_inputs < 1e-6,
    );
    Ok(())
}

/// `784 → 100 → 100 → 100 → 100 → 100 → 10` with relu.
fn network(init: Init, rng: &mut Rng) -> Sequential {
    let mut net = Sequential::new().push(Flatten);
    let mut inputs = 784;
    for _ in 0..DEPTH {
        net = net.push(Affine::new(inputs, WIDTH, rng).with_init(init, rng)).push(Relu);
        inputs = WIDTH;
    }
    net.push(Affine::new(WIDTH, 10, rng).with_init(init, rng))
}

/// The loss of each step of training.
fn train(net: &mut Sequential, data: &Dataset, steps: usize, seed: u64) -> Result<Vec<f64>> {
    let mut optimizer = Sgd::new(0.01);
    let mut losses = Vec::with_capacity(steps);
    for batch in batches(Loader::new(data, 128).shuffle(seed)).take(steps) {
        let loss = net.forward(&batch.images)?.cross_entropy(&batch.labels)?;
        loss.backward()?;
        optimizer.step(net)?.require_all()?;
        losses.push(f64::from(loss.item()));
    }
    Ok(losses)
}

fn training(options: &Options, claims: &mut Claims) -> Result<()> {
    let data = mnist::shipped()?;
    let steps = if options.quick { 400 } else { 2_000 };
    println!("\nMNIST, {steps} steps of gradient descent, batch 128, learning rate 0.01:\n");
    let mut panel = Lines::new("", "step", "cross-entropy, mean of 20 steps");
    let mut results = Vec::new();
    for (name, init) in &INITS[1..] {
        let mut net = network(*init, &mut Rng::seed(options.seed));
        let losses = train(&mut net, &data.train, steps, options.seed)?;
        panel = panel.line(*name, smoothed(&losses, 20));
        let loss = losses[steps - 100..].iter().sum::<f64>() / 100.0;
        results.push((*name, loss, 100.0 * accuracy(&net, &data.test)?));
    }
    Figure::new("MNIST, five hidden layers of 100 with relu").panel(panel).save("weight_init_training")?;
    let rows = results
        .iter()
        .map(|(name, loss, accuracy)| [name.to_string(), format!("{loss:.3}"), format!("{accuracy:.2} %")]);
    table(["weights", "loss, last 100 steps", "test accuracy"], rows);

    let [(_, small, _), (_, xavier, _), (_, he, accuracy)] = results[..] else {
        unreachable!("three networks were trained")
    };
    let guess = 10f64.ln();
    claims.hold(
        format!("0.01: the loss stays at that of a guess, ln 10 ({small:.3})"),
        (small - guess).abs() < 0.01,
    );
    claims.hold(
        format!("He learns faster than Xavier, and Xavier than 0.01 ({he:.3} < {xavier:.3} < {small:.3})"),
        he < xavier && xavier < small,
    );
    let enough = if options.quick { 80.0 } else { 92.0 };
    claims.hold(
        format!("He: at least {enough} % of the test images are right ({accuracy:.2} %)"),
        accuracy >= enough,
    );
    Ok(())
}
