//! Softmax and the cross-entropy of a classification, in their stable forms.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::sync::Arc;

/// `yᵢ = e^xᵢ / Σⱼ e^xⱼ` along an axis.
struct Softmax {
    axis: usize,
}

impl<T: Float> Op<T> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].softmax(self.axis))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        SoftmaxGrad { axis: self.axis }.apply(&[&grad, &at.output()])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::OUTPUT
    }
}

/// `y (g - Σ g y)` along an axis, of `g` and `y`: the gradient of [`Softmax`], whose result is `y`.
struct SoftmaxGrad {
    axis: usize,
}

impl<T: Float> Op<T> for SoftmaxGrad {
    fn name(&self) -> &'static str {
        "softmax_grad"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        Ok(inputs[0].softmax_grad(inputs[1], self.axis))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let y = at.input(1);
        if index == 0 {
            return SoftmaxGrad { axis: self.axis }.apply(&[&grad, &y]);
        }
        // u (g - Σ g y) - g Σ u y
        let g = at.input(0);
        let axis = self.axis as isize;
        let (own, other) = ((&g * &y).sum_keep(axis)?, (&grad * y).sum_keep(axis)?);
        Ok(grad * (&g - own) - g * other)
    }
    fn reads(&self, index: usize) -> Reads {
        if index == 0 { Reads::input(1) } else { Reads::input(0) | Reads::input(1) }
    }
}

/// `yᵢ = xᵢ - ln Σⱼ e^xⱼ` along an axis.
struct LogSoftmax {
    axis: usize,
}

impl<T: Float> Op<T> for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].log_softmax(self.axis))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        LogSoftmaxGrad { axis: self.axis }.apply(&[&grad, &at.output()])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::OUTPUT
    }
}

/// `g - eʸ Σ g` along an axis, of `g` and `y`: the gradient of [`LogSoftmax`], whose result is `y`.
struct LogSoftmaxGrad {
    axis: usize,
}

impl<T: Float> Op<T> for LogSoftmaxGrad {
    fn name(&self) -> &'static str {
        "log_softmax_grad"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        Ok(inputs[0].log_softmax_grad(inputs[1], self.axis))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let weighted = &grad * at.input(1).exp();
        if index == 0 {
            return Ok(grad - weighted.sum_keep(self.axis as isize)?);
        }
        Ok(-weighted * at.input(0).sum_keep(self.axis as isize)?)
    }
    fn reads(&self, index: usize) -> Reads {
        if index == 0 { Reads::input(1) } else { Reads::input(0) | Reads::input(1) }
    }
}

/// `mean over rows of ln Σⱼ e^xⱼ - x_label`, for logits of shape `[rows, classes]`.
struct CrossEntropy<T> {
    labels: Arc<[usize]>,
    /// Of each row, after the forward pass, the largest logit and `ln Σ e^(x - largest)`.
    rows: Arc<[[T; 2]]>,
}

impl<T: Float> Op<T> for CrossEntropy<T> {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        check_labels(&self.labels, x[0].shape().dim(1))?;
        let (total, rows) = x[0].surprisal(&self.labels);
        self.rows = rows;
        Ok(Array::full(total / T::from_f64(self.labels.len() as f64), Shape::SCALAR))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let (labels, rows) = (self.labels.clone(), self.rows.clone());
        CrossEntropyGrad { labels, rows }.apply(&[&grad, &at.input(0)])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::input(0)
    }
}

/// `g (softmax(x) - one_hot) / rows`, of `g` (a single number) and the logits `x`: the gradient of [`CrossEntropy`].
struct CrossEntropyGrad<T> {
    labels: Arc<[usize]>,
    rows: Arc<[[T; 2]]>,
}

impl<T: Float> Op<T> for CrossEntropyGrad<T> {
    fn name(&self) -> &'static str {
        "cross_entropy_grad"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let factor = inputs[0].item() / T::from_f64(self.labels.len() as f64);
        Ok(inputs[1].surprisal_grad(&self.labels, &self.rows, factor))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let rows = self.labels.len() as f64;
        let p = at.input(1).softmax(-1)?;
        if index == 0 {
            let classes = at.shape(1).dim(1);
            let residual = p - Tensor::one_hot(&self.labels, classes)?;
            return Ok((grad * residual).sum() / rows);
        }
        // g/rows times the Jacobian of softmax: p (u - Σ u p)
        let weighted = grad * &p;
        let total = weighted.sum_keep(-1)?;
        Ok((weighted - p * total) * at.input(0) / rows)
    }
}

