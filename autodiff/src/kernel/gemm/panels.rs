//! Operands laid out as the tiles read them.
//!
//! The right operand lies in panels of a tile's width, all rows of a panel one after the other; the left one in tiles of
//! rows, all columns of a tile one after the other, so that the inner loop has one address for all of its rows.

use super::{Matrix, tile};
use crate::float::Float;
use crate::kernel::buffer::{Element, Fresh};
use crate::kernel::dispatch::{Level, prefetch};
use crate::kernel::parallel::{self, Shared};
use crate::kernel::vector::{Job, Vector, dispatch, lanes};
use std::cmp::Ordering;
use std::ops::Range;

/// Nanoseconds to lay out one number.
pub(super) const LAY_NS: f64 = 0.3;
/// The same of a whole operand, much of which comes from memory, or from the cache of another core where an optimiser has left
/// it.
const PACK_NS: f64 = 0.5;
/// The most panels that one thread lays out together.
const TOGETHER: usize = 8;

/// Where the panels of `columns` numbers lie: all but the last one or two have the width of the widest tile.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Numbers in a vector.
    lanes: usize,
    /// Vectors in all, the last of which may have room for numbers that there are not.
    vectors: usize,
    /// Vectors in a panel.
    widest: usize,
}

impl Layout {
    pub(super) fn new<T: Float>(level: Level, columns: usize) -> Self {
        let lanes = lanes::<T>(level);
        Self { lanes, vectors: columns.div_ceil(lanes), widest: tile::vectors(level) }
    }

    /// How many panels there are.
    pub(super) fn panels(&self) -> usize {
        self.vectors.div_ceil(self.widest)
    }

    /// The first number of a panel, and how many vectors it is wide.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(super) fn panel(&self, i: usize) -> (usize, usize) {
        let (widest, left) = (self.widest, self.vectors - i * self.widest);
        // Four vectors at the end are two and two: a lone one cannot hide the latency of its additions.
        let lone = self.vectors % widest == 1 && self.vectors > widest && widest > 2;
        match left {
            1 if lone => ((self.vectors - 2) * self.lanes, 2),
            left if lone && left == widest + 1 => (i * widest * self.lanes, 2),
            _ => (i * widest * self.lanes, left.min(widest)),
        }
    }

    /// The numbers of a row of a panel.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(super) fn width(&self, i: usize) -> usize {
        self.panel(i).1 * self.lanes
    }

    /// The first number of the last panel, and the numbers it has room for.
    pub(super) fn last(&self) -> (usize, usize) {
        let (first, vectors) = self.panel(self.panels() - 1);
        (first, vectors * self.lanes)
    }

    /// The numbers of a row of the widest panel.
    pub(super) fn widest(&self) -> usize {
        self.widest * self.lanes
    }

    /// The numbers of one row over all panels.
    fn row(&self) -> usize {
        self.vectors * self.lanes
    }
}

/// A right operand, `[inner, columns]`, laid out once for any number of products.
pub struct Packed<T: Element> {
    panels: Fresh<T>,
    pub(super) layout: Layout,
    pub(super) inner: usize,
    pub(super) columns: usize,
    pub(super) level: Level,
}

impl<T: Float> Packed<T> {
    /// Lays `matrix` out for `level`; the last panel is filled with zeros.
    ///
    /// # Panics
    /// If the matrix is larger than its data.
    pub(in crate::kernel) fn at(
        level: Level,
        matrix: Matrix<'_, T>,
        inner: usize,
        columns: usize,
        threads: bool,
    ) -> Self {
        assert!(matrix.holds(inner, columns), "gemm: a matrix reaches beyond its data");
        let layout = Layout::new::<T>(level, columns);
        let mut panels = Fresh::take(layout.row() * inner);
        let ns = (inner * layout.row()) as f64 * PACK_NS;
        let threads = threads && parallel::worthwhile(ns);
        let together = if threads { layout.panels().div_ceil(2 * parallel::threads()) } else { TOGETHER };
        let together = together.clamp(1, TOGETHER);
        let shared = Shared::new(&mut panels);
        let lay = |i: usize| {
            let group = i * together..layout.panels().min((i + 1) * together);
            let (first, last) = (layout.panel(group.start).0, layout.panel(group.end - 1).0);
            let width = last + layout.width(group.end - 1) - first;
            // SAFETY: the panels lie one after the other, without overlap, and each is laid out once.
            let room = unsafe { shared.slice(first * inner, inner * width) };
            dispatch(level, Group { layout, matrix, columns, inner, panels: group, room });
        };
        let groups = layout.panels().div_ceil(together);
        if threads {
            parallel::each(groups, 1, &lay);
        } else {
            (0..groups).for_each(lay);
        }
        Self { panels, layout, inner, columns, level }
    }

