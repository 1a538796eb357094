//! Comparisons, and the choice between two tensors.
//!
//! A comparison gives a mask: a tensor of ones and zeros that is never tracked, because it has no gradient.

use crate::array::Array;
use crate::error::{OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::tensor::Tensor;

/// `a` where the mask is not zero, else `b`.
struct Select<T: Float> {
    mask: Array<T>,
}

impl<T: Float> Op<T> for Select<T> {
    fn name(&self) -> &'static str {
        "select"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        self.mask.zip3(x[0], x[1], |m, a, b| if m == T::ZERO { b } else { a })
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        let zero = Tensor::scalar(T::ZERO);
        let inputs = if index == 0 { [&grad, &zero] } else { [&zero, &grad] };
        Self { mask: self.mask.clone() }.apply(&inputs)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Tensor<T> {
    /// Elements of `a` where this mask is not zero, of `b` where it is; all three broadcast.
    ///
    /// The gradient goes to the chosen element alone, so that what is not chosen may be infinite or NaN:
    /// `x.gt(&zero)?.select(&x.ln(), &zero)?`. The mask itself gets none.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let mask = Tensor::from_vec([1.0, 0.0], [2])?;
    /// assert_eq!(mask.select(&Tensor::scalar(5.0), &Tensor::scalar(7.0))?.to_vec(), [5.0, 7.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn select(&self, a: &Self, b: &Self) -> Result<Self> {
        Select { mask: self.array.clone() }.apply(&[a, b])
    }

    /// These elements with 1 in place of each 0, which gets no gradient: what can be divided by.
    #[track_caller]
    pub(crate) fn or_one(&self) -> Self {
        let zero = Self::scalar(T::ZERO);
        let mask = self.eq(&zero).expect("a number broadcasts");
        mask.select(&Self::scalar(T::ONE), self).expect("numbers broadcast")
    }

    /// The tensor with `value` where `mask`, which is broadcast, is not zero. There the gradient is 0; the mask gets none.
    ///
    /// # Errors
    /// If the mask does not broadcast to the tensor's shape.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, f32::NAN, 3.0], [3])?;
    /// assert_eq!(x.masked_fill(&x.ne(&x)?, 0.0)?.to_vec(), [1.0, 0.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_fill(&self, mask: &Self, value: f64) -> Result<Self> {
        let mask = mask.array.broadcast_to(self.shape()).of_op("masked_fill")?;
        Select { mask }.apply(&[&Self::scalar(T::from_f64(value)), self])
    }
}

macro_rules! comparison {
    ($($(#[$doc:meta])* $method:ident = |$a:ident, $b:ident| $holds:expr;)*) => {
        impl<T: Float> Tensor<T> {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// If the shapes do not broadcast.
                #[track_caller]
                pub fn $method(&self, other: &Self) -> Result<Self> {
                    let mask = self.array.zip(&other.array, |$a, $b| if $holds { T::ONE } else { T::ZERO });
                    Ok(mask.of_op(stringify!($method))?.into())
                }
            )*
        }
    };
}

comparison! {
    /// The mask of `a = b`, elementwise after broadcasting; never tracked.
    eq = |a, b| a == b;
    /// The mask of `a ≠ b`, elementwise after broadcasting; never tracked.
    ne = |a, b| a != b;
    /// The mask of `a < b`, elementwise after broadcasting; never tracked.
    lt = |a, b| a < b;
    /// The mask of `a ≤ b`, elementwise after broadcasting; never tracked.
    le = |a, b| a <= b;
    /// The mask of `a > b`, elementwise after broadcasting; never tracked.
    gt = |a, b| a > b;
    /// The mask of `a ≥ b`, elementwise after broadcasting; never tracked.
    ge = |a, b| a >= b;
}
