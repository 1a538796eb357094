//! A network learns the handwritten digits of MNIST, offline.
//!
//! `cargo run --release --example mnist` trains a convolutional network on the 60,000 images, tests it on the other
//! 10,000, and leaves its loss curve and its most confident mistakes under `target/figures/`, and a report of the run as
//! `target/reports/mnist.html`. With `-- --resume` it saves
//! itself on its way, and goes on where it was interrupted.

use autodiff::{Result, Rng, Tensor};
use clap::{Parser, ValueEnum};
use datasets::{Dataset, Loader};
use examples::chapter::{self, count};
use examples::classifier::{self, Saving};
use examples::cnn::Cnn;
use nn::save::Checkpoints;
use nn::{Affine, Layer, Module};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use train::figure::lines::{indexed, smoothed};
use train::figure::{Confusion, Figure, Lines};
use train::report::Report;

/// Trains a network on MNIST and tests it.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Passes over the training images [default: 3 for the cnn, 8 for the mlp].
    #[arg(long, value_parser = count)]
    epochs: Option<u64>,
    /// Images in a batch.
    #[arg(long, default_value_t = 64, value_parser = count)]
    batch: u64,
    /// Learning rate at the start; it falls to zero along a cosine.
    #[arg(long, default_value_t = 0.002, value_parser = positive, allow_negative_numbers = true)]
    lr: f64,
    /// Seed of the initial weights, the order of the images and the dropout.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What is trained.
    #[arg(long, value_enum, default_value_t = Kind::Cnn)]
    model: Kind,
    /// What is learned: mnist, fashion, or a folder with the four files of such a data set.
    #[arg(long, default_value = "mnist")]
    data: String,
    /// Threads to compute on; the figures are the same for any number [default: one for each core].
    #[arg(long, value_parser = count)]
    threads: Option<u64>,
    /// Saves the training to this folder on its way: `--resume` goes on with it.
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// Goes on with a training that was interrupted, to the same bytes; saves to FOLDER of --save [default:
    /// target/checkpoints/mnist]. If nothing has been saved yet, starts from the beginning.
    #[arg(long)]
    resume: bool,
    /// Steps from one checkpoint to the next.
    #[arg(long, default_value_t = 200, value_parser = count)]
    save_every: u64,
    /// Trains on a tenth of the images for one epoch: a few seconds.
    #[arg(long)]
    quick: bool,
    /// Fails with exit code 1 unless the test accuracy in percent reaches this [default on MNIST: 99 for the cnn, 97.5
    /// for the mlp, 92 with --quick].
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, require_equals = true)]
    check: Option<Vec<f64>>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    /// Two affine layers.
    Mlp,
    /// Two convolutions and two affine layers.
    Cnn,
}

fn positive(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
        _ => Err("a positive number is needed".into()),
    }
}

/// `784 → 256 → 10` with `ReLU`.
#[derive(Module)]
struct Mlp {
    hidden: Affine,
    output: Affine,
}

impl Mlp {
    fn new(rng: &mut Rng) -> Self {
        Self { hidden: Affine::new(784, 256, rng), output: Affine::new(256, 10, rng) }
    }
}

impl Layer for Mlp {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let x = images.flatten(1)?;
        let x = self.hidden.forward(&x)?.relu();
        self.output.forward(&x)
    }
}

fn main() -> ExitCode {
    match chapter::parse::<Options>() {
        Ok(options) => chapter::compute(options.threads, || run(&options)),
        Err(code) => code,
    }
}

/// Where the training is to be saved, if it is.
fn saving(options: &Options, images: usize, epochs: u64) -> chapter::Result<Option<Saving>> {
    let folder = match (&options.save, options.resume) {
        (Some(folder), _) => folder.clone(),
        (None, true) => PathBuf::from("target/checkpoints/mnist"),
        (None, false) => return Ok(None),
    };
    let checkpoints = Checkpoints::new(folder);
    if let (Some(&step), false) = (checkpoints.steps()?.last(), options.resume) {
        let file = checkpoints.path(step);
        let message = "a training was saved here: go on with it by --resume, or take another folder";
        return Err(format!("{}: {message}", file.display()).into());
    }
    let Options { batch, lr, seed, data, .. } = options;
    let model = match options.model {
        Kind::Cnn => "cnn",
        Kind::Mlp => "mlp",
    };
    let run =
        format!("{model}, {images} images of {data}, {epochs} epochs, batch {batch}, lr {lr}, seed {seed}");
    Ok(Some(Saving { checkpoints, every: options.save_every as usize, run }))
}

