//! A matrix that many products share: laid out once, as the innermost loop reads it.
//!
//! A general product packs both operands anew each time, which for the step of a recurrent layer (32 rows, 128 units) costs
//! half as much as its arithmetic. Here the right operand lies in panels of two vectors' width, all rows of a panel one
//! after the other, and the left one is read where it is: a tile of rows by two vectors stays in registers over the whole
//! inner dimension. A row of the result is the same sum in the same order, whichever other rows are computed with it, so
//! that rows may be split among threads.

use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::conv::vector::{Job, Vector, dispatch, lanes};
use crate::kernel::dispatch::{Level, level};
use crate::kernel::gemm::Matrix;

/// The vectors of a panel.
const VECTORS: usize = 2;
/// The most numbers in a tile: eight rows of two vectors of sixteen numbers.
const TILE: usize = 8 * VECTORS * 16;

/// A right operand, `[inner, columns]`.
pub(crate) struct Packed<T: Float> {
    panels: Fresh<T>,
    inner: usize,
    columns: usize,
    level: Level,
}

impl<T: Float> Packed<T> {
    /// Lays `matrix` out for this processor; the last panel is filled with zeros.
    pub(crate) fn new(matrix: Matrix<'_, T>, inner: usize, columns: usize) -> Self {
        Self::at(level(), matrix, inner, columns)
    }

    /// The same for a level that is not above the processor's.
    fn at(level: Level, matrix: Matrix<'_, T>, inner: usize, columns: usize) -> Self {
        let width = VECTORS * lanes::<T>(level);
        let mut panels = Fresh::take(columns.div_ceil(width) * inner * width);
        let at = |row: usize, column: usize| {
            let place = matrix.offset as isize
                + row as isize * matrix.row_stride
                + column as isize * matrix.column_stride;
            matrix.data[place as usize]
        };
        for (i, row) in panels.chunks_exact_mut(width).enumerate() {
            let (panel, l) = (i / inner, i % inner);
            for (column, number) in (panel * width..).zip(row) {
                *number = if column < columns { at(l, column) } else { T::ZERO };
            }
        }
        Self { panels, inner, columns, level }
    }

    /// `out ← a · self` for rows of `inner` numbers.
    ///
    /// # Panics
    /// If there are not as many whole rows in both.
    pub(crate) fn product(&self, out: &mut [T], a: &[T]) {
        let rows = out.len() / self.columns.max(1);
        let whole = out.len() == rows * self.columns && a.len() == rows * self.inner;
        assert!(whole, "packed: {} numbers are not as many rows as {}", a.len(), out.len());
        dispatch(self.level, Product { packed: self, out, a, rows });
    }
}

/// One product.
struct Product<'a, T: Float> {
    packed: &'a Packed<T>,
    out: &'a mut [T],
    a: &'a [T],
    rows: usize,
}

#[allow(clippy::inline_always)]
impl<T: Float> Product<'_, T> {
    /// The rows from `row` on as long as there are `ROWS` left, of the panel whose first column is `first`; returns the next
    /// row.
    #[inline(always)]
    fn tiles<V: Vector<T>, const ROWS: usize>(&mut self, mut row: usize, first: usize) -> usize {
        let Packed { panels, inner, columns, .. } = self.packed;
        let (inner, columns, width) = (*inner, *columns, VECTORS * V::LANES);
        let panel = &panels[first * inner..][..width * inner];
        while row + ROWS <= self.rows {
            let a = &self.a[row * inner..][..ROWS * inner];
            let out = &mut self.out[row * columns + first..];
            if first + width <= columns {
                assert!(out.len() >= (ROWS - 1) * columns + width);
                // SAFETY: `panel` has `inner` rows of two vectors, `a` has `ROWS` rows of `inner` numbers, and `out` was
                // just found to hold `ROWS` rows of two vectors at distance `columns`.
                unsafe { tile::<T, V, ROWS>(inner, a.as_ptr(), panel.as_ptr(), out.as_mut_ptr(), columns) };
            } else {
                let mut rows = [T::ZERO; TILE];
                assert!(ROWS * width <= TILE);
                // SAFETY: as above; `rows` holds `ROWS` rows of two vectors at distance `width`.
                unsafe { tile::<T, V, ROWS>(inner, a.as_ptr(), panel.as_ptr(), rows.as_mut_ptr(), width) };
                for (out, row) in out.chunks_mut(columns).zip(rows.chunks_exact(width)).take(ROWS) {
                    out[..columns - first].copy_from_slice(&row[..columns - first]);
                }
            }
            row += ROWS;
        }
        row
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Product<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(mut self) {
        for first in (0..self.packed.columns).step_by(VECTORS * V::LANES) {
            // Eight rows fill half of 32 registers, four half of 16: enough sums under way to hide their latency.
            let row = if V::LEVEL == Level::Avx512 { self.tiles::<V, 8>(0, first) } else { 0 };
            let row = self.tiles::<V, 4>(row, first);
            self.tiles::<V, 1>(row, first);
        }
    }
}

