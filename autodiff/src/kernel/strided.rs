//! Elementwise loops over one, two or three operands of any strides.
//!
//! The axes of the output are merged where all operands allow it, so that a contiguous or broadcast operand becomes a
//! single long row; rows whose strides are 0 or 1 run as vectorised loops over slices, others gather. Copies of operands
//! that are far from the output's order go by tiles.

mod tiles;

use crate::kernel::buffer::Element;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::map::{Map1, Map2, Slice1, Slice2, Slice3};
use crate::kernel::parallel::{self, Shared};
use crate::shape::{MAX_RANK, Shape, Strides};
use tiles::Tiles;

/// An operand: numbers, where the first one is, and the strides along the axes of the *output* (0 if broadcast).
#[derive(Clone, Copy)]
pub(crate) struct Source<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) offset: usize,
    pub(crate) strides: Strides,
}

/// The axes of an output, merged, with the strides of `N` operands.
struct Loops<const N: usize> {
    rank: usize,
    dims: [usize; MAX_RANK],
    strides: [Strides; N],
}

impl<const N: usize> Loops<N> {
    fn new(shape: &Shape, strides: [&Strides; N]) -> Self {
        let mut loops = Self { rank: 0, dims: [1; MAX_RANK], strides: [[0; MAX_RANK]; N] };
        for (axis, dim) in shape.iter().enumerate() {
            if dim == 1 {
                continue;
            }
            let last = loops.rank.wrapping_sub(1);
            let merges =
                loops.rank > 0 && (0..N).all(|k| loops.strides[k][last] == strides[k][axis] * dim as isize);
            if merges {
                loops.dims[last] *= dim;
                for (merged, own) in loops.strides.iter_mut().zip(strides) {
                    merged[last] = own[axis];
                }
            } else {
                loops.dims[loops.rank] = dim;
                for (merged, own) in loops.strides.iter_mut().zip(strides) {
                    merged[loops.rank] = own[axis];
                }
                loops.rank += 1;
            }
        }
        loops.rank = loops.rank.max(1);
        loops
    }

    /// The length of the innermost row.
    fn row(&self) -> usize {
        self.dims[self.rank - 1]
    }

    fn row_strides(&self) -> [isize; N] {
        std::array::from_fn(|k| self.strides[k][self.rank - 1])
    }

    /// Calls `body(piece of out, offsets of the operands)` for each row that starts in `out`, whose first element is
    /// the `start`-th of the whole output.
    fn rows<U>(
        &self,
        start: usize,
        out: &mut [U],
        offsets: [usize; N],
        mut body: impl FnMut(&mut [U], [usize; N]),
    ) {
        let row = self.row();
        let inner = self.rank - 1;
        if inner == 0 {
            // One row in all, of which a piece may start anywhere.
            let step = |k: usize| start as isize * self.strides[k][0];
            return body(out, std::array::from_fn(|k| (offsets[k] as isize + step(k)) as usize));
        }
        let mut index = [0usize; MAX_RANK];
        let mut rest = start / row;
        for axis in (0..inner).rev() {
            index[axis] = rest % self.dims[axis];
            rest /= self.dims[axis];
        }
        let mut at: [isize; N] = std::array::from_fn(|k| {
            (0..inner).fold(offsets[k] as isize, |sum, a| sum + index[a] as isize * self.strides[k][a])
        });
        for piece in out.chunks_mut(row) {
            body(piece, at.map(|x| x as usize));
            for axis in (0..inner).rev() {
                index[axis] += 1;
                for (x, strides) in at.iter_mut().zip(&self.strides) {
                    *x += strides[axis];
                }
                if index[axis] < self.dims[axis] {
                    break;
                }
                index[axis] = 0;
                for (x, strides) in at.iter_mut().zip(&self.strides) {
                    *x -= strides[axis] * self.dims[axis] as isize;
                }
            }
        }
    }

    /// Whether no two elements of operand `k` are the same: along each axis, a step leads beyond all that the axes of shorter
    /// steps reach.
    fn are_apart(&self, k: usize) -> bool {
        let mut axes: [_; MAX_RANK] =
            std::array::from_fn(|axis| (self.strides[k][axis].unsigned_abs(), self.dims[axis] - 1));
        axes.sort_unstable();
        let mut reach = 0;
        axes.iter().all(|&(step, steps)| {
            let apart = steps == 0 || step > reach;
            reach += step * steps;
            apart
        })
    }

    /// The elements that a parallel piece must be a multiple of.
    fn unit(&self) -> usize {
        if self.rank == 1 { 1 } else { self.row() }
    }
}

