//! Activation functions: rows of the table of [`unary`](super::unary), and those that are more than a function of one
//! number.

use super::unary::{Formula, From, Unary, unary};
use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::{Float, Real};
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// The constants of SELU, that keep mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515).
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

unary! {
    /// The logistic function `1 / (1 + e⁻ˣ)`, elementwise.
    Sigmoid => sigmoid() = |x| x.sigmoid(), from Output |y| y.clone() * (y.one() - y), 1.0;

    /// `ln(1 + eˣ)`, elementwise, without overflow.
    Softplus => softplus() = |x| x.softplus(), from Input |x| x.sigmoid(), 2.0;

    /// `ln(1 / (1 + e⁻ˣ))`, elementwise, without overflow.
    LogSigmoid => log_sigmoid() = |x| -(-x).softplus(), from Input |x| (-x).sigmoid(), 2.0;

    /// `max(x, 0)`, elementwise; NaN stays NaN. The gradient at 0 is 0.
    Relu => relu() = |x| x.maximum(T::ZERO), from Output |y| y.step(), 0.3;

    /// The Gaussian error linear unit `x Φ(x)`, elementwise, with the exact normal distribution function
    /// `Φ(x) = (1 + erf(x/√2)) / 2` (Hendrycks and Gimpel, arXiv:1606.08415).
    Gelu => gelu() = |x| {
        let half = T::from_f64(0.5) * x;
        half.fused((x * T::from_f64(FRAC_1_SQRT_2)).erf(), half)
    }, from Input |x| x.gelu_slope(), 1.0;

    /// `x / (1 + e⁻ˣ)`, elementwise, also called swish (Elfwing et al., arXiv:1702.03118).
    Silu => silu() = |x| x * x.sigmoid(), from Input |x| {
        let s = x.sigmoid();
        s.clone() * (x.one() + x * (s.one() - s))
    }, 1.2;

    /// The Gaussian error linear unit with the approximation `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2` (Hendrycks and
    /// Gimpel, arXiv:1606.08415, section 2).
    GeluTanh => gelu_tanh() = |x| {
        let half = T::from_f64(0.5);
        half * x * (T::ONE + cubic(&x).tanh())
    }, from Input |x| {
        let t = cubic(&x).tanh();
        let slope = x.constant(FRAC_2_SQRT_PI * FRAC_1_SQRT_2)
            * (x.one() + x.constant(3.0 * 0.044_715) * x.square());
        x.constant(0.5) * (x.one() + t.clone() + x.clone() * (x.one() - t.square()) * slope)
    }, 1.5;

    /// `x tanh(ln(1 + eˣ))`, elementwise (Misra, arXiv:1908.08681).
    Mish => mish() = |x| x * x.softplus().tanh(), from Input |x| {
        let t = x.softplus().tanh();
        t.clone() + x.clone() * x.sigmoid() * (x.one() - t.square())
    }, 4.0;

    /// `x` where it is positive, `slope · x` elsewhere, elementwise. The gradient at 0 is the slope.
    LeakyRelu => leaky_relu(slope: f64) = |x| if x > T::ZERO { x } else { T::from_f64(slope) * x },
        from Input |x| x.constant(slope) + x.constant(1.0 - slope) * x.step(), 0.3;

    /// `max(x, 0) + min(α (eˣ - 1), 0)`, elementwise (Clevert, Unterthiner and Hochreiter, arXiv:1511.07289). The gradient
    /// at 0 is `α`.
    Elu => elu(alpha: f64) = |x| if x > T::ZERO { x } else { T::from_f64(alpha) * x.exp_m1() },
        from Input |x| positive_or(&x, x.constant(alpha) * negative_part(&x).exp()), 1.0;

    /// `λ x` where `x > 0`, `λ α (eˣ - 1)` elsewhere, elementwise, with the `λ` and `α` that keep mean 0 and variance 1
    /// (Klambauer et al., arXiv:1706.02515). The gradient at 0 is `λ α`.
    Selu => selu() = |x| {
        let inner = if x > T::ZERO { x } else { T::from_f64(SELU_ALPHA) * x.exp_m1() };
        T::from_f64(SELU_SCALE) * inner
    }, from Input |x| {
        x.constant(SELU_SCALE) * positive_or(&x, x.constant(SELU_ALPHA) * negative_part(&x).exp())
    }, 1.0;

    /// `max(x, 0) + min(α (e^(x/α) - 1), 0)`, elementwise: continuously differentiable (Barron, arXiv:1704.07483).
    Celu => celu(alpha: f64) = |x| {
        let a = T::from_f64(alpha);
        if x > T::ZERO { x } else { a * (x / a).exp_m1() }
    }, from Input |x| positive_or(&x, (negative_part(&x) * x.constant(1.0 / alpha)).exp()), 1.0;

    /// `min(max(x, 0), 6)`, elementwise; NaN stays NaN. The gradient at 0 and 6 is 0.
    Relu6 => relu6() = |x| x.maximum(T::ZERO).minimum(T::from_f64(6.0)),
        from Input |x| x.step() * (x.constant(6.0) - x).step(), 0.5;

    /// `min(max(x, -1), 1)`, elementwise; NaN stays NaN. The gradient at -1 and 1 is 0.
    HardTanh => hard_tanh() = |x| x.maximum(-T::ONE).minimum(T::ONE),
        from Input |x| (x.one() + x.clone()).step() * (x.one() - x).step(), 0.5;

    /// `min(max(x + 3, 0), 6) / 6`, elementwise; NaN stays NaN. The gradient at -3 and 3 is 0.
    HardSigmoid => hard_sigmoid() = |x| hard_gate(x),
        from Input |x| x.constant(1.0 / 6.0) * within_three(&x), 0.5;

    /// `x min(max(x + 3, 0), 6) / 6`, elementwise (Howard et al., arXiv:1905.02244). The gradient at -3 is 0, at 3 it is 1.
    HardSwish => hard_swish() = |x| x * hard_gate(x), from Input |x| {
        let above = x.one() - (x.constant(3.0) - x.clone()).step();
        within_three(&x) * (x.constant(1.0 / 3.0) * x.clone() + x.constant(0.5)) + above
    }, 0.6;

    /// `x / (1 + |x|)`, elementwise.
    Softsign => softsign() = |x| x / (T::ONE + x.abs()), from Input |x| (x.one() + x.abs()).powi(-2), 0.6;

    /// `x - tanh x`, elementwise.
    TanhShrink => tanh_shrink() = |x| x - x.tanh(), from Input |x| x.tanh().square(), 1.0;

    /// `x` moved towards 0 by `threshold`, 0 where it is nearer, elementwise. The gradient at the thresholds is 0.
    SoftShrink => soft_shrink(threshold: f64) = |x| {
        let t = T::from_f64(threshold);
        if x > t { x - t } else if x < -t { x + t } else { x * T::ZERO }
    }, from Input |x| (x.abs() - x.constant(threshold)).step(), 0.5;

    /// `x` where it is farther from 0 than `threshold`, else 0, elementwise. The gradient at the thresholds is 0.
    HardShrink => hard_shrink(threshold: f64) = |x| {
        if x.abs() <= T::from_f64(threshold) { T::ZERO } else { x }
    }, from Input |x| (x.abs() - x.constant(threshold)).step(), 0.5;

    /// `x` where it is above `threshold`, else `value`, elementwise; NaN stays NaN. The gradient at the threshold is 0.
    Threshold => threshold(threshold: f64, value: f64) = |x| {
        if x <= T::from_f64(threshold) { T::from_f64(value) } else { x }
    }, from Input |x| (x.clone() - x.constant(threshold)).step(), 0.5;
}

