//! The gradient by the weights: a sum over all pixels of all images.

use super::lattice::{Axis, Lattice, ask, copy_rows, whole, zero};
use super::{ConvShape, MAC_NS, PIECES, tile};
use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::Level;
use crate::kernel::parallel;
use crate::kernel::vector::{Job, Vector, dispatch, lanes};
use std::ops::Range;

/// [`weight_grad`](super::weight_grad) at some level, of shapes none of whose sizes is zero.
pub(super) fn weigh<T: Float>(level: Level, s: &ConvShape, x: &[T], g: &[T], dw: &mut [T]) {
    let [c_in, c_out, _] = s.group();
    let ns = s.work() * MAC_NS * (size_of::<T>() / 4) as f64;
    let most = (ns / parallel::SERIAL_NS) as usize;
    let lattice = Lattice::new(c_in, s.axes(Axis::forward), PIECES.div_ceil(s.n * s.groups).min(most / s.n));
    let mut offsets = lattice.offsets([0, 0]);
    let taps = offsets.len();

    let form = Form::new(level, lanes::<T>(level), c_out);
    offsets.resize(taps.next_multiple_of(form.taps()), 0);
    let Cut { parts, blocks, block } = Cut::new::<T>(level, s, form, offsets.len(), most);
    let partial = offsets.len() * block;

    // The images and their bands are summed in chunks, so that several threads have work.
    let bands = lattice.bands();
    let units = s.n * bands;
    let chunk = units.div_ceil(parts.min(units));
    let chunks = units.div_ceil(chunk);

    let mut sums = Fresh::take(s.groups * blocks * chunks * partial);
    let (lattice, offsets) = (&lattice, &*offsets);
    parallel::items(&mut sums, partial, ns / (chunks * blocks * s.groups) as f64, |i, sums| {
        let (i, at) = (i / chunks, i % chunks);
        let (group, first) = (i / blocks, i % blocks * block);
        let units = [at * chunk, ((at + 1) * chunk).min(units)];
        let outputs = first..c_out.min(first + block);
        sums.fill(T::ZERO);
        dispatch(level, Weigh { s, lattice, offsets, form, group, outputs, units, x, g, sums });
    });

    let sums = add_chunks(sums, partial, chunks);
    let per_channel = |i: usize, dw: &mut [T]| {
        let (group, channel) = (i / c_out, i % c_out);
        let sums = &sums[(group * blocks + channel / block) * chunks * partial..][..partial];
        for (tap, dw) in dw.iter_mut().enumerate() {
            *dw = sums[form.place(lanes::<T>(level), offsets.len(), channel % block, tap)];
        }
    };
    parallel::items(dw, taps, taps as f64, per_channel);
}

/// How the sums are cut, by the shape alone, so that several threads have work.
pub(super) struct Cut {
    /// What is summed over is cut into so many parts, each with sums of its own: as many as there is memory for.
    pub(super) parts: usize,
    /// And the output channels of a group into so many blocks: where there are too many sums for as many parts as wanted.
    pub(super) blocks: usize,
    /// The output channels of a block, filled up to whole tiles.
    pub(super) block: usize,
}

impl Cut {
    /// For so many sums for each output channel, and at `most` so many pieces.
    pub(super) fn new<T>(level: Level, s: &ConvShape, form: Form, sums: usize, most: usize) -> Cut
    where
        T: Float,
    {
        /// The most numbers to hold as partial sums.
        const PARTIAL: usize = 1 << 22;
        /// The least output channels for which the image is laid out anew.
        const BLOCK: usize = 128;
        let [_, c_out, _] = s.group();
        let tile = form.channels(lanes::<T>(level));
        let all = s.groups * sums * c_out.next_multiple_of(tile);
        let parts = PIECES.div_ceil(s.groups).min(most).min(PARTIAL / all).max(1);
        let blocks = PIECES.min(most).div_ceil(parts * s.groups).min(c_out / BLOCK).max(1);
        let block = c_out.div_ceil(blocks).next_multiple_of(tile);
        Cut { parts, blocks: c_out.div_ceil(block), block }
    }
}

/// Adds to the first of every `chunks` pieces of `partial` numbers the others, in order.
pub(super) fn add_chunks<T: Float>(mut sums: Fresh<T>, partial: usize, chunks: usize) -> Fresh<T> {
    for sums in sums.chunks_exact_mut(partial * chunks) {
        let (first, rest) = sums.split_at_mut(partial);
        let rest = &*rest;
        parallel::split(first, 16, 0.2 * chunks as f64, |start, first| {
            for part in rest.chunks_exact(partial) {
                for (sum, part) in first.iter_mut().zip(&part[start..]) {
                    *sum += *part;
                }
            }
        });
    }
    sums
}

/// How the sum over pixels runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For each pixel, so many taps times so many vectors of output channels, the gradient being transposed.
    Outer { taps: usize, vectors: usize },
    /// So many planes of the gradient times so many taps, in vectors of pixels.
    Inner { channels: usize, taps: usize },
}

