//! Reductions in a fixed order: pairwise, over chunks whose size depends on nothing but the length.
//!
//! A reduction over any set of axes is a sequence of steps `[outer, n, inner] → [outer, inner]`. Sums of long rows are
//! split in halves down to blocks of [`BLOCK`], so that the rounding error grows with the logarithm of the length.

use crate::float::Float;
use crate::kernel::dispatch::{Kernel, level, vectorized};
use crate::kernel::parallel;
use crate::kernel::sums::sums;
use crate::kernel::vector::{Job, Vector, dispatch};
use std::marker::PhantomData;

/// Elements of a row that are added in one go, in [`LANES`] running sums.
pub(super) const BLOCK: usize = 512;
const LANES: usize = 32;
/// Elements of a row that make one parallel piece; a power of two times [`BLOCK`].
const PIECE: usize = 32 * BLOCK;
/// Columns that are reduced together at most: their running values stay in the first-level cache, and of a row lies so much
/// together that the processor reads ahead (a thousand rows of as many: 64 µs by 256, 42 µs by 1,024).
const COLUMNS: usize = 1024;
/// Columns that a thread reduces together at least.
const LEAST_COLUMNS: usize = 64;
/// Nanoseconds of a number of a row, as an estimate.
const ROW_NS: f64 = 0.15;
/// Rows that are added one after the other before sums are paired.
const ROWS: usize = 32;

/// An associative way to combine two numbers.
pub(crate) trait Fold<T: Float>: Sized + Sync {
    /// The result for nothing.
    const EMPTY: T;
    /// Combines two results.
    fn combine(a: T, b: T) -> T;
    /// Combines at most [`BLOCK`] numbers.
    fn block(x: &[T]) -> T {
        vectorized(Block::<T, Self>(x, PhantomData))
    }
}

/// Addition.
pub(crate) struct Add;
/// Multiplication.
pub(crate) struct Mul;
/// The larger of two, NaN if either is.
pub(crate) struct Max;
/// The smaller of two, NaN if either is.
pub(crate) struct Min;

#[allow(clippy::inline_always)]
impl<T: Float> Fold<T> for Add {
    const EMPTY: T = T::ZERO;
    #[inline(always)]
    fn combine(a: T, b: T) -> T {
        a + b
    }
    /// By explicit vectors: LLVM takes the running sums of [`Block`] apart, or not, as it happens (55 or 44 µs for a thousand
    /// rows of a thousand numbers).
    fn block(x: &[T]) -> T {
        let mut sum = T::ZERO;
        dispatch(level(), SumOfBlock { x, sum: &mut sum });
        sum
    }
}

