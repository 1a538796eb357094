//! Whole models in twenty steps of gradient descent with momentum: their losses are PyTorch's, from the same weights.
//!
//! `tests/trajectories/make.py` has written PyTorch's down, and has the same formula for weights and data.
#![allow(missing_docs)]

use autodiff::{Array, AttentionOptions, Float, Result, Rng, Shape, Tensor};
use nn::{
    Affine, BatchNorm, Conv2d, GlobalAvgPool, Gru, Layer, LayerNorm, Lstm, Module, Relu, Residual, Sequential,
};
use serde_json::Value;

const STEPS: usize = 20;
const MOMENTUM: f64 = 0.9;

/// Writes a test for each model: its losses, as a function of the learning rate, in double and in single precision.
macro_rules! models {
    ($($name:ident: $losses:ident;)*) => {
        $(
            #[test]
            fn $name() -> Result<()> {
                let file: Value = serde_json::from_str(include_str!("trajectories/losses.json")).expect("losses");
                let model = &file[stringify!($name)];
                let rate = model["rate"].as_f64().expect("a rate");
                hold(&$losses::<f64>(rate)?, &model["f64"], 1e-9);
                hold(&$losses::<f32>(rate)?, &model["f32"], 1e-4);
                Ok(())
            }
        )*
    };
}

models! {
    transformer_block: block_losses;
    resnet20: resnet_losses;
    lstm: lstm_losses;
    gru: gru_losses;
}

fn hold(found: &[f64], expected: &Value, relative: f64) {
    let expected: Vec<_> = expected.as_array().expect("losses").iter().filter_map(Value::as_f64).collect();
    assert_eq!((found.len(), expected.len()), (STEPS, STEPS));
    for (step, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!((a - b).abs() <= relative * b.abs(), "step {step}: a loss of {a} where PyTorch has {b}");
    }
    assert!(expected[STEPS - 1] < 0.8 * expected[0], "the model has learned");
}

/// Element `i` of tensor `number`, counted along rows: `sin(i (1 + 0.3 number) + number)`.
fn waves<T: Float>(shape: impl Into<Shape>, number: usize, start: f64, scale: f64) -> Tensor<T> {
    let (shape, number) = (shape.into(), number as f64);
    let value = |i: usize| start + scale * (i as f64 * (1.0 + 0.3 * number) + number).sin();
    let values: Vec<T> = (0..shape.iter().product()).map(|i| T::from_f64(value(i))).collect();
    Tensor::from_vec(values, shape).expect("as many values")
}

/// Weights of a size that keeps activations alive.
fn fill<T: Float>(model: &mut impl Module<T>) {
    let mut number = 0;
    model.parameters_mut(&mut |_, parameter| {
        let shape = parameter.shape();
        let (start, scale) = match shape.rank() {
            // Those that are ones at first belong to normalisations.
            1 => (if parameter.to_vec().iter().all(|&w| w == T::ONE) { 1.0 } else { 0.0 }, 0.1),
            2 => (0.0, (shape.dim(0) as f64).sqrt().recip()),
            _ => (0.0, (shape.iter().skip(1).product::<usize>() as f64).sqrt().recip()),
        };
        parameter.set(&waves(shape, number, start, scale));
        number += 1;
    });
}

/// Trains a model; returns the losses before each step.
fn descend<T: Float, M: Module<T>>(
    mut model: M,
    rate: f64,
    loss: impl Fn(&M) -> Result<Tensor<T>>,
) -> Result<Vec<f64>> {
    fill(&mut model);
    let (rate, momentum) = (T::from_f64(rate), T::from_f64(MOMENTUM));
    let mut speeds: Vec<Array<T>> = Vec::new();
    let mut losses = Vec::new();
    for step in 0..STEPS {
        let loss = loss(&model)?;
        loss.backward()?;
        losses.push(loss.item().to_f64());
        let mut number = 0;
        model.parameters_mut(&mut |name, parameter| {
            let moved = parameter.step(|value, grad| {
                if step == 0 {
                    speeds.push(grad.clone());
                } else {
                    speeds[number] = speeds[number].zip(grad, |v, g| momentum * v + g).expect("one shape");
                }
                *value = value.zip(&speeds[number], |w, v| w - rate * v).expect("one shape");
            });
            assert!(moved, "{name} has no gradient");
            number += 1;
        });
    }
    Ok(losses)
}

