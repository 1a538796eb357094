//! The right operand of a product, cut into panels.

use super::Matrix;
use super::panels::{self, Lay, Layout, Packed};
use super::tile::Right;
use crate::float::Float;
use crate::kernel::conv::vector::{Job, Vector};
use crate::kernel::dispatch::Level;
use std::ops::Range;

/// The panels of a right operand. How they come about is asked when the product runs: the tiles are compiled once.
pub(super) struct Panels<'a, T: Float> {
    pub(super) layout: Layout,
    columns: usize,
    source: Source<'a, T>,
}

enum Source<'a, T: Float> {
    /// All are laid out.
    Packed(&'a Packed<T>),
    /// A slice at a time is laid out.
    Passing(Matrix<'a, T>),
    /// The rows of the matrix lie together and are read where they are; but for the last panel, if it is wider than what is
    /// left of the matrix.
    InPlace(Matrix<'a, T>, Option<Packed<T>>),
}

#[allow(clippy::inline_always)]
impl<'a, T: Float> Panels<'a, T> {
    pub(super) fn packed(packed: &'a Packed<T>) -> Self {
        Self { layout: packed.layout, columns: packed.columns, source: Source::Packed(packed) }
    }

    pub(super) fn passing(level: Level, matrix: Matrix<'a, T>, columns: usize) -> Self {
        Self { layout: Layout::new::<T>(level, columns), columns, source: Source::Passing(matrix) }
    }

    pub(super) fn in_place(level: Level, matrix: Matrix<'a, T>, inner: usize, columns: usize) -> Self {
        let layout = Layout::new::<T>(level, columns);
        let (first, width) = layout.last();
        let rest = Matrix { offset: matrix.offset + first, ..matrix };
        let wider = columns - first < width;
        let last = wider.then(|| Packed::at(level, rest, inner, columns - first, false));
        Self { layout, columns, source: Source::InPlace(matrix, last) }
    }

    /// How many numbers [`slice`](Self::slice) needs room for, of so many rows of the widest panel.
    pub(super) fn room(&self, depth: usize) -> usize {
        if matches!(self.source, Source::Passing(_)) { depth * self.layout.widest() } else { 0 }
    }

    /// Rows `from` and below of panel `i`, which are laid out at `place` if they are not read where they are.
    #[inline(always)]
    pub(super) fn slice(&self, i: usize, from: usize, place: *const T) -> Right<T> {
        match &self.source {
            Source::Packed(packed) => packed.rows_from(i, from),
            Source::Passing(_) => Right { start: place, pitch: self.layout.width(i) },
            Source::InPlace(_, Some(last)) if i + 1 == self.layout.panels() => last.rows_from(0, from),
            Source::InPlace(matrix, _) => {
                let start = matrix.at(from, self.layout.panel(i).0);
                Right { start, pitch: matrix.row_stride as usize }
            }
        }
    }

    /// Lays out these rows of these panels, one panel after the other, if they are not read where they are.
    #[inline(always)]
    pub(super) fn lay<V: Vector<T>>(&self, panels: Range<usize>, from: usize, depth: usize, room: &mut [T]) {
        let (layout, columns) = (self.layout, self.columns);
        let Source::Passing(matrix) = self.source else { return };
        let widest = layout.widest();
        // Panels of the widest kind, of rows that lie together, are laid out together: rows are read as a whole.
        let alike = |&i: &usize| {
            matrix.column_stride == 1 && layout.panel(i).0 + widest <= columns && layout.width(i) == widest
        };
        let together = panels.clone().take_while(alike).count();
        let (wide, mut rest) = room.split_at_mut(together * depth * widest);
        if together > 0 {
            let start = matrix.at(from, layout.panel(panels.start).0);
            // SAFETY: there is room for `depth` rows in each panel, and the matrix has these rows and columns.
            unsafe {
                panels::lay_together::<T, V>(
                    wide.as_mut_ptr(),
                    [together, depth, widest],
                    start,
                    matrix.row_stride,
                );
            };
        }
        for i in panels.skip(together) {
            let (first, width) = (layout.panel(i).0, layout.width(i));
            let (place, after) = rest.split_at_mut(depth * width);
            let sizes = [depth, width, width.min(columns - first)];
            let strides = [matrix.row_stride, matrix.column_stride];
            // SAFETY: there is room for `depth` rows, and the matrix has these rows and columns.
            unsafe { Lay::new(place.as_mut_ptr(), sizes, matrix.at(from, first), strides) }.run::<V>();
            rest = after;
        }
    }
}
