//! Softmax and its logarithm, of rows, in their stable forms, and their gradients; of columns in [`columns`].

pub(crate) mod columns;

use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Kernel, level, vectorized};
use crate::kernel::parallel;
use crate::kernel::reduce::{Add, BLOCK, row};
use crate::kernel::sums::{largest, sums};
use crate::kernel::vector::{Job, Vector, dispatch};

/// What one element of a row of exponentials costs, in nanoseconds.
const EXP_NS: f64 = 0.8;

/// What a row with this largest element is shifted by: a row of minus infinities has no softmax, but also no reason to be
/// shifted by one. NaN need not be looked for, as it makes the sum NaN.
#[allow(clippy::inline_always)]
#[inline(always)]
fn shift_by<T: Float>(largest: T) -> T {
    if largest == T::NEG_INFINITY { T::ZERO } else { largest }
}

/// Row `i`, and the one after it; after the last, the last again.
#[allow(clippy::inline_always)]
#[inline(always)]
fn two_rows<T>(x: &[T], n: usize, i: usize) -> (&[T], &[T]) {
    let row = &x[i * n..][..n];
    (row, x.get((i + 1) * n..(i + 2) * n).unwrap_or(row))
}

/// `y ← e^(x - shift)`; returns the sum of these, and the largest element of the `next` row, which is read from memory
/// while the arithmetic for this one goes on.
///
/// Each is a loop of its own over a block that is in the first cache: in one, the running values would be beside the constants
/// of the exponential, more than sixteen registers hold.
#[allow(clippy::inline_always)]
#[inline(always)]
fn exponentials<T: Float, V: Vector<T>>(y: &mut [T], x: &[T], shift: T, next: &[T]) -> (T, T) {
    let (mut total, mut most) = (0.0, T::NEG_INFINITY);
    let blocks = x.chunks(BLOCK).zip(next.chunks(BLOCK));
    for (y, (x, next)) in y.chunks_mut(BLOCK).zip(blocks) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - shift).exp();
        }
        let [sum] = sums([&*y], |y: [V; 1]| y);
        total += sum;
        let of_block = largest::<T, V>(next);
        most = if of_block > most { of_block } else { most };
    }
    (T::from_f64(total), most)
}

/// Rows of fewer elements are computed side by side: they would not fill a vector.
const SHORT: usize = 32;
/// How many of them.
const SIDE: usize = 16;

/// Short rows as columns of `SIDE` numbers: what belongs to a row is in its lane of each.
type Columns<T> = [[T; SIDE]; SHORT];

/// `e^(x - shift)` of at most `SIDE` rows of length `n`, as columns; returns the shifts and the sums.
#[allow(clippy::inline_always)]
#[inline(always)]
fn side_by_side<T: Float>(x: &[T], n: usize, columns: &mut Columns<T>) -> ([T; SIDE], [T; SIDE]) {
    let columns = &mut columns[..n];
    for (lane, x) in x.chunks_exact(n).enumerate() {
        for (column, &x) in columns.iter_mut().zip(x) {
            column[lane] = x;
        }
    }
    let mut largest = [T::NEG_INFINITY; SIDE];
    for column in &*columns {
        for lane in 0..SIDE {
            largest[lane] = largest[lane].maximum(column[lane]);
        }
    }
    let shifts = largest.map(shift_by);
    let mut sums = [T::ZERO; SIDE];
    for column in columns {
        for lane in 0..SIDE {
            column[lane] = (column[lane] - shifts[lane]).exp();
            sums[lane] += column[lane];
        }
    }
    (shifts, sums)
}

/// The logarithms, lane by lane.
#[allow(clippy::inline_always)]
#[inline(always)]
fn logarithms<T: Float>(mut numbers: [T; SIDE]) -> [T; SIDE] {
    for number in &mut numbers {
        *number = number.ln();
    }
    numbers
}

/// `out ← f(a, b)` for equally long rows, a vector at a time.
#[allow(clippy::inline_always)]
#[inline(always)]
fn zipped<T: Float, V: Vector<T>>(out: &mut [T], a: &[T], b: &[T], f: impl Fn(V, V) -> V) {
    let n = out.len();
    assert!(a.len() == n && b.len() == n, "softmax: lengths differ");
    let (a, b, out) = (a.as_ptr(), b.as_ptr(), out.as_mut_ptr());
    let mut at = 0;
    // SAFETY: all three have `n` elements.
    unsafe {
        while at + V::LANES <= n {
            f(V::load(a.add(at)), V::load(b.add(at))).store(out.add(at));
            at += V::LANES;
        }
        if at < n {
            let (left, a, b) = (n - at, a.add(at), b.add(at));
            f(V::load_first(a, left), V::load_first(b, left)).store_first(out.add(at), left);
        }
    }
}

