//! Pooling over windows of an image.

use crate::array::Array;
use crate::error::{ErrorKind, Result};
use crate::float::Float;
use crate::kernel::pool::{self, PoolShape};
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::sync::Arc;

/// The windows of a pooling; along height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Sizes of a window.
    pub kernel: [usize; 2],
    /// Distance of neighbouring windows.
    pub stride: [usize; 2],
    /// Positions put around the input, at either end; at most half a window.
    pub padding: [usize; 2],
}

impl PoolOptions {
    /// Square windows side by side.
    ///
    /// ```
    /// use autodiff::PoolOptions;
    /// assert_eq!(PoolOptions::square(2), PoolOptions { kernel: [2, 2], stride: [2, 2], padding: [0, 0] });
    /// ```
    pub fn square(side: usize) -> Self {
        Self { kernel: [side, side], stride: [side, side], padding: [0, 0] }
    }

    /// Checks the sizes of a pooling.
    fn shape(self, x: Shape) -> Result<PoolShape> {
        if x.rank() != 4 {
            let what = "images, channels, height, width";
            return Err(ErrorKind::Rank { shape: x, expected: 4, what }.into());
        }
        let Self { kernel, stride, padding } = self;
        let wrong = |message: String| Err(ErrorKind::Message(message).into());
        if kernel.contains(&0) || stride.contains(&0) {
            return wrong(format!("window {kernel:?} and stride {stride:?} must not be 0"));
        }
        for axis in 0..2 {
            if padding[axis] > kernel[axis] / 2 {
                return wrong(format!("padding {padding:?} is more than half the window {kernel:?}"));
            }
            if kernel[axis] > x.dim(2 + axis) + 2 * padding[axis] {
                return wrong(format!(
                    "the window {kernel:?} is larger than the input {x} with padding {padding:?}"
                ));
            }
        }
        Ok(PoolShape { planes: x.dim(0) * x.dim(1), h: x.dim(2), w: x.dim(3), kernel, stride, padding })
    }
}

fn output_shape(x: Shape, s: &PoolShape) -> Shape {
    x.with(2, s.out_h()).with(3, s.out_w())
}

/// The largest element of each window.
struct MaxPool2d {
    options: PoolOptions,
    /// Where in its plane each output was found.
    index: Arc<Array<u32>>,
}

impl<T: Float> Op<T> for MaxPool2d {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let x = inputs[0];
        let s = self.options.shape(x.shape())?;
        let shape = output_shape(x.shape(), &s);
        let mut index = Array::build(shape, |_| {});
        let y = Array::build(shape, |y| x.with_slice(|x| pool::max(&s, x, y, index.make_mut())));
        self.index = Arc::new(index);
        Ok(y)
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Scatter { options: self.options, index: self.index.clone(), x: at.shape(0) }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Adds each element where its index points in its plane: the gradient of [`MaxPool2d`].
struct Scatter {
    options: PoolOptions,
    index: Arc<Array<u32>>,
    x: Shape,
}

impl<T: Float> Op<T> for Scatter {
    fn name(&self) -> &'static str {
        "max_pool2d_grad"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let s = self.options.shape(self.x)?;
        Ok(Array::build(self.x, |dx| {
            inputs[0].with_slice(|g| self.index.with_slice(|index| pool::scatter(&s, g, index, dx)));
        }))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Gather { options: self.options, index: self.index.clone() }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Reads each element where its index points in its plane: the adjoint of [`Scatter`].
struct Gather {
    options: PoolOptions,
    index: Arc<Array<u32>>,
}

impl<T: Float> Op<T> for Gather {
    fn name(&self) -> &'static str {
        "max_pool2d_gather"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let s = self.options.shape(inputs[0].shape())?;
        Ok(Array::build(self.index.shape(), |y| {
            inputs[0].with_slice(|x| self.index.with_slice(|index| pool::gather(&s, x, index, y)));
        }))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Scatter { options: self.options, index: self.index.clone(), x: at.shape(0) }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The mean of each window, padding counted as zeros.
struct AvgPool2d {
    options: PoolOptions,
}

impl<T: Float> Op<T> for AvgPool2d {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let x = inputs[0];
        let s = self.options.shape(x.shape())?;
        Ok(Array::build(output_shape(x.shape(), &s), |y| x.with_slice(|x| pool::average(&s, x, y))))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Spread { options: self.options, x: at.shape(0) }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Gives each element of a window its share: the adjoint of [`AvgPool2d`].
struct Spread {
    options: PoolOptions,
    x: Shape,
}

impl<T: Float> Op<T> for Spread {
    fn name(&self) -> &'static str {
        "avg_pool2d_grad"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let s = self.options.shape(self.x)?;
        Ok(Array::build(self.x, |dx| inputs[0].with_slice(|g| pool::spread(&s, g, dx))))
    }
    fn vjp(&self, _: usize, grad: &Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        AvgPool2d { options: self.options }.apply(&[grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

impl<T: Float> Tensor<T> {
    /// The largest element of each window of images `[n, c, h, w]`; NaN if there is one, padding never.
    ///
    /// The gradient goes to the first maximum of each window in row order.
    ///
    /// # Errors
    /// If the rank is not 4, a window is empty or larger than the padded input, or the padding more than half a window.
    ///
    /// ```
    /// use autodiff::{PoolOptions, Tensor};
    /// let x = Tensor::from_vec([1.0, 4.0, 3.0, 2.0], [1, 1, 2, 2])?;
    /// assert_eq!(x.max_pool2d(PoolOptions::square(2))?.to_vec(), [4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn max_pool2d(&self, options: PoolOptions) -> Result<Self> {
        MaxPool2d { options, index: Arc::new(Array::scalar(0)) }.apply(&[self])
    }

    /// The mean of each window of images `[n, c, h, w]`; padding counts as zeros (PyTorch's default).
    ///
    /// # Errors
    /// If the rank is not 4, a window is empty or larger than the padded input, or the padding more than half a window.
    ///
    /// ```
    /// use autodiff::{PoolOptions, Tensor};
    /// let x = Tensor::from_vec([1.0, 4.0, 3.0, 2.0], [1, 1, 2, 2])?;
    /// assert_eq!(x.avg_pool2d(PoolOptions::square(2))?.to_vec(), [2.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn avg_pool2d(&self, options: PoolOptions) -> Result<Self> {
        AvgPool2d { options }.apply(&[self])
    }
}
