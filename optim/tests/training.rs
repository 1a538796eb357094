//! What stands around a step: clipping, averages, schedules, and L-BFGS, which steps by itself.

use autodiff::{Error, Parameter, Tensor};
use optim::{Average, Lbfgs, OneCycle, Optimizer, Schedule, Sgd, clip_norm, clip_values};

type Pair = (Parameter<f64>, Parameter<f64>);

fn pair(a: &[f64], b: &[f64]) -> Pair {
    let new = |values: &[f64]| Parameter::new(Tensor::from_vec(values, [values.len()]).unwrap());
    (new(a), new(b))
}

/// Leaves these gradients with the model.
fn gradients(model: &Pair, a: &[f64], b: &[f64]) {
    let product = |w: &Tensor<f64>, g: &[f64]| (w * &Tensor::from_vec(g, [g.len()]).unwrap()).sum();
    (product(&model.0, a) + product(&model.1, b)).backward().unwrap();
}

fn message(error: &Error) -> String {
    format!("{}: {}", error.op(), error.kind())
}

// ----- Clipping -----

#[test]
fn a_small_norm_leaves_the_gradients_their_bits() {
    let mut model = pair(&[0.0; 2], &[0.0]);
    gradients(&model, &[0.3, -0.1], &[0.7]);
    let norm = clip_norm(&mut model, 1.0).unwrap();
    assert!((norm - 0.59f64.sqrt()).abs() < 1e-15);
    assert_eq!(
        (model.0.grad().unwrap().to_vec(), model.1.grad().unwrap().to_vec()),
        (vec![0.3, -0.1], vec![0.7])
    );
}

#[test]
fn a_clipped_norm_is_the_limit() {
    let mut model = pair(&[0.0; 2], &[0.0]);
    gradients(&model, &[30.0, -10.0], &[70.0]);
    let before = clip_norm(&mut model, 0.5).unwrap();
    assert!((before - 5900.0f64.sqrt()).abs() < 1e-12);
    assert!((clip_norm(&mut model, 1.0).unwrap() - 0.5).abs() < 1e-15);
    assert_eq!(clip_norm(&mut model, 0.0).map(|norm| norm > 0.0), Ok(true));
    assert_eq!(model.1.grad().unwrap().to_vec(), [0.0]);
}

