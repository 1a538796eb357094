//! What a check reports: [`Mismatch`], in words that name the place and guess the cause.

use crate::error::Error;
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::fmt;

/// A failed check of gradients.
///
/// Says which law was broken, where, by how much, and what it looks like.
///
/// ```
/// use autodiff::{Tensor, check};
/// let x = Tensor::from_vec([1.0, 2.0], [2])?;
/// // `detach` hides one of the two factors from the tape.
/// let mismatch = check::grads(|x| Ok(&x[0] * x[0].detach()), &[x]).unwrap_err();
/// assert!(mismatch.to_string().starts_with("first order: d output[1] / d input 0[1] is 2, numerically 4"));
/// assert!(mismatch.to_string().contains("exactly half"));
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// Formatted with `{:#}`, it also prints the [`reproduction`](Self::reproduction).
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    order: usize,
    fault: Box<Fault>,
    /// The inputs: their elements, and their shapes.
    point: Vec<(Vec<f64>, Shape)>,
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Order(self.order), self.fault)?;
        if f.alternate() { write!(f, "\n\n{}", self.reproduction("f")) } else { Ok(()) }
    }
}

impl Mismatch {
    pub(super) fn new(order: usize, fault: Fault, inputs: &[Tensor<f64>]) -> Self {
        let point = inputs.iter().map(|x| (x.to_vec(), x.shape())).collect();
        Self { order, fault: Box::new(fault), point }
    }

    /// A test that fails as this check did, ready to paste: `function` is the source of what was checked, as an
    /// expression.
    ///
    /// The inputs are contiguous in it: if they were views and [`Law::Layout`] is broken, place them as they were.
    ///
    /// ```
    /// use autodiff::{Tensor, check};
    /// let x = Tensor::from_vec([1.0, 2.0], [2])?;
    /// let mismatch = check::grads(|x| Ok(&x[0] * x[0].detach()), &[x]).unwrap_err();
    /// let test = mismatch.reproduction("|x| Ok(&x[0] * x[0].detach())");
    /// assert_eq!(test.lines().skip(5).collect::<Vec<_>>(), [
    ///     "    let inputs = [",
    ///     "        Tensor::<f64>::from_vec(vec![1.0, 2.0], [2]).unwrap(),",
    ///     "    ];",
    ///     "    check::laws(|x| Ok(&x[0] * x[0].detach()), &inputs).unwrap();",
    ///     "}",
    /// ]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn reproduction(&self, function: &str) -> String {
        self.test(|_| function.to_owned())
    }

    /// The same, where the source of the function depends on the type of numbers.
    pub(super) fn test(&self, function: impl Fn(&str) -> String) -> String {
        let input = |(values, shape): &(Vec<f64>, Shape)| {
            let values: Vec<_> = values.iter().map(|&value| literal(value)).collect();
            let shape = if shape.rank() == 0 { "[0usize; 0]".to_owned() } else { shape.to_string() };
            format!("        Tensor::<f64>::from_vec(vec![{}], {shape}).unwrap(),\n", values.join(", "))
        };
        let inputs: String = self.point.iter().map(input).collect();
        let (double, single) = (function("f64"), function("f32"));
        let call = match &*self.fault {
            Fault::Law { law: Law::Length, .. } => format!("lengths({double}, &inputs)"),
            Fault::Law { law: Law::Precision, .. } => {
                format!("single_precision({double}, {single}, &inputs)")
            }
            _ => format!("laws({double}, &inputs)"),
        };
        format!(
            "#[test]\nfn obeys_the_laws() {{\n    use autodiff::{{Tensor, check}};\n\n    // {}: {}\n    let inputs = \
             [\n{inputs}    ];\n    check::{call}.unwrap();\n}}\n",
            Order(self.order),
            self.fault.to_string().replace('\n', " "),
        )
    }

    /// Which order of derivative was wrong: 1 for the gradient itself.
    pub fn order(&self) -> usize {
        self.order
    }

    /// What was wrong.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The guess at the cause, if an entry of a Jacobian was wrong.
    pub fn slip(&self) -> Option<&Slip> {
        match &*self.fault {
            Fault::Entry(entry) => Some(&entry.slip),
            _ => None,
        }
    }
}

