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
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

/// A row of the table.
trait Formula: Copy + Send + Sync + 'static {
    const NAME: &'static str;
    /// Whether the derivative is a formula of the output (else of the input).
    const FROM_OUTPUT: bool;
    /// Cost of one value in nanoseconds, for the choice to go parallel.
    const NS: f64;
    fn value<T: Float>(self, x: T) -> T;
    fn derivative<R: Real>(self, v: R) -> R;
}

/// The op of a row.
struct Unary<F>(F);

/// `x ↦ f(x)`, inlined into the loop for certain.
struct Value<F>(F);
/// `(grad, v) ↦ grad * f'(v)`, likewise.
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
        Ok(x[0].map_with(F::NS, &Value(self.0)))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let v = if F::FROM_OUTPUT { at.output() } else { at.input(0) };
        if grad.is_tracked() || v.is_tracked() {
            return Ok(grad * self.0.derivative(v));
        }
        Ok(grad.array.zip_with(&v.array, F::NS, &Pulled(self.0))?.into())
    }
    fn reads(&self, _: usize) -> Reads {
        if F::FROM_OUTPUT { Reads::OUTPUT } else { Reads::input(0) }
    }
}

/// Writes the rows: `Op => method(parameters) = |x| value, from input|output |v| derivative, nanoseconds;`.
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
                const FROM_OUTPUT: bool = unary!(@ $source);
                const NS: f64 = $ns;
                #[inline(always)]
                fn value<T: Float>(self, $x: T) -> T {
                    let Self { $($p),* } = self;
                    $value
                }
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
    (@ input) => { false };
    (@ output) => { true };
}

unary! {
    /// `|x|`, elementwise. The gradient at 0 is 0.
    Abs => abs() = |x| x.abs(), from input |x| x.sign(), 0.3;

    /// `-1`, `0` or `1`, elementwise; NaN stays NaN. The gradient is 0.
    Sign => sign() = |x| x.sign(), from input |x| x.constant(0.0), 0.3;

    /// `1` where `x > 0`, else `0`, elementwise; NaN stays NaN. The gradient is 0.
    Step => step() = |x| x.step(), from input |x| x.constant(0.0), 0.3;

    /// `x²`, elementwise.
    Square => square() = |x| x.square(), from input |x| x.constant(2.0) * x, 0.3;

    /// `√x`, elementwise; NaN below 0. The gradient at 0 is infinite.
    Sqrt => sqrt() = |x| x.sqrt(), from output |y| y.constant(0.5) / y, 0.5;

    /// `1 / x`, elementwise.
    Recip => recip() = |x| x.recip(), from output |y| -y.square(), 0.5;

    /// `eˣ`, elementwise.
    Exp => exp() = |x| x.exp(), from output |y| y, 0.7;

    /// The natural logarithm, elementwise; NaN below 0.
    Ln => ln() = |x| x.ln(), from input |x| x.recip(), 1.0;

    /// `sin x`, elementwise, `x` in radians.
    Sin => sin() = |x| x.sin(), from input |x| x.cos(), 1.5;

    /// `cos x`, elementwise, `x` in radians.
    Cos => cos() = |x| x.cos(), from input |x| -x.sin(), 1.5;

    /// The hyperbolic tangent, elementwise.
    Tanh => tanh() = |x| x.tanh(), from output |y| y.one() - y.square(), 1.0;

    /// The logistic function `1 / (1 + e⁻ˣ)`, elementwise.
    Sigmoid => sigmoid() = |x| x.sigmoid(), from output |y| y.clone() * (y.one() - y), 1.0;

    /// `ln(1 + eˣ)`, elementwise, without overflow.
    Softplus => softplus() = |x| x.softplus(), from input |x| x.sigmoid(), 2.0;

    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`, elementwise.
    Erf => erf() = |x| x.erf(),
        from input |x| x.constant(FRAC_2_SQRT_PI) * (-x.square()).exp(), 1.5;

    /// `max(x, 0)`, elementwise; NaN stays NaN. The gradient at 0 is 0.
    Relu => relu() = |x| x.maximum(T::ZERO), from output |y| y.step(), 0.3;

    /// The Gaussian error linear unit `x Φ(x)`, elementwise, with the exact normal distribution function
    /// `Φ(x) = (1 + erf(x/√2)) / 2` (Hendrycks and Gimpel, arXiv:1606.08415).
    Gelu => gelu() = |x| x * normal_cdf(&x),
        from input |x| normal_cdf(&x) + x.clone() * normal_density(&x), 2.0;

    /// `x / (1 + e⁻ˣ)`, elementwise, also called swish (Elfwing et al., arXiv:1702.03118).
    Silu => silu() = |x| x * x.sigmoid(), from input |x| {
        let s = x.sigmoid();
        s.clone() * (x.one() + x * (s.one() - s))
    }, 1.2;

    /// `xⁿ` for a whole number `n`, elementwise.
    Powi => powi(n: i32) = |x| x.powi(n),
        from input |x| if n == 0 { x.constant(0.0) } else { x.constant(f64::from(n)) * x.powi(n - 1) }, 1.0;

    /// `xᵖ`, elementwise; NaN below 0 unless `p` is a whole number.
    Powf => powf(p: f64) = |x| x.powf(p),
        from input |x| if p == 0.0 { x.constant(0.0) } else { x.constant(p) * x.powf(p - 1.0) }, 20.0;
}

/// `Φ(x)`, the normal distribution function.
#[inline(always)]
#[allow(clippy::inline_always)]
fn normal_cdf<R: Real>(x: &R) -> R {
    let (half, one, scale) = (x.constant(0.5), x.one(), x.constant(FRAC_1_SQRT_2));
    half * (one + (x.clone() * scale).erf())
}

/// `φ(x) = e^(-x²/2) / √(2π)`, the normal density.
#[inline(always)]
#[allow(clippy::inline_always)]
fn normal_density<R: Real>(x: &R) -> R {
    let (scale, half) = (x.constant(FRAC_2_SQRT_PI / (2.0 * SQRT_2)), x.constant(-0.5));
    scale * (x.square() * half).exp()
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