/// One row of a unary loop of any stride: where there is nothing to vectorise, there still are the instructions.
struct Gather1<'a, A, U, F> {
    out: &'a mut [U],
    a: &'a [A],
    at: usize,
    stride: isize,
    f: F,
}

#[allow(clippy::inline_always)]
impl<A: Copy, U, F: Map1<A, U>> Kernel for Gather1<'_, A, U, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let mut at = self.at as isize;
        for out in self.out {
            *out = self.f.call(self.a[at as usize]);
            at += self.stride;
        }
    }
}

/// One row of a binary loop of any strides.
struct Gather2<'a, A, B, U, F> {
    out: &'a mut [U],
    a: &'a [A],
    b: &'a [B],
    at: [usize; 2],
    strides: [isize; 2],
    f: F,
}

#[allow(clippy::inline_always)]
impl<A: Copy, B: Copy, U, F: Map2<A, B, U>> Kernel for Gather2<'_, A, B, U, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let [mut at_a, mut at_b] = self.at.map(|at| at as isize);
        for out in self.out {
            *out = self.f.call(self.a[at_a as usize], self.b[at_b as usize]);
            at_a += self.strides[0];
            at_b += self.strides[1];
        }
    }
}

/// Nanoseconds to put one element into a part of an array.
const SCATTER_NS: f64 = 0.5;

/// Nanoseconds to copy one element.
const COPY_NS: f64 = 0.3;

/// `out[i] = a[i]` for an operand of any strides; `out` is contiguous with the given shape.
pub(crate) fn copy<T: Element>(out: &mut [T], shape: &Shape, a: Source<'_, T>) {
    match Tiles::new(&Loops::new(shape, [&a.strides])) {
        Some(tiles) => tiles.copy(out, a),
        None => map1(out, shape, a, COPY_NS, |x| x),
    }
}

/// Whether an operand of this shape, none of whose elements are repeated, is better copied by [`copy`] than read in the order
/// of its elements: with the copy, a sum with 1024 by 1024 transposed numbers takes 0.26 ms, and without it 3.5 ms.
pub(crate) fn is_far(shape: &Shape, strides: &Strides) -> bool {
    let repeats = shape.iter().zip(strides).any(|(dim, &stride)| dim > 1 && stride == 0);
    !repeats && Tiles::new(&Loops::new(shape, [strides])).is_some()
}

/// `out[i] = f(a[i])` for an operand of any strides; `out` is contiguous with the given shape.
pub(crate) fn map1<A: Element, U: Element>(
    out: &mut [U],
    shape: &Shape,
    a: Source<'_, A>,
    ns: f64,
    f: impl Map1<A, U>,
) {
    if out.is_empty() {
        return;
    }
    let loops = Loops::new(shape, [&a.strides]);
    let [stride] = loops.row_strides();
    parallel::split(out, loops.unit(), ns, |start, out| {
        loops.rows(start, out, [a.offset], |out, [at]| match stride {
            1 => {
                let n = out.len();
                vectorized(Slice1 { out, a: &a.data[at..at + n], f });
            }
            0 => out.fill(f.call(a.data[at])),
            _ => vectorized(Gather1 { out, a: a.data, at, stride, f }),
        });
    });
}

/// `out[i] = f(a[i], b[i])` for operands of any strides; `out` is contiguous with the given shape.
pub(crate) fn map2<A: Element, B: Element, U: Element>(
    out: &mut [U],
    shape: &Shape,
    a: Source<'_, A>,
    b: Source<'_, B>,
    ns: f64,
    f: impl Map2<A, B, U>,
) {
    if out.is_empty() {
        return;
    }
    let loops = Loops::new(shape, [&a.strides, &b.strides]);
    let [sa, sb] = loops.row_strides();
    parallel::split(out, loops.unit(), ns, |start, out| {
        loops.rows(start, out, [a.offset, b.offset], |out, [pa, pb]| {
            let n = out.len();
            if matches!(sa, 0 | 1) && matches!(sb, 0 | 1) {
                let a = &a.data[pa..pa + if sa == 0 { 1 } else { n }];
                let b = &b.data[pb..pb + if sb == 0 { 1 } else { n }];
                vectorized(Slice2 { out, a, b, broadcast: (sa == 0, sb == 0), f });
            } else {
                vectorized(Gather2 { out, a: a.data, b: b.data, at: [pa, pb], strides: [sa, sb], f });
            }
        });
    });
}

