//! Matrix products, `C ← A B` with any strides, so that a transpose is never a copy.
//!
//! After Goto and van de Geijn (ACM TOMS 34(3), 2008): of a large right operand, a slice of [`depth`] rows and [`SLICE`]
//! bytes, in panels of a tile's width, is laid out in the second cache, and blocks of [`BLOCK`] rows, laid out in tiles, pass
//! over it. Where there are few rows, the right operand is read where it is. A number of the result is a sum of sums over
//! slices of the inner dimension, whose cuts depend on that dimension alone: its bits are the same whichever threads are at work
//! beside it, and whichever rows and columns, but for results of few rows or columns that are computed by inner products.
//!
//! Which share of the processor's peak that reaches is measured beside PyTorch's products, in `BENCHMARKS.md`.

mod panels;
mod right;
mod row;
mod tile;

use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Level, prefetch};
use crate::kernel::parallel::{self, Shared};
use crate::kernel::vector::{Job, Vector, dispatch};
use right::Panels;
use std::ops::Range;
use tile::{Right, Target};

use panels::LAY_NS;
pub(crate) use panels::Packed;

/// Nanoseconds of one multiply-add.
const MAC_NS: f64 = 0.02;
/// Nanoseconds to read a number of the right operand again.
const READ_NS: f64 = 0.02;
/// Nanoseconds from which, and bytes of the right operand up to which several threads lay it out once for all of them; a
/// larger one would come back from memory for each.
const SHARE_NS: f64 = 16.0 * parallel::SERIAL_NS;
const SHARE: usize = 1 << 23;
/// The most rows of the left operand in one block: whole tiles, and whole lines of the cache where its columns lie together.
const BLOCK: usize = 48;
/// The rows by which a product is cut among threads: whole lines of the cache where columns lie together.
const LINE: usize = 16;
/// Bytes of the panels of a slice, which stay in the second cache while all rows pass over them.
const SLICE: usize = 20 << 16;
/// Numbers of a right operand that fits the first cache, and is read where it is for any number of rows.
const SMALL: usize = 8192;
/// Rows or columns up to which a result is computed by inner products, if both operands' inner dimension lies together.
const INNER: usize = 4;

/// The most rows of the inner dimension in one slice. Of AVX2 a panel of them fits a first cache of 32 KiB: 3 to 6 % faster than
/// twice as many.
fn depth(level: Level) -> usize {
    if level == Level::Avx512 { 512 } else { 256 }
}

/// Rows up to which the right operand is read where it is, its rows so many bytes apart: laying it out would cost more than it
/// saves. At distances that are multiples of a large power of two, rows displace each other in the caches: with 4 KiB, a
/// product of 64 rows takes 2.4 times as long on a Zen 3, and one of 128 by 2 KiB 1.3 times. Processors with AVX-512 have
/// larger caches; there only 1 KiB was measured.
fn few(level: Level, distance: usize) -> usize {
    match (level, distance.trailing_zeros()) {
        (Level::Avx512, _) | (_, ..10) => 192,
        (_, 10) => 96,
        (_, 11) => 40,
        _ => 8,
    }
}

/// A strided matrix: element `(i, j)` is `data[offset + i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) offset: usize,
    pub(crate) row_stride: isize,
    pub(crate) column_stride: isize,
}

impl<T> Matrix<'_, T> {
    /// Whether every element of a `rows` by `columns` matrix lies within the data.
    fn holds(&self, rows: usize, columns: usize) -> bool {
        if rows == 0 || columns == 0 {
            return true;
        }
        let reach = |stride: isize, n: usize| stride.checked_mul(n as isize - 1);
        let (Some(down), Some(right)) = (reach(self.row_stride, rows), reach(self.column_stride, columns))
        else {
            return false;
        };
        let corner = |a: isize, b: isize| {
            (self.offset as isize).checked_add(a).and_then(|x| x.checked_add(b)).unwrap_or(-1)
        };
        let low = corner(down.min(0), right.min(0));
        let high = corner(down.max(0), right.max(0));
        low >= 0 && high >= 0 && (high as usize) < self.data.len()
    }

    /// The matrix with rows for columns.
    fn turned(self) -> Self {
        Self { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    /// The address of an element; of one that there is not, an address that must not be used.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn at(&self, row: usize, column: usize) -> *const T {
        let start = self.data.as_ptr().wrapping_add(self.offset);
        start.wrapping_offset(row as isize * self.row_stride + column as isize * self.column_stride)
    }
}

