//! What a step does besides its formula: names, reports, errors, sizes, types, threads.

use autodiff::{Module, Parameter, Path, Place, PlaceMut, StateDict, Tensor, with_threads};
use optim::{
    AdaDelta, AdaGrad, Adam, AdamW, Adamax, Lamb, Lion, Momentum, NAdam, Optimizer, RAdam, RmsProp, Rprop,
    Sgd, Step,
};

struct Net {
    weight: Parameter<f64>,
    bias: Parameter<f64>,
}

impl Module<f64> for Net {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, f64>)) {
        path.scope("weight", |path| self.weight.walk(path, visit));
        path.scope("bias", |path| self.bias.walk(path, visit));
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, f64>)) {
        path.scope("weight", |path| self.weight.walk_mut(path, visit));
        path.scope("bias", |path| self.bias.walk_mut(path, visit));
    }
}

impl Net {
    fn new() -> Self {
        Self {
            weight: Parameter::new(Tensor::full(2.0, [2, 3])),
            bias: Parameter::new(Tensor::full(3.0, [3])),
        }
    }
}

fn all() -> Vec<Box<dyn Optimizer<f64> + Send>> {
    vec![
        Box::new(Sgd::new(0.1)),
        Box::new(Momentum::new(0.02)),
        Box::new(Momentum::new(0.02).nesterov(true)),
        Box::new(AdaGrad::new(1.0)),
        Box::new(RmsProp::new(0.1)),
        Box::new(RmsProp::new(0.01).centered(true).momentum(0.5)),
        Box::new(AdaDelta::new(1.0)),
        Box::new(Adam::new(0.2)),
        Box::new(Adam::new(0.2).amsgrad(true)),
        Box::new(AdamW::new(0.2)),
        Box::new(Adamax::new(0.2)),
        Box::new(NAdam::new(0.2)),
        Box::new(RAdam::new(0.2)),
        Box::new(Lamb::new(0.02)),
        Box::new(Lion::new(0.02)),
    ]
}

/// Those, and the one whose learning rate is that of its first step alone.
fn all_and_rprop() -> Vec<Box<dyn Optimizer<f64> + Send>> {
    let mut all = all();
    all.push(Box::new(Rprop::new(0.1)));
    all
}

#[test]
fn a_step_takes_the_gradients() {
    for mut optimizer in all_and_rprop() {
        let mut net = Net::new();
        (net.weight.square().sum() + net.bias.square().sum()).backward().unwrap();
        let step = optimizer.step(&mut net).unwrap();
        assert_eq!((step.updated, step.without_gradient.len()), (2, 0));
        assert!(net.weight.grad().is_none() && net.bias.grad().is_none());

        let before = (net.weight.to_vec(), net.bias.to_vec());
        let step = optimizer.step(&mut net).unwrap();
        assert_eq!((step.updated, step.without_gradient), (0, vec!["weight".to_owned(), "bias".to_owned()]));
        assert_eq!((net.weight.to_vec(), net.bias.to_vec()), before);
    }
}

#[test]
fn the_state_of_another_optimiser_is_refused() {
    let mut net = Net::new();
    net.weight.sum().backward().unwrap();
    let (mut adam, mut momentum) = (Adam::new(0.1), Momentum::new(0.1));
    adam.step(&mut net).unwrap();
    net.weight.sum().backward().unwrap();
    momentum.step(&mut net).unwrap();
    let before = adam.state_dict();
    let error = adam.load_state_dict(&StateDict::of(&net)).unwrap_err();
    insta::assert_snapshot!(
        message(&error),
        @r#"Adam: this is no state of Adam, which has counts "Adam" and arrays ["m", "v", "largest"]: ["weight", "bias"]"#
    );
    assert_eq!(adam.state_dict(), before);
    let error = momentum.load_state_dict(&before).unwrap_err();
    insta::assert_snapshot!(
        message(&error),
        @r#"Momentum: this is no state of Momentum, which has counts "Momentum" and arrays ["v"]: ["weight.Adam", "weight.m", "weight.v"]"#
    );

    // A model of another shape is found out by the step.
    let mut wider = Net { weight: Parameter::new(Tensor::zeros([3, 3])), ..Net::new() };
    wider.weight.sum().backward().unwrap();
    let error = adam.step(&mut wider).unwrap_err().to_string();
    assert!(error.contains("\"weight\" has shape [3, 3], but its state was made for [2, 3]"), "{error}");
}

