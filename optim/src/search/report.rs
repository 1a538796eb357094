//! Trials, and what has become of them.

use super::Range;
use autodiff::Rng;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::error::Error;

/// One draw of all hyperparameters.
#[derive(Clone, Debug)]
pub struct Trial {
    number: u64,
    values: Vec<(String, f64)>,
    rng: Rng,
}

impl Trial {
    /// Trial `number` of the search with this random stream.
    pub(super) fn draw(number: u64, ranges: &[(String, Range)], rng: &Rng) -> Self {
        let stream = rng.stream(number);
        let mut places = stream.stream(0);
        let values = ranges.iter().map(|(name, range)| (name.clone(), range.at(places.unit()))).collect();
        Self { number, values, rng: stream.stream(1) }
    }

    /// The number of the trial, from 0. It goes on from round to round.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The value of a hyperparameter.
    ///
    /// # Panics
    /// If the search has no range of this name.
    #[track_caller]
    pub fn value(&self, name: &str) -> f64 {
        let found = self.values.iter().find(|(other, _)| other == name);
        let missing = || {
            let names: Vec<&str> = self.values.iter().map(|(name, _)| name.as_str()).collect();
            panic!("there is no range {name:?} among {names:?}")
        };
        found.map_or_else(missing, |(_, value)| *value)
    }

    /// The hyperparameters with their names, in the order in which the ranges were added.
    pub fn values(&self) -> &[(String, f64)] {
        &self.values
    }

    /// A stream of random numbers that belongs to this trial, from its beginning: for initial weights, and streams of
    /// it ([`Rng::stream`]) for the order of examples and the like.
    pub fn rng(&self) -> Rng {
        self.rng.clone()
    }
}

/// What has become of a trial.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The trial.
    pub trial: Trial,
    /// The units of budget that it has spent so far; 0 in [`Search::run`](super::Search::run), which knows no budget.
    pub spent: u64,
    /// Its score, the higher the better, or why there is none.
    pub score: Result<f64, Box<dyn Error + Send + Sync>>,
}

impl Outcome {
    /// The score that the trial can be compared by: there is none if it failed or the score is NaN.
    fn rank(&self) -> Option<f64> {
        self.score.as_ref().ok().copied().filter(|score| !score.is_nan())
    }

    /// Orders the better outcome first: see [`Report::ranked`].
    fn compare(&self, other: &Self) -> Ordering {
        let by_score = match (self.rank(), other.rank()) {
            (Some(a), Some(b)) => other.spent.cmp(&self.spent).then(b.total_cmp(&a)),
            (a, b) => b.is_some().cmp(&a.is_some()).then(self.score.is_err().cmp(&other.score.is_err())),
        };
        by_score.then(self.trial.number.cmp(&other.trial.number))
    }
}

/// Trials that were drawn from the same ranges and trained side by side.
#[derive(Debug)]
#[non_exhaustive]
pub struct Round {
    /// The ranges with their names.
    pub ranges: Vec<(String, Range)>,
    /// What has become of each trial, in the order of their numbers.
    pub outcomes: Vec<Outcome>,
}

/// What a search has found, failures included.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// The rounds, in order.
    pub rounds: Vec<Round>,
}

impl Report {
    /// The best trial of all, if one has a score.
    ///
    /// ```
    /// use optim::search::{Range, Search};
    /// let search = Search::new(1).range("x", Range::linear(-1.0, 1.0));
    /// let report = search.run(|trial| Ok(-trial.value("x").powi(2)));
    /// assert!(report.best().unwrap().trial.value("x").abs() < 0.1);
    ///
    /// let report = search.run(|_| Err("out of disk space".into()));
    /// assert!(report.best().is_none());
    /// assert_eq!(report.ranked().len(), 20);
    /// ```
    pub fn best(&self) -> Option<&Outcome> {
        self.kept(1).first().copied()
    }

    /// The last outcome of every trial, the best first: more budget spent before less, then a higher score before a
    /// lower one, then the lower number. Scores of NaN are behind all others, and errors behind these.
    ///
    /// Scores are compared among equal budgets only: the winner of a halving is the best of its last round, even if a
    /// trial that was dropped early had a higher score by luck.
    pub fn ranked(&self) -> Vec<&Outcome> {
        let mut last: HashMap<u64, &Outcome> = HashMap::new();
        for outcome in self.rounds.iter().flat_map(|round| &round.outcomes) {
            last.insert(outcome.trial.number, outcome);
        }
        let mut ranked: Vec<&Outcome> = last.into_values().collect();
        ranked.sort_unstable_by(|a, b| a.compare(b));
        ranked
    }

    /// The best `count` of those that have a score.
    pub(super) fn kept(&self, count: usize) -> Vec<&Outcome> {
        let mut ranked = self.ranked();
        ranked.retain(|outcome| outcome.rank().is_some());
        ranked.truncate(count);
        ranked
    }
}
