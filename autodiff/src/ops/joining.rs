//! Joining and repeating: several tensors, or one several times, one after the other.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;

/// The inputs one after the other along an axis.
struct Cat {
    axis: usize,
    /// Where each input starts.
    starts: Vec<usize>,
}

impl<T: Float> Op<T> for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let first = x[0].shape();
        let mut total = 0;
        for array in x {
            let shape = array.shape();
            if shape.rank() != first.rank() || shape.with(self.axis, 0) != first.with(self.axis, 0) {
                let what = "shapes must agree but along the axis that is joined";
                return Err(ErrorKind::Mismatch { what, left: first, right: shape }.into());
            }
            self.starts.push(total);
            total += shape.dim(self.axis);
        }
        let mut dims = first.to_vec();
        dims[self.axis] = total;
        let starts: Vec<[usize; MAX_RANK]> = self
            .starts
            .iter()
            .map(|&start| {
                let mut starts = [0; MAX_RANK];
                starts[self.axis] = start;
                starts
            })
            .collect();
        let parts: Vec<_> = starts.iter().zip(x).map(|(s, x)| (s.as_slice(), [1; MAX_RANK], *x)).collect();
        let parts: Vec<_> = parts.iter().map(|(s, steps, x)| (*s, steps.as_slice(), *x)).collect();
        Ok(Array::assemble(Shape::new(&dims)?, T::ZERO, &parts))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let start = self.starts[index];
        grad.slice(self.axis as isize, start..start + at.shape(index).dim(self.axis))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The entries along an axis moved some places on, at most all of them, the last coming in again at the start.
struct Roll {
    axis: usize,
    shift: usize,
}

impl<T: Float> Op<T> for Roll {
    fn name(&self) -> &'static str {
        "roll"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let n = x[0].shape().dim(self.axis);
        let places: Vec<_> = (n - self.shift..n).chain(0..n - self.shift).collect();
        Ok(x[0].select(self.axis, &places))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        let shift = grad.shape().dim(self.axis) - self.shift;
        Self { axis: self.axis, shift }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Tensor<T> {
    /// The tensors one after the other along an axis that they have.
    ///
    /// # Errors
    /// If there is none, the axis does not exist, or the shapes differ along another axis.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (a, b) = (Tensor::<f32>::zeros([2, 3]), Tensor::ones([2, 1]));
    /// assert_eq!(Tensor::cat(&[&a, &b], 1)?.shape(), [2, 4]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn cat(tensors: &[&Self], axis: isize) -> Result<Self> {
        let Some(first) = tensors.first() else {
            return Err(ErrorKind::Message("there is nothing to join".into()).of("cat"));
        };
        let axis = first.shape().axis(axis).of_op("cat")?;
        Cat { axis, starts: Vec::with_capacity(tensors.len()) }.apply(tensors)
    }

    /// The tensors, all of one shape, one after the other along a new axis in front of `axis`.
    ///
    /// # Errors
    /// If there is none, there is no such place for an axis, or the shapes differ.
    #[track_caller]
    pub fn stack(tensors: &[&Self], axis: isize) -> Result<Self> {
        let mut parts = Vec::with_capacity(tensors.len());
        for tensor in tensors {
            parts.push(tensor.unsqueeze(axis).of_op("stack")?);
        }
        let rank = parts.first().map_or(0, Self::rank) as isize;
        Self::cat(&parts.iter().collect::<Vec<_>>(), if axis < 0 { axis + rank } else { axis }).of_op("stack")
    }

