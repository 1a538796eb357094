//! Functions of single precision by way of double precision.
//!
//! Formulas as plain as those of a textbook, in twice the precision: what they lose by rounding and cancellation lies below
//! what a result in single precision shows, so that it is the exact one rounded, or nearly halfway between two numbers.
//! Branch-free, so that loops over them vectorise: half as many at a time as in single precision, but without its tricks.
//!
//! Errors were measured against `libm` in double precision over one `f32` number in 61: each function is off by at most 0.501
//! ulp. Special values are those of IEEE 754 and the C library.

use super::single::quadrant;
use std::f64::consts::{FRAC_PI_2, LN_2, LOG2_E, LOG10_E, PI};

/// The polynomial with these coefficients, that of the highest power first, by Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut y = coefficients[0];
    for &c in &coefficients[1..] {
        y = y.mul_add(x, c);
    }
    y
}

/// `2ʸ`, infinite or zero in single precision beyond `±200`.
#[inline(always)]
fn exp2_wide(y: f64) -> f64 {
    // It rounds what is below 2^51 to an integer, which then sits in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const BIAS: f64 = 1023.0;
    // A comparison that is false keeps NaN.
    let inside = if y > 200.0 { 200.0 } else { y };
    let inside = if inside < -200.0 { -200.0 } else { inside };
    let shifted = inside + (ROUND + BIAS);
    let n = shifted - (ROUND + BIAS);
    let power = f64::from_bits(shifted.to_bits() << 52);
    power * exp_near((inside - n) * LN_2)
}

/// `eʳ` for `|r| <= ln 2 / 2`, by Taylor's series.
#[inline(always)]
fn exp_near(r: f64) -> f64 {
    polynomial(
        r,
        [
            1.0 / 39_916_800.0,
            1.0 / 3_628_800.0,
            1.0 / 362_880.0,
            1.0 / 40_320.0,
            1.0 / 5040.0,
            1.0 / 720.0,
            1.0 / 120.0,
            1.0 / 24.0,
            1.0 / 6.0,
            0.5,
            1.0,
            1.0,
        ],
    )
}

/// `eˣ`, infinite or zero in single precision beyond `±138`.
#[inline(always)]
fn exp_wide(x: f64) -> f64 {
    exp2_wide(x * LOG2_E)
}

/// The natural logarithm of what is zero, or not subnormal.
///
/// As `k ln 2 + 2 artanh s` with `s = f / (2 + f)` and `1 + f` between `√½` and `√2`, by the series of `artanh`.
#[inline(always)]
fn ln_wide(x: f64) -> f64 {
    const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    const MANTISSA: u64 = (1 << 52) - 1;
    // What turns an integer below 2^51 into a number that it is the low bits of.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    // The exponent, without a conversion from 64 bits, which processors before AVX-512 lack.
    let k = f64::from_bits(ROUND.to_bits().wrapping_add(((bits >> 52) ^ 0x800).wrapping_sub(0x800))) - ROUND;
    let f = f64::from_bits((bits & MANTISSA).wrapping_add(SQRT_HALF)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let series =
        [2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0, 2.0];
    let y = k.mul_add(LN_2, s * polynomial(z, series));
    // Infinity and NaN are their own logarithms.
    let y = if x < f64::INFINITY { y } else { x };
    let y = if x < 0.0 { f64::NAN } else { y };
    if x == 0.0 { f64::NEG_INFINITY } else { y }
}

/// `2ˣ`.
#[inline(always)]
pub(crate) fn exp2(x: f32) -> f32 {
    exp2_wide(f64::from(x)) as f32
}

/// `ln(1 + x)`, exact near zero.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let x = f64::from(x);
    // Near zero 1 + x would be rounded; and the sign of zero is kept.
    let near = x * polynomial(x, [-0.25, 1.0 / 3.0, -0.5, 1.0]);
    (if x.abs() < 1e-3 { near } else { ln_wide(1.0 + x) }) as f32
}

/// The logarithm to base 2, exact for powers of it.
#[inline(always)]
pub(crate) fn log2(x: f32) -> f32 {
    (ln_wide(f64::from(x)) * LOG2_E) as f32
}

/// The logarithm to base 10, exact for powers of it.
#[inline(always)]
pub(crate) fn log10(x: f32) -> f32 {
    (ln_wide(f64::from(x)) * LOG10_E) as f32
}

