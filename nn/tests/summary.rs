//! What a summary says of models whose layers and sizes are known.

use autodiff::{Result, Rng, Tensor};
use nn::{Affine, BatchNorm, Conv2d, Dropout, Layer, LayerNorm, Module, Relu, Sequential, Summary};

#[derive(Module)]
struct Net {
    conv: Conv2d,
    norm: BatchNorm,
    dropout: Dropout,
    body: Sequential,
    never: Affine,
}

impl Layer for Net {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.norm.forward(&self.conv.forward(x)?)?.relu();
        self.body.forward(&self.dropout.forward(&x.flatten(1)?)?)
    }
}

fn net() -> Net {
    let mut rng = Rng::seed(1);
    let body = Sequential::new().push(Affine::new(64, 8, &mut rng)).push(Relu).push(LayerNorm::new([8]));
    Net {
        conv: Conv2d::new(1, 4, 3, &mut rng).padding(1),
        norm: BatchNorm::new(4),
        dropout: Dropout::new(0.5, &mut rng),
        body,
        never: Affine::new(2, 3, &mut rng),
    }
}

#[test]
fn layers_have_their_paths_shapes_and_parameters() {
    let summary = nn::summary(&net(), &Tensor::ones([2, 1, 4, 4])).unwrap();
    let named: Vec<_> = summary.rows.iter().filter(|row| !row.layer.is_empty()).collect();
    let rows: Vec<_> = named.iter().map(|row| (&row.layer[..], row.shape.to_vec(), row.parameters)).collect();
    let expected = [
        ("conv", vec![2, 4, 4, 4], 40),
        ("norm", vec![2, 4, 4, 4], 8),
        ("body.0", vec![2, 8], 64 * 8 + 8),
        ("body.2", vec![2, 8], 16),
    ];
    assert_eq!(rows, expected);
    assert_eq!(named[2].ops, ["affine"]);
    assert_eq!(summary.parameters, 40 + 8 + 520 + 16 + 9);
    assert_eq!(summary.parameter_bytes, 4 * summary.parameters);
    assert_eq!(summary.unused, ["never.weight", "never.bias"]);
    assert_eq!(summary.rows.iter().map(|row| row.saved_bytes).sum::<usize>(), summary.saved_bytes);
    assert!(summary.to_string().ends_with("not on the tape: never.weight, never.bias"));
}

#[test]
fn a_summary_leaves_statistics_and_masks_as_they_were() {
    let (seen, untouched) = (net(), net());
    let x: Tensor = Rng::seed(5).normal([2, 1, 4, 4], 0.0, 1.0);
    nn::summary(&seen, &x).unwrap();
    let mean = |net: &Net| net.norm.running_mean.as_ref().unwrap().get().to_vec();
    assert_eq!(mean(&seen), mean(&untouched));
    // The same dropout mask comes next.
    assert_eq!(seen.forward(&x).unwrap().to_vec(), untouched.forward(&x).unwrap().to_vec());
    assert_ne!(mean(&seen), vec![0.0; 4]);
}

#[test]
fn an_error_of_the_pass_is_passed_on_and_shared_weights_count_once() {
    assert!(nn::summary(&net(), &Tensor::ones([2, 3, 4, 4])).is_err());
    let layer: Affine = Affine::new(3, 3, &mut Rng::seed(1));
    let twice = layer.forward(&layer.forward(&Tensor::ones([2, 3])).unwrap().relu()).unwrap();
    let counts: Vec<_> = Summary::of(&layer, &[&twice]).rows.iter().map(|row| row.parameters).collect();
    assert_eq!(counts.iter().sum::<usize>(), 12);
    assert!(Summary::of(&layer, &[]).rows.is_empty());
}
