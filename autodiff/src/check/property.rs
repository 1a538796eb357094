//! What [`laws!`](crate::laws) expands to (feature `proptest`): every law, over random shapes, numbers and layouts.
//!
//! ```
//! use autodiff::{Array, Float, Op, Point, Result, Tensor, check::property::Shapes, check::strategies::Domain};
//!
//! /// `x³`.
//! struct Cube;
//!
//! impl<T: Float> Op<T> for Cube {
//!     fn name(&self) -> &'static str { "cube" }
//!     fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> { Ok(x[0].map(|x| x * x * x)) }
//!     fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
//!         Ok(grad * at.input(0).square() * 3.0)
//!     }
//! }
//!
//! // A test for each line; with the first line also a table, for a program that reports and goes on.
//! autodiff::laws! {
//!     const LAWS;
//!     cube: Shapes::alike(0..=4).elementwise(), [Domain::Small], |[x], _| Cube.apply(&[x]);
//! }
//!
//! let held = LAWS[0].judge()?;
//! assert!(held.points() > 64 && held.report().undecided() == 0);
//! # Ok::<(), autodiff::check::property::Broken>(())
//! ```
//!
//! `PROPTEST_CASES` sets how many cases a line runs, `PROPTEST_RNG_SEED` which.

use super::strategies::{
    Choice, Domain, Layout, Operand, broadcastable, choices, conv_cases, matmul_shapes, operands, pool_cases,
    shapes,
};
use super::{Gradients, Mismatch, Report};
use crate::error::Result;
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::RangeInclusive;

/// As many cases as the environment says, or 64; the same ones each time unless it says otherwise.
///
/// ```
/// assert!(std::env::var_os("PROPTEST_CASES").is_some() || autodiff::check::property::config().cases == 64);
/// ```
pub fn config() -> Config {
    let set = |name| std::env::var_os(name).is_some();
    let own = Config::default();
    Config {
        cases: if set("PROPTEST_CASES") { own.cases } else { 64 },
        rng_seed: if set("PROPTEST_RNG_SEED") { own.rng_seed } else { RngSeed::Fixed(0x9e37_79b9) },
        // A case is replayed by its seed.
        failure_persistence: None,
        // To the end: the smallest case is worth more than the seconds.
        max_shrink_iters: 20_000,
        ..own
    }
}

/// Runs a property.
///
/// # Panics
/// If it fails for a case: the smallest one is shown.
pub fn run<S: Strategy>(
    config: Config,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    if let Err(failure) = TestRunner::new(config).run(strategy, property) {
        panic!("{failure}");
    }
}

/// The shapes that a function of `N` tensors is tried on: some always (rank 0 and the largest, sizes 0 and 1), others at
/// random, and one that is large enough for several threads.
#[derive(Debug)]
pub struct Shapes<const N: usize> {
    always: Vec<[Shape; N]>,
    random: BoxedStrategy<([Shape; N], Choice)>,
    /// Where kernels use several threads.
    large: [Shape; N],
    elementwise: bool,
    /// Whether random shapes come with decisions that fit them; the other shapes then have the simplest.
    decided: bool,
}

/// Shapes with any decisions.
fn undecided<const N: usize>(
    shapes: impl Strategy<Value = [Shape; N]> + 'static,
) -> BoxedStrategy<([Shape; N], Choice)> {
    (shapes, choices()).boxed()
}

impl<const N: usize> Shapes<N> {
    /// `N` times the same shape.
    pub fn alike(ranks: RangeInclusive<usize>) -> Self {
        let edges: [&[usize]; 8] =
            [&[], &[0], &[1], &[9], &[2, 0, 3], &[1; MAX_RANK], &[2, 1, 3, 1, 1, 2], &[1, 2, 0, 1, 1, 1]];
        let fitting = edges.into_iter().filter(|dims| ranks.contains(&dims.len()));
        Self {
            always: fitting.map(|dims| [Shape::from(dims); N]).collect(),
            random: undecided(shapes(ranks).prop_map(|shape| [shape; N])),
            large: [Shape::from([400, 1000]); N],
            elementwise: false,
            decided: false,
        }
    }

