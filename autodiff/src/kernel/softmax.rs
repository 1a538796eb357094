//! Softmax and its logarithm, of rows, in their stable forms, and their gradients.

use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::parallel;
use crate::kernel::reduce::{Add, Max, row};
use crate::kernel::rows::sum;

/// `y ← e^(x - shift)`.
struct Exponentials<'a, T> {
    y: &'a mut [T],
    x: &'a [T],
    shift: T,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Exponentials<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = (x - self.shift).exp();
        }
    }
}

/// `y ← x * factor`.
struct Scale<'a, T>(&'a mut [T], T);

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Scale<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for y in self.0 {
            *y = *y * self.1;
        }
    }
}

/// The exponentials of one row into `y`, divided by `e^shift`; returns the shift and their sum.
fn exponentials<T: Float>(y: &mut [T], x: &[T]) -> (T, T) {
    let largest = row::<T, Max>(x);
    // A row of minus infinities has no softmax, but also no reason to be shifted by one.
    let shift = if largest == T::NEG_INFINITY { T::ZERO } else { largest };
    vectorized(Exponentials { y, x, shift });
    (shift, row::<T, Add>(y))
}

/// `y ← x - shift - logarithm`, in this order: what is large goes first.
struct Subtract<'a, T> {
    y: &'a mut [T],
    x: &'a [T],
    shift: T,
    logarithm: T,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Subtract<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = x - self.shift - self.logarithm;
        }
    }
}

/// What one element of a row of exponentials costs, in nanoseconds.
const EXP_NS: f64 = 1.2;

/// Softmax of each row of length `n`: `yᵢ = e^(xᵢ - m) / Σⱼ e^(xⱼ - m)` with `m` the largest.
pub(crate) fn softmax<T: Float>(y: &mut [T], x: &[T], n: usize) {
    parallel::items(y, n, n as f64 * EXP_NS + 20.0, |i, y| {
        let (_, sum) = exponentials(y, &x[i * n..][..n]);
        vectorized(Scale(y, T::ONE / sum));
    });
}

/// The logarithm of the softmax of each row of length `n`: `yᵢ = (xᵢ - m) - ln Σⱼ e^(xⱼ - m)`.
pub(crate) fn log_softmax<T: Float>(y: &mut [T], x: &[T], n: usize) {
    parallel::items(y, n, n as f64 * EXP_NS + 20.0, |i, y| {
        let x = &x[i * n..][..n];
        let (shift, sum) = exponentials(y, x);
        vectorized(Subtract { y, x, shift, logarithm: sum.ln() });
    });
}

/// `ln Σ e^x` of each row of length `n`, as the two numbers that `f` combines: the largest and `ln Σ e^(x - largest)`; `f`
/// is told the row.
pub(crate) fn log_sum_exp<T: Float>(out: &mut [T], x: &[T], n: usize, f: impl Fn(usize, T, T) -> T + Sync) {
    parallel::split(out, 1, n as f64 * EXP_NS + 20.0, |start, out| {
        let mut scratch = Fresh::take(n);
        for (i, out) in out.iter_mut().enumerate() {
            let (shift, sum) = exponentials(&mut scratch, &x[(start + i) * n..][..n]);
            *out = f(start + i, shift, sum.ln());
        }
    });
}

/// `out ← y (g - Σ g y)` for whole rows.
struct Pull<'a, T> {
    out: &'a mut [T],
    g: &'a [T],
    y: &'a [T],
    n: usize,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Pull<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.g.chunks_exact(self.n).zip(self.y.chunks_exact(self.n));
        for (out, (g, y)) in self.out.chunks_exact_mut(self.n).zip(rows) {
            let total = T::from_f64(sum([g, y], |[g, y]| g * y));
            for ((out, &g), &y) in out.iter_mut().zip(g).zip(y) {
                *out = y * (g - total);
            }
        }
    }
}

/// Pulls `g` back through [`softmax`], whose result is `y`: `y (g - Σ g y)` for each row of length `n`.
pub(crate) fn softmax_grad<T: Float>(out: &mut [T], g: &[T], y: &[T], n: usize) {
    assert!(out.len() == g.len() && g.len() == y.len(), "softmax: lengths differ");
    if n == 0 {
        return;
    }
    parallel::split(out, n, 0.5, |start, out| {
        let here = start..start + out.len();
        vectorized(Pull { out, g: &g[here.clone()], y: &y[here], n });
    });
}

/// `out ← g - eʸ Σ g` for whole rows.
struct PullLogarithm<'a, T> {
    out: &'a mut [T],
    g: &'a [T],
    y: &'a [T],
    n: usize,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for PullLogarithm<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.g.chunks_exact(self.n).zip(self.y.chunks_exact(self.n));
        for (out, (g, y)) in self.out.chunks_exact_mut(self.n).zip(rows) {
            let total = row::<T, Add>(g);
            for ((out, &g), &y) in out.iter_mut().zip(g).zip(y) {
                *out = g - y.exp() * total;
            }
        }
    }
}

/// Pulls `g` back through [`log_softmax`], whose result is `y`: `g - eʸ Σ g` for each row of length `n`.
pub(crate) fn log_softmax_grad<T: Float>(out: &mut [T], g: &[T], y: &[T], n: usize) {
    assert!(out.len() == g.len() && g.len() == y.len(), "softmax: lengths differ");
    if n == 0 {
        return;
    }
    parallel::split(out, n, EXP_NS, |start, out| {
        let here = start..start + out.len();
        vectorized(PullLogarithm { out, g: &g[here.clone()], y: &y[here], n });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + seed * 31 + 13) % 1009) as f32 / 250.0 - 2.0).collect()
    }

    #[test]
    fn gradients_agree_with_their_scalar_twin_on_any_number_of_threads() {
        for (rows, n) in [(1, 1), (3, 7), (2, 33), (5, 530), (0, 4), (4, 0), (300, 400)] {
            let (x, g) = (numbers(rows * n, 1), numbers(rows * n, 2));
            let run = |threads| {
                crate::with_threads(threads, || {
                    let mut all = [(); 4].map(|()| vec![f32::NAN; rows * n]);
                    let [y, logarithm, dy, dl] = &mut all;
                    softmax(y, &x, n);
                    log_softmax(logarithm, &x, n);
                    softmax_grad(dy, &g, y, n);
                    log_softmax_grad(dl, &g, logarithm, n);
                    all
                })
            };
            let [y, _, dy, dl] = run(1);
            assert_eq!([&y, &dy, &dl], [&run(3)[0], &run(3)[2], &run(3)[3]]);
            for row in 0..rows {
                let row = row * n..(row + 1) * n;
                let wide = |x: &[f32]| x[row.clone()].iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
                let (x, g) = (wide(&x), wide(&g));
                let all: f64 = x.iter().map(|x| x.exp()).sum();
                let p: Vec<f64> = x.iter().map(|x| x.exp() / all).collect();
                let inner: f64 = p.iter().zip(&g).map(|(p, g)| p * g).sum();
                let total: f64 = g.iter().sum();
                for j in 0..n {
                    let near = |found: f32, exact: f64| {
                        (f64::from(found) - exact).abs() < 2e-6 * exact.abs().max(1.0)
                    };
                    assert!(near(y[row.start + j], p[j]));
                    assert!(near(dy[row.start + j], p[j] * (g[j] - inner)), "{rows}x{n}");
                    assert!(near(dl[row.start + j], g[j] - p[j] * total), "{rows}x{n}");
                }
            }
        }
    }
}
