//! The checker is held to account: ops that are broken in the usual ways are reported for what they are.

use autodiff::check::strategies::Layout;
use autodiff::check::{self, Fault, Gradients, Law, Mismatch, Slip};
use autodiff::{Array, Error, Op, Point, Result, Shape, Tensor, is_recording};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

type Forward = fn(&[&Array<f64>]) -> Result<Array<f64>>;
type Rule = fn(usize, &Tensor<f64>, &Point<'_, f64>) -> Result<Tensor<f64>>;

/// An op made from two functions.
struct Made(Forward, Rule);

impl Op<f64> for Made {
    fn name(&self) -> &'static str {
        "made"
    }
    fn forward(&mut self, inputs: &[&Array<f64>]) -> Result<Array<f64>> {
        self.0(inputs)
    }
    fn vjp(&self, index: usize, grad: &Tensor<f64>, at: &Point<'_, f64>) -> Result<Tensor<f64>> {
        self.1(index, grad, at)
    }
}

/// Numbers without a pattern.
fn numbers(shape: impl Into<Shape>) -> Tensor<f64> {
    autodiff::Rng::seed(11).uniform(shape, 0.5, 2.0)
}

/// What the check says of an op of one input.
fn check(forward: Forward, rule: Rule, shape: impl Into<Shape>) -> Result<(), Mismatch> {
    check::grads(|x| Made(forward, rule).apply(&[&x[0]]), &[numbers(shape)])
}

/// The guess at what is wrong with it.
fn slip(forward: Forward, rule: Rule, shape: impl Into<Shape>) -> Slip {
    let mismatch = check(forward, rule, shape).expect_err("the rule is wrong");
    assert_eq!(mismatch.order(), 1);
    mismatch.slip().unwrap_or_else(|| panic!("no guess: {mismatch}")).clone()
}

const SQUARE: Forward = |x| Ok(x[0].map(|x| x * x));
const DOUBLED: Forward = |x| Ok(x[0].map(|x| 2.0 * x));
const TRANSPOSED: Forward = |x| x[0].permute(&[1, 0]);

#[test]
fn right_rules_pass() {
    check(SQUARE, |_, grad, at| Ok(grad * at.input(0) * 2.0), [2, 3]).unwrap();
    check(TRANSPOSED, |_, grad, _| grad.t(), [2, 3]).unwrap();
    let square = |x: &[Tensor<f64>]| Made(SQUARE, |_, grad, at| Ok(grad * at.input(0) * 2.0)).apply(&[&x[0]]);
    check::second_order(square, &[numbers([2, 3])]).unwrap();
    check::second_order(square, &[numbers([])]).unwrap();
}

#[test]
fn constant_factors_are_named() {
    assert_eq!(slip(SQUARE, |_, grad, at| Ok(grad * at.input(0) * 4.0), [3]), Slip::Twice);
    assert_eq!(slip(SQUARE, |_, grad, at| Ok(grad * at.input(0)), [3]), Slip::Half);
    assert_eq!(slip(SQUARE, |_, grad, at| Ok(grad * at.input(0) * -2.0), [3]), Slip::Sign);
    // A mean with the rule of a sum.
    let mean: Forward = |x| Ok(Array::scalar(x[0].to_vec().iter().sum::<f64>() / x[0].size() as f64));
    let found = slip(mean, |_, grad, at| grad.broadcast_to(at.shape(0)), [2, 3]);
    assert!(matches!(found, Slip::Factor(factor) if (factor - 6.0).abs() < 1e-6), "{found:?}");
}

#[test]
fn severed_gradients_are_named() {
    assert_eq!(slip(SQUARE, |_, _, at| Ok(at.zeros(0)), [3]), Slip::Severed);
    let nothing = check::grads(|x| Ok(x[0].detach().exp()), &[numbers([2])]).unwrap_err();
    assert_eq!(nothing.slip(), Some(&Slip::Severed));
    // One of two inputs.
    let one = check::grads(|x| Ok(&x[0] * x[1].detach()), &[numbers([2]), numbers([2])]).unwrap_err();
    assert!(one.to_string().contains("/ d input 1["), "{one}");
    assert!(one.to_string().contains(": zero: severed (2 of 4 entries are wrong)"), "{one}");
    // Some elements: only the first row of what was broadcast.
    let rule: Rule = |_, grad, _| (grad * 2.0).slice(0, 0..1)?.pad(&[(0, 2)], 0.0);
    assert_eq!(slip(DOUBLED, rule, [3]), Slip::PartlySevered);
}

