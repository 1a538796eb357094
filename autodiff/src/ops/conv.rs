//! Two-dimensional convolution. The convolution, its input gradient and its weight gradient are three ops whose rules
//! are each other: bilinear maps that close under differentiation, so any order follows.

use crate::array::Array;
use crate::error::{Error, ErrorKind, Result};
use crate::float::Float;
use crate::kernel::conv::{self, ConvShape};
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// How a convolution moves over its input; along height and width.
///
/// ```
/// use autodiff::ConvOptions;
/// let same = ConvOptions { padding: [1, 1], ..ConvOptions::default() };
/// assert_eq!((same.stride, same.dilation, same.groups), ([1, 1], [1, 1], 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvOptions {
    /// Distance of neighbouring outputs in the input.
    pub stride: [usize; 2],
    /// Zeros put around the input, at either end.
    pub padding: [usize; 2],
    /// Distance of neighbouring kernel elements in the input.
    pub dilation: [usize; 2],
    /// Number of groups that the channels are divided into, each convolved for itself.
    pub groups: usize,
}

impl Default for ConvOptions {
    /// Stride 1, no padding, dilation 1, one group.
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

/// Checks the sizes of a convolution.
fn conv_shape(x: Shape, w: Shape, options: ConvOptions) -> Result<ConvShape> {
    let rank = |shape: Shape, what| match shape.rank() {
        4 => Ok([shape.dim(0), shape.dim(1), shape.dim(2), shape.dim(3)]),
        _ => Err(Error::from(ErrorKind::Rank { shape, expected: 4, what })),
    };
    let [n, c_in, h, width] = rank(x, "images, channels, height, width")?;
    let [c_out, c_group, kh, kw] = rank(w, "output channels, input channels of a group, height, width")?;
    let ConvOptions { stride, padding, dilation, groups } = options;
    let wrong = |message: String| Err(ErrorKind::Message(message).into());
    if stride.contains(&0) || dilation.contains(&0) || groups == 0 {
        return wrong(format!("stride {stride:?}, dilation {dilation:?} and groups {groups} must not be 0"));
    }
    if c_group.checked_mul(groups) != Some(c_in) {
        return wrong(format!(
            "a kernel {w} with {groups} groups needs {c_group} x {groups} channels, {x} has {c_in}"
        ));
    }
    if !c_out.is_multiple_of(groups) {
        return wrong(format!("{c_out} output channels cannot be divided into {groups} groups"));
    }
    for (axis, (size, kernel)) in [(h, kh), (width, kw)].into_iter().enumerate() {
        let padded = padding[axis].checked_mul(2).and_then(|p| p.checked_add(size));
        let span = kernel.checked_sub(1).and_then(|k| k.checked_mul(dilation[axis])).map(|reach| reach + 1);
        let (Some(padded), Some(span)) = (padded, span) else {
            return wrong(format!("kernel {w} or padding {padding:?} is empty or too large"));
        };
        if span > padded {
            return wrong(format!(
                "a kernel {w} with dilation {dilation:?} spans {span}, but the input {x} with padding {padding:?} only {padded}"
            ));
        }
    }
    Ok(ConvShape { n, c_in, h, w: width, c_out, kh, kw, stride, padding, dilation, groups })
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
        let s = conv_shape(x.shape(), w.shape(), self.options)?;
        if let Some(bias) = bias
            && bias.shape() != [s.c_out]
        {
            let what = "the bias needs one element for each output channel";
            return Err(ErrorKind::Mismatch { what, left: bias.shape(), right: Shape::of([s.c_out]) }.into());
        }
        let bias = bias.map(|bias| bias.to_vec());
        Ok(Array::build(output_shape(&s)?, |y| {
            x.with_slice(|x| w.with_slice(|w| conv::forward(&s, x, w, bias.as_deref(), y)));
        }))
    }
    fn vjp(&self, index: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        match index {
            0 => InputGrad { options: self.options, x: at.shape(0) }.apply(&[grad, &at.input(1)]),
            1 => WeightGrad { options: self.options, w: at.shape(1) }.apply(&[&at.input(0), grad]),
            _ => grad.sum_axes([0, 2, 3]),
        }
    }
    fn reads(&self, index: usize) -> Reads {
        if index < 2 { Reads::input(1 - index) } else { Reads::NONE }
    }
}

/// The gradient of the convolution with respect to its input: bilinear in the output's gradient and the kernel.
struct InputGrad {
    options: ConvOptions,
    x: Shape,
}

impl<T: Float> Op<T> for InputGrad {
    fn name(&self) -> &'static str {
        "conv2d_input_grad"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let (g, w) = (inputs[0], inputs[1]);
        let s = conv_shape(self.x, w.shape(), self.options)?;
        Ok(Array::build(self.x, |dx| {
            g.with_slice(|g| w.with_slice(|w| conv::input_grad(&s, g, w, dx)));
        }))
    }
    fn vjp(&self, index: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        // ⟨input_grad(g, w), u⟩ = ⟨g, conv(u, w)⟩
        if index == 0 {
            Conv2d { options: self.options }.apply(&[grad, &at.input(1)])
        } else {
            WeightGrad { options: self.options, w: at.shape(1) }.apply(&[grad, &at.input(0)])
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
        let s = conv_shape(x.shape(), self.w, self.options)?;
        Ok(Array::build(self.w, |dw| {
            x.with_slice(|x| g.with_slice(|g| conv::weight_grad(&s, x, g, dw)));
        }))
    }
    fn vjp(&self, index: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        // ⟨weight_grad(x, g), u⟩ = ⟨g, conv(x, u)⟩
        if index == 0 {
            InputGrad { options: self.options, x: at.shape(0) }.apply(&[&at.input(1), grad])
        } else {
            Conv2d { options: self.options }.apply(&[&at.input(0), grad])
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
}
