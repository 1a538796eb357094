//! Rows, each normalised by its own mean and variance: forward and backward, in one pass over memory each.
//!
//! Rows are taken in blocks that stay in the second-level cache from the sums to the result. What the gradients of weights
//! and biases add up within a block is summed over the blocks in double precision, in order: the size of a block depends on
//! the length of a row alone, so no result depends on the number of threads.

use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::level;
use crate::kernel::parallel;
use crate::kernel::reduce;
use crate::kernel::sums::sums;
use crate::kernel::vector::{Job, Vector, dispatch};

/// Elements of a block, at least one row.
const BLOCK: usize = 32_768;
/// Nanoseconds an element, forward or backward.
const NS: f64 = 0.5;

/// What the rows are multiplied by and what is added to them.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a, T> {
    pub(crate) weight: &'a [T],
    pub(crate) bias: &'a [T],
}

/// Mean and variance of a row, and `1 / √(variance + ε)`.
#[derive(Clone, Copy)]
pub(crate) struct Statistics<T> {
    pub(crate) mean: T,
    pub(crate) variance: T,
    pub(crate) inverse: T,
}

#[allow(clippy::inline_always)]
impl<T: Float> Statistics<T> {
    /// Those of a row.
    #[inline(always)]
    pub(super) fn of<V: Vector<T>>(x: &[T], epsilon: T) -> Self {
        let n = x.len() as f64;
        let [total] = sums([x], |x: [V; 1]| x);
        let mean = T::from_f64(total / n);
        // SAFETY: a number can be read.
        let center = unsafe { V::splat(&raw const mean) };
        let [total] = sums([x], |[x]: [V; 1]| {
            let distance = x.minus(center);
            [distance.times(distance)]
        });
        let variance = T::from_f64(total / n);
        Self { mean, variance, inverse: (variance + epsilon).sqrt().recip() }
    }
}

/// Normalises whole rows.
struct Forward<'a, T> {
    out: &'a mut [T],
    statistics: &'a mut [Statistics<T>],
    x: &'a [T],
    affine: Affine<'a, T>,
    epsilon: T,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Forward<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { out, statistics, x, affine, epsilon } = self;
        let n = affine.weight.len();
        let (weight, bias) = (&affine.weight[..n], &affine.bias[..n]);
        for ((out, x), statistics) in out.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(statistics) {
            *statistics = Statistics::of::<V>(x, epsilon);
            let Statistics { mean, inverse, .. } = *statistics;
            for (j, (out, &x)) in out.iter_mut().zip(x).enumerate() {
                *out = (x - mean) * inverse * weight[j] + bias[j];
            }
        }
    }
}

/// `weight (x - mean) / √(variance + ε) + bias` of each row of `x`, with its mean and its variance, the mean of the squared
/// distances from it.
pub(crate) fn normalize<T: Float>(
    out: &mut [T],
    x: &[T],
    affine: Affine<'_, T>,
    epsilon: T,
) -> Vec<Statistics<T>> {
    let n = affine.weight.len();
    let rows = x.len().checked_div(n).unwrap_or(0);
    assert!(affine.bias.len() == n && x.len() == rows * n && out.len() == x.len(), "rows: lengths differ");
    let nothing = Statistics { mean: T::ZERO, variance: T::ZERO, inverse: T::ZERO };
    let mut statistics = vec![nothing; rows];
    if out.is_empty() {
        return statistics;
    }
    let block = (BLOCK / n).max(1);
    parallel::pairs(
        (out, block * n),
        (&mut statistics, block),
        (block * n) as f64 * NS,
        |i, out, statistics| {
            let x = &x[i * block * n..][..out.len()];
            dispatch(level(), Forward { out, statistics, x, affine, epsilon });
        },
    );
    statistics
}

/// The gradients of whole rows, and what they add to those of weights and biases.
struct Backward<'a, T> {
    /// Nothing if it is not asked for.
    dx: &'a mut [T],
    /// The gradient of the weights, then that of the biases.
    sums: &'a mut [T],
    grad: &'a [T],
    x: &'a [T],
    weight: &'a [T],
    mean: &'a [T],
    inverse: &'a [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Backward<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let n = self.weight.len();
        let m = T::from_f64(n as f64);
        let weight = &self.weight[..n];
        let (by_weight, by_bias) = self.sums.split_at_mut(n);
        let mut dx = self.dx.chunks_exact_mut(n);
        let rows = self.grad.chunks_exact(n).zip(self.x.chunks_exact(n));
        for ((grad, x), (&mean, &inverse)) in rows.zip(self.mean.iter().zip(self.inverse)) {
            let (by_weight, by_bias) = (&mut by_weight[..n], &mut by_bias[..n]);
            let (grad, x) = (&grad[..n], &x[..n]);
            let Some(dx) = dx.next() else {
                for j in 0..n {
                    by_weight[j] += grad[j] * ((x[j] - mean) * inverse);
                    by_bias[j] += grad[j];
                }
                continue;
            };
            // SAFETY: a number can be read.
            let center = unsafe { V::splat(&raw const mean) };
            let [plain, product] = sums([grad, x, weight], |[g, x, weight]: [V; 3]| {
                let u = g.times(weight);
                [u, u.times(x.minus(center))]
            });
            let (plain, product) = (T::from_f64(plain), T::from_f64(product));
            let b = -(inverse * (inverse * inverse) * (product / m));
            let c = -(inverse * (plain / m));
            for (j, dx) in dx.iter_mut().enumerate() {
                let (g, centred) = (grad[j], x[j] - mean);
                by_weight[j] += g * (centred * inverse);
                by_bias[j] += g;
                *dx = inverse * (g * weight[j]) + b * centred + c;
            }
        }
    }
}

