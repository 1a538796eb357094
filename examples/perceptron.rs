//! A perceptron draws one line through the plane: that does AND, NAND and OR, but not XOR. Two layers do XOR, and learn
//! it.
//!
//! `cargo run --release --example perceptron` prints what each network answers at the four corners of the unit square,
//! shows for each of the sixteen gates of two inputs a perceptron that computes it or a proof that there is none, and
//! draws who answers what where.

use autodiff::{Parameter, Result, Rng, Tensor, no_grad};
use examples::chapter::{self, Claims, Options, table};
use nn::{Affine, Layer, Sequential, Step, Tanh};
use optim::{Optimizer, Sgd};
use std::process::ExitCode;
use train::figure::lines::indexed;
use train::figure::{Figure, Lines, Plane};

/// The inputs of a gate: the corners of the unit square.
const CORNERS: [[f32; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];

/// What a gate answers at the four corners.
type Gate = [usize; 4];
const NAMES: [&str; 4] = ["AND", "NAND", "OR", "XOR"];
const GATES: [Gate; 4] = [[0, 0, 0, 1], [1, 1, 1, 0], [0, 1, 1, 1], [0, 1, 1, 0]];
const XOR: Gate = GATES[3];

fn main() -> ExitCode {
    chapter::run(run)
}

fn run(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    println!("Given weights: the answer is 1 where x W + b > 0, else 0. XOR is the AND of NAND and OR.\n");
    let given = given()?;
    report("given", &given, claims)?;

    println!("\nThe sixteen gates of two inputs, and the perceptrons that compute them:\n");
    survey(claims)?;

    println!("\nLearned: gradient descent on the cross-entropy, from random weights.\n");
    let mut rng = Rng::seed(options.seed);
    let mut learned = GATES.map(|gate| if gate == XOR { two_layers(&mut rng) } else { one_layer(&mut rng) });
    let mut losses = Vec::new();
    for (model, gate) in learned.iter_mut().zip(GATES) {
        losses.push(learn(model, gate)?);
    }
    report("learned", &learned, claims)?;

    let stuck = learn(&mut one_layer(&mut rng), XOR)?;
    let (last, guess) = (stuck[stuck.len() - 1], 2f64.ln());
    claims.hold(
        format!("one layer on XOR ends at a loss of {last:.6}, that of a guess: ln 2 = {guess:.6}"),
        (last - guess).abs() < 1e-4,
    );

    let mut grid =
        Figure::new("The ground is what a network answers, the dots are what it should").columns(4);
    for (how, models) in [("given", &given), ("learned", &learned)] {
        for ((name, gate), model) in NAMES.iter().zip(GATES).zip(models) {
            grid = grid.panel(regions(&format!("{name}, {how}"), model, gate)?);
        }
    }
    grid.save("perceptron")?;

    let mut curves = Lines::new("Learning", "step", "cross-entropy").log_y();
    for (name, losses) in NAMES.iter().zip(&losses) {
        let layers = if *name == "XOR" { ", two layers" } else { "" };
        curves = curves.line(format!("{name}{layers}"), indexed(losses));
    }
    Figure::new("One line cannot do XOR")
        .columns(2)
        .panel(regions("One line gets three of four", &given[2], XOR)?)
        .panel(curves.dashed("XOR, one layer", indexed(&stuck)))
        .save("perceptron_xor")?;
    Ok(())
}

/// A layer of perceptrons with given weights: `weights` has a row for each input.
fn affine<const N: usize>(weights: [[f32; N]; 2], bias: [f32; N]) -> Result<Affine> {
    Ok(Affine {
        weight: Parameter::new(Tensor::from_vec(weights.as_flattened(), [2, N])?),
        bias: Some(Parameter::new(Tensor::from_vec(bias, [N])?)),
    })
}

// ANCHOR: given
/// The four gates with weights chosen by hand; each model gives `x W + b`, whose sign is the answer.
fn given() -> Result<[Sequential; 4]> {
    let one = |w: f32, b: f32| affine([[w], [w]], [b]);
    let nand_and_or = affine([[-0.5, 0.5], [-0.5, 0.5]], [0.7, -0.2])?;
    Ok([
        Sequential::new().push(one(0.5, -0.7)?),
        Sequential::new().push(one(-0.5, 0.7)?),
        Sequential::new().push(one(0.5, -0.2)?),
        Sequential::new().push(nand_and_or).push(Step).push(one(0.5, -0.7)?),
    ])
}
// ANCHOR_END: given

fn one_layer(rng: &mut Rng) -> Sequential {
    Sequential::new().push(Affine::new(2, 1, rng))
}

/// Four smooth hidden units: the step has no gradient to learn from, and with the two that would do, descent may stop in
/// a dead end.
fn two_layers(rng: &mut Rng) -> Sequential {
    Sequential::new().push(Affine::new(2, 4, rng)).push(Tanh).push(Affine::new(4, 1, rng))
}

/// What a model answers at each point.
fn answers(model: &Sequential, points: &Tensor) -> Result<Vec<usize>> {
    no_grad(|| Ok(model.forward(points)?.step().to_vec().into_iter().map(|answer| answer as usize).collect()))
}

fn corners() -> Result<Tensor> {
    Tensor::from_vec(CORNERS.as_flattened(), [4, 2])
}

/// Prints and claims what the four models answer at the corners.
fn report(how: &str, models: &[Sequential; 4], claims: &mut Claims) -> Result<()> {
    let mut found = Vec::new();
    for model in models {
        found.push(answers(model, &corners()?)?);
    }
    let rows = (0..4).map(|corner| {
        let [x1, x2] = CORNERS[corner];
        let [and, nand, or, xor] = [0, 1, 2, 3].map(|gate: usize| found[gate][corner].to_string());
        [x1.to_string(), x2.to_string(), and, nand, or, xor]
    });
    table(["x₁", "x₂", "AND", "NAND", "OR", "XOR"], rows);
    println!();
    for ((name, gate), found) in NAMES.iter().zip(GATES).zip(found) {
        claims.hold(format!("{name}, {how}, answers {found:?} at the four corners"), found == gate);
    }
    Ok(())
}

// ANCHOR: learn
/// Trains a model on a gate; returns the loss of each step.
fn learn(model: &mut Sequential, gate: Gate) -> Result<Vec<f64>> {
    let (inputs, targets) = (corners()?, Tensor::from_vec(gate.map(|answer| answer as f32), [4, 1])?);
    let mut optimizer = Sgd::new(0.5);
    let mut losses = Vec::new();
    for _ in 0..2000 {
        let z = model.forward(&inputs)?;
        // The cross-entropy of the probabilities sigmoid(z) for 1 and sigmoid(-z) for 0, without overflow.
        let loss = (z.softplus() - &targets * &z).mean();
        loss.backward()?;
        optimizer.step(model)?.require_all()?;
        losses.push(f64::from(loss.item()));
    }
    Ok(losses)
}
// ANCHOR_END: learn

/// For each of the sixteen gates, how many perceptrons of a grid of weights compute it; and where there are none, a
/// reason that there is none at all.
///
/// Let `s` be 1 at the corners where a gate answers 1, and -1 where it answers 0. A perceptron computes the gate if
/// `x·w + b` is positive at the former and not at the latter. So if `Σ s (x, 1) = 0` over some corners, of both kinds, then
/// `Σ s (x·w + b)` is both zero and positive: there is no such `w, b`.
fn survey(claims: &mut Claims) -> Result<()> {
    const STEPS: usize = 17;
    let weight = |i: usize| i as f32 / 4.0 - 2.0; // -2 to 2 in steps of 1/4
    let count = STEPS.pow(3);
    let weights: Vec<f32> =
        (0..2).flat_map(|input| (0..count).map(move |i| weight(i / STEPS.pow(input) % STEPS))).collect();
    let biases: Vec<f32> = (0..count).map(|i| weight(i / STEPS.pow(2)) - 0.125).collect();
    // All perceptrons at once: [4, 2] times [2, count].
    let sums =
        corners()?.matmul(&Tensor::from_vec(weights, [2, count])?)? + Tensor::from_vec(biases, [count])?;
    let answers = sums.step().to_vec();

    let mut impossible = Vec::new();
    let mut undecided = 0;
    let mut rows = Vec::new();
    for number in 0..16 {
        let gate: Gate = std::array::from_fn(|corner| number >> (3 - corner) & 1);
        let computes = |i: &usize| (0..4).all(|corner| answers[corner * count + i] == gate[corner] as f32);
        let found = (0..count).filter(computes).count();
        let contradiction = contradiction(gate);
        match (found, contradiction.is_some()) {
            (0, true) => impossible.push(gate),
            (0, false) => undecided += 1,
            _ => {}
        }
        let name = GATES.iter().position(|other| *other == gate).map_or("", |i| NAMES[i]);
        rows.push([format!("{gate:?}"), name.into(), found.to_string(), contradiction.unwrap_or_default()]);
    }
    table(["gate", "", "perceptrons", "contradiction"], rows);
    println!();
    claims.hold(
        format!("each gate has a perceptron or a contradiction: {undecided} have neither"),
        undecided == 0,
    );
    claims.hold(
        format!("{impossible:?} have a contradiction, so no perceptron: XOR and its opposite"),
        impossible == [XOR, XOR.map(|answer| 1 - answer)],
    );
    Ok(())
}

/// Corners over which `Σ s (x, 1) = 0`, if there are, as a sum of inequalities that cannot all hold.
fn contradiction(gate: Gate) -> Option<String> {
    let vanishes = |subset: &Vec<usize>| {
        let mut sum = [0; 3];
        for &corner in subset {
            let [x1, x2] = CORNERS[corner].map(|x| x as i32);
            let sign = if gate[corner] == 1 { 1 } else { -1 };
            sum = [sum[0] + sign * x1, sum[1] + sign * x2, sum[2] + sign];
        }
        sum == [0; 3] && subset.iter().any(|&corner| gate[corner] == 1)
    };
    let mut subsets =
        (1..16usize).map(|set| (0..4).filter(|corner| set >> corner & 1 == 1).collect::<Vec<_>>());
    let found = subsets.find(vanishes)?;
    let side = |answer: usize, relation: &str| {
        let terms = found.iter().filter(|&&corner| gate[corner] == answer).map(|&corner| {
            let [w1, w2] = CORNERS[corner];
            let names = [(w1, "w₁"), (w2, "w₂"), (1.0, "b")];
            let terms: Vec<&str> =
                names.iter().filter(|(factor, _)| *factor != 0.0).map(|(_, name)| *name).collect();
            format!("({})", terms.join(" + "))
        });
        format!("{} {relation} 0", terms.collect::<Vec<_>>().join(" + "))
    };
    Some(format!("{}, yet {}", side(1, ">"), side(0, "≤")))
}

/// What a model answers in the plane, and what a gate answers at the corners.
fn regions(title: &str, model: &Sequential, gate: Gate) -> Result<Plane> {
    let at = |answer: usize| -> Vec<(f64, f64)> {
        let of = CORNERS.iter().zip(gate).filter(|(_, other)| *other == answer);
        of.map(|(corner, _)| (f64::from(corner[0]), f64::from(corner[1]))).collect()
    };
    Ok(Plane::new(title, (-0.5, 1.5), (-0.5, 1.5))
        .axes("x₁", "x₂")
        .regions(|points| answers(model, points))?
        .points("0", 0, at(0))
        .points("1", 1, at(1)))
}