    /// Shapes that broadcast with each other, of any rank.
    pub fn broadcastable() -> Self {
        // Each shape in each place, against one that has more, fewer or other axes.
        let pairs: [[&[usize]; 2]; 7] = [
            [&[], &[3]],
            [&[0], &[1]],
            [&[2, 1], &[3]],
            [&[2, 1, 2], &[1, 3, 1]],
            [&[1], &[]],
            [&[1, 1, 2, 1, 2, 1], &[2, 1, 1, 3, 1, 1]],
            [&[2, 0, 1], &[1, 1, 3]],
        ];
        let turned = |first: usize| {
            move |[a, b]: [&[usize]; 2]| {
                std::array::from_fn(|i| Shape::from(if (i + first).is_multiple_of(2) { a } else { b }))
            }
        };
        let always = pairs.into_iter().map(turned(0)).chain(pairs.into_iter().map(turned(1))).collect();
        let large: [&[usize]; 2] = [&[400, 1000], &[1000]];
        Self {
            always,
            random: undecided(broadcastable(0..=MAX_RANK)),
            large: std::array::from_fn(|i| Shape::from(large[i % 2])),
            elementwise: false,
            decided: false,
        }
    }

    /// The shapes that a strategy of your own draws, and large ones, where kernels use several threads.
    ///
    /// ```
    /// use autodiff::check::property::Shapes;
    /// use proptest::prelude::*;
    /// // Rows of a matrix and a number for each.
    /// let shapes = (0..4usize, 0..4usize).prop_map(|(rows, n)| [[rows, n].into(), [rows].into()]);
    /// let ([matrix, numbers], _) = Shapes::drawn(shapes, [&[1000, 400], &[1000]]).large();
    /// assert_eq!(matrix.dim(0), numbers.dim(0));
    /// ```
    pub fn drawn(random: impl Strategy<Value = [Shape; N]> + 'static, large: [&[usize]; N]) -> Self {
        let large = large.map(Shape::from);
        Self { always: Vec::new(), random: undecided(random), large, elementwise: false, decided: false }
    }

    /// The same for a function that takes one element of each input to one of the output.
    pub fn elementwise(self) -> Self {
        Self { elementwise: true, ..self }
    }

    /// The same shapes with 1 in place of each 0: the mean of nothing is not a number.
    pub fn filled(self) -> Self {
        let fill = |shapes: [Shape; N]| {
            shapes.map(|shape| Shape::from(shape.iter().map(|side| side.max(1)).collect::<Vec<_>>()))
        };
        Self {
            always: self.always.into_iter().map(fill).collect(),
            random: self.random.prop_map(move |(shapes, choice)| (fill(shapes), choice)).boxed(),
            ..self
        }
    }

    /// Whether the function takes one element of each input to one of the output.
    pub fn is_elementwise(&self) -> bool {
        self.elementwise
    }

    /// The shapes that are large enough for several threads, and decisions for them: some axis, another order.
    ///
    /// ```
    /// use autodiff::check::property::Shapes;
    /// let ([shape], mut choice) = Shapes::<1>::alike(0..=4).large();
    /// assert_eq!((shape, choice.axis(shape)), ([400, 1000].into(), -1));
    /// ```
    pub fn large(&self) -> ([Shape; N], Choice) {
        (self.large, if self.decided { Choice::default() } else { Choice::new(7) })
    }

    /// Decisions for the shapes that are not random.
    fn decisions(&self) -> BoxedStrategy<Choice> {
        if self.decided { Just(Choice::default()).boxed() } else { choices().boxed() }
    }

