//! Beyond the text: three spirals, and a small network that learns to tell them apart.
//!
//! Points of three classes wind around each other. A line for each class, which is all that one layer can draw, gets about
//! half of them right; two hidden layers of 32 units bend the plane until lines are enough.
//!
//! `cargo run --release --example spiral` trains both on 300 points, tests them on 3,000 others, and draws who answers what
//! where, as the training goes on.

use autodiff::{Result, Rng, Tensor, no_grad};
use examples::chapter::{self, Claims, Options, table};
use nn::{Affine, Init, Layer, Sequential, Tanh};
use optim::{Adam, Optimizer};
use std::f64::consts::TAU;
use std::process::ExitCode;
use train::figure::lines::indexed;
use train::figure::{Figure, Lines, Plane};

const CLASSES: usize = 3;

fn main() -> ExitCode {
    chapter::run(chapter)
}

fn chapter(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    let mut rng = Rng::seed(options.seed);
    let (train, test) = (Points::draw(100, &mut rng), Points::draw(1_000, &mut rng));
    let steps = if options.quick { 400 } else { 2_000 };
    let moments = [0, steps / 20, steps / 5, steps];

    let mut line = Sequential::new().push(Affine::new(2, CLASSES, &mut rng));
    let line_losses = learn(&mut line, &mut Adam::new(0.01), &train, steps)?;

    let mut net = network(&mut rng);
    let mut optimizer = Adam::new(0.01);
    let mut losses = Vec::new();
    let mut figure = Figure::new("Three spirals: the ground is what a network answers").columns(3);
    let mut rows = Vec::new();
    for pair in std::iter::once([0, 0]).chain(moments.windows(2).map(|pair| [pair[0], pair[1]])) {
        losses.extend(learn(&mut net, &mut optimizer, &train, pair[1] - pair[0])?);
        rows.push(row(&format!("two hidden layers, after {} steps", pair[1]), &net, &train, &test)?);
        figure = figure.panel(regions(&format!("two hidden layers, {} steps", pair[1]), &net, &train)?);
    }
    rows.push(row(&format!("one layer, after {steps} steps"), &line, &train, &test)?);
    figure = figure.panel(regions(&format!("one layer, {steps} steps"), &line, &train)?);
    table(["network", "300 points learned", "3,000 others"], rows);
    println!();

    let learned = 100.0 * accuracy(&net, &test)?;
    claims.hold(
        format!("two hidden layers tell {learned:.1} % of new points right, at least 97 %"),
        learned >= 97.0,
    );
    let lines = 100.0 * accuracy(&line, &test)?;
    claims.hold(format!("one layer tells {lines:.1} %, at most 65 %"), lines <= 65.0);
    let curves = Lines::new("learning", "step", "cross-entropy")
        .log_y()
        .line("two hidden layers", indexed(&losses))
        .line("one layer", indexed(&line_losses));
    figure.panel(curves).save("spiral")?;
    Ok(())
}

/// Points with their classes.
struct Points {
    places: Tensor,
    classes: Vec<usize>,
}

impl Points {
    /// As many points of each class: at radius `r`, evenly drawn from 0 to 1, around the angle `4 r` and a third of a turn
    /// for each class before, with a deviation of 0.2.
    fn draw(each: usize, rng: &mut Rng) -> Self {
        let classes: Vec<usize> = (0..each * CLASSES).map(|i| i % CLASSES).collect();
        let noise: Vec<f32> = rng.normal([classes.len()], 0.0, 0.2).to_vec();
        let mut places = Vec::new();
        for (&class, noise) in classes.iter().zip(noise) {
            let radius = rng.unit();
            let angle = 4.0 * radius + TAU * class as f64 / CLASSES as f64 + f64::from(noise);
            places.extend([(radius * angle.sin()) as f32, (radius * angle.cos()) as f32]);
        }
        let places = Tensor::from_vec(places, [classes.len(), 2]).expect("two numbers a point");
        Self { places, classes }
    }

    /// The points of one class, for drawing.
    fn of(&self, class: usize) -> Vec<(f64, f64)> {
        let all = self.places.to_vec();
        let point = |i: usize| (f64::from(all[2 * i]), f64::from(all[2 * i + 1]));
        (0..self.classes.len()).filter(|&i| self.classes[i] == class).map(point).collect()
    }
}

// ANCHOR: learn
fn network(rng: &mut Rng) -> Sequential {
    let mut layer = |inputs, outputs| {
        let layer = Affine::new(inputs, outputs, rng);
        layer.with_init(Init::XavierNormal, rng)
    };
    let (first, second, last) = (layer(2, 32), layer(32, 32), layer(32, CLASSES));
    Sequential::new().push(first).push(Tanh).push(second).push(Tanh).push(last)
}

/// Trains a network on all points at once; returns the loss of each step.
fn learn(net: &mut Sequential, optimizer: &mut Adam, points: &Points, steps: usize) -> Result<Vec<f64>> {
    let mut losses = Vec::new();
    for _ in 0..steps {
        let loss = net.forward(&points.places)?.cross_entropy(&points.classes)?;
        loss.backward()?;
        optimizer.step(net)?.require_all()?;
        losses.push(f64::from(loss.item()));
    }
    Ok(losses)
}
// ANCHOR_END: learn

fn accuracy(net: &Sequential, points: &Points) -> Result<f64> {
    no_grad(|| nn::metrics::accuracy(&net.forward(&points.places)?, &points.classes))
}

fn row(name: &str, net: &Sequential, train: &Points, test: &Points) -> Result<[String; 3]> {
    let share = |points| Ok::<_, autodiff::Error>(format!("{:.1} %", 100.0 * accuracy(net, points)?));
    Ok([name.to_owned(), share(train)?, share(test)?])
}

/// What the network answers where, with the points that it learned.
fn regions(title: &str, net: &Sequential, points: &Points) -> Result<Plane> {
    let plane = Plane::new(title, (-1.1, 1.1), (-1.1, 1.1))
        .regions(|places| no_grad(|| Ok(net.forward(places)?.arg_max(-1)?.to_vec())))?;
    let names = ["class 1", "class 2", "class 3"];
    Ok((0..CLASSES).fold(plane, |plane, class| plane.points(names[class], class, points.of(class))))
}
