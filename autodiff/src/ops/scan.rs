//! Running results along an axis: sums, products, extremes.

use crate::array::Array;
use crate::error::{OfOp, Result};
use crate::float::Float;
use crate::kernel::reduce::{Add, Mul};
use crate::op::{Op, Point, Reads};
use crate::tensor::Tensor;

/// `yₖ = Σ xᵢ` over all `i ≤ k` along an axis; over all `i ≥ k` if it runs back.
struct CumSum {
    axis: usize,
    reversed: bool,
}

impl<T: Float> Op<T> for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].scan::<Add>(self.axis, self.reversed))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Self { reversed: !self.reversed, ..*self }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// `yₖ = Π xᵢ` over all `i ≤ k` along an axis.
struct CumProd {
    axis: usize,
}

impl<T: Float> Op<T> for CumProd {
    fn name(&self) -> &'static str {
        "cumprod"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].scan::<Mul>(self.axis, false))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        // Without a division, which zeros would not survive: the product in front of entry i, times
        // Σ gₖ Π xⱼ over k ≥ i and i < j ≤ k, which is a recurrence from the last entry to the first.
        let behind = Recurrence { axis: self.axis, reversed: true }.apply(&[&at.input(0), &grad])?;
        Ok(at.output().delayed(self.axis, 1.0)? * behind)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::input(0) | Reads::OUTPUT
    }
}

/// `yₖ = xₖ + aₖ yₖ₋₁` along an axis, or back, `yₖ = xₖ + aₖ₊₁ yₖ₊₁`, of `a` and `x`: either is the adjoint of the other.
struct Recurrence {
    axis: usize,
    reversed: bool,
}

impl<T: Float> Op<T> for Recurrence {
    fn name(&self) -> &'static str {
        "recurrence"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[1].recurrence(x[0], self.axis, self.reversed))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let adjoint = Self { reversed: !self.reversed, ..*self }.apply(&[&at.input(0), &grad])?;
        if index == 1 {
            return Ok(adjoint);
        }
        // Entry k of `a` takes what has come up to k - 1 to what comes back to k.
        let (forth, back) = if self.reversed { (adjoint, at.output()) } else { (at.output(), adjoint) };
        Ok(forth.delayed(self.axis, 0.0)? * back)
    }
    fn reads(&self, index: usize) -> Reads {
        if index == 0 { Reads::input(0) | Reads::OUTPUT } else { Reads::input(0) }
    }
}

/// `yₖ = Π xᵢ` over all `i ≠ k` along an axis.
pub(super) struct ProductsOfOthers {
    pub(super) axis: usize,
}

impl<T: Float> Op<T> for ProductsOfOthers {
    fn name(&self) -> &'static str {
        "products_of_others"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].products_of_others(self.axis))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        // Entry j gets Σ gₖ Π xᵢ over all k ≠ j and i ≠ j, k. Of the k behind it, that is the product in front of j, times
        // Σ gₖ (the product behind k) (that of those between), which is a recurrence from the last entry to the first. Of
        // the k in front it is the same of the entries in reverse.
        let axis = self.axis;
        let back = |x: &Tensor<T>| x.flip(axis as isize);
        let in_front = |x: &Tensor<T>| x.cumprod(axis as isize)?.delayed(axis, 1.0);
        let from_behind = |[x, x_back]: [&Tensor<T>; 2], grad_back: &Tensor<T>| -> Result<Tensor<T>> {
            let ends = back(&(grad_back * in_front(x_back)?).delayed(axis, 0.0)?)?;
            Ok(in_front(x)? * Recurrence { axis, reversed: true }.apply(&[x, &ends])?)
        };
        let x = at.input(0);
        let x_back = back(&x)?;
        Ok(from_behind([&x, &x_back], &back(&grad)?)? + back(&from_behind([&x_back, &x], &grad)?)?)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::input(0)
    }
}

impl<T: Float> Tensor<T> {
    /// The entries one place on along an axis: `first` in front, and the last left out.
    #[track_caller]
    pub(super) fn delayed(&self, axis: usize, first: f64) -> Result<Self> {
        let shape = self.shape();
        let Some(kept) = shape.dim(axis).checked_sub(1) else { return Ok(self.clone()) };
        let mut widths = vec![(0, 0); shape.rank()];
        widths[axis] = (1, 0);
        self.slice(axis as isize, 0..kept)?.pad(&widths, first)
    }

    /// The sums `yₖ = Σ xᵢ` over all `i ≤ k` along `axis`.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::from_vec([1.0, 2.0, 4.0], [3])?.cumsum(0)?.to_vec(), [1.0, 3.0, 7.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Result<Self> {
        CumSum { axis: self.shape().axis(axis).of_op("cumsum")?, reversed: false }.apply(&[self])
    }

    /// The products `yₖ = Π xᵢ` over all `i ≤ k` along `axis`. The gradient is exact where factors are 0 as well.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([2.0, 0.0, 4.0], [3])?.variable();
    /// let y = x.cumprod(0)?;
    /// assert_eq!(y.to_vec(), [2.0, 0.0, 0.0]);
    /// y.sum().backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), [1.0, 10.0, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn cumprod(&self, axis: isize) -> Result<Self> {
        CumProd { axis: self.shape().axis(axis).of_op("cumprod")? }.apply(&[self])
    }

    /// The largest of all `xᵢ` with `i ≤ k` along `axis`, and where it is; NaN counts as the largest. Of several equal ones
    /// it is the last, which gets the gradient.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (values, index) = Tensor::from_vec([1.0, 3.0, 2.0, 3.0], [4])?.cummax(0)?;
    /// assert_eq!((values.to_vec(), index.to_vec()), (vec![1.0, 3.0, 3.0, 3.0], vec![0, 1, 1, 3]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn cummax(&self, axis: isize) -> Result<(Self, Array<usize>)> {
        let index = self.array.scan_extreme(self.shape().axis(axis).of_op("cummax")?, true);
        Ok((self.gather(axis, &index)?, index))
    }

    /// The smallest of all `xᵢ` with `i ≤ k` along `axis`, and where it is; NaN counts as the smallest. Of several equal
    /// ones it is the last, which gets the gradient.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (values, index) = Tensor::from_vec([2.0, 3.0, 1.0, 1.0], [4])?.cummin(0)?;
    /// assert_eq!((values.to_vec(), index.to_vec()), (vec![2.0, 2.0, 1.0, 1.0], vec![0, 0, 2, 3]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn cummin(&self, axis: isize) -> Result<(Self, Array<usize>)> {
        let index = self.array.scan_extreme(self.shape().axis(axis).of_op("cummin")?, false);
        Ok((self.gather(axis, &index)?, index))
    }
}
