//! The large kernels, compiled here for both types of numbers.
//!
//! A function that is generic over the type is compiled in each crate that calls it, tests and examples included, which for
//! products and convolutions takes seconds each: three instruction sets, and a dozen tiles for each. As functions of the two
//! types they are compiled with this crate, once.

use super::buffer::Element;
use super::conv::{self, ConvShape};
use super::dispatch::level;
use super::gemm::{self, Matrix, Packed};

/// A number for which products and convolutions are compiled.
#[doc(hidden)]
pub trait Compiled: Element {
    /// See [`gemm::product`].
    fn product(
        out: &mut [Self],
        sizes: (usize, usize, usize),
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        bias: Option<&[Self]>,
        threads: bool,
    );
    /// See [`Packed::new`].
    fn pack(matrix: Matrix<'_, Self>, inner: usize, columns: usize) -> Packed<Self>;
    /// See [`Packed::product`].
    fn product_of_packed(packed: &Packed<Self>, out: &mut [Self], a: &[Self]);
    /// See [`conv::forward`].
    fn convolve(s: &ConvShape, x: &[Self], w: &[Self], bias: Option<&[Self]>, y: &mut [Self]);
    /// See [`conv::input_grad`].
    fn input_grad(s: &ConvShape, g: &[Self], w: &[Self], dx: &mut [Self]);
    /// See [`conv::weight_grad`].
    fn weight_grad(s: &ConvShape, x: &[Self], g: &[Self], dw: &mut [Self]);
}

macro_rules! compiled {
    ($($t:ty),*) => {
        $(impl Compiled for $t {
            fn product(
                out: &mut [Self],
                sizes: (usize, usize, usize),
                a: Matrix<'_, Self>,
                b: Matrix<'_, Self>,
                bias: Option<&[Self]>,
                threads: bool,
            ) {
                gemm::product_at(level(), out, sizes, a, b, bias, threads);
            }
            fn pack(matrix: Matrix<'_, Self>, inner: usize, columns: usize) -> Packed<Self> {
                Packed::at(level(), matrix, inner, columns, true)
            }
            fn product_of_packed(packed: &Packed<Self>, out: &mut [Self], a: &[Self]) {
                packed.multiply(out, a);
            }
            fn convolve(s: &ConvShape, x: &[Self], w: &[Self], bias: Option<&[Self]>, y: &mut [Self]) {
                conv::forward_at(level(), s, x, w, bias, y);
            }
            fn input_grad(s: &ConvShape, g: &[Self], w: &[Self], dx: &mut [Self]) {
                conv::input_grad_at(level(), s, g, w, dx);
            }
            fn weight_grad(s: &ConvShape, x: &[Self], g: &[Self], dw: &mut [Self]) {
                conv::weight_grad_at(level(), s, x, g, dw);
            }
        })*
    };
}

compiled!(f32, f64);
