//! A look at the gradient on its way back.

use crate::array::Array;
use crate::error::Result;
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::tensor::Tensor;

/// The input; its gradient goes through a function.
struct MapGrad<F>(F);

impl<T, F> Op<T> for MapGrad<F>
where
    T: Float,
    F: Fn(&Tensor<T>) -> Result<Tensor<T>> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        "map_grad"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].clone())
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        (self.0)(&grad)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Tensor<T> {
    /// The same values; on the way back, `f` is given the gradient with respect to them, summed over all uses of the
    /// result, and what it returns goes on.
    ///
    /// For looking at a gradient (return it unchanged), clipping it, or reversing it. `f` must return the shape it was
    /// given; an error that it returns becomes that of the backward pass. If that pass is itself recorded, so is what
    /// `f` computes; the gradient of that gradient passes through `f` in its turn. Forward mode ([`jvp`](crate::jvp) and the [`jacobian`](crate::jacobian) of an output that is larger
    /// than the input) differentiates `f` at a gradient of zeros.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0], [2])?.variable();
    /// let limit = Tensor::scalar(3.0);
    /// let y = x.map_grad(move |grad| grad.minimum(&limit)).square();
    /// y.sum().backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), [2.0, 3.0]); // instead of 4
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn map_grad(&self, f: impl Fn(&Self) -> Result<Self> + Send + Sync + 'static) -> Self {
        MapGrad(f).apply(&[self]).expect("a copy takes any shape")
    }
}
