//! Resizing the axes of space: interpolation, and the exchange of channels for pixels.

use crate::array::Array;
use crate::error::{Error, ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::kernel::blend::{Blend, Blends};
use crate::op::{Op, Point, Reads};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::sync::Arc;

/// Weighted sums of entries along the axes of images `[n, c, ..]`.
pub(super) struct Blending<T> {
    name: &'static str,
    blends: Arc<Blends<T>>,
    adjoint: Arc<Blends<T>>,
}

impl<T: Float> Blending<T> {
    /// The op of this name that blends along axes of the image, one after the other.
    pub(super) fn new(name: &'static str, steps: Vec<(usize, Blend<T>)>) -> Self {
        let blends = Blends::new(steps);
        let adjoint = Arc::new(blends.adjoint());
        Self { name, blends: Arc::new(blends), adjoint }
    }
}

impl<T: Float> Op<T> for Blending<T> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        Ok(x[0].blend(2, &self.blends))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, _: &Point<'_, T>) -> Result<Tensor<T>> {
        Self { name: self.name, blends: self.adjoint.clone(), adjoint: self.blends.clone() }.apply(&[&grad])
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// How the entries of a resized axis are found from those of the original one.
///
/// ```
/// use autodiff::{Interpolation, Tensor};
/// let x = Tensor::from_vec([0.0, 1.0, 2.0], [1, 1, 3])?;
/// assert_eq!(x.interpolate([2], Interpolation::Nearest)?.to_vec(), [0.0, 1.0]);
/// assert_eq!(x.interpolate([2], Interpolation::Linear { align_corners: true })?.to_vec(), [0.0, 2.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The entry at the place rounded down.
    Nearest,
    /// Between the two entries next to the place, in proportion: bilinear for two axes, trilinear for three.
    Linear {
        /// Whether the centres of the first and the last entries stay where they are, rather than the ends of the axis.
        align_corners: bool,
    },
}

impl Interpolation {
    /// The terms of the `m` outputs from `n` entries, `1 / scale` entries apart, or `n / m` if there is no scale.
    fn terms(self, n: usize, m: usize, scale: Option<f64>) -> Vec<[(usize, f64); 2]> {
        let step = scale.map_or(n as f64 / m as f64, f64::recip);
        let place = |i: usize| match self {
            Self::Nearest if scale.is_none() => (i * n / m) as f64,
            Self::Nearest => (i as f64 * step).floor(),
            Self::Linear { align_corners: true } => i as f64 * ((n - 1) as f64 / (m.max(2) - 1) as f64),
            Self::Linear { align_corners: false } => ((i as f64 + 0.5) * step - 0.5).max(0.0),
        };
        let terms = |i: usize| {
            let place = place(i).min((n - 1) as f64);
            let (entry, share) = (place as usize, place.fract());
            [(entry, 1.0 - share), ((entry + 1).min(n - 1), share)]
        };
        (0..m).map(terms).collect()
    }
}

