//! Weighted sums of a few entries along axes of images: what resampling and averages over unequal bins consist of. Along an
//! axis it is a sparse matrix, and its transpose is its adjoint.

use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::parallel;

/// Bytes of an image, before, between and after its blends, that stay in the second-level cache.
const CACHED: usize = 1 << 18;

/// How each of some outputs is blended from the entries of an axis.
pub(crate) struct Blend<T> {
    inputs: usize,
    /// Where the terms of each output end.
    ends: Vec<usize>,
    /// An entry and its weight.
    terms: Vec<(usize, T)>,
    runs: Vec<Run>,
}

/// Consecutive outputs with as many terms.
struct Run {
    outputs: usize,
    terms: usize,
}

/// The runs of outputs whose terms end there.
fn runs(ends: &[usize]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut start = 0;
    for &end in ends {
        match runs.last_mut() {
            Some(run) if run.terms == end - start => run.outputs += 1,
            _ => runs.push(Run { outputs: 1, terms: end - start }),
        }
        start = end;
    }
    runs
}

impl<T: Float> Blend<T> {
    /// The blend of `inputs` entries whose outputs have these terms. Weights of zero are left out, so that what has none is
    /// not read.
    pub(crate) fn new<Terms: IntoIterator<Item = (usize, f64)>>(
        inputs: usize,
        outputs: impl IntoIterator<Item = Terms>,
    ) -> Self {
        let (mut ends, mut terms) = (Vec::new(), Vec::new());
        for output in outputs {
            let kept = output.into_iter().filter(|&(_, weight)| weight != 0.0);
            terms.extend(kept.map(|(entry, weight)| (entry, T::from_f64(weight))));
            ends.push(terms.len());
        }
        assert!(terms.iter().all(|&(entry, _)| entry < inputs), "blend: there are {inputs} entries");
        Self { inputs, runs: runs(&ends), ends, terms }
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
        let ends: Vec<_> = ends.collect();
        Self { inputs: self.outputs(), runs: runs(&ends), ends, terms: columns.concat() }
    }

    /// How many outputs there are.
    pub(crate) fn outputs(&self) -> usize {
        self.ends.len()
    }

    fn terms(&self, output: usize) -> &[(usize, T)] {
        let start = if output == 0 { 0 } else { self.ends[output - 1] };
        &self.terms[start..self.ends[output]]
    }

    /// Writes whole lines of `out[o, j, :] = Σ weight x[o, entry, :]`, over the terms of output `j` in their order: those from
    /// element `start` of all on. A line is one `j`, or where `inner` is 1 all of them.
    fn lines(&self, start: usize, out: &mut [T], x: &[T], inner: usize) {
        vectorized(Lines { blend: self, start, out, x, inner });
    }

    /// How many elements a line has.
    fn line(&self, inner: usize) -> usize {
        if inner == 1 { self.outputs() } else { inner }
    }

    /// Nanoseconds of an output, as an estimate.
    fn ns(&self) -> f64 {
        0.3 + 0.2 * (self.terms.len() / self.outputs().max(1)) as f64
    }
}

/// [`Blend::lines`].
struct Lines<'a, T> {
    blend: &'a Blend<T>,
    start: usize,
    out: &'a mut [T],
    x: &'a [T],
    inner: usize,
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for Lines<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { blend, start, out, x, inner } = self;
        let (n, m) = (blend.inputs, blend.outputs());
        if inner == 1 {
            for (o, out) in (start / m..).zip(out.chunks_exact_mut(m)) {
                row(&blend.runs, &blend.terms, out, &x[o * n..][..n]);
            }
            return;
        }
        for (line, out) in (start / inner..).zip(out.chunks_exact_mut(inner)) {
            let (o, j) = (line / m, line % m);
            let entry = |entry: usize| &x[(o * n + entry) * inner..][..inner];
            let Some((&(first, weight), rest)) = blend.terms(j).split_first() else {
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
    }
}

