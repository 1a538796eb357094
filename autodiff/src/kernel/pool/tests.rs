//! Pooling against its definition, and the same bits for any number of threads.

use super::average::{average, spread};
use super::max::{gather, max, of_bins, scatter};
use super::*;
use crate::float::Float;

/// Numbers between -1 and 1 that look random; with `coarse`, of few values, infinities and NaN among them.
fn numbers<T: Float>(len: usize, seed: u64, coarse: bool) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 40
    };
    (0..len)
        .map(|_| match (coarse, next()) {
            (false, n) => T::from_f64(n as f64 / f64::from(1 << 23) - 1.0),
            (true, n) if n % 29 == 0 => T::NAN,
            (true, n) if n % 3 == 0 => -T::INFINITY,
            (true, n) => T::from_f64((n % 5) as f64),
        })
        .collect()
}

/// Calls `f(output, input)` for each input that a window sees, by the definition and in row order.
fn windows(s: &PoolShape, mut f: impl FnMut(usize, usize)) {
    let (oh, ow) = (s.out_h(), s.out_w());
    for (p, oy) in (0..s.planes).flat_map(|p| (0..oh).map(move |y| (p, y))) {
        for (ox, r) in (0..ow).flat_map(|x| (0..s.kernel[0]).map(move |r| (x, r))) {
            for t in 0..s.kernel[1] {
                let iy = (oy * s.stride[0] + r).wrapping_sub(s.padding[0]);
                let ix = (ox * s.stride[1] + t).wrapping_sub(s.padding[1]);
                if iy < s.h && ix < s.w {
                    f((p * oh + oy) * ow + ox, (p * s.h + iy) * s.w + ix);
                }
            }
        }
    }
}

fn shapes() -> Vec<PoolShape> {
    let mut shapes = Vec::new();
    for kernel in [[1, 1], [2, 2], [3, 3], [2, 3], [5, 4]] {
        for stride in [[1, 1], [2, 2], [3, 2], [1, 3], [6, 7]] {
            for padding in [[0, 0], [1, 1], [0, 1], [2, 2]] {
                for [h, w] in [[5, 5], [8, 7], [9, 34], [28, 28]] {
                    if (0..2).all(|i| 2 * padding[i] <= kernel[i]) {
                        shapes.push(PoolShape { planes: 3, h, w, kernel, stride, padding });
                    }
                }
            }
        }
    }
    let one = |planes, h, w, k: usize| PoolShape {
        planes,
        h,
        w,
        kernel: [k; 2],
        stride: [k; 2],
        padding: [k / 2; 2],
    };
    shapes.extend([one(0, 4, 4, 2), one(2, 1, 1, 1), one(2, 1, 1, 2), one(2, 1, 1, 3), one(2, 0, 3, 2)]);
    let whole = |h, w| PoolShape { planes: 5, h, w, kernel: [h, w], stride: [1; 2], padding: [0; 2] };
    shapes.extend([whole(8, 8), whole(7, 5), PoolShape { planes: 300, ..one(0, 28, 28, 2) }]);
    shapes.push(PoolShape { planes: 500, padding: [0; 2], ..one(0, 28, 28, 2) });
    shapes
}

fn check_max<T: Float>(s: &PoolShape, coarse: bool) {
    let [input, output] = s.sizes();
    let x = numbers::<T>(s.planes * input, 1, coarse);
    let mut want = vec![None; s.planes * output];
    windows(s, |out, at| {
        let better = |best: usize| x[at] > x[best] || (x[at].is_nan() && !x[best].is_nan());
        if want[out].is_none_or(better) {
            want[out] = Some(at);
        }
    });
    let (mut y, mut index) = (vec![T::NAN; want.len()], vec![u32::MAX; want.len()]);
    max(s, &x, &mut y, &mut index);
    for (i, want) in want.iter().enumerate() {
        if let Some(want) = *want {
            assert_eq!(index[i] as usize, want - i / output * input, "{s:?}, output {i}");
            assert!(y[i] == x[want] || (y[i].is_nan() && x[want].is_nan()), "{s:?}, output {i}");
        }
    }
    if input == 0 {
        return;
    }

    let mut again = vec![T::NAN; y.len()];
    gather([input, output], &x, &index, &mut again);
    assert!(again.iter().zip(&y).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())), "{s:?}");

    let g = numbers::<T>(y.len(), 2, false);
    let mut sums = vec![0.0; x.len()];
    for (i, (g, at)) in g.iter().zip(&index).enumerate() {
        sums[i / output * input + *at as usize] += g.to_f64();
    }
    let mut dx = vec![T::NAN; x.len()];
    scatter([input, output], &g, &index, &mut dx);
    close(s, &dx, &sums);
}

