//! Five optimisers: their ways down a valley, and their loss curves on MNIST.
//!
//! `cargo run --release --example optimizers` lets SGD, Momentum, `AdaGrad`, `RMSProp` and Adam descend on `x²/20 + y²`, which
//! is twenty times as steep across as along, and then trains a network of five layers on MNIST with each.

use autodiff::{Parameter, Result, Rng, Tensor};
use datasets::{Loader, Split, mnist};
use examples::chapter::{self, Claims, Options, table};
use examples::classifier::{accuracy, batches};
use nn::{Affine, Flatten, Layer, Relu, Sequential};
use optim::{AdaGrad, Adam, Momentum, Optimizer, RmsProp, Sgd};
use std::process::ExitCode;
use train::figure::lines::smoothed;
use train::figure::{Figure, Lines, Plane};

// ANCHOR: contestants
/// An optimiser with its learning rate in the valley and on MNIST.
struct Contestant {
    name: &'static str,
    rates: [f64; 2],
    new: fn(f64) -> Box<dyn Optimizer>,
}

const CONTESTANTS: [Contestant; 5] = [
    Contestant { name: "SGD", rates: [0.95, 0.01], new: |rate| Box::new(Sgd::new(rate)) },
    Contestant { name: "Momentum", rates: [0.1, 0.01], new: |rate| Box::new(Momentum::new(rate)) },
    Contestant { name: "AdaGrad", rates: [1.5, 0.01], new: |rate| Box::new(AdaGrad::new(rate)) },
    Contestant { name: "RMSProp", rates: [0.3, 0.001], new: |rate| Box::new(RmsProp::new(rate).decay(0.9)) },
    Contestant { name: "Adam", rates: [0.3, 0.001], new: |rate| Box::new(Adam::new(rate)) },
];
// ANCHOR_END: contestants

fn main() -> ExitCode {
    chapter::run(run)
}

fn run(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    valley_paths(claims)?;
    training_curves(options, &mnist::shipped()?, claims)?;
    Ok(())
}

/// `x²/20 + y²` of points `[.., 2]`.
fn valley(points: &Tensor) -> Result<Tensor> {
    (points.square() * Tensor::from_vec([0.05, 1.0], [2])?).sum_axes(-1)
}

/// The way of each optimiser from (-7, 2), on the contours.
fn valley_paths(claims: &mut Claims) -> chapter::Result<()> {
    const STEPS: usize = 30;
    let levels = [0.2, 1.0, 3.0, 7.0, 12.0, 18.0];
    let mut figure = Figure::new("30 steps on x²/20 + y², from (-7, 2)").columns(3);
    let mut curves = Lines::new("", "step", "x²/20 + y²").log_y();
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    for Contestant { name, rates: [rate, _], new } in &CONTESTANTS {
        let mut optimizer = new(*rate);
        let mut point = Parameter::new(Tensor::from_vec([-7.0, 2.0], [2])?);
        let (mut path, mut heights) = (Vec::new(), Vec::new());
        for step in 0..=STEPS {
            let values = point.to_vec();
            path.push((f64::from(values[0]), f64::from(values[1])));
            let height = valley(&point)?;
            heights.push((step as f64, f64::from(height.item())));
            if step < STEPS {
                height.backward()?;
                optimizer.step(&mut point)?;
            }
        }
        let length: f64 =
            path.windows(2).map(|ends| (ends[1].0 - ends[0].0).hypot(ends[1].1 - ends[0].1)).sum();
        let ((x, y), (_, height)) = (path[STEPS], heights[STEPS]);
        rows.push([
            (*name).into(),
            rate.to_string(),
            format!("({x:.3}, {y:.3})"),
            format!("{height:.1e}"),
            format!("{length:.1}"),
        ]);
        ends.push((*name, height, length));
        let plane = Plane::new("", (-10.0, 10.0), (-5.0, 5.0));
        figure = figure
            .panel(plane.contours(&levels, valley)?.path(format!("{name}, learning rate {rate}"), path));
        curves = curves.line(*name, heights);
    }
    println!("{STEPS} steps on x²/20 + y², from (-7, 2), where it is 6.45\n");
    table(["optimiser", "rate", "ends at", "height", "length of the way"], rows);
    println!();
    let (_, _, zigzag) = ends[0];
    let longest = ends[1..].iter().map(|&(.., length)| length).fold(0.0, f64::max);
    claims.hold(
        format!("SGD zigzags: its way is {zigzag:.1} long, the longest of the others {longest:.1}"),
        zigzag > 1.5 * longest,
    );
    for (name, height, _) in ends {
        claims.hold(format!("{name} comes down from 6.45 to {height:.1e}"), height < 0.3);
    }
    figure.panel(curves).save("optimizers_valley")?;
    Ok(())
}

/// Loss and accuracy of a network of five layers, trained with each.
fn training_curves(options: &Options, data: &Split, claims: &mut Claims) -> chapter::Result<()> {
    let steps = if options.quick { 200 } else { 2_000 };
    let mut curves = Lines::new("", "step", "cross-entropy, mean of 50 batches").log_y();
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    for Contestant { name, rates: [_, rate], new } in &CONTESTANTS {
        let mut model = network(&mut Rng::seed(options.seed));
        let mut optimizer = new(*rate);
        let mut losses = Vec::new();
        let loader = Loader::new(&data.train, 128).shuffle(options.seed);
        for batch in batches(loader).take(steps) {
            let loss = model.forward(&batch.images)?.cross_entropy(&batch.labels)?;
            loss.backward()?;
            optimizer.step(&mut model)?.require_all()?;
            losses.push(f64::from(loss.item()));
        }
        let last = losses[steps - 100..].iter().sum::<f64>() / 100.0;
        let test = 100.0 * accuracy(&model, &data.test)?;
        rows.push([(*name).into(), rate.to_string(), format!("{last:.4}"), format!("{test:.2} %")]);
        ends.push((*name, last, test));
        curves = curves.line(*name, smoothed(&losses, 50));
    }
    println!("\nMNIST, 784-100-100-100-100-10 with ReLU: {steps} steps, same weights and batches for all\n");
    table(["optimiser", "rate", "loss of the last 100", "test accuracy"], rows);
    println!();
    let (_, sgd, _) = ends[0];
    for &(name, loss, test) in &ends[1..] {
        claims.hold(format!("{name} ends lower than SGD: {loss:.4} < {sgd:.4}"), loss < sgd);
        let needed = if options.quick { 88.0 } else { 96.0 };
        claims.hold(format!("{name} has a test accuracy of {test:.2} %, {needed} % or more"), test >= needed);
    }
    Figure::new("Five optimisers on MNIST, batches of 128").panel(curves).save("optimizers_mnist")?;
    Ok(())
}

fn network(rng: &mut Rng) -> Sequential {
    let mut model = Sequential::new().push(Flatten).push(Affine::new(784, 100, rng)).push(Relu);
    for _ in 0..3 {
        model = model.push(Affine::new(100, 100, rng)).push(Relu);
    }
    model.push(Affine::new(100, 10, rng))
}
