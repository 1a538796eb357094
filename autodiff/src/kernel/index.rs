//! Reading and adding at given indices along the middle axis of `[outer, n, inner]`. A wrong index never reads elsewhere: where
//! the caller has checked the indices, one would panic, and else the caller learns of it.

use crate::float::Float;
use crate::kernel::buffer::Element;
use crate::kernel::parallel;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Nanoseconds to read at an index, and to add at one: the indices themselves are what memory brings.
const READ_NS: f64 = 0.6;
const ADD_NS: f64 = 1.0;

/// `out[o, k, j] = x[o, index[o, k, j], j]`; `m` is the length of the index along the middle axis. Returns whether all
/// indices are below `n`; if not, what is written is unspecified.
///
/// They are checked where they are read: a pass of its own over a million of them takes a third as long as the reading.
pub(crate) fn gather<T: Element>(
    out: &mut [T],
    x: &[T],
    index: &[usize],
    (m, n, inner): (usize, usize, usize),
) -> bool {
    assert_eq!(out.len(), index.len(), "index: lengths differ");
    let item = n * inner;
    // A row of the output along the last axis, which reads from one place on.
    let width = if inner == 1 { m } else { inner };
    let valid = AtomicBool::new(true);
    parallel::split(out, 1, READ_NS, |start, out| {
        for row in parallel::within_rows(start, out.len(), width) {
            let (o, j) = (row.start / (m * inner), row.start % inner);
            let x = &x[o * item..][..item];
            let index = &index[row.clone()];
            let out = &mut out[row.start - start..row.end - start];
            let found = if inner == 1 {
                read(out, index, |_, i| x.get(i))
            } else {
                read(out, index, |k, i| (i < n).then(|| &x[i * inner + j + k]))
            };
            if !found {
                valid.store(false, Ordering::Relaxed);
            }
        }
    });
    valid.into_inner()
}

/// Reads an element for each index, of which the closure gets the position and the value; whether there was each.
fn read<'a, T: Element>(
    out: &mut [T],
    index: &[usize],
    element: impl Fn(usize, usize) -> Option<&'a T>,
) -> bool {
    out.iter_mut().zip(index).enumerate().all(|(k, (out, &i))| match element(k, i) {
        Some(&x) => {
            *out = x;
            true
        }
        None => false,
    })
}

/// The adjoint of [`gather`], added to what `base` has, or to nothing:
/// `out[o, i, j] = base[o, i, j] + Σ g[o, k, j]` over the `k` with `index[o, k, j] = i`, in their order. Returns whether all
/// indices are below `n`; if not, what is written is unspecified.
pub(crate) fn scatter_add<T: Float>(
    out: &mut [T],
    base: Option<&[T]>,
    g: &[T],
    index: &[usize],
    (m, n, inner): (usize, usize, usize),
) -> bool {
    assert_eq!(g.len(), index.len(), "index: lengths differ");
    let (item, added) = (n * inner, m * inner);
    if item == 0 {
        return index.is_empty();
    }
    let valid = AtomicBool::new(true);
    parallel::items(out, item, item as f64 * 0.2 + added as f64 * ADD_NS, |o, out| {
        match base {
            Some(base) => out.copy_from_slice(&base[o * item..][..item]),
            None => out.fill(T::ZERO),
        }
        let (g, index) = (&g[o * added..][..added], &index[o * added..][..added]);
        let found = if inner == 1 {
            add_each(g, index, |_, i, g| out.get_mut(i).map(|out| *out += g))
        } else {
            g.chunks_exact(inner)
                .zip(index.chunks_exact(inner))
                .all(|(g, index)| add_each(g, index, |j, i, g| (i < n).then(|| out[i * inner + j] += g)))
        };
        if !found {
            valid.store(false, Ordering::Relaxed);
        }
    });
    valid.into_inner()
}

/// Adds a number for each index, of which the closure gets the position and the value; whether it could add each.
fn add_each<T: Float>(g: &[T], index: &[usize], mut to: impl FnMut(usize, usize, T) -> Option<()>) -> bool {
    g.iter().zip(index).enumerate().all(|(k, (&g, &i))| to(k, i, g).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes `[outer, m, n, inner]`: of the index and of what it points into.
    const SIZES: [[usize; 4]; 10] = [
        [1, 1, 1, 1],
        [3, 5, 4, 1],
        [2, 3, 7, 5],
        [0, 3, 2, 4],
        [2, 0, 3, 1],
        [2, 3, 4, 0],
        [1, 50_001, 33, 1],
        [70, 1000, 9, 1],
        [1, 9, 300, 7001],
        [40, 65, 3, 33],
    ];

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + 13) % 1009) as f32 / 1009.0 - 0.3).collect()
    }

    fn indices(count: usize, n: usize) -> Vec<usize> {
        (0..count).map(|i| (i * 7919 + i / 13) % n).collect()
    }

    #[test]
    fn reading_and_adding_agree_with_the_definition_on_any_number_of_threads() {
        for [outer, m, n, inner] in SIZES {
            let (x, g) = (numbers(outer * n * inner), numbers(outer * m * inner));
            let index = indices(g.len(), n);
            let mut read = vec![0.0; g.len()];
            let mut summed = x.clone();
            let mut alone = vec![0.0; x.len()];
            for at in 0..g.len() {
                let (o, j) = (at / (m * inner), at % inner);
                let place = (o * n + index[at]) * inner + j;
                read[at] = x[place];
                summed[place] += g[at];
                alone[place] += g[at];
            }
            for threads in [1, 2, 5] {
                crate::with_threads(threads, || {
                    let mut out = vec![f32::NAN; g.len()];
                    assert!(gather(&mut out, &x, &index, (m, n, inner)));
                    assert_eq!(out, read);
                    let mut out = vec![f32::NAN; x.len()];
                    assert!(scatter_add(&mut out, Some(&x), &g, &index, (m, n, inner)));
                    assert_eq!(out, summed);
                    assert!(scatter_add(&mut out, None, &g, &index, (m, n, inner)));
                    assert_eq!(out, alone);
                });
            }
        }
    }

    #[test]
    fn an_index_beyond_the_axis_is_noticed_wherever_it_is() {
        for [outer, m, n, inner] in SIZES {
            let (x, g) = (numbers(outer * n * inner), numbers(outer * m * inner));
            for at in [0, g.len() / 2, g.len().wrapping_sub(1)].into_iter().filter(|&at| at < g.len()) {
                for beyond in [n, usize::MAX, usize::MAX / 2 + 1] {
                    let mut index = indices(g.len(), n);
                    index[at] = beyond;
                    let mut out = vec![0.0; g.len()];
                    assert!(!gather(&mut out, &x, &index, (m, n, inner)));
                    let mut out = vec![0.0; x.len()];
                    assert!(!scatter_add(&mut out, None, &g, &index, (m, n, inner)));
                }
            }
        }
    }

    #[test]
    fn an_axis_without_entries_has_none_to_read() {
        assert!(!gather(&mut [0.0], &[], &[0], (1, 0, 1)));
        assert!(!scatter_add(&mut [], None, &[1.0], &[0], (1, 0, 1)));
    }

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
