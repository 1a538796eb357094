//! Groups of neighbouring channels of images, each normalised by its own mean and variance, with a weight a channel: forward
//! and backward, in one pass over memory each.
//!
//! The numbers of a group lie together, as a row, which stays in a cache from its sums to its result. What images add to the
//! gradients of weights and biases is summed over them in double precision, in order: no result depends on the number of
//! threads.

use crate::float::Float;
use crate::kernel::dispatch::level;
use crate::kernel::parallel;
use crate::kernel::rows::{Affine, Statistics};
use crate::kernel::sums::sums;
use crate::kernel::vector::{Job, Vector, dispatch};

/// Elements that a thread takes at once, at least one row.
const BLOCK: usize = 32_768;
/// Nanoseconds an element, forward or backward.
const NS: f64 = 0.5;

/// The sizes of images that are normalised in groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grouping {
    /// The groups of an image.
    pub(crate) groups: usize,
    /// The channels of a group.
    pub(crate) channels: usize,
    /// The numbers of a channel.
    pub(crate) pixels: usize,
}

impl Grouping {
    /// The numbers of a group.
    fn row(self) -> usize {
        self.channels * self.pixels
    }

    /// The rows of a block.
    fn block(self) -> usize {
        (BLOCK / self.row()).max(1)
    }

    /// The part that a row's channels are of all channels.
    fn of<T>(self, row: usize, numbers: &[T]) -> &[T] {
        &numbers[row % self.groups * self.channels..][..self.channels]
    }
}

/// Normalises whole rows, of which `row` is the first.
struct Forward<'a, T> {
    out: &'a mut [T],
    statistics: &'a mut [Statistics<T>],
    row: usize,
    x: &'a [T],
    affine: Affine<'a, T>,
    grouping: Grouping,
    epsilon: T,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Forward<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let (grouping, n) = (self.grouping, self.grouping.row());
        let rows = self.out.chunks_exact_mut(n).zip(self.x.chunks_exact(n));
        for ((row, statistics), (out, x)) in (self.row..).zip(self.statistics).zip(rows) {
            *statistics = Statistics::of::<V>(x, self.epsilon);
            let Statistics { mean, inverse, .. } = *statistics;
            let Affine { weight, bias } = self.affine;
            let affine = grouping.of(row, weight).iter().zip(grouping.of(row, bias));
            let channels = out.chunks_exact_mut(grouping.pixels).zip(x.chunks_exact(grouping.pixels));
            for ((out, x), (&weight, &bias)) in channels.zip(affine) {
                let scale = inverse * weight;
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = (x - mean) * scale + bias;
                }
            }
        }
    }
}

/// `weight (x - mean) / √(variance + ε) + bias` of each group, with its mean and its variance, the mean of the squared
/// distances from it.
pub(crate) fn normalize<T: Float>(
    out: &mut [T],
    x: &[T],
    grouping: Grouping,
    affine: Affine<'_, T>,
    epsilon: T,
) -> Vec<Statistics<T>> {
    let (n, channels) = (grouping.row(), grouping.groups * grouping.channels);
    let rows = x.len().checked_div(n).unwrap_or(0);
    let fits = affine.weight.len() == channels && affine.bias.len() == channels;
    assert!(fits && x.len() == rows * n && out.len() == x.len(), "groups: lengths differ");
    let nothing = Statistics { mean: T::ZERO, variance: T::ZERO, inverse: T::ZERO };
    let mut statistics = vec![nothing; rows];
    if out.is_empty() {
        return statistics;
    }
    let block = grouping.block();
    let ns = (block * n) as f64 * NS;
    parallel::pairs((out, block * n), (&mut statistics, block), ns, |i, out, statistics| {
        let x = &x[i * block * n..][..out.len()];
        dispatch(level(), Forward { out, statistics, row: i * block, x, affine, grouping, epsilon });
    });
    statistics
}

