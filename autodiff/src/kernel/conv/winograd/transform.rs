//! The transforms: sums of whole rows.

use super::super::vector::Vector;
use super::PLACES;
use crate::float::Float;

const A: f64 = 0.75;
const B: f64 = 1.5;
const A2: f64 = A * A;
const B2: f64 = B * B;
/// What the transform of the weights divides by: the products of the distances of a point from the others.
const DIVISORS: [f64; 3] = [A2 * B2, 2.0 * A2 * (A2 - B2), 2.0 * B2 * (B2 - A2)];

/// A vector at `from`: a whole one, or its first `count` numbers.
///
/// # Safety
/// They must be readable.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn load<T: Float, V: Vector<T>, const WHOLE: bool>(from: *const T, count: usize) -> V {
    // SAFETY: the caller's promise.
    unsafe { if WHOLE { V::load(from) } else { V::load_first(from, count) } }
}

/// Writes a vector to `to`: a whole one, or its first `count` numbers.
///
/// # Safety
/// They must be writable.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn store<T: Float, V: Vector<T>, const WHOLE: bool>(vector: V, to: *mut T, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { if WHOLE { vector.store(to) } else { vector.store_first(to, count) } }
}

/// `Bᵀ d` for `count` columns `d` of six numbers, one of each row; the results lie `plane` apart.
///
/// # Safety
/// `count` numbers of each row must be readable, and writable at each place.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn spread<T: Float, V: Vector<T>>(
    count: usize,
    rows: [*const T; PLACES],
    to: *mut T,
    plane: usize,
) {
    let whole = count / V::LANES * V::LANES;
    // SAFETY: the caller's promise.
    unsafe {
        for i in (0..whole).step_by(V::LANES) {
            spread_vector::<T, V, true>(0, rows.map(|row| row.add(i)), to.add(i), plane);
        }
        if whole < count {
            let rows = rows.map(|row| row.add(whole));
            spread_vector::<T, V, false>(count - whole, rows, to.add(whole), plane);
        }
    }
}

/// [`spread`] for a vector of columns, or the first `count` of one.
///
/// # Safety
/// As there.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn spread_vector<T: Float, V: Vector<T>, const WHOLE: bool>(
    count: usize,
    rows: [*const T; PLACES],
    to: *mut T,
    plane: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let [a, less_a, b, less_b, less_a2, less_b2, less_sum, product] =
            [A, -A, B, -B, -A2, -B2, -(A2 + B2), A2 * B2].map(|c| V::splat(&T::from_f64(c)));
        let [d0, d1, d2, d3, d4, d5] = rows.map(|row| load::<T, V, WHOLE>(row, count));
        let (even_a, odd_a) = (d2.fused(less_b2, d4), d1.fused(less_b2, d3));
        let (even_b, odd_b) = (d2.fused(less_a2, d4), d1.fused(less_a2, d3));
        let places = [
            d0.fused(product, d2.fused(less_sum, d4)),
            odd_a.fused(a, even_a),
            odd_a.fused(less_a, even_a),
            odd_b.fused(b, even_b),
            odd_b.fused(less_b, even_b),
            d1.fused(product, d3.fused(less_sum, d5)),
        ];
        for (p, place) in places.into_iter().enumerate() {
            store::<T, V, WHOLE>(place, to.add(p * plane), count);
        }
    }
}

/// `Aᵀ m + bias` for `count` sums `m` of each place, which lie `distance` apart: writes `rows` rows, four at most, of
/// outputs, which lie `width` apart.
///
/// # Safety
/// The numbers must be readable and writable.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn gather<T: Float, V: Vector<T>>(
    [count, rows]: [usize; 2],
    bias: T,
    m: *const T,
    distance: usize,
    to: *mut T,
    width: usize,
) {
    let whole = count / V::LANES * V::LANES;
    // SAFETY: the caller's promise.
    unsafe {
        for i in (0..whole).step_by(V::LANES) {
            gather_vector::<T, V, true>([0, rows], bias, m.add(i), distance, to.add(i), width);
        }
        if whole < count {
            let left = [count - whole, rows];
            gather_vector::<T, V, false>(left, bias, m.add(whole), distance, to.add(whole), width);
        }
    }
}

