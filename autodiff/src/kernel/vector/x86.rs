//! The vectors of AVX2 and AVX-512, by intrinsics.

use super::{Float, Job, Level, Vector};
#[allow(clippy::wildcard_imports)]
use std::arch::x86_64::*;
use std::marker::PhantomData;

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(super) fn avx512<T: Float, J: Job<T>>(job: J) {
    job.run::<Zmm<T>>();
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn avx2<T: Float, J: Job<T>>(job: J) {
    job.run::<Ymm<T>>();
}

/// [`Vector::transpose`] in single precision: all exchanges are within 128 bits, where they are cheap.
///
/// # Safety
/// As there; the processor must have AVX.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn single(from: *const f32, distance: usize, to: *mut f32, to_distance: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let row = |i: usize| _mm256_loadu_ps(from.add(i * distance));
        let (a, b, c, d) = (row(0), row(1), row(2), row(3));
        let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
        // Each holds columns `j` and `j + 4`.
        let columns = [
            _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
            _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
            _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
            _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
        ];
        for (j, column) in columns.into_iter().enumerate() {
            _mm_storeu_ps(to.add(j * to_distance), _mm256_castps256_ps128(column));
            _mm_storeu_ps(to.add((j + 4) * to_distance), _mm256_extractf128_ps::<1>(column));
        }
    }
}

/// [`Vector::transpose`] in double precision, a half at a time.
///
/// # Safety
/// As there; the processor must have AVX.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn double(from: *const f64, distance: usize, to: *mut f64, to_distance: usize) {
    for half in [0, 4] {
        // SAFETY: the caller's promise.
        unsafe {
            let row = |i: usize| _mm256_loadu_pd(from.add(i * distance + half));
            let (a, b, c, d) = (row(0), row(1), row(2), row(3));
            let (ab, cd) = (_mm256_unpacklo_pd(a, b), _mm256_unpacklo_pd(c, d));
            let (ab_high, cd_high) = (_mm256_unpackhi_pd(a, b), _mm256_unpackhi_pd(c, d));
            let to = to.add(half * to_distance);
            _mm256_storeu_pd(to, _mm256_permute2f128_pd::<0x20>(ab, cd));
            _mm256_storeu_pd(to.add(to_distance), _mm256_permute2f128_pd::<0x20>(ab_high, cd_high));
            _mm256_storeu_pd(to.add(2 * to_distance), _mm256_permute2f128_pd::<0x31>(ab, cd));
            _mm256_storeu_pd(to.add(3 * to_distance), _mm256_permute2f128_pd::<0x31>(ab_high, cd_high));
        }
    }
}

/// The mask of the first `words` words of 32 bits, of fewer than 16.
#[inline(always)]
#[allow(clippy::inline_always)]
fn mask16(words: usize) -> __mmask16 {
    (1 << words) - 1
}

/// The mask of the first `words` words of 32 bits, of fewer than 8.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn mask8(words: usize) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(words as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

/// The first words of 32 bits at `from`.
///
/// # Safety
/// They must be readable; the processor must have AVX-512.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn load_words16(from: *const f32, words: usize) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe { _mm512_maskz_loadu_ps(mask16(words), from) }
}

/// Writes the first words of 32 bits at `to`.
///
/// # Safety
/// They must be writable; the processor must have AVX-512.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn store_words16(to: *mut f32, words: usize, from: __m512) {
    // SAFETY: the caller's promise.
    unsafe { _mm512_mask_storeu_ps(to, mask16(words), from) }
}

/// The first words of 32 bits of a vector, with zeros behind them.
///
/// # Safety
/// The processor must have AVX-512.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn first_words16(from: __m512, words: usize) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe { _mm512_maskz_mov_ps(mask16(words), from) }
}

/// [`load_words16`] of fewer than 8, for AVX2.
///
/// # Safety
/// As there; the processor must have AVX2.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn load_words8(from: *const f32, words: usize) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe { _mm256_maskload_ps(from, mask8(words)) }
}

/// [`first_words16`] of fewer than 8, for AVX2.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn first_words8(from: __m256, words: usize) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe { _mm256_and_ps(from, _mm256_castsi256_ps(mask8(words))) }
}

