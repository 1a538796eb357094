//! Sorting the rows of a matrix.

use crate::float::Float;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::parallel;
use crate::kernel::reduce::{Fold, Max, Min};
use std::cmp::Ordering;

/// The order of numbers, in which NaN is the largest.
fn order<T: Float>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Parts of a row, each of every so many numbers, whose extremes bound what comes into question.
const LANES: usize = 32;

/// For each row of length `n`, where its `k` smallest numbers are, in ascending order, or the largest in descending order;
/// of equal ones the first comes first.
pub(crate) fn positions<T: Float>(out: &mut [usize], x: &[T], n: usize, k: usize, descending: bool) {
    if out.is_empty() {
        return;
    }
    assert_eq!(out.len() / k * n, x.len(), "sort: lengths differ");
    // With the position as the last criterion no two entries are equal, and any way to sort them is stable.
    let compare = |a: &(T, usize), b: &(T, usize)| {
        let values = if descending { order(b.0, a.0) } else { order(a.0, b.0) };
        values.then(a.1.cmp(&b.1))
    };
    let is_sifted = 2 * k <= LANES && 4 * LANES <= n;
    let sifting = if is_sifted { 0.5 } else { 3.0 } * n as f64;
    let ns = sifting + 3.0 * k as f64 * f64::from(k.ilog2() + 1);
    parallel::split(out, k, ns / k as f64, |start, out| {
        let mut entries = Vec::with_capacity(n);
        for (row, out) in out.chunks_mut(k).enumerate() {
            let x = &x[(start / k + row) * n..][..n];
            entries.clear();
            if is_sifted {
                sift(&mut entries, x, vectorized(Bound { x, k, descending }), descending);
            } else {
                entries.extend(x.iter().copied().zip(0..));
            }
            if k < entries.len() {
                entries.select_nth_unstable_by(k, compare);
                entries.truncate(k);
            }
            entries.sort_unstable_by(compare);
            for (out, (_, position)) in out.iter_mut().zip(&entries) {
                *out = *position;
            }
        }
    });
}

/// A number that `k` of a row are not behind: the extremes of its [`LANES`] lanes are numbers of the row, and this is the `k`-th
/// of them. NaN if any of those is.
///
/// Of a thousand random numbers a dozen are not behind the bound of ten, and to find it and them takes a fifth of a
/// selection among all.
struct Bound<'a, T> {
    x: &'a [T],
    k: usize,
    descending: bool,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Bound<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        let Self { x, k, descending } = self;
        if descending { bound::<T, Max>(x, k, |a, b| a > b) } else { bound::<T, Min>(x, k, |a, b| a < b) }
    }
}

/// [`Bound`], by whether a number comes before another.
#[allow(clippy::inline_always)]
#[inline(always)]
fn bound<T: Float, R: Fold<T>>(x: &[T], k: usize, is_before: impl Fn(T, T) -> bool) -> T {
    let mut lanes = [R::EMPTY; LANES];
    for chunk in x.as_chunks::<LANES>().0 {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = R::combine(*lane, x);
        }
    }
    if lanes.iter().any(|lane| lane.is_nan()) {
        return T::NAN;
    }
    let rank = |lane: T| lanes.iter().map(|&other| usize::from(is_before(other, lane))).sum::<usize>();
    let first = lanes.into_iter().filter(|&lane| rank(lane) < k);
    first.reduce(|a, b| if is_before(a, b) { b } else { a }).expect("one is the first")
}

/// Collects the entries of a row that are not behind a bound, as NaN never is.
fn sift<T: Float>(entries: &mut Vec<(T, usize)>, x: &[T], bound: T, descending: bool) {
    if bound.is_nan() {
        entries.extend(x.iter().copied().zip(0..));
        return;
    }
    let mut at = 0;
    while let Some(steps) = vectorized(Ahead { x: &x[at..], bound, descending }) {
        at += steps;
        entries.push((x[at], at));
        at += 1;
    }
}

/// The position of the first number that is not behind a bound.
struct Ahead<'a, T> {
    x: &'a [T],
    bound: T,
    descending: bool,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Ahead<'_, T> {
    type Output = Option<usize>;
    #[inline(always)]
    fn run(self) -> Option<usize> {
        let Self { x, bound, descending } = self;
        if descending { ahead(x, |x| x < bound) } else { ahead(x, |x| x > bound) }
    }
}

/// [`Ahead`], by whether a number is behind; those of a chunk are compared in one go.
#[allow(clippy::inline_always)]
#[inline(always)]
fn ahead<T: Float>(x: &[T], is_behind: impl Fn(T) -> bool) -> Option<usize> {
    let mut passed = 0;
    for chunk in x.as_chunks::<LANES>().0 {
        if !chunk.iter().fold(true, |all, &x| all & is_behind(x)) {
            break;
        }
        passed += LANES;
    }
    x[passed..].iter().position(|&x| !is_behind(x)).map(|position| passed + position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_stable_nan_is_the_largest_and_a_part_agrees_with_the_whole() {
        let x = [2.0, f64::NAN, -0.0, 0.0, f64::INFINITY, 2.0, f64::NAN, -1.0];
        let ascending = [7, 2, 3, 0, 5, 4, 1, 6];
        let descending = [1, 6, 4, 0, 5, 2, 3, 7];
        for k in 1..=x.len() {
            let mut out = vec![usize::MAX; 2 * k];
            positions(&mut out, &[x, x].concat(), x.len(), k, false);
            assert_eq!(out, [&ascending[..k], &ascending[..k]].concat());
            positions(&mut out, &[x, x].concat(), x.len(), k, true);
            assert_eq!(out, [&descending[..k], &descending[..k]].concat());
        }
    }
    #[test]
    fn parts_of_long_rows_agree_with_the_whole_on_any_number_of_threads() {
        for n in [33, 100, 1000, 3001] {
            let rows = 60_000 / n;
            for numbers in [5, 997, usize::MAX] {
                // Few numbers, many with some NaN, and a row that ascends.
                let number = |i: usize| match i.wrapping_mul(7919) % numbers {
                    3 if numbers == 997 => f32::NAN,
                    _ if numbers == usize::MAX => i as f32,
                    x => x as f32 - 400.0,
                };
                let x: Vec<f32> = (0..rows * n).map(number).collect();
                for descending in [false, true] {
                    let mut all = vec![0; rows * n];
                    positions(&mut all, &x, n, n, descending);
                    for k in [1, 2, 10, n / 3, n - 1] {
                        for threads in [1, 2, 5] {
                            let mut out = vec![usize::MAX; rows * k];
                            crate::with_threads(threads, || positions(&mut out, &x, n, k, descending));
                            let same = out.chunks(k).zip(all.chunks(n)).all(|(part, all)| part == &all[..k]);
                            assert!(same, "{k} of {n}, descending: {descending}");
                        }
                    }
                }
            }
        }
    }
}
