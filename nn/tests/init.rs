//! The moments of the initialisers.
#![allow(missing_docs)]

use autodiff::{Rng, Tensor};
use nn::{Affine, Conv2d, Init};

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
