//! An op as a user outside the crate writes it, exactly as ours are: ten lines, and one for the laws.

use autodiff::check::property::{Line, Shapes};
use autodiff::check::strategies::Domain;
use autodiff::check::{Fault, Law, Slip};
use autodiff::{Array, Float, Op, Point, Result, Tensor, grad};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct SoftSign;
#[rustfmt::skip] // a line a method, as one would write it on a board
impl<T: Float> Op<T> for SoftSign {
    fn name(&self) -> &'static str { "soft_sign" }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> { Ok(x[0].map(|x| x / (T::ONE + x.abs()))) }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad / (at.input(0).abs() + 1.0).square())
    }
}

autodiff::laws! {
    const LAWS;
    soft_sign: Shapes::alike(0..=4).elementwise(), [Domain::NONZERO], |[x], _| SoftSign.apply(&[x]);
    #[should_panic(expected = "the gradient is right and its own derivative is not")]
    constant_slope: Shapes::alike(0..=2), [Domain::Small], |[x], _| Ok(x * x.detach() * 2.0 - x.square().detach());
    #[should_panic(expected = "a view and a contiguous copy of the inputs give different values")]
    contiguous_only: Shapes::alike(1..=1), [Domain::NONZERO], |[x], _| {
        if x.array().as_slice().is_some() { Ok(x.clone()) } else { Ok(x * 2.0) }
    };
}

#[test]
fn a_program_is_told_what_holds_and_what_does_not() {
    assert_eq!(
        LAWS.iter().map(Line::name).collect::<Vec<_>>(),
        ["soft_sign", "constant_slope", "contiguous_only"]
    );
    let held = LAWS[0].judge().unwrap();
    assert!(held.points() > 64 && held.report().entries() > 1000, "{held:?}");
    assert_eq!(held.report().undecided(), 0);

    let broken = LAWS[1].judge().unwrap_err();
    assert_eq!((broken.mismatch().order(), broken.mismatch().slip()), (2, Some(&Slip::Hidden)));
    assert_eq!(broken.to_string(), format!("{}\n\n{}", broken.mismatch(), broken.test()));
    let contiguous = "The inputs were no contiguous tensors, but placed with";
    let broken = LAWS[2].judge().unwrap_err();
    assert!(
        matches!(broken.mismatch().fault(), Fault::Law { law: Law::Layout, .. }),
        "{}",
        broken.mismatch()
    );
    assert!(broken.to_string().contains(&format!("{contiguous} [Layout {{")), "{broken}");
}

#[test]
fn its_gradients_are_checked_at_a_point_in_one_line() {
    let x = Tensor::from_vec([-2.0, -0.5, 0.3, 4.0], [4]).unwrap();
    autodiff::check::laws(|x| SoftSign.apply(&[&x[0]]), &[x]).unwrap();
}

/// `a b`, with one rule for both inputs that counts how often it is asked, and may forget one.
struct Product {
    asked: Arc<AtomicUsize>,
    complete: bool,
}

impl<T: Float> Op<T> for Product {
    fn name(&self) -> &'static str {
        "product"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip(x[1], |a, b| a * b)
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * at.input(1 - index))
    }
    fn vjps(&self, indices: &[usize], grad: &Tensor<T>, at: &Point<'_, T>) -> Option<Result<Vec<Tensor<T>>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let indices = if self.complete { indices } else { &indices[1..] };
        Some(indices.iter().map(|&index| self.vjp(index, grad.clone(), at)).collect())
    }
}

#[test]
fn a_rule_for_several_inputs_is_asked_once_and_only_for_several() {
    let asked = Arc::new(AtomicUsize::new(0));
    let product = |a: &Tensor<f64>, b: &Tensor<f64>, complete| {
        Product { asked: asked.clone(), complete }.apply(&[a, b]).unwrap().sum()
    };
    let a = Tensor::from_vec([2.0, 3.0], [2, 1]).unwrap().variable();
    let b = Tensor::from_vec([5.0, 7.0, 11.0], [3]).unwrap().variable();
    product(&a, &b, true).backward().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // Summed over what was broadcast, as what `vjp` returns.
    assert_eq!((a.take_grad().unwrap().to_vec(), b.grad().unwrap().to_vec()), (vec![23.0; 2], vec![5.0; 3]));

    let y = product(&a, &b, true);
    grad(&y, [&a]).unwrap();
    product(&a, &b.detach(), true).backward().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1, "a single input is the business of `vjp`");
    grad(&y, [&b, &a]).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);

    let error = product(&a, &b, false).backward().unwrap_err();
    assert!(
        error.to_string().starts_with("product: `vjps` returned 1 gradients for 2 inputs at "),
        "{error}"
    );
    let laws = |x: &[Tensor<f64>]| Product { asked: asked.clone(), complete: true }.apply(&[&x[0], &x[1]]);
    autodiff::check::second_order(laws, &[a.detach(), b.detach()]).unwrap();
}
