//! Sorting along an axis. The values are read at the positions that it finds, through which their gradient goes back.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The elements along `axis` in ascending order, or in descending order, and where they were; NaN counts as the
    /// largest, equal elements stay in their order.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (values, index) = Tensor::from_vec([3.0, 1.0, 2.0], [3])?.sort(0, false)?;
    /// assert_eq!((values.to_vec(), index.to_vec()), (vec![1.0, 2.0, 3.0], vec![1, 2, 0]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn sort(&self, axis: isize, descending: bool) -> Result<(Self, Array<usize>)> {
        let index = self.arg_sort(axis, descending).of_op("sort")?;
        Ok((self.gather(axis, &index)?, index))
    }

    /// Where the elements along `axis` are in ascending order, or in descending order; NaN counts as the largest, equal
    /// elements stay in their order.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::from_vec([3.0, 1.0, 2.0], [3])?.arg_sort(0, true)?.to_vec(), [0, 2, 1]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn arg_sort(&self, axis: isize, descending: bool) -> Result<Array<usize>> {
        let axis = self.shape().axis(axis).of_op("arg_sort")?;
        Ok(self.array.sorted(axis, self.shape().dim(axis), descending))
    }

    /// The `k` largest elements along `axis` in descending order, or the smallest in ascending order, and where they were;
    /// NaN counts as the largest, of equal elements the first comes first.
    ///
    /// # Errors
    /// If the axis does not exist or has fewer than `k` entries.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (values, index) = Tensor::from_vec([3.0, 1.0, 4.0, 2.0], [4])?.topk(2, 0, true)?;
    /// assert_eq!((values.to_vec(), index.to_vec()), (vec![4.0, 3.0], vec![2, 0]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn topk(&self, k: usize, axis: isize, largest: bool) -> Result<(Self, Array<usize>)> {
        let shape = self.shape();
        let along = shape.axis(axis).of_op("topk")?;
        if k > shape.dim(along) {
            let message = format!("axis {along} of {shape} has fewer than {k} entries");
            return Err(ErrorKind::Message(message).of("topk"));
        }
        let index = self.array.sorted(along, k, largest);
        Ok((self.gather(axis, &index)?, index))
    }
}
