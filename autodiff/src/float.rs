//! The numbers: [`Float`] for `f32` and `f64`, and [`Real`], all that the formula of a derivative may use.

use crate::kernel::{compiled::Compiled, math};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};
use std::fmt::{Debug, Display, LowerExp};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// What the formula of a value or of a derivative may use.
///
/// It is implemented by the numbers, so that a formula runs as one fused loop, and by
/// [`Tensor`](crate::Tensor), so that the same formula is recorded when a gradient is itself to be differentiated.
pub trait Real:
    Clone + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The number `value`, as something that may be combined with `self`.
    fn constant(&self, value: f64) -> Self;
    /// The number one.
    fn one(&self) -> Self {
        self.constant(1.0)
    }
    /// `eˣ`.
    fn exp(&self) -> Self;
    /// The natural logarithm.
    fn ln(&self) -> Self;
    /// `√x`.
    fn sqrt(&self) -> Self;
    /// `1 / x`.
    fn recip(&self) -> Self;
    /// `x²`.
    fn square(&self) -> Self;
    /// `|x|`.
    fn abs(&self) -> Self;
    /// `-1`, `0` or `1`; NaN stays NaN.
    fn sign(&self) -> Self;
    /// `1` where `x > 0`, else `0`; NaN stays NaN.
    fn step(&self) -> Self;
    /// `max(x, 0)`; NaN stays NaN.
    fn relu(&self) -> Self;
    /// `sin x`, `x` in radians.
    fn sin(&self) -> Self;
    /// `cos x`, `x` in radians.
    fn cos(&self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(&self) -> Self;
    /// `1 / (1 + e⁻ˣ)`.
    fn sigmoid(&self) -> Self;
    /// `ln(1 + eˣ)`, without overflow.
    fn softplus(&self) -> Self;
    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`.
    fn erf(&self) -> Self;
    /// The slope of the Gaussian error linear unit `x Φ(x)`: `Φ(x) + x φ(x)` with the function `Φ(x) = (1 + erf(x/√2)) / 2` and
    /// the density `φ(x) = e^(-x²/2) / √(2π)` of the normal distribution.
    fn gelu_slope(&self) -> Self {
        let (half, scale) = (self.constant(0.5), self.constant(FRAC_1_SQRT_2));
        let density = self.constant(FRAC_2_SQRT_PI / (2.0 * SQRT_2)) * (-half.clone() * self.square()).exp();
        half * (self.one() + (self.clone() * scale).erf()) + self.clone() * density
    }
    /// `xⁿ` for a whole number `n`.
    fn powi(&self, n: i32) -> Self;
    /// `xᵖ`.
    fn powf(&self, p: f64) -> Self;
}

/// Writes [`Elementary`] from the functions in single and in double precision.
macro_rules! elementary {
    ($($(#[$doc:meta])* $name:ident($($other:ident)?) = $single:path, $double:path;)*) => {
        /// Functions of one and of two numbers beside those of [`Real`], with the same bits on every machine: libm's, in pure
        /// Rust, where there is no instruction and no vectorised kernel.
        pub trait Elementary: Sized {
            $($(#[$doc])* fn $name(self $(, $other: Self)?) -> Self;)*
        }

        impl Elementary for f32 {
            $(
                #[inline(always)]
                #[allow(clippy::inline_always)]
                fn $name(self $(, $other: Self)?) -> Self {
                    $single(self $(, $other)?)
                }
            )*
        }

        impl Elementary for f64 {
            $(
                #[inline(always)]
                #[allow(clippy::inline_always)]
                fn $name(self $(, $other: Self)?) -> Self {
                    $double(self $(, $other)?)
                }
            )*
        }
    };
}

elementary! {
    /// `2ˣ`.
    exp2() = math::wide::exp2, libm::exp2;
    /// `eˣ - 1`, exact near 0.
    exp_m1() = math::single::exp_m1, math::double::exp_m1;
    /// `ln(1 + x)`, exact near 0.
    ln_1p() = math::wide::ln_1p, libm::log1p;
    /// The logarithm to base 2.
    log2() = math::wide::log2, libm::log2;
    /// The logarithm to base 10.
    log10() = math::wide::log10, libm::log10;
    /// The tangent.
    tan() = math::wide::tan, libm::tan;
    /// The angle in `[-π/2, π/2]` whose sine is `x`.
    asin() = math::wide::asin, libm::asin;
    /// The angle in `[0, π]` whose cosine is `x`.
    acos() = math::wide::acos, libm::acos;
    /// The angle in `(-π/2, π/2)` whose tangent is `x`.
    atan() = math::wide::atan, libm::atan;
    /// The hyperbolic sine `(eˣ - e⁻ˣ) / 2`.
    sinh() = math::wide::sinh, libm::sinh;
    /// The hyperbolic cosine `(eˣ + e⁻ˣ) / 2`.
    cosh() = math::wide::cosh, libm::cosh;
    /// The number whose hyperbolic sine is `x`.
    asinh() = math::wide::asinh, libm::asinh;
    /// The positive number whose hyperbolic cosine is `x`.
    acosh() = math::wide::acosh, libm::acosh;
    /// The number whose hyperbolic tangent is `x`.
    atanh() = math::wide::atanh, libm::atanh;
    /// `1 - erf(x)`, without cancellation.
    erfc() = math::wide::erfc, libm::erfc;
    /// The next whole number towards -∞.
    floor() = f32::floor, f64::floor;
    /// The next whole number towards ∞.
    ceil() = f32::ceil, f64::ceil;
    /// The next whole number towards 0.
    trunc() = f32::trunc, f64::trunc;
    /// The nearest whole number, of two equally near the even one.
    round() = f32::round_ties_even, f64::round_ties_even;
    /// The angle of the point `(x, y)`, of which this is `y`, in `[-π, π]`.
    atan2(x) = math::wide::atan2, libm::atan2;
    /// `√(x² + y²)`, without overflow.
    hypot(other) = math::wide::hypot, libm::hypot;
    /// `xʸ`; NaN for a negative `x` unless `y` is a whole number.
    pow(exponent) = math::wide::pow, libm::pow;
    /// `x - y trunc(x / y)`, exactly.
    fmod(divisor) = math::wide::fmod, libm::fmod;
}

/// An element of a differentiable tensor: `f32` or `f64`. Sealed.
pub trait Float:
    Real + Elementary + Compiled + AddAssign + PartialOrd + Display + LowerExp + Debug + Default + Copy
{
    /// The number zero.
    const ZERO: Self;
    /// The number one.
    const ONE: Self;
    /// Negative infinity.
    const NEG_INFINITY: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// The distance from one to the next larger number.
    const EPSILON: Self;
    /// The name of the type: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The number nearest to `value`.
    fn from_f64(value: f64) -> Self;
    /// The same number in double precision.
    fn to_f64(self) -> f64;
    /// Whether this is not a number.
    fn is_nan(self) -> bool;
    /// The larger of two numbers; NaN if either is NaN.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn maximum(self, other: Self) -> Self {
        if self > other || self.is_nan() { self } else { other }
    }
    /// The smaller of two numbers; NaN if either is NaN.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn minimum(self, other: Self) -> Self {
        if self < other || self.is_nan() { self } else { other }
    }
    /// `self * a + b`, rounded once. For kernels that are compiled with hardware support: elsewhere it is slow.
    fn fused(self, a: Self, b: Self) -> Self;
}

macro_rules! float {
    ($t:ident, $math:ident) => {
        #[allow(clippy::inline_always)]
        impl Real for $t {
            #[inline(always)]
            fn constant(&self, value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn exp(&self) -> Self {
                math::$math::exp(*self)
            }
            #[inline(always)]
            fn ln(&self) -> Self {
                math::$math::ln(*self)
            }
            #[inline(always)]
            fn sqrt(&self) -> Self {
                <$t>::sqrt(*self)
            }
            #[inline(always)]
            fn recip(&self) -> Self {
                1.0 / self
            }
            #[inline(always)]
            fn square(&self) -> Self {
                self * self
            }
            #[inline(always)]
            fn abs(&self) -> Self {
                <$t>::abs(*self)
            }
            #[inline(always)]
            fn sign(&self) -> Self {
                if *self > 0.0 {
                    1.0
                } else if *self < 0.0 {
                    -1.0
                } else {
                    self * 0.0
                }
            }
            #[inline(always)]
            fn step(&self) -> Self {
                if *self > 0.0 {
                    1.0
                } else if *self <= 0.0 {
                    0.0
                } else {
                    *self
                }
            }
            #[inline(always)]
            fn relu(&self) -> Self {
                Float::maximum(*self, 0.0)
            }
            #[inline(always)]
            fn sin(&self) -> Self {
                math::$math::sin(*self)
            }
            #[inline(always)]
            fn cos(&self) -> Self {
                math::$math::cos(*self)
            }
            #[inline(always)]
            fn tanh(&self) -> Self {
                math::$math::tanh(*self)
            }
            #[inline(always)]
            fn sigmoid(&self) -> Self {
                math::$math::sigmoid(*self)
            }
            #[inline(always)]
            fn softplus(&self) -> Self {
                math::$math::softplus(*self)
            }
            #[inline(always)]
            fn erf(&self) -> Self {
                math::$math::erf(*self)
            }
            #[inline(always)]
            fn gelu_slope(&self) -> Self {
                math::$math::gelu_slope(*self)
            }
            #[inline(always)]
            fn powi(&self, n: i32) -> Self {
                let x = *self;
                // The common ones without a call, so that loops become vector code; with the same bits.
                match n {
                    -2 => 1.0 / (x * x),
                    -1 => 1.0 / x,
                    0 => 1.0,
                    1 => x,
                    2 => x * x,
                    3 => x * (x * x),
                    4 => (x * x) * (x * x),
                    n => <$t>::powi(x, n),
                }
            }
            #[inline(always)]
            fn powf(&self, p: f64) -> Self {
                self.pow(p as $t)
            }
        }

        #[allow(clippy::inline_always)]
        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = <$t>::INFINITY;
            const NEG_INFINITY: Self = <$t>::NEG_INFINITY;
            const NAN: Self = <$t>::NAN;
            const EPSILON: Self = <$t>::EPSILON;
            const NAME: &'static str = stringify!($t);
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                <$t>::is_nan(self)
            }
            #[inline(always)]
            fn fused(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
        }
    };
}

float!(f32, single);
float!(f64, double);