impl<T: Float> Tensor<T> {
    /// Images `[n, c, ..]` with their axes of space, of which there may be any number, resized to `size`.
    ///
    /// Entry `i` of `m` lies at place `i n / m` of the `n` entries for [`Interpolation::Nearest`], at
    /// `(i + ½) n / m - ½` for linear interpolation, and at `i (n - 1) / (m - 1)` if corners are aligned; never outside.
    ///
    /// # Errors
    /// If there is not one size for each axis of space, or one is 0.
    ///
    /// ```
    /// use autodiff::{Interpolation, Tensor};
    /// let x = Tensor::from_vec([0.0, 2.0], [1, 1, 2])?;
    /// assert_eq!(x.interpolate([4], Interpolation::Nearest)?.to_vec(), [0.0, 0.0, 2.0, 2.0]);
    /// let linear = Interpolation::Linear { align_corners: false };
    /// assert_eq!(x.interpolate([4], linear)?.to_vec(), [0.0, 0.5, 1.5, 2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn interpolate(&self, size: impl AsRef<[usize]>, mode: Interpolation) -> Result<Self> {
        let axes: Vec<_> = size.as_ref().iter().map(|&m| (m, None)).collect();
        self.resized("interpolate", axes.len(), &axes, mode)
    }

    /// Images `[n, c, ..]` with their axes of space scaled: [`interpolate`](Self::interpolate) to `⌊n scale⌋` entries,
    /// with the exact `1 / scale` in place of `n / m`. An axis whose size stays is left as it is.
    ///
    /// # Errors
    /// If there is not one scale for each axis of space, or nothing would be left of one.
    ///
    /// ```
    /// use autodiff::{Interpolation, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2])?;
    /// let y = x.interpolate_by([2.0, 1.0], Interpolation::Nearest)?;
    /// assert_eq!(y.to_vec(), [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn interpolate_by(&self, scale: impl AsRef<[f64]>, mode: Interpolation) -> Result<Self> {
        let (shape, scale) = (self.shape(), scale.as_ref());
        let axes: Vec<_> = scale
            .iter()
            .zip(shape.iter().skip(2))
            .map(|(&scale, n)| ((n as f64 * scale) as usize, Some(scale)))
            .collect();
        self.resized("interpolate_by", scale.len(), &axes, mode)
    }

    /// Images whose axes of space get the sizes and the scales of `axes`, where `given` were given.
    #[track_caller]
    fn resized(
        &self,
        name: &'static str,
        given: usize,
        axes: &[(usize, Option<f64>)],
        mode: Interpolation,
    ) -> Result<Self> {
        let shape = self.shape();
        if shape.rank() < 3 || shape.rank() - 2 != given {
            let message = format!("{given} sizes for the axes of {shape} after images and channels");
            return Err(Error::new(name, message));
        }
        let sizes: Vec<usize> = axes.iter().map(|&(m, _)| m).collect();
        if sizes.contains(&0) || shape.iter().skip(2).any(|n| n == 0) {
            return Err(Error::new(
                name,
                format!("{shape} cannot be resized to {sizes:?}: no axis may be empty"),
            ));
        }
        Shape::new(&[&[shape.dim(0), shape.dim(1)], &sizes[..]].concat()).of_op(name)?;
        let changed = (0..given).filter(|&axis| shape.dim(2 + axis) != sizes[axis]);
        // What makes the image smaller comes first, and along the last axis there is least to do: entries of the others go
        // by vectors.
        let (smaller, larger): (Vec<_>, Vec<_>) =
            changed.partition(|&axis| sizes[axis] < shape.dim(2 + axis));
        let order = smaller.into_iter().chain(larger.into_iter().rev());
        let steps: Vec<_> = order
            .map(|axis| {
                let (n, (m, scale)) = (shape.dim(2 + axis), axes[axis]);
                (axis, Blend::new(n, mode.terms(n, m, scale)))
            })
            .collect();
        if steps.is_empty() { Ok(self.clone()) } else { Blending::new(name, steps).apply(&[self]) }
    }

    /// Pixels from channels: `[.., c r², h, w]` becomes `[.., c, h r, w r]`, where
    /// `y[.., c, i r + k, j r + l] = x[.., (c r + k) r + l, i, j]` (Shi et al., arXiv:1609.05158).
    ///
    /// # Errors
    /// If the rank is below 3, `r` is 0, or the channels are no multiple of `r²`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [4, 1, 1])?;
    /// assert_eq!(x.pixel_shuffle(2)?.shape(), [1, 2, 2]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn pixel_shuffle(&self, r: usize) -> Result<Self> {
        let (front, [c, h, w]) = self.image_axes().of_op("pixel_shuffle")?;
        let square = r.checked_mul(r).filter(|&square| square > 0 && c.is_multiple_of(square));
        let Some(square) = square else {
            let message = format!("the {c} channels of {} are no multiple of {r}²", self.shape());
            return Err(Error::new("pixel_shuffle", message));
        };
        let n = front.iter().product();
        let parts = self.reshaped(Shape::new(&[n, c / square, r, r, h, w]).of_op("pixel_shuffle")?)?;
        let order = parts.permute([0, 1, 4, 2, 5, 3])?;
        order.reshaped(Shape::of(front.into_iter().chain([c / square, h * r, w * r])))
    }

    /// Channels from pixels: `[.., c, h r, w r]` becomes `[.., c r², h, w]`; the inverse of
    /// [`pixel_shuffle`](Self::pixel_shuffle).
    ///
    /// # Errors
    /// If the rank is below 3, `r` is 0, or height or width are no multiple of `r`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [1, 2, 2])?;
    /// assert_eq!(x.pixel_unshuffle(2)?.shape(), [4, 1, 1]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn pixel_unshuffle(&self, r: usize) -> Result<Self> {
        let (front, [c, h, w]) = self.image_axes().of_op("pixel_unshuffle")?;
        if r == 0 || !h.is_multiple_of(r) || !w.is_multiple_of(r) {
            let message = format!("height and width of {} are no multiples of {r}", self.shape());
            return Err(Error::new("pixel_unshuffle", message));
        }
        let n = front.iter().product();
        let parts = self.reshaped(Shape::new(&[n, c, h / r, r, w / r, r]).of_op("pixel_unshuffle")?)?;
        let order = parts.permute([0, 1, 3, 5, 2, 4])?;
        order.reshaped(Shape::of(front.into_iter().chain([c * r * r, h / r, w / r])))
    }

    /// The axes in front, and the last three.
    fn image_axes(&self) -> Result<(Vec<usize>, [usize; 3])> {
        let shape = self.shape();
        let Some(rank) = shape.rank().checked_sub(3) else {
            let message =
                format!("{shape} has rank {}, but channels, height and width are needed", shape.rank());
            return Err(ErrorKind::Message(message).into());
        };
        let front = shape.iter().take(rank).collect();
        Ok((front, [0, 1, 2].map(|axis| shape.dim(rank + axis))))
    }
}
