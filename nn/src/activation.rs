//! Activation functions as layers: each applies the method of [`Tensor`] that its row names.

use crate::{Layer, Module};
use autodiff::{Float, Parameter, Result, Tensor};

/// Writes a layer for each row: `Name => method;`.
macro_rules! functions {
    ($($(#[$about:meta])* $name:ident => $method:ident;)*) => {
        $(
            $(#[$about])*
            ///
            #[doc = concat!("Any shape; see [`Tensor::", stringify!($method), "`].")]
            ///
            /// ```
            /// use autodiff::Tensor;
            #[doc = concat!("use nn::{Layer, ", stringify!($name), "};")]
            /// let x = Tensor::<f64>::from_vec([-1.5, 0.25, 3.0], [3])?;
            #[doc = concat!("assert_eq!(", stringify!($name), ".forward(&x)?.to_vec(), x.", stringify!($method), "().to_vec());")]
            /// # Ok::<(), autodiff::Error>(())
            /// ```
            #[derive(Clone, Copy, Debug, Default, Module)]
            pub struct $name;

            impl<T: Float> Layer<T> for $name {
                /// The function, elementwise. Never fails.
                #[track_caller]
                fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
                    Ok(x.$method())
                }
            }
        )*
    };
}

/// Writes a layer for each row: `Name => method(what it is told, by default this);`.
macro_rules! functions_with {
    ($($(#[$about:meta])* $name:ident => $method:ident($(#[$of:meta])* $told:ident = $default:literal);)*) => {
        $(
            $(#[$about])*
            ///
            #[doc = concat!("Any shape; see [`Tensor::", stringify!($method), "`].")]
            ///
            /// ```
            /// use autodiff::Tensor;
            #[doc = concat!("use nn::{Layer, ", stringify!($name), "};")]
            /// let x = Tensor::<f64>::from_vec([-1.5, 0.25, 3.0], [3])?;
            #[doc = concat!("assert_eq!(", stringify!($name), "(0.75).forward(&x)?.to_vec(), x.", stringify!($method), "(0.75).to_vec());")]
            #[doc = concat!("assert_eq!(", stringify!($name), "::default().0, ", stringify!($default), ");")]
            /// # Ok::<(), autodiff::Error>(())
            /// ```
            #[derive(Clone, Copy, Debug, Module)]
            pub struct $name(
                $(#[$of])*
                pub f64,
            );

            impl Default for $name {
                #[doc = concat!("With ", stringify!($default), ", as in `torch`.")]
                fn default() -> Self {
                    Self($default)
                }
            }

            impl<T: Float> Layer<T> for $name {
                /// The function, elementwise. Never fails.
                #[track_caller]
                fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
                    Ok(x.$method(self.0))
                }
            }
        )*
    };
}

/// Writes a layer for each row: `Name => method;`, along an axis.
macro_rules! along_axis {
    ($($(#[$about:meta])* $name:ident => $method:ident;)*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, Module)]
            pub struct $name(
                /// The axis; `-1` is the last one.
                pub isize,
            );

            impl<T: Float> Layer<T> for $name {
                /// The function along the axis.
                ///
                /// # Errors
                #[doc = concat!("As [`Tensor::", stringify!($method), "`].")]
                #[track_caller]
                fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
                    x.$method(self.0)
                }
            }
        )*
    };
}

functions! {
    /// `1` where `x > 0`, else `0`, elementwise. Its gradient is 0 everywhere: nothing in front of it learns.
    Step => step;
    /// The logistic function `1 / (1 + e⁻ˣ)`, elementwise.
    Sigmoid => sigmoid;
    /// `ln(1 / (1 + e⁻ˣ))`, elementwise.
    LogSigmoid => log_sigmoid;
    /// The hyperbolic tangent, elementwise.
    Tanh => tanh;
    /// `max(x, 0)`, elementwise. The gradient at 0 is 0.
    Relu => relu;
    /// `min(max(x, 0), 6)`, elementwise.
    Relu6 => relu6;
    /// `x Φ(x)` with the exact normal distribution function `Φ`, elementwise (Hendrycks and Gimpel, arXiv:1606.08415).
    Gelu => gelu;
    /// [`Gelu`] in its approximation by a hyperbolic tangent.
    GeluTanh => gelu_tanh;
    /// `x / (1 + e⁻ˣ)`, elementwise, also called swish (Elfwing et al., arXiv:1702.03118).
    Silu => silu;
    /// `x tanh(ln(1 + eˣ))`, elementwise (Misra, arXiv:1908.08681).
    Mish => mish;
    /// `λ x` where `x > 0`, `λ α (eˣ - 1)` elsewhere, elementwise (Klambauer et al., arXiv:1706.02515).
    Selu => selu;
    /// `ln(1 + eˣ)`, elementwise.
    Softplus => softplus;
    /// `x / (1 + |x|)`, elementwise.
    Softsign => softsign;
    /// `min(max(x, -1), 1)`, elementwise.
    HardTanh => hard_tanh;
    /// `min(max(x + 3, 0), 6) / 6`, elementwise.
    HardSigmoid => hard_sigmoid;
    /// `x min(max(x + 3, 0), 6) / 6`, elementwise (Howard et al., arXiv:1905.02244).
    HardSwish => hard_swish;
    /// `x - tanh x`, elementwise.
    TanhShrink => tanh_shrink;
}

functions_with! {
    /// `x` where it is positive, `slope · x` elsewhere, elementwise.
    LeakyRelu => leaky_relu(/** The slope. */ slope = 0.01);
    /// `x` where it is positive, `α (eˣ - 1)` elsewhere, elementwise (Clevert, Unterthiner and Hochreiter, arXiv:1511.07289).
    Elu => elu(/** `α`. */ alpha = 1.0);
    /// `x` where it is positive, `α (e^(x/α) - 1)` elsewhere, elementwise (Barron, arXiv:1704.07483).
    Celu => celu(/** `α`. */ alpha = 1.0);
    /// `x` moved towards 0 by the threshold, 0 where it is nearer, elementwise.
    SoftShrink => soft_shrink(/** The threshold. */ threshold = 0.5);
    /// `x` where it is farther from 0 than the threshold, else 0, elementwise.
    HardShrink => hard_shrink(/** The threshold. */ threshold = 0.5);
}

along_axis! {
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
    Softmax => softmax;

    /// `yᵢ = e^-xᵢ / Σⱼ e^-xⱼ` along an axis.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, Softmin};
    /// let x = Tensor::from_vec([5.0f32, 5.0, 0.0, 0.0], [2, 2])?;
    /// assert_eq!(Softmin(-1).forward(&x)?.to_vec(), [0.5; 4]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Softmin => softmin;

    /// `yᵢ = xᵢ - ln Σⱼ e^xⱼ` along an axis: the logarithms of [`Softmax`].
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, LogSoftmax};
    /// let x = Tensor::from_vec([5.0f32, 5.0], [2])?;
    /// assert_eq!(LogSoftmax(-1).forward(&x)?.to_vec(), [-2.0f32.ln(); 2]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    LogSoftmax => log_softmax;

    /// `a / (1 + e⁻ᵇ)` of the halves `a` and `b` of an axis (Dauphin et al., arXiv:1612.08083).
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Glu, Layer};
    /// let x = Tensor::from_vec([6.0f32, 8.0, 0.0, 0.0], [4])?;
    /// assert_eq!(Glu(-1).forward(&x)?.to_vec(), [3.0, 4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Glu => glu;
}

/// `x` where it is above `threshold`, else `value`, elementwise.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Layer, Threshold};
/// let layer = Threshold { threshold: 1.0, value: -5.0 };
/// assert_eq!(layer.forward(&Tensor::from_vec([0.5f32, 1.5], [2])?)?.to_vec(), [-5.0, 1.5]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct Threshold {
    /// Above it `x` stays.
    pub threshold: f64,
    /// What stands in for the others.
    pub value: f64,
}

impl<T: Float> Layer<T> for Threshold {
    /// The function, elementwise. Never fails.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        Ok(x.threshold(self.threshold, self.value))
    }
}

/// `x` where it is positive, `slope · x` elsewhere, with a slope that is learned: a single one, or one for each channel
/// (axis 1) of `[n, channels, ..]` (He et al., arXiv:1502.01852).
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Layer, Prelu};
/// let x = Tensor::from_vec([-4.0f32, 4.0], [1, 2])?;
/// assert_eq!(Prelu::new(1).forward(&x)?.to_vec(), [-1.0, 4.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct Prelu<T: Float = f32> {
    /// The slopes, `[1]` or `[channels]`.
    pub weight: Parameter<T>,
}

impl<T: Float> Prelu<T> {
    /// A layer with so many slopes, 0.25 each: 1, or the number of channels.
    ///
    /// # Panics
    /// If there are too many, see [`autodiff::Shape::new`].
    pub fn new(slopes: usize) -> Self {
        Self { weight: Parameter::new(Tensor::full(T::from_f64(0.25), [slopes])) }
    }
}

impl<T: Float> Layer<T> for Prelu<T> {
    /// The function.
    ///
    /// # Errors
    /// If there are several slopes, and not as many channels.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        x.prelu(&self.weight)
    }
}
