//! Attention with several heads.

use crate::{Affine, Dropout, Init, Layer, Module, is_training};
use autodiff::{AttentionMask, AttentionOptions, Error, Float, Result, Rng, Tensor};

/// What queries may attend to: what all of these allow.
///
/// A query that may attend to nothing gets zeros from the heads.
///
/// ```
/// use nn::AttentionMasks;
/// let causal: AttentionMasks<'_> = AttentionMasks { causal: true, ..AttentionMasks::default() };
/// assert!(causal.mask.is_none() && causal.keys.is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AttentionMasks<'a, T: Float = f32> {
    /// For each query and key: `[queries, keys]`, or anything that broadcasts to `[n, heads, queries, keys]`.
    pub mask: Option<AttentionMask<'a, T>>,
    /// Which keys there are, `[n, keys]`: not zero for those, zero for padding.
    pub keys: Option<&'a Tensor<T>>,
    /// Whether query `i` attends to keys up to `i` alone.
    pub causal: bool,
}

impl<T: Float> Default for AttentionMasks<'_, T> {
    /// Everything is allowed.
    fn default() -> Self {
        Self { mask: None, keys: None, causal: false }
    }
}

/// Attention with several heads (Vaswani et al., arXiv:1706.03762, section 3.2.2):
///
/// ```text
/// y = [head₁, .., headₕ] Wₒ + bₒ
/// headᵢ = softmax(Qᵢ Kᵢᵀ / √e) Vᵢ          e = size / heads
/// [Q, K, V] = [query W_q + b_q, key W_k + b_k, value W_v + b_v]
/// ```
///
/// where head `i` has columns `i e..(i + 1) e` of `Q`, `K` and `V`. Queries are `[n, queries, size]`, keys and values
/// `[n, keys, size]`, `y` is `[n, queries, size]`. As a [`Layer`] it attends from its input to the same input.
///
/// The parameters are `in_proj.weight = [W_q, W_k, W_v]`, `[size, 3 size]`, `in_proj.bias = [b_q, b_k, b_v]`,
/// `out_proj.weight = Wₒ` and `out_proj.bias = bₒ`; the weights are the transposes of `torch`'s of these names. They are drawn
/// by [`Init::XavierUniform`], and the biases are zeros.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{AttentionMasks, Layer, MultiHeadAttention};
/// let attention = MultiHeadAttention::<f32>::new(16, 4, &mut Rng::seed(7));
/// let (x, memory) = (Tensor::ones([2, 5, 16]), Tensor::ones([2, 9, 16]));
/// assert_eq!(attention.forward(&x)?.shape(), [2, 5, 16]);
/// let (y, weights) = attention.attend_with_weights(&x, &memory, &memory, &AttentionMasks::default())?;
/// assert_eq!((y.shape(), weights.shape()), ([2, 5, 16].into(), [2, 4, 5, 9].into()));
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct MultiHeadAttention<T: Float = f32> {
    /// From inputs to queries, keys and values, `[size, 3 size]`.
    pub in_proj: Affine<T>,
    /// From what the heads found to the output, `[size, size]`.
    pub out_proj: Affine<T>,
    heads: usize,
    dropout: Option<Dropout>,
}

impl<T: Float> MultiHeadAttention<T> {
    /// Attention over vectors of so many numbers with so many heads.
    ///
    /// # Panics
    /// If the heads do not divide the size, or a weight is too large.
    #[track_caller]
    pub fn new(size: usize, heads: usize, rng: &mut Rng) -> Self {
        assert!(
            heads > 0 && size.is_multiple_of(heads),
            "vectors of {size} numbers cannot be split among {heads} heads"
        );
        let mut affine = |outputs| Affine::new(size, outputs, rng).with_init(Init::XavierUniform, rng);
        Self { in_proj: affine(3 * size), out_proj: affine(size), heads, dropout: None }
    }

