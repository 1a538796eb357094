//! Strategies for property tests of ops (feature `proptest`): shapes, numbers, layouts, and decisions.
//!
//! What a case consists of is drawn independently, so that it shrinks separately: a shape shrinks to `[]` whatever its
//! numbers, numbers shrink to round ones whatever their layout. Nothing is filtered away and nothing is drawn from what
//! was drawn before. Where something depends on a shape (an axis, a permutation, a range), what is drawn is a
//! [`Choice`], which is read once the shape is known.
//!
//! ```
//! use autodiff::check::{self, strategies::{Domain, choices, operands, shapes}};
//! use proptest::prelude::*;
//!
//! proptest!(ProptestConfig::with_cases(8), |(
//!     shape in shapes(1..=3),
//!     x in operands(Domain::Positive),
//!     mut choice in choices(),
//! )| {
//!     let axis = choice.axis(shape);
//!     check::second_order(|x| x[0].sqrt().sum_axes(axis), &[x.tensor(shape)])?;
//! });
//! ```

mod layout;

pub use layout::{Layout, layouts};

use crate::{ConvOptions, MAX_RANK, PoolOptions, Shape, Tensor};
use proptest::collection::vec;
use proptest::prelude::*;
use std::ops::{Range, RangeInclusive};

/// The largest number of elements of a shape drawn here: small enough for a full Jacobian.
pub const MAX_SIZE: usize = 24;

// ----- Shapes -----

/// The sizes of axes, from the simplest; 1 and 0 are as frequent as the mistakes that are made with them.
const SIDES: [usize; 10] = [1, 2, 3, 2, 3, 4, 1, 2, 3, 0];

fn sides() -> impl Strategy<Value = Vec<usize>> {
    vec(0..SIDES.len(), MAX_RANK).prop_map(|drawn| drawn.into_iter().map(|i| SIDES[i]).collect())
}

/// The sizes, each cut down to what is left of [`MAX_SIZE`], from the last to the first.
fn clipped(mut sides: Vec<usize>) -> Vec<usize> {
    let mut left = MAX_SIZE;
    for side in sides.iter_mut().rev() {
        *side = (*side).min(left);
        left /= (*side).max(1);
    }
    sides
}

/// Shapes with a rank in the given range, sides 0 to 4, and at most [`MAX_SIZE`] elements.
///
/// ```
/// use autodiff::check::strategies::{MAX_SIZE, shapes};
/// use proptest::prelude::*;
/// proptest!(|(shape in shapes(1..=3))| {
///     prop_assert!((1..=3).contains(&shape.rank()) && shape.size() <= MAX_SIZE);
/// });
/// ```
///
/// # Panics
/// If a rank is above [`MAX_RANK`].
pub fn shapes(ranks: RangeInclusive<usize>) -> impl Strategy<Value = Shape> {
    assert!(*ranks.end() <= MAX_RANK, "no shape has rank {}", ranks.end());
    (ranks, sides()).prop_map(|(rank, sides)| {
        // The last sides, so that a shape shrinks by losing axes in front.
        Shape::from(clipped(sides[MAX_RANK - rank..].to_vec()))
    })
}

/// `N` shapes that broadcast with each other, of a rank up to one in the given range: axes of each are shrunk to 1 or
/// left out in front.
///
/// ```
/// use autodiff::check::strategies::broadcastable;
/// use proptest::prelude::*;
/// proptest!(|([a, b] in broadcastable(0..=4))| prop_assert!(a.broadcast(&b).is_some()));
/// ```
///
/// # Panics
/// If a rank is above [`MAX_RANK`].
pub fn broadcastable<const N: usize>(ranks: RangeInclusive<usize>) -> impl Strategy<Value = [Shape; N]> {
    // For each shape, which axes are shrunk and how many are left out; zero, the simplest, leaves it whole.
    let cuts = vec((any::<u8>(), 0..2 * MAX_RANK), N);
    (shapes(ranks), cuts).prop_map(|(shape, cuts)| {
        std::array::from_fn(|i| {
            let (shrunk, left_out) = cuts[i];
            let side = |(axis, side): (usize, usize)| if shrunk >> axis & 1 == 1 { 1 } else { side };
            let cut: Vec<usize> = shape.iter().enumerate().map(side).collect();
            // Half of the shapes keep all their axes.
            Shape::from(&cut[left_out.saturating_sub(MAX_RANK).min(shape.rank())..])
        })
    })
}

