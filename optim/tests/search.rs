//! The search for hyperparameters: what is drawn, kept, narrowed, spent, and on any number of threads the same.

use autodiff::{Error, Parameter, Tensor};
use optim::search::{Outcome, Range, Report, Search, Trial};
use optim::{Momentum, Optimizer};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A search over a range of each kind.
fn search(seed: u64) -> Search {
    Search::new(seed)
        .range("rate", Range::log(1e-6, 1e-1))
        .range("momentum", Range::linear(-2.0, 0.9))
        .range("size", Range::choice([8.0, 16.0, 32.0, 64.0]))
}

/// Highest, 0, at a rate of 1e-3, a momentum of -1 and a size of 16.
fn peak(trial: &Trial) -> f64 {
    let size = f64::from(u8::from(trial.value("size") != 16.0));
    -(trial.value("rate").log10() + 3.0).powi(2) - (trial.value("momentum") + 1.0).powi(2) - size
}

fn score(outcome: &Outcome) -> f64 {
    *outcome.score.as_ref().unwrap()
}

/// All numbers of a report, as bits; an error as its text.
fn bits(report: &Report) -> Vec<(u64, Vec<u64>, Result<u64, String>)> {
    let outcomes = report.rounds.iter().flat_map(|round| &round.outcomes);
    let number = |outcome: &Outcome| {
        let values = outcome.trial.values().iter().map(|(_, value)| value.to_bits()).collect();
        let score = outcome.score.as_ref().map(|score| score.to_bits()).map_err(ToString::to_string);
        (outcome.trial.number(), values, score)
    };
    outcomes.map(number).collect()
}

/// Fits a line to noisy points for some steps, through the tape. Some trials fail and some diverge.
fn fit(
    trial: &Trial,
    steps: std::ops::Range<u64>,
    line: Option<Parameter>,
) -> Result<(f64, Parameter), Error> {
    if trial.number() % 7 == 3 {
        return Err(Error::new("fit", "no luck"));
    }
    let x: Tensor = trial.rng().normal([64, 8], 0.0, 1.0);
    let y: Tensor = trial.rng().stream(1).normal([64, 1], 0.0, 1.0);
    let mut line = line.unwrap_or_else(|| Parameter::new(trial.rng().stream(2).normal([8, 1], 0.0, 1.0)));
    let mut optimizer = Momentum::new(trial.value("rate") * if trial.number() == 5 { 1e30 } else { 1.0 });
    let loss = |line: &Parameter| Ok::<_, Error>((x.matmul(line)? - &y).square().mean());
    for _ in steps {
        loss(&line)?.backward()?;
        optimizer.step(&mut line)?;
    }
    Ok((-f64::from(loss(&line)?.item()), line))
}

#[test]
fn the_report_has_the_same_bits_on_any_number_of_threads() {
    let run = |threads| {
        let search = search(3).trials(12).rounds(3).keep(4).threads(threads);
        search.run(|trial| Ok(fit(trial, 0..10, None)?.0))
    };
    let halve = |threads| {
        let search = search(3).trials(12).threads(threads);
        search.halve(500, |trial, steps, line| Ok(fit(trial, steps, line)?))
    };
    for search in [&run as &dyn Fn(usize) -> Report, &halve] {
        let one = search(1);
        let outcomes = || one.rounds.iter().flat_map(|round| &round.outcomes);
        assert!(outcomes().any(|outcome| outcome.score.is_err()));
        assert!(outcomes().any(|outcome| outcome.score.as_ref().is_ok_and(|score| !score.is_finite())));
        assert!(one.best().is_some());
        for threads in [2, 4] {
            assert_eq!(bits(&search(threads)), bits(&one), "{threads} threads");
        }
    }
}

#[test]
fn each_seed_and_each_trial_draws_other_numbers() {
    let values = |seed| {
        let report = search(seed).run(|trial| Ok(trial.rng().unit()));
        let outcomes = &report.rounds[0].outcomes;
        outcomes.iter().flat_map(|o| [o.trial.value("rate"), score(o)]).collect::<Vec<_>>()
    };
    let mut all = [values(1), values(2)].concat();
    all.sort_by(f64::total_cmp);
    all.dedup();
    assert_eq!(all.len(), 80);
}

