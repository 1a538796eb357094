//! Derivatives of derivatives: a Hessian, a loss with a gradient in it, and a network that solves a differential equation.

use autodiff::{
    ConvOptions, Float, Parameter, PoolOptions, Rng, Tensor, check, grad, hessian, hvp, value_and_grad,
};
use examples::chapter::{self, Claims, Options, Result};
use nn::Init;
use optim::{Adam, Optimizer};
use std::f64::consts::PI;
use std::process::ExitCode;
use std::time::Instant;
use train::figure::{Figure, Heat};

fn main() -> ExitCode {
    chapter::run(|options: &Options, claims: &mut Claims| {
        hessians(claims)?;
        println!();
        gradient_penalty(options, claims)?;
        println!();
        heat_equation(options, claims)
    })
}

/// The largest difference of two tensors, as a part of the largest element of the second.
fn difference(found: &Tensor<f64>, expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    found.to_vec().iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest
}

// ----- Hessians -----

/// `Σ 100 (xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)²` (Rosenbrock 1960).
fn rosenbrock(x: &Tensor<f64>) -> autodiff::Result<Tensor<f64>> {
    let n = x.size();
    let (x, next) = (x.slice(0, 0..n - 1)?, x.slice(0, 1..n)?);
    Ok(((next - x.square()).square() * 100.0 + (1.0 - x).square()).sum())
}

/// Its Hessian on paper: `1200 xᵢ² - 400 xᵢ₊₁ + 2`, and 200 from the term before, on the diagonal; `-400 xᵢ` beside it.
fn rosenbrock_hessian(x: &[f64]) -> Vec<f64> {
    let n = x.len();
    let mut h = vec![0.0; n * n];
    for i in 0..n - 1 {
        h[i * n + i] += 1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0;
        h[(i + 1) * n + i + 1] += 200.0;
        h[i * n + i + 1] -= 400.0 * x[i];
        h[(i + 1) * n + i] -= 400.0 * x[i];
    }
    h
}

/// The loss of a small convolutional network on two images, as a function of its two filters.
fn filter_loss(filters: &Tensor<f64>) -> autodiff::Result<Tensor<f64>> {
    let mut rng = Rng::seed(1);
    let images: Tensor<f64> = rng.uniform([2, 1, 8, 8], -1.0, 1.0);
    let readout = rng.uniform([18, 3], -1.0, 1.0);
    let features = images.conv2d(&filters.reshape([2, 1, 3, 3])?, None, ConvOptions::default())?.tanh();
    features.avg_pool2d(PoolOptions::square(2))?.flatten(1)?.matmul(&readout)?.cross_entropy(&[2, 0])
}

fn hessians(claims: &mut Claims) -> Result<()> {
    let x: Tensor<f64> = Rng::seed(2).uniform([10], -1.5, 1.5);
    let error = difference(&hessian(rosenbrock, &x)?, &rosenbrock_hessian(&x.to_vec()));
    claims.hold(
        format!("the Hessian of Rosenbrock's function of 10 variables is that on paper, to {error:.0e}"),
        error < 1e-14,
    );

    let filters: Tensor<f64> = Rng::seed(3).uniform([18], -1.0, 1.0);
    let found = hessian(filter_loss, &filters)?;
    // Each entry by differences of gradients, each with its own error, extrapolated to a step of zero.
    let gradient = |w: &[Tensor<f64>]| Ok(value_and_grad(|w| filter_loss(&w[0]), &[&w[0]])?.1.remove(0));
    let numeric: Vec<f64> = check::jacobian(gradient, std::slice::from_ref(&filters), 0)?
        .into_iter()
        .flatten()
        .map(|entry| entry.value)
        .collect();
    let error = difference(&found, &numeric);
    claims.hold(
        format!("the Hessian of a convolutional network's loss in its 18 weights is that of differences, to {error:.0e}"),
        error < 1e-9,
    );
    let v: Tensor<f64> = Rng::seed(4).normal([18], 0.0, 1.0);
    let error = difference(&hvp(filter_loss, &filters, &v)?, &found.matmul(&v)?.to_vec());
    claims.hold(
        format!("its product with a vector, without the Hessian, is the same to {error:.0e}"),
        error < 1e-13,
    );
    Ok(())
}

// ----- A perceptron, for the rest -----

/// Weights and biases of layers of these sizes.
fn layers<T: Float>(sizes: &[usize], rng: &mut Rng) -> Vec<Parameter<T>> {
    let mut parameters = Vec::new();
    for pair in sizes.windows(2) {
        parameters.push(Parameter::new(Init::XavierNormal.tensor([pair[0], pair[1]], pair[0], pair[1], rng)));
        parameters.push(Parameter::new(Tensor::zeros([pair[1]])));
    }
    parameters
}

/// The tensors of parameters, as a function takes them that is also to be checked.
fn tensors<T: Float>(parameters: &[Parameter<T>]) -> Vec<Tensor<T>> {
    parameters.iter().map(|parameter| (**parameter).clone()).collect()
}

