//! Each optimiser against its formula, written again for one number.

use autodiff::{Parameter, Tensor};
use optim::{AdaGrad, Adam, AdamW, Momentum, Optimizer, RmsProp, Sgd};
use proptest::prelude::*;

type Pair = (Parameter<f64>, Parameter<f64>);

fn pair(x: f64, y: f64) -> Pair {
    (Parameter::new(Tensor::scalar(x)), Parameter::new(Tensor::scalar(y)))
}

/// The formula of one number, with whatever it remembers: `(t, w, g) -> w`.
type Scalar = Box<dyn FnMut(i32, f64, f64) -> f64>;

/// An optimiser and two copies of its formula, one for each of two numbers.
struct Case {
    name: &'static str,
    optimizer: Box<dyn Optimizer<f64>>,
    formulas: [Scalar; 2],
}

fn case<F: FnMut(i32, f64, f64) -> f64 + 'static>(
    name: &'static str,
    optimizer: impl Optimizer<f64> + 'static,
    formula: impl Fn() -> F,
) -> Case {
    Case { name, optimizer: Box::new(optimizer), formulas: [Box::new(formula()), Box::new(formula())] }
}

fn momentum(rate: f64, mu: f64, decay: f64, nesterov: bool) -> impl FnMut(i32, f64, f64) -> f64 {
    let mut v = 0.0;
    move |_, w, g| {
        let g = g + decay * w;
        v = mu * v - rate * g;
        if nesterov { w + mu * v - rate * g } else { w + v }
    }
}

fn ada_grad(rate: f64, epsilon: f64, decay: f64) -> impl FnMut(i32, f64, f64) -> f64 {
    let mut h: f64 = 0.0;
    move |_, w, g| {
        let g = g + decay * w;
        h += g.powi(2);
        w - rate * g / (h.sqrt() + epsilon)
    }
}

fn rms_prop(rate: f64, rho: f64, epsilon: f64, decay: f64) -> impl FnMut(i32, f64, f64) -> f64 {
    let mut h: f64 = 0.0;
    move |_, w, g| {
        let g = g + decay * w;
        h = rho * h + (1.0 - rho) * g.powi(2);
        w - rate * g / (h.sqrt() + epsilon)
    }
}

fn adam(
    rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    (coupled, decoupled): (f64, f64),
) -> impl FnMut(i32, f64, f64) -> f64 {
    let (mut m, mut v) = (0.0, 0.0);
    move |t, w, g| {
        let g = g + coupled * w;
        m = beta1 * m + (1.0 - beta1) * g;
        v = beta2 * v + (1.0 - beta2) * g.powi(2);
        let m_hat = m / (1.0 - beta1.powi(t));
        let v_hat: f64 = v / (1.0 - beta2.powi(t));
        w - rate * (m_hat / (v_hat.sqrt() + epsilon) + decoupled * w)
    }
}

fn cases() -> Vec<Case> {
    vec![
        case("sgd", Sgd::new(0.02), || |_, w, g| w - 0.02 * g),
        case("sgd, decay", Sgd::new(0.02).weight_decay(0.3), || |_, w, g| w - 0.02 * (g + 0.3 * w)),
        case("momentum", Momentum::new(0.01), || momentum(0.01, 0.9, 0.0, false)),
        case("momentum, decay", Momentum::new(0.01).momentum(0.5).weight_decay(0.3), || {
            momentum(0.01, 0.5, 0.3, false)
        }),
        case("nesterov", Momentum::new(0.01).nesterov(true), || momentum(0.01, 0.9, 0.0, true)),
        case("nesterov, decay", Momentum::new(0.01).nesterov(true).weight_decay(0.3), || {
            momentum(0.01, 0.9, 0.3, true)
        }),
        case("adagrad", AdaGrad::new(0.3), || ada_grad(0.3, 1e-10, 0.0)),
        case("adagrad, set", AdaGrad::new(0.3).epsilon(0.1).weight_decay(0.3), || ada_grad(0.3, 0.1, 0.3)),
        case("rmsprop", RmsProp::new(0.01), || rms_prop(0.01, 0.99, 1e-8, 0.0)),
        case("rmsprop, set", RmsProp::new(0.02).decay(0.8).epsilon(0.1).weight_decay(0.3), || {
            rms_prop(0.02, 0.8, 0.1, 0.3)
        }),
        case("adam", Adam::new(0.1), || adam(0.1, 0.9, 0.999, 1e-8, (0.0, 0.0))),
        case("adam, set", Adam::new(0.1).beta1(0.8).beta2(0.9).epsilon(0.1).weight_decay(0.3), || {
            adam(0.1, 0.8, 0.9, 0.1, (0.3, 0.0))
        }),
        case("adamw", AdamW::new(0.1), || adam(0.1, 0.9, 0.999, 1e-8, (0.0, 0.01))),
        case("adamw, set", AdamW::new(0.1).beta1(0.8).beta2(0.9).epsilon(0.1).weight_decay(0.3), || {
            adam(0.1, 0.8, 0.9, 0.1, (0.0, 0.3))
        }),
    ]
}

