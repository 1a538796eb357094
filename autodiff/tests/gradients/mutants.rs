//! Ops that are broken in ways that differences do not see, or see only by chance: each is caught by the law that is
//! meant for it. Those that differences see are in `faults`.

use crate::harness::{SMALL, Shapes, config, hold};
use autodiff::check::strategies::{Choice, Layout, operands, shapes};
use autodiff::check::{self, Fault, Law, Mismatch, Slip};
use autodiff::{Array, Float, Op, Point, Reads, Result, Rng, Shape, Tensor, is_recording};
use proptest::test_runner::{TestError, TestRunner};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

type Forward = fn(&[&Array<f64>]) -> Result<Array<f64>>;
type Rule = fn(usize, &Tensor<f64>, &Point<'_, f64>) -> Result<Tensor<f64>>;

/// An op made from functions.
#[derive(Clone, Copy)]
struct Made {
    forward: Forward,
    rule: Rule,
    reads: fn(usize) -> Reads,
}

impl Made {
    fn new(forward: Forward, rule: Rule) -> Self {
        Self { forward, rule, reads: |_| Reads::ALL }
    }

    /// As a function of tensors.
    fn function(self) -> impl Fn(&[Tensor<f64>]) -> Result<Tensor<f64>> + Sync + Copy {
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
    fn vjp(&self, index: usize, grad: &Tensor<f64>, at: &Point<'_, f64>) -> Result<Tensor<f64>> {
        (self.rule)(index, grad, at)
    }
    fn reads(&self, index: usize) -> Reads {
        (self.reads)(index)
    }
}

/// Numbers without a pattern.
fn numbers(shape: impl Into<Shape>) -> Tensor<f64> {
    Rng::seed(11).uniform(shape, 0.5, 2.0)
}

/// The law that a check found broken.
#[track_caller]
fn law(found: Result<(), Mismatch>) -> Law {
    match found.expect_err("a law is broken").fault() {
        Fault::Law { law, .. } => *law,
        other => panic!("{other}"),
    }
}

/// What a check found that panicked.
#[track_caller]
fn panicked(found: Result<(), Mismatch>) -> String {
    match found.expect_err("a law is broken").fault() {
        Fault::Panic { message } => message.clone(),
        other => panic!("{other}"),
    }
}

const SQUARE: Forward = |x| Ok(x[0].map(|x| x * x));
const PRODUCT: Forward = |x| x[0].zip(x[1], |a, b| a * b);
const SQUARE_RULE: Rule = |_, grad, at| Ok(grad * at.input(0) * 2.0);

#[test]
fn right_ops_obey_every_law() {
    let square = Made::new(SQUARE, SQUARE_RULE).function();
    check::laws(square, &[numbers([2, 3])]).unwrap();
    check::lengths(square, &[numbers([5])]).unwrap();
    let product = Made::new(PRODUCT, |index, grad, at| Ok(grad * at.input(1 - index)));
    check::laws(product.function(), &[numbers([3]), numbers([3])]).unwrap();
    check::laws(|_| Ok(Tensor::scalar(1.0)), &[numbers([3])]).unwrap();
}

#[test]
fn cotangents_that_are_not_taken_as_they_are() {
    // Each is right for cotangents of zeros and ones, and so for the differences.
    let mutants: [Rule; 4] = [
        |_, grad, at| Ok(grad.square() * at.input(0) * 2.0),
        |_, grad, at| Ok(grad.abs() * at.input(0) * 2.0),
        |_, grad, at| Ok(grad.minimum(&Tensor::scalar(10.0))? * at.input(0) * 2.0),
        |_, grad, at| Ok(grad / (grad.square().sum() + 1e-300).sqrt() * at.input(0) * 2.0),
    ];
    for rule in mutants {
        let mutant = Made::new(SQUARE, rule).function();
        check::grads(mutant, &[numbers([3])]).unwrap();
        assert_eq!(law(check::linear(mutant, &[numbers([3])])), Law::Linear);
        assert_eq!(law(check::laws(mutant, &[numbers([])]).map(drop)), Law::Linear);
    }
}

/// `2 x · grad` as a kernel, with a rule of its own that may be wrong.
const KERNEL: Forward = |x| x[0].zip(x[1], |x, grad| 2.0 * x * grad);

#[test]
fn gradient_kernels_that_are_not_transposed() {
    let detached: Rule = |_, grad, at| Ok(grad.detach() * at.input(0) * 2.0);
    // Twice too large with respect to the cotangent.
    let wrong: Rule = |_, grad, at| {
        let rule: Rule =
            |index, grad, at| Ok(grad * at.input(1 - index) * if index == 0 { 2.0 } else { 4.0 });
        Made::new(KERNEL, rule).apply(&[&at.input(0), grad])
    };
    for rule in [detached, wrong] {
        let mutant = Made::new(SQUARE, rule).function();
        check::grads(mutant, &[numbers([3])]).unwrap();
        let found = check::adjoint(mutant, &[numbers([3])]);
        assert!(found.as_ref().unwrap_err().to_string().contains("the product for input 0 is"), "{found:?}");
        assert_eq!(law(found), Law::Adjoint);
    }
}

#[test]
fn an_input_that_comes_twice_and_is_taken_for_one() {
    // Takes two operands in one place for a square, and gives each the square's gradient.
    let rule: Rule = |index, grad, at| {
        let start = |i: usize| at.input(i).array().as_slice().map(<[f64]>::as_ptr);
        Ok(grad * at.input(1 - index) * if start(0) == start(1) { 2.0 } else { 1.0 })
    };
    let mutant = Made::new(PRODUCT, rule).function();
    let inputs = [numbers([3]), numbers([3])];
    check::second_order(mutant, &inputs).unwrap();
    assert_eq!(law(check::used_twice(mutant, &inputs)), Law::UsedTwice);
}

#[test]
fn a_gradient_that_is_left_out_the_second_time() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let rule: Rule = |_, grad, at| {
        let first = CALLS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        if first { Ok(grad * at.input(0) * 2.0) } else { Ok(at.zeros(0)) }
    };
    let mutant = Made::new(SQUARE, rule).function();
    assert_eq!(law(check::used_twice(mutant, &[numbers([3])])), Law::UsedTwice);
}

#[test]
fn values_that_are_not_declared() {
    let rule: Rule = |index, grad, at| Ok(grad * at.input(1 - index));
    let inputs = [numbers([2]), numbers([2])];
    // Nothing is declared.
    let none = Made { reads: |_| Reads::NONE, ..Made::new(PRODUCT, rule) };
    let message = panicked(check::grads(none.function(), &inputs));
    assert_eq!(message, "made: a rule reads input 1, which `reads` does not declare");
    // Each rule declares what the other reads: with both tracked, all is there.
    let crossed = Made { reads: Reads::input, ..Made::new(PRODUCT, rule) };
    let [a, b] = inputs.clone().map(Tensor::variable);
    crossed.apply(&[&a, &b]).unwrap().sum().backward().unwrap();
    let message = panicked(check::grads(crossed.function(), &inputs));
    assert_eq!(message, "made: a rule reads input 1, which `reads` does not declare");
    // The output.
    let root: Forward = |x| Ok(x[0].map(f64::sqrt));
    let rule: Rule = |_, grad, at| Ok(grad / at.output() * 0.5);
    let output = Made { reads: |_| Reads::INPUTS, ..Made::new(root, rule) };
    let message = panicked(check::grads(output.function(), &[numbers([2])]));
    assert_eq!(message, "made: a rule reads the output, which `reads` does not declare");
}

#[test]
fn sizes_of_nothing_that_are_not_thought_of() {
    let first: Forward = |x| Ok(x[0].map(|y| y + x[0].to_vec()[0]));
    let rule: Rule = |_, grad, at| Ok(grad + at.zeros(0).slice(0, 0..1)?);
    let message = panicked(check::grads(
        Made::new(|x| Ok(Array::scalar(x[0].to_vec()[0])), |_, grad, _| Ok(grad.clone())).function(),
        &[numbers([0])],
    ));
    assert!(message.contains("index out of bounds"), "{message}");
    let found = check::grads(Made::new(first, rule).function(), &[numbers([0])]).unwrap_err();
    assert!(matches!(found.fault(), Fault::Error(_)), "{found}");
}

#[test]
fn results_that_depend_on_the_number_of_threads() {
    // As if summed in another order: the last bits differ.
    fn parts(x: &[f64]) -> f64 {
        x.iter().sum::<f64>() * (1.0 + rayon::current_num_threads() as f64 * f64::EPSILON)
    }
    let sum: Forward = |x| Ok(Array::scalar(parts(&x[0].to_vec())));
    let rule: Rule = |_, grad, at| grad.broadcast_to(at.shape(0));
    let x = Rng::seed(5).uniform([101], -1.0, 1.0);
    let mutant = Made::new(sum, rule).function();
    check::grads(mutant, std::slice::from_ref(&x)).unwrap();
    assert_eq!(law(check::threads(mutant, std::slice::from_ref(&x))), Law::Threads);
    // The same in a rule.
    let spread: Forward = |x| x[0].broadcast_to(Shape::from([101]));
    let rule: Rule = |_, grad, _| Ok(Tensor::scalar(parts(&grad.to_vec())));
    assert_eq!(law(check::threads(Made::new(spread, rule).function(), &[numbers([])])), Law::Threads);
}

/// Each element by `body`, the rest after the last four by `tail`.
fn vectorised(x: &Array<f64>, body: fn(f64) -> f64, tail: fn(f64) -> f64) -> Result<Array<f64>> {
    let values = x.to_vec();
    let whole = values.len() / 4 * 4;
    let each = values.iter().enumerate().map(|(i, &x)| if i < whole { body(x) } else { tail(x) });
    Array::from_vec(each.collect::<Vec<_>>(), x.shape())
}

#[test]
fn tails_of_vector_loops() {
    // A last bit, a NaN that is lost, a sign of zero.
    let mutants: [Forward; 3] = [
        |x| vectorised(x[0], |x| x / 3.0, |x| x * (1.0 / 3.0)),
        |x| vectorised(x[0], |x| if x < 0.0 { 0.0 } else { x }, |x| x.max(0.0)),
        |x| vectorised(x[0], |x| x, |x| x + 0.0),
    ];
    for forward in mutants {
        let rule: Rule = |_, grad, _| Ok(grad.clone());
        assert_eq!(law(check::lengths(Made::new(forward, rule).function(), &[numbers([6])])), Law::Length);
    }
    // The same in a rule.
    let rule: Rule =
        |_, grad, _| Ok(Tensor::from(vectorised(grad.array(), |x| x / 3.0, |x| x * (1.0 / 3.0))?));
    let third: Forward = |x| Ok(x[0].map(|x| x / 3.0));
    let found = check::lengths(Made::new(third, rule).function(), &[numbers([6])]);
    assert!(found.as_ref().unwrap_err().to_string().contains("(gradient of input 0)["), "{found:?}");
    assert_eq!(law(found), Law::Length);
    // A function that is not elementwise.
    let sum = check::lengths(|x: &[Tensor<f64>]| Ok(x[0].sum()), &[numbers([6])]).unwrap_err();
    assert!(sum.to_string().contains("an output of shape [] from inputs of shape [1]"), "{sum}");
}

/// `x / π` with a constant that is right in one type only, in the value or in the rule.
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
        let factor = if size_of::<T>() == 4 { self.forward } else { std::f64::consts::FRAC_1_PI };
        Ok(x[0].map(|x| x * T::from_f64(factor)))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * if size_of::<T>() == 4 { self.rule } else { std::f64::consts::FRAC_1_PI })
    }
}

