//! Normalisation of each image by itself.

use super::{affine, epsilon, ones, without_affine, zeros};
use crate::{Layer, Module};
use autodiff::{Error, Float, Parameter, Result, Shape, Tensor};

/// Group normalisation (Wu and He, arXiv:1803.08494): each image over each group of neighbouring channels and all axes of
/// space,
///
/// ```text
/// y = weight (x - mean) / √(variance + ε) + bias
/// ```
///
/// with mean and variance (`mean((x - mean)²)`) of the group. `x` and `y` are `[n, channels]` or `[n, channels, ..]`; weight
/// and bias are `[channels]`, ones and zeros at first; `ε` is `1e-5`. Training and evaluation are the same, and a batch of one
/// is as good as any.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{GroupNorm, Layer};
/// let norm = GroupNorm::new(2, 4).epsilon(0.0);
/// let x = Tensor::from_vec([1.0f32, 3.0, 10.0, 30.0], [1, 4])?;
/// assert_eq!(norm.forward(&x)?.to_vec(), [-1.0, 1.0, -1.0, 1.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct GroupNorm<T: Float = f32> {
    /// The factor, `[channels]`, if there is one.
    pub weight: Option<Parameter<T>>,
    /// The shift, `[channels]`, if there is one.
    pub bias: Option<Parameter<T>>,
    groups: usize,
    channels: usize,
    epsilon: f64,
}

impl<T: Float> GroupNorm<T> {
    /// A layer for so many channels in so many groups.
    ///
    /// # Panics
    /// If the groups do not divide the channels, or there are too many, see [`Shape::new`].
    #[track_caller]
    pub fn new(groups: usize, channels: usize) -> Self {
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "{channels} channels cannot be split into {groups} groups"
        );
        let shape = Shape::from([channels]);
        Self { weight: Some(ones(shape)), bias: Some(zeros(shape)), groups, channels, epsilon: 1e-5 }
    }

    without_affine!();
    epsilon!();
}

impl<T: Float> Layer<T> for GroupNorm<T> {
    /// The normalised images.
    ///
    /// # Errors
    /// If `x` is not `[n, channels, ..]`.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (weight, bias) = affine(self.weight.as_ref(), self.bias.as_ref(), Shape::from([self.channels]));
        x.group_norm(self.groups, &weight, &bias, self.epsilon)
    }
}

/// Instance normalisation (Ulyanov, Vedaldi and Lempitsky, arXiv:1607.08022): each channel of each image over all axes of
/// space,
///
/// ```text
/// y = (x - mean) / √(variance + ε)
/// ```
///
/// with mean and variance (`mean((x - mean)²)`) of the channel, and, after [`with_affine`](Self::with_affine), times a weight
/// plus a bias for each channel. `x` and `y` are `[n, channels, ..]`; `ε` is `1e-5`. There are no
/// running statistics: training and evaluation are the same, but for the error that training makes of a channel with a single
/// element.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{InstanceNorm, Layer};
/// let norm = InstanceNorm::new(1).epsilon(0.0);
/// let x = Tensor::from_vec([1.0f32, 3.0, 10.0, 30.0], [2, 1, 2])?;
/// assert_eq!(norm.forward(&x)?.to_vec(), [-1.0, 1.0, -1.0, 1.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct InstanceNorm<T: Float = f32> {
    /// The factor, `[channels]`, if there is one.
    pub weight: Option<Parameter<T>>,
    /// The shift, `[channels]`, if there is one.
    pub bias: Option<Parameter<T>>,
    channels: usize,
    epsilon: f64,
}

impl<T: Float> InstanceNorm<T> {
    /// A layer for so many channels, without weight and bias.
    pub fn new(channels: usize) -> Self {
        Self { weight: None, bias: None, channels, epsilon: 1e-5 }
    }

    /// The same layer with a weight of ones and a bias of zeros.
    ///
    /// # Panics
    /// If there are too many channels, see [`Shape::new`].
    ///
    /// ```
    /// use nn::{InstanceNorm, Module};
    /// assert_eq!(InstanceNorm::<f32>::new(3).with_affine().parameter_count(), 6);
    /// ```
    #[must_use]
    pub fn with_affine(mut self) -> Self {
        let shape = Shape::from([self.channels]);
        (self.weight, self.bias) = (Some(ones(shape)), Some(zeros(shape)));
        self
    }

    epsilon!();
}

impl<T: Float> Layer<T> for InstanceNorm<T> {
    /// The normalised images.
    ///
    /// # Errors
    /// If `x` is not `[n, channels, ..]` with an axis of space, or a channel of an image has a single element in training,
    /// which has no variance.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let (weight, bias) = affine(self.weight.as_ref(), self.bias.as_ref(), Shape::from([self.channels]));
        let shape = x.shape();
        if shape.rank() > 2 && shape.iter().skip(2).product::<usize>() == 1 && crate::is_training() {
            let message = format!("{shape} has one element a channel of an image, which has no variance");
            return Err(Error::new("instance_norm", message));
        }
        x.instance_norm(&weight, &bias, self.epsilon)
    }
}
