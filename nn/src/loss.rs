//! Losses: one number to be made small.
//!
//! The common case is a function: [`cross_entropy`], [`mean_squared_error`]. Everything else is a value with options, whose
//! `loss` is called with a prediction and what it should have been:
//!
//! ```
//! use autodiff::Tensor;
//! use nn::loss::{CrossEntropy, Reduction};
//! let logits = Tensor::from_vec([1.0f32, -1.0, 0.5, 0.0], [2, 2])?;
//! let smoothed = CrossEntropy::new().label_smoothing(0.1).ignore(255).reduction(Reduction::Sum);
//! let only_the_first = smoothed.loss(&logits, &[0, 255])?;
//! assert!((only_the_first.item() - 0.226_928).abs() < 1e-6);
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! | | `torch.nn` |
//! |---|---|
//! | [`SquaredError`], [`AbsoluteError`], [`SmoothL1`], [`Huber`] | `MSELoss`, `L1Loss`, `SmoothL1Loss`, `HuberLoss` |
//! | [`PoissonNll`], [`GaussianNll`] | `PoissonNLLLoss`, `GaussianNLLLoss` |
//! | [`CrossEntropy`], [`Nll`] | `CrossEntropyLoss`, `NLLLoss` |
//! | [`BinaryCrossEntropy`], [`BinaryCrossEntropyWithLogits`] | `BCELoss`, `BCEWithLogitsLoss` |
//! | [`KlDivergence`] | `KLDivLoss` |
//! | [`HingeEmbedding`], [`MultiMargin`], [`MarginRanking`] | `HingeEmbeddingLoss`, `MultiMarginLoss`, `MarginRankingLoss` |
//! | [`CosineEmbedding`], [`TripletMargin`] | `CosineEmbeddingLoss`, `TripletMarginLoss` |
//!
//! Classes lie along the last axis (`torch` has them along axis 1), labels are one for each row in front of it, and shapes
//! are never broadcast unless it is said. Logarithms are taken of what cannot have underflowed: losses from finite logits are
//! finite wherever their value is. The hinge `max(x, 0)` and `|x|` have the gradient 0 at 0.

mod classification;
mod margin;
mod regression;

pub use classification::{BinaryCrossEntropy, BinaryCrossEntropyWithLogits, CrossEntropy, KlDivergence, Nll};
pub use margin::{CosineEmbedding, HingeEmbedding, MarginRanking, MultiMargin, TripletMargin};
pub use regression::{AbsoluteError, GaussianNll, Huber, PoissonNll, SmoothL1, SquaredError};

use autodiff::{ErrorKind, Float, Result, Tensor};

/// What becomes of the losses of the single elements or rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean, a single number. With class weights, the weighted mean: the sum over the weights' sum.
    #[default]
    Mean,
    /// Their sum, a single number.
    Sum,
    /// Their sum divided by the size of their first axis, a single number.
    BatchMean,
    /// Nothing: they are returned as they are.
    None,
}

impl Reduction {
    /// Reduces losses that all weigh the same.
    fn of<T: Float>(self, losses: Tensor<T>) -> Tensor<T> {
        match self {
            Self::Mean => losses.mean(),
            Self::Sum => losses.sum(),
            Self::BatchMean => losses.sum() / losses.shape().iter().next().unwrap_or(1) as f64,
            Self::None => losses,
        }
    }
}

/// Writes a loss: a struct of its options, `new`, and a method for each option.
macro_rules! loss {
    (
        $(#[$doc:meta])*
        $name:ident $(<$t:ident>)? {
            $($(#[$about:meta])* $option:ident: $type:ty = $default:expr,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name $(<$t: autodiff::Float = f32>)? {
            $($option: $type,)*
            reduction: $crate::loss::Reduction,
        }

        impl $(<$t: autodiff::Float>)? $name $(<$t>)? {
            /// The loss with the options that it has unless they are set.
            pub fn new() -> Self {
                Self { $($option: $default,)* reduction: $crate::loss::Reduction::Mean }
            }

            $(
                $(#[$about])*
                #[must_use]
                pub fn $option(mut self, $option: impl Into<$type>) -> Self {
                    self.$option = $option.into();
                    self
                }
            )*

            /// What becomes of the single losses; their mean unless it is set.
            #[must_use]
            pub fn reduction(mut self, reduction: $crate::loss::Reduction) -> Self {
                self.reduction = reduction;
                self
            }
        }

        impl $(<$t: autodiff::Float>)? Default for $name $(<$t>)? {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

use loss;

/// Reports operands of different shapes.
#[track_caller]
fn alike<T: Float>(op: &'static str, what: &'static str, left: &Tensor<T>, right: &Tensor<T>) -> Result<()> {
    let (left, right) = (left.shape(), right.shape());
    if left == right { Ok(()) } else { Err(ErrorKind::Mismatch { what, left, right }.of(op)) }
}

/// Reports what does not broadcast to the shape of `x`.
#[track_caller]
fn broadcasts<T: Float>(
    op: &'static str,
    what: &'static str,
    x: &Tensor<T>,
    other: &Tensor<T>,
) -> Result<()> {
    let (left, right) = (x.shape(), other.shape());
    if left.broadcast(&right) == Some(left) {
        Ok(())
    } else {
        Err(ErrorKind::Mismatch { what, left, right }.of(op))
    }
}

/// Reports an option that is out of range.
#[track_caller]
fn within(op: &'static str, holds: bool, says: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(ErrorKind::Message(says()).of(op)) }
}

const PREDICTION: &str = "prediction and target must have one shape";

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
    alike("mean_squared_error", PREDICTION, prediction, target)?;
    Ok((prediction - target).square().mean())
}

/// The mean absolute error `1/n Σᵢ |predictionᵢ - targetᵢ|` over all `n` elements, a single number.
///
/// # Errors
/// If the shapes differ.
///
/// ```
/// use autodiff::Tensor;
/// let y = Tensor::from_vec([1.0f32, 5.0], [2])?;
/// let t = Tensor::from_vec([1.0, 3.0], [2])?;
/// assert_eq!(nn::loss::mean_absolute_error(&y, &t)?.item(), 1.0);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn mean_absolute_error<T: Float>(prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
    alike("mean_absolute_error", PREDICTION, prediction, target)?;
    Ok((prediction - target).abs().mean())
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