#[test]
fn broadcasting_that_is_undone_wrongly_is_named() {
    let add: Forward = |x| x[0].zip(x[1], |a, b| a + b);
    let rule: Rule = |index, grad, _| if index == 0 { grad.sum_axes(1) } else { Ok(grad.clone()) };
    let inputs = [numbers([3]), numbers([3, 3])];
    let wrong = check::grads(|x| Made(add, rule).apply(&[&x[0], &x[1]]), &inputs).unwrap_err();
    assert_eq!(wrong.slip(), Some(&Slip::WrongAxis(1, 0)), "{wrong}");
    assert!(wrong.to_string().contains("summed over axis 1 in place of axis 0"), "{wrong}");

    let summed: Rule = |_, grad, at| (grad * 2.0).sum_keep(0)?.broadcast_to(at.shape(0));
    assert_eq!(slip(DOUBLED, summed, [3, 2]), Slip::Summed(0));
    let averaged: Rule = |_, grad, at| (grad * 2.0).mean_keep(1)?.broadcast_to(at.shape(0));
    assert_eq!(slip(DOUBLED, averaged, [3, 2]), Slip::Averaged(1));
}

#[test]
fn exchanged_and_reversed_elements_are_named() {
    assert_eq!(slip(TRANSPOSED, |_, grad, _| Ok(grad.clone()), [3, 3]), Slip::Transposed(0, 1));
    // With sizes that differ the right elements come in the wrong order.
    assert_eq!(slip(TRANSPOSED, |_, grad, _| grad.reshape([2, 3]), [2, 3]), Slip::Transposed(0, 1));
    assert_eq!(slip(|x| x[0].permute(&[0]), |_, grad, _| grad.flip(0), [4]), Slip::Reversed(0));
    // `x W` with the rule of `x Wᵀ`.
    let w = numbers([3, 3]);
    let product = |x: &[Tensor<f64>]| {
        let right = x[0].matmul(&w)?;
        // The value of one, the gradient of the other.
        let wrong = x[0].matmul(&w.t()?)?;
        Ok(right.detach() + &wrong - wrong.detach())
    };
    let found = check::grads(product, &[numbers([2, 3])]).unwrap_err();
    assert_eq!(found.slip(), Some(&Slip::Adjoint), "{found}");
}

#[test]
fn what_is_no_number_or_follows_no_pattern_is_said() {
    assert_eq!(slip(SQUARE, |_, grad, _| Ok(grad * f64::NAN), [3]), Slip::NotFinite);
    assert_eq!(slip(SQUARE, |_, grad, at| Ok(grad * at.input(0).exp()), [3]), Slip::Unknown);
}

#[test]
fn a_hidden_dependence_is_found_at_second_order_only() {
    let rule: Rule = |_, grad, at| Ok(grad * at.input(0).detach() * 2.0);
    check(SQUARE, rule, [3]).unwrap();
    let found = check::second_order(|x| Made(SQUARE, rule).apply(&[&x[0]]), &[numbers([3])]).unwrap_err();
    assert_eq!((found.order(), found.slip()), (2, Some(&Slip::Hidden)), "{found}");
    assert!(found.to_string().starts_with("second order: d (gradient of input 0)["), "{found}");
    assert!(found.to_string().contains("does the op keep something in its state"), "{found}");
    // Half hidden.
    let cube: Forward = |x| Ok(x[0].map(|x| x * x * x));
    let rule: Rule = |_, grad, at| Ok(grad * at.input(0).detach() * at.input(0) * 3.0);
    let found = check::second_order(|x| Made(cube, rule).apply(&[&x[0]]), &[numbers([3])]).unwrap_err();
    assert_eq!(found.order(), 2, "{found}");
}

#[test]
fn a_severed_cotangent_is_named() {
    let rule: Rule = |_, grad, at| Ok(grad.detach() * at.input(0) * 2.0);
    let found = check::second_order(|x| Made(SQUARE, rule).apply(&[&x[0]]), &[numbers([3])]).unwrap_err();
    assert_eq!((found.order(), found.slip()), (2, Some(&Slip::Severed)), "{found}");
    assert!(found.to_string().contains("/ d cotangent 0["), "{found}");
}

#[test]
fn chance_is_reported_as_such() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn drifting() -> f64 {
        1.0 + CALLS.fetch_add(1, Ordering::Relaxed) as f64 * 1e-6
    }
    let rule: Rule = |_, grad, at| Ok(grad * at.input(0) * (2.0 * drifting()));
    let forward: Forward = |x| Ok(x[0].map(|x| x * drifting()));
    for found in [check(SQUARE, rule, [2]), check(forward, |_, grad, _| Ok(grad.clone()), [2])] {
        let found = found.unwrap_err();
        assert!(matches!(found.fault(), Fault::Law { law: Law::Repeat, .. }), "{found}");
        assert!(found.to_string().contains("is there state or chance in it?"), "{found}");
    }
}

