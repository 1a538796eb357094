//! Functions of functions: derivatives of tensors with respect to tensors, in either direction.
//!
//! Each runs the function at places of its own on the tape, so that they nest in any order, with each other and with
//! `grad` and `backward`: what one returns is tracked if it depends on something tracked outside, an input or a captured
//! tensor, and is a constant otherwise. Inside `no_grad` they work and return constants.

mod checkpoint;
mod hook;
mod trace;

pub use checkpoint::checkpoint;

use crate::array::Array;
use crate::error::{Error, ErrorKind, OfOp, Result, Site};
use crate::float::Float;
use crate::shape::Shape;
use crate::tape::recording;
use crate::tensor::Tensor;
use std::ops::Range;
use trace::{Sources, Trace};

/// The value `y = f(x₁, .., xₙ)` and the products `vᵀ ∂y/∂xᵢ` of a cotangent with the Jacobian of each input: reverse
/// mode.
///
/// `cotangent` has the shape of `y`; each gradient has the shape of its input, and is zero for an input that `y` does not
/// depend on. One forward and one backward pass.
///
/// # Errors
/// If the shapes of `cotangent` and `y` differ; and whatever `f` or a rule reports.
///
/// ```
/// use autodiff::{Tensor, vjp};
/// let x = Tensor::from_vec([1.0, 2.0], [2])?;
/// let cotangent = Tensor::from_vec([1.0, 10.0], [2])?;
/// let (y, gradients) = vjp(|x| Ok(x[0].square()), &[&x], &cotangent)?;
/// assert_eq!((y.to_vec(), gradients[0].to_vec()), (vec![1.0, 4.0], vec![2.0, 40.0]));
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn vjp<T: Float>(
    f: impl FnOnce(&[Tensor<T>]) -> Result<Tensor<T>>,
    inputs: &[&Tensor<T>],
    cotangent: &Tensor<T>,
) -> Result<(Tensor<T>, Vec<Tensor<T>>)> {
    let trace = Trace::run(f, inputs, &[cotangent])?;
    let (left, right) = (cotangent.shape(), trace.output.shape());
    if left != right {
        let what = "the cotangent must have the shape of the output";
        return Err(ErrorKind::Mismatch { what, left, right }.of("vjp"));
    }
    let gradients = trace.last(|| trace.sources.pull(&trace.output, cotangent))?;
    Ok((trace.leaving(&trace.output), gradients))
}

/// The value `y = f(x₁, .., xₙ)`, a single number, and the gradient `∂y/∂xᵢ` of each input.
///
/// Each gradient has the shape of its input, and is zero for an input that `y` does not depend on. Unlike
/// [`grad`](crate::grad), the inputs need not be tracked. One forward and one backward pass.
///
/// # Errors
/// If `y` has not exactly one element; and whatever `f` or a rule reports.
///
/// ```
/// use autodiff::{Tensor, value_and_grad};
/// let x = Tensor::from_vec([3.0, -1.0], [2])?;
/// let (y, gradients) = value_and_grad(|x| Ok(x[0].square().sum()), &[&x])?;
/// assert_eq!((y.item(), gradients[0].to_vec()), (10.0, vec![6.0, -2.0]));
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad<T: Float>(
    f: impl FnOnce(&[Tensor<T>]) -> Result<Tensor<T>>,
    inputs: &[&Tensor<T>],
) -> Result<(Tensor<T>, Vec<Tensor<T>>)> {
    let trace = Trace::run(f, inputs, &[])?;
    let seed = one(&trace.output).of_op("value_and_grad")?;
    let gradients = trace.last(|| trace.sources.pull(&trace.output, &seed))?;
    Ok((trace.leaving(&trace.output), gradients))
}

/// The value `y = f(x₁, .., xₙ)` and its derivative `Σᵢ ∂y/∂xᵢ vᵢ` in the direction of the tangents: forward mode.
///
/// Each tangent has the shape of its input, and the derivative that of `y`; it is zero if `y` depends on no input.
///
/// The product of a cotangent `u` with the Jacobian is linear in `u`; pulling `v` back through it, with respect to `u`,
/// is the product of the Jacobian with `v`. So the rules of reverse mode are all there is, and the derivative is exact
/// and can be differentiated again. One forward and two backward passes.
///
/// # Errors
/// If there are not as many tangents as inputs, or the shapes of a tangent and its input differ; and whatever `f` or a
/// rule reports.
///
/// ```
/// use autodiff::{Tensor, jvp};
/// let x = Tensor::from_vec([1.0, 2.0], [2])?;
/// let v = Tensor::from_vec([1.0, 10.0], [2])?;
/// let (y, tangent) = jvp(|x| Ok(x[0].square()), &[&x], &[&v])?;
/// assert_eq!((y.to_vec(), tangent.to_vec()), (vec![1.0, 4.0], vec![2.0, 40.0]));
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn jvp<T: Float>(
    f: impl FnOnce(&[Tensor<T>]) -> Result<Tensor<T>>,
    inputs: &[&Tensor<T>],
    tangents: &[&Tensor<T>],
) -> Result<(Tensor<T>, Tensor<T>)> {
    if inputs.len() != tangents.len() {
        let message = format!("{} tangents for {} inputs", tangents.len(), inputs.len());
        return Err(ErrorKind::Message(message).of("jvp"));
    }
    for (tangent, input) in tangents.iter().zip(inputs) {
        let (left, right) = (tangent.shape(), input.shape());
        if left != right {
            let what = "a tangent must have the shape of its input";
            return Err(ErrorKind::Mismatch { what, left, right }.of("jvp"));
        }
    }
    let trace = Trace::run(f, inputs, tangents)?;
    let (cotangent, gradients) = transposed(&trace)?;
    let along = |total: Tensor<T>, (gradient, &tangent): (&Tensor<T>, &&Tensor<T>)| {
        total + (gradient * tangent).sum()
    };
    let product = recording(true, || gradients.iter().zip(tangents).fold(Tensor::scalar(T::ZERO), along));
    let tangent = trace.last(|| cotangent.pull(&product, &Tensor::scalar(T::ONE)))?.remove(0);
    Ok((trace.leaving(&trace.output), tangent))
}

