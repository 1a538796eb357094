//! Run-time choice of the instruction set, so that a plain `cargo build --release` gets the fast path.
//!
//! A loop is written once, as a [`Kernel`] with an `#[inline(always)]` body; [`vectorized`] compiles it for each
//! [`Level`] and calls the best one that the processor has. Elementwise bodies write out what they fuse, so their bits
//! are the same at every level; matrix and convolution kernels fuse where the processor can, and say so.

use std::sync::atomic::{AtomicU8, Ordering};

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What the target guarantees.
    Portable = 1,
    /// AVX2 with fused multiply-add: 256-bit vectors.
    Avx2 = 2,
    /// AVX-512 (F, BW, DQ, VL): 512-bit vectors.
    Avx512 = 3,
}

/// The best level of this processor, detected once.
#[inline]
pub(crate) fn level() -> Level {
    static LEVEL: AtomicU8 = AtomicU8::new(0);
    match LEVEL.load(Ordering::Relaxed) {
        1 => Level::Portable,
        2 => Level::Avx2,
        3 => Level::Avx512,
        _ => {
            let level = detect();
            LEVEL.store(level as u8, Ordering::Relaxed);
            level
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        Level::Portable
    } else if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        Level::Avx512
    } else {
        Level::Avx2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Portable
}

/// Asks for the cache line of an address, which need not be readable.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(crate) fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: this only hints; it reads nothing, and every x86-64 has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// A loop that is worth compiling for each instruction set.
pub(crate) trait Kernel {
    /// What the loop returns.
    type Output;
    /// Runs the loop. Mark it `#[inline(always)]`, and all it calls: only inlined code is compiled for the level.
    fn run(self) -> Self::Output;
}

/// Runs `kernel`, compiled for the best instruction set of this processor.
#[inline]
pub(crate) fn vectorized<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    match level() {
        // SAFETY: `level` returns this only after the processor reported each of the features.
        Level::Avx512 => return unsafe { avx512(kernel) },
        // SAFETY: as above.
        Level::Avx2 => return unsafe { avx2(kernel) },
        Level::Portable => {}
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