/// [`gather`] for a vector of sums, or the first `count` of one.
///
/// # Safety
/// As there.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn gather_vector<T: Float, V: Vector<T>, const WHOLE: bool>(
    [count, rows]: [usize; 2],
    bias: T,
    m: *const T,
    distance: usize,
    to: *mut T,
    width: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let [minus, a, b, a2, b2, a3, b3] =
            [-1.0, A, B, A2, B2, A2 * A, B2 * B].map(|c| V::splat(&T::from_f64(c)));
        let bias = V::splat(&raw const bias);
        let [m0, m1, m2, m3, m4, m5] =
            [0, 1, 2, 3, 4, 5].map(|p| load::<T, V, WHOLE>(m.add(p * distance), count));
        let (even_a, odd_a) = (m1.plus(m2), m2.fused(minus, m1));
        let (even_b, odd_b) = (m3.plus(m4), m4.fused(minus, m3));
        let outputs = [
            m0.plus(bias).plus(even_a).plus(even_b),
            odd_b.fused(b, odd_a.fused(a, bias)),
            even_b.fused(b2, even_a.fused(a2, bias)),
            odd_b.fused(b3, odd_a.fused(a3, m5.plus(bias))),
        ];
        for (j, output) in outputs.into_iter().enumerate() {
            if j < rows {
                store::<T, V, WHOLE>(output, to.add(j * width), count);
            }
        }
    }
}

/// `A e` for the `count` numbers of each of four rows, which lie `pitch` apart, of which those from `rows` on are zero; the
/// results lie `plane` apart.
///
/// # Safety
/// The numbers, `count` of which are whole vectors, must be readable and writable.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) unsafe fn spread_output<T: Float, V: Vector<T>>(
    [count, rows]: [usize; 2],
    from: *const T,
    pitch: usize,
    to: *mut T,
    plane: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let [a, less_a, b, less_b, a2, b2] = [A, -A, B, -B, A2, B2].map(|c| V::splat(&T::from_f64(c)));
        for i in (0..count).step_by(V::LANES) {
            let row = |j: usize| if j < rows { V::load(from.add(i + j * pitch)) } else { V::zero() };
            let [e0, e1, e2, e3] = [0, 1, 2, 3].map(row);
            let (even_a, odd_a) = (e2.fused(a2, e0), e3.fused(a2, e1));
            let (even_b, odd_b) = (e2.fused(b2, e0), e3.fused(b2, e1));
            let places = [
                e0,
                odd_a.fused(a, even_a),
                odd_a.fused(less_a, even_a),
                odd_b.fused(b, even_b),
                odd_b.fused(less_b, even_b),
                e3,
            ];
            for (p, place) in places.into_iter().enumerate() {
                place.store(to.add(i + p * plane));
            }
        }
    }
}

/// `G g`.
pub(super) fn spread_weights([g0, g1, g2]: [f64; 3]) -> [f64; PLACES] {
    let [zero, a, b] = DIVISORS.map(|d| 1.0 / d);
    let (even_a, odd_a) = (a * (g0 + A2 * g2), a * A * g1);
    let (even_b, odd_b) = (b * (g0 + B2 * g2), b * B * g1);
    [zero * g0, even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, g2]
}

/// `Gᵀ m`.
pub(super) fn gather_weights([m0, m1, m2, m3, m4, m5]: [f64; PLACES]) -> [f64; 3] {
    let [zero, a, b] = DIVISORS.map(|d| 1.0 / d);
    let (even_a, odd_a) = (a * (m1 + m2), a * (m1 - m2));
    let (even_b, odd_b) = (b * (m3 + m4), b * (m3 - m4));
    [zero * m0 + even_a + even_b, A * odd_a + B * odd_b, A2 * even_a + B2 * even_b + m5]
}