/// `sum ← Σ x` of at most [`BLOCK`] numbers, in the order of the others.
struct SumOfBlock<'a, T> {
    x: &'a [T],
    sum: &'a mut T,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for SumOfBlock<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let [sum] = sums([self.x], |x: [V; 1]| x);
        *self.sum = T::from_f64(sum);
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Fold<T> for Mul {
    const EMPTY: T = T::ONE;
    #[inline(always)]
    fn combine(a: T, b: T) -> T {
        a * b
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Fold<T> for Max {
    const EMPTY: T = T::NEG_INFINITY;
    #[inline(always)]
    fn combine(a: T, b: T) -> T {
        a.maximum(b)
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Fold<T> for Min {
    const EMPTY: T = T::INFINITY;
    #[inline(always)]
    fn combine(a: T, b: T) -> T {
        a.minimum(b)
    }
}

/// Combines running values in pairs, a power of two of them.
#[allow(clippy::inline_always)]
#[inline(always)]
fn paired<T: Float, R: Fold<T>, const N: usize>(mut lanes: [T; N]) -> T {
    let mut width = N;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = R::combine(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}

/// Combines at most [`BLOCK`] numbers.
#[allow(clippy::inline_always)]
#[inline(always)]
fn block<T: Float, R: Fold<T>>(x: &[T]) -> T {
    let mut lanes = [R::EMPTY; LANES];
    let (body, tail) = x.as_chunks::<LANES>();
    for chunk in body {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = R::combine(*lane, x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(tail) {
        *lane = R::combine(*lane, x);
    }
    paired::<T, R, LANES>(lanes)
}

/// [`block`].
struct Block<'a, T, R>(&'a [T], PhantomData<R>);

#[allow(clippy::inline_always)]
impl<T: Float, R: Fold<T>> Kernel for Block<'_, T, R> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        block::<T, R>(self.0)
    }
}

/// Where a row longer than [`BLOCK`] is split in two: at a multiple of [`BLOCK`], of [`PIECE`] if it is longer than that.
fn half(len: usize) -> usize {
    (len / 2).next_multiple_of(if len > PIECE { PIECE } else { BLOCK })
}

/// Combines a row in halves.
pub(super) fn row<T: Float, R: Fold<T>>(x: &[T]) -> T {
    if x.len() <= BLOCK {
        return R::block(x);
    }
    let (left, right) = x.split_at(half(x.len()));
    R::combine(row::<T, R>(left), row::<T, R>(right))
}

/// The same as [`row`], on several threads: what they have found of pieces is combined where `row` splits, to the same bits.
///
/// By a loop and not by joins, which run whatever else the pool has to do, within what this thread is doing.
fn long_row<T: Float, R: Fold<T>>(x: &[T]) -> T {
    fn combined<T: Float, R: Fold<T>>(len: usize, pieces: &[T]) -> T {
        if len <= PIECE {
            return pieces[0];
        }
        let half = half(len);
        let (left, right) = pieces.split_at(half / PIECE);
        R::combine(combined::<T, R>(half, left), combined::<T, R>(len - half, right))
    }
    let mut pieces = vec![R::EMPTY; x.len().div_ceil(PIECE)];
    parallel::items(&mut pieces, 1, PIECE as f64 * ROW_NS, |i, piece| {
        piece[0] = row::<T, R>(&x[i * PIECE..x.len().min((i + 1) * PIECE)]);
    });
    combined::<T, R>(x.len(), &pieces)
}

/// `sum ← Σ x y`, in double precision from each few hundred products on.
struct SumOfProducts<'a, T> {
    x: &'a [T],
    y: &'a [T],
    sum: &'a mut f64,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for SumOfProducts<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        [*self.sum] = sums([self.x, self.y], |[x, y]: [V; 2]| [x.times(y)]);
    }
}

/// The sum of the products of equally long rows: of pieces, whose sums are added in order.
pub(crate) fn dot<T: Float>(x: &[T], y: &[T]) -> T {
    assert_eq!(x.len(), y.len(), "reduce: lengths differ");
    let mut pieces = vec![0.0; x.len().div_ceil(PIECE)];
    parallel::items(&mut pieces, 1, PIECE as f64 * ROW_NS, |i, sum| {
        let here = i * PIECE..x.len().min((i + 1) * PIECE);
        dispatch(level(), SumOfProducts { x: &x[here.clone()], y: &y[here], sum: &mut sum[0] });
    });
    T::from_f64(pieces.iter().fold(0.0, |sum, piece| sum + piece))
}

/// Combines `out` with `n` rows of `x`, `stride` apart, one after the other.
struct Columns<'a, T, R> {
    out: &'a mut [T],
    x: &'a [T],
    n: usize,
    stride: usize,
    fold: PhantomData<R>,
}

#[allow(clippy::inline_always)]
impl<T: Float, R: Fold<T>> Kernel for Columns<'_, T, R> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { out, x, n, stride, .. } = self;
        let width = out.len();
        let row = |i: usize| &x[i * stride..][..width];
        // Two at a time: they read and write `out` once; and the larger of an output and one number would be stored under
        // a mask, which takes some processors a dozen cycles.
        for i in (1..n).step_by(2) {
            for ((out, &a), &b) in out.iter_mut().zip(row(i - 1)).zip(row(i)) {
                *out = R::combine(R::combine(*out, a), b);
            }
        }
        if n % 2 == 1 {
            for (out, &x) in out.iter_mut().zip(row(n - 1)) {
                *out = R::combine(*out, x);
            }
        }
    }
}

