//! Laws of the gradient as a function of its cotangent, and of inputs that come more than once.

use super::laws::{SLACK, Subject, same, seeds};
use super::numeric::filled;
use super::report::{Fault, Law, Mismatch, Place, Variable};
use super::{hold_one, pull};
use crate::error::Result;
use crate::random::Rng;
use crate::shape::Shape;
use crate::tape::no_grad;
use crate::tensor::Tensor;

/// How far `⟨J v, w⟩` and `⟨v, Jᵀ w⟩` may lie apart, as a part of the sum of the magnitudes of their terms.
const ADJOINT: f64 = 1e-12;

/// Checks that gradients are linear in the cotangent: that of `a u + b w` is `a` times that of `u` and `b` times that
/// of `w`, up to rounding.
///
/// A rule that takes the absolute value of `grad`, clips it, or divides by its norm is right for the unit cotangents of
/// [`grads`](super::grads) and wrong in a model.
///
/// # Errors
/// If they are not.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([1.0, -2.0], [2])?;
/// check::linear(|x| Ok(x[0].exp()), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn linear(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    hold_one(f, inputs, is_linear)
}

/// Checks `⟨J v, w⟩ = ⟨v, Jᵀ w⟩` to twelve digits. No step is taken: `J v` is the derivative of `⟨v, Jᵀ w⟩` by `w`,
/// found by pulling back through the recorded rules.
///
/// It holds the rules of gradient kernels (the rule of an op that is itself the gradient of another) to the kernels'
/// own values, where [`second_order`](super::second_order) has only the digits of a difference: a cotangent that is
/// severed in a rule, and a kernel whose rule is not its transpose, break it. Whether `J` is the Jacobian of the
/// function it does not say: that is for [`grads`](super::grads).
///
/// # Errors
/// If the two differ.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([1.0, -2.0], [2])?;
/// check::adjoint(|x| x[0].softmax(0), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn adjoint(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    hold_one(f, inputs, is_adjoint)
}

/// Checks that what is used twice gets the sum of both gradients: the function applied twice to the same inputs, and
/// each two inputs of one shape replaced by one tensor; and that the sum depends on the inputs as what is added to it does.
///
/// # Errors
/// If it gets something else.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([1.0, -2.0], [2])?;
/// check::used_twice(|x| Ok(&x[0] * &x[1]), &[x.clone(), x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn used_twice(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    hold_one(f, inputs, adds)
}

fn is_linear(subject: &Subject<'_>) -> Result<(), Fault> {
    let inputs = subject.tracked();
    let outputs = subject.run(&inputs)?;
    let [u, w] = [11, 12].map(|number| seeds(&outputs, number));
    let pulled = |seeds: &[Tensor<f64>]| no_grad(|| pull(&outputs, seeds, &inputs));
    // One factor turns the sign, and is large enough for what is only clipped or cut off beyond some size.
    let both = |u: &[Tensor<f64>], w: &[Tensor<f64>]| -> Vec<Tensor<f64>> {
        u.iter().zip(w).map(|(u, w)| u * -1024.0 + w * 0.75).collect()
    };
    let (together, apart) = (pulled(&both(&u, &w))?, both(&pulled(&u)?, &pulled(&w)?));
    agree(Law::Linear, &subject.gradient_names(), &together, &apart)
}

fn is_adjoint(subject: &Subject<'_>) -> Result<(), Fault> {
    let inputs = subject.tracked();
    let outputs = subject.run(&inputs)?;
    let w: Vec<_> = seeds(&outputs, 13).into_iter().map(Tensor::variable).collect();
    let pulled = pull(&outputs, &w, &inputs)?;
    let mut rng = Rng::seed(14);
    for (index, gradient) in pulled.iter().enumerate() {
        let v: Tensor<f64> = rng.uniform(gradient.shape(), -1.5, 1.5);
        let pushed = no_grad(|| pull(std::slice::from_ref(gradient), std::slice::from_ref(&v), &w))?;
        let (left, left_size) = product(&pushed, &w);
        let (right, right_size) = product(std::slice::from_ref(gradient), &[v]);
        // Where a derivative is infinite there is no product.
        if (left - right).abs() > ADJOINT * (1.0 + left_size + right_size) {
            let place = Place::new(Variable::ProductWith(index), Shape::default(), 0);
            return Err(Fault::Law { law: Law::Adjoint, place, left, right });
        }
    }
    Ok(())
}

