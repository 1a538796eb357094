//! Where things lie: images padded and split so that every convolution becomes one of stride one.
//!
//! A padded image of stride `s` is kept as `s * s` sub-images, one for each remainder of the coordinates by `s`. A
//! tap of the kernel then reads one of these sub-images at a fixed shift from the output's pixel, whatever the
//! stride and the dilation: output pixel `p` is the sum over taps and channels of weight times
//! `image[p + offset of the tap]`, where `p` counts the pixels of the sub-image, row after row. The few pixels
//! between the end of an output row and the start of the next are computed too, and dropped.
//!
//! The gradient by the input is the same with the roles turned round: its pixels fall into `s * s` classes by the
//! remainder of their coordinates; each class is a convolution of the gradient by the output, of stride one, with
//! those taps that reach the class.

use crate::float::Float;
use crate::kernel::dispatch::prefetch;
use crate::kernel::vector::Vector;

/// One tap of a kernel, along one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    /// Its place in the kernel.
    pub(super) index: usize,
    /// The sub-image that it reads, as a place in [`Axis::phases`].
    phase: usize,
    /// How far from the output's pixel it reads.
    pub(super) shift: usize,
}

/// One axis of a convolution.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// The length of the source.
    pub(super) len: usize,
    /// The number of sub-images the source is split into.
    step: usize,
    /// The place of the source's first pixel in the padded source; negative if the source is cropped.
    pub(super) pad: isize,
    /// The number of output pixels to compute for each class.
    pub(super) grid: usize,
    /// The largest shift of a tap.
    reach: usize,
    /// The remainders by `step` that some tap reads.
    phases: Vec<usize>,
    /// The taps of each class of outputs.
    pub(super) taps: Vec<Vec<Tap>>,
    /// The length of the output.
    pub(super) out_len: usize,
    /// Pixel `i` of class `a` is `out_base + a + i * taps.len()` of the output, if that is inside.
    out_base: isize,
}

impl Axis {
    /// The axis of a convolution, whose output is `out` long.
    pub(super) fn forward(
        len: usize,
        kernel: usize,
        [stride, padding, dilation]: [usize; 3],
        out: usize,
    ) -> Axis {
        let mut phases: Vec<usize> = (0..kernel).map(|r| r * dilation % stride).collect();
        phases.sort_unstable();
        phases.dedup();
        let tap = |r: usize| Tap {
            index: r,
            phase: phases.partition_point(|&f| f < r * dilation % stride),
            shift: r * dilation / stride,
        };
        Axis {
            len,
            step: stride,
            pad: padding as isize,
            grid: out,
            reach: (kernel - 1) * dilation / stride,
            taps: vec![(0..kernel).map(tap).collect()],
            phases,
            out_len: out,
            out_base: 0,
        }
    }

    /// The axis of the gradient by the input, `len` long, of a convolution whose output is `out` long.
    pub(super) fn backward(
        len: usize,
        kernel: usize,
        [stride, padding, dilation]: [usize; 3],
        out: usize,
    ) -> Axis {
        // Input i was at i + padding = stride * t + class in the padded image; tap r reached it from output
        // t - r * dilation / stride. The grid counts t from its first value on.
        let reach = (kernel - 1) * dilation / stride;
        let first = padding / stride;
        let grid = if len == 0 { 0 } else { (len - 1 + padding) / stride + 1 - first };
        let class = |a: usize| {
            (0..kernel)
                .filter(|r| r * dilation % stride == a)
                .map(|r| Tap { index: r, phase: 0, shift: reach - r * dilation / stride })
                .collect()
        };
        Axis {
            len: out,
            step: 1,
            pad: reach as isize - first as isize,
            grid,
            reach,
            phases: vec![0],
            taps: (0..stride).map(class).collect(),
            out_len: len,
            out_base: (first * stride) as isize - padding as isize,
        }
    }

    /// The pixels of sub-image `phase` that hold pixels of the source, the others being padding, out of `count`.
    pub(super) fn filled(&self, phase: usize, count: usize) -> [usize; 2] {
        let first = |x: isize| (x - phase as isize + self.step as isize - 1).div_euclid(self.step as isize);
        [self.pad, self.pad + self.len as isize].map(|x| first(x).clamp(0, count as isize) as usize)
    }

    /// The pixels of the grid that are pixels of the output, for class `class`.
    pub(super) fn inside(&self, class: usize) -> [usize; 2] {
        let step = self.taps.len() as isize;
        let base = self.out_base + class as isize;
        [-base, self.out_len as isize - base]
            .map(|x| (x + step - 1).div_euclid(step).clamp(0, self.grid as isize) as usize)
    }

    /// The output that pixel `i` of the grid is, for class `class`; it must be [`inside`](Self::inside).
    pub(super) fn output(&self, class: usize, i: usize) -> usize {
        (self.out_base + (class + i * self.taps.len()) as isize) as usize
    }

