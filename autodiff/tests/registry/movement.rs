//! Movement: the same elements in another place.

use super::{SMALL, any, axes, zeros};
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
    flip: axes(), [SMALL], |[x], mut c| x.flip(c.axis(x.shape())),
        gradient "`g` in reverse order",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).flip(2)],
        like "numpy.flip";
}
