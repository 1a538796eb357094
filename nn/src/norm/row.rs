//! Normalisation over the last axes.

use super::{affine, epsilon, ones, without_affine, zeros};
use crate::{Layer, Module};
use autodiff::{Float, Parameter, Result, Shape, Tensor};

/// Layer normalisation (Ba, Kiros and Hinton, arXiv:1607.06450) over the last axes:
///
/// ```text
/// y = weight (x - mean) / √(variance + ε) + bias
/// ```
///
/// with mean and variance (`mean((x - mean)²)`) over the axes whose sizes the layer is given. `x` and `y` are `[.., shape]`;
/// weight and bias have the layer's shape, and are ones and zeros at first; `ε` is `1e-5`. Training and evaluation are the
/// same.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Layer, LayerNorm};
/// let norm = LayerNorm::new([2]).epsilon(0.0);
/// let x = Tensor::from_vec([1.0f32, 3.0, 10.0, 30.0], [2, 2])?;
/// assert_eq!(norm.forward(&x)?.to_vec(), [-1.0, 1.0, -1.0, 1.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct LayerNorm<T: Float = f32> {
    /// The factor, of the layer's shape, if there is one.
    pub weight: Option<Parameter<T>>,
    /// The shift, of the layer's shape, if there is one.
    pub bias: Option<Parameter<T>>,
    #[module(skip)]
    shape: Shape,
    epsilon: f64,
}

impl<T: Float> LayerNorm<T> {
    /// A layer over so many last axes of these sizes.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn new(shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        Self { weight: Some(ones(shape)), bias: Some(zeros(shape)), shape, epsilon: 1e-5 }
    }

    /// The same layer without its bias.
    #[must_use]
    pub fn without_bias(mut self) -> Self {
        self.bias = None;
        self
    }

    without_affine!();
    epsilon!();
}

impl<T: Float> Layer<T> for LayerNorm<T> {
    /// The normalised rows.
    ///
    /// # Errors
    /// If the shape of `x` does not end with that of the layer.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (weight, bias) = affine(self.weight.as_ref(), self.bias.as_ref(), self.shape);
        x.layer_norm(&weight, &bias, self.epsilon)
    }
}

/// Normalisation by the root mean square (Zhang and Sennrich, arXiv:1910.07467) over the last axes:
///
/// ```text
/// y = weight x / √(mean(x²) + ε)
/// ```
///
/// with the mean over the axes whose sizes the layer is given. `x` and `y` are `[.., shape]`; the weight has the layer's
/// shape, and is ones at first; `ε` is the machine epsilon of the element type, as in `torch`. Training and evaluation are
/// the same.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Layer, RmsNorm};
/// let norm = RmsNorm::new([2]);
/// let y = norm.forward(&Tensor::from_vec([3.0f64, 4.0], [1, 2])?)?.to_vec();
/// assert!((y[0] - 3.0 / 12.5f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct RmsNorm<T: Float = f32> {
    /// The factor, of the layer's shape, if there is one.
    pub weight: Option<Parameter<T>>,
    #[module(skip)]
    shape: Shape,
    epsilon: f64,
}

impl<T: Float> RmsNorm<T> {
    /// A layer over so many last axes of these sizes.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn new(shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        Self { weight: Some(ones(shape)), shape, epsilon: T::EPSILON.to_f64() }
    }

    /// The same layer without its weight: what is normalised stays so.
    #[must_use]
    pub fn without_affine(mut self) -> Self {
        self.weight = None;
        self
    }

    epsilon!();
}

impl<T: Float> Layer<T> for RmsNorm<T> {
    /// The normalised rows.
    ///
    /// # Errors
    /// If the shape of `x` does not end with that of the layer.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        match &self.weight {
            Some(weight) => x.rms_norm(weight, self.epsilon),
            None => x.rms_norm(&Tensor::ones(self.shape), self.epsilon),
        }
    }
}
