//! Random numbers: seeded, seekable streams, the same on every machine and for any number of threads.

use crate::array::Array;
use crate::float::Float;
use crate::shape::Shape;
use crate::tensor::Tensor;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// How many numbers are as likely where single precision is to tell them apart: those of 24 bits.
pub(crate) const STEPS: u32 = 1 << 24;

/// A stream of random numbers (`ChaCha` with eight rounds).
///
/// ```
/// use autodiff::{Rng, Tensor};
/// let a: Tensor = Rng::seed(7).normal([2, 3], 0.0, 1.0);
/// let b: Tensor = Rng::seed(7).normal([2, 3], 0.0, 1.0);
/// assert_eq!(a.to_vec(), b.to_vec());
/// ```
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The stream of a seed.
    pub fn seed(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The numbered stream beside this one, from its beginning: the same whatever has been drawn here.
    ///
    /// Key streams by use (a layer, a step), so that inserting one use does not change the numbers of another.
    pub fn stream(&self, index: u64) -> Self {
        let mut other = self.0.clone();
        // An odd multiplier spreads nested numbers, so that stream 1 of stream 2 is not stream 3.
        other.set_stream(
            self.0.get_stream().wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index).wrapping_add(1),
        );
        other.set_word_pos(0);
        Self(other)
    }

    /// How much has been drawn from this stream, in words of 32 bits.
    ///
    /// ```
    /// use autodiff::Rng;
    /// let mut rng = Rng::seed(7);
    /// rng.unit();
    /// let mut other = Rng::seed(7);
    /// other.seek(rng.position());
    /// assert_eq!(other.unit(), rng.unit());
    /// ```
    pub fn position(&self) -> u64 {
        // 64 of 68 bits: no program draws more.
        self.0.get_word_pos() as u64
    }

    /// Goes to a [`position`](Self::position) of this stream, to go on where a training that was saved had stopped.
    pub fn seek(&mut self, position: u64) {
        self.0.set_word_pos(position.into());
    }

    /// A number from 0 (included) to 1 (not included), in steps of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (-53.0f64).exp2()
    }

    /// A whole number below `bound`, each as likely.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "there is no number below 0");
        // Lemire's method without its rejection: the bias is below bound / 2⁶⁴.
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// The numbers below `n` in random order (Fisher and Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }

    /// A tensor of numbers from `low` (included) to `high` (not included).
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn uniform<T: Float>(&mut self, shape: impl Into<Shape>, low: f64, high: f64) -> Tensor<T> {
        let step = (high - low) / f64::from(STEPS);
        let (end, within) = (T::from_f64(high), high - 0.75 * T::EPSILON.to_f64() * high.abs());
        let within = T::from_f64(within.max(low));
        self.draw(shape.into(), |drawn| {
            let x = T::from_f64(low + step * f64::from(drawn));
            // Where numbers are farther apart than the steps, the last ones round to the end.
            if x < end { x } else { within }
        })
    }

    /// A tensor of `f` of numbers below [`STEPS`], each as likely.
    pub(crate) fn draw<T: Float>(&mut self, shape: Shape, f: impl Fn(u32) -> T) -> Tensor<T> {
        // Words are drawn many at once, which costs less, and lets the loop over them be vectorised.
        let mut bytes = [0; 1024];
        let fill = |out: &mut [T]| {
            for block in out.chunks_mut(bytes.len() / 4) {
                let bytes = &mut bytes[..4 * block.len()];
                self.0.fill_bytes(bytes);
                for (x, &word) in block.iter_mut().zip(bytes.as_chunks().0) {
                    *x = f(u32::from_le_bytes(word) >> 8);
                }
            }
        };
        Array::build(shape, fill).into()
    }

    /// A tensor of normally distributed numbers (Box and Muller's method).
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    pub fn normal<T: Float>(&mut self, shape: impl Into<Shape>, mean: f64, deviation: f64) -> Tensor<T> {
        let two = |pair: &mut [T]| {
            let radius = deviation * (-2.0 * libm::log(1.0 - self.unit())).sqrt();
            let (sin, cos) = libm::sincos(std::f64::consts::TAU * self.unit());
            pair.iter_mut().zip([cos, sin]).for_each(|(x, y)| *x = T::from_f64(mean + radius * y));
        };
        Array::build(shape.into(), |out| out.chunks_mut(2).for_each(two)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right() {
        let mut rng = Rng::seed(1);
        let x = rng.normal::<f64>([100_001], 2.0, 3.0);
        let mean = x.mean().item();
        let deviation = (&x - mean).square().mean().item().sqrt();
        assert!((mean - 2.0).abs() < 0.03 && (deviation - 3.0).abs() < 0.03, "{mean} {deviation}");
        let u = rng.uniform::<f32>([100_000], -1.0, 1.0);
        assert!(u.mean().item().abs() < 0.01);
        assert!(u.to_vec().iter().all(|x| (-1.0..1.0).contains(x)));
        for (low, high) in [(100.0, 101.0), (1000.0, 1001.0), (-1025.0, -1024.0), (7.0, 8.0)] {
            let x = rng.uniform::<f32>([1 << 20], f64::from(low), f64::from(high)).to_vec();
            assert!(x.iter().all(|x| (low..high).contains(x)), "{low} to {high}");
        }
        assert_eq!(rng.uniform::<f32>([1], 5.0, 5.0).item(), 5.0);
    }

    #[test]
    fn streams_do_not_depend_on_what_was_drawn() {
        let mut rng = Rng::seed(3);
        let before = rng.stream(5).unit();
        rng.unit();
        assert_eq!(rng.stream(5).unit(), before);
        assert_ne!(rng.stream(6).unit(), before);
        assert_ne!(rng.stream(1).stream(2).unit(), rng.stream(2).stream(1).unit());
    }

    #[test]
    fn the_numbers_are_pinned() {
        // Stored results depend on these: a change is a breaking one.
        let mut rng = Rng::seed(42);
        assert_eq!(rng.permutation(8), [4, 7, 0, 1, 3, 2, 6, 5]);
        assert_eq!(rng.uniform::<f32>([3], -1.0, 1.0).to_vec(), [-0.671_320_9, 0.607_745_5, 0.256_288_05]);
        let normal = [-1.819_357_389_007_190_4, -0.424_341_678_210_265_6, -0.839_335_576_117_995_8];
        assert_eq!(rng.normal::<f64>([3], 0.0, 1.0).to_vec(), normal);
        assert_eq!(rng.stream(3).below(1_000_000), 911_018);
    }
}