    /// Panel `i` from row `from` on.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(super) fn rows_from(&self, i: usize, from: usize) -> tile::Right<T> {
        let (first, vectors) = self.layout.panel(i);
        let pitch = vectors * self.layout.lanes;
        tile::Right { start: self.panels[first * self.inner + from * pitch..].as_ptr(), pitch }
    }
}

/// Neighbouring panels, all rows of which are laid out.
struct Group<'a, T> {
    layout: Layout,
    matrix: Matrix<'a, T>,
    columns: usize,
    inner: usize,
    panels: Range<usize>,
    room: &'a mut [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Group<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { layout, matrix, columns, inner, panels, room } = self;
        lay::<T, V>(layout, matrix, columns, panels, 0..inner, room);
    }
}

/// Lays out these rows of these panels of a matrix with so many columns, one panel after the other; the last panel is filled
/// with zeros.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn lay<T: Float, V: Vector<T>>(
    layout: Layout,
    matrix: Matrix<'_, T>,
    columns: usize,
    panels: Range<usize>,
    rows: Range<usize>,
    room: &mut [T],
) {
    let (depth, widest) = (rows.len(), layout.widest());
    // Panels of the widest kind, of rows that lie together, are laid out together: rows are read as a whole.
    let alike = |&i: &usize| {
        matrix.column_stride == 1 && layout.panel(i).0 + widest <= columns && layout.width(i) == widest
    };
    let together = panels.clone().take_while(alike).count();
    let (wide, mut rest) = room.split_at_mut(together * depth * widest);
    if together > 0 {
        let start = matrix.at(rows.start, layout.panel(panels.start).0);
        // SAFETY: there is room for these rows of each panel, and the matrix has these rows and columns.
        unsafe {
            lay_together::<T, V>(wide.as_mut_ptr(), [together, depth, widest], start, matrix.row_stride);
        };
    }
    for i in panels.skip(together) {
        let (first, width) = (layout.panel(i).0, layout.width(i));
        let (place, after) = rest.split_at_mut(depth * width);
        let sizes = [depth, width, width.min(columns - first)];
        let strides = [matrix.row_stride, matrix.column_stride];
        // SAFETY: there is room for these rows, and the matrix has these rows and columns.
        unsafe { Lay::new(place.as_mut_ptr(), sizes, matrix.at(rows.start, first), strides) }.run::<V>();
        rest = after;
    }
}

/// `to[l * width + c] ← from[l * step + c * across]` for `l < depth` and `c < count`, and zero for `count ≤ c < width`.
struct Lay<T> {
    to: *mut T,
    depth: usize,
    width: usize,
    count: usize,
    from: *const T,
    step: isize,
    across: isize,
}

impl<T: Float> Lay<T> {
    /// # Safety
    /// `depth * width` numbers must be writable at `to` and those that the formula names readable, until it has run.
    unsafe fn new(
        to: *mut T,
        [depth, width, count]: [usize; 3],
        from: *const T,
        [step, across]: [isize; 2],
    ) -> Self {
        Self { to, depth, width, count, from, step, across }
    }

