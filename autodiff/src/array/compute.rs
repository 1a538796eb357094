//! What arrays can compute: elementwise functions, reductions, products, reading at indices.

use super::Array;
use crate::error::{ErrorKind, Result};
use crate::float::Float;
use crate::kernel::blend::Blends;
use crate::kernel::buffer::Element;
use crate::kernel::gemm::{self, Matrix};
use crate::kernel::index;
use crate::kernel::map::{self, Map1, Map2};
use crate::kernel::reduce::{self, Fold};
use crate::kernel::softmax::columns;
use crate::kernel::strided;
use crate::kernel::triangle::{self, Triangle};
use crate::kernel::{extreme, products, scan, softmax, sort};
use crate::shape::{AxisSet, Shape, Strides};
use std::sync::Arc;

// ----- Elementwise -----

/// What one element of a cheap loop costs, in nanoseconds: memory sets the pace.
pub(crate) const CHEAP: f64 = 0.3;

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
    pub(crate) fn map_with<U: Element>(&self, ns: f64, f: impl Map1<T, U>) -> Array<U> {
        if let Some(copy) = self.nearer() {
            return copy.map_with(ns, f);
        }
        Array::build(self.shape, |out| match self.as_slice() {
            Some(a) => map::slice1(out, a, ns, f),
            None => strided::map1(out, &self.shape, self.source(&self.shape), ns, f),
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
        f: impl Map2<T, B, U>,
    ) -> Result<Array<U>> {
        if self.shape == other.shape
            && let (Some(a), Some(b)) = (self.as_slice(), other.as_slice())
        {
            return Ok(Array::build(self.shape, |out| map::slice2(out, a, b, ns, f)));
        }
        if let Some(copy) = self.nearer() {
            return copy.zip_with(other, ns, f);
        }
        if let Some(copy) = other.nearer() {
            return self.zip_with(&copy, ns, f);
        }
        let shape = self
            .shape
            .broadcast(&other.shape)
            .ok_or(ErrorKind::Broadcast { left: self.shape, right: other.shape })?;
        Ok(Array::build(shape, |out| {
            strided::map2(out, &shape, self.source(&shape), other.source(&shape), ns, f);
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
        Ok(Array::build(shape, |out| strided::map3(out, &shape, sources, CHEAP, &f)))
    }
}

impl<T: Element> Array<T> {
    /// Writes `f` of each element over it, and returns whether it could: if nobody else holds these elements.
    #[inline]
    pub(crate) fn map_over(&mut self, ns: f64, f: impl Map1<T, T>) -> bool {
        let Some(a) = self.unique_mut() else { return false };
        map::over1(a, ns, f);
        true
    }

    /// Writes `f` of each pair of elements over the first of them, and returns whether it could: if nobody else holds these
    /// elements, both arrays are in row-major order, and the other is a single number or has the last axes of this one.
    #[inline]
    pub(crate) fn zip_over<B: Element>(&mut self, other: &Array<B>, ns: f64, f: impl Map2<T, B, T>) -> bool {
        if self.shape != other.shape {
            let own = self.shape.iter().skip(self.rank().saturating_sub(other.rank()));
            if self.rank() < other.rank() || !(other.size() == 1 || own.eq(other.shape.iter())) {
                return false;
            }
        }
        let (Some(a), Some(b)) = (self.unique_mut(), other.as_slice()) else { return false };
        map::over2(a, b, ns, f);
        true
    }
}

impl<T: Float> Array<T> {
    /// Adds `other`, of the same shape, in place if nobody else holds these elements.
    pub(crate) fn add_assign(&mut self, other: &Self) {
        debug_assert_eq!(self.shape, other.shape);
        if let Some(sum) = self.unique_mut() {
            other.with_slice(|other| map::over2(sum, other, CHEAP, |a, b| a + b));
        } else {
            *self = self.zip(other, |a, b| a + b).expect("the shapes are equal");
        }
    }

    /// Adds the product of two arrays, in one pass and in place; returns whether it could: if nobody else holds these
    /// elements, and all are of one shape and in row-major order.
    pub(crate) fn add_product(&mut self, a: &Self, b: &Self) -> bool {
        let one_shape = self.has_shape_of(a) && self.has_shape_of(b);
        let (true, Some(a), Some(b), Some(sum)) = (one_shape, a.as_slice(), b.as_slice(), self.unique_mut())
        else {
            return false;
        };
        map::add_products(sum, a, b);
        true
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

    /// The sum of the products of two arrays of one shape.
    pub(crate) fn dot(&self, other: &Self) -> T {
        self.with_slice(|x| other.with_slice(|y| reduce::dot(x, y)))
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
            return Ok(Self::build(shape, |out| gemm::product(out, (m, n, k), a, b, None, true)));
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

    /// `self · weight + bias`, of shapes `[m, k]`, `[k, n]` and `[n]`.
    pub(crate) fn affine(&self, weight: &Self, bias: &Self) -> Self {
        let ([m, k], n) = ([0, 1].map(|axis| self.shape.dim(axis)), bias.shape.dim(0));
        let [a, b] = [self, weight].map(|x| Matrix {
            data: &x.buffer,
            offset: x.offset(),
            row_stride: x.strides()[0],
            column_stride: x.strides()[1],
        });
        bias.with_slice(|bias| {
            Self::build(Shape::of([m, n]), |out| gemm::product(out, (m, n, k), a, b, Some(bias), true))
        })
    }

    /// The shape as `[outer, n, inner]` around an axis.
    fn around(shape: Shape, axis: usize) -> (usize, usize, usize) {
        let outer = shape.iter().take(axis).product();
        let inner = shape.iter().skip(axis + 1).product();
        (outer, shape.dim(axis), inner)
    }

    /// Position of the first largest (or smallest) element along `axis`, which goes away; NaN counts as either.
    pub(crate) fn arg_extreme(&self, axis: usize, largest: bool) -> Array<usize> {
        let (_, n, inner) = Self::around(self.shape, axis);
        Array::build(self.shape.without(AxisSet::default().with(axis)), |out| {
            self.with_slice(|x| extreme::positions(out, x, n, inner, largest));
        })
    }

    /// The results so far along `axis`, from its first entry on or, reversed, from its last.
    pub(crate) fn scan<R: Fold<T>>(&self, axis: usize, reversed: bool) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape, |out| self.with_slice(|x| scan::fold::<T, R>(out, x, n, inner, reversed)))
    }

    /// `yₖ = xₖ + aₖ yₖ₋₁` along `axis` or, reversed, `yₖ = xₖ + aₖ₊₁ yₖ₊₁`; `a` has the same shape.
    pub(crate) fn recurrence(&self, a: &Self, axis: usize, reversed: bool) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape, |out| {
            self.with_slice(|x| a.with_slice(|a| scan::recurrence(out, (a, x), n, inner, reversed)));
        })
    }

    /// The product of all other elements along `axis`, for each.
    pub(crate) fn products_of_others(&self, axis: usize) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape, |out| self.with_slice(|x| products::of_others(out, x, n, inner)))
    }

    /// Position along `axis` of the largest (or smallest) element so far, of equal ones the last; NaN counts as either.
    pub(crate) fn scan_extreme(&self, axis: usize, largest: bool) -> Array<usize> {
        let (_, n, inner) = Self::around(self.shape, axis);
        Array::build(self.shape, |out| self.with_slice(|x| scan::extreme(out, x, n, inner, largest)))
    }

    /// Positions along `axis` of the `k` smallest elements in ascending order, or of the largest in descending order.
    pub(crate) fn sorted(&self, axis: usize, k: usize, descending: bool) -> Array<usize> {
        let last = self.rank() - 1;
        let mut order: Vec<isize> = (0..self.rank() as isize).collect();
        order.swap(axis, last);
        let rows = self.permute(&order).expect("each axis once");
        let positions = Array::build(rows.shape.with(last, k), |out| {
            rows.with_slice(|x| sort::positions(out, x, rows.shape.dim(last), k, descending));
        });
        positions.permute(&order).expect("each axis once")
    }

    /// Softmax along an axis.
    pub(crate) fn softmax(&self, axis: usize) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape, |out| {
            self.with_slice(|x| match inner {
                1 => softmax::softmax(out, x, n),
                _ => columns::softmax(out, x, n, inner),
            });
        })
    }

    /// `ln Σ eˣ` along an axis, which stays with size 1.
    pub(crate) fn log_sum_exp(&self, axis: usize) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape.with(axis, 1), |out| {
            self.with_slice(|x| match inner {
                1 => softmax::log_sum_exp(out, x, n, |_, largest, rest| largest + rest),
                _ => columns::log_sum_exp(out, x, n, inner),
            });
        })
    }

    /// The logarithm of the softmax along an axis.
    pub(crate) fn log_softmax(&self, axis: usize) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape, |out| {
            self.with_slice(|x| match inner {
                1 => softmax::log_softmax(out, x, n),
                _ => columns::log_softmax(out, x, n, inner),
            });
        })
    }

    /// Pulls `self` back through [`softmax`](Self::softmax), whose result is `y`.
    pub(crate) fn softmax_grad(&self, y: &Self, axis: usize) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape, |out| {
            self.with_slice(|g| {
                y.with_slice(|y| match inner {
                    1 => softmax::softmax_grad(out, g, y, n),
                    _ => columns::softmax_grad(out, g, y, n, inner),
                });
            });
        })
    }

    /// Pulls `self` back through [`log_softmax`](Self::log_softmax), whose result is `y`.
    pub(crate) fn log_softmax_grad(&self, y: &Self, axis: usize) -> Self {
        let (_, n, inner) = Self::around(self.shape, axis);
        Self::build(self.shape, |out| {
            self.with_slice(|g| {
                y.with_slice(|y| match inner {
                    1 => softmax::log_softmax_grad(out, g, y, n),
                    _ => columns::log_softmax_grad(out, g, y, n, inner),
                });
            });
        })
    }

    /// The sum over the rows of a matrix of `ln Σⱼ e^xⱼ - x_label`, and for each row the largest element and
    /// `ln Σ e^(x - largest)`; the labels are below the number of columns.
    pub(crate) fn surprisal(&self, labels: &[usize]) -> (T, Arc<[[T; 2]]>) {
        let n = self.shape.dim(1);
        self.with_slice(|x| {
            let mut rows = vec![[T::ZERO; 2]; labels.len()];
            softmax::log_sum_exp(&mut rows, x, n, |_, largest, rest| [largest, rest]);
            let each = rows.iter().zip(labels).enumerate();
            // What may be large cancels first.
            let losses: Vec<T> =
                each.map(|(i, ([largest, rest], &label))| (*largest - x[i * n + label]) + *rest).collect();
            let mut total = [T::ZERO];
            reduce::middle::<T, reduce::Add>(&mut total, &losses, losses.len(), 1);
            (total[0], rows.into())
        })
    }

    /// The gradient of `factor` times [`surprisal`](Self::surprisal), which has found the numbers of the rows.
    pub(crate) fn surprisal_grad(&self, labels: &[usize], rows: &[[T; 2]], factor: T) -> Self {
        Self::build(self.shape, |out| {
            self.with_slice(|x| softmax::surprisal_grad(out, x, rows, labels, factor));
        })
    }

    /// The elements of a triangle of the last two axes, and 0 elsewhere.
    pub(crate) fn triangle(&self, triangle: Triangle) -> Self {
        let size = [2, 1].map(|behind| self.shape.dim(self.rank() - behind));
        Self::build(self.shape, |out| self.with_slice(|x| triangle::keep(out, x, size.into(), triangle)))
    }

    /// The blends of the entries of images, whose axes are those from `first` on.
    pub(crate) fn blend(&self, first: usize, blends: &Blends<T>) -> Self {
        let image: Vec<_> = self.shape.iter().skip(first).collect();
        let shape = Shape::of(self.shape.iter().take(first).chain(blends.blended(&image)));
        Self::build(shape, |out| self.with_slice(|x| blends.write(out, x, &image)))
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

    /// Element `[.., index[.., k, ..], ..]` along `axis` for each position of the index; `None` if there is not each.
    pub(crate) fn gather(&self, axis: usize, index: &Array<usize>) -> Option<Self> {
        let (_, n, inner) = Self::around(self.shape, axis);
        let sizes = (index.shape.dim(axis), n, inner);
        let mut found = true;
        let read = Self::build(index.shape, |out| {
            self.with_slice(|x| index.with_slice(|index| found = index::gather(out, x, index, sizes)));
        });
        found.then_some(read)
    }

    /// The adjoint of [`gather`](Self::gather): each element added where the index points, among `n` along `axis`, to the
    /// numbers of `base`, if there are any; `None` if the index points elsewhere.
    pub(crate) fn scatter_add(
        &self,
        base: Option<&Self>,
        axis: usize,
        index: &Array<usize>,
        n: usize,
    ) -> Option<Self> {
        let (_, m, inner) = Self::around(self.shape, axis);
        let mut found = true;
        let sum = Self::build(self.shape.with(axis, n), |out| {
            let add = |base: Option<&[T]>, out: &mut [T]| {
                self.with_slice(|g| {
                    index.with_slice(|index| index::scatter_add(out, base, g, index, (m, n, inner)))
                })
            };
            found = match base {
                Some(base) => base.with_slice(|base| add(Some(base), out)),
                None => add(None, out),
            };
        });
        found.then_some(sum)
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