/// The tangent, `x` in radians: the angle modulo `π/2`, then sine over cosine, or the other way round, by Taylor's series.
#[inline(always)]
pub(crate) fn tan(x: f32) -> f32 {
    let (r, n) = quadrant(x.abs());
    let z = r * r;
    let sine = [
        -1.0 / 1_307_674_368_000.0,
        1.0 / 6_227_020_800.0,
        -1.0 / 39_916_800.0,
        1.0 / 362_880.0,
        -1.0 / 5040.0,
        1.0 / 120.0,
        -1.0 / 6.0,
        1.0,
    ];
    let cosine = [
        -1.0 / 87_178_291_200.0,
        1.0 / 479_001_600.0,
        -1.0 / 3_628_800.0,
        1.0 / 40_320.0,
        -1.0 / 720.0,
        1.0 / 24.0,
        -0.5,
        1.0,
    ];
    let (s, c) = (r * polynomial(z, sine), polynomial(z, cosine));
    let y = if n & 1 == 0 { s / c } else { -c / s };
    (if x.is_sign_negative() { -y } else { y }) as f32
}

/// `(asin x - x) / x³` for `x²` up to a quarter, as a function of that.
const ASIN: [f64; 8] = [
    0.029_305_239_705_442_607,
    0.005_443_185_102_648_374,
    0.019_306_260_869_405_265,
    0.022_132_443_623_419_724,
    0.030_397_634_130_581_42,
    0.044_642_358_484_883_155,
    0.075_000_005_988_290_49,
    0.166_666_666_654_950_86,
];

/// The angle in `[-π/2, π/2]` whose sine is `x`: by a polynomial up to ½, and as `π/2 - 2 asin √((1 - x)/2)` beyond.
#[inline(always)]
pub(crate) fn asin(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let far = a > 0.5;
    let z = if far { 0.5 - 0.5 * a } else { a * a };
    let s = if far { z.sqrt() } else { a };
    let y = (s * z).mul_add(polynomial(z, ASIN), s);
    let y = if far { FRAC_PI_2 - 2.0 * y } else { y };
    (y as f32).copysign(x)
}

/// The angle in `[0, π]` whose cosine is `x`: `π/2 - asin x` up to ½, and `2 asin √((1 - x)/2)` beyond, or `π` less that.
#[inline(always)]
pub(crate) fn acos(x: f32) -> f32 {
    let (x, a) = (f64::from(x), f64::from(x.abs()));
    let far = a > 0.5;
    let z = if far { 0.5 - 0.5 * a } else { a * a };
    let s = if far { z.sqrt() } else { x };
    let y = (s * z).mul_add(polynomial(z, ASIN), s);
    let beyond = if x < 0.0 { PI - 2.0 * y } else { 2.0 * y };
    (if far { beyond } else { FRAC_PI_2 - y }) as f32
}

/// The angle whose tangent is `t`, between 0 and 1.
#[inline(always)]
fn atan_wide(t: f64) -> f64 {
    let z = t * t;
    let rest = [
        -0.000_377_885_807_664_385_9,
        0.002_875_485_609_931_630_5,
        -0.010_257_166_271_466_982,
        0.023_248_373_698_383_448,
        -0.038_767_022_568_472_14,
        0.052_943_908_816_162_35,
        -0.064_870_623_566_048_43,
        0.076_542_954_726_438_6,
        -0.090_856_241_778_869_61,
        0.111_106_663_036_254_05,
        -0.142_856_945_706_402_92,
        0.199_999_996_526_934_5,
        -0.333_333_333_323_085_8,
    ];
    (t * z).mul_add(polynomial(z, rest), t)
}

/// The angle in `(-π/2, π/2)` whose tangent is `x`: beyond 1 it is `π/2` less that of the reciprocal.
#[inline(always)]
pub(crate) fn atan(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let far = a > 1.0;
    let y = atan_wide(if far { 1.0 / a } else { a });
    ((if far { FRAC_PI_2 - y } else { y }) as f32).copysign(x)
}

/// The angle of the point `(x, y)` in `[-π, π]`.
#[inline(always)]
pub(crate) fn atan2(y: f32, x: f32) -> f32 {
    let (a, b) = (f64::from(y.abs()), f64::from(x.abs()));
    let steep = a > b;
    let (low, high) = if steep { (b, a) } else { (a, b) };
    // Of two zeros, and of two infinities, the quotient would be NaN.
    let t = if low == high { if low == 0.0 { 0.0 } else { 1.0 } } else { low / high };
    let angle = atan_wide(t);
    let angle = if steep { FRAC_PI_2 - angle } else { angle };
    ((if x.is_sign_negative() { PI - angle } else { angle }) as f32).copysign(y)
}

/// The hyperbolic sine `(eˣ - e⁻ˣ) / 2`: near zero by Taylor's series.
#[inline(always)]
pub(crate) fn sinh(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let z = a * a;
    let series = [
        1.0 / 6_227_020_800.0,
        1.0 / 39_916_800.0,
        1.0 / 362_880.0,
        1.0 / 5040.0,
        1.0 / 120.0,
        1.0 / 6.0,
        1.0,
    ];
    let near = a * polynomial(z, series);
    let e = exp_wide(a);
    ((if a < 1.0 { near } else { 0.5 * (e - 1.0 / e) }) as f32).copysign(x)
}

