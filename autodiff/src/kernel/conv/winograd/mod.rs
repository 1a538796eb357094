//! Kernels of three rows at stride 1 with half of the multiplications: minimal filtering along the columns.
//!
//! Four outputs below each other see six inputs `d`, through the three weights `g` of a column of the kernel. Winograd's
//! minimal filtering F(4, 3) (Lavin and Gray, arXiv:1509.09308, section 4) computes them with 6 multiplications where the
//! definition takes 12: `y = Aᵀ [(G g) ⊙ (Bᵀ d)]`, with small constant matrices. The sums over channels and over the taps
//! of a row are taken inside the bracket. So, once six rows of the image have become six others (`Bᵀ d`), each of the six
//! places of the bracket is a convolution with a kernel of one row, of images a quarter as high: the tiles of
//! [`tile`](super::tile) do it, as they do the direct convolution. Only columns are transformed, not rows and columns: that
//! would save a little more (F(2 x 2, 3 x 3) needs 4/9 of the multiplications), but here both transforms are sums of
//! whole rows, cheap enough to pay for 16 channels.
//!
//! A unit of work is some rows of tiles, of as many images as it takes, whose six places for all input channels fill half
//! of a second-level cache. The transforms read the image and write the output where they are. Measured with AVX-512 on
//! one core, whose peak is 172 GFLOP/s, and counting the multiplications of the definition: 249 GFLOP/s forward for 128
//! channels of 28 x 28 (the direct kernel: 146), 228 for 64 of 56 x 56 (132), 176 for 16 of 32 x 32 (127). The products alone
//! are thus 72 %, 66 % and 51 % of the peak; with few channels the transforms, and memory, take the rest.
//!
//! The gradient by the input is such a convolution. That by the weights is `Gᵀ [Σ (A e) ⊙ (Bᵀ d)]`, with `e` the gradient
//! of four outputs.
//!
//! The matrices evaluate polynomials at 0, ±3/4, ±3/2 and infinity. In single precision, with numbers that look random,
//! the root of the mean square of the errors is then 1.4 times that of the direct sum for 64 to 128 channels (6e-7 and
//! 8e-7 of that of the results), 1.6 times for 16, and at most twice for the gradient by the weights; at the usual points,
//! 0, ±1, ±2 and infinity, it is half as large again. But the four outputs of a tile share their errors: they are small
//! beside the largest of the four and not beside each. So an input that is infinite or NaN reaches all four, and padding
//! of three rows or more, where outputs see no input at all, is left to the direct sum.

mod transform;
mod weights;

use super::lattice::{Axis, Lattice, whole, zero};
use super::mix::tile_rows;
use super::weigh::{Cut, Form, add_chunks, outer, transpose};
use super::{ConvShape, MAC_NS, PIECES, WEIGHT_NS, tile};
use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Level, vectorized};
use crate::kernel::parallel::{self, Shared};
use crate::kernel::vector::{Job, Vector, dispatch, lanes};
use std::ops::Range;
use transform::{gather, gather_weights, spread, spread_output};
use weights::Weights;

/// The places of the bracket: the points 0, `A`, -`A`, `B`, -`B` and infinity.
const PLACES: usize = 6;
/// The outputs of a tile.
const OUTPUTS: usize = 4;

/// Whether the shape is one for which half of the multiplications is less work.
pub(super) fn pays(s: &ConvShape) -> bool {
    /// Fewer channels do not pay for the transforms.
    const CHANNELS: usize = 16;
    let [c_in, c_out, _] = s.group();
    // The last tile of a column may be only partly used.
    let tiled = |len: usize| 8 * len.div_ceil(OUTPUTS) <= 3 * len;
    (s.kh, s.stride, s.dilation[0]) == (3, [1, 1], 1)
        && s.padding[0] < 3
        && c_in.min(c_out) >= CHANNELS
        && tiled(s.h)
        && tiled(s.out_h())
}

/// How the rows of tiles of all images are cut into units, and where things lie in the scratch memory of a unit.
struct Plan {
    groups: usize,
    /// Source channels per group.
    from: usize,
    /// Height and width of the source.
    source: [usize; 2],
    /// Height and width of the output.
    out: [usize; 2],
    /// The rows of tiles of an image.
    tiles: usize,
    /// The rows of tiles of a unit, whatever images they belong to: those of several small ones, or a band of a large one.
    rows: usize,
    /// The rows of tiles of all images.
    all: usize,
    /// The padded rows of one channel.
    lines: Lattice,
    /// The distance of the places of a channel in scratch memory.
    plane: usize,
    /// Where the taps of one row of the kernel, for each source channel, read at the first place.
    offsets: Vec<usize>,
}

