//! The same of columns: along the middle axis of arrays seen as `[outer, n, inner]`.
//!
//! Columns side by side are computed together, row after row, each number of a row with that of its column: the loops are
//! over memory as it lies. What goes down the rows is followed by what goes up, so that a loop begins with what the one before
//! has left in the cache. Sums are of [`ROWS`] rows each, which are added in double precision.

use super::{EXP_NS, shift_by};
use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::parallel::{self, Shared};
use crate::kernel::reduce::{self, Max};

/// Rows that are added before double precision takes over.
const ROWS: usize = 32;

/// Columns side by side: `width` numbers in each of `n` rows, the first from `start` on and the others `stride` apart.
#[derive(Clone, Copy)]
struct Block {
    start: usize,
    width: usize,
    n: usize,
    stride: usize,
}

#[allow(clippy::inline_always)]
impl Block {
    #[inline(always)]
    fn row<T>(self, x: &[T], i: usize) -> &[T] {
        &x[self.start + i * self.stride..][..self.width]
    }

    /// # Safety
    /// Nobody else may use these numbers.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    unsafe fn row_of<'a, T>(self, out: &'a Shared<'_, T>, i: usize) -> &'a mut [T] {
        // SAFETY: the caller's promise.
        unsafe { out.slice(self.start + i * self.stride, self.width) }
    }

    /// Pieces of rows from the last to the first.
    #[inline(always)]
    fn upwards(self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let n = self.n;
        (0..n.div_ceil(ROWS)).rev().map(move |piece| piece * ROWS..n.min((piece + 1) * ROWS))
    }
}

/// Calls `body(outer, block)` for all columns of `[outer, n, inner]`, on several threads if that is worth it.
fn blocks(outer: usize, n: usize, inner: usize, body: impl Fn(usize, Block) + Sync) {
    if outer == 0 {
        return;
    }
    let column_ns = n as f64 * EXP_NS;
    let width = reduce::width(inner, column_ns);
    let across = inner.div_ceil(width);
    let block = |i: usize| {
        let (outer, first) = (i / across, i % across * width);
        body(
            outer,
            Block { start: outer * n * inner + first, width: width.min(inner - first), n, stride: inner },
        );
    };
    if parallel::worthwhile((outer * inner) as f64 * column_ns) {
        parallel::each(outer * across, parallel::in_a_row(width.min(inner) as f64 * column_ns), &block);
    } else {
        (0..outer * across).for_each(block);
    }
}

/// How many matrices of `n` rows of `inner` numbers there are.
fn outer<T>(x: &[T], n: usize, inner: usize) -> usize {
    x.len().checked_div(n * inner).unwrap_or(0)
}

/// Adds a piece's sums to those in double precision, and starts anew.
#[allow(clippy::inline_always)]
#[inline(always)]
fn add_to<T: Float>(totals: &mut [f64], sums: &mut [T]) {
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total += sum.to_f64();
        *sum = T::ZERO;
    }
}

/// What each column is shifted by, and the sum of `e^(x - shift)`. These are written to `y` if there is one.
///
/// # Safety
/// Nobody else may use the numbers of `y` in this block.
#[allow(clippy::inline_always)]
#[inline(always)]
unsafe fn exponentials<T: Float>(x: &[T], y: Option<&Shared<'_, T>>, block: Block) -> (Fresh<T>, Vec<f64>) {
    let mut shifts = Fresh::take(block.width);
    reduce::columns::<T, Max>(&mut shifts, &x[block.start..], block.n, block.stride);
    for shift in &mut *shifts {
        *shift = shift_by(*shift);
    }
    let (mut sums, mut totals) = (vec![T::ZERO; block.width], vec![0.0; block.width]);
    for rows in block.upwards() {
        for i in rows.rev() {
            let terms = sums.iter_mut().zip(block.row(x, i).iter().zip(&*shifts));
            if let Some(y) = y {
                // SAFETY: the caller's promise.
                let y = unsafe { block.row_of(y, i) };
                for (y, (sum, (&x, &shift))) in y.iter_mut().zip(terms) {
                    *y = (x - shift).exp();
                    *sum += *y;
                }
            } else {
                for (sum, (&x, &shift)) in terms {
                    *sum += (x - shift).exp();
                }
            }
        }
        add_to(&mut totals, &mut sums);
    }
    (shifts, totals)
}

/// Softmax of the columns of a block, or its logarithm.
struct Softmax<'a, T, const LOGARITHM: bool> {
    y: &'a Shared<'a, T>,
    x: &'a [T],
    block: Block,
}

