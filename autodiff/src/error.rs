//! What can go wrong, said with figures, the op, and the line of the caller.

use crate::shape::Shape;
use std::fmt;
use std::panic::Location;

/// The result of an operation that a caller can get wrong.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation: which op, what was wrong with which shapes, and the line that called it.
///
/// An error that comes up in a backward pass names the line of the *forward* call.
///
/// ```
/// use autodiff::{ErrorKind, Tensor};
/// let error = Tensor::<f32>::zeros([2, 3]).matmul(&Tensor::zeros([2, 3])).unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::MatMul { .. }));
/// assert!(error.to_string().starts_with("matmul: cannot multiply [2, 3] by [2, 3]"));
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{op}: {kind} at {site}", op = .0.op, kind = .0.kind, site = .0.site)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    op: &'static str,
    kind: ErrorKind,
    site: Site,
}

/// A line of source code, shown as `file:line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site(&'static Location<'static>);

impl Site {
    /// The line of the caller.
    #[track_caller]
    pub(crate) fn caller() -> Self {
        Self(Location::caller())
    }

    /// The source file, as the compiler was given it.
    pub fn file(&self) -> &'static str {
        self.0.file()
    }

    /// The line in the file, from 1.
    pub fn line(&self) -> u32 {
        self.0.line()
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file(), self.line())
    }
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Two shapes do not broadcast.
    #[error("{left} and {right} do not broadcast: aligned at the last axis, sizes must be equal or 1")]
    Broadcast {
        /// Shape of the left operand.
        left: Shape,
        /// Shape of the right operand.
        right: Shape,
    },
    /// An array cannot be expanded to a shape.
    #[error("cannot broadcast {from} to {to}")]
    BroadcastTo {
        /// Shape of the array.
        from: Shape,
        /// The shape asked for.
        to: Shape,
    },
    /// The inner sizes of a matrix product differ, or the batch axes do not broadcast.
    #[error("cannot multiply {left} by {right}: {}", matmul_reason(left, right))]
    MatMul {
        /// Shape of the left operand.
        left: Shape,
        /// Shape of the right operand.
        right: Shape,
    },
    /// An axis does not exist.
    #[error("axis {axis} is out of range for {shape}, which has rank {}", .shape.rank())]
    Axis {
        /// The axis asked for.
        axis: isize,
        /// The shape it was asked of.
        shape: Shape,
    },
    /// An axis is named twice.
    #[error("axis {axis} of {shape} is named twice")]
    RepeatedAxis {
        /// The axis, as it was named the second time.
        axis: isize,
        /// The shape it was asked of.
        shape: Shape,
    },
    /// A shape has other elements than the array that is to take it.
    #[error("cannot reshape {from} ({} elements) to {to:?}", .from.size())]
    Reshape {
        /// Shape of the array.
        from: Shape,
        /// The sizes asked for, with `-1` where one was to be found out.
        to: Vec<isize>,
    },
    /// A number of values does not fill a shape.
    #[error("{found} values do not fill {shape}, which has {} elements", .shape.size())]
    Length {
        /// How many values there are.
        found: usize,
        /// The shape to be filled.
        shape: Shape,
    },
    /// An array has another rank than the op works on.
    #[error("{shape} has rank {}, but rank {expected} is needed{}", .shape.rank(), needed(.what))]
    Rank {
        /// Shape of the array.
        shape: Shape,
        /// The rank needed.
        expected: usize,
        /// What the axes mean; may be empty.
        what: &'static str,
    },
    /// Shapes that have to agree do not.
    #[error("{what}: {left} against {right}")]
    Mismatch {
        /// What has to agree.
        what: &'static str,
        /// One shape.
        left: Shape,
        /// The other shape.
        right: Shape,
    },
    /// An index is not below its bound.
    #[error("index {index} at position {position} is out of range for {bound} entries along axis {axis}")]
    Index {
        /// The offending index.
        index: usize,
        /// Its position among the indices.
        position: usize,
        /// The number of entries.
        bound: usize,
        /// The axis that is indexed.
        axis: usize,
    },
    /// A class label is not below the number of classes.
    #[error("label {label} at position {position} is out of range for {classes} classes")]
    Label {
        /// The offending label.
        label: usize,
        /// Its position in the batch.
        position: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A range does not lie within an axis.
    #[error("range {start}..{end} does not lie within axis {axis} of {shape}")]
    Range {
        /// First entry.
        start: usize,
        /// One past the last entry.
        end: usize,
        /// The axis.
        axis: usize,
        /// The shape of the array.
        shape: Shape,
    },
    /// The sizes of a shape are too many or too large.
    #[error(
        "sizes {dims:?} are too many or too large: at most 6 axes, each below 2^32, and a product that fits memory"
    )]
    Size {
        /// The sizes.
        dims: Vec<usize>,
    },
    /// `backward` was called on something with several elements.
    #[error(
        "a gradient starts from a single number, and this tensor has shape {shape}: \
         reduce it first (`.sum()`, `.mean()`), or give the seed to `pull_back`"
    )]
    NotScalar {
        /// The tensor's shape.
        shape: Shape,
    },
    /// A gradient was asked of a tensor that no tape knows.
    #[error(
        "this tensor is not on a tape: it was computed from constants, inside `no_grad`, or by an op without gradient"
    )]
    Untracked,
    /// The graph was used up by an earlier `backward`.
    #[error(
        "its values were freed by an earlier `backward`: add the losses and call `backward` once, \
         or use `grad`, which keeps the graph"
    )]
    Freed,
    /// A gradient was asked for an input that the output does not depend on.
    #[error("the output does not depend on input {index}")]
    Independent {
        /// Which of the inputs.
        index: usize,
    },
    /// A rule returned a gradient that cannot belong to its input.
    #[error("the gradient rule for input {index} returned shape {found} where {expected} is needed")]
    Rule {
        /// Which input.
        index: usize,
        /// Shape of the input.
        expected: Shape,
        /// Shape that the rule returned.
        found: Shape,
    },
    /// Anything else, said in words; ops outside the crate use this.
    #[error("{0}")]
    Message(String),
}

