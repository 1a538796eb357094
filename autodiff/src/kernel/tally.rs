//! The counters of what is alive.

use super::memory::{CLASSES, NODES, class_bytes};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What one thread has done; summed over threads on request, so that counting needs no shared cache line.
pub(super) struct Tally {
    /// Blocks taken less blocks given back, by class.
    pub(super) live: [AtomicI64; CLASSES],
    /// Blocks taken.
    pub(super) taken: AtomicI64,
    /// Blocks that came from the system.
    pub(super) fresh: AtomicI64,
}

static TALLIES: Mutex<Vec<Arc<Tally>>> = Mutex::new(Vec::new());
/// The sums of threads that have ended.
pub(super) static ENDED: Tally = Tally::new();

pub(super) fn tallies() -> MutexGuard<'static, Vec<Arc<Tally>>> {
    TALLIES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    pub(super) const fn new() -> Self {
        let [taken, fresh] = [const { AtomicI64::new(0) }; 2];
        Self { live: [const { AtomicI64::new(0) }; CLASSES], taken, fresh }
    }

    pub(super) fn add_to(&self, total: &Self) {
        for (own, total) in self.live.iter().zip(&total.live) {
            total.fetch_add(own.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        total.taken.fetch_add(self.taken.load(Ordering::Relaxed), Ordering::Relaxed);
        total.fresh.fetch_add(self.fresh.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Adds to a counter that only this thread writes: a load and a store, no locked instruction.
#[inline]
pub(super) fn bump(counter: &AtomicI64, by: i64) {
    counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
}

/// What is alive, all threads together. See [`memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Buffers that an array or a tape holds.
    pub live_buffers: i64,
    /// Bytes of buffers and nodes, as rounded up by the pool.
    pub live_bytes: i64,
    /// Nodes of tapes that are alive, leaves included.
    pub live_nodes: i64,
    /// Blocks taken for buffers and nodes since the program began.
    pub taken: u64,
    /// Those that came from the system; all others were recycled.
    pub fresh: u64,
}

/// Counts what is alive: buffers, bytes, nodes.
///
/// After a graph is dropped its nodes and buffers are gone from these counts; a leak is visible as a number. How much is
/// alive at once, at most, is measured by [`peak_memory`](crate::peak_memory).
///
/// ```
/// let before = autodiff::memory();
/// let x = autodiff::Tensor::<f32>::zeros([2, 3]).variable();
/// assert_eq!(autodiff::memory().live_buffers, before.live_buffers + 1);
/// assert_eq!(autodiff::memory().live_nodes, before.live_nodes + 1);
/// drop(x);
/// assert_eq!(autodiff::memory().live_nodes, before.live_nodes);
/// ```
pub fn memory() -> Memory {
    let total = Tally::new();
    let list = tallies();
    for tally in list.iter() {
        tally.add_to(&total);
    }
    ENDED.add_to(&total);
    let live = total.live.map(AtomicI64::into_inner);
    Memory {
        live_buffers: live[..NODES].iter().sum(),
        live_bytes: live.iter().enumerate().map(|(class, &count)| count * class_bytes(class) as i64).sum(),
        live_nodes: live[NODES],
        taken: total.taken.into_inner() as u64,
        fresh: total.fresh.into_inner() as u64,
    }
}
