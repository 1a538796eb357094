//! Sorting along an axis.

use super::{DISTINCT, axes, extent, numbers, vector, zeros};

ops! {
    sort: axes(), [DISTINCT], |[x], mut c| Ok(x.sort(c.axis(x.shape()), c.flag())?.0),
        gradient "`g` to where each was",
        gives [
            vector([3.0, f64::NAN, 1.0, 2.0]).sort(0, false)?.0 => [1.0, 2.0, 3.0, f64::NAN],
            numbers(&vector([3.0, f64::NAN, 1.0, 3.0]).sort(0, true)?.1) => [1.0, 0.0, 3.0, 2.0],
        ],
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).sort(2, false)],
        like "torch.sort(stable=True)";
    arg_sort: axes(), [DISTINCT], |[x], mut c| Ok(numbers(&x.arg_sort(c.axis(x.shape()), c.flag())?)),
        gives [
            numbers(&vector([3.0, f64::NAN, 1.0, 3.0]).arg_sort(0, false)?) => [2.0, 0.0, 3.0, 1.0],
            numbers(&vector([3.0, 2.0, 1.0, 3.0]).arg_sort(0, true)?) => [0.0, 3.0, 1.0, 2.0],
        ],
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).arg_sort(2, false)],
        like "numpy.argsort(stable=True)";
    topk: axes(), [DISTINCT], |[x], mut c| {
            let axis = c.axis(x.shape());
            Ok(x.topk(c.below(extent(x, axis)? + 1), axis, !c.flag())?.0)
        },
        gradient "`g` to where each was, 0 to the others",
        gives [
            vector([3.0, 1.0, 4.0, 2.0]).topk(2, 0, true)?.0 => [4.0, 3.0],
            numbers(&vector([3.0, f64::NAN, 1.0, 1.0]).topk(3, 0, false)?.1) => [2.0, 3.0, 0.0],
        ],
        bad [
            "axis 1 of [2, 3] has fewer than 4 entries" => zeros([2, 3]).topk(4, -1, true),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).topk(1, 2, true),
        ],
        like "torch.topk";
}
