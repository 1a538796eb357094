//! [`Tensor`]: a value, and its place on the tape if it has one.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::kernel::buffer::Shared;
use crate::shape::Shape;
use crate::tape::{Kind, Node, is_recording};
use std::sync::{Mutex, PoisonError};

/// An immutable multidimensional value, tracked if it was computed from a [`variable`](Tensor::variable).
///
/// Cloning is cheap: it shares the numbers and the place on the tape.
///
/// ```
/// use autodiff::{grad, tensor};
/// let x = tensor![1.0, 2.0, 3.0].variable();
/// let y = (&x * &x).sum();
/// assert_eq!(y.item(), 14.0);
/// let [dx] = grad(&y, [&x])?;
/// assert_eq!(dx.to_vec(), [2.0, 4.0, 6.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
// Tensors are moved in vectors of 16 bytes. Aligned to these, a move reads the very pieces that the one before it wrote, and
// need not wait for them.
#[repr(align(16))]
pub struct Tensor<T: Float = f32> {
    pub(crate) array: Array<T>,
    pub(crate) node: Option<Shared<Node<T>>>,
}

impl<T: Float> Clone for Tensor<T> {
    #[inline]
    fn clone(&self) -> Self {
        Self { array: self.array.clone(), node: self.node.clone() }
    }
}

impl<T: Float> From<Array<T>> for Tensor<T> {
    /// A constant.
    #[inline]
    fn from(array: Array<T>) -> Self {
        Self { array, node: None }
    }
}

impl<T: Float> Tensor<T> {
    /// A constant with the given values, in row-major order.
    ///
    /// # Errors
    /// If they are not as many as the shape has elements.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    #[track_caller]
    pub fn from_vec(values: impl AsRef<[T]>, shape: impl Into<Shape>) -> Result<Self> {
        Ok(Array::from_vec(values, shape).of_op("from_vec")?.into())
    }

    /// A value known to a rule, at its place on the tape if this pass is recorded.
    pub(crate) fn attached(array: Array<T>, node: Option<&Shared<Node<T>>>) -> Self {
        Self { array, node: if is_recording() { node.cloned() } else { None } }
    }

    /// The same values as the start of a tape: what is computed from it is tracked, and `backward` leaves a gradient
    /// with it.
    pub fn variable(self) -> Self {
        Self { node: Some(Node::leaf()), ..self }
    }

    /// The same values as a constant.
    pub fn detach(&self) -> Self {
        self.array.clone().into()
    }

    /// Whether this tensor is on a tape.
    #[inline]
    pub fn is_tracked(&self) -> bool {
        self.node.is_some()
    }

    /// The gradient that `backward` has left with this variable, summed over the calls since it was last taken.
    ///
    /// `None` for anything but a variable.
    pub fn grad(&self) -> Option<Self> {
        self.slot()?.lock().unwrap_or_else(PoisonError::into_inner).clone().map(Self::from)
    }

    /// Takes that gradient away, so that the next `backward` starts from nothing.
    pub fn take_grad(&self) -> Option<Self> {
        self.slot()?.lock().unwrap_or_else(PoisonError::into_inner).take().map(Self::from)
    }

    /// Lets `update` write that gradient. Returns whether there is one.
    #[track_caller]
    pub(crate) fn update_grad(&self, update: impl FnOnce(&mut Array<T>)) -> bool {
        let Some(slot) = self.slot() else { return false };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(grad) = slot.as_mut() else { return false };
        update(grad);
        assert_eq!(grad.shape(), self.shape(), "a gradient has the shape of its parameter");
        true
    }

    fn slot(&self) -> Option<&Mutex<Option<Array<T>>>> {
        match &self.node.as_ref()?.kind {
            Kind::Leaf(slot) => Some(slot),
            Kind::Op(_) => None,
        }
    }

    /// The values, without the place on the tape.
    pub fn array(&self) -> &Array<T> {
        &self.array
    }

    /// The sizes along the axes.
    #[inline]
    pub fn shape(&self) -> Shape {
        self.array.shape()
    }

    /// The sizes along the axes, if there are `N` of them.
    ///
    /// # Errors
    /// If the rank is another.
    ///
    /// ```
    /// let [rows, columns] = autodiff::Tensor::<f32>::zeros([2, 3]).dims()?;
    /// assert_eq!((rows, columns), (2, 3));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn dims<const N: usize>(&self) -> Result<[usize; N]> {
        let shape = self.shape();
        if shape.rank() == N {
            Ok(std::array::from_fn(|axis| shape.dim(axis)))
        } else {
            Err(ErrorKind::Rank { shape, expected: N, what: "" }.of("dims"))
        }
    }

    /// The number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.array.rank()
    }

    /// The number of elements.
    #[inline]
    pub fn size(&self) -> usize {
        self.array.size()
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<T> {
        self.array.to_vec()
    }

    /// The only element.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[track_caller]
    pub fn item(&self) -> T {
        self.array.item()
    }
}
