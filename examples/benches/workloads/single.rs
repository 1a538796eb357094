//! Single operations, forward and, where the name says so or it is elementwise, backward.

use autodiff::{ConvOptions, Result, Rng, Shape, Tensor, no_grad, pull_back};

/// What is timed.
pub(super) struct Step {
    /// Does the workload once.
    pub(super) once: Box<dyn FnMut() -> Result<()>>,
    /// The multiplications and additions of a product, and of a convolution as its definition does them.
    pub(super) flops: Option<usize>,
}

impl Step {
    /// A step whose arithmetic is not counted.
    pub(super) fn new(once: impl FnMut() -> Result<()> + 'static) -> Self {
        Self { once: Box::new(once), flops: None }
    }
}

/// A name, and what builds the step that is timed.
pub(super) type Workload = (&'static str, fn() -> Step);

/// The operations.
pub(super) const WORKLOADS: &[Workload] = &[
    ("gemm_64", || gemm(64, 64, 64)),
    ("gemm_skinny", || gemm(128, 784, 256)),
    ("gemm_512", || gemm(512, 512, 512)),
    ("gemm_1024", || gemm(1024, 1024, 1024)),
    ("gemm_2048", || gemm(2048, 2048, 2048)),
    ("gemm_1024_fwdbwd", || {
        let [a, b, seed] = normal([[1024, 1024]; 3]);
        Step { flops: Some(3 * 2 * 1024 * 1024 * 1024), ..differentiated([a, b], seed, |[a, b]| a.matmul(b)) }
    }),
    ("op_overhead_fwdbwd", op_overhead_fwdbwd),
    ("op_overhead_fwd", op_overhead_fwd),
    ("ew_relu", || of_square([1024, 1024], |[x]| Ok(x.relu()))),
    ("ew_gelu_erf", || of_square([1024, 1024], |[x]| Ok(x.gelu()))),
    ("ew_gelu_tanh", || of_square([1024, 1024], |[x]| Ok(x.gelu_tanh()))),
    ("ew_tanh", || of_square([1024, 1024], |[x]| Ok(x.tanh()))),
    ("ew_exp", || of_square([1024, 1024], |[x]| Ok(x.exp()))),
    ("ew_sigmoid", || of_square([1024, 1024], |[x]| Ok(x.sigmoid()))),
    ("softmax_rows", || of_square([1024, 1024], |[x]| x.softmax(1))),
    ("sum_axis0", || of_square([1024], |[x]| x.sum_axes(0))),
    ("sum_axis1", || of_square([1024], |[x]| x.sum_axes(1))),
    ("bcast_add", || {
        let [x, b] = normal([[1024, 1024], [1, 1024]]);
        let b = b.reshape([1024]).expect("as many elements");
        differentiated([x, b], Tensor::ones([1024, 1024]), |[x, b]| Ok(x + b))
    }),
    ("mul_same_shape", || {
        let inputs = normal([[1024, 1024]; 2]);
        differentiated(inputs, Tensor::ones([1024, 1024]), |[x, y]| Ok(x * y))
    }),
    ("layernorm", || {
        let [x, seed] = normal([[1024, 1024]; 2]);
        let inputs = [x, Tensor::ones([1024]), Tensor::zeros([1024])];
        differentiated(inputs, seed, |[x, weight, bias]| x.layer_norm(weight, bias, 1e-5))
    }),
    ("conv3x3_64_56_fwd", || conv(&SIDE_56)),
    ("conv3x3_64_56_fwdbwd", || conv_and_gradients(&SIDE_56)),
    ("conv7x7s2_3_64_fwd", || conv(&STEM)),
    ("conv7x7s2_3_64_fwdbwd", || conv_and_gradients(&STEM)),
    ("conv3x3_128_28_fwd", || conv(&SIDE_28)),
    ("conv3x3_128_28_fwdbwd", || conv_and_gradients(&SIDE_28)),
    ("conv1x1_64_256_56_fwd", || conv(&POINTWISE)),
    ("conv1x1_64_256_56_fwdbwd", || conv_and_gradients(&POINTWISE)),
    ("dwconv3x3_128_28_fwd", || conv(&DEPTHWISE)),
    ("dwconv3x3_128_28_fwdbwd", || conv_and_gradients(&DEPTHWISE)),
];

/// Standard normal tensors.
pub(super) fn normal<const R: usize, const N: usize>(shapes: [[usize; R]; N]) -> [Tensor; N] {
    let mut rng = Rng::seed(0);
    shapes.map(|shape| rng.normal(shape, 0.0, 1.0))
}

/// `f` and its gradients for a given seed.
pub(super) fn differentiated<const N: usize>(
    inputs: [Tensor; N],
    seed: Tensor,
    f: impl Fn(&[Tensor; N]) -> Result<Tensor> + 'static,
) -> Step {
    let inputs = inputs.map(Tensor::variable);
    Step::new(move || {
        let y = f(&inputs)?;
        no_grad(|| pull_back(&y, &seed, &inputs.each_ref()))?;
        Ok(())
    })
}

/// `f` of a matrix of 1024 by 1024, and its gradient for ones of the shape `output`.
pub(super) fn of_square(
    output: impl Into<Shape>,
    f: impl Fn(&[Tensor; 1]) -> Result<Tensor> + 'static,
) -> Step {
    differentiated(normal([[1024, 1024]]), Tensor::ones(output), f)
}

/// A product of `m` by `k` and `k` by `n`.
fn gemm(m: usize, k: usize, n: usize) -> Step {
    let [a, b] = normal([[m, k], [k, n]]);
    Step { flops: Some(2 * m * k * n), ..Step::new(move || a.matmul(&b).map(drop)) }
}

/// `y = y * a + b` a thousand times on one element, and its gradient.
fn op_overhead_fwdbwd() -> Step {
    let a = Tensor::full(0.999f32, [1]).variable();
    let b = Tensor::full(0.001f32, [1]).variable();
    Step::new(move || {
        let mut y = Tensor::ones([1]);
        for _ in 0..1000 {
            y = y * &a + &b;
        }
        y.backward()?;
        a.take_grad();
        b.take_grad();
        Ok(())
    })
}

/// The same without recording.
fn op_overhead_fwd() -> Step {
    let (a, b) = (Tensor::full(0.999f32, [1]), Tensor::full(0.001f32, [1]));
    Step::new(move || {
        let mut y = Tensor::ones([1]);
        for _ in 0..1000 {
            y = y * &a + &b;
        }
        Ok(())
    })
}

/// A convolution: batch, channels in and out, side of the images, side, stride and padding of the kernel, groups.
struct Conv {
    batch: usize,
    channels: [usize; 2],
    side: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    groups: usize,
}

const SIDE_56: Conv =
    Conv { batch: 32, channels: [64, 64], side: 56, kernel: 3, stride: 1, padding: 1, groups: 1 };
const STEM: Conv =
    Conv { batch: 32, channels: [3, 64], side: 224, kernel: 7, stride: 2, padding: 3, groups: 1 };
const SIDE_28: Conv =
    Conv { batch: 32, channels: [128, 128], side: 28, kernel: 3, stride: 1, padding: 1, groups: 1 };
const POINTWISE: Conv =
    Conv { batch: 32, channels: [64, 256], side: 56, kernel: 1, stride: 1, padding: 0, groups: 1 };
const DEPTHWISE: Conv = Conv { groups: 128, ..SIDE_28 };

impl Conv {
    fn options(&self) -> ConvOptions {
        ConvOptions {
            stride: [self.stride; 2],
            padding: [self.padding; 2],
            groups: self.groups,
            ..ConvOptions::default()
        }
    }

    /// The side of the output.
    fn output(&self) -> usize {
        (self.side + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Multiplications and additions of the sums that define the output; either gradient has as many.
    fn flops(&self) -> usize {
        let [c_in, c_out] = self.channels;
        2 * self.batch * c_out * self.output().pow(2) * c_in / self.groups * self.kernel.pow(2)
    }

    /// Images, weights and biases.
    fn inputs(&self) -> [Tensor; 3] {
        let [c_in, c_out] = self.channels;
        let mut rng = Rng::seed(0);
        [
            rng.normal([self.batch, c_in, self.side, self.side], 0.0, 1.0),
            rng.normal([c_out, c_in / self.groups, self.kernel, self.kernel], 0.0, 0.1),
            rng.normal([c_out], 0.0, 0.1),
        ]
    }
}

fn conv(conv: &'static Conv) -> Step {
    let [images, weight, bias] = conv.inputs();
    let once = move || images.conv2d(&weight, Some(&bias), conv.options()).map(drop);
    Step { flops: Some(conv.flops()), ..Step::new(once) }
}

fn conv_and_gradients(conv: &'static Conv) -> Step {
    let seed = Tensor::ones([conv.batch, conv.channels[1], conv.output(), conv.output()]);
    let differentiated = differentiated(conv.inputs(), seed, |[images, weight, bias]| {
        images.conv2d(weight, Some(bias), conv.options())
    });
    Step { flops: Some(3 * conv.flops()), ..differentiated }
}
