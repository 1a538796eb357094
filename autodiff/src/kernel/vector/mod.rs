//! Vectors of one register, and the choice of the register's width at run time.
//!
//! The tiles of products and convolutions keep two dozen accumulators in registers, sums of rows a few. Written over
//! arrays, so that one source served every width, LLVM kept them in memory or took them apart into single numbers (from a
//! twentieth of the speed to five sixths), so the two x86 widths use intrinsics.

#[cfg(target_arch = "x86_64")]
mod x86;

use crate::float::Float;
use crate::kernel::dispatch::Level;

/// A vector register of `T`.
///
/// All functions are `#[inline(always)]`: they become instructions of the caller, which [`dispatch`] compiles with
/// the features that they need. So they must not be called in a closure for a function that need not be inlined, as the
/// `map` of arrays: each would be a call. `.ci/run` looks for such calls.
pub(super) trait Vector<T: Float>: Copy {
    /// How many numbers one register holds.
    const LANES: usize;
    /// The instruction set: Avx512 has 32 registers, the others have 16.
    const LEVEL: Level;
    /// All lanes zero.
    fn zero() -> Self;
    /// All lanes `*from`. The pointer must be readable.
    unsafe fn splat(from: *const T) -> Self;
    /// The lanes at `from`, of any alignment, all of which must be readable.
    unsafe fn load(from: *const T) -> Self;
    /// Writes the lanes at `to`, of any alignment, all of which must be writable.
    unsafe fn store(self, to: *mut T);
    /// The first `count` lanes at `from`, fewer than there are, which must be readable; the others are zero.
    unsafe fn load_first(from: *const T, count: usize) -> Self;
    /// Writes the first `count` lanes, fewer than there are, at `to`, which must be writable.
    unsafe fn store_first(self, to: *mut T, count: usize);
    /// `self * a + b`.
    fn fused(self, a: Self, b: Self) -> Self;
    /// `self + a`.
    fn plus(self, a: Self) -> Self;
    /// `self - a`.
    fn minus(self, a: Self) -> Self;
    /// `self * a`, rounded.
    fn times(self, a: Self) -> Self;
    /// The larger of `self` and `a`; `a` if one of them is NaN.
    fn larger(self, a: Self) -> Self;
    /// The first `count` lanes, fewer than there are; the others are zero.
    fn first(self, count: usize) -> Self;
    /// In lane `i` what lane `i ^ step` holds; `step` is a power of two, and fewer than there are lanes.
    fn swapped(self, step: usize) -> Self;

    /// All lanes combined, in each lane: those half of them apart first. Which of the two is the first is open.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn folded(self, f: impl Fn(Self, Self) -> Self) -> Self {
        let (mut all, mut step) = (self, Self::LANES / 2);
        while step > 0 {
            all = f(all, all.swapped(step));
            step /= 2;
        }
        all
    }
    /// Every second number of two vectors, the first of the first among them.
    fn even(self, high: Self) -> Self;

    /// Transposes four rows of eight numbers, which lie at the given distances.
    ///
    /// # Safety
    /// The rows must be readable and writable.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    unsafe fn transpose(from: *const T, distance: usize, to: *mut T, to_distance: usize) {
        for (i, j) in (0..4).flat_map(|i| (0..8).map(move |j| (i, j))) {
            // SAFETY: the caller's promise.
            unsafe { *to.add(j * to_distance + i) = *from.add(i * distance + j) };
        }
    }
}

/// Work that is written once for all vector widths.
pub(super) trait Job<T: Float> {
    /// Does the work. Mark it `#[inline(always)]`, and all it calls.
    fn run<V: Vector<T>>(self);
}

/// Runs `job` with the vectors of `level`, which must not be above what the processor has.
pub(super) fn dispatch<T: Float, J: Job<T>>(level: Level, job: J) {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: levels above portable come from `dispatch::level`, which asked the processor for the features.
        Level::Avx512 => unsafe { x86::avx512(job) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 => unsafe { x86::avx2(job) },
        _ => job.run::<Four<T>>(),
    }
}

/// The numbers per register at `level`, as [`Vector::LANES`], for code that is not a [`Job`].
pub(super) fn lanes<T: Float>(level: Level) -> usize {
    match level {
        Level::Portable => 4,
        Level::Avx2 => 32 / size_of::<T>(),
        Level::Avx512 => 64 / size_of::<T>(),
    }
}

/// Four numbers, for any processor: what compilers make two or four plain instructions of.
#[derive(Clone, Copy)]
struct Four<T>([T; 4]);

#[allow(clippy::inline_always)]
impl<T: Float> Vector<T> for Four<T> {
    const LANES: usize = 4;
    const LEVEL: Level = Level::Portable;
    #[inline(always)]
    fn zero() -> Self {
        Four([T::ZERO; 4])
    }
    #[inline(always)]
    unsafe fn splat(from: *const T) -> Self {
        // SAFETY: the caller's promise.
        Four([unsafe { *from }; 4])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's promise; an array of `T` is aligned as `T`.
        Four(unsafe { *from.cast() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: as in `load`.
        unsafe { *to.cast() = self.0 }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        // SAFETY: the caller's promise.
        Four(std::array::from_fn(|i| if i < count { unsafe { *from.add(i) } } else { T::ZERO }))
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, count: usize) {
        for (i, number) in self.0.into_iter().enumerate().take(count) {
            // SAFETY: the caller's promise.
            unsafe { *to.add(i) = number }
        }
    }
    #[inline(always)]
    fn fused(self, a: Self, b: Self) -> Self {
        // Two roundings: without hardware support, one would mean a call of libm.
        Four(std::array::from_fn(|i| self.0[i] * a.0[i] + b.0[i]))
    }
    #[inline(always)]
    fn plus(self, a: Self) -> Self {
        Four(std::array::from_fn(|i| self.0[i] + a.0[i]))
    }
    #[inline(always)]
    fn minus(self, a: Self) -> Self {
        Four(std::array::from_fn(|i| self.0[i] - a.0[i]))
    }
    #[inline(always)]
    fn times(self, a: Self) -> Self {
        Four(std::array::from_fn(|i| self.0[i] * a.0[i]))
    }
    #[inline(always)]
    fn larger(self, a: Self) -> Self {
        Four(std::array::from_fn(|i| if self.0[i] > a.0[i] { self.0[i] } else { a.0[i] }))
    }
    #[inline(always)]
    fn first(self, count: usize) -> Self {
        Four(std::array::from_fn(|i| if i < count { self.0[i] } else { T::ZERO }))
    }
    #[inline(always)]
    fn swapped(self, step: usize) -> Self {
        Four(std::array::from_fn(|i| self.0[i ^ step]))
    }
    #[inline(always)]
    fn even(self, high: Self) -> Self {
        Four([self.0[0], self.0[2], high.0[0], high.0[2]])
    }
}
