//! Single precision: branch-free, so that loops over it vectorise.

use std::f32::consts::{LN_2, LOG2_E};

/// `1.5 * 2^23`: adding it rounds a number below `2^22` to an integer, which then sits in the low bits. A
/// cast would do the same, but it saturates, and that costs more than the rest of an exponential.
const ROUND: f32 = 12_582_912.0;
/// What the exponent of a number is larger by in its bits.
const BIAS: i32 = 127;
/// The upper bits of `ln 2`, few enough that the product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_145_75;
/// `ln 2 - LN_2_HIGH`.
const LN_2_LOW: f32 = 1.428_606_8e-6;
/// The exponent of what small exponentials are multiplied by, so that none of them is subnormal.
const UP: i32 = 64;
/// `2⁶⁴`.
const UP_FACTOR: f32 = (1_u128 << UP) as f32;
/// The sign bit.
const SIGN: u32 = 1 << 31;

/// The polynomial with these coefficients, that of the highest power first, by Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut y = coefficients[0];
    for &c in &coefficients[1..] {
        y = y.mul_add(x, c);
    }
    y
}

/// `eˣ`, as `2ⁿ eʳ` for the integer `n` nearest to `x / ln 2`, with a polynomial of degree 6 for `eʳ`.
///
/// Error: at most 1.03 ulp. It becomes infinite, subnormal and zero where the exact result, rounded,
/// does.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // From here on the result is infinite, and from there down zero. In this direction a comparison keeps NaN, here and
    // below.
    let inside = if x > 89.0 { 89.0 } else { x };
    let (n, p) = split_exp(if inside < -105.0 { -105.0 } else { inside }, 2 * BIAS);
    // 2^n in two factors: each is a normal number, and only the last product can overflow or lose bits. The sum of
    // both exponents, biases included, is what is left in n; the upper half of its bits is one of them.
    let half = (n << 22) & !((1 << 23) - 1);
    let (first, second) = (f32::from_bits(half), f32::from_bits((n << 23).wrapping_sub(half)));
    p.mul_add(first, first) * second
}

/// `2⁶⁴ e^(-|x|)`: a normal number, which costs less than one that may lose bits.
#[inline(always)]
fn exp_down(x: f32) -> f32 {
    // From here on, what is left of it is zero without the 2^64.
    let a = x.abs();
    let (n, p) = split_exp(-if a > 105.0 { 105.0 } else { a }, BIAS + UP);
    let power = f32::from_bits(n << 23);
    p.mul_add(power, power)
}

/// `n + bias`, in the low bits, and `p` with `eˣ = 2ⁿ (1 + p)` and `|p| < 0.42`, for `|x|` below `2^21`.
#[inline(always)]
fn split_exp(x: f32, bias: i32) -> (u32, f32) {
    let round = ROUND + bias as f32;
    let shifted = x.mul_add(LOG2_E, round);
    let n = shifted - round;
    (shifted.to_bits(), exp_m1_near(n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x))))
}

/// Of `(eʳ - 1 - r) / r²` for `|r| <= ln 2 / 2`.
const EXP_REST: [f32; 5] = [0.001_386_401_4, 0.008_367_603, 0.041_667_238, 0.166_665_33, 0.5];

/// `eʳ - 1` for `|r| <= ln 2 / 2`.
#[inline(always)]
fn exp_m1_near(r: f32) -> f32 {
    (r * r).mul_add(polynomial(r, EXP_REST), r)
}

/// `eˣ - 1`, exact near zero, from the parts of the exponential before they are put together.
///
/// Error: at most 1.5 ulp. The sign of zero is kept; it becomes infinite where the exact result, rounded, does.
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    // From here down the result is -1, and up it is infinite.
    let inside = if x < -18.0 { -18.0 } else { x };
    let inside = if inside > 89.0 { 89.0 } else { inside };
    // Half of 2^n is a normal number, even for the largest n; so the last product alone can overflow.
    let (n, p) = split_exp(inside, BIAS - 1);
    let half = f32::from_bits(n << 23);
    (2.0 * half.mul_add(p, half - 0.5)).copysign(x)
}

