//! The kit is held to account: a table of broken ops, and the law that catches each.
//!
//! What the reports say of them, word by word, is in `faults`.

use autodiff::check::strategies::Layout;
use autodiff::check::{self, Fault, Gradients, Law, Mismatch, Slip};
use autodiff::{Array, Float, Op, Point, Reads, Result, Rng, Shape, Tensor, is_recording};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

pub(crate) type Forward = fn(&[&Array<f64>]) -> Result<Array<f64>>;
pub(crate) type Rule = fn(usize, &Tensor<f64>, &Point<'_, f64>) -> Result<Tensor<f64>>;

/// An op made from functions.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    forward: Forward,
    rule: Rule,
    reads: fn(usize) -> Reads,
}

impl Made {
    pub(crate) fn new(forward: Forward, rule: Rule) -> Self {
        Self { forward, rule, reads: |_| Reads::ALL }
    }

    fn reading(self, reads: fn(usize) -> Reads) -> Self {
        Self { reads, ..self }
    }

    /// As a function of tensors.
    pub(crate) fn function(
        self,
    ) -> impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>> + Send + Sync + Copy + 'static {
        move |x| self.apply(&x.iter().collect::<Vec<_>>())
    }
}

impl Op<f64> for Made {
    fn name(&self) -> &'static str {
        "made"
    }
    fn forward(&mut self, inputs: &[&Array<f64>]) -> Result<Array<f64>> {
        (self.forward)(inputs)
    }
    fn vjp(&self, index: usize, grad: Tensor<f64>, at: &Point<'_, f64>) -> Result<Tensor<f64>> {
        (self.rule)(index, &grad, at)
    }
    fn reads(&self, index: usize) -> Reads {
        (self.reads)(index)
    }
}

/// Numbers without a pattern.
pub(crate) fn numbers(shape: impl Into<Shape>) -> Tensor<f64> {
    Rng::seed(11).uniform(shape, 0.5, 2.0)
}

pub(crate) const SQUARE: Forward = |x| Ok(x[0].map(|x| x * x));
const SQUARE_RULE: Rule = |_, grad, at| Ok(grad * at.input(0) * 2.0);
const PRODUCT: Forward = |x| x[0].zip(x[1], |a, b| a * b);
const PRODUCT_RULE: Rule = |index, grad, at| Ok(grad * at.input(1 - index));
const DOUBLED: Forward = |x| Ok(x[0].map(|x| 2.0 * x));
const TRANSPOSED: Forward = |x| x[0].permute(&[1, 0]);
const ONE_TO_ONE: Rule = |_, grad, _| Ok(grad.clone());

// ----- What catches a broken op -----

