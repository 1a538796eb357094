//! Copies of operands whose shortest steps do not lie along the rows of the output: transposes, and other permutations.
//!
//! In the order of the output, each number of such an operand lies on a line of the cache of its own, and often on a page.
//! So the output is cut into tiles of two axes: its rows, and the axis along which the steps of the operand are the shortest.
//! A tile is put together in the first-level cache, where it reads whole lines, and then written, row by row.

use super::{Loops, Source};
use crate::float::Float;
use crate::kernel::buffer::{Element, Fresh};
use crate::kernel::dispatch::level;
use crate::kernel::parallel::{self, Shared};
use crate::kernel::vector::{Job, Vector, dispatch};
use crate::shape::MAX_RANK;
use std::any::TypeId;
use std::ops::Range;

/// The most numbers in a tile: 4 KiB in single precision.
const TILE: usize = 1024;

/// The rows of a tile, if rows are long: a line of the cache of an operand in single precision. For matrices of 1024 rows and
/// columns, whose columns share few sets of the cache, tiles of 16 rows of 64 numbers take 244 µs, of 32 of 32 take 315 µs.
const ROWS: usize = 16;

/// The step along the rows from which on tiles are better than rows: a shorter one finds the rest of a line in the cache when
/// the next row is read.
const FAR: usize = 8;

/// Nanoseconds to copy one number.
const NS: f64 = 0.4;

/// An axis of the output.
#[derive(Clone, Copy)]
struct Axis {
    dim: usize,
    /// The entries of a tile.
    size: usize,
    /// The steps in the output and in the operand.
    out: usize,
    operand: isize,
}

/// The tiles of an output.
pub(super) struct Tiles {
    rank: usize,
    /// The last but one is that of the rows, the last that of the operand's shortest steps: where tiles follow each other, so
    /// do the lines that they read.
    axes: [Axis; MAX_RANK],
}

/// Where a tile is, in the output and in the operand, and its size.
struct Tile {
    out: usize,
    at: usize,
    rows: usize,
    columns: usize,
}

impl Tiles {
    /// The tiles for an operand that is better read by tiles than by rows.
    pub(super) fn new(loops: &Loops<1>) -> Option<Self> {
        let inner = loops.rank - 1;
        let step = |&axis: &usize| loops.strides[0][axis].unsigned_abs();
        let across = (0..inner).filter(|axis| step(axis) > 0).min_by_key(step)?;
        let size: usize = loops.dims[..loops.rank].iter().product();
        if step(&inner) < FAR || step(&inner) <= step(&across) || size < TILE {
            return None;
        }
        let mut axes = [Axis { dim: 1, size: 1, out: 0, operand: 0 }; MAX_RANK];
        let mut out = 1;
        for axis in (0..loops.rank).rev() {
            let dim = loops.dims[axis];
            axes[axis] = Axis { dim, size: 1, out, operand: loops.strides[0][axis] };
            out *= dim;
        }
        let (columns, rows) = (axes[inner].dim, axes[across].dim);
        // Where there are few of one, there is room for more of the other.
        axes[across].size = rows.min(ROWS.max(TILE / columns));
        axes[inner].size = columns.min(TILE / axes[across].size);
        axes[across..loops.rank].rotate_left(1);
        Some(Self { rank: loops.rank, axes })
    }

    fn axes(&self) -> &[Axis] {
        &self.axes[..self.rank]
    }

    fn count(&self) -> usize {
        self.axes().iter().map(|axis| axis.dim.div_ceil(axis.size)).product()
    }

