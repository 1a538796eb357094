//! Reading and adding at given indices along the middle axis of `[outer, n, inner]`. The caller has checked the
//! indices; a wrong one would panic here, never read elsewhere.

use crate::float::Float;
use crate::kernel::buffer::Element;
use crate::kernel::parallel;

/// Entries of an index that follow each other: `index[at + k] = first + k`.
struct Run {
    at: usize,
    first: usize,
    length: usize,
}

/// The runs of an index that mostly consists of long ones, as those of borders and of parts do: they are moved as one.
fn runs(index: &[usize]) -> Option<Vec<Run>> {
    let follows = |entry: usize, next: usize| entry + 1 == next;
    let ends = index.windows(2).filter(|pair| !follows(pair[0], pair[1])).count();
    if 4 * ends > index.len() {
        return None;
    }
    let runs = index.chunk_by(|&entry, &next| follows(entry, next)).scan(0, |end, run| {
        let at = *end;
        *end += run.len();
        Some(Run { at, first: run[0], length: run.len() })
    });
    Some(runs.collect())
}

/// `out[o, k, :] = x[o, index[k], :]`.
pub(crate) fn select<T: Element>(out: &mut [T], x: &[T], index: &[usize], n: usize, inner: usize) {
    if inner == 0 {
        return;
    }
    let (m, runs) = (index.len(), runs(index));
    parallel::split(out, inner, 0.2 + 1.0 / inner as f64, |start, mut out| {
        let mut row = start / inner;
        while !out.is_empty() {
            let (o, k) = (row / m, row % m);
            let end = m.min(k + out.len() / inner);
            let part = out.split_off_mut(..(end - k) * inner).expect("no more than there is");
            let x = &x[o * n * inner..][..n * inner];
            if let Some(runs) = &runs {
                let behind = runs.partition_point(|run| run.at + run.length <= k);
                for run in runs[behind..].iter().take_while(|run| run.at < end) {
                    let (from, to) = (run.at.max(k), (run.at + run.length).min(end));
                    let x = &x[(run.first + from - run.at) * inner..][..(to - from) * inner];
                    copy(&mut part[(from - k) * inner..(to - k) * inner], x);
                }
            } else {
                for (out, &entry) in part.chunks_exact_mut(inner).zip(&index[k..]) {
                    copy(out, &x[entry * inner..][..inner]);
                }
            }
            row += end - k;
        }
    });
}

/// Copies what may be a single number, which a call would take longer for.
#[inline]
fn copy<T: Copy>(out: &mut [T], x: &[T]) {
    if let ([out], [x]) = (&mut *out, x) { *out = *x } else { out.copy_from_slice(x) }
}

/// The adjoint of [`select`]: `out[o, i, :] = Σ g[o, k, :]` over the `k` with `index[k] = i`, in their order.
pub(crate) fn add_selected<T: Float>(out: &mut [T], g: &[T], index: &[usize], n: usize, inner: usize) {
    let (m, runs) = (index.len(), runs(index));
    let item = n * inner;
    parallel::items(out, item, item as f64 * 0.2 + (m * inner) as f64 * 0.3, |o, out| {
        let g = &g[o * m * inner..][..m * inner];
        out.fill(T::ZERO);
        if let Some(runs) = &runs {
            for run in runs {
                let g = &g[run.at * inner..][..run.length * inner];
                add(&mut out[run.first * inner..][..run.length * inner], g);
            }
        } else {
            for (g, &entry) in g.chunks_exact(inner).zip(index) {
                add(&mut out[entry * inner..][..inner], g);
            }
        }
    });
}

/// Adds what may be a single number, which a loop would take longer for.
#[inline]
fn add<T: Float>(out: &mut [T], g: &[T]) {
    if let ([out], [g]) = (&mut *out, g) {
        *out += *g;
        return;
    }
    for (out, &g) in out.iter_mut().zip(g) {
        *out += g;
    }
}

/// `out[o, k, j] = x[o, index[o, k, j], j]`; `m` is the length of the index along the middle axis.
pub(crate) fn gather<T: Element>(
    out: &mut [T],
    x: &[T],
    index: &[usize],
    (m, n, inner): (usize, usize, usize),
) {
    parallel::split(out, 1, 2.0, |start, out| {
        for (i, out) in out.iter_mut().enumerate() {
            let at = start + i;
            let (o, j) = (at / (m * inner), at % inner);
            *out = x[(o * n + index[at]) * inner + j];
        }
    });
}

/// The adjoint of [`gather`]: `out[o, i, j] = Σ g[o, k, j]` over the `k` with `index[o, k, j] = i`, in their order.
pub(crate) fn scatter_add<T: Float>(
    out: &mut [T],
    g: &[T],
    index: &[usize],
    (m, n, inner): (usize, usize, usize),
) {
    let item = n * inner;
    parallel::items(out, item, item as f64 * 0.2 + (m * inner) as f64 * 2.0, |o, out| {
        out.fill(T::ZERO);
        for k in 0..m * inner {
            let at = o * m * inner + k;
            out[index[at] * inner + k % inner] += g[at];
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_selected_and_added_back_on_any_number_of_threads() {
        let scattered: Vec<usize> = (0..50).map(|k| k * 7 % 30).collect();
        let mirrored: Vec<usize> = (1..4).rev().chain(0..30).chain((20..29).rev()).collect();
        for index in [&scattered[..], &mirrored, &[], &[7], &[4, 5, 5, 6, 6], &[29, 0, 1]] {
            for (outer, inner) in [(1, 1), (3, 1), (2, 5), (0, 4), (4, 0), (2000, 1), (700, 3), (60, 64)] {
                let (m, n) = (index.len(), 30);
                let place = |i: usize| (i / (m * inner) * n + index[i / inner % m]) * inner + i % inner;
                let x: Vec<f32> = (0..outer * n * inner).map(|i| (i * 7919 % 1009) as f32 * 0.37).collect();
                let g: Vec<f32> = (0..outer * m * inner).map(|i| (i * 31 % 997) as f32 * 0.37).collect();
                let selected: Vec<f32> = (0..g.len()).map(|i| x[place(i)]).collect();
                let mut added = vec![0.0; x.len()];
                g.iter().enumerate().for_each(|(i, g)| added[place(i)] += g);
                for threads in [1, 2, 5] {
                    let (mut out, mut sums) = (vec![f32::NAN; g.len()], vec![f32::NAN; x.len()]);
                    crate::with_threads(threads, || {
                        select(&mut out, &x, index, n, inner);
                        add_selected(&mut sums, &g, index, n, inner);
                    });
                    assert!(out == selected, "{index:?}, {outer} by {inner} on {threads}");
                    assert!(sums == added, "{index:?}, {outer} by {inner} on {threads}, added");
                }
            }
        }
    }
}
