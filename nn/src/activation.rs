//! Activation functions as layers: each applies the method of [`Tensor`] of its name, to any shape.

use crate::{Layer, Module};
use autodiff::{Float, Result, Tensor};

/// Writes a layer for each row: `Name, |x| value`.
macro_rules! activations {
    ($($(#[$doc:meta])* $name:ident, |$x:ident| $value:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, Module)]
            pub struct $name;

            impl<T: Float> Layer<T> for $name {
                /// The function, elementwise. Never fails.
                #[track_caller]
                fn forward(&self, $x: &Tensor<T>) -> Result<Tensor<T>> {
                    Ok($value)
                }
            }
        )*
    };
}

activations! {
    /// `x` itself.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Identity, Layer};
    /// assert_eq!(Identity.forward(&Tensor::scalar(2.0f32))?.item(), 2.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Identity, |x| x.clone();

    /// `1` where `x > 0`, else `0`, elementwise. Its gradient is 0 everywhere: nothing in front of it learns.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, Step};
    /// assert_eq!(Step.forward(&Tensor::from_vec([-1.0f32, 3.0], [2])?)?.to_vec(), [0.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Step, |x| x.step();

    /// The logistic function `1 / (1 + e⁻ˣ)`, elementwise.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, Sigmoid};
    /// assert_eq!(Sigmoid.forward(&Tensor::scalar(0.0f32))?.item(), 0.5);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Sigmoid, |x| x.sigmoid();

    /// `max(x, 0)`, elementwise. The gradient at 0 is 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, Relu};
    /// assert_eq!(Relu.forward(&Tensor::from_vec([-1.0f32, 3.0], [2])?)?.to_vec(), [0.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Relu, |x| x.relu();

    /// The hyperbolic tangent, elementwise.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, Tanh};
    /// assert_eq!(Tanh.forward(&Tensor::scalar(0.0f32))?.item(), 0.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Tanh, |x| x.tanh();

    /// `x Φ(x)` with the exact normal distribution function `Φ`, elementwise (Hendrycks and Gimpel, arXiv:1606.08415).
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Gelu, Layer};
    /// assert!((Gelu.forward(&Tensor::scalar(1.0f64))?.item() - 0.841_344_746).abs() < 1e-8);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Gelu, |x| x.gelu();

    /// `x / (1 + e⁻ˣ)`, elementwise, also called swish (Elfwing et al., arXiv:1702.03118).
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, Silu};
    /// assert!((Silu.forward(&Tensor::scalar(1.0f64))?.item() - 0.731_058_579).abs() < 1e-8);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Silu, |x| x.silu();
}

/// `yᵢ = e^xᵢ / Σⱼ e^xⱼ` along an axis: positive numbers that add up to 1.
///
/// Not for a model that is trained by [`cross_entropy`](crate::loss::cross_entropy), which takes the logits `x`
/// themselves.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Layer, Softmax};
/// let x = Tensor::from_vec([5.0f32, 5.0, 0.0, 0.0], [2, 2])?;
/// assert_eq!(Softmax(-1).forward(&x)?.to_vec(), [0.5; 4]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct Softmax(
    /// The axis; `-1` is the last one.
    pub isize,
);

impl<T: Float> Layer<T> for Softmax {
    /// The softmax.
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        x.softmax(self.0)
    }
}