    /// Calls `body` with `count` tiles from the `start`-th on, of an operand that starts at `offset`.
    fn walk(&self, start: usize, count: usize, offset: usize, mut body: impl FnMut(Tile)) {
        let axes = self.axes();
        let mut first = [0; MAX_RANK];
        let mut rest = start;
        for (first, axis) in first.iter_mut().zip(axes).rev() {
            let pieces = axis.dim.div_ceil(axis.size);
            *first = rest % pieces * axis.size;
            rest /= pieces;
        }
        for _ in 0..count {
            let [columns, rows] =
                [self.rank - 2, self.rank - 1].map(|k| axes[k].size.min(axes[k].dim - first[k]));
            let (mut out, mut at) = (0, offset as isize);
            for (&first, axis) in first.iter().zip(axes) {
                out += first * axis.out;
                at += first as isize * axis.operand;
            }
            body(Tile { out, at: at as usize, rows, columns });
            for (first, axis) in first.iter_mut().zip(axes).rev() {
                *first += axis.size;
                if *first < axis.dim {
                    break;
                }
                *first = 0;
            }
        }
    }

    /// Writes the operand to `out`, in the order of that.
    pub(super) fn copy<T: Element>(&self, out: &mut [T], source: Source<'_, T>) {
        let [columns, rows] = [self.axes[self.rank - 2], self.axes[self.rank - 1]];
        let steps = (rows.operand, columns.operand);
        // Whether a tile is a piece of the output.
        let joined = columns.size == columns.dim && rows.out == columns.dim;
        let mut order = vec![(); self.count()];
        let out = Shared::new(out);
        parallel::split(&mut order, 1, NS * (rows.size * columns.size) as f64, |start, order| {
            let mut block = Fresh::take(if joined { 0 } else { rows.size * columns.size });
            self.walk(start, order.len(), source.offset, |tile| {
                let size = (tile.rows, tile.columns);
                if joined {
                    // SAFETY: tiles do not overlap, and each is walked to once.
                    let out = unsafe { out.slice(tile.out, tile.rows * tile.columns) };
                    return turn(out, size, source.data, tile.at, steps);
                }
                turn(&mut block, size, source.data, tile.at, steps);
                for (row, values) in block.chunks_exact(tile.columns).take(tile.rows).enumerate() {
                    // SAFETY: the same.
                    let out = unsafe { out.slice(tile.out + row * rows.out, tile.columns) };
                    out.copy_from_slice(values);
                }
            });
        });
    }
}

/// `block[r * columns + c] = data[at + r * down + c * along]`.
fn turn<T: Element>(
    block: &mut [T],
    (rows, columns): (usize, usize),
    data: &[T],
    at: usize,
    (down, along): (isize, isize),
) {
    let (mut whole_rows, mut whole_columns) = (rows / 8 * 8, columns / 4 * 4);
    let pieces =
        Pieces { width: columns, distance: along as usize, rows: whole_rows, columns: whole_columns };
    if down != 1 || along < 0 || whole_rows == 0 || whole_columns == 0 {
        (whole_rows, whole_columns) = (0, 0);
    } else if TypeId::of::<T>() == TypeId::of::<f32>() {
        pieces.turn::<T, f32>(block, &data[at..]);
    } else if TypeId::of::<T>() == TypeId::of::<f64>() {
        pieces.turn::<T, f64>(block, &data[at..]);
    } else {
        (whole_rows, whole_columns) = (0, 0);
    }
    let mut one_by_one = |rows: Range<usize>, some: Range<usize>| {
        for column in some {
            let mut at = at as isize + rows.start as isize * down + column as isize * along;
            for row in rows.clone() {
                block[row * columns + column] = data[at as usize];
                at += down;
            }
        }
    };
    one_by_one(0..rows, whole_columns..columns);
    one_by_one(whole_rows..rows, 0..whole_columns);
}

/// The rows and columns of a block that vectors turn: eights of rows and fours of columns, of `width` columns in all; the columns
/// lie `distance` apart in the operand.
#[derive(Clone, Copy)]
struct Pieces {
    width: usize,
    distance: usize,
    rows: usize,
    columns: usize,
}

impl Pieces {
    /// Turns numbers of type `T`, which is `F`.
    fn turn<T: Element, F: Float>(self, block: &mut [T], data: &[T]) {
        assert_eq!(TypeId::of::<T>(), TypeId::of::<F>());
        assert!(self.rows > 0 && self.columns > 0, "tiles: nothing to turn");
        assert!((self.rows - 1) * self.width + self.columns <= block.len(), "tiles: block");
        assert!((self.columns - 1) * self.distance + self.rows <= data.len(), "tiles: operand");
        let (block, data) = (block.as_mut_ptr().cast::<F>(), data.as_ptr().cast::<F>());
        dispatch(level(), Turn { pieces: self, block, data });
    }
}

