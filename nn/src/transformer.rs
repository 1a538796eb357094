//! The encoder of a transformer.

use crate::{Affine, AttentionMasks, Dropout, Layer, LayerNorm, Module, MultiHeadAttention};
use autodiff::{Float, Result, Rng, Tensor};

/// What the layers of a transformer are like.
///
/// ```
/// use nn::TransformerOptions;
/// let options = TransformerOptions { heads: 4, hidden: 1024, ..TransformerOptions::default() };
/// assert!(options.dropout == 0.1 && !options.norm_first && !options.gelu);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransformerOptions {
    /// How many heads the attention has.
    pub heads: usize,
    /// The width of the network of two fully connected layers.
    pub hidden: usize,
    /// The probability of dropout: of attention weights, of what is between the two fully connected layers, and of what each
    /// of both parts adds.
    pub dropout: f64,
    /// Whether each part normalises what goes in, rather than the sum that comes out.
    pub norm_first: bool,
    /// Whether the function between the two fully connected layers is the GELU, rather than the `ReLU`.
    pub gelu: bool,
    /// The `ε` of the normalisations.
    pub epsilon: f64,
}

impl Default for TransformerOptions {
    /// 8 heads, 2048 hidden units, dropout 0.1, normalisation last, `ReLU`, `1e-5`: the base model of the paper, and `torch`'s.
    fn default() -> Self {
        Self { heads: 8, hidden: 2048, dropout: 0.1, norm_first: false, gelu: false, epsilon: 1e-5 }
    }
}

/// A layer of the encoder of a transformer (Vaswani et al., arXiv:1706.03762, section 3.1): attention of a sequence to itself
/// and a network of two fully connected layers, each with a way around it.
///
/// ```text
/// x ← norm1(x + attention(x))        or, norm first,  x ← x + attention(norm1(x))
/// x ← norm2(x + network(x))                           x ← x + network(norm2(x))
/// network(x) = linear2(relu(linear1(x)))
/// ```
///
/// `x` is `[n, length, size]`, before and after. In training there is dropout, see [`TransformerOptions::dropout`]. With the
/// normalisation first, deep stacks train without a warm-up of the learning rate (Xiong et al., arXiv:2002.04745).
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{AttentionMasks, Layer, TransformerEncoderLayer, TransformerOptions};
/// let options = TransformerOptions { heads: 4, hidden: 32, ..TransformerOptions::default() };
/// let layer = TransformerEncoderLayer::<f32>::new(16, options, &mut Rng::seed(7));
/// let x = Tensor::ones([2, 5, 16]);
/// assert_eq!(layer.forward(&x)?.shape(), [2, 5, 16]);
/// let causal = AttentionMasks { causal: true, ..AttentionMasks::default() };
/// assert_eq!(layer.run(&x, &causal)?.shape(), [2, 5, 16]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct TransformerEncoderLayer<T: Float = f32> {
    /// The attention.
    pub self_attn: MultiHeadAttention<T>,
    /// The first layer of the network, `[size, hidden]`.
    pub linear1: Affine<T>,
    /// The second one, `[hidden, size]`.
    pub linear2: Affine<T>,
    /// The normalisation of the attention.
    pub norm1: LayerNorm<T>,
    /// The normalisation of the network.
    pub norm2: LayerNorm<T>,
    hidden_dropout: Dropout,
    dropouts: [Dropout; 2],
    norm_first: bool,
    gelu: bool,
}

impl<T: Float> TransformerEncoderLayer<T> {
    /// A layer for vectors of so many numbers.
    ///
    /// # Panics
    /// If the heads do not divide the size, the probability of dropout is not from 0 to 1, `ε` is negative, or a weight is too
    /// large.
    #[track_caller]
    pub fn new(size: usize, options: TransformerOptions, rng: &mut Rng) -> Self {
        let TransformerOptions { heads, hidden, dropout, norm_first, gelu, epsilon } = options;
        let norm = || LayerNorm::new([size]).epsilon(epsilon);
        Self {
            self_attn: MultiHeadAttention::new(size, heads, rng).dropout(dropout, rng),
            linear1: Affine::new(size, hidden, rng),
            linear2: Affine::new(hidden, size, rng),
            norm1: norm(),
            norm2: norm(),
            hidden_dropout: Dropout::new(dropout, rng),
            dropouts: [Dropout::new(dropout, rng), Dropout::new(dropout, rng)],
            norm_first,
            gelu,
        }
    }

