//! Products of all numbers but one along the middle axis of `[outer, n, inner]`: the gradient of a product.

use crate::float::Float;
use crate::kernel::dispatch::{Kernel, level, vectorized};
use crate::kernel::parallel;
use crate::kernel::vector::{Job, Vector, dispatch};

/// Running products along a row, which is taken as so many columns: none waits for the other, and vectors of any width give
/// the same bits.
const LANES: usize = 32;
/// The most vectors that make up [`LANES`].
const VECTORS: usize = LANES / 4;
/// Nanoseconds of a number.
const NS: f64 = 0.3;

/// `out[o, k, j] = Π x[o, i, j]` over all `i ≠ k`: the product of those in front times that of those behind, without a
/// division, which zeros would not survive.
pub(crate) fn of_others<T: Float>(out: &mut [T], x: &[T], n: usize, inner: usize) {
    assert_eq!(out.len(), x.len(), "products: lengths differ");
    let item = n * inner;
    parallel::items(out, item, item as f64 * NS, |o, out| {
        let x = &x[o * item..][..item];
        if inner == 1 { dispatch(level(), Row { out, x }) } else { vectorized(Columns { out, x, inner }) }
    });
}

/// The products of all others along columns.
struct Columns<'a, T> {
    out: &'a mut [T],
    x: &'a [T],
    inner: usize,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Columns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { out, x, inner } = self;
        let mut products = vec![T::ONE; inner];
        for (out, x) in out.chunks_exact_mut(inner).zip(x.chunks_exact(inner)) {
            in_front(out, x, &mut products);
        }
        products.fill(T::ONE);
        for (out, x) in out.chunks_exact_mut(inner).zip(x.chunks_exact(inner)).rev() {
            behind(out, x, &mut products);
        }
    }
}

/// Writes the products up to a row, and takes the row to them.
#[allow(clippy::inline_always)]
#[inline(always)]
fn in_front<T: Float>(out: &mut [T], x: &[T], products: &mut [T]) {
    for ((out, &x), product) in out.iter_mut().zip(x).zip(products) {
        *out = *product;
        *product = *product * x;
    }
}

/// Multiplies a row by the products from behind it, and takes it to them.
#[allow(clippy::inline_always)]
#[inline(always)]
fn behind<T: Float>(out: &mut [T], x: &[T], products: &mut [T]) {
    for ((out, &x), product) in out.iter_mut().zip(x).zip(products) {
        *out = *out * *product;
        *product = *product * x;
    }
}

/// The products of all others along a row, whose number `i` is in column `i % LANES`. By explicit vectors: LLVM makes single
/// numbers of loops over [`LANES`].
struct Row<'a, T> {
    out: &'a mut [T],
    x: &'a [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Job<T> for Row<'_, T> {
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let ((rows, rest), (x_rows, x_rest)) =
            (self.out.as_chunks_mut::<LANES>(), self.x.as_chunks::<LANES>());
        let vectors = LANES / V::LANES;
        let mut columns = [T::ONE; LANES];
        let mut products: [V; VECTORS] = load(&columns);
        for (out, x) in rows.iter_mut().zip(x_rows) {
            let x: [V; VECTORS] = load(x);
            store(products, out);
            for k in 0..vectors {
                products[k] = products[k].times(x[k]);
            }
        }
        store(products, &mut columns);
        in_front(rest, x_rest, &mut columns);
        let mut columns = others(&columns);
        behind(rest, x_rest, &mut columns);
        products = load(&columns);
        for (out, x) in rows.iter_mut().zip(x_rows).rev() {
            let (mut y, x): ([V; VECTORS], [V; VECTORS]) = (load(out), load(x));
            for k in 0..vectors {
                y[k] = y[k].times(products[k]);
                products[k] = products[k].times(x[k]);
            }
            store(y, out);
        }
    }
}

/// The products of all other columns: what is behind the last number of each.
fn others<T: Float>(columns: &[T; LANES]) -> [T; LANES] {
    let mut products = [T::ONE; LANES];
    let (mut left, mut right) = (T::ONE, T::ONE);
    for i in 0..LANES {
        let k = LANES - 1 - i;
        products[i] = products[i] * left;
        products[k] = products[k] * right;
        left = left * columns[i];
        right = right * columns[k];
    }
    products
}

