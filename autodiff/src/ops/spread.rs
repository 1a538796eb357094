//! How far numbers lie from their mean: variance and standard deviation; and from 0: norms.
//!
//! `var(..)` looks at everything; `var_axes(axes, ..)` removes the axes; `var_keep(axes, ..)` leaves them with size 1.

use crate::array::Array;
use crate::error::{OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::shape::{Axes, AxisSet, Shape};
use crate::tensor::Tensor;

/// `Σ (x - mean(x))² / (n - correction)` over a set of axes, which stay with size 1.
struct Variance {
    axes: AxisSet,
    correction: usize,
}

impl Variance {
    /// How many elements there are, and what the sum of squares is divided by.
    fn counts(&self, shape: Shape) -> (f64, f64) {
        let n = shape.extent(self.axes);
        (n as f64, n.saturating_sub(self.correction) as f64)
    }
}

impl<T: Float> Op<T> for Variance {
    fn name(&self) -> &'static str {
        "var"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        // Two passes, so that nothing cancels.
        let (n, divisor) = self.counts(x[0].shape());
        let (n, divisor) = (T::from_f64(n), T::from_f64(divisor));
        let mean = x[0].sum(self.axes).map(|sum| sum / n);
        let squares = x[0].zip(&mean, |x, mean| (x - mean).square())?;
        Ok(squares.sum(self.axes).map(|sum| sum / divisor))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let x = at.input(0);
        let (_, divisor) = self.counts(x.shape());
        Ok(grad * (2.0 / divisor) * (&x - x.average(self.axes, x.shape().keeping(self.axes))))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::input(0)
    }
}

impl<T: Float> Tensor<T> {
    /// The variance `Σ (x - mean(x))² / (n - correction)` of all elements, of rank 0.
    ///
    /// With a correction of 1 it does not underestimate that of what the elements were drawn from (PyTorch's default); with
    /// 0 it is the mean square of the deviations (NumPy's). NaN if no more elements than the correction are left.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 6.0], [3])?;
    /// assert_eq!(x.var(1).item(), 7.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn var(&self, correction: usize) -> Self {
        self.variance(AxisSet::all(&self.shape()), Shape::SCALAR, correction)
    }

    /// The variance `Σ (x - mean(x))² / (n - correction)` over the given axes, which go away; see [`var`](Self::var).
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn var_axes(&self, axes: impl Into<Axes>, correction: usize) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("var_axes")?;
        Ok(self.variance(axes, self.shape().without(axes), correction))
    }

    /// The variance `Σ (x - mean(x))² / (n - correction)` over the given axes, which stay with size 1; see
    /// [`var`](Self::var).
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 3.0, 5.0, 5.0], [2, 2])?;
    /// assert_eq!(x.var_keep(1, 0)?.to_vec(), [1.0, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn var_keep(&self, axes: impl Into<Axes>, correction: usize) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("var_keep")?;
        Ok(self.variance(axes, self.shape().keeping(axes), correction))
    }

    #[track_caller]
    fn variance(&self, axes: AxisSet, shape: Shape, correction: usize) -> Self {
        let kept = Variance { axes, correction }.apply(&[self]).expect("the axes exist");
        kept.reshaped(shape).expect("axes of size 1 hold nothing")
    }

    /// The standard deviation `√var(x)` of all elements, of rank 0, with the correction of [`var`](Self::var). The gradient
    /// is 0 where all elements are equal.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 5.0], [2])?;
    /// assert_eq!(x.std(0).item(), 2.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn std(&self, correction: usize) -> Self {
        self.var(correction).flat_at_zero(Self::sqrt)
    }

    /// The standard deviation `√var(x)` over the given axes, which go away, with the correction of [`var`](Self::var). The
    /// gradient is 0 where all elements are equal.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn std_axes(&self, axes: impl Into<Axes>, correction: usize) -> Result<Self> {
        Ok(self.var_axes(axes, correction).of_op("std_axes")?.flat_at_zero(Self::sqrt))
    }

    /// The standard deviation `√var(x)` over the given axes, which stay with size 1, with the correction of
    /// [`var`](Self::var). The gradient is 0 where all elements are equal.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn std_keep(&self, axes: impl Into<Axes>, correction: usize) -> Result<Self> {
        Ok(self.var_keep(axes, correction).of_op("std_keep")?.flat_at_zero(Self::sqrt))
    }

    /// The norm `(Σ |x|ᵖ)^(1/p)` of all elements, of rank 0: for 2 the length, for infinity the largest and for minus
    /// infinity the smallest magnitude, for 0 the number of elements that are not 0. The gradient of an element that is 0
    /// is 0, and of several extremes each has an equal share.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([3.0, -4.0], [2])?;
    /// assert_eq!([1.0, 2.0, f64::INFINITY].map(|p| x.norm(p).item()), [7.0, 5.0, 4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn norm(&self, p: f64) -> Self {
        self.magnitude(p, AxisSet::all(&self.shape()), Shape::SCALAR)
    }

    /// The norm `(Σ |x|ᵖ)^(1/p)` over the given axes, which go away; see [`norm`](Self::norm).
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn norm_axes(&self, p: f64, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("norm_axes")?;
        Ok(self.magnitude(p, axes, self.shape().without(axes)))
    }

    /// The norm `(Σ |x|ᵖ)^(1/p)` over the given axes, which stay with size 1; see [`norm`](Self::norm).
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let rows = Tensor::from_vec([3.0, 4.0, 0.0, 2.0], [2, 2])?;
    /// assert_eq!((&rows / rows.norm_keep(2.0, 1)?).to_vec(), [0.6, 0.8, 0.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn norm_keep(&self, p: f64, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into().set(&self.shape()).of_op("norm_keep")?;
        Ok(self.magnitude(p, axes, self.shape().keeping(axes)))
    }

    #[track_caller]
    fn magnitude(&self, p: f64, axes: AxisSet, shape: Shape) -> Self {
        match p {
            0.0 => self.sign().abs().total(axes, shape),
            1.0 => self.abs().total(axes, shape),
            2.0 => self.square().total(axes, shape).flat_at_zero(Self::sqrt),
            f64::INFINITY => self.abs().extreme(axes, shape, true),
            f64::NEG_INFINITY => self.abs().extreme(axes, shape, false),
            _ => {
                let powers = self.abs().flat_at_zero(|x| x.powf(p));
                powers.total(axes, shape).flat_at_zero(|sum| sum.powf(1.0 / p))
            }
        }
    }

    /// `f` of each element, as a constant where it is 0: there roots and small powers have an infinite slope, which times
    /// the slope of what is inside, 0, would be NaN.
    #[track_caller]
    fn flat_at_zero(&self, f: impl Fn(&Self) -> Self) -> Self {
        let zero = Self::scalar(T::ZERO);
        let mask = self.eq(&zero).expect("a number broadcasts");
        mask.select(&f(&zero), &f(&self.or_one())).expect("numbers broadcast")
    }
}
