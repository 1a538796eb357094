//! Joining and repeating.

use super::{SMALL, any, axes, extent, vector, zeros};
use autodiff::Tensor;
use autodiff::check::property::Shapes;

ops! {
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
    roll: axes(), [SMALL], |[x], mut c| x.roll(c.below(9) as isize - 4, c.axis(x.shape())),
        gradient "`g` moved back",
        gives [
            vector([1.0, 2.0, 3.0]).roll(1, 0)? => [3.0, 1.0, 2.0],
            vector([1.0, 2.0, 3.0]).roll(-4, 0)? => [2.0, 3.0, 1.0],
        ],
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).roll(1, 2)],
        like "numpy.roll(axis)";
    tile: any(), [SMALL], |[x], mut c| {
            let count = c.below(x.rank().min(2) + 2);
            let times: Vec<_> = (0..count).map(|_| c.below(3)).collect();
            if x.rank() == 6 { x.tile(&times[..count.min(6)]) } else { x.tile(&times) }
        },
        gradient "the sum of `g` over the repetitions",
        gives [vector([1.0, 2.0]).tile(&[2, 2])? => [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]],
        bad [
            "[1, 1, 1, 1, 1, 1, 2]" => zeros([2]).tile(&[1; 7]),
            "too many or too large" => zeros([2]).tile(&[usize::MAX]),
        ],
        like "numpy.tile";
    repeat_interleave: axes(), [SMALL], |[x], mut c| x.repeat_interleave(c.below(4), c.axis(x.shape())),
        gradient "the sum of `g` over the repetitions",
        gives [vector([1.0, 2.0]).repeat_interleave(3, 0)? => [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]],
        bad [
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).repeat_interleave(1, 2),
            "too many or too large" => zeros([2]).repeat_interleave(usize::MAX, 0),
        ],
        like "numpy.repeat(axis)";
    meshgrid: Shapes::alike(1..=6), [SMALL; 2], |[a, b], mut c| {
            let few = a.size().min(5 + a.size() / 1000);
            let [a, b] = [a.flatten(0)?.slice(0, 0..few)?, b.flatten(0)?.slice(0, 0..few)?];
            let grid = Tensor::meshgrid(&[&a, &b])?;
            Ok(if c.flag() { grid[0].exp() } else { grid[1].clone() * &grid[0] })
        },
        gradient "the sum of `g` over what was repeated",
        gives [
            Tensor::meshgrid(&[&vector([1.0, 2.0]), &vector([5.0, 6.0, 7.0])])?[1].clone() => [5.0, 6.0, 7.0, 5.0, 6.0, 7.0],
        ],
        bad [
            "[2, 3] has rank 2, but rank 1 is needed" => Tensor::meshgrid(&[&zeros([2, 3])]),
            "too many or too large" => Tensor::meshgrid(&[&zeros([1]); 7]),
        ],
        like "numpy.meshgrid(indexing='ij')";
}
