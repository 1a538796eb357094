//! Functions of two numbers, which broadcast: powers, angles, lengths, remainders; and the way from one to another.

use crate::array::Array;
use crate::error::Result;
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::tensor::Tensor;

/// `aᵇ`.
struct Pow;

impl<T: Float> Op<T> for Pow {
    fn name(&self) -> &'static str {
        "pow"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip_with(x[1], 2.0, |a: T, b: T| a.pow(b))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let (a, b) = (at.input(0), at.input(1));
        // Where the power is constant beside the point, at 0⁰ and for the logarithm at 0ᵇ, 1 stands for the base: its
        // logarithm is 0, and so is 0 times its power.
        let constant = |holds: fn(T) -> bool| {
            a.array.zip(&b.array, move |a, b| if a == T::ZERO && holds(b) { T::ONE } else { T::ZERO })
        };
        let one = Tensor::scalar(T::ONE);
        if index == 0 {
            let base = Tensor::from(constant(|b| b == T::ZERO)?).select(&one, &a)?;
            return Ok(grad * (&b * base.pow(&(&b - 1.0))?));
        }
        let base = Tensor::from(constant(|b| b >= T::ZERO)?).select(&one, &a)?;
        Ok(grad * (at.output() * base.ln()))
    }
    fn reads(&self, index: usize) -> Reads {
        if index == 0 { Reads::INPUTS } else { Reads::ALL }
    }
}

/// The angle of the point `(x, y)`, of `y` and `x`.
struct Atan2;

impl<T: Float> Op<T> for Atan2 {
    fn name(&self) -> &'static str {
        "atan2"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip_with(x[1], 1.0, |y: T, x: T| y.atan2(x))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let (y, x) = (at.input(0), at.input(1));
        let scaled = grad / (y.square() + x.square()).or_one();
        Ok(if index == 0 { scaled * x } else { -(scaled * y) })
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::INPUTS
    }
}

/// `√(a² + b²)`.
struct Hypot;

impl<T: Float> Op<T> for Hypot {
    fn name(&self) -> &'static str {
        "hypot"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip_with(x[1], 0.5, |a: T, b: T| a.hypot(b))
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * (at.input(index) / at.output().or_one()))
    }
    fn reads(&self, index: usize) -> Reads {
        Reads::input(index) | Reads::OUTPUT
    }
}

/// `ln(eᵃ + eᵇ)`.
struct LogAddExp;

impl<T: Float> Op<T> for LogAddExp {
    fn name(&self) -> &'static str {
        "log_add_exp"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip_with(x[1], 2.0, |a: T, b: T| {
            // Equal infinities have no difference.
            let apart = if a == b { T::ZERO } else { (a - b).abs() };
            a.maximum(b) + (-apart).softplus()
        })
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * (at.input(index) - at.input(1 - index)).sigmoid())
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::INPUTS
    }
}

/// What is left of `a` after whole multiples of `b`, with the sign of `b` if the quotient is rounded down, else of `a`.
struct Remainder {
    down: bool,
}

impl<T: Float> Op<T> for Remainder {
    fn name(&self) -> &'static str {
        if self.down { "remainder" } else { "fmod" }
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let down = self.down;
        x[0].zip_with(x[1], 2.0, move |a: T, b: T| {
            let rest = a.fmod(b);
            if down && rest != T::ZERO && (rest < T::ZERO) != (b < T::ZERO) { rest + b } else { rest }
        })
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        if index == 0 {
            return Ok(grad);
        }
        // The quotient is a whole number, and constant beside the point.
        let (a, b, rest) = (at.input(0).array, at.input(1).array, at.output().array);
        let quotient = a.zip3(&b, &rest, |a, b, rest| -((a - rest) / b).round())?;
        Ok(grad * Tensor::from(quotient))
    }
    fn reads(&self, index: usize) -> Reads {
        if index == 0 { Reads::NONE } else { Reads::ALL }
    }
}

/// `start + weight (end - start)`, of start, end and weight.
struct Lerp;