/// The hyperbolic cosine `(eˣ + e⁻ˣ) / 2`.
#[inline(always)]
pub(crate) fn cosh(x: f32) -> f32 {
    let e = exp_wide(f64::from(x.abs()));
    (0.5 * (e + 1.0 / e)) as f32
}

/// The number whose hyperbolic sine is `x`: `ln(x + √(x² + 1))`, near zero by Taylor's series.
#[inline(always)]
pub(crate) fn asinh(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let z = a * a;
    let near = a * polynomial(z, [3.0 / 40.0, -1.0 / 6.0, 1.0]);
    ((if a < 1e-3 { near } else { ln_wide(a + (z + 1.0).sqrt()) }) as f32).copysign(x)
}

/// The positive number whose hyperbolic cosine is `x`: `ln(x + √(x² - 1))`.
#[inline(always)]
pub(crate) fn acosh(x: f32) -> f32 {
    let x = f64::from(x);
    // The square of a negative number would be one of a number that is not.
    let y = ln_wide(x + ((x - 1.0) * (x + 1.0)).sqrt());
    (if x < 1.0 { f64::NAN } else { y }) as f32
}

/// The number whose hyperbolic tangent is `x`: `ln((1 + x)/(1 - x)) / 2`, near zero by Taylor's series.
#[inline(always)]
pub(crate) fn atanh(x: f32) -> f32 {
    let x = f64::from(x);
    let near = x * polynomial(x * x, [0.2, 1.0 / 3.0, 1.0]);
    (if x.abs() < 1e-3 { near } else { 0.5 * ln_wide((1.0 + x) / (1.0 - x)) }) as f32
}

/// `1 - erf(x)`, without cancellation: for `a = |x|` as `e^(-a²) p(t) / (1 + 2a)` with `t = (a - 3.75) / (a + 3.75)`, after
/// Shepherd and Laframboise (Mathematics of Computation 36, 1981), and as 2 less that for negative `x`.
#[inline(always)]
pub(crate) fn erfc(x: f32) -> f32 {
    // From there on what is left is zero.
    let a = f64::from(x.abs());
    let a = if a > 10.2 { 10.2 } else { a };
    let t = (a - 3.75) / (a + 3.75);
    let p = [
        3.269_083_393_133_415e-5,
        4.410_663_116_818_838e-5,
        -0.000_302_706_133_843_193_55,
        0.000_293_660_898_067_677_1,
        0.001_760_841_476_952_129_9,
        -0.009_745_636_917_131_898,
        0.028_361_251_881_684_566,
        -0.058_693_629_387_570_54,
        0.092_304_423_735_563_86,
        -0.108_803_910_026_426_23,
        0.082_276_733_684_474_11,
        0.003_585_414_915_904_642,
        -0.140_240_598_514_475_84,
        1.237_512_630_840_087,
    ];
    let y = exp_wide(-a * a) * polynomial(t, p) / 2.0_f64.mul_add(a, 1.0);
    (if x < 0.0 { 2.0 - y } else { y }) as f32
}

/// `√(x² + y²)`, without overflow: that of an infinite number and any other is infinite.
#[inline(always)]
pub(crate) fn hypot(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x.abs()), f64::from(y.abs()));
    let length = x.mul_add(x, y * y).sqrt();
    (if x == f64::INFINITY || y == f64::INFINITY { f64::INFINITY } else { length }) as f32
}

/// `xʸ`: `e^(y ln |x|)`, with the sign of `x` where `y` is odd; NaN for negative `x` unless `y` is a whole number.
#[inline(always)]
pub(crate) fn pow(x: f32, y: f32) -> f32 {
    let (base, exponent) = (f64::from(x.abs()), f64::from(y));
    let power = exp_wide(exponent * ln_wide(base)) as f32;
    // Where infinity would be multiplied by the logarithm of 1, and zero by that of anything.
    let power = if base == 1.0 && !y.is_nan() || y == 0.0 || x == 1.0 { 1.0 } else { power };
    let whole = y.trunc() == y;
    let half = 0.5 * y;
    let odd = whole && half.trunc() != half;
    let power = if odd { power.copysign(x) } else { power };
    if x < 0.0 && x > f32::NEG_INFINITY && !whole { f32::NAN } else { power }
}

/// `x - y trunc(x / y)`, exactly.
///
/// A quotient below `2^28` is so far from a whole number, unless it is one, that rounding it does not make it one; and the
/// rest is a number of single precision. Larger ones take the long division of `libm`.
#[inline(always)]
pub(crate) fn fmod(x: f32, y: f32) -> f32 {
    const SHORT: f64 = (1_u64 << 28) as f64;
    let (a, b) = (f64::from(x), f64::from(y));
    let quotient = (a / b).trunc();
    if quotient.abs() < SHORT && b.abs() < f64::INFINITY {
        (b.mul_add(-quotient, a) as f32).copysign(x)
    } else {
        libm::fmodf(x, y)
    }
}
