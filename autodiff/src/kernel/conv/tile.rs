//! The inner loops: tiles of accumulators that stay in registers.
//!
//! Each tile is `ROWS x COLUMNS` vectors: 8 x 3 or 12 x 2 of the 32 registers of AVX-512,
//! 6 x 2 of the 16 of AVX2. A step
//! loads `COLUMNS` vectors and broadcasts `ROWS` numbers (or loads `ROWS` vectors) for `ROWS * COLUMNS` fused
//! multiply-adds, so that arithmetic and not loading is the limit.

use crate::float::Float;
use crate::kernel::dispatch::Level;
use crate::kernel::vector::Vector;

/// How many vectors the next tile of `rows` rows is wide, where `left` vectors are left.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn columns<T: Float, V: Vector<T>>(rows: usize, left: usize) -> usize {
    let most = match V::LEVEL {
        _ if rows == 1 => 8,
        Level::Avx512 => 3,
        _ => 2,
    };
    // Two and two rather than three and one: a lone column cannot hide the latency of its additions.
    if left >= most && left != most + 1 {
        most
    } else if rows == 1 {
        if left >= 4 { 4 } else { 1 }
    } else {
        left.min(2)
    }
}

/// [`mix`] for a number of vectors that is known only at run time: one that [`columns`] returns, and no other is compiled.
///
/// # Safety
/// As there.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn mix_columns<T: Float, V: Vector<T>, const ROWS: usize>(
    columns: usize,
    offsets: &[usize],
    w: *const T,
    x: *const T,
    bias: *const T,
    out: *mut T,
    stride: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if const { ROWS == 1 } {
            match columns {
                8 => mix::<T, V, ROWS, 8>(offsets, w, x, bias, out, stride),
                4 => mix::<T, V, ROWS, 4>(offsets, w, x, bias, out, stride),
                _ => mix::<T, V, ROWS, 1>(offsets, w, x, bias, out, stride),
            }
        } else if const { matches!(V::LEVEL, Level::Avx512) } && columns == 3 {
            mix::<T, V, ROWS, 3>(offsets, w, x, bias, out, stride);
        } else if columns == 2 {
            mix::<T, V, ROWS, 2>(offsets, w, x, bias, out, stride);
        } else {
            mix::<T, V, ROWS, 1>(offsets, w, x, bias, out, stride);
        }
    }
}

/// `out[r] = bias[r] + Σ_k w[k][r] * x[offsets[k]..]` for `ROWS` outputs `r`, each `COLUMNS` vectors long.
///
/// # Safety
/// `COLUMNS * V::LANES` numbers must be readable at `x + offset` for each offset and writable at
/// `out + r * stride` for each `r < ROWS`; `ROWS` numbers must be readable at `bias`, and as many for each offset,
/// one after the other, at `w`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn mix<T: Float, V: Vector<T>, const ROWS: usize, const COLUMNS: usize>(
    offsets: &[usize],
    w: *const T,
    x: *const T,
    bias: *const T,
    out: *mut T,
    stride: usize,
) {
    // SAFETY: these are the addresses that the caller vouches for.
    unsafe {
        let mut acc = [[V::zero(); COLUMNS]; ROWS];
        for (r, row) in acc.iter_mut().enumerate() {
            *row = [V::splat(bias.add(r)); COLUMNS];
        }
        let mut w = w;
        for &offset in offsets {
            let x = x.add(offset);
            let mut b = [V::zero(); COLUMNS];
            for (c, b) in b.iter_mut().enumerate() {
                *b = V::load(x.add(c * V::LANES));
            }
            for (r, row) in acc.iter_mut().enumerate() {
                let a = V::splat(w.add(r));
                for (acc, b) in row.iter_mut().zip(b) {
                    *acc = a.fused(b, *acc);
                }
            }
            w = w.add(ROWS);
        }
        for (r, row) in acc.iter().enumerate() {
            for (c, acc) in row.iter().enumerate() {
                acc.store(out.add(r * stride + c * V::LANES));
            }
        }
    }
}

