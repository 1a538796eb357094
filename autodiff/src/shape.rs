//! Shapes, axes and strides: small, `Copy`, every size checked for overflow.

use crate::error::{ErrorKind, Result};
use smallvec::SmallVec;
use std::fmt;

/// The largest number of axes.
pub const MAX_RANK: usize = 6;

/// The sizes of an array along its axes; rank 0 is a single number.
///
/// At most [`MAX_RANK`] axes, each size below 2³², and the product of the sizes other than zero fits an `isize`.
/// Compact, because every tensor carries one.
///
/// ```
/// use autodiff::Shape;
/// let shape = Shape::from([2, 3]);
/// assert_eq!((shape.rank(), shape.size(), shape.dim(1)), (2, 6, 3));
/// assert_eq!(shape, [2, 3]);
/// assert_eq!(shape.to_string(), "[2, 3]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Shape {
    dims: [u32; MAX_RANK],
    // As large as two sizes: shapes are copied in vectors of 16 bytes, and one read from memory that was written in other pieces
    // waits for these.
    rank: usize,
}

impl Shape {
    /// The shape of a single number.
    pub const SCALAR: Self = Self { dims: [0; MAX_RANK], rank: 0 };

    /// Builds a shape from sizes.
    ///
    /// # Errors
    /// If there are more than [`MAX_RANK`] sizes, or if a size or their product is too large.
    pub fn new(dims: &[usize]) -> Result<Self> {
        let too_large = || ErrorKind::Size { dims: dims.to_vec() };
        if dims.len() > MAX_RANK {
            return Err(too_large().into());
        }
        let mut shape = Self { dims: [0; MAX_RANK], rank: dims.len() };
        // Zeros are left out of the product, so that no order of the axes hides an overflow.
        let mut product = 1usize;
        for (slot, &dim) in shape.dims.iter_mut().zip(dims) {
            *slot = u32::try_from(dim).map_err(|_| too_large())?;
            product = product
                .checked_mul(dim.max(1))
                .filter(|&p| p <= isize::MAX as usize / 8)
                .ok_or_else(too_large)?;
        }
        Ok(shape)
    }

    /// A shape from sizes that belong to an existing array, so that they are known to be right.
    pub(crate) fn of(dims: impl IntoIterator<Item = usize>) -> Self {
        let mut shape = Self::SCALAR;
        for dim in dims {
            shape.push(dim);
        }
        shape
    }

    fn push(&mut self, dim: usize) {
        self.dims[self.rank] = dim as u32;
        self.rank += 1;
    }

    /// The number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The number of elements: the product of the sizes.
    #[inline]
    pub fn size(&self) -> usize {
        self.iter().product()
    }

    /// The size along `axis`.
    ///
    /// # Panics
    /// If `axis` is not below the rank.
    #[inline]
    pub fn dim(&self, axis: usize) -> usize {
        self.as_slice()[axis] as usize
    }

    /// The sizes, from the first axis to the last.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator + '_ {
        self.as_slice().iter().map(|&dim| dim as usize)
    }

    /// The sizes as a vector.
    pub fn to_vec(&self) -> Vec<usize> {
        self.iter().collect()
    }

    #[inline]
    fn as_slice(&self) -> &[u32] {
        &self.dims[..self.rank]
    }

    /// The same shape with the size along `axis` replaced.
    pub(crate) fn with(mut self, axis: usize, dim: usize) -> Self {
        assert!(axis < self.rank());
        self.dims[axis] = dim as u32;
        self
    }

    /// The shape without the axes of the set.
    pub(crate) fn without(&self, axes: AxisSet) -> Self {
        Self::of(self.iter().enumerate().filter(|&(i, _)| !axes.contains(i)).map(|(_, dim)| dim))
    }

    /// The shape with the axes of the set shrunk to one.
    pub(crate) fn keeping(&self, axes: AxisSet) -> Self {
        Self::of(self.iter().enumerate().map(|(i, dim)| if axes.contains(i) { 1 } else { dim }))
    }

    /// How many elements a reduction over the axes of the set combines into one.
    pub(crate) fn extent(&self, axes: AxisSet) -> usize {
        self.iter().enumerate().filter(|&(i, _)| axes.contains(i)).map(|(_, dim)| dim).product()
    }

    /// The shape without one axis.
    pub(crate) fn removing(&self, axis: usize) -> Self {
        self.without(AxisSet::default().with(axis))
    }

    /// The shape with an axis of size 1 put in front of `axis`.
    pub(crate) fn inserting(&self, axis: usize) -> Result<Self> {
        let mut dims = self.to_vec();
        dims.insert(axis, 1);
        Self::new(&dims)
    }

    /// The shape that arrays of shapes `self` and `other` broadcast to, if they do.
    ///
    /// Aligned at the last axis, two sizes agree if they are equal or one of them is 1 (NumPy's rule).
    pub fn broadcast(&self, other: &Self) -> Option<Self> {
        if self == other {
            return Some(*self);
        }
        let rank = self.rank().max(other.rank());
        let mut out = Self { dims: [0; MAX_RANK], rank };
        for i in 0..rank {
            let a = self.aligned(i, rank);
            let b = other.aligned(i, rank);
            out.dims[i] = match (a, b) {
                (1, b) => b,
                (a, 1) => a,
                (a, b) if a == b => a,
                _ => return None,
            };
        }
        // Two large sizes on different axes may meet here for the first time.
        Self::new(&out.to_vec()).ok()
    }

    /// The size along axis `i` of the shape extended to `rank` axes by ones in front.
    #[inline]
    fn aligned(&self, i: usize, rank: usize) -> u32 {
        let missing = rank - self.rank();
        if i < missing { 1 } else { self.dims[i - missing] }
    }

    /// Resolves an axis that may count from the end (`-1` is the last).
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn axis(&self, axis: isize) -> Result<usize> {
        let rank = self.rank() as isize;
        let resolved = if axis < 0 { axis + rank } else { axis };
        if (0..rank).contains(&resolved) {
            Ok(resolved as usize)
        } else {
            Err(ErrorKind::Axis { axis, shape: *self }.into())
        }
    }

    /// The strides of a contiguous array of this shape: elements to step for one more along each axis.
    pub(crate) fn strides(&self) -> Strides {
        let mut strides = [0; MAX_RANK];
        let mut step = 1;
        for axis in (0..self.rank()).rev() {
            strides[axis] = step;
            step *= self.dims[axis] as isize;
        }
        strides
    }
}

