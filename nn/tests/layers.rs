//! Layers against their closed forms, and what they say when misused.
#![allow(missing_docs)]

use autodiff::{Array, AttentionMask, ErrorKind, Float, Result, Rng, Tensor, grad};
use nn::{
    Affine, AttentionMasks, AvgPool2d, ChannelDropout, Conv1d, Conv2d, Conv3d, ConvTranspose2d, Embedding,
    Flatten, Gelu, GlobalAvgPool, GroupNorm, Identity, InstanceNorm, Layer, LayerNorm, MaxPool2d, Module,
    MultiHeadAttention, PositionalEmbedding, PositionalEncoding, Prelu, Relu, Residual, RmsNorm, Sequential,
    Sigmoid, Silu, Softmax, Step, Tanh, TransformerEncoder, TransformerOptions, Upsample, evaluate,
};

#[test]
fn affine_is_its_closed_form_and_so_are_its_gradients() -> Result<()> {
    let mut rng = Rng::seed(1);
    let mut layer = Affine::<f64>::new(3, 2, &mut rng);
    layer.weight.set(&Tensor::from_vec([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2])?);
    layer.bias.as_mut().unwrap().set(&Tensor::from_vec([10.0, 20.0], [2])?);
    let x = Tensor::from_vec([1.0, 0.0, -1.0, 2.0, 1.0, 0.0], [2, 3])?.variable();
    let y = layer.forward(&x)?;
    assert_eq!(y.to_vec(), [1.0 - 5.0 + 10.0, 2.0 - 6.0 + 20.0, 2.0 + 3.0 + 10.0, 4.0 + 4.0 + 20.0]);

    // For the loss Σ g y: dX = g Wᵀ, dW = Xᵀ g, db = Σ over rows of g.
    let g = Tensor::from_vec([1.0, -1.0, 0.5, 2.0], [2, 2])?;
    (y * &g).sum().backward()?;
    assert_eq!(x.grad().unwrap().to_vec(), g.matmul(&layer.weight.t()?)?.to_vec());
    assert_eq!(layer.weight.grad().unwrap().to_vec(), x.t()?.matmul(&g)?.to_vec());
    assert_eq!(layer.bias.unwrap().grad().unwrap().to_vec(), [1.5, 1.0]);
    Ok(())
}

#[test]
fn affine_takes_any_axes_in_front() -> Result<()> {
    let layer = Affine::<f32>::new(3, 2, &mut Rng::seed(1));
    for (input, output) in [
        (vec![3], vec![2]),
        (vec![4, 3], vec![4, 2]),
        (vec![5, 4, 3], vec![5, 4, 2]),
        (vec![0, 3], vec![0, 2]),
    ] {
        assert_eq!(layer.forward(&Tensor::ones(input))?.shape().to_vec(), output);
    }
    let linear = layer.without_bias();
    assert_eq!(linear.parameter_count(), 6);
    assert_eq!(linear.forward(&Tensor::zeros([3]))?.to_vec(), [0.0, 0.0]);
    Ok(())
}

#[test]
fn conv_has_the_shapes_of_its_options() -> Result<()> {
    let mut rng = Rng::seed(1);
    let x = Tensor::<f32>::ones([2, 4, 9, 7]);
    let shape = |conv: Conv2d| conv.forward(&x).map(|y| y.shape().to_vec());
    assert_eq!(shape(Conv2d::new(4, 6, 3, &mut rng))?, [2, 6, 7, 5]);
    assert_eq!(shape(Conv2d::new(4, 6, 3, &mut rng).padding(1))?, [2, 6, 9, 7]);
    assert_eq!(shape(Conv2d::new(4, 6, 3, &mut rng).padding(1).stride(2))?, [2, 6, 5, 4]);
    assert_eq!(shape(Conv2d::new(4, 6, [3, 1], &mut rng).padding([1, 0]).stride([1, 2]))?, [2, 6, 9, 4]);
    assert_eq!(shape(Conv2d::new(4, 6, 3, &mut rng).dilation(2))?, [2, 6, 5, 3]);
    let grouped = Conv2d::grouped(4, 6, 3, 2, &mut rng).without_bias();
    assert_eq!(grouped.weight.shape(), [6, 2, 3, 3]);
    assert_eq!(shape(grouped)?, [2, 6, 7, 5]);
    Ok(())
}