/// Affine maps with tanh between them.
fn perceptron<T: Float>(weights: &[Tensor<T>], x: &Tensor<T>) -> autodiff::Result<Tensor<T>> {
    let mut y = x.clone();
    for (i, layer) in weights.chunks(2).enumerate() {
        y = if i == 0 { y } else { y.tanh() };
        y = y.matmul(&layer[0])? + &layer[1];
    }
    Ok(y)
}

/// The learning rate of a step: a half cosine from `first` to a thousandth of it.
fn falling(first: f64, step: usize, steps: usize) -> f64 {
    let cosine = 0.5 * (1.0 + (PI * step as f64 / steps as f64).cos());
    first * (0.001 + 0.999 * cosine)
}

// ----- A gradient penalty -----

/// How strongly a slope other than 1 is punished (Gulrajani et al., arXiv:1704.00028).
const PENALTY: f64 = 10.0;

// ANCHOR: penalty
/// The loss of a critic that tells real points from made ones, and whose slope between them is to be 1: it contains the
/// norm of its gradient at its input.
fn critic_loss(
    weights: &[Tensor<f64>],
    [real, made, between]: [&Tensor<f64>; 3],
) -> autodiff::Result<Tensor<f64>> {
    let gap = perceptron(weights, real)?.mean() - perceptron(weights, made)?.mean();
    Ok((slopes(weights, between)? - 1.0).square().mean() * PENALTY - gap)
}

/// The norm of the critic's gradient at each point.
fn slopes(weights: &[Tensor<f64>], points: &Tensor<f64>) -> autodiff::Result<Tensor<f64>> {
    let critic = |x: &[Tensor<f64>]| Ok(perceptron(weights, &x[0])?.sum());
    let (_, gradients) = value_and_grad(critic, &[points])?;
    Ok(gradients[0].square().sum_axes(1)?.sqrt())
}
// ANCHOR_END: penalty

/// Real points, the same moved by `(d, 0)` as made ones, and points at random places between pairs of them.
fn clouds(count: usize, distance: f64, rng: &mut Rng) -> autodiff::Result<[Tensor<f64>; 3]> {
    let made: Tensor<f64> = rng.normal([count, 2], 0.0, 0.5);
    let real = rng.normal([count, 2], 0.0, 0.5) + Tensor::from_vec([distance, 0.0], [2])?;
    let part: Tensor<f64> = rng.uniform([count, 1], 0.0, 1.0);
    let between = &part * &real + (1.0 - &part) * &made;
    Ok([real, made, between])
}

fn gradient_penalty(options: &Options, claims: &mut Claims) -> Result<()> {
    let mut rng = Rng::seed(options.seed);
    let mut critic = layers(&[2, 16, 16, 1], &mut rng);

    // The gradient of the loss in each weight, which is a second derivative of the critic, against differences.
    let [real, made, between] = clouds(6, 2.0, &mut rng)?;
    let loss = |weights: &[Tensor<f64>]| critic_loss(weights, [&real, &made, &between]);
    let weights = tensors(&critic);
    let (_, gradients) = value_and_grad(loss, &weights.iter().collect::<Vec<_>>())?;
    let mut worst = 0.0f64;
    for (index, gradient) in gradients.iter().enumerate() {
        let numeric = check::jacobian(loss, &weights, index)?;
        let numeric: Vec<f64> = numeric.into_iter().flatten().map(|entry| entry.value).collect();
        // The last bias moves both means alike: its gradient is 0.
        if numeric.iter().any(|x| x.abs() > 1e-6) {
            worst = worst.max(difference(gradient, &numeric));
        }
    }
    let count: usize = weights.iter().map(Tensor::size).sum();
    claims.hold(
        format!("the gradient of the penalty in all {count} weights is that of differences, to {worst:.0e}"),
        worst < 1e-8,
    );

    // The clouds lie `d` apart. A critic of slope g gains g d and pays λ (g - 1)², so that the best slope is 1 + d / 2λ.
    let (distance, steps) = (2.0, if options.quick { 300 } else { 1500 });
    let mut optimizer = Adam::new(0.0);
    for step in 0..steps {
        let [real, made, between] = clouds(128, distance, &mut rng)?;
        critic_loss(&tensors(&critic), [&real, &made, &between])?.backward()?;
        optimizer.set_learning_rate(falling(0.01, step, steps));
        optimizer.step(&mut critic)?;
    }
    let weights = tensors(&critic);
    let [real, made, between] = clouds(4000, distance, &mut rng)?;
    let slope = slopes(&weights, &between)?.mean().item();
    let best = 1.0 + distance / (2.0 * PENALTY);
    let gap = (perceptron(&weights, &real)?.mean() - perceptron(&weights, &made)?.mean()).item();
    claims.hold(
        format!("a critic trained with it has slope {slope:.3} between the clouds, where {best:.3} is best"),
        (slope - best).abs() < 0.05,
    );
    claims.hold(
        format!("and tells how far apart they lie: {:.3}, truly {distance:.3}", gap / slope),
        (gap / slope - distance).abs() < 0.1,
    );
    Ok(())
}

