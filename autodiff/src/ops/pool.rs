//! Pooling over windows of an image, or over the bins that divide it.

use super::resize::Blending;
use crate::array::Array;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::kernel::blend::Blend;
use crate::kernel::pool::{self, PoolShape, average, max};
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::sync::Arc;

/// The windows of a pooling; along the `D` axes of space: height and width for two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions<const D: usize = 2> {
    /// Sizes of a window.
    pub kernel: [usize; D],
    /// Distance of neighbouring windows.
    pub stride: [usize; D],
    /// Positions put around the input, at either end; at most half a window.
    pub padding: [usize; D],
}

impl<const D: usize> PoolOptions<D> {
    /// Windows of these sizes side by side.
    ///
    /// ```
    /// use autodiff::PoolOptions;
    /// assert_eq!(PoolOptions::new([3]), PoolOptions { kernel: [3], stride: [3], padding: [0] });
    /// ```
    pub fn new(kernel: [usize; D]) -> Self {
        Self { kernel, stride: kernel, padding: [0; D] }
    }

    /// Checks the sizes of a pooling.
    fn check(&self, x: Shape) -> Result<()> {
        check_rank::<D>(x)?;
        let Self { kernel, stride, padding } = self;
        let wrong = |message: String| Err(ErrorKind::Message(message).into());
        if kernel.contains(&0) || stride.contains(&0) {
            return wrong(format!("window {kernel:?} and stride {stride:?} must not be 0"));
        }
        for axis in 0..D {
            if padding[axis] > kernel[axis] / 2 {
                return wrong(format!("padding {padding:?} is more than half the window {kernel:?}"));
            }
            if kernel[axis] > x.dim(2 + axis) + 2 * padding[axis] {
                return wrong(format!(
                    "the window {kernel:?} is larger than the input {x} with padding {padding:?}"
                ));
            }
        }
        Ok(())
    }
}

impl PoolOptions {
    /// Square windows side by side.
    ///
    /// ```
    /// use autodiff::PoolOptions;
    /// assert_eq!(PoolOptions::square(2), PoolOptions { kernel: [2, 2], stride: [2, 2], padding: [0, 0] });
    /// ```
    pub fn square(side: usize) -> Self {
        Self::new([side, side])
    }

    /// The sizes of a pooling, checked.
    fn shape(self, x: Shape) -> Result<PoolShape> {
        self.check(x)?;
        let Self { kernel, stride, padding } = self;
        Ok(PoolShape { planes: x.dim(0) * x.dim(1), h: x.dim(2), w: x.dim(3), kernel, stride, padding })
    }
}

impl PoolOptions<1> {
    /// The same along the width of images that are one pixel high.
    fn wide(self) -> PoolOptions {
        let Self { kernel: [kernel], stride: [stride], padding: [padding] } = self;
        PoolOptions { kernel: [1, kernel], stride: [1, stride], padding: [0, padding] }
    }
}

