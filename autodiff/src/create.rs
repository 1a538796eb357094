//! Tensors made from a rule: one number, even steps, the identity.

use crate::array::Array;
use crate::error::{Error, OfOp, Result};
use crate::float::Float;
use crate::shape::Shape;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// A constant of rank 0.
    pub fn scalar(value: T) -> Self {
        Array::scalar(value).into()
    }

    /// A constant in which each element is `value`.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn full(value: T, shape: impl Into<Shape>) -> Self {
        Array::full(value, shape).into()
    }

    /// Zeros.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(T::ZERO, shape)
    }

    /// Ones.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Self::full(T::ONE, shape)
    }

    /// A constant of this shape in which each element is `value`.
    ///
    /// ```
    /// use autodiff::tensor;
    /// assert_eq!(tensor![[1.0, 2.0]].full_like(7.0).array(), tensor![[7.0, 7.0]].array());
    /// ```
    pub fn full_like(&self, value: T) -> Self {
        Self::full(value, self.shape())
    }

    /// Zeros of this shape, as a constant.
    ///
    /// ```
    /// use autodiff::tensor;
    /// assert_eq!(tensor![[1.0, 2.0]].zeros_like().array(), tensor![[0.0, 0.0]].array());
    /// ```
    pub fn zeros_like(&self) -> Self {
        Self::zeros(self.shape())
    }

    /// Ones of this shape, as a constant.
    ///
    /// ```
    /// use autodiff::tensor;
    /// assert_eq!(tensor![[1.0, 2.0]].ones_like().array(), tensor![[1.0, 1.0]].array());
    /// ```
    pub fn ones_like(&self) -> Self {
        Self::ones(self.shape())
    }

    /// The identity matrix: `n` by `n`, 1 on the diagonal, else 0.
    ///
    /// # Panics
    /// If `n` is too large, see [`Shape::new`].
    ///
    /// ```
    /// use autodiff::{Tensor, tensor};
    /// assert_eq!(Tensor::eye(2).array(), tensor![[1.0, 0.0], [0.0, 1.0]].array());
    /// ```
    pub fn eye(n: usize) -> Self {
        let array = Array::build(Shape::from([n, n]), |out| {
            out.fill(T::ZERO);
            out.iter_mut().step_by(n + 1).for_each(|x| *x = T::ONE);
        });
        array.into()
    }

    /// `start, start + step, start + 2 step, ..` as long as `end` is not reached: `⌈(end - start) / step⌉` numbers, each
    /// computed in `f64` and rounded once.
    ///
    /// A step that is no binary fraction may let `end` slip in by rounding: where the last number matters, ask
    /// [`linspace`](Tensor::linspace).
    ///
    /// # Errors
    /// If `step` is 0 or leads away from `end`, a number is infinite or NaN, or there are too many steps.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::<f32>::arange(0.0, 5.0, 2.0)?.to_vec(), [0.0, 2.0, 4.0]);
    /// assert_eq!(Tensor::<f32>::arange(1.0, 0.0, -0.5)?.to_vec(), [1.0, 0.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn arange(start: f64, end: f64, step: f64) -> Result<Self> {
        let steps = ((end - start) / step).ceil();
        if !(steps >= 0.0 && steps.is_finite() && step.is_finite()) {
            return Err(Error::new("arange", format!("no steps of {step} lead from {start} to {end}")));
        }
        // A float beyond `usize` becomes the largest `usize`, which no shape takes.
        let shape = Shape::new(&[steps as usize]).of_op("arange")?;
        Ok(Self::numbered(shape, |i| start + step * i as f64))
    }

    /// `steps` numbers from `start` to `end`, both included, evenly apart: `start + i (end - start) / (steps - 1)`,
    /// computed in `f64` and rounded once.
    ///
    /// The second half is counted from `end`, so that `end` itself is met exactly. One step is `start` alone.
    ///
    /// # Panics
    /// If there are too many steps, see [`Shape::new`].
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::<f32>::linspace(0.0, 1.0, 5).to_vec(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    pub fn linspace(start: f64, end: f64, steps: usize) -> Self {
        let last = steps.saturating_sub(1);
        let step = (end - start) / last.max(1) as f64;
        Self::numbered(Shape::from([steps]), |i| {
            if i == 0 || i < steps / 2 { start + step * i as f64 } else { end - step * (last - i) as f64 }
        })
    }

    /// Element `i` is `f(i)`.
    fn numbered(shape: Shape, f: impl Fn(usize) -> f64) -> Self {
        let array = Array::build(shape, |out| {
            for (i, x) in out.iter_mut().enumerate() {
                *x = T::from_f64(f(i));
            }
        });
        array.into()
    }
}
