//! The training workloads that speed is measured on: the models and one step of each, as a user would write them.
//!
//! The benchmark times them in `f32`; a test holds that their bits do not depend on the number of threads.

use autodiff::{AttentionOptions, Float, Path, Place, PoolOptions, Result, Rng, Tensor};
use nn::{
    Affine, BatchNorm, Conv2d, Dropout, Gru, Layer, LayerNorm, Lstm, Module, Relu, Sequential, data_parallel,
};
use optim::{Adam, Momentum, Optimizer};

/// A workload: its name, the batch that it is timed with, and what builds it for a batch of any size.
#[derive(Clone, Copy, Debug)]
pub struct Workload<T: Float> {
    /// The name that it has in all systems.
    pub name: &'static str,
    /// How many samples its batch has.
    pub batch: usize,
    /// Builds it.
    pub build: fn(usize) -> Training<T>,
}

/// All of them.
pub fn workloads<T: Float>() -> [Workload<T>; 9] {
    let workload = |name, batch, build| Workload { name, batch, build };
    [
        workload("mlp_mnist_sgd", 128, |batch| mlp(&[784, 256, 128, 10], batch, sgd())),
        workload("mlp_mnist_adam", 128, |batch| mlp(&[784, 256, 128, 10], batch, adam())),
        workload("mlp_tiny_sgd", 32, |batch| mlp(&[64, 32, 10], batch, sgd())),
        workload("mlp_tiny_adam", 32, |batch| mlp(&[64, 32, 10], batch, adam())),
        workload("lenet_mnist_adam", 64, lenet),
        workload("resnet_cifar_sgd", 64, resnet),
        workload("lstm_h128_s64_b32", 32, |batch| {
            recurrent(batch, |width, rng| Lstm::new(width, width, rng))
        }),
        workload("gru_h128_s64_b32", 32, |batch| recurrent(batch, |width, rng| Gru::new(width, width, rng))),
        workload("transformer_block", 16, transformer),
    ]
}

/// A training on the same batch of random numbers again and again.
pub struct Training<T: Float = f32> {
    model: Box<dyn Layer<T>>,
    inputs: Tensor<T>,
    task: Task<T>,
}

/// What is done with the output of the model.
enum Task<T: Float> {
    /// Cross-entropy with the labels, and a step of the optimiser.
    Classify { labels: Vec<usize>, optimizer: Box<dyn Optimizer<T>> },
    /// The mean of its squares, and the gradients of that, the inputs' among them.
    Differentiate,
}

impl<T: Float> Training<T> {
    /// Does one step.
    ///
    /// # Errors
    /// None that is known: the shapes fit.
    pub fn step(&mut self) -> Result<()> {
        self.forget();
        self.loss()?.backward()?;
        self.update()
    }

    /// Does one step with the batch in slices, one thread each.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn step_in_parts(&mut self, parts: usize) -> Result<()> {
        self.forget();
        let (model, inputs, labels) = (&*self.model, &self.inputs, self.task.labels());
        data_parallel(inputs.shape().dim(0), parts, |rows| {
            loss(model, &inputs.slice(0, rows.clone())?, labels.map(|labels| &labels[rows]))
        })?;
        self.update()
    }

    /// The number that a step differentiates, on the tape.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn loss(&self) -> Result<Tensor<T>> {
        loss(&*self.model, &self.inputs, self.task.labels())
    }

    /// Drops the gradients that no optimiser takes.
    fn forget(&self) {
        if let Task::Differentiate = self.task {
            self.inputs.take_grad();
            self.model.parameters(&mut |_, parameter| drop(parameter.take_grad()));
        }
    }

    /// A step of the optimiser, if there is one.
    fn update(&mut self) -> Result<()> {
        if let Task::Classify { optimizer, .. } = &mut self.task {
            optimizer.step(&mut *self.model)?;
        }
        Ok(())
    }

    /// Takes over the inputs and the parameters of a training of the same model in another precision.
    ///
    /// # Errors
    /// None that is known: shapes stay.
    pub fn take_over<U: Float>(&mut self, other: &Training<U>) -> Result<()> {
        let inputs = rounded(&other.inputs)?;
        self.inputs = if self.inputs.is_tracked() { inputs.variable() } else { inputs };
        let mut parameters = Vec::new();
        other.model.parameters(&mut |_, parameter| parameters.push(rounded(parameter)));
        let mut parameters = parameters.into_iter().collect::<Result<Vec<_>>>()?.into_iter();
        self.model.parameters_mut(&mut |_, parameter| {
            parameter.set(&parameters.next().expect("the models are the same"));
        });
        Ok(())
    }

    /// What the steps have left, each with its name: parameters, running statistics, and the gradients that no optimiser
    /// has taken.
    pub fn state(&self) -> Vec<(String, Vec<T>)> {
        let mut state = Vec::new();
        self.model.walk(&mut Path::default(), &mut |name, place| match place {
            Place::Parameter(parameter) => {
                state.push((name.to_owned(), parameter.to_vec()));
                state.extend(parameter.grad().map(|grad| (format!("gradient of {name}"), grad.to_vec())));
            }
            Place::Running(running) => state.push((name.to_owned(), running.get().to_vec())),
            _ => {}
        });
        state.extend(self.inputs.grad().map(|grad| ("gradient of the inputs".to_owned(), grad.to_vec())));
        state
    }
}

