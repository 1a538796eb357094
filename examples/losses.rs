//! The losses: mean squared error and cross-entropy, with labels and one-hot; and why they are computed from logits.
//!
//! `cargo run --release --example losses` prints the losses of a few answers, holds their gradients to the closed forms,
//! shows a softmax written as its formula overflow where that of the crate does not, and draws how steep each loss is.

use autodiff::{Result, Tensor, value_and_grad};
use examples::chapter::{self, Claims, Options, table};
use nn::loss::{cross_entropy, mean_squared_error, soft_cross_entropy};
use std::process::ExitCode;
use train::figure::{Figure, Lines};

fn main() -> ExitCode {
    chapter::run(run)
}

fn run(_: &Options, claims: &mut Claims) -> chapter::Result<()> {
    two_losses(claims)?;
    one_hot_and_labels(claims)?;
    let overflow = overflow(claims)?;
    let slopes = slopes(claims)?;
    Figure::new("Losses of a wrong answer").columns(2).panel(slopes).panel(overflow).save("losses")?;
    Ok(())
}

/// A right and a wrong answer to an image of a 2.
fn two_losses(claims: &mut Claims) -> Result<()> {
    let target = Tensor::<f64>::one_hot(&[2], 10)?;
    let answers = [
        ("60 % on 2", [0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]),
        ("60 % on 7", [0.1, 0.05, 0.1, 0.0, 0.05, 0.1, 0.0, 0.6, 0.0, 0.0]),
    ];
    println!("The losses of two answers to an image of a 2\n");
    let mut rows = Vec::new();
    let mut found = Vec::new();
    for (name, probabilities) in answers {
        let probabilities = Tensor::from_vec(probabilities, [1, 10])?;
        let mean = mean_squared_error(&probabilities, &target)?.item();
        // Logits are logarithms of probabilities; -∞ is that of 0.
        let entropy = cross_entropy(&probabilities.ln(), &[2])?.item();
        rows.push([name.into(), format!("{mean:.4}"), format!("{:.4}", 5.0 * mean), format!("{entropy:.4}")]);
        found.push((5.0 * mean, entropy));
    }
    table(["answer", "mean of squares", "half their sum", "cross-entropy"], rows);
    println!();
    let expected = [(0.0975, -0.6f64.ln()), (0.5975, -0.1f64.ln())];
    let off =
        found.iter().zip(expected).map(|(a, b)| (a.0 - b.0).abs().max((a.1 - b.1).abs())).fold(0.0, f64::max);
    claims.hold(format!("they are 0.0975 and 0.5975, -ln 0.6 and -ln 0.1, to {off:.0e}"), off < 1e-12);
    Ok(())
}

/// Labels are one-hot rows, said shorter: same loss, same gradient.
fn one_hot_and_labels(claims: &mut Claims) -> Result<()> {
    let logits = Tensor::from_vec([2.0, -1.0, 0.5, 0.0, 3.0, -2.0], [2, 3])?;
    let labels = [0, 2];
    let targets = Tensor::<f64>::one_hot(&labels, 3)?;
    let (by_label, label_slopes) = value_and_grad(|x| cross_entropy(&x[0], &labels), &[&logits])?;
    let (by_row, row_slopes) = value_and_grad(|x| soft_cross_entropy(&x[0], &targets), &[&logits])?;
    let (mean, mean_slopes) = value_and_grad(|x| mean_squared_error(&x[0], &targets), &[&logits])?;
    println!(
        "\nTwo rows of logits, (2, -1, 0.5) with label 0 and (0, 3, -2) with label 2: losses and gradients\n"
    );
    let row = |name: &str, loss: &Tensor<f64>, slopes: &Tensor<f64>| {
        let slopes: Vec<String> = slopes.to_vec().iter().map(|slope| format!("{slope:.4}")).collect();
        [name.into(), format!("{:.6}", loss.item()), slopes.join("  ")]
    };
    let rows = [
        row("cross-entropy, labels", &by_label, &label_slopes[0]),
        row("cross-entropy, one-hot", &by_row, &row_slopes[0]),
        row("mean squared error", &mean, &mean_slopes[0]),
    ];
    table(["loss", "value", "gradient"], rows);
    println!();
    let off = |a: &Tensor<f64>, b: &Tensor<f64>| (a - b).abs().max().item();
    let same = off(&by_label, &by_row).max(off(&label_slopes[0], &row_slopes[0]));
    claims
        .hold(format!("labels and one-hot rows give one loss and one gradient, to {same:.0e}"), same < 1e-15);
    let closed = off(&label_slopes[0], &((logits.softmax(-1)? - &targets) / 2.0));
    claims.hold(format!("the gradient is (softmax(x) - one-hot) / rows, to {closed:.0e}"), closed < 1e-15);
    let closed = off(&mean_slopes[0], &((logits - targets) * (2.0 / 6.0)));
    claims.hold(format!("that of the mean squared error is 2 (y - t) / n, to {closed:.0e}"), closed < 1e-15);
    Ok(())
}

