//! Workloads that are measured against other frameworks, under their common names; see `--help`.
//!
//! Each is written as a user of the public API would write it. A figure is seconds per iteration: after a warm-up,
//! the median, smallest and largest of several repetitions, each an inner loop of a fixed least duration.

use autodiff::{PoolOptions, Result, Rng, Tensor};
use clap::Parser;
use nn::{Affine, Conv2d, Dropout, Layer, Module, Relu, Sequential};
use optim::{Adam, Momentum, Optimizer};
use std::time::Instant;

/// Runs workloads and prints what each iteration takes.
#[derive(Parser)]
struct Options {
    /// Threads to compute on.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// Workloads whose name contains one of these, separated by commas.
    #[arg(long, default_value = "")]
    only: String,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Repetitions.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..))]
    reps: u64,
    /// Least seconds of one repetition.
    #[arg(long, default_value_t = 0.12)]
    rep_time: f64,
    /// Seconds of warm-up.
    #[arg(long, default_value_t = 0.4)]
    warm_time: f64,
    /// Given by cargo; without effect.
    #[arg(long, hide = true)]
    bench: bool,
}

type Step = Box<dyn FnMut() -> Result<()>>;

type Build = fn() -> Step;

/// A name and what builds the step that is timed.
const WORKLOADS: &[(&str, Build)] = &[
    ("op_overhead_fwdbwd", op_overhead_fwdbwd),
    ("op_overhead_fwd", op_overhead_fwd),
    ("mlp_mnist_sgd", || mlp(&[784, 256, 128, 10], 128, sgd())),
    ("mlp_mnist_adam", || mlp(&[784, 256, 128, 10], 128, adam())),
    ("mlp_tiny_sgd", || mlp(&[64, 32, 10], 32, sgd())),
    ("mlp_tiny_adam", || mlp(&[64, 32, 10], 32, adam())),
    ("lenet_mnist_adam", lenet),
];

/// `y = y * a + b` a thousand times on one element, and its gradient.
fn op_overhead_fwdbwd() -> Step {
    let a = Tensor::full(0.999f32, [1]).variable();
    let b = Tensor::full(0.001f32, [1]).variable();
    Box::new(move || {
        let mut y = Tensor::ones([1]);
        for _ in 0..1000 {
            y = y * &a + &b;
        }
        y.backward()?;
        a.take_grad();
        b.take_grad();
        Ok(())
    })
}

/// The same without recording.
fn op_overhead_fwd() -> Step {
    let (a, b) = (Tensor::full(0.999f32, [1]), Tensor::full(0.001f32, [1]));
    Box::new(move || {
        let mut y = Tensor::ones([1]);
        for _ in 0..1000 {
            y = y * &a + &b;
        }
        Ok(())
    })
}

fn sgd() -> Box<dyn Optimizer> {
    Box::new(Momentum::new(0.01).momentum(0.9))
}

fn adam() -> Box<dyn Optimizer> {
    Box::new(Adam::new(1e-3))
}

/// One training step on the same batch of random images and labels.
fn train(
    mut model: impl Layer + 'static,
    images: Tensor,
    classes: usize,
    mut optimizer: Box<dyn Optimizer>,
) -> Step {
    let mut rng = Rng::seed(1);
    let labels: Vec<usize> = (0..images.shape().dim(0)).map(|_| rng.below(classes)).collect();
    Box::new(move || {
        let loss = model.forward(&images)?.cross_entropy(&labels)?;
        loss.backward()?;
        optimizer.step(&mut model)?;
        Ok(())
    })
}

/// Affine layers of the given widths with `ReLU` between.
fn mlp(widths: &[usize], batch: usize, optimizer: Box<dyn Optimizer>) -> Step {
    let mut rng = Rng::seed(0);
    let mut model = Sequential::new();
    for (i, pair) in widths.windows(2).enumerate() {
        model = model.push(Affine::new(pair[0], pair[1], &mut rng));
        if i + 2 < widths.len() {
            model = model.push(Relu);
        }
    }
    let images = rng.normal([batch, widths[0]], 0.0, 1.0);
    train(model, images, widths[widths.len() - 1], optimizer)
}

#[derive(Module)]
struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    hidden: Affine,
    dropout: Dropout,
    output: Affine,
}

impl Layer for LeNet {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let x = self.conv1.forward(images)?.relu().max_pool2d(PoolOptions::square(2))?;
        let x = self.conv2.forward(&x)?.relu().max_pool2d(PoolOptions::square(2))?;
        let x = self.hidden.forward(&x.flatten(1)?)?.relu();
        self.output.forward(&self.dropout.forward(&x)?)
    }
}

fn lenet() -> Step {
    let mut rng = Rng::seed(0);
    let model = LeNet {
        conv1: Conv2d::new(1, 32, 3, &mut rng).padding(1),
        conv2: Conv2d::new(32, 64, 3, &mut rng).padding(1),
        hidden: Affine::new(64 * 7 * 7, 128, &mut rng),
        dropout: Dropout::new(0.5, &mut rng),
        output: Affine::new(128, 10, &mut rng),
    };
    let images = rng.normal([64, 1, 28, 28], 0.0, 1.0);
    train(model, images, 10, adam())
}

/// Seconds per iteration, one figure a repetition.
fn measure(step: &mut Step, options: &Options) -> Result<Vec<f64>> {
    let started = Instant::now();
    let mut count = 0;
    while count < 3 || started.elapsed().as_secs_f64() < options.warm_time {
        step()?;
        count += 1;
    }
    let estimate = started.elapsed().as_secs_f64() / f64::from(count);
    let inner = (options.rep_time / estimate).round().max(1.0) as usize;
    let mut times = Vec::new();
    for _ in 0..options.reps {
        let started = Instant::now();
        for _ in 0..inner {
            step()?;
        }
        times.push(started.elapsed().as_secs_f64() / inner as f64);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn main() {
    let options = Options::parse();
    let parts: Vec<&str> = options.only.split(',').filter(|part| !part.is_empty()).collect();
    autodiff::with_threads(options.threads as usize, || {
        for (name, build) in WORKLOADS {
            if !parts.is_empty() && !parts.iter().any(|part| name.contains(part)) {
                continue;
            }
            let times = match measure(&mut build(), &options) {
                Ok(times) => times,
                Err(error) => panic!("{name}: {error}"),
            };
            let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
            if options.json {
                let row = serde_json::json!({
                    "system": concat!("autodiff-", env!("CARGO_PKG_VERSION")), "workload": name,
                    "threads": options.threads, "median_s": median, "min_s": min, "max_s": max, "reps": times.len(),
                });
                println!("{row}");
            } else {
                println!("{name:24} {:>10.3} µs  ({:.3} to {:.3})", median * 1e6, min * 1e6, max * 1e6);
            }
        }
    });
}