impl<T: Float> Task<T> {
    fn labels(&self) -> Option<&[usize]> {
        match self {
            Task::Classify { labels, .. } => Some(labels),
            Task::Differentiate => None,
        }
    }
}

/// The cross-entropy with the labels, or else the mean square.
fn loss<T: Float>(model: &dyn Layer<T>, inputs: &Tensor<T>, labels: Option<&[usize]>) -> Result<Tensor<T>> {
    let output = model.forward(inputs)?;
    labels.map_or_else(|| Ok(output.square().mean()), |labels| output.cross_entropy(labels))
}

/// The numbers of a tensor in another precision.
fn rounded<T: Float, U: Float>(x: &Tensor<U>) -> Result<Tensor<T>> {
    let numbers: Vec<T> = x.to_vec().into_iter().map(|x| T::from_f64(x.to_f64())).collect();
    Tensor::from_vec(numbers, x.shape())
}

fn sgd<T: Float>() -> Box<dyn Optimizer<T>> {
    Box::new(Momentum::new(0.01).momentum(0.9))
}

fn adam<T: Float>() -> Box<dyn Optimizer<T>> {
    Box::new(Adam::new(1e-3))
}

/// The training of a classifier, whose inputs get random labels.
fn classify<T: Float>(
    model: impl Layer<T> + 'static,
    inputs: Tensor<T>,
    classes: usize,
    optimizer: Box<dyn Optimizer<T>>,
) -> Training<T> {
    let mut rng = Rng::seed(1);
    let labels = (0..inputs.shape().dim(0)).map(|_| rng.below(classes)).collect();
    Training { model: Box::new(model), inputs, task: Task::Classify { labels, optimizer } }
}

/// Affine layers of the given widths with `ReLU` between.
fn mlp<T: Float>(widths: &[usize], batch: usize, optimizer: Box<dyn Optimizer<T>>) -> Training<T> {
    let mut rng = Rng::seed(0);
    let mut model = Sequential::new();
    for (i, pair) in widths.windows(2).enumerate() {
        model = model.push(Affine::new(pair[0], pair[1], &mut rng));
        if i + 2 < widths.len() {
            model = model.push(Relu);
        }
    }
    let images = rng.normal([batch, widths[0]], 0.0, 1.0);
    classify(model, images, widths[widths.len() - 1], optimizer)
}

#[derive(Module)]
struct LeNet<T: Float> {
    conv1: Conv2d<T>,
    conv2: Conv2d<T>,
    hidden: Affine<T>,
    dropout: Dropout,
    output: Affine<T>,
}

impl<T: Float> Layer<T> for LeNet<T> {
    fn forward(&self, images: &Tensor<T>) -> Result<Tensor<T>> {
        let x = self.conv1.forward(images)?.relu().max_pool2d(PoolOptions::square(2))?;
        let x = self.conv2.forward(&x)?.relu().max_pool2d(PoolOptions::square(2))?;
        let x = self.hidden.forward(&x.flatten(1)?)?.relu();
        self.output.forward(&self.dropout.forward(&x)?)
    }
}

