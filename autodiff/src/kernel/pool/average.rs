//! The average of each window, and its adjoint.

use super::{PoolShape, Tap, planes};
use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::reduce::{self, Add};

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

/// Writes the sum of each window, divided by its area, to `y`: padding counts as zeros.
pub(crate) fn average<T: Float>(s: &PoolShape, x: &[T], y: &mut [T]) {
    let [input, output] = s.sizes();
    assert_eq!([x.len(), y.len()], [input, output].map(|len| len * s.planes), "pool: lengths");
    if s.is_global() {
        let area = T::from_f64(input as f64);
        reduce::middle::<T, Add>(y, x, input, 1);
        for y in y {
            *y = *y / area;
        }
        return;
    }
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
    if s.is_global() {
        let area = T::from_f64(input as f64);
        planes(s, dx, input, |plane, dx| dx.fill(g[plane] / area));
        return;
    }
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