#[test]
fn ranges_are_drawn_from_evenly() {
    let report = search(1).trials(4_000).run(|_| Ok(0.0));
    let mut counts = [[0u32; 10]; 3];
    for outcome in &report.rounds[0].outcomes {
        let places = [
            (outcome.trial.value("rate").log10() + 6.0) / 5.0,
            (outcome.trial.value("momentum") + 2.0) / 2.9,
            outcome.trial.value("size").log2() / 4.0 - 0.75,
        ];
        for (count, place) in counts.iter_mut().zip(places) {
            count[(place * 10.0) as usize] += 1;
        }
    }
    // Five deviations of the number of 4,000 draws that fall into one of ten parts, and one of four.
    for count in &counts[..2] {
        assert!(count.iter().all(|count| count.abs_diff(400) < 95), "{count:?}");
    }
    assert!([0, 2, 5, 7].iter().all(|&part| counts[2][part].abs_diff(1_000) < 137), "{:?}", counts[2]);
}

#[test]
fn rounds_close_in_on_the_best() {
    // How much nearer to the peak five rounds come than one round of as many trials, for ten seeds.
    let mut gains: Vec<f64> = (0..10)
        .map(|seed| {
            let search = Search::new(seed)
                .range("rate", Range::log(1e-6, 1e-1))
                .range("momentum", Range::linear(-2.0, 0.9))
                .range("size", Range::choice([16.0]));
            let best = |search: Search| score(search.run(|trial| Ok(peak(trial))).best().unwrap());
            best(search.clone().trials(150)) / best(search.trials(30).rounds(5))
        })
        .collect();
    gains.sort_by(f64::total_cmp);
    assert!(gains[0] > 1.0 && gains[5] > 100.0, "{gains:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_round_stays_within_the_one_before(seed: u64, trials in 2..12usize, keep in 2..12usize) {
        // A score that has nothing to do with the values, so that the best may lie anywhere.
        let report = search(seed).trials(trials).rounds(4).keep(keep).threads(1).run(|trial| Ok(trial.rng().unit()));
        for rounds in report.rounds.windows(2) {
            for ((_, before), (_, after)) in rounds[0].ranges.iter().zip(&rounds[1].ranges) {
                prop_assert!(before.bounds().0 <= after.bounds().0 && after.bounds().1 <= before.bounds().1);
            }
        }
        for round in &report.rounds {
            for outcome in &round.outcomes {
                for ((_, range), (_, value)) in round.ranges.iter().zip(outcome.trial.values()) {
                    prop_assert!((range.bounds().0..=range.bounds().1).contains(value));
                }
            }
        }
    }

    #[test]
    fn ranges_are_those_of_the_formula(seed: u64, trials in 2..12usize, keep in 2..12usize) {
        let report = search(seed).trials(trials).rounds(2).keep(keep).threads(1).run(|trial| Ok(peak(trial)));
        let mut best: Vec<&Outcome> = report.rounds[0].outcomes.iter().collect();
        best.sort_by(|a, b| score(b).total_cmp(&score(a)));
        best.truncate(keep);
        let around = |values: Vec<f64>, low: f64, high: f64| {
            let (least, largest) = (values.iter().copied().fold(f64::MAX, f64::min),
                                    values.iter().copied().fold(f64::MIN, f64::max));
            let beyond = (largest - least) / (best.len() as f64 - 1.0);
            [(least - beyond).max(low), (largest + beyond).min(high)]
        };
        let rates = best.iter().map(|o| o.trial.value("rate").log10()).collect();
        let momenta = best.iter().map(|o| o.trial.value("momentum")).collect();
        let ranges = &report.rounds[1].ranges;
        let (low, high) = ranges[0].1.bounds();
        for (found, expected) in [low, high].into_iter().zip(around(rates, -6.0, -1.0)) {
            prop_assert!((found.log10() - expected).abs() < 1e-9, "{} for 1e{}", found, expected);
        }
        let (low, high) = ranges[1].1.bounds();
        for (found, expected) in [low, high].into_iter().zip(around(momenta, -2.0, 0.9)) {
            prop_assert!((found - expected).abs() < 1e-12, "{} for {}", found, expected);
        }
        let mut sizes: Vec<f64> = best.iter().map(|o| o.trial.value("size")).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        prop_assert_eq!(&ranges[2].1, &Range::choice(sizes));
    }

    #[test]
    fn halving_spends_its_budget_and_keeps_the_better_half(seed: u64, trials in 1..40usize, extra in 0..2_000u64) {
        let rounds = u64::from((trials as f64).log2().ceil().max(1.0) as u32);
        let budget = trials as u64 * rounds + extra;
        let trained = AtomicU64::new(0);
        let report = search(seed).trials(trials).threads(2).halve(budget, |trial, steps, last| {
            // Each trial goes on where it has stopped.
            assert_eq!(steps.start, last.unwrap_or(0));
            trained.fetch_add(steps.end - steps.start, Ordering::Relaxed);
            Ok((peak(trial) - 1.0 / steps.end as f64, steps.end))
        });
        prop_assert_eq!(report.rounds.len() as u64, rounds);
        // What is not spent is what a whole number of units for each trial leaves over.
        let trained = trained.into_inner();
        prop_assert!(trained <= budget && budget - trained < rounds * rounds * trials as u64);
        let mut size = trials;
        for (k, round) in report.rounds.iter().enumerate() {
            prop_assert_eq!(round.outcomes.len(), size);
            let units = round.outcomes[0].spent - if k == 0 { 0 } else { report.rounds[k - 1].outcomes[0].spent };
            prop_assert_eq!(units, budget / (size as u64 * rounds));
            prop_assert!(round.outcomes.is_sorted_by_key(|outcome| outcome.trial.number()));
            if let Some(next) = report.rounds.get(k + 1) {
                let mut scores: Vec<f64> = round.outcomes.iter().map(score).collect();
                scores.sort_by(|a, b| b.total_cmp(a));
                size = size.div_ceil(2);
                let worst_kept = scores[size - 1];
                for outcome in &round.outcomes {
                    let kept = next.outcomes.iter().any(|o| o.trial.number() == outcome.trial.number());
                    prop_assert_eq!(kept, score(outcome) >= worst_kept);
                }
            }
        }
        // The order does not change with training here, so that the best of all wins.
        let best = report.rounds[0].outcomes.iter().max_by(|a, b| peak(&a.trial).total_cmp(&peak(&b.trial)));
        prop_assert_eq!(report.best().unwrap().trial.number(), best.unwrap().trial.number());
        prop_assert_eq!(report.ranked().len(), trials);
    }
}

