//! Threads that help with a loop, and stay awake for the next one.
//!
//! A thread of the pool that has nothing to do goes to sleep at once, and to wake it costs 6 to 20 µs, often more than what it
//! is to help with. So each thread that runs loops has a team: tasks of the pool that look for its loops until none has
//! come for [`PATIENCE`]. A loop is posted to them by a store. They come if they can: the thread works on, and waits at the end
//! only for those that have begun.

use crate::scoped::scoped;
use std::any::Any;
use std::cell::Cell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{ThreadId, yield_now};
use std::time::{Duration, Instant};

/// How long a helper looks for the next loop. In a step of training, they follow each other faster.
const PATIENCE: Duration = Duration::from_micros(200);
/// How long it does so before it goes back to the pool, to come again: below it on the stack there may be a task that could go on.
const TURN: Duration = Duration::from_millis(5);
/// How often a helper looks at its team before it lets others have the thread: about 10 µs.
const LOOKS: usize = 200;

/// Of the state of a team: how many helpers are at work on the loop that is open.
const AT_WORK: usize = (1 << 16) - 1;
/// Whether a loop is open to helpers.
const OPEN: usize = 1 << 16;
/// Above that is the number of the loop.
const NUMBER: usize = 1 << 17;

/// A thread that runs loops, and its helpers.
struct Team {
    leader: ThreadId,
    state: AtomicUsize,
    /// The loop that is open.
    job: AtomicPtr<Job<'static>>,
    /// How many helpers look for loops, or are called.
    awake: AtomicUsize,
}

/// A loop, on the stack of its thread.
struct Job<'a> {
    body: &'a (dyn Fn(usize) + Sync),
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

thread_local! {
    /// The team that this thread leads.
    static TEAM: Arc<Team> = Arc::new(Team {
        leader: std::thread::current().id(),
        state: AtomicUsize::new(0),
        job: AtomicPtr::default(),
        awake: AtomicUsize::new(0),
    });
    /// Whether this thread helps.
    static HELPING: Cell<bool> = const { Cell::new(false) };
}

/// Calls `body(0)` on this thread, and `body` of a number on each helper that comes in time: about `helpers` of them. Numbers
/// may occur twice, and be larger than that. Whoever comes must find what is left to do, and `body(0)` alone must do it all.
pub(super) fn together(helpers: usize, body: &(dyn Fn(usize) + Sync)) {
    TEAM.with(|team| team.run(helpers, body));
}

/// Whether a helper looks for the loops of this thread.
pub(super) fn is_awake() -> bool {
    // Each of them holds the team.
    TEAM.with(|team| Arc::strong_count(team) > 1)
}

/// Closes the loop, and waits for those at work on it: also where it panics.
struct Closing<'a>(&'a Team);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_and(!OPEN, Ordering::Relaxed);
        let mut looks = 0;
        // Acquire: what helpers have written is there.
        while self.0.state.load(Ordering::Acquire) & AT_WORK != 0 {
            looks += 1;
            if looks % LOOKS == 0 { yield_now() } else { spin_loop() }
        }
    }
}

