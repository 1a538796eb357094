//! Diagonals, triangles and windows.

use super::{SMALL, extent, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::check::strategies::Choice;
use autodiff::{Shape, Tensor};

/// The numbers from 1 to 6 as a matrix of two rows.
fn grid() -> Tensor<f64> {
    vector([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([2, 3]).expect("six elements")
}

/// A diagonal on either side.
fn diagonal(c: &mut Choice) -> isize {
    [0, 1, -1, 2, -3][c.below(5)]
}

/// Two different axes.
fn two(c: &mut Choice, shape: Shape) -> [isize; 2] {
    let order = c.permutation(shape.rank());
    let from_end = if c.flag() { shape.rank() as isize } else { 0 };
    [order[0], order[1] - from_end]
}

ops! {
    diagonal: Shapes::alike(2..=6), [SMALL], |[x], mut c| {
            let [rows, columns] = two(&mut c, x.shape());
            x.diagonal(diagonal(&mut c), rows, columns)
        },
        gradient "`g` on the diagonal, else 0",
        gives [
            grid().diagonal(0, 0, 1)? => [1.0, 5.0],
            grid().diagonal(1, 0, 1)? => [2.0, 6.0],
            grid().diagonal(1, 1, 0)? => [4.0],
            grid().diagonal(isize::MIN, 0, 1)? => [],
        ],
        bad [
            "axis 1 of [2, 3] is named twice" => zeros([2, 3]).diagonal(0, 1, -1),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).diagonal(0, 0, 2),
        ],
        like "numpy.diagonal";
    diag: Shapes::alike(1..=5), [SMALL], |[x], mut c| {
            // No more than fits memory.
            let short = extent(x, -1)?.min(30);
            x.slice(-1, 0..short)?.diag(diagonal(&mut c))
        },
        gradient "the diagonal of `g`",
        gives [
            vector([1.0, 2.0]).diag(0)? => [1.0, 0.0, 0.0, 2.0],
            vector([1.0]).diag(1)? => [0.0, 1.0, 0.0, 0.0],
        ],
        bad [
            "axis -1 is out of range for []" => zeros([]).diag(0),
            "too many or too large" => zeros([1; 6]).diag(0),
            "too many or too large" => zeros([1]).diag(isize::MIN),
        ],
        like "torch.diag_embed";
    trace: Shapes::alike(2..=6), [SMALL], |[x], _| x.trace(),
        gradient "`g` on the main diagonal, else 0",
        gives [grid().trace()? => [6.0]],
        bad ["axis -2 is out of range for [3]" => zeros([3]).trace()],
        like "numpy.trace(axis1=-2, axis2=-1)";
    tril: Shapes::alike(2..=6), [SMALL], |[x], mut c| x.tril(diagonal(&mut c)),
        gradient "`g` in the triangle, else 0",
        gives [
            grid().tril(0)? => [1.0, 0.0, 0.0, 4.0, 5.0, 0.0],
            (grid() / 0.0).tril(-2)? => [0.0; 6],
        ],
        bad ["axis -2 is out of range for [3]" => zeros([3]).tril(0)],
        like "numpy.tril";
    triu: Shapes::alike(2..=6), [SMALL], |[x], mut c| x.triu(diagonal(&mut c)),
        gradient "`g` in the triangle, else 0",
        gives [
            grid().triu(0)? => [1.0, 2.0, 3.0, 0.0, 5.0, 6.0],
            (grid() / 0.0).triu(3)? => [0.0; 6],
        ],
        bad ["axis -2 is out of range for [3]" => zeros([3]).triu(0)],
        like "numpy.triu";
    unfold: Shapes::alike(1..=5), [SMALL], |[x], mut c| {
            let axis = c.axis(x.shape());
            let size = c.below(extent(x, axis)?.min(3) + 1);
            x.unfold(axis, size, 1 + c.below(3))
        },
        gradient "to each element the sum of `g` over the windows it is in",
        gives [
            vector([1.0, 2.0, 3.0, 4.0]).unfold(0, 2, 1)? => [1.0, 2.0, 2.0, 3.0, 3.0, 4.0],
            grid().unfold(0, 2, usize::MAX)? => [1.0, 4.0, 2.0, 5.0, 3.0, 6.0],
        ],
        bad [
            "the step is 0" => zeros([2, 3]).unfold(1, 2, 0),
            "windows of 4 for the 3 entries of axis 1 of [2, 3]" => zeros([2, 3]).unfold(1, 4, 1),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).unfold(2, 1, 1),
            "too many or too large" => zeros([1; 6]).unfold(0, 1, 1),
        ],
        like "torch.Tensor.unfold";
}
