//! Elementwise loops over slices.

use crate::float::Float;
use crate::kernel::buffer::Element;
use crate::kernel::dispatch::{Kernel, vectorized};
use crate::kernel::parallel::{self, Pieces};

/// A function of one element. Closures are functions; a type may implement it to be inlined for certain. It is copied into the
/// loop, for the compiler to know that what it reads does not change and may be read where it is not needed.
pub(crate) trait Map1<A, U>: Copy + Sync {
    /// The value.
    fn call(&self, a: A) -> U;
}

/// A function of two elements.
pub(crate) trait Map2<A, B, U>: Copy + Sync {
    /// The value.
    fn call(&self, a: A, b: B) -> U;
}

#[allow(clippy::inline_always)]
impl<A, U, F: Fn(A) -> U + Copy + Sync> Map1<A, U> for F {
    #[inline(always)]
    fn call(&self, a: A) -> U {
        self(a)
    }
}

#[allow(clippy::inline_always)]
impl<A, B, U, F: Fn(A, B) -> U + Copy + Sync> Map2<A, B, U> for F {
    #[inline(always)]
    fn call(&self, a: A, b: B) -> U {
        self(a, b)
    }
}

/// `out[i] = f(a[i])` over slices of the same length.
pub(super) struct Slice1<'a, A, U, F> {
    pub(super) out: &'a mut [U],
    pub(super) a: &'a [A],
    pub(super) f: F,
}

#[allow(clippy::inline_always)]
impl<A: Copy, U, F: Map1<A, U>> Kernel for Slice1<'_, A, U, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (out, &a) in self.out.iter_mut().zip(self.a) {
            *out = self.f.call(a);
        }
    }
}

/// One row of a binary loop: `a` and `b` have strides 0 or 1.
pub(super) struct Slice2<'a, A, B, U, F> {
    pub(super) out: &'a mut [U],
    pub(super) a: &'a [A],
    pub(super) b: &'a [B],
    pub(super) broadcast: (bool, bool),
    pub(super) f: F,
}

#[allow(clippy::inline_always)]
impl<A: Copy, B: Copy, U: Copy, F: Map2<A, B, U>> Kernel for Slice2<'_, A, B, U, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { out, a, b, broadcast, f } = self;
        match broadcast {
            (false, false) => {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = f.call(a, b);
                }
            }
            (false, true) => {
                let b = b[0];
                for (out, &a) in out.iter_mut().zip(a) {
                    *out = f.call(a, b);
                }
            }
            (true, false) => {
                let a = a[0];
                for (out, &b) in out.iter_mut().zip(b) {
                    *out = f.call(a, b);
                }
            }
            (true, true) => out.fill(f.call(a[0], b[0])),
        }
    }
}

/// One row of a ternary loop: `a` has stride 1, `b` and `c` have strides 0 or 1.
pub(super) struct Slice3<'a, A, B, C, U, F> {
    pub(super) out: &'a mut [U],
    pub(super) a: &'a [A],
    pub(super) b: &'a [B],
    pub(super) c: &'a [C],
    pub(super) broadcast: (bool, bool),
    pub(super) f: &'a F,
}

#[allow(clippy::inline_always)]
impl<A: Copy, B: Copy, C: Copy, U, F: Fn(A, B, C) -> U> Kernel for Slice3<'_, A, B, C, U, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { out, a, b, c, broadcast, f } = self;
        let first = out.iter_mut().zip(a);
        match broadcast {
            (false, false) => first.zip(b).zip(c).for_each(|(((out, &a), &b), &c)| *out = f(a, b, c)),
            (false, true) => {
                let c = c[0];
                first.zip(b).for_each(|((out, &a), &b)| *out = f(a, b, c));
            }
            (true, false) => {
                let b = b[0];
                first.zip(c).for_each(|((out, &a), &c)| *out = f(a, b, c));
            }
            (true, true) => {
                let (b, c) = (b[0], c[0]);
                first.for_each(|(out, &a)| *out = f(a, b, c));
            }
        }
    }
}

/// Nanoseconds up to which a plain loop is over before a better one would have been chosen.
const TINY_NS: f64 = 2.5;

/// `out[i] = f(a[i])` where both are contiguous. `ns` is the cost of one element.
pub(crate) fn slice1<A: Element, U: Element>(out: &mut [U], a: &[A], ns: f64, f: impl Map1<A, U>) {
    assert_eq!(out.len(), a.len(), "map: lengths differ");
    if out.len() as f64 * ns <= TINY_NS {
        return Slice1 { out, a, f }.run();
    }
    parallel::split(out, 1, ns, |start, out| {
        let a = &a[start..start + out.len()];
        vectorized(Slice1 { out, a, f });
    });
}

/// `out[i] = f(a[i], b[i])` where all are contiguous. `ns` is the cost of one element.
pub(crate) fn slice2<A: Element, B: Element, U: Element>(
    out: &mut [U],
    a: &[A],
    b: &[B],
    ns: f64,
    f: impl Map2<A, B, U>,
) {
    assert!(out.len() == a.len() && out.len() == b.len(), "map: lengths differ");
    if out.len() as f64 * ns <= TINY_NS {
        return Slice2 { out, a, b, broadcast: (false, false), f }.run();
    }
    parallel::split(out, 1, ns, |start, out| {
        let (a, b) = (&a[start..start + out.len()], &b[start..start + out.len()]);
        vectorized(Slice2 { out, a, b, broadcast: (false, false), f });
    });
}

/// `a[i] ← f(a[i])`.
struct Over1<'a, A, F> {
    a: &'a mut [A],
    f: F,
}

