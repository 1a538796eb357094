//! Sums and largest elements of rows, in running values that stay in registers. The number of running sums is fixed: vectors
//! of any width give the same bits.

use crate::float::Float;
use crate::kernel::vector::Vector;

/// Running sums, to each of which the elements of its place are added.
const LANES: usize = 32;
/// Elements that are added in one go before double precision takes over.
pub(super) const PIECE: usize = 16 * LANES;
/// The most vectors that make up [`LANES`].
const VECTORS: usize = LANES / 4;

/// The vectors at a place of equally long slices.
///
/// # Safety
/// They must be readable, or only the first `count` numbers, where that is not zero.
#[allow(clippy::inline_always)]
#[inline(always)]
unsafe fn load<T: Float, V: Vector<T>, const I: usize>(slices: [&[T]; I], at: usize, count: usize) -> [V; I] {
    let mut vectors = [V::zero(); I];
    for (vector, slice) in vectors.iter_mut().zip(slices) {
        // SAFETY: the caller's promise.
        *vector = unsafe {
            let from = slice.as_ptr().add(at);
            if count == 0 { V::load(from) } else { V::load_first(from, count) }
        };
    }
    vectors
}

/// Adds terms to the `k`-th vectors.
#[allow(clippy::inline_always)]
#[inline(always)]
fn plus<T: Float, V: Vector<T>, const N: usize>(sums: &mut [[V; VECTORS]; N], k: usize, terms: [V; N]) {
    for (sums, term) in sums.iter_mut().zip(terms) {
        sums[k] = sums[k].plus(term);
    }
}

/// Running sums of `N` things.
#[derive(Clone, Copy)]
pub(super) struct Running<V, const N: usize>([[V; VECTORS]; N]);

#[allow(clippy::inline_always)]
impl<V: Copy, const N: usize> Running<V, N> {
    /// Sums of nothing.
    #[inline(always)]
    pub(super) fn new<T: Float>() -> Self
    where
        V: Vector<T>,
    {
        Self([[V::zero(); VECTORS]; N])
    }

    /// Adds what a formula gives for the elements of equally long slices.
    #[inline(always)]
    pub(super) fn add<T: Float, const I: usize>(&mut self, slices: [&[T]; I], f: impl Fn([V; I]) -> [V; N])
    where
        V: Vector<T>,
    {
        let n = slices[0].len();
        assert!(slices.iter().all(|slice| slice.len() == n), "sums: lengths differ");
        // A copy that stays in registers.
        let mut sums = self.0;
        let mut at = 0;
        while at + LANES <= n {
            for k in 0..LANES / V::LANES {
                // SAFETY: up to `at + LANES` the slices reach.
                plus(&mut sums, k, f(unsafe { load(slices, at + k * V::LANES, 0) }));
            }
            at += LANES;
        }
        for k in 0..LANES / V::LANES {
            let here = at + k * V::LANES;
            if here + V::LANES <= n {
                // SAFETY: as the condition says.
                plus(&mut sums, k, f(unsafe { load(slices, here, 0) }));
            } else if here < n {
                // SAFETY: up to `n` the slices reach.
                let mut terms = f(unsafe { load(slices, here, n - here) });
                for term in &mut terms {
                    *term = term.first(n - here);
                }
                plus(&mut sums, k, terms);
            }
        }
        self.0 = sums;
    }

    /// Adds these sums to those in double precision, and starts anew.
    #[inline(always)]
    pub(super) fn add_to<T: Float>(&mut self, totals: &mut [f64; N])
    where
        V: Vector<T>,
    {
        for (total, sums) in totals.iter_mut().zip(self.0) {
            *total += together(sums).to_f64();
        }
        *self = Self::new();
    }
}

/// Sums in one pass of what a formula gives for the elements of equally long slices.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn sums<T: Float, V: Vector<T>, const I: usize, const N: usize>(
    slices: [&[T]; I],
    f: impl Fn([V; I]) -> [V; N],
) -> [f64; N] {
    let mut totals = [0.0; N];
    let mut running = Running::new();
    for start in (0..slices[0].len()).step_by(PIECE) {
        let len = PIECE.min(slices[0].len() - start);
        let mut pieces = slices;
        for piece in &mut pieces {
            *piece = &piece[start..][..len];
        }
        running.add(pieces, &f);
        running.add_to(&mut totals);
    }
    totals
}

/// The sum of running sums: halves are added until one number is left.
#[allow(clippy::inline_always)]
#[inline(always)]
fn together<T: Float, V: Vector<T>>(mut sums: [V; VECTORS]) -> T {
    let mut vectors = LANES / V::LANES;
    while vectors > 1 {
        vectors /= 2;
        for k in 0..vectors {
            sums[k] = sums[k].plus(sums[k + vectors]);
        }
    }
    any_lane(sums[0].folded(V::plus))
}