/// `x` where it is positive, `slope · x` elsewhere, of `x` and the slopes, which broadcast to it.
struct Prelu;

impl<T: Float> Op<T> for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip(x[1], |x, slope| if x > T::ZERO { x } else { slope * x })
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let x = at.input(0);
        let positive = x.gt(&Tensor::scalar(T::ZERO))?;
        Ok(if index == 0 {
            grad * positive.select(&Tensor::scalar(T::ONE), &at.input(1))?
        } else {
            grad * positive.select(&Tensor::scalar(T::ZERO), &x)?
        })
    }
    fn reads(&self, index: usize) -> Reads {
        if index == 0 { Reads::INPUTS } else { Reads::input(0) }
    }
}

impl<T: Float> Tensor<T> {
    /// `x` where it is positive, `slope · x` elsewhere, with one slope for each channel (axis 1) or a single one, which is
    /// learned (He et al., arXiv:1502.01852). The gradient at 0 is the slope.
    ///
    /// # Errors
    /// If the slopes are neither one nor, along one axis, as many as the channels.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([-1.0, -1.0, 3.0, -4.0], [2, 2])?;
    /// let slopes = Tensor::from_vec([0.5, 0.25], [2])?;
    /// assert_eq!(x.prelu(&slopes)?.to_vec(), [-0.5, -0.25, 3.0, -1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn prelu(&self, slope: &Self) -> Result<Self> {
        let (shape, slopes) = (self.shape(), slope.shape());
        if slopes.size() == 1 && slopes.rank() <= 1 {
            return Prelu.apply(&[self, &slope.reshaped(Shape::SCALAR)?]);
        }
        if shape.rank() < 2 || slopes != [shape.dim(1)] {
            let what = "one slope, or one for each entry along axis 1";
            return Err(ErrorKind::Mismatch { what, left: shape, right: slopes }.of("prelu"));
        }
        let along = Shape::of([slopes.size()].into_iter().chain(shape.iter().skip(2).map(|_| 1)));
        Prelu.apply(&[self, &slope.reshaped(along)?])
    }

    /// The gated linear unit `a / (1 + e⁻ᵇ)` of the first half `a` and the second half `b` of the entries along an axis
    /// (Dauphin et al., arXiv:1612.08083).
    ///
    /// # Errors
    /// If the axis does not exist or has an odd number of entries.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::from_vec([3.0, 5.0, 0.0, 0.0], [4])?.glu(0)?.to_vec(), [1.5, 2.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn glu(&self, axis: isize) -> Result<Self> {
        let shape = self.shape();
        let along = shape.axis(axis).of_op("glu")?;
        let n = shape.dim(along);
        if n % 2 == 1 {
            let message = format!("axis {along} of {shape} has an odd number of entries, no two halves");
            return Err(ErrorKind::Message(message).of("glu"));
        }
        Ok(self.slice(axis, 0..n / 2)? * self.slice(axis, n / 2..n)?.sigmoid())
    }
}