    /// The entries along `axis` moved `shift` places on, those that leave at the end coming in again at the start; a
    /// negative shift moves them back.
    ///
    /// # Errors
    /// If the axis does not exist.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [4])?;
    /// assert_eq!(x.roll(1, 0)?.to_vec(), [4.0, 1.0, 2.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Result<Self> {
        let axis = self.shape().axis(axis).of_op("roll")?;
        let n = self.shape().dim(axis);
        let shift = shift.rem_euclid(n.max(1) as isize) as usize;
        if shift == 0 {
            return Ok(self.clone());
        }
        Roll { axis, shift }.apply(&[self])
    }

    /// The tensor several times side by side: `times[i]` times along axis `i`, for the last axes if there are fewer
    /// numbers than axes, along new axes in front if there are more.
    ///
    /// # Errors
    /// If the result has too many axes or is too large.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0], [2])?;
    /// assert_eq!(x.tile(&[2])?.to_vec(), [1.0, 2.0, 1.0, 2.0]);
    /// assert_eq!(x.tile(&[3, 1])?.shape(), [3, 2]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn tile(&self, times: &[usize]) -> Result<Self> {
        let rank = self.rank().max(times.len());
        let mut dims = vec![1; rank - self.rank()];
        dims.extend(self.shape().iter());
        let mut tiled = self.reshaped(Shape::new(&dims).of_op("tile")?)?;
        for (axis, &times) in (rank - times.len()..rank).zip(times).rev() {
            tiled = tiled.repeated(axis, axis, times).of_op("tile")?;
        }
        Ok(tiled)
    }

    /// Each entry along `axis` several times in a row.
    ///
    /// For a number of times that differs from entry to entry, see [`index_select`](Self::index_select).
    ///
    /// # Errors
    /// If the axis does not exist or the result is too large.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0], [2])?;
    /// assert_eq!(x.repeat_interleave(2, 0)?.to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn repeat_interleave(&self, times: usize, axis: isize) -> Result<Self> {
        let axis = self.shape().axis(axis).of_op("repeat_interleave")?;
        self.repeated(axis + 1, axis, times).of_op("repeat_interleave")
    }

    /// The block of the axes from `from` on several times in a row, which makes `axis` longer.
    #[track_caller]
    fn repeated(&self, from: usize, axis: usize, times: usize) -> Result<Self> {
        let shape = self.shape();
        let mut dims = shape.to_vec();
        dims[axis] = dims[axis].saturating_mul(times);
        let repeated = Shape::new(&dims)?;
        if times == 1 {
            return Ok(self.clone());
        }
        let [outer, block] = [shape.iter().take(from).product(), shape.iter().skip(from).product()];
        let blocks = self.reshaped(Shape::new(&[outer, 1, block])?)?;
        blocks.broadcast_to([outer, times, block])?.reshaped(repeated)
    }

    /// The coordinates of a grid, one tensor for each axis: of shape `[n₀, n₁, ..]` for vectors of `n₀`, `n₁`, ..
    /// entries, the `i`-th of which is repeated along all axes but the `i`-th. Views.
    ///
    /// # Errors
    /// If a tensor is not a vector, or there are too many.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (x, y) = (Tensor::from_vec([1.0, 2.0], [2])?, Tensor::from_vec([5.0, 6.0, 7.0], [3])?);
    /// let grid = Tensor::meshgrid(&[&x, &y])?;
    /// assert_eq!(grid[0].to_vec(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// assert_eq!(grid[1].to_vec(), [5.0, 6.0, 7.0, 5.0, 6.0, 7.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn meshgrid(vectors: &[&Self]) -> Result<Vec<Self>> {
        let mut dims = Vec::with_capacity(vectors.len());
        for vector in vectors {
            let [n] = vector.dims().of_op("meshgrid")?;
            dims.push(n);
        }
        let grid = Shape::new(&dims).of_op("meshgrid")?;
        let mut coordinates = Vec::with_capacity(vectors.len());
        for (axis, vector) in vectors.iter().enumerate() {
            let alone = Shape::of((0..dims.len()).map(|i| if i == axis { dims[i] } else { 1 }));
            coordinates.push(vector.reshaped(alone)?.broadcast_to(grid)?);
        }
        Ok(coordinates)
    }
}
