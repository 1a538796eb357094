//! Laws of how a value is computed: on how many threads, at which length, with how many digits, by which pass, in whose
//! memory.

use super::laws::{Names, guarded, same_by, seeds};
use super::report::{Fault, Law, Mismatch};
use super::{hold_one, pull};
use crate::backward::gradients;
use crate::error::{ErrorKind, Result};
use crate::float::Float;
use crate::kernel::memory::held_by_thread;
use crate::kernel::parallel::with_threads;
use crate::tape::no_grad;
use crate::tensor::Tensor;

/// How far a value or a gradient in `f32` may lie from the one in `f64`, as a part of the largest element of its tensor
/// (of 1, if that is smaller): some 80 roundings.
///
/// ```
/// assert!(autodiff::check::SINGLE_PRECISION > 50.0 * f64::from(f32::EPSILON));
/// ```
pub const SINGLE_PRECISION: f64 = 1e-5;

/// Checks that one thread, two and three give the same bits, forward and backward.
///
/// Kernels stay on one thread below some 60 µs of work: choose inputs that are large enough for what you check.
///
/// # Errors
/// The first element that differs.
///
/// ```
/// use autodiff::{Rng, check};
/// let x = Rng::seed(1).uniform([200, 500], -1.0, 1.0);
/// check::threads(|x| x[0].softmax(-1), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn threads(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>> + Sync,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    let names = Names::new(inputs.len());
    let run = |threads| with_threads(threads, || computed(&f, inputs, |output| seeds(output, 1)));
    let law = || {
        let [(value, gradients), more @ ..] = [run(1)?, run(2)?, run(3)?];
        for (other_value, other_gradients) in more {
            same_by(Law::Threads, &names.outputs, &value, &other_value, identical)?;
            same_by(Law::Threads, &names.gradients(), &gradients, &other_gradients, identical)?;
        }
        Ok(())
    };
    guarded(law).map_err(|fault| Mismatch::new(1, fault, inputs))
}

/// The numbers beside those of the inputs that [`lengths`] tries.
const SPECIAL: [f64; 5] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0];
/// The longest vector that it tries: past two of the widest registers, unrolled four times, and seven elements more.
const LONGEST: usize = 71;

/// Checks that a function of one element each gives the same bits wherever the element lies: in vectors of every length
/// from 1 to 71, so that it comes in the body of a vector loop and in its tail, forward and backward. NaN, infinities
/// and signed zeros come between the numbers of the inputs.
///
/// For functions that work element by element, with as many inputs of one size as they take; works for `f32` as well,
/// whose vectors are twice as long.
///
/// # Errors
/// The first element that differs; and if the output has another length than the inputs.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([1.0f32, -2.0], [2])?;
/// check::lengths(|x| Ok(x[0].gelu()), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn lengths<T: Float>(
    f: impl Fn(&[Tensor<T>]) -> Result<Tensor<T>>,
    inputs: &[Tensor<T>],
) -> Result<(), Mismatch> {
    let names = Names::new(inputs.len());
    let numbers: Vec<Vec<T>> = inputs.iter().enumerate().map(|(i, x)| row(i, &x.to_vec())).collect();
    let run = |length: usize| {
        let cut = |numbers: &Vec<T>| Tensor::from_vec(&numbers[..length], [length]);
        let inputs = numbers.iter().map(cut).collect::<Result<Vec<_>>>()?;
        // Eighths from -1: a cotangent for each element, whatever the length.
        let seed = |i: usize| T::from_f64((i % 17) as f64 / 8.0 - 1.0);
        let seeds = |output: &Tensor<T>| {
            let seeds: Vec<_> = (0..output.size()).map(seed).collect();
            Tensor::from_vec(seeds, output.shape()).expect("as many values as elements")
        };
        computed(&f, &inputs, |outputs| outputs.iter().map(seeds).collect())
    };
    let law = || {
        let (values, gradients) = run(LONGEST)?;
        for length in 1..LONGEST {
            let (value, gradient) = run(length)?;
            if value[0].shape() != [length] {
                let message =
                    format!("an output of shape {} from inputs of shape [{length}]", value[0].shape());
                return Err(ErrorKind::Message(message).of("check").into());
            }
            let start =
                |full: &[Tensor<f64>]| full.iter().map(|x| x.slice(0, 0..length)).collect::<Result<Vec<_>>>();
            same_by(Law::Length, &names.outputs, &start(&values)?, &value, identical)?;
            same_by(Law::Length, &names.gradients(), &start(&gradients)?, &gradient, identical)?;
        }
        Ok(())
    };
    let point: Vec<_> = inputs.iter().map(double).collect();
    guarded(law).map_err(|fault| Mismatch::new(1, fault, &point))
}

/// The numbers of input `index`, between special ones, which come in other pairs each time.
fn row<T: Float>(index: usize, values: &[T]) -> Vec<T> {
    let special = SPECIAL.map(T::from_f64);
    let all: Vec<T> = values.iter().copied().take(24).chain(special).collect();
    (0..LONGEST).map(|i| all[(i + index * (i / all.len() + 1)) % all.len()]).collect()
}

