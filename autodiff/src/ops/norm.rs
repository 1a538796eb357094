//! Normalisation: by mean and variance, of the channels of a batch, of groups of them, or of each row; by the root mean
//! square; to length one.

use crate::array::{Array, Moments, NormalizeGrad, Over};
use crate::error::{Error, ErrorKind, OfOp, Result, Site};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tape;
use crate::tensor::Tensor;

/// `weight (x - mean) / √(variance + ε) + bias`, of `x`, the weights and the biases, which broadcast to `x`.
struct Normalize<T> {
    over: Over,
    epsilon: f64,
    /// Those of the forward pass. They depend on the input: only a gradient that is not differentiated again uses them.
    moments: Option<Moments<T>>,
}

impl<T: Float> Normalize<T> {
    /// The gradients of several inputs, from one pass for the sums and one for the array.
    fn pull(&self, indices: &[usize], grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Vec<Tensor<T>>> {
        // The bias alone needs no value at all.
        if indices == [2] {
            return Ok(vec![grad.clone()]);
        }
        let (x, array) = (at.input(0), indices.contains(&0));
        let weight = if array { at.input(1) } else { Tensor::ones(at.shape(1)) };
        if grad.is_tracked() || x.is_tracked() || weight.is_tracked() {
            return self.pull_recorded(indices, grad, &x, &weight);
        }
        let moments = self.moments.as_ref().expect("the forward pass has run");
        let found = x.array.normalized_grad(self.over, moments, &weight.array, &grad.array, array);
        let NormalizeGrad { x, weight, bias } = found;
        let of_weight = |numbers: &[T], index: usize| Tensor::from_vec(numbers, at.shape(index));
        indices
            .iter()
            .map(|&index| match index {
                0 => Ok(x.clone().expect("it was wanted").into()),
                1 => of_weight(&weight, 1),
                _ => of_weight(&bias, 2),
            })
            .collect()
    }

    /// The same in differentiable operations: with `u = grad · weight` and `z` the normalised input,
    /// `(u - mean(u) - z mean(u z)) / √(variance + ε)` for the input, `grad z` for the weights, `grad` for the biases.
    fn pull_recorded(
        &self,
        indices: &[usize],
        grad: &Tensor<T>,
        x: &Tensor<T>,
        weight: &Tensor<T>,
    ) -> Result<Vec<Tensor<T>>> {
        let axes = self.over.axes(x.shape());
        let centred = x - x.mean_keep(&axes[..])?;
        let inverse = (centred.square().mean_keep(&axes[..])? + self.epsilon).sqrt().recip();
        let z = centred * &inverse;
        indices
            .iter()
            .map(|&index| match index {
                0 => {
                    let u = grad * weight;
                    let (mean, product) = (u.mean_keep(&axes[..])?, (&u * &z).mean_keep(&axes[..])?);
                    Ok((u - mean - &z * product) * &inverse)
                }
                1 => Ok(grad * &z),
                _ => Ok(grad.clone()),
            })
            .collect()
    }
}

impl Over {
    /// The axes along which is normalised.
    fn axes(self, shape: Shape) -> Vec<isize> {
        let rank = shape.rank() as isize;
        match self {
            Self::Channels => (0..rank).filter(|&axis| axis != 1).collect(),
            Self::Rows { axes } => (rank - axes as isize..rank).collect(),
            Self::Groups => vec![2, 3],
        }
    }
}

impl<T: Float> Op<T> for Normalize<T> {
    fn name(&self) -> &'static str {
        match self.over {
            Over::Channels => "batch_norm",
            Over::Rows { .. } => "layer_norm",
            Over::Groups => "group_norm",
        }
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let (output, moments) = inputs[0].normalize(self.over, self.epsilon, inputs[1], inputs[2]);
        self.moments = Some(moments);
        Ok(output)
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(self.pull(&[index], &grad, at)?.remove(0))
    }
    fn vjps(&self, indices: &[usize], grad: &Tensor<T>, at: &Point<'_, T>) -> Option<Result<Vec<Tensor<T>>>> {
        Some(self.pull(indices, grad, at))
    }
    fn reads(&self, index: usize) -> Reads {
        match index {
            0 => Reads::input(0) | Reads::input(1),
            1 => Reads::input(0),
            _ => Reads::NONE,
        }
    }
}