#[allow(clippy::inline_always)]
impl<T: Float, const LOGARITHM: bool> Kernel for Softmax<'_, T, LOGARITHM> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { y, x, block } = self;
        // SAFETY: nobody else has this block.
        let (shifts, totals) = unsafe { exponentials(x, (!LOGARITHM).then_some(y), block) };
        let mut factors: Vec<_> = totals.into_iter().map(T::from_f64).collect();
        for factor in &mut factors {
            *factor = if LOGARITHM { factor.ln() } else { T::ONE / *factor };
        }
        for i in 0..block.n {
            // SAFETY: as above.
            let y = unsafe { block.row_of(y, i) };
            if LOGARITHM {
                let columns = shifts.iter().zip(&factors);
                for (y, (&x, (&shift, &logarithm))) in y.iter_mut().zip(block.row(x, i).iter().zip(columns)) {
                    // What is large goes first.
                    *y = x - shift - logarithm;
                }
            } else {
                for (y, &factor) in y.iter_mut().zip(&factors) {
                    *y = *y * factor;
                }
            }
        }
    }
}

/// [`softmax`] or its logarithm.
fn of_columns<T: Float, const LOGARITHM: bool>(y: &mut [T], x: &[T], n: usize, inner: usize) {
    assert_eq!(y.len(), x.len(), "softmax: lengths differ");
    let y = Shared::new(y);
    blocks(outer(x, n, inner), n, inner, |_, block| {
        vectorized(Softmax::<_, LOGARITHM> { y: &y, x, block });
    });
}

/// Softmax of each column: `yᵢ = e^(xᵢ - m) / Σⱼ e^(xⱼ - m)` with `m` the largest.
pub(crate) fn softmax<T: Float>(y: &mut [T], x: &[T], n: usize, inner: usize) {
    of_columns::<T, false>(y, x, n, inner);
}

/// The logarithm of the softmax of each column: `yᵢ = (xᵢ - m) - ln Σⱼ e^(xⱼ - m)`.
pub(crate) fn log_softmax<T: Float>(y: &mut [T], x: &[T], n: usize, inner: usize) {
    of_columns::<T, true>(y, x, n, inner);
}

/// `ln Σ e^x` of the columns of a block.
struct LogSumExp<'a, T> {
    out: &'a mut [T],
    x: &'a [T],
    block: Block,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for LogSumExp<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        // SAFETY: nothing is written.
        let (shifts, totals) = unsafe { exponentials(self.x, None, self.block) };
        for (out, (&shift, &total)) in self.out.iter_mut().zip(shifts.iter().zip(&totals)) {
            *out = shift + T::from_f64(total).ln();
        }
    }
}

/// `ln Σ e^x` of each column.
pub(crate) fn log_sum_exp<T: Float>(out: &mut [T], x: &[T], n: usize, inner: usize) {
    assert_eq!(out.len() * n, x.len(), "softmax: lengths differ");
    if n == 0 {
        return out.fill(T::NEG_INFINITY);
    }
    let matrices = outer(x, n, inner);
    let out = Shared::new(out);
    blocks(matrices, n, inner, |outer, block| {
        let first = outer * inner + (block.start - outer * n * inner);
        // SAFETY: blocks have no column in common.
        let out = unsafe { out.slice(first, block.width) };
        vectorized(LogSumExp { out, x, block });
    });
}

/// The gradients of the columns of a block: `y (g - Σ g y)`, or of the logarithm `g - eʸ Σ g`.
struct Pull<'a, T, const LOGARITHM: bool> {
    out: &'a Shared<'a, T>,
    g: &'a [T],
    y: &'a [T],
    block: Block,
}

#[allow(clippy::inline_always)]
impl<T: Float, const LOGARITHM: bool> Kernel for Pull<'_, T, LOGARITHM> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { out, g, y, block } = self;
        let (mut sums, mut totals) = (vec![T::ZERO; block.width], vec![0.0; block.width]);
        for rows in block.upwards() {
            for i in rows.rev() {
                let rows = block.row(g, i).iter().zip(block.row(y, i));
                for (sum, (&g, &y)) in sums.iter_mut().zip(rows) {
                    *sum += if LOGARITHM { g } else { g * y };
                }
            }
            add_to(&mut totals, &mut sums);
        }
        for (sum, total) in sums.iter_mut().zip(totals) {
            *sum = T::from_f64(total);
        }
        for i in 0..block.n {
            // SAFETY: nobody else has this block.
            let out = unsafe { block.row_of(out, i) };
            let rows = block.row(g, i).iter().zip(block.row(y, i)).zip(&sums);
            for (out, ((&g, &y), &total)) in out.iter_mut().zip(rows) {
                *out = if LOGARITHM { g - y.exp() * total } else { y * (g - total) };
            }
        }
    }
}

/// [`softmax_grad`] or that of the logarithm.
fn pull<T: Float, const LOGARITHM: bool>(out: &mut [T], g: &[T], y: &[T], n: usize, inner: usize) {
    assert!(out.len() == g.len() && g.len() == y.len(), "softmax: lengths differ");
    let out = Shared::new(out);
    blocks(outer(g, n, inner), n, inner, |_, block| {
        vectorized(Pull::<_, LOGARITHM> { out: &out, g, y, block });
    });
}

