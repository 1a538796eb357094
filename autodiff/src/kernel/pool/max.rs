//! The maximum of each window with its position, and reading and adding at such positions.

use super::{PoolShape, TAP_NS, Tap};
use crate::float::Float;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::parallel::{self, Pieces};
use std::hint::select_unpredictable;
use std::ops::Range;

/// Writes the maximum of each window to `y` and its position within the input plane to `index`: of equal numbers
/// the first in row order. NaN is larger than every number, and padding is never the maximum.
pub(crate) fn max<T: Float>(s: &PoolShape, x: &[T], y: &mut [T], index: &mut [u32]) {
    let [input, output] = s.sizes();
    assert_eq!(
        [x.len(), y.len(), index.len()],
        [input, output, output].map(|len| len * s.planes),
        "pool: lengths"
    );
    if y.is_empty() {
        return;
    }
    let taps = &*s.taps();
    let body = |(plane, (y, index)): (usize, (&mut [T], &mut [u32]))| {
        vectorized(Max { s, taps, x: &x[plane * input..(plane + 1) * input], y, index });
    };
    let ns = s.plane_ns();
    if parallel::worthwhile(ns * s.planes as f64) {
        let least = (parallel::SERIAL_NS / 4.0 / ns) as usize;
        let (ys, indices) = (Pieces::new(y, output), Pieces::new(index, output));
        parallel::each(s.planes, least, &|plane| {
            // SAFETY: `each` calls with every plane once.
            body((plane, unsafe { (ys.take(plane), indices.take(plane)) }));
        });
    } else {
        y.chunks_mut(output).zip(index.chunks_mut(output)).enumerate().for_each(body);
    }
}

/// The maxima of one plane.
struct Max<'a, T> {
    s: &'a PoolShape,
    taps: &'a [Tap],
    x: &'a [T],
    y: &'a mut [T],
    index: &'a mut [u32],
}

/// Replaces a maximum and its position by a later number if that is larger, or the first NaN.
#[inline(always)]
#[allow(clippy::inline_always)]
fn take<T: Float>(best: &mut T, at: &mut u32, number: T, position: u32) {
    // No branch: this is to become a comparison and a selection of vectors.
    let keep = (number <= *best) | best.is_nan();
    *best = select_unpredictable(keep, *best, number);
    *at = select_unpredictable(keep, *at, position);
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Max<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Max { s, taps, x, y, index } = self;
        let width = s.out_w();
        let rows = y.chunks_exact_mut(width).zip(index.chunks_exact_mut(width)).enumerate();
        if s.kernel == [2, 2] && s.stride == [2, 2] && s.padding == [0, 0] {
            for (i, (y, index)) in rows {
                let at = 2 * i * s.w;
                let pairs = [at, at + s.w].map(|at| x[at..at + s.w].as_chunks::<2>().0);
                match width {
                    16.. => squares_of_row::<T, 16>(pairs, at as u32, s.w as u32, y, index),
                    8.. => squares_of_row::<T, 8>(pairs, at as u32, s.w as u32, y, index),
                    4.. => squares_of_row::<T, 4>(pairs, at as u32, s.w as u32, y, index),
                    _ => squares_of_row::<T, 1>(pairs, at as u32, s.w as u32, y, index),
                }
            }
            return;
        }
        // The windows that lie within a row; those before and after them see a part of it.
        let start = taps.iter().map(|tap| tap.columns.start).max().unwrap_or(0);
        let end = taps.iter().map(|tap| tap.columns.end).min().unwrap_or(0).max(start);
        for (i, (y, index)) in rows {
            let windows = Windows { w: s.w, rows: s.rows(i), stride: s.stride[1], taps, x };
            for column in (0..start).chain(end..width) {
                let seen = taps.iter().filter(|tap| tap.columns.contains(&column));
                windows.take::<1>(1, column, &seen, y, index);
            }
            // The literal strides make loops of their own, which become vector instructions.
            match (end - start, windows.stride) {
                (8.., 1) => windows.side_by_side::<8>(1, start..end, y, index),
                (8.., 2) => windows.side_by_side::<8>(2, start..end, y, index),
                (4.., stride) => windows.side_by_side::<4>(stride, start..end, y, index),
                (_, stride) => windows.side_by_side::<1>(stride, start..end, y, index),
            }
        }
    }
}

/// The maxima of windows of two by two numbers side by side, whose rows are given as pairs and begin at position `at` of the
/// plane; `N` at a time, the last of which may be computed twice.
#[inline(always)]
#[allow(clippy::inline_always)]
fn squares_of_row<T: Float, const N: usize>(
    [upper, lower]: [&[[T; 2]]; 2],
    at: u32,
    w: u32,
    y: &mut [T],
    index: &mut [u32],
) {
    let last = y.len() - N;
    for start in (0..y.len()).step_by(N) {
        let start = start.min(last);
        let (upper, lower) = (&upper[start..][..N], &lower[start..][..N]);
        let (mut best, mut place) = ([T::ZERO; N], [0; N]);
        for i in 0..N {
            (best[i], place[i]) = (upper[i][0], at + 2 * (start + i) as u32);
        }
        for (numbers, [column, row]) in [(upper, [1, 0]), (lower, [0, w]), (lower, [1, w])] {
            for i in 0..N {
                let position = at + 2 * (start + i) as u32 + column + row;
                take(&mut best[i], &mut place[i], numbers[i][column as usize], position);
            }
        }
        y[start..][..N].copy_from_slice(&best);
        index[start..][..N].copy_from_slice(&place);
    }
}

