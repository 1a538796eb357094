//! Convolutional layers, and transposed ones.

use crate::size::sizes;
use crate::{Init, Layer, Module, Size};
use autodiff::{ConvOptions, ConvTransposeOptions, Float, Parameter, Result, Rng, Shape, Tensor};

/// Convolution along `D` axes of space (without flipping the kernel, as is usual). For two:
///
/// ```text
/// y[n, o, i, j] = b[o] + Σ_{c, u, v} w[o, c, u, v] x[n, c, i·stride + u·dilation - padding, j·stride + ..]
/// ```
///
/// `x` is `[n, c_in, h, w]`, the weight `[c_out, c_in / groups, kernel, kernel]`, `b` is `[c_out]`, and `y` is
/// `[n, c_out, h', w']` with `h' = ⌊(h + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1`; [`Conv1d`] and [`Conv3d`] have
/// one and three axes in the place of `h, w`.
///
/// Every size is a [`Size`]: a number for all axes, or a list.
#[derive(Clone, Debug, Module)]
pub struct Conv<const D: usize, T: Float = f32> {
    /// `w`, `[c_out, c_in / groups, kernel ..]`.
    pub weight: Parameter<T>,
    /// `b`, `[c_out]`, if there is one.
    pub bias: Option<Parameter<T>>,
    #[module(skip)]
    options: ConvOptions<D>,
}

/// [Convolution](Conv) of sequences `[n, c_in, length]`.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Conv1d, Layer};
/// let conv = Conv1d::new(2, 4, 5, &mut Rng::seed(7)).dilation(2).padding(4);
/// assert_eq!(conv.forward(&Tensor::<f32>::zeros([8, 2, 100]))?.shape(), [8, 4, 100]);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub type Conv1d<T = f32> = Conv<1, T>;

/// [Convolution](Conv) of images `[n, c_in, height, width]`.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Conv2d, Layer};
/// let mut rng = Rng::seed(7);
/// let conv = Conv2d::new(3, 16, 3, &mut rng).stride(2).padding(1);
/// assert_eq!(conv.forward(&Tensor::<f32>::zeros([8, 3, 32, 32]))?.shape(), [8, 16, 16, 16]);
/// let wide = Conv2d::new(3, 16, [1, 5], &mut rng).padding([0, 2]);
/// assert_eq!(wide.forward(&Tensor::<f32>::zeros([8, 3, 32, 32]))?.shape(), [8, 16, 32, 32]);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub type Conv2d<T = f32> = Conv<2, T>;

/// [Convolution](Conv) of volumes `[n, c_in, depth, height, width]`.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Conv3d, Layer};
/// let conv = Conv3d::new(1, 4, 3, &mut Rng::seed(7)).padding(1);
/// assert_eq!(conv.forward(&Tensor::<f32>::zeros([2, 1, 5, 6, 7]))?.shape(), [2, 4, 5, 6, 7]);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub type Conv3d<T = f32> = Conv<3, T>;

/// Transposed convolution along `D` axes of space, also called deconvolution or fractionally strided convolution: the
/// gradient of a [convolution](Conv) by its input (Dumoulin and Visin, arXiv:1603.07285, section 4). Each entry of the input
/// is spread over a patch of the output: for two axes, `x[n, c, i, j] w[c, o, u, v]` is added to
///
/// ```text
/// y[n, o, i·stride + u·dilation - padding, j·stride + v·dilation - padding]
/// ```
///
/// and `b[o]` to every entry. `x` is `[n, c_in, h, w]`, the weight `[c_in, c_out / groups, kernel, kernel]`, `b` is `[c_out]`,
/// and `y` is `[n, c_out, h', w']` with
/// `h' = (h - 1) stride - 2 padding + dilation (kernel - 1) + output padding + 1`.
///
/// Every size is a [`Size`]: a number for all axes, or a list.
#[derive(Clone, Debug, Module)]
pub struct ConvTranspose<const D: usize, T: Float = f32> {
    /// `w`, `[c_in, c_out / groups, kernel ..]`.
    pub weight: Parameter<T>,
    /// `b`, `[c_out]`, if there is one.
    pub bias: Option<Parameter<T>>,
    #[module(skip)]
    options: ConvTransposeOptions<D>,
}

/// [Transposed convolution](ConvTranspose) of sequences `[n, c_in, length]`.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{ConvTranspose1d, Layer};
/// let double = ConvTranspose1d::new(4, 2, 2, &mut Rng::seed(7)).stride(2);
/// assert_eq!(double.forward(&Tensor::<f32>::zeros([8, 4, 50]))?.shape(), [8, 2, 100]);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub type ConvTranspose1d<T = f32> = ConvTranspose<1, T>;

/// [Transposed convolution](ConvTranspose) of images `[n, c_in, height, width]`.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{ConvTranspose2d, Layer};
/// // The way back of a convolution with kernel 3, stride 2 and padding 1 of images of even size.
/// let conv = ConvTranspose2d::new(16, 3, 3, &mut Rng::seed(7)).stride(2).padding(1).output_padding(1);
/// assert_eq!(conv.forward(&Tensor::<f32>::zeros([8, 16, 16, 16]))?.shape(), [8, 3, 32, 32]);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub type ConvTranspose2d<T = f32> = ConvTranspose<2, T>;

