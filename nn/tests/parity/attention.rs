//! Attention and the layers that are made of it: outputs, and the gradients of inputs and parameters.

use super::reader::Options;
use super::{Outcome, layer, load};
use autodiff::{AttentionMask, Rng, Tensor};
use nn::{
    AttentionMasks, Layer, MultiHeadAttention, PositionalEmbedding, PositionalEncoding, TransformerEncoder,
    TransformerEncoderLayer, TransformerOptions,
};

calls! { "attention";
    self_attention: |x, o| {
        let given = Masks::of(o);
        layer(attention(o), x, |layer, x| layer.attend(x, x, x, &given.masks()))
    };
    cross_attention: |x, o| {
        let (mut attention, given) = (attention(o), Masks::of(o));
        let places = load(&mut attention, &x[3..]);
        let (y, weights) = attention.attend_with_weights(&x[0], &x[1], &x[2], &given.masks())?;
        Ok::<_, autodiff::Error>(Outcome { outputs: vec![y, weights], variables: [&x[..3], &places].concat() })
    };
    encoder_layer: |x, o| {
        let given = Masks::of(o);
        let encoder = TransformerEncoderLayer::new(4, options(o), &mut Rng::seed(1));
        layer(encoder, x, |layer, x| layer.run(x, &given.masks()))
    };
    encoder: |x, o| {
        let given = Masks::of(o);
        let encoder = TransformerEncoder::new(2, 4, options(o), &mut Rng::seed(1));
        let encoder = if o.flag("norm_first") { encoder.with_norm() } else { encoder };
        layer(encoder, x, |layer, x| layer.run(x, &given.masks()))
    };
    positional_encoding: |x, _| PositionalEncoding.forward(&x[0]);
    positional_embedding: |x, _| {
        let size = x[0].shape().dim(x[0].rank() - 1);
        layer(PositionalEmbedding::new(6, size, &mut Rng::seed(1)), x, PositionalEmbedding::forward)
    };
}

fn attention(o: &Options) -> MultiHeadAttention<f64> {
    let attention = MultiHeadAttention::new(4, o.int("heads"), &mut Rng::seed(1));
    if o.flag("bias") { attention } else { attention.without_bias() }
}

fn options(o: &Options) -> TransformerOptions {
    TransformerOptions {
        heads: o.int("heads"),
        hidden: o.int("hidden"),
        dropout: 0.0,
        norm_first: o.flag("norm_first"),
        gelu: o.flag("gelu"),
        ..TransformerOptions::default()
    }
}

/// The masks of a case.
struct Masks {
    add: Option<Tensor<f64>>,
    keep: Option<Tensor<f64>>,
    keys: Option<Tensor<f64>>,
    causal: bool,
}

impl Masks {
    fn of(o: &Options) -> Self {
        let add = o.has("add").then(|| {
            let (numbers, width): (_, usize) = (o.floats("add"), o.int("width"));
            let rows = numbers.len() / width;
            Tensor::from_vec(numbers, [rows, width]).expect("rows of equal lengths")
        });
        let ones = |name| o.has(name).then(|| o.index(name).map(|n| n as f64).into());
        Self { add, keep: ones("keep"), keys: ones("keys"), causal: o.has("causal") }
    }

    fn masks(&self) -> AttentionMasks<'_, f64> {
        let mask = self.add.as_ref().map(AttentionMask::Add).or(self.keep.as_ref().map(AttentionMask::Keep));
        AttentionMasks { mask, keys: self.keys.as_ref(), causal: self.causal }
    }
}
