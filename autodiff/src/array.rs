//! [`Array`]: a shared block of numbers with a shape and strides. Views are free, writes copy if shared.
//!
//! Ops speak to arrays, never to slices: map, zip, reduce, product, window, index. An array knows no gradient.

mod compute;
mod frame;
mod normalize;
mod recurrent;

pub(crate) use compute::{CHEAP, broadcast_axes};
pub(crate) use frame::Frame;
pub(crate) use normalize::{Moments, NormalizeGrad, Over};
pub(crate) use recurrent::{Kept, Run};

use crate::error::{ErrorKind, Result};
use crate::float::Float;
use crate::kernel::buffer::{Buffer, Element, Fresh};
use crate::kernel::parallel;
use crate::kernel::strided::{self, Source};
use crate::shape::{MAX_RANK, Shape, Strides};

/// Nanoseconds to write one element.
const FILL_NS: f64 = 0.1;

/// Values in row-major order, or a view of some.
///
/// Cloning, transposing, slicing, reversing and broadcasting share the numbers. Arrays of `f32` and `f64` are what
/// [`Tensor`](crate::Tensor)s hold; arrays of `usize` hold indices.
///
/// ```
/// use autodiff::array;
/// let a = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(a.map(|x| x * 10.0).to_vec(), [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
/// assert_eq!(a.permute(&[1, 0])?.to_vec(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub struct Array<T: Element> {
    buffer: Buffer<T>,
    /// Where the elements are, unless they are all of the buffer in row-major order.
    view: Option<Box<View>>,
    shape: Shape,
}

#[derive(Clone, Copy)]
struct View {
    offset: usize,
    strides: Strides,
}

impl<T: Element> Clone for Array<T> {
    #[inline]
    fn clone(&self) -> Self {
        Self { buffer: self.buffer.clone(), view: self.view.clone(), shape: self.shape }
    }
}

// ----- Making arrays -----

impl<T: Element> Array<T> {
    /// Takes `values` in row-major order.
    ///
    /// # Errors
    /// If they are not as many as the shape has elements.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn from_vec(values: impl AsRef<[T]>, shape: impl Into<Shape>) -> Result<Self> {
        let (values, shape) = (values.as_ref(), shape.into());
        if values.len() != shape.size() {
            return Err(ErrorKind::Length { found: values.len(), shape }.into());
        }
        Ok(Self::from_fresh(Fresh::copy_of(values), shape))
    }

    /// An array of rank 0.
    #[inline]
    pub fn scalar(value: T) -> Self {
        Self::full(value, Shape::SCALAR)
    }

    /// An array in which each element is `value`.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn full(value: T, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        Self::build(shape, |out| out.fill(value))
    }

    /// Lets `write` fill a new array; what it finds there is unspecified.
    #[inline]
    pub(crate) fn build(shape: Shape, write: impl FnOnce(&mut [T])) -> Self {
        let mut fresh = Fresh::take(shape.size());
        write(&mut fresh);
        Self::from_fresh(fresh, shape)
    }

    #[inline]
    fn from_fresh(fresh: Fresh<T>, shape: Shape) -> Self {
        Self { buffer: fresh.share(), view: None, shape }
    }

    /// One number, seen as an array of any shape.
    pub(crate) fn expanded(value: T, shape: Shape) -> Self {
        let view = Some(Box::new(View { offset: 0, strides: [0; _] }));
        Self { view, shape, ..Self::scalar(value) }
    }
}

// ----- Looking at arrays -----

impl<T: Element> Array<T> {
    /// The sizes along the axes.
    #[inline]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether both have the same sizes along the same axes.
    #[inline]
    pub(crate) fn has_shape_of(&self, other: &Self) -> bool {
        self.shape == other.shape
    }

    /// The number of elements.
    #[inline]
    pub fn size(&self) -> usize {
        self.shape.size()
    }

    /// The number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    #[inline]
    fn offset(&self) -> usize {
        self.view.as_ref().map_or(0, |view| view.offset)
    }

    fn strides(&self) -> Strides {
        self.view.as_ref().map_or_else(|| self.shape.strides(), |view| view.strides)
    }