#[test]
fn laws_beside_the_numbers_are_checked() {
    let law = |found: Result<(), Mismatch>| match found.unwrap_err().fault() {
        Fault::Law { law, .. } => *law,
        other => panic!("{other}"),
    };
    // Without `grad`, the Jacobian of a single number is right all the same.
    assert_eq!(law(check(SQUARE, |_, _, at| Ok(at.input(0) * 2.0), [])), Law::ZeroSeed);
    let rule: Rule = |_, grad, at| Ok(grad * at.input(0) * if is_recording() { 3.0 } else { 2.0 });
    assert_eq!(law(check(SQUARE, rule, [2])), Law::Recording);
    // A forward that takes the elements as they lie.
    let careless: Forward = |x| Ok(x[0].map(|y| if x[0].as_slice().is_some() { y } else { y + 1.0 }));
    let view = Layout::TRANSPOSED.place(Shape::from([2, 2]), &[1.0, 2.0, 3.0, 4.0]);
    let found = check::grads(|x| Made(careless, |_, grad, _| Ok(grad.clone())).apply(&[&x[0]]), &[view]);
    assert_eq!(law(found), Law::Layout);
}

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
        x[0].zip(x[1], |a, b| a * b)
    }
    fn vjp(&self, index: usize, grad: &Tensor<f64>, at: &Point<'_, f64>) -> Result<Tensor<f64>> {
        let asked = self.asked.fetch_or(index == 0, Ordering::Relaxed);
        if index == 0 || asked { Ok(grad * at.input(1 - index)) } else { Ok(at.zeros(1)) }
    }
}

#[test]
fn an_input_that_is_tracked_alone_gets_its_gradient() {
    let found = check::grads(|x| Careless::default().apply(&[&x[0], &x[1]]), &[numbers([2]), numbers([2])])
        .unwrap_err();
    assert!(matches!(found.fault(), Fault::Law { law: Law::Subset, .. }), "{found}");
    assert!(found.to_string().contains("(gradient of input 1)[0]"), "{found}");
}

#[test]
fn errors_of_rules_are_passed_on() {
    let found = check(SQUARE, |_, _, _| Ok(Tensor::zeros([5, 7])), [3]).unwrap_err();
    assert!(matches!(found.fault(), Fault::Error(_)), "{found}");
    assert!(
        found.to_string().contains("the gradient rule for input 0 returned shape [5, 7] where [3] is needed")
    );
    let found =
        check(|_| Err(Error::new("made", "refused")), |_, grad, _| Ok(grad.clone()), [3]).unwrap_err();
    assert!(found.to_string().starts_with("first order: made: refused"), "{found}");
}

#[test]
fn kinks_and_poles_are_undecided_and_wrong_rules_beside_them_are_not() {
    let at = |values: [f64; 4]| [Tensor::from_vec(values, [4]).unwrap()];
    let relu = |x: &[Tensor<f64>]| Ok(x[0].relu());
    let found = check::grads(relu, &at([0.0, 1.0, -1.0, 2.0])).unwrap_err();
    assert!(matches!(found.fault(), Fault::Inconclusive { undecided: 1, elements: 4, .. }), "{found}");
    assert!(found.to_string().contains("first d output[0] / d input 0[0], numerically 0.5 ± 1"), "{found}");
    let lenient = Gradients::new().undecided(0.25);
    let report = lenient.check(relu, &at([0.0, 1.0, -1.0, 2.0])).unwrap();
    assert_eq!((report.entries(), report.elements(), report.undecided()), (16, 4, 1));
    // The pole of a logarithm.
    let report = lenient.check(|x| Ok(x[0].ln()), &at([1e-4, 1.0, 2.0, 3.0])).unwrap();
    assert_eq!(report.undecided(), 1);
    let wrong = |x: &[Tensor<f64>]| Ok(x[0].relu() + x[0].exp() - x[0].exp().detach());
    let found = check::grads(wrong, &at([0.0, 1.0, -1.0, 2.0])).unwrap_err();
    assert!(found.slip().is_some(), "{found}");
}

#[test]
fn higher_orders_and_whole_models_pass() {
    let third = Gradients::new().order(3).check(|x| Ok(x[0].tanh() * &x[1]), &[numbers([2]), numbers([1])]);
    // Outputs by inputs: 2 by 3, then the gradients by these and the cotangent, then those of these.
    assert_eq!(third.unwrap().entries(), 2 * 3 + 3 * 5 + 5 * 8);
    let model = |p: &[Tensor<f64>]| {
        let x = Tensor::from_vec([0.5, -1.0, 2.0, 0.1, 0.7, -0.3], [2, 3])?;
        x.matmul(&p[0])?.tanh().matmul(&p[1])?.cross_entropy(&[1, 0])
    };
    check::second_order(model, &[numbers([3, 2]), numbers([2, 2])]).unwrap();
}