/// `out[i] = f(a[i], b[i], c[i])` for operands of any strides; `out` is contiguous with the given shape.
pub(crate) fn map3<A: Element, B: Element, C: Element, U: Element>(
    out: &mut [U],
    shape: &Shape,
    (a, b, c): (Source<'_, A>, Source<'_, B>, Source<'_, C>),
    ns: f64,
    f: &(impl Fn(A, B, C) -> U + Sync),
) {
    if out.is_empty() {
        return;
    }
    let loops = Loops::new(shape, [&a.strides, &b.strides, &c.strides]);
    let [sa, sb, sc] = loops.row_strides();
    parallel::split(out, loops.unit(), ns, |start, out| {
        loops.rows(start, out, [a.offset, b.offset, c.offset], |out, [pa, pb, pc]| {
            let n = out.len();
            if sa == 1 && matches!(sb, 0 | 1) && matches!(sc, 0 | 1) {
                let a = &a.data[pa..pa + n];
                let b = &b.data[pb..pb + if sb == 0 { 1 } else { n }];
                let c = &c.data[pc..pc + if sc == 0 { 1 } else { n }];
                return vectorized(Slice3 { out, a, b, c, broadcast: (sb == 0, sc == 0), f });
            }
            let (mut pa, mut pb, mut pc) = (pa as isize, pb as isize, pc as isize);
            for out in out {
                *out = f(a.data[pa as usize], b.data[pb as usize], c.data[pc as usize]);
                pa += sa;
                pb += sb;
                pc += sc;
            }
        });
    });
}

/// `put(target[i], source[i])` where `target` is a strided part of an array, with the given shape; where elements of it
/// coincide, in row-major order, and on this thread alone.
pub(crate) fn scatter_into<T: Element>(
    target: &mut [T],
    offset: usize,
    strides: &Strides,
    shape: &Shape,
    source: Source<'_, T>,
    put: impl Fn(&mut T, T) + Sync,
) {
    if shape.size() == 0 {
        return;
    }
    // The rows are walked in the order of a contiguous array of this shape, of which only the length matters.
    let loops = Loops::new(shape, [strides, &source.strides]);
    let [st, ss] = loops.row_strides();
    let mut order = vec![(); shape.size()];
    let target = Shared::new(target);
    let put_rows = |start: usize, order: &mut [()]| {
        loops.rows(start, order, [offset, source.offset], |row, [pt, ps]| {
            if st == 1 && ss == 1 {
                // SAFETY: this thread alone writes these, as other rows are apart, or there is no other thread.
                let target = unsafe { target.slice(pt, row.len()) };
                for (target, &value) in target.iter_mut().zip(&source.data[ps..ps + row.len()]) {
                    put(target, value);
                }
            } else {
                let (mut pt, mut ps) = (pt as isize, ps as isize);
                for () in row {
                    // SAFETY: the same.
                    let target = unsafe { target.slice(pt as usize, 1) };
                    put(&mut target[0], source.data[ps as usize]);
                    pt += st;
                    ps += ss;
                }
            }
        });
    };
    if loops.are_apart(0) {
        parallel::split(&mut order, loops.unit(), SCATTER_NS, put_rows);
    } else {
        put_rows(0, &mut order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_put_where_they_belong_on_any_number_of_threads() {
        let (shape, values) = (Shape::from([300, 350]), (0..105_000).map(|i| i as f32 * 0.37));
        let values: Vec<f32> = values.collect();
        let axes = |steps: [isize; 2]| {
            let mut strides = [0; MAX_RANK];
            strides[..2].copy_from_slice(&steps);
            strides
        };
        // Rows, every other element, columns, and windows that overlap, whose sums depend on the order.
        for (strides, apart) in [([700, 1], true), ([1400, 2], true), ([1, 300], true), ([2, 1], false)] {
            let mut expected = vec![0.5; 420_000];
            for (i, &value) in values.iter().enumerate() {
                expected[3 + i / 350 * strides[0] as usize + i % 350 * strides[1] as usize] += value;
            }
            let loops = Loops::new(&shape, [&axes(strides)]);
            assert_eq!(loops.are_apart(0), apart, "{strides:?}");
            for threads in [1, 3] {
                let mut target = vec![0.5; 420_000];
                let source = Source { data: &values, offset: 0, strides: shape.strides() };
                let add = |target: &mut f32, value| *target += value;
                crate::with_threads(threads, || {
                    scatter_into(&mut target, 3, &axes(strides), &shape, source, add);
                });
                assert!(target == expected, "{strides:?} on {threads}");
            }
        }
    }
}
