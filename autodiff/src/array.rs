//! [`Array`]: a shared block of numbers with a shape and strides. Views are free, writes copy if shared.
//!
//! Ops speak to arrays, never to slices: map, zip, reduce, product, window, index. An array knows no gradient.

use crate::error::{ErrorKind, Result};
use crate::float::Float;
use crate::kernel::buffer::{Buffer, Element, Fresh};
use crate::kernel::gemm::{self, Matrix};
use crate::kernel::index;
use crate::kernel::map::{self, Map1, Map2, Source};
use crate::kernel::reduce::{self, Fold};
use crate::shape::{AxisSet, Shape, Strides};
use std::fmt;

/// Values in row-major order, or a view of some.
///
/// Cloning, transposing, slicing, reversing and broadcasting share the numbers. Arrays of `f32` and `f64` are what
/// [`Tensor`](crate::Tensor)s hold; arrays of `usize` hold indices.
///
/// ```
/// use autodiff::Array;
/// let a = Array::from_vec(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
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
        self.map(|x| x)
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

    /// Whether a write would go to these very elements.
    pub(crate) fn is_unique(&self) -> bool {
        self.view.is_none() && self.buffer.is_unique()
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
        } else if self.as_slice().is_some() {
            self.viewed(shape, self.offset(), shape.strides())
        } else {
            self.copy().reshaped(shape)
        }
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
                out.fill(fill);
            }
            for (starts, steps, part) in parts {
                let mut strides = [0; _];
                let mut offset = 0;
                for axis in 0..shape.rank() {
                    strides[axis] = dense[axis] * steps[axis] as isize;
                    offset += dense[axis] as usize * starts[axis];
                }
                map::scatter_into(out, offset, &strides, &part.shape, part.source(&part.shape));
            }
        })
    }
}

// ----- Elementwise -----

/// What one element of a cheap loop costs, in nanoseconds: memory sets the pace.
const CHEAP: f64 = 0.3;

impl<T: Element> Array<T> {
    /// `f` of each element. The loop is compiled for the processor's vectors if `f` is simple enough to be inlined.
    ///
    /// ```
    /// use autodiff::Array;
    /// assert_eq!(Array::full(3.0f32, [2]).map(|x| x * x).to_vec(), [9.0, 9.0]);
    /// ```
    pub fn map<U: Element>(&self, f: impl Fn(T) -> U + Sync) -> Array<U> {
        self.map_with(CHEAP, &f)
    }

    /// The same for a function of stated cost, in nanoseconds an element.
    #[inline]
    pub(crate) fn map_with<U: Element>(&self, ns: f64, f: &impl Map1<T, U>) -> Array<U> {
        Array::build(self.shape, |out| match self.as_slice() {
            Some(a) => map::slice1(out, a, ns, f),
            None => map::strided1(out, &self.shape, self.source(&self.shape), ns, f),
        })
    }

    /// `f` of each pair of elements, after broadcasting.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Array;
    /// let column = Array::from_vec([1.0, 2.0], [2, 1])?;
    /// let row = Array::from_vec([10.0, 20.0], [2])?;
    /// assert_eq!(column.zip(&row, |a, b| a + b)?.to_vec(), [11.0, 21.0, 12.0, 22.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[inline]
    pub fn zip<B: Element, U: Element>(
        &self,
        other: &Array<B>,
        f: impl Fn(T, B) -> U + Sync,
    ) -> Result<Array<U>> {
        self.zip_with(other, CHEAP, &f)
    }

    /// The same for a function of stated cost, in nanoseconds an element.
    #[inline]
    pub(crate) fn zip_with<B: Element, U: Element>(
        &self,
        other: &Array<B>,
        ns: f64,
        f: &impl Map2<T, B, U>,
    ) -> Result<Array<U>> {
        if self.shape == other.shape
            && let (Some(a), Some(b)) = (self.as_slice(), other.as_slice())
        {
            return Ok(Array::build(self.shape, |out| map::slice2(out, a, b, ns, f)));
        }
        let shape = self
            .shape
            .broadcast(&other.shape)
            .ok_or(ErrorKind::Broadcast { left: self.shape, right: other.shape })?;
        Ok(Array::build(shape, |out| {
            map::strided2(out, &shape, self.source(&shape), other.source(&shape), ns, f);
        }))
    }
}

impl<T: Element> Array<T> {
    /// `f` of each triple of elements, after broadcasting.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    pub fn zip3<B: Element, C: Element, U: Element>(
        &self,
        second: &Array<B>,
        third: &Array<C>,
        f: impl Fn(T, B, C) -> U + Sync,
    ) -> Result<Array<U>> {
        let wrong = |left: Shape, right: Shape| ErrorKind::Broadcast { left, right };
        let shape = second.shape.broadcast(&third.shape).ok_or_else(|| wrong(second.shape, third.shape))?;
        let shape = self.shape.broadcast(&shape).ok_or_else(|| wrong(self.shape, shape))?;
        let sources = (self.source(&shape), second.source(&shape), third.source(&shape));
        Ok(Array::build(shape, |out| map::strided3(out, &shape, sources, CHEAP, &f)))
    }
}

