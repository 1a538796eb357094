//! Products against their definition, at every instruction set of this processor.

use super::*;
use crate::kernel::dispatch::level;

/// The levels of this processor.
fn levels() -> impl Iterator<Item = Level> {
    [Level::Portable, Level::Avx2, Level::Avx512].into_iter().filter(|&l| l <= level())
}

/// Whole numbers, whose sums of products are exact in any order.
fn whole(n: usize, k: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * k) % 23) as f64 - 11.0).collect()
}

/// Numbers whose sums depend on the order.
fn broken(n: usize, k: f32) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * k).sin()).collect()
}

fn naive(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<'_, f64>,
    b: Matrix<'_, f64>,
    bias: Option<&[f64]>,
) -> Vec<f64> {
    let at = |x: &Matrix<'_, f64>, i: usize, j: usize| {
        x.data[(x.offset as isize + i as isize * x.row_stride + j as isize * x.column_stride) as usize]
    };
    let sum = |ij: usize| (0..k).map(|l| at(&a, ij / n, l) * at(&b, l, ij % n)).sum::<f64>();
    (0..m * n).map(|ij| sum(ij) + bias.map_or(0.0, |bias| bias[ij % n])).collect()
}

#[test]
fn any_strides_give_the_definition() {
    let values = whole(10_000, 7919);
    let sizes = [
        (1, 1, 1),
        (3, 5, 7),
        (1, 9, 40),
        (8, 1, 33),
        (4, 70, 17),
        (17, 33, 20),
        (16, 64, 9),
        (26, 49, 24),
        (2, 2, 0),
        (0, 3, 2),
        (40, 50, 60),
        (33, 112, 31),
    ];
    for (m, n, k) in sizes {
        let strides = |r: usize, c: usize| {
            [(c as isize, 1), (1, r as isize), (0, 1), (-(c as isize), -1), (1, -(r as isize))]
        };
        for (ars, acs) in strides(m, k) {
            for (brs, bcs) in strides(k, n) {
                let offset = |rs: isize, cs: isize| if rs.min(cs) < 0 { 6_000 } else { 5 };
                let a =
                    Matrix { data: &values, offset: offset(ars, acs), row_stride: ars, column_stride: acs };
                let b =
                    Matrix { data: &values, offset: offset(brs, bcs), row_stride: brs, column_stride: bcs };
                for bias in [None, Some(&values[3..3 + n])] {
                    let expected = naive(m, n, k, a, b, bias);
                    for level in levels() {
                        let mut out = vec![f64::NAN; m * n];
                        product_at(level, &mut out, (m, n, k), a, b, bias, true);
                        assert_eq!(out, expected, "{m} {n} {k} {ars} {acs} {brs} {bcs} at {level:?}");
                    }
                }
            }
        }
    }
}