impl Plan {
    /// A plan of so many `units` or more, which are dealt out to so many `parts` of about the same work.
    fn new(
        level: Level,
        s: &ConvShape,
        [mut high, wide]: [Axis; 2],
        [from, to]: [usize; 2],
        lanes: usize,
        [units, parts]: [usize; 2],
    ) -> Plan {
        let (source, out) = ([high.len, wide.len], [high.out_len, wide.out_len]);
        let tiles = out[0].div_ceil(OUTPUTS);
        high.grid = tiles * OUTPUTS;
        let (grid, taps) = (wide.grid, wide.taps[0].clone());
        // In single precision about half of a second-level cache: those with AVX-512 have 1 MiB or more. Each unit goes
        // through all weights, or sums for them: where they are many times that, fewer units are the lesser evil (512
        // channels of 7 x 7 by two units in place of four: 0.8 of the time).
        let cache = if level == Level::Avx512 { 1 << 17 } else { 1 << 16 };
        let elements = cache.max(PLACES * taps.len() * from * to / 16);
        let lines = Lattice::new(1, [high, wide], 1);
        let all = s.n * tiles;
        // Few pixels do not keep the multipliers busy, for each weight is loaded for a vector or two.
        let units = units.min((all * lines.pitch / (4 * lanes)).max(parts));
        let most = all.div_ceil(units.max(1)).min(elements / (PLACES * from * lines.pitch)).max(1);
        // The largest share of whole vectors in a unit, and of work in the largest part; of two such units the larger.
        let share = |rows: usize| {
            let pixels = (rows - 1) * lines.pitch + grid;
            let work = s.groups * all;
            let largest = work.min((s.groups * all.div_ceil(rows)).div_ceil(parts) * rows);
            (pixels * work) as f64 / (pixels.next_multiple_of(lanes) * largest) as f64
        };
        let rows = (most.div_ceil(2)..=most).max_by(|&a, &b| share(a).total_cmp(&share(b))).unwrap_or(1);
        // The padding after the last row is as wide as that before the first.
        let left = lines.axes[1].filled(0, lines.pitch)[0];
        let plane = (rows * lines.pitch + lines.slack.max(left)).next_multiple_of(16);
        let offsets = (0..from)
            .flat_map(|channel| taps.iter().map(move |tap| channel * PLACES * plane + tap.shift))
            .collect();
        Plan { groups: s.groups, from, source, out, tiles, rows, all, lines, plane, offsets }
    }

    /// The number of units.
    fn units(&self) -> usize {
        self.all.div_ceil(self.rows)
    }

    /// The rows of tiles of a unit, counted through all images.
    fn range(&self, unit: usize) -> [usize; 2] {
        [unit * self.rows, self.all.min((unit + 1) * self.rows)]
    }

    /// The image that row `at` of tiles belongs to, and which rows of that image those from there to `end` are.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn run(&self, [at, end]: [usize; 2]) -> (usize, [usize; 2]) {
        let first = at % self.tiles;
        (at / self.tiles, [first, self.tiles.min(first + end - at)])
    }

    /// `Bᵀ d`: row `i` of tiles at place `p` of channel `c` goes to `to[(c * PLACES + p) * plane + i * pitch..]`, with the
    /// padding of its columns. `none` are as many zeros as a row has.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn spread<T: Float, V: Vector<T>>(
        &self,
        x: &[T],
        group: usize,
        range: [usize; 2],
        none: &[T],
        to: &mut [T],
    ) {
        let [height, width] = self.source;
        let pitch = self.lines.pitch;
        let [high, wide] = &self.lines.axes;
        let [left, right] = wide.filled(0, pitch);
        let count = right.saturating_sub(left);
        let first = if count > 0 { left.wrapping_add_signed(-wide.pad) } else { 0 };
        let [mut at, end] = range;
        for places in to.chunks_exact_mut(self.plane) {
            zero(&mut places[..left]);
        }
        while at < end {
            let (image, [start, stop]) = self.run([at, end]);
            for channel in 0..self.from {
                let plane = ((image * self.groups + group) * self.from + channel) * height * width;
                let x = &x[plane..][..height * width];
                for tile in start..stop {
                    let rows = std::array::from_fn(|j| {
                        let row = (tile * OUTPUTS + j).wrapping_add_signed(-high.pad);
                        match x.get(row.wrapping_mul(width)..) {
                            Some(x) if row < height => x[first..][..count].as_ptr(),
                            _ => none[..count].as_ptr(),
                        }
                    });
                    let place = channel * PLACES * self.plane + (at + tile - start - range[0]) * pitch + left;
                    let to = &mut to[place..][..(PLACES - 1) * self.plane + pitch];
                    // SAFETY: `count` numbers of each row, as just cut, and `pitch`, which is no less, at each place.
                    unsafe { spread::<T, V>(count, rows, to.as_mut_ptr(), self.plane) };
                    // The zeros that end a row and those that start the next: few, for which a call would take longer.
                    for to in to.chunks_mut(self.plane) {
                        let gap = &mut to[count..pitch];
                        if gap.len() < V::LANES {
                            // SAFETY: as many numbers as there are.
                            unsafe { V::zero().store_first(gap.as_mut_ptr(), gap.len()) };
                        } else {
                            gap.fill(T::ZERO);
                        }
                    }
                }
            }
            at += stop - start;
        }
    }
}

