//! Random changes to images, so that a model never sees the same one twice.

use autodiff::{Rng, Tensor};

use crate::Batch;

/// Random changes to images that leave their class as it is.
///
/// Each change is drawn anew for each image and epoch by [`Loader::augment`](crate::Loader::augment), from a random stream
/// that is keyed by seed, epoch and index: an image comes out the same in whatever batch it is. What moves pixels
/// (mirroring, shift, rotation, scaling, shear, elastic distortion) is one map of the plane, so that an image is
/// interpolated once (bilinear, with background 0 outside); then come noise and erasing. What is not asked for is not done.
///
/// ```
/// use autodiff::Rng;
/// use datasets::Augment;
///
/// // A single bright pixel in the middle moves by whole pixels and fractions, and keeps its ink.
/// let mut image = vec![0.0; 9 * 9];
/// image[4 * 9 + 4] = 1.0;
/// Augment::new().shift(2.0).apply(&mut image, [1, 9, 9], &mut Rng::seed(7));
/// assert!((image.iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// assert!(image[4 * 9 + 4] < 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    mirror: bool,
    shift: f64,
    rotation: f64,
    scaling: f64,
    shear: f64,
    /// Strength and smoothness, in pixels.
    elastic: Option<(f64, f64)>,
    noise: f64,
    /// The probability, and the largest share of each side.
    erasing: Option<(f64, f64)>,
}

/// The uses that key the random streams of an image.
#[derive(Clone, Copy)]
enum Use {
    Map,
    Elastic,
    Noise,
    Erasing,
}

impl Augment {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Swaps left and right in half of the images: for clothes and animals, not for digits.
    pub fn mirror(self) -> Self {
        Self { mirror: true, ..self }
    }

    /// Moves by up to so many pixels along each axis.
    ///
    /// # Panics
    /// If it is negative or not finite; so for the other amounts.
    #[track_caller]
    pub fn shift(self, pixels: f64) -> Self {
        Self { shift: amount("shift", pixels), ..self }
    }

    /// Turns about the centre by up to so many degrees either way.
    #[track_caller]
    pub fn rotation(self, degrees: f64) -> Self {
        Self { rotation: amount("rotation", degrees), ..self }
    }

    /// Scales by a factor from `1 / (1 + share)` to `1 + share`, as often up as down.
    #[track_caller]
    pub fn scaling(self, share: f64) -> Self {
        Self { scaling: amount("scaling", share), ..self }
    }

    /// Shears by up to so many degrees either way: rows move sideways in proportion to their height.
    ///
    /// # Panics
    /// If it is negative or not below 90.
    #[track_caller]
    pub fn shear(self, degrees: f64) -> Self {
        assert!(degrees < 90.0, "augment: a shear of {degrees} degrees: it must be below 90");
        Self { shear: amount("shear", degrees), ..self }
    }

    /// Elastic distortion (Simard, Steinkraus and Platt 2003, section 2): each pixel moves by `strength` times a field of
    /// numbers from -1 to 1 that is smoothed by a Gaussian of deviation `smoothness`, in pixels. For 28 pixels the paper
    /// finds 34 and 4 best.
    ///
    /// # Panics
    /// If one is negative or not finite, or the smoothness is 0.
    #[track_caller]
    pub fn elastic(self, strength: f64, smoothness: f64) -> Self {
        assert!(smoothness > 0.0, "augment: an elastic smoothness of {smoothness}: it must be positive");
        Self {
            elastic: Some((amount("elastic strength", strength), amount("elastic smoothness", smoothness))),
            ..self
        }
    }

    /// Adds normal noise of this deviation to each value; the sum may leave 0 to 1.
    #[track_caller]
    pub fn noise(self, deviation: f64) -> Self {
        Self { noise: amount("noise", deviation), ..self }
    }

    /// With this probability, sets a rectangle to 0 (Zhong et al., arXiv:1708.04896): each side is up to `share` of the image's.
    ///
    /// # Panics
    /// If one is not from 0 to 1.
    #[track_caller]
    pub fn erasing(self, probability: f64, share: f64) -> Self {
        for (what, x) in [("probability", probability), ("share", share)] {
            assert!((0.0..=1.0).contains(&x), "augment: an erasing {what} of {x}: it must be from 0 to 1");
        }
        Self { erasing: Some((probability, share)), ..self }
    }

