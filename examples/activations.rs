//! The activation functions: their values, their slopes, and the slopes of their slopes.
//!
//! `cargo run --release --example activations` takes the first derivative of each from the tape, and the second from the
//! tape of the first; holds both to central differences; and draws all three.

use autodiff::{Result, Tensor, value_and_grad};
use examples::chapter::{self, Claims, Options, table};
use std::process::ExitCode;
use train::figure::{Figure, Lines};

/// A function of each element.
type Function = fn(&Tensor<f64>) -> Result<Tensor<f64>>;

const FUNCTIONS: [(&str, Function); 9] = [
    ("step", |x| Ok(x.step())),
    ("identity", |x| Ok(x.clone())),
    ("sigmoid", |x| Ok(x.sigmoid())),
    ("tanh", |x| Ok(x.tanh())),
    ("relu", |x| Ok(x.relu())),
    ("softplus", |x| Ok(x.softplus())),
    ("gelu", |x| Ok(x.gelu())),
    ("silu", |x| Ok(x.silu())),
    ("softmax of (x, 0, 0)", |x| {
        let zeros = Tensor::zeros(x.shape());
        Tensor::stack(&[x, &zeros, &zeros], 1)?.softmax(1)?.slice(1, 0..1)?.squeeze(1)
    }),
];

fn main() -> ExitCode {
    chapter::run(run)
}

fn run(_: &Options, claims: &mut Claims) -> chapter::Result<()> {
    // From -6 to 6 in steps of 1/32, which are exact.
    let xs: Vec<f64> = (-192..=192).map(|i| f64::from(i) / 32.0).collect();
    let x = Tensor::from_vec(&xs, [xs.len()])?;
    let at = |point: f64| ((point + 6.0) * 32.0) as usize;

    let mut figure = Figure::new("Activation functions").columns(3);
    let (mut values, mut slopes) = (Vec::new(), Vec::new());
    let mut differences = [0.0f64; 2];
    let mut known = Vec::new();
    for (name, f) in FUNCTIONS {
        let y = f(&x)?.to_vec();
        let first = slope(f, &x)?.to_vec();
        let second = slope(|x| slope(f, x), &x)?.to_vec();
        let wrong = [apart(&first, f, &x)?, apart(&second, |x| slope(f, x), &x)?];

        let digits = |y: f64| format!("{y:.4}");
        let points = [-4.0, -1.0, 0.0, 1.0, 4.0].map(|point| digits(y[at(point)]));
        let [a, b, c, d, e] = points;
        values.push([name.into(), a, b, c, d, e]);
        let largest = first.iter().fold(0.0f64, |largest, slope| largest.max(slope.abs()));
        slopes.push([
            name.into(),
            digits(largest),
            digits(first[at(0.0)]),
            digits(first[at(4.0)]),
            digits(second[at(0.0)]),
            digits(second[at(4.0)]),
            format!("{:.0e}", wrong[0].max(wrong[1])),
        ]);
        differences = [differences[0].max(wrong[0]), differences[1].max(wrong[1])];
        known.push((name, first[at(0.0)], second[at(0.0)], largest));

        let line = |ys: &[f64]| xs.iter().copied().zip(ys.iter().copied()).collect::<Vec<_>>();
        let panel = Lines::new(name, "x", "")
            .y_range(-1.1, 2.1)
            .line("value", line(&y))
            .line("slope", line(&first))
            .line("slope of the slope", line(&second));
        figure = figure.panel(panel);
    }
    println!("Values f(x)\n");
    table(["f", "x = -4", "-1", "0", "1", "4"], values);
    println!("\nSlopes f′(x) and f″(x), and the largest distance of either from central differences\n");
    table(["f", "max |f′|", "f′(0)", "f′(4)", "f″(0)", "f″(4)", "off by"], slopes);
    println!();

    let [first, second] = differences;
    claims
        .hold(format!("first derivatives are within 1e-8 of central differences: {first:.1e}"), first < 1e-8);
    claims.hold(
        format!("second derivatives are within 1e-8 of central differences: {second:.1e}"),
        second < 1e-8,
    );
    let of = |name: &str| known.iter().find(|row| row.0 == name).expect("it is in the table");
    let density = 0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
    let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
    let sigmoid = of("sigmoid");
    claims.hold(
        format!("the slope of sigmoid is largest at 0, where it is 1/4: {:.6}", sigmoid.1),
        close(sigmoid.1, 0.25) && close(sigmoid.3, 0.25),
    );
    claims.hold(format!("that of tanh is 1 at 0: {:.6}", of("tanh").1), close(of("tanh").1, 1.0));
    claims
        .hold(format!("that of relu at its kink is 0 by convention: {}", of("relu").1), of("relu").1 == 0.0);
    claims.hold(
        format!("that of step is 0 everywhere, so nothing learns: {}", of("step").3),
        of("step").3 == 0.0,
    );
    claims.hold(
        format!("gelu″(0) is twice the normal density, √(2/π): {:.6}", of("gelu").2),
        close(of("gelu").2, 2.0 * density),
    );
    claims.hold(format!("silu″(0) is 1/2: {:.6}", of("silu").2), close(of("silu").2, 0.5));

    softmax(claims)?;
    figure.save("activations")?;
    Ok(())
}

