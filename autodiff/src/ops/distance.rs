//! How alike vectors are.

use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The cosine of the angle between two vectors, `Σ a b / (max(|a|, ε) max(|b|, ε))` along an axis of the shape that both
    /// broadcast to; the axis goes away.
    ///
    /// # Errors
    /// If the shapes do not broadcast or the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let a = Tensor::from_vec([3.0, 4.0, 1.0, 0.0], [2, 2])?;
    /// let b = Tensor::from_vec([3.0, 4.0], [2])?;
    /// assert_eq!(a.cosine_similarity(&b, -1, 1e-8)?.to_vec(), [1.0, 0.6]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn cosine_similarity(&self, other: &Self, axis: isize, epsilon: f64) -> Result<Self> {
        let (a, b) = self.pair(other).of_op("cosine_similarity")?;
        let shortest = Self::scalar(T::from_f64(epsilon));
        let product = (&a * &b).sum_keep(axis).of_op("cosine_similarity")?;
        let lengths =
            [a.norm_keep(2.0, axis)?.maximum(&shortest)?, b.norm_keep(2.0, axis)?.maximum(&shortest)?];
        (product / (&lengths[0] * &lengths[1])).squeeze(axis)
    }

    /// The distance of two vectors, `(Σ |a - b + ε|ᵖ)^(1/p)` along the last axis of the shape that both broadcast to; the axis
    /// goes away. With a positive `ε` it has a gradient where `a` and `b` are equal, too.
    ///
    /// # Errors
    /// If the shapes do not broadcast or both have rank 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let a = Tensor::from_vec([3.0, 4.0, 1.0, 0.0], [2, 2])?;
    /// assert_eq!(a.pairwise_distance(&Tensor::zeros([2]), 2.0, 0.0)?.to_vec(), [5.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn pairwise_distance(&self, other: &Self, p: f64, epsilon: f64) -> Result<Self> {
        let (a, b) = self.pair(other).of_op("pairwise_distance")?;
        (a - b + epsilon).norm_axes(p, -1).of_op("pairwise_distance")
    }

    /// Both, in the shape that they broadcast to.
    #[track_caller]
    fn pair(&self, other: &Self) -> Result<(Self, Self)> {
        let (left, right) = (self.shape(), other.shape());
        let shape = left.broadcast(&right).ok_or(ErrorKind::Broadcast { left, right })?;
        Ok((self.broadcast_to(shape)?, other.broadcast_to(shape)?))
    }
}