    /// The same layer with dropout: in training, weights become 0 with probability `p`. Draws one number, the key of its
    /// masks.
    ///
    /// # Panics
    /// If `p` is not from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn dropout(mut self, p: f64, rng: &mut Rng) -> Self {
        self.dropout = Some(Dropout::new(p, rng));
        self
    }

    /// The same layer without biases.
    #[must_use]
    pub fn without_bias(mut self) -> Self {
        (self.in_proj.bias, self.out_proj.bias) = (None, None);
        self
    }

    /// What the queries find among the keys.
    ///
    /// If all three are the same tensor, in one place, they go through one matrix product.
    ///
    /// # Errors
    /// If the shapes of the tensors or of the masks do not fit.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{AttentionMasks, MultiHeadAttention};
    /// let attention = MultiHeadAttention::<f32>::new(4, 2, &mut Rng::seed(7));
    /// let x = Rng::seed(8).normal([2, 3, 4], 0.0, 1.0);
    /// let keys = Tensor::from_vec([1.0, 1.0, 1.0, 1.0, 1.0, 0.0], [2, 3])?; // the second sequence is shorter
    /// let masks = AttentionMasks { keys: Some(&keys), causal: true, ..AttentionMasks::default() };
    /// let y = attention.attend(&x, &x, &x, &masks)?;
    /// // The first query sees the first key alone, whatever follows.
    /// let first = x.slice(1, 0..1)?;
    /// let alone = attention.attend(&first, &first, &first, &AttentionMasks::default())?;
    /// assert!((y.slice(1, 0..1)? - alone).abs().max().item() < 1e-6);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn attend(
        &self,
        query: &Tensor<T>,
        key: &Tensor<T>,
        value: &Tensor<T>,
        masks: &AttentionMasks<'_, T>,
    ) -> Result<Tensor<T>> {
        Ok(self.run(query, key, value, masks, false)?.0)
    }

    /// The same, and what the values were multiplied by, `[n, heads, queries, keys]`: the softmax, after dropout.
    ///
    /// # Errors
    /// If the shapes of the tensors or of the masks do not fit.
    #[track_caller]
    pub fn attend_with_weights(
        &self,
        query: &Tensor<T>,
        key: &Tensor<T>,
        value: &Tensor<T>,
        masks: &AttentionMasks<'_, T>,
    ) -> Result<(Tensor<T>, Tensor<T>)> {
        let (y, weights) = self.run(query, key, value, masks, true)?;
        Ok((y, weights.expect("they were asked for")))
    }

    #[track_caller]
    fn run(
        &self,
        query: &Tensor<T>,
        key: &Tensor<T>,
        value: &Tensor<T>,
        masks: &AttentionMasks<'_, T>,
        with_weights: bool,
    ) -> Result<(Tensor<T>, Option<Tensor<T>>)> {
        let [n, queries, size] = self.check(query, key, value)?;
        let [q, k, v] = self.heads(query, key, value)?;
        let keys = match masks.keys {
            None => None,
            Some(keys) if keys.shape() == [n, key.shape().dim(1)] => Some(keys.unsqueeze(1)?.unsqueeze(1)?),
            Some(keys) => {
                let message = format!(
                    "there must be a number for each key of {}, [n, keys], and there are {}",
                    key.shape(),
                    keys.shape()
                );
                return Err(Error::new(NAME, message));
            }
        };
        let joined = match (masks.mask, &keys) {
            (Some(AttentionMask::Add(mask)), Some(keys)) => {
                Some(keys.select(mask, &Tensor::scalar(-T::INFINITY))?)
            }
            (Some(AttentionMask::Keep(mask)), Some(keys)) => {
                Some(keys.select(mask, &Tensor::scalar(T::ZERO))?)
            }
            _ => None,
        };
        let mask = match (masks.mask, &joined, &keys) {
            (Some(AttentionMask::Add(_)), Some(joined), _) => Some(AttentionMask::Add(joined)),
            (Some(AttentionMask::Keep(_)), Some(joined), _) => Some(AttentionMask::Keep(joined)),
            (None, _, Some(keys)) => Some(AttentionMask::Keep(keys)),
            (mask, ..) => mask,
        };
        let options = AttentionOptions { mask, causal: masks.causal, ..AttentionOptions::default() };
        let dropout = self.dropout.as_ref().filter(|_| is_training());
        let (found, weights) = if with_weights || dropout.is_some() {
            // What each query finds among keys that are the rows of an identity are its weights.
            let identity = Tensor::eye(key.shape().dim(1));
            let weights = q.scaled_dot_product_attention(&k, &identity, &options)?;
            let weights = dropout.map_or_else(|| Ok(weights.clone()), |dropout| dropout.forward(&weights))?;
            (weights.matmul(&v)?, with_weights.then_some(weights))
        } else {
            (q.scaled_dot_product_attention(&k, &v, &options)?, None)
        };
        let rows = found.transpose(1, 2)?.reshape([n, queries, size].map(|n| n as isize))?;
        Ok((self.out_proj.forward(&rows)?, weights))
    }

    /// Queries, keys and values of the heads, `[n, heads, .., size / heads]`.
    #[track_caller]
    fn heads(&self, query: &Tensor<T>, key: &Tensor<T>, value: &Tensor<T>) -> Result<[Tensor<T>; 3]> {
        let size = self.in_proj.weight.shape().dim(0);
        let [h, e] = [self.heads, size / self.heads].map(|n| n as isize);
        let (n, axis) = (query.shape().dim(0) as isize, |x: &Tensor<T>| x.shape().dim(1) as isize);
        if std::ptr::eq(query, key) && std::ptr::eq(key, value) {
            let all = self.in_proj.forward(query)?.reshape([n, axis(query), 3, h, e])?;
            let all = all.permute([2, 0, 3, 1, 4])?;
            let part = |i| all.slice(0, i..i + 1)?.squeeze(0);
            return Ok([part(0)?, part(1)?, part(2)?]);
        }
        let part = |i: usize, x: &Tensor<T>| {
            let columns = i * size..(i + 1) * size;
            let weight = self.in_proj.weight.slice(1, columns.clone())?;
            let y = match &self.in_proj.bias {
                Some(bias) => x.affine(&weight, &bias.slice(0, columns)?)?,
                None => x.matmul(&weight)?,
            };
            y.reshape([n, axis(x), h, e])?.transpose(1, 2)
        };
        Ok([part(0, query)?, part(1, key)?, part(2, value)?])
    }

    /// The shape of the queries, if everything fits.
    #[track_caller]
    fn check(&self, query: &Tensor<T>, key: &Tensor<T>, value: &Tensor<T>) -> Result<[usize; 3]> {
        let size = self.in_proj.weight.shape().dim(0);
        let [q, k, v] = [query, key, value].map(Tensor::shape);
        let fits = |shape: &autodiff::Shape| shape.rank() == 3 && shape.dim(2) == size;
        if ![q, k, v].iter().all(fits) || q.dim(0) != k.dim(0) || k != v {
            let message = format!(
                "queries must be [n, queries, {size}], keys and values [n, keys, {size}], and they are {q}, {k} and {v}"
            );
            return Err(Error::new(NAME, message));
        }
        Ok([q.dim(0), q.dim(1), size])
    }
}

/// What errors name.
const NAME: &str = "multi_head_attention";

impl<T: Float> Layer<T> for MultiHeadAttention<T> {
    /// What the entries of `[n, length, size]` find among themselves.
    ///
    /// # Errors
    /// If `x` has another shape.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        self.attend(x, x, x, &AttentionMasks::default())
    }
}