    /// Changes one image of `[channels, height, width]`, values row by row; all channels in the same way, noise apart.
    ///
    /// # Panics
    /// If `image` has not as many values as the shape.
    #[track_caller]
    pub fn apply(&self, image: &mut [f32], shape: [usize; 3], rng: &mut Rng) {
        let [channels, height, width] = shape;
        assert_eq!(image.len(), channels * height * width, "augment: values for an image of {shape:?}");
        if image.is_empty() {
            return;
        }
        // A stream a use: asking for noise does not change how the image is turned.
        let key = Rng::seed((rng.unit() * (1u64 << 53) as f64) as u64);
        let stream = |using: Use| key.stream(using as u64);
        if self.moves() {
            let sources = self.sources([height, width], &mut stream(Use::Map), &mut stream(Use::Elastic));
            for plane in image.chunks_exact_mut(height * width) {
                let before = plane.to_vec();
                for (pixel, &[row, column]) in plane.iter_mut().zip(&sources) {
                    *pixel = bilinear(&before, [height, width], row, column);
                }
            }
        }
        if self.noise > 0.0 {
            let noise: Tensor = stream(Use::Noise).normal([image.len()], 0.0, self.noise);
            image.iter_mut().zip(noise.to_vec()).for_each(|(pixel, noise)| *pixel += noise);
        }
        if let Some((probability, share)) = self.erasing {
            let mut rng = stream(Use::Erasing);
            if rng.unit() < probability {
                let mut part = |side: usize| {
                    let length = (rng.unit() * share * side as f64).round() as usize;
                    let start = rng.below(side - length + 1);
                    start..start + length
                };
                let (rows, columns) = (part(height), part(width));
                for plane in image.chunks_exact_mut(height * width) {
                    for row in rows.clone() {
                        plane[row * width..][columns.clone()].fill(0.0);
                    }
                }
            }
        }
    }

    /// Changes each image of a batch by its own stream of `rng`, that of its index.
    pub(crate) fn apply_all(&self, images: &mut Tensor, indices: &[usize], rng: &Rng) {
        let [count, channels, height, width] = images.shape().to_vec()[..] else {
            panic!("augment: images of shape {}, not [n, channels, height, width]", images.shape());
        };
        assert_eq!(count, indices.len(), "augment: a batch of other than the samples asked for");
        let size = channels * height * width;
        let mut values = images.to_vec();
        for (image, &index) in values.chunks_exact_mut(size.max(1)).zip(indices) {
            self.apply(image, [channels, height, width], &mut rng.stream(index as u64));
        }
        *images = Tensor::from_vec(values, images.shape()).expect("the shape it had");
    }

    /// Whether pixels are to move.
    fn moves(&self) -> bool {
        self.mirror
            || self.elastic.is_some()
            || [self.shift, self.rotation, self.scaling, self.shear].iter().any(|&x| x > 0.0)
    }

    fn draw(&self, rng: &mut Rng) -> Affine {
        let mut between = |bound: f64| bound * (2.0 * rng.unit() - 1.0);
        Affine {
            angle: between(self.rotation).to_radians(),
            scale: (1.0 + self.scaling).powf(between(1.0)),
            shear: between(self.shear).to_radians().tan(),
            shift: [between(self.shift), between(self.shift)],
            mirrored: self.mirror && rng.unit() < 0.5,
        }
    }

    /// For each pixel of the new image, row by row, the place `[row, column]` in the old one that it shows.
    fn sources(&self, [height, width]: [usize; 2], map: &mut Rng, elastic: &mut Rng) -> Vec<[f64; 2]> {
        let map = self.draw(map);
        let mut sources: Vec<[f64; 2]> =
            (0..height * width).map(|i| map.source([i / width, i % width], [height, width])).collect();
        if let Some((strength, smoothness)) = self.elastic {
            for axis in 0..2 {
                let mut field: Vec<f64> = (0..height * width).map(|_| 2.0 * elastic.unit() - 1.0).collect();
                smooth(&mut field, [height, width], smoothness);
                sources.iter_mut().zip(field).for_each(|(source, x)| source[axis] += strength * x);
            }
        }
        sources
    }
}

/// A map of the plane about the centre of an image: mirrored, sheared, turned, scaled, shifted, in this order.
struct Affine {
    /// In radians, from the columns' axis to the rows'.
    angle: f64,
    scale: f64,
    /// Columns sideways for a row.
    shear: f64,
    /// Rows down, columns to the right.
    shift: [f64; 2],
    mirrored: bool,
}

impl Affine {
    /// The place that a pixel of the new image shows: the map backwards.
    fn source(&self, [row, column]: [usize; 2], [height, width]: [usize; 2]) -> [f64; 2] {
        let centre = [(height - 1) as f64 / 2.0, (width - 1) as f64 / 2.0];
        let (sin, cos) = self.angle.sin_cos();
        let y = (row as f64 - centre[0] - self.shift[0]) / self.scale;
        let x = (column as f64 - centre[1] - self.shift[1]) / self.scale;
        let (y, x) = (cos * y - sin * x, sin * y + cos * x);
        let x = x - self.shear * y;
        [centre[0] + y, centre[1] + if self.mirrored { -x } else { x }]
    }
}

/// A batch whose images [`Loader::augment`](crate::Loader::augment) can change: [`Batch`], a tensor of images, a pair that
/// starts with one, or a `Result` of any of them.
pub trait ImageBatch {
    /// The images, of shape `[n, channels, height, width]`; none if the batch could not be made.
    fn images_mut(&mut self) -> Option<&mut Tensor>;
}

impl ImageBatch for Tensor {
    fn images_mut(&mut self) -> Option<&mut Tensor> {
        Some(self)
    }
}

