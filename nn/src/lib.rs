//! Neural networks on [`autodiff`]: models, layers, losses.
//!
//! A model is a struct of layers that derives [`Module`], with a `forward` in plain Rust. The derive names every
//! parameter after the fields that lead to it; there is nothing to register.
//!
//! ```
//! use autodiff::{Result, Rng, Tensor};
//! use nn::{Affine, Dropout, Layer, Module, evaluate, loss, metrics};
//!
//! #[derive(Module)]
//! struct Net {
//!     hidden: Affine,
//!     dropout: Dropout,
//!     output: Affine,
//! }
//!
//! impl Net {
//!     fn new(rng: &mut Rng) -> Self {
//!         Self {
//!             hidden: Affine::new(2, 16, rng),
//!             dropout: Dropout::new(0.1, rng),
//!             output: Affine::new(16, 2, rng),
//!         }
//!     }
//!
//!     fn forward(&self, x: &Tensor) -> Result<Tensor> {
//!         let hidden = self.hidden.forward(x)?.relu();
//!         self.output.forward(&self.dropout.forward(&hidden)?)
//!     }
//! }
//!
//! let mut net = Net::new(&mut Rng::seed(7));
//! let mut names = Vec::new();
//! net.parameters(&mut |name, _| names.push(name.to_string()));
//! assert_eq!(names, ["hidden.weight", "hidden.bias", "output.weight", "output.bias"]);
//!
//! // Points with their coordinates' signs; the class is whether the signs agree.
//! let points = Tensor::from_vec([1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0, 1.0], [4, 2])?;
//! let labels = [1, 1, 0, 0];
//! for _ in 0..100 {
//!     loss::cross_entropy(&net.forward(&points)?, &labels)?.backward()?;
//!     // What an optimiser does: plain gradient descent.
//!     net.parameters_mut(&mut |_, parameter| {
//!         parameter.step(|value, grad| *value = value.zip(grad, |w, g| w - 0.5 * g).unwrap());
//!     });
//! }
//! let logits = evaluate(|| net.forward(&points))?; // dropout off, nothing recorded
//! assert_eq!(metrics::accuracy(&logits, &labels)?, 1.0);
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! # The map
//!
//! | | |
//! |---|---|
//! | Models | [`Module`] and its derive, [`Layer`], [`Sequential`] |
//! | Layers with parameters | [`Affine`], [`Conv1d`], [`Conv2d`], [`Conv3d`], [`ConvTranspose1d`], [`ConvTranspose2d`], [`Embedding`]; weights are drawn by an [`Init`] |
//! | Recurrent layers | [`Rnn`], [`Lstm`], [`Gru`], and their cells; [`RecurrentOptions`] |
//! | Normalisation | [`BatchNorm`], [`LayerNorm`], [`RmsNorm`], [`GroupNorm`], [`InstanceNorm`] |
//! | Attention | [`MultiHeadAttention`], [`AttentionMasks`], [`TransformerEncoderLayer`], [`TransformerEncoder`], [`TransformerOptions`], [`PositionalEncoding`], [`PositionalEmbedding`] |
//! | Pooling | [`MaxPool1d`], [`MaxPool2d`], [`AvgPool1d`], [`AvgPool2d`], [`AdaptiveMaxPool1d`], [`AdaptiveMaxPool2d`], [`AdaptiveAvgPool1d`], [`AdaptiveAvgPool2d`], [`GlobalMaxPool`], [`GlobalAvgPool`] |
//! | Shape and size | [`Flatten`], [`Upsample`], [`PixelShuffle`], [`PixelUnshuffle`] |
//! | Ways around | [`Residual`], [`Identity`] |
//! | Dropout | [`Dropout`], [`ChannelDropout`], [`AlphaDropout`] |
//! | Activations | [`Relu`], [`Relu6`], [`LeakyRelu`], [`Prelu`], [`Elu`], [`Celu`], [`Selu`], [`Gelu`], [`GeluTanh`], [`Silu`], [`Mish`], [`Softplus`], [`Softsign`], [`Sigmoid`], [`LogSigmoid`], [`Tanh`], [`HardTanh`], [`HardSigmoid`], [`HardSwish`], [`TanhShrink`], [`SoftShrink`], [`HardShrink`], [`Threshold`], [`Step`], [`Softmax`], [`Softmin`], [`LogSoftmax`], [`Glu`] |
//! | A batch on several threads | [`data_parallel`] |
//! | Training or evaluation | [`evaluate`], [`evaluating`], [`is_training`] |
//! | Losses, metrics | [`loss`], [`metrics`] |
//! | A look at a model | [`summary`]: layers, shapes, parameters, memory |
//! | Saving | [`StateDict`]; [`save`]: safetensors, NumPy's files, PyTorch, checkpoints |
//!
//! Everything is generic over the element type, with `f32` as default: `Affine` in a struct is `Affine<f32>`. All
//! randomness comes from the [`Rng`](autodiff::Rng) that is handed in; a seed fixes every bit.

mod activation;
mod affine;
mod attention;
mod conv;
mod data_parallel;
mod dropout;
mod embedding;
mod init;
mod layer;
pub mod loss;
pub mod metrics;
mod mode;
mod norm;
mod pool;
mod position;
mod recurrent;
mod residual;
mod resize;
pub mod save;
mod sequential;
mod size;
mod summary;
mod transformer;

pub use activation::{
    Celu, Elu, Gelu, GeluTanh, Glu, HardShrink, HardSigmoid, HardSwish, HardTanh, LeakyRelu, LogSigmoid,
    LogSoftmax, Mish, Prelu, Relu, Relu6, Selu, Sigmoid, Silu, SoftShrink, Softmax, Softmin, Softplus,
    Softsign, Step, Tanh, TanhShrink, Threshold,
};
pub use affine::Affine;
pub use attention::{AttentionMasks, MultiHeadAttention};
pub use autodiff::{Module, StateDict};
pub use conv::{Conv, Conv1d, Conv2d, Conv3d, ConvTranspose, ConvTranspose1d, ConvTranspose2d};
pub use data_parallel::data_parallel;
pub use dropout::{AlphaDropout, ChannelDropout, Dropout};
pub use embedding::Embedding;
pub use init::{Gain, Init};
pub use layer::Layer;
pub use mode::{evaluate, evaluating, is_training};
pub use nn_derive::Module;
pub use norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm};
pub use pool::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveMaxPool1d, AdaptiveMaxPool2d, AvgPool, AvgPool1d,
    AvgPool2d, Flatten, GlobalAvgPool, GlobalMaxPool, MaxPool, MaxPool1d, MaxPool2d,
};
pub use position::{PositionalEmbedding, PositionalEncoding};
pub use recurrent::{Gru, GruCell, Lstm, LstmCell, LstmState, RecurrentOptions, Rnn, RnnCell};
pub use residual::{Identity, Residual};
pub use resize::{PixelShuffle, PixelUnshuffle, Upsample};
pub use sequential::Sequential;
pub use size::Size;
pub use summary::{Row, Summary, summary};
pub use transformer::{TransformerEncoder, TransformerEncoderLayer, TransformerOptions};
