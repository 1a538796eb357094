//! Where the largest and the smallest numbers are along the middle axis of `[outer, n, inner]`.

use crate::float::Float;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::parallel;
use crate::kernel::reduce::{Max, Min, row};

/// Nanoseconds of a number.
const NS: f64 = 0.2;
/// Numbers of a row that are compared before one looks whether any was meant.
const CHUNK: usize = 64;
/// Columns that a thread takes together at least, and at most: what is best so far stays in the first-level cache.
const COLUMNS: [usize; 2] = [64, 1024];

/// Position of the first largest (or smallest) element along the middle axis; NaN counts as the largest and as the
/// smallest.
pub(crate) fn positions<T: Float>(out: &mut [usize], x: &[T], n: usize, inner: usize, largest: bool) {
    assert_eq!(out.len() * n, x.len(), "extreme: lengths differ");
    let ns = n as f64 * NS + 10.0;
    if inner == 1 {
        parallel::items(out, 1, ns, |o, out| out[0] = position(&x[o * n..][..n], largest));
        return;
    }
    let [least, most] = COLUMNS;
    parallel::split(out, least, ns, |start, out| {
        let mut best = vec![T::ZERO; most.min(out.len())];
        for row in parallel::within_rows(start, out.len(), inner) {
            let x = &x[row.start / inner * n * inner..][..n * inner];
            for (part, out) in out[row.start - start..row.end - start].chunks_mut(most).enumerate() {
                let (best, x) = (&mut best[..out.len()], &x[row.start % inner + part * most..]);
                vectorized(Columns { out, best, x, n, stride: inner, largest });
            }
        }
    });
}

/// The position of the extreme of a row: found in two passes, as the row is then in the cache and both go by vectors (a thousand
/// rows of a thousand numbers: 0.1 ms, in one pass that carries the position along, 1.4).
fn position<T: Float>(x: &[T], largest: bool) -> usize {
    let extreme = if largest { row::<T, Max>(x) } else { row::<T, Min>(x) };
    vectorized(Find { x, extreme })
}

/// The first number that equals the extreme of the row. That is NaN if any number is: the first NaN is meant.
struct Find<'a, T> {
    x: &'a [T],
    extreme: T,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Find<'_, T> {
    type Output = usize;
    #[inline(always)]
    fn run(self) -> usize {
        let Self { x, extreme } = self;
        let meant = |x: T| x == extreme || x.is_nan();
        let mut start = 0;
        for chunk in x.as_chunks::<CHUNK>().0 {
            if chunk.iter().fold(false, |any, &x| any | meant(x)) {
                break;
            }
            start += CHUNK;
        }
        let rest = &x[start..];
        start + rest.iter().position(|&x| meant(x)).expect("a row has its extreme")
    }
}

/// The positions of the extremes of columns, whose `n` rows are `stride` apart; `best` is room for as many numbers.
struct Columns<'a, T> {
    out: &'a mut [usize],
    best: &'a mut [T],
    x: &'a [T],
    n: usize,
    stride: usize,
    largest: bool,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Columns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { out, best, x, n, stride, largest } = self;
        best.copy_from_slice(&x[..best.len()]);
        out.fill(0);
        for k in 1..n {
            let row = &x[k * stride..][..best.len()];
            for ((out, best), &x) in out.iter_mut().zip(&mut *best).zip(row) {
                let beats = if largest { x > *best } else { x < *best };
                let wins = beats | (x.is_nan() & !best.is_nan());
                *best = if wins { x } else { *best };
                *out = if wins { k } else { *out };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers with many equal ones and, every `rare` numbers, a NaN.
    fn numbers(n: usize, rare: usize) -> Vec<f32> {
        let number = |i: usize| if i % rare == rare - 1 { f32::NAN } else { (i * 7919 % 101) as f32 - 50.0 };
        (0..n).map(number).collect()
    }

    #[test]
    fn positions_agree_with_the_definition_on_any_number_of_threads() {
        for [outer, n, inner] in [
            [1, 1, 1],
            [3, 7, 1],
            [5, 63, 1],
            [2, 64, 1],
            [2, 65, 1],
            [300, 1500, 1],
            [0, 3, 2],
            [2, 3, 0],
            [1, 1, 9],
            [4, 33, 5],
            [3, 40, 1025],
            [1, 70, 5000],
        ] {
            for rare in [11, 701, usize::MAX] {
                let x = numbers(outer * n * inner, rare);
                for largest in [true, false] {
                    let first = |i: usize| {
                        let at = |k: usize| x[(i / inner * n + k) * inner + i % inner];
                        let before = |a: f32, b: f32| if largest { a >= b } else { a <= b };
                        let wins = |k: &usize| at(*k).is_nan() || (0..n).all(|i| before(at(*k), at(i)));
                        (0..n).find(wins).unwrap()
                    };
                    let expected: Vec<_> = (0..outer * inner).map(first).collect();
                    for threads in [1, 2, 5] {
                        let mut out = vec![usize::MAX; outer * inner];
                        crate::with_threads(threads, || positions(&mut out, &x, n, inner, largest));
                        assert_eq!(out, expected, "{outer} {n} {inner}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_of_both_zeros_is_meant() {
        for x in [[0.0, -0.0], [-0.0, 0.0]] {
            for largest in [true, false] {
                let mut out = [usize::MAX];
                positions(&mut out, &x, 2, 1, largest);
                assert_eq!(out, [0]);
            }
        }
    }
}
