//! The inner loops: tiles of sums that stay in registers.
//!
//! A tile is `ROWS` rows by `VECTORS` vectors: 12 x 2 of the 32 registers of AVX-512, 4 x 3 of the 16 of AVX2. A step loads
//! `VECTORS` vectors of the right operand and broadcasts `ROWS` numbers of the left one for `ROWS * VECTORS` fused
//! multiply-adds.
//!
//! What limits it is the number of instructions rather than the arithmetic as soon as something else runs on the same core,
//! as the other half of a core of two threads does in a shared machine: an idle core, which has the same peak either way,
//! starts five to six instructions a cycle, a shared one half as many. So there is one pointer for all rows, the loop is
//! unrolled, and of the 12 rows that AVX-512 broadcasts every second is broadcast within the multiply-adds.

use crate::float::Float;
use crate::kernel::dispatch::{Level, prefetch};
use crate::kernel::vector::Vector;
use std::hint::black_box;

/// Rows of the right operand that are asked for ahead: they come from the second cache.
const AHEAD: usize = 8;
/// Steps in a pass of the inner loop.
const UNROLL: usize = 4;

/// The vectors of the widest tile.
pub(super) const fn vectors(level: Level) -> usize {
    if matches!(level, Level::Avx2) { 3 } else { 2 }
}

/// The rows of the next tile, where `left` rows are left.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn rows(level: Level, left: usize) -> usize {
    match (level, left) {
        // Two tiles of 8 rather than 12 and 4, of which the smaller waits for the right operand.
        (Level::Avx512, 16) => 8,
        (Level::Avx512, 12..) => 12,
        (Level::Avx512, 8..) => 8,
        (_, 4..) => 4,
        (_, left) => left.min(2),
    }
}

/// The right operand of a tile: row `l` starts at `start + l * pitch`.
#[derive(Clone, Copy)]
pub(super) struct Right<T> {
    pub(super) start: *const T,
    pub(super) pitch: usize,
}

/// Where a tile goes: row `r` starts at `start + r * distance`. To its sums are added the numbers at `plus`, whose rows are so
/// far apart as is given there; or nothing. Of the last vector only the `first` numbers are meant, if that is not zero.
#[derive(Clone, Copy)]
pub(super) struct Target<T> {
    pub(super) start: *mut T,
    pub(super) distance: usize,
    pub(super) plus: Option<(*const T, usize)>,
    pub(super) first: usize,
}

/// [`fixed`] for a number of vectors, at most 3, that is known only at run time.
///
/// # Safety
/// As there.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn tile<T: Float, V: Vector<T>>(
    [rows, vectors]: [usize; 2],
    depth: usize,
    left: *const T,
    right: Right<T>,
    target: Target<T>,
) {
    macro_rules! tiles {
        ($($rows:literal $vectors:literal),*) => {
            match (rows, vectors) {
                // SAFETY: the caller's promise.
                $(($rows, $vectors) => unsafe { fixed::<T, V, $rows, $vectors>(depth, left, right, target) },)*
                _ => unreachable!("gemm: no tile of {rows} rows by {vectors} vectors"),
            }
        };
    }
    match V::LEVEL {
        Level::Avx512 => tiles!(12 2, 12 1, 8 2, 8 1, 4 2, 4 1, 2 2, 2 1, 1 2, 1 1),
        Level::Avx2 => tiles!(4 3, 4 2, 4 1, 2 3, 2 2, 2 1, 1 3, 1 2, 1 1),
        Level::Portable => tiles!(4 2, 4 1, 2 2, 2 1, 1 2, 1 1),
    }
}

/// `target[r][c] ← plus[r][c] + Σ_l left[l][r] right[l][c]` for `l < depth`, `ROWS` rows `r` and `VECTORS` vectors of numbers
/// `c`; the rows of the left operand, as it is laid out, lie one after the other.
///
/// # Safety
/// The numbers that the formula names must be readable, those of the target writable.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn fixed<T: Float, V: Vector<T>, const ROWS: usize, const VECTORS: usize>(
    depth: usize,
    left: *const T,
    right: Right<T>,
    target: Target<T>,
) {
    // The target is asked for now, while the sums are made: it may come from far (in a busy machine a tenth faster).
    for r in 0..ROWS {
        for v in 0..VECTORS {
            prefetch(target.start.wrapping_add(r * target.distance + v * V::LANES));
        }
    }
    // SAFETY: these are the addresses that the caller vouches for.
    unsafe {
        let sums = sums::<T, V, ROWS, VECTORS>(depth, left, right);
        // A loop of its own for whole vectors: in one with the other, the sums left the registers (7 % of a product of 64).
        if target.first == 0 {
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let to = target.start.add(r * target.distance + v * V::LANES);
                    match target.plus {
                        Some((plus, distance)) => {
                            V::load(plus.add(r * distance + v * V::LANES)).plus(sum).store(to);
                        }
                        None => sum.store(to),
                    }
                }
            }
            return;
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                let to = target.start.add(r * target.distance + v * V::LANES);
                let plus = target.plus.map(|(plus, distance)| plus.add(r * distance + v * V::LANES));
                if v + 1 < VECTORS {
                    plus.map_or(sum, |plus| V::load(plus).plus(sum)).store(to);
                } else {
                    let sum = plus.map_or(sum, |plus| V::load_first(plus, target.first).plus(sum));
                    sum.store_first(to, target.first);
                }
            }
        }
    }
}