    /// The class of output `i`.
    pub(super) fn class_of(&self, i: usize) -> usize {
        (i as isize - self.out_base).rem_euclid(self.taps.len() as isize) as usize
    }

    /// The outputs, of any class, that pixels `start..end` of the grid are.
    pub(super) fn outputs(&self, start: usize, end: usize) -> [usize; 2] {
        [start, end].map(|i| {
            (self.out_base + (i * self.taps.len()) as isize).clamp(0, self.out_len as isize) as usize
        })
    }
}

/// How one image of some channels, or a band of its rows, lies in scratch memory.
#[derive(Clone, Debug)]
pub(super) struct Lattice {
    pub(super) channels: usize,
    /// The vertical and the horizontal axis.
    pub(super) axes: [Axis; 2],
    /// The output rows of a band.
    pub(super) band: usize,
    /// The distance of rows.
    pub(super) pitch: usize,
    /// The numbers after the last row that taps may read, and that are zero.
    pub(super) slack: usize,
}

impl Lattice {
    /// A layout with bands of at most `ELEMENTS` numbers, and of at most `1 / pieces` of the rows.
    pub(super) fn new(channels: usize, [high, wide]: [Axis; 2], pieces: usize) -> Lattice {
        /// About half of a second-level cache of 1 MiB in single precision.
        const ELEMENTS: usize = 1 << 17;
        let width = wide.grid + wide.reach;
        // Zeros that end one row also serve as those that start the next.
        let shared = wide.phases.iter().fold(width, |least, &f| {
            let [start, end] = wide.filled(f, width);
            least.min(start).min(width - end)
        });
        let shared = shared.min(wide.reach);
        let pitch = width - shared;
        let row = channels * high.phases.len() * wide.phases.len() * pitch;
        let fit = (ELEMENTS / row.max(1)).saturating_sub(high.reach).max(high.reach + 4);
        // Bands of about equal size.
        let bands = high.grid.div_ceil(fit).max(pieces).clamp(1, high.grid.max(1));
        let band = high.grid.div_ceil(bands).max(1);
        Lattice { channels, axes: [high, wide], band, pitch, slack: shared + 16 }
    }

    /// The number of bands of an image.
    pub(super) fn bands(&self) -> usize {
        self.axes[0].grid.div_ceil(self.band)
    }

    /// The grid rows of a band.
    pub(super) fn rows(&self, band: usize) -> [usize; 2] {
        [band * self.band, ((band + 1) * self.band).min(self.axes[0].grid)]
    }

    /// The numbers of one sub-image of one channel.
    fn plane(&self) -> usize {
        (self.band + self.axes[0].reach) * self.pitch
    }

    /// The numbers of the scratch memory.
    pub(super) fn len(&self) -> usize {
        self.channels * self.axes[0].phases.len() * self.axes[1].phases.len() * self.plane() + self.slack
    }

    /// The pixels, gaps included, of `rows` rows of the grid.
    pub(super) fn pixels(&self, rows: usize) -> usize {
        (rows - 1) * self.pitch + self.axes[1].grid
    }

    /// The offsets of all taps of a class, for each channel.
    pub(super) fn offsets(&self, class: [usize; 2]) -> Vec<usize> {
        let [high, wide] = &self.axes;
        let mut offsets = Vec::new();
        for channel in 0..self.channels {
            for v in &high.taps[class[0]] {
                for h in &wide.taps[class[1]] {
                    let plane = (channel * high.phases.len() + v.phase) * wide.phases.len() + h.phase;
                    offsets.push(plane * self.plane() + v.shift * self.pitch + h.shift);
                }
            }
        }
        offsets
    }

    /// Lays out the rows that grid rows `start..end` need of the image `x`.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(super) fn fill<T: Float, V: Vector<T>>(&self, x: &[T], [start, end]: [usize; 2], to: &mut [T]) {
        let [high, wide] = &self.axes;
        let size = high.len * wide.len;
        let pitch = self.pitch;
        // One row more than needed, if there is one: the row before reads its first zeros.
        let last = (end + high.reach + 1).min(start + self.band + high.reach);
        let mut planes = to.chunks_exact_mut(self.plane());
        for channel in 0..self.channels {
            let x = &x[channel * size..(channel + 1) * size];
            for &v in &high.phases {
                for &h in &wide.phases {
                    let Some(plane) = planes.next() else { return };
                    let [left, right] = wide.filled(h, pitch);
                    let [top, bottom] = high.filled(v, high.grid + high.reach).map(|i| i.clamp(start, last));
                    if top >= bottom || left >= right {
                        plane[..(last - start) * pitch].fill(T::ZERO);
                        continue;
                    }
                    plane[..(top - start) * pitch + left].fill(T::ZERO);
                    plane[(bottom - 1 - start) * pitch + right..(last - start) * pitch].fill(T::ZERO);
                    let gap = pitch - right + left;
                    for i in top..bottom - 1 {
                        let end = (i - start) * pitch + right;
                        zero(&mut plane[end..end + gap]);
                    }
                    let y = ((top * high.step + v) as isize - high.pad) as usize;
                    let first = ((left * wide.step + h) as isize - wide.pad) as usize;
                    let from = &x[y * wide.len + first..];
                    let to = &mut plane[(top - start) * pitch + left..];
                    let [rows, width] = [bottom - top, right - left];
                    match wide.step {
                        1 => copy_rows([rows, width], from, high.step * wide.len, to, pitch),
                        step => {
                            let from = from.chunks(high.step * wide.len);
                            for (from, to) in from.zip(to.chunks_mut(pitch)).take(rows) {
                                let to = &mut to[..width];
                                if step == 2 { even::<T, V>(from, to) } else { every(step, from, to) }
                            }
                        }
                    }
                }
            }
        }
        let len = self.len();
        to[len - self.slack..len].fill(T::ZERO);
    }
}

