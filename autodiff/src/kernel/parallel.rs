//! How loops are split over threads: by estimated time, in chunks whose size does not depend on the thread count.
//!
//! Parallel code here only ever writes disjoint pieces of its output, so results have the same bits for any number of
//! threads. Waking a second thread costs 6-20 µs, so a loop goes parallel from about [`SERIAL_NS`] of work on.

use rayon::prelude::*;

/// Estimated work, in nanoseconds, below which a loop stays on its thread.
pub(crate) const SERIAL_NS: f64 = 60_000.0;

/// Estimated work, in nanoseconds, of one chunk: small enough to balance, large enough to hide the split.
const CHUNK_NS: f64 = 15_000.0;

/// Whether work of about `ns` nanoseconds is worth more than one thread.
#[inline]
pub(crate) fn worthwhile(ns: f64) -> bool {
    ns >= SERIAL_NS && rayon::current_num_threads() > 1
}

/// Calls `body(start, piece)` for consecutive pieces of `out`, each a multiple of `unit` long (the last may be
/// shorter); `start` is the index of the piece's first element. `ns` is the estimated cost of one element.
pub(crate) fn split<T: Send>(out: &mut [T], unit: usize, ns: f64, body: impl Fn(usize, &mut [T]) + Sync) {
    if worthwhile(out.len() as f64 * ns) {
        let chunk = ((CHUNK_NS / ns) as usize).max(1).next_multiple_of(unit.max(1));
        out.par_chunks_mut(chunk).enumerate().for_each(|(i, piece)| body(i * chunk, piece));
    } else {
        body(0, out);
    }
}

/// Calls `body(i, item)` for each of the `unit`-long items of `out`, in parallel if all of them together, at `ns`
/// nanoseconds an item, are worth it.
pub(crate) fn items<T: Send>(out: &mut [T], unit: usize, ns: f64, body: impl Fn(usize, &mut [T]) + Sync) {
    if unit == 0 || out.is_empty() {
        return;
    }
    if worthwhile((out.len() / unit) as f64 * ns) {
        out.par_chunks_mut(unit).enumerate().for_each(|(i, item)| body(i, item));
    } else {
        out.chunks_mut(unit).enumerate().for_each(|(i, item)| body(i, item));
    }
}

/// Runs `body` in a thread pool of `threads` threads; every kernel called from it uses that pool and no other.
///
/// Results have the same bits whatever the number. A sequential program is also faster inside: a kernel that goes
/// parallel need not wake a pool from outside. Thread-local state (`no_grad`) does not follow into the pool: set it
/// inside `body`.
///
/// # Panics
/// If the operating system cannot start the threads, or if `threads` is zero.
///
/// ```
/// let threads = autodiff::with_threads(2, || rayon::current_num_threads());
/// assert_eq!(threads, 2);
/// ```
pub fn with_threads<R: Send>(threads: usize, body: impl FnOnce() -> R + Send) -> R {
    assert!(threads > 0, "with_threads: at least one thread is needed");
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(body),
        Err(error) => panic!("with_threads: cannot start {threads} threads: {error}"),
    }
}
