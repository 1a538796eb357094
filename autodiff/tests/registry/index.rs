//! Reading at indices.

use super::{DISTINCT, SMALL, any, axes, extent, numbers, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::check::strategies::Choice;
use autodiff::{Array, Result, Shape, Tensor};

/// An index of one to three entries along an axis and at most those of `shape` along the others, below `bound`.
fn index(c: &mut Choice, shape: Shape, along: usize, bound: usize) -> Result<Array<usize>> {
    let mut sizes = shape.to_vec();
    for (axis, size) in sizes.iter_mut().enumerate() {
        if axis == along {
            *size = if bound == 0 { 0 } else { 1 + c.below(3) };
        } else if *size > 1 && *size < 9 && c.flag() {
            *size -= 1;
        }
    }
    let shape = Shape::from(sizes);
    Array::from_vec(c.indices(bound, shape.size()), shape)
}

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
            x.gather(axis, &index(&mut c, x.shape(), along, extent(x, axis)?)?)
        },
        gradient "to each element the sum of `g` where it was read",
        gives [vector([1.0, 2.0, 3.0, 4.0]).reshape([2, 2])?.gather(1, &Array::from_vec([1usize, 0], [2, 1])?)? => [2.0, 3.0]],
        bad [
            "index 3 at position 0 is out of range for 3 entries along axis 1" => zeros([2, 3]).gather(1, &Array::full(3, [2, 1])),
            "[2, 3] against [3, 1]" => zeros([2, 3]).gather(1, &Array::full(0, [3, 1])),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).gather(2, &Array::full(0, [2, 3])),
            "[2, 3] against [2]" => zeros([2, 3]).gather(1, &Array::full(0, [2])),
        ],
        like "torch.gather";
    take_along: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            let along = x.shape().axis(axis)?;
            let n = extent(x, axis)?;
            // The same positions for all entries along the other axes, or one entry for all positions.
            if c.flag() && n > 0 {
                let mut sizes = vec![1; x.rank()];
                sizes[along] = 1 + c.below(3);
                x.take_along(axis, &Array::from_vec(c.indices(n, sizes[along]), sizes)?)
            } else {
                let first = if along == 0 { x.clone() } else { x.sum_keep(0)? };
                first.take_along(axis, &Array::from_vec(c.indices(n, x.size()), x.shape())?)
            }
        },
        gradient "to each element the sum of `g` where it was read",
        gives [vector([1.0, 2.0, 3.0, 4.0]).reshape([2, 2])?.take_along(0, &Array::from_vec([1usize], [1, 1])?)? => [3.0, 4.0]],
        bad [
            "index 3 at position 0 is out of range for 3 entries along axis 1" => zeros([2, 3]).take_along(1, &Array::full(3, [1, 1])),
            "[2, 3] against [3, 1]" => zeros([2, 3]).take_along(1, &Array::full(0, [3, 1])),
            "[2, 3] against [3]" => zeros([2, 3]).take_along(1, &Array::full(0, [3])),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).take_along(2, &Array::full(0, [2, 3])),
        ],
        like "numpy.take_along_axis";
    scatter_add: Shapes::alike(1..=6), [SMALL; 2], |[x, source], mut c| {
            let axis = c.axis(x.shape());
            let along = x.shape().axis(axis)?;
            let index = index(&mut c, source.shape(), along, extent(x, axis)?)?;
            // As many entries as the source has at most.
            let entries = index.shape().dim(along).min(extent(source, axis)?);
            let mut sizes = index.shape().to_vec();
            sizes[along] = entries;
            let shape = Shape::from(sizes);
            let fewer = Array::from_vec(&index.to_vec()[..shape.size()], shape)?;
            x.scatter_add(axis, &fewer, source)
        },
        gradient "`g`, and to what was added `g` where it was added",
        gives [
            zeros([2, 2]).scatter_add(0, &Array::from_vec([1usize, 1, 1], [3, 1])?, &(zeros([3, 2]) + 1.0))?
                => [0.0, 0.0, 3.0, 0.0],
        ],
        bad [
            "index 3 at position 0 is out of range for 3 entries along axis 1"
                => zeros([2, 3]).scatter_add(1, &Array::full(3, [2, 1]), &zeros([2, 1])),
            "[2, 3] against [3, 1]" => zeros([2, 3]).scatter_add(1, &Array::full(0, [3, 1]), &zeros([3, 1])),
            "[2, 1] against [2, 2]" => zeros([2, 3]).scatter_add(1, &Array::full(0, [2, 2]), &zeros([2, 1])),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).scatter_add(2, &Array::full(0, [2, 3]), &zeros([2, 3])),
        ],
        like "torch.scatter_add";
    index_add: Shapes::alike(1..=6), [SMALL; 2], |[x, source], mut c| {
            let axis = c.axis(x.shape());
            let n = extent(x, axis)?;
            let count = c.below(4).min(n);
            let index = c.indices(n, count);
            x.index_add(axis, &index, &source.slice(axis, 0..index.len())?)
        },
        gradient "`g`, and to what was added `g` where it was added",
        gives [vector([0.0, 0.0]).index_add(0, &[1, 0, 1], &vector([1.0, 2.0, 4.0]))? => [2.0, 5.0]],
        bad [
            "index 2 at position 1 is out of range for 2 entries along axis 0" => zeros([2]).index_add(0, &[0, 2], &zeros([2])),
            "[3, 3] against [2, 3]" => zeros([2, 3]).index_add(0, &[0, 1], &zeros([3, 3])),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).index_add(2, &[0], &zeros([2, 3])),
        ],
        like "torch.index_add";
    embedding: axes(), [SMALL], |[x], mut c| {
            let words = c.indices(extent(x, 0)?, 4);
            let index = Array::from_vec(&words, [words.len()])?;
            x.embedding(&if x.rank() < 6 && c.flag() { index.reshape(&[2, -1])? } else { index })
        },
        gradient "to each row the sum of `g` where it was read",
        gives [
            vector([1.0, 2.0, 3.0, 4.0]).reshape([2, 2])?.embedding(&Array::from_vec([1usize, 1, 0], [3, 1])?)?
                => [3.0, 4.0, 3.0, 4.0, 1.0, 2.0],
        ],
        bad [
            "index 2 at position 0 is out of range for 2 entries along axis 0" => zeros([2, 3]).embedding(&Array::full(2, [1])),
            "axis 0 is out of range for []" => zeros([]).embedding(&Array::full(0, [1])),
            "too many or too large" => zeros([2, 3]).embedding(&Array::full(0, [1; 6])),
        ],
        like "torch.nn.functional.embedding";
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
