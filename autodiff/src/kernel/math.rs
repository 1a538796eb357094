//! Elementary functions that the compiler can turn into vector code.
//!
//! The functions of `std` call the C library once per element, which stops vectorisation. Those in [`single`]
//! are straight-line arithmetic with selects: a loop over them that is compiled for an instruction set (see
//! [`dispatch`](super::dispatch)) works on four, eight or sixteen elements at a time. What they fuse (a product and a
//! sum, rounded once) is written out, so that a result has the same bits at every level and in every loop; only
//! which NaN it is may differ. A processor without that instruction (x86-64 before 2013) has it done by the C library:
//! with the same bits, but slowly.
//!
//! Those in [`double`] serve gradient checks, where accuracy matters and speed does not: they defer to `std`
//! and `libm`, and only arrange the formulas so that nothing overflows or cancels.
//!
//! The coefficients are minimax fits: weighted least squares on Chebyshev nodes, reweighted until the error
//! levels out, each coefficient rounded in turn and those after it fitted again. An error is the distance
//! from the exact result in units in the last place (ulp) of that result. Those stated for single precision
//! were measured against double precision: over every `f32` number in the range where the function is not
//! trivial (one sign only where the other mirrors it), over one in 61 elsewhere.

// Only inlined code is compiled for the instruction set of its caller.
#![allow(clippy::inline_always)]

/// Single precision: branch-free, so that loops over it vectorise.
pub(crate) mod single {
    use std::f32::consts::LOG2_E;

    /// `1.5 * 2^23`: adding it rounds a number below `2^22` to an integer, which then sits in the low bits. A
    /// cast would do the same, but it saturates, and that costs more than the rest of an exponential.
    const ROUND: f32 = 12_582_912.0;
    /// What the exponent of a number is larger by in its bits.
    const BIAS: i32 = 127;
    /// The upper bits of `ln 2`, few enough that the product with an exponent is exact.
    const LN_2_HIGH: f32 = 0.693_145_75;
    /// `ln 2 - LN_2_HIGH`.
    const LN_2_LOW: f32 = 1.428_606_8e-6;
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
    /// Error: at most 0.99 ulp. It becomes infinite, subnormal and zero where the exact result, rounded,
    /// does.
    #[inline(always)]
    pub(crate) fn exp(x: f32) -> f32 {
        // From here on the result is infinite. In this direction the comparison keeps NaN, here and below.
        exp_below(if x > 89.0 { 89.0 } else { x })
    }

    /// `eˣ` for `x` up to 89.
    #[inline(always)]
    fn exp_below(x: f32) -> f32 {
        // From here down the result is zero.
        let (n, p) = split_exp(if x < -105.0 { -105.0 } else { x }, 2 * BIAS);
        // 2^n in two factors: each is a normal number, and only the last product can overflow or lose bits. The sum of
        // both exponents, biases included, is what is left in n; the upper half of its bits is one of them.
        let half = (n << 22) & !((1 << 23) - 1);
        let (first, second) = (f32::from_bits(half), f32::from_bits((n << 23).wrapping_sub(half)));
        p.mul_add(first, first) * second
    }

    /// `n + bias`, in the low bits, and `p` with `eˣ = 2ⁿ (1 + p)` and `|p| < 0.42`, for `|x|` below `2^21`.
    #[inline(always)]
    fn split_exp(x: f32, bias: i32) -> (u32, f32) {
        let round = ROUND + bias as f32;
        let shifted = x.mul_add(LOG2_E, round);
        let n = shifted - round;
        let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
        let q = polynomial(r, [0.001_386_401_4, 0.008_367_603, 0.041_667_238, 0.166_665_33, 0.5]);
        // Fused, the last sum would cost the exponential 0.03 ulp.
        (shifted.to_bits(), r + r * r * q)
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
        turn(r, n, x.to_bits() & SIGN)
    }

