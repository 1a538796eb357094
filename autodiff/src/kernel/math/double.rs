//! Double precision: as accurate as `std` and `libm`.
//!
//! The errors of those are about one ulp, a little over two for the hyperbolic tangent. Special values are as
//! in single precision.

/// `eˣ`.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    x.exp()
}

/// `eˣ - 1`, exact near zero.
#[inline(always)]
pub(crate) fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
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

/// The slope of the Gaussian error linear unit `x Φ(x)`: `Φ(x) + x φ(x)` with the function and the density of the normal
/// distribution.
///
/// `Φ` is `(1 + erf(x/√2)) / 2`, as in PyTorch: far below zero its error is that of one.
#[inline(always)]
pub(crate) fn gelu_slope(x: f64) -> f64 {
    const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;
    // From there on the density is zero, and infinity times zero would be NaN.
    let x = x.clamp(-40.0, 40.0);
    let function = 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2));
    function + x * (DENSITY_AT_0 * (-0.5 * x * x).exp())
}

/// The error function `2/√π ∫₀ˣ e^(-t²) dt`.
#[inline(always)]
pub(crate) fn erf(x: f64) -> f64 {
    libm::erf(x)
}
