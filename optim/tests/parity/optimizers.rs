//! Trajectories of the weights, and what else a training loop does to them.

use super::{assert_close, each_case, numbers};
use autodiff::{Float, Module, Parameter, Path, Place, PlaceMut, Tensor};
use optim::*;
use serde_json::Value;

/// `tanh(x W + b) V + c`, on the data of make.py.
struct Net<T: Float> {
    parts: [(&'static str, Parameter<T>); 4],
    data: Tensor<T>,
    targets: Tensor<T>,
}

fn tensor<T: Float, const N: usize>(values: &[f64], shape: [usize; N]) -> Tensor<T> {
    let values: Vec<T> = values.iter().copied().map(T::from_f64).collect();
    Tensor::from_vec(values, shape).unwrap()
}

impl<T: Float> Net<T> {
    fn new() -> Self {
        Self {
            parts: [
                ("hidden.weight", Parameter::new(tensor(&[0.6, -0.3, 0.2, 0.1, 0.5, -0.7], [2, 3]))),
                ("hidden.bias", Parameter::new(tensor(&[0.05, -0.1, 0.2], [3]))),
                ("out.weight", Parameter::new(tensor(&[0.4, -0.6, 0.3], [3, 1]))),
                ("out.bias", Parameter::new(tensor(&[0.1], [1]))),
            ],
            data: tensor(&[-1.2, 0.4, -0.5, -0.9, 0.1, 0.8, 0.7, -0.3, 1.1, 0.6], [5, 2]),
            targets: tensor(&[0.9, -0.4, 0.3, -1.1, 0.5], [5, 1]),
        }
    }

    fn loss(&self) -> Tensor<T> {
        let [w, b, v, c] = self.parts.each_ref().map(|(_, parameter)| &**parameter);
        let hidden = (self.data.matmul(w).unwrap() + b).tanh();
        (hidden.matmul(v).unwrap() + c - &self.targets).square().mean()
    }

    fn weights(&self) -> Vec<f64> {
        self.parts.iter().flat_map(|(_, p)| p.to_vec()).map(T::to_f64).collect()
    }
}

impl<T: Float> Module<T> for Net<T> {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        for (name, parameter) in &self.parts {
            path.scope(name, |path| parameter.walk(path, visit));
        }
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        for (name, parameter) in &mut self.parts {
            path.scope(name, |path| parameter.walk_mut(path, visit));
        }
    }
}

fn references() -> Value {
    serde_json::from_str(include_str!("trajectories.json")).unwrap()
}

/// The losses before each of 20 steps, and the weights after the first, the second and the last.
fn trajectory<T: Float>(
    optimizer: &mut dyn Optimizer<T>,
    mut before: impl FnMut(usize, &mut dyn Optimizer<T>),
) -> (Vec<f64>, Vec<f64>) {
    let mut net = Net::new();
    let (mut losses, mut weights) = (Vec::new(), Vec::new());
    for t in 0..20 {
        before(t, optimizer);
        let loss = net.loss();
        loss.backward().unwrap();
        optimizer.step(&mut net).unwrap().require_all().unwrap();
        losses.push(loss.item().to_f64());
        if [0, 1, 19].contains(&t) {
            weights.extend(net.weights());
        }
    }
    (losses, weights)
}

type Boxed<T> = Box<dyn Optimizer<T>>;

/// The optimisers of make.py, by their names there.
fn optimizers<T: Float>() -> Vec<(&'static str, Boxed<T>)> {
    vec![
        ("sgd", Box::new(Sgd::new(0.1))),
        ("sgd, decay", Box::new(Sgd::new(0.1).weight_decay(0.2))),
        ("momentum", Box::new(Momentum::new(0.05))),
        ("momentum, decay", Box::new(Momentum::new(0.05).momentum(0.5).weight_decay(0.2))),
        ("momentum, dampening", Box::new(Momentum::new(0.05).dampening(0.3).weight_decay(0.1))),
        ("nesterov", Box::new(Momentum::new(0.05).nesterov(true))),
        ("nesterov, decay", Box::new(Momentum::new(0.05).momentum(0.8).nesterov(true).weight_decay(0.2))),
        ("adagrad", Box::new(AdaGrad::new(0.1))),
        ("adagrad, decay", Box::new(AdaGrad::new(0.1).epsilon(1e-2).weight_decay(0.2))),
        ("adagrad, rate decay", Box::new(AdaGrad::new(0.1).rate_decay(0.1))),
        ("adagrad, initial", Box::new(AdaGrad::new(0.1).initial(0.5).rate_decay(0.05))),
        ("rmsprop", Box::new(RmsProp::new(0.01))),
        ("rmsprop, decay", Box::new(RmsProp::new(0.01).decay(0.9).epsilon(1e-3).weight_decay(0.2))),
        ("rmsprop, centered", Box::new(RmsProp::new(0.01).centered(true))),
        ("rmsprop, momentum", Box::new(RmsProp::new(0.005).momentum(0.8))),
        (
            "rmsprop, all",
            Box::new(RmsProp::new(0.005).decay(0.9).centered(true).momentum(0.7).weight_decay(0.1)),
        ),
        ("adadelta", Box::new(AdaDelta::new(1.0))),
        ("adadelta, set", Box::new(AdaDelta::new(0.5).rho(0.8).epsilon(1e-3))),
        ("adadelta, decay", Box::new(AdaDelta::new(1.0).epsilon(1e-3).weight_decay(0.2))),
        ("adam", Box::new(Adam::new(0.05))),
        ("adam, set", Box::new(Adam::new(0.05).beta1(0.8).beta2(0.9).epsilon(1e-3))),
        ("adam, decay", Box::new(Adam::new(0.05).weight_decay(0.2))),
        ("adam, amsgrad", Box::new(Adam::new(0.05).beta1(0.5).beta2(0.6).amsgrad(true))),
        ("adamw", Box::new(AdamW::new(0.05))),
        ("adamw, decay", Box::new(AdamW::new(0.05).beta1(0.8).beta2(0.9).weight_decay(0.2))),
        ("adamw, amsgrad", Box::new(AdamW::new(0.05).beta1(0.5).beta2(0.6).amsgrad(true).weight_decay(0.1))),
        ("adamax", Box::new(Adamax::new(0.05))),
        ("adamax, set", Box::new(Adamax::new(0.05).beta1(0.7).beta2(0.8).epsilon(1e-2))),
        ("adamax, decay", Box::new(Adamax::new(0.05).weight_decay(0.2))),
        ("nadam", Box::new(NAdam::new(0.05))),
        ("nadam, set", Box::new(NAdam::new(0.05).beta1(0.8).beta2(0.9).epsilon(1e-3).momentum_decay(0.1))),
        ("nadam, decay", Box::new(NAdam::new(0.05).weight_decay(0.2))),
        ("nadam, decoupled", Box::new(NAdam::new(0.05).weight_decay(0.2).decoupled_weight_decay(true))),
        ("radam", Box::new(RAdam::new(0.05))),
        ("radam, set", Box::new(RAdam::new(0.05).beta1(0.8).beta2(0.9).epsilon(1e-3))),
        ("radam, never", Box::new(RAdam::new(0.05).beta2(0.5))),
        ("radam, decay", Box::new(RAdam::new(0.05).weight_decay(0.2))),
        ("radam, decoupled", Box::new(RAdam::new(0.05).weight_decay(0.2).decoupled_weight_decay(true))),
        ("rprop", Box::new(Rprop::new(0.02))),
        ("rprop, set", Box::new(Rprop::new(0.05).shrink(0.3).grow(1.5).smallest(1e-3).largest(0.1))),
        ("lion", Box::new(Lion::new(0.02))),
        ("lion, set", Box::new(Lion::new(0.02).beta1(0.8).beta2(0.7))),
        ("lion, decay", Box::new(Lion::new(0.02).weight_decay(0.3))),
        ("lamb", Box::new(Lamb::new(0.05))),
        ("lamb, set", Box::new(Lamb::new(0.05).beta1(0.8).beta2(0.9).epsilon(1e-2))),
        ("lamb, decay", Box::new(Lamb::new(0.05).weight_decay(0.5))),
    ]
}

fn compare(name: &str, (losses, weights): (Vec<f64>, Vec<f64>), reference: &Value) {
    assert_close(&format!("{name}: losses"), &losses, &numbers(&reference["losses"]));
    assert_close(&format!("{name}: weights"), &weights, &numbers(&reference["weights"]));
}

#[test]
fn twenty_steps_are_those_of_pytorch() {
    each_case(&references()["optimizers"], optimizers::<f64>(), |name, mut optimizer, reference| {
        compare(name, trajectory(&mut *optimizer, |_, _| {}), reference);
    });
}

#[test]
fn in_f32_they_are_the_same_but_for_rounding() {
    each_case(&references()["optimizers"], optimizers::<f32>(), |name, mut optimizer, reference| {
        let (_, weights) = trajectory(&mut *optimizer, |_, _| {});
        for (found, expected) in weights.iter().zip(numbers(&reference["weights"])) {
            assert!((found - expected).abs() < 1e-4, "{name}: {found} for {expected}");
        }
    });
}

#[test]
fn groups_are_those_of_pytorch() {
    macro_rules! grouped {
        ($optimizer:ident) => {
            Box::new(
                $optimizer::new(0.05)
                    .weight_decay(0.2)
                    .group("*.bias", |group| group.weight_decay(0.0))
                    .group("out.*", |group| group.rate_factor(0.1))
                    .group("out.bias", |group| group.frozen(true)),
            ) as Boxed<f64>
        };
    }
    let cases = [("sgd", grouped!(Sgd)), ("adamw", grouped!(AdamW)), ("lamb", grouped!(Lamb))];
    each_case(&references()["groups"], cases, |name, mut optimizer, reference| {
        compare(name, trajectory(&mut *optimizer, |_, _| {}), reference);
    });
}

#[test]
fn a_changing_rate_is_that_of_pytorch() {
    let cases: [(_, Boxed<f64>); 5] = [
        ("adam", Box::new(Adam::new(0.1))),
        ("adamw", Box::new(AdamW::new(0.1).weight_decay(0.2))),
        ("nadam", Box::new(NAdam::new(0.1))),
        ("adagrad", Box::new(AdaGrad::new(0.1))),
        ("rprop", Box::new(Rprop::new(0.02))),
    ];
    each_case(&references()["changing rate"], cases, |name, mut optimizer, reference| {
        let rate = optimizer.learning_rate();
        let halve = |t: usize, optimizer: &mut dyn Optimizer<f64>| {
            optimizer.set_learning_rate(rate * 0.5f64.powi(t as i32 / 5));
        };
        compare(name, trajectory(&mut *optimizer, halve), reference);
    });
}

/// The gradients, one parameter after the other.
fn gradients(net: &Net<f64>) -> Vec<f64> {
    net.parts.iter().flat_map(|(_, parameter)| parameter.grad().unwrap().to_vec()).collect()
}

#[test]
fn clipping_is_that_of_pytorch() {
    type Clip = fn(&mut Net<f64>, f64) -> f64;
    // `clip_grad_norm_` divides by the norm plus 1e-6.
    let norm: Clip = |net, norm| {
        assert_close("the norm", &[clip_norm(net, 0.3).unwrap()], &[norm]);
        norm / (norm + 1e-6)
    };
    let values: Clip = |net, _| {
        clip_values(net, 0.1);
        1.0
    };
    each_case(&references()["clipping"], [("norm", norm), ("values", values)], |name, clip, reference| {
        let mut net = Net::new();
        net.loss().backward().unwrap();
        let scale = clip(&mut net, reference["norm"].as_f64().unwrap());
        let found: Vec<f64> = gradients(&net).into_iter().map(|g| scale * g).collect();
        assert_close(name, &found, &numbers(&reference["gradient"]));
    });
}

#[test]
fn averages_are_those_of_pytorch() {
    let cases = [("swa", Average::<f64>::swa()), ("ema", Average::ema(0.9))];
    each_case(&references()["averages"], cases, |name, mut average, reference| {
        let mut net = Net::new();
        let mut optimizer = Sgd::new(0.1);
        for _ in 0..20 {
            net.loss().backward().unwrap();
            optimizer.step(&mut net).unwrap();
            average.update(&net).unwrap();
        }
        average.swap(&mut net).unwrap();
        assert_close(name, &net.weights(), &numbers(reference));
    });
}

#[test]
fn lbfgs_is_that_of_pytorch() {
    let new = |rate, iterations| Lbfgs::new(rate).max_iterations(iterations);
    let cases = [
        ("fixed", new(0.3, 3)),
        ("fixed, history", new(0.3, 6).history(2)),
        ("wolfe", new(1.0, 3).strong_wolfe(true)),
        ("wolfe, history", new(0.5, 4).history(2).strong_wolfe(true)),
        ("wolfe, long", new(40.0, 3).max_evaluations(25).strong_wolfe(true)),
        ("wolfe, short", new(0.01, 3).max_evaluations(25).strong_wolfe(true)),
        ("wolfe, few", new(40.0, 3).max_evaluations(3).strong_wolfe(true)),
    ];
    each_case(&references()["lbfgs"], cases, |name, mut optimizer, reference| {
        let mut net = Net::<f64>::new();
        let (mut losses, mut weights, mut evaluations) = (Vec::new(), Vec::new(), Vec::new());
        let mut all = 0;
        for _ in 0..3 {
            let step = optimizer.step(&mut net, |net| Ok(net.loss())).unwrap();
            all += step.evaluations;
            losses.push(step.loss);
            weights.extend(net.weights());
            evaluations.push(all as f64);
        }
        assert_close(&format!("{name}: evaluations"), &evaluations, &numbers(&reference["evaluations"]));
        compare(name, (losses, weights), reference);
    });
}