/// Sets a few numbers to zero: of a loop that may end at once, the compiler makes no call of `memset`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn zero<T: Float>(mut numbers: &mut [T]) {
    while let [first, rest @ ..] = numbers {
        *first = T::ZERO;
        if rest.is_empty() {
            return;
        }
        numbers = rest;
    }
}

/// Copies every second number.
#[inline(always)]
#[allow(clippy::inline_always)]
fn even<T: Float, V: Vector<T>>(from: &[T], to: &mut [T]) {
    // The number after the last that is copied may not exist.
    assert!(2 * to.len() <= from.len() + 1);
    let from = from.as_ptr();
    for i in (0..to.len()).step_by(V::LANES) {
        let count = V::LANES.min(to.len() - i);
        let last = 2 * count - 1;
        // SAFETY: numbers `2 * i..2 * i + last` are there, as just checked, and so are `count` in the output.
        unsafe {
            let low = from.add(2 * i);
            let low = if last < V::LANES { V::load_first(low, last) } else { V::load(low) };
            let high = from.wrapping_add(2 * i + V::LANES);
            let high = V::load_first(high, last.saturating_sub(V::LANES));
            let numbers = V::even(low, high);
            if count < V::LANES {
                numbers.store_first(to[i..].as_mut_ptr(), count);
            } else {
                numbers.store(to[i..].as_mut_ptr());
            }
        }
    }
}

/// Copies every `step`th number.
#[inline(always)]
#[allow(clippy::inline_always)]
fn every<T: Float>(step: usize, from: &[T], to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(from.iter().step_by(step)) {
        *to = *from;
    }
}

/// Copies rows of `width` numbers between places where they lie at different distances. Rows are short: a call of
/// `memcpy` for each would take several times as long.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn copy_rows<T: Float>(
    [rows, width]: [usize; 2],
    from: &[T],
    from_pitch: usize,
    to: &mut [T],
    to_pitch: usize,
) {
    let rows = from.chunks(from_pitch).zip(to.chunks_mut(to_pitch)).take(rows);
    // Plain loops: of `for_each`, the compiler makes functions, which lack the features of the caller.
    match width {
        16.. if width.is_multiple_of(16) => {
            for (from, to) in rows {
                pieces::<T, 16, false>(&from[..width], &mut to[..width]);
            }
        }
        16.. => {
            for (from, to) in rows {
                pieces::<T, 16, true>(&from[..width], &mut to[..width]);
            }
        }
        8.. => {
            for (from, to) in rows {
                pieces::<T, 8, true>(&from[..width], &mut to[..width]);
            }
        }
        4.. => {
            for (from, to) in rows {
                pieces::<T, 4, true>(&from[..width], &mut to[..width]);
            }
        }
        _ => {
            for (from, to) in rows {
                for (to, from) in to[..width].iter_mut().zip(&from[..width]) {
                    *to = *from;
                }
            }
        }
    }
}

/// Copies at least `N` numbers in pieces of `N`; the last piece may overlap the one before, if there may be a `REST`.
#[inline(always)]
#[allow(clippy::inline_always)]
fn pieces<T: Float, const N: usize, const REST: bool>(from: &[T], to: &mut [T]) {
    for (to, from) in to.as_chunks_mut::<N>().0.iter_mut().zip(from.as_chunks::<N>().0) {
        *to = *from;
    }
    if REST && let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

/// Asks for the share of `len` numbers at `start` that `from..to` is of `whole`, if they are few enough to stay in the first
/// cache until they are needed: small images lie apart, so that the processor does not guess the next one.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn ask<T>(start: *const T, len: usize, [from, to]: [usize; 2], whole: usize) {
    /// Bytes up to which it is worth it.
    const SMALL: usize = 1 << 14;
    if len * size_of::<T>() <= SMALL {
        for at in (from * len / whole..to * len / whole).step_by(64 / size_of::<T>()) {
            prefetch(start.wrapping_add(at));
        }
    }
}

/// The smallest number of vectors that hold `len` numbers, as numbers.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn whole<T: Float, V: Vector<T>>(len: usize) -> usize {
    len.next_multiple_of(V::LANES)
}
