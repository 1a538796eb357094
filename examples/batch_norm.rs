//! Chapter 9: batch normalisation makes learning depend less on the initial weights.
//!
//! A network of five layers of 100 units with relu is to learn 1,000 images of MNIST, from weights with a deviation between
//! 1 and 0.0001. As it is, it learns from very few of these scales: from larger ones it diverges, and from smaller ones no
//! gradient comes through (chapter 8). If each layer's sums are brought to mean 0 and variance 1 over the batch before they
//! are rectified (Ioffe and Szegedy, 2015), it learns from nearly any: ten times the weights give the same output, and a
//! tenth of the gradient.
//!
//! There are limits on both sides. Large weights are hardly turned by steps of the same size. Where they are so small that
//! the variance of the sums is below the `ε = 1e-5` that is added to it, nothing is normalised any more.
//!
//! `cargo run --release --example batch_norm` prints how many images each network gets right, and draws the curves.

use autodiff::Rng;
use datasets::{Dataset, Loader, mnist};
use examples::chapter::{self, Claims, Options, Result, table};
use examples::classifier::accuracy;
use nn::{Affine, BatchNorm, Flatten, Init, Layer, Relu, Sequential};
use optim::{Optimizer, Sgd};
use std::process::ExitCode;
use train::figure::lines::indexed;
use train::figure::{Figure, Lines};

const EPOCHS: u64 = 20;
const NETWORKS: [&str; 2] = ["plain", "batch normalisation"];

/// Who gets this share of the images right has learned something: a guess is a tenth.
const LEARNED: f64 = 0.3;

fn main() -> ExitCode {
    chapter::run(chapter)
}

fn chapter(options: &Options, claims: &mut Claims) -> Result<()> {
    let data = mnist::shipped()?.train.take(1_000);
    // From 1 to 0.0001; their logarithms are evenly spaced.
    let scales = (0..16).step_by(if options.quick { 5 } else { 1 });
    let scales: Vec<f64> = scales.map(|i| 10f64.powf(f64::from(i) * -4.0 / 15.0)).collect();

    let title = "Share of 1,000 training images that are right, by the deviation of the initial weights";
    let mut figure = Figure::new(title).columns(4);
    let mut rows = Vec::new();
    let mut learned = [0; 2];
    for &scale in &scales {
        let mut panel = Lines::new(format!("deviation {scale:.1e}"), "epoch", "accuracy").y_range(0.0, 1.0);
        let mut row = [format!("{scale:.1e}"), String::new(), String::new()];
        for (i, name) in NETWORKS.into_iter().enumerate() {
            let mut net = network(scale, i == 1, &mut Rng::seed(options.seed));
            let curve = train(&mut net, &data, options.seed)?;
            let last = curve[curve.len() - 1];
            learned[i] += usize::from(last >= LEARNED);
            row[i + 1] = format!("{:.1} %", 100.0 * last);
            panel = panel.line(name, indexed(&curve));
        }
        figure = figure.panel(panel);
        rows.push(row);
    }
    figure.save("batch_norm")?;
    println!("Training images that are right after {EPOCHS} epochs:\n");
    table(["deviation", NETWORKS[0], NETWORKS[1]], rows);

    let [plain, normalised] = learned;
    let of = scales.len();
    let learns = format!("learns, {:.0} % right, from", 100.0 * LEARNED);
    claims.hold(
        format!("batch normalisation {learns} three in four of the scales ({normalised} of {of})"),
        4 * normalised >= 3 * of,
    );
    claims.hold(
        format!("without, the network {learns} at most one in four ({plain} of {of})"),
        4 * plain <= of,
    );
    Ok(())
}

// ANCHOR: network
/// `784 → 100 → 100 → 100 → 100 → 100 → 10` with relu, and in front of it, if `norm`, batch normalisation. Both draw the
/// same weights.
fn network(deviation: f64, norm: bool, rng: &mut Rng) -> Sequential {
    let init = Init::Normal(deviation);
    let mut net = Sequential::new().push(Flatten);
    for inputs in [784, 100, 100, 100, 100] {
        net = net.push(Affine::new(inputs, 100, rng).with_init(init, rng));
        if norm {
            net = net.push(BatchNorm::new(100));
        }
        net = net.push(Relu);
    }
    net.push(Affine::new(100, 10, rng).with_init(init, rng))
}
// ANCHOR_END: network

/// The accuracy before training and after each epoch.
fn train(net: &mut Sequential, data: &Dataset, seed: u64) -> autodiff::Result<Vec<f64>> {
    let loader = Loader::new(data, 100).shuffle(seed);
    let mut optimizer = Sgd::new(0.01);
    let mut curve = vec![accuracy(net, data)?];
    for epoch in 0..EPOCHS {
        for batch in loader.epoch(epoch) {
            net.forward(&batch.images)?.cross_entropy(&batch.labels)?.backward()?;
            optimizer.step(net)?.require_all()?;
        }
        curve.push(accuracy(net, data)?);
    }
    Ok(curve)
}
