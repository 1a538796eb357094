//! The forward pass and the gradient by the input: one loop for both.

use super::lattice::{Axis, Lattice, ask, copy_rows, whole};
use super::{ConvShape, MAC_NS, PIECES, WEIGHT_NS, tile};
use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::Level;
use crate::kernel::parallel::{self, Shared};
use crate::kernel::vector::{Job, Vector, dispatch};

/// One class of outputs: those that see the same taps.
pub(super) struct Class<T: Float> {
    /// Where to read, for each input channel and tap.
    pub(super) offsets: Vec<usize>,
    /// The weights as the tiles read them: group, tile, channel and tap, row of the tile.
    pub(super) weights: Fresh<T>,
}

/// The rows of a tile, for `to` output channels: fewer waste less on few channels; more need the registers.
pub(super) fn tile_rows(level: Level, to: usize) -> usize {
    match (to, level) {
        (1, _) => 1,
        (5.., Level::Avx512) => 8,
        (5.., Level::Avx2) => 6,
        _ => 4,
    }
}

/// Convolves images of `from` channels per group to `to` channels per group; the weight of an output (`row`) for
/// an input channel and a tap is `weight(group, row, channel, tap)`.
#[allow(clippy::too_many_arguments)]
pub(super) fn mix<T: Float>(
    level: Level,
    s: &ConvShape,
    axes: [Axis; 2],
    [from, to]: [usize; 2],
    x: &[T],
    weight: impl Fn(usize, usize, usize, usize) -> T + Sync,
    bias: Option<&[T]>,
    y: &mut [T],
) {
    if y.is_empty() {
        return;
    }
    let images = s.n * s.groups;
    let ns = s.work() * MAC_NS * (size_of::<T>() / 4) as f64;
    let pieces = PIECES.div_ceil(images).min((ns / images as f64 / parallel::SERIAL_NS) as usize);
    let lattice = Lattice::new(from, axes, pieces);
    let rows = tile_rows(level, to);
    let padded = to.next_multiple_of(rows);

    let [high, wide] = &lattice.axes;
    let mut classes = Vec::new();
    for v in 0..high.taps.len() {
        for h in 0..wide.taps.len() {
            let offsets = lattice.offsets([v, h]);
            let taps: Vec<usize> = high.taps[v]
                .iter()
                .flat_map(|v| wide.taps[h].iter().map(|h| v.index * s.kw + h.index))
                .collect();
            let weights = in_tiles(s.groups, [from, to], rows, &taps, &weight);
            classes.push(Class { offsets, weights });
        }
    }
    let constant = constants(s.groups, to, padded, bias);

    let image = x.len() / images;
    let bands = lattice.bands();
    let (classes, lattice, constant) = (&classes, &lattice, &*constant);
    let y = Shared::new(y);
    let item = |i: usize| {
        let (i, band) = (i / bands, i % bands);
        let group = i % s.groups;
        dispatch(
            level,
            Mix {
                lattice,
                classes,
                rows,
                group,
                to,
                x: &x[i * image..(i + 1) * image],
                next: x.get((i + 1) * image..(i + 2) * image).unwrap_or_default(),
                bias: &constant[group * padded..(group + 1) * padded],
                band: lattice.rows(band),
                first: i * to,
                y: &y,
            },
        );
    };
    let items = images * bands;
    if items > 1 && parallel::worthwhile(ns) {
        let least = (parallel::SERIAL_NS / 4.0 * items as f64 / ns) as usize;
        parallel::each(items, least, &item);
    } else {
        (0..items).for_each(item);
    }
}