// ----- The heat equation -----

/// The diffusivity `α` in `∂u/∂t = α ∂²u/∂x²`.
const DIFFUSIVITY: f64 = 0.1;
/// The modes `sin(k π x)` of which the temperature at the beginning consists, with their amplitudes.
const MODES: [(f64, f64); 2] = [(1.0, 1.0), (3.0, 0.5)];

/// The temperature that a network stands for. At the beginning and at both ends, which are kept at 0, it is right
/// whatever the network says: `u(x, 0) + t x (1 - x) N(x, t)`. Inside, nothing is known of the solution.
fn temperature(weights: &[Tensor], x: &Tensor, t: &Tensor) -> autodiff::Result<Tensor> {
    let mode = |(k, amplitude): (f64, f64)| (x * (k * PI)).sin() * amplitude;
    let start = mode(MODES[0]) + mode(MODES[1]);
    let inputs = Tensor::cat(&[&(x * 2.0 - 1.0), &(t * 2.0 - 1.0)], 1)?;
    Ok(start + t * x * (1.0 - x) * perceptron(weights, &inputs)?)
}

// ANCHOR: residual
/// By how much it misses the equation at each point: `∂u/∂t - α ∂²u/∂x²`.
fn residual(weights: &[Tensor], x: &Tensor, t: &Tensor) -> autodiff::Result<Tensor> {
    let (x, t) = (x.clone().variable(), t.clone().variable());
    let u = temperature(weights, &x, &t)?;
    let [u_x, u_t] = grad(&u.sum(), [&x, &t])?;
    let [u_xx] = grad(&u_x.sum(), [&x])?;
    Ok(u_t - u_xx * DIFFUSIVITY)
}
// ANCHOR_END: residual

/// The solution: each mode falls by itself, `exp(-α (k π)² t)`.
fn solution(x: f64, t: f64) -> f64 {
    let mode = |&(k, amplitude): &(f64, f64)| {
        amplitude * (k * PI * x).sin() * (-DIFFUSIVITY * (k * PI).powi(2) * t).exp()
    };
    MODES.iter().map(mode).sum()
}

/// The middles of the cells of a grid over the unit square, row by row.
fn grid(columns: usize, rows: usize) -> Vec<(f64, f64)> {
    let middle = |i: usize, n: usize| (i as f64 + 0.5) / n as f64;
    (0..columns * rows).map(|i| (middle(i % columns, columns), middle(i / columns, rows))).collect()
}

fn heat_equation(options: &Options, claims: &mut Claims) -> Result<()> {
    let steps = if options.quick { 1200 } else { 8000 };
    let mut rng = Rng::seed(options.seed);
    let mut network = layers(&[2, 32, 32, 32, 1], &mut rng);
    let mut optimizer = Adam::new(0.0);
    let started = Instant::now();
    for step in 0..steps {
        let [x, t] = [0, 1].map(|_| rng.uniform([512, 1], 0.0, 1.0));
        let loss = residual(&tensors(&network), &x, &t)?.square().mean();
        loss.backward()?;
        optimizer.set_learning_rate(falling(0.01, step, steps));
        optimizer.step(&mut network)?;
        if (step + 1) % (steps / 10) == 0 {
            eprintln!(
                "step {:4} of {steps}: mean squared residual {:.1e}, {:.1} s",
                step + 1,
                loss.item(),
                started.elapsed().as_secs_f64()
            );
        }
    }

    let (columns, rows) = (80, 80);
    let at = grid(columns, rows);
    let [x, t] = [at.iter().map(|p| p.0 as f32).collect::<Vec<_>>(), at.iter().map(|p| p.1 as f32).collect()]
        .map(|numbers| Tensor::from_vec(numbers, [at.len(), 1]));
    let found: Vec<f64> =
        temperature(&tensors(&network), &x?, &t?)?.to_vec().into_iter().map(f64::from).collect();
    let exact: Vec<f64> = at.iter().map(|&(x, t)| solution(x, t)).collect();
    let errors: Vec<f64> = found.iter().zip(&exact).map(|(found, exact)| found - exact).collect();
    let norm = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>().sqrt();
    let error = norm(&errors) / norm(&exact);
    let allowed = if options.quick { 2e-2 } else { 1e-3 };
    claims.hold(
        format!("the network solves the heat equation with a relative L2 error of {error:.1e} (below {allowed:.0e})"),
        error < allowed,
    );

    let panel =
        |title: &str, values: &[f64]| Heat::new(title, ["x", "t"], (0.0, 1.0), (0.0, 1.0), columns, values);
    Figure::new("The temperature of a rod, from a network that was shown the equation and the beginning")
        .columns(3)
        .panel(panel("the solution", &exact))
        .panel(panel("the network", &found))
        .panel(panel("its error", &errors))
        .save("heat_equation")?;
    Ok(())
}
