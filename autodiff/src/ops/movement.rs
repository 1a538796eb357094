//! Movement: the same elements in another place. Reshaping, permuting, broadcasting, slicing and reversing give views.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;
use std::ops::Range;

/// The same elements in row-major order under another shape.
struct Reshape {
    shape: Shape,
}

impl<T: Float> Op<T> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].reshaped(self.shape))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        grad.reshaped(at.shape(0))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Axis `i` of the result is axis `order[i]` of the input.
struct Permute {
    order: Vec<isize>,
}

impl<T: Float> Op<T> for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].permute(&self.order)
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let mut inverse = vec![0; self.order.len()];
        for (i, &axis) in self.order.iter().enumerate() {
            inverse[at.shape(0).axis(axis)?] = i as isize;
        }
        grad.permute(inverse)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The elements repeated along new axes in front and axes of size 1.
struct BroadcastTo {
    shape: Shape,
}

impl<T: Float> Op<T> for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].broadcast_to(self.shape)
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        // The tape sums over what was broadcast.
        Ok(grad.clone())
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The entries in reverse order along an axis.
struct Flip {
    axis: usize,
}

impl<T: Float> Op<T> for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].flip(self.axis))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        grad.flip(self.axis as isize)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// A block of an array: along each axis, where it starts, where it ends, and the distance of its entries.
#[derive(Clone, Copy)]
struct Region {
    starts: [usize; MAX_RANK],
    ends: [usize; MAX_RANK],
    steps: [usize; MAX_RANK],
}

impl Region {
    /// All of an array.
    fn whole(shape: Shape) -> Self {
        let mut ends = [0; MAX_RANK];
        for (end, dim) in ends.iter_mut().zip(shape.iter()) {
            *end = dim;
        }
        Self { starts: [0; MAX_RANK], ends, steps: [1; MAX_RANK] }
    }
}

/// The elements of a region.
struct Slice {
    region: Region,
}

impl<T: Float> Op<T> for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let Region { starts, ends, steps } = self.region;
        (0..x[0].rank())
            .try_fold(x[0].clone(), |x, axis| x.slice(axis, starts[axis], ends[axis], steps[axis]))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Embed { region: self.region, shape: at.shape(0), fill: T::ZERO }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// An array of one value in which a region is replaced by the input: the adjoint of a slice, and padding.
struct Embed<T> {
    region: Region,
    shape: Shape,
    fill: T,
}

impl<T: Float> Op<T> for Embed<T> {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let Region { starts, steps, .. } = self.region;
        Ok(Array::assemble(self.shape, self.fill, &[(&starts, &steps, x[0])]))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Slice { region: self.region }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

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
    fn vjp(&self, index: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let start = self.starts[index];
        grad.slice(self.axis as isize, start..start + at.shape(index).dim(self.axis))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Tensor<T> {
    /// The same elements in row-major order under another shape; one size may be `-1` and is found out.
    ///
    /// # Errors
    /// If the number of elements differs.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 6]).reshape([3, -1])?.shape(), [3, 4]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape(&self, dims: impl AsRef<[isize]>) -> Result<Self> {
        let shape = self.array.reshape(dims.as_ref()).of_op("reshape")?.shape();
        self.reshaped(shape)
    }

    #[track_caller]
    pub(crate) fn reshaped(&self, shape: Shape) -> Result<Self> {
        if shape == self.shape() { Ok(self.clone()) } else { Reshape { shape }.apply(&[self]) }
    }

    /// All axes from `axis` on joined into one: `[n, c, h, w]` flattened from axis 1 is `[n, c h w]`.
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    pub fn flatten(&self, axis: isize) -> Result<Self> {
        let shape = self.shape();
        let axis = shape.axis(axis).of_op("flatten")?;
        let joined = shape.iter().skip(axis).product();
        self.reshaped(Shape::of(shape.iter().take(axis).chain([joined])))
    }

    /// The same elements with an axis of size 1 put in front of `axis` (`-1` puts it last).
    ///
    /// # Errors
    /// If there is no such place, or no room for another axis.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 3]).unsqueeze(1)?.shape(), [2, 1, 3]);
    /// assert_eq!(Tensor::<f32>::zeros([2, 3]).unsqueeze(-1)?.shape(), [2, 3, 1]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Result<Self> {
        let shape = self.shape();
        let places = shape.rank() as isize + 1;
        let place = if axis < 0 { axis + places } else { axis };
        if !(0..places).contains(&place) {
            return Err(ErrorKind::Axis { axis, shape }.of("unsqueeze"));
        }
        self.reshaped(shape.inserting(place as usize).of_op("unsqueeze")?)
    }

