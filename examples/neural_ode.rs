//! Beyond the text: gradients through the solver of a differential equation, and a network that learns one from a noisy
//! path.
//!
//! A solver is a loop of additions and products, so the tape differentiates it like anything else. What it computes is the
//! gradient of the numerical solution; it comes as near to that of the exact one as the solution itself does, with the same
//! order. The other way, the adjoint equation (Chen et al., arXiv:1806.07366), solves a second differential equation
//! backwards in time: it keeps nothing, and agrees up to the error of the solver.
//!
//! `cargo run --release --example neural_ode` measures the errors of first and second derivatives of an oscillation against
//! the closed form, compares the tape with the adjoint equation on hunters and prey, and trains a network to be the right
//! side of an equation of which it has seen one noisy solution.

use autodiff::graph::Graph;
use autodiff::{Float, Result, Rng, Tensor, checkpoint, grad, no_grad, vjp};
use examples::chapter::{self, Claims, Options, table};
use nn::{Affine, Layer, Sequential, Tanh, loss};
use optim::{Adam, Optimizer};
use std::f64::consts::PI;
use std::process::ExitCode;
use train::figure::{Figure, Lines, Plane};

fn main() -> ExitCode {
    chapter::run(|options, claims| {
        oscillation(claims)?;
        adjoint(claims)?;
        learn(options, claims)
    })
}

// ANCHOR: solver
/// One step of length `h` of `z' = f(z)`, by the method of Runge and Kutta: its error is of order `h⁵`, that of all steps
/// together of order `h⁴`.
fn step<T: Float>(f: impl Fn(&Tensor<T>) -> Result<Tensor<T>>, z: &Tensor<T>, h: f64) -> Result<Tensor<T>> {
    let k1 = f(z)?;
    let k2 = f(&(z + &k1 * (h / 2.0)))?;
    let k3 = f(&(z + &k2 * (h / 2.0)))?;
    let k4 = f(&(z + &k3 * h))?;
    Ok(z + (k1 + (k2 + k3) * 2.0 + k4) * (h / 6.0))
}

/// The solution of `z' = f(z)` after a time, in equal steps.
fn solve<T: Float>(
    f: impl Fn(&Tensor<T>) -> Result<Tensor<T>>,
    start: &Tensor<T>,
    time: f64,
    steps: usize,
) -> Result<Tensor<T>> {
    (0..steps).try_fold(start.clone(), |z, _| step(&f, &z, time / steps as f64))
}
// ANCHOR_END: solver

/// The order of an error that falls from the first number to the second as the steps are halved.
fn order(before: f64, after: f64) -> f64 {
    (before / after).log2()
}

/// `x'' = -ω² x`, whose solution from rest at 1 is `cos ω t`.
fn oscillation(claims: &mut Claims) -> chapter::Result<()> {
    const TIME: f64 = 3.0;
    const OMEGA: f64 = 1.7;
    const NAMES: [&str; 3] = ["x", "dx/dω", "d²x/dω²"];
    let (sin, cos) = (OMEGA * TIME).sin_cos();
    let exact = [cos, -TIME * sin, -TIME * TIME * cos];
    let mut errors: [Vec<(f64, f64)>; 3] = Default::default();
    let counts: Vec<usize> = (3..10).map(|k| 1 << k).collect();
    for &steps in &counts {
        let omega = Tensor::scalar(OMEGA).variable();
        // (x, v)' = (v, -ω² x), for rows from the left.
        let along = Tensor::from_vec([0.0, 0.0, 1.0, 0.0], [2, 2])?;
        let back = Tensor::from_vec([0.0, -1.0, 0.0, 0.0], [2, 2])?;
        let field = along + omega.square() * back;
        let start = Tensor::from_vec([1.0, 0.0], [1, 2])?;
        let x = solve(|z| z.matmul(&field), &start, TIME, steps)?.slice(1, 0..1)?.sum();
        let [first] = grad(&x, [&omega])?;
        let [second] = grad(&first, [&omega])?;
        for (k, found) in [x, first, second].iter().enumerate() {
            errors[k].push((steps as f64, (found.item() - exact[k]).abs()));
        }
    }
    println!(
        "x'' = -ω² x from rest at 1: errors after a time of {TIME}, against cos ωt and its derivatives by ω\n"
    );
    let text = |k: usize, i: usize| format!("{:.2e}", errors[k][i].1);
    table(
        ["steps", NAMES[0], NAMES[1], NAMES[2]],
        counts.iter().enumerate().map(|(i, steps)| [steps.to_string(), text(0, i), text(1, i), text(2, i)]),
    );
    println!();
    let mut panel = Lines::new("", "steps", "error").log_x().log_y();
    for (name, errors) in NAMES.iter().zip(&errors) {
        let last = &errors[errors.len() - 3..];
        let order = order(last[0].1, last[1].1);
        claims.hold(
            format!("the error of {name} falls with the step to the power of {order:.2}, near 4"),
            (order - 4.0).abs() < 0.2,
        );
        panel = panel.line(*name, errors);
    }
    Figure::new("A solver of order 4 has derivatives of order 4").panel(panel).save("neural_ode_order")?;
    Ok(())
}