fn close<T: Float>(s: &PoolShape, got: &[T], want: &[f64]) {
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (got.to_f64() - want).abs();
        assert!(error <= 64.0 * T::EPSILON.to_f64(), "{s:?} [{i}]: {got:?}, not {want}");
    }
}

fn check_average<T: Float>(s: &PoolShape) {
    let [input, output] = s.sizes();
    let (x, g) = (numbers::<T>(s.planes * input, 3, false), numbers::<T>(s.planes * output, 4, false));
    let area = (s.kernel[0] * s.kernel[1]) as f64;
    let (mut mean, mut spreading) = (vec![0.0; g.len()], vec![0.0; x.len()]);
    windows(s, |out, at| {
        mean[out] += x[at].to_f64() / area;
        spreading[at] += g[out].to_f64() / area;
    });
    let (mut y, mut dx) = (vec![T::NAN; g.len()], vec![T::NAN; x.len()]);
    average(s, &x, &mut y);
    close(s, &y, &mean);
    spread(s, &g, &mut dx);
    close(s, &dx, &spreading);
}

#[test]
fn maxima_are_the_first_ones_and_padding_is_none() {
    for s in shapes() {
        for coarse in [false, true] {
            check_max::<f32>(&s, coarse);
            check_max::<f64>(&s, coarse);
        }
    }
}

#[test]
fn averages_follow_the_definition() {
    for s in shapes() {
        check_average::<f32>(&s);
        check_average::<f64>(&s);
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let pools = [1, 2].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
    for s in shapes().iter().filter(|s| s.h * s.w > 0) {
        let sizes = s.sizes();
        let [input, output] = sizes.map(|len| len * s.planes);
        let (x, g) = (numbers::<f32>(input, 5, true), numbers::<f32>(output, 6, false));
        let results = pools.each_ref().map(|pool| {
            let (mut y, mut index) = (vec![f32::NAN; output], vec![u32::MAX; output]);
            let (mut dx, mut mean, mut spreading) =
                (vec![f32::NAN; input], vec![f32::NAN; output], vec![f32::NAN; input]);
            pool.install(|| {
                max(s, &x, &mut y, &mut index);
                scatter(sizes, &g, &index, &mut dx);
                average(s, &x, &mut mean);
                spread(s, &g, &mut spreading);
            });
            (index, [y, dx, mean, spreading].map(|v| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>()))
        });
        assert!(results[0] == results[1], "{s:?}");
    }
}

#[test]
fn bins_cover_an_axis_and_their_maxima_are_the_first_ones() {
    for (n, count) in [(1, 1), (7, 7), (7, 3), (3, 5), (10, 4), (1, 3)] {
        let bins = bins(n, count);
        assert!(bins[0].start == 0 && bins[count - 1].end == n && bins.iter().all(|bin| !bin.is_empty()));
        assert!(bins.windows(2).all(|pair| pair[1].start <= pair[0].end), "{bins:?}");
    }
    for [h, w, rows, columns] in [[5, 7, 2, 3], [4, 4, 4, 4], [3, 2, 5, 1], [40, 33, 7, 7]] {
        let both = [bins(h, rows), bins(w, columns)];
        let x = numbers::<f64>(3 * h * w, 8, true);
        let mut index = vec![u32::MAX; 3 * rows * columns];
        of_bins([h, w], &both, &x, &mut index);
        for (i, &at) in index.iter().enumerate() {
            let x = &x[i / (rows * columns) * h * w..][..h * w];
            let (row, column) = (&both[0][i / columns % rows], &both[1][i % columns]);
            let places = row.clone().flat_map(|r| column.clone().map(move |c| r * w + c));
            let better = |best: usize, at: usize| x[at] > x[best] || (x[at].is_nan() && !x[best].is_nan());
            let want = places.reduce(|best, at| if better(best, at) { at } else { best });
            assert_eq!(Some(at as usize), want, "{h} by {w} into {rows} by {columns}, bin {i}");
        }
    }
}
