//! Weighted sums of a few entries along the middle axis of `[outer, n, inner]`: what resampling and averages over
//! unequal bins consist of. A sparse matrix, and its transpose is its adjoint.

use crate::float::Float;
use crate::kernel::parallel;

/// How each of some outputs is blended from the entries of an axis.
pub(crate) struct Blend<T> {
    inputs: usize,
    /// Where the terms of each output end.
    ends: Vec<usize>,
    /// An entry and its weight.
    terms: Vec<(usize, T)>,
}

impl<T: Float> Blend<T> {
    /// The blend of `inputs` entries whose outputs have these terms. Weights of zero are left out, so that what has none is
    /// not read.
    pub(crate) fn new<Terms: IntoIterator<Item = (usize, f64)>>(
        inputs: usize,
        outputs: impl IntoIterator<Item = Terms>,
    ) -> Self {
        let mut blend = Self { inputs, ends: Vec::new(), terms: Vec::new() };
        for output in outputs {
            let kept = output.into_iter().filter(|&(_, weight)| weight != 0.0);
            blend.terms.extend(kept.map(|(entry, weight)| (entry, T::from_f64(weight))));
            blend.ends.push(blend.terms.len());
        }
        assert!(blend.terms.iter().all(|&(entry, _)| entry < inputs), "blend: there are {inputs} entries");
        blend
    }

    /// The blend that gives each entry of the input what it contributed.
    pub(crate) fn adjoint(&self) -> Self {
        let mut columns = vec![Vec::new(); self.inputs];
        for output in 0..self.outputs() {
            for &(entry, weight) in self.terms(output) {
                columns[entry].push((output, weight));
            }
        }
        let ends = columns.iter().scan(0, |end, column| {
            *end += column.len();
            Some(*end)
        });
        Self { inputs: self.outputs(), ends: ends.collect(), terms: columns.concat() }
    }

    /// How many outputs there are.
    pub(crate) fn outputs(&self) -> usize {
        self.ends.len()
    }

    fn terms(&self, output: usize) -> &[(usize, T)] {
        let start = if output == 0 { 0 } else { self.ends[output - 1] };
        &self.terms[start..self.ends[output]]
    }

    /// `out[o, j, :] = Σ weight x[o, entry, :]` over the terms of output `j`, in their order.
    pub(crate) fn write(&self, out: &mut [T], x: &[T], inner: usize) {
        let (n, m) = (self.inputs, self.outputs());
        assert_eq!(x.len() * m, out.len() * n, "blend: lengths");
        if out.is_empty() {
            return;
        }
        let ns = 1.0 + 0.3 * (self.terms.len() / m) as f64;
        parallel::split(out, inner, ns, |start, out| {
            for (i, out) in out.chunks_exact_mut(inner).enumerate() {
                let (o, j) = ((start / inner + i) / m, (start / inner + i) % m);
                let entry = |entry: usize| &x[(o * n + entry) * inner..][..inner];
                let Some((&(first, weight), rest)) = self.terms(j).split_first() else {
                    out.fill(T::ZERO);
                    continue;
                };
                for (out, &x) in out.iter_mut().zip(entry(first)) {
                    *out = weight * x;
                }
                for &(other, weight) in rest {
                    for (out, &x) in out.iter_mut().zip(entry(other)) {
                        *out += weight * x;
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs with none, one and several terms, one weight of zero among them.
    fn rows() -> Vec<Vec<(usize, f64)>> {
        vec![vec![(2, 0.5), (0, 0.25)], vec![], vec![(1, -1.0)], vec![(3, 0.0), (2, 2.0), (1, 1.0)]]
    }

    #[test]
    fn blends_are_products_with_a_matrix_and_its_transpose() {
        let blend = Blend::<f64>::new(4, rows());
        let adjoint = blend.adjoint();
        let mut matrix = [[0.0; 4]; 4];
        for (output, terms) in rows().into_iter().enumerate() {
            for (entry, weight) in terms {
                matrix[output][entry] = weight;
            }
        }
        for (outer, inner) in [(1, 1), (3, 1), (2, 5), (0, 2), (2, 0)] {
            let x: Vec<f64> = (0..outer * 4 * inner).map(|i| f64::from((i * 37 % 19) as u32)).collect();
            let product = |weight: &dyn Fn(usize, usize) -> f64, i: usize| {
                let (o, j, k) = (i / (4 * inner), i / inner % 4, i % inner);
                (0..4).map(|entry| weight(j, entry) * x[(o * 4 + entry) * inner + k]).sum::<f64>()
            };
            let mut out = vec![f64::NAN; x.len()];
            blend.write(&mut out, &x, inner);
            assert!((0..x.len()).all(|i| out[i] == product(&|j, entry| matrix[j][entry], i)));
            adjoint.write(&mut out, &x, inner);
            assert!((0..x.len()).all(|i| out[i] == product(&|j, entry| matrix[entry][j], i)));
        }
        // What has no weight is not read.
        let mut out = [0.0; 4];
        blend.write(&mut out, &[1.0, 1.0, 1.0, f64::NAN], 1);
        assert_eq!(out, [0.75, 0.0, -1.0, 3.0]);
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let blend = Blend::<f32>::new(50, (0..70).map(|j| [(j % 50, 0.3), ((j * 7 + 1) % 50, 0.7)]));
        let x: Vec<f32> = (0..40 * 50 * 60).map(|i| (i * 7919 % 1009) as f32 / 1009.0).collect();
        let run = |threads| {
            crate::with_threads(threads, || {
                let mut out = vec![0.0; 40 * 70 * 60];
                blend.write(&mut out, &x, 60);
                out
            })
        };
        assert!(run(1) == run(2) && run(1) == run(5));
    }
}
