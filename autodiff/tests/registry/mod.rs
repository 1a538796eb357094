//! The registry: an entry for each public op of the crate, a file a family as in `src/ops`.
//!
//! One entry gives the op the test of all laws, the test of its bad inputs, its row in `OPS.md` and its line in the
//! benchmark. What the op computes is said by its documentation alone.
//!
//! ```text
//! name: shapes, [domain of each input], |[inputs], decisions| result,
//!     gradient "in words",                          // left out if it has none
//!     gives [expression => [numbers]],              // values known otherwise
//!     bad ["what the error says" => expression],    // for all that return a `Result`
//!     like "its name elsewhere";
//! ```

use autodiff::check::property::Shapes;
use autodiff::check::strategies::{Choice, Domain};
use autodiff::{Array, Error, Float, MAX_RANK, Result, Tensor};

/// Writes the entries of a family.
macro_rules! ops {
    ($(
        $name:ident: $shapes:expr, $domains:expr, $f:expr,
            $(gradient $gradient:literal,)?
            $(gives [$($call:expr => $values:expr),* $(,)?],)?
            $(bad [$($says:literal => $wrong:expr),* $(,)?],)?
            like $like:literal;
    )*) => {
        pub(crate) static ENTRIES: &[$crate::registry::Entry] = &[$($crate::registry::Entry {
            name: stringify!($name),
            form: $crate::registry::Case {
                shapes: || $shapes,
                domains: $domains,
                double: $f,
                single: $f,
                source: stringify!($f),
            }
            .form(),
            gradient: &[$($gradient)?],
            gives: &[$($($crate::registry::Known { found: || Ok($call), expected: &$values }),*)?],
            bad: &[$($($crate::registry::Bad { call: || $wrong.err(), says: $says }),*)?],
            like: $like,
        }),*];

        #[cfg(test)]
        mod laws {
            $(
                #[test]
                fn $name() {
                    crate::laws::hold(super::ENTRIES, stringify!($name));
                }
            )*
        }
    };
}

mod activation;
mod attention;
mod binary;
mod conv;
mod distance;
mod dropout;
mod einsum;
mod index;
mod joining;
mod matmul;
mod movement;
mod norm;
mod pad;
mod pair;
mod pool;
mod recurrent;
mod reduce;
mod resize;
mod scan;
mod select;
mod slicing;
mod softmax;
mod sort;
mod spread;
mod strided;
mod unary;

/// The families, by the names of their files, in the order of a book.
pub(crate) static FAMILIES: [(&str, &[Entry]); 26] = [
    ("unary", unary::ENTRIES),
    ("activation", activation::ENTRIES),
    ("binary", binary::ENTRIES),
    ("pair", pair::ENTRIES),
    ("select", select::ENTRIES),
    ("reduce", reduce::ENTRIES),
    ("spread", spread::ENTRIES),
    ("scan", scan::ENTRIES),
    ("sort", sort::ENTRIES),
    ("matmul", matmul::ENTRIES),
    ("einsum", einsum::ENTRIES),
    ("movement", movement::ENTRIES),
    ("slicing", slicing::ENTRIES),
    ("joining", joining::ENTRIES),
    ("strided", strided::ENTRIES),
    ("pad", pad::ENTRIES),
    ("index", index::ENTRIES),
    ("softmax", softmax::ENTRIES),
    ("norm", norm::ENTRIES),
    ("conv", conv::ENTRIES),
    ("pool", pool::ENTRIES),
    ("resize", resize::ENTRIES),
    ("attention", attention::ENTRIES),
    ("distance", distance::ENTRIES),
    ("dropout", dropout::ENTRIES),
    ("recurrent", recurrent::ENTRIES),
];

/// All entries.
pub(crate) fn entries() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().flat_map(|(_, entries)| entries.iter())
}

/// What is known of an op.
pub(crate) struct Entry {
    /// The method of `Tensor`, or of the operator's trait.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// The rule in words; nothing for an op without one.
    pub(crate) gradient: &'static [&'static str],
    /// Values that are known otherwise.
    pub(crate) gives: &'static [Known],
    /// What it refuses.
    pub(crate) bad: &'static [Bad],
    /// Its name in NumPy or PyTorch, or where it comes from.
    pub(crate) like: &'static str,
}