/// The natural logarithm, as `k ln 2 + ln(1 + f)` with `1 + f` between `√½` and `√2`.
///
/// With `s = f / (2 + f)`, `ln(1 + f) = 2 artanh s = f - f²/2 + s (f²/2 + r)`, where `r = 2s²/3 + 2s⁴/5 +
/// …` is fitted to degree 6: rounding touches only the small terms.
///
/// Error: at most 0.84 ulp, subnormal `x` included. The logarithm of zero is negative infinity, that of a
/// negative number is NaN.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    const SQRT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    const MANTISSA: u32 = (1 << 23) - 1;
    let subnormal = x < f32::MIN_POSITIVE;
    // Counting from √½ lets the exponent change there and not at 1, near which the terms would cancel.
    let bits = (if subnormal { x * 8_388_608.0 } else { x }).to_bits().wrapping_sub(SQRT_HALF);
    let k = (bits as i32 >> 23) as f32;
    let k = if subnormal { k - 23.0 } else { k };
    let f = f32::from_bits((bits & MANTISSA).wrapping_add(SQRT_HALF)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let r = polynomial(z, [0.298_709_42, 0.399_775_8, 0.666_667_76]);
    let half_square = 0.5 * f * f;
    let small = s.mul_add(r.mul_add(z, half_square), k * LN_2_LOW);
    let y = k.mul_add(LN_2_HIGH, (small - half_square) + f);
    // Infinity and NaN are their own logarithms.
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x == 0.0 { f32::NEG_INFINITY } else { y }
}

/// The sine, `x` in radians: the angle modulo `π/2`, then polynomials of degree 7 for the sine, 8 for the
/// cosine.
///
/// Error: at most 1.55 ulp, however large `x` is. The sign of zero is kept; the sine of infinity is NaN.
#[inline(always)]
pub(crate) fn sin(x: f32) -> f32 {
    let (r, n) = quadrant(x.abs());
    turn(r as f32, n, x.to_bits() & SIGN)
}

/// The cosine, `x` in radians, computed as the sine is.
///
/// Error: at most 1.55 ulp, however large `x` is. The cosine of infinity is NaN.
#[inline(always)]
pub(crate) fn cos(x: f32) -> f32 {
    let (r, n) = quadrant(x.abs());
    turn(r as f32, n.wrapping_add(1), 0)
}

/// `r` and `n` with `a = r + n π/2` and `|r| <= π/4`, for `a >= 0`; `n` modulo `2^32`.
///
/// In double precision, after Payne and Hanek: the bits of `2/π` are cut into pieces of 26, whose
/// products with the 24 bits of `a` are exact. Pieces for which the product is a multiple of 4 turn full
/// circles and are left out; of the others the first two, and the rest as one number, determine the
/// angle.
#[inline(always)]
pub(super) fn quadrant(a: f32) -> (f64, u32) {
    // As for single precision: it rounds what is below 2^51.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // From these arguments on, one piece can be left out, two, three.
    const BOUNDS: [f64; 3] = [(1_u128 << 51) as f64, (1_u128 << 77) as f64, (1_u128 << 103) as f64];
    const PIECES: [f64; 5] = [
        0.636_619_761_586_189_3,
        1.078_139_200_139_105_5e-8,
        7.166_494_634_684_664e-17,
        2.765_304_029_256_071_3e-24,
        1.018_166_407_313_423_3e-32,
    ];
    // What is left of 2/π after two pieces, three, four, five.
    const RESTS: [f64; 4] = [
        7.166_494_911_215_068e-17,
        2.765_304_039_437_735_7e-24,
        1.018_166_438_749_971e-32,
        3.143_654_755_491_604_5e-40,
    ];
    let x = f64::from(a);
    // Masks, as chains of selects between numbers become loads from a table, element by element.
    let masks = BOUNDS.map(|bound| if x >= bound { u64::MAX } else { 0 });
    let pick = |c: [f64; 4]| {
        let c = c.map(f64::to_bits);
        let change = |i: usize| masks[i] & (c[i] ^ c[i + 1]);
        f64::from_bits(c[0] ^ change(0) ^ change(1) ^ change(2))
    };
    let first = x * pick([PIECES[0], PIECES[1], PIECES[2], PIECES[3]]);
    let second = x * pick([PIECES[1], PIECES[2], PIECES[3], PIECES[4]]);
    let rest = x * pick(RESTS);
    let n_first = first + ROUND;
    let n_second = second + ROUND;
    let sum = ((first - (n_first - ROUND)) + (second - (n_second - ROUND))) + rest;
    let n_sum = sum + ROUND;
    let r = (sum - (n_sum - ROUND)) * std::f64::consts::FRAC_PI_2;
    let n = n_first.to_bits().wrapping_add(n_second.to_bits()).wrapping_add(n_sum.to_bits());
    (r, n as u32)
}