/// [`Pieces::turn`], which has checked that all of the pieces lie within both.
struct Turn<F> {
    pieces: Pieces,
    block: *mut F,
    data: *const F,
}

impl<F: Float> Job<F> for Turn<F> {
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn run<V: Vector<F>>(self) {
        let Pieces { width, distance, rows, columns } = self.pieces;
        // Fours of columns outside: of as many lines of the operand, all is read while they are in the cache.
        for column in (0..columns).step_by(4) {
            for row in (0..rows).step_by(8) {
                // SAFETY: eight rows and four columns from here on are within the pieces.
                unsafe {
                    let from = self.data.add(column * distance + row);
                    V::transpose(from, distance, self.block.add(row * width + column), width);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Shape, Strides};

    /// Copies `data` by its strides on several numbers of threads and compares with a plain loop over all elements.
    fn copies<T: Element>(data: &[T], dims: &[usize], steps: &[isize], offset: usize, tiled: bool) {
        let shape = Shape::of(dims.iter().copied());
        let mut strides: Strides = [0; _];
        strides[..steps.len()].copy_from_slice(steps);
        let mut expected = vec![offset as isize];
        for (&dim, &step) in dims.iter().zip(steps) {
            expected =
                expected.iter().flat_map(|&at| (0..dim as isize).map(move |i| at + i * step)).collect();
        }
        let expected: Vec<T> = expected.into_iter().map(|at| data[at as usize]).collect();
        assert_eq!(Tiles::new(&Loops::new(&shape, [&strides])).is_some(), tiled, "{dims:?} by {steps:?}");
        for threads in [1, 2, 5] {
            let mut out = vec![T::default(); expected.len()];
            let source = Source { data, offset, strides };
            crate::with_threads(threads, || super::super::copy(&mut out, &shape, source));
            assert!(out == expected, "{dims:?} by {steps:?} on {threads}");
        }
    }

    #[test]
    fn permuted_operands_are_copied_in_the_order_of_the_output() {
        let singles: Vec<f32> = (0..400_000).map(|i| i as f32).collect();
        let doubles: Vec<f64> = (0..400_000).map(f64::from).collect();
        let whole: Vec<usize> = (0..400_000).collect();
        let all = |dims: &[usize], steps: &[isize], offset, tiled| {
            copies(&singles, dims, steps, offset, tiled);
            copies(&doubles, dims, steps, offset, tiled);
            copies(&whole, dims, steps, offset, tiled);
        };
        // Matrices, of whole tiles and of others, too small, and with few rows or columns.
        for [rows, columns] in [[512, 512], [33, 129], [1000, 10], [10, 1000], [300, 9], [2, 4096], [4099, 2]]
        {
            all(&[rows, columns], &[1, rows as isize], 0, rows >= 8);
        }
        for [rows, columns] in [[0, 50], [50, 0], [1, 5000], [5000, 1], [31, 31], [1, 1]] {
            all(&[rows, columns], &[1, rows as isize], 0, false);
        }
        // Axes in the opposite order, and images between channels last and first.
        all(&[23, 29, 31], &[1, 23, 23 * 29], 5, true);
        all(&[5, 60, 17], &[17 * 60, 1, 60], 0, true);
        // Rows of two from far apart, and from close by.
        all(&[6, 7, 28, 2], &[28 * 14, 28, 1, 6 * 28 * 14], 0, true);
        all(&[6, 28, 28, 2], &[28 * 56, 56, 2, 1], 0, false);
        // Reversed, thinned out, repeated.
        all(&[70, 80], &[-1, 70], 69, true);
        all(&[70, 80], &[1, -70], 79 * 70, true);
        all(&[70, 80], &[2, 140], 1, true);
        all(&[3, 70, 80], &[0, 1, 70], 0, true);
    }
}
