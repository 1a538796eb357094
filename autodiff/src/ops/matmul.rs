//! Matrix products.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::ops::binary::Mul;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// `a b` over the last two axes of arrays of rank 2 or more; the axes in front broadcast.
struct MatMul;

impl<T: Float> Op<T> for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].product(x[1])
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        if index == 0 {
            MatMul.apply(&[&grad, &at.input(1).t()?])
        } else {
            MatMul.apply(&[&at.input(0).t()?, &grad])
        }
    }
    fn reads(&self, index: usize) -> Reads {
        Reads::input(1 - index)
    }
}

/// `Σ a b` of two vectors, of rank 0.
struct Dot;

impl<T: Float> Op<T> for Dot {
    fn name(&self) -> &'static str {
        "dot"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(Array::scalar(x[0].dot(x[1])))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * at.input(1 - index))
    }
    fn reads(&self, index: usize) -> Reads {
        Reads::input(1 - index)
    }
}

/// `x W + b` for matrices `x` and `W` and a row `b`, with the sum made where the product is.
struct Affine;

impl<T: Float> Op<T> for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].affine(x[1], x[2]))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        match index {
            0 => MatMul.apply(&[&grad, &at.input(1).t()?]),
            1 => MatMul.apply(&[&at.input(0).t()?, &grad]),
            // The engine sums it over the rows.
            _ => Ok(grad),
        }
    }
    fn reads(&self, index: usize) -> Reads {
        if index < 2 { Reads::input(1 - index) } else { Reads::NONE }
    }
}

impl<T: Float> Tensor<T> {
    /// The matrix product, by NumPy's rules: over the last axis of `self` and the last but one of `other`.
    ///
    /// | shapes | result |
    /// |---|---|
    /// | `[m, k]` and `[k, n]` | `[m, n]` |
    /// | `[k]` and `[k]` | a single number, the dot product |
    /// | `[m, k]` and `[k]` | `[m]` |
    /// | `[k]` and `[k, n]` | `[n]` |
    /// | `[.., m, k]` and `[.., k, n]` | `[.., m, n]`, the axes in front broadcast |
    ///
    /// Transposed operands are read as they lie, never copied.
    ///
    /// # Errors
    /// If the inner sizes differ, the axes in front do not broadcast, or an operand has rank 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let a = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// let b = Tensor::from_vec([1.0, 10.0], [2])?;
    /// assert_eq!(a.matmul(&b)?.to_vec(), [21.0, 43.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        let (left, right) = (self.shape(), other.shape());
        let [m_rank, n_rank] = [left.rank(), right.rank()];
        let fits = m_rank > 0 && n_rank > 0 && {
            let inner = right.dim(n_rank.saturating_sub(2));
            left.dim(m_rank - 1) == inner
        };
        if !fits {
            return Err(ErrorKind::MatMul { left, right }.of("matmul"));
        }
        match (m_rank, n_rank) {
            // A vector is a row on the left and a column on the right, and its extra axis goes away again.
            (1, 1) => Dot.apply(&[self, other]),
            (1, _) => {
                let product = self.row()?.matmul(other)?;
                product.reshaped(product.shape().removing(product.rank() - 2))
            }
            (_, 1) => {
                let product = self.matmul(&other.column()?)?;
                product.reshaped(product.shape().removing(product.rank() - 1))
            }
            // A stack of matrices times one matrix is one tall matrix times it.
            (3.., 2) if left.size() > 0 => {
                let k = left.dim(m_rank - 1) as isize;
                let product = self.reshape([-1, k])?.matmul(other)?;
                product.reshaped(left.with(m_rank - 1, right.dim(1)))
            }
            _ => MatMul.apply(&[self, other]),
        }
        .of_op("matmul")
    }

    /// The affine map `Y = X W + b`, `[.., n]`, for `X` of shape `[.., k]`, `W` of `[k, n]` and `b` of `[n]`.
    ///
    /// It is `x.matmul(&weight)? + bias` in one op: the product is written once, with `b` in it.
    ///
    /// # Errors
    /// If `self` has rank 0, `weight` is no matrix of as many rows as `self` has columns, or `bias` has not an entry for
    /// each of its columns.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (x, weight) = (Tensor::from_vec([1.0, 2.0], [1, 2])?, Tensor::from_vec([3.0, 4.0, 5.0, 6.0], [2, 2])?);
    /// let bias = Tensor::from_vec([0.5, -0.5], [2])?;
    /// assert_eq!(x.affine(&weight, &bias)?.to_vec(), [13.5, 15.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn affine(&self, weight: &Self, bias: &Self) -> Result<Self> {
        const NAME: &str = "affine";
        let [k, n] = weight.dims().of_op(NAME)?;
        let x = self.shape();
        if x.iter().next_back() != Some(k) {
            return Err(ErrorKind::MatMul { left: x, right: weight.shape() }.of(NAME));
        }
        if bias.shape() != Shape::of([n]) {
            let what = "a bias has an entry for each column of the weight";
            return Err(ErrorKind::Mismatch { what, left: bias.shape(), right: weight.shape() }.of(NAME));
        }
        let last = x.rank() - 1;
        Shape::new(&x.iter().take(last).chain([n]).collect::<Vec<_>>()).of_op(NAME)?;
        let rows: usize = x.iter().take(last).product();
        let result = Affine.apply(&[&self.reshaped(Shape::of([rows, k]))?, weight, bias])?;
        result.reshaped(x.with(last, n))
    }

    /// The dot product `Σᵢ aᵢ bᵢ` of two vectors, of rank 0.
    ///
    /// # Errors
    /// If a tensor is not a vector, or their lengths differ.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (a, b) = (Tensor::from_vec([1.0, 2.0], [2])?, Tensor::from_vec([3.0, 4.0], [2])?);
    /// assert_eq!(a.dot(&b)?.item(), 11.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn dot(&self, other: &Self) -> Result<Self> {
        let [_, _] = [self.dims::<1>().of_op("dot")?, other.dims::<1>().of_op("dot")?];
        self.matmul(other).of_op("dot")
    }

    /// The outer product of two vectors, the matrix of all `aᵢ bⱼ`.
    ///
    /// # Errors
    /// If a tensor is not a vector, or the result is too large.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (a, b) = (Tensor::from_vec([1.0, 2.0], [2])?, Tensor::from_vec([3.0, 4.0], [2])?);
    /// assert_eq!(a.outer(&b)?.to_vec(), [3.0, 4.0, 6.0, 8.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn outer(&self, other: &Self) -> Result<Self> {
        let [[m], [n]] = [self.dims().of_op("outer")?, other.dims().of_op("outer")?];
        Shape::new(&[m, n]).of_op("outer")?;
        Mul.apply(&[&self.column()?, other]).of_op("outer")
    }

    #[track_caller]
    fn row(&self) -> Result<Self> {
        self.reshape([1, -1])
    }

    #[track_caller]
    fn column(&self) -> Result<Self> {
        self.reshape([-1, 1])
    }
}