/// A cotangent of zeros, and the gradients of the inputs as functions of it.
fn transposed<T: Float>(trace: &Trace<T>) -> Result<(Sources<T>, Vec<Tensor<T>>)> {
    let cotangent = Sources::of([&Tensor::from(Array::expanded(T::ZERO, trace.output.shape()))]);
    let gradients = trace.pull_recorded(&cotangent.tensors()[0])?;
    Ok((cotangent, gradients))
}

/// The Jacobian of `f` at `x`: `J[i, j] = ∂f(x)[i] / ∂x[j]` for multi-indices `i` and `j`.
///
/// Its shape is that of the output followed by that of `x`. One backward pass for each element of the output or of `x`,
/// whichever are fewer.
///
/// # Errors
/// If output and `x` have more than [`MAX_RANK`](crate::MAX_RANK) axes together, or the result is too large; and
/// whatever `f` or a rule reports.
///
/// ```
/// use autodiff::{Tensor, jacobian};
/// let x = Tensor::from_vec([2.0, 3.0], [2])?;
/// let j = jacobian(|x| Ok(x * x.sum()), &x)?;
/// assert_eq!(j.shape(), [2, 2]);
/// assert_eq!(j.to_vec(), [7.0, 2.0, 3.0, 8.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn jacobian<T: Float>(
    f: impl FnOnce(&Tensor<T>) -> Result<Tensor<T>>,
    x: &Tensor<T>,
) -> Result<Tensor<T>> {
    let trace = Trace::run(|x| f(&x[0]), &[x], &[])?;
    let shape = joined(trace.output.shape(), x.shape()).of_op("jacobian")?;
    if trace.output.size() <= x.size() {
        return trace.last(|| rows(&trace.sources, &trace.output)?.reshaped(shape));
    }
    let (cotangent, gradients) = transposed(&trace)?;
    trace.last(|| rows(&cotangent, &gradients[0])?.t()?.reshaped(shape))
}

/// The Hessian of a function with a single number as its value: `H[i, j] = ∂²f(x) / ∂x[i] ∂x[j]` for multi-indices `i`
/// and `j`.
///
/// Its shape is that of `x` twice. A backward pass, and one for each element of `x`.
///
/// # Errors
/// If `x` has more than half of [`MAX_RANK`](crate::MAX_RANK) axes, or the result is too large; if the value has not
/// exactly one element; and whatever `f` or a rule reports.
///
/// ```
/// use autodiff::{Tensor, hessian};
/// let x = Tensor::from_vec([2.0, 3.0], [2])?;
/// let h = hessian(|x| Ok(x.square().sum().square()), &x)?; // 8 x xᵀ + 4 |x|²
/// assert_eq!(h.to_vec(), [84.0, 48.0, 48.0, 124.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn hessian<T: Float>(
    f: impl FnOnce(&Tensor<T>) -> Result<Tensor<T>>,
    x: &Tensor<T>,
) -> Result<Tensor<T>> {
    let shape = joined(x.shape(), x.shape()).of_op("hessian")?;
    let trace = Trace::run(|x| f(&x[0]), &[x], &[])?;
    let gradient = trace.pull_recorded(&one(&trace.output).of_op("hessian")?)?.remove(0);
    trace.last(|| rows(&trace.sources, &gradient)?.reshaped(shape))
}

