//! Numerical gradients: central differences against backpropagation, what each costs, and descent along a gradient.
//!
//! `cargo run --release --example numerical_gradient` compares the two on the network 784-50-10 for each of its 39,760
//! parameters, times both for networks of growing size, and draws the gradient field of a function of two variables with
//! the paths of descent for learning rates that are too large, right and too small.

use autodiff::{Parameter, Result, Rng, Tensor, value_and_grad};
use datasets::{Dataset, mnist};
use examples::chapter::{self, Claims, Options, table};
use optim::{Optimizer, Sgd};
use std::process::ExitCode;
use std::time::Instant;
use train::figure::{Figure, Lines, Plane};

/// Pixels of an image, and classes.
const IMAGE: usize = 784;
const CLASSES: usize = 10;
/// The step of a difference: larger ones cut off more of the series, smaller ones lose more digits.
const STEP: f64 = 1e-5;

fn main() -> ExitCode {
    chapter::run(run)
}

fn run(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    let train = mnist::shipped()?.train;
    compare(options, &train, claims)?;
    cost(options, &train)?;
    descent(claims)?;
    Ok(())
}

/// The network `784 → hidden → 10` with sigmoid, as a function of its parameters, and ten images to try it on.
struct Network {
    images: Tensor<f64>,
    labels: Vec<usize>,
    /// The two weights, each followed by its bias.
    parameters: [Tensor<f64>; 4],
}

const NAMES: [&str; 4] = ["W₁", "b₁", "W₂", "b₂"];

impl Network {
    fn new(hidden: usize, data: &Dataset, rng: &mut Rng) -> chapter::Result<Self> {
        let batch = data.take(10).all()?;
        let pixels: Vec<f64> = batch.images.to_vec().into_iter().map(f64::from).collect();
        let mut layer = |inputs: usize, outputs: usize| {
            [
                rng.normal([inputs, outputs], 0.0, (1.0 / inputs as f64).sqrt()),
                rng.normal([outputs], 0.0, 0.1),
            ]
        };
        let ([w1, b1], [w2, b2]) = (layer(IMAGE, hidden), layer(hidden, CLASSES));
        let images = Tensor::from_vec(pixels, [batch.labels.len(), IMAGE])?;
        Ok(Self { images, labels: batch.labels, parameters: [w1, b1, w2, b2] })
    }

    fn parameter_count(&self) -> usize {
        self.parameters.iter().map(Tensor::size).sum()
    }

    // ANCHOR: gradients
    fn loss(&self, parameters: &[Tensor<f64>]) -> Result<Tensor<f64>> {
        let [w1, b1, w2, b2] = parameters else { unreachable!("there are four") };
        let hidden = (self.images.matmul(w1)? + b1).sigmoid();
        (hidden.matmul(w2)? + b2).cross_entropy(&self.labels)
    }

    /// One forward and one backward pass.
    fn backpropagation(&self) -> Result<Vec<Tensor<f64>>> {
        let parameters: Vec<&Tensor<f64>> = self.parameters.iter().collect();
        Ok(value_and_grad(|parameters| self.loss(parameters), &parameters)?.1)
    }

    /// `(L(w + h) - L(w - h)) / 2h` for one element of one parameter: two forward passes.
    fn central_difference(&self, parameter: usize, element: usize) -> Result<f64> {
        let mut parameters = self.parameters.clone();
        let mut values = self.parameters[parameter].to_vec();
        let middle = values[element];
        let mut loss = |value: f64| -> Result<f64> {
            values[element] = value;
            parameters[parameter] = Tensor::from_vec(&values, self.parameters[parameter].shape())?;
            Ok(self.loss(&parameters)?.item())
        };
        Ok((loss(middle + STEP)? - loss(middle - STEP)?) / (2.0 * STEP))
    }
    // ANCHOR_END: gradients
}

/// The largest difference between the two gradients, parameter by parameter.
fn compare(options: &Options, data: &Dataset, claims: &mut Claims) -> chapter::Result<()> {
    let mut rng = Rng::seed(options.seed);
    let network = Network::new(50, data, &mut rng)?;
    let started = Instant::now();
    let gradients = network.backpropagation()?;
    let sweep = started.elapsed();

    let (mut rows, mut largest, mut count) = (Vec::new(), 0.0f64, 0);
    let started = Instant::now();
    for (parameter, gradient) in gradients.iter().enumerate() {
        let mut elements = rng.permutation(gradient.size());
        elements.truncate(if options.quick { 500 } else { usize::MAX });
        let values = gradient.to_vec();
        let (mut sum, mut most, mut size) = (0.0, 0.0f64, 0.0f64);
        for &element in &elements {
            let off = (network.central_difference(parameter, element)? - values[element]).abs();
            (sum, most, size) = (sum + off, most.max(off), size.max(values[element].abs()));
        }
        rows.push([
            NAMES[parameter].into(),
            gradient.shape().to_string(),
            elements.len().to_string(),
            format!("{size:.1e}"),
            format!("{:.1e}", sum / elements.len() as f64),
            format!("{most:.1e}"),
        ]);
        (largest, count) = (largest.max(most), count + elements.len());
    }
    println!("Central differences and backpropagation on 784-50-10, ten images, double precision\n");
    table(["", "shape", "compared", "largest gradient", "mean difference", "largest difference"], rows);
    eprintln!("one sweep took {sweep:.1?}, the differences of {count} elements {:.1?}", started.elapsed());
    println!();
    claims.hold(
        format!("in {count} of {} elements they differ by {largest:.1e} at most", network.parameter_count()),
        largest <= 1e-7,
    );
    Ok(())
}