    /// Shapes that come with the decisions that are valid for them.
    fn decided(random: impl Strategy<Value = ([Shape; N], Choice)> + 'static, large: [&[usize]; N]) -> Self {
        let large = large.map(Shape::from);
        Self { always: Vec::new(), random: random.boxed(), large, elementwise: false, decided: true }
    }
}

impl Shapes<1> {
    /// Images for poolings, whose options are [`Choice::pool_options`].
    pub fn poolings() -> Self {
        let random = pool_cases().prop_map(|case| ([case.input], Choice::pooling(case.options)));
        Self::decided(random, [&[16, 16, 40, 41]])
    }
}

impl Shapes<3> {
    /// Images, kernels and biases for convolutions, whose options are [`Choice::conv_options`].
    pub fn convolutions_with_bias() -> Self {
        let random = conv_cases().prop_map(|case| {
            let bias = Shape::from([case.weight.dim(0)]);
            ([case.input, case.weight, bias], Choice::convolution(case.options))
        });
        Self::decided(random, [&[16, 8, 30, 31], &[12, 8, 3, 3], &[12]])
    }
}

impl Shapes<2> {
    /// Shapes that can be multiplied as matrices.
    pub fn products() -> Self {
        let pairs: [[&[usize]; 2]; 12] = [
            [&[3], &[3]],
            [&[0], &[0]],
            [&[2, 3], &[3]],
            [&[3], &[3, 2]],
            [&[2, 0], &[0, 3]],
            [&[0, 2], &[2, 3]],
            [&[1, 1], &[1, 1]],
            [&[2, 2, 3], &[3, 2]],
            [&[2, 3], &[2, 3, 2]],
            [&[2, 1, 2, 2], &[3, 2, 1]],
            [&[0, 2, 2], &[2, 2]],
            [&[1, 2, 1, 1, 2, 1], &[2, 1, 1, 1, 1, 2]],
        ];
        let always = pairs.map(|pair| pair.map(Shape::from)).to_vec();
        Self {
            always,
            random: undecided(matmul_shapes()),
            large: [Shape::from([300, 200]), Shape::from([200, 300])],
            elementwise: false,
            decided: false,
        }
    }

    /// Images and kernels for convolutions, whose options are [`Choice::conv_options`].
    pub fn convolutions() -> Self {
        let random =
            conv_cases().prop_map(|case| ([case.input, case.weight], Choice::convolution(case.options)));
        Self::decided(random, [&[16, 8, 30, 31], &[12, 8, 3, 3]])
    }
}

/// A function of `N` tensors and of decisions.
pub type Function<T, const N: usize> = &'static (dyn Fn([&Tensor<T>; N], Choice) -> Result<Tensor<T>> + Sync);

/// Judges a function, given for either type and as its source, by every law at random shapes, numbers, layouts and
/// decisions: what a line of [`laws!`](crate::laws) does.
///
/// # Errors
/// The first law that is broken, at the smallest case that breaks it, and a test that reproduces it.
pub fn judge<const N: usize>(
    shapes: &Shapes<N>,
    domains: [Domain; N],
    f: Function<f64, N>,
    single: Function<f32, N>,
    source: &str,
) -> Result<Held, Broken> {
    let few = Config { cases: 4, ..config() };
    let mut held = Held::default();
    let decisions = shapes.decisions();
    let fixed = |&shapes: &[Shape; N]| (few.clone(), (Just(shapes), decisions.clone()).boxed());
    for (config, samples) in shapes.always.iter().map(fixed).chain([(config(), shapes.random.clone())]) {
        held = held.plus(smallest(
            config,
            &(samples, domains.map(operands)),
            |((shapes, choice), operands)| {
                let at = std::array::from_fn(|i| operands[i].numbered(i, shapes[i]));
                let (f, single) = (move |x: [&_; N]| f(x, choice), move |x: [&_; N]| single(x, choice));
                obeys(&at, f, single).map_err(|mismatch| Broken::new(mismatch, &operands, choice, source))
            },
        )?);
    }
    let large = Config { cases: 2, ..few };
    let large = smallest(large, &(domains.map(operands), decisions), |(operands, choice)| {
        let show = |mismatch: Mismatch| Broken::new(mismatch, &operands, choice, source);
        let at = |shapes: [Shape; N]| -> [Tensor<f64>; N] {
            std::array::from_fn(|i| operands[i].numbered(i, shapes[i]))
        };
        let f = |inputs: &[Tensor<f64>]| f(std::array::from_fn(|i| &inputs[i]), choice);
        super::threads(f, &at(shapes.large)).map_err(show)?;
        if shapes.elementwise {
            let at = at([Shape::from([24]); N]);
            super::lengths(f, &at).map_err(show)?;
            let single = |inputs: &[Tensor<f32>]| single(std::array::from_fn(|i| &inputs[i]), choice);
            let short = |x: Tensor<f64>| {
                let numbers: Vec<_> = x.to_vec().into_iter().map(|x| x as f32).collect();
                Tensor::from_vec(numbers, x.shape()).expect("as many numbers")
            };
            super::lengths(single, &at.map(short)).map_err(show)?;
        }
        Ok(Report::default())
    })?;
    Ok(held.plus(large))
}

