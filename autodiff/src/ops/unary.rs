//! Functions of one number: a table of formulas.
//!
//! A row gives the value, and the derivative as a formula of the input or of the output, whichever needs less; the tape
//! keeps only that one. The formula of the derivative is generic: it runs as one fused loop `grad * f'(v)` over numbers,
//! and over tensors when the backward pass is itself recorded.

use crate::array::Array;
use crate::error::Result;
use crate::float::{Float, Real};
use crate::kernel::map::{Map1, Map2};
use crate::op::{Op, Point, Reads};
use crate::tensor::Tensor;
use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LOG2_E, LOG10_E};

/// What the derivative is a formula of.
#[derive(PartialEq)]
pub(super) enum From {
    Input,
    Output,
    /// It is zero wherever there is one.
    Nothing,
}

/// A row of the table.
pub(super) trait Formula: Copy + Send + Sync + 'static {
    const NAME: &'static str;
    /// What the derivative is a formula of.
    const FROM: From;
    /// Cost of one value in nanoseconds, for the choice to go parallel.
    const NS: f64;
    fn value<T: Float>(self, x: T) -> T;
    fn derivative<R: Real>(self, v: R) -> R;
}

/// The op of a row.
pub(super) struct Unary<F>(pub(super) F);

/// `x ↦ f(x)`, inlined into the loop for certain.
#[derive(Clone, Copy)]
struct Value<F>(F);
/// `(grad, v) ↦ grad * f'(v)`, likewise.
#[derive(Clone, Copy)]
struct Pulled<F>(F);

#[allow(clippy::inline_always)]
impl<F: Formula, T: Float> Map1<T, T> for Value<F> {
    #[inline(always)]
    fn call(&self, x: T) -> T {
        self.0.value(x)
    }
}

#[allow(clippy::inline_always)]
impl<F: Formula, T: Float> Map2<T, T, T> for Pulled<F> {
    #[inline(always)]
    fn call(&self, grad: T, v: T) -> T {
        grad * self.0.derivative(v)
    }
}

impl<F: Formula, T: Float> Op<T> for Unary<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].map_with(F::NS, Value(self.0)))
    }
    fn vjp(&self, _: usize, mut grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let v = match F::FROM {
            From::Input => at.input(0),
            From::Output => at.output(),
            From::Nothing => return Ok(at.zeros(0)),
        };
        if grad.is_tracked() || v.is_tracked() {
            return Ok(grad * self.0.derivative(v));
        }
        if grad.array.zip_over(&v.array, F::NS, Pulled(self.0)) {
            return Ok(grad);
        }
        Ok(grad.array.zip_with(&v.array, F::NS, Pulled(self.0))?.into())
    }
    fn reads(&self, _: usize) -> Reads {
        match F::FROM {
            From::Input => Reads::input(0),
            From::Output => Reads::OUTPUT,
            From::Nothing => Reads::NONE,
        }
    }
}

/// Writes the rows: `Op => method(parameters) = |x| value, from Input|Output|Nothing |v| derivative, nanoseconds;`.
///
/// The row of `exp`, for example, becomes a struct `Exp`, its `Formula`, and the method `Tensor::exp`.
macro_rules! unary {
    ($(
        $(#[$doc:meta])*
        $op:ident => $method:ident($($p:ident: $t:ty),*) = |$x:ident| $value:expr,
        from $source:ident |$v:ident| $derivative:expr, $ns:literal;
    )*) => {
        $(
            #[derive(Clone, Copy)]
            struct $op { $($p: $t),* }

            #[allow(clippy::inline_always)]
            impl Formula for $op {
                const NAME: &'static str = stringify!($method);
                const FROM: From = From::$source;
                const NS: f64 = $ns;
                #[inline(always)]
                fn value<T: Float>(self, $x: T) -> T {
                    let Self { $($p),* } = self;
                    $value
                }
                // Not every parameter of a value is one of its derivative.
                #[allow(unused_variables)]
                #[inline(always)]
                fn derivative<R: Real>(self, $v: R) -> R {
                    let Self { $($p),* } = self;
                    $derivative
                }
            }
        )*

        impl<T: Float> Tensor<T> {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $method(&self $(, $p: $t)*) -> Self {
                    Unary($op { $($p),* }).apply(&[self]).expect("a function of one number takes any shape")
                }
            )*
        }
    };
}

pub(super) use unary;