/// Softmax of whole rows of length `n`, or its logarithm.
struct Softmax<'a, T, const LOGARITHM: bool> {
    y: &'a mut [T],
    x: &'a [T],
    n: usize,
}

#[allow(clippy::inline_always)]
impl<T: Float, const LOGARITHM: bool> Job<T> for Softmax<'_, T, LOGARITHM> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { y, x, n } = self;
        if (1..SHORT).contains(&n) {
            let mut columns = [[T::ZERO; SIDE]; SHORT];
            for (y, x) in y.chunks_mut(SIDE * n).zip(x.chunks(SIDE * n)) {
                let (shifts, sums) = side_by_side(x, n, &mut columns);
                let of_rows = if LOGARITHM { logarithms(sums) } else { sums.map(|sum| T::ONE / sum) };
                for (lane, (y, x)) in y.chunks_exact_mut(n).zip(x.chunks_exact(n)).enumerate() {
                    for ((y, &x), column) in y.iter_mut().zip(x).zip(&columns) {
                        // What is large goes first.
                        *y = if LOGARITHM {
                            x - shifts[lane] - of_rows[lane]
                        } else {
                            column[lane] * of_rows[lane]
                        };
                    }
                }
            }
            return;
        }
        let mut most = largest::<T, V>(&x[..n]);
        for (i, y) in y.chunks_exact_mut(n).enumerate() {
            let (x, next) = two_rows(x, n, i);
            let shift = shift_by(most);
            let (sum, of_next) = exponentials::<T, V>(y, x, shift, next);
            most = of_next;
            if LOGARITHM {
                // What is large goes first.
                let logarithm = sum.ln();
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = x - shift - logarithm;
                }
            } else {
                let factor = T::ONE / sum;
                for y in y {
                    *y = *y * factor;
                }
            }
        }
    }
}

/// [`softmax`] or its logarithm.
fn of_rows<T: Float, const LOGARITHM: bool>(y: &mut [T], x: &[T], n: usize) {
    assert_eq!(y.len(), x.len(), "softmax: lengths differ");
    if y.is_empty() {
        return;
    }
    parallel::split(y, n, EXP_NS + 20.0 / n as f64, |start, y| {
        let x = &x[start..][..y.len()];
        dispatch(level(), Softmax::<_, LOGARITHM> { y, x, n });
    });
}

/// Softmax of each row of length `n`: `yᵢ = e^(xᵢ - m) / Σⱼ e^(xⱼ - m)` with `m` the largest.
pub(crate) fn softmax<T: Float>(y: &mut [T], x: &[T], n: usize) {
    of_rows::<T, false>(y, x, n);
}

/// The logarithm of the softmax of each row of length `n`: `yᵢ = (xᵢ - m) - ln Σⱼ e^(xⱼ - m)`.
pub(crate) fn log_softmax<T: Float>(y: &mut [T], x: &[T], n: usize) {
    of_rows::<T, true>(y, x, n);
}

/// The largest element and `ln Σ e^(x - largest)` of whole rows of length `n`, as `f(row, largest, logarithm)`.
struct LogSumExp<'a, T, O, F> {
    out: &'a mut [O],
    scratch: &'a mut [T],
    x: &'a [T],
    n: usize,
    f: F,
}

#[allow(clippy::inline_always)]
impl<T: Float, O, F: Fn(usize, T, T) -> O> Job<T> for LogSumExp<'_, T, O, F> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        if (1..SHORT).contains(&self.n) {
            let mut columns = [[T::ZERO; SIDE]; SHORT];
            for (block, out) in self.out.chunks_mut(SIDE).enumerate() {
                let x = &self.x[block * SIDE * self.n..][..out.len() * self.n];
                let (shifts, sums) = side_by_side(x, self.n, &mut columns);
                let logarithms = logarithms(sums);
                for (lane, out) in out.iter_mut().enumerate() {
                    *out = (self.f)(block * SIDE + lane, shifts[lane], logarithms[lane]);
                }
            }
            return;
        }
        let mut most = largest::<T, V>(&self.x[..self.n]);
        for (i, out) in self.out.iter_mut().enumerate() {
            let (x, next) = two_rows(self.x, self.n, i);
            let shift = shift_by(most);
            let (sum, of_next) = exponentials::<T, V>(self.scratch, x, shift, next);
            most = of_next;
            *out = (self.f)(i, shift, sum.ln());
        }
    }
}