#[test]
fn conv_of_one_pixel_is_affine() -> Result<()> {
    let mut rng = Rng::seed(2);
    let conv = Conv2d::<f64>::new(3, 2, 1, &mut rng);
    let mut affine = Affine::new(3, 2, &mut rng);
    affine.weight.set(&conv.weight.reshape([2, 3])?.t()?);
    let x = rng.normal([4, 3], 0.0, 1.0);
    let y = conv.forward(&x.reshape([4, 3, 1, 1])?)?.reshape([4, 2])?;
    let expected = affine.forward(&x)?.to_vec();
    assert!(y.to_vec().iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12));
    Ok(())
}

#[test]
fn conv_passes_gradients_to_its_parameters() -> Result<()> {
    let conv = Conv2d::<f64>::new(1, 2, 2, &mut Rng::seed(3));
    let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    conv.forward(&x)?.sum().backward()?;
    assert_eq!(conv.weight.grad().unwrap().to_vec(), [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(conv.bias.unwrap().grad().unwrap().to_vec(), [1.0, 1.0]);
    Ok(())
}

#[test]
#[should_panic(expected = "3 input and 4 output channels cannot be split into 2 groups")]
fn groups_divide_the_channels() {
    let _ = Conv2d::<f32>::grouped(3, 4, 3, 2, &mut Rng::seed(1));
}

#[test]
fn pooling_and_flattening() -> Result<()> {
    let x = Tensor::from_vec((0..16).map(f64::from).collect::<Vec<_>>(), [1, 1, 4, 4])?;
    assert_eq!(MaxPool2d::new(2).forward(&x)?.to_vec(), [5.0, 7.0, 13.0, 15.0]);
    assert_eq!(AvgPool2d::new(2).forward(&x)?.to_vec(), [2.5, 4.5, 10.5, 12.5]);
    assert_eq!(MaxPool2d::new(3).stride(1).forward(&x)?.to_vec(), [10.0, 11.0, 14.0, 15.0]);
    assert_eq!(MaxPool2d::new(3).stride(2).padding(1).forward(&x)?.shape(), [1, 1, 2, 2]);
    assert_eq!(AvgPool2d::new([4, 1]).forward(&x)?.to_vec(), [6.0, 7.0, 8.0, 9.0]);
    assert_eq!(Flatten.forward(&x)?.shape(), [1, 16]);
    Ok(())
}

#[test]
fn activations_are_the_methods_of_their_names() -> Result<()> {
    let x = Tensor::from_vec([-2.0, -0.5, 0.0, 0.5, 3.0, 1.0], [2, 3])?;
    let layers: [(Box<dyn Layer<f64>>, Tensor<f64>); 8] = [
        (Box::new(Identity), x.clone()),
        (Box::new(Step), x.step()),
        (Box::new(Sigmoid), x.sigmoid()),
        (Box::new(Relu), x.relu()),
        (Box::new(Tanh), x.tanh()),
        (Box::new(Gelu), x.gelu()),
        (Box::new(Silu), x.silu()),
        (Box::new(Softmax(0)), x.softmax(0)?),
    ];
    for (layer, expected) in layers {
        assert_eq!(layer.forward(&x)?.to_vec(), expected.to_vec());
        assert_eq!(layer.parameter_count(), 0);
    }
    Ok(())
}

#[test]
fn sequential_is_the_composition() -> Result<()> {
    let mut rng = Rng::seed(4);
    let (first, second) = (Affine::<f64>::new(3, 5, &mut rng), Affine::new(5, 2, &mut rng));
    let x = rng.normal([4, 3], 0.0, 1.0).variable();
    let by_hand = second.forward(&first.forward(&x)?.tanh())?;
    let [expected] = grad(&by_hand.sum(), [&x])?;

    let inner = Sequential::new().push(Tanh).push(second);
    let model = Sequential::new().push(first).push(inner);
    let y = model.forward(&x)?;
    assert_eq!(y.to_vec(), by_hand.to_vec());
    assert_eq!(grad(&y.sum(), [&x])?[0].to_vec(), expected.to_vec());
    assert_eq!(Sequential::new().forward(&x)?.to_vec(), x.to_vec());
    assert_eq!(
        format!("{model:?}"),
        r#"{"0.weight": [3, 5], "0.bias": [5], "1.1.weight": [5, 2], "1.1.bias": [2]}"#
    );
    Ok(())
}

#[test]
fn sequential_takes_every_layer() -> Result<()> {
    let mut rng = Rng::seed(5);
    let options = TransformerOptions { heads: 2, hidden: 8, ..TransformerOptions::default() };
    let model = Sequential::<f64>::new()
        .push(Conv2d::new(1, 4, 3, &mut rng).padding(1).without_bias())
        .push(GroupNorm::new(2, 4))
        .push(Residual::new(Sequential::new().push(InstanceNorm::new(4).with_affine()).push(Prelu::new(4))))
        .push(ChannelDropout::new(0.1, &mut rng))
        .push(ConvTranspose2d::new(4, 4, 2, &mut rng).stride(2))
        .push(Upsample::by(0.5))
        .push(GlobalAvgPool)
        .push(LayerNorm::new([4]))
        .push(Embed)
        .push(PositionalEncoding)
        .push(PositionalEmbedding::new(4, 4, &mut rng))
        .push(TransformerEncoder::new(2, 4, options, &mut rng))
        .push(RmsNorm::new([4]));
    assert_eq!((model.len(), model.iter().count(), model.is_empty()), (13, 13, false));
    let x = rng.normal([2, 1, 6, 6], 0.0, 1.0);
    let y = model.forward(&x)?;
    assert_eq!(y.shape(), [2, 4, 4]);
    assert!(y.to_vec().iter().all(|y| y.is_finite()));

    y.square().sum().backward()?;
    model.parameters(&mut |name, parameter| assert!(parameter.grad().is_some(), "{name}"));
    let again = || evaluate(|| model.forward(&x)).map(|y| y.to_vec());
    assert_eq!(again()?, again()?);
    Ok(())
}

/// Each number as a vector of four: a layer of a user in between.
#[derive(Module)]
struct Embed;

impl<T: Float> Layer<T> for Embed {
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        Ok(x.unsqueeze(-1)? * Tensor::ones([4]))
    }
}

#[test]
fn padding_has_zeros_and_no_gradient() -> Result<()> {
    let table = Embedding::<f64>::new(3, 2, &mut Rng::seed(6)).with_padding(1);
    assert_eq!(table.weight.to_vec()[2..4], [0.0, 0.0]);
    let rows = table.forward(&Array::from_vec(vec![1usize, 0, 1, 2, 2], [5])?)?;
    rows.sum().backward()?;
    assert_eq!(table.weight.grad().unwrap().to_vec(), [1.0, 1.0, 0.0, 0.0, 2.0, 2.0]);
    assert_eq!(table.parameter_count(), 6);
    Ok(())
}

#[test]
fn attention_does_not_see_what_masks_hide() -> Result<()> {
    let attention = MultiHeadAttention::<f64>::new(4, 2, &mut Rng::seed(7));
    let x = Rng::seed(8).normal([1, 3, 4], 0.0, 1.0);
    let other = &x + Tensor::from_vec([0.0, 0.0, 1.0], [3, 1])?;
    let (keep, keys) = (Tensor::from_vec([1.0, 1.0, 0.0], [3])?, Tensor::from_vec([1.0, 1.0, 0.0], [1, 3])?);
    let add = keep.ln();
    for masks in [
        AttentionMasks { mask: Some(AttentionMask::Keep(&keep)), ..AttentionMasks::default() },
        AttentionMasks { mask: Some(AttentionMask::Add(&add)), ..AttentionMasks::default() },
        AttentionMasks { keys: Some(&keys), ..AttentionMasks::default() },
        AttentionMasks { causal: true, ..AttentionMasks::default() },
    ] {
        // The first two queries, with another third key.
        let rows = |memory: &Tensor<f64>| attention.attend(&x, memory, memory, &masks)?.slice(1, 0..2);
        assert_eq!(rows(&x)?.to_vec(), rows(&other)?.to_vec());
        let (_, weights) = attention.attend_with_weights(&x, &x, &x, &masks)?;
        assert_eq!(weights.slice(-1, 2..3)?.slice(-2, 0..2)?.to_vec(), [0.0; 4]);
        let sums = weights.sum_axes(-1)?.to_vec();
        assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{sums:?}");
    }
    Ok(())
}

#[test]
fn attention_drops_weights_in_training_alone() -> Result<()> {
    let mut rng = Rng::seed(9);
    let attention = MultiHeadAttention::<f64>::new(4, 1, &mut rng).dropout(0.5, &mut rng);
    let (x, masks) = (rng.normal([1, 8, 4], 0.0, 1.0), AttentionMasks::default());
    let (_, dropped) = attention.attend_with_weights(&x, &x, &x, &masks)?;
    let (y, kept) = evaluate(|| attention.attend_with_weights(&x, &x, &x, &masks))?;
    for (dropped, kept) in dropped.to_vec().into_iter().zip(kept.to_vec()) {
        assert!(dropped == 0.0 || (dropped - 2.0 * kept).abs() < 1e-12);
    }
    let zeros = dropped.to_vec().iter().filter(|&&weight| weight == 0.0).count();
    assert!((10..54).contains(&zeros), "{zeros} of 64 weights are dropped");
    let distance = (evaluate(|| attention.forward(&x))? - y).abs().max().item();
    assert!(distance < 1e-12, "both ways to attend give the same, but for {distance}");
    Ok(())
}

/// The text of an error without its place, and whether its place is `line` of this file.
fn told(result: Result<Tensor>, line: u32) -> String {
    let error = result.unwrap_err();
    assert!(error.site().file().ends_with("layers.rs"), "{error}");
    assert_eq!(error.site().line(), line, "{error}");
    error.to_string().rsplit_once(" at ").expect("a place").0.to_owned()
}

#[test]
fn misuse_is_said_at_the_line_of_the_caller() {
    let mut rng = Rng::seed(1);
    let x = Tensor::ones([64, 100]);

    let affine = Affine::new(784, 10, &mut rng);
    let (result, line) = (affine.forward(&x), line!());
    assert_eq!(told(result, line), "affine: the layer takes [.., 784], and the input is [64, 100]");
    let (result, line) = (affine.forward(&Tensor::scalar(1.0)), line!());
    assert_eq!(told(result, line), "affine: the layer takes [.., 784], and the input is []");

    let (result, line) = (Softmax(2).forward(&x), line!());
    assert_eq!(told(result, line), "softmax: axis 2 is out of range for [64, 100], which has rank 2");
    let (result, line) = (Flatten.forward(&Tensor::ones([3])), line!());
    assert_eq!(told(result, line), "flatten: axis 1 is out of range for [3], which has rank 1");

    let (result, line) = (Conv2d::new(3, 4, 3, &mut rng).forward(&x), line!());
    assert!(told(result, line).starts_with("conv2d: [64, 100] has rank 2, but rank 4 is needed"));
    let (result, line) = (MaxPool2d::new(2).forward(&x), line!());
    assert!(told(result, line).starts_with("max_pool2d: [64, 100] has rank 2, but rank 4 is needed"));
    let (result, line) = (Conv1d::new(3, 4, 3, &mut rng).forward(&x), line!());
    assert!(told(result, line).starts_with("conv1d: [64, 100] has rank 2, but rank 3 is needed"));
    let (result, line) = (Conv3d::new(3, 4, 3, &mut rng).forward(&x), line!());
    assert!(told(result, line).starts_with("conv3d: [64, 100] has rank 2, but rank 5 is needed"));
    let (result, line) = (ConvTranspose2d::new(3, 4, 3, &mut rng).forward(&x), line!());
    assert!(told(result, line).starts_with("conv_transpose2d: [64, 100] has rank 2, but rank 4 is needed"));

    let (result, line) = (LayerNorm::new([10]).forward(&x), line!());
    assert!(told(result, line).starts_with("layer_norm: "));
    let (result, line) = (GroupNorm::new(5, 10).forward(&x), line!());
    assert!(told(result, line).starts_with("group_norm: "));
    let (result, line) = (InstanceNorm::new(1).forward(&Tensor::ones([2, 1, 1])), line!());
    let text = "instance_norm: [2, 1, 1] has one element a channel of an image, which has no variance";
    assert_eq!(told(result, line), text);

    let attention = MultiHeadAttention::new(4, 2, &mut rng);
    let (result, line) = (attention.forward(&x), line!());
    assert_eq!(
        told(result, line),
        "multi_head_attention: queries must be [n, queries, 4], keys and values [n, keys, 4], and they are \
         [64, 100], [64, 100] and [64, 100]"
    );
    let y = Tensor::ones([2, 3, 4]);
    let masks = AttentionMasks { keys: Some(&y), ..AttentionMasks::default() };
    let (result, line) = (attention.attend(&y, &y, &y, &masks), line!());
    assert_eq!(
        told(result, line),
        "multi_head_attention: there must be a number for each key of [2, 3, 4], [n, keys], and there are [2, 3, 4]"
    );
    let table = Embedding::new(3, 2, &mut rng);
    let (result, line) = (table.forward(&Array::from_vec(vec![3usize], [1]).unwrap()), line!());
    assert_eq!(
        told(result, line),
        "embedding: index 3 at position 0 is out of range for 3 entries along axis 0"
    );
    let (result, line) = (PositionalEmbedding::new(3, 4, &mut rng).forward(&Tensor::ones([5, 4])), line!());
    assert_eq!(
        told(result, line),
        "positional_embedding: the layer takes [.., length, 4] of at most 3 vectors, and the input is [5, 4]"
    );
}

/// A layer of a user, whose own line is the one to name.
#[derive(Module)]
struct Mine(Affine);

impl Layer for Mine {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.0.forward(x)
    }
}

const LINE_IN_MINE: u32 = line!() - 4;

fn through_generics<T: Float>(layer: &impl Layer<T>, x: &Tensor<T>) -> (Result<Tensor<T>>, u32) {
    (layer.forward(x), line!())
}

#[test]
fn the_line_survives_generics_boxes_and_sequentials() {
    let mut rng = Rng::seed(1);
    let text = "affine: the layer takes [.., 784], and the input is [3]";
    let x = Tensor::ones([3]);
    let (result, line) = through_generics(&Affine::new(784, 10, &mut rng), &x);
    assert_eq!(told(result, line), text);

    let affine = Affine::new(784, 10, &mut rng);
    let nested = Sequential::new().push(Identity).push(Sequential::new().push(Box::new(affine)));
    let (result, line) = (nested.forward(&x), line!());
    assert_eq!(told(result, line), text);

    let mine = Sequential::new().push(Mine(Affine::new(784, 10, &mut rng)));
    assert_eq!(told(mine.forward(&x), LINE_IN_MINE), text);

    let softmax = Sequential::new().push(Softmax(1));
    assert!(matches!(softmax.forward(&x).unwrap_err().kind(), ErrorKind::Axis { axis: 1, .. }));
}
