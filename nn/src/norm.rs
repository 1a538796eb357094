//! Batch normalisation.

use crate::{Layer, Module, is_training};
use autodiff::{Error, Float, Parameter, Result, Running, Tensor};

/// Batch normalisation (Ioffe and Szegedy, arXiv:1502.03167) of each channel, over all axes but axis 1:
///
/// ```text
/// y = weight (x - mean) / √(variance + ε) + bias
/// ```
///
/// `x` and `y` are `[n, channels]` or `[n, channels, ..]`; weight and bias are `[channels]`, ones and zeros at first;
/// `ε` is `1e-5`.
///
/// **In training** mean and variance (`mean((x - mean)²)`) are those of the batch, the gradient goes through them, and
/// the running statistics move towards them with momentum 0.1:
///
/// ```text
/// running mean     ← 0.9 running mean     + 0.1 mean
/// running variance ← 0.9 running variance + 0.1 variance · m / (m - 1)
/// ```
///
/// where `m` is the number of elements of a channel; as in `torch`, the running variance is the unbiased one. They start
/// from 0 and 1. **In evaluation** ([`evaluate`](crate::evaluate)) the running statistics are used instead.
///
/// A batch of one image is normalised over its own pixels. A batch with a single element a channel has no variance: in
/// training that is an error, as in `torch`. An empty batch passes, and moves nothing.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{BatchNorm, Layer, evaluate};
/// let norm = BatchNorm::new(1);
/// let x = Tensor::from_vec([1.0, 3.0], [2, 1])?;
/// let y: Tensor<f64> = norm.forward(&x)?;
/// assert!((y.to_vec()[1] - 1.0).abs() < 1e-5);
/// assert!((norm.running_mean.get().item() - 0.2).abs() < 1e-12); // 0.1 · 2
/// assert!((norm.running_var.get().item() - 1.1).abs() < 1e-12); // 0.9 + 0.1 · 1 · 2/1
/// assert!(evaluate(|| norm.forward(&x))?.to_vec()[0] > 0.0); // (1 - 0.2) / √1.1
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct BatchNorm<T: Float = f32> {
    /// The factor, `[channels]`; γ in the paper.
    pub weight: Parameter<T>,
    /// The shift, `[channels]`; β in the paper.
    pub bias: Parameter<T>,
    /// The running mean, `[channels]`.
    pub running_mean: Running<T>,
    /// The running (unbiased) variance, `[channels]`.
    pub running_var: Running<T>,
    momentum: f64,
    epsilon: f64,
}

impl<T: Float> BatchNorm<T> {
    /// A layer for so many channels; momentum 0.1, `ε` `1e-5`.
    ///
    /// # Panics
    /// If there are too many channels, see [`autodiff::Shape::new`].
    pub fn new(channels: usize) -> Self {
        Self {
            weight: Parameter::new(Tensor::ones([channels])),
            bias: Parameter::new(Tensor::zeros([channels])),
            running_mean: Running::new(Tensor::zeros([channels])),
            running_var: Running::new(Tensor::ones([channels])),
            momentum: 0.1,
            epsilon: 1e-5,
        }
    }

    /// The same layer with another momentum: the share of a batch in the running statistics.
    ///
    /// # Panics
    /// If it is not from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn momentum(mut self, momentum: f64) -> Self {
        assert!((0.0..=1.0).contains(&momentum), "a momentum of {momentum}: it must be from 0 to 1");
        self.momentum = momentum;
        self
    }

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

    /// Moves the running statistics towards those of a batch with `count` elements a channel.
    fn track(&self, mean: &Tensor<T>, variance: &Tensor<T>, count: usize) {
        let (keep, share) = (1.0 - self.momentum, self.momentum);
        let unbiased = share * count as f64 / (count as f64 - 1.0);
        self.running_mean.update(|old| old * keep + mean * share);
        self.running_var.update(|old| old * keep + variance * unbiased);
    }
}

impl<T: Float> Layer<T> for BatchNorm<T> {
    /// The normalised batch.
    ///
    /// # Errors
    /// If `x` is not `[n, channels, ..]`, or has a single element a channel in training.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (shape, channels) = (x.shape(), self.weight.size());
        if shape.rank() < 2 || shape.dim(1) != channels {
            let message = format!("the layer takes [n, {channels}, ..], and the input is {shape}");
            return Err(Error::new("batch_norm", message));
        }
        let count = shape.iter().product::<usize>() / channels.max(1);
        if !is_training() || count == 0 {
            // The statistics lie along axis 1.
            let mut along = vec![1isize; shape.rank()];
            along[1] = channels as isize;
            let mean = self.running_mean.get().reshape(&along)?;
            let variance = self.running_var.get().reshape(&along)?;
            let scale = self.weight.reshape(&along)? / (variance + self.epsilon).sqrt();
            let shift = self.bias.reshape(&along)? - mean * &scale;
            return Ok(x * scale + shift);
        }
        if count == 1 {
            let message = format!(
                "{shape} has one element a channel, which has no variance: \
                 train on larger batches, or use `nn::evaluate` for the running statistics"
            );
            return Err(Error::new("batch_norm", message));
        }
        let (y, mean, variance) = x.batch_norm(&self.weight, &self.bias, self.epsilon)?;
        self.track(&mean, &variance, count);
        Ok(y)
    }
}