/// Pulls `grad` back through [`normalize`], which has found mean and `1 / √(variance + ε)` of each row: into `dx`, which is empty if it is not asked for, and to the gradients of the
/// weights and the biases, which are returned. With `u = grad · weight` and `z` the normalised row,
/// `dx = (u - mean(u) - z mean(u z)) / √(variance + ε)`.
pub(crate) fn normalize_grad<T: Float>(
    dx: &mut [T],
    grad: &[T],
    x: &[T],
    weight: &[T],
    [mean, inverse]: [&[T]; 2],
) -> [Vec<T>; 2] {
    let (n, rows) = (weight.len(), mean.len());
    let fits = inverse.len() == rows
        && x.len() == n * rows
        && grad.len() == x.len()
        && (dx.is_empty() || dx.len() == x.len());
    assert!(fits, "rows: lengths differ");
    let block = (BLOCK / n.max(1)).max(1);
    let blocks = rows.div_ceil(block);
    let mut partial = Fresh::take(blocks * 2 * n);
    partial.fill(T::ZERO);
    let body = |i: usize, sums: &mut [T], dx: &mut [T]| {
        let here = i * block..rows.min((i + 1) * block);
        let part = here.start * n..here.end * n;
        let (grad, x) = (&grad[part.clone()], &x[part]);
        let (mean, inverse) = (&mean[here.clone()], &inverse[here]);
        dispatch(level(), Backward { dx, sums, grad, x, weight, mean, inverse });
    };
    let ns = (block * n) as f64 * NS;
    if dx.is_empty() {
        parallel::items(&mut partial, 2 * n, ns, |i, sums| body(i, sums, &mut []));
    } else {
        parallel::pairs((&mut partial, 2 * n), (dx, block * n), ns, body);
    }
    let mut by_weight = vec![T::ZERO; 2 * n];
    reduce::middle::<T, reduce::Add>(&mut by_weight, &partial, blocks, 2 * n);
    let by_bias = by_weight.split_off(n);
    [by_weight, by_bias]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + seed * 31 + 13) % 1009) as f32 / 1009.0 - 0.3).collect()
    }

    const SIZES: [[usize; 2]; 8] =
        [[0, 3], [1, 1], [3, 7], [2, 33], [5, 512], [3, 530], [40, 1025], [70, 600]];
    const EPSILON: f32 = 1e-3;

    /// Value, gradients of the array, the weights and the biases, element by element in double precision.
    fn twin(n: usize, x: &[f32], grad: &[f32], weight: &[f32], bias: &[f32]) -> [Vec<f64>; 4] {
        let (mut y, mut dx) = (Vec::new(), Vec::new());
        let (mut by_weight, mut by_bias) = (vec![0.0; n], vec![0.0; n]);
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (weight, bias) = (wide(weight), wide(bias));
        for (x, g) in x.chunks(n).map(wide).zip(grad.chunks(n).map(wide)) {
            let mean = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
            let center = mean(&|j| x[j]);
            let inverse = (mean(&|j| (x[j] - center).powi(2)) + f64::from(EPSILON)).sqrt().recip();
            let z = |j: usize| (x[j] - center) * inverse;
            let u = |j: usize| g[j] * weight[j];
            let (plain, product) = (mean(&u), mean(&|j| u(j) * z(j)));
            for j in 0..n {
                y.push(z(j) * weight[j] + bias[j]);
                dx.push((u(j) - plain - z(j) * product) * inverse);
                by_weight[j] += g[j] * z(j);
                by_bias[j] += g[j];
            }
        }
        [y, dx, by_weight, by_bias]
    }

    /// The same by the kernels.
    fn run(rows: usize, n: usize) -> [Vec<f32>; 4] {
        let (x, grad) = (numbers(rows * n, 1), numbers(rows * n, 2));
        let (weight, bias) = (numbers(n, 3), numbers(n, 4));
        let mut y = vec![f32::NAN; rows * n];
        let statistics = normalize(&mut y, &x, Affine { weight: &weight, bias: &bias }, EPSILON);
        assert_eq!(statistics.len(), rows);
        let mean: Vec<_> = statistics.iter().map(|row| row.mean).collect();
        let inverse: Vec<_> = statistics.iter().map(|row| row.inverse).collect();
        let mut dx = vec![f32::NAN; rows * n];
        let both = normalize_grad(&mut dx, &grad, &x, &weight, [&mean, &inverse]);
        let alone = normalize_grad(&mut [], &grad, &x, &weight, [&mean, &inverse]);
        assert_eq!(both, alone);
        let [by_weight, by_bias] = both;
        [y, dx, by_weight, by_bias]
    }

    #[test]
    fn values_and_gradients_agree_with_their_scalar_twin() {
        for [rows, n] in SIZES {
            let (x, grad) = (numbers(rows * n, 1), numbers(rows * n, 2));
            let exact = twin(n, &x, &grad, &numbers(n, 3), &numbers(n, 4));
            for (what, (found, exact)) in run(rows, n).iter().zip(&exact).enumerate() {
                assert_eq!(found.len(), exact.len());
                for (&found, &exact) in found.iter().zip(exact) {
                    let difference = (f64::from(found) - exact).abs();
                    assert!(
                        difference <= 1e-5 * exact.abs().max(1.0),
                        "{what} of {rows}x{n}: {found} {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        for [rows, n] in [[500, 300], [4, 60_000]] {
            let at = |threads| crate::with_threads(threads, || run(rows, n));
            assert!(at(1) == at(2) && at(1) == at(5), "{rows}x{n}");
        }
    }
}
