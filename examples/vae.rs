//! Beyond the text: a variational autoencoder learns to draw new digits (Kingma and Welling, arXiv:1312.6114).
//!
//! An autoencoder's codes lie wherever training left them, so that nobody knows which code to draw from. Here the encoder
//! answers with a distribution of codes, normal with a mean and a variance of its own for each image, and is held to the
//! standard normal distribution, the prior: what is drawn from the prior, the decoder has learned to draw as a digit.
//!
//! A sample has no derivative, but `mean + deviation · noise` has, and has the same distribution: the noise is an input
//! like the image, and the tape sees nothing random. The loss is the negative of a lower bound of the log likelihood (the
//! ELBO), in nats: what the drawing costs, pixel by pixel, and the Kullback-Leibler divergence of the code's distribution
//! from the prior. The cost is linear in the pixels, so that a grey pixel counts as black with that probability.
//!
//! `cargo run --release --example vae` trains models with codes of 2 and of 10 numbers on MNIST, prints their bounds on
//! the 10,000 test images, and draws ten of these again, and digits that nobody wrote.

use autodiff::{Float, Parameter, Result, Rng, Tensor, check, no_grad};
use datasets::{Dataset, Loader, mnist};
use examples::chapter::{self, Claims, Options, table};
use nn::{Init, Module};
use optim::{Adam, Optimizer};
use std::ops::Deref;
use std::process::ExitCode;
use train::figure::lines::smoothed;
use train::figure::{Figure, Image, Lines};

const PIXELS: usize = 784;

/// Numbers in a code, one model for each.
const CODES: [usize; 2] = [2, 10];

fn main() -> ExitCode {
    chapter::run(chapter)
}

// ----- The model -----

/// Five affine maps, each a matrix and a bias: of parameters to train it, of plain tensors to check it.
#[derive(Module)]
struct Vae<W> {
    encoder: [W; 2],
    mean: [W; 2],
    log_variance: [W; 2],
    decoder: [W; 2],
    logits: [W; 2],
}

impl<T: Float> Vae<Parameter<T>> {
    fn new(pixels: usize, hidden: usize, code: usize, rng: &mut Rng) -> Self {
        let mut map = |inputs, outputs| {
            let weight = Init::XavierNormal.tensor([inputs, outputs], inputs, outputs, rng);
            [weight, Tensor::zeros([outputs])].map(Parameter::new)
        };
        Self {
            encoder: map(pixels, hidden),
            mean: map(hidden, code),
            log_variance: map(hidden, code),
            decoder: map(code, hidden),
            logits: map(hidden, pixels),
        }
    }
}

// ANCHOR: loss
impl<T: Float, W: Deref<Target = Tensor<T>>> Vae<W> {
    /// Mean and log variance `[images, code]` of the codes of images `[images, pixels]`.
    fn encode(&self, images: &Tensor<T>) -> Result<[Tensor<T>; 2]> {
        let hidden = affine(images, &self.encoder)?.tanh();
        Ok([affine(&hidden, &self.mean)?, affine(&hidden, &self.log_variance)?])
    }

    /// For codes `[images, code]`, the logits `[images, pixels]` of the pixels being black.
    fn decode(&self, codes: &Tensor<T>) -> Result<Tensor<T>> {
        affine(&affine(codes, &self.decoder)?.tanh(), &self.logits)
    }

    /// What each image costs, `[images]` each: the drawing `Σ softplus(z) - x z` over its pixels `x` with logits `z`, and
    /// the divergence of its codes. Their sum is the negative of the bound, estimated from one code an image (the paper's
    /// equation 10 with `L = 1`).
    fn costs(&self, images: &Tensor<T>, noise: &Tensor<T>) -> Result<[Tensor<T>; 2]> {
        let [mean, log_variance] = self.encode(images)?;
        let logits = self.decode(&sample(&mean, &log_variance, noise))?;
        let drawing = (logits.softplus() - images * &logits).sum_axes(1)?;
        Ok([drawing, divergence(&mean, &log_variance)?])
    }

    /// The mean over the images of both costs together.
    fn loss(&self, images: &Tensor<T>, noise: &Tensor<T>) -> Result<Tensor<T>> {
        let [drawing, divergence] = self.costs(images, noise)?;
        Ok((drawing + divergence).mean())
    }
}

fn affine<T: Float>(
    x: &Tensor<T>,
    [weight, bias]: &[impl Deref<Target = Tensor<T>>; 2],
) -> Result<Tensor<T>> {
    Ok(x.matmul(weight)? + &**bias)
}

/// Standard normal noise as a sample of this mean and log variance.
fn sample<T: Float>(mean: &Tensor<T>, log_variance: &Tensor<T>, noise: &Tensor<T>) -> Tensor<T> {
    mean + (log_variance * 0.5).exp() * noise
}