    /// The output where masks say what may be attended to.
    ///
    /// # Errors
    /// If `x` is not `[n, length, size]`, or a mask does not fit.
    #[track_caller]
    pub fn run(&self, x: &Tensor<T>, masks: &AttentionMasks<'_, T>) -> Result<Tensor<T>> {
        if self.norm_first {
            let x = x + self.attention(&self.norm1.forward(x)?, masks)?;
            Ok(&x + self.network(&self.norm2.forward(&x)?)?)
        } else {
            let x = self.norm1.forward(&(x + self.attention(x, masks)?))?;
            self.norm2.forward(&(&x + self.network(&x)?))
        }
    }

    #[track_caller]
    fn attention(&self, x: &Tensor<T>, masks: &AttentionMasks<'_, T>) -> Result<Tensor<T>> {
        self.dropouts[0].forward(&self.self_attn.attend(x, x, x, masks)?)
    }

    #[track_caller]
    fn network(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let hidden = self.linear1.forward(x)?;
        let hidden = if self.gelu { hidden.gelu() } else { hidden.relu() };
        self.dropouts[1].forward(&self.linear2.forward(&self.hidden_dropout.forward(&hidden)?)?)
    }
}

impl<T: Float> Layer<T> for TransformerEncoderLayer<T> {
    /// The output where everything may be attended to.
    ///
    /// # Errors
    /// If `x` is not `[n, length, size]`.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        self.run(x, &AttentionMasks::default())
    }
}

/// [Layers](TransformerEncoderLayer) one after the other, and, if asked for, a normalisation at the end, which belongs to
/// those with normalisation first.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Layer, TransformerEncoder, TransformerOptions};
/// let options = TransformerOptions { heads: 2, hidden: 32, norm_first: true, ..TransformerOptions::default() };
/// let encoder = TransformerEncoder::<f32>::new(3, 8, options, &mut Rng::seed(7)).with_norm();
/// assert_eq!(encoder.forward(&Tensor::ones([2, 5, 8]))?.shape(), [2, 5, 8]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct TransformerEncoder<T: Float = f32> {
    /// The layers.
    pub layers: Vec<TransformerEncoderLayer<T>>,
    /// The normalisation of the output, if there is one.
    pub norm: Option<LayerNorm<T>>,
    size: usize,
    epsilon: f64,
}

impl<T: Float> TransformerEncoder<T> {
    /// So many layers for vectors of `size` numbers, each drawn by itself.
    ///
    /// # Panics
    /// As [`TransformerEncoderLayer::new`].
    #[track_caller]
    pub fn new(layers: usize, size: usize, options: TransformerOptions, rng: &mut Rng) -> Self {
        let layers = (0..layers).map(|_| TransformerEncoderLayer::new(size, options, rng)).collect();
        Self { layers, norm: None, size, epsilon: options.epsilon }
    }

    /// The same encoder with a normalisation of its output.
    #[must_use]
    pub fn with_norm(mut self) -> Self {
        self.norm = Some(LayerNorm::new([self.size]).epsilon(self.epsilon));
        self
    }

    /// The output where masks say what may be attended to, in every layer.
    ///
    /// # Errors
    /// If `x` is not `[n, length, size]`, or a mask does not fit.
    #[track_caller]
    pub fn run(&self, x: &Tensor<T>, masks: &AttentionMasks<'_, T>) -> Result<Tensor<T>> {
        let mut x = x.clone();
        for layer in &self.layers {
            x = layer.run(&x, masks)?;
        }
        match &self.norm {
            Some(norm) => norm.forward(&x),
            None => Ok(x),
        }
    }
}

impl<T: Float> Layer<T> for TransformerEncoder<T> {
    /// The output where everything may be attended to.
    ///
    /// # Errors
    /// If `x` is not `[n, length, size]`.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        self.run(x, &AttentionMasks::default())
    }
}
