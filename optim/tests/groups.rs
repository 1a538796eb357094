//! Groups of parameters by name.

use autodiff::{Parameter, Tensor};
use optim::{Adam, AdamW, Momentum, Optimizer, Rprop, Sgd};

type Layer = (Parameter<f64>, Parameter<f64>);

/// Two layers: "0.0", "0.1", "1.0" and "1.1", all ones.
fn model() -> (Layer, Layer) {
    let one = || Parameter::new(Tensor::full(1.0, [2]));
    ((one(), one()), (one(), one()))
}

fn values(model: &(Layer, Layer)) -> [f64; 4] {
    [&model.0.0, &model.0.1, &model.1.0, &model.1.1].map(|parameter| parameter.to_vec()[0])
}

fn sum(model: &(Layer, Layer)) -> Tensor<f64> {
    model.0.0.sum() + model.0.1.sum() + model.1.0.sum() + model.1.1.sum()
}

#[test]
fn every_group_that_matches_counts_and_the_last_has_the_last_word() {
    let mut model = model();
    let mut optimizer = Sgd::new(0.25)
        .weight_decay(1.0)
        .group("*.1", |group| group.weight_decay(0.0))
        .group("1.*", |group| group.rate_factor(0.5))
        .group("1.0", |group| group.rate_factor(2.0).weight_decay(3.0));
    sum(&model).backward().unwrap();
    optimizer.step(&mut model).unwrap().require_all().unwrap();
    assert_eq!(values(&model), [1.0 - 0.25 * 2.0, 1.0 - 0.25, 1.0 - 0.5 * 4.0, 1.0 - 0.125]);

    // A schedule goes on working.
    optimizer.set_learning_rate(0.0);
    sum(&model).backward().unwrap();
    let before = values(&model);
    optimizer.step(&mut model).unwrap();
    assert_eq!(values(&model), before);
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error_and_nothing_moves() {
    let mut model = model();
    let mut optimizer =
        Adam::new(0.1).group("*.1", |g| g.weight_decay(0.5)).group("*.bias", |g| g.frozen(true));
    sum(&model).backward().unwrap();
    let (result, line) = (optimizer.step(&mut model), line!());
    let error = result.unwrap_err();
    assert_eq!((error.site().file(), error.site().line()), (file!(), line));
    insta::assert_snapshot!(
        format!("{}: {}", error.op(), error.kind()),
        @r#"Adam: no parameter matches the group "*.bias": the model has ["0.0", "0.1", "1.0", "1.1"]"#
    );
    assert_eq!(values(&model), [1.0; 4]);
    assert!(model.0.0.grad().is_some(), "the gradient waits for a step that is right");

    // A group that comes later is checked too.
    let mut optimizer = Sgd::new(0.1);
    optimizer.step(&mut model).unwrap();
    assert!(optimizer.group("2.*", |g| g.rate_factor(0.1)).step(&mut model).is_err());
}

#[test]
fn the_frozen_keep_values_and_state_and_lose_their_gradients() {
    let mut model = model();
    let mut optimizer = Momentum::new(0.25).momentum(0.5);
    sum(&model).backward().unwrap();
    optimizer.step(&mut model).unwrap();
    let mut optimizer = optimizer.group("0.*", |group| group.frozen(true));
    for _ in 0..3 {
        sum(&model).backward().unwrap();
        let step = optimizer.step(&mut model).unwrap();
        assert_eq!((step.updated, step.frozen, step.without_gradient.len()), (2, 2, 0));
        assert!(model.0.0.grad().is_none());
    }
    assert_eq!(values(&model)[..2], [0.75; 2]);

    // Thawed, the momentum of the first step goes on.
    let mut optimizer = optimizer.group("*", |group| group.frozen(false));
    sum(&model).backward().unwrap();
    assert_eq!(optimizer.step(&mut model).unwrap().updated, 4);
    assert_eq!(values(&model)[..2], [0.75 - 0.125 - 0.25; 2]);
}

#[test]
fn decoupled_decay_is_scaled_by_the_rate_of_the_group() {
    let mut model = model();
    let mut optimizer = AdamW::new(0.5)
        .weight_decay(0.25)
        .group("1.*", |group| group.rate_factor(0.5))
        .group("*.1", |group| group.weight_decay(0.5));
    (sum(&model) * 0.0).backward().unwrap();
    optimizer.step(&mut model).unwrap();
    assert_eq!(values(&model), [0.875, 0.75, 0.9375, 0.875]);
}

#[test]
#[should_panic(expected = "Rprop has no weight decay")]
fn a_weight_decay_of_what_has_none_is_refused() {
    drop(Rprop::<f64>::new(0.1).group("*", |group| group.weight_decay(0.1)));
}