/// Shapes that can be multiplied as matrices: vectors, matrices, and stacks whose front axes broadcast.
///
/// ```
/// use autodiff::{Tensor, check::strategies::matmul_shapes};
/// use proptest::prelude::*;
/// proptest!(|([a, b] in matmul_shapes())| {
///     prop_assert!(Tensor::<f64>::zeros(a).matmul(&Tensor::zeros(b)).is_ok());
/// });
/// ```
pub fn matmul_shapes() -> impl Strategy<Value = [Shape; 2]> {
    // For each side: a matrix, a vector, or a stack of matrices with some of the front axes.
    let kind = || 0..6usize;
    (kind(), kind(), sides()).prop_map(|(left, right, sides)| {
        let [m, k, n, b, c] = [0, 1, 2, 3, 4].map(|i| sides[i].min(3));
        let stack = |kind: usize, matrix: [usize; 2], vector: usize| -> Shape {
            let front: &[usize] = match kind {
                0 => &[],
                1 => return Shape::from([vector]),
                2 => &[b.min(2)],
                3 => &[1],
                4 => &[c.min(2), 1],
                _ => &[1, b.min(2)],
            };
            Shape::from([front, &matrix[..]].concat())
        };
        [stack(left, [m, k], k), stack(right, [k, n], k)]
    })
}

// ----- Decisions -----

/// A number from which decisions are read one after the other, each the simpler the smaller the number: axis 0, the
/// order as it is, the whole range.
///
/// ```
/// use autodiff::{Shape, check::strategies::Choice};
/// let shape = Shape::from([2, 3, 4]);
/// let mut simplest = Choice::default();
/// assert_eq!(simplest.axis(shape), 0);
/// assert_eq!(simplest.permutation(3), [0, 1, 2]);
/// assert_eq!(simplest.range(4), 0..4);
///
/// let mut other = Choice::new(5 * 6 + 4);
/// assert_eq!(other.axis(shape), -2); // 34 = 4 + 6 * 5: the fifth of the six names of axes
/// assert_eq!(other.permutation(3), [2, 1, 0]); // and the last of six orders
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice(pub(in crate::check) u64);

/// Decisions; they shrink to the simplest.
pub fn choices() -> impl Strategy<Value = Choice> {
    any::<u64>().prop_map(Choice)
}

impl Choice {
    /// The decisions that a number stands for.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// A whole number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        let digit = self.0 % bound;
        self.0 /= bound;
        digit as usize
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    /// An axis of a shape, counted from either end; 0 if it has none.
    pub fn axis(&mut self, shape: Shape) -> isize {
        let rank = shape.rank();
        let drawn = self.below(2 * rank);
        if drawn < rank { drawn as isize } else { drawn as isize - 2 * rank as isize }
    }

    /// Some of the axes of a shape, perhaps none, in any order, counted from either end.
    pub fn axes(&mut self, shape: Shape) -> Vec<isize> {
        let rank = shape.rank();
        let count = self.below(rank + 1);
        let order = self.permutation(rank);
        let from_end = self.flag();
        order.into_iter().take(count).map(|axis| if from_end { axis - rank as isize } else { axis }).collect()
    }

    /// An order of the numbers below `n`.
    pub fn permutation(&mut self, n: usize) -> Vec<isize> {
        let mut left: Vec<isize> = (0..n as isize).collect();
        (0..n).map(|_| left.remove(self.below(left.len()))).collect()
    }

    /// A part of `0..n`: all of it, or less at either end, perhaps nothing.
    pub fn range(&mut self, n: usize) -> Range<usize> {
        let start = self.below(n + 1);
        start..n - self.below(n - start + 1)
    }

    /// `count` whole numbers below `bound`, which may repeat; none if `bound` is 0.
    pub fn indices(&mut self, bound: usize, count: usize) -> Vec<usize> {
        (0..if bound == 0 { 0 } else { count }).map(|_| self.below(bound)).collect()
    }