/// [`judge`]s a function in a test.
///
/// # Panics
/// If a law is broken: with the smallest case, and a test that reproduces it.
pub fn hold<const N: usize>(
    shapes: &Shapes<N>,
    domains: [Domain; N],
    f: Function<f64, N>,
    single: Function<f32, N>,
    source: &str,
) {
    if let Err(broken) = judge(shapes, domains, f, single, source) {
        panic!("{broken}");
    }
}

/// Runs a judgement; what it says of the smallest case that fails.
fn smallest<S: Strategy>(
    config: Config,
    strategy: &S,
    judgement: impl Fn(S::Value) -> Result<Report, Broken>,
) -> Result<Held, Broken> {
    let held = Cell::new(Held::default());
    // While a case shrinks, the last one that failed is the smallest.
    let broken = RefCell::new(None);
    let outcome = TestRunner::new(config).run(strategy, |case| match judgement(case) {
        Ok(report) => {
            held.set(held.get().plus(Held { points: 1, report }));
            Ok(())
        }
        Err(found) => {
            broken.replace(Some(found));
            Err(TestCaseError::fail("a law is broken"))
        }
    });
    match (outcome, broken.into_inner()) {
        (Ok(()), _) => Ok(held.get()),
        (Err(_), Some(broken)) => Err(broken),
        // Nothing is filtered away, and panics of the function are found by the laws.
        (Err(failure), None) => panic!("{failure}"),
    }
}

/// What a function that obeys every law was tried on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    points: usize,
    report: Report,
}

impl Held {
    /// How many points: inputs with their shapes, numbers, layouts and decisions.
    pub fn points(&self) -> usize {
        self.points
    }

    /// What was compared with differences, summed over the points; and what could not be decided.
    pub fn report(&self) -> Report {
        self.report
    }

    fn plus(self, other: Self) -> Self {
        Self { points: self.points + other.points, report: self.report.plus(other.report) }
    }
}

/// A law that is broken, and a test that reproduces it: shown one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    mismatch: Mismatch,
    layouts: Vec<Layout>,
    test: String,
}

impl Broken {
    fn new<const N: usize>(
        mismatch: Mismatch,
        operands: &[Operand; N],
        choice: Choice,
        source: &str,
    ) -> Self {
        let inputs: Vec<_> = (0..N).map(|i| format!("&x[{i}]")).collect();
        let inputs = inputs.join(", ");
        let function = |float: &str| {
            format!(
                "{{\n        type T = Tensor<{float}>;\n        let f: &'static (dyn Fn([&T; {N}], check::strategies::Choice) \
                 -> autodiff::Result<T> + Sync) = &{source};\n        move |x: &[T]| f([{inputs}], \
                 check::strategies::Choice::new({}))\n    }}",
                choice.0
            )
        };
        let test = mismatch.test(function);
        Self { mismatch, layouts: operands.iter().map(Operand::layout).collect(), test }
    }