/// The op as a function, by its number of inputs.
pub(crate) enum Form {
    One(Case<1>),
    Two(Case<2>),
    Three(Case<3>),
    Four(Case<4>),
    Five(Case<5>),
}

/// Does the same for a [`Case`] of any number of inputs.
macro_rules! for_any {
    ($form:expr, $case:ident => $body:expr) => {
        match $form {
            $crate::registry::Form::One($case) => $body,
            $crate::registry::Form::Two($case) => $body,
            $crate::registry::Form::Three($case) => $body,
            $crate::registry::Form::Four($case) => $body,
            $crate::registry::Form::Five($case) => $body,
        }
    };
}
pub(crate) use for_any;

/// A function of tensors and decisions.
type Function<T, const N: usize> = fn([&Tensor<T>; N], Choice) -> Result<Tensor<T>>;

/// The op as a function of `N` tensors, in either type, and where it is smooth.
pub(crate) struct Case<const N: usize> {
    pub(crate) shapes: fn() -> Shapes<N>,
    pub(crate) domains: [Domain; N],
    pub(crate) double: Function<f64, N>,
    pub(crate) single: Function<f32, N>,
    pub(crate) source: &'static str,
}

impl Case<1> {
    const fn form(self) -> Form {
        Form::One(self)
    }
}

impl Case<2> {
    const fn form(self) -> Form {
        Form::Two(self)
    }
}

impl Case<3> {
    const fn form(self) -> Form {
        Form::Three(self)
    }
}

impl Case<4> {
    const fn form(self) -> Form {
        Form::Four(self)
    }
}

impl Case<5> {
    const fn form(self) -> Form {
        Form::Five(self)
    }
}

/// A value that is known otherwise.
pub(crate) struct Known {
    pub(crate) found: fn() -> Result<Tensor<f64>>,
    pub(crate) expected: &'static [f64],
}

/// A call that fails, and what its error says besides the name of the op.
pub(crate) struct Bad {
    pub(crate) call: fn() -> Option<Error>,
    pub(crate) says: &'static str,
}

// ----- Words of the entries -----

/// Numbers from -2 to 2.
const SMALL: Domain = Domain::Small;
/// Numbers from ¼ to 4.
const POSITIVE: Domain = Domain::Positive;
/// Numbers without ties.
const DISTINCT: Domain = Domain::Distinct;
/// Numbers that a function with a kink, a jump or a pole at 0 is smooth at.
const NONZERO: Domain = Domain::NONZERO;
/// Numbers that a function with kinks at -1 and 1 is smooth at.
const AT_ONE: Domain = Domain::AwayFrom { kinks: &[-1.0, 1.0], gap: 0.25 };

/// Numbers between whole ones.
const WHOLE: Domain = Domain::AwayFrom { kinks: &[-2.0, -1.0, 0.0, 1.0, 2.0], gap: 0.25 };

/// Any shape.
fn any() -> Shapes<1> {
    Shapes::alike(0..=MAX_RANK)
}

/// Any shape with an axis.
fn axes() -> Shapes<1> {
    Shapes::alike(1..=MAX_RANK)
}

/// Any shape, element by element.
fn each() -> Shapes<1> {
    any().elementwise()
}

/// Two shapes that broadcast, element by element.
fn pairs() -> Shapes<2> {
    Shapes::broadcastable().elementwise()
}

fn zeros<const R: usize>(shape: [usize; R]) -> Tensor<f64> {
    Tensor::zeros(shape)
}

fn vector<const L: usize>(values: [f64; L]) -> Tensor<f64> {
    Tensor::from_vec(values, [L]).expect("as many values")
}

/// Whole numbers as a tensor.
fn numbers<T: Float>(whole: &Array<usize>) -> Tensor<T> {
    let values: Vec<T> = whole.to_vec().into_iter().map(|n| T::from_f64(n as f64)).collect();
    Tensor::from_vec(values, whole.shape()).expect("as many values")
}

/// How many entries a tensor has along an axis.
fn extent<T: Float>(x: &Tensor<T>, axis: isize) -> Result<usize> {
    Ok(x.shape().dim(x.shape().axis(axis)?))
}
