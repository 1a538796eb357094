//! Convolutions over one, two and three axes, and their transposes. The two-dimensional convolution, its transpose (which is
//! its input gradient) and its weight gradient are three ops whose rules are each other: bilinear maps that close under
//! differentiation, so any order follows. The others are made of them.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::kernel::conv::{self, ConvShape};
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// How a convolution moves over its input; along the `D` axes of space: height and width for two.
///
/// ```
/// use autodiff::ConvOptions;
/// let same = ConvOptions { padding: [1, 1], ..ConvOptions::default() };
/// assert_eq!((same.stride, same.dilation, same.groups), ([1, 1], [1, 1], 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvOptions<const D: usize = 2> {
    /// Distance of neighbouring outputs in the input.
    pub stride: [usize; D],
    /// Zeros put around the input, at either end.
    pub padding: [usize; D],
    /// Distance of neighbouring kernel elements in the input.
    pub dilation: [usize; D],
    /// Number of groups that the channels are divided into, each convolved for itself.
    pub groups: usize,
}

impl<const D: usize> Default for ConvOptions<D> {
    /// Stride 1, no padding, dilation 1, one group.
    fn default() -> Self {
        Self { stride: [1; D], padding: [0; D], dilation: [1; D], groups: 1 }
    }
}

/// How a transposed convolution moves over its output; along the `D` axes of space: height and width for two.
///
/// ```
/// use autodiff::{ConvTransposeOptions, Tensor};
/// let doubling = ConvTransposeOptions { stride: [2, 2], ..ConvTransposeOptions::default() };
/// let (x, w) = (Tensor::<f32>::ones([1, 3, 8, 8]), Tensor::ones([3, 5, 2, 2]));
/// assert_eq!(x.conv_transpose2d(&w, None, doubling)?.shape(), [1, 5, 16, 16]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTransposeOptions<const D: usize = 2> {
    /// Distance in the output of what neighbouring inputs are spread over.
    pub stride: [usize; D],
    /// Entries cut off the output, at either end.
    pub padding: [usize; D],
    /// Entries put to the output at its far end: less than the stride or the dilation.
    pub output_padding: [usize; D],
    /// Distance of neighbouring kernel elements in the output.
    pub dilation: [usize; D],
    /// Number of groups that the channels are divided into, each convolved for itself.
    pub groups: usize,
}

impl<const D: usize> Default for ConvTransposeOptions<D> {
    /// Stride 1, no padding, dilation 1, one group.
    fn default() -> Self {
        Self { stride: [1; D], padding: [0; D], output_padding: [0; D], dilation: [1; D], groups: 1 }
    }
}

impl ConvOptions<1> {
    /// The same along the width of images that are one pixel high.
    fn wide(self) -> ConvOptions {
        let Self { stride: [stride], padding: [padding], dilation: [dilation], groups } = self;
        ConvOptions { stride: [1, stride], padding: [0, padding], dilation: [1, dilation], groups }
    }
}

impl ConvTransposeOptions<1> {
    /// The same along the width of images that are one pixel high.
    fn wide(self) -> ConvTransposeOptions {
        let Self { stride: [s], padding: [p], output_padding: [o], dilation: [d], groups } = self;
        ConvTransposeOptions {
            stride: [1, s],
            padding: [0, p],
            output_padding: [0, o],
            dilation: [1, d],
            groups,
        }
    }
}

fn wrong<V>(message: String) -> Result<V> {
    Err(ErrorKind::Message(message).into())
}

/// Checks that there are two axes and `D` axes of space.
fn check_rank<const D: usize>(shape: Shape, what: [&'static str; 3]) -> Result<()> {
    if shape.rank() == D + 2 {
        return Ok(());
    }
    Err(ErrorKind::Rank { shape, expected: D + 2, what: what[D - 1] }.into())
}

/// What the axes of images mean.
const IMAGES: [&str; 3] =
    ["images, channels, length", "images, channels, height, width", "images, channels, depth, height, width"];

/// What the axes of kernels mean.
const KERNELS: [&str; 3] = [
    "output channels, input channels of a group, length",
    "output channels, input channels of a group, height, width",
    "output channels, input channels of a group, depth, height, width",
];

/// What the axes of kernels of transposed convolutions mean.
const TRANSPOSED: [&str; 3] = [
    "input channels, output channels of a group, length",
    "input channels, output channels of a group, height, width",
    "input channels, output channels of a group, depth, height, width",
];

/// Checks that each output channel has a bias.
fn check_bias(bias: Option<Shape>, channels: usize) -> Result<()> {
    match bias {
        Some(bias) if bias != [channels] => {
            let what = "the bias needs one element for each output channel";
            Err(ErrorKind::Mismatch { what, left: bias, right: Shape::of([channels]) }.into())
        }
        _ => Ok(()),
    }
}

/// How far a kernel of `size` elements reaches, first and last included; `None` if it is empty or too large.
fn span(size: usize, dilation: usize) -> Option<usize> {
    size.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)
}

