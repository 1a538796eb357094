//! Reading at indices, which are plain numbers without a gradient.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::sync::Arc;

/// The entries `index[..]` along an axis.
struct IndexSelect {
    axis: usize,
    index: Arc<[usize]>,
}

impl<T: Float> Op<T> for IndexSelect {
    fn name(&self) -> &'static str {
        "index_select"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        check(&self.index, self.axis, x[0].shape().dim(self.axis))?;
        Ok(x[0].select(self.axis, &self.index))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let n = at.shape(0).dim(self.axis);
        AddSelected { axis: self.axis, index: self.index.clone(), n }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Adds entry `k` into entry `index[k]` of `n` along an axis: the adjoint of [`IndexSelect`].
struct AddSelected {
    axis: usize,
    index: Arc<[usize]>,
    n: usize,
}

impl<T: Float> Op<T> for AddSelected {
    fn name(&self) -> &'static str {
        "add_selected"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].add_selected(self.axis, &self.index, self.n))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        IndexSelect { axis: self.axis, index: self.index.clone() }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The element that an index array points to along an axis, position by position.
struct Gather {
    axis: usize,
    index: Array<usize>,
}

impl<T: Float> Op<T> for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let (shape, index) = (x[0].shape(), self.index.shape());
        if shape.rank() != index.rank() || shape.with(self.axis, 0) != index.with(self.axis, 0) {
            let what = "tensor and index must agree but along the axis that is indexed";
            return Err(ErrorKind::Mismatch { what, left: shape, right: index }.into());
        }
        self.index.with_slice(|index| check(index, self.axis, shape.dim(self.axis)))?;
        Ok(x[0].gather(self.axis, &self.index))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let n = at.shape(0).dim(self.axis);
        ScatterAdd { axis: self.axis, index: self.index.clone(), n }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Adds each element where an index array points along an axis of `n` entries: the adjoint of [`Gather`].
struct ScatterAdd {
    axis: usize,
    index: Array<usize>,
    n: usize,
}

impl<T: Float> Op<T> for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].scatter_add(self.axis, &self.index, self.n))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Gather { axis: self.axis, index: self.index.clone() }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Reports the first index that is not below `bound`.
fn check(indices: &[usize], axis: usize, bound: usize) -> Result<()> {
    match indices.iter().position(|&index| index >= bound) {
        None => Ok(()),
        Some(position) => Err(ErrorKind::Index { index: indices[position], position, bound, axis }.into()),
    }
}

impl<T: Float> Tensor<T> {
    /// The entries `index[0], index[1], ..` along `axis`; an entry may be named several times, its gradients add up.
    ///
    /// # Errors
    /// If the axis does not exist or an index is out of range.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([10.0, 20.0, 30.0], [3])?;
    /// assert_eq!(x.index_select(0, &[2, 0, 2])?.to_vec(), [30.0, 10.0, 30.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn index_select(&self, axis: isize, index: &[usize]) -> Result<Self> {
        let axis = self.shape().axis(axis).of_op("index_select")?;
        IndexSelect { axis, index: index.into() }.apply(&[self])
    }

    /// Along `axis`, the element that `index` points to, position by position: for axis 1 of three,
    /// `y[i, k, j] = x[i, index[i, k, j], j]`.
    ///
    /// # Errors
    /// If the axis does not exist, the shapes differ along another axis, or an index is out of range.
    ///
    /// ```
    /// use autodiff::{Array, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// let index = Array::from_vec([1usize, 0], [2, 1])?;
    /// assert_eq!(x.gather(1, &index)?.to_vec(), [2.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn gather(&self, axis: isize, index: &Array<usize>) -> Result<Self> {
        let axis = self.shape().axis(axis).of_op("gather")?;
        Gather { axis, index: index.clone() }.apply(&[self])
    }

    /// The position of the first largest element along `axis`, which goes away; NaN counts as the largest.
    ///
    /// # Errors
    /// If the axis does not exist or has no entries.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 3.0, 2.0, 5.0, 4.0, 5.0], [2, 3])?;
    /// assert_eq!(x.arg_max(1)?.to_vec(), [1, 0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn arg_max(&self, axis: isize) -> Result<Array<usize>> {
        self.arg_extreme(axis, true).of_op("arg_max")
    }

    /// The position of the first smallest element along `axis`, which goes away; NaN counts as the smallest.
    ///
    /// # Errors
    /// If the axis does not exist or has no entries.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 3.0, 0.0, 5.0, 4.0, 4.0], [2, 3])?;
    /// assert_eq!(x.arg_min(1)?.to_vec(), [2, 1]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn arg_min(&self, axis: isize) -> Result<Array<usize>> {
        self.arg_extreme(axis, false).of_op("arg_min")
    }

    fn arg_extreme(&self, axis: isize, largest: bool) -> Result<Array<usize>> {
        let shape = self.shape();
        let axis = shape.axis(axis)?;
        if shape.dim(axis) == 0 {
            return Err(ErrorKind::Message(format!("axis {axis} of {shape} has no entries")).into());
        }
        Ok(self.array.arg_extreme(axis, largest))
    }

    /// A row for each label: 1 at the label, else 0. Of shape `[labels, classes]`.
    ///
    /// # Errors
    /// If a label is not below `classes`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::<f32>::one_hot(&[1, 0], 2)?.to_vec(), [0.0, 1.0, 1.0, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn one_hot(labels: &[usize], classes: usize) -> Result<Self> {
        super::softmax::check_labels(labels, classes).of_op("one_hot")?;
        let shape = Shape::new(&[labels.len(), classes]).of_op("one_hot")?;
        let array = Array::build(shape, |out| {
            out.fill(T::ZERO);
            for (i, &label) in labels.iter().enumerate() {
                out[i * classes + label] = T::ONE;
            }
        });
        Ok(array.into())
    }
}
