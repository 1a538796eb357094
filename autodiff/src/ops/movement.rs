//! Movement: the same elements in another place. Permuting, broadcasting and reversing give views, and so does reshaping
//! where the elements lie evenly in memory.

use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;

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
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
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
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
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
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        // The tape sums over what was broadcast.
        Ok(grad)
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
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        grad.flip(self.axis as isize)
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

    /// A view of the entries along `axis` in reverse order.
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    pub fn flip(&self, axis: isize) -> Result<Self> {
        Flip { axis: self.shape().axis(axis).of_op("flip")? }.apply(&[self])
    }
}
