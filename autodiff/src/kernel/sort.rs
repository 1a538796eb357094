//! Sorting the rows of a matrix.

use crate::float::Float;
use crate::kernel::parallel;
use std::cmp::Ordering;

/// The order of numbers, in which NaN is the largest.
fn order<T: Float>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

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
    let ns = 3.0 * (n as f64 + k as f64 * f64::from(k.ilog2() + 1));
    parallel::split(out, k, ns / k as f64, |start, out| {
        let mut entries = Vec::with_capacity(n);
        for (row, out) in out.chunks_mut(k).enumerate() {
            let x = &x[(start / k + row) * n..][..n];
            entries.clear();
            entries.extend(x.iter().copied().zip(0..));
            if k < n {
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
}