    /// Stride, padding, dilation and groups of a convolution; the simplest are the default ones.
    pub fn conv_options(&mut self) -> ConvOptions {
        let [stride, padding, dilation, [groups, _]] =
            CONV_DIGITS.map(|bounds| bounds.map(|n| self.below(n)));
        let from_one = |pair: [usize; 2]| pair.map(|n| n + 1);
        ConvOptions { stride: from_one(stride), padding, dilation: from_one(dilation), groups: groups + 1 }
    }

    /// The decisions that [`conv_options`](Self::conv_options) reads these from.
    pub(super) fn convolution(options: ConvOptions) -> Self {
        let ConvOptions { stride, padding, dilation, groups } = options;
        let below = |pair: [usize; 2]| pair.map(|n| n - 1);
        Self::of_digits(CONV_DIGITS, [below(stride), padding, below(dilation), [groups - 1, 0]])
    }

    /// Window, stride and padding of a pooling; the simplest are windows of 2 by 2 that touch.
    pub fn pool_options(&mut self) -> PoolOptions {
        let [kernel, stride, padding] = POOL_DIGITS.map(|bounds| bounds.map(|n| self.below(n)));
        let [kernel, stride] = [kernel, stride].map(|pair| pair.map(|n| POOL_SIDES[n]));
        PoolOptions { kernel, stride, padding }
    }

    /// The decisions that [`pool_options`](Self::pool_options) reads these from.
    pub(super) fn pooling(options: PoolOptions) -> Self {
        let place = |side| POOL_SIDES.iter().position(|&other| other == side).expect("a side from 1 to 3");
        let digits = [options.kernel.map(place), options.stride.map(place), options.padding];
        Self::of_digits(POOL_DIGITS, digits)
    }

    /// The number from which these digits are read, each below its bound.
    fn of_digits<const N: usize>(bounds: [[usize; 2]; N], digits: [[usize; 2]; N]) -> Self {
        let pairs = bounds.as_flattened().iter().zip(digits.as_flattened()).rev();
        Self(pairs.fold(0, |number, (&bound, &digit)| number * bound as u64 + digit as u64))
    }

    /// Sizes for a reshape: the same elements with neighbouring axes joined, axes of size 1 put in, sides split in two,
    /// and perhaps one size left to be found out (`-1`).
    pub fn reshape(&mut self, shape: Shape) -> Vec<isize> {
        let mut sizes: Vec<isize> = Vec::new();
        for side in shape.iter() {
            let side = side as isize;
            match self.below(4) {
                1 => match sizes.last_mut() {
                    Some(last) => *last *= side,
                    None => sizes.push(side),
                },
                2 if side % 2 == 0 => sizes.extend([2, side / 2]),
                3 => sizes.extend([1, side]),
                _ => sizes.push(side),
            }
        }
        // What there is no room for is joined.
        if sizes.len() > MAX_RANK {
            let rest = sizes.split_off(MAX_RANK - 1).into_iter().product();
            sizes.push(rest);
        }
        let hidden = self.below(2 * sizes.len());
        // With a size of zero, any number of them would do, so that none may be left out.
        if hidden >= sizes.len() && shape.size() > 0 {
            let at = hidden - sizes.len();
            if let Some(size) = sizes.get_mut(at) {
                *size = -1;
            }
        }
        sizes
    }
}

/// How many strides, paddings, dilations (along height and width) and groups [`conv_cases`] draws from.
const CONV_DIGITS: [[usize; 2]; 4] = [[2, 2], [3, 3], [2, 2], [2, 1]];
/// How many windows, strides and paddings [`pool_cases`] draws from.
const POOL_DIGITS: [[usize; 2]; 3] = [[3, 3], [3, 3], [2, 2]];
/// The sides and the strides of windows, from the simplest.
const POOL_SIDES: [usize; 3] = [2, 1, 3];

// ----- Numbers -----

/// Which numbers an op is tried on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Domain {
    /// From -2 to 2.
    Small,
    /// From ¼ to 4.
    Positive,
    /// From -2 to 2, at least `gap` away from each of the kinks.
    AwayFrom {
        /// Where the op, or its derivative, has a kink, a jump or a pole: at least `2 gap` from one another.
        kinks: &'static [f64],
        /// How far to stay away. Differences reach 0.01 to either side.
        gap: f64,
    },
    /// From -3 on in steps of ¼, in any order, and shifted by 1/16 for each operand: what takes a maximum has no ties.
    Distinct,
}

