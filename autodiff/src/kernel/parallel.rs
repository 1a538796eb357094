//! How loops are split over threads: by estimated time, in chunks whose size does not depend on the thread count.
//!
//! Parallel code here only ever writes disjoint pieces of its output, so results have the same bits for any number of
//! threads. Waking a second thread costs 6-20 µs, so a loop goes parallel from about [`WAKE_NS`] of work on; while others
//! are awake from the last one (see [`team`]), from [`SERIAL_NS`] on.
//!
//! What threads need is compiled once, in [`each`], and not for every loop of every crate that uses this one.

use crate::kernel::team;
use crate::scoped::scoped;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Estimated work, in nanoseconds, for which other threads are woken.
const WAKE_NS: f64 = 60_000.0;

/// Estimated work, in nanoseconds, below which a loop stays on its thread even if others are awake.
pub(crate) const SERIAL_NS: f64 = 20_000.0;

/// Estimated work, in nanoseconds, of one chunk: small enough to balance, large enough to hide the split.
const CHUNK_NS: f64 = 8_000.0;

/// Bytes of an output that is still in the second-level cache when the next loop reads it. A larger one is written from its
/// end towards its start every other time, so that a loop begins with what the last one has left there: worth 3 to 10 % of
/// a loop over 2 to 4 MiB that memory sets the pace of.
const CACHED: usize = 1 << 20;

thread_local! {
    /// Whether the next large output is written from its end.
    static DOWNWARDS: Cell<bool> = const { Cell::new(false) };
    /// Whether everything stays on this thread.
    static SERIAL: Cell<bool> = const { Cell::new(false) };
}

/// How many threads work is cut for.
#[inline]
pub(crate) fn threads() -> usize {
    if SERIAL.get() { 1 } else { rayon::current_num_threads() }
}

/// Runs `body` with all kernels on this thread.
pub(crate) fn serially<R>(body: impl FnOnce() -> R) -> R {
    scoped(&SERIAL, true, body)
}

/// Whether work of about `ns` nanoseconds is worth more than one thread.
#[inline]
pub(crate) fn worthwhile(ns: f64) -> bool {
    ns >= SERIAL_NS && threads() > 1 && (ns >= WAKE_NS || team::is_awake())
}

/// Calls `body(i)` for each `i` below `count`, on several threads, `least` of them in a row.
///
/// Each thread has a range of its own, the same in each loop over as many, whose numbers may still be in its caches. It takes
/// them a few at a time, and when none are left, those of the others: none waits while there is work, and the threads
/// end together but for the length of one piece.
#[inline(never)]
pub(crate) fn each(count: usize, least: usize, body: &(dyn Fn(usize) + Sync)) {
    let least = least.max(1);
    let pieces = count.div_ceil(least);
    let workers = threads().min(pieces);
    if workers <= 1 {
        return (0..count).for_each(body);
    }
    let start = |worker: usize| worker * pieces / workers;
    let next: Vec<_> = (0..workers).map(|worker| Next(AtomicUsize::new(start(worker)))).collect();
    team::together(workers - 1, &|own| {
        let own = own.min(workers - 1);
        for worker in (own..workers).chain(0..own) {
            loop {
                let piece = next[worker].0.fetch_add(1, Ordering::Relaxed);
                if piece >= start(worker + 1) {
                    break;
                }
                (piece * least..count.min((piece + 1) * least)).for_each(body);
            }
        }
    });
}

/// The next piece of a range, on a line of the cache of its own.
#[repr(align(64))]
struct Next(AtomicUsize);

/// A slice whose disjoint pieces are written by several threads.
pub(crate) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: access is by `slice`, whose callers promise that pieces are disjoint, as with `split_at_mut`, or by an address, of
// which whoever writes there says why nobody else does.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Shared { start: slice.as_mut_ptr(), len: slice.len(), owner: PhantomData }
    }

    /// The `len` elements from `start` on.
    ///
    /// # Safety
    /// No two pieces that overlap may be alive at the same time.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice(&self, start: usize, len: usize) -> &mut [T] {
        assert!(start + len <= self.len);
        // SAFETY: inside the slice, as just checked; the caller promises that it is the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }

    /// Where the `len` elements from `start` on are, for those who write some of them.
    pub(crate) fn place(&self, start: usize, len: usize) -> *mut T {
        assert!(start + len <= self.len);
        self.start.wrapping_add(start)
    }
}

/// An output cut into pieces, which threads take one by one.
pub(crate) struct Pieces<'a, T> {
    output: Shared<'a, T>,
    size: usize,
}

impl<'a, T> Pieces<'a, T> {
    /// Pieces of `size` elements, the last of which may be shorter.
    pub(crate) fn new(out: &'a mut [T], size: usize) -> Self {
        Self { output: Shared::new(out), size }
    }

    pub(crate) fn count(&self) -> usize {
        self.output.len.div_ceil(self.size)
    }

    /// Piece `i`.
    ///
    /// # Safety
    /// Each piece may be taken once.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn take(&self, i: usize) -> &mut [T] {
        let from = i * self.size;
        assert!(from < self.output.len, "parallel: there is no piece {i}");
        // SAFETY: pieces do not overlap, and by the caller's promise this one has not been taken.
        unsafe { self.output.slice(from, self.size.min(self.output.len - from)) }
    }
}

