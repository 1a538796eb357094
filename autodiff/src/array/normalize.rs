//! Normalisation by mean and variance, forward and backward, in as few passes over memory as it takes.

use super::Array;
use crate::float::Float;
use crate::kernel::channel::{self, Layout, Operands};
use crate::kernel::groups::{self, Grouping};
use crate::kernel::rows::{self, Affine, Statistics};
use crate::shape::Shape;

/// What is normalised together, and what the weights belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Over {
    /// All elements of a channel, axis 1 of `[n, channels, ..]`; a weight a channel.
    Channels,
    /// The elements of the last so many axes; a weight for each of them.
    Rows { axes: usize },
    /// The elements of each group of each image of `[n, groups, channels, pixels]`; a weight a channel.
    Groups,
}

/// Where the statistics and the weights of a [`Layout`] lie.
enum Lie {
    /// Both belong to a channel.
    Channel(Layout),
    /// Both lie along the inner axis.
    Along(Layout),
    /// The statistics belong to a row, the weights lie along it.
    Rows,
    /// The statistics belong to a group, the weights to a channel.
    Groups(Grouping),
}

impl Over {
    fn lie(self, shape: Shape) -> Lie {
        match self {
            Self::Channels => {
                let (outer, channels) = (shape.dim(0), shape.dim(1));
                let inner = shape.iter().skip(2).product();
                match inner {
                    1 => Lie::Along(Layout { outer, channels: 1, inner: channels }),
                    _ => Lie::Channel(Layout { outer, channels, inner }),
                }
            }
            Self::Rows { .. } => Lie::Rows,
            Self::Groups => {
                let [groups, channels, pixels] = [1, 2, 3].map(|axis| shape.dim(axis));
                Lie::Groups(Grouping { groups, channels, pixels })
            }
        }
    }
}

/// Mean and variance of what is normalised together, and `1 / √(variance + ε)`.
#[derive(Clone)]
pub(crate) struct Moments<T> {
    pub(crate) mean: Vec<T>,
    pub(crate) variance: Vec<T>,
    inverse: Vec<T>,
}

impl<T: Float> Moments<T> {
    /// Those that rows have each.
    fn of_rows(rows: &[Statistics<T>]) -> Self {
        Self {
            mean: rows.iter().map(|row| row.mean).collect(),
            variance: rows.iter().map(|row| row.variance).collect(),
            inverse: rows.iter().map(|row| row.inverse).collect(),
        }
    }
}

/// The gradients with respect to the array, its weights and its biases.
pub(crate) struct NormalizeGrad<T: Float> {
    pub(crate) x: Option<Array<T>>,
    pub(crate) weight: Vec<T>,
    pub(crate) bias: Vec<T>,
}

/// Nanoseconds an element of one pass.
const NS: f64 = 0.3;

/// `f` of the entries of equally long slices.
fn each<T: Float, const N: usize>(slices: [&[T]; N], f: impl Fn([T; N]) -> T) -> Vec<T> {
    (0..slices[0].len()).map(|i| f(slices.map(|slice| slice[i]))).collect()
}

/// The sums of pairs, apart.
fn apart<T: Float>(pairs: &[[T; 2]]) -> [Vec<T>; 2] {
    [0, 1].map(|k| pairs.iter().map(|pair| pair[k]).collect())
}

impl<T: Float> Array<T> {
    /// `weight (x - mean) / √(variance + ε) + bias`, with mean and variance (the mean of the squared distances from the
    /// mean, in a second pass) of what is normalised together.
    pub(crate) fn normalize(
        &self,
        over: Over,
        epsilon: f64,
        weight: &Self,
        bias: &Self,
    ) -> (Self, Moments<T>) {
        let mut moments = None;
        let out = Self::build(self.shape, |out| {
            self.with_slice(|x| {
                weight.with_slice(|weight| {
                    bias.with_slice(|bias| {
                        moments = Some(match over.lie(self.shape) {
                            Lie::Channel(layout) => {
                                normalize_channels(out, layout, x, [weight, bias], epsilon)
                            }
                            Lie::Along(layout) => normalize_along(out, layout, x, [weight, bias], epsilon),
                            Lie::Rows => {
                                let affine = Affine { weight, bias };
                                Moments::of_rows(&rows::normalize(out, x, affine, T::from_f64(epsilon)))
                            }
                            Lie::Groups(grouping) => {
                                let (affine, epsilon) = (Affine { weight, bias }, T::from_f64(epsilon));
                                Moments::of_rows(&groups::normalize(out, x, grouping, affine, epsilon))
                            }
                        });
                    });
                });
            });
        });
        (out, moments.expect("the array has been built"))
    }