    /// The elements as a slice, if they lie in memory in row-major order.
    #[inline]
    pub fn as_slice(&self) -> Option<&[T]> {
        match &self.view {
            None => Some(&self.buffer),
            Some(view) => self.dense_view(view),
        }
    }

    fn dense_view(&self, view: &View) -> Option<&[T]> {
        let size = self.size();
        if size == 0 {
            return Some(&[]);
        }
        let dense = self.shape.strides();
        let fits = |axis: usize| self.shape.dim(axis) == 1 || view.strides[axis] == dense[axis];
        (0..self.rank()).all(fits).then(|| &self.buffer[view.offset..][..size])
    }

    /// The same elements, in row-major order in memory. Free if they are so already.
    pub fn contiguous(&self) -> Self {
        if self.as_slice().is_some() { self.clone() } else { self.copy() }
    }

    /// A copy that shares nothing.
    pub(crate) fn copy(&self) -> Self {
        if self.as_slice().is_some() {
            return self.map(|x| x);
        }
        Self::build(self.shape, |out| strided::copy(out, &self.shape, self.source(&self.shape)))
    }

    /// A copy in row-major order of elements that lie so far from it that a loop over them is slower than one more copy.
    fn nearer(&self) -> Option<Self> {
        let view = self.view.as_ref()?;
        strided::is_far(&self.shape, &view.strides).then(|| self.copy())
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<T> {
        self.with_slice(<[T]>::to_vec)
    }

    /// The only element.
    ///
    /// # Panics
    /// If there is not exactly one.
    pub fn item(&self) -> T {
        assert_eq!(self.size(), 1, "item: {} has {} elements, not one", self.shape, self.size());
        self.buffer[self.offset()]
    }

    /// The element at an index along each axis; entries of `index` beyond the rank are unused.
    pub(crate) fn at(&self, index: &[usize; MAX_RANK]) -> T {
        let strides = self.strides();
        let step: isize = (0..self.rank()).map(|axis| index[axis] as isize * strides[axis]).sum();
        self.buffer[(self.offset() as isize + step) as usize]
    }

    /// Shows the elements to `read` as a slice in row-major order, copied first if need be.
    #[inline]
    pub(crate) fn with_slice<R>(&self, read: impl FnOnce(&[T]) -> R) -> R {
        match self.as_slice() {
            Some(slice) => read(slice),
            None => read(self.copy().as_slice().expect("a copy is contiguous")),
        }
    }

    /// The elements for writing, in row-major order; copied first if they are shared or strided.
    pub fn make_mut(&mut self) -> &mut [T] {
        if self.view.is_some() || !self.buffer.is_unique() {
            *self = self.copy();
        }
        self.buffer.get_mut().expect("nobody else holds this buffer")
    }

    /// The elements for writing, if a write would go to these very elements.
    #[inline]
    fn unique_mut(&mut self) -> Option<&mut [T]> {
        if self.view.is_none() { self.buffer.get_mut() } else { None }
    }

    /// Whether a write would go to these very elements.
    #[inline]
    pub(crate) fn is_unique(&self) -> bool {
        self.view.is_none() && self.buffer.is_unique()
    }

    /// The block that the elements lie in, by its address, and its size in bytes; views of one array share it.
    pub(crate) fn block(&self) -> (*const T, usize) {
        (self.buffer.as_ptr(), size_of_val(&*self.buffer))
    }

    /// The operand that this array is, when the output has shape `shape`, which it broadcasts to.
    fn source(&self, shape: &Shape) -> Source<'_, T> {
        let own = self.strides();
        let missing = shape.rank() - self.rank();
        let mut strides = [0; _];
        for axis in 0..self.rank() {
            if self.shape.dim(axis) != 1 {
                strides[axis + missing] = own[axis];
            }
        }
        Source { data: &self.buffer, offset: self.offset(), strides }
    }
}

// ----- Views -----

impl<T: Element> Array<T> {
    fn viewed(&self, shape: Shape, offset: usize, strides: Strides) -> Self {
        Self { buffer: self.buffer.clone(), view: Some(Box::new(View { offset, strides })), shape }
    }