impl Form {
    pub(super) fn new(level: Level, lanes: usize, c_out: usize) -> Form {
        // Outer products need a vector of output channels, or half of one at least.
        if c_out == 1 {
            Form::Inner { channels: 1, taps: 9 }
        } else if c_out < lanes / 2 {
            Form::Inner { channels: 4, taps: if level == Level::Portable { 2 } else { 3 } }
        } else {
            let taps = match level {
                Level::Portable => 4,
                Level::Avx2 => 6,
                Level::Avx512 => 12,
            };
            Form::Outer { taps, vectors: if c_out <= lanes { 1 } else { 2 } }
        }
    }

    /// The taps of a tile.
    pub(super) fn taps(self) -> usize {
        match self {
            Form::Outer { taps, .. } | Form::Inner { taps, .. } => taps,
        }
    }

    /// The output channels of a tile.
    pub(super) fn channels(self, lanes: usize) -> usize {
        match self {
            Form::Outer { vectors, .. } => vectors * lanes,
            Form::Inner { channels, .. } => channels,
        }
    }

    /// Where the sum for an output channel and a tap is, of `taps` taps.
    pub(super) fn place(self, lanes: usize, taps: usize, channel: usize, tap: usize) -> usize {
        match self {
            Form::Outer { vectors, .. } => {
                let width = vectors * lanes;
                (channel / width * taps + tap) * width + channel % width
            }
            Form::Inner { .. } => channel * taps + tap,
        }
    }
}

/// The gradient by the weights, summed over some bands of images, for some output channels of one group.
struct Weigh<'a, T: Float> {
    s: &'a ConvShape,
    lattice: &'a Lattice,
    /// For each input channel and tap, filled up to whole tiles.
    offsets: &'a [usize],
    form: Form,
    group: usize,
    /// The output channels, counted in the group.
    outputs: Range<usize>,
    /// The bands to sum, counted through all images.
    units: [usize; 2],
    x: &'a [T],
    g: &'a [T],
    sums: &'a mut [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Weigh<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(mut self) {
        let [c_in, c_out, _] = self.s.group();
        let bands = self.lattice.bands();
        let [high, wide] = &self.lattice.axes;
        let plane = high.out_len * wide.out_len;
        let image = c_in * self.s.h * self.s.w;
        let mut lattice = Fresh::take(self.lattice.len());
        let outputs = self.outputs.len();
        let channels = outputs.next_multiple_of(self.form.channels(V::LANES));
        let mut turned = Fresh::take(channels * whole::<T, V>(self.lattice.pixels(self.lattice.band)));
        for unit in self.units[0]..self.units[1] {
            let (i, band) = (unit / bands * self.s.groups + self.group, unit % bands);
            let [start, end] = self.lattice.rows(band);
            let g = &self.g[(i * c_out + self.outputs.start) * plane..][..outputs * plane];
            let size = [end - start, wide.out_len];
            self.lattice.fill::<T, V>(&self.x[i * image..(i + 1) * image], [start, end], &mut lattice);
            match self.form {
                Form::Outer { vectors, .. } => {
                    let (g, pixels) = (&g[start * size[1]..], size[0] * size[1]);
                    transpose::<T, V>(g, plane, outputs, pixels, vectors * V::LANES, &mut turned);
                    let size = [size[0], size[1], self.lattice.pitch];
                    outer::<T, V>(vectors, size, self.offsets, &lattice, &turned, self.sums);
                }
                Form::Inner { channels, .. } => {
                    let length = whole::<T, V>(self.lattice.pixels(end - start));
                    spread(g, plane, [start, end, size[1]], self.lattice.pitch, length, &mut turned);
                    if unit + 1 < self.units[1] {
                        let next = (unit + 1) / bands * self.s.groups + self.group;
                        ask(self.x[next * image..].as_ptr(), image, [0, 1], 1);
                        ask(self.g[next * c_out * plane..].as_ptr(), c_out * plane, [0, 1], 1);
                    }
                    match (channels, V::LEVEL) {
                        (1, _) => self.inner::<V, 1, 9>(length, &lattice, &turned),
                        (_, Level::Portable) => self.inner::<V, 4, 2>(length, &lattice, &turned),
                        _ => self.inner::<V, 4, 3>(length, &lattice, &turned),
                    }
                }
            }
        }
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Weigh<'_, T> {
    /// Adds the inner products of planes of `length` numbers.
    #[inline(always)]
    fn inner<V: Vector<T>, const ROWS: usize, const COLUMNS: usize>(
        &mut self,
        length: usize,
        image: &[T],
        g: &[T],
    ) {
        let taps = self.offsets.len();
        let (offsets, _) = self.offsets.as_chunks::<COLUMNS>();
        for (sums, g) in self.sums.chunks_exact_mut(ROWS * taps).zip(g.chunks_exact(ROWS * length)) {
            for (first, offsets) in (0..taps).step_by(COLUMNS).zip(offsets) {
                // SAFETY: `g` has `ROWS` planes of `length` numbers, `sums` as many rows of `taps`; the lattice ends
                // with the slack that the last vector reads.
                unsafe {
                    tile::inner::<T, V, ROWS, COLUMNS>(
                        offsets,
                        length,
                        image.as_ptr(),
                        g.as_ptr(),
                        sums[first..].as_mut_ptr(),
                        taps,
                    );
                }
            }
        }
    }
}