/// `√(2/π) (x + 0.044715 x³)`.
#[inline(always)]
#[allow(clippy::inline_always)]
fn cubic<R: Real>(x: &R) -> R {
    let square = x.square();
    x.constant(FRAC_2_SQRT_PI * FRAC_1_SQRT_2) * x.clone() * (x.one() + x.constant(0.044_715) * square)
}

/// `min(x, 0)`: what an exponential that counts for negative numbers only is taken of, so that it cannot overflow.
#[inline(always)]
#[allow(clippy::inline_always)]
fn negative_part<R: Real>(x: &R) -> R {
    x.constant(0.5) * (x.clone() - x.abs())
}

/// 1 where `x > 0`, `other` elsewhere.
#[inline(always)]
#[allow(clippy::inline_always)]
fn positive_or<R: Real>(x: &R, other: R) -> R {
    let positive = x.step();
    positive.clone() + (x.one() - positive) * other
}

/// 1 where `-3 < x < 3`, else 0.
#[inline(always)]
#[allow(clippy::inline_always)]
fn within_three<R: Real>(x: &R) -> R {
    (x.clone() + x.constant(3.0)).step() * (x.constant(3.0) - x.clone()).step()
}

/// `min(max(x + 3, 0), 6) / 6`.
#[inline(always)]
#[allow(clippy::inline_always)]
fn hard_gate<T: Float>(x: T) -> T {
    (x + T::from_f64(3.0)).maximum(T::ZERO).minimum(T::from_f64(6.0)) / T::from_f64(6.0)
}
