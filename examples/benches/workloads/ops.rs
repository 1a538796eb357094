//! One op each, forward and backward if it has a gradient, at sizes where it is the arithmetic or the memory that counts.

use super::single::{Step, Workload, differentiated, normal, of_square};
use autodiff::{
    Array, AttentionOptions, ConvOptions, ConvTransposeOptions, Interpolation, PadMode, PoolOptions, Result,
    Rng, Tensor, s,
};

/// The ops, under PyTorch's names where it has one.
pub(super) const OPS: &[Workload] = &[
    ("abs", || unary(Tensor::abs)),
    ("acos", || unary(Tensor::acos)),
    ("acosh", || unary(Tensor::acosh)),
    ("asin", || unary(Tensor::asin)),
    ("asinh", || unary(Tensor::asinh)),
    ("atan", || unary(Tensor::atan)),
    ("atanh", || unary(Tensor::atanh)),
    ("clamp", || unary(|x| x.clamp(-1.0, 1.0))),
    ("cos", || unary(Tensor::cos)),
    ("cosh", || unary(Tensor::cosh)),
    ("elu", || unary(|x| x.elu(1.0))),
    ("erf", || unary(Tensor::erf)),
    ("erfc", || unary(Tensor::erfc)),
    ("exp2", || unary(Tensor::exp2)),
    ("expm1", || unary(Tensor::exp_m1)),
    ("leaky_relu", || unary(|x| x.leaky_relu(0.01))),
    ("log", || unary(Tensor::ln)),
    ("log10", || unary(Tensor::log10)),
    ("log1p", || unary(Tensor::ln_1p)),
    ("log2", || unary(Tensor::log2)),
    ("log_sigmoid", || unary(Tensor::log_sigmoid)),
    ("mish", || unary(Tensor::mish)),
    ("pow_number", || unary(|x| x.powf(1.7))),
    ("reciprocal", || unary(Tensor::recip)),
    ("rsqrt", || unary(Tensor::rsqrt)),
    ("selu", || unary(Tensor::selu)),
    ("silu", || unary(Tensor::silu)),
    ("sin", || unary(Tensor::sin)),
    ("sinh", || unary(Tensor::sinh)),
    ("softplus", || unary(Tensor::softplus)),
    ("sqrt", || unary(Tensor::sqrt)),
    ("square", || unary(Tensor::square)),
    ("tan", || unary(Tensor::tan)),
    ("atan2", || binary(|x, y| x.atan2(y))),
    ("div", || binary(|x, y| Ok(x / y))),
    ("fmod", || binary(|x, y| x.fmod(y))),
    ("hypot", || binary(|x, y| x.hypot(y))),
    ("logaddexp", || binary(|x, y| x.log_add_exp(y))),
    ("maximum", || binary(|x, y| x.maximum(y))),
    ("mse", || binary(|x, y| Ok((x - y).square().mean()))),
    ("mul_column", || differentiated_by_ones([&[1024, 1024], &[1024, 1]], |[x, y]| Ok(x * y))),
    ("pow", || binary(|x, y| x.pow(y))),
    ("remainder", || binary(|x, y| x.remainder(y))),
    ("where", || {
        let mask = mask();
        binary(move |x, y| mask.select(x, y))
    }),
    ("masked_fill", || {
        let mask = mask();
        square(move |x| x.masked_fill(&mask, 0.5))
    }),
    ("dropout", || {
        let rng = std::cell::RefCell::new(Rng::seed(1));
        square(move |x| x.dropout(0.5, &mut rng.borrow_mut()))
    }),
    ("transposed_copy", || square(|x| Ok(x.t()? + 0.0))),
    ("permuted_copy", || {
        differentiated_by_ones([&[16, 128, 4, 64]], |[x]| Ok(x.permute([0, 2, 1, 3])? + 0.0))
    }),
    ("slice", || square(|x| Ok(x.at(s![100..900, 100..900])? + 0.0))),
    ("cat", || differentiated_by_ones([&[1024, 512], &[1024, 512]], |[x, y]| Tensor::cat(&[x, y], 1))),
    ("stack", || differentiated_by_ones([&[1024, 512], &[1024, 512]], |[x, y]| Tensor::stack(&[x, y], 0))),
    ("roll", || square(|x| x.roll(100, 1))),
    ("tril", || square(|x| x.tril(0))),
    ("pad_zeros", || images(|x| x.pad(&[(1, 1), (1, 1)], 0.0))),
    ("pad_reflect", || images(|x| x.pad(&[(1, 1), (1, 1)], PadMode::Reflect))),
    ("pixel_shuffle", || images(|x| x.pixel_shuffle(2))),
    ("interpolate_nearest", || images(|x| x.interpolate([56, 56], Interpolation::Nearest))),
    ("interpolate_bilinear", || {
        images(|x| x.interpolate([56, 56], Interpolation::Linear { align_corners: false }))
    }),
    ("index_select", || {
        let index: Vec<usize> = scattered(1024, 1024);
        square(move |x| x.index_select(0, &index))
    }),
    ("embedding", || {
        let index = Array::from_vec(scattered(4096, 10_000), [32, 128]).expect("as many places");
        differentiated_by_ones([&[10_000, 256]], move |[x]| x.embedding(&index))
    }),
    ("gather", || {
        let index = places();
        square(move |x| x.gather(1, &index))
    }),
    ("scatter_add", || {
        let index = places();
        binary(move |x, y| x.scatter_add(1, &index, y))
    }),
    ("sort", || square(|x| Ok(x.sort(1, false)?.0))),
    ("topk", || square(|x| Ok(x.topk(10, 1, true)?.0))),
    ("argmax", || {
        let [x] = normal([[1024, 1024]]);
        Step::new(move || x.arg_max(1).map(drop))
    }),
    ("rand", || {
        let mut rng = Rng::seed(0);
        Step::new(move || {
            drop(rng.uniform::<f32>([1024, 1024], 0.0, 1.0));
            Ok(())
        })
    }),
    ("randn", || {
        let mut rng = Rng::seed(0);
        Step::new(move || {
            drop(rng.normal::<f32>([1024, 1024], 0.0, 1.0));
            Ok(())
        })
    }),
    ("cumsum_rows", || square(|x| x.cumsum(1))),
    ("cumsum_columns", || square(|x| x.cumsum(0))),
    ("cumprod", || square(|x| x.cumprod(1))),
    ("sum", || square(|x| Ok(x.sum()))),
    ("max_rows", || square(|x| x.max_axes(1))),
    ("norm", || square(|x| Ok(x.norm(2.0)))),
    ("prod_rows", || square(|x| x.prod_axes(1))),
    ("var_rows", || square(|x| x.var_axes(1, 1))),
    ("logsumexp", || square(|x| x.log_sum_exp_axes(1))),
    ("log_softmax", || square(|x| x.log_softmax(1))),
    ("softmax_columns", || square(|x| x.softmax(0))),
    ("softmax_short_rows", || differentiated_by_ones([&[65_536, 10]], |[x]| x.softmax(1))),
    ("cross_entropy", || {
        let labels = scattered(512, 32_000);
        differentiated_by_ones([&[512, 32_000]], move |[x]| x.cross_entropy(&labels))
    }),
    ("cosine_similarity", || binary(|x, y| x.cosine_similarity(y, 1, 1e-8))),
    ("batch_norm", || {
        differentiated_by_ones([&[64, 64, 28, 28], &[64], &[64]], |[x, weight, bias]| {
            Ok(x.batch_norm(weight, bias, 1e-5)?.0)
        })
    }),
    ("group_norm", || {
        differentiated_by_ones([&[32, 64, 28, 28], &[64], &[64]], |[x, weight, bias]| {
            x.group_norm(8, weight, bias, 1e-5)
        })
    }),
    ("instance_norm", || {
        differentiated_by_ones([&[32, 64, 28, 28], &[64], &[64]], |[x, weight, bias]| {
            x.instance_norm(weight, bias, 1e-5)
        })
    }),
    ("layer_norm_short_rows", || {
        differentiated_by_ones([&[16_384, 64], &[64], &[64]], |[x, weight, bias]| {
            x.layer_norm(weight, bias, 1e-5)
        })
    }),
    ("rms_norm", || differentiated_by_ones([&[1024, 1024], &[1024]], |[x, weight]| x.rms_norm(weight, 1e-5))),
    ("max_pool_2", || maps(|x| x.max_pool2d(PoolOptions::new([2, 2])))),
    ("max_pool_3_stride_2", || {
        maps(|x| x.max_pool2d(PoolOptions { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }))
    }),
    ("avg_pool_2", || maps(|x| x.avg_pool2d(PoolOptions::new([2, 2])))),
    ("avg_pool_all", || differentiated_by_ones([&[32, 256, 14, 14]], |[x]| x.adaptive_avg_pool2d([1, 1]))),
    ("conv1d_3", || {
        differentiated_by_ones([&[32, 64, 256], &[64, 64, 3], &[64]], |[x, weight, bias]| {
            x.conv1d(weight, Some(bias), ConvOptions { padding: [1], ..Default::default() })
        })
    }),
    ("conv3d_3", || {
        differentiated_by_ones([&[4, 16, 16, 28, 28], &[32, 16, 3, 3, 3], &[32]], |[x, weight, bias]| {
            x.conv3d(weight, Some(bias), ConvOptions { padding: [1; 3], ..Default::default() })
        })
    }),
    ("conv_3_of_7x7", || conv([&[8, 512, 7, 7], &[512, 512, 3, 3], &[512]], padded(1))),
    ("conv_3_of_one", || conv([&[1, 64, 56, 56], &[64, 64, 3, 3], &[64]], padded(1))),
    ("conv_3_stride_2", || {
        conv([&[32, 64, 56, 56], &[128, 64, 3, 3], &[128]], ConvOptions { stride: [2, 2], ..padded(1) })
    }),
    ("conv_3_dilated", || {
        conv([&[32, 64, 28, 28], &[64, 64, 3, 3], &[64]], ConvOptions { dilation: [2, 2], ..padded(2) })
    }),
    ("conv_3_groups", || {
        conv([&[32, 64, 28, 28], &[64, 16, 3, 3], &[64]], ConvOptions { groups: 4, ..padded(1) })
    }),
    ("conv_5", || conv([&[32, 32, 28, 28], &[64, 32, 5, 5], &[64]], padded(2))),
    ("conv_5_depthwise_stride_2", || {
        let options = ConvOptions { stride: [2, 2], groups: 128, ..padded(2) };
        conv([&[32, 128, 28, 28], &[128, 1, 5, 5], &[128]], options)
    }),
    ("conv_transpose_4_stride_2", || {
        differentiated_by_ones([&[32, 64, 14, 14], &[64, 32, 4, 4], &[32]], |[x, weight, bias]| {
            let options = ConvTransposeOptions { stride: [2, 2], padding: [1, 1], ..Default::default() };
            x.conv_transpose2d(weight, Some(bias), options)
        })
    }),
    ("dot", || differentiated_by_ones([&[1_048_576], &[1_048_576]], |[x, y]| x.dot(y))),
    ("outer", || differentiated_by_ones([&[1024], &[1024]], |[x, y]| x.outer(y))),
    ("matrix_vector", || differentiated_by_ones([&[2048, 2048], &[2048, 1]], |[x, y]| x.matmul(y))),
    ("matrix_transposed", || differentiated_by_ones([&[512, 512]; 2], |[x, y]| x.matmul(&y.t()?))),
    ("batched", || differentiated_by_ones([&[64, 128, 64], &[64, 64, 128]], |[x, y]| x.matmul(y))),
    ("batched_small", || differentiated_by_ones([&[1024, 16, 16]; 2], |[x, y]| x.matmul(y))),
    ("einsum", || {
        differentiated_by_ones([&[8, 128, 4, 64]; 2], |[x, y]| Tensor::einsum("bqhd,bkhd->bhqk", &[x, y]))
    }),
    ("attention", || attention(false)),
    ("attention_causal", || attention(true)),
];

