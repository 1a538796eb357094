//! Slicing.

use super::{SMALL, any, axes, extent, vector, zeros};
use autodiff::{Index, Tensor, s};

/// Whole numbers from 0 on, as a matrix.
fn grid(rows: usize, columns: usize) -> Tensor<f64> {
    let values: Vec<_> = (0..rows * columns).map(|i| i as f64).collect();
    Tensor::from_vec(values, [rows, columns]).expect("as many values")
}

ops! {
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
    at: any(), [SMALL], |[x], mut c| {
            let mut indices: Vec<_> = x.shape().iter().map(|n| {
                let range = c.range(n);
                match c.below(4) {
                    0 if n > 0 => Index::At(c.below(2 * n) as isize - n as isize),
                    1 => Index::every(-1 - c.below(2) as isize, range.start as isize..range.end as isize),
                    2 => Index::every(1 + c.below(2) as isize, range.start as isize..range.end as isize),
                    _ => Index::from(..),
                }
            }).collect();
            // What is not named stays whole, after or before what is, with a new axis where there is room.
            let named = c.below(x.rank() + 1);
            if c.flag() {
                indices.truncate(named);
            } else {
                indices.splice(..named, [Index::Ellipsis]);
            }
            if x.rank() < 6 && c.flag() {
                indices.insert(c.below(indices.len() + 1), Index::NewAxis);
            }
            x.at(&indices[..])
        },
        gradient "`g` where it was taken from, else 0",
        gives [
            grid(3, 4).at((1, ..))? => [4.0, 5.0, 6.0, 7.0],
            grid(3, 4).at(s![-1, 1..-1])? => [9.0, 10.0],
            grid(3, 4).at((..2, -2..))? => [2.0, 3.0, 6.0, 7.0],
            grid(3, 4).at(s![..;-1, ..;3])? => [8.0, 11.0, 4.0, 7.0, 0.0, 3.0],
            grid(3, 4).at(s![Index::Ellipsis, 1..=-1, Index::NewAxis])?.sum_axes(0)? => [15.0, 18.0, 21.0],
        ],
        bad [
            "3 indices for [2, 3], which has 2 axes" => zeros([2, 3]).at((0, .., 1)),
            "index 3 for the 3 entries of axis 1 of [2, 3]" => zeros([2, 3]).at((.., 3)),
            "index -4 for the 3 entries of axis 1 of [2, 3]" => zeros([2, 3]).at((Index::Ellipsis, -4)),
            "range 1..4 does not lie within the 3 entries of axis 1 of [2, 3]" => zeros([2, 3]).at((0, 1..4)),
            "range -1..-2 does not lie within the 3 entries of axis 1 of [2, 3]" => zeros([2, 3]).at(s![0, -1..-2]),
            "the step along axis 0 is 0" => zeros([2, 3]).at(Index::every(0, ..)),
            "2 ellipses" => zeros([2, 3]).at((Index::Ellipsis, 0, Index::Ellipsis)),
            "too many or too large" => zeros([1; 6]).at(Index::NewAxis),
        ],
        like "x[i, j:k, ...]";
    split: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            let range = c.range(extent(x, axis)?);
            let sizes = [range.start, range.len(), extent(x, axis)? - range.end];
            let parts = x.split(&sizes, axis)?;
            Tensor::cat(&[&parts[2], &parts[0].exp(), &parts[1]], axis)
        },
        gradient "to each part its `g`",
        gives [vector([1.0, 2.0, 3.0]).split(&[1, 0, 2], 0)?[2].clone() => [2.0, 3.0]],
        bad [
            "sizes [1, 1] for the 3 entries of axis 1" => zeros([2, 3]).split(&[1, 1], 1),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).split(&[2], 2),
        ],
        like "torch.split";
    chunk: axes(), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            let parts = x.chunk(1 + c.below(3), axis)?;
            let turned: Vec<_> = parts.iter().rev().map(Tensor::exp).collect();
            Tensor::cat(&turned.iter().collect::<Vec<_>>(), axis)
        },
        gradient "to each part its `g`",
        gives [
            vector([1.0, 2.0, 3.0, 4.0, 5.0]).chunk(4, 0)?[2].clone() => [5.0],
            vector([]).chunk(3, 0)?[2].clone() => [],
        ],
        bad [
            "0 chunks" => zeros([2, 3]).chunk(0, 1),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).chunk(2, 2),
        ],
        like "torch.chunk";
}