/// Combines `n` rows of at most [`COLUMNS`] columns, the rows `stride` apart, in pairs of blocks of [`ROWS`].
pub(super) fn columns<T: Float, R: Fold<T>>(out: &mut [T], x: &[T], n: usize, stride: usize) {
    fn halves<T: Float, R: Fold<T>>(out: &mut [T], spare: &mut [T], x: &[T], n: usize, stride: usize) {
        if n <= ROWS {
            out.fill(R::EMPTY);
            vectorized(Columns::<T, R> { out, x, n, stride, fold: PhantomData });
            return;
        }
        let half = upper(n);
        let (right, spare) = spare.split_at_mut(out.len());
        halves::<T, R>(out, spare, x, half, stride);
        halves::<T, R>(right, spare, &x[half * stride..], n - half, stride);
        vectorized(Columns::<T, R> { out, x: right, n: 1, stride: 0, fold: PhantomData });
    }
    let mut spare = vec![T::ZERO; levels(n) * out.len()];
    halves::<T, R>(out, &mut spare, x, n, stride);
}

/// How many of `inner` columns go together, where each takes `ns` nanoseconds: as many as are good for the caches, but a part
/// for each thread, if that is worth it.
pub(super) fn width(inner: usize, ns: f64) -> usize {
    let threads = if parallel::worthwhile(inner as f64 * ns) { parallel::threads() } else { 1 };
    inner.div_ceil(threads).next_multiple_of(LEAST_COLUMNS).min(COLUMNS)
}

/// How many of `n` rows, more than [`ROWS`], make the first half.
fn upper(n: usize) -> usize {
    (n / 2).next_multiple_of(ROWS).min(n - 1)
}

/// How often `n` rows are halved.
fn levels(n: usize) -> usize {
    if n <= ROWS { 0 } else { 1 + levels(upper(n).max(n - upper(n))) }
}

