//! Movement: the same elements in another place.

use super::{SMALL, any, axes, extent, vector, zeros};
use autodiff::Tensor;
use autodiff::check::property::Shapes;

ops! {
    reshape: any(), [SMALL], |[x], mut c| x.reshape(c.reshape(x.shape())),
        gradient "`g` in the shape of `x`",
        bad [
            "cannot reshape [2, 3] (6 elements) to [4, 2]" => zeros([2, 3]).reshape([4, 2]),
            "cannot reshape [2, 3] (6 elements) to [-1, 4]" => zeros([2, 3]).reshape([-1, 4]),
            "cannot reshape [2, 3] (6 elements) to [-1, -1]" => zeros([2, 3]).reshape([-1, -1]),
            "cannot reshape [2, 0] (0 elements) to [0, -1]" => zeros([2, 0]).reshape([0, -1]),
        ],
        like "numpy.reshape";
    flatten: axes(), [SMALL], |[x], mut c| x.flatten(c.axis(x.shape())),
        gradient "`g` in the shape of `x`",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).flatten(2)],
        like "torch.flatten";
    unsqueeze: Shapes::alike(0..=5), [SMALL], |[x], mut c| x.unsqueeze(c.below(x.rank() + 1) as isize - c.below(2) as isize * (x.rank() as isize + 1)),
        gradient "`g` in the shape of `x`",
        bad [
            "axis 4 is out of range for [2, 3]" => zeros([2, 3]).unsqueeze(4),
            "[1, 1, 1, 1, 1, 1, 1]" => zeros([1; 6]).unsqueeze(0),
        ],
        like "numpy.expand_dims";
    squeeze: Shapes::alike(0..=5), [SMALL], |[x], mut c| {
            let axis = c.below(x.rank() + 1) as isize;
            x.unsqueeze(axis)?.exp().squeeze(axis)
        },
        gradient "`g` in the shape of `x`",
        bad [
            "axis 0 of [2, 3] has size 2, not 1" => zeros([2, 3]).squeeze(0),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).squeeze(2),
        ],
        like "numpy.squeeze";
    permute: any(), [SMALL], |[x], mut c| x.permute(c.permutation(x.rank())),
        gradient "`g` in the order of `x`",
        bad [
            "1 axes are named for [2, 3], which has 2" => zeros([2, 3]).permute([0]),
            "axis 0 of [2, 3] is named twice" => zeros([2, 3]).permute([0, 0]),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).permute([0, 2]),
        ],
        like "numpy.transpose";
    transpose: axes(), [SMALL], |[x], mut c| x.transpose(c.axis(x.shape()), c.axis(x.shape())),
        gradient "`g` in the order of `x`",
        bad ["axis -3 is out of range for [2, 3]" => zeros([2, 3]).transpose(0, -3)],
        like "numpy.swapaxes";
    t: Shapes::alike(2..=6), [SMALL], |[x], _| x.t(),
        gradient "`gᵀ`",
        bad ["axis -2 is out of range for [3]" => zeros([3]).t()],
        like "numpy.matrix_transpose";
    broadcast_to: Shapes::broadcastable(), [SMALL; 2], |[a, b], _| {
            a.broadcast_to(a.shape().broadcast(&b.shape()).expect("these shapes broadcast"))
        },
        gradient "the sum of `g` over what was repeated",
        bad ["cannot broadcast [2, 3] to [3, 2]" => zeros([2, 3]).broadcast_to([3, 2])],
        like "numpy.broadcast_to";
    slice: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            x.slice(axis, c.range(extent(x, axis)?))
        },
        gradient "`g` where it was taken from, else 0",
        bad [
            "range 2..5 does not lie within axis 1 of [2, 3]" => zeros([2, 3]).slice(1, 2..5),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).slice(2, 0..1),
        ],
        like "x[i:j]";
    slice_step: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            x.slice_step(axis, c.range(extent(x, axis)?), 1 + c.below(3))
        },
        gradient "`g` where it was taken from, else 0",
        bad [
            "the step is 0" => zeros([2, 3]).slice_step(1, 0..3, 0),
            "range 2..5 does not lie within axis 1 of [2, 3]" => zeros([2, 3]).slice_step(1, 2..5, 2),
        ],
        like "x[i:j:k]";
    flip: axes(), [SMALL], |[x], mut c| x.flip(c.axis(x.shape())),
        gradient "`g` in reverse order",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).flip(2)],
        like "numpy.flip";
    cat: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            let part = x.slice(axis, c.range(extent(x, axis)?))?;
            Tensor::cat(&[x, &part, &x.exp()], axis)
        },
        gradient "to each its part of `g`",
        gives [Tensor::cat(&[&vector([1.0]), &vector([2.0, 3.0])], 0)? => [1.0, 2.0, 3.0]],
        bad [
            "[2, 3] against [3, 3]" => Tensor::cat(&[&zeros([2, 3]), &zeros([3, 3])], 1),
            "there is nothing to join" => Tensor::<f64>::cat(&[], 1),
            "axis 2 is out of range for [2, 3]" => Tensor::cat(&[&zeros([2, 3])], 2),
        ],
        like "numpy.concatenate";
    stack: Shapes::alike(0..=5), [SMALL; 3], |[a, b, d], mut c| {
            let places = a.rank() as isize + 1;
            Tensor::stack(&[a, b, d], c.below(2 * places as usize) as isize - places)
        },
        gradient "to each its part of `g`",
        bad [
            "[1, 2] against [1, 3]" => Tensor::stack(&[&zeros([2]), &zeros([3])], 0),
            "there is nothing to join" => Tensor::<f64>::stack(&[], 0),
            "axis 3 is out of range for [2, 3]" => Tensor::stack(&[&zeros([2, 3])], 3),
        ],
        like "numpy.stack";
    pad: any(), [SMALL], |[x], mut c| {
            let widths: Vec<_> = (0..x.rank()).map(|_| (c.below(3), c.below(3))).collect();
            x.pad(&widths, 0.5)
        },
        gradient "the part of `g` within",
        gives [vector([1.0, 2.0]).pad(&[(1, 2)], 0.5)? => [0.5, 1.0, 2.0, 0.5, 0.5]],
        bad [
            "1 pairs of widths for [2, 3], which has 2 axes" => zeros([2, 3]).pad(&[(1, 1)], 0.0),
            "too many or too large" => zeros([2]).pad(&[(1, usize::MAX)], 0.0),
        ],
        like "numpy.pad";
}