/// Elements to step in memory for one more along each axis; entries beyond the rank are unused.
pub(crate) type Strides = [isize; MAX_RANK];

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, dim) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{dim}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

impl PartialEq<[usize]> for Shape {
    fn eq(&self, other: &[usize]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

/// # Panics
/// Where [`Shape::new`] fails.
impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        match Self::new(dims) {
            Ok(shape) => shape,
            Err(error) => panic!("{error}"),
        }
    }
}

/// # Panics
/// Where [`Shape::new`] fails.
impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Self::from(dims.as_slice())
    }
}

/// # Panics
/// Where [`Shape::new`] fails.
impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Self {
        Self::from(dims.as_slice())
    }
}

/// One or several axes, as arguments: `1`, `-1`, `[0, 2]`, `&axes[..]`. Negative ones count from the end.
///
/// ```
/// use autodiff::Tensor;
/// let x = Tensor::<f32>::ones([2, 3, 4]);
/// assert_eq!(x.sum_axes(-1)?.shape(), [2, 3]);
/// assert_eq!(x.sum_axes([0, 2])?.shape(), [3]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(SmallVec<[isize; 4]>);

impl From<isize> for Axes {
    fn from(axis: isize) -> Self {
        Self(SmallVec::from_slice(&[axis]))
    }
}

impl<const N: usize> From<[isize; N]> for Axes {
    fn from(axes: [isize; N]) -> Self {
        Self(SmallVec::from_slice(&axes))
    }
}

impl From<&[isize]> for Axes {
    fn from(axes: &[isize]) -> Self {
        Self(SmallVec::from_slice(axes))
    }
}

impl Axes {
    /// The axes in the order given, resolved against a shape.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    pub(crate) fn resolve(&self, shape: &Shape) -> Result<SmallVec<[usize; 4]>> {
        let mut seen = AxisSet::default();
        let mut resolved = SmallVec::new();
        for &axis in &self.0 {
            let i = shape.axis(axis)?;
            if seen.contains(i) {
                return Err(ErrorKind::RepeatedAxis { axis, shape: *shape }.into());
            }
            seen = seen.with(i);
            resolved.push(i);
        }
        Ok(resolved)
    }

    /// The axes as a set, resolved against a shape.
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    pub(crate) fn set(&self, shape: &Shape) -> Result<AxisSet> {
        Ok(self.resolve(shape)?.into_iter().fold(AxisSet::default(), AxisSet::with))
    }
}

/// A set of axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AxisSet(u8);

impl AxisSet {
    /// All axes of a shape.
    pub(crate) fn all(shape: &Shape) -> Self {
        (0..shape.rank()).fold(Self::default(), Self::with)
    }

    /// The set with `axis` added.
    #[inline]
    pub(crate) fn with(self, axis: usize) -> Self {
        Self(self.0 | 1 << axis)
    }

    /// Whether `axis` is in the set.
    #[inline]
    pub(crate) fn contains(self, axis: usize) -> bool {
        self.0 >> axis & 1 == 1
    }

    /// Whether there is no axis in the set.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked_in_any_order() {
        assert!(Shape::new(&[1 << 31, 1 << 31, 4]).is_err());
        assert!(Shape::new(&[0, 1 << 31, 1 << 31, 4]).is_err());
        assert!(Shape::new(&[1 << 31, 1 << 31, 4, 0]).is_err());
        assert!(Shape::new(&[1 << 32]).is_err());
        assert!(Shape::new(&[1; MAX_RANK + 1]).is_err());
        assert_eq!(Shape::new(&[1 << 20, 0]).map(|s| s.size()).ok(), Some(0));
    }

    #[test]
    fn broadcasting_follows_numpy() {
        let b = |x: &[usize], y: &[usize]| Shape::from(x).broadcast(&Shape::from(y)).map(|s| s.to_vec());
        assert_eq!(b(&[3, 1, 2], &[4, 1]), Some(vec![3, 4, 2]));
        assert_eq!(b(&[], &[2]), Some(vec![2]));
        assert_eq!(b(&[0], &[1]), Some(vec![0]));
        assert_eq!(b(&[2], &[3]), None);
        assert_eq!(b(&[0], &[2]), None);
    }

    #[test]
    fn axes_count_from_either_end() {
        let shape = Shape::from([4, 5, 6]);
        assert_eq!(shape.axis(-1).ok(), Some(2));
        assert!(shape.axis(3).is_err() && shape.axis(-4).is_err());
        assert!(Axes::from([0, -3]).set(&shape).is_err());
    }
}