/// The report with the loss, the confusion matrix and, of a network that has them, the first filters.
fn draw(
    report: Report,
    model: &dyn Layer,
    losses: &[f64],
    probabilities: &[Vec<f32>],
    test: &Dataset,
    classes: &[&str],
) -> Result<Report> {
    let loss = Lines::new("", "step", "cross-entropy")
        .line("one batch", indexed(losses))
        .line("mean of 50", smoothed(losses, 50));
    let mut confusion = nn::metrics::Confusion::new(classes.len());
    let flat = probabilities.concat();
    confusion.add(&Tensor::from_vec(flat, [probabilities.len(), classes.len()])?, test.labels())?;
    let counts: Vec<u64> = (0..classes.len()).flat_map(|class| confusion.row(class).to_vec()).collect();
    let report = report
        .figure("Training loss", &Figure::new("").panel(loss))
        .figure("What was taken for what", &Figure::new("").panel(Confusion::new("", classes, &counts)));
    let mut filters = None;
    model.parameters(&mut |name, weight| {
        if name == "conv1.weight" {
            filters = Some(Figure::images("", weight));
        }
    });
    Ok(match filters {
        Some(filters) => report.figure("The filters of the first convolution", &filters),
        None => report,
    })
}

/// Trains, tests, reports; whether the accuracy is high enough, if that is to be checked.
fn run(options: &Options) -> chapter::Result<bool> {
    if options.check.as_ref().is_some_and(Vec::is_empty) && options.data != "mnist" {
        return Err("--check needs a number for other data than MNIST: --check=PERCENT".into());
    }
    let (data, classes) = classifier::data(&options.data)?;
    let train_set = if options.quick { data.train.take(6_000) } else { data.train.clone() };
    let epochs = match (options.epochs, options.quick, options.model) {
        (Some(epochs), _, _) => epochs,
        (None, true, _) => 1,
        (None, false, Kind::Cnn) => 3,
        (None, false, Kind::Mlp) => 8,
    };
    let mut rng = Rng::seed(options.seed);
    let mut model: Box<dyn Layer> = match options.model {
        Kind::Cnn => Box::new(Cnn::new(&mut rng)),
        Kind::Mlp => Box::new(Mlp::new(&mut rng)),
    };
    eprintln!("{} parameters, {} training images, {epochs} epochs", model.parameter_count(), train_set.len());

    let report = Report::new(format!("A network learns {}", options.data));
    let layers = nn::summary(&*model, &train_set.take(1).all()?.images)?;
    let started = Instant::now();
    let loader = Loader::new(&train_set, options.batch as usize).shuffle(options.seed);
    let saving = saving(options, train_set.len(), epochs)?;
    let losses = classifier::train(&mut model, loader, epochs, options.lr, saving.as_ref())?;
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("trained in {seconds:.1} s");

    let probabilities = classifier::predict(&model, &data.test)?;
    let accuracy = classifier::report(&probabilities, &data.test, &classes);
    classifier::draw("mnist", &losses, &probabilities, &data.test, &classes, 10)?;
    println!("test accuracy: {:.2} %", 100.0 * accuracy);
    let configuration = [
        ("epochs", epochs.to_string()),
        ("training images", train_set.len().to_string()),
        ("batch", options.batch.to_string()),
        ("learning rate", options.lr.to_string()),
        ("seed", options.seed.to_string()),
    ];
    let results =
        [("test accuracy", format!("{:.2} %", 100.0 * accuracy)), ("training", format!("{seconds:.1} s"))];
    let report = report.facts("Configuration", configuration).facts("Results", results);
    draw(report, &model, &losses, &probabilities, &data.test, &classes)?
        .text("Layers", &layers)
        .save("mnist")?;
    io::stdout().flush()?;

    let Some(needed) = &options.check else { return Ok(true) };
    let needed = needed.first().copied().unwrap_or(match (options.model, options.quick) {
        (Kind::Cnn, false) => 99.0,
        (Kind::Mlp, false) => 97.5,
        (_, true) => 92.0,
    });
    let holds = 100.0 * accuracy >= needed;
    if !holds {
        eprintln!("error: the test accuracy is below {needed} %");
    }
    Ok(holds)
}