/// Reports the first label that is not below `classes`.
pub(crate) fn check_labels(labels: &[usize], classes: usize) -> Result<()> {
    match labels.iter().position(|&label| label >= classes) {
        None => Ok(()),
        Some(position) => Err(ErrorKind::Label { label: labels[position], position, classes }.into()),
    }
}

impl<T: Float> Tensor<T> {
    /// `yᵢ = e^xᵢ / Σⱼ e^xⱼ` along one axis; shifted by the largest element, so that nothing overflows.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::from_vec([1000.0, 1000.0], [2])?.softmax(0)?.to_vec(), [0.5, 0.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Result<Self> {
        let axis = self.shape().axis(axis).of_op("softmax")?;
        Softmax { axis }.apply(&[self])
    }

    /// `yᵢ = e^-xᵢ / Σⱼ e^-xⱼ` along one axis: the [`softmax`](Self::softmax) of `-x`.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::from_vec([1000.0, 1000.0], [2])?.softmin(0)?.to_vec(), [0.5, 0.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn softmin(&self, axis: isize) -> Result<Self> {
        (-self).softmax(axis).of_op("softmin")
    }

    /// `yᵢ = xᵢ - ln Σⱼ e^xⱼ` along one axis: the logarithm of [`softmax`](Self::softmax), without its underflow.
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Result<Self> {
        let axis = self.shape().axis(axis).of_op("log_softmax")?;
        LogSoftmax { axis }.apply(&[self])
    }

    /// The mean cross-entropy `-ln softmax(x)[label]` of logits `[.., classes]` against one label for each row.
    ///
    /// Computed from the logits in one step; its gradient is `(softmax(x) - one_hot) / rows`.
    ///
    /// # Errors
    /// If the logits have rank 0, the labels are not as many as the rows, or a label is not below the number of classes.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let logits = Tensor::from_vec([0.0, 0.0, 0.0, 0.0], [1, 4])?;
    /// assert_eq!(logits.cross_entropy(&[2])?.item(), 4.0f64.ln());
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn cross_entropy(&self, labels: &[usize]) -> Result<Self> {
        let shape = self.shape();
        let classes = shape.axis(-1).map(|last| shape.dim(last)).of_op("cross_entropy")?;
        let rows = shape.iter().take(shape.rank() - 1).product::<usize>();
        if labels.len() != rows {
            let message = format!("{} labels for the {rows} rows of {shape}", labels.len());
            return Err(ErrorKind::Message(message).of("cross_entropy"));
        }
        let logits = self.reshaped(Shape::of([rows, classes]))?;
        CrossEntropy { labels: labels.into(), rows: [].into() }.apply(&[&logits])
    }

    /// The mean cross-entropy `-Σ pᵢ ln softmax(x)ᵢ` of logits `[.., classes]` against a distribution `p` for each row
    /// (one-hot rows included). Differentiable in both.
    ///
    /// # Errors
    /// If the shapes differ or the rank is 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let logits = Tensor::from_vec([0.3f64, -1.0, 2.0], [1, 3])?;
    /// let soft = logits.soft_cross_entropy(&Tensor::one_hot(&[2], 3)?)?;
    /// assert!((soft.item() - logits.cross_entropy(&[2])?.item()).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn soft_cross_entropy(&self, targets: &Self) -> Result<Self> {
        let (left, right) = (self.shape(), targets.shape());
        if left != right {
            let what = "logits and target distributions must have one shape";
            return Err(ErrorKind::Mismatch { what, left, right }.of("soft_cross_entropy"));
        }
        let logarithms = self.log_softmax(-1).of_op("soft_cross_entropy")?;
        Ok(-(targets * logarithms).sum_axes(-1)?.mean())
    }
}
