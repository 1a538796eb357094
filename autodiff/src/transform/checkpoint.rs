//! Memory for time: a part of a computation that keeps only its inputs.

use super::trace::Sources;
use crate::array::Array;
use crate::error::{ErrorKind, Result, Site};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::tape::{recording, write};
use crate::tensor::Tensor;

/// `f` of the inputs, run again where its gradient is asked for.
struct Checkpoint<F>(F);

impl<T, F> Op<T> for Checkpoint<F>
where
    T: Float,
    F: Fn(&[Tensor<T>]) -> Result<Tensor<T>> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        "checkpoint"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        Ok(self.first(inputs.iter().copied())?.array)
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(self.pull(&[index], &grad, at)?.remove(0))
    }
    fn vjps(&self, indices: &[usize], grad: &Tensor<T>, at: &Point<'_, T>) -> Option<Result<Vec<Tensor<T>>>> {
        Some(self.pull(indices, grad, at))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::INPUTS
    }
}

impl<F> Checkpoint<F> {
    /// Runs the function on constants: nothing is kept.
    fn first<'a, T: Float>(&self, inputs: impl Iterator<Item = &'a Array<T>>) -> Result<Tensor<T>>
    where
        F: Fn(&[Tensor<T>]) -> Result<Tensor<T>>,
    {
        (self.0)(&inputs.map(|x| Tensor::from(x.clone())).collect::<Vec<_>>())
    }

    /// Runs the function again, recorded as it would have been the first time, and pulls `grad` back through it.
    fn pull<T: Float>(&self, indices: &[usize], grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Vec<Tensor<T>>>
    where
        F: Fn(&[Tensor<T>]) -> Result<Tensor<T>>,
    {
        let mut point: Vec<_> = (0..at.inputs()).map(|index| at.input(index)).collect();
        let sources = Sources::of(indices.iter().map(|&index| &point[index]));
        for (&index, source) in indices.iter().zip(sources.tensors()) {
            point[index] = source.clone();
        }
        let output = recording(true, || (self.0)(&point))?;
        sources.pull(&output, grad)
    }
}

/// `f` of the inputs, with only these kept on the tape: the backward pass runs `f` again to have its values.
///
/// The output has the bits that it has without `checkpoint`. So have the gradients, but for the order of additions: that
/// of an input that is also used outside of `f`, and that of gradients of gradients, where a block is met twice.
/// A chain of `n` layers of one size, cut into `√n` checkpoints, needs memory for some `2 √n` of them instead of `n`, and
/// one more forward pass. Fifty residual layers, cut into checkpoints of seven, took 25 % of the memory at their peak
/// (`cargo test -p autodiff --test transform fifty -- --nocapture`); [`peak_memory`](crate::peak_memory) measures yours.
/// The gradient can be differentiated again; a pass that is itself recorded keeps what it recomputes.
///
/// `f` must be a function of its inputs: it runs once in the forward pass and once in each backward pass, and must
/// compute the same each time. Random numbers have to be drawn outside and passed in or captured, and running statistics
/// would be updated twice.
///
/// # Errors
/// What `f` reports; and if its output depends on something tracked that is not one of the inputs, such as a captured
/// parameter: its gradient would be lost.
///
/// ```
/// use autodiff::{Tensor, checkpoint, grad};
/// let x = Tensor::from_vec([0.5, -1.0], [1, 2])?.variable();
/// let w = Tensor::from_vec([1.0, 2.0, -0.5, 0.25], [2, 2])?.variable();
/// let block = |x: &[Tensor]| Ok(x[0].matmul(&x[1])?.tanh().exp());
///
/// let [dw] = grad(&checkpoint(block, &[&x, &w])?.sum(), [&w])?;
/// let [expected] = grad(&block(&[x, w.clone()])?.sum(), [&w])?;
/// assert_eq!(dw.to_vec(), expected.to_vec());
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn checkpoint<T: Float>(
    f: impl Fn(&[Tensor<T>]) -> Result<Tensor<T>> + Send + Sync + 'static,
    inputs: &[&Tensor<T>],
) -> Result<Tensor<T>> {
    let op = Checkpoint(f);
    // Not by `apply`: what `f` reports keeps the op and the line in `f`.
    let output = op.first(inputs.iter().map(|input| &input.array))?;
    // The inputs were constants: what makes the output tracked is something else.
    if output.is_tracked() {
        let message = "the output of the function depends on a tracked tensor that is not one of its inputs, \
                       and whose gradient would be lost: pass it as an input, or detach it";
        return Err(ErrorKind::Message(message.into()).of("checkpoint"));
    }
    Ok(write(op, inputs, output.array, Site::caller()))
}