/// The divergence of a normal distribution from the standard one, `1/2 Σ mean² + variance - 1 - ln variance` over the
/// numbers of a code: the paper's appendix B.
fn divergence<T: Float>(mean: &Tensor<T>, log_variance: &Tensor<T>) -> Result<Tensor<T>> {
    Ok((mean.square() + log_variance.exp() - log_variance - 1.0).sum_axes(1)? * 0.5)
}
// ANCHOR_END: loss

// ----- The chapter -----

fn chapter(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    gradient(options, claims);
    closed_form(options, claims)?;
    println!();

    let data = mnist::shipped()?;
    let train = if options.quick { data.train.take(20_000) } else { data.train };
    let epochs = if options.quick { 2 } else { 10 };
    let test = data.test.all()?.images.flatten(1)?;

    let constant = constant_cost(&test)?;
    let row = |name: String, [drawing, divergence]: [f64; 2]| {
        [name, format!("{drawing:.2}"), format!("{divergence:.2}"), format!("{:.2}", -drawing - divergence)]
    };
    let mut rows = vec![row("a constant drawing".into(), [constant, 0.0])];
    let mut curves = Lines::new("", "step", "negative bound, nats").y_range(100.0, 250.0);
    let mut bounds = Vec::new();
    let mut models = Vec::new();
    for code in CODES {
        let mut model = Vae::new(PIXELS, 200, code, &mut Rng::seed(options.seed));
        let Course { losses, costs } = learn(&mut model, code, &train, &test, epochs, options.seed)?;
        let last = *costs.last().expect("at least one epoch");
        rows.extend(
            (1..).zip(&costs).map(|(epoch, &costs)| row(format!("{code} numbers, epoch {epoch}"), costs)),
        );
        let steps = losses.len() / costs.len();
        let tested: Vec<_> =
            (1..).zip(&costs).map(|(epoch, costs)| ((epoch * steps) as f64, costs[0] + costs[1])).collect();
        curves = curves
            .line(format!("{code} numbers, training"), smoothed(&losses, 100))
            .dots(format!("{code} numbers, test"), tested);
        bounds.push(-last[0] - last[1]);
        models.push(model);
    }
    println!("Nats an image, on {} test images:\n", test.shape().dim(0));
    table(["model", "reconstruction", "KL", "ELBO"], rows);
    println!();
    let least = if options.quick { [-190.0, -160.0] } else { [-160.0, -120.0] };
    for ((code, &bound), least) in CODES.iter().zip(&bounds).zip(least) {
        claims.hold(
            format!("with {code} numbers the bound on test images is {bound:.2} nats, at least {least}"),
            bound >= least,
        );
    }
    let worst = bounds.iter().copied().fold(f64::INFINITY, f64::min);
    claims.hold(
        format!("both are better than any constant drawing of these images, {:.2} at best", -constant),
        worst > -constant,
    );

    Figure::new("Learning to draw digits from a distribution of codes").panel(curves).save("vae_loss")?;
    reconstructions(&models, &data.test)?;
    samples(&models, options.seed)
}

/// The gradient of the whole loss of a tiny model in all its weights, against numerical differentiation.
fn gradient(options: &Options, claims: &mut Claims) {
    let mut rng = Rng::seed(options.seed);
    let (pixels, hidden, code) = (6, 4, 2);
    let model: Vae<Parameter<f64>> = Vae::new(pixels, hidden, code, &mut rng);
    let mut weights = Vec::new();
    model.parameters(&mut |_, parameter| weights.push(rng.normal(parameter.shape(), 0.0, 0.7)));
    let images = rng.uniform([3, pixels], 0.0, 1.0);
    let noise = rng.normal([3, code], 0.0, 1.0);
    let loss = |w: &[Tensor<f64>]| {
        let map = |i: usize| [&w[2 * i], &w[2 * i + 1]];
        let model =
            Vae { encoder: map(0), mean: map(1), log_variance: map(2), decoder: map(3), logits: map(4) };
        model.loss(&images, &noise)
    };
    let found = check::grads(loss, &weights);
    if let Err(mismatch) = &found {
        println!("{mismatch}");
    }
    let count = model.parameter_count();
    claims.hold(
        format!(
            "for fixed noise, the loss of a tiny model has the numerical gradient in its {count} weights"
        ),
        found.is_ok(),
    );
}

/// The divergence on paper against its definition, the mean of `ln q(z) - ln p(z)` over samples `z` of `q`.
fn closed_form(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    const DRAWS: usize = 100_000;
    let mean = Tensor::from_vec([0.5f64, -1.5, 0.0], [1, 3])?;
    let log_variance = Tensor::from_vec([-2.0, 0.3, -0.7], [1, 3])?;
    let exact = divergence(&mean, &log_variance)?.item();
    let noise: Tensor<f64> = Rng::seed(options.seed).normal([DRAWS, 3], 0.0, 1.0);
    let codes = sample(&mean, &log_variance, &noise);
    let terms = ((codes.square() - noise.square() - &log_variance) * 0.5).sum_axes(1)?;
    let sampled = terms.mean().item();
    let error = ((&terms - sampled).square().mean().item() / DRAWS as f64).sqrt();
    claims.hold(
        format!("a divergence of {exact:.4} on paper is {sampled:.4} ± {error:.4} over {DRAWS} samples"),
        (sampled - exact).abs() < 5.0 * error,
    );
    Ok(())
}

