//! Models that learn.
#![allow(missing_docs)]

use autodiff::{Result, Rng, Tensor};
use nn::{Affine, BatchNorm, Conv2d, Dropout, Flatten, Layer, MaxPool2d, Module, Relu, Sequential, evaluate};
use nn::{loss, metrics};

#[derive(Module)]
struct Mlp {
    hidden: Affine<f64>,
    output: Affine<f64>,
}

impl Mlp {
    fn forward(&self, x: &Tensor<f64>) -> Result<Tensor<f64>> {
        self.output.forward(&self.hidden.forward(x)?.tanh())
    }
}

/// One step of gradient descent by hand; returns how many parameters had a gradient.
fn descend(model: &mut impl Module<f64>, rate: f64) -> usize {
    let mut moved = 0;
    model.parameters_mut(&mut |_, parameter| {
        let update = |w, g| w - rate * g;
        moved += usize::from(parameter.step(|value, grad| *value = value.zip(grad, update).unwrap()));
    });
    moved
}

#[test]
fn a_perceptron_with_one_hidden_layer_learns_xor() -> Result<()> {
    let x = Tensor::from_vec([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [4, 2])?;
    let target = Tensor::from_vec([0.0, 1.0, 1.0, 0.0], [4, 1])?;
    for seed in 0..3 {
        let mut rng = Rng::seed(seed);
        let mut model = Mlp { hidden: Affine::new(2, 8, &mut rng), output: Affine::new(8, 1, &mut rng) };
        for _ in 0..500 {
            loss::mean_squared_error(&model.forward(&x)?, &target)?.backward()?;
            assert_eq!(descend(&mut model, 0.3), 4);
        }
        let y = evaluate(|| model.forward(&x))?.to_vec();
        let wrong = y.iter().zip(target.to_vec()).filter(|&(&y, t)| (y > 0.5) != (t > 0.5)).count();
        let error = loss::mean_squared_error(&evaluate(|| model.forward(&x))?, &target)?.item();
        assert!(wrong == 0 && error < 1e-2, "seed {seed}: {wrong} wrong, error {error}");
    }
    Ok(())
}

#[test]
fn a_network_of_all_layers_learns_stripes() -> Result<()> {
    let mut rng = Rng::seed(1);
    let mut model = Sequential::new()
        .push(Conv2d::new(1, 4, 3, &mut rng).padding(1).without_bias())
        .push(BatchNorm::new(4))
        .push(Relu)
        .push(MaxPool2d::new(2))
        .push(Flatten)
        .push(Dropout::new(0.1, &mut rng))
        .push(Affine::new(4 * 3 * 3, 2, &mut rng));
    // Horizontal or vertical stripes under noise.
    let labels: Vec<usize> = (0..32).map(|i| i % 2).collect();
    let stripe = |i: usize| (i % 6, i / 6 % 6, i / 36 % 2);
    let stripes = (0..32 * 36).map(stripe).map(|(column, row, kind)| [row, column][kind] % 2);
    let images = Tensor::from_vec(stripes.map(|on| on as f64).collect::<Vec<_>>(), [32, 1, 6, 6])?;
    let images = images + rng.normal([32, 1, 6, 6], 0.0, 0.3);
    for _ in 0..40 {
        loss::cross_entropy(&model.forward(&images)?, &labels)?.backward()?;
        assert_eq!(descend(&mut model, 0.1), 5);
    }
    let logits = evaluate(|| model.forward(&images))?;
    assert_eq!(metrics::accuracy(&logits, &labels)?, 1.0);
    Ok(())
}