#[test]
fn constants_that_are_cut_short() {
    let check = |op: Cut| {
        check::single_precision(move |x| op.apply(&[&x[0]]), move |x| op.apply(&[&x[0]]), &[numbers([4])])
    };
    let right = std::f64::consts::FRAC_1_PI;
    let cut = right - 1e-4;
    check(Cut { forward: right, rule: right }).unwrap();
    assert_eq!(law(check(Cut { forward: cut, rule: right })), Law::Precision);
    assert_eq!(law(check(Cut { forward: right, rule: cut })), Law::Precision);
}

#[test]
fn what_is_kept_for_ever() {
    static ARRAYS: Mutex<Vec<Array<f64>>> = Mutex::new(Vec::new());
    static TENSORS: Mutex<Vec<Tensor<f64>>> = Mutex::new(Vec::new());
    let left = |found: Result<(), Mismatch>| match found.expect_err("something leaks").fault() {
        Fault::Leak { buffers, nodes } => [*buffers, *nodes],
        other => panic!("{other}"),
    };
    let forward: Forward = |x| {
        ARRAYS.lock().unwrap_or_else(PoisonError::into_inner).push(x[0].clone());
        SQUARE(x)
    };
    assert_eq!(left(check::leaks(Made::new(forward, SQUARE_RULE).function(), &[numbers([2])])), [1, 0]);
    let rule: Rule = |_, grad, at| {
        if is_recording() {
            TENSORS.lock().unwrap_or_else(PoisonError::into_inner).push(at.input(0));
        }
        SQUARE_RULE(0, grad, at)
    };
    // A variable, with its gradient.
    assert_eq!(left(check::leaks(Made::new(SQUARE, rule).function(), &[numbers([2])])), [2, 1]);
}