/// `ln Σ e^x` of each row of length `n`, as the two numbers that `f` combines: the largest and `ln Σ e^(x - largest)`; `f`
/// is told the row.
pub(crate) fn log_sum_exp<T: Float, O: Send>(
    out: &mut [O],
    x: &[T],
    n: usize,
    f: impl Fn(usize, T, T) -> O + Sync,
) {
    assert_eq!(out.len() * n, x.len(), "softmax: lengths differ");
    if out.is_empty() {
        return;
    }
    parallel::split(out, 1, n as f64 * EXP_NS + 20.0, |start, out| {
        let mut scratch = Fresh::take(n);
        let x = &x[start * n..][..out.len() * n];
        let f = |i, shift, logarithm| f(start + i, shift, logarithm);
        dispatch(level(), LogSumExp { out, scratch: &mut scratch, x, n, f });
    });
}

/// `out ← factor e^(x - largest - logarithm)` for whole rows, less the factor at the label of each.
struct PullSurprisal<'a, T> {
    out: &'a mut [T],
    x: &'a [T],
    rows: &'a [[T; 2]],
    labels: &'a [usize],
    factor: T,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for PullSurprisal<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { out, x, rows, labels, factor } = self;
        let n = out.len() / rows.len();
        for ((out, x), [largest, logarithm]) in out.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(rows) {
            // SAFETY: numbers can be read.
            let (largest, logarithm) = unsafe { (V::splat(largest), V::splat(logarithm)) };
            // What is large goes first.
            zipped(out, x, x, |x: V, _| x.minus(largest).minus(logarithm));
        }
        // Rows may be short: all of them are one loop.
        for out in &mut *out {
            *out = out.exp() * factor;
        }
        for (out, &label) in out.chunks_exact_mut(n).zip(labels) {
            out[label] = out[label] - factor;
        }
    }
}

/// The gradient of `factor` times the sum over rows of `ln Σ e^x - x[label]`, from what [`log_sum_exp`] has found of each
/// row: `factor (softmax(x) - one_hot)`.
///
/// # Panics
/// If a label is not below the length of a row.
pub(crate) fn surprisal_grad<T: Float>(out: &mut [T], x: &[T], rows: &[[T; 2]], labels: &[usize], factor: T) {
    assert!(out.len() == x.len() && rows.len() == labels.len(), "softmax: lengths differ");
    if out.is_empty() {
        return;
    }
    let n = out.len() / rows.len();
    // In blocks that stay in the first cache from the logits to the result.
    let block = (BLOCK / n).max(1) * n;
    parallel::split(out, block, EXP_NS, |start, out| {
        for (i, out) in out.chunks_mut(block).enumerate() {
            let first = start / n + i * (block / n);
            let here = first..first + out.len() / n;
            let x = &x[first * n..][..out.len()];
            let (rows, labels) = (&rows[here.clone()], &labels[here]);
            dispatch(level(), PullSurprisal { out, x, rows, labels, factor });
        }
    });
}

/// `out ← y (g - Σ g y)` for whole rows.
struct Pull<'a, T> {
    out: &'a mut [T],
    g: &'a [T],
    y: &'a [T],
    n: usize,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Pull<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let rows = self.g.chunks_exact(self.n).zip(self.y.chunks_exact(self.n));
        for (out, (g, y)) in self.out.chunks_exact_mut(self.n).zip(rows) {
            let [total] = sums([g, y], |[g, y]: [V; 2]| [g.times(y)]);
            let total = T::from_f64(total);
            // SAFETY: a number can be read.
            let total = unsafe { V::splat(&raw const total) };
            zipped(out, g, y, |g: V, y| y.times(g.minus(total)));
        }
    }
}

/// Pulls `g` back through [`softmax`], whose result is `y`: `y (g - Σ g y)` for each row of length `n`.
pub(crate) fn softmax_grad<T: Float>(out: &mut [T], g: &[T], y: &[T], n: usize) {
    assert!(out.len() == g.len() && g.len() == y.len(), "softmax: lengths differ");
    if n == 0 {
        return;
    }
    parallel::split(out, n, 0.5, |start, out| {
        let here = start..start + out.len();
        dispatch(level(), Pull { out, g: &g[here.clone()], y: &y[here], n });
    });
}

/// `out ← g - eʸ Σ g` for whole rows.
struct PullLogarithm<'a, T> {
    out: &'a mut [T],
    g: &'a [T],
    y: &'a [T],
    n: usize,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for PullLogarithm<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.g.chunks_exact(self.n).zip(self.y.chunks_exact(self.n));
        for (out, (g, y)) in self.out.chunks_exact_mut(self.n).zip(rows) {
            let total = row::<T, Add>(g);
            for ((out, &g), &y) in out.iter_mut().zip(g).zip(y) {
                *out = g - y.exp() * total;
            }
        }
    }
}