#[test]
fn an_early_lucky_score_does_not_win_a_halving() {
    let report = search(1).trials(4).halve(100, |trial, steps, _| {
        let first = steps.start == 0;
        Ok((if first { 10.0 } else { 1.0 } + if trial.number() == 2 { 0.5 } else { 0.0 }, ()))
    });
    let ranked = report.ranked();
    assert_eq!(ranked.iter().map(|o| o.trial.number()).collect::<Vec<_>>(), [2, 0, 1, 3]);
    assert_eq!(ranked.iter().map(|o| o.spent).collect::<Vec<_>>(), [12 + 25, 12 + 25, 12, 12]);
}

#[test]
fn failures_are_reported_and_rank_last() {
    let fates = |trial: &Trial| match trial.number() {
        0 => Err("out of disk space".into()),
        1 => Ok(f64::NAN),
        2 => Ok(f64::NEG_INFINITY),
        3 => Ok(0.25),
        4 => Ok(0.5),
        _ => Ok(-f64::NAN),
    };
    let report = search(1).trials(6).run(fates);
    assert_eq!(report.rounds[0].outcomes.len(), 6);
    let ranked = report.ranked();
    assert_eq!(ranked.iter().map(|o| o.trial.number()).collect::<Vec<_>>(), [4, 3, 2, 1, 5, 0]);
    assert_eq!(ranked[5].score.as_ref().unwrap_err().to_string(), "out of disk space");
    assert_eq!(score(report.best().unwrap()), 0.5);

    // Only the two finite ones are narrowed around.
    let report = search(1).trials(6).rounds(2).keep(2).run(fates);
    let [a, b] = [3, 4].map(|i| report.rounds[0].outcomes[i].trial.value("momentum"));
    let beyond = (a - b).abs();
    let expected = ((a.min(b) - beyond).max(-2.0), (a.max(b) + beyond).min(0.9));
    assert_eq!(report.rounds[1].ranges[1].1.bounds(), expected);
}

