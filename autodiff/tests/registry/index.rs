//! Reading at indices.

use super::{DISTINCT, SMALL, any, axes, extent, numbers, vector, zeros};
use autodiff::{Array, Shape, Tensor};

ops! {
    index_select: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            x.index_select(axis, &c.indices(extent(x, axis)?, 3))
        },
        gradient "to each entry the sum of `g` where it was read",
        gives [vector([10.0, 20.0, 30.0]).index_select(0, &[2, 0, 2])? => [30.0, 10.0, 30.0]],
        bad [
            "index 2 at position 1 is out of range for 2 entries along axis 0" => zeros([2, 3]).index_select(0, &[1, 2]),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).index_select(2, &[0]),
        ],
        like "numpy.take(axis)";
    gather: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            let along = x.shape().axis(axis)?;
            let mut sizes = x.shape().to_vec();
            sizes[along] = if sizes[along] == 0 { 0 } else { 1 + c.below(3) };
            let shape = Shape::from(sizes);
            x.gather(axis, &Array::from_vec(c.indices(x.shape().dim(along), shape.size()), shape)?)
        },
        gradient "to each element the sum of `g` where it was read",
        gives [vector([1.0, 2.0, 3.0, 4.0]).reshape([2, 2])?.gather(1, &Array::from_vec([1usize, 0], [2, 1])?)? => [2.0, 3.0]],
        bad [
            "index 3 at position 0 is out of range for 3 entries along axis 1" => zeros([2, 3]).gather(1, &Array::full(3, [2, 1])),
            "[2, 3] against [3, 1]" => zeros([2, 3]).gather(1, &Array::full(0, [3, 1])),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).gather(2, &Array::full(0, [2, 3])),
        ],
        like "numpy.take_along_axis";
    arg_max: axes().filled(), [DISTINCT], |[x], mut c| Ok(numbers(&x.arg_max(c.axis(x.shape()))?)),
        gives [
            numbers(&vector([1.0, 3.0, 2.0, 5.0, 4.0, 5.0]).reshape([2, 3])?.arg_max(1)?) => [1.0, 0.0],
            numbers(&vector([1.0, f64::NAN, 2.0, f64::NAN]).arg_max(0)?) => [1.0],
        ],
        bad [
            "axis 1 of [2, 0] has no entries" => zeros([2, 0]).arg_max(1),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).arg_max(2),
        ],
        like "numpy.argmax(axis)";
    arg_min: axes().filled(), [DISTINCT], |[x], mut c| Ok(numbers(&x.arg_min(c.axis(x.shape()))?)),
        gives [
            numbers(&vector([1.0, 3.0, 0.0, 5.0, 4.0, 4.0]).reshape([2, 3])?.arg_min(1)?) => [2.0, 1.0],
            numbers(&vector([1.0, f64::NAN, 0.0, f64::NAN]).arg_min(0)?) => [1.0],
        ],
        bad [
            "axis 1 of [2, 0] has no entries" => zeros([2, 0]).arg_min(1),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).arg_min(2),
        ],
        like "numpy.argmin(axis)";
    one_hot: any(), [SMALL], |[x], mut c| Tensor::one_hot(&c.indices(3, x.size()), 3),
        gives [Tensor::one_hot(&[1, 0], 2)? => [0.0, 1.0, 1.0, 0.0]],
        bad ["label 3 at position 1 is out of range for 3 classes" => Tensor::<f64>::one_hot(&[0, 3], 3)],
        like "torch.nn.functional.one_hot";
}
