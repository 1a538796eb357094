//! The factors of the learning rate at steps 0 to 30.

use super::{assert_close, each_case, numbers};
use optim::{OneCycle, Plateau, Schedule};
use serde_json::Value;

fn references() -> Value {
    serde_json::from_str(include_str!("schedules.json")).unwrap()
}

#[test]
fn schedules_are_those_of_pytorch() {
    let warm_up = |start, steps| Schedule::linear(start, 1.0, steps);
    let three = OneCycle::new(31).peak(0.25).divide(10.0).divide_end(100.0).three_phases(true);
    let cases = [
        ("step", Schedule::step(7, 0.3)),
        ("step, one", Schedule::step(1, 0.9)),
        ("multi step", Schedule::multi_step([3, 10, 11, 25], 0.5)),
        ("multi step, twice", Schedule::multi_step([4, 4, 9], 0.5)),
        ("exponential", Schedule::exponential(0.95)),
        ("polynomial", Schedule::polynomial(20, 2.0)),
        ("polynomial, root", Schedule::polynomial(30, 0.5)),
        ("polynomial, power 0", Schedule::polynomial(20, 0.0)),
        ("linear", warm_up(1.0 / 3.0, 5)),
        ("linear, down", Schedule::linear(0.8, 0.1, 12)),
        ("cosine", Schedule::cosine(30, 0.0)),
        ("cosine, floor", Schedule::cosine(30, 0.1)),
        ("restarts", Schedule::restarts(8, 1, 0.0)),
        ("restarts, longer", Schedule::restarts(4, 2, 0.05)),
        ("one cycle", Schedule::one_cycle(OneCycle::new(31))),
        ("one cycle, linear", Schedule::one_cycle(OneCycle::new(31).peak(0.4).linear(true))),
        ("one cycle, three", Schedule::one_cycle(three)),
        ("one cycle, up alone", Schedule::one_cycle(OneCycle::new(31).peak(1.0))),
        ("one cycle, down alone", Schedule::one_cycle(OneCycle::new(31).peak(0.0))),
        ("one cycle, three, cut off", Schedule::one_cycle(OneCycle::new(31).peak(0.6).three_phases(true))),
        ("one cycle, three, half each", Schedule::one_cycle(OneCycle::new(31).peak(0.5).three_phases(true))),
        ("constant", Schedule::constant(0.25).then(6, Schedule::constant(1.0))),
        ("chained", warm_up(0.1, 4).times(Schedule::exponential(0.9)).times(Schedule::step(10, 0.5))),
        (
            "sequential",
            warm_up(0.1, 5).then(5, Schedule::cosine(15, 0.0)).then(20, Schedule::exponential(0.8)),
        ),
    ];
    each_case(&references()["schedules"], cases, |name, schedule, reference| {
        let factors: Vec<f64> = (0..31).map(|step| schedule.at(step)).collect();
        assert_close(name, &factors, &numbers(reference));
    });
}

#[test]
fn plateaus_are_those_of_pytorch() {
    let mut metrics =
        vec![5.0, 4.0, 4.1, 3.9996, 4.2, 3.0, 3.0, 3.1, 2.999, 3.2, 3.3, 2.0, f64::NAN, 2.5, 2.4, 1.0];
    metrics.extend([1.5; 14]);
    metrics.extend([0.9, 0.95, 0.95, 0.95, 0.95]);
    let half = || Plateau::new().factor(0.5).patience(1);
    let quick = || Plateau::new().factor(0.3).patience(0);
    let cases = [
        ("defaults", (Plateau::new(), false)),
        ("patient", (half().patience(2), false)),
        ("absolute", (half().threshold(0.05).absolute(true), false)),
        ("largest", (half().largest(true), true)),
        ("largest, absolute", (half().factor(0.7).largest(true).threshold(0.2).absolute(true), true)),
        ("cooldown", (half().cooldown(3), false)),
        ("floor", (quick().floor(0.05), false)),
        ("epsilon", (quick().epsilon(0.1), false)),
    ];
    each_case(&references()["plateaus"], cases, |name, (mut plateau, largest), reference| {
        let observe = |metric: &f64| plateau.observe(if largest { 10.0 - metric } else { *metric });
        let factors: Vec<f64> = metrics.iter().map(observe).collect();
        assert_close(name, &factors, &numbers(reference));
    });
}
