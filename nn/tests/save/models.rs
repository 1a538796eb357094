//! The models of `make.py`, with the same names.

use autodiff::{Result, Rng, Tensor};
use nn::{
    Affine, BatchNorm, Conv2d, Flatten, GlobalAvgPool, Layer, Lstm, MaxPool2d, Module, RecurrentOptions,
    Relu, Rnn, Sequential, TransformerEncoder, TransformerOptions,
};

#[derive(Module)]
pub(crate) struct Mlp {
    hidden: Affine,
    output: Affine,
}

impl Mlp {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self { hidden: Affine::new(4, 4, rng), output: Affine::new(4, 4, rng) }
    }
}

impl Layer for Mlp {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.output.forward(&self.hidden.forward(x)?.relu())
    }
}

#[derive(Module)]
pub(crate) struct LeNet {
    features: Sequential,
    classifier: Sequential,
}

impl LeNet {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self {
            features: Sequential::new()
                .push(Conv2d::new(1, 3, 5, rng).padding(2))
                .push(Relu)
                .push(MaxPool2d::new(2))
                .push(Conv2d::new(3, 4, 3, rng))
                .push(Relu)
                .push(MaxPool2d::new(2)),
            classifier: Sequential::new()
                .push(Flatten)
                .push(Affine::new(16, 8, rng))
                .push(Relu)
                .push(Affine::new(8, 5, rng)),
        }
    }
}

impl Layer for LeNet {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.classifier.forward(&self.features.forward(x)?)
    }
}

#[derive(Module)]
pub(crate) struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    downsample: Sequential,
}

impl Block {
    pub(crate) fn new(c_in: usize, c_out: usize, stride: usize, rng: &mut Rng) -> Self {
        let mut conv = |c_in: usize, kernel: usize, stride: usize| {
            Conv2d::new(c_in, c_out, kernel, rng).stride(stride).padding(kernel / 2).without_bias()
        };
        let (conv1, conv2) = (conv(c_in, 3, stride), conv(c_out, 3, 1));
        let mut downsample = Sequential::new();
        if c_in != c_out {
            downsample = downsample.push(conv(c_in, 1, stride)).push(BatchNorm::new(c_out));
        }
        Self { conv1, bn1: BatchNorm::new(c_out), conv2, bn2: BatchNorm::new(c_out), downsample }
    }
}

impl Layer for Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.bn1.forward(&self.conv1.forward(x)?)?.relu();
        let y = self.bn2.forward(&self.conv2.forward(&y)?)?;
        Ok((y + self.downsample.forward(x)?).relu())
    }
}

#[derive(Module)]
pub(crate) struct ResNet20 {
    conv1: Conv2d,
    bn1: BatchNorm,
    layer1: Sequential,
    layer2: Sequential,
    layer3: Sequential,
    fc: Affine,
}

impl ResNet20 {
    pub(crate) fn new([a, b, c]: [usize; 3], rng: &mut Rng) -> Self {
        let mut stage = |c_in: usize, c_out: usize, stride: usize| {
            Sequential::new()
                .push(Block::new(c_in, c_out, stride, rng))
                .push(Block::new(c_out, c_out, 1, rng))
                .push(Block::new(c_out, c_out, 1, rng))
        };
        let (layer1, layer2, layer3) = (stage(a, a, 1), stage(a, b, 2), stage(b, c, 2));
        let conv1 = Conv2d::new(3, a, 3, rng).padding(1).without_bias();
        Self { conv1, bn1: BatchNorm::new(a), layer1, layer2, layer3, fc: Affine::new(c, 10, rng) }
    }
}

impl Layer for ResNet20 {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = self.bn1.forward(&self.conv1.forward(x)?)?.relu();
        for layer in [&self.layer1, &self.layer2, &self.layer3] {
            x = layer.forward(&x)?;
        }
        self.fc.forward(&GlobalAvgPool.forward(&x)?)
    }
}

#[derive(Module)]
pub(crate) struct Recurrent {
    lstm: Lstm,
    rnn: Rnn,
    norm: BatchNorm,
    output: Affine,
}

impl Recurrent {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let options = RecurrentOptions { layers: 2, bidirectional: true, ..RecurrentOptions::default() };
        Self {
            lstm: Lstm::with(3, 4, options, rng),
            rnn: Rnn::new(8, 8, rng),
            norm: BatchNorm::new(6).cumulative(),
            output: Affine::new(8, 2, rng),
        }
    }
}

impl Layer for Recurrent {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.rnn.forward(&self.lstm.forward(x)?)?;
        self.output.forward(&self.norm.forward(&y)?)
    }
}

fn attention(rng: &mut Rng) -> TransformerEncoder {
    let options = TransformerOptions { heads: 2, hidden: 6, ..TransformerOptions::default() };
    TransformerEncoder::new(2, 4, options, rng)
}

/// The models by the names of their files.
pub(crate) fn all(rng: &mut Rng) -> [(&'static str, Box<dyn Layer>); 6] {
    [
        ("mlp", Box::new(Mlp::new(rng))),
        ("lenet", Box::new(LeNet::new(rng))),
        ("block", Box::new(Block::new(3, 4, 2, rng))),
        ("recurrent", Box::new(Recurrent::new(rng))),
        ("attention", Box::new(attention(rng))),
        ("resnet20", Box::new(ResNet20::new([4, 8, 16], rng))),
    ]
}
