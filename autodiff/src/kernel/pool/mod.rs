//! Two-dimensional pooling: the maximum with its position, the average, and their adjoints.
//!
//! All loops run along rows of the output, one tap of the window after the other, so that they become vector
//! instructions, and none tests a border: the part of a row that a tap sees is worked out before. Planes are
//! independent and so are what threads share.

pub(crate) mod average;
pub(crate) mod max;
#[cfg(test)]
mod tests;

use crate::kernel::parallel;
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

    /// Whether there is one window, which sees the whole plane and nothing else.
    fn is_global(&self) -> bool {
        self.kernel == [self.h, self.w] && self.padding == [0, 0]
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

/// The bins that an axis of `n` entries is divided into for an adaptive pooling to `count`: bin `i` begins at
/// `⌊i n / count⌋` and ends before `⌈(i + 1) n / count⌉`, so that neighbours may share an entry.
pub(crate) fn bins(n: usize, count: usize) -> Vec<Range<usize>> {
    (0..count).map(|i| i * n / count..((i + 1) * n).div_ceil(count)).collect()
}
