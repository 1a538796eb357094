//! Arithmetic of two tensors, which broadcast, and of a tensor and a number; the operators.

use crate::array::Array;
use crate::error::Result;
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::parameter::Parameter;
use crate::tape::{Elementwise1, Elementwise2, Operand, apply_one, apply_two};
use crate::tensor::Tensor;
use std::cmp::Ordering;
use std::ops;

/// `a + b`, elementwise after broadcasting. The operator `+`, without its panic.
pub struct Add;

impl<T: Float> Op<T> for Add {
    fn name(&self) -> &'static str {
        "add"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip(x[1], Self::value)
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Elementwise2<T> for Add {
    #[inline]
    fn value(a: T, b: T) -> T {
        a + b
    }
}

/// `a - b`, elementwise after broadcasting. The operator `-`, without its panic.
pub struct Sub;

impl<T: Float> Op<T> for Sub {
    fn name(&self) -> &'static str {
        "sub"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip(x[1], Self::value)
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(if index == 0 { grad } else { -grad })
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Elementwise2<T> for Sub {
    #[inline]
    fn value(a: T, b: T) -> T {
        a - b
    }
}

/// `a * b`, elementwise after broadcasting. The operator `*`, without its panic.
pub struct Mul;

impl<T: Float> Op<T> for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip(x[1], Self::value)
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * at.input(1 - index))
    }
    fn vjp_add(
        &self,
        index: usize,
        grad: &Tensor<T>,
        at: &Point<'_, T>,
        sum: &mut Array<T>,
    ) -> Option<Result<()>> {
        sum.add_product(&grad.array, at.values(1 - index)).then_some(Ok(()))
    }
    fn reads(&self, index: usize) -> Reads {
        Reads::input(1 - index)
    }
}

impl<T: Float> Elementwise2<T> for Mul {
    #[inline]
    fn value(a: T, b: T) -> T {
        a * b
    }
}

/// `a / b`, elementwise after broadcasting. The operator `/`, without its panic.
pub struct Div;

impl<T: Float> Op<T> for Div {
    fn name(&self) -> &'static str {
        "div"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        x[0].zip(x[1], Self::value)
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let scaled = grad / at.input(1);
        // d(a/b)/db = -(a/b) / b
        Ok(if index == 0 { scaled } else { -(scaled * at.output()) })
    }
    fn reads(&self, index: usize) -> Reads {
        if index == 0 { Reads::input(1) } else { Reads::input(1) | Reads::OUTPUT }
    }
}

impl<T: Float> Elementwise2<T> for Div {
    #[inline]
    fn value(a: T, b: T) -> T {
        a / b
    }
}

/// The larger (or smaller) of two, elementwise after broadcasting.
struct Extreme {
    wins: Ordering,
}

impl<T: Float> Op<T> for Extreme {
    fn name(&self) -> &'static str {
        if self.wins == Ordering::Greater { "maximum" } else { "minimum" }
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        match self.wins {
            Ordering::Greater => x[0].zip(x[1], T::maximum),
            _ => x[0].zip(x[1], T::minimum),
        }
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        let (least, half) = (self.wins == Ordering::Less, T::from_f64(0.5));
        let share = at.values(index).zip(at.values(1 - index), move |a, b| {
            let (a, b) = if least { (b, a) } else { (a, b) };
            // Choices between constants, which need no branches: those would be foreseen for one number of two.
            let apart = if a > b { T::ONE } else { T::ZERO };
            let share = if a == b { half } else { apart };
            // Where the value is NaN, so is its gradient.
            if a.is_nan() || b.is_nan() { T::NAN } else { share }
        })?;
        Ok(grad * Tensor::from(share))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::INPUTS
    }
}

/// `x + c` for a number.
#[derive(Clone, Copy)]
struct AddNumber(f64);

impl<T: Float> Op<T> for AddNumber {
    fn name(&self) -> &'static str {
        "add"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let op = *self;
        Ok(x[0].map(move |x| op.value(x)))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Elementwise1<T> for AddNumber {
    #[inline]
    fn value(&self, x: T) -> T {
        x + T::from_f64(self.0)
    }
}

/// `x * c` for a number.
#[derive(Clone, Copy)]
struct MulNumber(f64);

impl<T: Float> Op<T> for MulNumber {
    fn name(&self) -> &'static str {
        "mul"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let op = *self;
        Ok(x[0].map(move |x| op.value(x)))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad * self.0)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Elementwise1<T> for MulNumber {
    #[inline]
    fn value(&self, x: T) -> T {
        x * T::from_f64(self.0)
    }
}

/// `x / c` for a number; not `x * (1 / c)`, which would round twice.
#[derive(Clone, Copy)]
struct DivNumber(f64);

impl<T: Float> Op<T> for DivNumber {
    fn name(&self) -> &'static str {
        "div"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let op = *self;
        Ok(x[0].map(move |x| op.value(x)))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(grad / self.0)
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Elementwise1<T> for DivNumber {
    #[inline]
    fn value(&self, x: T) -> T {
        x / T::from_f64(self.0)
    }
}

impl<T: Float> Tensor<T> {
    /// The larger of two, elementwise after broadcasting; NaN if either is. Equal elements share the gradient equally.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: &Self) -> Result<Self> {
        Extreme { wins: Ordering::Greater }.apply(&[self, other])
    }

