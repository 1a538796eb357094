//! Reductions over axes: sum, mean, product, maximum, minimum, log-sum-exp.
//!
//! `sum()` reduces everything; `sum_axes(axes)` removes the axes; `sum_keep(axes)` leaves them with size 1.

use crate::array::{Array, broadcast_axes};
use crate::error::{OfOp, Result};
use crate::float::Float;
use crate::kernel::reduce::{Max, Min, Mul};
use crate::op::{Op, Point, Reads};
use crate::ops::scan::ProductsOfOthers;
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
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let shape = at.shape(0);
        grad.reshaped(shape.keeping(self.axes))?.broadcast_to(shape)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The product along one axis, which stays with size 1.
struct Prod {
    axis: usize,
}

impl<T: Float> Op<T> for Prod {
    fn name(&self) -> &'static str {
        "prod"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].fold::<Mul>(AxisSet::default().with(self.axis)))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * ProductsOfOthers { axis: self.axis }.apply(&[&at.input(0)])?)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::input(0)
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
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        // Elements that attain the extreme share the gradient equally.
        let attains = at.values(0).zip(&at.output().array, |x, y| if x == y { T::ONE } else { T::ZERO })?;
        let share = attains.zip(&attains.sum(self.axes), |a, count| a / count)?;
        Ok(grad * Tensor::from(share))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::ALL
    }
}

/// `ln Σ eˣ` along an axis, which stays with size 1.
struct LogSumExp {
    axis: usize,
}

impl<T: Float> Op<T> for LogSumExp {
    fn name(&self) -> &'static str {
        "log_sum_exp"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].log_sum_exp(self.axis))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * at.input(0).softmax(self.axis as isize)?)
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
    pub(super) fn total(&self, axes: AxisSet, shape: Shape) -> Self {
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
        Ok(self.average(axes, self.shape().without(axes)))
    }

    /// The mean over the given axes, which stay with size 1.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean_keep(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("mean_keep")?;
        Ok(self.average(axes, self.shape().keeping(axes)))
    }

    /// The mean over a set of axes, under the shape that is asked for.
    #[track_caller]
    pub(super) fn average(&self, axes: AxisSet, shape: Shape) -> Self {
        self.total(axes, shape) / self.shape().extent(axes) as f64
    }

    /// The product of all elements, of rank 0; of nothing 1. The gradient is exact where factors are 0 as well.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([2.0, 0.0, 4.0], [3])?.variable();
    /// let y = x.prod();
    /// assert_eq!(y.item(), 0.0);
    /// y.backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), [0.0, 8.0, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn prod(&self) -> Self {
        let row = self.reshaped(Shape::of([self.size()])).expect("as many elements");
        row.product(AxisSet::all(&row.shape()), Shape::SCALAR)
    }

    /// The product over the given axes, which go away.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn prod_axes(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("prod_axes")?;
        Ok(self.product(axes, self.shape().without(axes)))
    }

    /// The product over the given axes, which stay with size 1.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn prod_keep(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("prod_keep")?;
        Ok(self.product(axes, self.shape().keeping(axes)))
    }

    #[track_caller]
    fn product(&self, axes: AxisSet, shape: Shape) -> Self {
        let kept = self.axis_by_axis(axes, |x, axis| Prod { axis }.apply(&[x]));
        kept.reshaped(shape).expect("axes of size 1 hold nothing")
    }

    /// Applies `op`, which combines the elements along an axis and leaves it with size 1, along each of a set, from the last
    /// to the first.
    #[track_caller]
    fn axis_by_axis(&self, axes: AxisSet, op: impl Fn(&Self, usize) -> Result<Self>) -> Self {
        let mut current = self.clone();
        for axis in (0..self.rank()).rev().filter(|&axis| axes.contains(axis)) {
            current = op(&current, axis).expect("the axis exists");
        }
        current
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
    pub(super) fn extreme(&self, axes: AxisSet, shape: Shape, largest: bool) -> Self {
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

    /// `ln Σ eˣ` of all elements, of rank 0; shifted by the largest, so that nothing overflows.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::full(1000.0f64, [2, 2]).log_sum_exp().item(), 1000.0 + 4.0f64.ln());
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn log_sum_exp(&self) -> Self {
        let row = self.reshaped(Shape::of([self.size()])).expect("as many elements");
        row.log_total(AxisSet::all(&row.shape()), Shape::SCALAR)
    }

    /// `ln Σ eˣ` over the given axes, which go away; shifted by the largest element, so that nothing overflows.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn log_sum_exp_axes(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("log_sum_exp_axes")?;
        Ok(self.log_total(axes, self.shape().without(axes)))
    }

    /// `ln Σ eˣ` over the given axes, which stay with size 1; shifted by the largest element, so that nothing overflows.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn log_sum_exp_keep(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("log_sum_exp_keep")?;
        Ok(self.log_total(axes, self.shape().keeping(axes)))
    }

    #[track_caller]
    fn log_total(&self, axes: AxisSet, shape: Shape) -> Self {
        let kept = self.axis_by_axis(axes, |x, axis| LogSumExp { axis }.apply(&[x]));
        kept.reshaped(shape).expect("axes of size 1 hold nothing")
    }
}
