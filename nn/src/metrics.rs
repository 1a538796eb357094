//! What a model is judged by: numbers without a gradient.
//!
//! | | |
//! |---|---|
//! | [`accuracy`], [`correct`], [`top_k_accuracy`] | the share, or number, of rows that are right |
//! | [`Confusion`] | which class is taken for which; [`Scores`]: precision, recall and F1 of a class and of all |
//! | [`Mean`] | the mean of a number over batches, weighted by their sizes |

mod confusion;
mod mean;

pub use confusion::{Confusion, Scores};
pub use mean::Mean;

use autodiff::{Error, ErrorKind, Float, Result, Shape, Tensor};

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

/// The share of rows of `logits`, `[.., classes]`, with the element at the row's label among the `k` largest; NaN if there are no
/// rows. With `k = 1` it is the [`accuracy`].
///
/// Of equal elements the first is the larger, as in [`correct`] (scikit-learn's `top_k_accuracy_score` takes the last), and NaN
/// is larger than all numbers. With as many classes as `k` or fewer, every row counts.
///
/// # Errors
/// As [`correct`], and if `k` is 0.
///
/// ```
/// use autodiff::Tensor;
/// let logits = Tensor::from_vec([0.5f32, 0.2, 0.3, 0.1, 0.2, 0.7], [2, 3])?;
/// assert_eq!(nn::metrics::top_k_accuracy(&logits, &[2, 0], 2)?, 0.5);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn top_k_accuracy<T: Float>(logits: &Tensor<T>, labels: &[usize], k: usize) -> Result<f64> {
    const OP: &str = "top_k_accuracy";
    let (rows, classes) = rows_and_classes(logits, OP)?;
    check_labels(labels, logits.shape(), rows, classes, OP)?;
    if k == 0 {
        return Err(Error::new(OP, "no label is among the 0 largest: k must be above 0"));
    }
    let values = logits.to_vec();
    let among = |(row, &label): (&[T], &usize)| {
        let before = |(class, x): (usize, &T)| {
            let (x, own) = (x.to_f64(), row[label].to_f64());
            let equal = x == own || x.is_nan() && own.is_nan();
            x > own || x.is_nan() && !own.is_nan() || equal && class < label
        };
        row.iter().enumerate().filter(|&at| before(at)).count() < k
    };
    // No classes, no labels.
    let right = values.chunks(classes.max(1)).zip(labels).filter(|&pair| among(pair)).count();
    Ok(right as f64 / labels.len() as f64)
}

#[track_caller]
fn count<T: Float>(logits: &Tensor<T>, labels: &[usize], op: &'static str) -> Result<usize> {
    let (rows, classes) = rows_and_classes(logits, op)?;
    check_labels(labels, logits.shape(), rows, classes, op)?;
    let predicted = logits.arg_max(-1)?.to_vec();
    Ok(predicted.iter().zip(labels).filter(|(predicted, label)| predicted == label).count())
}

/// Of `[.., classes]`.
#[track_caller]
fn rows_and_classes<T: Float>(logits: &Tensor<T>, op: &'static str) -> Result<(usize, usize)> {
    let shape = logits.shape();
    match shape.iter().next_back() {
        Some(classes) => Ok((shape.iter().rev().skip(1).product(), classes)),
        None => Err(Error::new(op, "the logits are a single number: they must be [.., classes]")),
    }
}

/// That there is a label for each row, which is one of the classes.
#[track_caller]
fn check_labels(labels: &[usize], shape: Shape, rows: usize, classes: usize, op: &'static str) -> Result<()> {
    if labels.len() != rows {
        return Err(Error::new(op, format!("{} labels for the {rows} rows of {shape}", labels.len())));
    }
    match labels.iter().position(|&label| label >= classes) {
        Some(position) => Err(ErrorKind::Label { label: labels[position], position, classes }.of(op)),
        None => Ok(()),
    }
}
