//! The moments of the initialisers.
#![allow(missing_docs)]

use autodiff::{Rng, Tensor};
use nn::{Affine, Conv2d, Gain, Init};

/// Mean, deviation, and largest magnitude.
fn moments(w: &Tensor<f64>) -> (f64, f64, f64) {
    let mean = w.mean().item();
    (mean, (w - mean).square().mean().item().sqrt(), w.abs().max().item())
}

fn draw(init: Init) -> (f64, f64, f64) {
    moments(&init.tensor([300, 200], 300, 200, &mut Rng::seed(1)))
}

#[test]
fn deviations_follow_the_formulas() {
    let (he, xavier, lecun) = ((2.0f64 / 300.0).sqrt(), (2.0f64 / 500.0).sqrt(), (1.0f64 / 300.0).sqrt());
    let rows = [
        (Init::HeNormal, 0.0, he),
        (Init::HeUniform, 0.0, he),
        (Init::XavierNormal, 0.0, xavier),
        (Init::XavierUniform, 0.0, xavier),
        (Init::LecunNormal, 0.0, lecun),
        (Init::Normal(0.01), 0.0, 0.01),
        (Init::Uniform(1.0, 3.0), 2.0, 2.0 / 12.0f64.sqrt()),
    ];
    for (init, mean, deviation) in rows {
        let (found_mean, found_deviation, _) = draw(init);
        // 60 000 numbers: five deviations of the mean are 2 %.
        assert!((found_mean - mean).abs() < 0.021 * deviation, "{init:?} {found_mean}");
        assert!((found_deviation / deviation - 1.0).abs() < 0.02, "{init:?} {found_deviation}");
    }
    assert!(draw(Init::HeUniform).2 <= 3.0f64.sqrt() * he);
    assert!(draw(Init::XavierUniform).2 <= 3.0f64.sqrt() * xavier);
    assert!(draw(Init::HeNormal).2 > 3.0 * he);
    assert_eq!(draw(Init::Zeros), (0.0, 0.0, 0.0));
    let (mean, deviation, _) = draw(Init::Constant(0.5));
    assert_eq!((mean, deviation), (0.5, 0.0));
}

#[test]
fn layers_know_their_fans() {
    let mut rng = Rng::seed(2);
    let near = |w: &Tensor<f64>, variance: f64| {
        let (_, deviation, _) = moments(w);
        assert!((deviation.powi(2) / variance - 1.0).abs() < 0.06, "{deviation} {variance}");
    };
    let affine = Affine::new(100, 50, &mut rng);
    near(&affine.weight, 2.0 / 100.0);
    near(&affine.with_init(Init::XavierNormal, &mut rng).weight, 2.0 / 150.0);
    let conv = Conv2d::new(32, 64, 3, &mut rng);
    near(&conv.weight, 2.0 / (32.0 * 9.0));
    near(&conv.with_init(Init::XavierUniform, &mut rng).weight, 2.0 / (96.0 * 9.0));
    let grouped = Conv2d::grouped(64, 128, 3, 2, &mut rng);
    near(&grouped.weight, 2.0 / (32.0 * 9.0));
    near(&grouped.with_init(Init::XavierNormal, &mut rng).weight, 2.0 / (96.0 * 9.0));
}

#[test]
fn a_seed_fixes_every_bit_and_layers_without_inputs_exist() {
    let weights = |seed| Affine::<f32>::new(8, 8, &mut Rng::seed(seed)).weight.to_vec();
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
    assert_eq!(Affine::<f32>::new(0, 2, &mut Rng::seed(1)).weight.shape(), [0, 2]);
}

#[test]
fn a_truncated_normal_has_the_moments_of_the_part_that_is_left() {
    // Mean and deviation of the standard normal distribution between the bounds, by Simpson's rule.
    let known = |low: f64, high: f64| {
        let moment = |k: i32| {
            let n = 10_000;
            let at = |i: usize| low + (high - low) * i as f64 / f64::from(n);
            let weight = |i: usize| [2.0, 4.0][i % 2] - f64::from(u8::from(i == 0 || i == n as usize));
            (0..=n as usize).map(|i| weight(i) * at(i).powi(k) * (-0.5 * at(i).powi(2)).exp()).sum::<f64>()
        };
        let mean = moment(1) / moment(0);
        (mean, (moment(2) / moment(0) - mean * mean).sqrt())
    };
    let tails = [(9.0, 10.0), (-10.0, -9.0), (30.0, 31.0), (-31.0, -30.0), (4.0, 5.0)];
    for (low, high) in [(-2.0, 2.0), (1.0, 3.0), (-0.5, 8.0), (-4.0, -2.5)].into_iter().chain(tails) {
        let (mean, deviation) = (0.3, 0.02);
        let (a, b) = (mean + deviation * low, mean + deviation * high);
        let w: Tensor<f64> = Init::TruncatedNormal { mean, deviation, low: a, high: b }.tensor(
            [300, 200],
            300,
            200,
            &mut Rng::seed(1),
        );
        let (found_mean, found_deviation, _) = moments(&w);
        let (expected_mean, expected_deviation) = known(low, high);
        let spread = deviation * expected_deviation;
        assert!((found_mean - mean - deviation * expected_mean).abs() < 0.021 * spread, "{low} {high}");
        assert!((found_deviation / spread - 1.0).abs() < 0.02, "{low} {high}: {found_deviation} {spread}");
        assert!(w.to_vec().iter().all(|w| (a..=b).contains(w)));
    }
}