// ANCHOR: slope
/// The derivative of a function of each element, itself such a function: the gradient of the sum.
fn slope(f: impl Fn(&Tensor<f64>) -> Result<Tensor<f64>>, x: &Tensor<f64>) -> Result<Tensor<f64>> {
    let (_, gradients) = value_and_grad(|x| Ok(f(&x[0])?.sum()), &[x])?;
    Ok(gradients[0].clone())
}
// ANCHOR_END: slope

/// The largest distance of a derivative from central differences of `f`, but at 0, where some have a kink.
fn apart(
    derivative: &[f64],
    f: impl Fn(&Tensor<f64>) -> Result<Tensor<f64>>,
    x: &Tensor<f64>,
) -> Result<f64> {
    let h = 1e-5;
    let differences = ((f(&(x + h))? - f(&(x - h))?) / (2.0 * h)).to_vec();
    let both = x.to_vec().into_iter().zip(derivative.iter().zip(differences));
    Ok(both.filter(|(x, _)| *x != 0.0).map(|(_, (a, b))| (a - b).abs()).fold(0.0, f64::max))
}

/// Softmax is no function of each element: its derivative is a matrix.
fn softmax(claims: &mut Claims) -> Result<()> {
    let x = Tensor::from_vec([0.3, 2.9, 4.0], [3])?;
    let y = x.softmax(0)?.to_vec();
    let jacobian = autodiff::jacobian(|x| x.softmax(0), &x)?.to_vec();
    println!("\nsoftmax (0.3, 2.9, 4.0) and its Jacobian, ∂yᵢ/∂xⱼ = yᵢ (δᵢⱼ - yⱼ)\n");
    let digits = |y: f64| format!("{y:.4}");
    let row = |i: usize| {
        [
            i.to_string(),
            digits(y[i]),
            digits(jacobian[3 * i]),
            digits(jacobian[3 * i + 1]),
            digits(jacobian[3 * i + 2]),
        ]
    };
    table(["i", "yᵢ", "∂yᵢ/∂x₀", "∂yᵢ/∂x₁", "∂yᵢ/∂x₂"], (0..3).map(row));
    println!();
    let closed = |i: usize, j: usize| y[i] * (f64::from(u8::from(i == j)) - y[j]);
    let off = (0..9).map(|k| (jacobian[k] - closed(k / 3, k % 3)).abs()).fold(0.0, f64::max);
    let total: f64 = y.iter().sum();
    claims.hold(format!("the Jacobian of softmax is diag(y) - y yᵀ, to {off:.1e}"), off < 1e-15);
    claims.hold(
        format!("what softmax returns adds up to 1, to {:.1e}", (total - 1.0).abs()),
        (total - 1.0).abs() < 1e-15,
    );
    Ok(())
}
