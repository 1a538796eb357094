//! The fully connected layer.

use crate::{Init, Layer, Module};
use autodiff::{Error, Float, Parameter, Result, Rng, Tensor};

/// The affine map `Y = X W + b`, also called a fully connected, dense or linear layer.
///
/// `X` is `[.., inputs]`, `W` is `[inputs, outputs]` (`torch` keeps its transpose), `b` is `[outputs]`, and `Y` is
/// `[.., outputs]`.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Affine, Init, Layer};
/// let mut rng = Rng::seed(7);
/// let layer = Affine::new(784, 10, &mut rng);
/// assert_eq!(layer.forward(&Tensor::<f32>::zeros([64, 784]))?.shape(), [64, 10]);
///
/// let output = Affine::<f32>::new(10, 1, &mut rng).with_init(Init::XavierUniform, &mut rng).without_bias();
/// assert!(output.bias.is_none());
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct Affine<T: Float = f32> {
    /// `W`, `[inputs, outputs]`.
    pub weight: Parameter<T>,
    /// `b`, `[outputs]`, if there is one.
    pub bias: Option<Parameter<T>>,
}

impl<T: Float> Affine<T> {
    /// A layer with weights drawn by [`Init::HeNormal`] (normal, deviation `√(2 / inputs)`) and a bias of zeros.
    ///
    /// # Panics
    /// If the weight is too large, see [`autodiff::Shape::new`].
    pub fn new(inputs: usize, outputs: usize, rng: &mut Rng) -> Self {
        Self {
            weight: Parameter::new(Init::HeNormal.tensor([inputs, outputs], inputs, outputs, rng))
                .transposed(),
            bias: Some(Parameter::new(Tensor::zeros([outputs]))),
        }
    }

    /// The same layer with its weight drawn anew. Fan in and fan out are `inputs` and `outputs`.
    ///
    /// ```
    /// use autodiff::Rng;
    /// use nn::{Affine, Init};
    /// let mut rng = Rng::seed(7);
    /// let layer = Affine::<f32>::new(2, 2, &mut rng).with_init(Init::Zeros, &mut rng);
    /// assert_eq!(layer.weight.to_vec(), [0.0; 4]);
    /// ```
    #[must_use]
    pub fn with_init(mut self, init: Init, rng: &mut Rng) -> Self {
        let shape = self.weight.shape();
        self.weight.set(&init.tensor(shape, shape.dim(0), shape.dim(1), rng));
        self
    }

    /// The same layer without `b`: `Y = X W`. For a layer that a normalisation follows.
    #[must_use]
    pub fn without_bias(mut self) -> Self {
        self.bias = None;
        self
    }
}

impl<T: Float> Layer<T> for Affine<T> {
    /// `X W + b`.
    ///
    /// # Errors
    /// If the last axis of `x` has not as many entries as the layer has inputs.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (shape, inputs) = (x.shape(), self.weight.shape().dim(0));
        if shape.iter().next_back() != Some(inputs) {
            let message = format!("the layer takes [.., {inputs}], and the input is {shape}");
            return Err(Error::new("affine", message));
        }
        match &self.bias {
            Some(bias) => x.affine(&self.weight, bias),
            None => x.matmul(&self.weight),
        }
    }
}