    /// The same elements in row-major order under another shape; one size may be `-1` and is found out.
    ///
    /// # Errors
    /// If the number of elements differs.
    pub fn reshape(&self, dims: &[isize]) -> Result<Self> {
        let wrong = || ErrorKind::Reshape { from: self.shape, to: dims.to_vec() };
        let known = dims
            .iter()
            .filter(|&&dim| dim != -1)
            .try_fold(1usize, |product, &dim| usize::try_from(dim).ok()?.checked_mul(product))
            .ok_or_else(wrong)?;
        let unknown = dims.iter().filter(|&&dim| dim == -1).count();
        let found = match unknown {
            0 => 0,
            1 if known > 0 && self.size().is_multiple_of(known) => self.size() / known,
            _ => return Err(wrong().into()),
        };
        let sizes: Vec<usize> =
            dims.iter().map(|&dim| if dim == -1 { found } else { dim as usize }).collect();
        let shape = Shape::new(&sizes)?;
        if shape.size() != self.size() {
            return Err(wrong().into());
        }
        Ok(self.reshaped(shape))
    }

    /// The same elements under a shape that is known to fit.
    pub(crate) fn reshaped(&self, shape: Shape) -> Self {
        debug_assert_eq!(shape.size(), self.size());
        if self.view.is_none() {
            Self { buffer: self.buffer.clone(), view: None, shape }
        } else if let Some(strides) = self.strides_under(shape) {
            self.viewed(shape, self.offset(), strides)
        } else {
            self.copy().reshaped(shape)
        }
    }

    /// The strides of these elements under another shape, where there are such.
    ///
    /// The axes of both shapes fall into groups of the same number of elements. Those of a group are split or joined at
    /// will if its own axes lie in memory like one axis.
    fn strides_under(&self, shape: Shape) -> Option<Strides> {
        if self.size() == 0 {
            return Some(shape.strides());
        }
        let own = self.strides();
        let mut strides = [0; _];
        // What is left of both shapes, from the end; axes of size 1 lie anywhere.
        let mut axes = (0..self.rank()).rev().filter(|&axis| self.shape.dim(axis) != 1);
        // The elements of the current group that have no new axis yet, and the step of the next one.
        let (mut left, mut step) = (1usize, 0);
        for target in (0..shape.rank()).rev().filter(|&axis| shape.dim(axis) != 1) {
            let dim = shape.dim(target);
            while !left.is_multiple_of(dim) {
                let axis = axes.next()?;
                if left == 1 {
                    step = own[axis];
                } else if own[axis] != step * left as isize {
                    return None;
                }
                left *= self.shape.dim(axis);
            }
            strides[target] = step;
            step *= dim as isize;
            left /= dim;
        }
        Some(strides)
    }

    /// Axis `i` of the result is axis `order[i]` of this array.
    ///
    /// # Errors
    /// If `order` does not name each axis once.
    pub fn permute(&self, order: &[isize]) -> Result<Self> {
        let axes = crate::shape::Axes::from(order).resolve(&self.shape)?;
        if axes.len() != self.rank() {
            let message =
                format!("{} axes are named for {}, which has {}", axes.len(), self.shape, self.rank());
            return Err(ErrorKind::Message(message).into());
        }
        let own = self.strides();
        let mut strides = [0; _];
        for (stride, &axis) in Iterator::zip(strides.iter_mut(), &axes) {
            *stride = own[axis];
        }
        Ok(self.viewed(Shape::of(axes.iter().map(|&axis| self.shape.dim(axis))), self.offset(), strides))
    }

    /// The elements repeated along new axes in front and axes of size 1, without copying.
    ///
    /// # Errors
    /// If the shape does not broadcast to `shape`.
    pub fn broadcast_to(&self, shape: Shape) -> Result<Self> {
        if self.shape == shape {
            return Ok(self.clone());
        }
        if self.rank() > shape.rank() || self.shape.broadcast(&shape) != Some(shape) {
            return Err(ErrorKind::BroadcastTo { from: self.shape, to: shape }.into());
        }
        let source = self.source(&shape);
        Ok(self.viewed(shape, source.offset, source.strides))
    }

