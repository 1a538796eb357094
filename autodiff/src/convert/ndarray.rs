//! From and to the arrays of the crate `ndarray`. The numbers are copied either way.
//!
//! ```
//! use autodiff::Tensor;
//! use ndarray::{ArrayD, array};
//! let x = Tensor::try_from(array![[1.0, 2.0], [3.0, 4.0]].t())?; // any layout
//! assert_eq!(x.to_vec(), [1.0, 3.0, 2.0, 4.0]);
//! assert_eq!(ArrayD::from(x.exp()).shape(), [2, 2]);
//! # Ok::<(), autodiff::Error>(())
//! ```

use crate::array::Array;
use crate::error::{OfOp, Result};
use crate::float::Float;
use crate::kernel::buffer::Element;
use crate::shape::Shape;
use crate::tensor::Tensor;
use ::ndarray::{ArrayBase, ArrayD, Data, Dimension};

/// Writes the conversions from and to both kinds of values.
macro_rules! convert {
    ($($ours:ident, $number:ident;)*) => {$(
        impl<T: $number, S: Data<Elem = T>, D: Dimension> TryFrom<&ArrayBase<S, D>> for $ours<T> {
            type Error = crate::Error;
            /// The elements of an array or view, whatever its layout.
            ///
            /// # Errors
            /// If there are more than [`MAX_RANK`](crate::MAX_RANK) axes, or one is too long.
            #[track_caller]
            fn try_from(theirs: &ArrayBase<S, D>) -> Result<Self> {
                let shape = Shape::new(theirs.shape()).of_op("try_from")?;
                let copied = Array::build(shape, |out| {
                    for (out, &x) in out.iter_mut().zip(theirs) {
                        *out = x;
                    }
                });
                Ok(copied.into())
            }
        }

        impl<T: $number, S: Data<Elem = T>, D: Dimension> TryFrom<ArrayBase<S, D>> for $ours<T> {
            type Error = crate::Error;
            /// The elements of an array or view, whatever its layout.
            ///
            /// # Errors
            /// If there are more than [`MAX_RANK`](crate::MAX_RANK) axes, or one is too long.
            #[track_caller]
            fn try_from(theirs: ArrayBase<S, D>) -> Result<Self> {
                Self::try_from(&theirs)
            }
        }

        impl<T: $number> From<&$ours<T>> for ArrayD<T> {
            /// The elements, in the standard layout; `into_dimensionality` makes the rank part of the type.
            fn from(ours: &$ours<T>) -> Self {
                let sizes = ours.shape().to_vec();
                Self::from_shape_vec(sizes, ours.to_vec()).expect("as many elements as the sizes multiply to")
            }
        }

        impl<T: $number> From<$ours<T>> for ArrayD<T> {
            /// The elements, in the standard layout; `into_dimensionality` makes the rank part of the type.
            fn from(ours: $ours<T>) -> Self {
                Self::from(&ours)
            }
        }
    )*};
}

convert! {
    Array, Element;
    Tensor, Float;
}