/// `out ← a b`, where `a` is `m` by `k`, `b` is `k` by `n`, and `out` is `m` by `n`, row by row; to each row, `bias` is added.
///
/// # Panics
/// If a matrix is larger than its data.
pub(crate) fn product<T: Float>(
    out: &mut [T],
    sizes: (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    bias: Option<&[T]>,
    threads: bool,
) {
    T::product(out, sizes, a, b, bias, threads);
}

/// The same for a level that is not above the processor's.
pub(super) fn product_at<T: Float>(
    level: Level,
    out: &mut [T],
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    bias: Option<&[T]>,
    threads: bool,
) {
    assert!(out.len() == m * n && a.holds(m, k) && b.holds(k, n), "gemm: a matrix reaches beyond its data");
    assert!(bias.is_none_or(|bias| bias.len() == n), "gemm: the bias is not as long as a row");
    if m * n == 0 {
        return;
    }
    let together = a.column_stride == 1 && b.row_stride == 1;
    let inner = together && (m <= INNER || n <= INNER) && k >= 16;
    if k == 0 || inner || n == 1 && m > 1 {
        if k == 0 {
            out.fill(T::ZERO);
        } else if inner {
            inner_products(level, out, (m, n, k), a, b, threads);
        } else {
            // A row has its columns side by side.
            product_at(level, out, (1, m, k), b.turned(), a.turned(), None, threads);
        }
        if let Some(bias) = bias {
            let rows = out.chunks_exact_mut(n);
            rows.for_each(|row| row.iter_mut().zip(bias).for_each(|(number, &bias)| *number += bias));
        }
    } else if k == 1 {
        row::outer(out, n, a, b, bias, threads);
    } else if m == 1 && b.column_stride == 1 && n * k > SMALL {
        row::times_matrix(level, out, k, a, b, bias, threads);
    } else if b.column_stride == 1
        && b.row_stride >= 0
        && (n * k <= SMALL || m <= few(level, b.row_stride.unsigned_abs() * size_of::<T>()))
    {
        rows(level, out, (m, n, k), a, &Panels::in_place(level, b, k, n), bias, threads);
    } else if threads && parallel::threads() > 1 && is_shared::<T>((m, n, k)) {
        let packed = Packed::at(level, b, k, n, true);
        rows(level, out, (m, n, k), a, &Panels::packed(&packed), bias, threads);
    } else {
        rows(level, out, (m, n, k), a, &Panels::passing(level, b, n), bias, threads);
    }
}

/// Whether several threads lay the right operand out together: where the rows alone are enough to cut.
fn is_shared<T>((m, n, k): (usize, usize, usize)) -> bool {
    m >= n && (m * n * k) as f64 * MAC_NS >= SHARE_NS && n * k * size_of::<T>() <= SHARE
}

impl<T: Float> Packed<T> {
    /// Lays `matrix` out for this processor.
    ///
    /// # Panics
    /// If the matrix is larger than its data.
    pub(crate) fn new(matrix: Matrix<'_, T>, inner: usize, columns: usize) -> Self {
        T::pack(matrix, inner, columns)
    }

    /// `out ← a · self` for rows of `inner` numbers, on this thread.
    ///
    /// # Panics
    /// If there are not as many whole rows in both.
    pub(crate) fn product(&self, out: &mut [T], a: &[T]) {
        T::product_of_packed(self, out, a);
    }

    pub(super) fn multiply(&self, out: &mut [T], a: &[T]) {
        let m = out.len() / self.columns.max(1);
        let whole = out.len() == m * self.columns && a.len() == m * self.inner;
        assert!(whole, "gemm: {} numbers are not as many rows as {}", a.len(), out.len());
        let a = Matrix { data: a, offset: 0, row_stride: self.inner as isize, column_stride: 1 };
        if self.inner == 0 {
            out.fill(T::ZERO);
        } else if m > 0 {
            rows(self.level, out, (m, self.columns, self.inner), a, &Panels::packed(self), None, false);
        }
    }
}

/// `out ← a b + bias` in pieces of rows and panels, which threads take one by one.
fn rows<T: Float>(
    level: Level,
    out: &mut [T],
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: &Panels<'_, T>,
    bias: Option<&[T]>,
    threads: bool,
) {
    let panels = b.layout.panels();
    let ns = (m * n * k) as f64 * MAC_NS;
    let output = Shared::new(out);
    let piece = |rows: Range<usize>, panels: Range<usize>| {
        dispatch(level, Piece { out: &output, n, k, a, rows, b, panels, bias });
    };
    if !(threads && parallel::worthwhile(ns)) {
        return piece(0..m, 0..panels);
    }
    let lines = m.div_ceil(LINE);
    // What each cut of the columns adds, for the left operand is laid out once more, and each cut of the rows.
    let across = (m * k) as f64 * LAY_NS;
    let down = (n * k) as f64 * if b.room(1) > 0 { LAY_NS } else { READ_NS };
    let (high, wide) = grid(ns, (lines, down), (panels, across));
    parallel::each(high * wide, 1, &|i| {
        let part = |i: usize, parts: usize, count: usize| i * count / parts..(i + 1) * count / parts;
        // All rows of some columns one after the other: each thread has short pieces as well as long ones.
        let (row, panels) = (part(i % high, high, lines), part(i / high, wide, panels));
        piece(row.start * LINE..m.min(row.end * LINE), panels);
    });
}

/// How many times to cut the rows and the columns of a product that takes `ns` nanoseconds; of each are given how many there
/// are to cut, and what a cut costs. The pieces are to keep all threads at work, which are not equally fast.
fn grid(ns: f64, (rows, down): (usize, f64), (columns, across): (usize, f64)) -> (usize, usize) {
    let threads = parallel::threads();
    let most = (4 * threads).min((ns / parallel::SERIAL_NS * 4.0) as usize).max(1);
    // The largest part by the mean one.
    let uneven = |count: usize, parts: usize| (count.div_ceil(parts) * parts) as f64 / count as f64;
    let mut best = (f64::INFINITY, (1, 1));
    for high in 1..=most.min(rows) {
        for wide in 1..=(most / high).min(columns) {
            let pieces = (high * wide) as f64;
            // The last piece may be begun when all other threads are done.
            let longest = (pieces / threads as f64).ceil() * uneven(rows, high) * uneven(columns, wide) + 0.5;
            let time = ns * longest / pieces + (high as f64 * down + wide as f64 * across) / threads as f64;
            if time < best.0 {
                best = (time, (high, wide));
            }
        }
    }
    best.1
}

/// The rows and panels of a product that one thread computes.
struct Piece<'a, T: Float> {
    out: &'a Shared<'a, T>,
    /// Columns of the whole result.
    n: usize,
    /// The inner dimension.
    k: usize,
    a: Matrix<'a, T>,
    rows: Range<usize>,
    b: &'a Panels<'a, T>,
    panels: Range<usize>,
    /// What is added to each row of the result.
    bias: Option<&'a [T]>,
}