/// The product `H v` of the Hessian of `f` at `x` with `v`, without the Hessian: see [`hessian`].
///
/// `v` and the product have the shape of `x`. Two backward passes, whatever the size of `x`.
///
/// # Errors
/// If the shapes of `v` and `x` differ, or the value of `f` has not exactly one element; and whatever `f` or a rule
/// reports.
///
/// ```
/// use autodiff::{Tensor, hvp};
/// let x = Tensor::from_vec([2.0, 3.0], [2])?;
/// let v = Tensor::from_vec([1.0, 0.0], [2])?;
/// assert_eq!(hvp(|x| Ok(x.square().sum().square()), &x, &v)?.to_vec(), [84.0, 48.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn hvp<T: Float>(
    f: impl FnOnce(&Tensor<T>) -> Result<Tensor<T>>,
    x: &Tensor<T>,
    v: &Tensor<T>,
) -> Result<Tensor<T>> {
    let (left, right) = (v.shape(), x.shape());
    if left != right {
        let what = "the vector must have the shape of the point";
        return Err(ErrorKind::Mismatch { what, left, right }.of("hvp"));
    }
    let trace = Trace::run(|x| f(&x[0]), &[x], &[v])?;
    let gradient = trace.pull_recorded(&one(&trace.output).of_op("hvp")?)?.remove(0);
    // The Hessian is symmetric: pulling v back through the gradient is the product with v.
    Ok(trace.last(|| trace.sources.pull(&gradient, v))?.remove(0))
}

/// The gradients of the losses of a batch's rows, each by itself: `∂ f(x₁, .., xₙ; r) / ∂xᵢ` for rows `r` from 0 to
/// `rows`.
///
/// `f` is given the inputs (the parameters, say) and the range `r..r + 1`, and returns the loss of that row of the batch;
/// with a range, `slice` keeps the axis that a model wants. The gradients of `xᵢ` are stacked along a new axis 0.
///
/// A forward and a backward pass for each row: use it where the separate gradients matter (clipping each, their
/// variance, the influence of examples), not for their sum.
///
/// # Errors
/// If an input has [`MAX_RANK`](crate::MAX_RANK) axes, or a loss has not exactly one element; and whatever `f` or a rule
/// reports.
///
/// ```
/// use autodiff::{Tensor, per_sample_grads};
/// let data = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?;
/// let w = Tensor::from_vec([10.0, 1.0], [2])?;
/// let loss = |x: &[Tensor], row| Ok((data.slice(0, row)?.matmul(&x[0])?).sum());
/// let gradients = per_sample_grads(loss, &[&w], 2)?;
/// assert_eq!(gradients[0].to_vec(), [1.0, 2.0, 3.0, 4.0]); // a row of the data for each row
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn per_sample_grads<T: Float>(
    f: impl Fn(&[Tensor<T>], Range<usize>) -> Result<Tensor<T>>,
    inputs: &[&Tensor<T>],
    rows: usize,
) -> Result<Vec<Tensor<T>>> {
    let site = Site::caller();
    let at = |error: Error| error.at("per_sample_grads", site);
    let shape = |input: &&Tensor<T>| joined(Shape::from([rows]), input.shape()).map_err(at);
    let shapes = inputs.iter().map(shape).collect::<Result<Vec<_>>>()?;
    let mut found: Vec<Vec<Tensor<T>>> = vec![Vec::with_capacity(rows); inputs.len()];
    for row in 0..rows {
        let trace = Trace::run(|inputs| f(inputs, row..row + 1), inputs, &[])?;
        let seed = one(&trace.output).map_err(at)?;
        let gradients = trace.last(|| trace.sources.pull(&trace.output, &seed))?;
        found.iter_mut().zip(gradients).for_each(|(found, gradient)| found.push(gradient));
    }
    found.into_iter().zip(shapes).map(|(found, shape)| stacked(&found, shape)).collect()
}

/// The seed of a gradient, if the output is a single number.
fn one<T: Float>(output: &Tensor<T>) -> Result<Tensor<T>> {
    if output.size() == 1 {
        Ok(Tensor::ones(output.shape()))
    } else {
        Err(ErrorKind::NotScalar { shape: output.shape() }.into())
    }
}

/// The axes of one shape and then of another.
fn joined(left: Shape, right: Shape) -> Result<Shape> {
    Shape::new(&left.iter().chain(right.iter()).collect::<Vec<_>>())
}

/// The Jacobian of `output` with respect to the only source, as a matrix.
fn rows<T: Float>(sources: &Sources<T>, output: &Tensor<T>) -> Result<Tensor<T>> {
    let mut rows = Vec::with_capacity(output.size());
    let mut seed = vec![T::ZERO; output.size()];
    for element in 0..output.size() {
        seed[element] = T::ONE;
        rows.push(sources.pull(output, &Tensor::from_vec(&seed, output.shape())?)?.remove(0));
        seed[element] = T::ZERO;
    }
    stacked(&rows, Shape::new(&[output.size(), sources.tensors()[0].size()])?)
}

/// The tensors one after the other, in the given shape.
fn stacked<T: Float>(tensors: &[Tensor<T>], shape: Shape) -> Result<Tensor<T>> {
    if tensors.is_empty() {
        return Ok(Tensor::zeros(shape));
    }
    // Flat, so that a new axis finds room whatever their rank.
    let flat = |tensor: &Tensor<T>| tensor.reshaped(Shape::new(&[tensor.size()])?);
    let flat = tensors.iter().map(flat).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&flat.iter().collect::<Vec<_>>(), 0)?.reshaped(shape)
}
