//! Sums and elementwise loops over arrays seen as `[outer, channels, inner]`, with numbers that belong to a channel and
//! numbers that lie along the inner axis: what normalisation consists of.
//!
//! A formula is shown, for each element, the numbers of its channel, those of its place along the inner axis, and the
//! elements of the whole arrays. Batch normalisation of images has statistics and weights a channel; that of vectors is
//! seen as `[n, 1, channels]` and has both along the inner axis. (Layer normalisation has [`rows`](super::rows).)
//!
//! Sums run in blocks of fixed size, whose results are added in double precision, in order: they depend on no thread count.

use crate::float::Float;
use crate::kernel::dispatch::{Kernel, level, vectorized};
use crate::kernel::parallel;
use crate::kernel::sums::{PIECE, Running};
use crate::kernel::vector::{Job, Vector, dispatch};
use std::marker::PhantomData;

/// The sizes that an array is seen with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) outer: usize,
    pub(crate) channels: usize,
    pub(crate) inner: usize,
}

impl Layout {
    fn size(self) -> usize {
        self.outer * self.channels * self.inner
    }
}

/// What a formula is applied to: `C` numbers a channel, `A` numbers along the inner axis, `N` whole arrays.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a, T, const C: usize, const A: usize, const N: usize> {
    pub(crate) channel: [&'a [T]; C],
    pub(crate) along: [&'a [T]; A],
    pub(crate) whole: [&'a [T]; N],
}

impl<T: Float, const C: usize, const A: usize, const N: usize> Operands<'_, T, C, A, N> {
    fn check(&self, layout: Layout) {
        let fit = |slices: &[&[T]], len: usize| slices.iter().all(|slice| slice.len() == len);
        assert!(
            fit(&self.channel, layout.channels)
                && fit(&self.along, layout.inner)
                && fit(&self.whole, layout.size()),
            "channel: lengths do not fit {layout:?}"
        );
    }

    /// The numbers of a channel.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn of_channel(&self, channel: usize) -> [T; C] {
        self.channel.map(|numbers| numbers[channel])
    }
}

/// `out[i] = f(channel, along[i], whole[i])` for whole rows of the inner axis, of which `row` is the first.
struct Map<'a, 'b, T, F, const C: usize, const A: usize, const N: usize> {
    out: &'a mut [T],
    row: usize,
    layout: Layout,
    operands: Operands<'b, T, C, A, N>,
    f: &'a F,
}

#[allow(clippy::inline_always)]
impl<T: Float, F: Fn([T; C], [T; A], [T; N]) -> T, const C: usize, const A: usize, const N: usize> Kernel
    for Map<'_, '_, T, F, C, A, N>
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Layout { channels, inner, .. } = self.layout;
        for (i, out) in self.out.chunks_exact_mut(inner).enumerate() {
            let row = self.row + i;
            let channel = self.operands.of_channel(row % channels);
            let along = self.operands.along.map(|along| &along[..inner]);
            let whole = self.operands.whole.map(|whole| &whole[row * inner..][..inner]);
            for (j, out) in out.iter_mut().enumerate() {
                *out = (self.f)(channel, along.map(|along| along[j]), whole.map(|whole| whole[j]));
            }
        }
    }
}

/// `out = f(channel, along, whole)`, elementwise. `ns` is the cost of one element.
pub(crate) fn map<T: Float, const C: usize, const A: usize, const N: usize>(
    out: &mut [T],
    layout: Layout,
    operands: Operands<'_, T, C, A, N>,
    ns: f64,
    f: &(impl Fn([T; C], [T; A], [T; N]) -> T + Sync),
) {
    operands.check(layout);
    assert_eq!(out.len(), layout.size(), "channel: the output does not fit {layout:?}");
    if out.is_empty() {
        return;
    }
    parallel::split(out, layout.inner, ns, |start, out| {
        vectorized(Map { out, row: start / layout.inner, layout, operands, f });
    });
}

/// Elements whose sums are one summary: few enough for the first cache, and many beside what the end of a sum costs.
const PART: usize = 4096;

/// What is summed over the elements of a channel: `K` numbers of a number of the channel, its center, and of the elements of
/// `N` whole arrays.
trait Formula<const N: usize, const K: usize>: Sync {
    fn terms<T: Float, V: Vector<T>>(center: V, whole: [V; N]) -> [V; K];
}

/// `x`.
struct Plain;
/// `x - a` and `(x - a)²`.
struct Distances;
/// `g` and `g (x - a)`.
struct Products;