/// Calls `body(i, piece)` for the consecutive pieces of `out` of `size` elements, on several threads, `least` of them in a
/// row.
fn pieces<T: Send>(out: &mut [T], size: usize, least: usize, body: &(impl Fn(usize, &mut [T]) + Sync)) {
    let pieces = Pieces::new(out, size);
    each(pieces.count(), least, &|i| {
        // SAFETY: `each` calls with every `i` once.
        let piece = unsafe { pieces.take(i) };
        body(i, piece);
    });
}

/// Calls `body(start, piece)` for consecutive pieces of `out`, each a multiple of `unit` long (the last may be
/// shorter); `start` is the index of the piece's first element. `ns` is the estimated cost of one element.
pub(crate) fn split<T: Send>(out: &mut [T], unit: usize, ns: f64, body: impl Fn(usize, &mut [T]) + Sync) {
    if worthwhile(out.len() as f64 * ns) {
        let chunk = ((CHUNK_NS / ns) as usize).max(1).next_multiple_of(unit.max(1));
        pieces(out, chunk, 1, &|i, piece: &mut [T]| body(i * chunk, piece));
    } else if size_of_val(out) <= CACHED {
        body(0, out);
    } else {
        let size = (CACHED / 4 / size_of::<T>()).next_multiple_of(unit.max(1));
        let count = out.len().div_ceil(size);
        let downwards = DOWNWARDS.replace(!DOWNWARDS.get());
        for i in 0..count {
            let start = size * if downwards { count - 1 - i } else { i };
            let end = out.len().min(start + size);
            body(start, &mut out[start..end]);
        }
    }
}

/// The parts of a piece of `len` elements from `start` on that lie in one row of `width` elements each.
pub(crate) fn within_rows(start: usize, len: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let (mut at, end) = (start, start + len);
    std::iter::from_fn(move || {
        let from = at;
        at = if at < end { end.min(at - at % width + width) } else { end };
        (from < end).then_some(from..at)
    })
}

/// How many items of `ns` nanoseconds a thread takes at once, for the taking to cost nothing.
pub(crate) fn in_a_row(ns: f64) -> usize {
    (CHUNK_NS / 4.0 / ns) as usize
}

/// Calls `body(i, item)` for each of the `unit`-long items of `out`, in parallel if all of them together, at `ns`
/// nanoseconds an item, are worth it.
pub(crate) fn items<T: Send>(out: &mut [T], unit: usize, ns: f64, body: impl Fn(usize, &mut [T]) + Sync) {
    if unit == 0 || out.is_empty() {
        return;
    }
    if worthwhile(out.len() as f64 / unit as f64 * ns) {
        pieces(out, unit, in_a_row(ns), &body);
    } else {
        out.chunks_mut(unit).enumerate().for_each(|(i, item)| body(i, item));
    }
}

/// Calls `body(i, item of a, item of b)` for the items of two outputs, each with the length of its items, of which there
/// are as many in both (the last may be shorter); in parallel if all of them, at `ns` nanoseconds each, are worth it.
pub(crate) fn pairs<A: Send, B: Send>(
    (a, a_unit): (&mut [A], usize),
    (b, b_unit): (&mut [B], usize),
    ns: f64,
    body: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    let count = a.len().div_ceil(a_unit);
    assert_eq!(count, b.len().div_ceil(b_unit), "parallel: not as many items in both outputs");
    if worthwhile(count as f64 * ns) {
        let (a, b) = (Pieces::new(a, a_unit), Pieces::new(b, b_unit));
        each(count, in_a_row(ns), &|i| {
            // SAFETY: `each` calls with every `i` once.
            let (a, b) = unsafe { (a.take(i), b.take(i)) };
            body(i, a, b);
        });
    } else {
        let items = a.chunks_mut(a_unit).zip(b.chunks_mut(b_unit));
        items.enumerate().for_each(|(i, (a, b))| body(i, a, b));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_called_with_once() {
        for threads in [1, 2, 3, 8] {
            crate::with_threads(threads, || {
                for count in [0, 1, 2, 3, 7, 8, 9, 31, 100] {
                    for least in [0, 1, 2, 5, 40, 200] {
                        let calls: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                        each(count, least, &|i| {
                            calls[i].fetch_add(1, Ordering::Relaxed);
                        });
                        let once = calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1);
                        assert!(once, "{threads} threads, {count} numbers, {least} in a row");
                    }
                }
            });
        }
    }

    #[test]
    fn the_parts_of_a_piece_end_where_rows_do() {
        let parts = |start, len, width| within_rows(start, len, width).collect::<Vec<_>>();
        assert_eq!(parts(3, 9, 5), [3..5, 5..10, 10..12]);
        assert_eq!(parts(5, 5, 5), std::iter::once(5..10).collect::<Vec<_>>());
        assert_eq!(parts(6, 2, 5), std::iter::once(6..8).collect::<Vec<_>>());
        assert_eq!(parts(2, 3, 1), [2..3, 3..4, 4..5]);
        assert_eq!(parts(4, 0, 0), []);
    }

    #[test]
    fn a_thread_without_work_takes_that_of_another() {
        // The first range ends only when the second is done, by whichever thread.
        crate::with_threads(2, || {
            let done = AtomicUsize::new(0);
            each(10, 1, &|i| {
                while i == 0 && done.load(Ordering::Acquire) < 9 {
                    std::thread::yield_now();
                }
                done.fetch_add(1, Ordering::Release);
            });
            assert_eq!(done.load(Ordering::Relaxed), 10);
        });
    }
}
