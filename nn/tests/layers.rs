//! Layers against their closed forms, and what they say when misused.
#![allow(missing_docs)]

use autodiff::{ErrorKind, Float, Result, Rng, Tensor, grad};
use nn::{
    Affine, AvgPool2d, Conv2d, Flatten, Gelu, Identity, Layer, MaxPool2d, Module, Relu, Sequential, Sigmoid,
    Silu, Softmax, Step, Tanh,
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

/// The text of an error without its place, and whether its place is `line` of this file.
fn told(result: Result<Tensor>, line: u32) -> String {
    let error = result.unwrap_err();
    assert!(error.site().file().ends_with("layers.rs"), "{error}");
    assert_eq!(error.site().line(), line, "{error}");
    error.to_string().split(" at ").next().unwrap().to_owned()
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