#[test]
fn each_takes_up_the_state_of_its_own_kind_and_no_other() {
    let kind = |state: &StateDict<f64>| state.counts().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    for (from, mut saving) in all_and_rprop().into_iter().enumerate() {
        let mut net = Net::new();
        net.bias.square().sum().backward().unwrap();
        saving.step(&mut net).unwrap();
        let saved = saving.state_dict();
        for (to, mut optimizer) in all_and_rprop().into_iter().enumerate() {
            net.bias.square().sum().backward().unwrap();
            optimizer.step(&mut net).unwrap();
            let before = optimizer.state_dict();
            let result = optimizer.load_state_dict(&saved);
            if from == to {
                result.unwrap();
                assert_eq!(optimizer.state_dict(), saved);
            } else if kind(&before) != kind(&saved) {
                let error = message(&result.unwrap_err());
                assert!(error.contains("this is no state of"), "{error}");
                assert_eq!(optimizer.state_dict(), before);
            }
        }
    }
}

#[test]
fn a_state_without_what_the_settings_ask_for_is_refused() {
    type Case = (Box<dyn Optimizer<f64> + Send>, Box<dyn Optimizer<f64> + Send>, &'static [&'static str]);
    let cases: [Case; 5] = [
        (Box::new(Adam::new(0.2)), Box::new(Adam::new(0.2).amsgrad(true)), &["largest"]),
        (Box::new(AdamW::new(0.2)), Box::new(AdamW::new(0.2).amsgrad(true)), &["largest"]),
        (Box::new(RmsProp::new(0.2)), Box::new(RmsProp::new(0.2).centered(true)), &["m"]),
        (Box::new(RmsProp::new(0.2)), Box::new(RmsProp::new(0.2).momentum(0.9)), &["v"]),
        (Box::new(RmsProp::new(0.2)), Box::new(RmsProp::new(0.2).centered(true).momentum(0.9)), &["m", "v"]),
    ];
    for (mut plain, mut asking, slots) in cases {
        let mut net = Net::new();
        net.bias.square().sum().backward().unwrap();
        plain.step(&mut net).unwrap();
        let error = message(&asking.load_state_dict(&plain.state_dict()).unwrap_err());
        let missing: Vec<_> = slots.iter().map(|slot| format!("bias.{slot}")).collect();
        assert!(error.ends_with(&format!("the state is incomplete: missing {missing:?}")), "{error}");
        assert_eq!(asking.state_dict().arrays().len(), 0, "nothing has been taken up");

        // What is there and not asked for does no harm.
        net.bias.square().sum().backward().unwrap();
        asking.step(&mut net).unwrap();
        plain.load_state_dict(&asking.state_dict()).unwrap();
    }
}

#[test]
fn gradients_of_several_losses_are_one_step() {
    let mut net = Net::new();
    net.weight.sum().backward().unwrap();
    (&*net.weight * 2.0).sum().backward().unwrap();
    Sgd::new(0.5).step(&mut net).unwrap();
    assert_eq!(net.weight.to_vec(), [0.5; 6]);
}

#[test]
fn a_parameter_without_gradient_is_named_and_keeps_values_and_state() {
    for (mut steady, mut paused) in all_and_rprop().into_iter().zip(all_and_rprop()) {
        // The bias of one net is stepped twice in a row; that of the other misses a step in between.
        let (mut a, mut b) = (Net::new(), Net::new());
        let loss_of_bias = |net: &Net| net.bias.square().sum().backward().unwrap();
        loss_of_bias(&a);
        steady.step(&mut a).unwrap();
        loss_of_bias(&b);
        paused.step(&mut b).unwrap();

        b.weight.sum().backward().unwrap();
        let step = paused.step(&mut b).unwrap();
        assert_eq!((step.updated, step.without_gradient), (1, vec!["bias".to_owned()]));
        assert_eq!(b.bias.to_vec(), a.bias.to_vec());

        loss_of_bias(&a);
        steady.step(&mut a).unwrap();
        loss_of_bias(&b);
        paused.step(&mut b).unwrap();
        assert_eq!(b.bias.to_vec(), a.bias.to_vec());
    }
}

#[test]
fn a_parameter_that_joins_late_is_corrected_from_its_own_first_step() {
    let mut net = Net::new();
    let mut optimizer = Adam::new(0.1);
    for _ in 0..10 {
        net.weight.sum().backward().unwrap();
        optimizer.step(&mut net).unwrap();
    }
    net.bias.sum().backward().unwrap();
    optimizer.step(&mut net).unwrap();
    assert!(net.bias.to_vec().iter().all(|w| (w - 2.9).abs() < 1e-8), "{:?}", net.bias);
}