/// Checks that a function has the same value and the same gradients in `f32` as in `f64`, up to [`SINGLE_PRECISION`].
///
/// A closure has one type of tensors: the function is given twice. The inputs are rounded to `f32` first.
///
/// # Errors
/// The first element that differs by more.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([0.5, -1.0], [2])?;
/// check::single_precision(|x| Ok(x[0].tanh()), |x| Ok(x[0].tanh()), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn single_precision(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    single: impl Fn(&[Tensor<f32>]) -> Result<Tensor<f32>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    let names = Names::new(inputs.len());
    let law = || {
        let rounded = |x: &Tensor<f64>| {
            Tensor::from_vec(x.to_vec().into_iter().map(|x| x as f32).collect::<Vec<_>>(), x.shape())
        };
        let short = inputs.iter().map(rounded).collect::<Result<Vec<_>>>()?;
        let long: Vec<_> = short.iter().map(double).collect();
        let (value, gradients) = computed(&f, &long, |output| seeds(output, 1))?;
        let seed = |_: &[Tensor<f32>]| {
            seeds(&value, 1).iter().map(rounded).collect::<Result<Vec<_>>>().unwrap_or_default()
        };
        let (other_value, other_gradients) = computed(&single, &short, seed)?;
        let near = |a: f64, b: f64, largest: f64| {
            let overflown = a.abs() > f64::from(f32::MAX) && b.is_infinite();
            a == b || (a - b).abs() <= SINGLE_PRECISION * largest.max(1.0) || overflown
        };
        same_by(Law::Precision, &names.outputs, &value, &other_value, near)?;
        same_by(Law::Precision, &names.gradients(), &gradients, &other_gradients, near)
    };
    guarded(law).map_err(|fault| Mismatch::new(1, fault, inputs))
}

/// Checks that [`backward`](crate::Tensor::backward), which uses the tape up and adds in place, leaves the very bits that
/// [`pull_back`](crate::pull_back) returns for each input.
///
/// # Errors
/// The first element that differs. What gets no gradient in one of the two ways only is NaN in the report.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([0.5, -1.0], [2])?;
/// check::backward(|x| Ok(&x[0] * x[0].tanh()), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn backward(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    hold_one(f, inputs, |subject| {
        let inputs = subject.tracked();
        let output = subject.run(&inputs)?.remove(0);
        let loss = (&output * &seeds(std::slice::from_ref(&output), 1)[0]).sum();
        if !loss.is_tracked() {
            return Ok(());
        }
        let or_nan = |found: Option<Tensor<f64>>, x: &Tensor<f64>| {
            found.unwrap_or_else(|| Tensor::full(f64::NAN, x.shape()))
        };
        let pull = |x: &Tensor<f64>| {
            let found = no_grad(|| gradients(&loss, &Tensor::scalar(1.0), &[x]))?.remove(0);
            Ok(or_nan(found, x))
        };
        let pulled = inputs.iter().map(pull).collect::<Result<Vec<_>>>()?;
        loss.backward()?;
        let left: Vec<_> = inputs.iter().map(|x| or_nan(x.grad(), x)).collect();
        same_by(Law::Backward, &subject.gradient_names(), &pulled, &left, identical)
    })
}

/// Checks that nothing is alive afterwards: when value and gradients are dropped, as many buffers and nodes are alive as
/// before. One pass comes first, in which an op may fill what it keeps for ever.
///
/// It counts what this thread has taken and given back, so that other threads do not disturb; what `f` hands to another
/// thread to be freed there counts as alive. ([`memory`](crate::memory) counts all threads: use that where a program
/// does one thing at a time.)
///
/// # Errors
/// How many are left.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([0.5, -1.0], [2])?;
/// check::leaks(|x| Ok(x[0].tanh()), &[x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn leaks(
    f: impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>,
    inputs: &[Tensor<f64>],
) -> Result<(), Mismatch> {
    hold_one(f, inputs, |subject| {
        let pass = || -> Result<(), Fault> {
            let inputs: Vec<_> = subject.copies().into_iter().map(Tensor::variable).collect();
            let outputs = subject.run(&inputs)?;
            pull(&outputs, &seeds(&outputs, 1), &inputs)?;
            match outputs[0].sum() {
                loss if loss.is_tracked() => Ok(loss.backward()?),
                _ => Ok(()),
            }
        };
        pass()?;
        let before = held_by_thread();
        pass()?;
        let after = held_by_thread();
        let [buffers, nodes] = [after.0 - before.0, after.1 - before.1];
        if buffers > 0 || nodes > 0 { Err(Fault::Leak { buffers, nodes }) } else { Ok(()) }
    })
}

/// Value and gradients of a function, the latter without recording.
pub(super) type Computed = (Vec<Tensor<f64>>, Vec<Tensor<f64>>);

pub(super) fn computed<T: Float>(
    f: impl Fn(&[Tensor<T>]) -> Result<Tensor<T>>,
    inputs: &[Tensor<T>],
    seeds: impl FnOnce(&[Tensor<T>]) -> Vec<Tensor<T>>,
) -> Result<Computed, Fault> {
    let inputs: Vec<_> = inputs.iter().map(|x| x.detach().variable()).collect();
    let outputs = [f(&inputs)?];
    let gradients = no_grad(|| pull(&outputs, &seeds(&outputs), &inputs))?;
    Ok((outputs.iter().map(double).collect(), gradients.iter().map(double).collect()))
}

/// The same numbers in `f64`.
fn double<T: Float>(x: &Tensor<T>) -> Tensor<f64> {
    let numbers: Vec<_> = x.to_vec().into_iter().map(T::to_f64).collect();
    Tensor::from_vec(numbers, x.shape()).expect("as many values as elements")
}

/// Whether two numbers have the same bits.
pub(super) fn identical(a: f64, b: f64, _: f64) -> bool {
    a.to_bits() == b.to_bits()
}