/// The gradients of whole rows, of which `row` is the first, and what they add to those of weights and biases.
struct Backward<'a, T> {
    /// Nothing if it is not asked for.
    dx: &'a mut [T],
    /// Of each channel of each row, what it adds to the gradient of its weight and of its bias.
    sums: &'a mut [[f64; 2]],
    row: usize,
    grad: &'a [T],
    x: &'a [T],
    weight: &'a [T],
    grouping: Grouping,
    mean: &'a [T],
    inverse: &'a [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Backward<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Grouping { channels, pixels, .. } = self.grouping;
        let n = self.grouping.row();
        let mut dx = self.dx.chunks_exact_mut(n);
        let rows = self.grad.chunks_exact(n).zip(self.x.chunks_exact(n));
        for ((row, of_row), (grad, x)) in (self.row..).zip(self.sums.chunks_exact_mut(channels)).zip(rows) {
            let (mean, inverse) = (self.mean[row], self.inverse[row]);
            let weight = self.grouping.of(row, self.weight);
            // SAFETY: a number can be read.
            let center = unsafe { V::splat(&raw const mean) };
            let parts = grad.chunks_exact(pixels).zip(x.chunks_exact(pixels));
            // Of the gradients times the weights, and of these times the distances from the mean.
            let mut totals = [0.0; 2];
            for ((of_channel, weight), (grad, x)) in of_row.iter_mut().zip(weight).zip(parts.clone()) {
                let [plain, product] = sums([grad, x], |[g, x]: [V; 2]| [g, g.times(x.minus(center))]);
                totals[0] += weight.to_f64() * plain;
                totals[1] += weight.to_f64() * product;
                *of_channel = [product * inverse.to_f64(), plain];
            }
            let Some(dx) = dx.next() else { continue };
            let [plain, product] = totals.map(|total| T::from_f64(total / n as f64));
            let b = -(inverse * (inverse * inverse) * product);
            let c = -(inverse * plain);
            for ((dx, &weight), (grad, x)) in dx.chunks_exact_mut(pixels).zip(weight).zip(parts) {
                let a = inverse * weight;
                for ((dx, &g), &x) in dx.iter_mut().zip(grad).zip(x) {
                    *dx = a * g + b * (x - mean) + c;
                }
            }
        }
    }
}