#[test]
fn ties_that_are_counted_twice() {
    // The whole gradient to each of two that are equal.
    let larger: Forward = |x| x[0].zip(x[1], f64::max);
    let rule: Rule = |index, grad, at| Ok(grad * at.input(index).ge(&at.input(1 - index))?);
    let mutant = Made::new(larger, rule).function();
    check::second_order(mutant, &[numbers([3]), numbers([3]) + 0.5]).unwrap();
    let found = check::grads(|x| mutant(&[x[0].clone(), x[0].clone()]), &[numbers([3])]).unwrap_err();
    assert_eq!(found.slip(), Some(&Slip::Twice), "{found}");
}

#[test]
fn rules_that_are_wrong_in_one_layout() {
    let rule: Rule = |_, grad, at| {
        let x = at.input(0);
        Ok(grad * &x * if x.array().as_slice().is_some() { 2.0 } else { 4.0 })
    };
    let mutant = Made::new(SQUARE, rule).function();
    check::second_order(mutant, &[numbers([2, 2])]).unwrap();
    for layout in Layout::ALL.into_iter().filter(|&layout| layout != Layout::CONTIGUOUS) {
        let view = layout.place(Shape::from([2, 2]), &[1.0, 2.0, 3.0, 4.0]);
        let found = check::grads(mutant, &[view]).unwrap_err();
        assert_eq!(found.slip(), Some(&Slip::Twice), "{layout:?}: {found}");
    }
}