    /// Which law, where, and what it looks like.
    pub fn mismatch(&self) -> &Mismatch {
        &self.mismatch
    }

    /// A test that fails as this did, ready to paste.
    pub fn test(&self) -> &str {
        &self.test
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mismatch)?;
        if self.layouts.iter().any(|&layout| layout != Layout::CONTIGUOUS) {
            write!(f, "\n\nThe inputs were no contiguous tensors, but placed with {:?}.", self.layouts)?;
        }
        write!(f, "\n\n{}", self.test)
    }
}

impl std::error::Error for Broken {}

/// The laws that can be told at one point.
fn obeys<const N: usize>(
    at: &[Tensor<f64>; N],
    f: impl Fn([&Tensor<f64>; N]) -> Result<Tensor<f64>> + Send + Sync + Copy + 'static,
    single: impl Fn([&Tensor<f32>; N]) -> Result<Tensor<f32>>,
) -> Result<Report, Mismatch> {
    let f = move |inputs: &[Tensor<f64>]| f(std::array::from_fn(|i| &inputs[i]));
    let single = |inputs: &[Tensor<f32>]| single(std::array::from_fn(|i| &inputs[i]));
    let report = Gradients::new().order(2).check(f, at)?;
    super::linear(f, at)?;
    super::adjoint(f, at)?;
    super::forward_mode(f, at)?;
    super::checkpointed(f, at)?;
    super::used_twice(f, at)?;
    super::backward(f, at)?;
    super::leaks(f, at)?;
    super::single_precision(f, single, at)?;
    Ok(report)
}

/// A line of [`laws!`](crate::laws), in its table.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    name: &'static str,
    judge: fn() -> Result<Held, Broken>,
}

impl Line {
    /// A line with its name.
    pub const fn new(name: &'static str, judge: fn() -> Result<Held, Broken>) -> Self {
        Self { name, judge }
    }

    /// The name of the line.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Judges the function of the line by every law.
    ///
    /// # Errors
    /// The first law that is broken.
    pub fn judge(&self) -> Result<Held, Broken> {
        (self.judge)()
    }
}

/// Makes a test of every law for each line (feature `proptest`): `name: shapes, [domain of each input], |[inputs],
/// decisions| result;`.
///
/// The function is compiled for `f64` and for `f32`, so that it may name neither. Its second argument is a
/// [`Choice`](crate::check::strategies::Choice), from which it reads axes, permutations, ranges. A line may have the
/// attributes of a test (`#[ignore]`, `#[should_panic]`).
///
/// `const NAME;` before the lines also makes a table of them, a slice of
/// [`Line`](crate::check::property::Line)s, for a program that judges functions and goes on. See
/// [`check::property`](crate::check::property) for an example.
#[macro_export]
macro_rules! laws {
    ($(#[$about:meta])* $visibility:vis const $table:ident; $(
        $(#[$attribute:meta])* $name:ident: $shapes:expr, $domains:expr, $f:expr;
    )*) => {
        $(#[$about])*
        $visibility const $table: &[$crate::check::property::Line] = &[$(
            $crate::check::property::Line::new(stringify!($name), || {
                $crate::check::property::judge(&$shapes, $domains, &$f, &$f, stringify!($f))
            })
        ),*];
        $crate::laws! { $($(#[$attribute])* $name: $shapes, $domains, $f;)* }
    };
    ($($(#[$attribute:meta])* $name:ident: $shapes:expr, $domains:expr, $f:expr;)*) => {
        $(
            #[test]
            $(#[$attribute])*
            fn $name() {
                $crate::check::property::hold(&$shapes, $domains, &$f, &$f, stringify!($f));
            }
        )*
    };
}