/// [`store_words16`] of fewer than 8, for AVX2: in parts, as some processors take dozens of cycles to store under a mask.
///
/// # Safety
/// As there; the processor must have AVX2.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn store_words8(mut to: *mut f32, words: usize, from: __m256) {
    // SAFETY: the caller's promise: each part is as long as a binary digit of `words` says.
    unsafe {
        let mut part = _mm256_castps256_ps128(from);
        if words & 4 != 0 {
            _mm_storeu_ps(to, part);
            part = _mm256_extractf128_ps::<1>(from);
            to = to.add(4);
        }
        if words & 2 != 0 {
            _mm_storel_pd(to.cast(), _mm_castps_pd(part));
            part = _mm_movehl_ps(part, part);
            to = to.add(2);
        }
        if words & 1 != 0 {
            _mm_store_ss(to, part);
        }
    }
}

/// [`Vector::even`] of numbers of so many words of 32 bits.
///
/// # Safety
/// The processor must have AVX-512.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn even16(low: __m512, high: __m512, words: usize) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe {
        let places = if words == 1 {
            _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
        } else {
            _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29)
        };
        _mm512_permutex2var_ps(low, places, high)
    }
}

/// The same for AVX2.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn even8(low: __m256, high: __m256, words: usize) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let (low_d, high_d) = (_mm256_castps_pd(low), _mm256_castps_pd(high));
        // Within 128 bits; then the middle two quarters change places.
        let mixed = if words == 1 {
            _mm256_castps_pd(_mm256_shuffle_ps::<0b10_00_10_00>(low, high))
        } else {
            _mm256_unpacklo_pd(low_d, high_d)
        };
        _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(mixed))
    }
}

/// In each of 16 words of 32 bits what the word `step` of them away holds, up or down.
///
/// # Safety
/// The processor must have AVX-512.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn swap16(bits: __m512, step: usize) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe {
        match step {
            8 => _mm512_shuffle_f32x4::<0b01_00_11_10>(bits, bits),
            4 => _mm512_shuffle_f32x4::<0b10_11_00_01>(bits, bits),
            2 => _mm512_permute_ps::<0b01_00_11_10>(bits),
            _ => _mm512_permute_ps::<0b10_11_00_01>(bits),
        }
    }
}

/// [`swap16`] of 8 words, for AVX2.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
#[allow(clippy::inline_always)]
unsafe fn swap8(bits: __m256, step: usize) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        match step {
            4 => _mm256_permute2f128_ps::<0x01>(bits, bits),
            2 => _mm256_permute_ps::<0b01_00_11_10>(bits),
            _ => _mm256_permute_ps::<0b10_11_00_01>(bits),
        }
    }
}

