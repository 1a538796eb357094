//! Attention.

use super::reader::Options;
use autodiff::{AttentionMask, AttentionOptions, Result, Tensor};

/// A mask of ones and zeros.
fn ones(o: &Options, name: &str) -> Option<Tensor<f64>> {
    let index = o.has(name).then(|| o.index(name))?;
    Some(index.map(|n| n as f64).into())
}

fn attention(x: &[Tensor<f64>], o: &Options) -> Result<Tensor<f64>> {
    let (keep, forbid) = (ones(o, "keep"), ones(o, "forbid").map(|ones| ones.ln()));
    let added = x.get(3).or(forbid.as_ref()).map(AttentionMask::Add);
    let options = AttentionOptions {
        mask: keep.as_ref().map(AttentionMask::Keep).or(added),
        causal: o.has("is_causal"),
        scale: o.has("scale").then(|| o.float("scale")),
    };
    x[0].scaled_dot_product_attention(&x[1], &x[2], &options)
}

calls! { "attention";
    scaled_dot_product_attention: |x, o| attention(x, o)?;
}
