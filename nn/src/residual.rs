//! Ways around layers.

use crate::{Layer, Module};
use autodiff::{Add, Float, Op, Result, Tensor};

/// `x` itself.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Identity, Layer};
/// assert_eq!(Identity.forward(&Tensor::scalar(2.0f32))?.item(), 2.0);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Identity;

impl<T: Float> Layer<T> for Identity {
    /// `x`. Never fails.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        Ok(x.clone())
    }
}

/// A layer, or a [`Sequential`](crate::Sequential) of them, with a way around it: `body(x) + x` (He et al.,
/// arXiv:1512.03385), or `body(x) + shortcut(x)` where the shapes differ.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{BatchNorm, Conv2d, Layer, Relu, Residual, Sequential};
/// let mut rng = Rng::seed(1);
/// let mut block = |c_in: usize, c_out: usize, stride: usize| {
///     let body = Sequential::new()
///         .push(Conv2d::new(c_in, c_out, 3, &mut rng).stride(stride).padding(1).without_bias())
///         .push(BatchNorm::new(c_out))
///         .push(Relu)
///         .push(Conv2d::new(c_out, c_out, 3, &mut rng).padding(1).without_bias())
///         .push(BatchNorm::new(c_out));
///     let mut shortcut = Sequential::new();
///     if c_in != c_out {
///         shortcut = shortcut
///             .push(Conv2d::new(c_in, c_out, 1, &mut rng).stride(stride).without_bias())
///             .push(BatchNorm::new(c_out));
///     }
///     Sequential::new().push(Residual::with_shortcut(body, shortcut)).push(Relu)
/// };
/// let stage = Sequential::new().push(block(8, 16, 2)).push(block(16, 16, 1));
/// assert_eq!(stage.forward(&Tensor::<f32>::ones([2, 8, 6, 6]))?.shape(), [2, 16, 3, 3]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct Residual<B, S = Identity> {
    /// What is learned.
    pub body: B,
    /// The way around it.
    pub shortcut: S,
}

impl<B> Residual<B> {
    /// `body(x) + x`.
    pub fn new(body: B) -> Self {
        Self { body, shortcut: Identity }
    }
}

impl<B, S> Residual<B, S> {
    /// `body(x) + shortcut(x)`.
    pub fn with_shortcut(body: B, shortcut: S) -> Self {
        Self { body, shortcut }
    }
}

impl<T: Float, B: Layer<T>, S: Layer<T>> Layer<T> for Residual<B, S> {
    /// The sum.
    ///
    /// # Errors
    /// That of a layer, or if the shapes do not fit.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        Add.apply(&[&self.body.forward(x)?, &self.shortcut.forward(x)?])
    }
}