/// Writes what both kinds of layers have: how they are made, from the channels along the first and the second axis of the
/// weight, and their settings.
macro_rules! layer {
    ($name:ident, $options:ident, |$c_in:ident, $c_out:ident, $groups:ident| $weight:expr) => {
        impl<const D: usize, T: Float> $name<D, T> {
            /// A layer with weights drawn by [`Init::HeNormal`] (normal, deviation `√(2 / fan in)`; see
            /// [`with_init`](Self::with_init)) and a bias of zeros; stride 1, no padding, dilation 1.
            ///
            /// # Panics
            /// If the weight is too large, see [`autodiff::Shape::new`].
            pub fn new(c_in: usize, c_out: usize, kernel: impl Into<Size<D>>, rng: &mut Rng) -> Self {
                Self::grouped(c_in, c_out, kernel, 1, rng)
            }

            /// A layer in which the channels are split into `groups` that do not see each other; with as many groups as
            /// channels, a depthwise convolution.
            ///
            /// A constructor and not a setting like the stride, because the shape of the weight depends on it.
            ///
            /// # Panics
            /// If `groups` does not divide both numbers of channels, or the weight is too large.
            ///
            /// ```
            /// use autodiff::{Rng, Tensor};
            #[doc = concat!("use nn::{", stringify!($name), ", Layer};")]
            #[doc = concat!("let depthwise = ", stringify!($name), "::<2>::grouped(8, 8, 3, 8, &mut Rng::seed(7)).padding(1);")]
            /// assert_eq!(depthwise.weight.shape(), [8, 1, 3, 3]);
            /// assert_eq!(depthwise.forward(&Tensor::zeros([1, 8, 5, 5]))?.shape(), [1, 8, 5, 5]);
            /// # Ok::<(), autodiff::Error>(())
            /// ```
            #[track_caller]
            pub fn grouped(
                $c_in: usize,
                $c_out: usize,
                kernel: impl Into<Size<D>>,
                $groups: usize,
                rng: &mut Rng,
            ) -> Self {
                assert!(
                    $groups > 0 && $c_in.is_multiple_of($groups) && $c_out.is_multiple_of($groups),
                    "{} input and {} output channels cannot be split into {} groups",
                    $c_in, $c_out, $groups
                );
                let shape = [&$weight[..], &kernel.into().0].concat();
                let layer = Self {
                    weight: Parameter::new(Tensor::zeros(shape)),
                    bias: Some(Parameter::new(Tensor::zeros([$c_out]))),
                    options: $options { groups: $groups, ..$options::default() },
                };
                layer.with_init(Init::HeNormal, rng)
            }

            /// The same layer without `b`. For a layer that a normalisation follows.
            #[must_use]
            pub fn without_bias(mut self) -> Self {
                self.bias = None;
                self
            }
        }
    };
}

layer! { Conv, ConvOptions, |c_in, c_out, groups| [c_out, c_in / groups] }
layer! { ConvTranspose, ConvTransposeOptions, |c_in, c_out, groups| [c_in, c_out / groups] }

/// The number of places in a kernel of this weight.
fn places(weight: Shape) -> usize {
    weight.iter().skip(2).product()
}

impl<const D: usize, T: Float> Conv<D, T> {
    /// The same layer with its weight drawn anew. Fan in is `c_in / groups · kernel ..`, fan out
    /// `c_out / groups · kernel ..`.
    #[must_use]
    pub fn with_init(mut self, init: Init, rng: &mut Rng) -> Self {
        let shape = self.weight.shape();
        let (fan_in, fan_out) = (shape.dim(1), shape.dim(0) / self.options.groups);
        let places = places(shape);
        self.weight.set(&init.tensor(shape, fan_in * places, fan_out * places, rng));
        self
    }

    sizes! {
        /// The same layer with this distance between the places where the kernel is laid.
        stride;
        /// The same layer with this many zeros put around the input, at either end.
        padding;
        /// The same layer with this distance between the entries of the kernel.
        dilation;
    }
}

impl<const D: usize, T: Float> ConvTranspose<D, T> {
    /// The same layer with its weight drawn anew. Fan in is `c_in / groups · kernel ..`, fan out
    /// `c_out / groups · kernel ..`: with a stride, an output is computed from fewer inputs.
    #[must_use]
    pub fn with_init(mut self, init: Init, rng: &mut Rng) -> Self {
        let shape = self.weight.shape();
        let (fan_in, fan_out) = (shape.dim(0) / self.options.groups, shape.dim(1));
        let places = places(shape);
        self.weight.set(&init.tensor(shape, fan_in * places, fan_out * places, rng));
        self
    }

    sizes! {
        /// The same layer with this distance between what neighbouring inputs are spread over.
        stride;
        /// The same layer with this much cut off the output, at either end.
        padding;
        /// The same layer with this much added to the output at its far end: less than the stride or the dilation.
        output_padding;
        /// The same layer with this distance between the entries of the kernel.
        dilation;
    }
}

/// Writes the forward passes: `Name, method of Tensor, input`.
macro_rules! forward {
    ($($name:ident, $method:ident, $input:literal;)*) => {
        $(
            impl<T: Float> Layer<T> for $name<T> {
                /// The convolution.
                ///
                /// # Errors
                #[doc = concat!("If `x` is not `", $input, "`, a stride or dilation is 0, or no place is left for an output.")]
                #[track_caller]
                fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
                    x.$method(&self.weight, self.bias.as_deref(), self.options)
                }
            }
        )*
    };
}

forward! {
    Conv1d, conv1d, "[n, c_in, length]";
    Conv2d, conv2d, "[n, c_in, h, w]";
    Conv3d, conv3d, "[n, c_in, d, h, w]";
    ConvTranspose1d, conv_transpose1d, "[n, c_in, length]";
    ConvTranspose2d, conv_transpose2d, "[n, c_in, h, w]";
}
