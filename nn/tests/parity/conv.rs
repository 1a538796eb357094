//! Convolutional layers: outputs, and the gradients of inputs and parameters.

use super::reader::Options;
use super::{Outcome, layer};
use autodiff::{Result, Rng, Tensor};
use nn::{Conv, Conv1d, Conv2d, Conv3d, ConvTranspose, ConvTranspose1d, ConvTranspose2d, Layer, Size};

calls! { "conv";
    conv1d: |x, o| convolution::<1>(x, o, Conv1d::forward);
    conv2d: |x, o| convolution::<2>(x, o, Conv2d::forward);
    conv3d: |x, o| convolution::<3>(x, o, Conv3d::forward);
    conv_transpose1d: |x, o| transposed::<1>(x, o, ConvTranspose1d::forward);
    conv_transpose2d: |x, o| transposed::<2>(x, o, ConvTranspose2d::forward);
}

/// What the cases say of a layer: channels, kernel, groups.
fn sizes<const D: usize>(o: &Options) -> (usize, usize, Size<D>, usize) {
    let kernel = o.ints("kernel").try_into().expect("a size for each axis");
    (o.int("c_in"), o.int("c_out"), Size(kernel), o.int("groups"))
}

/// A setting, or what it is by default.
fn or(o: &Options, name: &str, default: usize) -> usize {
    if o.has(name) { o.int(name) } else { default }
}

fn convolution<const D: usize>(
    x: &[Tensor<f64>],
    o: &Options,
    forward: impl Fn(&Conv<D, f64>, &Tensor<f64>) -> Result<Tensor<f64>>,
) -> Result<Outcome> {
    let (c_in, c_out, kernel, groups) = sizes(o);
    let conv = Conv::grouped(c_in, c_out, kernel.0, groups, &mut Rng::seed(1))
        .stride(or(o, "stride", 1))
        .padding(or(o, "padding", 0))
        .dilation(or(o, "dilation", 1));
    layer(if o.flag("bias") { conv } else { conv.without_bias() }, x, forward)
}

fn transposed<const D: usize>(
    x: &[Tensor<f64>],
    o: &Options,
    forward: impl Fn(&ConvTranspose<D, f64>, &Tensor<f64>) -> Result<Tensor<f64>>,
) -> Result<Outcome> {
    let (c_in, c_out, kernel, groups) = sizes(o);
    let conv = ConvTranspose::grouped(c_in, c_out, kernel.0, groups, &mut Rng::seed(1))
        .stride(or(o, "stride", 1))
        .padding(or(o, "padding", 0))
        .output_padding(or(o, "output_padding", 0))
        .dilation(or(o, "dilation", 1));
    layer(if o.flag("bias") { conv } else { conv.without_bias() }, x, forward)
}