impl Team {
    fn run(self: &Arc<Self>, helpers: usize, body: &(dyn Fn(usize) + Sync)) {
        let state = self.state.load(Ordering::Relaxed);
        if state & OPEN != 0 {
            // A loop within one of this thread's, whose helpers have work.
            return body(0);
        }
        let job = Job { body, panic: Mutex::new(None) };
        self.job.store(std::ptr::from_ref(&job).cast_mut().cast(), Ordering::Relaxed);
        // Release: who sees the loop open sees the job.
        self.state.store(state.wrapping_add(NUMBER) | OPEN, Ordering::Release);
        let closing = Closing(self);
        for helper in self.awake.load(Ordering::Relaxed)..helpers {
            self.awake.fetch_add(1, Ordering::Relaxed);
            let team = self.clone();
            rayon::spawn(move || team.help(helper + 1));
        }
        body(0);
        drop(closing);
        if let Some(panic) = job.panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(panic);
        }
    }

    /// Helps until no loop has come for a while, as the thread of this number.
    fn help(self: Arc<Self>, number: usize) {
        // The leader may be given its own task, and a helper one more.
        let helps = self.leader != std::thread::current().id() && !HELPING.get();
        if helps && scoped(&HELPING, true, || self.look(number)) {
            rayon::spawn(move || self.help(number));
        } else {
            self.awake.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Works on the loops that come in a turn; whether there may be more.
    fn look(&self, number: usize) -> bool {
        let start = Instant::now();
        let (mut last, mut done) = (start, 0);
        while last.elapsed() < PATIENCE {
            if start.elapsed() > TURN {
                return true;
            }
            for _ in 0..LOOKS {
                let state = self.state.load(Ordering::Relaxed);
                if state & OPEN != 0 && state / NUMBER != done && self.join(state, number) {
                    done = state / NUMBER;
                    last = Instant::now();
                }
                spin_loop();
            }
            // Others may need the thread, for longer: until it is back, this is no helper.
            self.awake.fetch_sub(1, Ordering::Relaxed);
            rayon::yield_now();
            yield_now();
            self.awake.fetch_add(1, Ordering::Relaxed);
        }
        false
    }

    /// Works on the loop that is open, if the state is still this one.
    fn join(&self, state: usize, number: usize) -> bool {
        // Acquire: the job is what was stored before.
        if self.state.compare_exchange(state, state + 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return false;
        }
        // SAFETY: the loop was open when this was counted as being at work, so that its thread waits, with the job, until
        // this is counted no more.
        let job = unsafe { &*self.job.load(Ordering::Relaxed) };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (job.body)(number))) {
            *job.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
        // Release: what was written here is there when it is counted no more.
        self.state.fetch_sub(1, Ordering::Release);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::with_threads;
    use std::sync::atomic::AtomicBool;

    /// Waits for a flag that another thread sets.
    fn wait(flag: &AtomicBool) {
        while !flag.load(Ordering::Acquire) {
            yield_now();
        }
    }

    #[test]
    fn a_loop_ends_when_all_at_work_on_it_have() {
        for _ in 0..200 {
            with_threads(3, || {
                let (comes, begun, ended) =
                    (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
                together(2, &|number| {
                    if number == 0 {
                        return wait(&comes);
                    }
                    begun.fetch_add(1, Ordering::Relaxed);
                    comes.store(true, Ordering::Release);
                    yield_now();
                    ended.fetch_add(1, Ordering::Relaxed);
                });
                let (begun, ended) = (begun.into_inner(), ended.into_inner());
                assert!(begun > 0 && begun == ended, "{begun} have begun, {ended} have ended");
            });
        }
    }

    #[test]
    fn a_panic_arrives_when_all_have_ended() {
        with_threads(2, || {
            for of in [0, 1, 0, 1] {
                let (begun, ended) = ([0, 1].map(|_| AtomicBool::new(false)), AtomicBool::new(false));
                let run = || {
                    together(1, &|number| {
                        begun[number].store(true, Ordering::Release);
                        wait(&begun[1 - number]);
                        assert!(number != of, "number {number}");
                        yield_now();
                        ended.store(true, Ordering::Relaxed);
                    });
                };
                let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
                assert_eq!(panic.downcast_ref::<String>(), Some(&format!("number {of}")));
                assert!(ended.load(Ordering::Relaxed));
            }
        });
    }

    #[test]
    // Users may join, in the pool that helps.
    #[allow(clippy::disallowed_methods)]
    fn several_threads_run_loops_and_loops_in_loops() {
        let sum = AtomicUsize::new(0);
        let count = |times: usize| {
            for _ in 0..times {
                let left = AtomicUsize::new(100);
                let take =
                    || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
                together(3, &|_| {
                    while take().is_ok() {
                        together(3, &|number| _ = sum.fetch_add(usize::from(number == 0), Ordering::Relaxed));
                    }
                });
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| count(50));
            scope.spawn(|| with_threads(4, || count(50)));
            scope.spawn(|| with_threads(2, || rayon::join(|| count(25), || count(25))));
        });
        assert_eq!(sum.into_inner(), 150 * 100);
    }

    #[test]
    fn a_helper_goes_back_to_the_pool_while_loops_come() {
        let job = Job { body: &|_| (), panic: Mutex::new(None) };
        let team = Team {
            leader: std::thread::current().id(),
            state: AtomicUsize::new(OPEN),
            job: AtomicPtr::new(std::ptr::from_ref(&job).cast_mut().cast()),
            awake: AtomicUsize::new(1),
        };
        let over = AtomicBool::new(false);
        let came_back = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    team.state.fetch_add(NUMBER, Ordering::Release);
                    (0..100).for_each(|_| spin_loop());
                }
            });
            // A pause of this thread or of that may end a turn before its time.
            let begun = Instant::now();
            let mut came_back = false;
            while !came_back && begun.elapsed() < Duration::from_mins(1) {
                came_back = team.look(1);
            }
            over.store(true, Ordering::Relaxed);
            came_back
        });
        assert!(came_back);
    }

    #[test]
    fn helpers_go_when_no_loop_comes() {
        with_threads(2, || {
            // The helper of a loop may be gone before this thread has another turn.
            let begun = Instant::now();
            let mut stayed = false;
            while !stayed {
                assert!(begun.elapsed() < Duration::from_mins(1), "none stays");
                let helped = AtomicBool::new(false);
                together(1, &|number| {
                    if number == 0 { wait(&helped) } else { helped.store(true, Ordering::Release) }
                });
                stayed = is_awake();
            }
            let asked = Instant::now();
            while is_awake() {
                assert!(asked.elapsed() < Duration::from_mins(1), "they are still there");
                yield_now();
            }
            together(1, &|_| ());
        });
    }
}