/// `Σ_l left[l][r] right[l][c]`.
///
/// # Safety
/// The numbers that the formula names must be readable.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn sums<T: Float, V: Vector<T>, const ROWS: usize, const VECTORS: usize>(
    depth: usize,
    left: *const T,
    right: Right<T>,
) -> [[V; VECTORS]; ROWS] {
    let mut sums = [[V::zero(); VECTORS]; ROWS];
    // The same address twice, which LLVM cannot know: a number that is read for one product only is broadcast by the
    // multiply-add of AVX-512 itself.
    let mut lefts = [left, if matches!(V::LEVEL, Level::Avx512) { black_box(left) } else { left }];
    let mut row = right.start;
    for _ in 0..depth / UNROLL {
        for l in 0..UNROLL {
            // SAFETY: these are the addresses that the caller vouches for.
            unsafe {
                step(&mut sums, lefts.map(|left| left.add(l * ROWS)), row.add(l * right.pitch), right.pitch);
            };
        }
        lefts = lefts.map(|left| left.wrapping_add(UNROLL * ROWS));
        row = row.wrapping_add(UNROLL * right.pitch);
    }
    for _ in 0..depth % UNROLL {
        // SAFETY: as above.
        unsafe { step(&mut sums, lefts, row, right.pitch) };
        lefts = lefts.map(|left| left.wrapping_add(ROWS));
        row = row.wrapping_add(right.pitch);
    }
    sums
}

/// `sums[r][c] += left[r] right[c]`, where `lefts` is the same address twice; the rows of the right operand are `pitch` apart.
///
/// # Safety
/// The numbers that the formula names must be readable.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn step<T: Float, V: Vector<T>, const ROWS: usize, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; ROWS],
    lefts: [*const T; 2],
    right: *const T,
    pitch: usize,
) {
    let mut b = [V::zero(); VECTORS];
    for (v, b) in b.iter_mut().enumerate() {
        // SAFETY: these are the addresses that the caller vouches for.
        *b = unsafe { V::load(right.add(v * V::LANES)) };
        if (v * V::LANES * size_of::<T>()).is_multiple_of(64) {
            prefetch(right.wrapping_add(AHEAD * pitch + v * V::LANES));
        }
    }
    for (r, sums) in sums.iter_mut().enumerate() {
        for (v, (sum, b)) in sums.iter_mut().zip(b).enumerate() {
            let left = lefts[usize::from(r % 2 == 0 && v % 2 == 1)];
            // SAFETY: as above.
            *sum = unsafe { V::splat(left.add(r)) }.fused(b, *sum);
        }
    }
}

/// `to[r * distance + c] ← Σ_l rows[r][l] columns[c][l]` for `l < depth`: inner products of `ROWS` rows, `row` apart, and
/// `COLUMNS` columns, `column` apart, all of which lie together.
///
/// # Safety
/// The numbers that the formula names must be readable, those of `to` writable.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn inner<T: Float, V: Vector<T>, const ROWS: usize, const COLUMNS: usize>(
    depth: usize,
    (rows, row): (*const T, isize),
    (columns, column): (*const T, isize),
    (to, distance): (*mut T, usize),
) {
    // SAFETY: these are the addresses that the caller vouches for.
    unsafe {
        let mut sums = [[V::zero(); COLUMNS]; ROWS];
        let whole = depth - depth % V::LANES;
        for l in (0..whole).step_by(V::LANES) {
            let mut b = [V::zero(); COLUMNS];
            for (c, b) in b.iter_mut().enumerate() {
                *b = V::load(columns.offset(c as isize * column).add(l));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let a = V::load(rows.offset(r as isize * row).add(l));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = a.fused(b, *sum);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (c, sum) in sums.iter().enumerate() {
                let mut lanes = [T::ZERO; 16];
                sum.store(lanes.as_mut_ptr());
                let mut half = V::LANES / 2;
                while half > 0 {
                    for i in 0..half {
                        lanes[i] += lanes[i + half];
                    }
                    half /= 2;
                }
                let (a, b) = (rows.offset(r as isize * row), columns.offset(c as isize * column));
                let rest = (whole..depth).fold(T::ZERO, |rest, l| rest + *a.add(l) * *b.add(l));
                *to.add(r * distance + c) = lanes[0] + rest;
            }
        }
    }
}
