//! [`Pair`]: a size for rows and one for columns.

/// Something for the height and the width of an image: one number for both, or `[height, width]`.
///
/// ```
/// use nn::Pair;
/// assert_eq!(Pair::from(3), Pair::from([3, 3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

impl From<usize> for Pair {
    fn from(both: usize) -> Self {
        Self([both, both])
    }
}

impl From<[usize; 2]> for Pair {
    fn from(height_and_width: [usize; 2]) -> Self {
        Self(height_and_width)
    }
}
