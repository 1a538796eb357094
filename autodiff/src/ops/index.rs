//! Reading and adding at indices, which are plain numbers without a gradient. Reading and adding are each other's gradient;
//! what is added to one place is added in the order of the indices, whatever the number of threads.

use crate::array::Array;
use crate::error::{Error, ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::ops::binary::Add;
use crate::ops::slicing::{Region, Slice};
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
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let n = at.shape(0).dim(self.axis);
        AddSelected { axis: self.axis, index: self.index.clone(), n }.apply(&[&grad])
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
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        IndexSelect { axis: self.axis, index: self.index.clone() }.apply(&[&grad])
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
        x[0].gather(self.axis, &self.index).ok_or_else(|| beyond(&self.index, self.axis, x[0].shape()))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let n = at.shape(0).dim(self.axis);
        AddGathered { axis: self.axis, index: self.index.clone(), n }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Adds each element where an index array points along an axis of `n` entries: the adjoint of [`Gather`].
struct AddGathered {
    axis: usize,
    index: Array<usize>,
    n: usize,
}

impl<T: Float> Op<T> for AddGathered {
    fn name(&self) -> &'static str {
        "add_gathered"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let Self { axis, ref index, n } = *self;
        x[0].scatter_add(None, axis, index, n).ok_or_else(|| beyond(index, axis, x[0].shape().with(axis, n)))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Gather { axis: self.axis, index: self.index.clone() }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Adds each element of the second input where an index array points along an axis of the first.
struct ScatterAdd {
    axis: usize,
    index: Array<usize>,
}

impl<T: Float> Op<T> for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let (axis, index, shape) = (self.axis, &self.index, x[0].shape());
        x[1].scatter_add(Some(x[0]), axis, index, shape.dim(axis)).ok_or_else(|| beyond(index, axis, shape))
    }
    fn vjp(&self, input: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        if input == 0 {
            return Ok(grad);
        }
        Gather { axis: self.axis, index: self.index.clone() }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The first index that points beyond an axis of the tensor that it indexes.
fn beyond(index: &Array<usize>, axis: usize, tensor: Shape) -> Error {
    let checked = index.with_slice(|index| check(index, axis, tensor.dim(axis)));
    checked.expect_err("an index points beyond the axis")
}

/// Reports the first index that is not below `bound`.
fn check(indices: &[usize], axis: usize, bound: usize) -> Result<()> {
    match indices.iter().position(|&index| index >= bound) {
        None => Ok(()),
        Some(position) => Err(ErrorKind::Index { index: indices[position], position, bound, axis }.into()),
    }
}

/// The shape that an index has, but along the axis it indexes the one of the tensor; if it fits within the tensor.
fn fitting(tensor: Shape, index: Shape, axis: Option<usize>) -> Result<Shape> {
    let free = |i| Some(i) == axis;
    let fits =
        tensor.rank() == index.rank() && (0..tensor.rank()).all(|i| free(i) || index.dim(i) <= tensor.dim(i));
    if !fits {
        let what = "the index must fit within the tensor but along the axis that is indexed";
        return Err(ErrorKind::Mismatch { what, left: tensor, right: index }.into());
    }
    Ok(axis.map_or(index, |axis| index.with(axis, tensor.dim(axis))))
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

    /// The tensor with entry `k` of `source` added to entry `index[k]` along `axis`, for each `k`.
    ///
    /// # Errors
    /// If the axis does not exist, an index is out of range, or `source` has another shape than this tensor with
    /// `index.len()` entries along the axis.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let source = Tensor::from_vec([1.0, 2.0, 4.0], [3])?;
    /// assert_eq!(Tensor::zeros([2]).index_add(0, &[1, 0, 1], &source)?.to_vec(), [2.0, 5.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn index_add(&self, axis: isize, index: &[usize], source: &Self) -> Result<Self> {
        let shape = self.shape();
        let axis = shape.axis(axis).of_op("index_add")?;
        let n = shape.dim(axis);
        if source.rank() != shape.rank() || source.shape() != shape.with(axis, index.len()) {
            let what =
                "what is added must have an entry for each index, and otherwise the shape of the tensor";
            return Err(ErrorKind::Mismatch { what, left: source.shape(), right: shape }.of("index_add"));
        }
        check(index, axis, n).of_op("index_add")?;
        Add.apply(&[self, &AddSelected { axis, index: index.into(), n }.apply(&[source])?])
    }

    /// Rows of this table by their numbers, in an array of any shape: a table `[n, d]` and an index `[..]` give `[.., d]`.
    ///
    /// # Errors
    /// If this is a single number, an index is out of range, or the result has too many axes.
    ///
    /// ```
    /// use autodiff::{Array, Tensor};
    /// let table = Tensor::from_vec([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2])?;
    /// let words = Array::from_vec([2usize, 0], [2, 1])?;
    /// let vectors = table.embedding(&words)?;
    /// assert_eq!((vectors.shape().to_vec(), vectors.to_vec()), (vec![2, 1, 2], vec![5.0, 6.0, 1.0, 2.0]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn embedding(&self, index: &Array<usize>) -> Result<Self> {
        let shape = self.shape();
        shape.axis(0).of_op("embedding")?;
        let dims: Vec<_> = index.shape().iter().chain(shape.iter().skip(1)).collect();
        let shape = Shape::new(&dims).of_op("embedding")?;
        self.index_select(0, &index.to_vec()).of_op("embedding")?.reshaped(shape)
    }

    /// Along `axis`, the element that `index` points to, position by position: for axis 1 of three,
    /// `y[i, k, j] = x[i, index[i, k, j], j]`.
    ///
    /// Along the other axes the index may have fewer entries than the tensor, whose first ones it then reads.
    ///
    /// # Errors
    /// If the axis does not exist, the index has more entries along another axis or another rank, or an index is out of
    /// range.
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
        let read = fitting(self.shape(), index.shape(), Some(axis)).of_op("gather")?;
        Gather { axis, index: index.clone() }.apply(&[&self.corner(read)?])
    }

    /// Along `axis`, the element that `index` points to, where tensor and index broadcast along the other axes.
    ///
    /// With the positions of extremes or of a sort along an axis, this reads what they are the positions of.
    ///
    /// # Errors
    /// If the axis does not exist, the ranks differ, tensor and index do not broadcast along another axis, or an index is
    /// out of range.
    ///
    /// ```
    /// use autodiff::{Array, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// let last = Array::full(1, [1, 1]);
    /// assert_eq!(x.take_along(1, &last)?.to_vec(), [2.0, 4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn take_along(&self, axis: isize, index: &Array<usize>) -> Result<Self> {
        let (left, right) = (self.shape(), index.shape());
        let axis = left.axis(axis).of_op("take_along")?;
        let others =
            (left.rank() == right.rank()).then(|| left.with(axis, 1).broadcast(&right.with(axis, 1)));
        let Some(others) = others.flatten() else {
            let what = "tensor and index must broadcast but along the axis that is indexed";
            return Err(ErrorKind::Mismatch { what, left, right }.of("take_along"));
        };
        let index = index.broadcast_to(others.with(axis, right.dim(axis))).of_op("take_along")?;
        self.broadcast_to(others.with(axis, left.dim(axis)))?
            .gather(axis as isize, &index)
            .of_op("take_along")
    }

    /// The tensor with each element of `source` added where `index` points along `axis`, position by position: for
    /// axis 1 of three, `x[i, index[i, k, j], j] += source[i, k, j]`.
    ///
    /// The index may have fewer entries than `source`, of which the first are then added, and along the other axes fewer
    /// than the tensor.
    ///
    /// # Errors
    /// If the axis does not exist, the ranks differ, the index has more entries than `source` or, along another axis, than
    /// the tensor, or an index is out of range.
    ///
    /// ```
    /// use autodiff::{Array, Tensor};
    /// let source = Tensor::from_vec([1.0, 2.0, 4.0], [1, 3])?;
    /// let index = Array::from_vec([1usize, 0, 1], [1, 3])?;
    /// assert_eq!(Tensor::ones([1, 2]).scatter_add(1, &index, &source)?.to_vec(), [3.0, 6.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn scatter_add(&self, axis: isize, index: &Array<usize>, source: &Self) -> Result<Self> {
        let shape = self.shape();
        let axis = shape.axis(axis).of_op("scatter_add")?;
        let n = shape.dim(axis);
        fitting(shape, index.shape(), Some(axis)).of_op("scatter_add")?;
        let read = fitting(source.shape(), index.shape(), None).of_op("scatter_add")?;
        let (source, index) = (source.corner(read)?, index.clone());
        let reached = index.shape().with(axis, n);
        if reached == shape {
            return ScatterAdd { axis, index }.apply(&[self, &source]);
        }
        let added = AddGathered { axis, index, n }.apply(&[&source]).of_op("scatter_add")?;
        let widths: Vec<_> = reached.iter().zip(shape.iter()).map(|(part, all)| (0, all - part)).collect();
        Add.apply(&[self, &added.pad(&widths, 0.0)?])
    }

    /// The first entries along each axis, as many as `shape` has.
    #[track_caller]
    fn corner(&self, shape: Shape) -> Result<Self> {
        if shape == self.shape() {
            Ok(self.clone())
        } else {
            Slice { region: Region::whole(shape) }.apply(&[self])
        }
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