#[test]
fn without_two_scores_the_ranges_stay() {
    let report =
        search(1).trials(4).rounds(2).run(|trial| if trial.number() == 2 { Ok(1.0) } else { Ok(f64::NAN) });
    assert_eq!(report.rounds[1].ranges, report.rounds[0].ranges);
    assert_eq!(report.best().unwrap().trial.number(), 2);
    let report = search(1).trials(4).rounds(2).run(|_| Err("no luck".into()));
    assert!(report.best().is_none());
    assert_eq!(report.ranked().len(), 8);
}

#[test]
fn a_trial_that_fails_drops_out_of_a_halving() {
    let trained = Mutex::new(Vec::new());
    let report = search(1).trials(8).threads(1).halve(8 * 3 * 2, |trial, steps, _| {
        trained.lock().unwrap().push((trial.number(), steps.end - steps.start));
        let number = trial.number();
        match (number, steps.start) {
            (6, 0) | (7, 2) => Err("no luck".into()),
            (5, 2) => Ok((f64::NAN, ())),
            _ => Ok((number as f64, ())),
        }
    });
    // 6 fails at once and is not among the best four; 7 and 5 fail later, and nobody takes their places.
    let round = |k: usize| report.rounds[k].outcomes.iter().map(|o| o.trial.number()).collect::<Vec<_>>();
    assert_eq!([round(1), round(2)], [vec![3, 4, 5, 7], vec![3, 4]]);
    assert_eq!(trained.lock().unwrap()[8..], [(3, 4), (4, 4), (5, 4), (7, 4), (3, 8), (4, 8)]);
    let ranked: Vec<u64> = report.ranked().iter().map(|o| o.trial.number()).collect();
    assert_eq!(ranked, [4, 3, 2, 1, 0, 5, 6, 7]);

    let report = search(1).trials(8).halve(100, |_, _, _: Option<()>| Err("no luck".into()));
    assert_eq!((report.rounds.len(), report.ranked().len()), (1, 8));
}

#[test]
fn trials_record_whatever_the_caller_does() {
    let report = autodiff::no_grad(|| search(1).run(|_| Ok(f64::from(u8::from(autodiff::is_recording())))));
    assert!(report.rounds[0].outcomes.iter().all(|outcome| score(outcome) == 1.0));
}

/// The text of a panic.
fn panic_of(body: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(body)).unwrap_err();
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[test]
fn a_panic_comes_out_and_stops_the_search() {
    let begun = AtomicU64::new(0);
    let text = panic_of(|| {
        let _ = search(1).trials(1_000).threads(1).run(|trial| {
            begun.fetch_add(1, Ordering::Relaxed);
            Ok(trial.value("rat"))
        });
    });
    assert_eq!(text, r#"there is no range "rat" among ["rate", "momentum", "size"]"#);
    assert_eq!(begun.into_inner(), 1);
}

/// What panics.
type Mistake = fn();

#[test]
fn what_makes_no_sense_is_refused() {
    let cases: [(Mistake, &str); 6] = [
        (|| drop(search(1).range("rate", Range::linear(0.0, 1.0))), "\"rate\" has a range already"),
        (|| drop(search(1).trials(0)), "a search without trials"),
        (|| drop(search(1).rounds(0)), "a search without rounds"),
        (|| drop(search(1).keep(1)), "1 trials span no range"),
        (|| drop(search(1).threads(0)), "a search needs at least one thread"),
        (
            || drop(search(1).trials(5).halve(14, |_, _, _| Ok((0.0, ())))),
            "a budget of 14 for 5 trials: they need 15",
        ),
    ];
    for (case, expected) in cases {
        let text = panic_of(case);
        assert!(text.starts_with(expected), "{text}");
    }
    let ranges: [Mistake; 7] = [
        || drop(Range::linear(1.0, 0.0)),
        || drop(Range::linear(0.0, f64::INFINITY)),
        || drop(Range::linear(f64::NAN, 1.0)),
        || drop(Range::log(0.0, 1.0)),
        || drop(Range::log(1.0, f64::NAN)),
        || drop(Range::choice([])),
        || drop(Range::choice([1.0, f64::NAN])),
    ];
    for range in ranges {
        let text = panic_of(range);
        assert!(text.contains("must be"), "{text}");
    }
}
