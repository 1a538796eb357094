//! Pooling, and flattening.

use crate::size::sizes;
use crate::{Layer, Module, Size};
use autodiff::{Float, PoolOptions, Result, Tensor};

/// Writes a layer over windows, `name` along any number of axes, and its forward passes, `Alias, axes, method, input`.
macro_rules! windows {
    (
        $(#[$about:meta])* $name:ident;
        $($(#[$about_alias:meta])* $alias:ident, $axes:literal, $method:ident, $input:literal;)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Module)]
        pub struct $name<const D: usize> {
            #[module(skip)]
            options: PoolOptions<D>,
        }

        impl<const D: usize> $name<D> {
            /// Windows of this size, side by side: the stride is the kernel's size, and there is no padding.
            pub fn new(kernel: impl Into<Size<D>>) -> Self {
                Self { options: PoolOptions::new(kernel.into().0) }
            }

            sizes! {
                /// The same layer with this distance between the windows.
                stride;
                /// The same layer with the input padded by this much at either end; at most half a window.
                padding;
            }
        }

        $(
            $(#[$about_alias])*
            pub type $alias = $name<$axes>;

            impl<T: Float> Layer<T> for $alias {
                /// The pooled input.
                ///
                /// # Errors
                #[doc = concat!("If `x` is not `", $input, "`, a size is 0, the padding is more than half a window, or a window")]
                /// is larger than the padded input.
                #[track_caller]
                fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
                    x.$method(self.options)
                }
            }
        )*
    };
}

windows! {
    /// The largest element of each window of each channel: for two axes, `[n, c, h, w]` becomes `[n, c, h', w']` with
    /// `h' = ⌊(h + 2 padding - kernel) / stride⌋ + 1`. The gradient goes to the first of several largest.
    MaxPool;

    /// The [largest element](MaxPool) of each window of sequences `[n, c, length]`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, MaxPool1d};
    /// let x = Tensor::from_vec([1.0f32, 4.0, 3.0, 2.0], [1, 1, 4])?;
    /// assert_eq!(MaxPool1d::new(2).forward(&x)?.to_vec(), [4.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    MaxPool1d, 1, max_pool1d, "[n, c, length]";

    /// The [largest element](MaxPool) of each window of images `[n, c, h, w]`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{Layer, MaxPool2d};
    /// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    /// assert_eq!(MaxPool2d::new(2).forward(&x)?.item(), 4.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    MaxPool2d, 2, max_pool2d, "[n, c, h, w]";
}

windows! {
    /// The mean of each window of each channel: for two axes, `[n, c, h, w]` becomes `[n, c, h', w']` with
    /// `h' = ⌊(h + 2 padding - kernel) / stride⌋ + 1`. Padding counts as zeros.
    AvgPool;

    /// The [mean](AvgPool) of each window of sequences `[n, c, length]`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{AvgPool1d, Layer};
    /// let x = Tensor::from_vec([1.0f32, 4.0, 3.0, 2.0], [1, 1, 4])?;
    /// assert_eq!(AvgPool1d::new(2).stride(1).forward(&x)?.to_vec(), [2.5, 3.5, 2.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AvgPool1d, 1, avg_pool1d, "[n, c, length]";

    /// The [mean](AvgPool) of each window of images `[n, c, h, w]`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{AvgPool2d, Layer};
    /// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    /// assert_eq!(AvgPool2d::new(2).forward(&x)?.item(), 2.5);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AvgPool2d, 2, avg_pool2d, "[n, c, h, w]";
}

/// Writes layers over bins, `Name(size), method, input`.
macro_rules! bins {
    ($($(#[$about:meta])* $name:ident($size:ty), $method:ident, $input:literal;)*) => {
        $(
            $(#[$about])*
            ///
            /// Along an axis of `n` entries, bin `i` of `m` begins at `⌊i n / m⌋` and ends before `⌈(i + 1) n / m⌉`.
            #[derive(Clone, Copy, Debug, Module)]
            pub struct $name(
                /// How many bins there are: the size of the output.
                #[module(skip)]
                pub $size,
            );

            impl<T: Float> Layer<T> for $name {
                /// The pooled input.
                ///
                /// # Errors
                #[doc = concat!("If `x` is not `", $input, "`, or a size is 0.")]
                #[track_caller]
                fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
                    x.$method(self.0)
                }
            }
        )*
    };
}

bins! {
    /// The largest element of each bin of sequences: `[n, c, length]` becomes `[n, c, size]` for any length.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{AdaptiveMaxPool1d, Layer};
    /// let x = Tensor::from_vec([1.0f32, 4.0, 3.0, 2.0, 0.0], [1, 1, 5])?;
    /// assert_eq!(AdaptiveMaxPool1d(2).forward(&x)?.to_vec(), [4.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AdaptiveMaxPool1d(usize), adaptive_max_pool1d, "[n, c, length]";

    /// The largest element of each bin of images: `[n, c, h, w]` becomes `[n, c, height, width]` for images of any size.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{AdaptiveMaxPool2d, Layer};
    /// let pool = AdaptiveMaxPool2d([2, 3]);
    /// assert_eq!(pool.forward(&Tensor::<f32>::zeros([8, 16, 7, 9]))?.shape(), [8, 16, 2, 3]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AdaptiveMaxPool2d([usize; 2]), adaptive_max_pool2d, "[n, c, h, w]";

    /// The mean of each bin of sequences: `[n, c, length]` becomes `[n, c, size]` for any length.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{AdaptiveAvgPool1d, Layer};
    /// let x = Tensor::from_vec([1.0f32, 4.0, 4.0, 2.0, 0.0], [1, 1, 5])?;
    /// assert_eq!(AdaptiveAvgPool1d(2).forward(&x)?.to_vec(), [3.0, 2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AdaptiveAvgPool1d(usize), adaptive_avg_pool1d, "[n, c, length]";

    /// The mean of each bin of images: `[n, c, h, w]` becomes `[n, c, height, width]` for images of any size.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{AdaptiveAvgPool2d, Layer};
    /// let pool = AdaptiveAvgPool2d([2, 3]);
    /// assert_eq!(pool.forward(&Tensor::<f32>::zeros([8, 16, 7, 9]))?.shape(), [8, 16, 2, 3]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AdaptiveAvgPool2d([usize; 2]), adaptive_avg_pool2d, "[n, c, h, w]";
}

/// Writes layers over all axes of space, `Name, method`.
macro_rules! global {
    ($($(#[$about:meta])* $name:ident, $method:ident;)*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, Default, Module)]
            pub struct $name;

            impl<T: Float> Layer<T> for $name {
                /// One number a channel.
                ///
                /// # Errors
                /// If `x` has fewer than two axes.
                #[track_caller]
                fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
                    // Those from axis 2 on, as one; without any, the only element of each channel.
                    let shape = x.shape();
                    if shape.rank() == 2 {
                        return Ok(x.clone());
                    }
                    x.flatten(2)?.$method(2)
                }
            }
        )*
    };
}

global! {
    /// The largest element of each channel over all axes of space: `[n, c, ..]` becomes `[n, c]`. Several largest share the
    /// gradient equally.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{GlobalMaxPool, Layer};
    /// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    /// assert_eq!(GlobalMaxPool.forward(&x)?.to_vec(), [4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    GlobalMaxPool, max_axes;

    /// The mean of each channel over all axes of space: `[n, c, ..]` becomes `[n, c]` (Lin, Chen and Yan, arXiv:1312.4400).
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::{GlobalAvgPool, Layer};
    /// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    /// assert_eq!(GlobalAvgPool.forward(&x)?.to_vec(), [2.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    GlobalAvgPool, mean_axes;
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
