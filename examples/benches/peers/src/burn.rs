//! The workloads in burn.

use crate::{Step, Workload};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig,
    Lstm, LstmConfig, PaddingConfig2d,
};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, activation};
use std::hint::black_box;

/// The workloads.
pub const WORKLOADS: &[Workload] = &[
    ("gemm_64", || gemm(64, 64, 64)),
    ("gemm_skinny", || gemm(128, 784, 256)),
    ("gemm_512", || gemm(512, 512, 512)),
    ("gemm_1024", || gemm(1024, 1024, 1024)),
    ("gemm_2048", || gemm(2048, 2048, 2048)),
    ("gemm_1024_fwdbwd", || {
        let [a, b] = [variable([1024, 1024]), variable([1024, 1024])];
        synced(move || drop(black_box(a.clone().matmul(b.clone()).backward())))
    }),
    ("op_overhead_fwdbwd", || {
        let device = recording();
        let a = Tensor::<1>::from_floats([0.999], &device).require_grad();
        let b = Tensor::<1>::from_floats([0.001], &device).require_grad();
        synced(move || drop(black_box(chain(&a, &b, &device).backward())))
    }),
    ("op_overhead_fwd", || {
        let device = Device::flex();
        let [a, b] = [0.999, 0.001].map(|value| Tensor::<1>::from_floats([value], &device));
        synced(move || drop(black_box(chain(&a, &b, &device))))
    }),
    ("ew_relu", || of_square(activation::relu)),
    ("ew_gelu_erf", || of_square(activation::gelu)),
    ("ew_gelu_tanh", || of_square(activation::gelu_approximate)),
    ("ew_tanh", || of_square(activation::tanh)),
    ("ew_exp", || of_square(Tensor::exp)),
    ("ew_sigmoid", || of_square(activation::sigmoid)),
    ("softmax_rows", || of_square(|x| activation::softmax(x, 1))),
    ("sum_axis0", || of_square(|x| x.sum_dim(0))),
    ("sum_axis1", || of_square(|x| x.sum_dim(1))),
    ("bcast_add", || {
        let (x, b) = (variable([1024, 1024]), variable([1024]));
        synced(move || drop(black_box((x.clone() + b.clone().unsqueeze::<2>()).backward())))
    }),
    ("mul_same_shape", || {
        let [x, y] = [variable([1024, 1024]), variable([1024, 1024])];
        synced(move || drop(black_box((x.clone() * y.clone()).backward())))
    }),
    ("layernorm", || {
        let norm = LayerNormConfig::new(1024).init(&recording());
        of_square(move |x| norm.forward(x))
    }),
    ("mlp_mnist_sgd", || mlp(&[784, 256, 128, 10], 128, sgd())),
    ("mlp_mnist_adam", || mlp(&[784, 256, 128, 10], 128, adam())),
    ("mlp_tiny_sgd", || mlp(&[64, 32, 10], 32, sgd())),
    ("mlp_tiny_adam", || mlp(&[64, 32, 10], 32, adam())),
    ("lenet_mnist_adam", || {
        let x = normal([64, 1, 28, 28], &recording());
        train(Lenet::new(), adam(), 64, move |model| model.forward(x.clone()))
    }),
    ("resnet_cifar_sgd", || {
        let x = normal([64, 3, 32, 32], &recording());
        train(ResNet::new(), sgd(), 64, move |model| model.forward(x.clone()))
    }),
    ("lstm_h128_s64_b32", || {
        let x = normal([32, 64, 128], &recording());
        let model =
            LstmNet { recurrent: LstmConfig::new(128, 128, true).init(&recording()), out: linear(128, 10) };
        train(model, sgd(), 32, move |model| {
            model.out.forward(last(model.recurrent.forward(x.clone(), None).0))
        })
    }),
    ("gru_h128_s64_b32", || {
        let x = normal([32, 64, 128], &recording());
        let model =
            GruNet { recurrent: GruConfig::new(128, 128, true).init(&recording()), out: linear(128, 10) };
        train(model, sgd(), 32, move |model| {
            model.out.forward(last(model.recurrent.forward(x.clone(), None)))
        })
    }),
    ("transformer_block", || {
        let (block, x) = (Block::new(), variable([16, 128, 256]));
        synced(move || {
            let y = block.forward(x.clone());
            drop(black_box((y.clone() * y).mean().backward()));
        })
    }),
    ("conv3x3_64_56_fwd", || conv_forward(SIDE_56)),
    ("conv3x3_64_56_fwdbwd", || conv_and_gradients(SIDE_56)),
    ("conv7x7s2_3_64_fwd", || conv_forward(STEM)),
    ("conv7x7s2_3_64_fwdbwd", || conv_and_gradients(STEM)),
    ("conv3x3_128_28_fwd", || conv_forward(SIDE_28)),
    ("conv3x3_128_28_fwdbwd", || conv_and_gradients(SIDE_28)),
    ("conv1x1_64_256_56_fwd", || conv_forward(POINTWISE)),
    ("conv1x1_64_256_56_fwdbwd", || conv_and_gradients(POINTWISE)),
    ("dwconv3x3_128_28_fwd", || conv_forward(DEPTHWISE)),
    ("dwconv3x3_128_28_fwdbwd", || conv_and_gradients(DEPTHWISE)),
];

