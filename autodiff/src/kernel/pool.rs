//! Two-dimensional pooling: the maximum with its position, the average, and their adjoints.
//!
//! All loops run along rows of the output, one tap of the window after the other, so that they become vector
//! instructions, and none tests a border: the part of a row that a tap sees is worked out before. Planes are
//! independent and so are what threads share.

use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::parallel::{self, Pieces};
use std::ops::Range;

/// The sizes of a two-dimensional pooling; pairs are vertical, then horizontal. The padding is at most half of the
/// kernel, so that no window lies wholly outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PoolShape {
    /// The number of images times the number of channels.
    pub planes: usize,
    /// The height of a plane.
    pub h: usize,
    /// The width of a plane.
    pub w: usize,
    /// The size of the window.
    pub kernel: [usize; 2],
    /// The distance of windows.
    pub stride: [usize; 2],
    /// The rows and columns that are added on each side.
    pub padding: [usize; 2],
}

/// Nanoseconds per tap of a window, as an estimate.
const TAP_NS: f64 = 0.3;

impl PoolShape {
    /// The height of the output; windows that do not fit are left out.
    pub(crate) fn out_h(&self) -> usize {
        (self.h + 2 * self.padding[0] - self.kernel[0]) / self.stride[0] + 1
    }

    /// The width of the output; windows that do not fit are left out.
    pub(crate) fn out_w(&self) -> usize {
        (self.w + 2 * self.padding[1] - self.kernel[1]) / self.stride[1] + 1
    }

    /// The numbers of an input and of an output plane.
    fn sizes(&self) -> [usize; 2] {
        [self.h * self.w, self.out_h() * self.out_w()]
    }

    /// Estimated nanoseconds per plane.
    fn plane_ns(&self) -> f64 {
        let [input, output] = self.sizes();
        (output * self.kernel[0] * self.kernel[1]).max(input) as f64 * TAP_NS
    }

    /// The input rows that the window of output row `y` sees.
    fn rows(&self, y: usize) -> Range<usize> {
        let start = y * self.stride[0];
        let [first, end] =
            [start, start + self.kernel[0]].map(|row| row.saturating_sub(self.padding[0]).min(self.h));
        first..end
    }

    /// The horizontal taps that see the input at all.
    fn taps(&self) -> Vec<Tap> {
        let (padding, stride, width) = (self.padding[1], self.stride[1], self.out_w());
        let tap = |tap: usize| {
            let [start, end] = [padding, padding + self.w]
                .map(|column| column.saturating_sub(tap).div_ceil(stride).min(width));
            (start < end).then(|| Tap { columns: start..end, first: start * stride + tap - padding })
        };
        (0..self.kernel[1]).filter_map(tap).collect()
    }
}

/// One column of the window.
struct Tap {
    /// The output columns for which it sees the input.
    columns: Range<usize>,
    /// The input column that it sees for the first of them; each next one is at the distance of windows.
    first: usize,
}

/// Calls `body(plane, out)` for each plane of `out`, in parallel if that is worth it.
fn planes<T: Send>(s: &PoolShape, out: &mut [T], plane: usize, body: impl Fn(usize, &mut [T]) + Sync) {
    if plane > 0 {
        parallel::split(out, plane, s.plane_ns() / plane as f64, |start, out| {
            for (i, out) in out.chunks_exact_mut(plane).enumerate() {
                body(start / plane + i, out);
            }
        });
    }
}

/// Writes the maximum of each window to `y` and its position within the input plane to `index`: of equal numbers
/// the first in row order. NaN is larger than every number, and padding is never the maximum.
pub(crate) fn max<T: Float>(s: &PoolShape, x: &[T], y: &mut [T], index: &mut [u32]) {
    let [input, output] = s.sizes();
    assert_eq!(
        [x.len(), y.len(), index.len()],
        [input, output, output].map(|len| len * s.planes),
        "pool: lengths"
    );
    if y.is_empty() {
        return;
    }
    let taps = &*s.taps();
    let body = |(plane, (y, index)): (usize, (&mut [T], &mut [u32]))| {
        vectorized(Max { s, taps, x: &x[plane * input..(plane + 1) * input], y, index });
    };
    let ns = s.plane_ns();
    if parallel::worthwhile(ns * s.planes as f64) {
        let least = (parallel::SERIAL_NS / 4.0 / ns) as usize;
        let (ys, indices) = (Pieces::new(y, output), Pieces::new(index, output));
        parallel::each(s.planes, least, &|plane| {
            // SAFETY: `each` calls with every plane once.
            body((plane, unsafe { (ys.take(plane), indices.take(plane)) }));
        });
    } else {
        y.chunks_mut(output).zip(index.chunks_mut(output)).enumerate().for_each(body);
    }
}