#[test]
fn missing_gradients_can_be_made_an_error() {
    let mut net = Net::new();
    net.bias.sum().backward().unwrap();
    let error = Sgd::new(0.1).step(&mut net).unwrap().require_all().unwrap_err();
    assert_eq!((error.site().file(), error.site().line()), (file!(), line!() - 1));
    insta::assert_snapshot!(
        message(&error),
        @r#"step: no gradient has arrived at ["weight"]: does the loss depend on them, and was `backward` called?"#
    );
    assert!(Step::default().require_all().is_ok());
}

/// The text of an error without its line.
fn message(error: &autodiff::Error) -> String {
    format!("{}: {}", error.op(), error.kind())
}

#[test]
fn a_changed_shape_is_an_error_that_names_the_parameter() {
    let mut net = Net::new();
    let mut optimizer = Adam::new(0.1);
    let mut step = |net: &mut Net| {
        (net.weight.sum() + net.bias.sum()).backward().unwrap();
        (optimizer.step(net), line!())
    };
    step(&mut net).0.unwrap();
    net.weight.set(&Tensor::zeros([3, 2]));
    let bias = net.bias.to_vec();
    let (result, line) = step(&mut net);
    let error = result.unwrap_err();
    insta::assert_snapshot!(
        message(&error),
        @r#"Adam: parameter "weight" has shape [3, 2], but its state was made for [2, 3]: make a new optimiser for a changed model"#
    );
    assert_eq!((error.site().file(), error.site().line()), (file!(), line));
    assert_eq!(net.weight.to_vec(), [0.0; 6]);
    assert_ne!(net.bias.to_vec(), bias, "the others are stepped");

    // What has no state does not mind.
    let mut sgd = Sgd::new(0.1);
    for shape in [[2, 3], [3, 2]] {
        net.weight.set(&Tensor::zeros(shape));
        net.weight.sum().backward().unwrap();
        assert_eq!(sgd.step(&mut net).unwrap().updated, 1);
    }
}

#[test]
fn a_gradient_of_values_that_were_replaced_does_not_arrive() {
    let mut net = Net::new();
    let loss = net.weight.sum();
    net.weight.set(&Tensor::zeros([3, 2]));
    loss.backward().unwrap();
    let step = Sgd::new(0.1).step(&mut net).unwrap();
    assert_eq!(step.without_gradient, ["weight", "bias"]);
    assert_eq!(net.weight.to_vec(), [0.0; 6]);
}

#[test]
fn a_parameter_of_size_zero_is_stepped() {
    for mut optimizer in all_and_rprop() {
        let mut w = Parameter::new(Tensor::zeros([3, 0]));
        for _ in 0..2 {
            w.square().sum().backward().unwrap();
            assert_eq!(optimizer.step(&mut w).unwrap().updated, 1);
        }
        assert_eq!(w.size(), 0);
    }
}

#[test]
fn a_model_without_parameters_is_stepped() {
    let step = Sgd::<f64>::new(0.1).step(&mut ()).unwrap();
    assert_eq!(step, Step::default());
}

#[test]
fn the_default_element_is_f32() {
    let mut w = Parameter::<f32>::new(Tensor::from_vec([1.0, -1.0], [2]).unwrap());
    let mut optimizer = Adam::new(0.125);
    w.square().sum().backward().unwrap();
    optimizer.step(&mut w).unwrap();
    assert!(w.to_vec().iter().zip([0.875f32, -0.875]).all(|(w, e)| (w - e).abs() < 1e-6), "{w:?}");

    let mut boxed: Box<dyn Optimizer> = Box::new(optimizer);
    w.square().sum().backward().unwrap();
    boxed.step(&mut w).unwrap();
    assert!(w.to_vec()[0] < 0.875);
}

