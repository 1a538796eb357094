//! A function run at a point of its own on the tape.

use crate::array::Array;
use crate::backward::gradients;
use crate::error::Result;
use crate::float::Float;
use crate::kernel::buffer::Shared;
use crate::op::{Op, Point, Reads};
use crate::tape::{Kind, Node, is_recording, place, recording};
use crate::tensor::Tensor;
use std::collections::HashSet;
use std::sync::PoisonError;

/// The input, at a new place on the tape.
///
/// A transform differentiates with respect to these new places and not to its inputs, so that a function that also
/// captures an input is differentiated in its argument alone.
struct Source;

impl<T: Float> Op<T> for Source {
    fn name(&self) -> &'static str {
        "source"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].clone())
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// New places on the tape, connected to the inputs they were made from where these are tracked.
///
/// When this is dropped, those made from constants lose their edge: what still refers to them is then known to be
/// constant in them.
pub(super) struct Sources<T: Float>(Vec<Tensor<T>>);

impl<T: Float> Sources<T> {
    #[track_caller]
    pub(super) fn of<'a>(inputs: impl IntoIterator<Item = &'a Tensor<T>>) -> Self {
        let mut sources = Vec::new();
        for input in inputs {
            sources.push(if is_recording() { place(Source, input) } else { place(Source, &input.detach()) });
        }
        Self(sources)
    }

    pub(super) fn tensors(&self) -> &[Tensor<T>] {
        &self.0
    }

    /// The gradients of `Σ seed · output` with respect to the sources; zeros where there is no dependence.
    pub(super) fn pull(&self, output: &Tensor<T>, seed: &Tensor<T>) -> Result<Vec<Tensor<T>>> {
        let found = gradients(output, seed, &self.0.iter().collect::<Vec<_>>())?;
        let zeros = |source: &Tensor<T>| Tensor::from(Array::expanded(T::ZERO, source.shape()));
        Ok(found.into_iter().zip(&self.0).map(|(found, x)| found.unwrap_or_else(|| zeros(x))).collect())
    }
}

impl<T: Float> Drop for Sources<T> {
    fn drop(&mut self) {
        for node in self.0.iter().filter_map(|source| source.node.as_ref()) {
            if let Kind::Op(record) = &node.kind
                && let Some(record) = &mut *record.write().unwrap_or_else(PoisonError::into_inner)
            {
                record.edges.retain(|edge| edge.node.is_some());
            }
        }
    }
}

/// A function that has run at sources, and whether what is computed from it has to stay on the tape.
pub(super) struct Trace<T: Float> {
    pub(super) sources: Sources<T>,
    pub(super) output: Tensor<T>,
    /// Whether the caller records and something outside is tracked. If not, derivatives are computed as constants,
    /// which is cheaper, and no place of the transform's own leaves it.
    recorded: bool,
}

impl<T: Float> Trace<T> {
    /// Runs `f`; `others` are tensors that the derivatives will also depend on.
    #[track_caller]
    pub(super) fn run(
        f: impl FnOnce(&[Tensor<T>]) -> Result<Tensor<T>>,
        inputs: &[&Tensor<T>],
        others: &[&Tensor<T>],
    ) -> Result<Self> {
        let sources = Sources::of(inputs.iter().copied());
        let output = recording(true, || f(sources.tensors()))?;
        let tracked = inputs.iter().chain(others).any(|x| x.is_tracked());
        let recorded = is_recording() && (tracked || reaches_others(&output, sources.tensors()));
        Ok(Self { sources, output, recorded })
    }

    /// Computes something that leaves the transform.
    pub(super) fn last<R>(&self, body: impl FnOnce() -> R) -> R {
        recording(self.recorded, body)
    }

    /// The gradients of `Σ seed · output` with respect to the inputs, to be differentiated again.
    pub(super) fn pull_recorded(&self, seed: &Tensor<T>) -> Result<Vec<Tensor<T>>> {
        recording(true, || self.sources.pull(&self.output, seed))
    }

    /// A value, as it leaves the transform.
    pub(super) fn leaving(&self, value: &Tensor<T>) -> Tensor<T> {
        if self.recorded { value.clone() } else { value.detach() }
    }
}

/// Whether a tensor was computed from something tracked other than through `known`.
fn reaches_others<T: Float>(tensor: &Tensor<T>, known: &[Tensor<T>]) -> bool {
    let mut seen: HashSet<*const Node<T>> =
        known.iter().filter_map(|x| x.node.as_ref()).map(Shared::as_ptr).collect();
    let mut stack: Vec<_> = tensor.node.iter().cloned().collect();
    while let Some(node) = stack.pop() {
        if !seen.insert(node.as_ptr()) {
            continue;
        }
        let Kind::Op(record) = &node.kind else { return true };
        match &*record.read().unwrap_or_else(PoisonError::into_inner) {
            Some(record) => {
                let before = stack.len();
                stack.extend(record.edges.iter().filter_map(|edge| edge.node.clone()));
                // A source of another transform, which is still at work.
                if stack.len() == before && !record.edges.is_empty() {
                    return true;
                }
            }
            // Used up by `backward`: what lay behind it was tracked.
            None => return true,
        }
    }
    false
}