/// The maxima of one plane.
struct Max<'a, T> {
    s: &'a PoolShape,
    taps: &'a [Tap],
    x: &'a [T],
    y: &'a mut [T],
    index: &'a mut [u32],
}

/// Replaces a maximum and its position by a later number if that is larger, or the first NaN.
#[inline(always)]
#[allow(clippy::inline_always)]
fn take<T: Float>(best: &mut T, at: &mut u32, number: T, position: u32) {
    // Neither a branch nor a short circuit: this is to become a comparison and a selection of vectors.
    let smaller = number <= *best;
    let settled = best.is_nan();
    let keep = smaller | settled;
    *best = if keep { *best } else { number };
    *at = if keep { *at } else { position };
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Max<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Max { s, taps, x, y, index } = self;
        let width = s.out_w();
        let rows = y.chunks_exact_mut(width).zip(index.chunks_exact_mut(width)).enumerate();
        if s.kernel == [2, 2] && s.stride == [2, 2] && s.padding == [0, 0] {
            for (i, (y, index)) in rows {
                let at = 2 * i * s.w;
                let (upper, _) = x[at..at + s.w].as_chunks::<2>();
                let (lower, _) = x[at + s.w..at + 2 * s.w].as_chunks::<2>();
                let w = s.w as u32;
                let mut at = at as u32;
                for (((y, index), upper), lower) in y.iter_mut().zip(index).zip(upper).zip(lower) {
                    let (mut best, mut place) = (upper[0], at);
                    take(&mut best, &mut place, upper[1], at + 1);
                    take(&mut best, &mut place, lower[0], at + w);
                    take(&mut best, &mut place, lower[1], at + w + 1);
                    (*y, *index) = (best, place);
                    at += 2;
                }
            }
            return;
        }
        for (i, (y, index)) in rows {
            let seen = s.rows(i);
            // The first number that a window sees is its maximum until a larger one comes, even if it is -∞.
            y.fill(-T::INFINITY);
            let first = (seen.start * s.w) as u32;
            for (j, index) in index.iter_mut().enumerate() {
                *index = first + (j * s.stride[1]).saturating_sub(s.padding[1]) as u32;
            }
            for row in seen {
                for Tap { columns, first } in taps {
                    let at = row * s.w + first;
                    let x = &x[at..(row + 1) * s.w];
                    let (y, index) = (&mut y[columns.clone()], &mut index[columns.clone()]);
                    // The literal strides make loops of their own, which become vector instructions.
                    match s.stride[1] {
                        1 => tap_max(1, x, at as u32, y, index),
                        2 => tap_max(2, x, at as u32, y, index),
                        stride => tap_max(stride, x, at as u32, y, index),
                    }
                }
            }
        }
    }
}

/// Takes every `stride`th number of `x`, whose first is at `at`, into the maxima of a row.
#[inline(always)]
#[allow(clippy::inline_always)]
fn tap_max<T: Float>(stride: usize, x: &[T], at: u32, y: &mut [T], index: &mut [u32]) {
    let (count, stride) = (y.len(), stride.max(1));
    assert!(count == index.len() && count <= x.len().div_ceil(stride));
    for i in 0..count {
        // SAFETY: `i < count`, and `(count - 1) * stride < x.len()`, as just checked.
        unsafe {
            let position = at + (i * stride) as u32;
            take(y.get_unchecked_mut(i), index.get_unchecked_mut(i), *x.get_unchecked(i * stride), position);
        }
    }
}