impl<T: Float> Op<T> for Lerp {
    fn name(&self) -> &'static str {
        "lerp"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip3(x[1], x[2], |start, end, weight| {
            // From the nearer end, so that both ends are met exactly.
            let way = end - start;
            if weight.abs() < T::from_f64(0.5) { start + weight * way } else { end - way * (T::ONE - weight) }
        })
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(match index {
            0 => grad * (1.0 - at.input(2)),
            1 => grad * at.input(2),
            _ => grad * (at.input(1) - at.input(0)),
        })
    }
    fn reads(&self, index: usize) -> Reads {
        if index < 2 { Reads::input(2) } else { Reads::input(0) | Reads::input(1) }
    }
}

impl<T: Float> Tensor<T> {
    /// `aᵇ`, elementwise after broadcasting; NaN for a negative base unless the exponent is a whole number. For a base of
    /// 0 the gradient of the exponent is 0 unless it is negative, and that of the base is 0 if the exponent is.
    ///
    /// For one exponent that needs no gradient, [`powi`](Self::powi) and [`powf`](Self::powf) cost less.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let base = Tensor::from_vec([2.0, 9.0], [2])?;
    /// assert_eq!(base.pow(&Tensor::from_vec([3.0, 0.5], [2])?)?.to_vec(), [8.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn pow(&self, exponent: &Self) -> Result<Self> {
        Pow.apply(&[self, exponent])
    }

    /// The angle of the point `(x, y)`, of which these are the `y`, in radians from -π to π, elementwise after
    /// broadcasting. The gradient at the origin is 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (y, x) = (Tensor::from_vec([0.0f64, 1.0], [2])?, Tensor::scalar(-1.0));
    /// assert_eq!(y.atan2(&x)?.to_vec(), [std::f64::consts::PI, 0.75 * std::f64::consts::PI]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn atan2(&self, x: &Self) -> Result<Self> {
        Atan2.apply(&[self, x])
    }

    /// `√(a² + b²)`, elementwise after broadcasting, without overflow. The gradient at the origin is 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// assert_eq!(Tensor::scalar(3.0).hypot(&Tensor::scalar(4.0))?.item(), 5.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn hypot(&self, other: &Self) -> Result<Self> {
        Hypot.apply(&[self, other])
    }

    /// `ln(eᵃ + eᵇ)`, elementwise after broadcasting, without overflow.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let a = Tensor::scalar(1000.0f64);
    /// assert_eq!(a.log_add_exp(&a)?.item(), 1000.0 + 2.0f64.ln());
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn log_add_exp(&self, other: &Self) -> Result<Self> {
        LogAddExp.apply(&[self, other])
    }

    /// The remainder `a - b ⌊a / b⌋`, elementwise after broadcasting: it has the sign of the divisor `b`. NaN for a divisor
    /// of 0. At the jumps the gradient is that of beside them.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let a = Tensor::from_vec([5.0, -5.0], [2])?;
    /// assert_eq!(a.remainder(&Tensor::scalar(3.0))?.to_vec(), [2.0, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn remainder(&self, divisor: &Self) -> Result<Self> {
        Remainder { down: true }.apply(&[self, divisor])
    }

    /// The remainder `a - b trunc(a / b)`, elementwise after broadcasting: it has the sign of `a`. NaN for a divisor `b` of
    /// 0. At the jumps the gradient is that of beside them.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let a = Tensor::from_vec([5.0, -5.0], [2])?;
    /// assert_eq!(a.fmod(&Tensor::scalar(3.0))?.to_vec(), [2.0, -2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn fmod(&self, divisor: &Self) -> Result<Self> {
        Remainder { down: false }.apply(&[self, divisor])
    }

    /// The way from here to `end`: `start + weight (end - start)`, elementwise after broadcasting; all three are
    /// differentiable. A weight of 0 gives the start, of 1 the end, exactly.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (start, end) = (Tensor::scalar(10.0), Tensor::scalar(20.0));
    /// let weight = Tensor::from_vec([0.0, 0.25, 1.0], [3])?;
    /// assert_eq!(start.lerp(&end, &weight)?.to_vec(), [10.0, 12.5, 20.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn lerp(&self, end: &Self, weight: &Self) -> Result<Self> {
        Lerp.apply(&[self, end, weight])
    }
}