/// Pulls `g` back through [`log_softmax`], whose result is `y`: `g - eʸ Σ g` for each row of length `n`.
pub(crate) fn log_softmax_grad<T: Float>(out: &mut [T], g: &[T], y: &[T], n: usize) {
    assert!(out.len() == g.len() && g.len() == y.len(), "softmax: lengths differ");
    if n == 0 {
        return;
    }
    parallel::split(out, n, EXP_NS, |start, out| {
        let here = start..start + out.len();
        vectorized(PullLogarithm { out, g: &g[here.clone()], y: &y[here], n });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + seed * 31 + 13) % 1009) as f32 / 250.0 - 2.0).collect()
    }

    #[test]
    fn rows_do_not_touch_each_other() {
        for n in [1, 5, 10, 31, 32, 40, 600] {
            let rows = 20;
            let mut x = numbers(rows * n, 1);
            x[n + n / 2] = f32::NAN;
            x[3 * n..4 * n].fill(f32::NEG_INFINITY);
            x[4 * n + n / 2] = f32::INFINITY;
            let mut all = [(); 2].map(|()| vec![0.0; rows * n]);
            softmax(&mut all[0], &x, n);
            log_softmax(&mut all[1], &x, n);
            for row in 0..rows {
                let row = row * n..(row + 1) * n;
                let mut alone = [(); 2].map(|()| vec![0.0; n]);
                softmax(&mut alone[0], &x[row.clone()], n);
                log_softmax(&mut alone[1], &x[row.clone()], n);
                for (alone, all) in alone.iter().zip(&all) {
                    let bits = |x: &[f32]| {
                        x.iter().map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect::<Vec<_>>()
                    };
                    assert_eq!(bits(alone), bits(&all[row.clone()]));
                }
                let special = [1, 3, 4].contains(&(row.start / n));
                assert_eq!(all[0][row].iter().any(|y| y.is_nan()), special);
            }
        }
    }

    #[test]
    fn gradients_agree_with_their_scalar_twin_on_any_number_of_threads() {
        for (rows, n) in [(1, 1), (3, 7), (50, 10), (17, 31), (2, 33), (5, 530), (0, 4), (4, 0), (300, 400)] {
            let (x, g) = (numbers(rows * n, 1), numbers(rows * n, 2));
            let labels: Vec<_> = (0..rows).map(|row| (row * 7) % n.max(1)).collect();
            let run = |threads| {
                crate::with_threads(threads, || {
                    let mut all = [(); 5].map(|()| vec![f32::NAN; rows * n]);
                    let [y, logarithm, dy, dl, ds] = &mut all;
                    softmax(y, &x, n);
                    log_softmax(logarithm, &x, n);
                    softmax_grad(dy, &g, y, n);
                    log_softmax_grad(dl, &g, logarithm, n);
                    let mut found = vec![[f32::NAN; 2]; rows];
                    log_sum_exp(&mut found, &x, n, |_, largest, rest| [largest, rest]);
                    surprisal_grad(ds, &x, &found, &labels, 0.5);
                    all
                })
            };
            let [y, logarithm, dy, dl, ds] = run(1);
            assert_eq!([&y, &logarithm, &dy, &dl, &ds], run(3).each_ref());
            for (row, &label) in labels.iter().enumerate() {
                let row = row * n..(row + 1) * n;
                let wide = |x: &[f32]| x[row.clone()].iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
                let (x, g) = (wide(&x), wide(&g));
                let all: f64 = x.iter().map(|x| x.exp()).sum();
                let p: Vec<f64> = x.iter().map(|x| x.exp() / all).collect();
                let inner: f64 = p.iter().zip(&g).map(|(p, g)| p * g).sum();
                let total: f64 = g.iter().sum();
                for j in 0..n {
                    let near = |found: f32, exact: f64| {
                        (f64::from(found) - exact).abs() < 2e-6 * exact.abs().max(1.0)
                    };
                    assert!(near(y[row.start + j], p[j]));
                    assert!(near(dy[row.start + j], p[j] * (g[j] - inner)), "{rows}x{n}");
                    assert!(near(dl[row.start + j], g[j] - p[j] * total), "{rows}x{n}");
                    let one = if j == label { 1.0 } else { 0.0 };
                    assert!(near(ds[row.start + j], 0.5 * (p[j] - one)), "{rows}x{n}");
                }
            }
        }
    }
}