/// [`mix`](super::mix::mix), for shapes for which it [`pays`].
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
    let ns = s.work() / 2.0 * MAC_NS * (size_of::<T>() / 4) as f64;
    let units = PIECES.div_ceil(s.groups).min((ns / parallel::SERIAL_NS) as usize);
    // The rows of the kernel, in the order in which they see the image.
    let mut kernel = axes[0].taps[0].clone();
    kernel.sort_by_key(|tap| tap.shift);
    let columns: Vec<usize> = axes[1].taps[0].iter().map(|tap| tap.index).collect();
    let plan = Plan::new(level, s, axes, [from, to], lanes::<T>(level), [units, parallel::threads()]);

    let rows = tile_rows(level, to);
    let tiles = to.div_ceil(rows);
    let place = from * columns.len() * rows;
    let mut weights = Fresh::take(s.groups * tiles * PLACES * place);
    let taps: Vec<_> =
        columns.iter().map(|column| [0, 1, 2].map(|i| kernel[i].index * s.kw + column)).collect();
    parallel::items(&mut weights, PLACES * place, (3 * place) as f64 * WEIGHT_NS, |i, out| {
        let (group, first) = (i / tiles, i % tiles * rows);
        let weight =
            |row: usize, channel: usize, tap: usize| weight(group, first + row, channel, tap).to_f64();
        let (count, taps) = (rows.min(to - first), &*taps);
        match rows {
            8 => vectorized(Weights::<_, _, 8> { out, count, taps, weight }),
            6 => vectorized(Weights::<_, _, 6> { out, count, taps, weight }),
            _ => vectorized(Weights::<_, _, 4> { out, count, taps, weight }),
        }
    });

    let units = plan.units();
    let (plan, weights) = (&plan, &*weights);
    let y = Shared::new(y);
    let item = |i: usize| {
        let (group, unit) = (i / units, i % units);
        dispatch(
            level,
            Mix {
                plan,
                range: plan.range(unit),
                group,
                rows,
                to,
                weights: &weights[group * tiles * PLACES * place..][..tiles * PLACES * place],
                x,
                bias: bias.map(|bias| &bias[group * to..][..to]),
                y: &y,
            },
        );
    };
    let items = s.groups * units;
    if items > 1 && parallel::worthwhile(ns) {
        parallel::each(items, 1, &item);
    } else {
        (0..items).for_each(item);
    }
}

/// The convolution of a unit, for one group.
struct Mix<'a, T: Float> {
    plan: &'a Plan,
    range: [usize; 2],
    group: usize,
    /// The rows of a tile of products.
    rows: usize,
    /// The number of output channels.
    to: usize,
    weights: &'a [T],
    x: &'a [T],
    bias: Option<&'a [T]>,
    y: &'a Shared<'a, T>,
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Mix<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let plan = self.plan;
        let [start, end] = self.range;
        let mut image = Fresh::take(plan.from * PLACES * plan.plane);
        let mut none = Fresh::take(plan.source[1]);
        none.fill(T::ZERO);
        plan.spread::<T, V>(self.x, self.group, self.range, &none, &mut image);
        let stride = whole::<T, V>((end - start - 1) * plan.lines.pitch + plan.out[1]);
        let mut sums = Fresh::take(PLACES * self.rows * stride);
        for first in (0..self.to).step_by(self.rows) {
            match self.rows {
                8 if V::LEVEL == Level::Avx512 => self.products::<V, 8>(first, &image, &mut sums, stride),
                6 if V::LEVEL == Level::Avx2 => self.products::<V, 6>(first, &image, &mut sums, stride),
                _ => self.products::<V, 4>(first, &image, &mut sums, stride),
            }
            for row in 0..self.rows.min(self.to - first) {
                self.write::<V>(first + row, &sums[row * stride..], self.rows * stride);
            }
        }
    }
}

