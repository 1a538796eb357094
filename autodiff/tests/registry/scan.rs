//! Running results along an axis.

use super::{DISTINCT, SMALL, axes, numbers, vector, zeros};

ops! {
    cumsum: axes(), [SMALL], |[x], mut c| x.cumsum(c.axis(x.shape())),
        gradient "the sum of all `g` from there on",
        gives [vector([1.0, 2.0, 4.0]).cumsum(0)? => [1.0, 3.0, 7.0]],
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).cumsum(2)],
        like "numpy.cumsum";
    cumprod: axes(), [SMALL], |[x], mut c| x.cumprod(c.axis(x.shape())),
        gradient "the sum of `g` times the product of all others, from there on",
        gives [vector([2.0, 3.0, 0.0, 5.0]).cumprod(0)? => [2.0, 6.0, 0.0, 0.0]],
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).cumprod(2)],
        like "numpy.cumprod";
    cummax: axes(), [DISTINCT], |[x], mut c| Ok(x.cummax(c.axis(x.shape()))?.0),
        gradient "to each the sum of `g` where it is the largest so far",
        gives [
            vector([1.0, 3.0, 2.0, 3.0]).cummax(0)?.0 => [1.0, 3.0, 3.0, 3.0],
            numbers(&vector([1.0, 3.0, 2.0, 3.0, f64::NAN, 4.0]).cummax(0)?.1) => [0.0, 1.0, 1.0, 3.0, 4.0, 4.0],
        ],
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).cummax(2)],
        like "torch.cummax";
    cummin: axes(), [DISTINCT], |[x], mut c| Ok(x.cummin(c.axis(x.shape()))?.0),
        gradient "to each the sum of `g` where it is the smallest so far",
        gives [
            vector([2.0, 3.0, 1.0, 1.0]).cummin(0)?.0 => [2.0, 2.0, 1.0, 1.0],
            numbers(&vector([2.0, 3.0, 1.0, 1.0, f64::NAN, 0.0]).cummin(0)?.1) => [0.0, 0.0, 2.0, 3.0, 4.0, 4.0],
        ],
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).cummin(2)],
        like "torch.cummin";
}
