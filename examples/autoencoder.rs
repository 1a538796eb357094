//! Beyond the text: an autoencoder squeezes a digit through a few numbers and draws it again.
//!
//! An encoder maps the 784 pixels of an image to a code of 2 or of 32 numbers, a decoder maps the code back; both learn by
//! making the difference small. Nobody names the classes. What does not know the image at all can do no better than the
//! mean of all images, so that is the measure.
//!
//! `cargo run --release --example autoencoder` trains both on MNIST, prints their errors on the 10,000 test images, and
//! draws ten of these before and after, and what the decoder draws for codes from all over the plane.

use autodiff::{Result, Rng, Tensor, no_grad};
use datasets::{Dataset, Loader, mnist};
use examples::chapter::{self, Claims, Options, table};
use nn::{Affine, Layer, Module, Relu, Sequential, Sigmoid, loss};
use optim::{Adam, Optimizer};
use std::process::ExitCode;
use train::figure::lines::smoothed;
use train::figure::{Figure, Image, Lines};

const PIXELS: usize = 784;

fn main() -> ExitCode {
    chapter::run(chapter)
}

// ANCHOR: model
/// Down to a code and up again.
#[derive(Module)]
struct Autoencoder {
    encoder: Sequential,
    decoder: Sequential,
}

impl Autoencoder {
    fn new(code: usize, rng: &mut Rng) -> Self {
        let mut layer = |inputs, outputs| Affine::new(inputs, outputs, rng);
        let encoder = Sequential::new().push(layer(PIXELS, 256)).push(Relu).push(layer(256, code));
        let decoder =
            Sequential::new().push(layer(code, 256)).push(Relu).push(layer(256, PIXELS)).push(Sigmoid);
        Self { encoder, decoder }
    }
}

impl Layer for Autoencoder {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        self.decoder.forward(&self.encoder.forward(images)?)
    }
}
// ANCHOR_END: model

fn chapter(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    let data = mnist::shipped()?;
    let train = if options.quick { data.train.take(20_000) } else { data.train };
    let epochs = if options.quick { 2 } else { 6 };
    let test = data.test.all()?.images.flatten(1)?;

    let mean = train.all()?.images.flatten(1)?.mean_axes(0)?;
    let measure = mean_error(&mean, &test);
    let mut rows = vec![["the mean image".into(), format!("{measure:.5}"), "100 %".into()]];
    let mut curves = Lines::new("", "step", "mean squared error").log_y();
    let mut errors = Vec::new();
    let mut models = Vec::new();
    for code in [2, 32] {
        let mut model = Autoencoder::new(code, &mut Rng::seed(options.seed));
        let losses = learn(&mut model, &train, epochs, options.seed)?;
        let error = mean_error(&no_grad(|| model.forward(&test))?, &test);
        rows.push([
            format!("a code of {code} numbers"),
            format!("{error:.5}"),
            format!("{:.1} %", 100.0 * error / measure),
        ]);
        curves = curves.line(format!("a code of {code}"), smoothed(&losses, 50));
        errors.push(error);
        models.push(model);
    }
    println!("Mean squared error of a pixel on the {} test images:\n", test.shape().dim(0));
    table(["drawn from", "error", "of the mean's"], rows);
    println!();
    // A sixth and two thirds of the measure; a third and four fifths after a quick training.
    for (code, error, most) in [
        (2, errors[0], if options.quick { 0.8 } else { 0.67 }),
        (32, errors[1], if options.quick { 0.33 } else { 0.17 }),
    ] {
        let share = error / measure;
        claims.hold(
            format!("with {code} numbers the error is {share:.3} of that of the mean image, at most {most}"),
            share <= most,
        );
    }

    Figure::new("Learning to draw digits from a code").panel(curves).save("autoencoder_loss")?;
    draw(&models, &data.test)?;
    codes(&models[0], &test)
}

fn mean_error(drawn: &Tensor, images: &Tensor) -> f64 {
    f64::from((drawn - images).square().mean().item())
}

/// Trains a model to give the images that it is given; returns the loss of each step.
fn learn(model: &mut Autoencoder, data: &Dataset, epochs: u64, seed: u64) -> Result<Vec<f64>> {
    let mut optimizer = Adam::new(2e-3);
    let loader = Loader::new(data, 100).shuffle(seed);
    let mut losses = Vec::new();
    for epoch in 0..epochs {
        for batch in loader.epoch(epoch) {
            let images = batch.images.flatten(1)?;
            let loss = loss::mean_squared_error(&model.forward(&images)?, &images)?;
            loss.backward()?;
            optimizer.step(model)?.require_all()?;
            losses.push(f64::from(loss.item()));
        }
    }
    Ok(losses)
}

/// The first test image of each digit, and what each model makes of it.
fn draw(models: &[Autoencoder], data: &Dataset) -> chapter::Result<()> {
    let first = |digit| data.labels().iter().position(|&label| label == digit);
    let ten: Vec<usize> = (0..10).filter_map(first).collect();
    let images = data.batch(&ten)?.images.flatten(1)?;
    let mut figure = Figure::new("Ten test images, and drawn from codes of 2 and of 32 numbers").columns(10);
    for pixels in images.to_vec().chunks(PIXELS) {
        figure = figure.panel(Image::new(28, pixels).caption("given"));
    }
    for (model, code) in models.iter().zip([2, 32]) {
        let drawn = no_grad(|| model.forward(&images))?;
        let errors = (&drawn - &images).square().mean_axes(1)?.to_vec();
        for (pixels, error) in drawn.to_vec().chunks(PIXELS).zip(errors) {
            let image = Image::new(28, pixels).caption(format!("{code} numbers"));
            figure = figure.panel(image.caption(format!("error {error:.3}")));
        }
    }
    figure.save("autoencoder")?;
    Ok(())
}

/// What the decoder draws for a grid of codes, evenly spread over those of real images.
fn codes(model: &Autoencoder, images: &Tensor) -> chapter::Result<()> {
    const SIDE: usize = 7;
    let codes = no_grad(|| model.encoder.forward(images))?;
    // As many images are to each side of a grid line as to the other.
    let mut lines = Vec::new();
    for axis in 0..2 {
        let mut values = codes.slice(1, axis..axis + 1)?.to_vec();
        values.sort_by(f32::total_cmp);
        lines.push((0..SIDE).map(|i| values[(2 * i + 1) * values.len() / (2 * SIDE)]).collect::<Vec<_>>());
    }
    let grid: Vec<f32> = (0..SIDE * SIDE).flat_map(|i| [lines[0][i % SIDE], lines[1][i / SIDE]]).collect();
    let drawn = no_grad(|| model.decoder.forward(&Tensor::from_vec(grid, [SIDE * SIDE, 2])?))?;
    // One picture: rows of images become rows of pixels.
    let [rows, columns] = [SIDE as isize; 2];
    let picture = drawn.reshape([rows, columns, 28, 28])?.permute([0, 2, 1, 3])?;
    let picture = Image::new(SIDE * 28, &picture.to_vec()).caption("each digit drawn from two numbers");
    Figure::new("The plane of codes").panel(picture).save("autoencoder_codes")?;
    Ok(())
}