/// The windows of a row of the output.
struct Windows<'a, T> {
    /// The width of a plane.
    w: usize,
    /// The rows that they see.
    rows: Range<usize>,
    stride: usize,
    taps: &'a [Tap],
    x: &'a [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Windows<'_, T> {
    /// The maxima of windows that lie within the row, `N` at a time, the last of which may be computed twice.
    #[inline(always)]
    fn side_by_side<const N: usize>(
        &self,
        stride: usize,
        columns: Range<usize>,
        y: &mut [T],
        index: &mut [u32],
    ) {
        for column in columns.clone().step_by(N) {
            self.take::<N>(stride, column.min(columns.end - N), &self.taps.iter(), y, index);
        }
    }

    /// The maxima of `N` windows side by side, the first at `column`, whose inputs are `stride` apart, by these taps.
    #[inline(always)]
    fn take<'t, const N: usize>(
        &self,
        stride: usize,
        column: usize,
        taps: &(impl Iterator<Item = &'t Tap> + Clone),
        y: &mut [T],
        index: &mut [u32],
    ) {
        let at =
            |row: usize, tap: &Tap| row * self.w + tap.first + (column - tap.columns.start) * self.stride;
        // The first number that a window sees is its maximum until a larger one comes, even if it is -∞.
        let first = taps.clone().next().map_or(0, |tap| at(self.rows.start, tap));
        let (mut best, mut place) = ([T::NEG_INFINITY; N], [0; N]);
        for (lane, place) in place.iter_mut().enumerate() {
            *place = (first + lane * stride) as u32;
        }
        for row in self.rows.clone() {
            for tap in taps.clone() {
                let at = at(row, tap);
                let x = &self.x[at..][..=(N - 1) * stride];
                for lane in 0..N {
                    let position = (at + lane * stride) as u32;
                    take(&mut best[lane], &mut place[lane], x[lane * stride], position);
                }
            }
        }
        y[column..][..N].copy_from_slice(&best);
        index[column..][..N].copy_from_slice(&place);
    }
}

/// Writes to `index` the position within its plane of `[h, w]` of the maximum of each bin: of equal numbers the first in
/// row order. NaN is larger than every number. No bin is empty.
pub(crate) fn of_bins<T: Float>(
    [h, w]: [usize; 2],
    [rows, columns]: &[Vec<Range<usize>>; 2],
    x: &[T],
    index: &mut [u32],
) {
    let area = h * w;
    parallel::items(index, rows.len() * columns.len(), area as f64 * TAP_NS, |plane, index| {
        let x = &x[plane * area..][..area];
        for (rows, index) in rows.iter().zip(index.chunks_exact_mut(columns.len())) {
            for (columns, index) in columns.iter().zip(index) {
                let first = rows.start * w + columns.start;
                let (mut best, mut at) = (x[first], first as u32);
                for row in rows.clone() {
                    for column in columns.clone() {
                        take(&mut best, &mut at, x[row * w + column], (row * w + column) as u32);
                    }
                }
                *index = at;
            }
        }
    });
}

/// Adds each number of `g` to the place in its plane of `dx` that `index` names, all others being zero. Planes of `dx`
/// have `input` numbers, those of `g` have `output`.
pub(crate) fn scatter<T: Float>([input, output]: [usize; 2], g: &[T], index: &[u32], dx: &mut [T]) {
    assert!(g.len() == index.len() && dx.len() * output == g.len() * input, "pool: lengths");
    parallel::items(dx, input, input.max(output) as f64 * TAP_NS, |plane, dx| {
        dx.fill(T::ZERO);
        let range = plane * output..(plane + 1) * output;
        for (g, at) in g[range.clone()].iter().zip(&index[range]) {
            dx[*at as usize] += *g;
        }
    });
}

/// Writes to `y` the numbers at the places in the planes of `x` that `index` names. Planes of `x` have `input` numbers,
/// those of `y` have `output`.
pub(crate) fn gather<T: Float>([input, output]: [usize; 2], x: &[T], index: &[u32], y: &mut [T]) {
    assert!(y.len() == index.len() && x.len() * output == y.len() * input, "pool: lengths");
    parallel::items(y, output, output as f64 * TAP_NS, |plane, y| {
        let x = &x[plane * input..(plane + 1) * input];
        for (y, at) in y.iter_mut().zip(&index[plane * output..(plane + 1) * output]) {
            *y = x[*at as usize];
        }
    });
}