#[test]
fn a_tape_that_holds_the_old_values_keeps_them() {
    let mut w = Parameter::new(Tensor::full(1.0, [3]));
    let old = w.detach();
    let y = w.square().sum();
    w.sum().backward().unwrap();
    Sgd::new(0.5).step(&mut w).unwrap();
    y.backward().unwrap();
    assert_eq!(w.grad().unwrap().to_vec(), [2.0; 3]);
    assert_eq!((old.to_vec(), w.to_vec()), (vec![1.0; 3], vec![0.5; 3]));
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut optimizer = Momentum::new(0.1);
    let mut w = Parameter::new(Tensor::full(1.0, [3]));
    w.sum().backward().unwrap();
    optimizer.step(&mut w).unwrap();
    let copy = optimizer.clone();
    let ends = [optimizer, copy].map(|mut optimizer| {
        let mut w = Parameter::new(w.detach());
        w.sum().backward().unwrap();
        optimizer.step(&mut w).unwrap();
        w.to_vec()
    });
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn the_learning_rate_counts_from_the_next_step_on() {
    for mut optimizer in all() {
        let mut w = Parameter::new(Tensor::scalar(1.0));
        optimizer.set_learning_rate(0.0);
        w.square().backward().unwrap();
        optimizer.step(&mut w).unwrap();
        assert_eq!((optimizer.learning_rate(), w.item()), (0.0, 1.0));
    }
    // Past steps go on at the rate they were made with.
    let mut optimizer = Momentum::new(0.5).momentum(0.5);
    let mut w = Parameter::new(Tensor::scalar(1.0));
    for (rate, expected) in [(0.5, 0.5), (0.25, 0.0)] {
        optimizer.set_learning_rate(rate);
        w.sum().backward().unwrap();
        optimizer.step(&mut w).unwrap();
        assert_eq!(w.item(), expected);
    }
}

/// The text of a panic.
fn panic_of(body: impl FnOnce() + std::panic::UnwindSafe) -> String {
    *std::panic::catch_unwind(body).unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn senseless_hyperparameters_are_refused() {
    let texts = [
        panic_of(|| drop(Sgd::<f64>::new(-0.1))),
        panic_of(|| drop(Adam::<f64>::new(f64::NAN))),
        panic_of(|| Sgd::<f64>::new(0.1).set_learning_rate(f64::INFINITY)),
        panic_of(|| drop(Sgd::<f64>::new(0.1).weight_decay(-1.0))),
        panic_of(|| drop(Momentum::<f64>::new(0.1).momentum(1.0))),
        panic_of(|| drop(RmsProp::<f64>::new(0.1).decay(f64::NAN))),
        panic_of(|| drop(AdaGrad::<f64>::new(0.1).epsilon(0.0))),
        panic_of(|| drop(Adam::<f64>::new(0.1).beta1(-0.5))),
        panic_of(|| drop(AdamW::<f64>::new(0.1).beta2(1.5))),
        panic_of(|| drop(Adam::<f64>::new(0.1).group("*", |group| group.rate_factor(-1.0)))),
        panic_of(|| drop(Adam::<f64>::new(0.1).group("*", |group| group.weight_decay(f64::NAN)))),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r"
    the learning rate must be finite and not negative, not -0.1
    the learning rate must be finite and not negative, not NaN
    the learning rate must be finite and not negative, not inf
    weight_decay must be finite and not negative, not -1
    momentum must be at least 0 and below 1, not 1
    decay must be at least 0 and below 1, not NaN
    epsilon must be finite and above 0, not 0
    beta1 must be at least 0 and below 1, not -0.5
    beta2 must be at least 0 and below 1, not 1.5
    rate_factor must be finite and not negative, not -1
    weight_decay must be finite and not negative, not NaN
    ");
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let train = |index: usize| {
        let mut optimizer = all_and_rprop().remove(index);
        let start: Vec<f64> = (0..1_000_000).map(|i| f64::from(i % 1013) / 100.0 - 5.0).collect();
        let mut w = Parameter::new(Tensor::from_vec(start, [1_000_000]).unwrap());
        for _ in 0..3 {
            (w.square() * &*w).sum().backward().unwrap();
            optimizer.step(&mut w).unwrap();
        }
        w.to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    for index in 0..all_and_rprop().len() {
        assert!(with_threads(1, || train(index)) == with_threads(2, || train(index)), "optimiser {index}");
    }
}

#[test]
fn each_finds_the_bottom_of_a_long_valley() {
    // x² / 20 + y² from (-7, 2), at the rates of "Deep Learning from Scratch", section 6.1.
    let optimizers: [Box<dyn Optimizer<f64>>; 12] = [
        Box::new(Sgd::new(0.95)),
        Box::new(Momentum::new(0.1)),
        Box::new(Momentum::new(0.1).nesterov(true)),
        Box::new(AdaGrad::new(1.5)),
        Box::new(RmsProp::new(0.1)),
        Box::new(Adam::new(0.3)),
        Box::new(AdamW::new(0.3)),
        Box::new(Adam::new(0.3).amsgrad(true)),
        Box::new(Adamax::new(0.5)),
        Box::new(NAdam::new(0.3)),
        Box::new(RmsProp::new(0.05).centered(true).momentum(0.5)),
        Box::new(Rprop::new(0.1)),
    ];
    for (i, mut optimizer) in optimizers.into_iter().enumerate() {
        let mut model = (Parameter::new(Tensor::scalar(-7.0)), Parameter::new(Tensor::scalar(2.0)));
        let loss = |(x, y): &(Parameter<f64>, Parameter<f64>)| x.square() / 20.0 + y.square();
        for _ in 0..100 {
            loss(&model).backward().unwrap();
            optimizer.step(&mut model).unwrap();
        }
        let reached = loss(&model).item();
        assert!(reached < 1e-4, "optimiser {i} ends at {reached:e}");
    }
}