/// `out[r] ← Σ_l a[r][l] panel[l]` for `ROWS` rows of two vectors.
///
/// # Safety
/// `ROWS` rows of `inner` numbers must be readable at `a`, `inner` rows of two vectors at `panel`, and `ROWS` rows of two
/// vectors, `distance` apart, writable at `out`.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn tile<T: Float, V: Vector<T>, const ROWS: usize>(
    inner: usize,
    a: *const T,
    panel: *const T,
    out: *mut T,
    distance: usize,
) {
    // SAFETY: these are the addresses that the caller vouches for.
    unsafe {
        let mut sums = [[V::zero(); VECTORS]; ROWS];
        for l in 0..inner {
            let panel = panel.add(l * VECTORS * V::LANES);
            let (left, right) = (V::load(panel), V::load(panel.add(V::LANES)));
            for (r, [to_left, to_right]) in sums.iter_mut().enumerate() {
                let a = V::splat(a.add(r * inner + l));
                *to_left = a.fused(left, *to_left);
                *to_right = a.fused(right, *to_right);
            }
        }
        for (r, [left, right]) in sums.into_iter().enumerate() {
            let out = out.add(r * distance);
            left.store(out);
            right.store(out.add(V::LANES));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The levels of this processor.
    fn levels() -> impl Iterator<Item = Level> {
        [Level::Portable, Level::Avx2, Level::Avx512].into_iter().filter(|&l| l <= level())
    }

    #[test]
    fn products_are_the_definition_at_every_level() {
        for (rows, inner, columns) in
            [(1, 1, 1), (3, 5, 7), (8, 16, 32), (13, 9, 33), (4, 0, 5), (21, 40, 100)]
        {
            let numbers =
                |n: usize, k: usize| (0..n).map(|i| ((i * k) % 19) as f64 - 9.0).collect::<Vec<_>>();
            let (a, b) = (numbers(rows * inner, 7), numbers(inner * columns, 11));
            let expected: Vec<f64> = (0..rows * columns)
                .map(|i| (0..inner).map(|l| a[i / columns * inner + l] * b[l * columns + i % columns]).sum())
                .collect();
            let straight = Matrix { data: &b, offset: 0, row_stride: columns as isize, column_stride: 1 };
            let transposed: Vec<f64> =
                (0..inner * columns).map(|i| b[i % inner * columns + i / inner]).collect();
            let turned =
                Matrix { data: &transposed, offset: 0, row_stride: 1, column_stride: inner as isize };
            for (level, matrix) in levels().flat_map(|level| [(level, straight), (level, turned)]) {
                let mut out = vec![f64::NAN; rows * columns];
                Packed::at(level, matrix, inner, columns).product(&mut out, &a);
                assert_eq!(out, expected, "{rows} x {inner} x {columns} at {level:?}");
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_alone_and_among_others() {
        let (rows, inner, columns) = (23, 37, 50);
        let numbers = |n: usize, k: f32| (0..n).map(|i| (i as f32 * k).sin()).collect::<Vec<f32>>();
        let (a, b) = (numbers(rows * inner, 0.37), numbers(inner * columns, 0.73));
        let matrix = Matrix { data: &b, offset: 0, row_stride: columns as isize, column_stride: 1 };
        for level in levels() {
            let packed = Packed::at(level, matrix, inner, columns);
            let mut together = vec![0.0; rows * columns];
            packed.product(&mut together, &a);
            for (row, together) in a.chunks_exact(inner).zip(together.chunks_exact(columns)) {
                let mut alone = vec![0.0; columns];
                packed.product(&mut alone, row);
                assert_eq!(alone, together, "at {level:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "not as many rows")]
    fn operands_that_do_not_fit_are_refused() {
        let matrix = Matrix { data: &[1.0f32; 6], offset: 0, row_stride: 3, column_stride: 1 };
        Packed::new(matrix, 2, 3).product(&mut [0.0; 6], &[0.0; 3]);
    }
}
