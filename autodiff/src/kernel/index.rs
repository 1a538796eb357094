//! Reading and adding at given indices along the middle axis of `[outer, n, inner]`. The caller has checked the
//! indices; a wrong one would panic here, never read elsewhere.

use crate::float::Float;
use crate::kernel::buffer::Element;
use crate::kernel::parallel;

/// `out[o, k, :] = x[o, index[k], :]`.
pub(crate) fn select<T: Element>(out: &mut [T], x: &[T], index: &[usize], n: usize, inner: usize) {
    let m = index.len();
    parallel::items(out, inner, 3.0 + inner as f64 * 0.2, |row, out| {
        let (o, k) = (row / m, row % m);
        out.copy_from_slice(&x[(o * n + index[k]) * inner..][..inner]);
    });
}

/// The adjoint of [`select`]: `out[o, i, :] = Σ g[o, k, :]` over the `k` with `index[k] = i`, in their order.
pub(crate) fn add_selected<T: Float>(out: &mut [T], g: &[T], index: &[usize], n: usize, inner: usize) {
    let m = index.len();
    let item = n * inner;
    parallel::items(out, item, item as f64 * 0.2 + (m * inner) as f64 * 0.5, |o, out| {
        out.fill(T::ZERO);
        for (k, &i) in index.iter().enumerate() {
            let g = &g[(o * m + k) * inner..][..inner];
            for (out, &g) in out[i * inner..][..inner].iter_mut().zip(g) {
                *out += g;
            }
        }
    });
}

/// `out[o, k, j] = x[o, index[o, k, j], j]`; `m` is the length of the index along the middle axis.
pub(crate) fn gather<T: Element>(
    out: &mut [T],
    x: &[T],
    index: &[usize],
    (m, n, inner): (usize, usize, usize),
) {
    parallel::split(out, 1, 2.0, |start, out| {
        for (i, out) in out.iter_mut().enumerate() {
            let at = start + i;
            let (o, j) = (at / (m * inner), at % inner);
            *out = x[(o * n + index[at]) * inner + j];
        }
    });
}

/// The adjoint of [`gather`]: `out[o, i, j] = Σ g[o, k, j]` over the `k` with `index[o, k, j] = i`, in their order.
pub(crate) fn scatter_add<T: Float>(
    out: &mut [T],
    g: &[T],
    index: &[usize],
    (m, n, inner): (usize, usize, usize),
) {
    let item = n * inner;
    parallel::items(out, item, item as f64 * 0.2 + (m * inner) as f64 * 2.0, |o, out| {
        out.fill(T::ZERO);
        for k in 0..m * inner {
            let at = o * m * inner + k;
            out[index[at] * inner + k % inner] += g[at];
        }
    });
}
