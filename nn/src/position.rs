//! What tells attention where in a sequence a vector is.

use crate::{Init, Layer, Module};
use autodiff::{Add, Error, Float, Op, Parameter, Result, Rng, Tensor};

/// Adds waves to the vectors of a sequence, whose lengths rise from 2π to 10000 · 2π (Vaswani et al., arXiv:1706.03762,
/// section 3.5): to vector `p` of `[.., length, size]`
///
/// ```text
/// sin(p / 10000^(2i / size)) at 2i        cos(p / 10000^(2i / size)) at 2i + 1
/// ```
///
/// Nothing is learned, and any length will do.
///
/// ```
/// use autodiff::Tensor;
/// use nn::{Layer, PositionalEncoding};
/// let y = PositionalEncoding.forward(&Tensor::<f64>::zeros([1, 2, 4]))?.to_vec();
/// assert_eq!(y[..4], [0.0, 1.0, 0.0, 1.0]);
/// assert_eq!(y[4..], [1f64.sin(), 1f64.cos(), 0.01f64.sin(), 0.01f64.cos()]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct PositionalEncoding;

impl<T: Float> Layer<T> for PositionalEncoding {
    /// The sum.
    ///
    /// # Errors
    /// If `x` has fewer than two axes.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let [length, size] = last_axes("positional_encoding", x)?;
        let wave = |place: usize| {
            let (position, i) = (place / size, place % size);
            let angle = position as f64 / 10_000f64.powf((i / 2 * 2) as f64 / size as f64);
            T::from_f64(if i % 2 == 0 { angle.sin() } else { angle.cos() })
        };
        let waves: Vec<T> = (0..length * size).map(wave).collect();
        Ok(x + Tensor::from_vec(waves, [length, size])?)
    }
}

/// Adds a learned vector to each place of a sequence: to vector `p` of `[.., length, size]` row `p` of a table.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Layer, PositionalEmbedding};
/// let positions = PositionalEmbedding::new(100, 16, &mut Rng::seed(7));
/// let y = positions.forward(&Tensor::<f32>::zeros([8, 20, 16]))?;
/// assert_eq!(y.slice(0, 3..4)?.to_vec(), positions.weight.slice(0, 0..20)?.to_vec());
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct PositionalEmbedding<T: Float = f32> {
    /// The table, `[longest, size]`.
    pub weight: Parameter<T>,
}

impl<T: Float> PositionalEmbedding<T> {
    /// A table for sequences of at most so many vectors, of numbers that are normal with deviation 0.02 (as in
    /// Devlin et al., arXiv:1810.04805).
    ///
    /// # Panics
    /// If it is too large, see [`autodiff::Shape::new`].
    pub fn new(longest: usize, size: usize, rng: &mut Rng) -> Self {
        Self { weight: Parameter::new(Init::Normal(0.02).tensor([longest, size], longest, size, rng)) }
    }
}

impl<T: Float> Layer<T> for PositionalEmbedding<T> {
    /// The sum.
    ///
    /// # Errors
    /// If `x` is not `[.., length, size]`, or longer than the table.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let [length, size] = last_axes("positional_embedding", x)?;
        let table = self.weight.shape();
        if size != table.dim(1) || length > table.dim(0) {
            let message = format!(
                "the layer takes [.., length, {}] of at most {} vectors, and the input is {}",
                table.dim(1),
                table.dim(0),
                x.shape()
            );
            return Err(Error::new("positional_embedding", message));
        }
        Add.apply(&[x, &self.weight.slice(0, 0..length)?])
    }
}

/// Length and size of a sequence.
#[track_caller]
fn last_axes<T: Float>(op: &'static str, x: &Tensor<T>) -> Result<[usize; 2]> {
    let shape = x.shape();
    match shape.rank().checked_sub(2) {
        Some(rank) => Ok([shape.dim(rank), shape.dim(rank + 1)]),
        None => Err(Error::new(op, format!("the layer takes [.., length, size], and the input is {shape}"))),
    }
}