/// Declares a vector type: the bits of one register, taken as single or double precision by the size of `T`,
/// which is `f32` or `f64` because `Float` is sealed.
macro_rules! vector {
    ($name:ident, $bits:ident, $bytes:literal, $level:ident, $to_double:ident, $from_double:ident,
     $zero:ident, $set:ident/$set_d:ident, $load:ident/$load_d:ident, $store:ident/$store_d:ident,
     $fmadd:ident/$fmadd_d:ident, [$($two:ident = $f:ident/$f_d:ident),*],
     $load_words:ident/$store_words:ident/$first_words:ident, $even:ident,
     $swap:ident) => {
        #[doc = concat!("A vector of ", stringify!($bytes), " bytes.")]
        #[derive(Clone, Copy)]
        pub(super) struct $name<T>($bits, PhantomData<T>);

        // SAFETY: (of all blocks) private to this module, the type is only named by the functions above, which
        // enable the instructions; pointers are valid by the contract of `Vector`.
        #[allow(clippy::inline_always)]
        impl<T: Float> Vector<T> for $name<T> {
            const LANES: usize = $bytes / size_of::<T>();
            const LEVEL: Level = Level::$level;
            #[inline(always)]
            fn zero() -> Self {
                $name(unsafe { $zero() }, PhantomData)
            }
            #[inline(always)]
            unsafe fn splat(from: *const T) -> Self {
                let bits = unsafe {
                    if size_of::<T>() == 4 {
                        $set(*from.cast())
                    } else {
                        $from_double($set_d(*from.cast()))
                    }
                };
                $name(bits, PhantomData)
            }
            #[inline(always)]
            unsafe fn load(from: *const T) -> Self {
                let bits = unsafe {
                    if size_of::<T>() == 4 {
                        $load(from.cast())
                    } else {
                        $from_double($load_d(from.cast()))
                    }
                };
                $name(bits, PhantomData)
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut T) {
                unsafe {
                    if size_of::<T>() == 4 {
                        $store(to.cast(), self.0);
                    } else {
                        $store_d(to.cast(), $to_double(self.0));
                    }
                }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const T, count: usize) -> Self {
                $name(unsafe { $load_words(from.cast(), count * (size_of::<T>() / 4)) }, PhantomData)
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut T, count: usize) {
                unsafe { $store_words(to.cast(), count * (size_of::<T>() / 4), self.0) }
            }
            #[inline(always)]
            fn fused(self, a: Self, b: Self) -> Self {
                let bits = unsafe {
                    if size_of::<T>() == 4 {
                        $fmadd(self.0, a.0, b.0)
                    } else {
                        $from_double($fmadd_d($to_double(self.0), $to_double(a.0), $to_double(b.0)))
                    }
                };
                $name(bits, PhantomData)
            }
            #[inline(always)]
            fn even(self, high: Self) -> Self {
                $name(unsafe { $even(self.0, high.0, size_of::<T>() / 4) }, PhantomData)
            }
            #[inline(always)]
            unsafe fn transpose(from: *const T, distance: usize, to: *mut T, to_distance: usize) {
                unsafe {
                    if size_of::<T>() == 4 {
                        single(from.cast(), distance, to.cast(), to_distance);
                    } else {
                        double(from.cast(), distance, to.cast(), to_distance);
                    }
                }
            }
            $(
            #[inline(always)]
            fn $two(self, a: Self) -> Self {
                let bits = unsafe {
                    if size_of::<T>() == 4 {
                        $f(self.0, a.0)
                    } else {
                        $from_double($f_d($to_double(self.0), $to_double(a.0)))
                    }
                };
                $name(bits, PhantomData)
            }
            )*
            #[inline(always)]
            fn swapped(self, step: usize) -> Self {
                $name(unsafe { $swap(self.0, step * (size_of::<T>() / 4)) }, PhantomData)
            }
            #[inline(always)]
            fn first(self, count: usize) -> Self {
                $name(unsafe { $first_words(self.0, count * (size_of::<T>() / 4)) }, PhantomData)
            }
        }
    };
}

vector!(
    Zmm,
    __m512,
    64,
    Avx512,
    _mm512_castps_pd,
    _mm512_castpd_ps,
    _mm512_setzero_ps,
    _mm512_set1_ps / _mm512_set1_pd,
    _mm512_loadu_ps / _mm512_loadu_pd,
    _mm512_storeu_ps / _mm512_storeu_pd,
    _mm512_fmadd_ps / _mm512_fmadd_pd,
    [
        plus = _mm512_add_ps / _mm512_add_pd,
        minus = _mm512_sub_ps / _mm512_sub_pd,
        times = _mm512_mul_ps / _mm512_mul_pd,
        larger = _mm512_max_ps / _mm512_max_pd
    ],
    load_words16 / store_words16 / first_words16,
    even16,
    swap16
);
vector!(
    Ymm,
    __m256,
    32,
    Avx2,
    _mm256_castps_pd,
    _mm256_castpd_ps,
    _mm256_setzero_ps,
    _mm256_set1_ps / _mm256_set1_pd,
    _mm256_loadu_ps / _mm256_loadu_pd,
    _mm256_storeu_ps / _mm256_storeu_pd,
    _mm256_fmadd_ps / _mm256_fmadd_pd,
    [
        plus = _mm256_add_ps / _mm256_add_pd,
        minus = _mm256_sub_ps / _mm256_sub_pd,
        times = _mm256_mul_ps / _mm256_mul_pd,
        larger = _mm256_max_ps / _mm256_max_pd
    ],
    load_words8 / store_words8 / first_words8,
    even8,
    swap8
);