/// Hunters and prey: `x' = x (α - β y)`, `y' = y (δ x - γ)`, with `θ = (α, β, γ, δ)` (Lotka and Volterra).
fn hunters_and_prey(z: &Tensor<f64>, theta: &Tensor<f64>) -> Result<Tensor<f64>> {
    let part = |tensor: &Tensor<f64>, i| tensor.slice(0, i..i + 1);
    let (x, y) = (part(z, 0)?, part(z, 1)?);
    let [alpha, beta, gamma, delta] = [part(theta, 0)?, part(theta, 1)?, part(theta, 2)?, part(theta, 3)?];
    Tensor::cat(&[&(&x * (alpha - beta * &y)), &(&y * (delta * &x - gamma))], 0)
}

/// The gradient of `½ |z(T)|²` by the parameters: from the tape, with checkpoints, and from the adjoint equation.
fn adjoint(claims: &mut Claims) -> chapter::Result<()> {
    const TIME: f64 = 4.0;
    let start = Tensor::from_vec([1.0, 0.5], [2])?;
    let parameters = Tensor::from_vec([1.1, 0.8, 1.0, 0.9], [4])?;

    let loss = |z: &Tensor<f64>| z.square().sum() * 0.5;
    // The gradient, and what the tape keeps for it.
    let taped = |steps, checkpointed: bool| -> Result<(Vec<f64>, usize)> {
        let theta = parameters.clone().variable();
        let h = TIME / steps as f64;
        let mut z = start.clone();
        for _ in 0..steps {
            z = if checkpointed {
                let one = move |x: &[Tensor<f64>]| step(|z| hunters_and_prey(z, &x[1]), &x[0], h);
                checkpoint(one, &[&z, &theta])?
            } else {
                step(|z| hunters_and_prey(z, &theta), &z, h)?
            };
        }
        let loss = loss(&z);
        let saved = Graph::of(&[&loss]).saved_bytes();
        loss.backward()?;
        Ok((theta.grad().map(|grad| grad.to_vec()).unwrap_or_default(), saved))
    };
    // (z, a, g) backwards from (z(T), z(T), 0), where a' = -aᵀ ∂f/∂z and g' = -aᵀ ∂f/∂θ.
    let adjoint = |steps| -> Result<Vec<f64>> {
        no_grad(|| {
            let end = solve(|z| hunters_and_prey(z, &parameters), &start, TIME, steps)?;
            let backwards = |state: &Tensor<f64>| {
                let (z, a) = (state.slice(0, 0..2)?, state.slice(0, 2..4)?);
                let (f, pulled) = vjp(|x| hunters_and_prey(&x[0], &x[1]), &[&z, &parameters], &a)?;
                Tensor::cat(&[&f, &-&pulled[0], &-&pulled[1]], 0)
            };
            let state = Tensor::cat(&[&end, &end, &Tensor::zeros([4])], 0)?;
            Ok(solve(backwards, &state, -TIME, steps)?.slice(0, 4..8)?.to_vec())
        })
    };
    let far = |a: &[f64], b: &[f64]| {
        let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
        norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
    };

    let reference = taped(4096, false)?.0;
    let mut rows = Vec::new();
    let mut errors = Vec::new();
    let mut same = true;
    for steps in [16, 32, 64, 128, 256] {
        let (plain, saved) = taped(steps, false)?;
        let (again, kept) = taped(steps, true)?;
        let backwards = adjoint(steps)?;
        same &= far(&again, &plain) < 1e-13;
        errors.push([far(&plain, &reference), far(&backwards, &reference), saved as f64 / kept as f64]);
        rows.push([
            steps.to_string(),
            format!("{:.2e}", far(&plain, &reference)),
            format!("{:.2e}", far(&backwards, &reference)),
            format!("{saved}"),
            format!("{kept}"),
        ]);
    }
    println!(
        "\nHunters and prey: relative errors of the gradient by the four parameters, and bytes on the tape\n"
    );
    table(["steps", "tape", "adjoint equation", "tape keeps", "with checkpoints"], rows);
    println!();
    let [first, last] = [errors[2], errors[4]];
    for (k, name) in ["tape", "adjoint equation"].iter().enumerate() {
        let order = order(first[k], last[k]) / 2.0;
        claims.hold(
            format!(
                "{name}: the error of the gradient falls with the step to the power of {order:.2}, near 4"
            ),
            (order - 4.0).abs() < 0.3,
        );
    }
    claims.hold("checkpoints do not change the gradient", same);
    claims.hold(
        format!("without a checkpoint at each step the tape keeps {:.0} times as much", last[2]),
        last[2] > 5.0,
    );
    Ok(())
}