/// A number as an expression.
fn literal(value: f64) -> String {
    match value {
        _ if value.is_nan() => "f64::NAN".to_owned(),
        f64::INFINITY => "f64::INFINITY".to_owned(),
        f64::NEG_INFINITY => "f64::NEG_INFINITY".to_owned(),
        _ => format!("{value:?}"),
    }
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// An entry of the Jacobian differs from the numerical one.
    #[error("{0}")]
    Entry(Box<Entry>),
    /// Too many elements of the inputs could not be judged: the function has kinks or poles there.
    #[error(
        "{undecided} of {elements} elements cannot be judged, because the function has a kink, a jump or a pole there \
         or is not finite: first d {output} / d {input}, numerically {numeric} ± {error:.1e}"
    )]
    Inconclusive {
        /// How many could not be judged.
        undecided: usize,
        /// How many there are.
        elements: usize,
        /// The output element of the first one.
        output: Place,
        /// The input element of the first one.
        input: Place,
        /// The derivative found numerically.
        numeric: f64,
        /// Its error.
        error: f64,
    },
    /// The function or a gradient rule reported an error.
    #[error("{0}")]
    Error(#[from] Error),
    /// Two ways to one value give different ones.
    #[error("{law}: {place} is {left:?} and {right:?}")]
    Law {
        /// What should be equal.
        law: Law,
        /// The element that differs.
        place: Place,
        /// The value one way.
        left: f64,
        /// The value the other way.
        right: f64,
    },
    /// The function or a gradient rule panicked.
    #[error("it panicked: {message}")]
    Panic {
        /// What the panic said.
        message: String,
    },
    /// Something outlives the value and the gradients.
    #[error(
        "{buffers} buffers and {nodes} nodes are alive when value and gradients are gone: does something keep them?"
    )]
    Leak {
        /// How many buffers, in each pass.
        buffers: i64,
        /// How many nodes.
        nodes: i64,
    },
}

/// Two ways to one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Law {
    /// The value of a view is that of a contiguous copy.
    #[error("a view and a contiguous copy of the inputs give different values")]
    Layout,
    /// The same computation gives the same bits.
    #[error("computed twice, it differs: is there state or chance in it?")]
    Repeat,
    /// The gradient is the same whether or not it is recorded.
    #[error("the recorded gradient and the unrecorded one differ")]
    Recording,
    /// A gradient does not depend on which other inputs are tracked.
    #[error("tracked alone, the input gets another gradient than among all")]
    Subset,
    /// The gradient of nothing is nothing.
    #[error("a seed of zeros gives something else than zeros: is the rule not linear in `grad`?")]
    ZeroSeed,
    /// The gradient is linear in the cotangent.
    #[error(
        "the gradient for a sum of cotangents is not the sum of theirs: is the rule not linear in `grad`?"
    )]
    Linear,
    /// `⟨J v, w⟩ = ⟨v, Jᵀ w⟩`.
    #[error(
        "⟨J v, w⟩ and ⟨v, Jᵀ w⟩ differ: is `grad` detached, or the rule of a gradient kernel not its transpose?"
    )]
    Adjoint,
    /// `J v` is the derivative along `v`.
    #[error("forward mode and a difference along one direction differ: is a rule wrong, or its own rule?")]
    Forward,
    /// A checkpoint gives the bits that it would give without.
    #[error(
        "checkpointed, the bits differ: is there state or chance in it that changes when it is run a second time?"
    )]
    Checkpoint,
    /// What is used twice gets the sum of both gradients.
    #[error("used twice, an input does not get the sum of both gradients")]
    UsedTwice,
    /// `backward` leaves what `pull_back` returns.
    #[error(
        "`pull_back` returns another gradient than `backward` leaves: does a rule depend on how it is asked?"
    )]
    Backward,
    /// The number of threads changes no bit.
    #[error("on one thread and on more the bits differ")]
    Threads,
    /// An element does not depend on the length of the vector in which it lies.
    #[error(
        "the same element has other bits in a vector of another length: do a vector loop and its tail differ?"
    )]
    Length,
    /// `f32` agrees with `f64`.
    #[error("in f64 and f32 it differs by more than rounding: is a constant cut short?")]
    Precision,
}

/// A wrong entry of a Jacobian: the worst of its input.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The element that is differentiated.
    pub output: Place,
    /// The element with respect to which.
    pub input: Place,
    /// What the rules say.
    pub analytic: f64,
    /// What the differences say.
    pub numeric: f64,
    /// The error of the differences.
    pub error: f64,
    /// How many entries of this block of the Jacobian are wrong.
    pub wrong: usize,
    /// How many it has.
    pub entries: usize,
    /// What it looks like.
    pub slip: Slip,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, input, analytic, numeric, error, wrong, entries, slip } = self;
        write!(
            f,
            "d {output} / d {input} is {}, numerically {} ± {error:.1e}",
            Short(*analytic),
            Short(*numeric)
        )?;
        if numeric.abs() > 1e-9 + 10.0 * error && analytic.is_finite() {
            write!(f, " (ratio {:.6})", analytic / numeric)?;
        }
        write!(f, ": {slip} ({wrong} of {entries} entries are wrong)")
    }
}

