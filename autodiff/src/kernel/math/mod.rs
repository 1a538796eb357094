//! Elementary functions that the compiler can turn into vector code.
//!
//! The functions of `std` call the C library once per element, which stops vectorisation. Those in [`single`]
//! are straight-line arithmetic with selects: a loop over them that is compiled for an instruction set (see
//! [`dispatch`](super::dispatch)) works on four, eight or sixteen elements at a time. What they fuse (a product and a
//! sum, rounded once) is written out, so that a result has the same bits at every level and in every loop; only
//! which NaN it is may differ. A processor without that instruction (x86-64 before 2013) has it done by the C library:
//! with the same bits, but slowly.
//!
//! Those in [`wide`] do the same in double precision and round once: for functions that are rarer.
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

pub(crate) mod double;
pub(crate) mod single;
pub(crate) mod wide;

#[cfg(test)]
mod tests {
    use super::super::dispatch::{Kernel, vectorized};
    use super::{double, single, wide};
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
        check("exp", single::exp, f64::exp, 1.03);
        check("exp_m1", single::exp_m1, libm::expm1, 1.5);
        check("ln", single::ln, f64::ln, 0.84);
        check("sin", single::sin, f64::sin, 1.55);
        check("cos", single::cos, f64::cos, 1.55);
        check("tanh", single::tanh, f64::tanh, 2.5);
        check("sigmoid", single::sigmoid, double::sigmoid, 2.41);
        check("softplus", single::softplus, double::softplus, 1.89);
        check("erf", single::erf, libm::erf, 2.44);
    }

    #[test]
    fn errors_by_way_of_double_precision_are_as_stated() {
        check("exp2", wide::exp2, libm::exp2, 0.501);
        check("ln_1p", wide::ln_1p, libm::log1p, 0.501);
        check("log2", wide::log2, libm::log2, 0.501);
        check("log10", wide::log10, libm::log10, 0.501);
        check("tan", wide::tan, libm::tan, 0.501);
        check("asin", wide::asin, libm::asin, 0.501);
        check("acos", wide::acos, libm::acos, 0.501);
        check("atan", wide::atan, libm::atan, 0.501);
        check("sinh", wide::sinh, libm::sinh, 0.501);
        check("cosh", wide::cosh, libm::cosh, 0.501);
        check("asinh", wide::asinh, libm::asinh, 0.501);
        check("acosh", wide::acosh, f64::acosh, 0.501);
        check("atanh", wide::atanh, libm::atanh, 0.501);
        check("erfc", wide::erfc, libm::erfc, 0.501);
        for y in SPECIAL.into_iter().chain([2.0, 3.0, -2.0, -3.0, 0.5, -0.5, 1.5, 1e-3, 16_777_217.0]) {
            let exact = f64::from(y);
            check(&format!("atan2(x, {y})"), |x| wide::atan2(x, y), |x| libm::atan2(x, exact), 0.501);
            check(&format!("atan2({y}, x)"), |x| wide::atan2(y, x), |x| libm::atan2(exact, x), 0.501);
            check(&format!("hypot(x, {y})"), |x| wide::hypot(x, y), |x| libm::hypot(x, exact), 0.501);
            check(&format!("pow(x, {y})"), |x| wide::pow(x, y), |x| libm::pow(x, exact), 0.501);
            check(&format!("pow({y}, x)"), |x| wide::pow(y, x), |x| libm::pow(exact, x), 0.501);
        }
    }

    #[test]
    fn the_rest_of_a_division_is_exact() {
        let bits = |x: f32| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() };
        let near = (0..2000).map(|i| (i as f32 * 0.37 - 300.0) * 1.1);
        for x in (0..=u32::MAX).step_by(1_000_003).map(f32::from_bits).chain(SPECIAL).chain(near) {
            for y in [1.0, -0.1, 3.0, 7e-3, 1e30, -1e-30, 268_435_460.0].into_iter().chain(SPECIAL) {
                for (x, y) in [(x, y), (y, x)] {
                    let (got, want) = (wide::fmod(x, y), libm::fmodf(x, y));
                    assert_eq!(bits(got), bits(want), "fmod({x:e}, {y:e}) is {got:e}, not {want:e}");
                }
            }
        }
    }

    #[test]
    fn the_error_of_the_slope_of_gelu_is_as_stated() {
        for single in (0..=u32::MAX).step_by(4099).map(f32::from_bits).chain(SPECIAL) {
            let (got, x) = (single::gelu_slope(single), f64::from(single));
            let function = 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
            let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
            if x.is_finite() {
                // Where the slope is zero, these are not.
                let terms = function + x.abs() * density;
                let error = (f64::from(got) - (function + x * density)).abs() / ulp(terms as f32);
                assert!(error <= 5.84, "gelu_slope({x:e}) is {got:e}: off by {error} ulp");
            }
        }
        assert_eq!([f32::INFINITY, f32::NEG_INFINITY].map(single::gelu_slope), [1.0, 0.0]);
        assert!(single::gelu_slope(f32::NAN).is_nan());
    }

    #[test]
    fn odd_functions_keep_the_sign_of_zero() {
        let narrow = [single::sin, single::tanh, single::erf, single::exp_m1];
        let odd = [wide::ln_1p, wide::tan, wide::asin, wide::atan, wide::sinh, wide::asinh, wide::atanh];
        for f in narrow.into_iter().chain(odd) {
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
        assert!(single::exp_m1(88.722_83) < f32::INFINITY);
        assert_eq!(single::exp_m1(88.722_84), f32::INFINITY);
        assert_eq!(single::exp_m1(f32::NEG_INFINITY), -1.0);
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
        same_in_a_loop("exp_m1", single::exp_m1);
        same_in_a_loop("ln", single::ln);
        same_in_a_loop("sin", single::sin);
        same_in_a_loop("cos", single::cos);
        same_in_a_loop("tanh", single::tanh);
        same_in_a_loop("sigmoid", single::sigmoid);
        same_in_a_loop("softplus", single::softplus);
        same_in_a_loop("erf", single::erf);
        same_in_a_loop("gelu_slope", single::gelu_slope);
        same_in_a_loop("exp2", wide::exp2);
        same_in_a_loop("ln_1p", wide::ln_1p);
        same_in_a_loop("log2", wide::log2);
        same_in_a_loop("log10", wide::log10);
        same_in_a_loop("tan", wide::tan);
        same_in_a_loop("asin", wide::asin);
        same_in_a_loop("acos", wide::acos);
        same_in_a_loop("atan", wide::atan);
        same_in_a_loop("sinh", wide::sinh);
        same_in_a_loop("cosh", wide::cosh);
        same_in_a_loop("asinh", wide::asinh);
        same_in_a_loop("acosh", wide::acosh);
        same_in_a_loop("atanh", wide::atanh);
        same_in_a_loop("erfc", wide::erfc);
        same_in_a_loop("atan2", |x| wide::atan2(x, -0.7));
        same_in_a_loop("hypot", |x| wide::hypot(x, 3.0));
        same_in_a_loop("pow", |x| wide::pow(x, 1.7));
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
        for (x, y) in
            [(0.5, 0.867_495_124_656_162_8), (1.25, 1.122_661_583_069_422_1), (3.0, 1.011_945_647_204_184)]
        {
            close(double::gelu_slope(x), y);
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
        assert_eq!([f64::INFINITY, f64::NEG_INFINITY].map(double::gelu_slope), [1.0, 0.0]);
        assert!(double::gelu_slope(f64::NAN).is_nan());
    }
}