unary! {
    /// `|x|`, elementwise. The gradient at 0 is 0.
    Abs => abs() = |x| x.abs(), from Input |x| x.sign(), 0.3;

    /// `-1`, `0` or `1`, elementwise; NaN stays NaN. The gradient is 0.
    Sign => sign() = |x| x.sign(), from Nothing |x| x.constant(0.0), 0.3;

    /// `1` where `x > 0`, else `0`, elementwise; NaN stays NaN. The gradient is 0.
    Step => step() = |x| x.step(), from Nothing |x| x.constant(0.0), 0.3;

    /// `x²`, elementwise.
    Square => square() = |x| x.square(), from Input |x| x.constant(2.0) * x, 0.3;

    /// `√x`, elementwise; NaN below 0. The gradient at 0 is infinite.
    Sqrt => sqrt() = |x| x.sqrt(), from Output |y| y.constant(0.5) / y, 0.5;

    /// `1 / x`, elementwise.
    Recip => recip() = |x| x.recip(), from Output |y| -y.square(), 0.5;

    /// `eˣ`, elementwise.
    Exp => exp() = |x| x.exp(), from Output |y| y, 0.7;

    /// The natural logarithm, elementwise; NaN below 0.
    Ln => ln() = |x| x.ln(), from Input |x| x.recip(), 1.0;

    /// `sin x`, elementwise, `x` in radians.
    Sin => sin() = |x| x.sin(), from Input |x| x.cos(), 1.5;

    /// `cos x`, elementwise, `x` in radians.
    Cos => cos() = |x| x.cos(), from Input |x| -x.sin(), 1.5;

    /// The hyperbolic tangent, elementwise.
    Tanh => tanh() = |x| x.tanh(), from Output |y| y.one() - y.square(), 1.0;

    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`, elementwise.
    Erf => erf() = |x| x.erf(),
        from Input |x| x.constant(FRAC_2_SQRT_PI) * (-x.square()).exp(), 1.5;

    /// `2ˣ`, elementwise.
    Exp2 => exp2() = |x| x.exp2(), from Output |y| y.constant(LN_2) * y, 0.5;

    /// `eˣ - 1`, elementwise, exact near 0.
    ExpM1 => exp_m1() = |x| x.exp_m1(), from Output |y| y.one() + y, 0.6;

    /// `ln(1 + x)`, elementwise, exact near 0; NaN below -1.
    Ln1p => ln_1p() = |x| x.ln_1p(), from Input |x| (x.one() + x).recip(), 0.8;

    /// The logarithm to base 2, elementwise; NaN below 0.
    Log2 => log2() = |x| x.log2(), from Input |x| x.constant(LOG2_E) / x, 0.7;

    /// The logarithm to base 10, elementwise; NaN below 0.
    Log10 => log10() = |x| x.log10(), from Input |x| x.constant(LOG10_E) / x, 0.7;

    /// `1 / √x`, elementwise; NaN below 0. The gradient at 0 is infinite.
    Rsqrt => rsqrt() = |x| x.sqrt().recip(), from Output |y| y.constant(-0.5) * y.powi(3), 0.7;

    /// `tan x`, elementwise, `x` in radians.
    Tan => tan() = |x| x.tan(), from Output |y| y.one() + y.square(), 1.0;

    /// `arcsin x`, elementwise, in radians; NaN outside of -1 to 1. The gradient at -1 and 1 is infinite.
    Asin => asin() = |x| x.asin(), from Input |x| (x.one() - x.square()).sqrt().recip(), 0.7;

    /// `arccos x`, elementwise, in radians; NaN outside of -1 to 1. The gradient at -1 and 1 is infinite.
    Acos => acos() = |x| x.acos(), from Input |x| -(x.one() - x.square()).sqrt().recip(), 0.7;

    /// `arctan x`, elementwise, in radians.
    Atan => atan() = |x| x.atan(), from Input |x| (x.one() + x.square()).recip(), 0.8;

    /// The hyperbolic sine `(eˣ - e⁻ˣ) / 2`, elementwise.
    Sinh => sinh() = |x| x.sinh(), from Output |y| (y.one() + y.square()).sqrt(), 0.8;

    /// The hyperbolic cosine `(eˣ + e⁻ˣ) / 2`, elementwise.
    Cosh => cosh() = |x| x.cosh(),
        // sinh x as tanh x cosh x: the difference of exponentials would cancel near 0.
        from Input |x| x.tanh() * x.constant(0.5) * (x.exp() + (-x).exp()), 0.8;

    /// The number whose hyperbolic sine is `x`, elementwise.
    Asinh => asinh() = |x| x.asinh(), from Input |x| (x.one() + x.square()).sqrt().recip(), 1.0;

    /// The positive number whose hyperbolic cosine is `x`, elementwise; NaN below 1. The gradient at 1 is infinite.
    Acosh => acosh() = |x| x.acosh(),
        from Input |x| ((x.clone() - x.one()) * (x.one() + x)).sqrt().recip(), 1.0;

    /// The number whose hyperbolic tangent is `x`, elementwise; NaN outside of -1 to 1. The gradient at -1 and 1 is
    /// infinite.
    Atanh => atanh() = |x| x.atanh(),
        from Input |x| ((x.one() - x.clone()) * (x.one() + x)).recip(), 1.0;

    /// `1 - erf(x)`, elementwise, without cancellation.
    Erfc => erfc() = |x| x.erfc(),
        from Input |x| x.constant(-FRAC_2_SQRT_PI) * (-x.square()).exp(), 1.0;

    /// The next whole number towards -∞, elementwise. The gradient is 0.
    Floor => floor() = |x| x.floor(), from Nothing |x| x.constant(0.0), 0.3;

    /// The next whole number towards ∞, elementwise. The gradient is 0.
    Ceil => ceil() = |x| x.ceil(), from Nothing |x| x.constant(0.0), 0.3;

    /// The next whole number towards 0, elementwise. The gradient is 0.
    Trunc => trunc() = |x| x.trunc(), from Nothing |x| x.constant(0.0), 0.3;

    /// The nearest whole number, elementwise, of two equally near the even one. The gradient is 0.
    Round => round() = |x| x.round(), from Nothing |x| x.constant(0.0), 0.3;

    /// `min(max(x, low), high)`, elementwise, which is `high` where `low` is above it; NaN stays NaN. The gradient is 1
    /// between the bounds, and 0 at them and outside.
    Clamp => clamp(low: f64, high: f64) = |x| x.maximum(T::from_f64(low)).minimum(T::from_f64(high)),
        from Input |x| (x.clone() - x.constant(low)).step() * (x.constant(high) - x).step(), 0.5;

    /// `xⁿ` for a whole number `n`, elementwise.
    Powi => powi(n: i32) = |x| x.powi(n),
        from Input |x| if n == 0 { x.constant(0.0) } else { x.constant(f64::from(n)) * x.powi(n - 1) }, 1.0;

    /// `xᵖ`, elementwise; NaN below 0 unless `p` is a whole number.
    Powf => powf(p: f64) = |x| x.powf(p),
        from Input |x| if p == 0.0 { x.constant(0.0) } else { x.constant(p) * x.powf(p - 1.0) }, 2.0;
}

/// Formulas over tensors are recorded op by op, so that a derivative has derivatives.
impl<T: Float> Real for Tensor<T> {
    fn constant(&self, value: f64) -> Self {
        Self::scalar(T::from_f64(value))
    }
    fn exp(&self) -> Self {
        Self::exp(self)
    }
    fn ln(&self) -> Self {
        Self::ln(self)
    }
    fn sqrt(&self) -> Self {
        Self::sqrt(self)
    }
    fn recip(&self) -> Self {
        Self::recip(self)
    }
    fn square(&self) -> Self {
        Self::square(self)
    }
    fn abs(&self) -> Self {
        Self::abs(self)
    }
    fn sign(&self) -> Self {
        Self::sign(self)
    }
    fn step(&self) -> Self {
        Self::step(self)
    }
    fn relu(&self) -> Self {
        Self::relu(self)
    }
    fn sin(&self) -> Self {
        Self::sin(self)
    }
    fn cos(&self) -> Self {
        Self::cos(self)
    }
    fn tanh(&self) -> Self {
        Self::tanh(self)
    }
    fn sigmoid(&self) -> Self {
        Self::sigmoid(self)
    }
    fn softplus(&self) -> Self {
        Self::softplus(self)
    }
    fn erf(&self) -> Self {
        Self::erf(self)
    }
    fn powi(&self, n: i32) -> Self {
        Self::powi(self, n)
    }
    fn powf(&self, p: f64) -> Self {
        Self::powf(self, p)
    }
}
