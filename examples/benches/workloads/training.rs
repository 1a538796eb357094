//! Training steps.

use super::{Step, Workload};
use autodiff::{AttentionOptions, PoolOptions, Result, Rng, Tensor};
use nn::{Affine, BatchNorm, Conv2d, Dropout, Gru, Layer, LayerNorm, Lstm, Module, Relu, Sequential};
use optim::{Adam, Momentum, Optimizer};

/// Those of this file.
pub(super) const WORKLOADS: &[Workload] = &[
    ("mlp_mnist_sgd", || mlp(&[784, 256, 128, 10], 128, sgd())),
    ("mlp_mnist_adam", || mlp(&[784, 256, 128, 10], 128, adam())),
    ("mlp_tiny_sgd", || mlp(&[64, 32, 10], 32, sgd())),
    ("mlp_tiny_adam", || mlp(&[64, 32, 10], 32, adam())),
    ("lenet_mnist_adam", lenet),
    ("resnet_cifar_sgd", resnet),
    ("lstm_h128_s64_b32", || recurrent(|width, rng| Lstm::new(width, width, rng))),
    ("gru_h128_s64_b32", || recurrent(|width, rng| Gru::new(width, width, rng))),
    ("transformer_block", transformer),
];

fn sgd() -> Box<dyn Optimizer> {
    Box::new(Momentum::new(0.01).momentum(0.9))
}

fn adam() -> Box<dyn Optimizer> {
    Box::new(Adam::new(1e-3))
}

/// One training step on the same batch of random images and labels.
fn train(
    mut model: impl Layer + 'static,
    images: Tensor,
    classes: usize,
    mut optimizer: Box<dyn Optimizer>,
) -> Step {
    let mut rng = Rng::seed(1);
    let labels: Vec<usize> = (0..images.shape().dim(0)).map(|_| rng.below(classes)).collect();
    Box::new(move || {
        let loss = model.forward(&images)?.cross_entropy(&labels)?;
        loss.backward()?;
        optimizer.step(&mut model)?;
        Ok(())
    })
}

/// Affine layers of the given widths with `ReLU` between.
fn mlp(widths: &[usize], batch: usize, optimizer: Box<dyn Optimizer>) -> Step {
    let mut rng = Rng::seed(0);
    let mut model = Sequential::new();
    for (i, pair) in widths.windows(2).enumerate() {
        model = model.push(Affine::new(pair[0], pair[1], &mut rng));
        if i + 2 < widths.len() {
            model = model.push(Relu);
        }
    }
    let images = rng.normal([batch, widths[0]], 0.0, 1.0);
    train(model, images, widths[widths.len() - 1], optimizer)
}

#[derive(Module)]
struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    hidden: Affine,
    dropout: Dropout,
    output: Affine,
}

impl Layer for LeNet {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let x = self.conv1.forward(images)?.relu().max_pool2d(PoolOptions::square(2))?;
        let x = self.conv2.forward(&x)?.relu().max_pool2d(PoolOptions::square(2))?;
        let x = self.hidden.forward(&x.flatten(1)?)?.relu();
        self.output.forward(&self.dropout.forward(&x)?)
    }
}

fn lenet() -> Step {
    let mut rng = Rng::seed(0);
    let model = LeNet {
        conv1: Conv2d::new(1, 32, 3, &mut rng).padding(1),
        conv2: Conv2d::new(32, 64, 3, &mut rng).padding(1),
        hidden: Affine::new(64 * 7 * 7, 128, &mut rng),
        dropout: Dropout::new(0.5, &mut rng),
        output: Affine::new(128, 10, &mut rng),
    };
    let images = rng.normal([64, 1, 28, 28], 0.0, 1.0);
    train(model, images, 10, adam())
}

/// Two convolutions with a way around them (He et al., arXiv:1512.03385).
#[derive(Module)]
struct BasicBlock {
    conv1: Conv2d,
    norm1: BatchNorm,
    conv2: Conv2d,
    norm2: BatchNorm,
    down: Option<(Conv2d, BatchNorm)>,
}

impl BasicBlock {
    fn new(c_in: usize, c_out: usize, stride: usize, rng: &mut Rng) -> Self {
        let conv = |c_in, kernel, stride, rng: &mut Rng| {
            Conv2d::new(c_in, c_out, kernel, rng).stride(stride).padding(kernel / 2).without_bias()
        };
        Self {
            conv1: conv(c_in, 3, stride, rng),
            norm1: BatchNorm::new(c_out),
            conv2: conv(c_out, 3, 1, rng),
            norm2: BatchNorm::new(c_out),
            down: (c_in != c_out).then(|| (conv(c_in, 1, stride, rng), BatchNorm::new(c_out))),
        }
    }
}

