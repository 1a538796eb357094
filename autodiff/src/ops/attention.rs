//! Attention.

use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// What queries attend to, and how much.
///
/// ```
/// use autodiff::{AttentionMask, AttentionOptions, Tensor};
/// let keep = Tensor::from_vec([1.0, 0.0], [1, 2])?; // the second key is padding
/// let options = AttentionOptions { mask: Some(AttentionMask::Keep(&keep)), ..AttentionOptions::default() };
/// let (query, value) = (Tensor::ones([1, 3]), Tensor::from_vec([1.0, 9.0], [2, 1])?);
/// assert_eq!(query.scaled_dot_product_attention(&Tensor::ones([2, 3]), &value, &options)?.to_vec(), [1.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum AttentionMask<'a, T: Float = f32> {
    /// Added to the scores, `[.., queries, keys]` after broadcasting: -∞ forbids, and it may itself have a gradient.
    Add(&'a Tensor<T>),
    /// Keys are attended to where this is not zero, `[.., queries, keys]` after broadcasting.
    Keep(&'a Tensor<T>),
}

/// How [`scaled_dot_product_attention`](Tensor::scaled_dot_product_attention) weighs.
///
/// ```
/// use autodiff::AttentionOptions;
/// let causal: AttentionOptions<'_> = AttentionOptions { causal: true, ..AttentionOptions::default() };
/// assert!(causal.mask.is_none() && causal.scale.is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AttentionOptions<'a, T: Float = f32> {
    /// What queries attend to; everything if there is none.
    pub mask: Option<AttentionMask<'a, T>>,
    /// Whether query `i` attends to keys up to `i` alone; together with a mask, to those that both allow.
    pub causal: bool,
    /// What products of queries and keys are multiplied by; `1 / √E` if there is none.
    pub scale: Option<f64>,
}

impl<T: Float> Default for AttentionOptions<'_, T> {
    /// No mask, not causal, the usual scale.
    fn default() -> Self {
        Self { mask: None, causal: false, scale: None }
    }
}

impl<T: Float> Tensor<T> {
    /// Attention (Vaswani et al., arXiv:1706.03762, eq. 1) of these queries: `softmax(scale Q Kᵀ + mask) V` along the keys, with
    /// queries `[.., L, E]`, keys `[.., S, E]` and values `[.., S, V]`, whose axes in front broadcast; `[.., L, V]`.
    ///
    /// A query that may attend to nothing gets zeros, and no gradient.
    ///
    /// # Errors
    /// If a rank is below 2, the sizes do not fit, or shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::{AttentionOptions, Tensor};
    /// let (query, key) = (Tensor::zeros([1, 2, 3]), Tensor::zeros([1, 2, 3]));
    /// let value = Tensor::from_vec([1.0, 3.0], [1, 2, 1])?;
    /// let causal = AttentionOptions { causal: true, ..AttentionOptions::default() };
    /// assert_eq!(query.scaled_dot_product_attention(&key, &value, &causal)?.to_vec(), [1.0, 2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn scaled_dot_product_attention(
        &self,
        key: &Self,
        value: &Self,
        options: &AttentionOptions<'_, T>,
    ) -> Result<Self> {
        const NAME: &str = "scaled_dot_product_attention";
        for shape in [self.shape(), key.shape(), value.shape()] {
            if shape.rank() < 2 {
                let what = "queries, keys and values need two axes each";
                return Err(ErrorKind::Message(format!("{what}: {shape} has rank {}", shape.rank())).of(NAME));
            }
        }
        let [embedding, keys] = [-1, -2].map(|axis| key.shape().axis(axis).map(|axis| key.shape().dim(axis)));
        let (embedding, keys) = (embedding?, keys?);
        let queries = self.shape().dim(self.rank() - 2);
        let scale = options.scale.unwrap_or_else(|| (embedding as f64).sqrt().recip());
        // The smaller factor is scaled.
        let mut scores = (self * scale).matmul(&key.t()?).of_op(NAME)?;
        let shape = scores.shape();
        let fits = |mask: &Self| {
            let fits = mask.shape().broadcast(&shape) == Some(shape);
            if fits { Ok(()) } else { Err(ErrorKind::BroadcastTo { from: mask.shape(), to: shape }.into()) }
        };
        let forbidden = Self::scalar(-T::INFINITY);
        match options.mask {
            Some(AttentionMask::Add(mask)) => {
                fits(mask).of_op(NAME)?;
                scores = scores + mask;
            }
            Some(AttentionMask::Keep(mask)) => {
                fits(mask).of_op(NAME)?;
                scores = mask.select(&scores, &forbidden)?;
            }
            None => {}
        }
        if options.causal {
            scores = Self::up_to_diagonal(queries, keys).select(&scores, &forbidden)?;
        }
        let weights = if options.mask.is_none() {
            scores.softmax(-1)?
        } else {
            // The softmax of a row of -∞ is not a number: such rows are set aside.
            let some = scores.detach().max_keep(-1)?.ne(&forbidden)?;
            let zero = Self::scalar(T::ZERO);
            some.select(&some.select(&scores, &zero)?.softmax(-1)?, &zero)?
        };
        weights.matmul(value).of_op(NAME)
    }

    /// Ones up to the diagonal, zeros after it.
    fn up_to_diagonal(rows: usize, columns: usize) -> Self {
        let ones = (0..rows * columns).map(|i| if i % columns <= i / columns { T::ONE } else { T::ZERO });
        let ones: Vec<T> = ones.collect();
        Self::from_vec(ones, Shape::of([rows, columns])).expect("as many numbers")
    }
}
