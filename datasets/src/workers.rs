//! Threads that make batches ahead of the one who takes them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// Threads that make the items `0..count`, which are taken in this order.
///
/// Of `n` threads the first makes the items 0, n, 2n and so on, the second 1, n+1 and so on; each has a channel of its own,
/// and the items are taken from one channel after the other. So neither timing nor the number of threads changes what
/// comes when, and no item waits anywhere but in the channel, which holds one.
pub(crate) struct Workers<T> {
    channels: Vec<Receiver<thread::Result<T>>>,
    threads: Vec<JoinHandle<()>>,
    taken: usize,
}

impl<T: Send + 'static> Workers<T> {
    /// Starts `number` threads.
    ///
    /// # Panics
    /// If the system has no thread left.
    pub(crate) fn start(
        number: usize,
        count: usize,
        make: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Self {
        let make = Arc::new(make);
        let (mut channels, mut threads) = (Vec::new(), Vec::new());
        for first in 0..number.min(count) {
            let (sender, receiver) = sync_channel(1);
            let make = Arc::clone(&make);
            let work = move || {
                for item in (first..count).step_by(number) {
                    let made = catch_unwind(AssertUnwindSafe(|| make(item)));
                    let failed = made.is_err();
                    // An error means that nobody takes any more.
                    if sender.send(made).is_err() || failed {
                        break;
                    }
                }
            };
            let spawned = thread::Builder::new().name(format!("loader {first}")).spawn(work);
            threads.push(spawned.unwrap_or_else(|error| panic!("loader: cannot start a thread: {error}")));
            channels.push(receiver);
        }
        Workers { channels, threads, taken: 0 }
    }
}

impl<T> Workers<T> {
    /// The next item, as soon as it is made.
    ///
    /// # Panics
    /// If making it panicked: with the same payload. If all were taken.
    pub(crate) fn take(&mut self) -> T {
        let channel = &self.channels[self.taken % self.channels.len()];
        self.taken += 1;
        match channel.recv().expect("a worker sends each of its items") {
            Ok(item) => item,
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Stops the threads: each ends with the item that it is at.
impl<T> Drop for Workers<T> {
    fn drop(&mut self) {
        self.channels.clear();
        for thread in self.threads.drain(..) {
            thread.join().expect("panics are caught and sent");
        }
    }
}
