//! The search for hyperparameters: random trials in rounds, and successive halving.
//!
//! A [`Trial`] is one draw of all hyperparameters. What is searched is a closure that trains with them and returns a
//! **score, the higher the better**: an accuracy, or a loss with its sign changed.
//!
//! ```
//! use autodiff::{Parameter, Tensor};
//! use optim::search::{Range, Search};
//! use optim::{Momentum, Optimizer};
//!
//! // Which learning rate and momentum lead down to the minimum of x² + 10 y² in twenty steps?
//! let report = Search::new(1)
//!     .range("learning rate", Range::log(1e-4, 1.0))
//!     .range("momentum", Range::linear(0.0, 0.99))
//!     .trials(16)
//!     .rounds(3)
//!     .keep(4)
//!     .run(|trial| {
//!         let mut point = Parameter::new(Tensor::from_vec([1.0f64, 1.0], [2])?);
//!         let curvature = Tensor::from_vec([1.0, 10.0], [2])?;
//!         let mut optimizer =
//!             Momentum::new(trial.value("learning rate")).momentum(trial.value("momentum"));
//!         for _ in 0..20 {
//!             (point.square() * &curvature).sum().backward()?;
//!             optimizer.step(&mut point)?;
//!         }
//!         Ok(-(point.square() * &curvature).sum().item())
//!     });
//!
//! let best = report.best().expect("a trial has a score");
//! assert!(*best.score.as_ref().unwrap() > -1e-2);
//! // Each round draws from ranges narrowed around the best of those before.
//! let widths = report.rounds.iter().map(|round| {
//!     let (low, high) = round.ranges[0].1.bounds();
//!     high / low
//! });
//! assert!(widths.is_sorted_by(|before, after| after < before));
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! Why at random: few of the hyperparameters matter, and one does not know which. Of `n` random trials all `n` try
//! another value of the one that does; on a grid of two hyperparameters only `√n` do (Bergstra and Bengio, *Random
//! Search for Hyper-Parameter Optimization*, JMLR 13, 2012).
//!
//! # Threads
//!
//! Trials run side by side, each computing on one thread. Trial number `i` draws from stream `i` of the seed
//! ([`Rng::stream`]), and results are put in the order of numbers: **the report has the same bits for any number of
//! threads**, as long as the closure's score depends on nothing but the trial. A closure that needs random numbers
//! takes them from [`Trial::rng`].
//!
//! # Failures
//!
//! A trial that returns an error, or a score of NaN because training diverged, is no reason to stop. It stays in the
//! report, ranks behind all others, and is neither kept nor narrowed around. A panic, however, comes out of the search.

mod range;
mod report;

pub use range::Range;
pub use report::{Outcome, Report, Round, Trial};

use autodiff::Rng;
use std::error::Error;
use std::ops;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// A search over ranges: how many trials, from which seed, on how many threads. See the [module's page](self).
#[derive(Clone, Debug)]
pub struct Search {
    seed: u64,
    ranges: Vec<(String, Range)>,
    trials: usize,
    rounds: usize,
    keep: usize,
    threads: usize,
}