/// `sin(r + n π/2)`, its sign bit flipped where `sign` has it set.
#[inline(always)]
fn turn(r: f32, n: u32, sign: u32) -> f32 {
    let z = r * r;
    let s = polynomial(z, [-0.000_195_184_07, 0.008_332_19, -0.166_666_55]);
    let s = (z * s).mul_add(r, r);
    let c = polynomial(z, [2.443_066_8e-5, -0.001_388_730_1, 0.041_666_646]);
    let c = 1.0 - (z * z).mul_add(-c, 0.5 * z);
    let y = if n & 1 == 0 { s } else { c };
    f32::from_bits(y.to_bits() ^ sign ^ ((n << 30) & SIGN))
}

/// The hyperbolic tangent, as `-m / (2 + m)` with `m = e^(-2|x|) - 1`, and with the sign of `x`.
///
/// `m` comes from the parts of the exponential before they are put together, so that nothing cancels near
/// zero. It is half of the exponent that is reduced, by multiples of `ln 2 / 2` as it is rounded: what that loses counts only
/// for large `|x|`, where `m` hardly changes.
///
/// Error: at most 2.5 ulp. The sign of zero is kept; at infinity, and from 9.02 on, it is one.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    const BIASED: f32 = ROUND + BIAS as f32;
    // Of `(e²ʳ - 1 - 2r) / r²`.
    const REST: [f32; 5] =
        [64.0 * EXP_REST[0], 32.0 * EXP_REST[1], 16.0 * EXP_REST[2], 8.0 * EXP_REST[3], 4.0 * EXP_REST[4]];
    // From 9.5 on, m is -1 to the last bit; below, 2^n is a normal number.
    let a = x.abs();
    let a = if a > 9.5 { 9.5 } else { a };
    let shifted = a.mul_add(-2.0 * LOG2_E, BIASED);
    let r = (shifted - BIASED).mul_add(-0.5 * LN_2, -a);
    let p = (r * r).mul_add(polynomial(r, REST), 2.0 * r);
    let power = f32::from_bits(shifted.to_bits() << 23);
    let m = power.mul_add(p, power - 1.0);
    (m / (2.0 + m)).copysign(x)
}

/// `1 / (1 + e⁻ˣ)`, from `z = e^(-|x|)`: `1 / (1 + z)`, and `z / (1 + z)` for negative `x`.
///
/// Error: at most 2.41 ulp. For very negative `x` it becomes subnormal and zero as the exponential does.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let z = exp_down(x);
    (if x < 0.0 { z } else { UP_FACTOR }) / (UP_FACTOR + z)
}