/// The weights as the tiles read them: group, tile, channel and tap, row of the tile, filled up to whole tiles with zeros.
pub(super) fn in_tiles<T: Float>(
    groups: usize,
    [from, to]: [usize; 2],
    rows: usize,
    taps: &[usize],
    weight: &(impl Fn(usize, usize, usize, usize) -> T + Sync),
) -> Fresh<T> {
    let (tile, tiles) = (from * taps.len() * rows, to.div_ceil(rows));
    let mut weights = Fresh::take(groups * tiles * tile);
    parallel::items(&mut weights, tile, tile as f64 * WEIGHT_NS, |i, weights| {
        let (group, first) = (i / tiles, i % tiles * rows);
        let places = (0..from).flat_map(|channel| taps.iter().map(move |tap| (channel, *tap)));
        for (weights, (channel, tap)) in weights.chunks_exact_mut(rows).zip(places) {
            for (row, to_weight) in (first..).zip(weights) {
                *to_weight = if row < to { weight(group, row, channel, tap) } else { T::ZERO };
            }
        }
    });
    weights
}

/// What is added to each output channel, filled up to `padded` for each group with zeros.
pub(super) fn constants<T: Float>(groups: usize, to: usize, padded: usize, bias: Option<&[T]>) -> Fresh<T> {
    let mut constants = Fresh::take(groups * padded);
    constants.fill(T::ZERO);
    if let Some(bias) = bias {
        for (constants, bias) in constants.chunks_exact_mut(padded).zip(bias.chunks_exact(to)) {
            constants[..to].copy_from_slice(bias);
        }
    }
    constants
}

