//! The domains of the table, and its macro.

pub(crate) use autodiff::check::property::{Shapes, config, hold, hold_at, run};
use autodiff::check::strategies::Domain;

/// Numbers from -2 to 2.
pub(crate) const SMALL: Domain = Domain::Small;
/// Numbers from ¼ to 4.
pub(crate) const POSITIVE: Domain = Domain::Positive;
/// Numbers without ties.
pub(crate) const DISTINCT: Domain = Domain::Distinct;
/// Numbers that a function with a kink, a jump or a pole at 0 is smooth at.
pub(crate) const NONZERO: Domain = Domain::NONZERO;

/// Writes the table: the lines of [`autodiff::laws!`], and their names.
macro_rules! gradients {
    ($($name:ident: $shapes:expr, $domains:expr, $f:expr;)*) => {
        /// The names of the lines.
        const LINES: &[&str] = &[$(stringify!($name)),*];
        autodiff::laws! { $($name: $shapes, $domains, $f;)* }
    };
}
pub(crate) use gradients;
