//! Losses: one number to be made small.

use autodiff::{ErrorKind, Float, Result, Tensor};

/// The mean squared error `1/n Σᵢ (predictionᵢ - targetᵢ)²` over all `n` elements, a single number.
///
/// Text books often write `1/2 Σ (y - t)²` for one example: a sum instead of a mean, with a half that cancels the 2 of
/// the derivative. For a batch of `b` examples with `k` outputs each, that loss averaged over the examples is `k/2` times
/// this one, and so are its gradients.
///
/// # Errors
/// If the shapes differ. They are not broadcast: `[n, 1]` against `[n]` would compare everything with everything.
///
/// ```
/// use autodiff::Tensor;
/// let y = Tensor::from_vec([1.0f32, 5.0], [2])?;
/// let t = Tensor::from_vec([1.0, 3.0], [2])?;
/// assert_eq!(nn::loss::mean_squared_error(&y, &t)?.item(), 2.0);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn mean_squared_error<T: Float>(prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
    let (left, right) = (prediction.shape(), target.shape());
    if left != right {
        let what = "prediction and target must have one shape";
        return Err(ErrorKind::Mismatch { what, left, right }.of("mean_squared_error"));
    }
    Ok((prediction - target).square().mean())
}

/// The cross-entropy `1/rows Σ -ln softmax(logits)[label]` of logits `[.., classes]` against a label for each row, a
/// single number: [`Tensor::cross_entropy`].
///
/// # Errors
/// If the logits have rank 0, the labels are not as many as the rows, or a label is not below the number of classes.
///
/// ```
/// use autodiff::Tensor;
/// let logits = Tensor::from_vec([0.0f64, 0.0, 100.0, 0.0], [2, 2])?;
/// let loss = nn::loss::cross_entropy(&logits, &[1, 0])?;
/// assert!((loss.item() - 2.0f64.ln() / 2.0).abs() < 1e-12);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn cross_entropy<T: Float>(logits: &Tensor<T>, labels: &[usize]) -> Result<Tensor<T>> {
    logits.cross_entropy(labels)
}

/// The cross-entropy `1/rows Σ -Σᵢ targetᵢ ln softmax(logits)ᵢ` of logits `[.., classes]` against a distribution for
/// each row, of the same shape; a single number: [`Tensor::soft_cross_entropy`]. With one-hot rows it is
/// [`cross_entropy`].
///
/// # Errors
/// If the shapes differ or the rank is 0.
///
/// ```
/// use autodiff::Tensor;
/// let logits = Tensor::from_vec([0.0f64, 0.0], [1, 2])?;
/// let even = Tensor::from_vec([0.5, 0.5], [1, 2])?;
/// assert!((nn::loss::soft_cross_entropy(&logits, &even)?.item() - 2.0f64.ln()).abs() < 1e-12);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn soft_cross_entropy<T: Float>(logits: &Tensor<T>, targets: &Tensor<T>) -> Result<Tensor<T>> {
    logits.soft_cross_entropy(targets)
}
