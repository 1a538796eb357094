//! Chapter 11: which learning rate, which weight decay?
//!
//! A network of seven layers learns 500 images of MNIST. How good it is 500 other images say, the validation images; the
//! test images come last, as whoever chooses by them has trained on them. All that is known of the two numbers is some
//! orders of magnitude, so they are drawn at random, their logarithms evenly.
//!
//! - **In rounds**: the best trials are kept, the ranges narrowed around them, and others drawn from these.
//! - **By successive halving** (Jamieson and Talwalkar, 2016): more trials are trained a little, the better half of them
//!   some more, and so on, until one is left. All together train for as many epochs as those of the rounds.
//!
//! The picture shows why at random: the learning rate decides nearly everything, the weight decay little. On a grid half of
//! the effort would have gone into the one that does not matter (Bergstra and Bengio, 2012).
//!
//! Trials run side by side, and their results are the same, bit by bit, for any number of threads. A trial that diverges
//! fails, and the search goes on.
//!
//! `cargo run --release --example hyperparameters` prints what is found, and draws the trials and the curves of the best.

use autodiff::{Error, Rng};
use datasets::{Dataset, Loader, Split, mnist};
use examples::chapter::{self, Claims, Options, Result, table};
use examples::classifier::{accuracy, judge};
use nn::{Affine, Flatten, Layer, Relu, Sequential};
use optim::search::{Outcome, Range, Report, Round, Search, Trial};
use optim::{Optimizer, Sgd};
use std::ops;
use std::process::ExitCode;
use train::figure::{Figure, Lines};

const RATE: &str = "learning rate";
const DECAY: &str = "weight decay";
const BEST: usize = 8;

/// How much is tried.
struct Plan {
    trials: usize,
    rounds: usize,
    epochs: u64,
    /// The best trials that the ranges are narrowed around.
    keep: usize,
    /// Trials at the start of the halving.
    halved: usize,
}

impl Plan {
    const FULL: Self = Self { trials: 24, rounds: 3, epochs: 50, keep: 5, halved: 64 };
    const QUICK: Self = Self { trials: 12, rounds: 2, epochs: 20, keep: 3, halved: 16 };

    /// The epochs that all trials train for together.
    fn budget(&self) -> u64 {
        (self.trials * self.rounds) as u64 * self.epochs
    }
}

fn main() -> ExitCode {
    chapter::run(chapter)
}