/// Checks that weight and bias have one element a channel.
fn check_channels<T: Float>(shape: Shape, parameters: [&Tensor<T>; 2]) -> Result<()> {
    for x in parameters {
        if shape.rank() < 2 || x.shape() != [shape.dim(1)] {
            let what = "weight and bias must have one element a channel, which is axis 1";
            return Err(ErrorKind::Mismatch { what, left: shape, right: x.shape() }.into());
        }
    }
    Ok(())
}

/// Whether the last axes of a shape are those of another.
fn ends_with(shape: Shape, end: Shape) -> bool {
    shape.rank().checked_sub(end.rank()).is_some_and(|missing| shape.iter().skip(missing).eq(end.iter()))
}

impl<T: Float> Tensor<T> {
    /// Batch normalisation (Ioffe and Szegedy, arXiv:1502.03167) of `[n, channels, ..]`:
    /// `weight (x - mean) / √(variance + ε) + bias`, with mean and variance (`mean((x - mean)²)`) of each channel over all
    /// other axes; weight and bias are `[channels]`.
    ///
    /// Returns the result, and mean and variance, `[channels]`, as constants. Without elements they are NaN.
    ///
    /// # Errors
    /// If the rank is below 2, or weight or bias are not `[channels]`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 10.0, 3.0, 30.0], [2, 2])?;
    /// let (y, mean, variance) = x.batch_norm(&Tensor::ones([2]), &Tensor::zeros([2]), 0.0)?;
    /// assert_eq!(y.to_vec(), [-1.0, -1.0, 1.0, 1.0]);
    /// assert_eq!((mean.to_vec(), variance.to_vec()), (vec![2.0, 20.0], vec![1.0, 100.0]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn batch_norm(&self, weight: &Self, bias: &Self, epsilon: f64) -> Result<(Self, Self, Self)> {
        let shape = self.shape();
        check_channels(shape, [weight, bias]).of_op("batch_norm")?;
        // Channels lie along axis 1 of the input, and in front of its other axes.
        let along =
            Shape::of(shape.iter().enumerate().skip(1).map(|(axis, dim)| if axis == 1 { dim } else { 1 }));
        let (weight, bias) = (weight.reshaped(along)?, bias.reshaped(along)?);
        let (y, moments) = self.standardize(Over::Channels, &weight, &bias, epsilon)?;
        let constant = |numbers: Vec<T>| Self::from_vec(numbers, [shape.dim(1)]);
        Ok((y, constant(moments.mean)?, constant(moments.variance)?))
    }

    /// Layer normalisation (Ba, Kiros and Hinton, arXiv:1607.06450): `weight (x - mean) / √(variance + ε) + bias`, with mean
    /// and variance (`mean((x - mean)²)`) over the last axes, those that weight and bias have.
    ///
    /// # Errors
    /// If weight and bias differ in shape, or the input's does not end with theirs.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 3.0, 10.0, 30.0], [2, 2])?;
    /// let y = x.layer_norm(&Tensor::ones([2]), &Tensor::zeros([2]), 0.0)?;
    /// assert_eq!(y.to_vec(), [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn layer_norm(&self, weight: &Self, bias: &Self, epsilon: f64) -> Result<Self> {
        let own = weight.shape();
        for x in [weight, bias] {
            if x.shape() != own || !ends_with(self.shape(), own) {
                let what = "weight and bias must have the shape that the input's ends with";
                return Err(
                    ErrorKind::Mismatch { what, left: self.shape(), right: x.shape() }.of("layer_norm")
                );
            }
        }
        let over = Over::Rows { axes: own.rank() };
        Ok(self.standardize(over, weight, bias, epsilon)?.0)
    }

    /// Group normalisation (Wu and He, arXiv:1803.08494) of `[n, channels, ..]`: `weight (x - mean) / √(variance + ε) + bias`,
    /// with mean and variance (`mean((x - mean)²)`) of each image over each of `groups` groups of neighbouring channels; weight
    /// and bias are `[channels]`.
    ///
    /// # Errors
    /// If the rank is below 2, the channels cannot be divided into the groups, or weight or bias are not `[channels]`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 3.0, 10.0, 30.0], [1, 4])?;
    /// let y = x.group_norm(2, &Tensor::ones([4]), &Tensor::zeros([4]), 0.0)?;
    /// assert_eq!(y.to_vec(), [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn group_norm(&self, groups: usize, weight: &Self, bias: &Self, epsilon: f64) -> Result<Self> {
        let shape = self.shape();
        check_channels(shape, [weight, bias]).of_op("group_norm")?;
        let channels = shape.dim(1);
        if groups == 0 || !channels.is_multiple_of(groups) {
            let message =
                format!("the {channels} channels of {shape} cannot be divided into {groups} groups");
            return Err(Error::new("group_norm", message));
        }
        let (n, own, pixels) = (shape.dim(0), channels / groups, shape.iter().skip(2).product());
        if pixels == 1 {
            // Channels of one number would be loops of one step: here weights and biases lie along the numbers of a group.
            let along = |x: &Self| x.reshaped(Shape::of([groups, own]));
            let rows = self.reshaped(Shape::of([n, groups, own]))?;
            let plain = [Self::ones([own]), Self::zeros([own])];
            let z = rows.standardize(Over::Rows { axes: 1 }, &plain[0], &plain[1], epsilon)?.0;
            return (z * along(weight)? + along(bias)?).reshaped(shape);
        }
        let along = |x: &Self| x.reshaped(Shape::of([groups, own, 1]));
        let images = self.reshaped(Shape::of([n, groups, own, pixels]))?;
        images.standardize(Over::Groups, &along(weight)?, &along(bias)?, epsilon)?.0.reshaped(shape)
    }

    /// Instance normalisation (Ulyanov, Vedaldi and Lempitsky, arXiv:1607.08022) of `[n, channels, ..]`:
    /// `weight (x - mean) / √(variance + ε) + bias`, with mean and variance (`mean((x - mean)²)`) of each channel of each
    /// image; weight and bias are `[channels]`.
    ///
    /// # Errors
    /// If the rank is below 3, or weight or bias are not `[channels]`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 3.0, 10.0, 30.0], [2, 1, 2])?;
    /// let y = x.instance_norm(&Tensor::ones([1]), &Tensor::zeros([1]), 0.0)?;
    /// assert_eq!(y.to_vec(), [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn instance_norm(&self, weight: &Self, bias: &Self, epsilon: f64) -> Result<Self> {
        let shape = self.shape();
        check_channels(shape, [weight, bias]).of_op("instance_norm")?;
        if shape.rank() < 3 {
            let message =
                format!("{shape} has no axes after images and channels, so that nothing would be left");
            return Err(Error::new("instance_norm", message));
        }
        // Groups of one channel. Without channels there is nothing to divide.
        self.group_norm(shape.dim(1).max(1), weight, bias, epsilon).of_op("instance_norm")
    }

    /// Normalisation by the root mean square (Zhang and Sennrich, arXiv:1910.07467): `weight x / √(mean(x²) + ε)`, with the
    /// mean over the last axes, those that the weight has.
    ///
    /// # Errors
    /// If the input's shape does not end with the weight's.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([3.0, 4.0], [2])?;
    /// let y = x.rms_norm(&Tensor::full(12.5f64.sqrt(), [2]), 0.0)?;
    /// assert_eq!(y.to_vec(), [3.0, 4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn rms_norm(&self, weight: &Self, epsilon: f64) -> Result<Self> {
        let (shape, own) = (self.shape(), weight.shape());
        if !ends_with(shape, own) {
            let what = "the weight must have the shape that the input's ends with";
            return Err(ErrorKind::Mismatch { what, left: shape, right: own }.of("rms_norm"));
        }
        let axes = Over::Rows { axes: own.rank() }.axes(shape);
        let inverse = (self.square().mean_keep(&axes[..])? + epsilon).rsqrt();
        Ok(self * inverse * weight)
    }

    /// `x / max(|x|ₚ, ε)` along an axis, with the norm `|x|ₚ = (Σ |x|ᵖ)^(1/p)`, see [`norm`](Self::norm).
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([3.0, 4.0, 0.0, 0.0], [2, 2])?;
    /// assert_eq!(x.normalize(2.0, 1, 1e-12)?.to_vec(), [0.6, 0.8, 0.0, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn normalize(&self, p: f64, axis: isize, epsilon: f64) -> Result<Self> {
        let length = self.norm_keep(p, axis).of_op("normalize")?;
        Ok(self / length.maximum(&Self::scalar(T::from_f64(epsilon)))?)
    }

    /// Runs the op and writes it on the tape; returns its moments as well.
    #[track_caller]
    fn standardize(
        &self,
        over: Over,
        weight: &Self,
        bias: &Self,
        epsilon: f64,
    ) -> Result<(Self, Moments<T>)> {
        let mut op = Normalize { over, epsilon, moments: None };
        let output = op.forward(&[&self.array, &weight.array, &bias.array])?;
        let moments = op.moments.clone().expect("the forward pass has run");
        Ok((tape::write(op, &[self, weight, bias], output, Site::caller()), moments))
    }
}
