//! The gradients of an affine layer `Y = X W + b`, shape by shape.
//!
//! `cargo run --release --example matrix_calculus` reads the gradients of a loss `L(Y)` off the tape, compares them with
//! the closed forms, and both with the whole Jacobians, which it draws. With `G = ∂L/∂Y`, `[n, k]`:
//!
//! ```text
//! X [n, m]    ∂L/∂X = G Wᵀ          ∂Y[i,j]/∂X[p,q] = W[q,j] if i = p, else 0
//! W [m, k]    ∂L/∂W = Xᵀ G          ∂Y[i,j]/∂W[p,q] = X[i,p] if j = q, else 0
//! b [k]       ∂L/∂b = Σᵢ G[i,:]     ∂Y[i,j]/∂b[q]   = 1      if j = q, else 0
//! ```

use autodiff::{Result, Rng, Tensor, grad, jacobian};
use examples::chapter::{self, Claims, Options, table};
use std::process::ExitCode;
use train::figure::{Figure, Image};

const INPUTS: [&str; 3] = ["X", "W", "b"];
const FORMS: [&str; 3] = ["G Wᵀ", "Xᵀ G", "Σᵢ G[i,:]"];

fn main() -> ExitCode {
    chapter::run(run)
}

fn run(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    let mut rng = Rng::seed(options.seed);
    println!(
        "The gradients of L = Σ sin Y, from the tape, and their largest distance from the closed forms\n"
    );
    let mut rows = Vec::new();
    let mut largest = 0.0f64;
    for [n, m, k] in [[1, 1, 1], [1, 3, 2], [3, 2, 4], [64, 784, 10]] {
        let affine = Affine::new([n, m, k], &mut rng);
        let (tape, closed) = (affine.gradients()?, affine.closed_forms()?);
        for i in 0..3 {
            let off = apart(&tape[i], &closed[i]);
            largest = largest.max(off);
            let layer = format!("[{n}, {m}] [{m}, {k}] + [{k}]");
            let gradient = format!("∂L/∂{}", INPUTS[i]);
            rows.push([layer, gradient, FORMS[i].into(), tape[i].shape().to_string(), format!("{off:.0e}")]);
        }
    }
    table(["X W + b", "gradient", "closed form", "shape", "off by"], rows);
    println!();
    claims.hold(format!("the gradients are the closed forms, to {largest:.1e}"), largest < 1e-11);

    println!("\nThe Jacobians of Y = X W + b, [3, 2] [2, 4] + [4]\n");
    let affine = Affine::new([3, 2, 4], &mut rng);
    let (gradients, outputs) = (affine.gradients()?, 12);
    let g = affine.output_gradient()?.reshape([1, -1])?;
    let mut rows = Vec::new();
    let mut off = [0.0f64; 2];
    let mut others = Vec::new();
    let mut figure = Figure::new("Jacobians of Y = X W + b: a row for each element of Y").columns(3);
    for (i, (tape, closed)) in affine.jacobians()?.into_iter().enumerate() {
        // The elements of Y on one axis, those of the input on the other: G times this matrix is the gradient.
        let matrix = tape.reshape([outputs, -1])?;
        let product = g.matmul(&matrix)?;
        let found = [apart(&tape, &closed), apart(&product, &gradients[i].reshape([1, -1])?)];
        off = [off[0].max(found[0]), off[1].max(found[1])];
        let values: Vec<f32> = matrix.to_vec().into_iter().map(|value| value as f32).collect();
        others.push(values.iter().filter(|value| **value != 0.0).count());
        rows.push([
            format!("∂Y/∂{}", INPUTS[i]),
            tape.shape().to_string(),
            format!("{} of {}", others[i], values.len()),
            format!("{:.0e}", found[0]),
            format!("{:.0e}", found[1]),
        ]);
        let columns = values.len() / outputs as usize;
        let image = Image::new(columns, &values).signed();
        figure = figure.panel(
            image
                .caption(format!("∂Y/∂{}, {}", INPUTS[i], tape.shape()))
                .caption(format!("as [12, {columns}]")),
        );
    }
    table(["Jacobian", "shape", "not zero", "off by", "G J off the gradient by"], rows);
    println!();
    claims.hold(format!("the Jacobians are the closed forms, to {:.1e}", off[0]), off[0] < 1e-14);
    claims.hold(format!("G times a Jacobian is the gradient, to {:.1e}", off[1]), off[1] < 1e-14);
    claims.hold(
        format!(
            "of their elements {others:?} are not zero: n k m, n k m and n k; backpropagation skips the rest"
        ),
        others == [24, 24, 12],
    );
    figure.save("matrix_calculus")?;
    Ok(())
}

