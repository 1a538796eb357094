//! Normalisation: outputs, gradients, and the running statistics of several batches.

use super::reader::Options;
use super::{Outcome, layer, load};
use nn::{BatchNorm, GroupNorm, InstanceNorm, Layer, LayerNorm, RmsNorm, evaluating};

/// Builds a layer with the settings of a case.
macro_rules! set {
    ($layer:expr, $o:expr, $($setting:literal => $with:expr),*) => {{
        let mut layer = $layer;
        $(if $o.has($setting) { layer = $with(layer, $o); })*
        layer
    }};
}

calls! { "norm";
    batch_norm: |x, o| {
        let norm = BatchNorm::<f64>::new(3);
        let mut norm = set!(norm, o,
            "momentum" => |l: BatchNorm<f64>, o: &Options| l.momentum(o.float("momentum")),
            "eps" => |l: BatchNorm<f64>, o: &Options| l.epsilon(o.float("eps")),
            "affine" => |l: BatchNorm<f64>, _| l.without_affine(),
            "track" => |l: BatchNorm<f64>, _| l.without_running(),
            "cumulative" => |l: BatchNorm<f64>, _| l.cumulative());
        let (batches, parameters) = x.split_at(4);
        let places = load(&mut norm, parameters);
        let mut outputs = Vec::new();
        for batch in &batches[..3] {
            outputs.push(norm.forward(batch)?);
        }
        outputs.push(evaluating(|| norm.forward(&batches[3]))?);
        outputs.extend([&norm.running_mean, &norm.running_var].into_iter().flatten().map(autodiff::Running::get));
        Ok(Outcome { outputs, variables: [batches, &places].concat() })
    };
    layer_norm: |x, o| {
        let norm = set!(LayerNorm::new(o.ints("shape")), o,
            "eps" => |l: LayerNorm<f64>, o: &Options| l.epsilon(o.float("eps")),
            "bias" => |l: LayerNorm<f64>, _| l.without_bias(),
            "affine" => |l: LayerNorm<f64>, _| l.without_affine());
        layer(norm, x, LayerNorm::forward)
    };
    rms_norm: |x, o| {
        let norm = set!(RmsNorm::new(o.ints("shape")), o,
            "eps" => |l: RmsNorm<f64>, o: &Options| l.epsilon(o.float("eps")),
            "affine" => |l: RmsNorm<f64>, _| l.without_affine());
        layer(norm, x, RmsNorm::forward)
    };
    group_norm: |x, o| {
        let norm = set!(GroupNorm::new(o.int("groups"), 4), o,
            "eps" => |l: GroupNorm<f64>, o: &Options| l.epsilon(o.float("eps")),
            "affine" => |l: GroupNorm<f64>, _| l.without_affine());
        layer(norm, x, GroupNorm::forward)
    };
    instance_norm: |x, o| {
        let norm = InstanceNorm::new(4);
        let norm = if o.has("affine") { norm } else { norm.with_affine() };
        let norm = set!(norm, o, "eps" => |l: InstanceNorm<f64>, o: &Options| l.epsilon(o.float("eps")));
        layer(norm, x, InstanceNorm::forward)
    };
}
