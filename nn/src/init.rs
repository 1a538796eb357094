//! Initial values of weights.

use autodiff::{Float, Rng, Shape, Tensor};

/// How the initial weights of a layer are drawn.
///
/// The *fan in* of a weight is the number of inputs that one output is computed from, the *fan out* the number of
/// outputs that one input goes into. He's are made for relu and its like, Xavier's for tanh and sigmoid.
///
/// What text books call Xavier varies: a deviation of `√(1 / fan in)` is [`LecunNormal`](Self::LecunNormal) here,
/// Glorot and Bengio's own formula is [`XavierNormal`](Self::XavierNormal).
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::Init;
/// let w: Tensor = Init::HeUniform.tensor([6, 4], 6, 4, &mut Rng::seed(1));
/// assert!(w.to_vec().iter().all(|w| w.abs() <= 1.0)); // √(6 / 6)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// Normal with deviation `√(2 / fan in)` (He et al., arXiv:1502.01852, equation 10).
    HeNormal,
    /// Uniform from `-b` to `b` with `b = √(6 / fan in)`, which has the deviation of [`HeNormal`](Self::HeNormal).
    HeUniform,
    /// Normal with deviation `√(2 / (fan in + fan out))` (Glorot and Bengio, 2010, equation 12).
    XavierNormal,
    /// Uniform from `-b` to `b` with `b = √(6 / (fan in + fan out))` (Glorot and Bengio, 2010, equation 16).
    XavierUniform,
    /// Normal with deviation `√(1 / fan in)` (Efficient `BackProp`, 1998, equation 16).
    LecunNormal,
    /// Normal with mean 0 and this deviation.
    Normal(f64),
    /// Uniform from the first number (included) to the second (not included).
    Uniform(f64, f64),
    /// Each element this number.
    Constant(f64),
    /// Zeros.
    Zeros,
}

impl Init {
    /// Draws a tensor.
    ///
    /// Only what is random draws from `rng`. A fan of 0, of a layer without inputs, counts as 1.
    ///
    /// # Panics
    /// If the shape is too large, see [`Shape::new`].
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::Init;
    /// let b: Tensor<f64> = Init::Constant(0.1).tensor([2], 1, 2, &mut Rng::seed(1));
    /// assert_eq!(b.to_vec(), [0.1, 0.1]);
    /// ```
    pub fn tensor<T: Float>(
        self,
        shape: impl Into<Shape>,
        fan_in: usize,
        fan_out: usize,
        rng: &mut Rng,
    ) -> Tensor<T> {
        let inputs = fan_in.max(1) as f64;
        let both = (fan_in + fan_out).max(1) as f64;
        match self {
            Self::HeNormal => rng.normal(shape, 0.0, (2.0 / inputs).sqrt()),
            Self::HeUniform => symmetric(shape, (6.0 / inputs).sqrt(), rng),
            Self::XavierNormal => rng.normal(shape, 0.0, (2.0 / both).sqrt()),
            Self::XavierUniform => symmetric(shape, (6.0 / both).sqrt(), rng),
            Self::LecunNormal => rng.normal(shape, 0.0, (1.0 / inputs).sqrt()),
            Self::Normal(deviation) => rng.normal(shape, 0.0, deviation),
            Self::Uniform(low, high) => rng.uniform(shape, low, high),
            Self::Constant(value) => Tensor::full(T::from_f64(value), shape),
            Self::Zeros => Tensor::zeros(shape),
        }
    }
}

/// Uniform from `-bound` to `bound`.
fn symmetric<T: Float>(shape: impl Into<Shape>, bound: f64, rng: &mut Rng) -> Tensor<T> {
    rng.uniform(shape, -bound, bound)
}
