//! Every path against loops that spell out the definition, at every instruction set that the processor has.

use super::*;
use crate::kernel::dispatch::level;

/// Numbers between -1 and 1 that look random.
fn numbers<T: Float>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            T::from_f64((state >> 40) as f64 / f64::from(1 << 23) - 1.0)
        })
        .collect()
}

/// Calls `f(y index, x index, w index)` for each product in the definition of the convolution.
fn products(s: &ConvShape, mut f: impl FnMut(usize, usize, usize)) {
    let [c_in, c_out, _] = s.group();
    let (oh, ow) = (s.out_h(), s.out_w());
    for n in 0..s.n {
        for co in 0..s.c_out {
            for ci in 0..c_in {
                for (oy, ox) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                    for (r, t) in (0..s.kh).flat_map(|r| (0..s.kw).map(move |t| (r, t))) {
                        let iy = (oy * s.stride[0] + r * s.dilation[0]).wrapping_sub(s.padding[0]);
                        let ix = (ox * s.stride[1] + t * s.dilation[1]).wrapping_sub(s.padding[1]);
                        if iy < s.h && ix < s.w {
                            let plane = n * s.c_in + co / c_out * c_in + ci;
                            f(
                                ((n * s.c_out + co) * oh + oy) * ow + ox,
                                (plane * s.h + iy) * s.w + ix,
                                ((co * c_in + ci) * s.kh + r) * s.kw + t,
                            );
                        }
                    }
                }
            }
        }
    }
}

/// The levels that this processor can run.
fn levels() -> Vec<Level> {
    [Level::Portable, Level::Avx2, Level::Avx512].into_iter().filter(|&l| l <= level()).collect()
}

fn close<T: Float>(what: &str, s: &ConvShape, level: Level, got: &[T], want: &[f64], scale: &[f64]) {
    for (i, ((got, want), scale)) in got.iter().zip(want).zip(scale).enumerate() {
        // `scale` is the sum of the absolute values of the products.
        let error = (got.to_f64() - want).abs();
        assert!(
            error <= 8.0 * T::EPSILON.to_f64() * scale,
            "{what} [{i}] of {s:?} at {level:?}: {got:?}, not {want} ± {scale}"
        );
    }
}

fn check<T: Float>(s: &ConvShape) {
    let [nx, nw, ny] = s.lengths();
    let (x, w, g) = (numbers::<T>(nx, 1), numbers::<T>(nw, 2), numbers::<T>(ny, 3));
    let bias = numbers::<T>(s.c_out, 4);
    let plane = s.out_h() * s.out_w();

    let start: Vec<f64> = (0..ny).map(|i| bias[i / plane % s.c_out].to_f64()).collect();
    let (mut y, mut y_scale) = (start.clone(), start.iter().map(|b| b.abs()).collect::<Vec<_>>());
    let (mut dx, mut dx_scale) = (vec![0.0; nx], vec![0.0; nx]);
    let (mut dw, mut dw_scale) = (vec![0.0; nw], vec![0.0; nw]);
    products(s, |iy, ix, iw| {
        let [x, w, g] = [x[ix], w[iw], g[iy]].map(T::to_f64);
        y[iy] += x * w;
        y_scale[iy] += (x * w).abs();
        dx[ix] += g * w;
        dx_scale[ix] += (g * w).abs();
        dw[iw] += g * x;
        dw_scale[iw] += (g * x).abs();
    });

    for level in levels() {
        let mut got = vec![T::NAN; ny];
        forward_at(level, s, &x, &w, Some(&bias), &mut got);
        close("forward", s, level, &got, &y, &y_scale);
        let mut got = vec![T::NAN; nx];
        input_grad_at(level, s, &g, &w, &mut got);
        close("input_grad", s, level, &got, &dx, &dx_scale);
        let mut got = vec![T::NAN; nw];
        weight_grad_at(level, s, &x, &g, &mut got);
        close("weight_grad", s, level, &got, &dw, &dw_scale);
    }
}

/// A shape from `[n, c_in, h, w, c_out, kh, kw]`.
fn shape([n, c_in, h, w, c_out, kh, kw]: [usize; 7]) -> ConvShape {
    ConvShape { n, c_in, h, w, c_out, kh, kw, stride: [1; 2], padding: [0; 2], dilation: [1; 2], groups: 1 }
}

/// Whether the kernel fits into the padded image.
fn fits(s: &ConvShape) -> bool {
    s.dilation[0] * (s.kh - 1) < s.h + 2 * s.padding[0] && s.dilation[1] * (s.kw - 1) < s.w + 2 * s.padding[1]
}

