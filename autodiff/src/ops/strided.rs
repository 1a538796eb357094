//! Diagonals, triangles and windows: views that step along two axes at once, or that overlap.

use crate::array::{Array, Frame};
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::kernel::triangle::Triangle;
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The elements of a frame: a view.
pub(super) struct View {
    pub(super) name: &'static str,
    pub(super) frame: Frame,
}

impl<T: Float> Op<T> for View {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].framed(&self.frame))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        AddView { name: "add_view", frame: self.frame, shape: at.shape(0) }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Adds each element where a frame takes it from: the adjoint of [`View`].
struct AddView {
    name: &'static str,
    frame: Frame,
    shape: Shape,
}

impl<T: Float> Op<T> for AddView {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].add_framed(&self.frame, self.shape))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        View { name: "view", frame: self.frame }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The elements of a triangle of the last two axes, and 0 elsewhere.
struct KeepTriangle {
    name: &'static str,
    triangle: Triangle,
}

impl<T: Float> Op<T> for KeepTriangle {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].triangle(self.triangle))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        grad.triangle(self.name, self.triangle)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The diagonal `offset` places above the main one (below, if negative) of the axes `rows` and `columns`, as a last axis.
fn diagonal_of(shape: Shape, offset: isize, rows: usize, columns: usize) -> Frame {
    let mut frame = Frame::first();
    for axis in (0..shape.rank()).filter(|&axis| axis != rows && axis != columns) {
        frame.push(shape.dim(axis), [(axis, 1)]);
    }
    let (down, right) = (offset.min(0).unsigned_abs(), offset.max(0).unsigned_abs());
    (frame.starts[rows], frame.starts[columns]) = (down, right);
    let length = shape.dim(rows).saturating_sub(down).min(shape.dim(columns).saturating_sub(right));
    frame.push(length, [(rows, 1), (columns, 1)]);
    frame
}

impl<T: Float> Tensor<T> {
    /// A view of a diagonal of two axes, which go away, as a new last axis: `y[.., k] = x[.., k, .., k + offset, ..]`.
    ///
    /// The diagonal lies `offset` places above the main one, or below it if `offset` is negative; beyond the corners it
    /// is empty.
    ///
    /// # Errors
    /// If an axis does not exist, or both are the same.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// assert_eq!(x.diagonal(0, 0, 1)?.to_vec(), [1.0, 4.0]);
    /// assert_eq!(x.diagonal(1, 0, 1)?.to_vec(), [2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: isize, rows: isize, columns: isize) -> Result<Self> {
        let shape = self.shape();
        let [rows, columns] = [shape.axis(rows).of_op("diagonal")?, shape.axis(columns).of_op("diagonal")?];
        if rows == columns {
            return Err(ErrorKind::RepeatedAxis { axis: columns as isize, shape }.of("diagonal"));
        }
        View { name: "diagonal", frame: diagonal_of(shape, offset, rows, columns) }.apply(&[self])
    }

    /// Square matrices with the last axis on a diagonal and 0 elsewhere: a vector of `n` entries gives a matrix of
    /// `n + |offset|` rows, with the diagonal `offset` places above the main one, or below it if `offset` is negative.
    ///
    /// What reads a diagonal off is [`diagonal`](Self::diagonal).
    ///
    /// # Errors
    /// If there is no axis, or the result has too many or is too large.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0], [2])?;
    /// assert_eq!(x.diag(0)?.to_vec(), [1.0, 0.0, 0.0, 2.0]);
    /// assert_eq!(x.diag(-1)?.to_vec(), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn diag(&self, offset: isize) -> Result<Self> {
        let last = self.shape().axis(-1).of_op("diag")?;
        let side = self.shape().dim(last).saturating_add(offset.unsigned_abs());
        let mut dims = self.shape().to_vec();
        dims[last] = side;
        dims.push(side);
        let shape = Shape::new(&dims).of_op("diag")?;
        AddView { name: "diag", frame: diagonal_of(shape, offset, last, last + 1), shape }.apply(&[self])
    }

    /// The sum of the main diagonal of the last two axes, `Σₖ x[.., k, k]`.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?.trace()?.item(), 5.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn trace(&self) -> Result<Self> {
        self.diagonal(0, -2, -1).of_op("trace")?.sum_axes(-1)
    }

    /// The lower triangle of the last two axes: what is above the `k`-th diagonal is 0.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::<f32>::ones([2, 3]);
    /// assert_eq!(x.tril(0)?.to_vec(), [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    /// assert_eq!(x.tril(-1)?.to_vec(), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn tril(&self, k: isize) -> Result<Self> {
        self.triangle("tril", Triangle::Lower(k))
    }

    /// The upper triangle of the last two axes: what is below the `k`-th diagonal is 0.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::<f32>::ones([2, 3]);
    /// assert_eq!(x.triu(0)?.to_vec(), [1.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    /// assert_eq!(x.triu(1)?.to_vec(), [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn triu(&self, k: isize) -> Result<Self> {
        self.triangle("triu", Triangle::Upper(k))
    }

    #[track_caller]
    fn triangle(&self, name: &'static str, triangle: Triangle) -> Result<Self> {
        let shape = self.shape();
        shape.axis(-2).of_op(name)?;
        KeepTriangle { name, triangle }.apply(&[self])
    }

    /// A view of all windows of `size` entries along `axis`, each `step` further than the last, and each along a new
    /// last axis: `y[.., i, .., j] = x[.., i step + j, ..]`. Windows that do not fit are left out.
    ///
    /// # Errors
    /// If the axis does not exist, has fewer than `size` entries, or the step is 0; if there is no room for another axis.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0, 5.0], [5])?;
    /// let windows = x.unfold(0, 3, 2)?;
    /// assert_eq!(windows.shape(), [2, 3]);
    /// assert_eq!(windows.to_vec(), [1.0, 2.0, 3.0, 3.0, 4.0, 5.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn unfold(&self, axis: isize, size: usize, step: usize) -> Result<Self> {
        let shape = self.shape();
        let axis = shape.axis(axis).of_op("unfold")?;
        let n = shape.dim(axis);
        if step == 0 {
            return Err(ErrorKind::Message("the step is 0".into()).of("unfold"));
        }
        if size > n {
            let message = format!("windows of {size} for the {n} entries of axis {axis} of {shape}");
            return Err(ErrorKind::Message(message).of("unfold"));
        }
        shape.inserting(shape.rank()).of_op("unfold")?;
        let mut frame = Frame::first();
        for i in 0..shape.rank() {
            if i == axis {
                frame.push((n - size) / step + 1, [(i, step.min(n) as isize)]);
            } else {
                frame.push(shape.dim(i), [(i, 1)]);
            }
        }
        frame.push(size, [(axis, 1)]);
        View { name: "unfold", frame }.apply(&[self])
    }
}