fn chapter(options: &Options, claims: &mut Claims) -> Result<()> {
    let Split { train: images, test } = mnist::shipped()?;
    let data = Data { train: images.take(500), validation: images.subset(500..1_000)? };
    let plan = if options.quick { Plan::QUICK } else { Plan::FULL };
    // ANCHOR: search
    let mut search =
        Search::new(options.seed).range(RATE, Range::log(1e-6, 1.0)).range(DECAY, Range::log(1e-8, 1e-1));
    if let Some(threads) = options.threads {
        search = search.threads(threads as usize);
    }

    let in_rounds = search
        .clone()
        .trials(plan.trials)
        .rounds(plan.rounds)
        .keep(plan.keep)
        .run(|trial| Ok(data.train(trial, 0..plan.epochs, None)?.last()));
    // ANCHOR_END: search
    println!("In rounds of {} trials, {} epochs each:\n", plan.trials, plan.epochs);
    print_rounds(&in_rounds);
    let best = &in_rounds.ranked()[..BEST];
    print_trials(best);

    // ANCHOR: halving
    let halving = search.clone().trials(plan.halved).halve(plan.budget(), |trial, epochs, state| {
        let training = data.train(trial, epochs, state)?;
        Ok((training.last(), training))
    });
    // ANCHOR_END: halving
    println!("By halving, {} epochs in all, as many as above:\n", plan.budget());
    print_halving(&halving);

    // A trial has all that is needed to train it again.
    let again = best.iter().map(|outcome| data.train(&outcome.trial, 0..plan.epochs, None));
    let again = again.collect::<autodiff::Result<Vec<Training>>>()?;
    draw(&in_rounds, &halving, best, &again)?;

    let (first, last) = (&in_rounds.rounds[0], &in_rounds.rounds[plan.rounds - 1]);
    let decades = |round: &Round| {
        let (low, high) = round.ranges[0].1.bounds();
        (high / low).log10()
    };
    // A dozen trials a round are too few to rely on.
    if !options.quick {
        let (wide, narrow) = (decades(first), decades(last));
        claims.hold(
            format!("of the {wide:.0} decades of learning rates at most half are left ({narrow:.1})"),
            narrow <= wide / 2.0,
        );
        let [before, after] = [first, last].map(|round| median(&scores(round)));
        claims.hold(
            format!(
                "the median of the last round is at least twice that of the first ({} for {})",
                percent(after),
                percent(before)
            ),
            after >= 2.0 * before,
        );
    }
    let (found, winner) = (score(best[0]), halving.best().map_or(f64::NAN, score));
    claims.hold(
        format!(
            "halving finds one that is as good, give or take 5 % ({} and {})",
            percent(winner),
            percent(found)
        ),
        (winner - found).abs() <= 0.05,
    );
    let right = accuracy(&again[0].net, &test)?;
    let enough = if options.quick { 0.7 } else { 0.78 };
    claims.hold(
        format!(
            "the best trial of the rounds has {} of the test images right ({})",
            percent(enough),
            percent(right)
        ),
        right >= enough,
    );
    claims.hold(
        "trained again, the best trials have the same accuracy to the bit",
        best.iter().zip(&again).all(|(outcome, again)| score(outcome) == again.last()),
    );
    let small = |threads| {
        let search = search.clone().trials(6).rounds(2).keep(3).threads(threads);
        bits(&search.run(|trial| Ok(data.train(trial, 0..4, None)?.last())))
    };
    claims.hold("one thread and two give the same trials and scores to the bit", small(1) == small(2));
    Ok(())
}

/// What is learned, and what says how well.
struct Data {
    train: Dataset,
    validation: Dataset,
}

/// A network in training, and its accuracy on the validation images after each epoch.
struct Training {
    net: Sequential,
    curve: Vec<f64>,
}

impl Training {
    fn last(&self) -> f64 {
        *self.curve.last().expect("a trial is trained for an epoch or more")
    }
}

// ANCHOR: trial
impl Data {
    /// Trains a trial for some epochs, from its beginning or from where it has been left.
    fn train(
        &self,
        trial: &Trial,
        epochs: ops::Range<u64>,
        state: Option<Training>,
    ) -> autodiff::Result<Training> {
        let start = || Training { net: network(&mut trial.rng()), curve: Vec::new() };
        let mut training = state.unwrap_or_else(start);
        let loader = Loader::new(&self.train, 100).shuffle(trial.number());
        let mut optimizer = Sgd::new(trial.value(RATE)).weight_decay(trial.value(DECAY));
        for epoch in epochs {
            for batch in loader.epoch(epoch) {
                training.net.forward(&batch.images)?.cross_entropy(&batch.labels)?.backward()?;
                optimizer.step(&mut training.net)?.require_all()?;
            }
            let (accuracy, loss) = judge(&training.net, &self.validation)?;
            if !loss.is_finite() {
                return Err(Error::new("train", format!("the loss is {loss} after epoch {epoch}")));
            }
            training.curve.push(accuracy);
        }
        Ok(training)
    }
}
// ANCHOR_END: trial

/// `784 → 100 → 100 → 100 → 100 → 100 → 100 → 10` with relu.
fn network(rng: &mut Rng) -> Sequential {
    let mut net = Sequential::new().push(Flatten);
    for inputs in [784, 100, 100, 100, 100, 100] {
        net = net.push(Affine::new(inputs, 100, rng)).push(Relu);
    }
    net.push(Affine::new(100, 10, rng))
}