impl Search {
    /// A search without ranges: one round of 20 trials, 5 kept, on as many threads as there are cores.
    pub fn new(seed: u64) -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self { seed, ranges: Vec::new(), trials: 20, rounds: 1, keep: 5, threads }
    }

    /// Adds a hyperparameter.
    ///
    /// # Panics
    /// If there is one of this name already.
    #[track_caller]
    pub fn range(mut self, name: impl Into<String>, range: Range) -> Self {
        let name = name.into();
        assert!(self.ranges.iter().all(|(other, _)| *other != name), "{name:?} has a range already");
        self.ranges.push((name, range));
        self
    }

    /// How many trials there are in a round; in [`halve`](Self::halve), at the start.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn trials(mut self, trials: usize) -> Self {
        assert!(trials > 0, "a search without trials finds nothing");
        self.trials = trials;
        self
    }

    /// How many rounds [`run`](Self::run) goes through. Each but the first draws from ranges narrowed around the best.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn rounds(mut self, rounds: usize) -> Self {
        assert!(rounds > 0, "a search without rounds finds nothing");
        self.rounds = rounds;
        self
    }

    /// How many of the best trials so far, whatever their round, the ranges are narrowed around.
    ///
    /// Where `k` of them have a score, a range becomes what their values span, from `low` to `high`, and beyond it
    /// `(high - low) / (k - 1)` to either side, as far as the range goes (on the logarithms, for [`Range::log`]). If
    /// the `k` values were drawn evenly from an interval, this is its unbiased estimate. Of a [`Range::choice`] the
    /// values are left that the best have. With fewer than two scores the ranges stay.
    ///
    /// What is cut off does not come back: with few trials kept, a good value may be lost by bad luck elsewhere.
    ///
    /// # Panics
    /// If it is below 2.
    #[track_caller]
    pub fn keep(mut self, keep: usize) -> Self {
        assert!(keep >= 2, "{keep} trials span no range: at least 2 must be kept");
        self.keep = keep;
        self
    }

    /// How many trials run at a time. The report is the same for any number.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn threads(mut self, threads: usize) -> Self {
        assert!(threads > 0, "a search needs at least one thread");
        self.threads = threads;
        self
    }

    /// Random search in rounds: `trials` trials from the ranges, the best kept, the ranges narrowed around them
    /// ([`keep`](Self::keep)), and again.
    ///
    /// `score` trains with the hyperparameters of a trial and returns how good the result is, the higher the better.
    /// It is called from several threads, in training mode and recording whatever the caller's state is.
    ///
    /// # Panics
    /// If `score` does; trials that have not begun are left out.
    pub fn run(&self, score: impl Fn(&Trial) -> Result<f64, Box<dyn Error + Send + Sync>> + Sync) -> Report {
        let mut report = Report { rounds: Vec::new() };
        let mut ranges = self.ranges.clone();
        for round in 0..self.rounds {
            if round > 0 {
                let kept = report.kept(self.keep);
                for (name, range) in &mut ranges {
                    let values: Vec<f64> = kept.iter().map(|outcome| outcome.trial.value(name)).collect();
                    *range = range.narrowed(&values);
                }
            }
            let trials = self.draw(round * self.trials, &ranges);
            let outcomes = self.parallel(trials, |trial| {
                let score = score(&trial);
                Outcome { trial, spent: 0, score }
            });
            report.rounds.push(Round { ranges: ranges.clone(), outcomes });
        }
        report
    }

    /// Successive halving (Jamieson and Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter
    /// Optimization*, AISTATS 2016): many trials are trained a little, the better half of them some more, until one
    /// is left.
    ///
    /// ```text
    /// S₀ = all n trials
    /// for k = 0 .. ⌈log₂ n⌉ - 1
    ///     train each trial of Sₖ for rₖ = ⌊budget / (|Sₖ| ⌈log₂ n⌉)⌋ more units
    ///     Sₖ₊₁ = the best ⌈|Sₖ| / 2⌉ of Sₖ
    /// ```
    ///
    /// `budget` is what all trials may spend together, in units of the caller's choice: steps, epochs. No more than
    /// that is spent, and each round spends about the same. A trial that fails drops out, and what it would have got
    /// is not given to others. The rounds of the report are the rounds `k`; [`rounds`](Self::rounds) and
    /// [`keep`](Self::keep) have no part in it.
    ///
    /// `train` gets the trial, the units to train for, and what it has returned for this trial the round before:
    ///
    /// ```
    /// use optim::search::{Range, Search};
    ///
    /// // x ← (1 - rate) x from 1, for which the best rate is 1.
    /// let report = Search::new(1).range("rate", Range::linear(0.0, 2.0)).trials(8).halve(120, |trial, steps, x| {
    ///     let mut x: f64 = x.unwrap_or(1.0);
    ///     for _step in steps {
    ///         x *= 1.0 - trial.value("rate");
    ///     }
    ///     Ok((-x.abs(), x))
    /// });
    /// let trained = report.rounds.iter().map(|round| (round.outcomes.len(), round.outcomes[0].spent));
    /// assert_eq!(trained.collect::<Vec<_>>(), [(8, 5), (4, 5 + 10), (2, 5 + 10 + 20)]);
    /// ```
    ///
    /// # Panics
    /// If the budget is not enough for one unit a trial in the first round, `n ⌈log₂ n⌉`; if `train` panics.
    #[track_caller]
    pub fn halve<S: Send>(
        &self,
        budget: u64,
        train: impl Fn(&Trial, ops::Range<u64>, Option<S>) -> Result<(f64, S), Box<dyn Error + Send + Sync>>
        + Sync,
    ) -> Report {
        let rounds = u64::from(self.trials.next_power_of_two().ilog2()).max(1);
        let least = self.trials as u64 * rounds;
        assert!(budget >= least, "a budget of {budget} for {} trials: they need {least}", self.trials);
        let mut report = Report { rounds: Vec::new() };
        let mut spent = 0;
        let mut places = self.trials;
        let mut trials: Vec<(Trial, Option<S>)> =
            self.draw(0, &self.ranges).into_iter().map(|trial| (trial, None)).collect();
        for _ in 0..rounds {
            if trials.is_empty() {
                break;
            }
            let units = spent..spent + budget / (places as u64 * rounds);
            spent = units.end;
            let trained = self.parallel(trials, |(trial, state)| {
                let (score, state) = match train(&trial, units.clone(), state) {
                    Ok((score, state)) => (Ok(score), Some(state)),
                    Err(error) => (Err(error), None),
                };
                (Outcome { trial, spent, score }, state)
            });
            let (outcomes, states): (Vec<_>, Vec<_>) = trained.into_iter().unzip();
            report.rounds.push(Round { ranges: self.ranges.clone(), outcomes });
            places = places.div_ceil(2);
            let kept: Vec<u64> = report.kept(places).iter().map(|outcome| outcome.trial.number()).collect();
            let outcomes = &report.rounds[report.rounds.len() - 1].outcomes;
            trials = outcomes
                .iter()
                .zip(states)
                .filter(|(outcome, _)| kept.contains(&outcome.trial.number()))
                .map(|(outcome, state)| (outcome.trial.clone(), state))
                .collect();
        }
        report
    }

    /// The trials with the numbers from `first` on.
    fn draw(&self, first: usize, ranges: &[(String, Range)]) -> Vec<Trial> {
        (first..first + self.trials)
            .map(|number| Trial::draw(number as u64, ranges, &Rng::seed(self.seed)))
            .collect()
    }

    /// What `body` returns for each job, in the order of the jobs.
    ///
    /// The threads are not those of the current thread pool: one of these that waits for a kernel would begin another
    /// trial on top of its own.
    fn parallel<J: Send, R: Send>(&self, jobs: Vec<J>, body: impl Fn(J) -> R + Sync) -> Vec<R> {
        let threads = self.threads.min(jobs.len());
        let queue = Mutex::new(jobs.into_iter().enumerate());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            let mut done = Vec::new();
            while let Some((i, job)) = next() {
                match panic::catch_unwind(AssertUnwindSafe(|| body(job))) {
                    Ok(result) => done.push((i, result)),
                    Err(payload) => {
                        while next().is_some() {}
                        panic::resume_unwind(payload);
                    }
                }
            }
            done
        };
        let mut done = thread::scope(|scope| {
            let workers: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| autodiff::with_threads(1, work))).collect();
            let results = workers.into_iter().map(|worker| match worker.join() {
                Ok(done) => done,
                Err(payload) => panic::resume_unwind(payload),
            });
            results.flatten().collect::<Vec<_>>()
        });
        done.sort_unstable_by_key(|&(i, _)| i);
        done.into_iter().map(|(_, result)| result).collect()
    }
}