#[test]
fn all_small_combinations_follow_the_definition() {
    let mut count = 0;
    for (kh, kw) in [(1, 1), (3, 3), (2, 3), (5, 1), (4, 2)] {
        for stride in [[1, 1], [2, 2], [3, 1], [1, 2], [2, 3]] {
            for padding in [[0, 0], [1, 1], [2, 0], [0, 3], [4, 5]] {
                for dilation in [[1, 1], [2, 2], [1, 3], [3, 2]] {
                    for (c_in, c_out, groups) in [(1, 1, 1), (2, 3, 1), (4, 6, 2), (3, 3, 3)] {
                        let (h, w) = [(7, 6), (5, 9), (6, 5)][count % 3];
                        let s = ConvShape {
                            stride,
                            padding,
                            dilation,
                            groups,
                            ..shape([1 + count % 2, c_in, h, w, c_out, kh, kw])
                        };
                        if fits(&s) {
                            check::<f32>(&s);
                            check::<f64>(&s);
                            count += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(count > 1000, "{count} shapes fit");
}

#[test]
fn sizes_of_zero_and_one() {
    for s in [
        shape([0, 2, 5, 5, 3, 3, 3]),
        shape([2, 0, 5, 5, 3, 3, 3]),
        shape([2, 2, 5, 5, 0, 3, 3]),
        ConvShape { padding: [2, 1], ..shape([2, 2, 0, 5, 3, 3, 3]) },
        ConvShape { padding: [1, 2], stride: [2, 2], ..shape([2, 2, 5, 0, 3, 3, 3]) },
        shape([1, 1, 1, 1, 1, 1, 1]),
        ConvShape { padding: [1, 1], ..shape([1, 1, 1, 1, 1, 3, 3]) },
        ConvShape { stride: [7, 7], ..shape([2, 3, 8, 8, 2, 2, 2]) },
        ConvShape { stride: [5, 4], dilation: [5, 2], ..shape([1, 2, 12, 11, 2, 2, 3]) },
    ] {
        check::<f32>(&s);
        check::<f64>(&s);
    }
}

/// Shapes that reach the vector bodies, several tiles, several bands and several chunks.
fn larger() -> Vec<ConvShape> {
    let same = |s: [usize; 7]| ConvShape { padding: [1, 1], ..shape(s) };
    vec![
        same([9, 1, 28, 28, 32, 3, 3]),
        same([10, 32, 14, 14, 64, 3, 3]),
        same([2, 16, 32, 32, 16, 3, 3]),
        same([1, 3, 33, 31, 16, 3, 3]),
        same([2, 17, 9, 19, 33, 3, 3]),
        same([3, 40, 8, 8, 24, 3, 3]),
        ConvShape { stride: [2, 2], ..same([3, 16, 32, 32, 32, 3, 3]) },
        ConvShape { stride: [2, 2], ..shape([3, 16, 32, 32, 32, 1, 1]) },
        ConvShape { stride: [2, 2], padding: [3, 3], ..shape([1, 3, 65, 64, 20, 7, 7]) },
        // Kernels of one pixel, in several pieces, in groups, and with parts of tiles and vectors.
        shape([2, 64, 13, 17, 40, 1, 1]),
        shape([2, 9, 40, 41, 19, 1, 1]),
        ConvShape { groups: 2, ..shape([3, 10, 5, 7, 2, 1, 1]) },
        shape([1, 0, 5, 7, 3, 1, 1]),
        shape([2, 6, 14, 14, 16, 5, 5]),
        shape([33, 16, 5, 5, 120, 5, 5]),
        ConvShape { groups: 24, ..same([2, 24, 20, 20, 24, 3, 3]) },
        ConvShape { groups: 8, stride: [2, 1], ..same([2, 16, 21, 20, 32, 3, 3]) },
        ConvShape { dilation: [2, 3], padding: [2, 3], ..shape([1, 12, 30, 26, 18, 3, 3]) },
        // More than one band: the first by the size of the scratch memory, the second by the work.
        same([1, 70, 90, 40, 5, 3, 3]),
        same([1, 24, 56, 56, 48, 3, 3]),
        // Half of the multiplications, in groups, with padding beyond the kernel, and with parts of tiles and units
        // (all but the second, some outputs of which see no input).
        ConvShape { groups: 2, dilation: [1, 2], padding: [0, 2], ..shape([5, 32, 11, 13, 48, 3, 3]) },
        ConvShape { padding: [4, 6], ..shape([3, 16, 6, 7, 17, 3, 5]) },
        ConvShape { padding: [2, 6], ..shape([3, 16, 6, 7, 17, 3, 5]) },
        ConvShape { padding: [1, 0], ..shape([21, 19, 3, 2, 16, 3, 1]) },
        // More weights than pixels: their gradient goes by blocks of output channels, the last of them smaller.
        same([2, 150, 7, 7, 270, 3, 3]),
        ConvShape { stride: [2, 2], ..same([1, 420, 7, 7, 300, 3, 3]) },
    ]
}

#[test]
fn larger_shapes_follow_the_definition() {
    for s in larger() {
        check::<f32>(&s);
        check::<f64>(&s);
    }
}

#[test]
fn the_gradients_are_adjoint_to_the_convolution() {
    fn inner<T: Float>(a: &[T], b: &[T]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
    }
    for s in larger() {
        let [nx, nw, ny] = s.lengths();
        let (x, w, g) = (numbers::<f64>(nx, 5), numbers::<f64>(nw, 6), numbers::<f64>(ny, 7));
        let (mut y, mut dx, mut dw) = (vec![f64::NAN; ny], vec![f64::NAN; nx], vec![f64::NAN; nw]);
        forward(&s, &x, &w, None, &mut y);
        input_grad(&s, &g, &w, &mut dx);
        weight_grad(&s, &x, &g, &mut dw);
        let (a, b, c) = (inner(&y, &g), inner(&x, &dx), inner(&w, &dw));
        let scale = inner(&y, &y).sqrt() * inner(&g, &g).sqrt() * 1e-13;
        assert!((a - b).abs() <= scale && (a - c).abs() <= scale, "{s:?}: {a} {b} {c}");
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let pools = [1, 2, 3].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
    for s in larger() {
        let [nx, nw, ny] = s.lengths();
        let (x, w, g) = (numbers::<f32>(nx, 8), numbers::<f32>(nw, 9), numbers::<f32>(ny, 10));
        let results = pools.each_ref().map(|pool| {
            let (mut y, mut dx, mut dw) = (vec![f32::NAN; ny], vec![f32::NAN; nx], vec![f32::NAN; nw]);
            pool.install(|| {
                forward(&s, &x, &w, None, &mut y);
                input_grad(&s, &g, &w, &mut dx);
                weight_grad(&s, &x, &g, &mut dw);
            });
            [y, dx, dw].map(|v| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>())
        });
        assert!(results[0] == results[1] && results[0] == results[2], "{s:?}");
    }
}

#[test]
fn a_number_that_is_not_reaches_only_what_sees_it() {
    // The gaps between rows are computed and dropped: none may leak into a neighbour.
    let s = ConvShape { padding: [1, 1], ..shape([1, 2, 12, 12, 9, 3, 3]) };
    let [nx, nw, ny] = s.lengths();
    let (mut x, w) = (numbers::<f32>(nx, 11), numbers::<f32>(nw, 12));
    x[5 * 12 + 11] = f32::NAN;
    let mut y = vec![0.0; ny];
    forward(&s, &x, &w, None, &mut y);
    for (i, y) in y.iter().enumerate() {
        let (row, column) = (i / 12 % 12, i % 12);
        assert_eq!(y.is_nan(), (4..=6).contains(&row) && column >= 10, "row {row}, column {column}");
    }
}

#[test]
fn half_of_the_multiplications_cost_half_a_digit_at_most() {
    // Root of the mean square and largest of the errors, relative to the root of the mean square of the results.
    fn errors(got: &[f32], want: &[f64]) -> [f64; 2] {
        let rms = (want.iter().map(|y| y * y).sum::<f64>() / want.len() as f64).sqrt();
        let errors: Vec<f64> = got.iter().zip(want).map(|(y, want)| (f64::from(*y) - want) / rms).collect();
        let square = errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64;
        [square.sqrt(), errors.iter().fold(0.0, |most, e| e.abs().max(most))]
    }
    for channels in [16, 64, 128] {
        let s = ConvShape { padding: [1, 1], ..shape([2, channels, 12, 12, channels, 3, 3]) };
        assert!(winograd::pays(&s));
        let [nx, nw, ny] = s.lengths();
        let (x, w, g) = (numbers::<f32>(nx, 12), numbers::<f32>(nw, 13), numbers::<f32>(ny, 14));
        let (mut y, mut dw) = (vec![0.0; ny], vec![0.0; nw]);
        products(&s, |iy, ix, iw| {
            let [x, w, g] = [x[ix], w[iw], g[iy]].map(f64::from);
            y[iy] += x * w;
            dw[iw] += g * x;
        });
        for level in levels() {
            let (mut half, mut all) = (vec![f32::NAN; ny], vec![f32::NAN; ny]);
            forward_at(level, &s, &x, &w, None, &mut half);
            let weight = |_, row, channel, tap| w[(row * channels + channel) * 9 + tap];
            mix(level, &s, s.axes(Axis::forward), [channels; 2], &x, weight, None, &mut all);
            let (half, all) = (errors(&half, &y), errors(&all, &y));
            assert!(half[0] < 3.0 * all[0] && half[0] < 1e-6 && half[1] < 1e-5, "{half:?}, {all:?}");

            let (mut half, mut all) = (vec![f32::NAN; nw], vec![f32::NAN; nw]);
            weight_grad_at(level, &s, &x, &g, &mut half);
            weigh(level, &s, &x, &g, &mut all);
            let (half, all) = (errors(&half, &dw), errors(&all, &dw));
            assert!(half[0] < 3.0 * all[0] && half[0] < 1e-6 && half[1] < 1e-5, "{half:?}, {all:?}");
        }
    }
}