/// Twenty steps of each optimiser on `loss` equal those of its formula on `gradient`.
fn twenty_steps(loss: impl Fn(&Pair) -> Tensor<f64>, gradient: impl Fn([f64; 2]) -> [f64; 2]) {
    for Case { name, mut optimizer, mut formulas } in cases() {
        let mut point = [-1.2, 1.0];
        let mut model = pair(point[0], point[1]);
        for t in 1..=20 {
            loss(&model).backward().unwrap();
            optimizer.step(&mut model).unwrap().require_all().unwrap();
            let g = gradient(point);
            point = std::array::from_fn(|i| formulas[i](t, point[i], g[i]));
            let found = [model.0.item(), model.1.item()];
            for (found, expected) in found.into_iter().zip(point) {
                assert!((found - expected).abs() < 1e-12, "{name}, step {t}: {found} for {expected}");
            }
        }
        assert!(
            point.iter().all(|x| x.is_finite()) && point != [-1.2, 1.0],
            "{name} went nowhere: {point:?}"
        );
    }
}

#[test]
fn twenty_steps_on_a_quadratic_follow_the_formulas() {
    // 3 (x - 1)² + x y + (y + 2)²
    twenty_steps(
        |(x, y)| (&**x - 1.0).square() * 3.0 + &**x * &**y + (&**y + 2.0).square(),
        |[x, y]| [6.0 * (x - 1.0) + y, x + 2.0 * (y + 2.0)],
    );
}

#[test]
fn twenty_steps_in_a_bent_valley_follow_the_formulas() {
    // (1 - x)² + 5 (y - x²)²
    twenty_steps(
        |(x, y)| (1.0 - &**x).square() + (&**y - x.square()).square() * 5.0,
        |[x, y]| [-2.0 * (1.0 - x) - 20.0 * x * (y - x * x), 10.0 * (y - x * x)],
    );
}

/// The values of `w = 1` after each of two steps with the gradient 0.5.
fn two_steps(mut optimizer: impl Optimizer<f64>) -> [f64; 2] {
    let mut w = Parameter::new(Tensor::scalar(1.0));
    [(); 2].map(|()| {
        (&*w * 0.5).backward().unwrap();
        optimizer.step(&mut w).unwrap();
        w.item()
    })
}

#[test]
fn the_first_steps_are_those_computed_by_hand() {
    let near = |found: [f64; 2], expected: [f64; 2]| {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found:?} for {expected:?}");
        }
    };
    near(two_steps(Sgd::new(0.1)), [0.95, 0.90]);
    // 1 - 0.1 · 0.6; 0.94 - 0.1 · 0.594
    near(two_steps(Sgd::new(0.1).weight_decay(0.1)), [0.94, 0.8806]);
    // v = -0.05, -0.095
    near(two_steps(Momentum::new(0.1)), [0.95, 0.855]);
    // 1 - 0.045 - 0.05; 0.905 - 0.0855 - 0.05
    near(two_steps(Momentum::new(0.1).nesterov(true)), [0.905, 0.7695]);
    // 1 - 0.05 / (0.5 + 0.5); 0.95 - 0.05 / (√½ + 0.5)
    near(two_steps(AdaGrad::new(0.1).epsilon(0.5)), [0.95, 0.908_578_643_762_690_5]);
    // h = 0.0625, 0.109375: 1 - 0.05 / (0.25 + 0.5); 1 - 0.066.. - 0.05 / (0.330718913883 + 0.5)
    near(
        two_steps(RmsProp::new(0.1).decay(0.75).epsilon(0.5)),
        [0.933_333_333_333_333_3, 0.873_144_502_713_981_8],
    );
    // Corrected, both means are those of one gradient: each step is 0.1 · 0.5 / (0.5 + 0.3).
    near(two_steps(Adam::new(0.1).epsilon(0.3)), [0.9375, 0.875]);
    near(two_steps(AdamW::new(0.1).epsilon(0.3).weight_decay(0.0)), [0.9375, 0.875]);
    // Coupled, the penalty is divided too: 0.1 · 0.6 / (0.6 + 0.3).
    near(
        two_steps(Adam::new(0.1).epsilon(0.3).weight_decay(0.1)).map(|w| w.max(0.9)),
        [0.933_333_333_333_333_3, 0.9],
    );
    // Decoupled it is not: 0.99 - 0.0625; 0.99 · 0.9275 - 0.0625.
    near(two_steps(AdamW::new(0.1).epsilon(0.3).weight_decay(0.1)), [0.9275, 0.855_725]);
}

/// One step from `w` along the gradients `g`.
fn step(optimizer: &mut impl Optimizer<f64>, w: &mut Parameter<f64>, g: &[f64]) {
    (&**w * &Tensor::from_vec(g, [g.len()]).unwrap()).sum().backward().unwrap();
    optimizer.step(w).unwrap();
}