/// `ln(1 + eˣ)`, as `max(x, 0) + ln(1 + z)` with `z = e^(-|x|)`.
///
/// With `s = z / (2 + z)`, `ln(1 + z) = 2 artanh s = z - s (z - r)`, where `r = 2s²/3 + 2s⁴/5 + …` is
/// fitted to degree 8.
///
/// Error: at most 1.89 ulp. For very negative `x` it becomes subnormal and zero as the exponential does;
/// for large `x` it is `x`, infinity included.
#[inline(always)]
pub(crate) fn softplus(x: f32) -> f32 {
    let z = exp_down(x);
    let s = z / (2.0 * UP_FACTOR + z);
    let z = z * (1.0 / UP_FACTOR);
    let t = s * s;
    let r = polynomial(t, [0.280_263_6, 0.279_986_65, 0.400_217_35, 0.666_664_1]);
    (if x < 0.0 { 0.0 } else { x }) + s.mul_add(r.mul_add(t, -z), z)
}

/// The slope of the Gaussian error linear unit `x Φ(x)`: `Φ(x) + x φ(x)` with the function and the density of the normal
/// distribution.
///
/// With `a = |x|`, `Φ(-a) - a φ(a)` is `e^(-a²/2) p(a) / q(a)`, with `p` of degree 5 and `q` of degree 4. Of their coefficients
/// all but the first of `p` have one sign, so that nothing cancels but where the slope has its zero. The square enters the
/// exponential unrounded: what it would lose counts there. Of `2⁶⁴ e^(-a²/2)` all numbers are normal; `p` holds the `2⁻⁶⁴`, so
/// that only the quotient can lose bits.
///
/// Error: at most 5.84 ulp of `Φ(x) + |x| φ(x)`.
#[inline(always)]
pub(crate) fn gelu_slope(x: f32) -> f32 {
    const DOWN: f32 = 1.0 / UP_FACTOR;
    const BIASED: f32 = ROUND + (BIAS + UP) as f32;
    // From 15 on, what is left is zero.
    let a = x.abs();
    let a = if a > 15.0 { 15.0 } else { a };
    let minus_half = -0.5 * a;
    let shifted = (minus_half * a).mul_add(LOG2_E, BIASED);
    let n = shifted - BIASED;
    let r = n.mul_add(-LN_2_LOW, minus_half.mul_add(a, n * -LN_2_HIGH));
    let power = f32::from_bits(shifted.to_bits() << 23);
    let e = power.mul_add(exp_m1_near(r), power);
    let p = [
        -0.011_957_41 * DOWN,
        -0.099_435_07 * DOWN,
        -0.343_321_47 * DOWN,
        -0.522_011_94 * DOWN,
        -0.104_682_6 * DOWN,
        0.554_25 * DOWN,
    ];
    let q = [0.029_972_646, 0.249_253_59, 0.890_405_24, 1.559_544_3, 1.108_5];
    let below = e * polynomial(a, p) / polynomial(a, q);
    if x < 0.0 { below } else { 1.0 - below }
}

/// The error function `2/√π ∫₀ˣ e^(-t²) dt`, for `|x|` and with the sign of `x`.
///
/// Below one it is `a + a p(a²)` with `p` of degree 6, from there on `1 - w(a)⁻⁸` with `w` of degree 7:
/// an exponential is not needed, and as `w` grows the power can only tend to zero.
///
/// Error: at most 2.44 ulp. The sign of zero is kept; from 3.93 on, and at infinity, it is one.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let a = x.abs();
    let z = a * a;
    let p = [
        7.806_903e-5,
        -0.000_799_785_3,
        0.005_187_162,
        -0.026_853_347,
        0.112_835_79,
        -0.376_126_26,
        0.128_379_17,
    ];
    let w = [
        0.000_543_666_3,
        -0.004_002_158,
        0.017_750_742,
        -0.033_031_028,
        0.073_736_21,
        0.049_417_105,
        0.159_210_59,
        0.996_486_96,
    ];
    let w = polynomial(a, w);
    let w = w * w;
    let w = w * w;
    let y = if a < 1.0 { a.mul_add(polynomial(z, p), a) } else { 1.0 - 1.0 / (w * w) };
    y.copysign(x)
}
