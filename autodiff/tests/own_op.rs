//! An op as a user outside the crate writes it: exactly as ours are.

use autodiff::{Array, Float, Op, Point, Result, Tensor};

struct SoftSign;
impl<T: Float> Op<T> for SoftSign {
    fn name(&self) -> &'static str {
        "soft_sign"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].map(|x| x / (T::ONE + x.abs())))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad / (at.input(0).abs() + 1.0).square())
    }
}

#[test]
fn its_gradients_are_checked_to_second_order_in_one_line() {
    let x = Tensor::from_vec([-2.0, -0.5, 0.3, 4.0], [4]).unwrap();
    autodiff::check::second_order(|x| SoftSign.apply(&[&x[0]]), &[x]).unwrap();
}
