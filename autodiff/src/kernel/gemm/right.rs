//! The right operand of a product, cut into panels.

use super::Matrix;
use super::panels::{self, Layout, Packed};
use super::tile::Right;
use crate::float::Float;
use crate::kernel::dispatch::Level;
use crate::kernel::vector::Vector;
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
        if let Source::Passing(matrix) = self.source {
            panels::lay::<T, V>(self.layout, matrix, self.columns, panels, from..from + depth, room);
        }
    }
}