/// The losses of a model that tells three classes apart, whose labels take turns.
fn classify<T: Float>(model: impl Layer<T>, shape: impl Into<Shape>, rate: f64) -> Result<Vec<f64>> {
    let x = waves(shape, 0, 0.0, 2.0);
    let labels: Vec<usize> = (0..x.shape().dim(0)).map(|i| i % 3).collect();
    descend(model, rate, |model| model.forward(&x)?.cross_entropy(&labels))
}

#[derive(Module)]
struct Block<T: Float> {
    heads: usize,
    norm1: LayerNorm<T>,
    norm2: LayerNorm<T>,
    qkv: Affine<T>,
    proj: Affine<T>,
    up: Affine<T>,
    down: Affine<T>,
}

impl<T: Float> Layer<T> for Block<T> {
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let [b, s, d] = x.dims()?.map(|n: usize| n as isize);
        let h = self.heads as isize;
        let qkv = self.qkv.forward(&self.norm1.forward(x)?)?.reshape([b, s, 3, h, d / h])?;
        let qkv = qkv.permute([2, 0, 3, 1, 4])?;
        let [q, k, v] = [0, 1, 2].map(|i| qkv.slice(0, i..i + 1).and_then(|part| part.squeeze(0)));
        let a = q?.scaled_dot_product_attention(&k?, &v?, &AttentionOptions::default())?;
        let x = x + self.proj.forward(&a.transpose(1, 2)?.reshape([b, s, d])?)?;
        Ok(&x + self.down.forward(&self.up.forward(&self.norm2.forward(&x)?)?.gelu())?)
    }
}

fn block_losses<T: Float>(rate: f64) -> Result<Vec<f64>> {
    let (d, mut rng) = (8, Rng::seed(1));
    let block = Block {
        heads: 2,
        norm1: LayerNorm::new([d]),
        norm2: LayerNorm::new([d]),
        qkv: Affine::new(d, 3 * d, &mut rng),
        proj: Affine::new(d, d, &mut rng),
        up: Affine::new(d, 4 * d, &mut rng),
        down: Affine::new(4 * d, d, &mut rng),
    };
    let x = waves::<T>([2, 5, d], 0, 0.0, 2.0);
    descend(block, rate, |block| Ok(block.forward(&x)?.square().mean()))
}

/// A convolution without bias and its normalisation.
fn conv<T: Float>(c_in: usize, c_out: usize, kernel: usize, stride: usize) -> Sequential<T> {
    let conv = Conv2d::new(c_in, c_out, kernel, &mut Rng::seed(1)).stride(stride).padding(kernel / 2);
    Sequential::new().push(conv.without_bias()).push(BatchNorm::new(c_out))
}

fn basic_block<T: Float>(c_in: usize, c_out: usize, stride: usize) -> Sequential<T> {
    let body = conv(c_in, c_out, 3, stride).push(Relu).push(conv(c_out, c_out, 3, 1));
    let shortcut = if c_in == c_out { Sequential::new() } else { conv(c_in, c_out, 1, stride) };
    Sequential::new().push(Residual::with_shortcut(body, shortcut)).push(Relu)
}

fn resnet_losses<T: Float>(rate: f64) -> Result<Vec<f64>> {
    let mut model = conv(3, 6, 3, 1).push(Relu);
    let mut c_in = 6;
    for (c_out, stride) in [(6, 1), (8, 2), (10, 2)] {
        for stride in [stride, 1, 1] {
            model = model.push(basic_block::<T>(c_in, c_out, stride));
            c_in = c_out;
        }
    }
    let model = model.push(GlobalAvgPool).push(Affine::new(c_in, 3, &mut Rng::seed(1)));
    classify(model, [12, 3, 8, 8], rate)
}

/// A layer that reads a sequence, and one that sees its last output.
#[derive(Module)]
struct Recurrent<L, T: Float>(L, Affine<T>);

impl<T: Float, L: Layer<T>> Layer<T> for Recurrent<L, T> {
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (y, time) = (self.0.forward(x)?, x.shape().dim(1));
        self.1.forward(&y.slice(1, time - 1..time)?.squeeze(1)?)
    }
}

fn lstm_losses<T: Float>(rate: f64) -> Result<Vec<f64>> {
    let mut rng = Rng::seed(1);
    let model = Recurrent(Lstm::<T>::new(6, 6, &mut rng), Affine::new(6, 3, &mut rng));
    classify(model, [4, 7, 6], rate)
}

fn gru_losses<T: Float>(rate: f64) -> Result<Vec<f64>> {
    let mut rng = Rng::seed(1);
    let model = Recurrent(Gru::<T>::new(6, 6, &mut rng), Affine::new(6, 3, &mut rng));
    classify(model, [4, 7, 6], rate)
}