#[allow(clippy::inline_always)]
impl Formula<1, 1> for Plain {
    #[inline(always)]
    fn terms<T: Float, V: Vector<T>>(_: V, x: [V; 1]) -> [V; 1] {
        x
    }
}

#[allow(clippy::inline_always)]
impl Formula<1, 2> for Distances {
    #[inline(always)]
    fn terms<T: Float, V: Vector<T>>(center: V, [x]: [V; 1]) -> [V; 2] {
        let distance = x.minus(center);
        [distance, distance.times(distance)]
    }
}

#[allow(clippy::inline_always)]
impl Formula<2, 2> for Products {
    #[inline(always)]
    fn terms<T: Float, V: Vector<T>>(center: V, [g, x]: [V; 2]) -> [V; 2] {
        [g, g.times(x.minus(center))]
    }
}

/// `K` sums each of consecutive parts: those of all channels over their first rows, then over the next.
struct Parts<'a, 'b, T, F, const N: usize, const K: usize> {
    out: &'a mut [[f64; K]],
    /// The number of the first part.
    first: usize,
    /// The rows of a part.
    rows: usize,
    layout: Layout,
    centers: &'b [T],
    whole: [&'b [T]; N],
    formula: PhantomData<F>,
}

#[allow(clippy::inline_always)]
impl<T: Float, F: Formula<N, K>, const N: usize, const K: usize> Job<T> for Parts<'_, '_, T, F, N, K> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Layout { outer, channels, inner } = self.layout;
        for (totals, i) in self.out.iter_mut().zip(self.first..) {
            let (part, channel) = (i / channels, i % channels);
            // SAFETY: a number can be read.
            let center = unsafe { V::splat(&raw const self.centers[channel]) };
            let mut running = Running::new();
            let mut added = 0;
            for outer in part * self.rows..outer.min((part + 1) * self.rows) {
                let row = (outer * channels + channel) * inner;
                for first in (0..inner).step_by(PIECE) {
                    let len = PIECE.min(inner - first);
                    if added + len > PIECE {
                        running.add_to(totals);
                        added = 0;
                    }
                    let mut whole = self.whole;
                    for whole in &mut whole {
                        *whole = &whole[row + first..][..len];
                    }
                    running.add(whole, |whole| F::terms(center, whole));
                    added += len;
                }
            }
            running.add_to(totals);
        }
    }
}

/// The rows of a channel that are summed together.
fn part_rows(layout: Layout) -> usize {
    (PART / layout.inner.max(1)).clamp(1, layout.outer.max(1))
}

/// For each channel, `K` sums of a formula over the outer and the inner axis. `ns` is the cost of one element.
fn sum_channels<T: Float, F: Formula<N, K>, const N: usize, const K: usize>(
    layout: Layout,
    centers: &[T],
    whole: [&[T]; N],
    ns: f64,
    _: &F,
) -> Vec<[f64; K]> {
    let fits = centers.len() == layout.channels && whole.iter().all(|x| x.len() == layout.size());
    assert!(fits, "channel: lengths do not fit {layout:?}");
    let rows = part_rows(layout);
    let mut parts = vec![[0.0; K]; layout.outer.div_ceil(rows) * layout.channels];
    parallel::split(&mut parts, 1, (rows * layout.inner) as f64 * ns + 10.0, |first, out| {
        dispatch(level(), Parts { out, first, rows, layout, centers, whole, formula: PhantomData::<F> });
    });
    let mut total = vec![[0.0; K]; layout.channels];
    for part in parts.chunks_exact(layout.channels.max(1)) {
        for (total, part) in total.iter_mut().zip(part) {
            for (total, sum) in total.iter_mut().zip(part) {
                *total += sum;
            }
        }
    }
    total
}

/// For each channel, the sums of `g` and of `g (x - center)`. `ns` is the cost of one element.
pub(crate) fn products<T: Float>(layout: Layout, centers: &[T], [g, x]: [&[T]; 2], ns: f64) -> Vec<[T; 2]> {
    let sums = sum_channels(layout, centers, [g, x], ns, &Products);
    sums.into_iter().map(|sums| sums.map(T::from_f64)).collect()
}