/// Pulls `g` back through [`softmax`], whose result is `y`: `y (g - Σ g y)` for each column.
pub(crate) fn softmax_grad<T: Float>(out: &mut [T], g: &[T], y: &[T], n: usize, inner: usize) {
    pull::<T, false>(out, g, y, n, inner);
}

/// Pulls `g` back through [`log_softmax`], whose result is `y`: `g - eʸ Σ g` for each column.
pub(crate) fn log_softmax_grad<T: Float>(out: &mut [T], g: &[T], y: &[T], n: usize, inner: usize) {
    pull::<T, true>(out, g, y, n, inner);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::softmax as rows;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + seed * 31 + 13) % 1009) as f32 / 250.0 - 2.0).collect()
    }

    /// Softmax, its logarithm, their gradients, and `ln Σ e^x`.
    fn run(x: &[f32], g: &[f32], [outer, n, inner]: [usize; 3]) -> [Vec<f32>; 5] {
        let [mut y, mut logarithm, mut dy, mut dl] = [(); 4].map(|()| vec![f32::NAN; x.len()]);
        let mut total = vec![f32::NAN; outer * inner];
        softmax(&mut y, x, n, inner);
        log_softmax(&mut logarithm, x, n, inner);
        softmax_grad(&mut dy, g, &y, n, inner);
        log_softmax_grad(&mut dl, g, &logarithm, n, inner);
        log_sum_exp(&mut total, x, n, inner);
        [y, logarithm, dy, dl, total]
    }

    /// With the last two axes exchanged.
    fn turned(x: &[f32], n: usize, inner: usize) -> Vec<f32> {
        let size = n * inner;
        (0..x.len()).map(|i| x[i / size * size + i % n * inner + i % size / n]).collect()
    }

    /// The same by the rows of the array with the last two axes exchanged.
    fn twin(x: &[f32], g: &[f32], [outer, n, inner]: [usize; 3]) -> [Vec<f32>; 5] {
        let (x, g) = (turned(x, n, inner), turned(g, n, inner));
        let [mut y, mut logarithm, mut dy, mut dl] = [(); 4].map(|()| vec![f32::NAN; x.len()]);
        let mut total = vec![f32::NAN; outer * inner];
        rows::softmax(&mut y, &x, n);
        rows::log_softmax(&mut logarithm, &x, n);
        rows::softmax_grad(&mut dy, &g, &y, n);
        rows::log_softmax_grad(&mut dl, &g, &logarithm, n);
        rows::log_sum_exp(&mut total, &x, n, |_, largest, rest| largest + rest);
        [&y, &logarithm, &dy, &dl]
            .map(|x| turned(x, inner, n))
            .into_iter()
            .chain([total])
            .collect::<Vec<_>>()
            .try_into()
            .unwrap()
    }

    #[test]
    fn columns_are_what_rows_are() {
        let sizes = [
            [1, 1, 2],
            [2, 3, 7],
            [3, 31, 33],
            [2, 33, 64],
            [1, 70, 1025],
            [4, 400, 3],
            [1, 5, 2100],
            [0, 4, 3],
            [2, 0, 3],
            [2, 3, 0],
        ];
        for sizes in sizes {
            let size = sizes.iter().product();
            let (mut x, g) = (numbers(size, 1), numbers(size, 2));
            if sizes == [3, 31, 33] {
                // Columns that are special, in one matrix each.
                x[5 * 33 + 4] = f32::NAN;
                x[7 * 33 + 9] = f32::INFINITY;
                x[31 * 33..].iter_mut().skip(11).step_by(33).for_each(|x| *x = f32::NEG_INFINITY);
            }
            let pairs = run(&x, &g, sizes).into_iter().zip(twin(&x, &g, sizes));
            for (what, (found, exact)) in pairs.enumerate() {
                assert_eq!(found.len(), exact.len());
                for (i, (&found, &exact)) in found.iter().zip(&exact).enumerate() {
                    let near = (found - exact).abs() <= 2e-6 * exact.abs().max(1.0);
                    let same = found == exact || found.is_nan() && exact.is_nan();
                    assert!(near || same, "{what} of {sizes:?} at {i}: {found} {exact}");
                }
            }
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        for sizes in [[1, 300, 700], [60, 20, 130], [1, 64, 5000]] {
            let size = sizes.iter().product();
            let (x, g) = (numbers(size, 1), numbers(size, 2));
            let at = |threads| crate::with_threads(threads, || run(&x, &g, sizes));
            assert!(at(1) == at(2) && at(1) == at(5), "{sizes:?}");
        }
    }
}