/// The outputs of one row of numbers. Runs of outputs with as many terms go together, without a loop over the terms or a
/// branch for each.
#[allow(clippy::inline_always)]
#[inline(always)]
fn row<T: Float>(runs: &[Run], mut terms: &[(usize, T)], mut out: &mut [T], x: &[T]) {
    for run in runs {
        let (own, rest) = terms.split_at(run.outputs * run.terms);
        let (now, later) = out.split_at_mut(run.outputs);
        match run.terms {
            0 => now.fill(T::ZERO),
            1 => sums(now, own.as_chunks::<1>().0, x),
            2 => sums(now, own.as_chunks::<2>().0, x),
            3 => sums(now, own.as_chunks::<3>().0, x),
            4 => sums(now, own.as_chunks::<4>().0, x),
            count => {
                for (out, terms) in now.iter_mut().zip(own.chunks_exact(count)) {
                    *out = sum(terms, x);
                }
            }
        }
        (terms, out) = (rest, later);
    }
}

#[allow(clippy::inline_always)]
#[inline(always)]
fn sums<T: Float, const N: usize>(out: &mut [T], terms: &[[(usize, T); N]], x: &[T]) {
    for (out, terms) in out.iter_mut().zip(terms) {
        *out = sum(terms, x);
    }
}

/// `Σ weight x[entry]` over the terms, of which there is one at least.
#[allow(clippy::inline_always)]
#[inline(always)]
fn sum<T: Float>(terms: &[(usize, T)], x: &[T]) -> T {
    let (entry, weight) = terms[0];
    terms[1..].iter().fold(weight * x[entry], |sum, &(entry, weight)| sum + weight * x[entry])
}

/// Blends along some axes of images, one after the other.
pub(crate) struct Blends<T> {
    steps: Vec<(usize, Blend<T>)>,
}

/// A blend as a step of some: between the axes of the image in front of its own and those behind.
struct Step<'a, T> {
    blend: &'a Blend<T>,
    inner: usize,
    /// How many numbers of the image it writes.
    written: usize,
}

impl<T: Float> Blends<T> {
    /// Blends, each along an axis of the image, in the order in which they are to be done.
    pub(crate) fn new(steps: Vec<(usize, Blend<T>)>) -> Self {
        Self { steps }
    }

    /// The blends that give each entry of the input what it contributed.
    pub(crate) fn adjoint(&self) -> Self {
        Self { steps: self.steps.iter().rev().map(|(axis, blend)| (*axis, blend.adjoint())).collect() }
    }

    /// The sizes of an image after all blends.
    pub(crate) fn blended(&self, image: &[usize]) -> Vec<usize> {
        let mut sizes = image.to_vec();
        for (axis, blend) in &self.steps {
            sizes[*axis] = blend.outputs();
        }
        sizes
    }

    /// Blends all images of these sizes. Images that fit the cache go through all blends one by one, and so what is between two
    /// blends never leaves it; larger ones go through each blend together. The bits are the same.
    pub(crate) fn write(&self, out: &mut [T], x: &[T], image: &[usize]) {
        let mut sizes = image.to_vec();
        let mut steps = Vec::with_capacity(self.steps.len());
        for (axis, blend) in &self.steps {
            assert_eq!(sizes[*axis], blend.inputs, "blend: entries of an axis");
            sizes[*axis] = blend.outputs();
            let inner = sizes[axis + 1..].iter().product();
            steps.push(Step { blend, inner, written: sizes.iter().product() });
        }
        let (read, written): (usize, usize) = (image.iter().product(), sizes.iter().product());
        if out.is_empty() {
            return;
        }
        assert_eq!(out.len() / written * read, x.len(), "blend: lengths");
        let numbers = read + steps.iter().map(|step| step.written).sum::<usize>();
        if numbers * size_of::<T>() <= CACHED {
            let ns = steps.iter().map(|step| step.written as f64 * step.blend.ns()).sum();
            parallel::items(out, written, ns, |i, out| {
                through(&steps, 1, out, &x[i * read..][..read], |step, out, x| {
                    step.blend.lines(0, out, x, step.inner);
                });
            });
        } else {
            through(&steps, out.len() / written, out, x, |step, out, x| {
                let Step { blend, inner, .. } = *step;
                parallel::split(out, blend.line(inner), blend.ns(), |start, out| {
                    blend.lines(start, out, x, inner);
                });
            });
        }
    }
}

