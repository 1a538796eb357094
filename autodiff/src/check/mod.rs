//! Checks of gradients, for your own ops and models as for those of this crate.
//!
//! [`grads`] takes a function of tensors (one op, a layer, the loss of a whole model) and a point, and holds every
//! gradient to numerical differentiation: the full Jacobian, each entry by Richardson extrapolation in `f64` with its
//! own error estimate. [`second_order`] does the same for the gradient's own gradient. [`Gradients`] has the knobs.
//!
//! ```
//! use autodiff::{Array, Float, Op, Point, Result, Tensor, check};
//!
//! /// `x³`, with a mistake in its rule.
//! struct Cube;
//!
//! impl<T: Float> Op<T> for Cube {
//!     fn name(&self) -> &'static str { "cube" }
//!     fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> { Ok(x[0].map(|x| x * x * x)) }
//!     fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
//!         Ok(grad * at.input(0).square() * -3.0)
//!     }
//! }
//!
//! let x = Tensor::from_vec([1.0, 2.0], [2])?;
//! let mismatch = check::grads(|x| Cube.apply(&[&x[0]]), &[x]).unwrap_err();
//! assert_eq!(mismatch.slip(), Some(&check::Slip::Sign));
//! assert_eq!(
//!     mismatch.to_string().split(" ± ").next(),
//!     Some("first order: d output[1] / d input 0[1] is -12, numerically 12")
//! );
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! # What is checked
//!
//! At each order:
//! - every entry `a` of the Jacobian against its numeric value `n ± e`: `|a - n| ≤ atol + rtol max(|a|, |n|) + 10 e`. An
//!   entry whose error `e` is itself above the tolerance (a kink, a pole) is *undecided*; a check fails if that happens to
//!   more than a fifth of the elements of the inputs. An input that gets no gradient at all passes only if its
//!   derivative is numerically zero;
//! - computed twice, everything has the same bits.
//!
//! And for the gradient itself:
//! - a view (transposed, sliced, broadcast) has the value and the gradient of a contiguous copy;
//! - recorded or not, alone or among other tracked inputs, an input gets the same gradient;
//! - a seed of zeros gives zeros.
//!
//! # The laws
//!
//! Differences do not see everything: they use one cotangent of ones and zeros at a time, small inputs, one thread. The
//! other laws are functions of their own, and [`laws()`] runs all that any function obeys.
//!
//! | law | in | what it would have caught |
//! |---|---|---|
//! | entries of the Jacobian equal Richardson differences | [`grads`] | wrong rules |
//! | the same for the gradient's own Jacobian | [`second_order`] | state that hides a dependence |
//! | twice gives the same bits | [`grads`] | hidden state, chance |
//! | a view gives what a copy gives | [`grads`] | strides that are taken for granted |
//! | recorded or not gives the same | [`grads`] | a fast path that differs from the slow one |
//! | tracked alone or among all gives the same | [`grads`] | gradients that lean on each other |
//! | no rule panics, with each input tracked alone | [`grads`] | a value that only another rule's `reads` keeps |
//! | a cotangent of zeros gives zeros | [`grads`] | a cotangent that is ignored |
//! | gradients are linear in the cotangent | [`linear`] | clipped, squared or normalised cotangents |
//! | `⟨J v, w⟩ = ⟨v, Jᵀ w⟩`, with no step at all | [`adjoint`] | gradient kernels with a wrong rule of their own |
//! | forward mode is the derivative along a direction | [`forward_mode`] | two mistakes that cancel in `⟨J v, w⟩` |
//! | a checkpoint gives the same bits | [`checkpointed`] | state and chance that a second run does not repeat |
//! | what is used twice gets both gradients | [`used_twice`] | overwriting instead of adding, adding what is recorded as a constant |
//! | `backward` leaves the bits that `pull_back` returns | [`backward`] | gradients added in place into what others hold |
//! | one thread, two and three give the same bits | [`threads`] | races, sums in the order of arrival |
//! | nothing is alive afterwards | [`leaks`] | caches that grow, cycles |
//! | elementwise: every length agrees on each element | [`lengths`] | a vector loop and its tail that differ |
//! | `f32` agrees with `f64` | [`single_precision`] | constants cut short in one of the types |
//!
//! With the feature `proptest`, the macro `laws!` (see `check::property`) runs them over random shapes, numbers and
//! layouts, in a line for each function.
//!
//! What a rule did not declare in [`reads`](crate::Op::reads) is not kept at all, so that it cannot be stale: a rule that
//! asks for it panics, and a check reports the panic ([`Fault::Panic`]) with the op and the input that it names. The tape
//! keeps what the rules of *all tracked* inputs declare, so that a rule may live on its neighbour's declaration until the
//! neighbour is not tracked: that is why each input is tracked alone.
//!
//! Differences need the digits of `f64`, so that functions that are only made for `f32` are not checked.