#[test]
fn a_truncated_normal_beyond_all_likelihood_is_at_the_likelier_bound() {
    let infinity = f64::INFINITY;
    let cuts =
        [(50.0, 60.0), (-60.0, -50.0), (50.0, infinity), (-infinity, -50.0), (1e6, 1e300), (39.0, 39.5)];
    for (low, high) in cuts {
        let w: Tensor<f64> = Init::TruncatedNormal { mean: 0.0, deviation: 1.0, low, high }.tensor(
            [100],
            1,
            1,
            &mut Rng::seed(1),
        );
        let likelier = if low > 0.0 { low } else { high };
        for w in w.to_vec() {
            assert!((low..=high).contains(&w) && (w - likelier).abs() < 1e-9, "{w} of {low} to {high}");
        }
    }
}

#[test]
fn a_truncated_normal_without_bounds_is_normal() {
    let w: Tensor<f64> =
        Init::TruncatedNormal { mean: 0.3, deviation: 0.02, low: f64::NEG_INFINITY, high: f64::INFINITY }
            .tensor([300, 200], 1, 1, &mut Rng::seed(1));
    let (mean, deviation, _) = moments(&w);
    assert!((mean - 0.3).abs() < 4e-4 && (deviation / 0.02 - 1.0).abs() < 0.02, "{mean} {deviation}");
}

#[test]
#[should_panic(expected = "a normal distribution with deviation 1, cut to 2 to -2")]
fn bounds_are_in_order() {
    let cut = Init::TruncatedNormal { mean: 0.0, deviation: 1.0, low: 2.0, high: -2.0 };
    let _: Tensor = cut.tensor([1], 1, 1, &mut Rng::seed(1));
}

#[test]
fn orthogonal_weights_are_orthogonal_and_each_is_as_likely() {
    let near = |found: &Tensor<f64>, expected: f64| {
        let size = found.shape().dim(0);
        for (i, x) in found.to_vec().into_iter().enumerate() {
            let expected = if i % (size + 1) == 0 { expected } else { 0.0 };
            assert!((x - expected).abs() < 1e-13, "{x} should be {expected}");
        }
    };
    let mut rng = Rng::seed(1);
    let mut draw =
        |shape: &[usize], gain: f64| -> Tensor<f64> { Init::Orthogonal(gain).tensor(shape, 1, 1, &mut rng) };
    let (wide, tall, square) = (draw(&[20, 30], 1.0), draw(&[30, 20], 3.0), draw(&[25, 25], 0.5));
    near(&wide.matmul(&wide.t().unwrap()).unwrap(), 1.0);
    near(&tall.t().unwrap().matmul(&tall).unwrap(), 9.0);
    near(&square.matmul(&square.t().unwrap()).unwrap(), 0.25);
    let kernel = draw(&[4, 3, 2, 2], 1.0).reshape([4, 12]).unwrap();
    near(&kernel.matmul(&kernel.t().unwrap()).unwrap(), 1.0);
    assert_eq!(draw(&[0, 3], 1.0).size() + draw(&[3, 0], 1.0).size(), 0);

    // Rotations and reflections of the plane: either half of the time, by any angle.
    let (mut turned, mut sum, count) = (0, [0.0; 3], 4000);
    for _ in 0..count {
        let w = draw(&[2, 2], 1.0).to_vec();
        turned += usize::from(w[0] * w[3] - w[1] * w[2] > 0.0);
        let angle = w[1].atan2(w[0]);
        for (sum, x) in sum.iter_mut().zip([angle.cos(), angle.sin(), (2.0 * angle).cos()]) {
            *sum += x / f64::from(count);
        }
    }
    // Five deviations: √(1/4) and √(1/2) over √4000.
    assert!((turned as f64 / f64::from(count) - 0.5).abs() < 0.04, "{turned}");
    assert!(sum.iter().all(|mean| mean.abs() < 0.056), "{sum:?}");
}

#[test]
#[should_panic(expected = "an orthogonal weight [3]: it needs two axes")]
fn a_vector_is_not_orthogonal() {
    let _: Tensor = Init::Orthogonal(1.0).tensor([3], 1, 1, &mut Rng::seed(1));
}

#[test]
fn gains_are_those_of_torch() {
    let found = [Gain::Linear, Gain::Sigmoid, Gain::Tanh, Gain::Relu, Gain::LeakyRelu(0.01), Gain::Selu]
        .map(Gain::value);
    let torch = [1.0, 1.0, 5.0 / 3.0, std::f64::consts::SQRT_2, 1.414_142_856_997_835_4, 0.75];
    assert!(found.iter().zip(torch).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?}");
}