/// The device that records what is computed on it.
fn recording() -> Device {
    Device::flex().autodiff()
}

fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn variable<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    normal(shape, &recording()).require_grad()
}

/// A step that is over when the device is done.
fn synced(mut once: impl FnMut() + 'static) -> Step {
    let device = Device::flex();
    Box::new(move || {
        once();
        device.sync().expect("the device works");
    })
}

fn gemm(m: usize, k: usize, n: usize) -> Step {
    let (a, b) = (normal([m, k], &Device::flex()), normal([k, n], &Device::flex()));
    synced(move || drop(black_box(a.clone().matmul(b.clone()))))
}

/// `y = y * a + b` a thousand times on one element.
fn chain(a: &Tensor<1>, b: &Tensor<1>, device: &Device) -> Tensor<1> {
    (0..1000).fold(Tensor::ones([1], device), |y, _| y * a.clone() + b.clone())
}

/// `f` of a matrix of 1024 by 1024, and its gradient for ones.
fn of_square(f: impl Fn(Tensor<2>) -> Tensor<2> + 'static) -> Step {
    let x = variable([1024, 1024]);
    synced(move || drop(black_box(f(x.clone()).backward())))
}

fn adam() -> ModuleOptimizer {
    AdamConfig::new().init()
}

fn sgd() -> ModuleOptimizer {
    SgdConfig::new().with_momentum(Some(MomentumConfig::new().with_momentum(0.9).with_dampening(0.0))).init()
}

/// A training step on ten classes.
fn train<M: Module + 'static>(
    model: M,
    mut optimizer: ModuleOptimizer,
    batch: usize,
    forward: impl Fn(&M) -> Tensor<2> + 'static,
) -> Step {
    let loss = CrossEntropyLossConfig::new().init(&recording());
    let labels = TensorData::from((0..batch).map(|i| (i * 7 % 10) as i32).collect::<Vec<_>>().as_slice());
    let labels = Tensor::<1, Int>::from_data(labels, &recording());
    let mut kept = Some(model);
    synced(move || {
        let model = kept.take().expect("each step leaves a model");
        let loss = loss.forward(forward(&model), labels.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        kept = Some(optimizer.step(1e-3, model, gradients));
    })
}

fn linear(inputs: usize, outputs: usize) -> Linear {
    LinearConfig::new(inputs, outputs).init(&recording())
}

#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
}

fn mlp(sizes: &[usize], batch: usize, optimizer: ModuleOptimizer) -> Step {
    let x = normal([batch, sizes[0]], &recording());
    let model = Mlp { layers: sizes.windows(2).map(|pair| linear(pair[0], pair[1])).collect() };
    train(model, optimizer, batch, move |model| {
        let (last, hidden) = model.layers.split_last().expect("there are layers");
        last.forward(hidden.iter().fold(x.clone(), |x, layer| activation::relu(layer.forward(x))))
    })
}

/// Side, stride and padding of a kernel.
type Kernel = (usize, usize, usize);

fn conv(
    channels: [usize; 2],
    (side, stride, padding): Kernel,
    groups: usize,
    bias: bool,
    device: &Device,
) -> Conv2d {
    Conv2dConfig::new(channels, [side, side])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .with_groups(groups)
        .with_bias(bias)
        .init(device)
}

#[derive(Module, Debug)]
struct Lenet {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    hidden: Linear,
    dropout: Dropout,
    out: Linear,
}