/// Times one evaluation of the loss and one sweep, forward and backward, as the network grows.
fn cost(options: &Options, data: &Dataset) -> chapter::Result<()> {
    let sizes: &[usize] = if options.quick { &[1, 10, 50] } else { &[1, 2, 5, 10, 20, 50, 100, 200, 500] };
    let (mut rows, mut lines) = (Vec::new(), [(); 3].map(|()| Vec::new()));
    for &hidden in sizes {
        let network = Network::new(hidden, data, &mut Rng::seed(options.seed))?;
        let n = network.parameter_count() as f64;
        let evaluation = fastest(|| network.loss(&network.parameters).map(drop))?;
        let sweep = fastest(|| network.backpropagation().map(drop))?;
        let points = [2.0 * n * evaluation, (n + 1.0) * evaluation, sweep];
        rows.push([
            format!("784-{hidden}-10"),
            n.to_string(),
            format!("{:.3} ms", 1e3 * evaluation),
            format!("{:.3} ms", 1e3 * sweep),
            format!("{:.1}", sweep / evaluation),
            format!("{:.1} s", points[0]),
        ]);
        for (line, seconds) in lines.iter_mut().zip(points) {
            line.push((n, seconds));
        }
    }
    println!("\nWhat a gradient costs: 2n evaluations of the loss, or one sweep (fastest of 20 runs)\n");
    table(["network", "n", "evaluation", "sweep", "sweep / evaluation", "2n evaluations"], rows);
    println!();
    let [central, forward, sweep] = lines;
    let panel = Lines::new("", "parameters n", "seconds")
        .log_x()
        .log_y()
        .line("central differences, 2n evaluations", central)
        .line("one-sided differences, n + 1", forward)
        .line("backpropagation, one sweep", sweep);
    Figure::new("The cost of a gradient as the network grows")
        .panel(panel)
        .save("numerical_gradient_cost")?;
    Ok(())
}

/// The seconds of the fastest of 20 runs: the one that nothing came between.
fn fastest(mut body: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let started = Instant::now();
        body()?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// `x²/4 + y²` of points `[.., 2]`: a valley four times as steep across as along.
fn valley(points: &Tensor) -> Result<Tensor> {
    (points.square() * Tensor::from_vec([0.25, 1.0], [2])?).sum_axes(-1)
}

/// Descent with three learning rates, on the gradient field.
fn descent(claims: &mut Claims) -> chapter::Result<()> {
    const STEPS: usize = 20;
    let start = [-4.0, 1.5];
    let mut rows = Vec::new();
    let mut heights = Vec::new();
    let empty = |title: &str| -> Result<Plane> {
        let levels: Vec<f64> = (1..=8).map(|i| f64::from(i * i) / 8.0).collect();
        Plane::new(title, (-5.0, 5.0), (-4.0, 4.0)).contours(&levels, valley)
    };
    let mut paths = empty("Descent, 20 steps")?;
    for (name, rate) in [("too large", 1.03), ("right", 0.4), ("too small", 0.01)] {
        let mut point = Parameter::new(Tensor::from_vec(start, [2])?);
        let mut optimizer = Sgd::new(rate);
        let mut path = Vec::new();
        for step in 0..=STEPS {
            let values = point.to_vec();
            path.push((f64::from(values[0]), f64::from(values[1])));
            if step < STEPS {
                valley(&point)?.backward()?;
                optimizer.step(&mut point)?;
            }
        }
        let (x, y) = path[STEPS];
        let height = valley(&point)?.item();
        rows.push([name.into(), rate.to_string(), format!("({x:.3}, {y:.3})"), format!("{height:.2e}")]);
        heights.push(height);
        paths = paths.path(format!("{name}: {rate}"), path);
    }
    let first = valley(&Tensor::from_vec(start, [2])?)?.item();
    println!("Descent on x²/4 + y², from (-4, 1.5) where it is {first}, {STEPS} steps\n");
    table(["learning rate", "", "ends at", "height"], rows);
    println!();
    claims.hold(format!("too large a rate climbs: from {first} to {:.2}", heights[0]), heights[0] > first);
    claims.hold(format!("the right rate arrives: {:.1e}", heights[1]), heights[1] < 1e-2);
    claims.hold(
        format!("too small a rate is less than half way down: {:.2}", heights[2]),
        heights[2] > first / 2.0 && heights[2] < first,
    );

    let field = empty("Downhill: minus the gradient")?.field(16, |points| {
        let (_, gradients) = value_and_grad(|points| Ok(valley(&points[0])?.sum()), &[points])?;
        Ok(-&gradients[0])
    })?;
    Figure::new("x²/4 + y²").columns(2).panel(field).panel(paths).save("numerical_gradient")?;
    Ok(())
}
