//! Laws of the transforms: forward mode is a derivative, and a checkpoint changes nothing.

use super::hold_one;
use super::laws::{Names, guarded, same_by, seeds};
use super::machine::{computed, identical};
use super::numeric::richardson;
use super::report::{Fault, Law, Mismatch, Place, Variable};
use crate::error::Result;
use crate::random::Rng;
use crate::tensor::Tensor;
use crate::transform::{checkpoint, jvp};
use std::sync::Arc;

/// The tolerances of [`forward_mode`], relative and absolute: those of [`grads`](super::grads).
const FORWARD: (f64, f64) = (1e-7, 1e-9);

/// Checks that forward mode ([`jvp`](crate::jvp)) is the derivative along a direction, by Richardson differences of
/// `t ↦ f(x + t v)` for one `v` without a pattern.
///
/// [`adjoint`](super::adjoint) compares the rules with themselves, so that two mistakes may cancel; this ties them to
/// the function's own values. It costs seven evaluations, whatever the sizes. Elements at a kink or a pole are passed
/// over.
///
/// # Errors
/// The first element that differs.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([1.0, -2.0], [2])?;
/// check::forward_mode(|x| x[0].softmax(0), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forward_mode(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    hold_one(f, inputs, |subject| {
        let mut rng = Rng::seed(18);
        let directions: Vec<Tensor<f64>> =
            subject.point.iter().map(|x| rng.uniform(x.shape(), -1.0, 1.0)).collect();
        let (point, along): (Vec<_>, Vec<_>) = subject.point.iter().zip(&directions).unzip();
        let output = |x: &[Tensor<f64>]| Ok(subject.run(x)?.remove(0));
        let (value, tangent) = jvp(output, &point, &along)?;
        let at = |t: f64| {
            let moved: Vec<_> = point.iter().zip(&along).map(|(&x, &v)| x + v * t).collect();
            Ok::<_, Fault>(output(&moved)?.to_vec())
        };
        let mut differences = Vec::new();
        richardson(at, 0.0, &value.to_vec(), &mut differences)?;
        let (rtol, atol) = FORWARD;
        for (position, (pushed, found)) in tangent.to_vec().into_iter().zip(differences).enumerate() {
            let tolerance = atol + rtol * pushed.abs().max(found.value.abs());
            let known = found.value.is_finite() && found.error <= tolerance;
            // A tangent of NaN does not.
            let agrees = (pushed - found.value).abs() <= tolerance + 10.0 * found.error;
            if known && !agrees {
                let place = Place::new(Variable::Output, value.shape(), position);
                return Err(Fault::Law { law: Law::Forward, place, left: pushed, right: found.value });
            }
        }
        Ok(())
    })
}

/// Checks that a [`checkpoint`](crate::checkpoint) of `f` has the value and the gradients of `f`, bit by bit.
///
/// What `f` does may differ between its first run and the one in the backward pass: a random mask that is drawn again, a
/// counter, a shortcut for tensors that are not tracked.
///
/// # Errors
/// The first element that differs; and if `f` depends on something tracked that is not an input.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([1.0, -2.0], [2])?;
/// check::checkpointed(|x| Ok(x[0].tanh().exp()), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn checkpointed(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>> + Send + Sync + 'static,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    let names = Names::new(inputs.len());
    let f = Arc::new(f);
    let law = || {
        let replayed = |x: &[Tensor<f64>]| {
            let f = f.clone();
            checkpoint(move |x: &[Tensor<f64>]| f(x), &x.iter().collect::<Vec<_>>())
        };
        let (value, gradients) = computed(&*f, inputs, |output| seeds(output, 1))?;
        let (kept_value, kept_gradients) = computed(replayed, inputs, |output| seeds(output, 1))?;
        same_by(Law::Checkpoint, &names.outputs, &value, &kept_value, identical)?;
        same_by(Law::Checkpoint, &names.gradients(), &gradients, &kept_gradients, identical)
    };
    guarded(law).map_err(|fault| Mismatch::new(1, fault, inputs))
}