/// How a broken op is caught.
#[derive(Debug)]
enum Caught {
    /// By differences, with this guess at the slip, at an order.
    Differences(Slip, usize),
    /// By a law.
    Law(Law),
    /// By a panic of its rule that is reported, and says this.
    Panic(&'static str),
    /// By an error of its rule that is reported, and says this.
    Error(&'static str),
    /// By what is alive afterwards.
    Leak,
}

impl Caught {
    fn is(&self, found: &Mismatch) -> bool {
        match (self, found.fault()) {
            (Self::Differences(Slip::Factor(a), 1), Fault::Entry(entry)) => {
                matches!(entry.slip, Slip::Factor(b) if (a - b).abs() < 1e-6)
            }
            (Self::Differences(slip, order), Fault::Entry(entry)) => {
                entry.slip == *slip && found.order() == *order
            }
            (Self::Law(expected), Fault::Law { law, .. }) => law == expected,
            (Self::Panic(text), Fault::Panic { message }) => message.contains(text),
            (Self::Error(text), Fault::Error(error)) => error.to_string().contains(text),
            (Self::Leak, Fault::Leak { .. }) => true,
            _ => false,
        }
    }
}

/// A broken op, and the check that has to catch it.
struct Mutant {
    name: &'static str,
    by: Caught,
    check: fn() -> Result<(), Mismatch>,
}

/// The check of the Jacobian for an op of one input.
fn grads(forward: Forward, rule: Rule, shape: impl Into<Shape>) -> Result<(), Mismatch> {
    check::grads(Made::new(forward, rule).function(), &[numbers(shape)])
}

/// That of the gradient's own Jacobian.
fn second(forward: Forward, rule: Rule) -> Result<(), Mismatch> {
    check::second_order(Made::new(forward, rule).function(), &[numbers([3])])
}

/// A law for the square with another rule, whose Jacobian is right.
fn square(rule: Rule, law: fn(Made, &[Tensor<f64>]) -> Result<(), Mismatch>) -> Result<(), Mismatch> {
    let inputs = [numbers([3])];
    grads(SQUARE, rule, [3]).expect("differences do not see it");
    law(Made::new(SQUARE, rule), &inputs)
}

macro_rules! mutants {
    ($($name:ident: $by:expr, $check:expr;)*) => {
        static MUTANTS: &[Mutant] = &[$(Mutant { name: stringify!($name), by: $by, check: || $check }),*];
    };
}

use Caught::{Differences, Error, Leak, Panic};

mutants! {
    // ----- Wrong rules -----
    a_factor_of_two: Differences(Slip::Twice, 1), grads(SQUARE, |_, grad, at| Ok(grad * at.input(0) * 4.0), [3]);
    a_factor_of_a_half: Differences(Slip::Half, 1), grads(SQUARE, |_, grad, at| Ok(grad * at.input(0)), [3]);
    a_sign: Differences(Slip::Sign, 1), grads(SQUARE, |_, grad, at| Ok(grad * at.input(0) * -2.0), [3]);
    a_mean_with_the_rule_of_a_sum: Differences(Slip::Factor(6.0), 1), grads(
        |x| Ok(Array::scalar(x[0].to_vec().iter().sum::<f64>() / x[0].size() as f64)),
        |_, grad, at| grad.broadcast_to(at.shape(0)),
        [2, 3],
    );
    a_gradient_of_zeros: Differences(Slip::Severed, 1), grads(SQUARE, |_, _, at| Ok(at.zeros(0)), [3]);
    a_value_that_is_detached: Differences(Slip::Severed, 1), check::grads(|x| Ok(x[0].detach().exp()), &[numbers([2])]);
    one_of_two_inputs_detached: Differences(Slip::Severed, 1),
        check::grads(|x| Ok(&x[0] * x[1].detach()), &[numbers([2]), numbers([2])]);
    only_the_first_row_of_what_was_broadcast: Differences(Slip::PartlySevered, 1),
        grads(DOUBLED, |_, grad, _| (grad * 2.0).slice(0, 0..1)?.pad(&[(0, 2)], 0.0), [3]);
    the_wrong_axis_summed: Differences(Slip::WrongAxis(1, 0), 1), check::grads(
        Made::new(
            |x| x[0].zip(x[1], |a, b| a + b),
            |index, grad, _| if index == 0 { grad.sum_axes(1) } else { Ok(grad.clone()) },
        )
        .function(),
        &[numbers([3]), numbers([3, 3])],
    );
    summed_without_need: Differences(Slip::Summed(0), 1),
        grads(DOUBLED, |_, grad, at| (grad * 2.0).sum_keep(0)?.broadcast_to(at.shape(0)), [3, 2]);
    averaged_without_need: Differences(Slip::Averaged(1), 1),
        grads(DOUBLED, |_, grad, at| (grad * 2.0).mean_keep(1)?.broadcast_to(at.shape(0)), [3, 2]);
    not_transposed_back: Differences(Slip::Transposed(0, 1), 1), grads(TRANSPOSED, ONE_TO_ONE, [3, 3]);
    reshaped_in_place_of_transposed: Differences(Slip::Transposed(0, 1), 1),
        grads(TRANSPOSED, |_, grad, _| grad.reshape([2, 3]), [2, 3]);
    in_reverse_order: Differences(Slip::Reversed(0), 1), grads(|x| x[0].permute(&[0]), |_, grad, _| grad.flip(0), [4]);
    a_matrix_in_place_of_its_transpose: Differences(Slip::Adjoint, 1), check::grads(
        |x| {
            let w = numbers([3, 3]);
            // The value of one, the gradient of the other.
            let wrong = x[0].matmul(&w.t()?)?;
            Ok(x[0].matmul(&w)?.detach() + &wrong - wrong.detach())
        },
        &[numbers([2, 3])],
    );
    not_a_number: Differences(Slip::NotFinite, 1), grads(SQUARE, |_, grad, _| Ok(grad * f64::NAN), [3]);
    another_function: Differences(Slip::Unknown, 1), grads(SQUARE, |_, grad, at| Ok(grad * at.input(0).exp()), [3]);
    another_function_in_forward_mode: Caught::Law(Law::Forward),
        check::forward_mode(Made::new(SQUARE, |_, grad, at| Ok(grad * at.input(0) * 3.0)).function(), &[numbers([3])]);
    ties_counted_twice: Differences(Slip::Twice, 1), {
        let larger = Made::new(
            |x| x[0].zip(x[1], f64::max),
            |index, grad, at| Ok(grad * at.input(index).ge(&at.input(1 - index))?),
        )
        .function();
        check::second_order(larger, &[numbers([3]), numbers([3]) + 0.5]).expect("right without ties");
        check::grads(move |x| larger(&[x[0].clone(), x[0].clone()]), &[numbers([3])])
    };

    // ----- Wrong at second order -----
    a_slope_that_is_detached: Differences(Slip::Hidden, 2),
        second(SQUARE, |_, grad, at| Ok(grad * at.input(0).detach() * 2.0));
    a_slope_that_is_half_detached: Differences(Slip::Half, 2), second(
        |x| Ok(x[0].map(|x| x * x * x)),
        |_, grad, at| Ok(grad * at.input(0).detach() * at.input(0) * 3.0),
    );
    a_cotangent_that_is_detached: Differences(Slip::Severed, 2),
        second(SQUARE, |_, grad, at| Ok(grad.detach() * at.input(0) * 2.0));
    a_kernel_that_detaches_its_cotangent: Caught::Law(Law::Adjoint),
        square(|_, grad, at| Ok(grad.detach() * at.input(0) * 2.0), |op, at| check::adjoint(op.function(), at));
    a_kernel_that_is_not_its_own_transpose: Caught::Law(Law::Adjoint), square(
        |_, grad, at| {
            // Twice too large with respect to the cotangent.
            let rule: Rule = |index, grad, at| Ok(grad * at.input(1 - index) * if index == 0 { 2.0 } else { 4.0 });
            Made::new(|x| x[0].zip(x[1], |x, grad| 2.0 * x * grad), rule).apply(&[&at.input(0), grad])
        },
        |op, at| check::adjoint(op.function(), at),
    );

    // ----- Cotangents that are not taken as they are -----
    a_cotangent_that_is_ignored: Caught::Law(Law::ZeroSeed), grads(SQUARE, |_, _, at| Ok(at.input(0) * 2.0), []);
    a_cotangent_that_is_squared: Caught::Law(Law::Linear),
        square(|_, grad, at| Ok(grad.square() * at.input(0) * 2.0), |op, at| check::linear(op.function(), at));
    a_cotangent_without_its_sign: Caught::Law(Law::Linear),
        square(|_, grad, at| Ok(grad.abs() * at.input(0) * 2.0), |op, at| check::linear(op.function(), at));
    a_cotangent_that_is_clipped: Caught::Law(Law::Linear), square(
        |_, grad, at| Ok(grad.minimum(&Tensor::scalar(10.0))? * at.input(0) * 2.0),
        |op, at| check::linear(op.function(), at),
    );
    a_cotangent_that_is_normalised: Caught::Law(Law::Linear), square(
        |_, grad, at| Ok(grad / (grad.square().sum() + 1e-300).sqrt() * at.input(0) * 2.0),
        |op, at| check::linear(op.function(), at),
    );

    // ----- State and chance -----
    a_rule_that_drifts: Caught::Law(Law::Repeat),
        grads(SQUARE, |_, grad, at| Ok(grad * at.input(0) * (2.0 * drifting())), [2]);
    a_value_that_drifts: Caught::Law(Law::Repeat), grads(|x| Ok(x[0].map(|x| x * drifting())), ONE_TO_ONE, [2]);
    a_rule_that_looks_whether_it_is_recorded: Caught::Law(Law::Recording),
        grads(SQUARE, |_, grad, at| Ok(grad * at.input(0) * if is_recording() { 3.0 } else { 2.0 }), [2]);
    a_rule_that_leans_on_the_rule_before: Caught::Law(Law::Subset),
        check::grads(|x| Careless::default().apply(&[&x[0], &x[1]]), &[numbers([2]), numbers([2])]);
    a_gradient_left_out_the_second_time: Caught::Law(Law::UsedTwice),
        check::used_twice(Made::new(SQUARE, EVERY_SECOND_TIME).function(), &[numbers([3])]);
    a_rule_that_counts_how_often_it_is_asked: Caught::Law(Law::Backward),
        check::backward(Made::new(SQUARE, EVERY_SECOND_TIME).function(), &[numbers([3])]);
    an_input_that_comes_twice_taken_for_a_square: Caught::Law(Law::UsedTwice), {
        let mutant = Made::new(PRODUCT, |index, grad, at| {
            let start = |i: usize| at.input(i).array().as_slice().map(<[f64]>::as_ptr);
            Ok(grad * at.input(1 - index) * if start(0) == start(1) { 2.0 } else { 1.0 })
        })
        .function();
        let inputs = [numbers([3]), numbers([3])];
        check::second_order(mutant, &inputs).expect("differences do not see it");
        check::used_twice(mutant, &inputs)
    };
    a_mask_that_is_drawn_again: Caught::Law(Law::Checkpoint), {
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        let dropout = |x: &[Tensor<f64>]| {
            let mask: Tensor<f64> = Rng::seed(DRAWN.fetch_add(1, Ordering::Relaxed)).uniform(x[0].shape(), 0.0, 1.0);
            Ok(&x[0] * mask)
        };
        check::checkpointed(dropout, &[numbers([8])])
    };
    a_shortcut_for_what_is_not_tracked: Caught::Law(Law::Checkpoint), {
        // Right to the last bits, so that no law with a tolerance sees it.
        let third = |x: &[Tensor<f64>]| Ok(if x[0].is_tracked() { &x[0] / 3.0 } else { &x[0] * (1.0 / 3.0) });
        check::second_order(third, &[numbers([8])]).expect("differences do not see it");
        check::checkpointed(third, &[numbers([8])])
    };

    // ----- Values that are not declared -----
    nothing_declared: Panic("made: a rule reads input 1, which `reads` does not declare"), check::grads(
        Made::new(PRODUCT, PRODUCT_RULE).reading(|_| Reads::NONE).function(),
        &[numbers([2]), numbers([2])],
    );
    what_the_other_rule_reads_declared: Panic("made: a rule reads input 1, which `reads` does not declare"), {
        let crossed = Made::new(PRODUCT, PRODUCT_RULE).reading(Reads::input);
        let [a, b] = [numbers([2]), numbers([2])].map(Tensor::variable);
        // With both tracked, all is there.
        crossed.apply(&[&a, &b]).unwrap().sum().backward().expect("all is there");
        check::grads(crossed.function(), &[a.detach(), b.detach()])
    };
    the_output_not_declared: Panic("made: a rule reads the output, which `reads` does not declare"), check::grads(
        Made::new(|x| Ok(x[0].map(f64::sqrt)), |_, grad, at| Ok(grad / at.output() * 0.5))
            .reading(|_| Reads::INPUTS)
            .function(),
        &[numbers([2])],
    );

    // ----- Shapes and layouts -----
    the_elements_as_they_lie: Caught::Law(Law::Layout), {
        let careless: Forward = |x| Ok(x[0].map(|y| if x[0].as_slice().is_some() { y } else { y + 1.0 }));
        let view = Layout::TRANSPOSED.place(Shape::from([2, 2]), &[1.0, 2.0, 3.0, 4.0]);
        check::grads(Made::new(careless, ONE_TO_ONE).function(), &[view])
    };
    a_rule_that_is_wrong_for_a_view: Differences(Slip::Twice, 1), {
        let mutant = Made::new(SQUARE, |_, grad, at| {
            let x = at.input(0);
            Ok(grad * &x * if x.array().as_slice().is_some() { 2.0 } else { 4.0 })
        })
        .function();
        check::second_order(mutant, &[numbers([2, 2])]).expect("right for what is contiguous");
        let views = Layout::ALL.into_iter().filter(|&layout| layout != Layout::CONTIGUOUS);
        let views = views.map(|layout| layout.place(Shape::from([2, 2]), &[1.0, 2.0, 3.0, 4.0]));
        views.map(|view| check::grads(mutant, &[view])).reduce(|a, b| if a.is_ok() { a } else { b }).expect("views")
    };
    the_first_element_of_nothing: Panic("index out of bounds"),
        check::grads(Made::new(|x| Ok(Array::scalar(x[0].to_vec()[0])), ONE_TO_ONE).function(), &[numbers([0])]);
    a_slice_of_nothing: Error("range 0..1"), check::grads(
        Made::new(SQUARE, |_, grad, at| Ok(grad + at.zeros(0).slice(0, 0..1)?)).function(),
        &[numbers([0])],
    );
    a_gradient_of_another_shape: Error("returned shape [5, 7] where [3] is needed"),
        grads(SQUARE, |_, _, _| Ok(Tensor::zeros([5, 7])), [3]);

    // ----- Threads, lengths, precision, memory -----
    a_sum_in_the_order_of_the_threads: Caught::Law(Law::Threads), {
        let sum = Made::new(
            |x| Ok(Array::scalar(in_parts(&x[0].to_vec()))),
            |_, grad, at| grad.broadcast_to(at.shape(0)),
        )
        .function();
        let x = [Rng::seed(5).uniform([101], -1.0, 1.0)];
        check::grads(sum, &x).expect("differences do not see it");
        check::threads(sum, &x)
    };
    a_rule_that_sums_in_the_order_of_the_threads: Caught::Law(Law::Threads), check::threads(
        Made::new(|x| x[0].broadcast_to(Shape::from([101])), |_, grad, _| Ok(Tensor::scalar(in_parts(&grad.to_vec()))))
            .function(),
        &[numbers([])],
    );
    a_tail_that_rounds_otherwise: Caught::Law(Law::Length),
        lengths(|x| vectorised(x[0], |x| x / 3.0, |x| x * (1.0 / 3.0)), ONE_TO_ONE);
    a_tail_that_loses_nan: Caught::Law(Law::Length),
        lengths(|x| vectorised(x[0], |x| if x < 0.0 { 0.0 } else { x }, |x| x.max(0.0)), ONE_TO_ONE);
    a_tail_that_loses_the_sign_of_zero: Caught::Law(Law::Length),
        lengths(|x| vectorised(x[0], |x| x, |x| x + 0.0), ONE_TO_ONE);
    a_rule_with_another_tail: Caught::Law(Law::Length), lengths(
        |x| Ok(x[0].map(|x| x / 3.0)),
        |_, grad, _| Ok(Tensor::from(vectorised(grad.array(), |x| x / 3.0, |x| x * (1.0 / 3.0))?)),
    );
    a_constant_cut_short: Caught::Law(Law::Precision), single(Cut { forward: INVERSE_PI - 1e-4, rule: INVERSE_PI });
    a_constant_of_the_rule_cut_short: Caught::Law(Law::Precision),
        single(Cut { forward: INVERSE_PI, rule: INVERSE_PI - 1e-4 });
    an_input_kept_for_ever: Leak, {
        static KEPT: Mutex<Vec<Array<f64>>> = Mutex::new(Vec::new());
        let forward: Forward = |x| {
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(x[0].clone());
            SQUARE(x)
        };
        check::leaks(Made::new(forward, SQUARE_RULE).function(), &[numbers([2])])
    };
    a_place_on_the_tape_kept_for_ever: Leak, {
        static KEPT: Mutex<Vec<Tensor<f64>>> = Mutex::new(Vec::new());
        let rule: Rule = |_, grad, at| {
            if is_recording() {
                KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(at.input(0));
            }
            SQUARE_RULE(0, grad, at)
        };
        check::leaks(Made::new(SQUARE, rule).function(), &[numbers([2])])
    };
}

// ----- Parts of mutants -----

/// A number that is near 1 and never the same.
fn drifting() -> f64 {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    1.0 + CALLS.fetch_add(1, Ordering::Relaxed) as f64 * 1e-6
}

/// The rule of the square, and zero every second time.
const EVERY_SECOND_TIME: Rule = |_, grad, at| {
    thread_local! {
        static CALLS: Cell<usize> = const { Cell::new(0) };
    }
    let call = CALLS.replace(CALLS.get() + 1);
    if call.is_multiple_of(2) { Ok(grad * at.input(0) * 2.0) } else { Ok(at.zeros(0)) }
};

/// `a b`, in whose rules input 1 relies on input 0 having been asked first.
#[derive(Default)]
struct Careless {
    asked: AtomicBool,
}

impl Op<f64> for Careless {
    fn name(&self) -> &'static str {
        "careless"
    }
    fn forward(&mut self, x: &[&Array<f64>]) -> Result<Array<f64>> {
        PRODUCT(x)
    }
    fn vjp(&self, index: usize, grad: Tensor<f64>, at: &Point<'_, f64>) -> Result<Tensor<f64>> {
        let asked = self.asked.fetch_or(index == 0, Ordering::Relaxed);
        if index == 0 || asked { Ok(grad * at.input(1 - index)) } else { Ok(at.zeros(1)) }
    }
}

/// A sum as if in an order that depends on the number of threads: the last bits differ.
fn in_parts(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() * (1.0 + rayon::current_num_threads() as f64 * f64::EPSILON)
}

/// Each element by `body`, the rest after the last four by `tail`.
fn vectorised(x: &Array<f64>, body: fn(f64) -> f64, tail: fn(f64) -> f64) -> Result<Array<f64>> {
    let values = x.to_vec();
    let whole = values.len() / 4 * 4;
    let each = values.iter().enumerate().map(|(i, &x)| if i < whole { body(x) } else { tail(x) });
    Array::from_vec(each.collect::<Vec<_>>(), x.shape())
}

fn lengths(forward: Forward, rule: Rule) -> Result<(), Mismatch> {
    check::lengths(Made::new(forward, rule).function(), &[numbers([6])])
}

const INVERSE_PI: f64 = std::f64::consts::FRAC_1_PI;

/// `x / π` with constants for `f32` that may be wrong, in the value or in the rule.
#[derive(Clone, Copy)]
struct Cut {
    forward: f64,
    rule: f64,
}

impl<T: Float> Op<T> for Cut {
    fn name(&self) -> &'static str {
        "cut"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let factor = if size_of::<T>() == 4 { self.forward } else { INVERSE_PI };
        Ok(x[0].map(|x| x * T::from_f64(factor)))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * if size_of::<T>() == 4 { self.rule } else { INVERSE_PI })
    }
}