/// The convolution of a band of one image, for one group.
pub(super) struct Mix<'a, T: Float> {
    pub(super) lattice: &'a Lattice,
    pub(super) classes: &'a [Class<T>],
    /// The rows of a tile.
    pub(super) rows: usize,
    pub(super) group: usize,
    /// The number of output channels.
    pub(super) to: usize,
    pub(super) x: &'a [T],
    /// The image that is most often the next one.
    pub(super) next: &'a [T],
    /// One for each output channel of the tiles.
    pub(super) bias: &'a [T],
    /// The rows of the grid to compute.
    pub(super) band: [usize; 2],
    /// The output plane of the first output channel.
    pub(super) first: usize,
    pub(super) y: &'a Shared<'a, T>,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Mix<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let [start, end] = self.band;
        let [high, wide] = &self.lattice.axes;
        let mut image = Fresh::take(self.lattice.len());
        self.lattice.fill::<T, V>(self.x, self.band, &mut image);
        if let Some((weights, first)) = self.square() {
            return self.convolve_square::<V>(weights, first, &image);
        }
        let stride = whole::<T, V>(self.lattice.pixels(end - start));
        let size = self.bias.len() * stride;
        let mut results = Fresh::take(wide.taps.len() * size);
        for (v, classes) in self.classes.chunks_exact(wide.taps.len()).enumerate() {
            for (class, result) in classes.iter().zip(results.chunks_exact_mut(size)) {
                match self.rows {
                    1 => self.sweep::<V, 1>(class, &image, result, stride),
                    8 if V::LEVEL == Level::Avx512 => self.sweep::<V, 8>(class, &image, result, stride),
                    6 if V::LEVEL == Level::Avx2 => self.sweep::<V, 6>(class, &image, result, stride),
                    _ => self.sweep::<V, 4>(class, &image, result, stride),
                }
            }
            let [top, bottom] = high.inside(v);
            let inside = [start.max(top), end.min(bottom)];
            if inside[0] < inside[1] {
                self.write(v, inside, &results, stride);
            }
        }
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Mix<'_, T> {
    /// Computes all pixels of all channels, `stride` numbers each, for one class.
    #[inline(always)]
    fn sweep<V: Vector<T>, const ROWS: usize>(
        &self,
        class: &Class<T>,
        image: &[T],
        result: &mut [T],
        stride: usize,
    ) {
        let tiles = self.bias.len() / ROWS;
        let size = class.offsets.len() * ROWS;
        let weights = &class.weights[self.group * tiles * size..(self.group + 1) * tiles * size];
        let plane = self.lattice.axes[0].out_len * self.lattice.axes[1].out_len;
        let mut at = 0;
        while at < stride {
            let columns = tile::columns::<T, V>(ROWS, (stride - at) / V::LANES);
            for tile in 0..tiles {
                let w = weights[tile * size..].as_ptr();
                let bias = self.bias[tile * ROWS..].as_ptr();
                let x = image.as_ptr().wrapping_add(at);
                let out = result[tile * ROWS * stride + at..].as_mut_ptr();
                let offsets = &class.offsets;
                // SAFETY: `result` has `stride` numbers for each row of each tile, of which this writes
                // `columns * V::LANES` from `at` on, no more than are left; `image` ends with the slack that the
                // last of them read; `weights` and `bias` are filled up to whole tiles.
                unsafe {
                    tile::mix_columns::<T, V, ROWS>(columns, offsets, w, x, bias, out, stride);
                }
            }
            let end = at + columns * V::LANES;
            ask(self.next.as_ptr(), self.next.len(), [at, end], stride);
            ask(self.y.place(self.first * plane, self.to * plane), self.to * plane, [at, end], stride);
            at = end;
        }
    }

    /// Writes the grid rows `top..bottom` of vertical class `v`, those of all horizontal classes, to the output.
    #[inline(always)]
    fn write(&self, v: usize, [top, bottom]: [usize; 2], results: &[T], stride: usize) {
        let [high, wide] = &self.lattice.axes;
        let [first, last] = high.outputs(self.band[0], self.band[1]);
        let [row, rows] = [high.output(v, top) - first, bottom - top];
        let pitch = self.lattice.pitch;
        let width = wide.out_len;
        let distance = high.taps.len() * width;
        for channel in 0..self.to {
            let plane = (self.first + channel) * high.out_len;
            // SAFETY: other calls at the same time write to other images, groups or bands, whose rows are others.
            let y = unsafe { self.y.slice((plane + first) * width, (last - first) * width) };
            let y = &mut y[row * width..];
            let from = |h: usize| {
                let [left, right] = wide.inside(h);
                (
                    &results
                        [(h * self.bias.len() + channel) * stride + (top - self.band[0]) * pitch + left..],
                    right - left,
                )
            };
            match wide.taps.len() {
                1 => copy_rows([rows, width], from(0).0, pitch, y, distance),
                // The class that the first output belongs to comes first.
                2 => {
                    let h = wide.class_of(0);
                    weave(rows, [from(h).0, from(1 - h).0], pitch, &mut y[..], distance, width);
                }
                step => {
                    for h in 0..step {
                        let (from, count) = from(h);
                        let at = if count > 0 { wide.output(h, wide.inside(h)[0]) } else { continue };
                        for (from, y) in from.chunks(pitch).zip(y.chunks_mut(distance)).take(rows) {
                            for (y, from) in y[at..width].iter_mut().step_by(step).zip(&from[..count]) {
                                *y = *from;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Writes rows whose numbers alternate between two sources.
#[inline(always)]
#[allow(clippy::inline_always)]
fn weave<T: Float>(
    rows: usize,
    [even, odd]: [&[T]; 2],
    pitch: usize,
    to: &mut [T],
    distance: usize,
    width: usize,
) {
    for row in 0..rows {
        let to = &mut to[row * distance..row * distance + width];
        let (even, odd) = (&even[row * pitch..], &odd[row * pitch..]);
        let (wide, rest) = to.as_chunks_mut::<16>();
        let at = wide.len() * 8;
        let sources = even.as_chunks::<8>().0.iter().zip(odd.as_chunks::<8>().0);
        for (to, (even, odd)) in wide.iter_mut().zip(sources) {
            *to = std::array::from_fn(|i| if i % 2 == 0 { even[i / 2] } else { odd[i / 2] });
        }
        for (i, to) in rest.iter_mut().enumerate() {
            *to = if i % 2 == 0 { even[at + i / 2] } else { odd[at + i / 2] };
        }
    }
}
