//! Reductions over axes: sum, mean, variance, maximum, minimum, log-sum-exp.
//!
//! `sum()` reduces everything; `sum_axes(axes)` removes the axes; `sum_keep(axes)` leaves them with size 1.

use crate::array::{Array, broadcast_axes};
use crate::error::{OfOp, Result};
use crate::float::Float;
use crate::kernel::reduce::{Max, Min};
use crate::op::{Op, Point, Reads};
use crate::shape::{Axes, AxisSet, Shape};
use crate::tensor::Tensor;

/// The sum over a set of axes, under the shape that is asked for.
struct Sum {
    axes: AxisSet,
    shape: Shape,
}

impl<T: Float> Op<T> for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].sum(self.axes).reshaped(self.shape))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let shape = at.shape(0);
        grad.reshaped(shape.keeping(self.axes))?.broadcast_to(shape)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The largest (or smallest) element over a set of axes, which stay with size 1.
struct Extreme {
    axes: AxisSet,
    largest: bool,
}

impl<T: Float> Op<T> for Extreme {
    fn name(&self) -> &'static str {
        if self.largest { "max" } else { "min" }
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(if self.largest { x[0].fold::<Max>(self.axes) } else { x[0].fold::<Min>(self.axes) })
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        // Elements that attain the extreme share the gradient equally.
        let attains =
            at.input(0).array.zip(&at.output().array, |x, y| if x == y { T::ONE } else { T::ZERO })?;
        let share = attains.zip(&attains.sum(self.axes), |a, count| a / count)?;
        Ok(grad * Tensor::from(share))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::ALL
    }
}

/// `ln Σ eˣ` along the last axis, which stays with size 1.
struct LogSumExp;

impl<T: Float> Op<T> for LogSumExp {
    fn name(&self) -> &'static str {
        "log_sum_exp"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].log_sum_exp())
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * at.input(0).softmax(-1)?)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::input(0)
    }
}

impl<T: Float> Tensor<T> {
    /// The sum of all elements, of rank 0. Pairwise: the error grows with the logarithm of their number.
    #[track_caller]
    pub fn sum(&self) -> Self {
        self.total(AxisSet::all(&self.shape()), Shape::SCALAR)
    }

    #[track_caller]
    fn total(&self, axes: AxisSet, shape: Shape) -> Self {
        Sum { axes, shape }.apply(&[self]).expect("the axes exist")
    }

    /// The sum over the given axes, which go away.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn sum_axes(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("sum_axes")?;
        Ok(self.total(axes, self.shape().without(axes)))
    }

    /// The sum over the given axes, which stay with size 1.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn sum_keep(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("sum_keep")?;
        Ok(self.total(axes, self.shape().keeping(axes)))
    }

    /// The sum over whatever was broadcast to get from `shape` to the shape of this tensor.
    #[track_caller]
    pub(crate) fn sum_to(&self, shape: Shape) -> Self {
        let axes = broadcast_axes(shape, self.shape()).expect("the shape broadcasts to this one");
        self.total(axes, shape)
    }

    /// The mean of all elements, of rank 0; NaN if there are none.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::from_vec([1.0, 2.0, 6.0], [3])?.mean().item(), 3.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn mean(&self) -> Self {
        self.sum() / self.size() as f64
    }

    /// The mean over the given axes, which go away.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean_axes(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("mean_axes")?;
        Ok(self.total(axes, self.shape().without(axes)) / self.extent(axes))
    }

    /// The mean over the given axes, which stay with size 1.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean_keep(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("mean_keep")?;
        Ok(self.total(axes, self.shape().keeping(axes)) / self.extent(axes))
    }

    /// How many elements a reduction over `axes` combines into one.
    fn extent(&self, axes: AxisSet) -> f64 {
        let shape = self.shape();
        (0..shape.rank()).filter(|&axis| axes.contains(axis)).map(|axis| shape.dim(axis) as f64).product()
    }

    /// The variance `mean((x - mean(x))²)` over the given axes, which stay with size 1.
    ///
    /// Divides by the number of elements (NumPy's default; PyTorch's is one less). Two passes, so that nothing cancels.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 3.0, 5.0, 5.0], [2, 2])?;
    /// assert_eq!(x.variance_keep(1)?.to_vec(), [1.0, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn variance_keep(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let mean = self.mean_keep(axes.clone()).of_op("variance_keep")?;
        (self - mean).square().mean_keep(axes)
    }

    /// The largest element, of rank 0; NaN if any is. Several largest share the gradient equally.
    #[track_caller]
    pub fn max(&self) -> Self {
        self.extreme(AxisSet::all(&self.shape()), Shape::SCALAR, true)
    }

    /// The smallest element, of rank 0; NaN if any is. Several smallest share the gradient equally.
    #[track_caller]
    pub fn min(&self) -> Self {
        self.extreme(AxisSet::all(&self.shape()), Shape::SCALAR, false)
    }

    #[track_caller]
    fn extreme(&self, axes: AxisSet, shape: Shape, largest: bool) -> Self {
        let kept = Extreme { axes, largest }.apply(&[self]).expect("the axes exist");
        kept.reshaped(shape).expect("axes of size 1 hold nothing")
    }

    /// The largest element over the given axes, which go away. Several largest share the gradient equally.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn max_axes(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("max_axes")?;
        Ok(self.extreme(axes, self.shape().without(axes), true))
    }

    /// The largest element over the given axes, which stay with size 1. Several largest share the gradient equally.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn max_keep(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("max_keep")?;
        Ok(self.extreme(axes, self.shape().keeping(axes), true))
    }

    /// The smallest element over the given axes, which go away. Several smallest share the gradient equally.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn min_axes(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("min_axes")?;
        Ok(self.extreme(axes, self.shape().without(axes), false))
    }

    /// The smallest element over the given axes, which stay with size 1. Several smallest share the gradient equally.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn min_keep(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("min_keep")?;
        Ok(self.extreme(axes, self.shape().keeping(axes), false))
    }

    /// `ln Σ eˣ` along one axis, which stays with size 1; shifted by the largest element, so that nothing overflows.
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    pub fn log_sum_exp_keep(&self, axis: isize) -> Result<Self> {
        self.shape().axis(axis).of_op("log_sum_exp_keep")?;
        self.along_last(axis, |x| LogSumExp.apply(&[x]))
    }

    /// Applies `op`, which works along the last axis, along `axis`.
    #[track_caller]
    pub(crate) fn along_last(&self, axis: isize, op: impl FnOnce(&Self) -> Result<Self>) -> Result<Self> {
        let axis = self.shape().axis(axis)? as isize;
        if axis + 1 == self.rank() as isize {
            return op(self);
        }
        op(&self.transpose(axis, -1)?)?.transpose(axis, -1)
    }
}
