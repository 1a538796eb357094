//! What a model is judged by: numbers without a gradient.

use autodiff::{Error, ErrorKind, Float, Result, Tensor};

/// The number of rows of `logits`, `[.., classes]`, whose first largest element is at the row's label. NaN counts as the
/// largest.
///
/// # Errors
/// If the labels are not as many as the rows, a label is not below the number of classes, there are no classes, or the
/// logits have rank 0.
///
/// ```
/// use autodiff::Tensor;
/// let logits = Tensor::from_vec([0.1f32, 0.9, 0.8, 0.2], [2, 2])?;
/// assert_eq!(nn::metrics::correct(&logits, &[1, 1])?, 1);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn correct<T: Float>(logits: &Tensor<T>, labels: &[usize]) -> Result<usize> {
    count(logits, labels, "correct")
}

/// The share of rows of `logits` that are [`correct`]; NaN if there are no rows.
///
/// # Errors
/// As [`correct`].
///
/// ```
/// use autodiff::Tensor;
/// let logits = Tensor::from_vec([0.1f32, 0.9, 0.8, 0.2], [2, 2])?;
/// assert_eq!(nn::metrics::accuracy(&logits, &[1, 1])?, 0.5);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn accuracy<T: Float>(logits: &Tensor<T>, labels: &[usize]) -> Result<f64> {
    Ok(count(logits, labels, "accuracy")? as f64 / labels.len() as f64)
}

#[track_caller]
fn count<T: Float>(logits: &Tensor<T>, labels: &[usize], op: &'static str) -> Result<usize> {
    let shape = logits.shape();
    let Some(classes) = shape.iter().next_back() else {
        return Err(Error::new(op, "the logits are a single number: they must be [.., classes]"));
    };
    let rows = shape.iter().rev().skip(1).product::<usize>();
    if labels.len() != rows {
        return Err(Error::new(op, format!("{} labels for the {rows} rows of {shape}", labels.len())));
    }
    if let Some(position) = labels.iter().position(|&label| label >= classes) {
        return Err(ErrorKind::Label { label: labels[position], position, classes }.of(op));
    }
    let predicted = logits.arg_max(-1)?.to_vec();
    Ok(predicted.iter().zip(labels).filter(|(predicted, label)| predicted == label).count())
}