#[allow(clippy::inline_always)]
impl<T: Float> Piece<'_, T> {
    /// The tiles of `rows` and panel `i`, for the slice of the inner dimension that starts with `from`.
    #[inline(always)]
    fn tiles<V: Vector<T>>(
        &self,
        rows: Range<usize>,
        i: usize,
        (from, depth): (usize, usize),
        turned: &[T],
        right: Right<T>,
    ) {
        let n = self.n;
        let (first, vectors) = self.b.layout.panel(i);
        let width = vectors * V::LANES;
        let mut row = rows.start;
        while row < rows.end {
            let height = tile::rows(V::LEVEL, rows.end - row);
            let left = turned[(row - rows.start) * depth..].as_ptr();
            let start = self.out.place(row * n + first, (height - 1) * n + width.min(n - first));
            // What the first slice is added to, and what later ones are.
            let plus = if from > 0 {
                Some((start.cast_const(), n))
            } else {
                self.bias.map(|bias| (bias.as_ptr().wrapping_add(first), 0))
            };
            let target = Target { start, distance: n, plus, first: width.min(n - first) % V::LANES };
            // SAFETY: the left operand has these rows and columns, and the panel is as wide as the layout says; the output
            // has `n` columns, as the bias, of which no other thread writes those of this piece.
            unsafe { tile::tile::<T, V>([height, vectors], depth, left, right, target) };
            row += height;
        }
    }

    /// Asks for part `i` of `parts` of the lines of these rows of the left operand, if its columns lie together.
    #[inline(always)]
    fn ask(&self, rows: Range<usize>, (from, depth): (usize, usize), (i, parts): (usize, usize)) {
        if self.a.row_stride == 1 {
            for column in i * depth / parts..(i + 1) * depth / parts {
                for row in rows.clone().step_by(64 / size_of::<T>()) {
                    prefetch(self.a.at(row, from + column));
                }
            }
        }
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Piece<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let slices = self.k.div_ceil(depth(V::LEVEL));
        let most = self.k.div_ceil(slices);
        // As many panels as fit, and about as many in each slice.
        let fit = (SLICE / (most * self.b.layout.widest() * size_of::<T>())).max(1);
        let group = self.panels.len().div_ceil(self.panels.len().div_ceil(fit));
        let mut room = Fresh::take(self.b.room(most) * group);
        let mut turned = Fresh::take(self.rows.len().min(BLOCK) * most);
        for from in (0..self.k).step_by(most) {
            let depth = most.min(self.k - from);
            let mut laid = None;
            for first in self.panels.clone().step_by(group) {
                let panels = first..self.panels.end.min(first + group);
                self.b.lay::<V>(panels.clone(), from, depth, &mut room);
                for row in self.rows.clone().step_by(BLOCK) {
                    let rows = row..self.rows.end.min(row + BLOCK);
                    if laid != Some(row) {
                        let from = self.a.at(row, from);
                        // SAFETY: the matrix has these rows and columns.
                        unsafe { panels::turn::<T, V>(&mut turned, rows.len(), depth, from, self.a) };
                        laid = Some(row);
                    }
                    let mut place = room.as_ptr();
                    let next = rows.end..self.rows.end.min(rows.end + BLOCK);
                    for i in panels.clone() {
                        // The next rows come from far: their lines are asked for while these are at work. Where rows lie
                        // together, the processor guesses them, and asking costs 1 to 4 %.
                        self.ask(next.clone(), (from, depth), (i - panels.start, panels.len()));
                        let right = self.b.slice(i, from, place);
                        self.tiles::<V>(rows.clone(), i, (from, depth), &turned, right);
                        place = place.wrapping_add(depth * self.b.layout.width(i));
                    }
                }
            }
        }
    }
}