    /// The smaller of two, elementwise after broadcasting; NaN if either is. Equal elements share the gradient equally.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: &Self) -> Result<Self> {
        Extreme { wins: Ordering::Less }.apply(&[self, other])
    }

    /// The result of an operator, whose error is a panic at the caller's line.
    #[track_caller]
    #[inline]
    fn or_panic(result: Result<Self>) -> Self {
        match result {
            Ok(tensor) => tensor,
            Err(error) => panic!("{error}"),
        }
    }
}

impl<T: Float> From<Tensor<T>> for Operand<'_, T> {
    fn from(tensor: Tensor<T>) -> Self {
        Self::Given(tensor)
    }
}

impl<'a, T: Float> From<&'a Tensor<T>> for Operand<'a, T> {
    fn from(tensor: &'a Tensor<T>) -> Self {
        Self::Lent(tensor)
    }
}

impl<'a, T: Float> From<&'a Parameter<T>> for Operand<'a, T> {
    fn from(parameter: &'a Parameter<T>) -> Self {
        Self::Lent(parameter)
    }
}

/// An operator between all of tensor, reference, parameter and (as `f64`) number: the op of a number on the right, and the
/// formula for one on the left.
///
/// # Panics
/// The operators panic with the error's own text if the shapes do not broadcast; `Add.apply(&[&a, &b])?` does not.
macro_rules! operator {
    ($trait:ident, $method:ident, |$c:ident| $right:expr, |$d:ident, $y:ident| $left:expr) => {
        operator!(@pair $trait, $method, &Tensor<T>, &Tensor<T>);
        operator!(@pair $trait, $method, &Tensor<T>, Tensor<T>);
        operator!(@pair $trait, $method, Tensor<T>, &Tensor<T>);
        operator!(@pair $trait, $method, Tensor<T>, Tensor<T>);
        operator!(@pair $trait, $method, &Tensor<T>, &Parameter<T>);
        operator!(@pair $trait, $method, Tensor<T>, &Parameter<T>);
        operator!(@pair $trait, $method, &Parameter<T>, &Tensor<T>);
        operator!(@pair $trait, $method, &Parameter<T>, Tensor<T>);
        operator!(@pair $trait, $method, &Parameter<T>, &Parameter<T>);
        operator!(@number $trait, $method, &Tensor<T>, |$c| $right, |$d, $y| $left);
        operator!(@number $trait, $method, Tensor<T>, |$c| $right, |$d, $y| $left);
        operator!(@number $trait, $method, &Parameter<T>, |$c| $right, |$d, $y| $left);
    };
    (@pair $trait:ident, $method:ident, $left:ty, $right:ty) => {
        impl<T: Float> ops::$trait<$right> for $left {
            type Output = Tensor<T>;
            #[track_caller]
            #[inline]
            fn $method(self, other: $right) -> Tensor<T> {
                Tensor::or_panic(apply_two($trait, self.into(), other.into()))
            }
        }
    };
    (@number $trait:ident, $method:ident, $type:ty, |$c:ident| $right:expr, |$d:ident, $y:ident| $left:expr) => {
        impl<T: Float> ops::$trait<f64> for $type {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, $c: f64) -> Tensor<T> {
                Tensor::or_panic(apply_one($right, self.into()))
            }
        }
        impl<T: Float> ops::$trait<$type> for f64 {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, $y: $type) -> Tensor<T> {
                let $d = self;
                $left
            }
        }
    };
}

operator!(Add, add, |c| AddNumber(c), |d, y| y + d);
operator!(Sub, sub, |c| AddNumber(-c), |d, y| -y + d);
operator!(Mul, mul, |c| MulNumber(c), |d, y| y * d);
operator!(Div, div, |c| DivNumber(c), |d, y| Tensor::scalar(T::from_f64(d)) / y);

/// `-x`, elementwise.
impl<T: Float> ops::Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        self * -1.0
    }
}

impl<T: Float> ops::Neg for Tensor<T> {
    type Output = Self;
    #[track_caller]
    fn neg(self) -> Self {
        self * -1.0
    }
}

impl<T: Float> ops::Neg for &Parameter<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        self * -1.0
    }
}
