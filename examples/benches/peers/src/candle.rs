//! The workloads in candle.
//!
//! What differs from the others: its `SGD` has no momentum, and its fused softmax and layer normalisation have no gradient, so
//! that those composed of simpler operations stand here.

use crate::{Step, Workload};
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{
    AdamW, BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Linear, Module, ModuleT, Optimizer, ParamsAdamW,
    RNN, SGD, VarBuilder, VarMap, batch_norm, conv2d, conv2d_no_bias, linear, loss, ops, rnn,
};
use std::hint::black_box;

const CPU: Device = Device::Cpu;

/// The workloads.
pub const WORKLOADS: &[Workload] = &[
    ("gemm_64", || gemm(64, 64, 64)),
    ("gemm_skinny", || gemm(128, 784, 256)),
    ("gemm_512", || gemm(512, 512, 512)),
    ("gemm_1024", || gemm(1024, 1024, 1024)),
    ("gemm_2048", || gemm(2048, 2048, 2048)),
    ("gemm_1024_fwdbwd", || differentiated([[1024, 1024]; 2], |[a, b]| a.matmul(b))),
    ("op_overhead_fwdbwd", || {
        let [a, b] = [0.999f32, 0.001].map(|value| Var::new(&[value], &CPU).expect("a number"));
        step(move || chain(&a, &b)?.backward())
    }),
    ("op_overhead_fwd", || {
        let [a, b] = [0.999f32, 0.001].map(|value| Tensor::new(&[value], &CPU).expect("a number"));
        step(move || chain(&a, &b))
    }),
    ("ew_relu", || of_square(Tensor::relu)),
    ("ew_gelu_erf", || of_square(Tensor::gelu_erf)),
    ("ew_gelu_tanh", || of_square(Tensor::gelu)),
    ("ew_tanh", || of_square(Tensor::tanh)),
    ("ew_exp", || of_square(Tensor::exp)),
    ("ew_sigmoid", || of_square(ops::sigmoid)),
    ("softmax_rows", || of_square(|x| ops::softmax(x, 1))),
    ("sum_axis0", || of_square(|x| x.sum(0))),
    ("sum_axis1", || of_square(|x| x.sum(1))),
    ("bcast_add", || {
        let (x, b) = (variable(&[1024, 1024]), variable(&[1024]));
        step(move || x.broadcast_add(&b)?.backward())
    }),
    ("mul_same_shape", || differentiated([[1024, 1024]; 2], |[x, y]| x.as_tensor() * y.as_tensor())),
    ("layernorm", || {
        let (x, weight, bias) = (variable(&[1024, 1024]), variable(&[1024]), variable(&[1024]));
        step(move || ops::layer_norm_slow(&x, &weight, &bias, 1e-5)?.backward())
    }),
    ("mlp_mnist_sgd", || mlp(&[784, 256, 128, 10], 128, sgd)),
    ("mlp_mnist_adam", || mlp(&[784, 256, 128, 10], 128, adam)),
    ("mlp_tiny_sgd", || mlp(&[64, 32, 10], 32, sgd)),
    ("mlp_tiny_adam", || mlp(&[64, 32, 10], 32, adam)),
    ("lenet_mnist_adam", || {
        train(&[64, 1, 28, 28], adam, |parameters| {
            let config = Conv2dConfig { padding: 1, ..Default::default() };
            let conv1 = conv2d(1, 32, 3, config, parameters.pp("conv1"))?;
            let conv2 = conv2d(32, 64, 3, config, parameters.pp("conv2"))?;
            let hidden = linear(3136, 128, parameters.pp("hidden"))?;
            let out = linear(128, 10, parameters.pp("out"))?;
            Ok(Box::new(move |x| {
                let x = conv1.forward(x)?.relu()?.max_pool2d(2)?;
                let x = conv2.forward(&x)?.relu()?.max_pool2d(2)?.flatten_from(1)?;
                out.forward(&ops::dropout(&hidden.forward(&x)?.relu()?, 0.5)?)
            }))
        })
    }),
    ("resnet_cifar_sgd", || {
        train(&[64, 3, 32, 32], sgd, |parameters| {
            let model = ResNet::new(&parameters)?;
            Ok(Box::new(move |x| model.forward(x)))
        })
    }),
    ("lstm_h128_s64_b32", || {
        train(&[32, 64, 128], sgd, |parameters| {
            let recurrent = rnn::lstm(128, 128, Default::default(), parameters.pp("recurrent"))?;
            let out = linear(128, 10, parameters.pp("out"))?;
            Ok(Box::new(move |x| out.forward(recurrent.seq(x)?.last().expect("there are steps").h())))
        })
    }),
    ("gru_h128_s64_b32", || {
        train(&[32, 64, 128], sgd, |parameters| {
            let recurrent = rnn::gru(128, 128, Default::default(), parameters.pp("recurrent"))?;
            let out = linear(128, 10, parameters.pp("out"))?;
            Ok(Box::new(move |x| out.forward(recurrent.seq(x)?.last().expect("there are steps").h())))
        })
    }),
    ("transformer_block", || {
        let block = Block::new().expect("parameters of these shapes");
        let x = variable(&[16, 128, 256]);
        step(move || block.forward(&x)?.sqr()?.mean_all()?.backward())
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

/// A step whose result is thrown away.
fn step<R: 'static>(mut once: impl FnMut() -> Result<R> + 'static) -> Step {
    Box::new(move || drop(black_box(once().expect("the shapes fit"))))
}

fn normal(shape: &[usize]) -> Tensor {
    Tensor::randn(0f32, 1f32, shape, &CPU).expect("a shape")
}

fn variable(shape: &[usize]) -> Var {
    Var::from_tensor(&normal(shape)).expect("a tensor")
}

fn gemm(m: usize, k: usize, n: usize) -> Step {
    let (a, b) = (normal(&[m, k]), normal(&[k, n]));
    step(move || a.matmul(&b))
}

/// `f`, and its gradients for ones.
fn differentiated<const N: usize>(
    shapes: [[usize; 2]; N],
    f: impl Fn(&[Var; N]) -> Result<Tensor> + 'static,
) -> Step {
    let inputs = shapes.map(|shape| variable(&shape));
    step(move || f(&inputs)?.backward())
}

/// `f` of a matrix of 1024 by 1024, and its gradient for ones.
fn of_square(f: impl Fn(&Tensor) -> Result<Tensor> + 'static) -> Step {
    differentiated([[1024, 1024]], move |[x]| f(x))
}

/// `y = y * a + b` a thousand times on one element.
fn chain(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    (0..1000).try_fold(Tensor::ones(1, DType::F32, &CPU)?, |y, _| (y * a)? + b)
}

/// Takes a step down the gradients of a loss.
type Descend = Box<dyn FnMut(&Tensor) -> Result<()>>;

fn adam(variables: Vec<Var>) -> Result<Descend> {
    let mut adam = AdamW::new(variables, ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..Default::default() })?;
    Ok(Box::new(move |loss| adam.backward_step(loss)))
}

fn sgd(variables: Vec<Var>) -> Result<Descend> {
    let mut sgd = SGD::new(variables, 0.01)?;
    Ok(Box::new(move |loss| sgd.backward_step(loss)))
}

/// What a model makes of its input.
type Forward = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

/// A training step on ten classes, with inputs of a shape.
fn train(
    inputs: &[usize],
    optimizer: fn(Vec<Var>) -> Result<Descend>,
    model: impl FnOnce(VarBuilder) -> Result<Forward>,
) -> Step {
    let variables = VarMap::new();
    let forward =
        model(VarBuilder::from_varmap(&variables, DType::F32, &CPU)).expect("parameters of these shapes");
    let mut descend = optimizer(variables.all_vars()).expect("variables");
    let labels: Vec<u32> = (0..inputs[0]).map(|i| (i * 7 % 10) as u32).collect();
    let (x, labels) = (normal(inputs), Tensor::from_vec(labels, inputs[0], &CPU).expect("a label each"));
    step(move || descend(&loss::cross_entropy(&forward(&x)?, &labels)?))
}

fn mlp(sizes: &'static [usize], batch: usize, optimizer: fn(Vec<Var>) -> Result<Descend>) -> Step {
    train(&[batch, sizes[0]], optimizer, |parameters| {
        let layers = sizes.windows(2).enumerate().map(|(i, pair)| linear(pair[0], pair[1], parameters.pp(i)));
        let layers = layers.collect::<Result<Vec<_>>>()?;
        Ok(Box::new(move |x| {
            let (last, hidden) = layers.split_last().expect("there are layers");
            last.forward(&hidden.iter().try_fold(x.clone(), |x, layer| layer.forward(&x)?.relu())?)
        }))
    })
}

/// A convolution without bias, and batch normalisation.
struct Normed(Conv2d, BatchNorm);

impl Normed {
    fn new([from, to]: [usize; 2], side: usize, stride: usize, parameters: &VarBuilder) -> Result<Self> {
        let config = Conv2dConfig { padding: side / 2, stride, ..Default::default() };
        let conv = conv2d_no_bias(from, to, side, config, parameters.pp("conv"))?;
        Ok(Self(conv, batch_norm(to, BatchNormConfig::default(), parameters.pp("norm"))?))
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.1.forward_t(&self.0.forward(x)?, true)
    }
}

struct Residual {
    first: Normed,
    second: Normed,
    down: Option<Normed>,
}

struct ResNet {
    stem: Normed,
    blocks: Vec<Residual>,
    out: Linear,
}

impl ResNet {
    fn new(parameters: &VarBuilder) -> Result<Self> {
        let mut blocks = Vec::new();
        for (from, to) in [(16, 16), (16, 32), (32, 64)] {
            for i in 0..3 {
                let from = if i == 0 { from } else { to };
                let stride = if from == to { 1 } else { 2 };
                let parameters = parameters.pp(format!("block{}", blocks.len()));
                let down = (from != to).then(|| Normed::new([from, to], 1, stride, &parameters.pp("down")));
                blocks.push(Residual {
                    first: Normed::new([from, to], 3, stride, &parameters.pp("first"))?,
                    second: Normed::new([to, to], 3, 1, &parameters.pp("second"))?,
                    down: down.transpose()?,
                });
            }
        }
        let stem = Normed::new([3, 16], 3, 1, &parameters.pp("stem"))?;
        Ok(Self { stem, blocks, out: linear(64, 10, parameters.pp("out"))? })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = self.stem.forward(x)?.relu()?;
        for block in &self.blocks {
            let y = block.second.forward(&block.first.forward(&x)?.relu()?)?;
            let skipped = match &block.down {
                Some(down) => down.forward(&x)?,
                None => x,
            };
            x = (y + skipped)?.relu()?;
        }
        self.out.forward(&x.mean((2, 3))?)
    }
}

struct Block {
    norms: [(Var, Var); 2],
    queries_keys_values: Linear,
    project: Linear,
    up: Linear,
    down: Linear,
}

impl Block {
    fn new() -> Result<Self> {
        let variables = VarMap::new();
        let parameters = VarBuilder::from_varmap(&variables, DType::F32, &CPU);
        let norm = || (variable(&[256]), variable(&[256]));
        Ok(Self {
            norms: [norm(), norm()],
            queries_keys_values: linear(256, 768, parameters.pp("queries_keys_values"))?,
            project: linear(256, 256, parameters.pp("project"))?,
            up: linear(256, 1024, parameters.pp("up"))?,
            down: linear(1024, 256, parameters.pp("down"))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let norm = |x: &Tensor, i: usize| ops::layer_norm_slow(x, &self.norms[i].0, &self.norms[i].1, 1e-5);
        let y = self.queries_keys_values.forward(&norm(x, 0)?)?;
        let y = y.reshape((16, 128, 3, 4, 64))?.permute((2, 0, 3, 1, 4))?;
        let (q, k, v) = (y.get(0)?.contiguous()?, y.get(1)?.contiguous()?, y.get(2)?.contiguous()?);
        let heads = ops::softmax(&(q.matmul(&k.t()?)? * 0.125)?, 3)?.matmul(&v)?;
        let x = (x + self.project.forward(&heads.transpose(1, 2)?.reshape((16, 128, 256))?)?)?;
        let hidden = self.up.forward(&norm(&x, 1)?)?.gelu_erf()?;
        x + self.down.forward(&hidden)?
    }
}

/// A convolution: batch, channels in and out, side of the images; side, stride and padding of the kernel; groups.
type Conv = (usize, [usize; 2], usize, [usize; 3], usize);

const SIDE_56: Conv = (32, [64, 64], 56, [3, 1, 1], 1);
const STEM: Conv = (32, [3, 64], 224, [7, 2, 3], 1);
const SIDE_28: Conv = (32, [128, 128], 28, [3, 1, 1], 1);
const POINTWISE: Conv = (32, [64, 256], 56, [1, 1, 0], 1);
const DEPTHWISE: Conv = (32, [128, 128], 28, [3, 1, 1], 128);

fn conv_forward((batch, [from, to], side, [kernel, stride, padding], groups): Conv) -> Step {
    let config = Conv2dConfig { padding, stride, groups, ..Default::default() };
    let layer = Conv2d::new(normal(&[to, from / groups, kernel, kernel]), Some(normal(&[to])), config);
    let images = normal(&[batch, from, side, side]);
    step(move || layer.forward(&images))
}

fn conv_and_gradients((batch, [from, to], side, [kernel, stride, padding], groups): Conv) -> Step {
    let config = Conv2dConfig { padding, stride, groups, ..Default::default() };
    let (weight, bias) = (variable(&[to, from / groups, kernel, kernel]), variable(&[to]));
    let layer = Conv2d::new(weight.as_tensor().clone(), Some(bias.as_tensor().clone()), config);
    let images = variable(&[batch, from, side, side]);
    step(move || layer.forward(&images)?.backward())
}
