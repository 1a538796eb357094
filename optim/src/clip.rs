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
/// If the norm is not finite; the error names the first parameter whose gradient is at fault. Nothing has been scaled.
///
/// # Panics
/// If `max` is negative or not finite.
#[track_caller]
pub fn clip_norm<T: Float>(model: &mut dyn Module<T>, max: f64) -> Result<f64> {
    let max = not_negative("the largest norm", max);
    let mut sum = 0.0;
    let mut culprit = None;
    model.parameters(&mut |name, parameter| {
        let Some(grad) = parameter.grad() else { return };
        let squares = square_sum(grad.array());
        if !squares.is_finite() {
            culprit.get_or_insert_with(|| name.to_owned());
        }
        sum += squares;
    });
    let norm = sum.sqrt();
    if !norm.is_finite() {
        let where_from = culprit.map(|name| format!(", by that of {name:?}")).unwrap_or_default();
        return Err(Error::new("clip_norm", format!("the norm of the gradients is {norm}{where_from}")));
    }
    if norm > max {
        let scale = T::from_f64(max / norm);
        model.parameters_mut(&mut |_, parameter| {
            parameter.update_grad(|grad| *grad = grad.map(|g| scale * g));
        });
    }
    Ok(norm)
}