/// Where some steps along these gradients lead, from `start` on.
fn walk(mut optimizer: impl Optimizer<f64>, start: &[f64], gradients: &[Vec<f64>]) -> Vec<f64> {
    let mut w = Parameter::new(Tensor::from_vec(start, [start.len()]).unwrap());
    for g in gradients {
        step(&mut optimizer, &mut w, g);
    }
    w.to_vec()
}

/// A start and some gradients of the same length.
fn descent() -> impl Strategy<Value = (Vec<f64>, Vec<Vec<f64>>)> {
    let number = -10.0..10.0f64;
    (prop::array::uniform5(number.clone()), prop::collection::vec(prop::array::uniform5(number), 1..8))
        .prop_map(|(start, gradients)| (start.to_vec(), gradients.iter().map(|g| g.to_vec()).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sgd_is_linear_in_the_gradient((_, gradients) in descent(), rate in 0.0..1.0f64) {
        let start = [0.0; 5];
        let total = (0..5).map(|i| gradients.iter().map(|g| g[i]).sum()).collect();
        let (one_by_one, at_once) =
            (walk(Sgd::new(rate), &start, &gradients), walk(Sgd::new(rate), &start, &[total]));
        for (a, b) in one_by_one.into_iter().zip(at_once) {
            prop_assert!((a - b).abs() < 1e-12, "{} and {}", a, b);
        }
    }

    #[test]
    fn momentum_of_zero_is_sgd((start, gradients) in descent(), rate in 0.0..1.0f64, nesterov: bool) {
        prop_assert_eq!(
            walk(Momentum::new(rate).momentum(0.0).nesterov(nesterov), &start, &gradients),
            walk(Sgd::new(rate), &start, &gradients)
        );
    }

    #[test]
    fn momentum_is_that_of_pytorch_at_a_constant_rate(
        (start, gradients) in descent(), rate in 0.0..0.5f64, mu in 0.0..0.99f64, nesterov: bool,
    ) {
        let found = walk(Momentum::new(rate).momentum(mu).nesterov(nesterov), &start, &gradients);
        for (i, found) in found.into_iter().enumerate() {
            let (mut w, mut v) = (start[i], 0.0);
            for g in &gradients {
                v = mu * v + g[i];
                w -= rate * if nesterov { g[i] + mu * v } else { v };
            }
            prop_assert!((found - w).abs() < 1e-11, "{} and {}", found, w);
        }
    }

    #[test]
    fn adam_does_not_see_the_scale_of_gradients((start, gradients) in descent(), power in -20..20i32) {
        // With a power of two and an epsilon that vanishes, not even in the last bit.
        let scaled: Vec<Vec<f64>> =
            gradients.iter().map(|g| g.iter().map(|g| g * 2f64.powi(power)).collect()).collect();
        let adam = || Adam::new(0.1).epsilon(1e-100);
        prop_assert_eq!(walk(adam(), &start, &gradients), walk(adam(), &start, &scaled));
    }

    #[test]
    fn adamw_without_decay_is_adam((start, gradients) in descent()) {
        prop_assert_eq!(
            walk(AdamW::new(0.1).weight_decay(0.0), &start, &gradients),
            walk(Adam::new(0.1), &start, &gradients)
        );
    }

    #[test]
    fn decay_of_sgd_is_decoupled_as_it_is(w in -10.0..10.0f64, g in -10.0..10.0f64, decay in 0.0..1.0f64) {
        let coupled = walk(Sgd::new(0.1).weight_decay(decay), &[w], &[vec![g]]);
        prop_assert!((coupled[0] - ((1.0 - 0.1 * decay) * w - 0.1 * g)).abs() < 1e-13);
    }
}

#[test]
fn a_coupled_penalty_is_divided_and_a_decoupled_one_is_not() {
    // Two weights of 1, whose gradients differ a thousandfold, go up and down.
    let gradients: Vec<Vec<f64>> =
        (0..40).map(|t| [0.01, 10.0].map(|g| if t % 2 == 0 { g } else { -g }).to_vec()).collect();
    let start = [1.0, 1.0];
    let shrunk_by = |decayed: Vec<f64>, free: &[f64]| [free[0] - decayed[0], free[1] - decayed[1]];
    let free = walk(Adam::new(0.01), &start, &gradients);
    let coupled = shrunk_by(walk(Adam::new(0.01).weight_decay(0.001), &start, &gradients), &free);
    let decoupled = shrunk_by(walk(AdamW::new(0.01).weight_decay(0.001), &start, &gradients), &free);
    assert!(coupled[0] > 100.0 * coupled[1].abs(), "{coupled:?}");
    assert!((decoupled[0] - decoupled[1]).abs() < 1e-5 * decoupled[0], "{decoupled:?}");
}