/// The score of a trial; NaN if it failed.
fn score(outcome: &Outcome) -> f64 {
    *outcome.score.as_ref().unwrap_or(&f64::NAN)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The scores of a round that are not failures, in order.
fn scores(round: &Round) -> Vec<f64> {
    let mut scores: Vec<f64> = round.outcomes.iter().map(score).filter(|score| !score.is_nan()).collect();
    scores.sort_by(f64::total_cmp);
    scores
}

/// The median of some numbers in order.
fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The best and the median accuracy of a round, and how many trials failed.
fn summary(round: &Round) -> [String; 3] {
    let scores = scores(round);
    let best = scores.last().copied().unwrap_or(f64::NAN);
    [percent(best), percent(median(&scores)), (round.outcomes.len() - scores.len()).to_string()]
}

/// All numbers of a report, to be compared bit by bit; a failure is NaN.
fn bits(report: &Report) -> Vec<u64> {
    let outcomes = report.rounds.iter().flat_map(|round| &round.outcomes);
    outcomes
        .flat_map(|outcome| {
            let values = outcome.trial.values().iter().map(|(_, value)| *value);
            values.chain([score(outcome)]).map(f64::to_bits).collect::<Vec<_>>()
        })
        .collect()
}

fn print_rounds(report: &Report) {
    let rows = report.rounds.iter().zip(1..).map(|(round, number)| {
        let [rate, decay] = [0, 1].map(|range| round.ranges[range].1.to_string());
        let [best, median, failed] = summary(round);
        [format!("{number}"), rate, decay, best, median, failed]
    });
    table(["round", RATE, DECAY, "best", "median", "failed"], rows);
    println!();
}

fn print_trials(outcomes: &[&Outcome]) {
    let rows = outcomes.iter().map(|outcome| {
        let [rate, decay] = [RATE, DECAY].map(|name| format!("{:.1e}", outcome.trial.value(name)));
        [outcome.trial.number().to_string(), rate, decay, percent(score(outcome))]
    });
    table(["trial", RATE, DECAY, "validation"], rows);
    println!();
}

fn print_halving(report: &Report) {
    let rows = report.rounds.iter().map(|round| {
        let [best, median, failed] = summary(round);
        [round.outcomes.len().to_string(), round.outcomes[0].spent.to_string(), best, median, failed]
    });
    table(["trials", "epochs so far", "best", "median", "failed"], rows);
    println!();
}

/// Draws the accuracy of all trials over each of the two numbers, the curves of the best, and the halving.
fn draw(in_rounds: &Report, halving: &Report, best: &[&Outcome], again: &[Training]) -> Result<()> {
    let mut figure = Figure::new("Validation accuracy of trials with random hyperparameters").columns(2);
    for name in [RATE, DECAY] {
        let mut panel = Lines::new(name, name, "accuracy").log_x().y_range(0.0, 1.0);
        for (i, round) in in_rounds.rounds.iter().enumerate() {
            let points = round.outcomes.iter().map(|outcome| (outcome.trial.value(name), score(outcome)));
            panel = panel.dots(format!("round {}", i + 1), points.collect::<Vec<_>>());
        }
        figure = figure.panel(panel);
    }
    let mut curves =
        Lines::new("the best: learning rate, weight decay", "epoch", "accuracy").y_range(0.0, 1.0);
    for (outcome, training) in best.iter().zip(again) {
        let [rate, decay] = [RATE, DECAY].map(|name| outcome.trial.value(name));
        let points = training.curve.iter().zip(1..).map(|(&accuracy, epoch)| (f64::from(epoch), accuracy));
        curves = curves.line(format!("{rate:.1e}, {decay:.1e}"), points.collect::<Vec<_>>());
    }
    let mut rungs = Lines::new("halving", "epochs so far", "accuracy").log_x().y_range(0.0, 1.0);
    for trial in halving.ranked().into_iter().map(|outcome| outcome.trial.number()) {
        let outcomes = halving.rounds.iter().flat_map(|round| &round.outcomes);
        let points = outcomes
            .filter(|outcome| outcome.trial.number() == trial)
            .map(|outcome| (outcome.spent as f64, score(outcome)));
        rungs = rungs.line("", points.collect::<Vec<_>>());
    }
    figure.panel(curves).panel(rungs).save("hyperparameters")?;
    Ok(())
}
