//! Small handwritten digits: 1,797 images of 8x8 pixels, ten classes.
//!
//! They are part of the compiled crate (57 kB) and load in milliseconds: for tests, and for examples that
//! train in a second.

use crate::table::{self, Header};
use crate::{Dataset, Result, Split};

const FILE: &[u8] = include_bytes!("../data/digits.csv.gz");
const TRAIN: usize = 1_500;
const CLASSES: usize = 10;
const FULL_INK: u8 = 16;

/// The digits, in the order of the file: the first 1,500 to train on, the last 297 to test on.
///
/// The split is fixed, so that figures can be compared. Both parts hold all classes in about equal shares:
/// 146 to 153 images a class in the one, 27 to 33 in the other. Pixels are 0 (background) to 16 (full ink),
/// divided by 16.
///
/// # Errors
///
/// None, unless the crate was compiled with a changed data file.
///
/// # Examples
///
/// ```
/// let digits = datasets::digits::load()?;
/// assert_eq!((digits.train.len(), digits.test.len()), (1_500, 297));
/// assert_eq!(digits.train.shape(), [1, 8, 8]);
/// assert_eq!(digits.train.labels()[..4], [0, 1, 2, 3]);
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn load() -> Result<Split> {
    let table = table::parse("digits", FILE, Header::Absent)?;
    // A pixel too large for a byte is none of ours either: it stays above full ink and is reported as such.
    let pixels =
        table.integers(0..64)?.into_iter().map(|pixel| u8::try_from(pixel).unwrap_or(u8::MAX)).collect();
    let digits =
        Dataset::new("digits", [1, 8, 8], pixels, table.labels(64)?, CLASSES)?.with_divisor(FULL_INK)?;
    Ok(Split { train: digits.subset(0..TRAIN)?, test: digits.subset(TRAIN..digits.len())? })
}