/// What the best drawing costs that is the same for all of these images: each pixel its own mean, known beforehand.
fn constant_cost(images: &Tensor) -> Result<f64> {
    // The mean of x is p, so that the mean cost is the entropy of p. A pixel that is never black costs nothing.
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    let means = images.mean_axes(0)?.to_vec();
    Ok(means.into_iter().map(f64::from).map(|p| part(p) + part(1.0 - p)).sum())
}

/// How a training went: the loss of each step, and after each epoch the mean costs of the test images.
struct Course {
    losses: Vec<f64>,
    costs: Vec<[f64; 2]>,
}

fn learn(
    model: &mut Vae<Parameter>,
    code: usize,
    train: &Dataset,
    test: &Tensor,
    epochs: u64,
    seed: u64,
) -> Result<Course> {
    let mut optimizer = Adam::new(2e-3);
    let loader = Loader::new(train, 100).shuffle(seed);
    // Streams of their own; the test images meet the same noise after each epoch.
    let (mut training, mut testing) = (Rng::seed(seed).stream(0), Rng::seed(seed).stream(1));
    let test_noise = testing.normal([test.shape().dim(0), code], 0.0, 1.0);
    let mut course = Course { losses: Vec::new(), costs: Vec::new() };
    for epoch in 0..epochs {
        for batch in loader.epoch(epoch) {
            let noise = training.normal([batch.len(), code], 0.0, 1.0);
            let loss = model.loss(&batch.images.flatten(1)?, &noise)?;
            loss.backward()?;
            optimizer.step(model)?.require_all()?;
            course.losses.push(f64::from(loss.item()));
        }
        let costs = no_grad(|| model.costs(test, &test_noise))?;
        course.costs.push(costs.map(|cost| f64::from(cost.mean().item())));
    }
    Ok(course)
}

// ----- Pictures -----

/// The first test image of each digit, and what each model draws from the mean of its codes.
fn reconstructions(models: &[Vae<Parameter>], data: &Dataset) -> chapter::Result<()> {
    let first = |digit| data.labels().iter().position(|&label| label == digit);
    let ten: Vec<usize> = (0..10).filter_map(first).collect();
    let images = data.batch(&ten)?.images.flatten(1)?;
    let mut rows = vec![("given".to_owned(), images.clone())];
    for (model, code) in models.iter().zip(CODES) {
        let drawn = no_grad(|| model.decode(&model.encode(&images)?[0]))?.sigmoid();
        rows.push((format!("{code} numbers"), drawn));
    }
    let mut figure = Figure::new("Ten test images, and drawn from the means of their codes").columns(10);
    for (name, drawn) in rows {
        for pixels in drawn.to_vec().chunks(PIXELS) {
            figure = figure.panel(Image::new(28, pixels).caption(&name));
        }
    }
    figure.save("vae")?;
    Ok(())
}

/// What the models draw that no image was given for: the one with a plane of codes all over the plane, the other from
/// random codes.
fn samples(models: &[Vae<Parameter>], seed: u64) -> chapter::Result<()> {
    const SIDE: usize = 8;
    let at = |i: usize| 4.0 * i as f32 / (SIDE - 1) as f32 - 2.0;
    let plane: Vec<f32> = (0..SIDE * SIDE).flat_map(|i| [at(i % SIDE), -at(i / SIDE)]).collect();
    let plane = Tensor::from_vec(plane, [SIDE * SIDE, 2])?;
    let random = Rng::seed(seed).stream(2).normal([SIDE * SIDE, CODES[1]], 0.0, 1.0);
    let captions =
        ["2 numbers, each from -2 to 2".to_owned(), format!("{} numbers, drawn from the prior", CODES[1])];
    let mut figure = Figure::new("Digits that nobody wrote").columns(2);
    for ((model, codes), caption) in models.iter().zip([plane, random]).zip(captions) {
        let drawn = no_grad(|| model.decode(&codes))?.sigmoid();
        // One picture: rows of images become rows of pixels.
        let [rows, columns] = [SIDE as isize; 2];
        let picture = drawn.reshape([rows, columns, 28, 28])?.permute([0, 2, 1, 3])?;
        figure = figure.panel(Image::new(SIDE * 28, &picture.to_vec()).caption(caption));
    }
    figure.save("vae_samples")?;
    Ok(())
}
