//! Layers of a line or two: activations, pooling, resizing, embedding, fully connected ones, ways around.

use super::reader::Options;
use super::{Outcome, layer, load};
use autodiff::{Interpolation, Rng};
use nn::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveMaxPool1d, AdaptiveMaxPool2d, Affine, AvgPool1d, AvgPool2d,
    Celu, Elu, Embedding, Flatten, Gelu, GeluTanh, GlobalAvgPool, GlobalMaxPool, Glu, HardShrink,
    HardSigmoid, HardSwish, HardTanh, Layer, LeakyRelu, LogSigmoid, LogSoftmax, MaxPool1d, MaxPool2d, Mish,
    PixelShuffle, PixelUnshuffle, Prelu, Relu, Relu6, Residual, Selu, Sigmoid, Silu, SoftShrink, Softmax,
    Softmin, Softplus, Softsign, Tanh, TanhShrink, Threshold, Upsample,
};

calls! { "layers";
    sigmoid: |x, _| Sigmoid.forward(&x[0]);
    log_sigmoid: |x, _| LogSigmoid.forward(&x[0]);
    tanh: |x, _| Tanh.forward(&x[0]);
    relu: |x, _| Relu.forward(&x[0]);
    relu6: |x, _| Relu6.forward(&x[0]);
    gelu: |x, _| Gelu.forward(&x[0]);
    gelu_tanh: |x, _| GeluTanh.forward(&x[0]);
    silu: |x, _| Silu.forward(&x[0]);
    mish: |x, _| Mish.forward(&x[0]);
    selu: |x, _| Selu.forward(&x[0]);
    softplus: |x, _| Softplus.forward(&x[0]);
    softsign: |x, _| Softsign.forward(&x[0]);
    hard_tanh: |x, _| HardTanh.forward(&x[0]);
    hard_sigmoid: |x, _| HardSigmoid.forward(&x[0]);
    hard_swish: |x, _| HardSwish.forward(&x[0]);
    tanh_shrink: |x, _| TanhShrink.forward(&x[0]);
    leaky_relu: |x, o| told(o, LeakyRelu).forward(&x[0]);
    elu: |x, o| told(o, Elu).forward(&x[0]);
    celu: |x, o| told(o, Celu).forward(&x[0]);
    soft_shrink: |x, o| told(o, SoftShrink).forward(&x[0]);
    hard_shrink: |x, o| told(o, HardShrink).forward(&x[0]);
    threshold: |x, o| Threshold { threshold: o.float("threshold"), value: o.float("value") }.forward(&x[0]);
    softmax: |x, o| Softmax(o.int("axis")).forward(&x[0]);
    softmin: |x, o| Softmin(o.int("axis")).forward(&x[0]);
    log_softmax: |x, o| LogSoftmax(o.int("axis")).forward(&x[0]);
    glu: |x, o| Glu(o.int("axis")).forward(&x[0]);
    prelu: |x, _| layer(Prelu::new(x[1].size()), x, Prelu::forward);
    max_pool1d: |x, o| windows!(MaxPool1d, o).forward(&x[0]);
    max_pool2d: |x, o| windows!(MaxPool2d, o).forward(&x[0]);
    avg_pool1d: |x, o| windows!(AvgPool1d, o).forward(&x[0]);
    avg_pool2d: |x, o| windows!(AvgPool2d, o).forward(&x[0]);
    adaptive_max_pool1d: |x, o| AdaptiveMaxPool1d(o.int("size")).forward(&x[0]);
    adaptive_max_pool2d: |x, o| AdaptiveMaxPool2d(pair(o)).forward(&x[0]);
    adaptive_avg_pool1d: |x, o| AdaptiveAvgPool1d(o.int("size")).forward(&x[0]);
    adaptive_avg_pool2d: |x, o| AdaptiveAvgPool2d(pair(o)).forward(&x[0]);
    global_avg_pool: |x, _| GlobalAvgPool.forward(&x[0]);
    global_max_pool: |x, _| GlobalMaxPool.forward(&x[0]);
    flatten: |x, _| Flatten.forward(&x[0]);
    upsample: |x, o| {
        let layer = if o.has("size") { Upsample::to(o.ints("size")) } else { Upsample::by(o.float("factor")) };
        let mode = match o.text("mode") {
            "nearest" => Interpolation::Nearest,
            _ => Interpolation::Linear { align_corners: o.flag("align") },
        };
        layer.mode(mode).forward(&x[0])
    };
    pixel_shuffle: |x, o| PixelShuffle(o.int("factor")).forward(&x[0]);
    pixel_unshuffle: |x, o| PixelUnshuffle(o.int("factor")).forward(&x[0]);
    affine: |x, o| {
        let affine = Affine::new(3, 2, &mut Rng::seed(1));
        layer(if o.flag("bias") { affine } else { affine.without_bias() }, x, Affine::forward)
    };
    residual: |x, _| layer(Residual::new(Affine::new(3, 3, &mut Rng::seed(1))), x, Residual::forward);
    embedding: |x, o| {
        let mut table = Embedding::new(4, 3, &mut Rng::seed(1));
        if o.has("padding") {
            table = table.with_padding(o.int("padding"));
        }
        let variables = load(&mut table, x);
        Ok::<_, autodiff::Error>(Outcome { outputs: vec![table.forward(&o.index("index"))?], variables })
    };
}

/// Window layers with the settings of a case.
macro_rules! windows {
    ($name:ident, $o:expr) => {{
        let mut layer = $name::new($o.int::<usize>("kernel"));
        if $o.has("stride") {
            layer = layer.stride($o.int::<usize>("stride"));
        }
        if $o.has("padding") {
            layer = layer.padding($o.int::<usize>("padding"));
        }
        layer
    }};
}
use windows;

/// A layer by default, or as the case says.
fn told<L: Default>(o: &Options, layer: fn(f64) -> L) -> L {
    if o.has("told") { layer(o.float("told")) } else { L::default() }
}

fn pair(o: &Options) -> [usize; 2] {
    o.ints("size").try_into().expect("height and width")
}
