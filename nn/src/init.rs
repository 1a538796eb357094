//! Initial values of weights.

use autodiff::{Elementary, Float, Rng, Shape, Tensor};
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

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
    /// Normal with this mean and deviation, cut to the numbers from `low` to `high`: drawn from the part of the
    /// distribution that lies between, as `torch`'s `trunc_normal_`.
    ///
    /// Of bounds that are both more than 38 deviations above the mean, or below it, `f64` holds no probability: all numbers
    /// are then the bound that is nearer to the mean, but for rounding.
    TruncatedNormal {
        /// The mean before the cut.
        mean: f64,
        /// The deviation before the cut.
        deviation: f64,
        /// The smallest number.
        low: f64,
        /// The largest number.
        high: f64,
    },
    /// This number times a matrix with orthonormal rows, or columns if there are fewer of them, each such matrix being as
    /// likely (Saxe et al., arXiv:1312.6120). A kernel is seen as a matrix whose rows are its first axis.
    /// The number is often a [`Gain`].
    Orthogonal(f64),
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
    /// If the shape is too large, see [`Shape::new`]; if an [`Orthogonal`](Self::Orthogonal) weight has fewer than two axes;
    /// if the bounds of a [`TruncatedNormal`](Self::TruncatedNormal) are not in order, or its deviation is not positive.
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
            Self::TruncatedNormal { mean, deviation, low, high } => {
                truncated(shape.into(), [mean, deviation, low, high], rng)
            }
            Self::Orthogonal(gain) => orthogonal(shape.into(), gain, rng),
            Self::Constant(value) => Tensor::full(T::from_f64(value), shape),
            Self::Zeros => Tensor::zeros(shape),
        }
    }
}

/// Uniform from `-bound` to `bound`.
fn symmetric<T: Float>(shape: impl Into<Shape>, bound: f64, rng: &mut Rng) -> Tensor<T> {
    rng.uniform(shape, -bound, bound)
}

/// Halvings of an interval whose numbers are drawn with 24 bits.
const HALVINGS: usize = 48;

/// Normal numbers between bounds, one draw each: the inverse of the distribution function, by bisection.
fn truncated<T: Float>(shape: Shape, [mean, deviation, low, high]: [f64; 4], rng: &mut Rng) -> Tensor<T> {
    assert!(
        deviation > 0.0 && low < high,
        "a normal distribution with deviation {deviation}, cut to {low} to {high}"
    );
    // The function is exact where it is small: what lies above the mean is drawn below it, and mirrored.
    let scale = if low > mean { -deviation } else { deviation };
    let [a, b] = [low, high].map(|x| (x - mean) / scale);
    let below = |x: f64| 0.5 * Elementary::erfc(-x * FRAC_1_SQRT_2);
    // Beyond 40 deviations from the mean, or from the bound that is nearer to it, there is nothing to be drawn.
    let to = a.max(b).min(40.0);
    let from = a.min(b).max(to.min(0.0) - 40.0);
    let drawn = rng.uniform::<f64>(shape, below(from), below(to));
    let number = |part: f64| {
        let (mut from, mut to) = (from, to);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (from + to);
            // Up where they are equal, too: where the function is 0, the upper end is the likelier.
            *(if below(middle) <= part { &mut from } else { &mut to }) = middle;
        }
        T::from_f64((mean + scale * (0.5 * (from + to))).clamp(low, high))
    };
    drawn.array().map(number).into()
}

/// `gain` times orthonormal rows or columns: those of a normal matrix, made orthogonal one after the other. (With positive
/// lengths, this is the QR decomposition that makes each matrix as likely: Mezzadri, arXiv:math-ph/0609050.)
fn orthogonal<T: Float>(shape: Shape, gain: f64, rng: &mut Rng) -> Tensor<T> {
    assert!(shape.rank() >= 2, "an orthogonal weight {shape}: it needs two axes");
    let rows = shape.dim(0);
    let columns: usize = shape.iter().skip(1).product();
    let (count, length) = (rows.min(columns), rows.max(columns));
    let normal = rng.normal::<f64>([count, length], 0.0, 1.0).to_vec();
    let mut vectors: Vec<Vec<f64>> = normal.chunks(length.max(1)).map(<[f64]>::to_vec).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for k in 0..vectors.len() {
        let (done, rest) = vectors.split_at_mut(k);
        let vector = &mut rest[0];
        // Twice: what rounding has left of the others goes the second time.
        for other in done.iter().chain(done.iter()) {
            let along = dot(vector, other);
            vector.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
        }
        let inverse = dot(vector, vector).sqrt().recip();
        for x in vector.iter_mut() {
            *x *= inverse;
        }
    }
    let at = |i: usize| {
        let (row, column) = (i / columns, i % columns);
        T::from_f64(gain * if rows <= columns { vectors[row][column] } else { vectors[column][row] })
    };
    Tensor::from_vec((0..shape.size()).map(at).collect::<Vec<_>>(), shape).expect("as many values")
}

/// By how much larger weights should be in front of a function, so that it passes on the variance: `torch`'s
/// `calculate_gain`, for [`Init::Orthogonal`], or `Init::Normal(gain / √fan in)`.
///
/// ```
/// use nn::{Gain, Init};
/// assert_eq!(Gain::Relu.value(), 2f64.sqrt());
/// let recurrent = Init::Orthogonal(Gain::Tanh.value());
/// # let _ = recurrent;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Gain {
    /// No function, or convolution: 1.
    Linear,
    /// 1.
    Sigmoid,
    /// 5/3.
    Tanh,
    /// √2.
    Relu,
    /// `√(2 / (1 + slope²))`.
    LeakyRelu(f64),
    /// 3/4.
    Selu,
}

impl Gain {
    /// The number.
    pub fn value(self) -> f64 {
        match self {
            Self::Linear | Self::Sigmoid => 1.0,
            Self::Tanh => 5.0 / 3.0,
            Self::Relu => SQRT_2,
            Self::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
            Self::Selu => 0.75,
        }
    }
}