#[allow(clippy::inline_always)]
impl<T: Float> Mix<'_, T> {
    /// The products of the tile of output channels from `first` on: number `i` of row `r` at place `p` goes to
    /// `sums[(p * ROWS + r) * stride + i]`.
    #[inline(always)]
    fn products<V: Vector<T>, const ROWS: usize>(
        &self,
        first: usize,
        image: &[T],
        sums: &mut [T],
        stride: usize,
    ) {
        let offsets = &self.plan.offsets;
        let size = offsets.len() * ROWS;
        let zeros = [T::ZERO; ROWS];
        let weights = &self.weights[first / ROWS * PLACES * size..][..PLACES * size];
        let mut at = 0;
        while at < stride {
            let columns = tile::columns::<T, V>(ROWS, (stride - at) / V::LANES);
            for (p, weights) in weights.chunks_exact(size).enumerate() {
                let x = image[p * self.plan.plane + at..].as_ptr();
                let out = sums[p * ROWS * stride + at..].as_mut_ptr();
                // SAFETY: `sums` has `stride` numbers for each row and place, of which this writes
                // `columns * V::LANES` from `at` on, no more than are left; planes of `image` end with the slack that
                // the last of them read; `weights` has `ROWS` numbers for each offset.
                unsafe {
                    tile::mix_columns::<T, V, ROWS>(
                        columns,
                        offsets,
                        weights.as_ptr(),
                        x,
                        zeros.as_ptr(),
                        out,
                        stride,
                    );
                }
            }
            at += columns * V::LANES;
        }
    }

    /// Writes the outputs of one channel, whose sums at the six places lie `distance` apart.
    #[inline(always)]
    fn write<V: Vector<T>>(&self, channel: usize, sums: &[T], distance: usize) {
        let plan = self.plan;
        let [height, width] = plan.out;
        let pitch = plan.lines.pitch;
        let bias = self.bias.map_or(T::ZERO, |bias| bias[channel]);
        let [mut at, end] = self.range;
        while at < end {
            let (image, [first, last]) = plan.run([at, end]);
            let plane = (image * plan.groups + self.group) * self.to + channel;
            let (top, bottom) = (first * OUTPUTS, height.min(last * OUTPUTS));
            // SAFETY: other calls at the same time write to other groups or units, whose rows are others.
            let y = unsafe { self.y.slice((plane * height + top) * width, (bottom - top) * width) };
            for (tile, y) in y.chunks_mut(OUTPUTS * width).enumerate() {
                let sums = &sums[(at + tile - self.range[0]) * pitch..][..(PLACES - 1) * distance + width];
                let (size, sums) = ([width, y.len() / width], sums.as_ptr());
                // SAFETY: `width` sums at each place and as many outputs in each row, as just cut.
                unsafe { gather::<T, V>(size, bias, sums, distance, y.as_mut_ptr(), width) };
            }
            at += last - first;
        }
    }
}