impl Layer for BasicBlock {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.norm1.forward(&self.conv1.forward(x)?)?.relu();
        let y = self.norm2.forward(&self.conv2.forward(&y)?)?;
        let around = match &self.down {
            Some((conv, norm)) => norm.forward(&conv.forward(x)?)?,
            None => x.clone(),
        };
        Ok((y + around).relu())
    }
}

#[derive(Module)]
struct ResNet20 {
    conv: Conv2d,
    norm: BatchNorm,
    blocks: Vec<BasicBlock>,
    output: Affine,
}

impl Layer for ResNet20 {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let mut x = self.norm.forward(&self.conv.forward(images)?)?.relu();
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        self.output.forward(&x.mean_axes([2, 3])?)
    }
}

fn resnet() -> Step {
    let mut rng = Rng::seed(0);
    let stages = [
        (16, 16, 1),
        (16, 16, 1),
        (16, 16, 1),
        (16, 32, 2),
        (32, 32, 1),
        (32, 32, 1),
        (32, 64, 2),
        (64, 64, 1),
        (64, 64, 1),
    ];
    let model = ResNet20 {
        conv: Conv2d::new(3, 16, 3, &mut rng).padding(1).without_bias(),
        norm: BatchNorm::new(16),
        blocks: stages.map(|(c_in, c_out, stride)| BasicBlock::new(c_in, c_out, stride, &mut rng)).into(),
        output: Affine::new(64, 10, &mut rng),
    };
    let images = rng.normal([64, 3, 32, 32], 0.0, 1.0);
    train(model, images, 10, sgd())
}

/// A layer that reads a sequence, and one that sees its last output.
#[derive(Module)]
struct Recurrent<L> {
    cells: L,
    output: Affine,
}

impl<L: Layer> Layer for Recurrent<L> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (y, time) = (self.cells.forward(x)?, x.shape().dim(1));
        self.output.forward(&y.slice(1, time - 1..time)?.squeeze(1)?)
    }
}

fn recurrent<L: Layer + 'static>(cells: impl FnOnce(usize, &mut Rng) -> L) -> Step {
    let (batch, time, width) = (32, 64, 128);
    let mut rng = Rng::seed(0);
    let model = Recurrent { cells: cells(width, &mut rng), output: Affine::new(width, 10, &mut rng) };
    let x = rng.normal([batch, time, width], 0.0, 1.0);
    train(model, x, 10, sgd())
}

/// Attention and a network of two layers, each behind a normalisation and with a way around it.
#[derive(Module)]
struct Block {
    heads: usize,
    norm1: LayerNorm,
    norm2: LayerNorm,
    qkv: Affine,
    proj: Affine,
    up: Affine,
    down: Affine,
}

impl Layer for Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let [b, s, d] = x.dims()?.map(|n: usize| n as isize);
        let h = self.heads as isize;
        let qkv = self.qkv.forward(&self.norm1.forward(x)?)?.reshape([b, s, 3, h, d / h])?;
        let qkv = qkv.permute([2, 0, 3, 1, 4])?;
        let part = |i| qkv.slice(0, i..i + 1)?.squeeze(0);
        let mixed =
            part(0)?.scaled_dot_product_attention(&part(1)?, &part(2)?, &AttentionOptions::default())?;
        let x = x + self.proj.forward(&mixed.transpose(1, 2)?.reshape([b, s, d])?)?;
        Ok(&x + self.down.forward(&self.up.forward(&self.norm2.forward(&x)?)?.gelu())?)
    }
}

fn transformer() -> Step {
    let (batch, length, width) = (16, 128, 256);
    let mut rng = Rng::seed(0);
    let mut model = Block {
        heads: 4,
        norm1: LayerNorm::new([width]),
        norm2: LayerNorm::new([width]),
        qkv: Affine::new(width, 3 * width, &mut rng),
        proj: Affine::new(width, width, &mut rng),
        up: Affine::new(width, 4 * width, &mut rng),
        down: Affine::new(4 * width, width, &mut rng),
    };
    let x = rng.normal([batch, length, width], 0.0, 1.0).variable();
    Box::new(move || {
        model.forward(&x)?.square().mean().backward()?;
        x.take_grad();
        model.parameters_mut(&mut |_, parameter| drop(parameter.take_grad()));
        Ok(())
    })
}