/// `out[r] += Σ_(y,x) image[offsets[r] + y * pitch + x] * g[y * width + x]`: for `ROWS` taps `r`, the sum over all
/// pixels of a tap's number times `COLUMNS` vectors of output channels.
///
/// # Safety
/// The vectors `out[r]` for `r < ROWS` and `g[p]` for `p < height * width` must be readable (`out` also writable),
/// `COLUMNS * V::LANES` numbers each, one after the other; so must the numbers of `image` that the formula names.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn outer<T: Float, V: Vector<T>, const ROWS: usize, const COLUMNS: usize>(
    offsets: &[usize; ROWS],
    [height, width, pitch]: [usize; 3],
    image: *const T,
    g: *const T,
    out: *mut T,
) {
    // SAFETY: these are the addresses that the caller vouches for.
    unsafe {
        let mut acc = [[V::zero(); COLUMNS]; ROWS];
        let mut g = g;
        for y in 0..height {
            let row = image.add(y * pitch);
            for x in 0..width {
                let mut b = [V::zero(); COLUMNS];
                for (c, b) in b.iter_mut().enumerate() {
                    *b = V::load(g.add(c * V::LANES));
                }
                for (acc, offset) in acc.iter_mut().zip(offsets) {
                    let a = V::splat(row.add(x + offset));
                    for (acc, b) in acc.iter_mut().zip(b) {
                        *acc = a.fused(b, *acc);
                    }
                }
                g = g.add(COLUMNS * V::LANES);
            }
        }
        for (r, row) in acc.iter().enumerate() {
            for (c, acc) in row.iter().enumerate() {
                let out = out.add((r * COLUMNS + c) * V::LANES);
                V::load(out).plus(*acc).store(out);
            }
        }
    }
}

/// `out[r * stride + c] += Σ_i g[r][i] * image[offsets[c] + i]`: inner products of `ROWS` planes of a gradient, each
/// `length` numbers long, a multiple of the vector's, and `COLUMNS` taps.
///
/// # Safety
/// The numbers that the formula names must be readable, those of `out` also writable.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn inner<T: Float, V: Vector<T>, const ROWS: usize, const COLUMNS: usize>(
    offsets: &[usize; COLUMNS],
    length: usize,
    image: *const T,
    g: *const T,
    out: *mut T,
    stride: usize,
) {
    // SAFETY: these are the addresses that the caller vouches for.
    unsafe {
        let mut acc = [[V::zero(); COLUMNS]; ROWS];
        for i in (0..length).step_by(V::LANES) {
            let mut b = [V::zero(); COLUMNS];
            for (b, offset) in b.iter_mut().zip(offsets) {
                *b = V::load(image.add(i + offset));
            }
            for (r, row) in acc.iter_mut().enumerate() {
                let a = V::load(g.add(r * length + i));
                for (acc, b) in row.iter_mut().zip(b) {
                    *acc = a.fused(b, *acc);
                }
            }
        }
        // Through memory: the loop of the sums is not unrolled, and with an index that varies the accumulators could
        // not be registers.
        let mut lanes = [[[T::ZERO; 16]; COLUMNS]; ROWS];
        for (lanes, row) in lanes.iter_mut().zip(&acc) {
            for (lanes, acc) in lanes.iter_mut().zip(row) {
                acc.store(lanes.as_mut_ptr());
            }
        }
        for (r, row) in lanes.iter_mut().enumerate() {
            for (c, lanes) in row.iter_mut().enumerate() {
                *out.add(r * stride + c) += sum(&mut lanes[..V::LANES]);
            }
        }
    }
}

/// The sum of a power of two of numbers, by halves.
#[inline(always)]
#[allow(clippy::inline_always)]
fn sum<T: Float>(mut numbers: &mut [T]) -> T {
    while numbers.len() > 1 {
        let (left, right) = numbers.split_at_mut(numbers.len() / 2);
        for (left, right) in left.iter_mut().zip(right) {
            *left += *right;
        }
        numbers = left;
    }
    numbers[0]
}