/// Checks that there are images, channels, and `D` axes of space.
fn check_rank<const D: usize>(x: Shape) -> Result<()> {
    let what = ["images, channels, length", "images, channels, height, width"][D - 1];
    if x.rank() == D + 2 {
        return Ok(());
    }
    Err(ErrorKind::Rank { shape: x, expected: D + 2, what }.into())
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
        let y = Array::build(shape, |y| x.with_slice(|x| max::max(&s, x, y, index.make_mut())));
        self.index = Arc::new(index);
        Ok(y)
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Scatter { index: self.index.clone(), x: at.shape(0) }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The largest element of each of the bins that divide an image.
struct AdaptiveMaxPool2d {
    size: [usize; 2],
    /// Where in its plane each output was found.
    index: Arc<Array<u32>>,
}

impl<T: Float> Op<T> for AdaptiveMaxPool2d {
    fn name(&self) -> &'static str {
        "adaptive_max_pool2d"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let x = inputs[0];
        let (shape, [rows, columns]) = (x.shape(), self.size);
        let sides = [shape.dim(2), shape.dim(3)];
        let bins = [pool::bins(sides[0], rows), pool::bins(sides[1], columns)];
        let index = Array::build(shape.with(2, rows).with(3, columns), |index| {
            x.with_slice(|x| max::of_bins(sides, &bins, x, index));
        });
        self.index = Arc::new(index);
        Ok(gather(x, &self.index))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Scatter { index: self.index.clone(), x: at.shape(0) }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// The numbers of a plane of each of two arrays of planes.
fn planes(shapes: [Shape; 2]) -> [usize; 2] {
    shapes.map(|shape| shape.dim(2) * shape.dim(3))
}

/// The elements of `x` where the index points in their planes.
fn gather<T: Float>(x: &Array<T>, index: &Array<u32>) -> Array<T> {
    let sizes = planes([x.shape(), index.shape()]);
    Array::build(index.shape(), |y| {
        x.with_slice(|x| index.with_slice(|index| max::gather(sizes, x, index, y)));
    })
}

/// Adds each element where its index points in its plane: the gradient of what takes a maximum.
struct Scatter {
    index: Arc<Array<u32>>,
    x: Shape,
}

impl<T: Float> Op<T> for Scatter {
    fn name(&self) -> &'static str {
        "max_pool2d_grad"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let sizes = planes([self.x, self.index.shape()]);
        Ok(Array::build(self.x, |dx| {
            inputs[0].with_slice(|g| self.index.with_slice(|index| max::scatter(sizes, g, index, dx)));
        }))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Gather { index: self.index.clone() }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Reads each element where its index points in its plane: the adjoint of [`Scatter`].
struct Gather {
    index: Arc<Array<u32>>,
}

impl<T: Float> Op<T> for Gather {
    fn name(&self) -> &'static str {
        "max_pool2d_gather"
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        Ok(gather(inputs[0], &self.index))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Scatter { index: self.index.clone(), x: at.shape(0) }.apply(&[&grad])
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
        Ok(Array::build(output_shape(x.shape(), &s), |y| x.with_slice(|x| average::average(&s, x, y))))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Spread { options: self.options, x: at.shape(0) }.apply(&[&grad])
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
        Ok(Array::build(self.x, |dx| inputs[0].with_slice(|g| average::spread(&s, g, dx))))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        AvgPool2d { options: self.options }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// Checks the sizes of an adaptive pooling to `size`.
fn check_bins<const D: usize>(x: Shape, size: [usize; D]) -> Result<()> {
    check_rank::<D>(x)?;
    if size.contains(&0) || x.iter().skip(2).any(|side| side == 0) {
        let message = format!("{x} cannot be divided into {size:?} bins: sizes must not be 0");
        return Err(ErrorKind::Message(message).into());
    }
    Ok(())
}

/// The pooling that an adaptive one is if all bins have one size.
fn regular(x: Shape, size: [usize; 2]) -> Option<PoolOptions> {
    let sides = [x.dim(2), x.dim(3)];
    let even = (0..2).all(|axis| sides[axis].is_multiple_of(size[axis]));
    even.then(|| PoolOptions::new(std::array::from_fn(|axis| sides[axis] / size[axis])))
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

    /// The largest element of each window of sequences `[n, c, length]`; NaN if there is one, padding never.
    ///
    /// The gradient goes to the first maximum of each window.
    ///
    /// # Errors
    /// If the rank is not 3, a window is empty or larger than the padded input, or the padding more than half a window.
    ///
    /// ```
    /// use autodiff::{PoolOptions, Tensor};
    /// let x = Tensor::from_vec([1.0, 4.0, 3.0, 2.0], [1, 1, 4])?;
    /// assert_eq!(x.max_pool1d(PoolOptions::new([2]))?.to_vec(), [4.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn max_pool1d(&self, options: PoolOptions<1>) -> Result<Self> {
        options.check(self.shape()).of_op("max_pool1d")?;
        self.unsqueeze(2)?.max_pool2d(options.wide())?.squeeze(2)
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

    /// The mean of each window of sequences `[n, c, length]`; padding counts as zeros (PyTorch's default).
    ///
    /// # Errors
    /// If the rank is not 3, a window is empty or larger than the padded input, or the padding more than half a window.
    ///
    /// ```
    /// use autodiff::{PoolOptions, Tensor};
    /// let x = Tensor::from_vec([1.0, 4.0, 3.0, 2.0], [1, 1, 4])?;
    /// let overlapping = PoolOptions { kernel: [2], stride: [1], padding: [0] };
    /// assert_eq!(x.avg_pool1d(overlapping)?.to_vec(), [2.5, 3.5, 2.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn avg_pool1d(&self, options: PoolOptions<1>) -> Result<Self> {
        options.check(self.shape()).of_op("avg_pool1d")?;
        self.unsqueeze(2)?.avg_pool2d(options.wide())?.squeeze(2)
    }

    /// The largest element of each bin of images `[n, c, h, w]`, which become `size` high and wide: along an axis of `n`
    /// entries, bin `i` of `m` begins at `⌊i n / m⌋` and ends before `⌈(i + 1) n / m⌉`. NaN if there is one.
    ///
    /// `adaptive_max_pool2d([1, 1])` is global pooling. The gradient goes to the first maximum of each bin in row order.
    ///
    /// # Errors
    /// If the rank is not 4, or the height, the width, or a size is 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 9.0, 4.0, 5.0, 6.0, 7.0, 8.0, 3.0], [1, 1, 3, 3])?;
    /// assert_eq!(x.adaptive_max_pool2d([2, 2])?.to_vec(), [5.0, 9.0, 8.0, 8.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool2d(&self, size: [usize; 2]) -> Result<Self> {
        check_bins(self.shape(), size).of_op("adaptive_max_pool2d")?;
        match regular(self.shape(), size) {
            Some(options) => self.max_pool2d(options),
            None => AdaptiveMaxPool2d { size, index: Arc::new(Array::scalar(0)) }.apply(&[self]),
        }
    }

    /// The largest element of each of `size` bins of sequences `[n, c, length]`; the bins are those of
    /// [`adaptive_max_pool2d`](Self::adaptive_max_pool2d).
    ///
    /// The gradient goes to the first maximum of each bin.
    ///
    /// # Errors
    /// If the rank is not 3, or the length or the size is 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 4.0, 3.0, 2.0, 0.0], [1, 1, 5])?;
    /// assert_eq!(x.adaptive_max_pool1d(2)?.to_vec(), [4.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool1d(&self, size: usize) -> Result<Self> {
        check_bins(self.shape(), [size]).of_op("adaptive_max_pool1d")?;
        self.unsqueeze(2)?.adaptive_max_pool2d([1, size])?.squeeze(2)
    }

    /// The mean of each bin of images `[n, c, h, w]`, which become `size` high and wide; the bins are those of
    /// [`adaptive_max_pool2d`](Self::adaptive_max_pool2d).
    ///
    /// `adaptive_avg_pool2d([1, 1])` is global pooling.
    ///
    /// # Errors
    /// If the rank is not 4, or the height, the width, or a size is 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [1, 1, 3, 3])?;
    /// assert_eq!(x.adaptive_avg_pool2d([2, 2])?.to_vec(), [3.0, 4.0, 6.0, 7.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_avg_pool2d(&self, size: [usize; 2]) -> Result<Self> {
        let shape = self.shape();
        check_bins(shape, size).of_op("adaptive_avg_pool2d")?;
        if let Some(options) = regular(shape, size) {
            return self.avg_pool2d(options);
        }
        // The mean of a rectangle is the mean of the means of its rows.
        let steps = [0, 1].map(|axis| {
            let n = shape.dim(2 + axis);
            let bins = pool::bins(n, size[axis]).into_iter().map(|bin| {
                let share = 1.0 / bin.len() as f64;
                bin.map(move |entry| (entry, share))
            });
            (axis, Blend::new(n, bins))
        });
        Blending::new("adaptive_avg_pool2d", steps.into()).apply(&[self])
    }

    /// The mean of each of `size` bins of sequences `[n, c, length]`; the bins are those of
    /// [`adaptive_max_pool2d`](Self::adaptive_max_pool2d).
    ///
    /// # Errors
    /// If the rank is not 3, or the length or the size is 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 4.0, 4.0, 2.0, 0.0], [1, 1, 5])?;
    /// assert_eq!(x.adaptive_avg_pool1d(2)?.to_vec(), [3.0, 2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn adaptive_avg_pool1d(&self, size: usize) -> Result<Self> {
        check_bins(self.shape(), [size]).of_op("adaptive_avg_pool1d")?;
        self.unsqueeze(2)?.adaptive_avg_pool2d([1, size])?.squeeze(2)
    }
}