fn matmul_reason(left: &Shape, right: &Shape) -> String {
    if left.rank() == 0 || right.rank() == 0 {
        return "a single number is no matrix (use `*`)".into();
    }
    let inner = left.dim(left.rank() - 1);
    let other = right.dim(right.rank().saturating_sub(2));
    if inner == other {
        return "their batch axes do not broadcast".into();
    }
    let hint = if right.rank() >= 2 && right.dim(right.rank() - 1) == inner {
        " (did you mean the right one transposed, `.t()`?)"
    } else {
        ""
    };
    format!("{inner} and {other} differ{hint}")
}

fn needed(what: &str) -> String {
    if what.is_empty() { String::new() } else { format!(": {what}") }
}

impl Error {
    /// An error of the op named `op`, in words. The line is filled in when the op is applied.
    ///
    /// ```
    /// let error = autodiff::Error::new("clip", "the lower bound 2 is above the upper bound 1");
    /// assert!(error.to_string().starts_with("clip: the lower bound 2 is above"));
    /// ```
    #[track_caller]
    pub fn new(op: &'static str, message: impl Into<String>) -> Self {
        ErrorKind::Message(message.into()).of(op)
    }

    /// What was wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The name of the op.
    pub fn op(&self) -> &'static str {
        self.0.op
    }

    /// The line that called the op.
    pub fn site(&self) -> Site {
        self.0.site
    }

    /// The same error, as one of the op named `op` called at `site`.
    #[cold]
    pub(crate) fn at(mut self, op: &'static str, site: Site) -> Self {
        self.0.op = op;
        self.0.site = site;
        self
    }
}

impl ErrorKind {
    /// This, as an error of the op named `op` at the caller's line.
    #[track_caller]
    #[cold]
    pub fn of(self, op: &'static str) -> Error {
        Error(Box::new(Inner { op, kind: self, site: Site::caller() }))
    }
}

/// The op's name and the line are filled in when the op is applied.
impl From<ErrorKind> for Error {
    #[track_caller]
    fn from(kind: ErrorKind) -> Self {
        kind.of("array")
    }
}

/// Says of which op a failure is, with the line of whoever called the method that uses this.
pub(crate) trait OfOp {
    /// The same result; an error becomes one of the op named `op`, at the caller's line.
    #[track_caller]
    fn of_op(self, op: &'static str) -> Self;
}

impl<T> OfOp for Result<T> {
    #[inline]
    fn of_op(self, op: &'static str) -> Self {
        let site = Site::caller();
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(error.at(op, site)),
        }
    }
}
