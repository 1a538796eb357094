//! The triangles of matrices.

use crate::float::Float;
use crate::kernel::parallel;

/// Which elements of a matrix a triangle has.
#[derive(Clone, Copy)]
pub(crate) enum Triangle {
    /// Those on the diagonal so many places above the main one, and below it.
    Lower(isize),
    /// Those on that diagonal, and above it.
    Upper(isize),
}

/// `out[.., i, j] = x[.., i, j]` in the triangle and 0 elsewhere, for matrices of so many rows and columns.
pub(crate) fn keep<T: Float>(out: &mut [T], x: &[T], (rows, columns): (usize, usize), triangle: Triangle) {
    assert_eq!(out.len(), x.len(), "triangle: lengths differ");
    parallel::items(out, columns, 3.0 + 0.15 * columns as f64, |row, out| {
        let x = &x[row * columns..][..columns];
        let diagonal = |k: isize| (row % rows) as isize + k.clamp(-(rows as isize), columns as isize);
        let (start, end) = match triangle {
            Triangle::Lower(k) => (0, diagonal(k) + 1),
            Triangle::Upper(k) => (diagonal(k), columns as isize),
        };
        let [start, end] = [start, end].map(|place| place.clamp(0, columns as isize) as usize);
        out[..start].fill(T::ZERO);
        out[start..end].copy_from_slice(&x[start..end]);
        out[end..].fill(T::ZERO);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles_are_kept_on_any_number_of_threads() {
        for (n, rows, columns) in
            [(0, 3, 3), (2, 0, 3), (2, 3, 0), (3, 1, 1), (2, 5, 3), (3, 2, 7), (2, 300, 401)]
        {
            let x: Vec<f32> = (0..n * rows * columns).map(|i| i as f32 + 1.0).collect();
            for k in [isize::MIN, -301, -4, -1, 0, 1, 2, 250, 500, isize::MAX] {
                for lower in [true, false] {
                    let within = |i: usize| {
                        let [row, column] = [i / columns % rows, i % columns].map(|place| place as isize);
                        if lower { column - row <= k } else { column - row >= k }
                    };
                    let kept = |i: usize| if within(i) { x[i] } else { 0.0 };
                    let expected: Vec<f32> = (0..x.len()).map(kept).collect();
                    let triangle = if lower { Triangle::Lower(k) } else { Triangle::Upper(k) };
                    for threads in [1, 2, 5] {
                        let mut out = vec![f32::NAN; x.len()];
                        crate::with_threads(threads, || keep(&mut out, &x, (rows, columns), triangle));
                        assert!(out == expected, "{n} of {rows} by {columns}, {k}, {lower}, on {threads}");
                    }
                }
            }
        }
    }
}