// ANCHOR: naive
/// The cross-entropy as its formula says: `-ln (e^x₀ / Σ e^xⱼ)`.
fn naive(x: &Tensor) -> Result<Tensor> {
    let e = x.exp();
    let total = e.sum();
    Ok(-(e / total).slice(1, 0..1)?.ln().sum())
}
// ANCHOR_END: naive

/// Logits that grow: where the formula overflows, or its probability underflows, and the crate's loss does not.
fn overflow(claims: &mut Claims) -> Result<Lines> {
    let losses = |scale: f32| -> Result<[(f32, Vec<f32>); 2]> {
        let x = Tensor::from_vec([0.0, 0.5 * scale, scale], [1, 3])?;
        let of = |f: fn(&Tensor) -> Result<Tensor>| {
            let (loss, slopes) = value_and_grad(|x| f(&x[0]), &[&x])?;
            Ok::<_, autodiff::Error>((loss.item(), slopes[0].to_vec()))
        };
        Ok([of(naive)?, of(|x| cross_entropy(x, &[0]))?])
    };
    println!(
        "\nLogits (0, s/2, s) with label 0, in single precision: the formula as it stands, and the crate's\n"
    );
    let mut rows = Vec::new();
    let (mut broken, mut exact) = (0, true);
    let scales = [1.0, 10.0, 80.0, 100.0, 1000.0, 1e4];
    for scale in scales {
        let [(naive, naive_slopes), (ours, slopes)] = losses(scale)?;
        broken += usize::from(!naive.is_finite() || naive_slopes.iter().any(|slope| !slope.is_finite()));
        // ln (1 + e^(s/2) + e^s) in double precision, with e^s in front.
        let (half, whole) = (f64::from(-0.5 * scale).exp(), f64::from(-scale).exp());
        let expected = f64::from(scale) + (whole + half).ln_1p();
        exact &= (f64::from(ours) - expected).abs() <= 2.0 * f64::from(f32::EPSILON) * expected
            && slopes.iter().all(|slope| slope.is_finite());
        let shown =
            |slopes: &[f32]| slopes.iter().map(|slope| format!("{slope:.3}")).collect::<Vec<_>>().join("  ");
        rows.push([
            format!("{scale}"),
            format!("{naive}"),
            shown(&naive_slopes),
            format!("{ours}"),
            shown(&slopes),
        ]);
    }
    table(["s", "formula", "its gradient", "crate", "its gradient"], rows);
    println!();
    claims.hold(
        format!(
            "the formula fails on {broken} of {} rows: e⁸⁹ is too large for single precision",
            scales.len()
        ),
        broken == 3,
    );
    claims.hold("the crate's losses have seven digits right, and all of its gradients are finite", exact);

    let mut lines = [Vec::new(), Vec::new()];
    for scale in 0..=180u8 {
        let scale = f32::from(scale);
        for (line, (loss, _)) in lines.iter_mut().zip(losses(scale)?) {
            line.push((f64::from(scale), f64::from(loss)));
        }
    }
    let [naive, ours] = lines;
    Ok(Lines::new(
        "As the formula, and as the crate",
        "s, with logits (0, s/2, s) and label 0",
        "cross-entropy",
    )
    .line("formula, until it overflows", naive)
    .dashed("crate", ours))
}

/// How steep the losses are, as functions of the logit of the right answer: the mean squared error of a sigmoid is flat
/// where the answer is most wrong.
fn slopes(claims: &mut Claims) -> Result<Lines> {
    let zs: Vec<f64> = (-80..=80).map(|i| f64::from(i) / 10.0).collect();
    let z = Tensor::from_vec(&zs, [zs.len()])?;
    let slope = |f: fn(&Tensor<f64>) -> Tensor<f64>| -> Result<Vec<f64>> {
        let (_, slopes) = value_and_grad(|z| Ok(f(&z[0]).sum()), &[&z])?;
        Ok(slopes[0].to_vec())
    };
    let square = slope(|z| (1.0 - z.sigmoid()).square())?;
    let entropy = slope(|z| (-z).softplus())?;
    claims.hold(
        format!(
            "at a logit of -8 the slope of cross-entropy is {:.4}, of the squared error {:.4}",
            entropy[0], square[0]
        ),
        entropy[0] < -0.999 && square[0].abs() < 1e-3,
    );
    let line = |slopes: Vec<f64>| zs.iter().copied().zip(slopes).collect::<Vec<_>>();
    Ok(Lines::new(
        "Slope of the loss",
        "logit z of the right answer, whose probability is sigmoid(z)",
        "slope",
    )
    .line("cross-entropy", line(entropy))
    .line("squared error", line(square)))
}