/// Pulls `grad` back through [`normalize`], which has found mean and `1 / √(variance + ε)` of each group: into `dx`, which is
/// empty if it is not asked for, and to the gradients of the weights and the biases, which are returned. With
/// `u = grad · weight` and `z` the normalised group, `dx = (u - mean(u) - z mean(u z)) / √(variance + ε)`.
pub(crate) fn normalize_grad<T: Float>(
    dx: &mut [T],
    grad: &[T],
    x: &[T],
    grouping: Grouping,
    weight: &[T],
    [mean, inverse]: [&[T]; 2],
) -> [Vec<T>; 2] {
    let (n, rows, channels) = (grouping.row(), mean.len(), grouping.channels);
    let fits = inverse.len() == rows
        && weight.len() == grouping.groups * channels
        && x.len() == n * rows
        && grad.len() == x.len()
        && (dx.is_empty() || dx.len() == x.len());
    assert!(fits, "groups: lengths differ");
    let mut parts = vec![[0.0; 2]; rows * channels];
    if !x.is_empty() {
        let block = grouping.block();
        let body = |i: usize, sums: &mut [[f64; 2]], dx: &mut [T]| {
            let row = i * block;
            let here = row * n..(row * n + block * n).min(x.len());
            let (grad, x) = (&grad[here.clone()], &x[here]);
            dispatch(level(), Backward { dx, sums, row, grad, x, weight, grouping, mean, inverse });
        };
        let ns = (block * n) as f64 * NS;
        if dx.is_empty() {
            parallel::items(&mut parts, block * channels, ns, |i, sums| body(i, sums, &mut []));
        } else {
            parallel::pairs((&mut parts, block * channels), (dx, block * n), ns, body);
        }
    }
    let mut totals = vec![[0.0; 2]; weight.len()];
    for of_image in parts.chunks_exact(weight.len().max(1)) {
        for (total, part) in totals.iter_mut().zip(of_image) {
            total[0] += part[0];
            total[1] += part[1];
        }
    }
    [0, 1].map(|k| totals.iter().map(|total| T::from_f64(total[k])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPSILON: f32 = 1e-3;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + seed * 31 + 13) % 1009) as f32 / 1009.0 - 0.3).collect()
    }

    /// Images, and how their channels are grouped.
    const SIZES: [[usize; 4]; 9] = [
        [0, 2, 3, 4],
        [2, 0, 3, 4],
        [1, 1, 1, 1],
        [2, 3, 1, 7],
        [3, 2, 4, 1],
        [2, 3, 5, 33],
        [5, 4, 1, 530],
        [30, 2, 3, 600],
        [2, 1, 2, 20_000],
    ];

    fn grouping([_, groups, channels, pixels]: [usize; 4]) -> Grouping {
        Grouping { groups, channels, pixels }
    }

    /// Value, gradients of the array, the weights and the biases, element by element in double precision.
    fn twin([images, groups, channels, pixels]: [usize; 4]) -> [Vec<f64>; 4] {
        let wide = |n: usize, seed: usize| numbers(n, seed).into_iter().map(f64::from).collect::<Vec<_>>();
        let (all, n) = (groups * channels, channels * pixels);
        let (x, grad) = (wide(images * all * pixels, 1), wide(images * all * pixels, 2));
        let (weight, bias) = (wide(all, 3), wide(all, 4));
        let (mut y, mut dx) = (Vec::new(), Vec::new());
        let (mut by_weight, mut by_bias) = (vec![0.0; all], vec![0.0; all]);
        for row in 0..images * groups {
            let mean = |f: &dyn Fn(usize) -> f64| (row * n..(row + 1) * n).map(f).sum::<f64>() / n as f64;
            let center = mean(&|i| x[i]);
            let inverse = (mean(&|i| (x[i] - center).powi(2)) + f64::from(EPSILON)).sqrt().recip();
            let z = |i: usize| (x[i] - center) * inverse;
            let channel = |i: usize| i / pixels % all;
            let u = |i: usize| grad[i] * weight[channel(i)];
            let (plain, product) = (mean(&u), mean(&|i| u(i) * z(i)));
            for i in row * n..(row + 1) * n {
                y.push(z(i) * weight[channel(i)] + bias[channel(i)]);
                dx.push((u(i) - plain - z(i) * product) * inverse);
                by_weight[channel(i)] += grad[i] * z(i);
                by_bias[channel(i)] += grad[i];
            }
        }
        [y, dx, by_weight, by_bias]
    }

    /// The same by the kernels.
    fn run(sizes: [usize; 4]) -> [Vec<f32>; 4] {
        let [size, all] = [sizes.iter().product(), sizes[1] * sizes[2]];
        let (x, grad) = (numbers(size, 1), numbers(size, 2));
        let (weight, bias) = (numbers(all, 3), numbers(all, 4));
        let mut y = vec![f32::NAN; size];
        let affine = Affine { weight: &weight, bias: &bias };
        let statistics = normalize(&mut y, &x, grouping(sizes), affine, EPSILON);
        assert_eq!(statistics.len(), sizes[0] * sizes[1]);
        let mean: Vec<_> = statistics.iter().map(|row| row.mean).collect();
        let inverse: Vec<_> = statistics.iter().map(|row| row.inverse).collect();
        let mut dx = vec![f32::NAN; size];
        let both = normalize_grad(&mut dx, &grad, &x, grouping(sizes), &weight, [&mean, &inverse]);
        let alone = normalize_grad(&mut [], &grad, &x, grouping(sizes), &weight, [&mean, &inverse]);
        assert_eq!(both, alone);
        let [by_weight, by_bias] = both;
        [y, dx, by_weight, by_bias]
    }

    #[test]
    fn values_and_gradients_agree_with_their_scalar_twin() {
        for sizes in SIZES {
            for (what, (found, exact)) in run(sizes).iter().zip(&twin(sizes)).enumerate() {
                assert_eq!(found.len(), exact.len());
                for (&found, &exact) in found.iter().zip(exact) {
                    let difference = (f64::from(found) - exact).abs();
                    assert!(
                        difference <= 1e-5 * exact.abs().max(1.0),
                        "{what} of {sizes:?}: {found} {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        for sizes in [[40, 3, 2, 500], [2, 2, 2, 30_000]] {
            let at = |threads| crate::with_threads(threads, || run(sizes));
            assert!(at(1) == at(2) && at(1) == at(5), "{sizes:?}");
        }
    }
}
