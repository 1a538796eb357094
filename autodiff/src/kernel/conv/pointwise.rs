//! Kernels of one pixel at stride 1: each image is a matrix `[channels, pixels]`, and its convolution the product with the
//! weights.
//!
//! The tiles of [`tile`] read the image where it is and write their results where they belong: nothing is copied.

use super::mix::{constants, in_tiles, tile_rows};
use super::{ConvShape, MAC_NS, tile};
use crate::float::Float;
use crate::kernel::dispatch::Level;
use crate::kernel::parallel::{self, Shared};
use crate::kernel::vector::{Job, Vector, dispatch, lanes};

/// The numbers of the input that are near enough to be read again for each tile of output channels.
const NEAR: usize = 1 << 14;

/// Whether the shape is one for which nothing need be copied, at vectors of so many numbers.
pub(super) fn fits(s: &ConvShape, lanes: usize) -> bool {
    (s.kh, s.kw, s.stride, s.padding) == (1, 1, [1, 1], [0, 0])
        && s.h * s.w >= lanes
        && s.c_in.min(s.c_out) > 0
}

/// [`mix`](super::mix::mix), for shapes that [fit](fits).
pub(super) fn mix<T: Float>(
    level: Level,
    s: &ConvShape,
    [from, to]: [usize; 2],
    x: &[T],
    weight: impl Fn(usize, usize, usize, usize) -> T + Sync,
    bias: Option<&[T]>,
    y: &mut [T],
) {
    /// About the pixels of a piece of work.
    const PIXELS: usize = 512;
    if y.is_empty() {
        return;
    }
    let (images, pixels, rows) = (s.n * s.groups, s.h * s.w, tile_rows(level, to));
    let weights = in_tiles(s.groups, [from, to], rows, &[0], &weight);
    let bias = constants(s.groups, to, to.next_multiple_of(rows), bias);
    let offsets: Vec<usize> = (0..from).map(|channel| channel * pixels).collect();
    let (weights, bias, offsets) = (&*weights, &*bias, &*offsets);
    let y = Shared::new(y);
    // Pieces of about equal size, which start at whole vectors.
    let pieces = (pixels / PIXELS).max(1);
    let lanes = lanes::<T>(level);
    let start = |piece: usize| if piece < pieces { piece * pixels / pieces / lanes * lanes } else { pixels };
    let item = |i: usize| {
        let (i, piece) = (i / pieces, i % pieces);
        let group = i % s.groups;
        let (weights, bias) = (
            &weights[group * weights.len() / s.groups..][..weights.len() / s.groups],
            &bias[group * bias.len() / s.groups..][..bias.len() / s.groups],
        );
        let x = &x[i * from * pixels..][..from * pixels];
        let range = [start(piece), start(piece + 1)];
        dispatch(level, Product { range, pixels, offsets, rows, to, weights, x, bias, first: i * to, y: &y });
    };
    let ns = s.work() * MAC_NS * (size_of::<T>() / 4) as f64;
    let items = images * pieces;
    if items > 1 && parallel::worthwhile(ns) {
        let least = (parallel::SERIAL_NS / 4.0 * items as f64 / ns) as usize;
        parallel::each(items, least, &item);
    } else {
        (0..items).for_each(item);
    }
}

/// The convolution of some pixels of one image, for one group.
struct Product<'a, T: Float> {
    /// The pixels, as many as a vector holds at least.
    range: [usize; 2],
    /// The pixels of an image.
    pixels: usize,
    /// Where the input channels are.
    offsets: &'a [usize],
    /// The rows of a tile.
    rows: usize,
    /// The number of output channels.
    to: usize,
    weights: &'a [T],
    x: &'a [T],
    /// One for each output channel of the tiles.
    bias: &'a [T],
    /// The output plane of the first output channel.
    first: usize,
    y: &'a Shared<'a, T>,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Product<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        match self.rows {
            1 => self.tiles::<V, 1>(),
            8 if V::LEVEL == Level::Avx512 => self.tiles::<V, 8>(),
            6 if V::LEVEL == Level::Avx2 => self.tiles::<V, 6>(),
            _ => self.tiles::<V, 4>(),
        }
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Product<'_, T> {
    #[inline(always)]
    fn tiles<V: Vector<T>, const ROWS: usize>(&self) {
        let [start, end] = self.range;
        let size = self.offsets.len() * ROWS;
        let reach = self.offsets[self.offsets.len() - 1];
        // A tile, eight vectors wide at most, whose last rows are no output channels.
        let mut spare = [T::ZERO; 8 * 8 * 16];
        // All output channels of a block of pixels before the next, whose input stays near, in rows as long as may be.
        let step = 3 * V::LANES;
        let block = (NEAR / self.offsets.len() / step).max(1) * step;
        for start in (start..end).step_by(block) {
            let stop = end.min(start + block);
            let tiles = self.weights.chunks_exact(size).zip(self.bias.chunks_exact(ROWS));
            for (first, (w, bias)) in (0..).step_by(ROWS).zip(tiles) {
                let rows = ROWS.min(self.to - first);
                let mut at = start;
                while at < stop {
                    let columns = tile::columns::<T, V>(ROWS, ((stop - at) / V::LANES).max(1));
                    let width = columns * V::LANES;
                    // The last vector overlaps with the one before: what it computes again has the same bits.
                    at = at.min(end - width);
                    let x = self.x[at..][..reach + width].as_ptr();
                    let y = self
                        .y
                        .place((self.first + first) * self.pixels + at, (rows - 1) * self.pixels + width);
                    let (out, stride) =
                        if rows == ROWS { (y, self.pixels) } else { (spare.as_mut_ptr(), width) };
                    let (w, bias) = (w.as_ptr(), bias.as_ptr());
                    // SAFETY: `width` numbers are readable in each channel, as just cut, and writable in each row: `y` is in the
                    // output, and other calls at the same time write to other images, groups or pixels; `spare` has room for
                    // `ROWS` rows. There are `ROWS` weights for each channel and as many biases.
                    unsafe {
                        tile::mix_columns::<T, V, ROWS>(columns, self.offsets, w, x, bias, out, stride);
                        if rows < ROWS {
                            for row in 0..rows {
                                let from = spare[row * width..][..width].as_ptr();
                                from.copy_to_nonoverlapping(y.add(row * self.pixels), width);
                            }
                        }
                    }
                    at += width;
                }
            }
        }
    }
}