#[test]
fn a_norm_that_is_not_finite_is_an_error_that_names_the_parameter() {
    let mut model = pair(&[0.0; 2], &[0.0]);
    gradients(&model, &[3.0, 4.0], &[f64::NAN]);
    let (result, line) = (clip_norm(&mut model, 1.0), line!());
    let error = result.unwrap_err();
    insta::assert_snapshot!(message(&error), @r#"clip_norm: the norm of the gradients is NaN, by that of "1""#);
    assert_eq!((error.site().file(), error.site().line()), (file!(), line));
    assert_eq!(model.0.grad().unwrap().to_vec(), [3.0, 4.0], "nothing is scaled");
}

#[test]
fn a_norm_in_f32_neither_overflows_nor_vanishes() {
    let mut w = Parameter::<f32>::new(Tensor::zeros([4]));
    for size in [1e-30, 1e30] {
        (&*w * size).sum().backward().unwrap();
        let norm = clip_norm(&mut w, 1e6).unwrap();
        assert!((norm / size - 2.0).abs() < 1e-6);
        w.take_grad();
    }
}

#[test]
fn a_norm_in_f64_neither_overflows_nor_vanishes() {
    for size in [1e-300, 1e-200, 1e200, 1e307] {
        let mut model = pair(&[0.0; 2], &[0.0]);
        gradients(&model, &[size, -2.0 * size], &[2.0 * size]);
        for expected in [3.0, 0.5] {
            let norm = clip_norm(&mut model, 0.5 * size).unwrap();
            assert!((norm / size - expected).abs() < 1e-14, "{size:e}: {norm:e}");
        }
    }
    // One that no f64 holds is an error, of which no parameter alone is the cause.
    let mut model = pair(&[0.0; 2], &[0.0]);
    gradients(&model, &[1.5e308, 1.5e308], &[1.0]);
    let error = clip_norm(&mut model, 1.0).unwrap_err();
    insta::assert_snapshot!(message(&error), @"clip_norm: the norm of the gradients is inf");
    // An infinite gradient is one, also beside a sum that overflows.
    model.0.take_grad();
    model.1.take_grad();
    gradients(&model, &[1e200, 1e200], &[f64::NEG_INFINITY]);
    let error = clip_norm(&mut model, 1.0).unwrap_err();
    insta::assert_snapshot!(message(&error), @r#"clip_norm: the norm of the gradients is inf, by that of "1""#);
}

#[test]
fn a_factor_below_all_numbers_keeps_the_direction() {
    let mut w = Parameter::<f32>::new(Tensor::zeros([2]));
    (&*w * &Tensor::from_vec([1.8e38, -2.4e38], [2]).unwrap()).sum().backward().unwrap();
    clip_norm(&mut w, 1e-8).unwrap();
    let grad = w.grad().unwrap().to_vec();
    assert!(grad.iter().zip([6e-9, -8e-9]).all(|(g, e)| (g / e - 1.0f32).abs() < 1e-6), "{grad:?}");

    let mut model = pair(&[0.0; 2], &[0.0]);
    gradients(&model, &[1.8e200, -2.4e200], &[0.0]);
    clip_norm(&mut model, 1e-200).unwrap();
    let grad = model.0.grad().unwrap().to_vec();
    assert!(grad.iter().zip([6e-201, -8e-201]).all(|(g, e)| (g / e - 1.0f64).abs() < 1e-14), "{grad:?}");
}

#[test]
fn what_has_no_gradient_is_not_clipped() {
    let mut model = pair(&[1.0], &[2.0]);
    assert_eq!(clip_norm(&mut model, 1.0), Ok(0.0));
    model.0.sum().backward().unwrap();
    clip_values(&mut model, 0.5);
    assert_eq!(clip_norm(&mut model, 1.0), Ok(0.5));
    assert!(model.1.grad().is_none());
}

#[test]
fn clipped_values_stay_within_the_limit_and_nan_stays() {
    let mut model = pair(&[0.0; 3], &[0.0]);
    gradients(&model, &[0.2, -7.0, f64::NEG_INFINITY], &[f64::NAN]);
    clip_values(&mut model, 0.5);
    assert_eq!(model.0.grad().unwrap().to_vec(), [0.2, -0.5, -0.5]);
    assert!(model.1.grad().unwrap().item().is_nan());
}

// ----- Averages -----

#[test]
fn an_equal_average_is_the_mean() {
    let mut model = pair(&[0.0], &[0.0]);
    let mut average = Average::swa();
    for k in 1..=4 {
        model.0.set(&Tensor::full(f64::from(k), [1]));
        average.update(&model).unwrap();
    }
    assert_eq!(average.updates(), 4);
    average.swap(&mut model).unwrap();
    assert_eq!((model.0.item(), model.1.item()), (2.5, 0.0));
}

#[test]
fn the_average_goes_out_as_it_came_in() {
    let mut model = pair(&[1.0, 2.0], &[3.0]);
    let mut average = Average::ema(0.5);
    average.update(&model).unwrap();
    model.0.set(&Tensor::zeros([2]));
    average.update(&model).unwrap();
    for expected in [[0.5, 1.0], [0.0, 0.0], [0.5, 1.0]] {
        average.swap(&mut model).unwrap();
        assert_eq!(model.0.to_vec(), expected);
    }
    let error = average.update(&model).unwrap_err();
    insta::assert_snapshot!(message(&error), @"average: the model holds the average: swap it out again first");
}

#[test]
fn a_step_does_not_write_into_the_average() {
    let mut model = pair(&[1.0], &[1.0]);
    let mut average = Average::swa();
    average.update(&model).unwrap();
    gradients(&model, &[1.0], &[1.0]);
    Sgd::new(0.5).step(&mut model).unwrap();
    assert_eq!(model.0.item(), 0.5);
    average.swap(&mut model).unwrap();
    assert_eq!(model.0.item(), 1.0);
}

#[test]
fn a_changed_model_is_an_error_and_nothing_is_averaged() {
    let mut average = Average::swa();
    let error = average.swap(&mut pair(&[1.0], &[1.0])).unwrap_err();
    insta::assert_snapshot!(message(&error), @"average: there is no average yet: call `update` first");
    average.update(&pair(&[1.0], &[1.0])).unwrap();
    let texts = [
        average.update(&pair(&[1.0], &[1.0, 2.0])).unwrap_err(),
        average.swap(&mut pair(&[1.0, 2.0], &[1.0])).unwrap_err(),
        average.update(&pair(&[1.0], &[1.0]).0).unwrap_err(),
        average.update(&(pair(&[1.0], &[1.0]).0,)).unwrap_err(),
    ]
    .map(|error| message(&error));
    insta::assert_snapshot!(texts.join("\n"), @r#"
    average: parameter "1" has shape [2], its average [1]
    average: parameter "0" has shape [2], its average [1]
    average: parameter "" has no average
    average: the average has 2 parameters, the model 1
    "#);
    assert_eq!(average.updates(), 1);
}

// ----- Schedules -----

#[test]
fn schedules_stay_after_their_end() {
    let last = |schedule: Schedule, end: u64| [end, end + 1, u64::MAX].map(|step| schedule.at(step));
    assert_eq!(last(Schedule::cosine(10, 0.25), 10), [0.25; 3]);
    assert_eq!(last(Schedule::polynomial(10, 2.0), 10), [0.0; 3]);
    assert_eq!(last(Schedule::linear(0.5, 2.0, 10), 10), [2.0; 3]);
    let cycle = OneCycle::new(10).divide(4.0).divide_end(2.0);
    assert_eq!(last(Schedule::one_cycle(cycle), 9), [0.125; 3]);
    assert_eq!(last(Schedule::one_cycle(cycle.linear(true).three_phases(true)), 9), [0.125; 3]);
    for peak in [0.0, 0.5, 0.6, 0.999, 1.0] {
        for cycle in [cycle.peak(peak), cycle.peak(peak).three_phases(true)] {
            let schedule = Schedule::one_cycle(cycle);
            assert_eq!(last(schedule.clone(), 9), [schedule.at(9); 3], "{cycle:?}");
        }
    }
}

#[test]
fn a_cycle_without_a_way_up_starts_at_its_peak() {
    // At 0.1, the way up ends where it starts.
    for peak in [0.0, 0.1] {
        let schedule = Schedule::one_cycle(OneCycle::new(10).peak(peak));
        assert!(schedule.at(0) > 0.9, "{}", schedule.at(0));
        assert!((0..9).all(|step| schedule.at(step) > schedule.at(step + 1)));
    }
}

#[test]
fn restarts_that_grow_reach_any_step() {
    let schedule = Schedule::restarts(1, 2, 0.0);
    assert_eq!([0, 1, 3, 7, (1 << 40) - 1].map(|step| schedule.at(step)), [1.0; 5]);
    assert_eq!(schedule.at(u64::MAX), 1.0);
    assert!(Schedule::restarts(3, 1, 0.0).at(u64::MAX).is_finite());
}

/// The text of a panic.
fn panic_of<R>(body: impl FnOnce() -> R + std::panic::UnwindSafe) -> String {
    let payload = std::panic::catch_unwind(|| drop(body())).unwrap_err();
    *payload.downcast::<String>().unwrap()
}

#[test]
fn what_makes_no_sense_is_refused() {
    let texts = [
        panic_of(|| Schedule::step(0, 0.5)),
        panic_of(|| Schedule::exponential(-0.5)),
        panic_of(|| Schedule::cosine(0, 0.0)),
        panic_of(|| Schedule::cosine(5, f64::NAN)),
        panic_of(|| Schedule::restarts(5, 0, 0.0)),
        panic_of(|| OneCycle::new(1)),
        panic_of(|| OneCycle::new(5).peak(1.5)),
        panic_of(|| optim::Plateau::new().factor(1.0)),
        panic_of(|| Average::<f32>::ema(1.0)),
        panic_of(|| Lbfgs::<f32>::new(f64::INFINITY)),
        panic_of(|| clip_values::<f32>(&mut (), -1.0)),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    every must be above 0
    gamma must be finite and not negative, not -0.5
    steps must be above 0
    floor must be finite and not negative, not NaN
    growth must be above 0
    a cycle needs two steps or more, not 1
    peak must be from 0 to 1, not 1.5
    factor must be at least 0 and below 1, not 1
    decay must be at least 0 and below 1, not 1
    the learning rate must be finite and not negative, not inf
    the limit must be finite and not negative, not -1
    ");
}

// ----- L-BFGS -----

/// `Σ i (wᵢ - i)²` with `i` from 1.
fn bowl(w: &Parameter<f64>) -> autodiff::Result<Tensor<f64>> {
    let i = Tensor::from_vec((1..=w.size()).map(|i| i as f64).collect::<Vec<_>>(), w.shape())?;
    Ok(((&**w - &i).square() * &i).sum())
}

#[test]
fn lbfgs_finds_the_minimum_of_a_quadratic_with_and_without_search() {
    for optimizer in [Lbfgs::new(1.0), Lbfgs::new(1.0).strong_wolfe(true), Lbfgs::new(0.5).history(3)] {
        let mut optimizer = optimizer.max_iterations(50).change_tolerance(1e-30);
        let mut w = Parameter::new(Tensor::zeros([2, 3]));
        let step = optimizer.step(&mut w, bowl).unwrap();
        assert!(step.converged && step.evaluations < 63, "{step:?}");
        assert_eq!(step.loss, 441.0);
        for (found, i) in w.to_vec().into_iter().zip(1..) {
            assert!((found - f64::from(i)).abs() < 1e-6, "{found} for {i}");
        }
        assert!(w.grad().is_none());
        let again = optimizer.step(&mut w, bowl).unwrap();
        assert_eq!((again.iterations, again.evaluations, again.converged), (0, 1, true));
    }
}

#[test]
fn lbfgs_in_f32_goes_down_a_bent_valley() {
    let mut point = (Parameter::<f32>::new(Tensor::scalar(-1.2)), Parameter::new(Tensor::scalar(1.0)));
    let mut optimizer = Lbfgs::new(1.0).strong_wolfe(true).max_iterations(60);
    optimizer
        .step(&mut point, |(x, y)| Ok((1.0 - &**x).square() + (&**y - x.square()).square() * 100.0))
        .unwrap();
    assert!((point.0.item() - 1.0).abs() < 1e-2 && (point.1.item() - 1.0).abs() < 2e-2, "{point:?}");
}

#[test]
fn lbfgs_drops_old_gradients_and_names_what_the_loss_does_not_reach() {
    let mut model = pair(&[1.0], &[2.0]);
    gradients(&model, &[100.0], &[100.0]);
    let step = Lbfgs::new(1.0).step(&mut model, |(a, _)| Ok(a.square().sum())).unwrap();
    assert_eq!(step.without_gradient, ["1"]);
    assert!(model.0.item().abs() < 1e-6, "{model:?}");
    assert_eq!(model.1.item(), 2.0);
}

#[test]
fn a_line_search_turns_back_from_where_there_is_no_loss() {
    // w - ln w, whose minimum is 1: a step of 40 from 3 along the slope leads to where the logarithm is NaN.
    let mut w = Parameter::new(Tensor::<f64>::full(3.0, [1]));
    let loss = |w: &Parameter<f64>| Ok((&**w - w.ln()).sum());
    let mut optimizer = Lbfgs::new(40.0).strong_wolfe(true).max_iterations(30).max_evaluations(200);
    optimizer.step(&mut w, loss).unwrap();
    assert!((w.item() - 1.0).abs() < 1e-4, "{}", w.item());

    let mut w = Parameter::new(Tensor::<f64>::full(3.0, [1]));
    let error = Lbfgs::new(40.0).step(&mut w, loss).unwrap_err();
    insta::assert_snapshot!(message(&error), @"Lbfgs: the loss is NaN");
}

#[test]
fn an_error_in_a_line_search_leaves_the_parameters_where_they_were() {
    let mut w = Parameter::new(Tensor::<f64>::full(3.0, [1]));
    let mut optimizer = Lbfgs::new(1.0).strong_wolfe(true);
    let mut calls = 0;
    let error = optimizer.step(&mut w, |w| {
        calls += 1;
        if calls == 2 {
            return w.reshape([7]);
        }
        Ok(w.square().sum())
    });
    assert_eq!(error.unwrap_err().op(), "reshape");
    assert_eq!(w.to_vec(), [3.0]);
}

#[test]
fn lbfgs_refuses_a_changed_model() {
    let mut optimizer = Lbfgs::new(0.1).max_iterations(2);
    optimizer.step(&mut Parameter::new(Tensor::zeros([2])), bowl).unwrap();
    let error = optimizer.step(&mut Parameter::new(Tensor::zeros([3])), bowl).unwrap_err();
    insta::assert_snapshot!(message(&error), @"Lbfgs: the model had 2 numbers, and has 3: make a new optimiser for a changed model");
    // What was remembered is forgotten.
    optimizer.step(&mut Parameter::new(Tensor::zeros([3])), bowl).unwrap();
}