/// Adds every `from_stride`th number of `from` to every `to_stride`th of the `count` first of `to`.
#[inline(always)]
#[allow(clippy::inline_always)]
fn add<T: Float>(count: usize, from: &[T], from_stride: usize, to: &mut [T], to_stride: usize) {
    assert!(count <= from.len().div_ceil(from_stride) && count <= to.len().div_ceil(to_stride));
    for i in 0..count {
        // SAFETY: `i < count`, and `(count - 1) * stride` is less than each length, as just checked.
        unsafe { *to.get_unchecked_mut(i * to_stride) += *from.get_unchecked(i * from_stride) };
    }
}

/// Adds each number of `g` to the place in its plane of `dx` that `index` names, all others being zero.
pub(crate) fn scatter<T: Float>(s: &PoolShape, g: &[T], index: &[u32], dx: &mut [T]) {
    let [input, output] = s.sizes();
    assert_eq!(
        [dx.len(), g.len(), index.len()],
        [input, output, output].map(|len| len * s.planes),
        "pool: lengths"
    );
    planes(s, dx, input, |plane, dx| {
        dx.fill(T::ZERO);
        let range = plane * output..(plane + 1) * output;
        for (g, at) in g[range.clone()].iter().zip(&index[range]) {
            dx[*at as usize] += *g;
        }
    });
}

/// Writes to `y` the numbers at the places in the planes of `x` that `index` names.
pub(crate) fn gather<T: Float>(s: &PoolShape, x: &[T], index: &[u32], y: &mut [T]) {
    let [input, output] = s.sizes();
    assert_eq!(
        [x.len(), y.len(), index.len()],
        [input, output, output].map(|len| len * s.planes),
        "pool: lengths"
    );
    planes(s, y, output, |plane, y| {
        let x = &x[plane * input..(plane + 1) * input];
        for (y, at) in y.iter_mut().zip(&index[plane * output..(plane + 1) * output]) {
            *y = x[*at as usize];
        }
    });
}

/// Writes the sum of each window, divided by its area, to `y`: padding counts as zeros.
pub(crate) fn average<T: Float>(s: &PoolShape, x: &[T], y: &mut [T]) {
    let [input, output] = s.sizes();
    assert_eq!([x.len(), y.len()], [input, output].map(|len| len * s.planes), "pool: lengths");
    let taps = &*s.taps();
    planes(s, y, output, |plane, y| {
        vectorized(Average { s, taps, x: &x[plane * input..(plane + 1) * input], y });
    });
}

/// The averages of one plane: the rows of a window are added first, along whole rows.
struct Average<'a, T> {
    s: &'a PoolShape,
    taps: &'a [Tap],
    x: &'a [T],
    y: &'a mut [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Average<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Average { s, taps, x, y } = self;
        let area = T::from_f64((s.kernel[0] * s.kernel[1]) as f64);
        let mut sums = Fresh::take(s.w);
        for (i, y) in y.chunks_exact_mut(s.out_w()).enumerate() {
            sums.fill(T::ZERO);
            for row in s.rows(i) {
                for (sum, x) in sums.iter_mut().zip(&x[row * s.w..(row + 1) * s.w]) {
                    *sum += *x;
                }
            }
            y.fill(T::ZERO);
            for Tap { columns, first } in taps {
                let (sums, y) = (&sums[*first..], &mut y[columns.clone()]);
                match s.stride[1] {
                    1 => add(y.len(), sums, 1, y, 1),
                    2 => add(y.len(), sums, 2, y, 1),
                    stride => add(y.len(), sums, stride, y, 1),
                }
            }
            for y in y {
                *y = *y / area;
            }
        }
    }
}

/// Writes to `dx` the gradient of `Σ y * g`, where `y` is the [`average`]: each number of `g`, divided by the area of
/// the window, is added to all that the window saw.
pub(crate) fn spread<T: Float>(s: &PoolShape, g: &[T], dx: &mut [T]) {
    let [input, output] = s.sizes();
    assert_eq!([dx.len(), g.len()], [input, output].map(|len| len * s.planes), "pool: lengths");
    let taps = &*s.taps();
    planes(s, dx, input, |plane, dx| {
        vectorized(Spread { s, taps, g: &g[plane * output..(plane + 1) * output], dx });
    });
}

