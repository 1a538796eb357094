//! Pooling, and flattening.

use crate::{Layer, Module, Pair};
use autodiff::{Float, PoolOptions, Result, Tensor};

macro_rules! pooling {
    ($(#[$doc:meta])* $name:ident, $method:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Module)]
        pub struct $name {
            #[module(skip)]
            options: PoolOptions,
        }

        impl $name {
            /// Windows of this size, side by side: the stride is the kernel's size, and there is no padding.
            pub fn new(kernel: impl Into<Pair>) -> Self {
                let Pair(kernel) = kernel.into();
                Self { options: PoolOptions { kernel, stride: kernel, padding: [0, 0] } }
            }

            /// The same layer with this distance between the windows.
            #[must_use]
            pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
                self.options.stride = stride.into().0;
                self
            }

            /// The same layer with the image padded by this much on each side.
            #[must_use]
            pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
                self.options.padding = padding.into().0;
                self
            }
        }

        impl<T: Float> Layer<T> for $name {
            /// The pooled image.
            ///
            /// # Errors
            /// If `x` is not `[n, c, h, w]`, a size is 0, or a window is larger than the padded image.
            #[track_caller]
            fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
                x.$method(self.options)
            }
        }
    };
}

pooling! {
    /// The largest element of each window of each channel: `[n, c, h, w]` becomes `[n, c, h', w']` with
    /// `h' = ⌊(h + 2 padding - kernel) / stride⌋ + 1`. The gradient goes to the first of several largest.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, MaxPool2d};
    /// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    /// assert_eq!(MaxPool2d::new(2).forward(&x)?.item(), 4.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    MaxPool2d, max_pool2d
}

pooling! {
    /// The mean of each window of each channel: `[n, c, h, w]` becomes `[n, c, h', w']` with
    /// `h' = ⌊(h + 2 padding - kernel) / stride⌋ + 1`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{AvgPool2d, Layer};
    /// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    /// assert_eq!(AvgPool2d::new(2).forward(&x)?.item(), 2.5);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AvgPool2d, avg_pool2d
}

/// All axes but the first joined into one: `[n, c, h, w]` becomes `[n, c h w]`.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Flatten, Layer};
/// assert_eq!(Flatten.forward(&Tensor::<f32>::zeros([2, 3, 4, 4]))?.shape(), [2, 48]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Flatten;

impl<T: Float> Layer<T> for Flatten {
    /// `x` as a matrix.
    ///
    /// # Errors
    /// If `x` has fewer than two axes.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        x.flatten(1)
    }
}
