//! How much memory is alive at once, at most.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many measurements are under way. Blocks are counted one by one while there are any, and else not at all: what
/// is alive now is a sum over threads, of which no thread sees the largest value as it passes.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
static MEASUREMENTS: Mutex<Vec<Measurement>> = Mutex::new(Vec::new());

/// What one measurement has seen.
struct Measurement {
    id: usize,
    /// Bytes taken less bytes given back since it began.
    alive: i64,
    most: i64,
}

fn measurements() -> MutexGuard<'static, Vec<Measurement>> {
    MEASUREMENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts bytes that were taken, or given back if there are fewer than 0.
#[inline]
pub(super) fn count(bytes: i64) {
    if UNDER_WAY.load(Ordering::Relaxed) > 0 {
        count_in_each(bytes);
    }
}

#[cold]
fn count_in_each(bytes: i64) {
    for measurement in measurements().iter_mut() {
        measurement.alive += bytes;
        measurement.most = measurement.most.max(measurement.alive);
    }
}

/// A measurement that ends when this is dropped.
struct UnderWay(usize);

impl UnderWay {
    fn start() -> Self {
        let mut all = measurements();
        // One more than the newest, so that no two under way are alike.
        let id = all.last().map_or(0, |newest| newest.id + 1);
        all.push(Measurement { id, alive: 0, most: 0 });
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        Self(id)
    }

    fn most(&self) -> u64 {
        let all = measurements();
        let own = all.iter().find(|measurement| measurement.id == self.0);
        own.map_or(0, |measurement| measurement.most as u64)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        measurements().retain(|measurement| measurement.id != self.0);
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs `body`; also the largest number of bytes that were alive at once while it ran, beyond those that were alive
/// before.
///
/// Bytes of buffers and nodes of all threads are counted, as rounded up by the pool (see
/// [`Memory::live_bytes`](crate::Memory::live_bytes)), whether they came from the system or were recycled. Measurements
/// may nest, and may run at the same time on several threads, each counting what all of them do. It is exact; every
/// buffer taken meanwhile costs a lock, so that it is nothing to leave on.
///
/// ```
/// use autodiff::{Tensor, peak_memory};
/// let (sum, most) = peak_memory(|| {
///     let x = Tensor::<f64>::ones([1024]);
///     let y = x.square(); // two of 8 KiB
///     drop(x);
///     y.sqrt().sum().item() // again two, and a number
/// });
/// assert_eq!(sum, 1024.0);
/// assert!((16 * 1024..18 * 1024).contains(&most));
/// ```
pub fn peak_memory<R>(body: impl FnOnce() -> R) -> (R, u64) {
    let measurement = UnderWay::start();
    let result = body();
    (result, measurement.most())
}
