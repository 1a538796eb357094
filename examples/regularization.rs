//! Chapter 10: what to do about overfitting.
//!
//! A network of seven layers learns 300 images of MNIST by heart: it has 130,000 numbers to set. All of them are right, and
//! far fewer of the 10,000 test images are; and while the loss of the training images goes to zero, that of the test
//! images turns and rises, as the network grows ever more certain of its mistakes.
//!
//! - **Weight decay** adds `λ/2 |w|²` to the loss. Certainty takes large weights, which now have a price: the loss of the
//!   test images stays down.
//! - **Dropout** switches off each unit with probability `p` in each step of training, so that none can rely on another
//!   (Srivastava et al., 2014). More of the test images are right; but it does not keep the network from being certain.
//! - **Both** do both.
//!
//! Much more than this much of either, and the network does not learn even the 300.
//!
//! `cargo run --release --example regularization` trains the four networks, and draws their curves.

use autodiff::Rng;
use datasets::{Dataset, Loader, Split, mnist};
use examples::chapter::{self, Claims, Options, Result, table};
use examples::classifier::judge;
use nn::{Affine, Dropout, Flatten, Layer, Relu, Sequential};
use optim::{Optimizer, Sgd};
use std::process::ExitCode;
use train::figure::{Figure, Lines};

/// A remedy: its name, the weight decay `λ`, and the probability `p` of dropout.
const REMEDIES: [(&str, f64, f64); 4] =
    [("none", 0.0, 0.0), ("weight decay", 0.02, 0.0), ("dropout", 0.0, 0.1), ("both", 0.02, 0.1)];

/// How a network does on training and test images.
#[derive(Clone, Copy)]
struct Marks {
    epoch: u64,
    accuracy: [f64; 2],
    loss: [f64; 2],
}

fn main() -> ExitCode {
    chapter::run(chapter)
}

fn chapter(options: &Options, claims: &mut Claims) -> Result<()> {
    let Split { train: images, test } = mnist::shipped()?;
    let sets = [images.take(300), test];
    let epochs = if options.quick { 100 } else { 300 };
    let mut curves = Vec::new();
    for (_, decay, p) in REMEDIES {
        let mut net = network(p, &mut Rng::seed(options.seed));
        curves.push(train(&mut net, &sets, decay, epochs, options.seed)?);
    }
    draw(&curves)?;

    let last = |curve: &Vec<Marks>| *curve.last().expect("there are epochs");
    println!("After {epochs} epochs, accuracy and cross-entropy of 300 training and 10,000 test images:\n");
    let rows = REMEDIES.iter().zip(&curves).map(|((name, ..), curve)| {
        let Marks { accuracy, loss, .. } = last(curve);
        let [train, test] = accuracy.map(|share| format!("{:.1} %", 100.0 * share));
        let [train_loss, test_loss] = loss.map(|loss| format!("{loss:.3}"));
        [(*name).into(), train, test, train_loss, test_loss]
    });
    table(["remedy", "training", "test", "training loss", "test loss"], rows);

    let [none, decay, dropout, both] = [0, 1, 2, 3].map(|i| last(&curves[i]));
    let [train, test] = none.accuracy.map(|share| 100.0 * share);
    claims.hold(
        format!("none: all training images are right, and at most 85 % of the test images ({train:.1} %, {test:.1} %)"),
        train == 100.0 && test <= 85.0,
    );
    let lowest = curves[0].iter().map(|marks| marks.loss[1]).fold(f64::INFINITY, f64::min);
    let rise = none.loss[1] / lowest;
    claims.hold(
        format!("none: the test loss is above its lowest by a twentieth or more ({rise:.2})"),
        rise >= 1.05,
    );
    for (name, marks) in [("weight decay", decay), ("both", both)] {
        let ratio = marks.loss[1] / none.loss[1];
        claims.hold(format!("{name}: the test loss is lower by a tenth or more ({ratio:.2})"), ratio <= 0.9);
    }
    // With dropout learning takes longer, so that the short run ends too early for these.
    for (name, marks) in [("dropout", dropout), ("both", both)].into_iter().filter(|_| !options.quick) {
        let more = 100.0 * (marks.accuracy[1] - none.accuracy[1]);
        claims.hold(format!("{name}: more of the test images are right ({more:+.2} %)"), more > 0.0);
    }
    Ok(())
}

/// Draws a column for each remedy: accuracy above, loss below.
fn draw(curves: &[Vec<Marks>]) -> Result<()> {
    let panel = |title: &str, name: &str, top: f64, curve: &[Marks], mark: fn(&Marks) -> [f64; 2]| {
        let line =
            |i: usize| curve.iter().map(|marks| (marks.epoch as f64, mark(marks)[i])).collect::<Vec<_>>();
        let panel = Lines::new(title, "epoch", name).y_range(0.0, top);
        panel.line("300 training images", line(0)).line("10,000 test images", line(1))
    };
    let named = || REMEDIES.iter().map(|(name, ..)| *name).zip(curves);
    let mut figure = Figure::new("Seven layers learn 300 images").columns(REMEDIES.len());
    for (name, curve) in named() {
        figure = figure.panel(panel(name, "accuracy", 1.0, curve, |marks| marks.accuracy));
    }
    for (_, curve) in named() {
        figure = figure.panel(panel("", "cross-entropy", 1.5, curve, |marks| marks.loss));
    }
    figure.save("regularization")?;
    Ok(())
}

// ANCHOR: network
/// `784 → 100 → 100 → 100 → 100 → 100 → 100 → 10`, with relu and dropout.
fn network(p: f64, rng: &mut Rng) -> Sequential {
    let mut net = Sequential::new().push(Flatten);
    for inputs in [784, 100, 100, 100, 100, 100] {
        net = net.push(Affine::new(inputs, 100, rng)).push(Relu).push(Dropout::new(p, rng));
    }
    net.push(Affine::new(100, 10, rng))
}
// ANCHOR_END: network

/// The marks before training and after every tenth epoch.
fn train(
    net: &mut Sequential,
    sets: &[Dataset; 2],
    decay: f64,
    epochs: u64,
    seed: u64,
) -> autodiff::Result<Vec<Marks>> {
    let loader = Loader::new(&sets[0], 100).shuffle(seed);
    let mut optimizer = Sgd::new(0.03).weight_decay(decay);
    let mut curve = Vec::new();
    for epoch in 0..=epochs {
        if epoch % 10 == 0 {
            let [(train, train_loss), (test, test_loss)] = [judge(net, &sets[0])?, judge(net, &sets[1])?];
            curve.push(Marks { epoch, accuracy: [train, test], loss: [train_loss, test_loss] });
        }
        for batch in loader.epoch(epoch) {
            net.forward(&batch.images)?.cross_entropy(&batch.labels)?.backward()?;
            optimizer.step(net)?.require_all()?;
        }
    }
    Ok(curve)
}