/// The number that all lanes hold.
#[allow(clippy::inline_always)]
#[inline(always)]
fn any_lane<T: Float, V: Vector<T>>(lanes: V) -> T {
    let mut room = [T::ZERO; 16];
    // SAFETY: no vector has more numbers.
    unsafe { lanes.store(room.as_mut_ptr()) };
    room[0]
}

/// The largest element of a row that is not NaN; negative infinity if there is none.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn largest<T: Float, V: Vector<T>>(x: &[T]) -> T {
    let n = x.len();
    let nothing = T::NEG_INFINITY;
    if n < V::LANES {
        return x.iter().fold(nothing, |largest, &x| if x > largest { x } else { largest });
    }
    // SAFETY: `x` holds a vector at least, and nothing beyond its end is read.
    unsafe {
        // The last vector, of which a part may be read again. In all of these the second is taken of NaN and a number.
        let mut running = [V::load(x.as_ptr().add(n - V::LANES)).larger(V::splat(&raw const nothing)); 4];
        let mut at = 0;
        while at + 4 * V::LANES <= n {
            for (k, running) in running.iter_mut().enumerate() {
                *running = V::load(x.as_ptr().add(at + k * V::LANES)).larger(*running);
            }
            at += 4 * V::LANES;
        }
        while at + V::LANES <= n {
            running[0] = V::load(x.as_ptr().add(at)).larger(running[0]);
            at += V::LANES;
        }
        let all = running[0].larger(running[1]).larger(running[2].larger(running[3]));
        any_lane(all.folded(V::larger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::dispatch::{Level, level};
    use crate::kernel::vector::{Job, dispatch};

    /// Two sums, those of two slices in pieces, and the largest element.
    struct All<'a, T> {
        x: &'a [T],
        y: &'a [T],
        out: &'a mut [f64; 4],
    }

    #[allow(clippy::inline_always)]
    impl<T: Float> Job<T> for All<'_, T> {
        #[inline(always)]
        fn run<V: Vector<T>>(self) {
            let Self { x, y, out } = self;
            let [plain, product] = sums([x, y], |[x, y]: [V; 2]| [x, x.minus(y).times(y)]);
            let mut apart = [0.0];
            let mut running = Running::new();
            let half = x.len() / 2;
            for part in [&x[..half], &x[half..]] {
                running.add([part], |x: [V; 1]| x);
            }
            running.add_to(&mut apart);
            *out = [plain, product, apart[0], largest::<T, V>(x).to_f64()];
        }
    }

    fn at_every_level<T: Float>(n: usize, epsilon: f64) {
        let number = |i: usize, seed: usize| ((i * 7919 + seed) % 1009) as f64 / 1009.0 - 0.7;
        let x: Vec<T> = (0..n).map(|i| T::from_f64(number(i, 13))).collect();
        let y: Vec<T> = (0..n).map(|i| T::from_f64(number(i, 44))).collect();
        let at = |level| {
            let mut out = [0.0; 4];
            dispatch(level, All { x: &x, y: &y, out: &mut out });
            out
        };
        let own = at(level());
        for lower in [Level::Portable, Level::Avx2].into_iter().filter(|&lower| lower < level()) {
            assert_eq!(at(lower).map(f64::to_bits), own.map(f64::to_bits), "{n}, {lower:?}");
        }
        let wide = |x: &[T]| x.iter().map(|x| x.to_f64()).collect::<Vec<_>>();
        let (x, y) = (wide(&x), wide(&y));
        let plain: f64 = x.iter().sum();
        let product: f64 = x.iter().zip(&y).map(|(x, y)| (x - y) * y).sum();
        let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (found, exact) in own.into_iter().zip([plain, product, plain]) {
            assert!((found - exact).abs() <= epsilon * n as f64, "{n}: {found} {exact}");
        }
        assert_eq!(own[3], most);
    }

    #[test]
    fn sums_and_the_largest_are_right_and_the_same_at_every_level() {
        for n in (0..70).chain([511, 512, 513, 530, 1024, 1041, 3000]) {
            at_every_level::<f32>(n, 1e-7);
            at_every_level::<f64>(n, 1e-15);
        }
    }

    #[test]
    fn nan_is_never_the_largest() {
        struct Largest<'a>(&'a [f32], &'a mut f32);
        #[allow(clippy::inline_always)]
        impl Job<f32> for Largest<'_> {
            #[inline(always)]
            fn run<V: Vector<f32>>(self) {
                *self.1 = largest::<f32, V>(self.0);
            }
        }
        for n in [1, 5, 16, 17, 64, 100] {
            for place in 0..n {
                let mut x: Vec<f32> = (0..n).map(|i| -1.0 - i as f32).collect();
                x[place] = f32::NAN;
                let mut most = 0.0;
                dispatch(level(), Largest(&x, &mut most));
                let exact = if place > 0 {
                    -1.0
                } else if n > 1 {
                    -2.0
                } else {
                    f32::NEG_INFINITY
                };
                assert_eq!(most, exact, "{n}, {place}");
            }
        }
    }
}
