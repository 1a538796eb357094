//! The convolutional layer.

use crate::{Init, Layer, Module, Pair};
use autodiff::{ConvOptions, Float, Parameter, Result, Rng, Tensor};

/// Two-dimensional convolution (without flipping the kernel, as is usual):
///
/// ```text
/// y[n, o, i, j] = b[o] + Σ_{c, u, v} w[o, c, u, v] x[n, c, i·stride + u·dilation - padding, j·stride + ..]
/// ```
///
/// `x` is `[n, c_in, h, w]`, the weight `[c_out, c_in / groups, kernel, kernel]`, `b` is `[c_out]`, and `y` is
/// `[n, c_out, h', w']` with `h' = ⌊(h + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1`.
///
/// Every size is a [`Pair`]: a number, or `[height, width]`.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Conv2d, Layer};
/// let mut rng = Rng::seed(7);
/// let conv = Conv2d::new(3, 16, 3, &mut rng).stride(2).padding(1);
/// assert_eq!(conv.forward(&Tensor::<f32>::zeros([8, 3, 32, 32]))?.shape(), [8, 16, 16, 16]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct Conv2d<T: Float = f32> {
    /// `w`, `[c_out, c_in / groups, kernel height, kernel width]`.
    pub weight: Parameter<T>,
    /// `b`, `[c_out]`, if there is one.
    pub bias: Option<Parameter<T>>,
    #[module(skip)]
    options: ConvOptions,
}

impl<T: Float> Conv2d<T> {
    /// A layer with weights drawn by [`Init::HeNormal`] (normal, deviation `√(2 / (c_in · kernel²))`) and a bias of
    /// zeros; stride 1, no padding, dilation 1.
    ///
    /// # Panics
    /// If the weight is too large, see [`autodiff::Shape::new`].
    pub fn new(c_in: usize, c_out: usize, kernel: impl Into<Pair>, rng: &mut Rng) -> Self {
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
    /// use nn::{Conv2d, Layer};
    /// let depthwise = Conv2d::grouped(8, 8, 3, 8, &mut Rng::seed(7)).padding(1);
    /// assert_eq!(depthwise.weight.shape(), [8, 1, 3, 3]);
    /// assert_eq!(depthwise.forward(&Tensor::<f32>::zeros([1, 8, 5, 5]))?.shape(), [1, 8, 5, 5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn grouped(c_in: usize, c_out: usize, kernel: impl Into<Pair>, groups: usize, rng: &mut Rng) -> Self {
        assert!(
            groups > 0 && c_in.is_multiple_of(groups) && c_out.is_multiple_of(groups),
            "{c_in} input and {c_out} output channels cannot be split into {groups} groups"
        );
        let Pair([height, width]) = kernel.into();
        let layer = Self {
            weight: Parameter::new(Tensor::zeros([c_out, c_in / groups, height, width])),
            bias: Some(Parameter::new(Tensor::zeros([c_out]))),
            options: ConvOptions { groups, ..ConvOptions::default() },
        };
        layer.with_init(Init::HeNormal, rng)
    }

    /// The same layer with its weight drawn anew. Fan in is `c_in / groups · kernel²`, fan out
    /// `c_out / groups · kernel²`.
    #[must_use]
    pub fn with_init(mut self, init: Init, rng: &mut Rng) -> Self {
        let shape = self.weight.shape();
        let area = shape.dim(2) * shape.dim(3);
        let (fan_in, fan_out) = (shape.dim(1) * area, shape.dim(0) / self.options.groups * area);
        self.weight.set(&init.tensor(shape, fan_in, fan_out, rng));
        self
    }

    /// The same layer without `b`. For a layer that a normalisation follows.
    #[must_use]
    pub fn without_bias(mut self) -> Self {
        self.bias = None;
        self
    }

    /// The same layer with this distance between the places where the kernel is laid.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        self.options.stride = stride.into().0;
        self
    }

    /// The same layer with this many zeros put around the image on each side.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        self.options.padding = padding.into().0;
        self
    }

    /// The same layer with this distance between the entries of the kernel.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Pair>) -> Self {
        self.options.dilation = dilation.into().0;
        self
    }
}

impl<T: Float> Layer<T> for Conv2d<T> {
    /// The convolution.
    ///
    /// # Errors
    /// If `x` is not `[n, c_in, h, w]`, a stride or dilation is 0, or the kernel is larger than the padded image.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        x.conv2d(&self.weight, self.bias.as_deref(), self.options)
    }
}
