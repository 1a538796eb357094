//! What a check says, word for word: the place, the figures, the guess at the slip, a test to paste.

use crate::mutants::{Forward, Made, Rule, SQUARE, numbers};
use autodiff::check::property::{Shapes, config, hold};
use autodiff::check::strategies::{Choice, Domain, operands, shapes};
use autodiff::check::{self, Fault, Gradients, Mismatch, Slip};
use autodiff::{Error, Shape, Tensor};
use proptest::test_runner::{TestError, TestRunner};

/// What a check says of the square with another rule.
fn says(check: fn(Made, Tensor<f64>) -> Result<(), Mismatch>, rule: Rule) -> String {
    check(Made::new(SQUARE, rule), numbers([3])).expect_err("the rule is wrong").to_string()
}

fn grads(op: Made, x: Tensor<f64>) -> Result<(), Mismatch> {
    check::grads(op.function(), &[x])
}

fn second_order(op: Made, x: Tensor<f64>) -> Result<(), Mismatch> {
    check::second_order(op.function(), &[x])
}

#[test]
fn entries_are_named_with_a_guess_and_a_count() {
    let one =
        check::grads(|x| Ok(&x[0] * x[1].detach()), &[numbers([2]), numbers([2])]).unwrap_err().to_string();
    assert!(one.contains("/ d input 1["), "{one}");
    assert!(one.contains(": zero: severed (2 of 4 entries are wrong)"), "{one}");
    let add = Made::new(
        |x| x[0].zip(x[1], |a, b| a + b),
        |index, grad, _| if index == 0 { grad.sum_axes(1) } else { Ok(grad.clone()) },
    );
    let wrong = check::grads(add.function(), &[numbers([3]), numbers([3, 3])]).unwrap_err().to_string();
    assert!(wrong.contains("summed over axis 1 in place of axis 0"), "{wrong}");
}

#[test]
fn second_order_names_gradients_and_cotangents() {
    let hidden = says(second_order, |_, grad, at| Ok(grad * at.input(0).detach() * 2.0));
    assert!(hidden.starts_with("second order: d (gradient of input 0)["), "{hidden}");
    assert!(hidden.contains("does the op keep something in its state"), "{hidden}");
    let severed = says(second_order, |_, grad, at| Ok(grad.detach() * at.input(0) * 2.0));
    assert!(severed.contains("/ d cotangent 0["), "{severed}");
}

#[test]
fn laws_name_the_element_and_the_suspect() {
    let adjoint = |op: Made, x| check::adjoint(op.function(), &[x]);
    let found = says(adjoint, |_, grad, at| Ok(grad.detach() * at.input(0) * 2.0));
    assert!(found.contains("the product for input 0 is"), "{found}");
    let linear = |op: Made, x| check::linear(op.function(), &[x]);
    let found = says(linear, |_, grad, at| Ok(grad.square() * at.input(0) * 2.0));
    assert!(found.contains("is the rule not linear in `grad`?: (gradient of input 0)[0] is"), "{found}");
    // A function that is not elementwise.
    let sum = check::lengths(|x: &[Tensor<f64>]| Ok(x[0].sum()), &[numbers([6])]).unwrap_err();
    assert!(sum.to_string().contains("an output of shape [] from inputs of shape [1]"), "{sum}");
}

#[test]
fn errors_of_rules_are_passed_on() {
    let found = says(grads, |_, _, _| Ok(Tensor::zeros([5, 7])));
    assert!(
        found.contains("the gradient rule for input 0 returned shape [5, 7] where [3] is needed"),
        "{found}"
    );
    let refused = Made::new(|_| Err(Error::new("made", "refused")), |_, grad, _| Ok(grad.clone()));
    let found = grads(refused, numbers([3])).unwrap_err();
    assert!(found.to_string().starts_with("first order: made: refused"), "{found}");
}

#[test]
fn rounding_where_the_gradient_cancels_is_no_fault() {
    // Rows of mean zero: the gradient of their sum is zero, and what is computed of it is rounding, by either pass.
    let sum = |x: &[Tensor<f64>]| Ok(x[0].layer_norm(&Tensor::ones([5]), &Tensor::zeros([5]), 0.5)?.sum());
    check::grads(sum, &[numbers([2, 5])]).unwrap();
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

#[test]
fn a_fault_shrinks_to_the_smallest_case() {
    // `eˣ` with a rule that is wrong from three elements on along the last axis.
    let exp: Forward = |x| Ok(x[0].map(f64::exp));
    let rule: Rule = |_, grad, at| {
        let long = at.shape(0).iter().last().is_some_and(|side| side > 2);
        Ok(grad * at.output() * if long { 2.0 } else { 1.0 })
    };
    let mutant = Made::new(exp, rule).function();
    let strategy = (shapes(0..=4), operands(Domain::Small));
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
            [Domain::Small],
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
        let f: &'static (dyn Fn([&T; 1], check::strategies::Choice) -> autodiff::Result<T> + Sync) = &|[x], _| Ok(x.detach() * x);
        move |x: &[T]| f([&x[0]], check::strategies::Choice::new(0))
    }, &inputs).unwrap();",
    ] {
        assert!(text.contains(part), "{part}\nin\n{text}");
    }
    // What it shows, pasted.
    let function = {
        type T = Tensor<f64>;
        let f: &'static (dyn Fn([&T; 1], Choice) -> autodiff::Result<T> + Sync) =
            &|[x], _| Ok(x.detach() * x);
        move |x: &[T]| f([&x[0]], Choice::new(0))
    };
    let inputs = [Tensor::<f64>::from_vec(vec![0.0], [1]).unwrap()];
    assert_eq!(check::laws(function, &inputs).unwrap_err().slip(), Some(&Slip::Hidden));
}