    /// The gradients of [`normalize`](Self::normalize), pulled back from `grad`; that of the array only if it is
    /// `wanted`. With `u = grad · weight` and `z` the normalised array: `(u - mean(u) - z mean(u z)) / √(variance + ε)`.
    pub(crate) fn normalized_grad(
        &self,
        over: Over,
        moments: &Moments<T>,
        weight: &Self,
        grad: &Self,
        wanted: bool,
    ) -> NormalizeGrad<T> {
        let Moments { mean, inverse, .. } = moments;
        if self.size() == 0 {
            // The moments are NaN, sums of nothing are not.
            let zeros = vec![T::ZERO; weight.size()];
            let x = wanted.then(|| Self::full(T::ZERO, self.shape));
            return NormalizeGrad { x, weight: zeros.clone(), bias: zeros };
        }
        self.with_slice(|x| {
            weight.with_slice(|weight| {
                grad.with_slice(|g| match over.lie(self.shape) {
                    Lie::Channel(layout) => {
                        let [bias, products] = apart(&channel::products(layout, mean, [g, x], NS));
                        let m = T::from_f64((layout.outer * layout.inner) as f64);
                        let [a, b, c] = factors([inverse, weight, &bias, &products], m);
                        let x = wanted.then(|| {
                            Self::build(self.shape, |out| {
                                let operands =
                                    Operands { channel: [mean, &a, &b, &c], along: [], whole: [g, x] };
                                channel::map(out, layout, operands, NS, &|[mean, a, b, c], [], [g, x]| {
                                    a * g + b * (x - mean) + c
                                });
                            })
                        });
                        NormalizeGrad { x, weight: each([&products, inverse], |[sum, i]| sum * i), bias }
                    }
                    Lie::Along(layout) => {
                        let operands = Operands { channel: [], along: [mean], whole: [g, x] };
                        let sums = channel::sum_along(layout, operands, NS, &|[], [mean], [g, x]| {
                            [g, g * (x - mean)]
                        });
                        let [bias, products] = apart(&sums);
                        let m = T::from_f64(layout.outer as f64);
                        let [a, b, c] = factors([inverse, weight, &bias, &products], m);
                        let x = wanted.then(|| {
                            Self::build(self.shape, |out| {
                                let operands =
                                    Operands { channel: [], along: [mean, &a, &b, &c], whole: [g, x] };
                                channel::map(out, layout, operands, NS, &|[], [mean, a, b, c], [g, x]| {
                                    a * g + b * (x - mean) + c
                                });
                            })
                        });
                        NormalizeGrad { x, weight: each([&products, inverse], |[sum, i]| sum * i), bias }
                    }
                    Lie::Rows => {
                        self.together(wanted, |dx| rows::normalize_grad(dx, g, x, weight, [mean, inverse]))
                    }
                    Lie::Groups(grouping) => self.together(wanted, |dx| {
                        groups::normalize_grad(dx, g, x, grouping, weight, [mean, inverse])
                    }),
                })
            })
        })
    }

    /// The gradients that `pull` finds in one pass: it writes that of the array, of this one's shape, to what it is given, which
    /// is nothing if that is not `wanted`, and returns those of the weights and the biases.
    fn together(&self, wanted: bool, pull: impl FnOnce(&mut [T]) -> [Vec<T>; 2]) -> NormalizeGrad<T> {
        let mut by_weight = [const { Vec::new() }; 2];
        let pull = |dx: &mut [T]| by_weight = pull(dx);
        let x = if wanted {
            Some(Self::build(self.shape, pull))
        } else {
            pull(&mut []);
            None
        };
        let [weight, bias] = by_weight;
        NormalizeGrad { x, weight, bias }
    }
}

/// The gradient of the array as `a g + b (x - mean) + c`: the factors from `1 / √(variance + ε)`, the weight, and the sums
/// of `g` and of `g (x - mean)` over the `m` elements that are normalised together.
fn factors<T: Float>([inverse, weight, sum, product]: [&[T]; 4], m: T) -> [Vec<T>; 3] {
    let a = each([inverse, weight], |[i, w]| i * w);
    let b = each([&a, inverse, product], |[a, i, s]| -(a * (i * i) * (s / m)));
    let c = each([&a, sum], |[a, s]| -(a * (s / m)));
    [a, b, c]
}

/// `1 / √(variance + ε)`.
fn inverses<T: Float>(variance: &[T], epsilon: f64) -> Vec<T> {
    variance.iter().map(|&v| (v + T::from_f64(epsilon)).sqrt().recip()).collect()
}

/// [`Array::normalize`] where statistics and weights belong to a channel.
fn normalize_channels<T: Float>(
    out: &mut [T],
    layout: Layout,
    x: &[T],
    [weight, bias]: [&[T]; 2],
    epsilon: f64,
) -> Moments<T> {
    let [mean, variance] = apart(&channel::moments(layout, x, NS));
    let inverse = inverses(&variance, epsilon);
    let scale = each([&inverse, weight], |[inverse, weight]| inverse * weight);
    let operands = Operands { channel: [&mean, &scale, bias], along: [], whole: [x] };
    channel::map(out, layout, operands, NS, &|[mean, scale, bias], [], [x]| (x - mean) * scale + bias);
    Moments { mean, variance, inverse }
}

/// [`Array::normalize`] where statistics and weights lie along the inner axis.
fn normalize_along<T: Float>(
    out: &mut [T],
    layout: Layout,
    x: &[T],
    [weight, bias]: [&[T]; 2],
    epsilon: f64,
) -> Moments<T> {
    let m = T::from_f64(layout.outer as f64);
    let only = Operands { channel: [], along: [], whole: [x] };
    let sums = channel::sum_along(layout, only, NS, &|[], [], [x]| [x]);
    let mean: Vec<T> = sums.iter().map(|&[sum]| sum / m).collect();
    let centred = Operands { channel: [], along: [&mean], whole: [x] };
    let squares = channel::sum_along(layout, centred, NS, &|[], [mean], [x]| [(x - mean) * (x - mean)]);
    let variance: Vec<T> = squares.iter().map(|&[sum]| sum / m).collect();
    let inverse = inverses(&variance, epsilon);
    let scale = each([&inverse, weight], |[inverse, weight]| inverse * weight);
    let operands = Operands { channel: [], along: [&mean, &scale, bias], whole: [x] };
    channel::map(out, layout, operands, NS, &|[], [mean, scale, bias], [x]| (x - mean) * scale + bias);
    Moments { mean, variance, inverse }
}