fn lenet<T: Float>(batch: usize) -> Training<T> {
    let mut rng = Rng::seed(0);
    let model = LeNet {
        conv1: Conv2d::new(1, 32, 3, &mut rng).padding(1),
        conv2: Conv2d::new(32, 64, 3, &mut rng).padding(1),
        hidden: Affine::new(64 * 7 * 7, 128, &mut rng),
        dropout: Dropout::new(0.5, &mut rng),
        output: Affine::new(128, 10, &mut rng),
    };
    let images = rng.normal([batch, 1, 28, 28], 0.0, 1.0);
    classify(model, images, 10, adam())
}

/// Two convolutions with a way around them (He et al., arXiv:1512.03385).
#[derive(Module)]
struct BasicBlock<T: Float> {
    conv1: Conv2d<T>,
    norm1: BatchNorm<T>,
    conv2: Conv2d<T>,
    norm2: BatchNorm<T>,
    down: Option<(Conv2d<T>, BatchNorm<T>)>,
}

impl<T: Float> BasicBlock<T> {
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

impl<T: Float> Layer<T> for BasicBlock<T> {
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
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
struct ResNet20<T: Float> {
    conv: Conv2d<T>,
    norm: BatchNorm<T>,
    blocks: Vec<BasicBlock<T>>,
    output: Affine<T>,
}

impl<T: Float> Layer<T> for ResNet20<T> {
    fn forward(&self, images: &Tensor<T>) -> Result<Tensor<T>> {
        let mut x = self.norm.forward(&self.conv.forward(images)?)?.relu();
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        self.output.forward(&x.mean_axes([2, 3])?)
    }
}

fn resnet<T: Float>(batch: usize) -> Training<T> {
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
    let images = rng.normal([batch, 3, 32, 32], 0.0, 1.0);
    classify(model, images, 10, sgd())
}

/// A layer that reads a sequence, and one that sees its last output.
#[derive(Module)]
struct Recurrent<T: Float, L> {
    cells: L,
    output: Affine<T>,
}

impl<T: Float, L: Layer<T>> Layer<T> for Recurrent<T, L> {
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (y, time) = (self.cells.forward(x)?, x.shape().dim(1));
        self.output.forward(&y.slice(1, time - 1..time)?.squeeze(1)?)
    }
}

fn recurrent<T: Float, L: Layer<T> + 'static>(
    batch: usize,
    cells: impl FnOnce(usize, &mut Rng) -> L,
) -> Training<T> {
    let (time, width) = (64, 128);
    let mut rng = Rng::seed(0);
    let model = Recurrent { cells: cells(width, &mut rng), output: Affine::new(width, 10, &mut rng) };
    let x = rng.normal([batch, time, width], 0.0, 1.0);
    classify(model, x, 10, sgd())
}

/// Attention and a network of two layers, each behind a normalisation and with a way around it.
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
        let part = |i| qkv.slice(0, i..i + 1)?.squeeze(0);
        let mixed =
            part(0)?.scaled_dot_product_attention(&part(1)?, &part(2)?, &AttentionOptions::default())?;
        let x = x + self.proj.forward(&mixed.transpose(1, 2)?.reshape([b, s, d])?)?;
        Ok(&x + self.down.forward(&self.up.forward(&self.norm2.forward(&x)?)?.gelu())?)
    }
}

fn transformer<T: Float>(batch: usize) -> Training<T> {
    let (length, width) = (128, 256);
    let mut rng = Rng::seed(0);
    let model = Block {
        heads: 4,
        norm1: LayerNorm::new([width]),
        norm2: LayerNorm::new([width]),
        qkv: Affine::new(width, 3 * width, &mut rng),
        proj: Affine::new(width, width, &mut rng),
        up: Affine::new(width, 4 * width, &mut rng),
        down: Affine::new(4 * width, width, &mut rng),
    };
    let inputs = rng.normal([batch, length, width], 0.0, 1.0).variable();
    Training { model: Box::new(model), inputs, task: Task::Differentiate }
}