#[allow(clippy::inline_always)]
impl<A: Copy, F: Map1<A, A>> Kernel for Over1<'_, A, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for a in self.a {
            *a = self.f.call(*a);
        }
    }
}

/// `a[i] ← f(a[i], b[i])` for each row `a` as long as `b`.
struct Over2<'a, A, B, F> {
    a: &'a mut [A],
    b: &'a [B],
    f: F,
}

#[allow(clippy::inline_always)]
impl<A: Copy, B: Copy, F: Map2<A, B, A>> Kernel for Over2<'_, A, B, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        if let &[b] = self.b {
            for a in self.a {
                *a = self.f.call(*a, b);
            }
            return;
        }
        for row in self.a.chunks_exact_mut(self.b.len()) {
            for (a, &b) in row.iter_mut().zip(self.b) {
                *a = self.f.call(*a, b);
            }
        }
    }
}

/// [`slice1`], written over its operand.
pub(crate) fn over1<A: Element>(a: &mut [A], ns: f64, f: impl Map1<A, A>) {
    if a.len() as f64 * ns <= TINY_NS {
        return Over1 { a, f }.run();
    }
    parallel::split(a, 1, ns, |_, a| vectorized(Over1 { a, f }));
}

/// [`slice2`], written over its first operand, which may be several rows as long as the second.
pub(crate) fn over2<A: Element, B: Element>(a: &mut [A], b: &[B], ns: f64, f: impl Map2<A, B, A>) {
    if a.is_empty() {
        return;
    }
    assert!(!b.is_empty() && a.len().is_multiple_of(b.len()), "map: lengths differ");
    if a.len() as f64 * ns <= TINY_NS {
        return Over2 { a, b, f }.run();
    }
    if a.len() > b.len() {
        return parallel::split(a, b.len(), ns, |_, a| vectorized(Over2 { a, b, f }));
    }
    parallel::split(a, 1, ns, |start, a| {
        let b = &b[start..start + a.len()];
        vectorized(Over2 { a, b, f });
    });
}

/// A single pass over `N` equally long slices and a source: `(targets[..][i]) ← f((targets[..][i]), source[i])`.
struct Update<'a, T, F, const N: usize> {
    targets: [&'a mut [T]; N],
    source: &'a [T],
    f: &'a F,
}

#[allow(clippy::inline_always)]
impl<T: Copy, F: Fn([T; N], T) -> [T; N], const N: usize> Kernel for Update<'_, T, F, N> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.source.len();
        let source = &self.source[..n];
        let targets = self.targets.map(|target| &mut target[..n]);
        for i in 0..n {
            let new = (self.f)(std::array::from_fn(|k| targets[k][i]), source[i]);
            for k in 0..N {
                targets[k][i] = new[k];
            }
        }
    }
}

/// Updates `N` contiguous arrays in place from themselves and a source, in one pass.
pub(crate) fn update<T: Element, const N: usize>(
    targets: [&mut [T]; N],
    source: &[T],
    f: &(impl Fn([T; N], T) -> [T; N] + Sync),
) {
    const CHUNK: usize = 16_384;
    for target in &targets {
        assert_eq!(target.len(), source.len(), "update: lengths differ");
    }
    let ns = (N + 1) as f64 * 0.3;
    if source.len() as f64 * ns <= 2.0 * TINY_NS {
        return Update { targets, source, f }.run();
    }
    if !parallel::worthwhile(source.len() as f64 * ns) {
        return vectorized(Update { targets, source, f });
    }
    let targets = targets.map(|target| Pieces::new(target, CHUNK));
    parallel::each(source.len().div_ceil(CHUNK), 1, &|i| {
        let source = &source[i * CHUNK..source.len().min((i + 1) * CHUNK)];
        // SAFETY: `each` calls with every `i` once.
        let targets = std::array::from_fn(|k| unsafe { targets[k].take(i) });
        vectorized(Update { targets, source, f });
    });
}

/// `sum[i] ← sum[i] + a[i] b[i]`.
struct AddProducts<'a, T> {
    sum: &'a mut [T],
    a: &'a [T],
    b: &'a [T],
}

#[allow(clippy::inline_always)]
impl<T: Float> Kernel for AddProducts<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((sum, &a), &b) in self.sum.iter_mut().zip(self.a).zip(self.b) {
            *sum += a * b;
        }
    }
}

/// Adds the products of `a` and `b` to `sum`, element by element, each rounded first.
pub(crate) fn add_products<T: Float>(sum: &mut [T], a: &[T], b: &[T]) {
    assert!(sum.len() == a.len() && sum.len() == b.len(), "add_products: lengths differ");
    if sum.len() == 1 {
        return AddProducts { sum, a, b }.run();
    }
    parallel::split(sum, 1, 0.3, |start, sum| {
        let (a, b) = (&a[start..start + sum.len()], &b[start..start + sum.len()]);
        vectorized(AddProducts { sum, a, b });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_added_as_one_by_one_on_any_number_of_threads() {
        for len in [0, 1, 2, 17, 1000, 400_000] {
            let numbers =
                |step: usize| (0..len).map(|i| (i * step % 997) as f32 * 0.37 - 150.0).collect::<Vec<_>>();
            let (start, a, b) = (numbers(7919), numbers(31), numbers(613));
            let expected: Vec<f32> = (0..len).map(|i| start[i] + a[i] * b[i]).collect();
            for threads in [1, 3] {
                let mut sum = start.clone();
                crate::with_threads(threads, || add_products(&mut sum, &a, &b));
                assert!(sum == expected, "{len} on {threads}");
            }
        }
    }
}