/// Adds the outer products of `height x width` pixels, which lie `pitch` apart in the image, to tiles of `vectors` vectors.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn outer<T: Float, V: Vector<T>>(
    vectors: usize,
    size: [usize; 3],
    offsets: &[usize],
    image: &[T],
    g: &[T],
    sums: &mut [T],
) {
    match (V::LEVEL, vectors) {
        (Level::Avx512, 1) => outer_tiles::<T, V, 12, 1>(size, offsets, image, g, sums),
        (Level::Avx512, _) => outer_tiles::<T, V, 12, 2>(size, offsets, image, g, sums),
        (Level::Portable, 1) => outer_tiles::<T, V, 4, 1>(size, offsets, image, g, sums),
        (Level::Portable, _) => outer_tiles::<T, V, 4, 2>(size, offsets, image, g, sums),
        (Level::Avx2, 1) => outer_tiles::<T, V, 6, 1>(size, offsets, image, g, sums),
        (Level::Avx2, _) => outer_tiles::<T, V, 6, 2>(size, offsets, image, g, sums),
    }
}

/// [`outer`] with tiles of a fixed size.
#[inline(always)]
#[allow(clippy::inline_always)]
fn outer_tiles<T: Float, V: Vector<T>, const ROWS: usize, const COLUMNS: usize>(
    [height, width, pitch]: [usize; 3],
    offsets: &[usize],
    image: &[T],
    g: &[T],
    sums: &mut [T],
) {
    let vector = COLUMNS * V::LANES;
    let tile = ROWS * vector;
    let size = height * width * vector;
    let (offsets, _) = offsets.as_chunks::<ROWS>();
    for (sums, g) in sums.chunks_exact_mut(offsets.len() * tile).zip(g.chunks_exact(size)) {
        for (sums, offsets) in sums.chunks_exact_mut(tile).zip(offsets) {
            // SAFETY: `g` has `vector` numbers for each pixel and `sums` for each tap of the tile; the pixels of the
            // grid at the offsets are inside the image.
            unsafe {
                tile::outer::<T, V, ROWS, COLUMNS>(
                    offsets,
                    [height, width, pitch],
                    image.as_ptr(),
                    g.as_ptr(),
                    sums.as_mut_ptr(),
                );
            }
        }
    }
}

/// Writes `pixels` pixels of the planes at the distance `plane` as pixels of `width` channels each: channel `c` of
/// pixel `p` goes to `(c / width, p, c % width)`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn transpose<T: Float, V: Vector<T>>(
    g: &[T],
    plane: usize,
    channels: usize,
    pixels: usize,
    width: usize,
    to: &mut [T],
) {
    let mut channel = 0;
    while channel < channels {
        let count = (channels - channel).min(width - channel % width).min(4);
        let to = &mut to[channel / width * width * pixels + channel % width..];
        let g = &g[channel * plane..];
        let blocks = if count == 4 { pixels / 8 } else { 0 };
        if blocks > 0 {
            assert!(3 * plane + pixels <= g.len() && (pixels - 1) * width + 4 <= to.len());
        }
        for block in 0..blocks {
            // SAFETY: eight pixels, of `pixels`, of four planes, as just checked.
            unsafe {
                let to = to.as_mut_ptr().add(block * 8 * width);
                V::transpose(g.as_ptr().add(block * 8), plane, to, width);
            }
        }
        for pixel in blocks * 8..pixels {
            for i in 0..count {
                to[pixel * width + i] = g[i * plane + pixel];
            }
        }
        channel += count;
    }
}

/// Writes rows `start..end` of planes at the distance `pitch`, with zeros between them and up to `length`.
#[inline(always)]
#[allow(clippy::inline_always)]
fn spread<T: Float>(
    g: &[T],
    plane: usize,
    [start, end, width]: [usize; 3],
    pitch: usize,
    length: usize,
    to: &mut [T],
) {
    let rows = end - start;
    for (g, to) in g.chunks_exact(plane).zip(to.chunks_exact_mut(length)) {
        copy_rows([rows, width], &g[start * width..], width, to, pitch);
        for i in 1..rows {
            zero(&mut to[(i - 1) * pitch + width..i * pitch]);
        }
        to[(rows - 1) * pitch + width..].fill(T::ZERO);
    }
}
