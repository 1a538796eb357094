//! Gradients that are too large, cut down before a step.

use crate::engine::{not_negative, square_sum};
use autodiff::{Error, Float, Module, Result};

/// Clamps every element of every gradient to `-limit ..= limit`; NaN stays NaN. `clip_grad_value_` of `PyTorch`.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// let mut w = Parameter::new(Tensor::from_vec([1.0, -5.0], [2])?);
/// w.square().sum().backward()?;
/// optim::clip_values(&mut w, 3.0);
/// assert_eq!(w.grad().unwrap().to_vec(), [2.0, -3.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// # Panics
/// If the limit is negative or not finite.
#[track_caller]
pub fn clip_values<T: Float>(model: &mut dyn Module<T>, limit: f64) {
    let limit = T::from_f64(not_negative("the limit", limit));
    model.parameters_mut(&mut |_, parameter| {
        parameter.update_grad(|grad| *grad = grad.map(|g| g.maximum(-limit).minimum(limit)));
    });
}

/// Scales all gradients by one factor, so that their norm is at most `max`, and returns the norm that they had
/// (Pascanu, Mikolov and Bengio, arXiv:1211.5063, algorithm 1).
///
/// The norm is the global one, `√Σ g²` over all elements of all gradients: the direction of the step stays.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// let mut model = (Parameter::new(Tensor::scalar(1.5)), Parameter::new(Tensor::scalar(2.0)));
/// (model.0.square() + model.1.square()).backward()?;
/// assert_eq!(optim::clip_norm(&mut model, 1.0)?, 5.0); // of the gradients 3 and 4
/// assert!((model.0.grad().unwrap().item() - 0.6f64).abs() < 1e-12);
/// assert!((model.1.grad().unwrap().item() - 0.8f64).abs() < 1e-12);
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// `clip_grad_norm_` of `PyTorch` divides by the norm plus 1e-6, and so ends a little below `max`; and it scales by a norm
/// that is not finite, unless told otherwise. Gradients that a [`Group`](crate::Group) will drop as frozen count too.
///
/// # Errors
/// If the norm is not finite; the error names the first parameter whose gradient is infinite or NaN, unless all are finite
/// and only their norm is beyond the numbers of `f64`. Nothing has been scaled.
///
/// # Panics
/// If `max` is negative or not finite.
#[track_caller]
pub fn clip_norm<T: Float>(model: &mut dyn Module<T>, max: f64) -> Result<f64> {
    let max = not_negative("the largest norm", max);
    let mut factor = 1.0;
    let (mut sum, mut culprit) = square_sums(model, factor);
    if !sum.is_normal() {
        // Squares of `f64` overflow or vanish where the norm does not. A power of two rounds nothing.
        factor = 2f64.powi(if sum < 1.0 { 600 } else { -600 });
        (sum, culprit) = square_sums(model, factor);
    }
    let norm = sum.sqrt() / factor;
    if !norm.is_finite() {
        let where_from = culprit.map(|name| format!(", by that of {name:?}")).unwrap_or_default();
        return Err(Error::new("clip_norm", format!("the norm of the gradients is {norm}{where_from}")));
    }
    if norm > max {
        let scale = max / norm;
        let near = T::from_f64(scale);
        // What is smaller than the normal numbers of `f32` has lost digits in `near`, or is 0 there.
        let tiny = scale < f64::from(f32::MIN_POSITIVE);
        model.parameters_mut(&mut |_, parameter| {
            parameter.update_grad(|grad| {
                *grad = if tiny {
                    grad.map(|g| T::from_f64(g.to_f64() / norm * max))
                } else {
                    grad.map(|g| near * g)
                };
            });
        });
    }
    Ok(norm)
}

/// The sum of the squares of all gradients times `factor`, and the name of the first parameter whose sum is not finite.
fn square_sums<T: Float>(model: &dyn Module<T>, factor: f64) -> (f64, Option<String>) {
    let (mut sum, mut culprit) = (0.0, None);
    model.parameters(&mut |name, parameter| {
        let Some(grad) = parameter.grad() else { return };
        let squares = square_sum(grad.array(), factor);
        if !squares.is_finite() {
            culprit.get_or_insert_with(|| name.to_owned());
        }
        sum += squares;
    });
    (sum, culprit)
}