    /// Copies whole rows, whose numbers lie together, and fills them up with zeros to `width`, which is of whole vectors.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    unsafe fn rows<V: Vector<T>>(&self) {
        let (whole, first) = (self.count / V::LANES, self.count % V::LANES);
        for l in 0..self.depth {
            let from = self.from.wrapping_offset(l as isize * self.step);
            // SAFETY: the promise of `new`.
            unsafe {
                let to = self.to.add(l * self.width);
                for v in 0..self.width / V::LANES {
                    let part = match v.cmp(&whole) {
                        Ordering::Less => V::load(from.add(v * V::LANES)),
                        Ordering::Equal => V::load_first(from.add(v * V::LANES), first),
                        Ordering::Greater => V::zero(),
                    };
                    part.store(to.add(v * V::LANES));
                }
            }
        }
    }

    /// Copies the numbers of the given rows and columns one by one.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    unsafe fn singly(&self, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) {
        for c in columns {
            let from = self.from.wrapping_offset(c as isize * self.across);
            for l in rows.clone() {
                // SAFETY: the promise of `new`.
                unsafe {
                    *self.to.add(l * self.width + c) = *from.wrapping_offset(l as isize * self.step);
                }
            }
        }
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Lay<T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { to, depth, width, count, from, step, across } = self;
        // SAFETY: the promise of `new`.
        unsafe {
            if across == 1 {
                return self.rows::<V>();
            }
            if count < width {
                for l in 0..depth {
                    (count..width).for_each(|c| *to.add(l * width + c) = T::ZERO);
                }
            }
            match (step, count) {
                (1, 4..) if across > 0 => {
                    let (deep, wide) = (depth - depth % 8, count - count % 4);
                    for c in (0..wide).step_by(4) {
                        let from = from.wrapping_offset(c as isize * across);
                        for l in (0..deep).step_by(8) {
                            V::transpose(from.add(l), across as usize, to.add(l * width + c), width);
                        }
                    }
                    self.singly(deep..depth, 0..wide);
                    self.singly(0..depth, wide..count);
                }
                _ => self.singly(0..depth, 0..count),
            }
        }
    }
}

/// Lays out `panels` neighbouring panels, `width` numbers wide, of a matrix whose rows lie together, `step` apart.
///
/// # Safety
/// There must be `depth` rows of so many numbers at `from`, and room for them at `to`; a width is of whole vectors.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn lay_together<T: Float, V: Vector<T>>(
    to: *mut T,
    [panels, depth, width]: [usize; 3],
    from: *const T,
    step: isize,
) {
    /// Rows that are asked for ahead: where one ends, the processor does not guess where the next one begins.
    const AHEAD: isize = 4;
    for l in 0..depth {
        let row = from.wrapping_offset(l as isize * step);
        for i in 0..panels {
            for c in (0..width).step_by(V::LANES) {
                let from = row.wrapping_add(i * width + c);
                prefetch(from.wrapping_offset(AHEAD * step));
                // SAFETY: the caller's promise.
                unsafe { V::load(from).store(to.add((i * depth + l) * width + c)) };
            }
        }
    }
}

/// Lays out a left operand in tiles of rows: number `(r, l)` of a tile of `height` rows that starts with row `first` is
/// `tiles[first * depth + l * height + r]`.
///
/// # Safety
/// `rows` by `depth` numbers must be readable at `from`, with the strides of `matrix`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn turn<T: Float, V: Vector<T>>(
    tiles: &mut [T],
    rows: usize,
    depth: usize,
    from: *const T,
    matrix: Matrix<'_, T>,
) {
    let (down, across) = (matrix.row_stride, matrix.column_stride);
    let tiles = &mut tiles[..rows * depth];
    let mut first = 0;
    while first < rows {
        let height = tile::rows(V::LEVEL, rows - first);
        let tile = tiles[first * depth..][..height * depth].as_mut_ptr();
        let from = from.wrapping_offset(first as isize * down);
        // Columns that are transposed by blocks, of rows that lie together.
        let blocks = if across == 1 && down >= 0 && height.is_multiple_of(4) { depth - depth % 8 } else { 0 };
        for l in (0..blocks).step_by(8) {
            for r in (0..height).step_by(4) {
                let from = from.wrapping_offset(r as isize * down + l as isize);
                // SAFETY: the caller's promise, and there is room as just checked.
                unsafe { V::transpose(from, down as usize, tile.add(l * height + r), height) };
            }
        }
        for l in blocks..depth {
            let column = from.wrapping_offset(l as isize * across);
            // SAFETY: the caller's promise, and there is room as just checked; an array of `T` is aligned as `T`.
            unsafe {
                let to = tile.add(l * height);
                match (down, height) {
                    (1, 12) => *to.cast::<[T; 12]>() = *column.cast::<[T; 12]>(),
                    (1, 8) => *to.cast::<[T; 8]>() = *column.cast::<[T; 8]>(),
                    (1, 4) => *to.cast::<[T; 4]>() = *column.cast::<[T; 4]>(),
                    _ => {
                        for r in 0..height {
                            *to.add(r) = *column.wrapping_offset(r as isize * down);
                        }
                    }
                }
            }
        }
        first += height;
    }
}