/// `out ← a b` where the rows of `a` lie together, and the columns of `b`.
fn inner_products<T: Float>(
    level: Level,
    out: &mut [T],
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    threads: bool,
) {
    // The longer side is cut among threads.
    let (long, tall) = (m.max(n), m >= n);
    let ns = (m * n * k) as f64 * 4.0 * MAC_NS;
    let output = Shared::new(out);
    let part = |part: Range<usize>| {
        let (rows, columns) = if tall { (part, 0..n) } else { (0..m, part) };
        dispatch(level, Inner { out: &output, n, k, a, b, rows, columns });
    };
    if threads && parallel::worthwhile(ns) {
        let size = ((parallel::SERIAL_NS / 4.0 / ns * long as f64) as usize).max(1).next_multiple_of(INNER);
        parallel::each(long.div_ceil(size), 1, &|i| part(i * size..long.min((i + 1) * size)));
    } else {
        part(0..long);
    }
}

/// The rows and columns that one thread computes by inner products.
struct Inner<'a, T> {
    out: &'a Shared<'a, T>,
    n: usize,
    k: usize,
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    rows: Range<usize>,
    columns: Range<usize>,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Inner<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { out, n, k, a, b, rows, columns } = self;
        let mut row = rows.start;
        while row < rows.end {
            let high = if rows.end - row >= 4 { 4 } else { 1 };
            let mut column = columns.start;
            while column < columns.end {
                let wide = if columns.end - column >= 4 { 4 } else { 1 };
                let left = (a.at(row, 0), a.row_stride);
                let right = (b.at(0, column), b.column_stride);
                let to = (out.place(row * n + column, (high - 1) * n + wide), n);
                // SAFETY: the matrices have these rows and columns, whose numbers lie together; no other thread writes
                // these of the result.
                unsafe {
                    match (high, wide) {
                        (4, 4) => tile::inner::<T, V, 4, 4>(k, left, right, to),
                        (4, _) => tile::inner::<T, V, 4, 1>(k, left, right, to),
                        (_, 4) => tile::inner::<T, V, 1, 4>(k, left, right, to),
                        _ => tile::inner::<T, V, 1, 1>(k, left, right, to),
                    }
                }
                column += wide;
            }
            row += high;
        }
    }
}

/// `out[i] ← a[i] b[i]` for a batch of matrices; `starts[i]` are the offsets of the `i`-th operands.
///
/// Many small products run in parallel over the batch, few large ones each in parallel.
pub(crate) fn batched<T: Float>(
    out: &mut [T],
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    starts: &[(usize, usize)],
) {
    let ns = 100.0 + (m * n * k) as f64 * MAC_NS;
    let over_batch = starts.len() > 1 && ns < 4.0 * parallel::SERIAL_NS;
    let one = |i: usize, out: &mut [T], threads| {
        let (a_start, b_start) = starts[i];
        product(
            out,
            (m, n, k),
            Matrix { offset: a_start, ..a },
            Matrix { offset: b_start, ..b },
            None,
            threads,
        );
    };
    if over_batch {
        parallel::items(out, m * n, ns, |i, out| one(i, out, false));
    } else if m * n > 0 {
        out.chunks_mut(m * n).enumerate().for_each(|(i, out)| one(i, out, true));
    }
}

#[cfg(test)]
mod tests;