impl Domain {
    /// From -2 to 2, where a function with a kink, a jump or a pole at 0 is smooth.
    pub const NONZERO: Self = Self::AwayFrom { kinks: &[0.0], gap: 0.25 };

    /// A constant with numbers of this domain for operand `index` of an op, without a pattern and the same each time.
    ///
    /// ```
    /// use autodiff::{Shape, check::strategies::Domain};
    /// let x = Domain::Positive.tensor(0, Shape::from([100, 100]));
    /// assert!(x.min().item() >= 0.25 && x.max().item() <= 4.0);
    /// ```
    pub fn tensor(self, index: usize, shape: Shape) -> Tensor<f64> {
        let draw = |i: usize| ((i as u32 + 1).wrapping_mul(0x9e37_79b1) >> 16) as u16;
        let draws: Vec<u16> = (0..shape.size()).map(draw).collect();
        Layout::CONTIGUOUS.place(shape, &self.numbers(&draws, index))
    }

    /// The number that stands for a draw, one of 2¹⁶.
    fn number(self, draw: u16) -> f64 {
        // Eighths, so that sums are exact and reports are short; the simplest draw is 0.
        let eighths = |n: u16| f64::from(n.div_ceil(2)) / if n.is_multiple_of(2) { 8.0 } else { -8.0 };
        match self {
            Self::Small => eighths(draw % 33),
            Self::Positive => 0.25 + f64::from(draw % 31) / 8.0,
            Self::AwayFrom { kinks, gap } => {
                let drawn = eighths(draw % 33);
                // The side of the kink that the number is on; to the right if it is on the kink.
                let pushed = |kink: f64| if drawn < kink { kink - gap } else { kink + gap };
                kinks.iter().find(|&&kink| (drawn - kink).abs() < gap).map_or(drawn, |&kink| pushed(kink))
            }
            Self::Distinct => f64::from(draw),
        }
    }

    /// The numbers that stand for draws, for operand `index` of an op.
    fn numbers(self, draws: &[u16], index: usize) -> Vec<f64> {
        if self != Self::Distinct {
            return draws.iter().map(|&draw| self.number(draw)).collect();
        }
        // Each number is the rank of its draw: a progression in the order of the draws, shifted for each operand.
        let mut order: Vec<usize> = (0..draws.len()).collect();
        order.sort_by_key(|&i| draws[i]);
        let mut numbers = vec![0.0; draws.len()];
        for (rank, i) in order.into_iter().enumerate() {
            numbers[i] = rank as f64 / 4.0 - 3.0 + (index % 4) as f64 / 16.0;
        }
        numbers
    }
}

// ----- Operands -----

/// Numbers and a layout, without a shape yet.
#[derive(Clone, Debug)]
pub struct Operand {
    draws: Vec<u16>,
    layout: Layout,
    domain: Domain,
}

/// Operands with numbers of a domain.
///
/// ```
/// use autodiff::{Shape, check::strategies::{Domain, operands}};
/// use proptest::prelude::*;
/// let domain = Domain::AwayFrom { kinks: &[-1.0, 1.0], gap: 0.1 };
/// proptest!(|(x in operands(domain))| {
///     let x = x.tensor(Shape::from([2, 3]));
///     prop_assert!(x.to_vec().iter().all(|x| (x.abs() - 1.0).abs() >= 0.0999));
/// });
/// ```
pub fn operands(domain: Domain) -> impl Strategy<Value = Operand> {
    (vec(any::<u16>(), MAX_SIZE), layouts()).prop_map(move |(draws, layout)| Operand {
        draws,
        layout,
        domain,
    })
}

impl Operand {
    /// The tensor of a given shape: a constant, perhaps a view. Larger shapes than [`MAX_SIZE`] repeat the draws.
    pub fn tensor(&self, shape: Shape) -> Tensor<f64> {
        self.numbered(0, shape)
    }

