//! Layers that resize images.

use crate::{Layer, Module};
use autodiff::{Float, Interpolation, Result, Tensor};

/// Resizes all axes of space of `[n, c, ..]`, by a factor or to a size; see [`Tensor::interpolate`].
///
/// ```
/// use autodiff::{Interpolation, Tensor};
/// use nn::{Layer, Upsample};
/// let x = Tensor::from_vec([0.0f32, 2.0], [1, 1, 2])?;
/// assert_eq!(Upsample::by(2.0).forward(&x)?.to_vec(), [0.0, 0.0, 2.0, 2.0]);
/// let linear = Upsample::to([3]).mode(Interpolation::Linear { align_corners: true });
/// assert_eq!(linear.forward(&x)?.to_vec(), [0.0, 1.0, 2.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct Upsample {
    #[module(skip)]
    target: Target,
    #[module(skip)]
    mode: Interpolation,
}

#[derive(Clone, Debug)]
enum Target {
    Factor(f64),
    Size(Vec<usize>),
}

impl Upsample {
    /// A layer that makes every axis of space larger by this factor: `⌊n factor⌋` entries from `n`. Of the nearest entries;
    /// see [`mode`](Self::mode).
    pub fn by(factor: f64) -> Self {
        Self { target: Target::Factor(factor), mode: Interpolation::Nearest }
    }

    /// A layer that makes the axes of space these sizes. Of the nearest entries; see [`mode`](Self::mode).
    pub fn to(size: impl Into<Vec<usize>>) -> Self {
        Self { target: Target::Size(size.into()), mode: Interpolation::Nearest }
    }

    /// The same layer with another way to find the new entries.
    #[must_use]
    pub fn mode(mut self, mode: Interpolation) -> Self {
        self.mode = mode;
        self
    }
}

impl<T: Float> Layer<T> for Upsample {
    /// The resized images.
    ///
    /// # Errors
    /// If `x` has fewer than two axes, there is not one size for each axis of space, or an axis would be empty.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        match &self.target {
            Target::Factor(factor) => x.interpolate_by(vec![*factor; x.rank().saturating_sub(2)], self.mode),
            Target::Size(size) => x.interpolate(size, self.mode),
        }
    }
}

/// Pixels from channels, by this factor: `[.., c r², h, w]` becomes `[.., c, h r, w r]` (Shi et al., arXiv:1609.05158); see
/// [`Tensor::pixel_shuffle`].
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Layer, PixelShuffle};
/// assert_eq!(PixelShuffle(2).forward(&Tensor::<f32>::zeros([1, 12, 5, 5]))?.shape(), [1, 3, 10, 10]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct PixelShuffle(
    /// The factor `r`.
    pub usize,
);

impl<T: Float> Layer<T> for PixelShuffle {
    /// The larger images.
    ///
    /// # Errors
    /// If `x` has fewer than three axes, or its channels are no multiple of `r²`.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        x.pixel_shuffle(self.0)
    }
}

/// Channels from pixels, by this factor: `[.., c, h r, w r]` becomes `[.., c r², h, w]`, the inverse of [`PixelShuffle`].
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Layer, PixelUnshuffle};
/// assert_eq!(PixelUnshuffle(2).forward(&Tensor::<f32>::zeros([1, 3, 10, 10]))?.shape(), [1, 12, 5, 5]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct PixelUnshuffle(
    /// The factor `r`.
    pub usize,
);

impl<T: Float> Layer<T> for PixelUnshuffle {
    /// The smaller images.
    ///
    /// # Errors
    /// If `x` has fewer than three axes, or its height or width is no multiple of `r`.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        x.pixel_unshuffle(self.0)
    }
}