impl<const D: usize> ConvOptions<D> {
    /// Checks the sizes of a convolution.
    fn check(&self, x: Shape, w: Shape) -> Result<()> {
        check_rank::<D>(x, IMAGES)?;
        check_rank::<D>(w, KERNELS)?;
        let Self { stride, padding, dilation, groups } = self;
        let [c_in, c_out, c_group] = [x.dim(1), w.dim(0), w.dim(1)];
        if stride.contains(&0) || dilation.contains(&0) || *groups == 0 {
            return wrong(format!(
                "stride {stride:?}, dilation {dilation:?} and groups {groups} must not be 0"
            ));
        }
        if c_group.checked_mul(*groups) != Some(c_in) {
            return wrong(format!(
                "a kernel {w} with {groups} groups needs {c_group} x {groups} channels, {x} has {c_in}"
            ));
        }
        if !c_out.is_multiple_of(*groups) {
            return wrong(format!("{c_out} output channels cannot be divided into {groups} groups"));
        }
        for axis in 0..D {
            let padded = padding[axis].checked_mul(2).and_then(|p| p.checked_add(x.dim(2 + axis)));
            let (Some(padded), Some(span)) = (padded, span(w.dim(2 + axis), dilation[axis])) else {
                return wrong(format!("kernel {w} or padding {padding:?} is empty or too large"));
            };
            if span > padded {
                return wrong(format!(
                    "a kernel {w} with dilation {dilation:?} spans {span}, but the input {x} with padding {padding:?} only {padded}"
                ));
            }
        }
        Ok(())
    }
}

impl ConvOptions {
    /// The sizes of a convolution, checked.
    fn shape(self, x: Shape, w: Shape) -> Result<ConvShape> {
        self.check(x, w)?;
        let [n, c_in, h, width] = [0, 1, 2, 3].map(|axis| x.dim(axis));
        let [c_out, kh, kw] = [0, 2, 3].map(|axis| w.dim(axis));
        let Self { stride, padding, dilation, groups } = self;
        Ok(ConvShape { n, c_in, h, w: width, c_out, kh, kw, stride, padding, dilation, groups })
    }
}

impl<const D: usize> ConvTransposeOptions<D> {
    /// Checks the sizes of a transposed convolution; the shape of its output.
    fn check(&self, x: Shape, w: Shape) -> Result<Shape> {
        check_rank::<D>(x, IMAGES)?;
        check_rank::<D>(w, TRANSPOSED)?;
        let Self { stride, padding, output_padding, dilation, groups } = self;
        let [c_in, c_group] = [x.dim(1), w.dim(1)];
        if stride.contains(&0) || dilation.contains(&0) || *groups == 0 {
            return wrong(format!(
                "stride {stride:?}, dilation {dilation:?} and groups {groups} must not be 0"
            ));
        }
        if w.dim(0) != c_in {
            return wrong(format!("a kernel {w} needs {} channels, {x} has {c_in}", w.dim(0)));
        }
        if !c_in.is_multiple_of(*groups) {
            return wrong(format!("{c_in} channels cannot be divided into {groups} groups"));
        }
        let mut dims = vec![x.dim(0), c_group.saturating_mul(*groups)];
        for axis in 0..D {
            let extra = output_padding[axis];
            if extra >= stride[axis].max(dilation[axis]) {
                return wrong(format!(
                    "output padding {output_padding:?} must be less than stride {stride:?} or dilation {dilation:?}"
                ));
            }
            let side = || {
                let start = x.dim(2 + axis).checked_sub(1)?.checked_mul(stride[axis])?;
                let whole = start.checked_add(span(w.dim(2 + axis), dilation[axis])?)?.checked_add(extra)?;
                whole.checked_sub(padding[axis].checked_mul(2)?).filter(|&side| side > 0)
            };
            let Some(side) = side() else {
                return wrong(format!(
                    "nothing is left of the output of {x} with kernel {w} and padding {padding:?}, or it is too large"
                ));
            };
            dims.push(side);
        }
        Shape::new(&dims)
    }
}

