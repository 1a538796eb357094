//! The [`Op`] trait: one forward, one gradient rule per input.
//!
//! The ops of this crate and those of its users are written in the same way; there is nothing to register. A rule is
//! written in differentiable operations, so that derivatives of any order follow from it. What authors need not do:
//! accumulate gradients, sum over what was broadcast, check shapes, or mind who else uses an input. The tape does.
//!
//! ```
//! use autodiff::{Array, Float, Op, Point, Reads, Result, Tensor};
//!
//! /// `x³`.
//! struct Cube;
//!
//! impl<T: Float> Op<T> for Cube {
//!     fn name(&self) -> &'static str { "cube" }
//!     fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> { Ok(x[0].map(|x| x * x * x)) }
//!     fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
//!         Ok(grad * at.input(0).square() * 3.0)
//!     }
//! }
//!
//! let x = Tensor::from_vec([1.0, 2.0], [2])?.variable();
//! Cube.apply(&[&x])?.sum().backward()?;
//! assert_eq!(x.grad().unwrap().to_vec(), [3.0, 12.0]);
//! # Ok::<(), autodiff::Error>(())
//! ```

use crate::array::Array;
use crate::error::Result;
use crate::float::Float;
use crate::kernel::buffer::Shared;
use crate::shape::Shape;
use crate::tape::{self, Node, Record, Value};
use crate::tensor::Tensor;
use std::ops::BitOr;

/// A differentiable operation with one output.
///
/// An op with state of its own (an axis, a slope) is a struct with fields; a new value is made for each application.
pub trait Op<T: Float>: Send + Sync + 'static {
    /// The name used in errors and drawings.
    fn name(&self) -> &'static str;

    /// Computes the output.
    ///
    /// What the rule needs and has no gradient (indices, masks) may be kept in `self`. What depends on the inputs in a
    /// differentiable way must not: it would be taken for a constant at second order.
    ///
    /// # Errors
    /// If the inputs' shapes or values do not fit. Name and line are added by [`apply`](Self::apply).
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>>;

    /// Pulls `grad`, the gradient with respect to the output, back to input `index`: the product of `grad` with the
    /// Jacobian of that input.
    ///
    /// The gradient is the rule's own, so that `grad * ..` may be written over it. Called only for inputs that need a
    /// gradient. The result may have the shape of the output where the input was
    /// broadcast: the tape sums it.
    ///
    /// # Errors
    /// Whatever the operations of the rule report.
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>>;

    /// Pulls `grad` back to several inputs at once, in the order of `indices`, where their rules share costly work.
    ///
    /// Asked when more than one input needs a gradient; `None`, the default, has [`vjp`](Self::vjp) called for each.
    /// What it returns has to be what `vjp` returns.
    fn vjps(&self, indices: &[usize], grad: &Tensor<T>, at: &Point<'_, T>) -> Option<Result<Vec<Tensor<T>>>> {
        let _ = (indices, grad, at);
        None
    }

    /// Adds to `sum` what [`vjp`](Self::vjp) returns, where that needs less than its result and an addition: most of it is
    /// zeros, or both are made in one pass.
    ///
    /// Asked when other uses of the input have brought `sum`, which has its shape, and nothing is recorded; `None`, the
    /// default, has `vjp` called.
    fn vjp_add(
        &self,
        index: usize,
        grad: &Tensor<T>,
        at: &Point<'_, T>,
        sum: &mut Array<T>,
    ) -> Option<Result<()>> {
        let _ = (index, grad, at, sum);
        None
    }

    /// The values that `vjp(index, ..)` reads from its point; no others are kept. The default, all, is always right.
    fn reads(&self, index: usize) -> Reads {
        let _ = index;
        Reads::ALL
    }

    /// Runs the operation and, if an input is tracked, writes it on the tape.
    ///
    /// # Errors
    /// What [`forward`](Self::forward) reports, with the op's name and the caller's line.
    #[track_caller]
    #[inline]
    fn apply(self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>>
    where
        Self: Sized,
    {
        tape::apply(self, inputs)
    }
}

/// A set of values that a rule reads: inputs, and the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads(u64);

impl Reads {
    /// Nothing: the op is linear.
    pub const NONE: Self = Self(0);
    /// All inputs and the output.
    pub const ALL: Self = Self(u64::MAX);
    /// The output.
    pub const OUTPUT: Self = Self(1 << 63);
    /// All inputs.
    pub const INPUTS: Self = Self(u64::MAX >> 1);

    /// Input `index`; from the 63rd on, which no op of this crate has apart from concatenation, all inputs.
    #[inline]
    pub const fn input(index: usize) -> Self {
        if index < 63 { Self(1 << index) } else { Self::INPUTS }
    }

    /// Whether everything in `other` is in this set.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Reads {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where a rule is evaluated: the values of the inputs and of the output at the forward pass.
///
/// When the backward pass is itself recorded, the tensors it gives are on the tape.
pub struct Point<'a, T: Float> {
    pub(crate) record: &'a Record<T>,
    /// The node of the output, unless this pass is not recorded.
    pub(crate) node: Option<&'a Shared<Node<T>>>,
}

impl<T: Float> Point<'_, T> {
    /// Input `index`.
    ///
    /// # Panics
    /// If the op's [`reads`](Op::reads) did not declare it.
    pub fn input(&self, index: usize) -> Tensor<T> {
        // Where the pass is not recorded, nobody asks where an input came from.
        let node = self.node.and(self.record.edges[index].node.as_ref());
        Tensor::attached(self.values(index).clone(), node)
    }

    /// The values of input `index`, for what need not be recorded.
    ///
    /// # Panics
    /// If the op's [`reads`](Op::reads) did not declare it.
    pub fn values(&self, index: usize) -> &Array<T> {
        match &self.record.edges[index].value {
            Value::Kept(array) => array,
            Value::Shape(_) => {
                panic!(
                    "{}: a rule reads input {index}, which `reads` does not declare",
                    self.record.op.name()
                )
            }
        }
    }

    /// The output.
    ///
    /// # Panics
    /// If the op's [`reads`](Op::reads) did not declare it.
    pub fn output(&self) -> Tensor<T> {
        match &self.record.output {
            Some(array) => Tensor::attached(array.clone(), self.node),
            None => {
                panic!("{}: a rule reads the output, which `reads` does not declare", self.record.op.name())
            }
        }
    }

    /// The shape of input `index`; known whatever `reads` declares.
    pub fn shape(&self, index: usize) -> Shape {
        self.record.edges[index].shape()
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.record.edges.len()
    }

    /// Zeros of the shape of input `index`: the gradient of a rule that is flat almost everywhere.
    pub fn zeros(&self, index: usize) -> Tensor<T> {
        Tensor::from(Array::expanded(T::ZERO, self.shape(index)))
    }
}