/// Takes a number of images through all steps.
fn through<T: Float>(
    steps: &[Step<'_, T>],
    images: usize,
    out: &mut [T],
    x: &[T],
    write: impl Fn(&Step<'_, T>, &mut [T], &[T]),
) {
    let Some((last, steps)) = steps.split_last() else { return out.copy_from_slice(x) };
    let mut between: Option<Fresh<T>> = None;
    for step in steps {
        let mut next = Fresh::take(images * step.written);
        write(step, &mut next, between.as_deref().unwrap_or(x));
        between = Some(next);
    }
    write(last, out, between.as_deref().unwrap_or(x));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs with none, one and several terms, one weight of zero among them.
    fn rows() -> Vec<Vec<(usize, f64)>> {
        vec![
            vec![(2, 0.5), (0, 0.25)],
            vec![],
            vec![(1, -1.0)],
            vec![(3, 0.0), (2, 2.0), (1, 1.0)],
            vec![(0, 1.0), (1, 1.0), (2, 1.0)],
            vec![(0, 1.0), (1, 1.0), (2, 1.0), (0, 2.0)],
            vec![(0, 1.0), (1, 2.0), (2, 3.0), (1, 4.0), (1, 0.0), (0, 5.0)],
        ]
    }

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| f64::from((i * 37 % 19) as u32)).collect()
    }

    /// What a blend does along the middle axis, by its matrix.
    fn product(weight: &[Vec<f64>], x: &[f64], [outer, n, inner]: [usize; 3]) -> Vec<f64> {
        let element = |o: usize, j: usize, k: usize| {
            (0..n).map(|entry| weight[j][entry] * x[(o * n + entry) * inner + k]).sum()
        };
        let places = (0..outer).flat_map(|o| (0..weight.len()).map(move |j| (o, j)));
        places.flat_map(|(o, j)| (0..inner).map(move |k| element(o, j, k))).collect()
    }

    #[test]
    fn blends_are_products_with_a_matrix_and_its_transpose() {
        let matrix: Vec<Vec<f64>> = rows()
            .into_iter()
            .map(|terms| {
                let mut row = vec![0.0; 4];
                for (entry, weight) in terms {
                    row[entry] += weight;
                }
                row
            })
            .collect();
        let transposed: Vec<Vec<f64>> =
            (0..4).map(|entry| matrix.iter().map(|row| row[entry]).collect()).collect();
        for (outer, inner) in [(1, 1), (3, 1), (2, 5), (0, 2), (2, 0)] {
            let blends = Blends::new(vec![(0, Blend::<f64>::new(4, rows()))]);
            let m = matrix.len();
            let (x, g) = (numbers(outer * 4 * inner), numbers(outer * m * inner));
            let mut out = vec![f64::NAN; g.len()];
            blends.write(&mut out, &x, &[4, inner]);
            assert_eq!(out, product(&matrix, &x, [outer, 4, inner]));
            let mut out = vec![f64::NAN; x.len()];
            blends.adjoint().write(&mut out, &g, &[m, inner]);
            assert_eq!(out, product(&transposed, &g, [outer, m, inner]));
        }
        // What has no weight is not read.
        let mut out = [0.0; 7];
        Blends::new(vec![(0, Blend::new(4, rows()))]).write(&mut out, &[1.0, 1.0, 1.0, f64::NAN], &[4]);
        assert_eq!(out, [0.75, 0.0, -1.0, 3.0, 3.0, 5.0, 15.0]);
    }

    #[test]
    fn images_of_any_size_go_through_all_blends_in_their_order_on_any_number_of_threads() {
        // Small ones, which go one by one, and larger ones, which go together.
        for (images, [h, w], [to_h, to_w]) in
            [(3, [4, 5], [9, 3]), (900, [7, 6], [5, 11]), (2, [200, 150], [90, 400]), (0, [2, 3], [4, 5])]
        {
            let blend = |n: usize, m: usize| {
                Blend::<f32>::new(n, (0..m).map(|j| [(j % n, 0.3), ((j * 7 + 1) % n, 0.7)]))
            };
            let x: Vec<f32> = (0..images * h * w).map(|i| (i * 7919 % 1009) as f32 / 1009.0).collect();
            let [mut between, mut expected] = [to_h * w, to_h * to_w].map(|size| vec![0.0; images * size]);
            blend(h, to_h).lines(0, &mut between, &x, w);
            blend(w, to_w).lines(0, &mut expected, &between, 1);
            let blends = Blends::new(vec![(0, blend(h, to_h)), (1, blend(w, to_w))]);
            assert_eq!(blends.blended(&[h, w]), [to_h, to_w]);
            for threads in [1, 2, 5] {
                let mut out = vec![f32::NAN; expected.len()];
                crate::with_threads(threads, || blends.write(&mut out, &x, &[h, w]));
                assert!(out == expected, "{images} of {h} by {w} on {threads}");
            }
        }
    }
}
