//! Products that are no more than one pass over a matrix: a row times a matrix, and a column times a row.

use super::{MAC_NS, Matrix, depth};
use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Kernel, Level, vectorized};
use crate::kernel::parallel;
use crate::kernel::vector::{Job, Vector, dispatch};

/// Rows that are added in one go: as many streams as processors read ahead.
const ROWS: usize = 8;
/// Columns that go together at most: their sums stay in the first cache.
const COLUMNS: usize = 4096;
/// Nanoseconds of a number of a matrix that comes from memory.
const PASS_NS: f64 = 5.0 * MAC_NS;

/// `out ← a b + bias` for a row `a` of `k` numbers and a matrix `b` whose rows lie together.
///
/// The numbers of `out` are added up row by row of `b`. Tiles, which go down the rows for a few columns at a time, read memory
/// more slowly: a matrix of 2048 by 2048 times a column took 2.0 ms with its gradients, which are a product of this kind and an
/// [`outer`] one, and takes 1.1. The sums are theirs, to the bit.
pub(super) fn times_matrix<T: Float>(
    level: Level,
    out: &mut [T],
    k: usize,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    bias: Option<&[T]>,
    threads: bool,
) {
    let ns = k as f64 * PASS_NS;
    let body = |first: usize, out: &mut [T]| {
        for (i, out) in out.chunks_mut(COLUMNS).enumerate() {
            let first = first + i * COLUMNS;
            let b = Matrix { offset: (b.offset as isize + first as isize * b.column_stride) as usize, ..b };
            let bias = bias.map(|bias| &bias[first..][..out.len()]);
            dispatch(level, Row { out, k, a, b, bias });
        }
    };
    if threads && parallel::worthwhile(out.len() as f64 * ns) {
        let lines = out.len().div_ceil(parallel::threads()).next_multiple_of(64);
        parallel::items(out, lines, lines as f64 * ns, |i, out| body(i * lines, out));
    } else {
        body(0, out);
    }
}

/// [`times_matrix`] for some columns.
struct Row<'a, T> {
    out: &'a mut [T],
    k: usize,
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    bias: Option<&'a [T]>,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Row<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { out, k, a, b, bias } = self;
        // The slices of the tiles.
        let most = k.div_ceil(k.div_ceil(depth(V::LEVEL)));
        let mut sums = Fresh::take(out.len());
        for from in (0..k).step_by(most) {
            sums.fill(T::ZERO);
            let end = k.min(from + most);
            let mut row = from;
            while row < end {
                // SAFETY: the matrices have these rows, and `b` as many columns as there are sums.
                unsafe {
                    if row + ROWS <= end {
                        add::<T, V, ROWS>(&mut sums, a, b, row);
                        row += ROWS;
                    } else {
                        add::<T, V, 1>(&mut sums, a, b, row);
                        row += 1;
                    }
                }
            }
            match (from, bias) {
                (0, None) => out.copy_from_slice(&sums),
                (0, Some(bias)) => {
                    for (out, (&sum, &bias)) in out.iter_mut().zip(sums.iter().zip(bias)) {
                        *out = bias + sum;
                    }
                }
                _ => {
                    for (out, &sum) in out.iter_mut().zip(&*sums) {
                        *out += sum;
                    }
                }
            }
        }
    }
}

/// `sums[j] += Σ a[i] b[i][j]` for `N` rows `i` from `row` on, one after the other.
///
/// # Safety
/// `a` must have these columns, `b` these rows, of as many numbers as there are sums, which lie together.
#[allow(clippy::inline_always)]
#[inline(always)]
unsafe fn add<T: Float, V: Vector<T>, const N: usize>(
    sums: &mut [T],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    row: usize,
) {
    let (n, sums) = (sums.len(), sums.as_mut_ptr());
    let mut factors = [V::zero(); N];
    let mut rows = [sums.cast_const(); N];
    for (i, (factor, from)) in factors.iter_mut().zip(&mut rows).enumerate() {
        // SAFETY: the caller's promise.
        *factor = unsafe { V::splat(a.at(0, row + i)) };
        *from = b.at(row + i, 0);
    }
    let mut at = 0;
    // SAFETY: all have `n` numbers.
    unsafe {
        while at + V::LANES <= n {
            let mut sum = V::load(sums.add(at));
            for (factor, row) in factors.iter().zip(rows) {
                sum = factor.fused(V::load(row.add(at)), sum);
            }
            sum.store(sums.add(at));
            at += V::LANES;
        }
        if at < n {
            let mut sum = V::load_first(sums.add(at), n - at);
            for (factor, row) in factors.iter().zip(rows) {
                sum = factor.fused(V::load_first(row.add(at), n - at), sum);
            }
            sum.store_first(sums.add(at), n - at);
        }
    }
}

/// `out ← a b + bias` for a column `a` of `m` numbers and a row `b` of `n`, row by row of the result.
pub(super) fn outer<T: Float>(
    out: &mut [T],
    n: usize,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    bias: Option<&[T]>,
    threads: bool,
) {
    let mut row = Fresh::take(n);
    for (j, number) in row.iter_mut().enumerate() {
        // SAFETY: the row has `n` numbers.
        *number = unsafe { *b.at(0, j) };
    }
    let body = |start: usize, out: &mut [T]| vectorized(Outer { out, first: start / n, a, row: &row, bias });
    if threads {
        parallel::split(out, n, PASS_NS, body);
    } else {
        body(0, out);
    }
}

/// Rows of an outer product, from `first` on.
struct Outer<'a, T> {
    out: &'a mut [T],
    first: usize,
    a: Matrix<'a, T>,
    row: &'a [T],
    bias: Option<&'a [T]>,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Outer<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (i, out) in self.out.chunks_exact_mut(self.row.len()).enumerate() {
            // SAFETY: the result has as many rows as the column.
            let a = unsafe { *self.a.at(self.first + i, 0) };
            match self.bias {
                None => out.iter_mut().zip(self.row).for_each(|(out, &b)| *out = a * b),
                Some(bias) => {
                    for (out, (&b, &bias)) in out.iter_mut().zip(self.row.iter().zip(bias)) {
                        *out = a * b + bias;
                    }
                }
            }
        }
    }
}