    /// The entries `start, start + step, ..` below `end` along `axis`.
    ///
    /// # Errors
    /// If the range does not lie within the axis.
    ///
    /// # Panics
    /// If `step` is zero or there is no such axis.
    pub(crate) fn slice(&self, axis: usize, start: usize, end: usize, step: usize) -> Result<Self> {
        let shape = self.shape;
        if start > end || end > shape.dim(axis) {
            return Err(ErrorKind::Range { start, end, axis, shape }.into());
        }
        let mut strides = self.strides();
        // An empty range at the very end would point one past the buffer.
        let offset = if start == end {
            self.offset()
        } else {
            (self.offset() as isize + start as isize * strides[axis]) as usize
        };
        strides[axis] *= step as isize;
        Ok(self.viewed(shape.with(axis, (end - start).div_ceil(step)), offset, strides))
    }

    /// The entries along `axis` in reverse order.
    pub(crate) fn flip(&self, axis: usize) -> Self {
        let mut strides = self.strides();
        let last = self.shape.dim(axis).saturating_sub(1) as isize;
        let offset = (self.offset() as isize + last * strides[axis]) as usize;
        strides[axis] = -strides[axis];
        self.viewed(self.shape, offset, strides)
    }

    /// An array of shape `shape` filled with `fill`, in which each part stands at its start, its entries `step` apart.
    pub(crate) fn assemble(shape: Shape, fill: T, parts: &[(&[usize], &[usize], &Self)]) -> Self {
        let dense = shape.strides();
        Self::build(shape, |out| {
            let covered: usize = parts.iter().map(|(_, _, part)| part.size()).sum();
            if covered < out.len() {
                parallel::split(out, 1, FILL_NS, |_, out| out.fill(fill));
            }
            for (starts, steps, part) in parts {
                let (offset, strides) = region(&dense, starts, steps);
                let put = |target: &mut T, value: T| *target = value;
                strided::scatter_into(out, offset, &strides, &part.shape, part.source(&part.shape), put);
            }
        })
    }
}

impl<T: Float> Array<T> {
    /// Adds `part` to the elements from `starts` on, along each axis a step apart; in place if nobody else holds them.
    pub(crate) fn add_at(&mut self, starts: &[usize], steps: &[usize], part: &Self) {
        let (offset, strides) = region(&self.shape.strides(), starts, steps);
        let add = |target: &mut T, value: T| *target += value;
        strided::scatter_into(self.make_mut(), offset, &strides, &part.shape, part.source(&part.shape), add);
    }
}

/// Offset and strides of a region of a contiguous array of the given strides.
fn region(dense: &Strides, starts: &[usize], steps: &[usize]) -> (usize, Strides) {
    let mut strides = *dense;
    let mut offset = 0;
    for (axis, (start, &step)) in starts.iter().zip(steps).enumerate() {
        offset += dense[axis] as usize * start;
        strides[axis] *= step as isize;
    }
    (offset, strides)
}

// ----- Traits -----

impl<T: Element> PartialEq for Array<T> {
    /// Whether shapes and elements are equal.
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.with_slice(|a| other.with_slice(|b| a == b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshaping_copies_only_what_lies_unevenly() {
        let x = Array::from_vec((0..24).collect::<Vec<usize>>(), [2, 3, 4]).unwrap();
        let turned = x.permute(&[2, 0, 1]).unwrap();
        let thinned = x.slice(2, 0, 4, 2).unwrap();
        let repeated = x.broadcast_to(Shape::from([5, 2, 3, 4])).unwrap();
        for (view, dims, shared) in [
            (&turned, &[4, 6][..], true),
            (&turned, &[2, 2, 1, 3, 2], true),
            (&turned, &[8, 3], false),
            (&turned, &[24], false),
            (&thinned, &[12], true),
            (&thinned, &[3, 2, 2, 1], true),
            (&x.flip(2), &[24], false),
            (&x.flip(2), &[3, 2, 2, 2], true),
            (&repeated, &[5, 24], true),
            (&repeated, &[10, 12], false),
        ] {
            let reshaped = view.reshape(dims).unwrap();
            assert_eq!(reshaped.block() == x.block(), shared, "{} as {dims:?}", view.shape());
            assert_eq!(reshaped.to_vec(), view.to_vec(), "{} as {dims:?}", view.shape());
        }
    }
}