impl Lenet {
    fn new() -> Self {
        Self {
            conv1: conv([1, 32], (3, 1, 1), 1, true, &recording()),
            conv2: conv([32, 64], (3, 1, 1), 1, true, &recording()),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            hidden: linear(3136, 128),
            dropout: DropoutConfig::new(0.5).init(),
            out: linear(128, 10),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(activation::relu(self.conv1.forward(x)));
        let x = self.pool.forward(activation::relu(self.conv2.forward(x)));
        let x = activation::relu(self.hidden.forward(x.flatten::<2>(1, 3)));
        self.out.forward(self.dropout.forward(x))
    }
}

/// A convolution without bias, and batch normalisation.
#[derive(Module, Debug)]
struct Normed {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Normed {
    fn new(channels: [usize; 2], kernel: Kernel) -> Self {
        let norm = BatchNormConfig::new(channels[1]).init(&recording());
        Self { conv: conv(channels, kernel, 1, false, &recording()), norm }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }
}

#[derive(Module, Debug)]
struct Residual {
    first: Normed,
    second: Normed,
    down: Option<Normed>,
}

#[derive(Module, Debug)]
struct ResNet {
    stem: Normed,
    blocks: Vec<Residual>,
    out: Linear,
}

impl ResNet {
    fn new() -> Self {
        let mut blocks = Vec::new();
        for (from, to) in [(16, 16), (16, 32), (32, 64)] {
            for i in 0..3 {
                let from = if i == 0 { from } else { to };
                let stride = if from == to { 1 } else { 2 };
                blocks.push(Residual {
                    first: Normed::new([from, to], (3, stride, 1)),
                    second: Normed::new([to, to], (3, 1, 1)),
                    down: (from != to).then(|| Normed::new([from, to], (1, stride, 0))),
                });
            }
        }
        Self { stem: Normed::new([3, 16], (3, 1, 1)), blocks, out: linear(64, 10) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = activation::relu(self.stem.forward(x));
        for block in &self.blocks {
            let y = block.second.forward(activation::relu(block.first.forward(x.clone())));
            let skipped = match &block.down {
                Some(down) => down.forward(x),
                None => x,
            };
            x = activation::relu(y + skipped);
        }
        self.out.forward(x.flatten::<3>(2, 3).mean_dim(2).flatten::<2>(1, 2))
    }
}

#[derive(Module, Debug)]
struct LstmNet {
    recurrent: Lstm,
    out: Linear,
}

#[derive(Module, Debug)]
struct GruNet {
    recurrent: Gru,
    out: Linear,
}

/// The last of the steps of sequences.
fn last(y: Tensor<3>) -> Tensor<2> {
    let [batch, steps, width] = y.dims();
    y.slice([0..batch, steps - 1..steps, 0..width]).reshape([batch, width])
}

#[derive(Module, Debug)]
struct Block {
    norm1: LayerNorm,
    norm2: LayerNorm,
    queries_keys_values: Linear,
    project: Linear,
    up: Linear,
    down: Linear,
}

impl Block {
    fn new() -> Self {
        Self {
            norm1: LayerNormConfig::new(256).init(&recording()),
            norm2: LayerNormConfig::new(256).init(&recording()),
            queries_keys_values: linear(256, 768),
            project: linear(256, 256),
            up: linear(256, 1024),
            down: linear(1024, 256),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let y = self.queries_keys_values.forward(self.norm1.forward(x.clone()));
        let y = y.reshape([16, 128, 3, 4, 64]).permute([2, 0, 3, 1, 4]);
        let [q, k, v] = [0, 1, 2].map(|i| -> Tensor<4> {
            y.clone().slice([i..i + 1, 0..16, 0..4, 0..128, 0..64]).reshape([16, 4, 128, 64])
        });
        let heads = activation::softmax(q.matmul(k.swap_dims(2, 3)) * 0.125, 3).matmul(v);
        let x = x + self.project.forward(heads.swap_dims(1, 2).reshape([16, 128, 256]));
        let hidden = activation::gelu(self.up.forward(self.norm2.forward(x.clone())));
        x + self.down.forward(hidden)
    }
}

/// A convolution: batch, channels in and out, side of the images, kernel, groups.
type Conv = (usize, [usize; 2], usize, Kernel, usize);

const SIDE_56: Conv = (32, [64, 64], 56, (3, 1, 1), 1);
const STEM: Conv = (32, [3, 64], 224, (7, 2, 3), 1);
const SIDE_28: Conv = (32, [128, 128], 28, (3, 1, 1), 1);
const POINTWISE: Conv = (32, [64, 256], 56, (1, 1, 0), 1);
const DEPTHWISE: Conv = (32, [128, 128], 28, (3, 1, 1), 128);

fn conv_forward((batch, channels, side, kernel, groups): Conv) -> Step {
    let device = Device::flex();
    let layer = conv(channels, kernel, groups, true, &device);
    let images = normal([batch, channels[0], side, side], &device);
    synced(move || drop(black_box(layer.forward(images.clone()))))
}

fn conv_and_gradients((batch, channels, side, kernel, groups): Conv) -> Step {
    let layer = conv(channels, kernel, groups, true, &recording());
    let images = variable([batch, channels[0], side, side]);
    synced(move || drop(black_box(layer.forward(images.clone()).backward())))
}