/// The variables of `Y = X W + b`.
struct Affine {
    x: Tensor<f64>,
    w: Tensor<f64>,
    b: Tensor<f64>,
}

impl Affine {
    /// Random numbers for `X [n, m]`, `W [m, k]`, `b [k]`.
    fn new([n, m, k]: [usize; 3], rng: &mut Rng) -> Self {
        let x = rng.normal([n, m], 0.0, 1.0).variable();
        let w = rng.normal([m, k], 0.0, 1.0).variable();
        Self { x, w, b: rng.normal([k], 0.0, 1.0).variable() }
    }

    // ANCHOR: forms
    fn output(&self) -> Result<Tensor<f64>> {
        Ok(self.x.matmul(&self.w)? + &self.b)
    }

    /// What the tape says: the gradients of `Σ sin Y`.
    fn gradients(&self) -> Result<[Tensor<f64>; 3]> {
        grad(&self.output()?.sin().sum(), [&self.x, &self.w, &self.b])
    }

    /// `G`: the derivative of `Σ sin Y` with respect to `Y` is `cos Y`.
    fn output_gradient(&self) -> Result<Tensor<f64>> {
        Ok(self.output()?.detach().cos())
    }

    fn closed_forms(&self) -> Result<[Tensor<f64>; 3]> {
        let g = self.output_gradient()?;
        Ok([g.matmul(&self.w.t()?)?, self.x.t()?.matmul(&g)?, g.sum_axes(0)?])
    }
    // ANCHOR_END: forms

    /// The Jacobian with respect to each input, as `jacobian` gives it and as its closed form.
    fn jacobians(&self) -> Result<[(Tensor<f64>, Tensor<f64>); 3]> {
        let ([n, m], [_, k]) = (self.x.dims()?, self.w.dims()?);
        let (x, w, b) = (self.x.detach(), self.w.detach(), self.b.detach());
        // Products with the identity matrix along the axes that must agree, others stretched.
        let (eye_n, eye_k) = (identity(n)?, identity(k)?);
        let by_x = eye_n.reshape(axes([n, 1, n, 1]))? * w.t()?.reshape(axes([1, k, 1, m]))?;
        let by_w = x.reshape(axes([n, 1, m, 1]))? * eye_k.reshape(axes([1, k, 1, k]))?;
        let by_b = eye_k.reshape(axes([1, k, k]))?.broadcast_to([n, k, k])?;
        Ok([
            (jacobian(|x| Ok(x.matmul(&w)? + &b), &x)?, by_x),
            (jacobian(|w| Ok(x.matmul(w)? + &b), &w)?, by_w),
            (jacobian(|b| Ok(x.matmul(&w)? + b), &b)?, by_b),
        ])
    }
}

fn axes<const N: usize>(sizes: [usize; N]) -> [isize; N] {
    sizes.map(|size| size as isize)
}

fn identity(n: usize) -> Result<Tensor<f64>> {
    Tensor::one_hot(&(0..n).collect::<Vec<_>>(), n)
}

/// The largest distance between elements of two tensors of one shape.
fn apart(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape(), "the closed form has another shape");
    (a - b).abs().max().item()
}
