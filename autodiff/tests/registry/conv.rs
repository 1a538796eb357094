//! Convolutions over one, two and three axes, and their transposes.

use super::{SMALL, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::{ConvOptions, ConvTransposeOptions, Float, Result, Tensor};

/// The first rows of images or kernels, as sequences.
fn rows<T: Float>(x: &Tensor<T>) -> Result<Tensor<T>> {
    x.slice(2, 0..1)?.squeeze(2)
}

/// A kernel of a convolution of `x` as one of a transposed convolution, with options under which some output is left.
fn transposed<T: Float>(
    x: &Tensor<T>,
    w: &Tensor<T>,
    options: ConvOptions,
) -> Result<(Tensor<T>, ConvTransposeOptions)> {
    let ConvOptions { stride, padding, dilation, groups } = options;
    let [c_out, c_in, height, width] = w.dims()?;
    let [g, height, width] = [groups, height, width].map(|size| size as isize);
    let kernel = w.reshape([g, -1, c_in as isize, height, width])?.transpose(1, 2)?;
    let kernel = kernel.reshape([g * c_in as isize, (c_out / groups) as isize, height, width])?;
    let reach = |axis: usize| {
        (x.shape().dim(2 + axis) - 1) * stride[axis] + dilation[axis] * (w.shape().dim(2 + axis) - 1)
    };
    let padding = std::array::from_fn(|axis| padding[axis].min(reach(axis) / 2));
    // As much as there may be, in every other case.
    let more = |axis: usize| if x.shape().dim(0) == 2 { stride[axis].max(dilation[axis]) - 1 } else { 0 };
    let output_padding = std::array::from_fn(more);
    Ok((kernel, ConvTransposeOptions { stride, padding, output_padding, dilation, groups }))
}

ops! {
    conv2d: Shapes::convolutions(), [SMALL; 2], |[x, w], mut c| x.conv2d(w, None, c.conv_options()),
        gradient "the transposed convolution of `g` with `w`, the convolution of `x` with `g`, the sum of `g` over all but channels",
        gives [
            vector([1.0, 2.0, 3.0, 4.0]).reshape([1, 1, 2, 2])?.conv2d(&(zeros([1, 1, 2, 2]) + 1.0), None, ConvOptions::default())? => [10.0],
            vector([1.0, 2.0, 3.0]).reshape([1, 1, 1, 3])?.conv2d(
                &vector([1.0, 10.0]).reshape([1, 1, 1, 2])?, Some(&vector([0.5])), ConvOptions::default()
            )? => [21.5, 32.5],
        ],
        bad [
            "a kernel [4, 2, 3, 3] with 1 groups needs 2 x 1 channels, [1, 3, 8, 8] has 3" =>
                zeros([1, 3, 8, 8]).conv2d(&zeros([4, 2, 3, 3]), None, ConvOptions::default()),
            "spans 3, but the input [1, 3, 2, 2] with padding [0, 0] only 2" =>
                zeros([1, 3, 2, 2]).conv2d(&zeros([4, 3, 3, 3]), None, ConvOptions::default()),
            "[3, 8, 8] has rank 3, but rank 4 is needed" =>
                zeros([3, 8, 8]).conv2d(&zeros([4, 3, 3, 3]), None, ConvOptions::default()),
            "[3] against [4]" => zeros([1, 3, 8, 8]).conv2d(&zeros([4, 3, 3, 3]), Some(&zeros([3])), ConvOptions::default()),
            "stride [0, 1], dilation [1, 1] and groups 1 must not be 0" => zeros([1, 3, 8, 8])
                .conv2d(&zeros([4, 3, 3, 3]), None, ConvOptions { stride: [0, 1], ..ConvOptions::default() }),
            "3 output channels cannot be divided into 2 groups" => zeros([1, 4, 8, 8])
                .conv2d(&zeros([3, 2, 3, 3]), None, ConvOptions { groups: 2, ..ConvOptions::default() }),
            "is empty or too large" => zeros([1, 1, 8, 8]).conv2d(&zeros([1, 1, 0, 3]), None, ConvOptions::default()),
        ],
        like "torch.nn.functional.conv2d";
    conv1d: Shapes::convolutions_with_bias(), [SMALL; 3], |[x, w, b], mut c| {
            let ConvOptions { stride, padding, dilation, groups } = c.conv_options();
            let options = ConvOptions { stride: [stride[1]], padding: [padding[1]], dilation: [dilation[1]], groups };
            rows(x)?.conv1d(&rows(w)?, Some(b), options)
        },
        gradient "as `conv2d`",
        gives [vector([1.0, 2.0, 4.0]).reshape([1, 1, 3])?.conv1d(&vector([1.0, 10.0]).reshape([1, 1, 2])?, None, ConvOptions::default())? => [21.0, 42.0]],
        bad [
            "a kernel [4, 2, 3] with 1 groups needs 2 x 1 channels, [1, 3, 8] has 3" =>
                zeros([1, 3, 8]).conv1d(&zeros([4, 2, 3]), None, ConvOptions::default()),
            "[1, 3, 8, 8] has rank 4, but rank 3 is needed" => zeros([1, 3, 8, 8]).conv1d(&zeros([4, 3, 3]), None, ConvOptions::default()),
            "spans 3, but the input [1, 3, 2] with padding [0] only 2" => zeros([1, 3, 2]).conv1d(&zeros([4, 3, 3]), None, ConvOptions::default()),
            "[3] against [4]" => zeros([1, 3, 8]).conv1d(&zeros([4, 3, 3]), Some(&zeros([3])), ConvOptions::default()),
        ],
        like "torch.nn.functional.conv1d";
    conv3d: Shapes::convolutions_with_bias(), [SMALL; 3], |[x, w, b], mut c| {
            // Layers are multiples of an image, and move as its rows do.
            let ConvOptions { stride: s, padding: p, dilation: d, groups } = c.conv_options();
            let options = ConvOptions { stride: [s[0], s[0], s[1]], padding: [p[0], p[0], p[1]], dilation: [d[0], d[0], d[1]], groups };
            let volume = Tensor::stack(&[x, &(x * 0.5), &(x * -2.0)], 2)?;
            volume.conv3d(&Tensor::stack(&[w, &(w * -0.5)], 2)?, Some(b), options)
        },
        gradient "as `conv2d`",
        gives [(zeros([1, 1, 2, 3, 3]) + 1.0).conv3d(&(zeros([1, 1, 2, 2, 2]) + 1.0), Some(&vector([0.5])), ConvOptions::default())? => [8.5; 4]],
        bad [
            "a kernel [4, 2, 3, 3, 3] with 1 groups needs 2 x 1 channels, [1, 3, 8, 8, 8] has 3" =>
                zeros([1, 3, 8, 8, 8]).conv3d(&zeros([4, 2, 3, 3, 3]), None, ConvOptions::default()),
            "[1, 3, 8, 8] has rank 4, but rank 5 is needed" => zeros([1, 3, 8, 8]).conv3d(&zeros([4, 3, 3, 3, 3]), None, ConvOptions::default()),
            "spans 3, but the input [1, 3, 2, 8, 8] with padding [0, 0, 0] only 2" =>
                zeros([1, 3, 2, 8, 8]).conv3d(&zeros([4, 3, 3, 3, 3]), None, ConvOptions::default()),
            "[3] against [4]" => zeros([1, 3, 8, 8, 8]).conv3d(&zeros([4, 3, 3, 3, 3]), Some(&zeros([3])), ConvOptions::default()),
        ],
        like "torch.nn.functional.conv3d";
    conv_transpose2d: Shapes::convolutions_with_bias(), [SMALL; 3], |[x, w, b], mut c| {
            let (kernel, options) = transposed(x, w, c.conv_options())?;
            x.conv_transpose2d(&kernel, Some(b), options)
        },
        gradient "the convolution of `g` with `w`, the convolution of `g` with `x`, the sum of `g` over all but channels",
        gives [
            vector([1.0, 2.0]).reshape([1, 1, 1, 2])?.conv_transpose2d(
                &vector([1.0, 10.0, 100.0]).reshape([1, 1, 1, 3])?, Some(&vector([0.5])), ConvTransposeOptions { stride: [1, 2], ..ConvTransposeOptions::default() }
            )? => [1.5, 10.5, 102.5, 20.5, 200.5],
            // The output padding of 2 is more than the stride: the last entry lies beyond what the kernel reaches.
            vector([1.0, 2.0]).reshape([1, 1, 1, 2])?.conv_transpose2d(
                &vector([1.0, 10.0]).reshape([1, 1, 1, 2])?, None,
                ConvTransposeOptions { padding: [0, 1], output_padding: [0, 2], dilation: [1, 3], ..ConvTransposeOptions::default() }
            )? => [2.0, 0.0, 10.0, 20.0, 0.0],
        ],
        bad [
            "a kernel [4, 2, 3, 3] needs 4 channels, [1, 3, 8, 8] has 3" =>
                zeros([1, 3, 8, 8]).conv_transpose2d(&zeros([4, 2, 3, 3]), None, ConvTransposeOptions::default()),
            "3 channels cannot be divided into 2 groups" => zeros([1, 3, 8, 8])
                .conv_transpose2d(&zeros([3, 2, 3, 3]), None, ConvTransposeOptions { groups: 2, ..ConvTransposeOptions::default() }),
            "[3, 8, 8] has rank 3, but rank 4 is needed" =>
                zeros([3, 8, 8]).conv_transpose2d(&zeros([3, 2, 3, 3]), None, ConvTransposeOptions::default()),
            "[3] against [2]" => zeros([1, 3, 8, 8]).conv_transpose2d(&zeros([3, 2, 3, 3]), Some(&zeros([3])), ConvTransposeOptions::default()),
            "must not be 0" => zeros([1, 3, 8, 8])
                .conv_transpose2d(&zeros([3, 2, 3, 3]), None, ConvTransposeOptions { stride: [0, 1], ..ConvTransposeOptions::default() }),
            "output padding [0, 2] must be less than stride [1, 2] or dilation [1, 1]" => zeros([1, 3, 8, 8]).conv_transpose2d(
                &zeros([3, 2, 3, 3]), None, ConvTransposeOptions { stride: [1, 2], output_padding: [0, 2], ..ConvTransposeOptions::default() }
            ),
            "nothing is left of the output of [1, 3, 2, 2]" => zeros([1, 3, 2, 2])
                .conv_transpose2d(&zeros([3, 2, 3, 3]), None, ConvTransposeOptions { padding: [2, 2], ..ConvTransposeOptions::default() }),
        ],
        like "torch.nn.functional.conv_transpose2d";
    conv_transpose1d: Shapes::convolutions_with_bias(), [SMALL; 3], |[x, w, b], mut c| {
            let (kernel, o) = transposed(x, w, c.conv_options())?;
            let options = ConvTransposeOptions {
                stride: [o.stride[1]], padding: [o.padding[1]], output_padding: [o.output_padding[1]], dilation: [o.dilation[1]], groups: o.groups,
            };
            rows(x)?.conv_transpose1d(&rows(&kernel)?, Some(b), options)
        },
        gradient "as `conv_transpose2d`",
        gives [vector([1.0, 2.0]).reshape([1, 1, 2])?.conv_transpose1d(&vector([1.0, 10.0]).reshape([1, 1, 2])?, None, ConvTransposeOptions::default())? => [1.0, 12.0, 20.0]],
        bad [
            "a kernel [4, 2, 3] needs 4 channels, [1, 3, 8] has 3" => zeros([1, 3, 8]).conv_transpose1d(&zeros([4, 2, 3]), None, ConvTransposeOptions::default()),
            "[1, 3, 8, 8] has rank 4, but rank 3 is needed" => zeros([1, 3, 8, 8]).conv_transpose1d(&zeros([3, 2, 3]), None, ConvTransposeOptions::default()),
            "[3] against [2]" => zeros([1, 3, 8]).conv_transpose1d(&zeros([3, 2, 3]), Some(&zeros([3])), ConvTransposeOptions::default()),
        ],
        like "torch.nn.functional.conv_transpose1d";
}
