//! Two-dimensional convolution and its two gradients, directly on images: no matrix of patches is ever built.
//!
//! A matrix of patches ("im2col") is nine times the size of the image for a 3 x 3 kernel, and on the layers that
//! matter here writing it takes longer than the arithmetic. Instead each image (or a band of its rows) is copied
//! once, with its padding, into scratch memory of the size of a cache; [`lattice`] says how, so that strides and
//! dilations vanish. The loops of [`tile`] then read the vectors of that copy at the offsets of the taps, with all
//! accumulators in registers.
//!
//! - [`forward`] and [`input_grad`] are the same loop (`Mix`): the latter is a convolution of the output's
//!   gradient with the kernel turned round, one for each class of pixels that see the same taps.
//! - [`weight_grad`] (`Weigh`) sums over pixels, as outer products of taps and output channels or, where there are
//!   too few channels or taps for that, as inner products of planes.
//! - Kernels of one pixel at stride 1 read and write the images where they are ([`pointwise`]).
//! - Kernels of three rows at stride 1 need half of the multiplications ([`winograd`]) from 16 channels on.
//!
//! The sum of an output always runs in the same order, and what is summed in pieces is cut by the shape alone, so
//! results have the same bits for any number of threads (but not for each [`Level`]: fused multiply-adds round
//! once).

mod depthwise;
mod lattice;
mod mix;
mod pointwise;
#[cfg(test)]
mod tests;
mod tile;
mod weigh;
mod winograd;

use crate::float::Float;
use crate::kernel::dispatch::Level;
use crate::kernel::vector::lanes;
use lattice::Axis;
use mix::mix;
use weigh::weigh;

/// The sizes of a two-dimensional convolution of images `[n, c_in, h, w]` with weights
/// `[c_out, c_in / groups, kh, kw]`; pairs are vertical, then horizontal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// The number of images.
    pub n: usize,
    /// The channels of the input, in all groups.
    pub c_in: usize,
    /// The height of the input.
    pub h: usize,
    /// The width of the input.
    pub w: usize,
    /// The channels of the output, in all groups.
    pub c_out: usize,
    /// The height of the kernel.
    pub kh: usize,
    /// The width of the kernel.
    pub kw: usize,
    /// The distance of the input pixels that neighbouring outputs start from.
    pub stride: [usize; 2],
    /// The rows and columns of zeros added on each side.
    pub padding: [usize; 2],
    /// The distance of the input pixels that neighbouring taps see.
    pub dilation: [usize; 2],
    /// The number of groups of channels: outputs see the inputs of their group only.
    pub groups: usize,
}

impl ConvShape {
    /// The height of the output.
    pub(crate) fn out_h(&self) -> usize {
        (self.h + 2 * self.padding[0] - self.dilation[0] * (self.kh - 1) - 1) / self.stride[0] + 1
    }

    /// The width of the output.
    pub(crate) fn out_w(&self) -> usize {
        (self.w + 2 * self.padding[1] - self.dilation[1] * (self.kw - 1) - 1) / self.stride[1] + 1
    }

    /// Input channels, output channels and taps of one group.
    fn group(&self) -> [usize; 3] {
        [self.c_in / self.groups, self.c_out / self.groups, self.kh * self.kw]
    }

    /// The number of multiply-adds.
    fn work(&self) -> f64 {
        [self.n, self.c_out, self.out_h(), self.out_w(), self.c_in / self.groups, self.kh, self.kw]
            .iter()
            .map(|&x| x as f64)
            .product()
    }

    /// The lengths of input, weights and output.
    fn lengths(&self) -> [usize; 3] {
        let [c_in, _, taps] = self.group();
        [
            self.n * self.c_in * self.h * self.w,
            self.c_out * c_in * taps,
            self.n * self.c_out * self.out_h() * self.out_w(),
        ]
    }

    /// The two axes, by [`Axis::forward`] or [`Axis::backward`].
    fn axes(&self, axis: impl Fn(usize, usize, [usize; 3], usize) -> Axis) -> [Axis; 2] {
        let steps = [0, 1].map(|i| [self.stride[i], self.padding[i], self.dilation[i]]);
        [axis(self.h, self.kh, steps[0], self.out_h()), axis(self.w, self.kw, steps[1], self.out_w())]
    }
}

/// Nanoseconds of a multiply-add, as an estimate: a good half of the speed of AVX2 in single precision.
const MAC_NS: f64 = 0.03;

/// The pieces that a loop is cut into where it has no more natural ones: enough to keep some cores busy.
const PIECES: usize = 8;
/// Nanoseconds to lay out a weight, which the optimiser may have left in the cache of another core.
const WEIGHT_NS: f64 = 2.0;

/// Writes the convolution of `x` with `w`, plus `bias[channel]`, to `y`.
pub(crate) fn forward<T: Float>(s: &ConvShape, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    T::convolve(s, x, w, bias, y);
}

pub(super) fn forward_at<T: Float>(
    level: Level,
    s: &ConvShape,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) {
    assert_eq!([x.len(), w.len(), y.len()], s.lengths(), "convolution: lengths");
    let [c_in, c_out, taps] = s.group();
    let weight = |group, row, channel, tap| w[((group * c_out + row) * c_in + channel) * taps + tap];
    let axes = s.axes(Axis::forward);
    if pointwise::fits(s, lanes::<T>(level)) {
        pointwise::mix(level, s, [c_in, c_out], x, weight, bias, y);
    } else if winograd::pays(s) {
        winograd::mix(level, s, axes, [c_in, c_out], x, weight, bias, y);
    } else {
        mix(level, s, axes, [c_in, c_out], x, weight, bias, y);
    }
}

/// Writes to `dx` the gradient by the input of `Σ y * g`, where `y` is the convolution with `w`.
pub(crate) fn input_grad<T: Float>(s: &ConvShape, g: &[T], w: &[T], dx: &mut [T]) {
    T::input_grad(s, g, w, dx);
}

pub(super) fn input_grad_at<T: Float>(level: Level, s: &ConvShape, g: &[T], w: &[T], dx: &mut [T]) {
    assert_eq!([dx.len(), w.len(), g.len()], s.lengths(), "convolution: lengths");
    let [c_in, c_out, taps] = s.group();
    let weight = |group, row, channel, tap| w[((group * c_out + channel) * c_in + row) * taps + tap];
    let axes = s.axes(Axis::backward);
    if pointwise::fits(s, lanes::<T>(level)) {
        pointwise::mix(level, s, [c_out, c_in], g, weight, None, dx);
    } else if winograd::pays(s) {
        winograd::mix(level, s, axes, [c_out, c_in], g, weight, None, dx);
    } else {
        mix(level, s, axes, [c_out, c_in], g, weight, None, dx);
    }
}

/// Writes to `dw` the gradient by the weights of `Σ y * g`, where `y` is the convolution of `x`.
pub(crate) fn weight_grad<T: Float>(s: &ConvShape, x: &[T], g: &[T], dw: &mut [T]) {
    T::weight_grad(s, x, g, dw);
}

pub(super) fn weight_grad_at<T: Float>(level: Level, s: &ConvShape, x: &[T], g: &[T], dw: &mut [T]) {
    assert_eq!([x.len(), dw.len(), g.len()], s.lengths(), "convolution: lengths");
    if dw.is_empty() || x.is_empty() || g.is_empty() {
        dw.fill(T::ZERO);
    } else if winograd::pays(s) {
        winograd::weigh(level, s, x, g, dw);
    } else {
        weigh(level, s, x, g, dw);
    }
}