/// The gradient of one plane: a row of windows is spread along one row, which is then added to all it stands for.
struct Spread<'a, T> {
    s: &'a PoolShape,
    taps: &'a [Tap],
    g: &'a [T],
    dx: &'a mut [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Spread<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Spread { s, taps, g, dx } = self;
        let area = T::from_f64((s.kernel[0] * s.kernel[1]) as f64);
        let mut sums = Fresh::take(s.w);
        dx.fill(T::ZERO);
        for (i, g) in g.chunks_exact(s.out_w()).enumerate() {
            sums.fill(T::ZERO);
            for Tap { columns, first } in taps {
                let (sums, g) = (&mut sums[*first..], &g[columns.clone()]);
                match s.stride[1] {
                    1 => add(g.len(), g, 1, sums, 1),
                    2 => add(g.len(), g, 1, sums, 2),
                    stride => add(g.len(), g, 1, sums, stride),
                }
            }
            for sum in &mut *sums {
                *sum = *sum / area;
            }
            for row in s.rows(i) {
                for (dx, sum) in dx[row * s.w..(row + 1) * s.w].iter_mut().zip(&*sums) {
                    *dx += *sum;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1 that look random; with `coarse`, of few values, infinities and NaN among them.
    fn numbers<T: Float>(len: usize, seed: u64, coarse: bool) -> Vec<T> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 40
        };
        (0..len)
            .map(|_| match (coarse, next()) {
                (false, n) => T::from_f64(n as f64 / f64::from(1 << 23) - 1.0),
                (true, n) if n % 29 == 0 => T::NAN,
                (true, n) if n % 3 == 0 => -T::INFINITY,
                (true, n) => T::from_f64((n % 5) as f64),
            })
            .collect()
    }

    /// Calls `f(output, input)` for each input that a window sees, by the definition and in row order.
    fn windows(s: &PoolShape, mut f: impl FnMut(usize, usize)) {
        let (oh, ow) = (s.out_h(), s.out_w());
        for (p, oy) in (0..s.planes).flat_map(|p| (0..oh).map(move |y| (p, y))) {
            for (ox, r) in (0..ow).flat_map(|x| (0..s.kernel[0]).map(move |r| (x, r))) {
                for t in 0..s.kernel[1] {
                    let iy = (oy * s.stride[0] + r).wrapping_sub(s.padding[0]);
                    let ix = (ox * s.stride[1] + t).wrapping_sub(s.padding[1]);
                    if iy < s.h && ix < s.w {
                        f((p * oh + oy) * ow + ox, (p * s.h + iy) * s.w + ix);
                    }
                }
            }
        }
    }

    fn shapes() -> Vec<PoolShape> {
        let mut shapes = Vec::new();
        for kernel in [[1, 1], [2, 2], [3, 3], [2, 3], [5, 4]] {
            for stride in [[1, 1], [2, 2], [3, 2], [1, 3], [6, 7]] {
                for padding in [[0, 0], [1, 1], [0, 1], [2, 2]] {
                    for [h, w] in [[5, 5], [8, 7], [9, 34], [28, 28]] {
                        if (0..2).all(|i| 2 * padding[i] <= kernel[i]) {
                            shapes.push(PoolShape { planes: 3, h, w, kernel, stride, padding });
                        }
                    }
                }
            }
        }
        let one = |planes, h, w, k: usize| PoolShape {
            planes,
            h,
            w,
            kernel: [k; 2],
            stride: [k; 2],
            padding: [k / 2; 2],
        };
        shapes.extend([one(0, 4, 4, 2), one(2, 1, 1, 1), one(2, 1, 1, 2), one(2, 1, 1, 3), one(2, 0, 3, 2)]);
        let whole = |h, w| PoolShape { planes: 5, h, w, kernel: [h, w], stride: [1; 2], padding: [0; 2] };
        shapes.extend([whole(8, 8), whole(7, 5), PoolShape { planes: 300, ..one(0, 28, 28, 2) }]);
        shapes.push(PoolShape { planes: 500, padding: [0; 2], ..one(0, 28, 28, 2) });
        shapes
    }

    fn check_max<T: Float>(s: &PoolShape, coarse: bool) {
        let [input, output] = s.sizes();
        let x = numbers::<T>(s.planes * input, 1, coarse);
        let mut want = vec![None; s.planes * output];
        windows(s, |out, at| {
            let better = |best: usize| x[at] > x[best] || (x[at].is_nan() && !x[best].is_nan());
            if want[out].is_none_or(better) {
                want[out] = Some(at);
            }
        });
        let (mut y, mut index) = (vec![T::NAN; want.len()], vec![u32::MAX; want.len()]);
        max(s, &x, &mut y, &mut index);
        for (i, want) in want.iter().enumerate() {
            if let Some(want) = *want {
                assert_eq!(index[i] as usize, want - i / output * input, "{s:?}, output {i}");
                assert!(y[i] == x[want] || (y[i].is_nan() && x[want].is_nan()), "{s:?}, output {i}");
            }
        }
        if input == 0 {
            return;
        }

        let mut again = vec![T::NAN; y.len()];
        gather(s, &x, &index, &mut again);
        assert!(again.iter().zip(&y).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())), "{s:?}");

        let g = numbers::<T>(y.len(), 2, false);
        let mut sums = vec![0.0; x.len()];
        for (i, (g, at)) in g.iter().zip(&index).enumerate() {
            sums[i / output * input + *at as usize] += g.to_f64();
        }
        let mut dx = vec![T::NAN; x.len()];
        scatter(s, &g, &index, &mut dx);
        close(s, &dx, &sums);
    }

    fn close<T: Float>(s: &PoolShape, got: &[T], want: &[f64]) {
        for (i, (got, want)) in got.iter().zip(want).enumerate() {
            let error = (got.to_f64() - want).abs();
            assert!(error <= 64.0 * T::EPSILON.to_f64(), "{s:?} [{i}]: {got:?}, not {want}");
        }
    }

    fn check_average<T: Float>(s: &PoolShape) {
        let [input, output] = s.sizes();
        let (x, g) = (numbers::<T>(s.planes * input, 3, false), numbers::<T>(s.planes * output, 4, false));
        let area = (s.kernel[0] * s.kernel[1]) as f64;
        let (mut mean, mut spreading) = (vec![0.0; g.len()], vec![0.0; x.len()]);
        windows(s, |out, at| {
            mean[out] += x[at].to_f64() / area;
            spreading[at] += g[out].to_f64() / area;
        });
        let (mut y, mut dx) = (vec![T::NAN; g.len()], vec![T::NAN; x.len()]);
        average(s, &x, &mut y);
        close(s, &y, &mean);
        spread(s, &g, &mut dx);
        close(s, &dx, &spreading);
    }

    #[test]
    fn maxima_are_the_first_ones_and_padding_is_none() {
        for s in shapes() {
            for coarse in [false, true] {
                check_max::<f32>(&s, coarse);
                check_max::<f64>(&s, coarse);
            }
        }
    }

    #[test]
    fn averages_follow_the_definition() {
        for s in shapes() {
            check_average::<f32>(&s);
            check_average::<f64>(&s);
        }
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let pools = [1, 2].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
        for s in shapes().iter().filter(|s| s.h * s.w > 0) {
            let [input, output] = s.sizes().map(|len| len * s.planes);
            let (x, g) = (numbers::<f32>(input, 5, true), numbers::<f32>(output, 6, false));
            let results = pools.each_ref().map(|pool| {
                let (mut y, mut index) = (vec![f32::NAN; output], vec![u32::MAX; output]);
                let (mut dx, mut mean, mut spreading) =
                    (vec![f32::NAN; input], vec![f32::NAN; output], vec![f32::NAN; input]);
                pool.install(|| {
                    max(s, &x, &mut y, &mut index);
                    scatter(s, &g, &index, &mut dx);
                    average(s, &x, &mut mean);
                    spread(s, &g, &mut spreading);
                });
                (index, [y, dx, mean, spreading].map(|v| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>()))
            });
            assert!(results[0] == results[1], "{s:?}");
        }
    }
}