impl ImageBatch for Batch {
    fn images_mut(&mut self) -> Option<&mut Tensor> {
        Some(&mut self.images)
    }
}

impl<A: ImageBatch, B> ImageBatch for (A, B) {
    fn images_mut(&mut self) -> Option<&mut Tensor> {
        self.0.images_mut()
    }
}

impl<B: ImageBatch, E> ImageBatch for std::result::Result<B, E> {
    fn images_mut(&mut self) -> Option<&mut Tensor> {
        self.as_mut().ok()?.images_mut()
    }
}

#[track_caller]
fn amount(what: &str, amount: f64) -> f64 {
    assert!(amount >= 0.0 && amount.is_finite(), "augment: a {what} of {amount}: it must not be negative");
    amount
}

/// The value of an image between its pixels, 0 outside.
fn bilinear(image: &[f32], [height, width]: [usize; 2], row: f64, column: f64) -> f32 {
    let (top, left) = (row.floor(), column.floor());
    let (down, right) = ((row - top) as f32, (column - left) as f32);
    let at = |row: f64, column: f64| {
        let inside = (0.0..height as f64).contains(&row) && (0.0..width as f64).contains(&column);
        if inside { image[row as usize * width + column as usize] } else { 0.0 }
    };
    let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
    let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
    upper * (1.0 - down) + lower * down
}

/// Smooths a field by a Gaussian, first along rows, then along columns; outside it is 0.
fn smooth(field: &mut [f64], [height, width]: [usize; 2], deviation: f64) {
    let reach = (3.0 * deviation).ceil() as usize;
    let weights: Vec<f64> = (0..=reach).map(|i| (-0.5 * (i as f64 / deviation).powi(2)).exp()).collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    for [lines, length, between, step] in [[height, width, width, 1], [width, height, 1, width]] {
        for line in 0..lines {
            let at = |i: usize| line * between + i * step;
            let before: Vec<f64> = (0..length).map(|i| field[at(i)]).collect();
            for i in 0..length {
                let (first, last) = (i.saturating_sub(reach), (i + reach).min(length - 1));
                let sum: f64 = (first..=last).map(|j| weights[i.abs_diff(j)] * before[j]).sum();
                field[at(i)] = sum / total;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Affine = Affine { angle: 0.0, scale: 1.0, shear: 0.0, shift: [0.0; 2], mirrored: false };

    /// An image of 5x5 in which each pixel is another, moved.
    fn moved(map: &Affine) -> Vec<f32> {
        let image: Vec<f32> = (1..=25).map(|i| i as f32).collect();
        let at = |i: usize| map.source([i / 5, i % 5], [5, 5]);
        (0..25).map(|i| bilinear(&image, [5, 5], at(i)[0], at(i)[1])).collect()
    }

    /// What `pixel` says that each place shows, of the image above; 0 outside.
    fn expected(pixel: impl Fn(usize, usize) -> Option<[usize; 2]>) -> Vec<f32> {
        let value = |[row, column]: [usize; 2]| (5 * row + column + 1) as f32;
        (0..25).map(|i| pixel(i / 5, i % 5).map_or(0.0, value)).collect()
    }

    fn close(a: &[f32], b: &[f32]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
    }

    #[test]
    fn standing_still_keeps_every_bit() {
        assert_eq!(moved(&STILL), expected(|row, column| Some([row, column])));
    }

    #[test]
    fn quarter_turns_are_transposes_of_mirrored_images() {
        let turned =
            |quarters: f64| moved(&Affine { angle: quarters * std::f64::consts::FRAC_PI_2, ..STILL });
        assert!(close(&turned(1.0), &expected(|row, column| Some([4 - column, row]))));
        assert!(close(&turned(-1.0), &expected(|row, column| Some([column, 4 - row]))));
        assert!(close(&turned(2.0), &expected(|row, column| Some([4 - row, 4 - column]))));
    }

    #[test]
    fn whole_shifts_shears_and_scales_move_whole_pixels() {
        let shift = moved(&Affine { shift: [1.0, -2.0], ..STILL });
        assert_eq!(
            shift,
            expected(|row, column| Some([row.checked_sub(1)?, column + 2]).filter(|at| at[1] < 5))
        );
        let mirrored = moved(&Affine { mirrored: true, ..STILL });
        assert_eq!(mirrored, expected(|row, column| Some([row, 4 - column])));
        // A row below the centre by one moves a column to the right.
        let sheared = moved(&Affine { shear: 1.0, ..STILL });
        let from =
            |row: usize, column: usize| Some([row, (column + 2).checked_sub(row)?]).filter(|at| at[1] < 5);
        assert_eq!(sheared, expected(from));
        // Twice as large: every second pixel of it is one of the image's.
        let large = moved(&Affine { scale: 2.0, ..STILL });
        let whole = expected(|row, column| Some([1 + row / 2, 1 + column / 2]));
        for i in [0, 2, 4, 10, 12, 14, 20, 22, 24] {
            assert_eq!(large[i], whole[i]);
        }
    }
}
