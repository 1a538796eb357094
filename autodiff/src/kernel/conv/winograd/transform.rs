//! The transforms: sums of whole rows.

use super::PLACES;
use crate::float::Float;
use crate::kernel::vector::Vector;

const A: f64 = 0.75;
const B: f64 = 1.5;
const A2: f64 = A * A;
const B2: f64 = B * B;
/// What the transform of the weights divides by: the products of the distances of a point from the others.
const DIVISORS: [f64; 3] = [A2 * B2, 2.0 * A2 * (A2 - B2), 2.0 * B2 * (B2 - A2)];

/// A vector of each number.
#[inline(always)]
#[allow(clippy::inline_always)]
fn splat<T: Float, V: Vector<T>, const N: usize>(numbers: [f64; N]) -> [V; N] {
    let mut vectors = [V::zero(); N];
    for (vector, number) in vectors.iter_mut().zip(numbers) {
        // SAFETY: a number of this function's own.
        *vector = unsafe { V::splat(&T::from_f64(number)) };
    }
    vectors
}

/// The vector `at` so far from each start: a whole one, or its first `count` numbers.
///
/// # Safety
/// They must be readable.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn load<T: Float, V: Vector<T>, const WHOLE: bool, const N: usize>(
    from: [*const T; N],
    at: usize,
    count: usize,
) -> [V; N] {
    let mut vectors = [V::zero(); N];
    for (vector, from) in vectors.iter_mut().zip(from) {
        // SAFETY: the caller's promise.
        *vector = unsafe { if WHOLE { V::load(from.add(at)) } else { V::load_first(from.add(at), count) } };
    }
    vectors
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
            spread_vector::<T, V, true>(i, 0, rows, to, plane);
        }
        if whole < count {
            spread_vector::<T, V, false>(whole, count - whole, rows, to, plane);
        }
    }
}

/// [`spread`] for the vector of columns from `at` on, or the first `count` of one.
///
/// # Safety
/// As there.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn spread_vector<T: Float, V: Vector<T>, const WHOLE: bool>(
    at: usize,
    count: usize,
    rows: [*const T; PLACES],
    to: *mut T,
    plane: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let [a, less_a, b, less_b, less_a2, less_b2, less_sum, product] =
            splat([A, -A, B, -B, -A2, -B2, -(A2 + B2), A2 * B2]);
        let [d0, d1, d2, d3, d4, d5]: [V; PLACES] = load::<T, V, WHOLE, PLACES>(rows, at, count);
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
            store::<T, V, WHOLE>(place, to.add(p * plane + at), count);
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
        let [minus, a, b, a2, b2, a3, b3] = splat::<T, V, 7>([-1.0, A, B, A2, B2, A2 * A, B2 * B]);
        let bias = V::splat(&raw const bias);
        let mut places = [m; PLACES];
        for (p, place) in places.iter_mut().enumerate() {
            *place = m.add(p * distance);
        }
        let [m0, m1, m2, m3, m4, m5]: [V; PLACES] = load::<T, V, WHOLE, PLACES>(places, 0, count);
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
        let [a, less_a, b, less_b, a2, b2] = splat::<T, V, 6>([A, -A, B, -B, A2, B2]);
        for i in (0..count).step_by(V::LANES) {
            let mut e = [V::zero(); 4];
            for (j, e) in e.iter_mut().enumerate().take(rows) {
                *e = V::load(from.add(i + j * pitch));
            }
            let [e0, e1, e2, e3] = e;
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
#[inline(always)]
#[allow(clippy::inline_always)]
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
