//! Arrays and tensors from what the standard library has: numbers, nested arrays, slices, vectors, iterators.
//!
//! Rows of one length by their type are converted by `From`, vectors of vectors by `TryFrom`:
//!
//! ```
//! use autodiff::Tensor;
//! let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
//! assert_eq!(Tensor::from(vec![[1.0, 2.0], [3.0, 4.0]]).array(), x.array());
//! assert_eq!(Tensor::try_from(vec![vec![1.0, 2.0], vec![3.0, 4.0]])?.array(), x.array());
//! let error = Tensor::try_from(vec![vec![1.0, 2.0], vec![3.0]]).unwrap_err();
//! assert!(error.to_string().contains("the rows differ: number 0 is of shape [2], number 1 of shape [1]"));
//! # Ok::<(), autodiff::Error>(())
//! ```

#[cfg(feature = "ndarray")]
mod ndarray;

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::kernel::buffer::Element;
use crate::shape::Shape;
use crate::tensor::Tensor;

impl<T: Element> From<T> for Array<T> {
    /// Of rank 0.
    fn from(value: T) -> Self {
        Self::scalar(value)
    }
}

impl<T: Float> From<T> for Tensor<T> {
    /// A constant of rank 0.
    fn from(value: T) -> Self {
        Self::scalar(value)
    }
}

/// Writes the conversions of lists whose rows are arrays and so of one length.
macro_rules! from_rows {
    ($($row:ty, [$($size:ident),*], $numbers:expr;)*) => {$(
        impl<T: Element, $(const $size: usize),*> From<&[$row]> for Array<T> {
            /// The rows along the first axis.
            ///
            /// # Panics
            /// If there are too many rows, see [`Shape::new`].
            fn from(rows: &[$row]) -> Self {
                let shape = Shape::from([rows.len(), $($size),*]);
                let numbers: fn(&[$row]) -> &[T] = $numbers;
                Self::from_vec(numbers(rows), shape).expect("as many numbers as the sizes multiply to")
            }
        }
        from_rows!(@owned Array, Element, [$row; LEN], [LEN, $($size,)*]);
        from_rows!(@owned Array, Element, Vec<$row>, [$($size,)*]);
        impl<T: Float, $(const $size: usize),*> From<&[$row]> for Tensor<T> {
            /// The rows along the first axis.
            ///
            /// # Panics
            /// If there are too many rows, see [`Shape::new`].
            fn from(rows: &[$row]) -> Self {
                Array::from(rows).into()
            }
        }
        from_rows!(@owned Tensor, Float, [$row; LEN], [LEN, $($size,)*]);
        from_rows!(@owned Tensor, Float, Vec<$row>, [$($size,)*]);
    )*};
    (@owned $to:ident, $number:ident, $rows:ty, [$($size:ident,)*]) => {
        impl<T: $number, $(const $size: usize),*> From<$rows> for $to<T> {
            /// The rows along the first axis.
            ///
            /// # Panics
            /// If there are too many rows, see [`Shape::new`].
            fn from(rows: $rows) -> Self {
                Self::from(&rows[..])
            }
        }
    };
}

from_rows! {
    T, [], |rows| rows;
    [T; B], [B], |rows| rows.as_flattened();
    [[T; C]; B], [B, C], |rows| rows.as_flattened().as_flattened();
    [[[T; D]; C]; B], [B, C, D], |rows| rows.as_flattened().as_flattened().as_flattened();
    [[[[T; E]; D]; C]; B], [B, C, D, E], |rows| {
        rows.as_flattened().as_flattened().as_flattened().as_flattened()
    };
    [[[[[T; F]; E]; D]; C]; B], [B, C, D, E, F], |rows| {
        rows.as_flattened().as_flattened().as_flattened().as_flattened().as_flattened()
    };
}

/// Writes the conversions of lists whose rows are vectors, which may differ in length.
macro_rules! try_from_rows {
    ($($row:ty, $rank:literal, $array:expr;)*) => {$(
        impl<T: Element> TryFrom<&[$row]> for Array<T> {
            type Error = crate::Error;
            /// The rows along the first axis.
            ///
            /// # Errors
            /// If the rows differ in shape, or are too many.
            #[track_caller]
            fn try_from(rows: &[$row]) -> Result<Self> {
                let array: fn(&$row) -> Result<Self> = $array;
                let rows: Result<Vec<_>> = rows.iter().map(array).collect();
                rows.and_then(|rows| stack(&rows, $rank)).of_op("try_from")
            }
        }
        impl<T: Float> TryFrom<&[$row]> for Tensor<T> {
            type Error = crate::Error;
            /// The rows along the first axis.
            ///
            /// # Errors
            /// If the rows differ in shape, or are too many.
            #[track_caller]
            fn try_from(rows: &[$row]) -> Result<Self> {
                Array::try_from(rows).map(Self::from)
            }
        }
        try_from_rows!(@owned Array, Element, $row);
        try_from_rows!(@owned Tensor, Float, $row);
    )*};
    (@owned $to:ident, $number:ident, $row:ty) => {
        impl<T: $number> TryFrom<Vec<$row>> for $to<T> {
            type Error = crate::Error;
            /// The rows along the first axis.
            ///
            /// # Errors
            /// If the rows differ in shape, or are too many.
            #[track_caller]
            fn try_from(rows: Vec<$row>) -> Result<Self> {
                Self::try_from(&rows[..])
            }
        }
    };
}

try_from_rows! {
    Vec<T>, 2, |row| Ok(Self::from(&row[..]));
    Vec<Vec<T>>, 3, |row| Self::try_from(&row[..]);
    Vec<Vec<Vec<T>>>, 4, |row| Self::try_from(&row[..]);
}

/// The array whose entries along a new first axis are `rows`; without rows, all sizes are 0.
fn stack<T: Element>(rows: &[Array<T>], rank: usize) -> Result<Array<T>> {
    let Some(first) = rows.first() else { return Array::from_vec([], vec![0; rank]) };
    let row = first.shape();
    if let Some(other) = rows.iter().position(|other| other.shape() != row) {
        let found = rows[other].shape();
        let message = format!("the rows differ: number 0 is of shape {row}, number {other} of shape {found}");
        return Err(ErrorKind::Message(message).into());
    }
    let sizes: Vec<_> = std::iter::once(rows.len()).chain(row.iter()).collect();
    let numbers: Vec<T> = rows.iter().flat_map(Array::to_vec).collect();
    Array::from_vec(numbers, Shape::new(&sizes)?)
}

impl<T: Element> FromIterator<T> for Array<T> {
    /// One axis, the elements in their order.
    ///
    /// # Panics
    /// If there are too many elements, see [`Shape::new`].
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        elements.into_iter().collect::<Vec<_>>().into()
    }
}

impl<T: Float> FromIterator<T> for Tensor<T> {
    /// A constant with one axis, the elements in their order.
    ///
    /// # Panics
    /// If there are too many elements, see [`Shape::new`].
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let squares: Tensor = (0..4).map(|i| (i * i) as f32).collect();
    /// assert_eq!(squares.to_vec(), [0.0, 1.0, 4.0, 9.0]);
    /// ```
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Array::from_iter(elements).into()
    }
}