/// `f` of tensors of these shapes, and its gradients for ones.
fn differentiated_by_ones<const N: usize>(
    shapes: [&[usize]; N],
    f: impl Fn(&[Tensor; N]) -> Result<Tensor> + 'static,
) -> Step {
    let mut rng = Rng::seed(0);
    let inputs = shapes.map(|shape| rng.normal(shape, 0.0, 1.0));
    let ones = f(&inputs).expect("the shapes fit").ones_like();
    differentiated(inputs, ones, f)
}

fn unary(f: impl Fn(&Tensor) -> Tensor + 'static) -> Step {
    of_square([1024, 1024], move |[x]| Ok(f(x)))
}

fn square(f: impl Fn(&Tensor) -> Result<Tensor> + 'static) -> Step {
    differentiated_by_ones([&[1024, 1024]], move |[x]| f(x))
}

fn binary(f: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + 'static) -> Step {
    differentiated_by_ones([&[1024, 1024]; 2], move |[x, y]| f(x, y))
}

fn images(f: impl Fn(&Tensor) -> Result<Tensor> + 'static) -> Step {
    differentiated_by_ones([&[32, 64, 28, 28]], move |[x]| f(x))
}

fn maps(f: impl Fn(&Tensor) -> Result<Tensor> + 'static) -> Step {
    differentiated_by_ones([&[32, 64, 56, 56]], move |[x]| f(x))
}

fn padded(padding: usize) -> ConvOptions {
    ConvOptions { padding: [padding; 2], ..Default::default() }
}

fn conv(shapes: [&[usize]; 3], options: ConvOptions) -> Step {
    differentiated_by_ones(shapes, move |[x, weight, bias]| x.conv2d(weight, Some(bias), options))
}

fn attention(causal: bool) -> Step {
    differentiated_by_ones([&[8, 4, 256, 64]; 3], move |[q, k, v]| {
        q.scaled_dot_product_attention(k, v, &AttentionOptions { causal, ..Default::default() })
    })
}

/// Ones and zeros, as many of either.
fn mask() -> Tensor {
    let [x] = normal([[1024, 1024]]);
    x.relu().sign()
}

/// `count` numbers below `end`, in no order.
fn scattered(count: usize, end: usize) -> Vec<usize> {
    (0..count).map(|i| (i * 7919 + i / 13) % end).collect()
}

/// A place in its row for each element of a square.
fn places() -> Array<usize> {
    Array::from_vec(scattered(1024 * 1024, 1024), [1024, 1024]).expect("as many places")
}
