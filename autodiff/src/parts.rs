//! One loss in parts that are computed side by side.
//!
//! Ops are cut among threads one by one, and each of them waits for its slowest thread. The rows of a batch can also be cut
//! once, for a whole pass: then threads meet once in a step. What a part computes depends on which part it is and not on the
//! thread or on what the others do, and gradients are added in the order of the parts, so that results have the same bits for
//! any number of threads.

use crate::backward::{Arrived, arrive, use_up};
use crate::error::Result;
use crate::float::Float;
use crate::kernel::parallel;
use crate::tape::{is_recording, recording};
use crate::tensor::Tensor;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The part that a thread computes.
struct Part {
    index: usize,
    /// The counters that it has asked, and how often.
    counts: Vec<(Arc<AtomicU64>, u64)>,
}

thread_local! {
    static PART: RefCell<Option<Part>> = const { RefCell::new(None) };
}

/// Whether this thread computes a part that is not the first one.
pub(crate) fn is_later() -> bool {
    PART.with_borrow(|part| part.as_ref().is_some_and(|part| part.index > 0))
}

/// The next number of a counter for the part that this thread computes, if it does. The first part has the numbers that it
/// would have alone, and the counter does not move before all are done.
pub(crate) fn next(counter: &Arc<AtomicU64>) -> Option<u64> {
    PART.with_borrow_mut(|part| {
        let Part { index, counts } = part.as_mut()?;
        let place = counts.iter().position(|(own, _)| Arc::ptr_eq(own, counter)).unwrap_or_else(|| {
            counts.push((counter.clone(), 0));
            counts.len() - 1
        });
        let asked = &mut counts[place].1;
        *asked += 1;
        Some(counter.load(Ordering::Relaxed) + *asked - 1 + ((*index as u64) << 40))
    })
}

/// Runs `body` as a part; returns what it returns, and the counters that it has asked.
fn within<R>(index: usize, body: impl FnOnce() -> R) -> (R, Vec<(Arc<AtomicU64>, u64)>) {
    struct Restore(Option<Part>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PART.set(self.0.take());
        }
    }
    let restore = Restore(PART.replace(Some(Part { index, counts: Vec::new() })));
    let result = parallel::serially(body);
    let counts = PART.take().map(|part| part.counts).unwrap_or_default();
    drop(restore);
    (result, counts)
}

/// Computes the gradient of the sum `Σᵢ wᵢ fᵢ` of single numbers `fᵢ = loss(i)`, where `wᵢ` is `weights[i]`, and adds it to
/// the gradients of the variables, as [`Tensor::backward`] does with one loss. Returns the `fᵢ`, as numbers.
///
/// The parts are computed side by side on the threads of the pool, forwards and backwards, each with all of its ops on one
/// thread; gradients are added in the order of the parts. Results have the same bits for any number of threads. Whether the
/// caller records is what the parts do.
///
/// That pays where ops are too small to be cut among threads, or so different in size that threads wait for each other, and
/// if there are as many parts as threads, or a multiple. Memory for the gradients of variables is needed for each part.
///
/// Where a model keeps something between passes, the parts are as one pass: running statistics are those of the first part,
/// and the counters of dropouts ([`Counter`](crate::Counter)) move on by what the first part has asked for; the later parts
/// have masks of their own.
///
/// # Errors
/// What `loss` reports for the first part that fails, or the errors of [`Tensor::backward`]; no gradient has then changed.
///
/// ```
/// use autodiff::{Tensor, backward_in_parts};
/// let rows = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [4])?;
/// let w = Tensor::scalar(3.0).variable();
/// let loss = |i: usize| Ok((rows.slice(0, 2 * i..2 * i + 2)? * &w).square().mean());
/// let losses = backward_in_parts(&[0.5, 0.5], loss)?;
/// assert_eq!(losses, [22.5, 112.5]);
/// assert_eq!(w.grad().unwrap().item(), 45.0); // 2 w mean(x²)
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn backward_in_parts<T: Float>(
    weights: &[T],
    loss: impl Fn(usize) -> Result<Tensor<T>> + Sync,
) -> Result<Vec<T>> {
    type Done<T> = (Result<(T, Arrived<T>)>, Vec<(Arc<AtomicU64>, u64)>);
    let on = is_recording();
    let done: Vec<Mutex<Option<Done<T>>>> = weights.iter().map(|_| Mutex::new(None)).collect();
    parallel::each(weights.len(), 1, &|i| {
        let part = || {
            let loss = recording(on, || loss(i))?;
            let arrived = use_up(&loss, weights[i])?;
            Ok((loss.item(), arrived))
        };
        *done[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(within(i, part));
    });
    let done = done.into_iter().filter_map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner));
    let (parts, counts): (Vec<_>, Vec<_>) = done.unzip();
    for (counter, asked) in counts.into_iter().next().into_iter().flatten() {
        counter.fetch_add(asked, Ordering::Relaxed);
    }
    let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
    let add = |(loss, arrived)| {
        arrive(arrived);
        loss
    };
    Ok(parts.into_iter().map(add).collect())
}