/// For each channel, the mean `μ` and the mean of the squared distances from it, in one pass over memory. `ns` is the cost
/// of one element.
///
/// It sums `x - a` and `(x - a)²`, with `a` the mean of the `n` first of the `m` elements:
/// `mean((x - μ)²) = mean((x - a)²) - (μ - a)²`. These `n` alone contribute `n (μ - a)² / m` to the result, so that the
/// difference loses no more than a factor of `1 + m / n` in precision, and with elements that are alike nothing.
pub(crate) fn moments<T: Float>(layout: Layout, x: &[T], ns: f64) -> Vec<[T; 2]> {
    let first = Layout { outer: part_rows(layout).min(layout.outer), ..layout };
    let count = (first.outer * first.inner) as f64;
    let nowhere = vec![T::ZERO; layout.channels];
    let near: Vec<T> = sum_channels(first, &nowhere, [&x[..first.size()]], ns, &Plain)
        .into_iter()
        .map(|[sum]| T::from_f64(sum / count))
        .collect();
    let sums = sum_channels(layout, &near, [x], ns, &Distances);
    let count = (layout.outer * layout.inner) as f64;
    let moments = |([sum, square], near): ([f64; 2], T)| {
        let shift = sum / count;
        let variance = square / count - shift * shift;
        // Not `max`, which is a number where one side is none.
        [near.to_f64() + shift, if variance < 0.0 { 0.0 } else { variance }].map(T::from_f64)
    };
    sums.into_iter().zip(near).map(moments).collect()
}

/// Places along the inner axis that are summed together, and rows that are added before double precision takes over.
const COLUMNS: usize = 64;
const ROWS: usize = 32;

/// Adds a formula over at most [`ROWS`] rows, for at most [`COLUMNS`] places along the inner axis.
struct Columns<'a, 'b, T, F, const C: usize, const A: usize, const N: usize, const K: usize> {
    sums: &'a mut [[T; COLUMNS]; K],
    rows: std::ops::Range<usize>,
    places: std::ops::Range<usize>,
    layout: Layout,
    operands: Operands<'b, T, C, A, N>,
    f: &'a F,
}

#[allow(clippy::inline_always)]
impl<T, F, const C: usize, const A: usize, const N: usize, const K: usize> Kernel
    for Columns<'_, '_, T, F, C, A, N, K>
where
    T: Float,
    F: Fn([T; C], [T; A], [T; N]) -> [T; K],
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let along = self.operands.along.map(|along| &along[self.places.clone()]);
        let count = self.places.len();
        for row in self.rows {
            let channel = self.operands.of_channel(row % self.layout.channels);
            let start = row * self.layout.inner + self.places.start;
            let whole = self.operands.whole.map(|whole| &whole[start..][..count]);
            for j in 0..count {
                let terms = (self.f)(channel, along.map(|along| along[j]), whole.map(|whole| whole[j]));
                for (sums, term) in self.sums.iter_mut().zip(terms) {
                    sums[j] += term;
                }
            }
        }
    }
}