fn single(op: Cut) -> Result<(), Mismatch> {
    check::single_precision(move |x| op.apply(&[&x[0]]), move |x| op.apply(&[&x[0]]), &[numbers([4])])
}

// ----- The tests -----

#[test]
fn every_mutant_is_caught_by_its_law() {
    let mut missed = Vec::new();
    for Mutant { name, by, check } in MUTANTS {
        match check() {
            Err(found) if by.is(&found) => {}
            Err(found) => missed.push(format!("{name}: not {by:?}, but {found}")),
            Ok(()) => missed.push(format!("{name}: not caught, by {by:?} or otherwise")),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn there_are_enough_mutants_and_one_for_each_law() {
    let names: BTreeSet<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    assert_eq!(names.len(), MUTANTS.len(), "two mutants of one name");
    assert!(names.len() >= 25, "{} mutants", names.len());
    let laws = [
        Law::Layout,
        Law::Repeat,
        Law::Recording,
        Law::Subset,
        Law::ZeroSeed,
        Law::Linear,
        Law::Adjoint,
        Law::Forward,
        Law::Checkpoint,
        Law::UsedTwice,
        Law::Backward,
        Law::Threads,
        Law::Length,
        Law::Precision,
    ];
    for law in laws {
        let has = MUTANTS.iter().any(|mutant| matches!(&mutant.by, Caught::Law(other) if *other == law));
        assert!(has, "no mutant for {law:?}");
    }
}

#[test]
fn right_ops_are_not_accused() {
    let square = Made::new(SQUARE, SQUARE_RULE).function();
    check::laws(square, &[numbers([2, 3])]).unwrap();
    check::lengths(square, &[numbers([5])]).unwrap();
    check::laws(Made::new(PRODUCT, PRODUCT_RULE).function(), &[numbers([3]), numbers([3])]).unwrap();
    check::laws(Made::new(TRANSPOSED, |_, grad, _| grad.t()).function(), &[numbers([2, 3])]).unwrap();
    check::laws(|_| Ok(Tensor::scalar(1.0)), &[numbers([3])]).unwrap();
    single(Cut { forward: INVERSE_PI, rule: INVERSE_PI }).unwrap();
    Gradients::new().order(3).check(square, &[numbers([2])]).unwrap();
}