    /// The same as operand `index` of an op, counted from 0: distinct numbers are distinct among the first four.
    pub fn numbered(&self, index: usize, shape: Shape) -> Tensor<f64> {
        let draws: Vec<u16> = self.draws.iter().copied().cycle().take(shape.size()).collect();
        self.layout().place(shape, &self.domain.numbers(&draws, index))
    }

    /// How the tensor lies in memory.
    pub(in crate::check) fn layout(&self) -> Layout {
        if self.domain == Domain::Distinct { self.layout.without_expansion() } else { self.layout }
    }
}

// ----- Images -----

/// The shapes and options of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvCase {
    /// Shape of the images.
    pub input: Shape,
    /// Shape of the kernels.
    pub weight: Shape,
    /// Stride, padding, dilation and groups.
    pub options: ConvOptions,
}

/// Convolutions with every combination of stride, padding, dilation and groups, and sides with and without a
/// remainder; the images have at most 64 elements.
///
/// ```
/// use autodiff::{Tensor, check::strategies::conv_cases};
/// use proptest::prelude::*;
/// proptest!(|(case in conv_cases())| {
///     let (x, w) = (Tensor::<f64>::ones(case.input), Tensor::ones(case.weight));
///     prop_assert!(x.size() <= 64 && x.conv2d(&w, None, case.options).is_ok());
/// });
/// ```
pub fn conv_cases() -> impl Strategy<Value = ConvCase> {
    let counts = (1..=2usize, 1..=2usize, 1..=2usize, 1..=2usize);
    let window = || (1..=3usize, 1..=2usize, 0..=2usize, 1..=2usize, 1..=2usize, 0..=1usize);
    (counts, window(), window()).prop_map(|((n, groups, c_in, c_out), height, width)| {
        let [(h, kh), (w, kw)] = [height, width].map(|(kernel, stride, padding, dilation, outputs, rest)| {
            let span = dilation * (kernel - 1) + 1;
            let padded = stride * (outputs - 1) + span + rest.min(stride - 1);
            (padded.saturating_sub(2 * padding).max(1), kernel)
        });
        // Images, then channels, are given up for large windows.
        let plane = h * w;
        let fits = |count: usize| count * plane <= 64;
        let c_in = if fits(groups * c_in) { c_in } else { 1 };
        let groups = if fits(groups * c_in) { groups } else { 1 };
        let n = if fits(n * groups * c_in) { n } else { 1 };
        let [stride, padding, dilation] = [[height.1, width.1], [height.2, width.2], [height.3, width.3]];
        ConvCase {
            input: Shape::from([n, groups * c_in, h, w]),
            weight: Shape::from([groups * c_out, c_in, kh, kw]),
            options: ConvOptions { stride, padding, dilation, groups },
        }
    })
}

/// The shape and the options of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolCase {
    /// Shape of the images.
    pub input: Shape,
    /// Window, stride and padding.
    pub options: PoolOptions,
}

/// Poolings with overlapping, touching and distant windows, padded or not, with and without a remainder.
///
/// ```
/// use autodiff::{Tensor, check::strategies::pool_cases};
/// use proptest::prelude::*;
/// proptest!(|(case in pool_cases())| {
///     prop_assert!(Tensor::<f64>::ones(case.input).max_pool2d(case.options).is_ok());
/// });
/// ```
pub fn pool_cases() -> impl Strategy<Value = PoolCase> {
    let window = || (1..=3usize, 1..=3usize, 0..=1usize, 1..=2usize, 0..=2usize);
    (1..=2usize, 1..=2usize, window(), window()).prop_map(|(n, c, height, width)| {
        let [(h, ph), (w, pw)] = [height, width].map(|(kernel, stride, padding, outputs, rest)| {
            let padding = padding.min(kernel / 2);
            let padded = stride * (outputs - 1) + kernel + rest.min(stride - 1);
            (padded.saturating_sub(2 * padding).max(1), padding)
        });
        let n = if n * c * h * w <= 48 { n } else { 1 };
        let options =
            PoolOptions { kernel: [height.0, width.0], stride: [height.1, width.1], padding: [ph, pw] };
        PoolCase { input: Shape::from([n, c, h, w]), options }
    })
}