/// A number with as many digits as say something.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        // Ten digits: what lies beyond them is the differences' own error.
        let rounded: f64 = format!("{value:.9e}").parse().unwrap_or(value);
        if rounded != 0.0 && !(1e-4..1e10).contains(&rounded.abs()) {
            write!(f, "{rounded:e}")
        } else {
            write!(f, "{rounded}")
        }
    }
}

/// What stands on either side of a derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Variable {
    /// The value of the function.
    Output,
    /// An input of the function.
    Input(usize),
    /// The cotangent with which a gradient was seeded: an input from the second order on.
    Cotangent(usize),
    /// The gradient of an input: an output from the second order on.
    GradientOf(usize),
    /// The gradient with respect to a cotangent: an output from the third order on.
    GradientOfCotangent(usize),
    /// The product of a cotangent with the Jacobian of an input and a direction.
    ProductWith(usize),
}

impl Variable {
    /// What the gradient with respect to this input is called.
    pub(super) fn gradient(self) -> Self {
        match self {
            Self::Cotangent(i) => Self::GradientOfCotangent(i),
            Self::Input(i) => Self::GradientOf(i),
            output => output,
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output => write!(f, "output"),
            Self::Input(i) => write!(f, "input {i}"),
            Self::Cotangent(i) => write!(f, "cotangent {i}"),
            Self::GradientOf(i) => write!(f, "(gradient of input {i})"),
            Self::GradientOfCotangent(i) => write!(f, "(gradient of cotangent {i})"),
            Self::ProductWith(i) => write!(f, "the product for input {i}"),
        }
    }
}

/// An element of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which variable.
    pub variable: Variable,
    /// Where in it, an index for each axis.
    pub at: Vec<usize>,
}

impl Place {
    /// The element at `position` in row-major order.
    pub(super) fn new(variable: Variable, shape: Shape, position: usize) -> Self {
        Self { variable, at: unravel(shape, position) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            write!(f, "{}", self.variable)
        } else {
            write!(f, "{}{:?}", self.variable, self.at)
        }
    }
}

/// The index along each axis of the element at `position` in row-major order.
pub(super) fn unravel(shape: Shape, mut position: usize) -> Vec<usize> {
    let mut at = vec![0; shape.rank()];
    for axis in (0..shape.rank()).rev() {
        at[axis] = position % shape.dim(axis);
        position /= shape.dim(axis);
    }
    at
}

/// The position in row-major order of the element at an index.
pub(super) fn ravel(shape: Shape, at: &[usize]) -> usize {
    at.iter().enumerate().fold(0, |position, (axis, &i)| position * shape.dim(axis) + i)
}

/// A guess at what is wrong with a rule, from the pattern of a whole block of the Jacobian.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Slip {
    /// Every entry is NaN or infinite where the true one is a number.
    #[error("not a number where the derivative is one")]
    NotFinite,
    /// All zero.
    #[error("zero: severed")]
    Severed,
    /// Wrong at an order from the second on, while the gradient itself is right.
    #[error(
        "the gradient is right and its own derivative is not: does the op keep something in its state, or detach, that \
         depends on an input?"
    )]
    Hidden,
    /// The right ones are right, and the wrong ones are zero.
    #[error("zero at some elements: partly severed, or broadcast not undone")]
    PartlySevered,
    /// The negative of the right ones.
    #[error("sign flipped")]
    Sign,
    /// Twice the right ones.
    #[error("exactly twice: a missing 1/2?")]
    Twice,
    /// Half of the right ones.
    #[error("exactly half: counted once instead of twice, or a missing 2?")]
    Half,
    /// A constant multiple of the right ones.
    #[error("off by the constant factor {0:.6}: a missing factor, or a sum in place of a mean?")]
    Factor(f64),
    /// The sum of the right ones over an axis of the input.
    #[error("summed over axis {0}: broadcast not undone")]
    Summed(usize),
    /// The mean of the right ones over an axis of the input.
    #[error("averaged over axis {0}")]
    Averaged(usize),
    /// The right ones with two axes of the output exchanged, and the input was broadcast.
    #[error("summed over axis {0} in place of axis {1}: broadcast undone along the wrong axis")]
    WrongAxis(usize, usize),
    /// The right ones with two axes of the input exchanged.
    #[error("transposed: axes {0} and {1} of the gradient are exchanged")]
    Transposed(usize, usize),
    /// The transpose of the right Jacobian.
    #[error("the Jacobian is transposed: a matrix in place of its transpose?")]
    Adjoint,
    /// The right ones in reverse order along an axis.
    #[error("reversed along axis {0}")]
    Reversed(usize),
    /// No pattern that is known.
    #[error("no usual slip")]
    Unknown,
}

/// An order of derivative, in words.
struct Order(usize);

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("first order"),
            2 => f.write_str("second order"),
            3 => f.write_str("third order"),
            n => write!(f, "order {n}"),
        }
    }
}