impl<T: Float> Array<T> {
    /// Adds `other`, of the same shape, in place if nobody else holds these elements.
    pub(crate) fn add_assign(&mut self, other: &Self) {
        debug_assert_eq!(self.shape, other.shape);
        if self.is_unique() {
            other.with_slice(|other| map::update([self.make_mut()], other, &|[a], b| [a + b]));
        } else {
            *self = self.zip(other, |a, b| a + b).expect("the shapes are equal");
        }
    }

    /// Updates `N` arrays in place, element by element, from themselves and from `source`, in a single pass.
    ///
    /// For optimisers: `[parameter, momentum] ← f([parameter, momentum], gradient)`.
    ///
    /// # Panics
    /// If the arrays have not all as many elements as `source`.
    ///
    /// ```
    /// use autodiff::Array;
    /// let mut weight = Array::full(1.0, [3]);
    /// let mut speed = Array::full(0.5, [3]);
    /// let gradient = Array::from_vec([1.0, 2.0, 3.0], [3])?;
    /// Array::update([&mut weight, &mut speed], &gradient, |[w, v], g| {
    ///     let v = 0.9 * v - 0.1 * g;
    ///     [w + v, v]
    /// });
    /// assert_eq!(weight.to_vec(), [1.35, 1.25, 1.15]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn update<const N: usize>(
        targets: [&mut Self; N],
        source: &Self,
        f: impl Fn([T; N], T) -> [T; N] + Sync,
    ) {
        source.with_slice(|source| map::update(targets.map(Self::make_mut), source, &f));
    }
}

// ----- Reductions, products, indices -----

impl<T: Float> Array<T> {
    /// Combines the elements along a set of axes, which stay with size 1.
    pub(crate) fn fold<R: Fold<T>>(&self, axes: AxisSet) -> Self {
        let target = self.shape.keeping(axes);
        if axes.is_empty() {
            return self.clone();
        }
        let mut current = self.contiguous();
        // Neighbouring axes of the set are combined at once, from the last to the first.
        let mut end = self.rank();
        while end > 0 {
            if !axes.contains(end - 1) {
                end -= 1;
                continue;
            }
            let mut start = end - 1;
            while start > 0 && axes.contains(start - 1) {
                start -= 1;
            }
            let shape = current.shape;
            let n: usize = (start..end).map(|axis| shape.dim(axis)).product();
            let inner: usize = (end..shape.rank()).map(|axis| shape.dim(axis)).product();
            let reduced = (start..end).fold(shape, |shape, axis| shape.with(axis, 1));
            current = Self::build(reduced, |out| {
                current.with_slice(|x| reduce::middle::<T, R>(out, x, n, inner));
            });
            end = start;
        }
        current.reshaped(target)
    }

    /// The sum over a set of axes, which stay with size 1.
    pub(crate) fn sum(&self, axes: AxisSet) -> Self {
        self.fold::<reduce::Add>(axes)
    }

    /// The matrix product over the last two axes; the axes in front broadcast. Both ranks are at least 2.
    ///
    /// # Errors
    /// If the inner sizes differ or the axes in front do not broadcast.
    pub(crate) fn product(&self, other: &Self) -> Result<Self> {
        let wrong = || ErrorKind::MatMul { left: self.shape, right: other.shape };
        let (ra, rb) = (self.rank(), other.rank());
        if ra < 2 || rb < 2 {
            return Err(wrong().into());
        }
        let (m, k, n) = (self.shape.dim(ra - 2), self.shape.dim(ra - 1), other.shape.dim(rb - 1));
        if other.shape.dim(rb - 2) != k {
            return Err(wrong().into());
        }
        let front = |shape: &Shape| Shape::of(shape.iter().take(shape.rank() - 2));
        let batch = front(&self.shape).broadcast(&front(&other.shape)).ok_or_else(wrong)?;
        let shape = Shape::new(&batch.iter().chain([m, n]).collect::<Vec<_>>())?;
        let matrix = |x: &Self| -> (Strides, isize, isize) {
            let strides = x.strides();
            (strides, strides[x.rank() - 2], strides[x.rank() - 1])
        };
        let ((sa, ars, acs), (sb, brs, bcs)) = (matrix(self), matrix(other));
        let a = Matrix { data: &self.buffer, offset: self.offset(), row_stride: ars, column_stride: acs };
        let b = Matrix { data: &other.buffer, offset: other.offset(), row_stride: brs, column_stride: bcs };
        if batch.size() == 1 {
            return Ok(Self::build(shape, |out| gemm::product(out, (m, n, k), a, b, true)));
        }
        let starts = |x: &Self, strides: &Strides| -> Vec<usize> {
            // The array of the first elements of the matrices, whose axes are those in front.
            let firsts = Self { shape: front(&x.shape), ..x.viewed(x.shape, x.offset(), *strides) };
            let source = firsts.source(&batch);
            positions(&batch, source.offset, &source.strides)
        };
        let starts: Vec<_> = starts(self, &sa).into_iter().zip(starts(other, &sb)).collect();
        Ok(Self::build(shape, |out| gemm::batched(out, (m, n, k), a, b, &starts)))
    }