/// [`weight_grad`](super::weight_grad), for shapes for which it [`pays`].
pub(super) fn weigh<T: Float>(level: Level, s: &ConvShape, x: &[T], g: &[T], dw: &mut [T]) {
    let [c_in, c_out, _] = s.group();
    let ns = s.work() / 2.0 * MAC_NS * (size_of::<T>() / 4) as f64;
    let most = (ns / parallel::SERIAL_NS) as usize;
    let lanes = lanes::<T>(level);
    let form = Form::new(level, lanes, c_out);
    let taps = c_in * s.kw;
    let wide = taps.next_multiple_of(form.taps());

    // Units are summed in chunks.
    let Cut { parts, blocks, block } = Cut::new::<T>(level, s, form, PLACES * wide, most);
    let partial = PLACES * wide * block;
    let plan =
        Plan::new(level, s, s.axes(Axis::forward), [c_in, block], 1, [parts, parts * s.groups * blocks]);
    let mut offsets = plan.offsets.clone();
    offsets.resize(wide, 0);
    let units = plan.units();
    let chunk = units.div_ceil(parts.min(units));
    let chunks = units.div_ceil(chunk);
    let mut sums = Fresh::take(s.groups * blocks * chunks * partial);
    let (plan, offsets) = (&plan, &*offsets);
    parallel::items(&mut sums, partial, ns / (chunks * blocks * s.groups) as f64, |i, sums| {
        let (i, at) = (i / chunks, i % chunks);
        let (group, first) = (i / blocks, i % blocks * block);
        let units = [at * chunk, ((at + 1) * chunk).min(units)];
        let outputs = group * c_out + first..group * c_out + c_out.min(first + block);
        sums.fill(T::ZERO);
        dispatch(
            level,
            Weigh { plan, offsets, form, group, all: s.c_out, outputs, channels: block, units, x, g, sums },
        );
    });

    let sums = add_chunks(sums, partial, chunks);
    parallel::items(dw, taps * 3, (taps * PLACES) as f64, |i, dw| {
        let (group, channel) = (i / c_out, i % c_out);
        let sums = &sums[(group * blocks + channel / block) * chunks * partial..][..partial];
        for tap in 0..taps {
            let at = form.place(lanes, offsets.len(), channel % block, tap);
            let m = std::array::from_fn(|p| sums[p * (partial / PLACES) + at].to_f64());
            for (r, value) in gather_weights(m).into_iter().enumerate() {
                dw[(tap / s.kw * 3 + r) * s.kw + tap % s.kw] = T::from_f64(value);
            }
        }
    });
}

/// The sums of some units, for some output channels of one group.
struct Weigh<'a, T: Float> {
    plan: &'a Plan,
    /// Those of the plan, filled up to whole tiles.
    offsets: &'a [usize],
    form: Form,
    group: usize,
    /// The number of output channels in all groups.
    all: usize,
    /// Those that are summed for.
    outputs: Range<usize>,
    /// How many they are, filled up to whole tiles.
    channels: usize,
    units: [usize; 2],
    x: &'a [T],
    g: &'a [T],
    sums: &'a mut [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Weigh<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let plan = self.plan;
        let Form::Outer { vectors, .. } = self.form else {
            unreachable!("as many channels as half a vector")
        };
        let vector = vectors * V::LANES;
        let [height, width] = plan.out;
        let mut image = Fresh::take(plan.from * PLACES * plan.plane);
        let mut turned = Fresh::take(self.channels * OUTPUTS * plan.rows.min(plan.tiles) * width);
        let mut e = Fresh::take(PLACES * self.channels * plan.rows * width);
        let mut none = Fresh::take(plan.source[1]);
        none.fill(T::ZERO);
        for unit in self.units[0]..self.units[1] {
            let range = plan.range(unit);
            plan.spread::<T, V>(self.x, self.group, range, &none, &mut image);
            let [mut at, end] = range;
            let pixels = (end - at) * width;
            let place = self.channels * pixels;
            while at < end {
                let (image, [first, last]) = plan.run([at, end]);
                let (top, bottom) = (first * OUTPUTS, height.min(last * OUTPUTS));
                let g = &self.g[((image * self.all + self.outputs.start) * height + top) * width..];
                let count = (bottom - top) * width;
                transpose::<T, V>(g, height * width, self.outputs.len(), count, vector, &mut turned);
                let e = &mut e[(at - range[0]) * width * vector..];
                let blocks = turned.chunks_exact(count * vector).zip(e.chunks_mut(pixels * vector));
                for (turned, e) in blocks.take(self.channels / vector) {
                    for tile in 0..last - first {
                        let rows = OUTPUTS.min(bottom - top - tile * OUTPUTS);
                        let line = width * vector;
                        let from = turned[tile * OUTPUTS * line..][..rows * line].as_ptr();
                        let to = e[tile * line..].as_mut_ptr();
                        // SAFETY: `rows` lines of `line` numbers, which are whole vectors, as just cut; each place of
                        // `e` has as many for each tile of each block.
                        unsafe { spread_output::<T, V>([line, rows], from, line, to, place) };
                    }
                }
                at += last - first;
            }
            let size = [end - range[0], width, plan.lines.pitch];
            let sums = self.sums.chunks_exact_mut(self.offsets.len() * self.channels);
            for (p, sums) in sums.enumerate() {
                let image = &image[p * plan.plane..];
                outer::<T, V>(vectors, size, self.offsets, image, &e[p * place..][..place], sums);
            }
        }
    }
}