    /// The cosine, `x` in radians, computed as the sine is.
    ///
    /// Error: at most 1.55 ulp, however large `x` is. The cosine of infinity is NaN.
    #[inline(always)]
    pub(crate) fn cos(x: f32) -> f32 {
        let (r, n) = quadrant(x.abs());
        turn(r, n.wrapping_add(1), 0)
    }

    /// `r` and `n` with `a = r + n π/2` and `|r| <= π/4`, for `a >= 0`; `n` modulo `2^32`.
    ///
    /// In double precision, after Payne and Hanek: the bits of `2/π` are cut into pieces of 26, whose
    /// products with the 24 bits of `a` are exact. Pieces for which the product is a multiple of 4 turn full
    /// circles and are left out; of the others the first two, and the rest as one number, determine the
    /// angle.
    #[inline(always)]
    fn quadrant(a: f32) -> (f32, u32) {
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
        (r as f32, n as u32)
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
    /// zero.
    ///
    /// Error: at most 2.5 ulp. The sign of zero is kept; at infinity, and from 9.02 on, it is one.
    #[inline(always)]
    pub(crate) fn tanh(x: f32) -> f32 {
        // From 9.5 on, m is -1 to the last bit; below, 2^n is a normal number.
        let a = x.abs();
        let (n, p) = split_exp(-2.0 * if a > 9.5 { 9.5 } else { a }, BIAS);
        let scale = f32::from_bits(n << 23);
        let m = scale.mul_add(p, scale - 1.0);
        (m / (2.0 + m)).copysign(x)
    }

    /// `1 / (1 + e⁻ˣ)`, from `z = e^(-|x|)`: `1 / (1 + z)`, and `z / (1 + z)` for negative `x`.
    ///
    /// Error: at most 2.41 ulp. For very negative `x` it becomes subnormal and zero as the exponential does.
    #[inline(always)]
    pub(crate) fn sigmoid(x: f32) -> f32 {
        let z = exp_below(-x.abs());
        (if x < 0.0 { z } else { 1.0 }) / (1.0 + z)
    }

    /// `ln(1 + eˣ)`, as `max(x, 0) + ln(1 + z)` with `z = e^(-|x|)`.
    ///
    /// With `s = z / (2 + z)`, `ln(1 + z) = 2 artanh s = z - s (z - r)`, where `r = 2s²/3 + 2s⁴/5 + …` is
    /// fitted to degree 8.
    ///
    /// Error: at most 2.05 ulp. For very negative `x` it becomes subnormal and zero as the exponential does;
    /// for large `x` it is `x`, infinity included.
    #[inline(always)]
    pub(crate) fn softplus(x: f32) -> f32 {
        let z = exp_below(-x.abs());
        let s = z / (2.0 + z);
        let t = s * s;
        let r = polynomial(t, [0.280_263_6, 0.279_986_65, 0.400_217_35, 0.666_664_1]);
        (if x < 0.0 { 0.0 } else { x }) + s.mul_add(r.mul_add(t, -z), z)
    }

    /// The normal distribution: its function `Φ(x)` and its density `φ(x) = e^(-x²/2) / √(2π)`.
    ///
    /// With `a = |x|` and `t = 1 / (1 + 0.35 a)`, `1 - Φ(a)` is `e^(-a²/2) t p(t)` with `p` of degree 8. The square is not
    /// rounded: what it loses counts in the exponent.
    ///
    /// Error: at most 6.21 ulp of `Φ` and 2.79 ulp of `φ`.
    #[inline(always)]
    pub(crate) fn normal(x: f32) -> [f32; 2] {
        // From 15 on, what is left is zero, and so is the density.
        let a = x.abs();
        let a = if a > 15.0 { 15.0 } else { a };
        let square = a * a;
        let lost = a.mul_add(a, -square);
        let e = exp_below(-0.5 * square);
        let e = e.mul_add(-0.5 * lost, e);
        let t = 1.0 / a.mul_add(0.35, 1.0);
        let p = [
            -0.029_164_739,
            0.144_064_93,
            -0.255_909_95,
            0.159_401_6,
            -0.023_269_83,
            0.105_577_484,
            0.119_814_835,
            0.139_864_4,
            0.139_621_26,
        ];
        let beyond = e * (t * polynomial(t, p));
        [if x < 0.0 { beyond } else { 1.0 - beyond }, e * 0.398_942_3]
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
}

/// Double precision: as accurate as `std` and `libm`.
///
/// The errors of those are about one ulp, a little over two for the hyperbolic tangent. Special values are as
/// in single precision.
pub(crate) mod double {
    /// `eˣ`.
    #[inline(always)]
    pub(crate) fn exp(x: f64) -> f64 {
        x.exp()
    }

    /// The natural logarithm.
    #[inline(always)]
    pub(crate) fn ln(x: f64) -> f64 {
        x.ln()
    }

    /// The sine, `x` in radians.
    #[inline(always)]
    pub(crate) fn sin(x: f64) -> f64 {
        x.sin()
    }

    /// The cosine, `x` in radians.
    #[inline(always)]
    pub(crate) fn cos(x: f64) -> f64 {
        x.cos()
    }

    /// The hyperbolic tangent.
    #[inline(always)]
    pub(crate) fn tanh(x: f64) -> f64 {
        x.tanh()
    }

    /// `1 / (1 + e⁻ˣ)`, from `z = e^(-|x|)`: `1 / (1 + z)`, and `z / (1 + z)` for negative `x`.
    ///
    /// Error: 2.1 ulp, the largest in 66,000 random numbers between -700 and 700.
    #[inline(always)]
    pub(crate) fn sigmoid(x: f64) -> f64 {
        let z = (-x.abs()).exp();
        (if x < 0.0 { z } else { 1.0 }) / (1.0 + z)
    }

    /// `ln(1 + eˣ)`, as `max(x, 0) + ln(1 + e^(-|x|))`.
    ///
    /// Error: 1.4 ulp, the largest in 66,000 random numbers between -700 and 700.
    #[inline(always)]
    pub(crate) fn softplus(x: f64) -> f64 {
        (if x < 0.0 { 0.0 } else { x }) + (-x.abs()).exp().ln_1p()
    }

    /// The normal distribution: its function `Φ(x)` and its density `φ(x) = e^(-x²/2) / √(2π)`.
    ///
    /// `Φ` is `(1 + erf(x/√2)) / 2`, as in PyTorch: far below zero its error is that of one.
    #[inline(always)]
    pub(crate) fn normal(x: f64) -> [f64; 2] {
        const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;
        let function = 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2));
        [function, DENSITY_AT_0 * (-0.5 * x * x).exp()]
    }

    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`.
    #[inline(always)]
    pub(crate) fn erf(x: f64) -> f64 {
        libm::erf(x)
    }
}

#[cfg(test)]
mod tests {
    use super::super::dispatch::{Kernel, vectorized};
    use super::{double, single};
    use std::f32::consts::{FRAC_1_SQRT_2, LN_2};
    use std::hint::black_box;

    /// Numbers at which something special happens, or nearly.
    const SPECIAL: [f32; 26] = [
        0.0,
        -0.0,
        f32::from_bits(1),
        -f32::from_bits(1),
        f32::MIN_POSITIVE,
        -f32::MIN_POSITIVE,
        f32::EPSILON,
        FRAC_1_SQRT_2,
        1.0,
        -1.0,
        0.999_999_94,
        1.000_000_1,
        LN_2,
        3.925,
        9.02,
        -9.5,
        88.722_83,
        88.722_84,
        -87.336_55,
        -103.972_08,
        -103.972_084,
        f32::MAX,
        f32::MIN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];

    /// The error of `got` in units in the last place of the exact result `want`.
    fn ulps(got: f32, want: f64) -> f64 {
        let rounded = want as f32;
        if got == rounded || (got.is_nan() && rounded.is_nan()) {
            // Also where both are infinite.
            return if rounded.is_finite() { (f64::from(got) - want).abs() / ulp(rounded) } else { 0.0 };
        }
        if got.is_finite() && rounded.is_finite() {
            (f64::from(got) - want).abs() / ulp(rounded)
        } else {
            f64::INFINITY
        }
    }

    /// The distance from `|x|` to the next smaller number of the same or the next smaller exponent.
    fn ulp(x: f32) -> f64 {
        let exponent = (x.to_bits() >> 23 & 0xff).max(1);
        2.0_f64.powi(exponent as i32 - 150)
    }

    /// Asserts that the error of `f` is at most `bound`, over a grid of all bit patterns and at the special
    /// values.
    fn check(name: &str, f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, bound: f64) {
        let grid = (0..=u32::MAX).step_by(4099).map(f32::from_bits);
        for x in grid.chain(SPECIAL) {
            let (got, want) = (f(x), exact(f64::from(x)));
            let error = ulps(got, want);
            assert!(error <= bound, "{name}({x:e}) is {got:e} and should be {want:e}: off by {error} ulp");
        }
    }

    #[test]
    fn errors_in_single_precision_are_as_stated() {
        check("exp", single::exp, f64::exp, 0.99);
        check("ln", single::ln, f64::ln, 0.84);
        check("sin", single::sin, f64::sin, 1.55);
        check("cos", single::cos, f64::cos, 1.55);
        check("tanh", single::tanh, f64::tanh, 2.5);
        check("sigmoid", single::sigmoid, double::sigmoid, 2.41);
        check("softplus", single::softplus, double::softplus, 2.05);
        check("erf", single::erf, libm::erf, 2.44);
        let normal = |x: f64| 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
        check("normal", |x| single::normal(x)[0], normal, 6.21);
        check("density", |x| single::normal(x)[1], |x| double::normal(x)[1], 2.79);
    }

    #[test]
    fn odd_functions_keep_the_sign_of_zero() {
        for f in [single::sin, single::tanh, single::erf] {
            assert_eq!(f(0.0).to_bits(), 0.0_f32.to_bits());
            assert_eq!(f(-0.0).to_bits(), (-0.0_f32).to_bits());
        }
    }

    /// Asserts that `|f|` never exceeds one, and that `f` is one from `start` on.
    fn saturates(f: impl Fn(f32) -> f32, start: f32) {
        for x in (0..=u32::MAX).step_by(4099).map(f32::from_bits).chain(SPECIAL).filter(|x| !x.is_nan()) {
            let y = f(x);
            assert!(y.abs() <= 1.0 && (x < start || y == 1.0), "{x:e} gives {y:e}");
        }
    }

    #[test]
    fn saturation_is_exact() {
        saturates(single::tanh, 9.02);
        saturates(single::erf, 3.93);
        saturates(single::sigmoid, 17.4);
    }

    #[test]
    fn exp_leaves_the_range_where_it_should() {
        assert!(single::exp(88.722_83) < f32::INFINITY);
        assert_eq!(single::exp(88.722_84), f32::INFINITY);
        assert_eq!(single::exp(-103.972_08), f32::from_bits(1));
        assert_eq!(single::exp(-103.972_084), 0.0);
        assert_eq!(single::exp(0.0), 1.0);
    }

    /// Applies a function to each element.
    struct Map<'a, F> {
        f: F,
        input: &'a [f32],
        output: &'a mut [f32],
    }

    impl<F: Fn(f32) -> f32> Kernel for Map<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            for (y, x) in self.output.iter_mut().zip(self.input) {
                *y = (self.f)(*x);
            }
        }
    }

    /// Asserts that a loop, compiled for this processor, gives the bits of single calls.
    fn same_in_a_loop(name: &str, f: impl Fn(f32) -> f32 + Copy) {
        for len in [1, 7, 8, 9, 64, 1000] {
            let input: Vec<f32> = (0..len)
                .map(|i: u32| match i % 5 {
                    3 => SPECIAL[i as usize / 5 % SPECIAL.len()],
                    4 => f32::from_bits(i.wrapping_mul(2_654_435_761)),
                    _ => (i as f32 * 0.7).sin() * 12.0,
                })
                .collect();
            let mut output = vec![0.0; input.len()];
            vectorized(Map { f, input: &input, output: &mut output });
            for (x, y) in input.into_iter().zip(output) {
                let alone = black_box(f(black_box(x)));
                assert!(
                    y.to_bits() == alone.to_bits() || (y.is_nan() && alone.is_nan()),
                    "{name}({x:e}) is {alone:e} alone and {y:e} in a loop of {len}"
                );
            }
        }
    }

    #[test]
    fn loops_give_the_same_bits() {
        same_in_a_loop("exp", single::exp);
        same_in_a_loop("ln", single::ln);
        same_in_a_loop("sin", single::sin);
        same_in_a_loop("cos", single::cos);
        same_in_a_loop("tanh", single::tanh);
        same_in_a_loop("sigmoid", single::sigmoid);
        same_in_a_loop("softplus", single::softplus);
        same_in_a_loop("erf", single::erf);
        same_in_a_loop("normal", |x| single::normal(x)[0]);
        same_in_a_loop("density", |x| single::normal(x)[1]);
    }

    /// Asserts that `got` is within three units in the last place of `want`.
    #[track_caller]
    fn close(got: f64, want: f64) {
        let ulp = want.abs().next_up() - want.abs();
        assert!((got - want).abs() <= 3.0 * ulp, "{got:e} should be {want:e}");
    }

    #[test]
    fn double_precision_has_the_known_values() {
        // From arithmetic with 60 digits.
        close(double::exp(-1.25), 0.286_504_796_860_190_1);
        close(double::ln(7.389_056_098_930_65), 2.0);
        close(double::sin(3.5), -0.350_783_227_689_619_84);
        close(double::cos(-1.25), 0.315_322_362_395_268_7);
        close(double::tanh(0.5), 0.462_117_157_260_009_74);
        for (x, y) in [
            (0.5, 0.622_459_331_201_854_6),
            (-1.25, 0.222_700_138_825_308_84),
            (20.0, 0.999_999_997_938_846_4),
            (-40.0, 4.248_354_255_291_589e-18),
        ] {
            close(double::sigmoid(x), y);
        }
        for (x, y) in [
            (0.5, 0.974_076_984_180_106_7),
            (-1.25, 0.251_929_081_345_372_9),
            (20.0, 20.000_000_002_061_153),
            (-40.0, 4.248_354_255_291_589e-18),
        ] {
            close(double::softplus(x), y);
        }
        for (x, y) in [
            (0.5, 0.520_499_877_813_046_5),
            (-1.25, -0.922_900_128_256_458_3),
            (3.5, 0.999_999_256_901_627_6),
            (1e-10, 1.128_379_167_095_512_6e-10),
        ] {
            close(double::erf(x), y);
        }
        for (x, function, density) in [
            (0.5, 0.691_462_461_274_013_1, 0.352_065_326_764_299_5),
            (1.25, 0.894_350_226_333_144_7, 0.182_649_085_389_021_9),
            (3.0, 0.998_650_101_968_369_9, 0.004_431_848_411_938_007),
        ] {
            let found = double::normal(x);
            close(found[0], function);
            close(found[1], density);
        }
    }

    #[test]
    fn double_precision_keeps_its_range() {
        assert_eq!(double::sigmoid(f64::INFINITY), 1.0);
        assert_eq!(double::sigmoid(f64::NEG_INFINITY), 0.0);
        assert_eq!(double::sigmoid(-745.0), 5e-324);
        assert_eq!(double::softplus(f64::INFINITY), f64::INFINITY);
        assert_eq!(double::softplus(f64::NEG_INFINITY), 0.0);
        assert_eq!(double::softplus(710.0), 710.0);
        assert_eq!(double::softplus(-745.0), 5e-324);
        assert!(double::sigmoid(f64::NAN).is_nan() && double::softplus(f64::NAN).is_nan());
        assert_eq!(double::erf(f64::NEG_INFINITY), -1.0);
    }
}
