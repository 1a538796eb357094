//! Running results along the middle axis of `[outer, n, inner]`, each from the one before it, from the first entry to the
//! last or back.

use crate::float::Float;
use crate::kernel::parallel;
use crate::kernel::reduce::Fold;

/// What an element costs, in nanoseconds: each waits for the one before it.
const NS: f64 = 1.5;

/// `out[first] = x[first]`, then `out[k] = step(out[before], x[k], link)`, where the link is the position of the later of
/// both entries.
fn walk<T: Float>(out: &mut [T], x: &[T], inner: usize, reversed: bool, step: impl Fn(T, T, usize) -> T) {
    let n = x.len() / inner;
    let row = |i: usize| if reversed { n - 1 - i } else { i } * inner;
    if inner == 1 {
        let mut before = x[row(0)];
        out[row(0)] = before;
        for i in 1..n {
            let k = row(i);
            before = step(before, x[k], row(i - 1).max(k));
            out[k] = before;
        }
        return;
    }
    out[row(0)..][..inner].copy_from_slice(&x[row(0)..][..inner]);
    for i in 1..n {
        let (from, to) = (row(i - 1), row(i));
        for j in 0..inner {
            out[to + j] = step(out[from + j], x[to + j], from.max(to) + j);
        }
    }
}

/// `out[o, k, j] = combine(out[o, k - 1, j], x[o, k, j])`; with `k + 1` if it runs back.
pub(crate) fn fold<T: Float, R: Fold<T>>(out: &mut [T], x: &[T], n: usize, inner: usize, reversed: bool) {
    assert_eq!(out.len(), x.len(), "scan: lengths differ");
    let item = n * inner;
    parallel::items(out, item, item as f64 * NS, |o, out| {
        walk(out, &x[o * item..][..item], inner, reversed, |before, x, _| R::combine(before, x));
    });
}

/// `out[o, k, j] = x[o, k, j] + a[o, k, j] out[o, k - 1, j]`, or, back, `x[o, k, j] + a[o, k + 1, j] out[o, k + 1, j]`: in
/// both, `a[o, k, j]` links the entries `k - 1` and `k`, and the first of `a` links nothing.
pub(crate) fn recurrence<T: Float>(
    out: &mut [T],
    (a, x): (&[T], &[T]),
    n: usize,
    inner: usize,
    reversed: bool,
) {
    assert!(out.len() == x.len() && out.len() == a.len(), "scan: lengths differ");
    let item = n * inner;
    parallel::items(out, item, item as f64 * NS, |o, out| {
        let (a, x) = (&a[o * item..][..item], &x[o * item..][..item]);
        walk(out, x, inner, reversed, |before, x, link| x + a[link] * before);
    });
}

/// The position along the middle axis of the largest (or smallest) entry so far, of equal ones the last; NaN counts as the
/// largest and as the smallest.
pub(crate) fn extreme<T: Float>(out: &mut [usize], x: &[T], n: usize, inner: usize, largest: bool) {
    assert_eq!(out.len(), x.len(), "scan: lengths differ");
    let item = n * inner;
    parallel::items(out, item, item as f64 * NS, |o, out| {
        let x = &x[o * item..][..item];
        out[..inner].fill(0);
        for k in 1..n {
            let (before, out) = out[(k - 1) * inner..][..2 * inner].split_at_mut(inner);
            for (j, (out, &best)) in out.iter_mut().zip(&*before).enumerate() {
                let (old, new) = (x[best * inner + j], x[k * inner + j]);
                let wins = if largest { new >= old } else { new <= old };
                *out = if wins || new.is_nan() { k } else { best };
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::reduce::{Add, Mul};

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| ((i * 7919 + 13) % 1009) as f64 / 1009.0 - 0.3).collect()
    }

    #[test]
    fn running_results_agree_with_the_definition() {
        for (outer, n, inner) in [(1, 5, 1), (3, 4, 1), (2, 3, 5), (1, 1, 4), (2, 0, 3), (0, 2, 2), (2, 7, 0)]
        {
            let x = numbers(outer * n * inner);
            let a: Vec<f64> = x.iter().map(|x| 0.5 - x).collect();
            let at = |o: usize, k: usize, j: usize| (o * n + k) * inner + j;
            let [mut sum, mut product, mut linked] = [(); 3].map(|()| vec![f64::NAN; x.len()]);
            for reversed in [false, true] {
                fold::<f64, Add>(&mut sum, &x, n, inner, reversed);
                fold::<f64, Mul>(&mut product, &x, n, inner, reversed);
                recurrence(&mut linked, (&a, &x), n, inner, reversed);
                for (o, k, j) in
                    (0..outer).flat_map(|o| (0..n).flat_map(move |k| (0..inner).map(move |j| (o, k, j))))
                {
                    let so_far = if reversed { k..n } else { 0..k + 1 };
                    let near = |found: &[f64], expected: f64| (found[at(o, k, j)] - expected).abs() < 1e-14;
                    assert!(near(&sum, so_far.clone().map(|i| x[at(o, i, j)]).sum()));
                    assert!(near(&product, so_far.clone().map(|i| x[at(o, i, j)]).product()));
                    // Each term comes over the links between its entry and this one.
                    let over = |i: usize| (i.min(k) + 1..=i.max(k)).map(|i| a[at(o, i, j)]).product::<f64>();
                    assert!(near(&linked, so_far.map(|i| x[at(o, i, j)] * over(i)).sum()));
                }
            }
        }
    }
}
