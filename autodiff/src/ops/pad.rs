//! Padding: more entries around those that there are.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::ops::slicing::{Region, Slice};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// An array of one value in which a region is replaced by the input: the adjoint of a slice, and padding.
pub(super) struct Embed<T> {
    pub(super) region: Region,
    pub(super) shape: Shape,
    pub(super) fill: T,
}

impl<T: Float> Op<T> for Embed<T> {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let Region { starts, steps, .. } = self.region;
        Ok(Array::assemble(self.shape, self.fill, &[(&starts, &steps, x[0])]))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Slice { region: self.region }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// What is put around a tensor by [`Tensor::pad`].
///
/// | mode | `a b c d` with two more at either end |
/// |---|---|
/// | `Constant(v)` | `v v a b c d v v` |
/// | `Reflect` | `c b a b c d c b`: the border itself is not repeated |
/// | `Replicate` | `a a a b c d d d` |
/// | `Circular` | `c d a b c d a b` |
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// This number. A number alone is a mode as well.
    Constant(f64),
    /// The entries within, mirrored at the first and at the last.
    Reflect,
    /// The first and the last entry.
    Replicate,
    /// The entries from the other end.
    Circular,
}

impl From<f64> for PadMode {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

impl PadMode {
    /// Of `n` entries that are repeated without end in this mode, the one at place `i`.
    fn source(self, i: isize, n: usize) -> usize {
        let last = n as isize - 1;
        let place = match self {
            Self::Reflect => last - (last - i.abs()).abs(),
            Self::Circular => i.rem_euclid(n as isize),
            Self::Replicate | Self::Constant(_) => i.clamp(0, last),
        };
        place as usize
    }

    /// The largest number of entries that can be put at an end of `n`.
    fn widest(self, n: usize) -> usize {
        match self {
            Self::Reflect => n.saturating_sub(1),
            Self::Circular => n,
            Self::Replicate if n == 0 => 0,
            Self::Replicate | Self::Constant(_) => usize::MAX,
        }
    }
}

impl<T: Float> Tensor<T> {
    /// The tensor with `before` and `after` more entries around it, one pair for each of the last axes, the first pair for
    /// the first of them; `mode` is a number or a [`PadMode`].
    ///
    /// # Errors
    /// If there are more pairs than axes, the result is too large, or the tensor has too few entries to mirror or repeat.
    ///
    /// ```
    /// use autodiff::{PadMode, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0], [3])?;
    /// assert_eq!(x.pad(&[(1, 2)], 0.5)?.to_vec(), [0.5, 1.0, 2.0, 3.0, 0.5, 0.5]);
    /// assert_eq!(x.pad(&[(1, 2)], PadMode::Reflect)?.to_vec(), [2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn pad(&self, widths: &[(usize, usize)], mode: impl Into<PadMode>) -> Result<Self> {
        let (shape, mode) = (self.shape(), mode.into());
        let Some(first) = shape.rank().checked_sub(widths.len()) else {
            let message =
                format!("{} pairs of widths for {shape}, which has {} axes", widths.len(), shape.rank());
            return Err(ErrorKind::Message(message).of("pad"));
        };
        let mut region = Region::whole(shape);
        let mut dims = shape.to_vec();
        for (axis, &(before, after)) in (first..).zip(widths) {
            let n = dims[axis];
            if before.max(after) > mode.widest(n) {
                let message =
                    format!("({before}, {after}) more by {mode:?} for the {n} entries of axis {axis}");
                return Err(ErrorKind::Message(message).of("pad"));
            }
            region.starts[axis] = before;
            region.ends[axis] = before.saturating_add(n);
            dims[axis] = region.ends[axis].saturating_add(after);
        }
        let padded = Shape::new(&dims).of_op("pad")?;
        if let PadMode::Constant(value) = mode {
            return Embed { region, shape: padded, fill: T::from_f64(value) }.apply(&[self]);
        }
        let mut result = self.clone();
        for (axis, &(before, after)) in (first..).zip(widths) {
            let n = shape.dim(axis);
            if before.max(after) > 0 {
                let places = -(before as isize)..(n + after) as isize;
                let index: Vec<_> = places.map(|i| mode.source(i, n)).collect();
                result = result.index_select(axis as isize, &index)?;
            }
        }
        Ok(result)
    }
}