/// The vectors of a row, of which the last stay zero if a vector has more than four numbers.
#[allow(clippy::inline_always)]
#[inline(always)]
fn load<T: Float, V: Vector<T>>(from: &[T; LANES]) -> [V; VECTORS] {
    let mut vectors = [V::zero(); VECTORS];
    for (k, vector) in vectors.iter_mut().enumerate().take(LANES / V::LANES) {
        // SAFETY: as many vectors as fit the row.
        *vector = unsafe { V::load(from.as_ptr().add(k * V::LANES)) };
    }
    vectors
}

/// Writes what [`load`] reads.
#[allow(clippy::inline_always)]
#[inline(always)]
fn store<T: Float, V: Vector<T>>(vectors: [V; VECTORS], to: &mut [T; LANES]) {
    for (k, vector) in vectors.into_iter().enumerate().take(LANES / V::LANES) {
        // SAFETY: as many vectors as fit the row.
        unsafe { vector.store(to.as_mut_ptr().add(k * V::LANES)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::dispatch::Level;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| ((i * 7919 + 13) % 1009) as f64 / 1009.0 - 0.3).collect()
    }

    #[test]
    fn products_agree_with_the_definition_on_any_number_of_threads() {
        let sizes = [1, 2, 31, 32, 33, 64, 97].map(|n| (3, n, 1));
        for (outer, n, inner) in
            sizes.into_iter().chain([(0, 3, 1), (2, 0, 1), (2, 3, 0), (2, 5, 3), (1, 9, 40), (2000, 70, 1)])
        {
            // Near 1, so that products of many stay so; but no, one or two factors of a row are 0.
            let mut x: Vec<_> = numbers(outer * n * inner).into_iter().map(|x| 0.9 + 0.3 * x).collect();
            for i in (0..x.len()).step_by(53) {
                x[i] = 0.0;
            }
            let product_but = |at: usize| {
                let (o, k, j) = (at / (n * inner), at / inner % n, at % inner);
                (0..n).filter(|&i| i != k).map(|i| x[(o * n + i) * inner + j]).product::<f64>()
            };
            let run = |threads| {
                crate::with_threads(threads, || {
                    let mut out = vec![f64::NAN; x.len()];
                    of_others(&mut out, &x, n, inner);
                    out
                })
            };
            let out = run(1);
            assert!(out == run(2) && out == run(5));
            for (at, found) in out.into_iter().enumerate() {
                let expected = product_but(at);
                assert!((found - expected).abs() <= 1e-13 * expected.abs(), "{outer} {n} {inner} at {at}");
            }
        }
    }

    #[test]
    fn rows_have_the_bits_of_the_scalar_twin_at_every_level() {
        for n in [0, 1, 31, 32, 33, 100, 1024] {
            let x: Vec<f32> = numbers(n).into_iter().map(|x| x as f32 + 0.7).collect();
            // The columns of the twin end where the row does.
            let product =
                |terms: &mut dyn Iterator<Item = usize>| terms.fold(1.0, |product: f32, i| product * x[i]);
            let columns: [f32; LANES] = std::array::from_fn(|lane| product(&mut (lane..n).step_by(LANES)));
            let columns = others(&columns);
            let twin: Vec<f32> = (0..n)
                .map(|k| {
                    let lane = k % LANES;
                    let in_front = product(&mut (lane..k).step_by(LANES));
                    let behind = (k + 1..n).rev().filter(|i| i % LANES == lane);
                    in_front * behind.fold(columns[lane], |product, i| product * x[i])
                })
                .collect();
            for level in [Level::Portable, Level::Avx2, Level::Avx512].into_iter().filter(|&l| l <= level()) {
                let mut out = vec![f32::NAN; n];
                dispatch(level, Row { out: &mut out, x: &x });
                assert_eq!(out, twin, "{n} at {level:?}");
            }
        }
    }
}