mod compare;
mod cotangent;
mod guess;
mod laws;
mod machine;
mod numeric;
#[cfg(feature = "proptest")]
pub mod property;
mod report;
#[cfg(feature = "proptest")]
pub mod strategies;
mod transforms;

pub use cotangent::{adjoint, linear, used_twice};
pub use machine::{SINGLE_PRECISION, backward, leaks, lengths, single_precision, threads};
pub use numeric::{Estimate, derivative, jacobian, numerical_gradient};
pub use report::{Entry, Fault, Law, Mismatch, Place, Slip, Variable};
pub use transforms::{checkpointed, forward_mode};

use crate::backward::gradients;
use crate::error::Result;
use crate::float::Float;
use crate::tensor::Tensor;
use laws::{Names, Subject};

/// Checks the gradients of `f` at a point: see [the module](self).
///
/// `f` may have an output of any shape, and may be any function of tensors that gives the same result each time. The
/// cost is six evaluations for each element of the inputs, and a backward pass for each element of the output.
///
/// # Errors
/// What is wrong, where, and what it looks like.
///
/// ```
/// use autodiff::{Tensor, check};
/// let w = Tensor::from_vec([0.1, -0.4, 0.3, 0.2], [2, 2])?;
/// let x = Tensor::from_vec([1.0, 2.0], [2])?;
/// let loss = |inputs: &[Tensor<f64>]| Ok(inputs[0].matmul(&inputs[1])?.tanh().square().sum());
/// check::grads(loss, &[w, x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn grads(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    Gradients::new().check(f, inputs).map(drop)
}

/// Checks the gradients of `f` at a point, and the gradients of these gradients.
///
/// # Errors
/// What is wrong, where, and what it looks like.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([0.5, -1.0], [2])?;
/// check::second_order(|x| Ok(x[0].exp()), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn second_order(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    Gradients::new().order(2).check(f, inputs).map(drop)
}

/// Holds `f` at a point to every law that any function obeys: [`second_order`], [`linear`], [`adjoint`],
/// [`forward_mode`], [`used_twice`], [`backward`], [`threads`], [`leaks`] and [`checkpointed`], for which the tape keeps
/// `f`: it may not borrow.
///
/// [`lengths`] is for elementwise functions, and [`single_precision`] needs the function in `f32`.
///
/// # Errors
/// The first law that is broken: which, where, and what it looks like.
///
/// ```
/// use autodiff::{Tensor, check};
/// let (a, b) = (Tensor::from_vec([0.5, -1.0], [2])?, Tensor::scalar(3.0));
/// check::laws(|x| Ok((&x[0] * &x[1]).tanh()), &[a, b])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn laws(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>> + Send + Sync + 'static,
    inputs: &[Tensor<f64>],
) -> Result<Report, Mismatch> {
    let report = Gradients::new().order(2).check(&f, inputs)?;
    linear(&f, inputs)?;
    adjoint(&f, inputs)?;
    forward_mode(&f, inputs)?;
    used_twice(&f, inputs)?;
    backward(&f, inputs)?;
    threads(&f, inputs)?;
    leaks(&f, inputs)?;
    checkpointed(f, inputs)?;
    Ok(report)
}

/// A check of gradients with chosen order and tolerances.
///
/// ```
/// use autodiff::{Tensor, check::Gradients};
/// let x = Tensor::from_vec([0.5, 1.5], [2])?;
/// let report = Gradients::new().order(3).rtol(1e-6).check(|x| Ok(x[0].ln()), &[x])?;
/// assert_eq!(report.undecided(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gradients {
    order: usize,
    rtol: f64,
    atol: f64,
    undecided: f64,
}

impl Default for Gradients {
    fn default() -> Self {
        Self::new()
    }
}

impl Gradients {
    /// First order, `rtol` 10⁻⁷, `atol` 10⁻⁹, at most a fifth of the elements undecided.
    pub fn new() -> Self {
        Self { order: 1, rtol: 1e-7, atol: 1e-9, undecided: 0.2 }
    }

    /// Checks derivatives up to this order. The third costs some ten times the second.
    ///
    /// # Panics
    /// If the order is 0.
    pub fn order(mut self, order: usize) -> Self {
        assert!(order > 0, "the derivative of order 0 is the function itself");
        self.order = order;
        self
    }

    /// The tolerance relative to the larger of the two values.
    pub fn rtol(mut self, rtol: f64) -> Self {
        self.rtol = rtol;
        self
    }

    /// The tolerance that is allowed at any size.
    pub fn atol(mut self, atol: f64) -> Self {
        self.atol = atol;
        self
    }