fn output_shape(s: &ConvShape) -> Result<Shape> {
    Shape::new(&[s.n, s.c_out, s.out_h(), s.out_w()])
}

/// Convolution of `x` with `w`, plus a bias for each output channel if there is a third input.
struct Conv2d {
    options: ConvOptions,
}

impl<T: Float> Op<T> for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let (x, w, bias) = (inputs[0], inputs[1], inputs.get(2));
        let s = self.options.shape(x.shape(), w.shape())?;
        check_bias(bias.map(|bias| bias.shape()), s.c_out)?;
        let bias = bias.map(|bias| bias.to_vec());
        Ok(Array::build(output_shape(&s)?, |y| {
            x.with_slice(|x| w.with_slice(|w| conv::forward(&s, x, w, bias.as_deref(), y)));
        }))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        match index {
            0 => ConvTranspose2d { options: self.options, x: at.shape(0) }.apply(&[&grad, &at.input(1)]),
            1 => WeightGrad { options: self.options, w: at.shape(1) }.apply(&[&at.input(0), &grad]),
            _ => grad.sum_axes([0, 2, 3]),
        }
    }
    fn reads(&self, index: usize) -> Reads {
        if index < 2 { Reads::input(1 - index) } else { Reads::NONE }
    }
}

/// The transposed convolution, which is the gradient of the convolution with respect to its input: bilinear in the output's
/// gradient and the kernel.
struct ConvTranspose2d {
    /// Those of the convolution.
    options: ConvOptions,
    /// The shape of the input of the convolution.
    x: Shape,
}

impl<T: Float> Op<T> for ConvTranspose2d {
    fn name(&self) -> &'static str {
        "conv_transpose2d"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let (g, w) = (inputs[0], inputs[1]);
        let s = self.options.shape(self.x, w.shape())?;
        Ok(Array::build(self.x, |dx| {
            g.with_slice(|g| w.with_slice(|w| conv::input_grad(&s, g, w, dx)));
        }))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        // ⟨transposed(g, w), u⟩ = ⟨g, conv(u, w)⟩
        if index == 0 {
            Conv2d { options: self.options }.apply(&[&grad, &at.input(1)])
        } else {
            WeightGrad { options: self.options, w: at.shape(1) }.apply(&[&grad, &at.input(0)])
        }
    }
    fn reads(&self, index: usize) -> Reads {
        Reads::input(1 - index)
    }
}

/// The gradient of the convolution with respect to its kernel: bilinear in the input and the output's gradient.
struct WeightGrad {
    options: ConvOptions,
    w: Shape,
}

impl<T: Float> Op<T> for WeightGrad {
    fn name(&self) -> &'static str {
        "conv2d_weight_grad"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let (x, g) = (inputs[0], inputs[1]);
        let s = self.options.shape(x.shape(), self.w)?;
        Ok(Array::build(self.w, |dw| {
            x.with_slice(|x| g.with_slice(|g| conv::weight_grad(&s, x, g, dw)));
        }))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        // ⟨weight_grad(x, g), u⟩ = ⟨g, conv(x, u)⟩
        if index == 0 {
            ConvTranspose2d { options: self.options, x: at.shape(0) }.apply(&[&at.input(1), &grad])
        } else {
            Conv2d { options: self.options }.apply(&[&at.input(0), &grad])
        }
    }
    fn reads(&self, index: usize) -> Reads {
        Reads::input(1 - index)
    }
}