/// Several slices of the inner dimension, several blocks of rows, and more than one thread's share; the second is laid out by
/// all threads.
#[test]
fn large_products_are_the_definition_for_any_number_of_threads() {
    let sizes = [
        (205, 131, 1_029),
        (421, 301, 521),
        (7, 700, 600),
        (9, 1_024, 70),
        (2, 300, 5_000),
        (1, 2_000, 1_500),
        (1, 4_099, 37),
        (600, 301, 1),
    ];
    assert!(is_shared::<f64>(sizes[1]) && !is_shared::<f64>(sizes[2]));
    for (m, n, k) in sizes {
        let (left, right) = (whole(m * k, 7), whole(k * n, 11));
        let rows =
            |data, width: usize| Matrix { data, offset: 0, row_stride: width as isize, column_stride: 1 };
        let columns =
            |data, height: usize| Matrix { data, offset: 0, row_stride: 1, column_stride: height as isize };
        for a in [rows(&left, k), columns(&left, m)] {
            for b in [rows(&right, n), columns(&right, k)] {
                let bias = Some(&right[..n]);
                let expected = naive(m, n, k, a, b, bias);
                for threads in [1, 3] {
                    let mut out = vec![f64::NAN; m * n];
                    parallel::with_threads(threads, || product(&mut out, (m, n, k), a, b, bias, true));
                    assert_eq!(out, expected, "{m} {n} {k} on {threads}");
                }
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    for (m, n, k) in [(150, 200, 300), (401, 300, 500), (12, 900, 700), (3, 4_000, 300), (1, 5_000, 700)] {
        let (left, right) = (broken(m * k, 0.37), broken(k * n, 0.73));
        let matrix =
            |data, width: usize| Matrix { data, offset: 0, row_stride: width as isize, column_stride: 1 };
        for b in [matrix(&right, n), matrix(&right, k).turned()] {
            let results = [1, 2, 3, 8].map(|threads| {
                let mut out = vec![0.0; m * n];
                let bias = Some(&right[..n]);
                parallel::with_threads(threads, || {
                    product(&mut out, (m, n, k), matrix(&left, k), b, bias, true);
                });
                out
            });
            assert!(results.iter().all(|result| *result == results[0]), "{m} {n} {k}");
        }
    }
}

#[test]
fn a_row_has_the_bits_of_the_tiles() {
    let (n, k) = (4_133, 1_301);
    let (left, right) = (broken(2 * k, 0.37), broken(k * n, 0.73));
    let matrix =
        |data, width: usize| Matrix { data, offset: 0, row_stride: width as isize, column_stride: 1 };
    for level in levels() {
        let at = |m| {
            let mut out = vec![0.0; m * n];
            let bias = Some(&right[..n]);
            product_at(level, &mut out, (m, n, k), matrix(&left, k), matrix(&right, n), bias, false);
            out
        };
        assert_eq!(at(1), at(2)[..n], "at {level:?}");
    }
}

#[test]
fn a_batch_is_its_products() {
    let (m, n, k) = (5, 6, 7);
    let values = whole(500, 31);
    let matrix =
        |width: usize| Matrix { data: &values, offset: 0, row_stride: width as isize, column_stride: 1 };
    let starts = [(0, 100), (35, 100), (3, 7)];
    let mut out = vec![0.0; 3 * m * n];
    batched(&mut out, (m, n, k), matrix(k), matrix(n), &starts);
    for (out, (a, b)) in out.chunks_exact(m * n).zip(starts) {
        let (a, b) = (Matrix { offset: a, ..matrix(k) }, Matrix { offset: b, ..matrix(n) });
        assert_eq!(out, naive(m, n, k, a, b, None));
    }
}

#[test]
fn packed_products_are_the_definition() {
    for (m, n, k) in [(1, 1, 1), (3, 7, 5), (8, 32, 16), (13, 33, 9), (4, 5, 0), (21, 100, 40)] {
        let (a, b) = (whole(m * k, 7), whole(k * n, 11));
        let left = Matrix { data: &a, offset: 0, row_stride: k as isize, column_stride: 1 };
        let straight = Matrix { data: &b, offset: 0, row_stride: n as isize, column_stride: 1 };
        let transposed: Vec<f64> = (0..k * n).map(|i| b[i % k * n + i / k]).collect();
        let turned = Matrix { data: &transposed, offset: 0, row_stride: 1, column_stride: k as isize };
        for (level, matrix) in levels().flat_map(|level| [(level, straight), (level, turned)]) {
            let mut out = vec![f64::NAN; m * n];
            Packed::at(level, matrix, k, n, false).product(&mut out, &a);
            assert_eq!(out, naive(m, n, k, left, matrix, None), "{m} x {k} x {n} at {level:?}");
        }
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_among_others() {
    let (m, n, k) = (23, 50, 37);
    let (a, b) = (broken(m * k, 0.37), broken(k * n, 0.73));
    let matrix = Matrix { data: &b, offset: 0, row_stride: n as isize, column_stride: 1 };
    for level in levels() {
        let packed = Packed::at(level, matrix, k, n, false);
        let mut together = vec![0.0; m * n];
        packed.product(&mut together, &a);
        for (row, together) in a.chunks_exact(k).zip(together.chunks_exact(n)) {
            let mut alone = vec![0.0; n];
            packed.product(&mut alone, row);
            assert_eq!(alone, together, "at {level:?}");
        }
    }
}

#[test]
#[should_panic(expected = "not as many rows")]
fn operands_that_do_not_fit_are_refused() {
    let matrix = Matrix { data: &[1.0f32; 6], offset: 0, row_stride: 3, column_stride: 1 };
    Packed::new(matrix, 2, 3).product(&mut [0.0; 6], &[0.0; 3]);
}

#[test]
#[should_panic(expected = "reaches beyond its data")]
fn a_matrix_beyond_its_data_is_refused() {
    let a = Matrix { data: &[1.0f32; 5], offset: 0, row_stride: 3, column_stride: 1 };
    product(&mut [0.0; 4], (2, 2, 3), a, a, None, false);
}
