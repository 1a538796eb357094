//! Batch normalisation.

use super::{affine, epsilon, ones, without_affine, zeros};
use crate::{Layer, Module, is_training};
use autodiff::{Counter, Error, Float, Parameter, Result, Running, Shape, Tensor};

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
/// where `m` is the number of elements of a channel; as in `torch`, the running variance is the unbiased one, and the momentum
/// is the share of what is new. They start from 0 and 1. With [`cumulative`](Self::cumulative) they are instead the means over
/// all batches so far. **In evaluation** ([`evaluate`](crate::evaluate)) the running statistics are used instead; a layer
/// [without them](Self::without_running) uses those of the batch in evaluation too.
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
/// let running = |place: &Option<autodiff::Running<f64>>| place.as_ref().unwrap().get().item();
/// assert!((running(&norm.running_mean) - 0.2).abs() < 1e-12); // 0.1 · 2
/// assert!((running(&norm.running_var) - 1.1).abs() < 1e-12); // 0.9 + 0.1 · 1 · 2/1
/// assert!(evaluate(|| norm.forward(&x))?.to_vec()[0] > 0.0); // (1 - 0.2) / √1.1
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct BatchNorm<T: Float = f32> {
    /// The factor, `[channels]`, if there is one; γ in the paper.
    pub weight: Option<Parameter<T>>,
    /// The shift, `[channels]`, if there is one; β in the paper.
    pub bias: Option<Parameter<T>>,
    /// The running mean, `[channels]`, if there are running statistics.
    pub running_mean: Option<Running<T>>,
    /// The running (unbiased) variance, `[channels]`, if there are running statistics.
    pub running_var: Option<Running<T>>,
    /// The number of batches so far, if the running statistics are means over all of them.
    pub num_batches_tracked: Option<Counter>,
    channels: usize,
    momentum: f64,
    epsilon: f64,
}

impl<T: Float> BatchNorm<T> {
    /// A layer for so many channels; momentum 0.1, `ε` `1e-5`.
    ///
    /// # Panics
    /// If there are too many channels, see [`autodiff::Shape::new`].
    pub fn new(channels: usize) -> Self {
        let shape = Shape::from([channels]);
        Self {
            weight: Some(ones(shape)),
            bias: Some(zeros(shape)),
            running_mean: Some(Running::new(Tensor::zeros(shape))),
            running_var: Some(Running::new(Tensor::ones(shape))),
            num_batches_tracked: None,
            channels,
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

    /// The same layer with running statistics that are the means over all batches so far: the share of batch number `k` is
    /// `1 / k`, and the momentum is not used.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{BatchNorm, Layer};
    /// let norm = BatchNorm::<f64>::new(1).cumulative();
    /// for batch in [[0.0, 2.0], [2.0, 4.0]] {
    ///     norm.forward(&Tensor::from_vec(batch, [2, 1])?)?;
    /// }
    /// assert_eq!(norm.running_mean.unwrap().get().item(), 2.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[must_use]
    pub fn cumulative(mut self) -> Self {
        self.num_batches_tracked = Some(Counter::default());
        self
    }

    /// The same layer without running statistics: those of the batch are used in evaluation, too.
    #[must_use]
    pub fn without_running(mut self) -> Self {
        (self.running_mean, self.running_var, self.num_batches_tracked) = (None, None, None);
        self
    }

    without_affine!();
    epsilon!();

    /// Moves the running statistics towards those of a batch with `count` elements a channel.
    fn track(&self, mean: &Tensor<T>, variance: &Tensor<T>, count: usize) {
        let (Some(running_mean), Some(running_var)) = (&self.running_mean, &self.running_var) else { return };
        let share = match &self.num_batches_tracked {
            Some(batches) => ((batches.next() + 1) as f64).recip(),
            None => self.momentum,
        };
        let keep = 1.0 - share;
        let unbiased = share * count as f64 / (count as f64 - 1.0);
        running_mean.update(|old| old * keep + mean * share);
        running_var.update(|old| old * keep + variance * unbiased);
    }
}

impl<T: Float> Layer<T> for BatchNorm<T> {
    /// The normalised batch.
    ///
    /// # Errors
    /// If `x` is not `[n, channels, ..]`, or has a single element a channel where the statistics of the batch are used.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (shape, channels) = (x.shape(), self.channels);
        if shape.rank() < 2 || shape.dim(1) != channels {
            let message = format!("the layer takes [n, {channels}, ..], and the input is {shape}");
            return Err(Error::new("batch_norm", message));
        }
        let (weight, bias) = affine(self.weight.as_ref(), self.bias.as_ref(), Shape::from([channels]));
        let count = shape.iter().product::<usize>() / channels.max(1);
        let running = self.running_mean.as_ref().zip(self.running_var.as_ref());
        if let Some((mean, variance)) = running.filter(|_| !is_training() || count == 0) {
            // The statistics lie along axis 1.
            let mut along = vec![1isize; shape.rank()];
            along[1] = channels as isize;
            let scale = weight.reshape(&along)? / (variance.get().reshape(&along)? + self.epsilon).sqrt();
            let shift = bias.reshape(&along)? - mean.get().reshape(&along)? * &scale;
            return Ok(x * scale + shift);
        }
        if count == 1 {
            let other =
                if running.is_some() { ", or use `nn::evaluate` for the running statistics" } else { "" };
            let message = format!(
                "{shape} has one element a channel, which has no variance: take larger batches{other}"
            );
            return Err(Error::new("batch_norm", message));
        }
        let (y, mean, variance) = x.batch_norm(&weight, &bias, self.epsilon)?;
        if is_training() && count > 0 {
            self.track(&mean, &variance, count);
        }
        Ok(y)
    }
}