impl<T: Float> Tensor<T> {
    /// The convolution of images `[n, c_in, h, w]` with kernels `[c_out, c_in / groups, kh, kw]`, plus a bias `[c_out]`
    /// if there is one (as everywhere in deep learning: the cross-correlation).
    ///
    /// `y[n, o, i, j] = b[o] + Σ x[n, c, i s + k d - p, j s + l d - p] w[o, c, k, l]` with stride `s`, dilation `d` and
    /// padding `p`; `y` has height `(h + 2p - d (kh - 1) - 1) / s + 1`, rounded down, and likewise its width.
    ///
    /// With kernels of three rows at stride 1 and at least 16 channels on each side, and in the gradients of these, four
    /// outputs below each other are computed together (minimal filtering, with half of the multiplications). Their errors
    /// are small beside the largest of the four, the root of their mean square 1.4 to 1.6 times that of the plain sum; and
    /// an input that is infinite or NaN reaches all four.
    ///
    /// # Errors
    /// If a rank is not 4, the channels do not fit the groups, the kernel is larger than the padded input, or the bias
    /// has another size.
    ///
    /// ```
    /// use autodiff::{ConvOptions, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    /// let w = Tensor::ones([1, 1, 2, 2]);
    /// assert_eq!(x.conv2d(&w, None, ConvOptions::default())?.to_vec(), [10.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn conv2d(&self, weight: &Self, bias: Option<&Self>, options: ConvOptions) -> Result<Self> {
        let op = Conv2d { options };
        match bias {
            Some(bias) => op.apply(&[self, weight, bias]),
            None => op.apply(&[self, weight]),
        }
    }

    /// The convolution of sequences `[n, c_in, length]` with kernels `[c_out, c_in / groups, k]`, plus a bias `[c_out]` if
    /// there is one: [`conv2d`](Self::conv2d) along one axis.
    ///
    /// # Errors
    /// If a rank is not 3, the channels do not fit the groups, the kernel is larger than the padded input, or the bias
    /// has another size.
    ///
    /// ```
    /// use autodiff::{ConvOptions, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0, 4.0], [1, 1, 3])?;
    /// let w = Tensor::from_vec([1.0, 10.0], [1, 1, 2])?;
    /// assert_eq!(x.conv1d(&w, None, ConvOptions::default())?.to_vec(), [21.0, 42.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn conv1d(&self, weight: &Self, bias: Option<&Self>, options: ConvOptions<1>) -> Result<Self> {
        options.check(self.shape(), weight.shape()).of_op("conv1d")?;
        let y = self.unsqueeze(2)?.conv2d(&weight.unsqueeze(2)?, bias, options.wide()).of_op("conv1d")?;
        y.squeeze(2)
    }

    /// The convolution of volumes `[n, c_in, d, h, w]` with kernels `[c_out, c_in / groups, kd, kh, kw]`, plus a bias
    /// `[c_out]` if there is one: [`conv2d`](Self::conv2d) along three axes.
    ///
    /// It is the convolution of images in which the layers of the volume under the depth of the kernel, copied, are
    /// channels: of `kd` times the memory of the volume.
    ///
    /// # Errors
    /// If a rank is not 5, the channels do not fit the groups, the kernel is larger than the padded input, or the bias
    /// has another size.
    ///
    /// ```
    /// use autodiff::{ConvOptions, Tensor};
    /// let (x, w) = (Tensor::<f32>::ones([1, 1, 2, 3, 3]), Tensor::ones([1, 1, 2, 2, 2]));
    /// let y = x.conv3d(&w, None, ConvOptions::default())?;
    /// assert_eq!((y.shape(), y.to_vec()), ([1, 1, 1, 2, 2].into(), vec![8.0; 4]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn conv3d(&self, weight: &Self, bias: Option<&Self>, options: ConvOptions<3>) -> Result<Self> {
        let (shape, kernel) = (self.shape(), weight.shape());
        options.check(shape, kernel).of_op("conv3d")?;
        check_bias(bias.map(Self::shape), kernel.dim(0)).of_op("conv3d")?;
        let ConvOptions { stride: [step, stride @ ..], padding: [around, padding @ ..], .. } = options;
        let (dilation, groups) = (options.dilation[0], options.groups);
        let flat =
            ConvOptions { stride, padding, dilation: [options.dilation[1], options.dilation[2]], groups };
        let [n, c, depth, h, w] = [0, 1, 2, 3, 4].map(|axis| shape.dim(axis));
        let [c_out, c_group, kd, kh, kw] = [0, 1, 2, 3, 4].map(|axis| kernel.dim(axis));
        let layers = (depth + 2 * around - dilation * (kd - 1) - 1) / step + 1;

        // Images, output layers, channels, height, width; the channels of each layer under the kernel after one another.
        let volume = self.transpose(1, 2)?;
        let none = (0, 0);
        let padded = match around {
            0 => volume,
            _ => volume.pad(&[none, (around, around), none, none, none], 0.0).of_op("conv3d")?,
        };
        let mut seen = Vec::with_capacity(kd);
        for first in (0..kd).map(|k| k * dilation) {
            seen.push(padded.slice_step(1, first..first + (layers - 1) * step + 1, step)?);
        }
        let images = Self::cat(&seen.iter().collect::<Vec<_>>(), 2).of_op("conv3d")?;
        // Groups lie in front of layers: a copy if there are several.
        let grouped =
            images.reshaped(Shape::new(&[n * layers, kd, groups, c_group, h, w]).of_op("conv3d")?)?;
        let images = grouped.transpose(1, 2)?.reshaped(Shape::of([n * layers, kd * c, h, w]))?;
        let kernels = weight.transpose(1, 2)?.reshaped(Shape::of([c_out, kd * c_group, kh, kw]))?;
        let y = images.conv2d(&kernels, bias, flat).of_op("conv3d")?;
        let [out_h, out_w] = [2, 3].map(|axis| y.shape().dim(axis));
        y.reshaped(Shape::of([n, layers, c_out, out_h, out_w]))?.transpose(1, 2)
    }

    /// The transposed convolution of images `[n, c_in, h, w]` with kernels `[c_in, c_out / groups, kh, kw]`, plus a bias
    /// `[c_out]` if there is one: the gradient of [`conv2d`](Self::conv2d) with respect to its input.
    ///
    /// Each pixel is spread over a patch, times the kernel: `x[n, c, i, j] w[c, o, k, l]` is added to
    /// `y[n, o, i s + k d - p, j s + l d - p]` with stride `s`, dilation `d` and padding `p`; `y` has height
    /// `(h - 1) s + d (kh - 1) + 1 - 2p`, plus the output padding, and likewise its width.
    ///
    /// # Errors
    /// If a rank is not 4, the channels do not fit the kernel or the groups, the output padding is neither less than the
    /// stride nor than the dilation, nothing is left of the output, or the bias has another size.
    ///
    /// ```
    /// use autodiff::{ConvTransposeOptions, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0], [1, 1, 1, 2])?;
    /// let w = Tensor::from_vec([1.0, 10.0, 100.0], [1, 1, 1, 3])?;
    /// let options = ConvTransposeOptions { stride: [1, 2], ..ConvTransposeOptions::default() };
    /// assert_eq!(x.conv_transpose2d(&w, None, options)?.to_vec(), [1.0, 10.0, 102.0, 20.0, 200.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn conv_transpose2d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        options: ConvTransposeOptions,
    ) -> Result<Self> {
        let shape = options.check(self.shape(), weight.shape()).of_op("conv_transpose2d")?;
        let channels = shape.dim(1);
        check_bias(bias.map(Self::shape), channels).of_op("conv_transpose2d")?;
        let ConvTransposeOptions { stride, padding, output_padding, dilation, groups } = options;
        // The convolution steps over less than a stride at the far end: what is more are further pixels, of zeros.
        let [more_h, more_w] = [0, 1].map(|axis| output_padding[axis] / stride[axis]);
        let extended = match (more_h, more_w) {
            (0, 0) => self.clone(),
            _ => self.pad(&[(0, 0), (0, 0), (0, more_h), (0, more_w)], 0.0).of_op("conv_transpose2d")?,
        };
        let op = ConvTranspose2d { options: ConvOptions { stride, padding, dilation, groups }, x: shape };
        let y = op.apply(&[&extended, weight])?;
        match bias {
            Some(bias) => Ok(y + bias.reshaped(Shape::of([channels, 1, 1]))?),
            None => Ok(y),
        }
    }

    /// The transposed convolution of sequences `[n, c_in, length]` with kernels `[c_in, c_out / groups, k]`, plus a bias
    /// `[c_out]` if there is one: [`conv_transpose2d`](Self::conv_transpose2d) along one axis.
    ///
    /// # Errors
    /// If a rank is not 3, the channels do not fit the kernel or the groups, the output padding is neither less than the
    /// stride nor than the dilation, nothing is left of the output, or the bias has another size.
    ///
    /// ```
    /// use autodiff::{ConvTransposeOptions, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0], [1, 1, 2])?;
    /// let w = Tensor::from_vec([1.0, 10.0], [1, 1, 2])?;
    /// assert_eq!(x.conv_transpose1d(&w, None, ConvTransposeOptions::default())?.to_vec(), [1.0, 12.0, 20.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn conv_transpose1d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        options: ConvTransposeOptions<1>,
    ) -> Result<Self> {
        options.check(self.shape(), weight.shape()).of_op("conv_transpose1d")?;
        let (x, kernel) = (self.unsqueeze(2)?, weight.unsqueeze(2)?);
        x.conv_transpose2d(&kernel, bias, options.wide()).of_op("conv_transpose1d")?.squeeze(2)
    }
}
