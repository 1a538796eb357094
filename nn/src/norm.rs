//! Normalisation: over the batch, over groups of channels, over rows.

mod batch;
mod group;
mod row;

pub use batch::BatchNorm;
pub use group::{GroupNorm, InstanceNorm};
pub use row::{LayerNorm, RmsNorm};

use autodiff::{Float, Parameter, Shape, Tensor};

/// A factor of ones.
fn ones<T: Float>(shape: Shape) -> Parameter<T> {
    Parameter::new(Tensor::ones(shape))
}

/// A shift of zeros.
fn zeros<T: Float>(shape: Shape) -> Parameter<T> {
    Parameter::new(Tensor::zeros(shape))
}

/// The factor and the shift of a layer that may have none: then those that change nothing.
fn affine<T: Float>(
    weight: Option<&Parameter<T>>,
    bias: Option<&Parameter<T>>,
    shape: Shape,
) -> (Tensor<T>, Tensor<T>) {
    (
        weight.map_or_else(|| Tensor::ones(shape), |weight| (**weight).clone()),
        bias.map_or_else(|| Tensor::zeros(shape), |bias| (**bias).clone()),
    )
}

/// Writes the setting of `ε`.
macro_rules! epsilon {
    () => {
        /// The same layer with another `ε`.
        ///
        /// # Panics
        /// If it is negative or NaN.
        #[must_use]
        #[track_caller]
        pub fn epsilon(mut self, epsilon: f64) -> Self {
            assert!(epsilon >= 0.0, "an epsilon of {epsilon}: it must not be negative");
            self.epsilon = epsilon;
            self
        }
    };
}

/// Writes the setting that takes factor and shift away.
macro_rules! without_affine {
    () => {
        /// The same layer without weight and bias: what is normalised stays so.
        #[must_use]
        pub fn without_affine(mut self) -> Self {
            (self.weight, self.bias) = (None, None);
            self
        }
    };
}

use {epsilon, without_affine};