    /// The shape as `[outer, n, inner]` around an axis.
    fn around(shape: Shape, axis: usize) -> (usize, usize, usize) {
        let outer = shape.iter().take(axis).product();
        let inner = shape.iter().skip(axis + 1).product();
        (outer, shape.dim(axis), inner)
    }

    /// Position of the first largest element along `axis`, which goes away; NaN counts as the largest.
    pub(crate) fn arg_max(&self, axis: usize) -> Array<usize> {
        let (_, n, inner) = Self::around(self.shape, axis);
        Array::build(self.shape.without(AxisSet::default().with(axis)), |out| {
            self.with_slice(|x| reduce::arg_max(out, x, n, inner));
        })
    }

    /// Softmax along the last axis.
    pub(crate) fn softmax(&self) -> Self {
        let n = self.shape.dim(self.rank() - 1);
        Self::build(self.shape, |out| self.with_slice(|x| reduce::softmax(out, x, n)))
    }

    /// `ln Σ eˣ` along the last axis, which stays with size 1.
    pub(crate) fn log_sum_exp(&self) -> Self {
        let last = self.rank() - 1;
        let n = self.shape.dim(last);
        Self::build(self.shape.with(last, 1), |out| self.with_slice(|x| reduce::log_sum_exp(out, x, n)))
    }

    /// The entries `index[..]` along `axis`.
    pub(crate) fn select(&self, axis: usize, index: &[usize]) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape.with(axis, index.len()), |out| {
            self.with_slice(|x| index::select(out, x, index, n, inner));
        })
    }

    /// The adjoint of [`select`](Self::select): adds entry `k` into entry `index[k]` of `n` along `axis`.
    pub(crate) fn add_selected(&self, axis: usize, index: &[usize], n: usize) -> Self {
        let (_, _, inner) = Self::around(self.shape, axis);
        Self::build(self.shape.with(axis, n), |out| {
            self.with_slice(|g| index::add_selected(out, g, index, n, inner));
        })
    }

    /// Element `[.., index[.., k, ..], ..]` along `axis` for each position of the index.
    pub(crate) fn gather(&self, axis: usize, index: &Array<usize>) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        let m = index.shape.dim(axis);
        Self::build(index.shape, |out| {
            self.with_slice(|x| index.with_slice(|index| index::gather(out, x, index, (m, n, inner))));
        })
    }

    /// The adjoint of [`gather`](Self::gather): adds each element where the index points, among `n` along `axis`.
    pub(crate) fn scatter_add(&self, axis: usize, index: &Array<usize>, n: usize) -> Self {
        let (_, m, inner) = Self::around(self.shape, axis);
        Self::build(self.shape.with(axis, n), |out| {
            self.with_slice(|g| index.with_slice(|index| index::scatter_add(out, g, index, (m, n, inner))));
        })
    }
}

/// The axes of `to` along which an array of shape `from` was repeated; `None` if it does not broadcast to `to`.
pub(crate) fn broadcast_axes(from: Shape, to: Shape) -> Option<AxisSet> {
    let missing = to.rank().checked_sub(from.rank())?;
    let mut axes = AxisSet::default();
    for axis in 0..to.rank() {
        if axis < missing {
            axes = axes.with(axis);
        } else {
            match (from.dim(axis - missing), to.dim(axis)) {
                (a, b) if a == b => {}
                (1, _) => axes = axes.with(axis),
                _ => return None,
            }
        }
    }
    Some(axes)
}

/// Where each element of a strided array lies, in row-major order.
fn positions(shape: &Shape, offset: usize, strides: &Strides) -> Vec<usize> {
    let mut all = vec![offset as isize];
    for (axis, dim) in shape.iter().enumerate() {
        all = all.iter().flat_map(|&at| (0..dim as isize).map(move |i| at + i * strides[axis])).collect();
    }
    all.into_iter().map(|at| at as usize).collect()
}

// ----- Traits -----

impl<T: Element> PartialEq for Array<T> {
    /// Whether shapes and elements are equal.
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.with_slice(|a| other.with_slice(|b| a == b))
    }
}

impl<T: Element> fmt::Debug for Array<T> {
    /// The shape, and at most the first sixteen elements.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 16;
        let values = self.to_vec();
        write!(f, "{} {:?}", self.shape, &values[..values.len().min(SHOWN)])?;
        if values.len() > SHOWN { write!(f, " and {} more", values.len() - SHOWN) } else { Ok(()) }
    }
}