/// The equation to be found, of a pendulum with friction: the angle `a` and its speed `v` change as `a' = v` and
/// `v' = -sin a - v / 10`.
fn pendulum(z: &Tensor) -> Result<Tensor> {
    let (angle, speed) = (z.slice(1, 0..1)?, z.slice(1, 1..2)?);
    Tensor::cat(&[&speed, &(-angle.sin() - &speed * 0.1)], 1)
}

const POINTS: usize = 300;
const STEP: f64 = 0.1;
/// Angle and speed at the beginning.
const START: [f32; 2] = [2.5, 0.0];

/// The points of a solution, one after each step.
fn path(f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let mut points = vec![Tensor::from_vec(START, [1, 2])?];
    for i in 1..POINTS {
        points.push(no_grad(|| step(&f, &points[i - 1], STEP))?);
    }
    Tensor::cat(&points.iter().collect::<Vec<_>>(), 0)
}

/// A network in place of the right side, trained to continue the noisy path for ten steps from any of its points.
fn learn(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    const AHEAD: usize = 10;
    const BATCH: usize = 32;
    let steps = if options.quick { 600 } else { 4_000 };
    let mut rng = Rng::seed(options.seed);
    let truth = path(pendulum)?;
    let seen = &truth + rng.normal(truth.shape(), 0.0, 0.02);
    let mut net =
        Sequential::new().push(Affine::new(2, 50, &mut rng)).push(Tanh).push(Affine::new(50, 2, &mut rng));
    let before = path(|z| net.forward(z))?;
    let mut optimizer = Adam::new(0.01);
    for i in 0..steps {
        let progress = f64::from(i) / f64::from(steps);
        optimizer.set_learning_rate(0.01 * 0.5 * (1.0 + (PI * progress).cos()));
        let from: Vec<usize> = (0..BATCH).map(|_| rng.below(POINTS - AHEAD)).collect();
        let mut z = seen.index_select(0, &from)?;
        let mut total = Tensor::scalar(0.0);
        for ahead in 1..=AHEAD {
            z = step(|z| net.forward(z), &z, STEP)?;
            let there: Vec<usize> = from.iter().map(|from| from + ahead).collect();
            total = total + loss::mean_squared_error(&z, &seen.index_select(0, &there)?)?;
        }
        total.backward()?;
        optimizer.step(&mut net)?.require_all()?;
    }
    let after = path(|z| net.forward(z))?;

    let distance = |path: &Tensor| -> Result<f64> {
        Ok(f64::from((path - &truth).square().sum_axes(1)?.sqrt().mean().item()))
    };
    let (first, last) = (distance(&before)?, distance(&after)?);
    println!("\nA network as the equation of a pendulum, after {steps} steps of training:\n");
    table(
        ["path", "mean distance from the true one"],
        [["before training".into(), format!("{first:.4}")], ["after training".into(), format!("{last:.4}")]],
    );
    println!();
    let needed = if options.quick { 0.5 } else { 0.15 };
    claims.hold(
        format!(
            "over a time of {:.0} the path stays {last:.4} from the true one on average, at most {needed}",
            POINTS as f64 * STEP
        ),
        last <= needed,
    );

    let pairs = |path: &Tensor| -> Vec<(f64, f64)> {
        path.to_vec().chunks(2).map(|z| (f64::from(z[0]), f64::from(z[1]))).collect()
    };
    let over_time = |path: &Tensor| -> Vec<(f64, f64)> {
        pairs(path).iter().enumerate().map(|(i, z)| (i as f64 * STEP, z.0)).collect()
    };
    let every = |points: Vec<(f64, f64)>, n: usize| points.into_iter().step_by(n).collect::<Vec<_>>();
    let mut figure =
        Figure::new("A network learns an equation from one noisy path (arrows: the true equation)")
            .columns(2);
    for (when, found) in [("before training", &before), ("after training", &after)] {
        let plane = Plane::new(when, (-3.0, 3.0), (-3.0, 3.0))
            .axes("angle", "speed")
            .field(15, pendulum)?
            .path("learned", every(pairs(found), 2))
            .points("seen", 1, every(pairs(&seen), 6));
        figure = figure.panel(plane);
    }
    for found in [&before, &after] {
        let panel = Lines::new("", "time", "angle")
            .line("learned", over_time(found))
            .dashed("true", over_time(&truth))
            .y_range(-3.0, 3.0);
        figure = figure.panel(panel);
    }
    figure.save("neural_ode")?;
    Ok(())
}