    /// The same elements without the axis `axis`, whose size is 1.
    ///
    /// # Errors
    /// If the axis does not exist or has another size.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Result<Self> {
        let shape = self.shape();
        let axis = shape.axis(axis).of_op("squeeze")?;
        if shape.dim(axis) != 1 {
            let message = format!("axis {axis} of {shape} has size {}, not 1", shape.dim(axis));
            return Err(ErrorKind::Message(message).of("squeeze"));
        }
        self.reshaped(shape.removing(axis))
    }

    /// A view in which axis `i` is axis `order[i]` of this tensor.
    ///
    /// # Errors
    /// If `order` does not name each axis once.
    #[track_caller]
    pub fn permute(&self, order: impl Into<Vec<isize>>) -> Result<Self> {
        Permute { order: order.into() }.apply(&[self])
    }

    /// A view in which two axes are exchanged.
    ///
    /// # Errors
    /// If an axis does not exist.
    #[track_caller]
    pub fn transpose(&self, a: isize, b: isize) -> Result<Self> {
        let shape = self.shape();
        let (a, b) = (shape.axis(a).of_op("transpose")?, shape.axis(b).of_op("transpose")?);
        let mut order: Vec<isize> = (0..shape.rank() as isize).collect();
        order.swap(a, b);
        self.permute(order)
    }

    /// A view in which the last two axes are exchanged: the transpose of a matrix.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn t(&self) -> Result<Self> {
        self.transpose(-2, -1).of_op("t")
    }

    /// A view in which the elements are repeated along new axes in front and along axes of size 1.
    ///
    /// # Errors
    /// If the shape does not broadcast to `shape`.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        if shape == self.shape() { Ok(self.clone()) } else { BroadcastTo { shape }.apply(&[self]) }
    }

    /// A view of the entries `range` along `axis`.
    ///
    /// # Errors
    /// If the axis does not exist or the range does not lie within it.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [4])?;
    /// assert_eq!(x.slice(0, 1..3)?.to_vec(), [2.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(&self, axis: isize, range: Range<usize>) -> Result<Self> {
        self.sliced(axis, range, 1).of_op("slice")
    }

    /// A view of every `step`-th entry of `range` along `axis`.
    ///
    /// # Errors
    /// If the axis does not exist, the range does not lie within it, or the step is 0.
    #[track_caller]
    pub fn slice_step(&self, axis: isize, range: Range<usize>, step: usize) -> Result<Self> {
        self.sliced(axis, range, step).of_op("slice_step")
    }

    #[track_caller]
    fn sliced(&self, axis: isize, range: Range<usize>, step: usize) -> Result<Self> {
        let axis = self.shape().axis(axis)?;
        if step == 0 {
            return Err(ErrorKind::Message("the step is 0".into()).into());
        }
        let mut region = Region::whole(self.shape());
        (region.starts[axis], region.ends[axis], region.steps[axis]) = (range.start, range.end, step);
        Slice { region }.apply(&[self])
    }

    /// A view of the entries along `axis` in reverse order.
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    pub fn flip(&self, axis: isize) -> Result<Self> {
        Flip { axis: self.shape().axis(axis).of_op("flip")? }.apply(&[self])
    }

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

    /// The tensor with `before` and `after` entries of `value` put around it, one pair for each axis.
    ///
    /// # Errors
    /// If there are not as many pairs as axes, or the result is too large.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0], [2])?;
    /// assert_eq!(x.pad(&[(1, 2)], 0.5)?.to_vec(), [0.5, 1.0, 2.0, 0.5, 0.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn pad(&self, widths: &[(usize, usize)], value: f64) -> Result<Self> {
        let shape = self.shape();
        if widths.len() != shape.rank() {
            let message =
                format!("{} pairs of widths for {shape}, which has {} axes", widths.len(), shape.rank());
            return Err(ErrorKind::Message(message).of("pad"));
        }
        let mut region = Region::whole(shape);
        let mut dims = shape.to_vec();
        for (axis, &(before, after)) in widths.iter().enumerate() {
            region.starts[axis] = before;
            region.ends[axis] = before.saturating_add(dims[axis]);
            dims[axis] = region.ends[axis].saturating_add(after);
        }
        let shape = Shape::new(&dims).of_op("pad")?;
        Embed { region, shape, fill: T::from_f64(value) }.apply(&[self])
    }
}