/// For each place along the inner axis, `K` sums of `f(channel, along, whole)` over the outer axis and the channels.
pub(crate) fn sum_along<T: Float, const C: usize, const A: usize, const N: usize, const K: usize>(
    layout: Layout,
    operands: Operands<'_, T, C, A, N>,
    ns: f64,
    f: &(impl Fn([T; C], [T; A], [T; N]) -> [T; K] + Sync),
) -> Vec<[T; K]> {
    operands.check(layout);
    let rows = layout.outer * layout.channels;
    let mut out = vec![[T::ZERO; K]; layout.inner];
    parallel::items(&mut out, COLUMNS, (rows * COLUMNS) as f64 * ns, |piece, out| {
        let places = piece * COLUMNS..piece * COLUMNS + out.len();
        let mut total = [[0.0f64; COLUMNS]; K];
        for first in (0..rows).step_by(ROWS) {
            let mut sums = [[T::ZERO; COLUMNS]; K];
            let rows = first..(first + ROWS).min(rows);
            vectorized(Columns { sums: &mut sums, rows, places: places.clone(), layout, operands, f });
            for (total, sums) in total.iter_mut().zip(&sums) {
                for (total, sum) in total.iter_mut().zip(sums) {
                    *total += sum.to_f64();
                }
            }
        }
        for (j, out) in out.iter_mut().enumerate() {
            *out = std::array::from_fn(|k| T::from_f64(total[k][j]));
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + seed * 31 + 13) % 1009) as f32 / 1009.0 - 0.3).collect()
    }

    /// A formula in which every operand matters.
    fn formula<T: Float>([c]: [T; 1], [a]: [T; 1], [x, y]: [T; 2]) -> [T; 2] {
        [(x - c) * y, a * x + c * y]
    }

    const LAYOUTS: [[usize; 3]; 10] = [
        [1, 1, 1],
        [0, 2, 3],
        [2, 0, 3],
        [2, 3, 0],
        [3, 4, 7],
        [2, 3, 16],
        [5, 2, 530],
        [70, 1, 65],
        [300, 3, 25],
        [1, 33, 129],
    ];

    /// The scalar twin: what a layout means, element by element, in double precision.
    fn twin(layout: Layout, c: &[f32], a: &[f32], x: &[f32], y: &[f32]) -> Vec<[f64; 2]> {
        let at = |i: usize| {
            let (channel, inner) = (i / layout.inner % layout.channels, i % layout.inner);
            let wide = |x: f32| f64::from(x);
            formula([wide(c[channel])], [wide(a[inner])], [wide(x[i]), wide(y[i])])
        };
        (0..layout.size()).map(at).collect()
    }

    #[test]
    fn maps_and_sums_agree_with_their_scalar_twin() {
        for [outer, channels, inner] in LAYOUTS {
            let layout = Layout { outer, channels, inner };
            let (c, a) = (numbers(channels, 1), numbers(inner, 2));
            let (x, y) = (numbers(layout.size(), 3), numbers(layout.size(), 4));
            let operands = Operands { channel: [&c], along: [&a], whole: [&x, &y] };
            let terms = twin(layout, &c, &a, &x, &y);

            let mut out = vec![f32::NAN; layout.size()];
            map(&mut out, layout, operands, 0.3, &|c, a, x| formula(c, a, x)[1]);
            for (&found, &[_, exact]) in out.iter().zip(&terms) {
                assert!((f64::from(found) - exact).abs() < 1e-6, "map {layout:?}: {found} {exact}");
            }
            let close = |what: &str,
                         terms: &[[f64; 2]],
                         sums: &[[f32; 2]],
                         index: &dyn Fn(usize) -> usize| {
                for (place, found) in sums.iter().enumerate() {
                    for k in 0..2 {
                        let own = || (0..terms.len()).filter(|&i| index(i) == place).map(|i| terms[i][k]);
                        let (exact, scale) = (own().sum::<f64>(), own().map(f64::abs).sum::<f64>());
                        let difference = (f64::from(found[k]) - exact).abs();
                        assert!(difference <= 1e-6 * scale, "{what} {layout:?} {place}: {found:?} {exact}");
                    }
                }
            };
            // A mean far from zero, which costs the squares nothing.
            let far: Vec<f32> = x.iter().map(|x| x + 1000.0).collect();
            for (channel, &[mean, variance]) in moments(layout, &far, 0.3).iter().enumerate() {
                let own: Vec<f64> = (0..far.len())
                    .filter(|i| i / inner % channels == channel)
                    .map(|i| f64::from(far[i]))
                    .collect();
                let exact = own.iter().sum::<f64>() / own.len() as f64;
                let square = own.iter().map(|x| (x - exact).powi(2)).sum::<f64>() / own.len() as f64;
                let close = |found: f32, exact: f64, scale: f64| {
                    exact.is_nan() && found.is_nan() || (f64::from(found) - exact).abs() <= 1e-6 * scale
                };
                assert!(close(mean, exact, 1000.0), "mean {layout:?} {channel}: {mean} {exact}");
                assert!(
                    close(variance, square, square),
                    "variance {layout:?} {channel}: {variance} {square}"
                );
            }
            let sums = sum_along(layout, operands, 0.3, &formula);
            assert_eq!(sums.len(), inner);
            close("along", &terms, &sums, &|i| i % inner);

            let sums = products(layout, &c, [&x, &y], 0.3);
            assert_eq!(sums.len(), channels);
            let channel = |i: usize| i / inner % channels;
            let terms: Vec<_> = (0..layout.size())
                .map(|i| {
                    let [g, x, center] = [x[i], y[i], c[channel(i)]].map(f64::from);
                    [g, g * (x - center)]
                })
                .collect();
            close("channels", &terms, &sums, &channel);
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        for [outer, channels, inner] in [[16, 12, 900], [40, 1, 5000], [1, 600, 300]] {
            let layout = Layout { outer, channels, inner };
            let (c, a) = (numbers(channels, 1), numbers(inner, 2));
            let (x, y) = (numbers(layout.size(), 3), numbers(layout.size(), 4));
            let operands = Operands { channel: [&c], along: [&a], whole: [&x, &y] };
            let run = |threads| {
                crate::with_threads(threads, || {
                    let mut out = vec![0.0; layout.size()];
                    map(&mut out, layout, operands, 0.3, &|c, a, x| formula(c, a, x)[0]);
                    let sums = products(layout, &c, [&x, &y], 0.3);
                    let moments = moments(layout, &x, 0.3);
                    (out, sums, moments, sum_along(layout, operands, 0.3, &formula))
                })
            };
            assert!(run(1) == run(2) && run(1) == run(5), "{layout:?}");
        }
    }
}