fn adds(subject: &Subject<'_>) -> Result<(), Fault> {
    let names = subject.gradient_names();
    let inputs = subject.tracked();
    let (first, second) = (subject.run(&inputs)?, subject.run(&inputs)?);
    let [u, w] = [15, 16].map(|number| seeds(&first, number));
    let apart: Vec<_> = no_grad(|| {
        let both = [pull(&first, &u, &inputs)?, pull(&second, &w, &inputs)?];
        Ok::<_, Fault>(both[0].iter().zip(&both[1]).map(|(a, b)| a + b).collect())
    })?;
    let loss = first.iter().chain(&second).zip(u.iter().chain(&w)).map(|(output, seed)| output * seed);
    let loss = loss.map(|product| product.sum()).reduce(|a, b| a + b);
    let Some(loss) = loss.filter(Tensor::is_tracked) else { return Ok(()) };
    let together = no_grad(|| pull(std::slice::from_ref(&loss), &[Tensor::scalar(1.0)], &inputs))?;
    agree(Law::UsedTwice, &names, &together, &apart)?;
    // The pass that adds in place.
    loss.backward()?;
    let left = |x: &Tensor<f64>| x.grad().unwrap_or_else(|| Tensor::zeros(x.shape()));
    agree(Law::UsedTwice, &names, &inputs.iter().map(left).collect::<Vec<_>>(), &apart)?;
    adds_recorded(subject)?;
    one_for_two(subject)
}

/// The gradient of the function, added to that of a linear one, has the same gradient as by itself.
fn adds_recorded(subject: &Subject<'_>) -> Result<(), Fault> {
    let inputs = subject.tracked();
    let outputs = subject.run(&inputs)?;
    let (u, v) = (seeds(&outputs, 18), seeds(&inputs, 19));
    let alone = pull(&outputs, &u, &inputs)?;
    // These uses come last, so that their gradients arrive first.
    let terms = outputs.iter().zip(&u).chain(inputs.iter().zip(&v)).map(|(x, seed)| (x * seed).sum());
    let Some(loss) = terms.reduce(|a, b| a + b) else { return Ok(()) };
    let together = pull(&[loss], &[Tensor::scalar(1.0)], &inputs)?;
    let w = seeds(&alone, 20);
    let [found, expected] = [together, alone].map(|gradient| no_grad(|| pull(&gradient, &w, &inputs)));
    agree(Law::UsedTwice, &subject.gradient_names(), &found?, &expected?)
}

/// Each two inputs of one shape replaced by one tensor.
fn one_for_two(subject: &Subject<'_>) -> Result<(), Fault> {
    let count = subject.point.len();
    for (i, j) in (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j))) {
        if subject.point[i].shape() != subject.point[j].shape() {
            continue;
        }
        let shared = subject.point[i].clone().variable();
        let mut together = subject.point.to_vec();
        together[i] = shared.clone();
        together[j] = shared.clone();
        // A function may refuse two inputs that are equal.
        let Ok(outputs) = subject.run(&together) else { continue };
        let seeds = seeds(&outputs, 17);
        let mut apart = together;
        apart[i] = shared.detach().variable();
        // In memory of its own, too.
        apart[j] = filled(&shared.to_vec(), &shared).variable();
        let pulled = subject.gradients(&apart, &seeds)?;
        let sum = &pulled[i] + &pulled[j];
        let found = no_grad(|| pull(&outputs, &seeds, std::slice::from_ref(&shared)))?;
        agree(Law::UsedTwice, &[subject.names.inputs[i].gradient()], &found, &[sum])?;
    }
    Ok(())
}

/// Reports an element in which the tensors differ by more than rounding, wherever both are numbers.
fn agree(law: Law, names: &[Variable], left: &[Tensor<f64>], right: &[Tensor<f64>]) -> Result<(), Fault> {
    let known = |a: &Tensor<f64>, b: &Tensor<f64>| {
        let pairs = a.to_vec().into_iter().zip(b.to_vec());
        let known = |(a, b): (f64, f64)| if a.is_finite() && b.is_finite() { a } else { 0.0 };
        filled(&pairs.map(known).collect::<Vec<_>>(), a)
    };
    let (a, b): (Vec<_>, Vec<_>) = left.iter().zip(right).map(|(a, b)| (known(a, b), known(b, a))).unzip();
    same(law, names, &a, &b, SLACK)
}

/// The sum of the products of all elements, and that of their magnitudes.
fn product(a: &[Tensor<f64>], b: &[Tensor<f64>]) -> (f64, f64) {
    let terms = a.iter().zip(b).flat_map(|(a, b)| a.to_vec().into_iter().zip(b.to_vec()));
    terms.fold((0.0, 0.0), |(sum, size), (a, b)| (sum + a * b, size + (a * b).abs()))
}