#[test]
fn a_fault_shrinks_to_the_smallest_case() {
    // `eˣ` with a rule that is wrong from three elements on along the last axis.
    let exp: Forward = |x| Ok(x[0].map(f64::exp));
    let rule: Rule = |_, grad, at| {
        let long = at.shape(0).iter().last().is_some_and(|side| side > 2);
        Ok(grad * at.output() * if long { 2.0 } else { 1.0 })
    };
    let mutant = Made::new(exp, rule).function();
    let strategy = (shapes(0..=4), operands(SMALL));
    let mut runner = TestRunner::new(config());
    let found = runner.run(&strategy, |(shape, x)| Ok(check::grads(mutant, &[x.tensor(shape)])?));
    let Err(TestError::Fail(_, (shape, x))) = found else { panic!("{found:?}") };
    let x = x.tensor(shape);
    assert_eq!((shape, x.to_vec()), (Shape::from([3]), vec![0.0; 3]));
    assert!(x.array().as_slice().is_some(), "the smallest case is contiguous");

    let mismatch = check::grads(mutant, &[x]).unwrap_err();
    let test = "\
#[test]
fn obeys_the_laws() {
    use autodiff::{Tensor, check};

    // first order: d output[2] / d input 0[2] is 2, numerically 1";
    let text = mismatch.reproduction("f");
    assert!(text.starts_with(test), "{text}");
    let end = "\
    let inputs = [
        Tensor::<f64>::from_vec(vec![0.0, 0.0, 0.0], [3]).unwrap(),
    ];
    check::laws(f, &inputs).unwrap();
}
";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(format!("{mismatch:#}"), format!("{mismatch}\n\n{text}"));
}

#[test]
fn a_broken_line_shows_a_test_that_can_be_pasted() {
    let line = || {
        hold(
            &Shapes::alike(1..=1),
            [SMALL],
            &|[x], _| Ok(x.detach() * x),
            &|[x], _| Ok(x.detach() * x),
            "|[x], _| Ok(x.detach() * x)",
        );
    };
    let panic = std::panic::catch_unwind(line).unwrap_err();
    let text = panic.downcast_ref::<String>().expect("a panic with a text");
    for part in [
        "second order: d (gradient of input 0)[0] / d input 0[0] is 0",
        "Tensor::<f64>::from_vec(vec![0.0], [1]).unwrap(),",
        "    check::laws({
        type T = Tensor<f64>;
        let f: &(dyn Fn([&T; 1], check::strategies::Choice) -> autodiff::Result<T> + Sync) = &|[x], _| Ok(x.detach() * x);
        move |x: &[T]| f([&x[0]], check::strategies::Choice::new(0))
    }, &inputs).unwrap();",
    ] {
        assert!(text.contains(part), "{part}\nin\n{text}");
    }
    // What it shows, pasted.
    let function = {
        type T = Tensor<f64>;
        let f: &(dyn Fn([&T; 1], Choice) -> autodiff::Result<T> + Sync) = &|[x], _| Ok(x.detach() * x);
        move |x: &[T]| f([&x[0]], Choice::new(0))
    };
    let inputs = [Tensor::<f64>::from_vec(vec![0.0], [1]).unwrap()];
    assert_eq!(check::laws(function, &inputs).unwrap_err().slip(), Some(&Slip::Hidden));
}