/// `out[o, j] = combine over i of x[o, i, j]` for contiguous `x` of shape `[outer, n, inner]`.
pub(crate) fn middle<T: Float, R: Fold<T>>(out: &mut [T], x: &[T], n: usize, inner: usize) {
    assert_eq!(out.len() * n, x.len(), "reduce: lengths differ");
    if n == 0 || out.is_empty() {
        out.fill(R::EMPTY);
    } else if inner == 1 {
        if out.len() == 1 && parallel::worthwhile(n as f64 * ROW_NS) {
            out[0] = long_row::<T, R>(x);
        } else {
            parallel::items(out, 1, n as f64 * ROW_NS + 4.0, |o, out| out[0] = row::<T, R>(&x[o * n..][..n]));
        }
    } else {
        // A column's bits are its own, however many go together.
        let column_ns = n as f64 * 0.1;
        let width = width(inner, column_ns);
        for (o, out) in out.chunks_mut(inner).enumerate() {
            let x = &x[o * n * inner..][..n * inner];
            parallel::items(out, width, width as f64 * column_ns, |piece, out| {
                columns::<T, R>(out, &x[piece * width..], n, inner);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + 13) % 1009) as f32 / 1009.0 - 0.3).collect()
    }

    #[test]
    fn sums_of_every_length_agree_with_double_precision() {
        for n in (0..70).chain([511, 512, 513, 1025, 16_383, 16_384, 16_385, 40_000, 1_000_003]) {
            let x = numbers(n);
            let exact: f64 = x.iter().map(|&x| f64::from(x)).sum();
            let mut out = [f32::NAN];
            middle::<f32, Add>(&mut out, &x, n, 1);
            let scale: f64 = x.iter().map(|&x| f64::from(x).abs()).sum();
            assert!((f64::from(out[0]) - exact).abs() <= 1e-6 * scale + 1e-12, "{n}: {} {exact}", out[0]);
        }
    }

    #[test]
    fn sums_of_blocks_have_the_bits_of_the_plain_loop() {
        let special = [f32::INFINITY, -0.0, f32::NAN, f32::MAX, f32::MIN_POSITIVE];
        for n in 0..=BLOCK {
            let mut x = numbers(n);
            assert_eq!(Add::block(&x).to_bits(), block::<f32, Add>(&x).to_bits(), "{n}");
            let doubles: Vec<f64> = x.iter().map(|&x| f64::from(x) / 3.0).collect();
            assert_eq!(Add::block(&doubles).to_bits(), block::<f64, Add>(&doubles).to_bits(), "{n}");
            if n > 0 {
                x[n / 2] = special[n % special.len()];
                let (found, expected) = (Add::block(&x), block::<f32, Add>(&x));
                assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(), "{n}");
            }
        }
    }

    #[test]
    fn sums_of_products_agree_with_double_precision_on_any_number_of_threads() {
        for n in [0, 1, 3, 31, 33, BLOCK + 1, PIECE, PIECE + 5, 40 * PIECE + 700] {
            let number = |i: usize, seed: usize| ((i * 7919 + seed) % 1009) as f32 / 1009.0 - 0.3;
            let (x, y): (Vec<f32>, Vec<f32>) = (0..n).map(|i| (number(i, 13), number(i, 500))).unzip();
            let terms = || x.iter().zip(&y).map(|(&x, &y)| f64::from(x) * f64::from(y));
            let (exact, scale) = (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
            let [one, two, five] = [1, 2, 5].map(|threads| crate::with_threads(threads, || dot(&x, &y)));
            assert!((f64::from(one) - exact).abs() <= 1e-6 * scale, "{n}: {one} {exact}");
            assert_eq!([one, one], [two, five], "{n}");
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let x = numbers(1_500_007);
        let run = |threads| {
            crate::with_threads(threads, || {
                let mut long = [0.0];
                middle::<f32, Add>(&mut long, &x, x.len(), 1);
                let mut wide = vec![0.0; 1000];
                middle::<f32, Add>(&mut wide, &x[..1_500_000], 1500, 1000);
                (long, wide)
            })
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(5));
    }

    #[test]
    fn columns_and_rows_agree_with_the_definition() {
        for (outer, n, inner) in
            [(1, 3, 5), (2, 0, 3), (3, 33, 1), (2, 70, 300), (4, 1, 1), (0, 4, 2), (1, 200, 7), (1, 65, 2500)]
        {
            let x: Vec<f64> = numbers(outer * n * inner).into_iter().map(f64::from).collect();
            let at = |o: usize, i: usize, j: usize| x[(o * n + i) * inner + j];
            let mut sum = vec![f64::NAN; outer * inner];
            middle::<f64, Add>(&mut sum, &x, n, inner);
            let mut max = vec![f64::NAN; outer * inner];
            middle::<f64, Max>(&mut max, &x, n, inner);
            for o in 0..outer {
                for j in 0..inner {
                    let exact: f64 = (0..n).map(|i| at(o, i, j)).sum();
                    assert!((sum[o * inner + j] - exact).abs() < 1e-12);
                    let largest = (0..n).map(|i| at(o, i, j)).fold(f64::NEG_INFINITY, f64::max);
                    assert_eq!(max[o * inner + j], largest);
                }
            }
        }
    }

    #[test]
    fn nan_wins_every_maximum() {
        for n in [1, 7, 8, 9, 64, 600] {
            for at in [0, n / 2, n - 1] {
                let mut x = vec![1.0f32; n];
                x[at] = f32::NAN;
                let mut out = [0.0];
                middle::<f32, Max>(&mut out, &x, n, 1);
                assert!(out[0].is_nan());
            }
        }
    }
}
