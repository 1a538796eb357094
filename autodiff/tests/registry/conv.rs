//! Convolution.

use super::{SMALL, vector, zeros};
use autodiff::ConvOptions;
use autodiff::check::property::Shapes;

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
}
