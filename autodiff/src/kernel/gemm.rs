//! Matrix products, by the `gemm` crates: `C ← A B` with any strides, so that a transpose is never a copy.

use crate::kernel::buffer::Element;
use crate::kernel::parallel;
use gemm_common::Parallelism;

/// Multiply-adds of one product below which it stays on its thread (about 60 µs).
const SERIAL_MACS: usize = 3_000_000;

/// A strided matrix: element `(i, j)` is `data[offset + i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) offset: usize,
    pub(crate) row_stride: isize,
    pub(crate) column_stride: isize,
}

impl<T> Matrix<'_, T> {
    /// Whether every element of a `rows` by `columns` matrix lies within the data.
    fn holds(&self, rows: usize, columns: usize) -> bool {
        if rows == 0 || columns == 0 {
            return true;
        }
        let reach = |stride: isize, n: usize| stride.checked_mul(n as isize - 1);
        let (Some(down), Some(right)) = (reach(self.row_stride, rows), reach(self.column_stride, columns))
        else {
            return false;
        };
        let corner = |a: isize, b: isize| {
            (self.offset as isize).checked_add(a).and_then(|x| x.checked_add(b)).unwrap_or(-1)
        };
        let low = corner(down.min(0), right.min(0));
        let high = corner(down.max(0), right.max(0));
        low >= 0 && high >= 0 && (high as usize) < self.data.len()
    }
}

/// A number that the product kernels know. Implemented by `f32` and `f64`.
pub trait Product: Element {
    /// The kernel for this type and processor: see `gemm_common::gemm_def`.
    #[doc(hidden)]
    const KERNEL: fn() -> Gemm<Self>;
    /// The factor of the product: one.
    #[doc(hidden)]
    const UNIT: Self;
}

/// Sizes `m n k`; destination with column and row stride and whether it is read; left and right operand with column
/// and row stride; the factors of the destination and of the product; conjugations; threads.
type Gemm<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    Parallelism,
);

impl Product for f32 {
    const KERNEL: fn() -> Gemm<Self> = gemm_f32::gemm::f32::get_gemm_fn;
    const UNIT: Self = 1.0;
}

impl Product for f64 {
    const KERNEL: fn() -> Gemm<Self> = gemm_f64::gemm::f64::get_gemm_fn;
    const UNIT: Self = 1.0;
}

/// `out ← a b`, where `a` is `m` by `k`, `b` is `k` by `n`, and `out` is `m` by `n`, row by row.
///
/// # Panics
/// If a matrix is larger than its data.
pub(crate) fn product<T: Product>(
    out: &mut [T],
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    threads: bool,
) {
    assert!(out.len() == m * n && a.holds(m, k) && b.holds(k, n), "gemm: a matrix reaches beyond its data");
    let threads = if threads && m * n * k >= SERIAL_MACS { rayon::current_num_threads() } else { 1 };
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    // The kernel prefers a destination that is contiguous down its columns, so it computes `outᵀ ← bᵀ aᵀ`.
    // SAFETY: `holds` has checked that every element of `a` and `b` that is read lies in their data, `out` holds
    // `m * n` elements at strides (n, 1), and it is a unique borrow, so it overlaps neither operand.
    unsafe {
        (T::KERNEL)()(
            n,
            m,
            k,
            out.as_mut_ptr(),
            n as isize,
            1,
            false,
            b.data.as_ptr().wrapping_add(b.offset),
            b.row_stride,
            b.column_stride,
            a.data.as_ptr().wrapping_add(a.offset),
            a.row_stride,
            a.column_stride,
            T::default(),
            T::UNIT,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// `out[i] ← a[i] b[i]` for a batch of matrices; `starts[i]` are the offsets of the `i`-th operands.
///
/// Many small products run in parallel over the batch, few large ones each in parallel.
pub(crate) fn batched<T: Product>(
    out: &mut [T],
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    starts: &[(usize, usize)],
) {
    let over_batch = starts.len() > 1 && m * n * k < 4 * SERIAL_MACS;
    let one = |i: usize, out: &mut [T], threads| {
        let (a_start, b_start) = starts[i];
        product(out, (m, n, k), Matrix { offset: a_start, ..a }, Matrix { offset: b_start, ..b }, threads);
    };
    if over_batch {
        let ns = 20.0 + (m * n * k) as f64 / 50.0;
        parallel::items(out, m * n, ns, |i, out| one(i, out, false));
    } else if m * n > 0 {
        out.chunks_mut(m * n).enumerate().for_each(|(i, out)| one(i, out, true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(m: usize, n: usize, k: usize, a: Matrix<'_, f64>, b: Matrix<'_, f64>) -> Vec<f64> {
        let at = |x: &Matrix<'_, f64>, i: usize, j: usize| {
            x.data[(x.offset as isize + i as isize * x.row_stride + j as isize * x.column_stride) as usize]
        };
        (0..m * n).map(|ij| (0..k).map(|l| at(&a, ij / n, l) * at(&b, l, ij % n)).sum()).collect()
    }

    #[test]
    fn any_strides_give_the_definition() {
        for (m, n, k) in
            [(1, 1, 1), (3, 5, 7), (1, 9, 4), (8, 1, 3), (17, 33, 20), (2, 2, 0), (0, 3, 2), (40, 50, 60)]
        {
            let values: Vec<f64> = (0..10_000).map(|i| f64::from((i * 7919) % 23) - 11.0).collect();
            let rows = |r: usize, c: usize| [(c as isize, 1), (1, r as isize), (0, 1), (-(c as isize), -1)];
            for (ars, acs) in rows(m, k) {
                for (brs, bcs) in rows(k, n) {
                    let offset = |rs: isize| if rs < 0 { 9_000 } else { 5 };
                    let a =
                        Matrix { data: &values, offset: offset(ars), row_stride: ars, column_stride: acs };
                    let b =
                        Matrix { data: &values, offset: offset(brs), row_stride: brs, column_stride: bcs };
                    let mut out = vec![f64::NAN; m * n];
                    product(&mut out, (m, n, k), a, b, true);
                    assert_eq!(out, naive(m, n, k, a, b), "{m} {n} {k} {ars} {acs} {brs} {bcs}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "reaches beyond its data")]
    fn a_matrix_beyond_its_data_is_refused() {
        let a = Matrix { data: &[1.0f32; 5], offset: 0, row_stride: 3, column_stride: 1 };
        product(&mut [0.0; 4], (2, 2, 3), a, a, false);
    }
}