    /// Which part of the elements of the inputs may be undecided, from 0 to 1: where a function has a kink or a pole, no
    /// difference tells its derivative.
    pub fn undecided(mut self, part: f64) -> Self {
        self.undecided = part;
        self
    }

    /// Runs the check.
    ///
    /// # Errors
    /// What is wrong, where, and what it looks like.
    pub fn check(
        &self,
        f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
        inputs: &[Tensor<f64>],
    ) -> Result<Report, Mismatch> {
        self.run(Box::new(move |inputs| Ok(vec![f(inputs)?])), inputs)
    }

    /// The same for any function, compiled once.
    fn run(&self, mut function: Function<'_>, inputs: &[Tensor<f64>]) -> Result<Report, Mismatch> {
        let mut point: Vec<Tensor<f64>> = inputs.iter().map(Tensor::detach).collect();
        let mut names = Names::new(point.len());
        let mut report = Report::default();
        let mut order = 1;
        loop {
            let subject = Subject { function: &function, point: &point, names: &names };
            let found = laws::guarded(|| self.one_order(&subject, order));
            let (found, seeds) = found.map_err(|fault| Mismatch::new(order, fault, inputs))?;
            report = report.plus(found);
            if order == self.order {
                return Ok(report);
            }
            // The gradient as a function of the point and of the cotangents is what the next order differentiates.
            let outputs = names.gradients();
            let first = point.len() - inputs.len();
            names.inputs.extend((first..first + seeds.len()).map(Variable::Cotangent));
            names.outputs = outputs;
            let count = point.len();
            point.extend(seeds);
            function = lifted(function, count);
            order += 1;
        }
    }

    /// One order of the check; also the seeds that it used.
    fn one_order(&self, subject: &Subject<'_>, order: usize) -> Result<(Report, Vec<Tensor<f64>>), Fault> {
        let seeds = laws::seeds(&subject.run(subject.point)?, order);
        subject.before(&seeds)?;
        let report = self.compare(subject, order)?;
        if order == 1 {
            subject.after(&seeds)?;
        }
        Ok((report, seeds))
    }
}

/// What a check that passed has looked at, summed over the orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    entries: usize,
    elements: usize,
    undecided: usize,
}

impl Report {
    /// How many entries of Jacobians were compared.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// How many elements the inputs had.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// For how many of these elements an entry could not be decided, because the differences do not converge.
    pub fn undecided(&self) -> usize {
        self.undecided
    }

    fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            elements: self.elements + other.elements,
            undecided: self.undecided + other.undecided,
        }
    }
}

/// A function of several tensors with several outputs.
type Function<'a> = Box<dyn Fn(&[Tensor<f64>]) -> Result<Vec<Tensor<f64>>> + 'a>;

/// The gradients of `function`, which has `count` inputs, as a function of these and of the seeds.
fn lifted(function: Function<'_>, count: usize) -> Function<'_> {
    Box::new(move |all| {
        let (inputs, seeds) = all.split_at(count);
        // What is not on a tape yet starts one here, so that there is something to differentiate.
        let on_tape = |x: &Tensor<f64>| if x.is_tracked() { x.clone() } else { x.clone().variable() };
        let inputs: Vec<_> = inputs.iter().map(on_tape).collect();
        pull(&function(&inputs)?, seeds, &inputs)
    })
}

/// Holds a function to one law.
fn hold_one(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
    law: impl FnOnce(&Subject<'_>) -> Result<(), Fault>,
) -> Result<(), Mismatch> {
    let function: Function<'_> = Box::new(move |inputs| Ok(vec![f(inputs)?]));
    let point: Vec<_> = inputs.iter().map(Tensor::detach).collect();
    let subject = Subject { function: &function, point: &point, names: &Names::new(point.len()) };
    laws::guarded(|| law(&subject)).map_err(|fault| Mismatch::new(1, fault, inputs))
}

/// The gradients of `Σ seed · output` with respect to the inputs: zeros for those that no output depends on.
fn pull<T: Float>(
    outputs: &[Tensor<T>],
    seeds: &[Tensor<T>],
    inputs: &[Tensor<T>],
) -> Result<Vec<Tensor<T>>> {
    let references: Vec<&Tensor<T>> = inputs.iter().collect();
    let mut totals: Vec<Option<Tensor<T>>> = vec![None; inputs.len()];
    for (output, seed) in outputs.iter().zip(seeds) {
        for (total, found) in totals.iter_mut().zip(gradients(output, seed, &references)?) {
            *total = match (total.take(), found) {
                (Some(a), Some(b)) => Some(a + b),
                (a, b) => a.or(b),
            };
        }
    }
    Ok(totals
        .into_iter()
        .zip(inputs)
        .map(|(total, input)| total.unwrap_or_else(|| Tensor::zeros(input.shape())))
        .collect())
}
