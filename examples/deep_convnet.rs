//! A deep convolutional network with batch normalisation and augmentation: what takes MNIST past 99.5 %.
//!
//! `cargo run --release --example deep_convnet` trains on MNIST; `-- --data fashion` trains the same network on the
//! harder Fashion-MNIST. Under `target/figures/` it draws one image under each kind of change, the loss curve, the most
//! confident mistakes, and what the first block makes of an image.

use autodiff::{PoolOptions, Result, Rng, Tensor};
use clap::Parser;
use datasets::{Augment, Dataset, Loader};
use examples::chapter::{self, count};
use examples::classifier;
use nn::{Affine, BatchNorm, Conv2d, Dropout, Layer, Module};
use std::process::ExitCode;
use std::time::Instant;
use train::figure::{Figure, Image};

/// Trains a deep convolutional network on augmented images and tests it.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    common: chapter::Options,
    /// What is learned: mnist, fashion, or a folder with the four files of such a data set.
    #[arg(long, default_value = "mnist")]
    data: String,
    /// Passes over the training images [default: 10; 1 over 4,000 images with --quick].
    #[arg(long, value_parser = count)]
    epochs: Option<u64>,
    /// Threads that load and change images ahead of the training; the numbers are the same for any number.
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

// ANCHOR: model
/// A convolution of 3x3 that keeps the size, batch normalisation, `ReLU`.
#[derive(Module)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Block {
    fn new(channels_in: usize, channels_out: usize, rng: &mut Rng) -> Self {
        Self {
            // The normalisation subtracts the mean, and a bias with it.
            conv: Conv2d::new(channels_in, channels_out, 3, rng).padding(1).without_bias(),
            norm: BatchNorm::new(channels_out),
        }
    }
}

impl Layer for Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.norm.forward(&self.conv.forward(x)?)?.relu())
    }
}

/// Four blocks of 32 to 128 channels on 28x28, 14x14 and 7x7 pixels, then two affine layers with dropout before each.
#[derive(Module)]
struct DeepConvNet {
    first: Vec<Block>,
    second: Vec<Block>,
    third: Vec<Block>,
    dropout1: Dropout,
    hidden: Affine,
    dropout2: Dropout,
    output: Affine,
}

impl DeepConvNet {
    fn new(rng: &mut Rng) -> Self {
        Self {
            first: vec![Block::new(1, 32, rng)],
            second: vec![Block::new(32, 64, rng), Block::new(64, 64, rng)],
            third: vec![Block::new(64, 128, rng)],
            dropout1: Dropout::new(0.3, rng),
            hidden: Affine::new(128 * 3 * 3, 128, rng),
            dropout2: Dropout::new(0.3, rng),
            output: Affine::new(128, 10, rng),
        }
    }
}

impl Layer for DeepConvNet {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let mut x = images.clone();
        for stage in [&self.first, &self.second, &self.third] {
            for block in stage {
                x = block.forward(&x)?;
            }
            x = x.max_pool2d(PoolOptions::square(2))?;
        }
        let x = self.hidden.forward(&self.dropout1.forward(&x.flatten(1)?)?)?.relu();
        self.output.forward(&self.dropout2.forward(&x)?)
    }
}
// ANCHOR_END: model

// ANCHOR: augmentation
/// Draws an image as it is given, and in each row once more under each kind of change.
fn draw_changes(data: &Dataset, seed: u64) -> chapter::Result<()> {
    let changes = [
        ("given", Augment::new()),
        ("shift", Augment::new().shift(4.0)),
        ("rotation", Augment::new().rotation(30.0)),
        ("scaling", Augment::new().scaling(0.4)),
        ("elastic", Augment::new().elastic(34.0, 4.0)),
        ("noise", Augment::new().noise(0.2)),
        ("erasing", Augment::new().erasing(1.0, 0.5)),
    ];
    let one = data.take(1);
    let mut figure = Figure::new("One image, changed at random").columns(changes.len());
    for epoch in 0..3 {
        for (name, augment) in changes {
            for batch in Loader::new(&one, 1).augment(augment, seed).epoch(epoch) {
                figure = figure.panel(Image::new(data.shape()[2], &batch.images.to_vec()).caption(name));
            }
        }
    }
    figure.save("augmentation")?;
    Ok(())
}
// ANCHOR_END: augmentation

fn main() -> ExitCode {
    chapter::run_with(
        |options: &Options| options.common,
        |options, claims| {
            let (split, classes) = classifier::data(&options.data)?;
            let fashion = options.data == "fashion";
            let (quick, seed) = (options.common.quick, options.common.seed);
            let train = if quick { split.train.take(4_000) } else { split.train };
            let epochs = options.epochs.unwrap_or(if quick { 1 } else { 10 });
            let mut model = DeepConvNet::new(&mut Rng::seed(seed));
            eprintln!("{} parameters, {} images, {epochs} epochs", model.parameter_count(), train.len());

            // A mirrored shoe is a shoe, a mirrored digit is none; digits are written at a slant and of any size, clothes
            // are laid out.
            let augment = if fashion {
                Augment::new().shift(1.0).mirror()
            } else {
                Augment::new().shift(2.0).scaling(0.1).rotation(12.0).shear(8.0)
            };
            draw_changes(&train, seed)?;
            let loader = Loader::new(&train, if quick { 32 } else { 64 })
                .shuffle(seed)
                .augment(augment, seed)
                .workers(options.workers);
            let started = Instant::now();
            let losses = classifier::train(&mut model, loader, epochs, 0.003, None)?;
            eprintln!("trained in {:.1} s", started.elapsed().as_secs_f64());

            let probabilities = classifier::predict(&model, &split.test)?;
            let accuracy = 100.0 * classifier::report(&probabilities, &split.test, &classes);
            let name = if fashion { "deep_convnet_fashion" } else { "deep_convnet" };
            classifier::draw(name, &losses, &probabilities, &split.test, &classes, 30)?;
            let image = split.test.take(1).all()?.images;
            let maps = nn::evaluate(|| model.first[0].forward(&image))?;
            Figure::images("What the first block makes of an image", &maps).save(&format!("{name}_maps"))?;
            let needed = match (quick, fashion) {
                (false, false) => 99.5,
                (false, true) => 92.0,
                (true, false) => 85.0,
                (true, true) => 70.0,
            };
            claims.hold(
                format!("the test accuracy, {accuracy:.2} %, is at least {needed} %"),
                accuracy >= needed,
            );
            Ok(())
        },
    )
}
