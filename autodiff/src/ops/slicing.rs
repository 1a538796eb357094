//! Slicing: views of parts, as everywhere without a copy.

use crate::array::{Array, Frame};
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::{Op, Point, Reads};
use crate::ops::pad::Embed;
use crate::ops::strided::View;
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::ops::{Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// A block of an array: along each axis, where it starts, where it ends, and the distance of its entries.
#[derive(Clone, Copy)]
pub(super) struct Region {
    pub(super) starts: [usize; MAX_RANK],
    pub(super) ends: [usize; MAX_RANK],
    pub(super) steps: [usize; MAX_RANK],
}

impl Region {
    /// All of an array.
    pub(super) fn whole(shape: Shape) -> Self {
        let mut ends = [0; MAX_RANK];
        for (end, dim) in ends.iter_mut().zip(shape.iter()) {
            *end = dim;
        }
        Self { starts: [0; MAX_RANK], ends, steps: [1; MAX_RANK] }
    }
}

/// The elements of a region.
pub(super) struct Slice {
    pub(super) region: Region,
}

impl<T: Float> Op<T> for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn forward(&mut self, x: &[&Array<T>]) -> Result<Array<T>> {
        let Region { starts, ends, steps } = self.region;
        (0..x[0].rank())
            .try_fold(x[0].clone(), |x, axis| x.slice(axis, starts[axis], ends[axis], steps[axis]))
    }
    fn vjp(&self, _: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Embed { region: self.region, shape: at.shape(0), fill: T::ZERO }.apply(&[&grad])
    }
    fn vjp_add(
        &self,
        _: usize,
        grad: &Tensor<T>,
        _: &Point<'_, T>,
        sum: &mut Array<T>,
    ) -> Option<Result<()>> {
        let Region { starts, steps, .. } = self.region;
        sum.add_at(&starts, &steps, &grad.array);
        Some(Ok(()))
    }
    fn reads(&self, _: usize) -> Reads {
        Reads::NONE
    }
}

/// What is taken along one axis by [`Tensor::at`]: numbers and ranges are indices, negative ends count from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// One entry; the axis goes away.
    At(isize),
    /// The entries from `start` on and before `end`, or up to the last, each `step` further than the one before.
    Range {
        /// The first entry.
        start: isize,
        /// The one behind the last entry; nothing for all that there are.
        end: Option<isize>,
        /// The distance of the entries; a negative one walks from the last to the first.
        step: isize,
    },
    /// A new axis of size 1.
    NewAxis,
    /// All axes that the other indices leave.
    Ellipsis,
}

impl Index {
    /// Every `step`-th entry of a range; backwards from its last one if the step is negative.
    ///
    /// ```
    /// use autodiff::{Index, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0, 5.0], [5])?;
    /// assert_eq!(x.at(Index::every(2, ..))?.to_vec(), [1.0, 3.0, 5.0]);
    /// assert_eq!(x.at(Index::every(-2, ..-1))?.to_vec(), [4.0, 2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn every(step: isize, range: impl RangeBounds<isize>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            // Behind the last one is the end.
            Bound::Included(&-1) | Bound::Unbounded => None,
            Bound::Included(&last) => Some(last + 1),
            Bound::Excluded(&end) => Some(end),
        };
        Self::Range { start, end, step }
    }
}

impl From<RangeFull> for Index {
    fn from(_: RangeFull) -> Self {
        Self::every(1, ..)
    }
}

/// Makes numbers of a type and their ranges indices.
macro_rules! indices {
    ($($number:ty),*) => {$(
        impl From<$number> for Index {
            fn from(index: $number) -> Self {
                Self::At(index as isize)
            }
        }
        impl From<Range<$number>> for Index {
            fn from(range: Range<$number>) -> Self {
                Self::every(1, range.start as isize..range.end as isize)
            }
        }
        impl From<RangeInclusive<$number>> for Index {
            fn from(range: RangeInclusive<$number>) -> Self {
                Self::every(1, *range.start() as isize..=*range.end() as isize)
            }
        }
        impl From<RangeFrom<$number>> for Index {
            fn from(range: RangeFrom<$number>) -> Self {
                Self::every(1, range.start as isize..)
            }
        }
        impl From<RangeTo<$number>> for Index {
            fn from(range: RangeTo<$number>) -> Self {
                Self::every(1, ..range.end as isize)
            }
        }
        impl From<RangeToInclusive<$number>> for Index {
            fn from(range: RangeToInclusive<$number>) -> Self {
                Self::every(1, ..=range.end as isize)
            }
        }
    )*};
}

indices!(i32, isize, usize);

/// One [`Index`] for each axis, as an argument: a number, a range, a tuple of such, a slice of [`Index`], or what
/// [`s!`](crate::s) makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indices {
    list: SmallVec<[Index; MAX_RANK]>,
}

impl<I: Into<Index>> From<I> for Indices {
    fn from(index: I) -> Self {
        Self { list: SmallVec::from_slice(&[index.into()]) }
    }
}

impl From<&[Index]> for Indices {
    fn from(indices: &[Index]) -> Self {
        Self { list: SmallVec::from_slice(indices) }
    }
}

/// Indices for [`Tensor::at`](crate::Tensor::at): numbers and ranges, the latter with a step behind a semicolon.
///
/// A tuple does as well, but Clippy takes `1..-1` for an empty range, except here.
///
/// ```
/// use autodiff::{Tensor, s};
/// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [2, 4])?;
/// assert_eq!(x.at(s![.., 1..-1])?.to_vec(), [2.0, 3.0, 6.0, 7.0]);
/// assert_eq!(x.at(s![-1, ..;2])?.to_vec(), [5.0, 7.0]);
/// assert_eq!(x.at(s![0, ..;-1])?.to_vec(), [4.0, 3.0, 2.0, 1.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[macro_export]
macro_rules! s {
    (@ $index:expr) => { $crate::Index::from($index) };
    (@ $index:expr; $step:expr) => { $crate::Index::every($step, $index) };
    ($($index:expr $(; $step:expr)?),* $(,)?) => {{
        #[allow(clippy::reversed_empty_ranges)]
        let indices: &[$crate::Index] = &[$($crate::s!(@ $index $(; $step)?)),*];
        $crate::Indices::from(indices)
    }};
}

/// Makes tuples of indices indices of several axes.
macro_rules! tuples {
    ($(($($part:ident)*))*) => {$(
        impl<$($part: Into<Index>),*> From<($($part,)*)> for Indices {
            #[allow(non_snake_case)]
            fn from(($($part,)*): ($($part,)*)) -> Self {
                Self { list: SmallVec::from_slice(&[$($part.into()),*]) }
            }
        }
    )*};
}

tuples!((A)(A B)(A B C)(A B C D)(A B C D E)(A B C D E F)(A B C D E F G)(A B C D E F G H));

impl Indices {
    /// The elements that these indices take from an array.
    fn frame(&self, shape: Shape) -> Result<Frame> {
        let wrong = |message: String| Err(ErrorKind::Message(message).into());
        let count = |of: fn(&Index) -> bool| self.list.iter().filter(|&index| of(index)).count();
        let taken = count(|index| matches!(index, Index::At(_) | Index::Range { .. }));
        let ellipses = count(|index| matches!(index, Index::Ellipsis));
        let Some(rest) = shape.rank().checked_sub(taken) else {
            return wrong(format!("{taken} indices for {shape}, which has {} axes", shape.rank()));
        };
        if ellipses > 1 {
            return wrong(format!("{ellipses} ellipses, where one stands for all axes that are left"));
        }
        let mut frame = Frame::first();
        // The sizes of the result, and the axis and the step of each.
        let mut axes: Vec<(usize, Option<(usize, isize)>)> = Vec::new();
        let mut axis = 0;
        let implied = [Index::Ellipsis];
        for &index in self.list.iter().chain(implied.iter().skip(ellipses)) {
            match index {
                Index::NewAxis => axes.push((1, None)),
                Index::Ellipsis => {
                    axes.extend((axis..axis + rest).map(|axis| (shape.dim(axis), Some((axis, 1)))));
                    axis += rest;
                }
                Index::At(place) => {
                    let n = shape.dim(axis) as isize;
                    if !(-n..n).contains(&place) {
                        return wrong(format!("index {place} for the {n} entries of axis {axis} of {shape}"));
                    }
                    frame.starts[axis] = place.rem_euclid(n) as usize;
                    axis += 1;
                }
                Index::Range { start, end, step } => {
                    let n = shape.dim(axis) as isize;
                    let from_start = |place: isize| if place < 0 { place.saturating_add(n) } else { place };
                    let (first, behind) = (from_start(start), end.map_or(n, from_start));
                    if !(0 <= first && first <= behind && behind <= n) {
                        let end = end.map_or(String::new(), |end| end.to_string());
                        let range = format!("range {start}..{end}");
                        return wrong(format!(
                            "{range} does not lie within the {n} entries of axis {axis} of {shape}"
                        ));
                    }
                    if step == 0 {
                        return wrong(format!("the step along axis {axis} is 0"));
                    }
                    let count = ((behind - first) as usize).div_ceil(step.unsigned_abs());
                    frame.starts[axis] = if step > 0 || count == 0 { first } else { behind - 1 } as usize;
                    // A step of more than all entries is not taken.
                    axes.push((count, Some((axis, step.clamp(-n, n)))));
                    axis += 1;
                }
            }
        }
        Shape::new(&axes.iter().map(|&(dim, _)| dim).collect::<Vec<_>>())?;
        for (dim, step) in axes {
            frame.push(dim, step);
        }
        Ok(frame)
    }
}

impl<T: Float> Tensor<T> {
    /// A view of the entries `range` along `axis`.
    ///
    /// # Errors
    /// If the axis does not exist or the range does not lie within it.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [4])?;
    /// assert_eq!(x.slice(0, 1..3)?.to_vec(), [2.0, 3.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(&self, axis: isize, range: Range<usize>) -> Result<Self> {
        self.sliced(axis, range, 1).of_op("slice")
    }

    /// A view of every `step`-th entry of `range` along `axis`.
    ///
    /// # Errors
    /// If the axis does not exist, the range does not lie within it, or the step is 0.
    #[track_caller]
    pub fn slice_step(&self, axis: isize, range: Range<usize>, step: usize) -> Result<Self> {
        self.sliced(axis, range, step).of_op("slice_step")
    }

    #[track_caller]
    fn sliced(&self, axis: isize, range: Range<usize>, step: usize) -> Result<Self> {
        let axis = self.shape().axis(axis)?;
        if step == 0 {
            return Err(ErrorKind::Message("the step is 0".into()).into());
        }
        let mut region = Region::whole(self.shape());
        (region.starts[axis], region.ends[axis], region.steps[axis]) = (range.start, range.end, step);
        Slice { region }.apply(&[self])
    }

    /// A view of the elements at an index for each axis: a number takes one entry and drops the axis, a range takes some,
    /// `..` takes all; negative numbers count from the end, and the axes that are not named stay whole.
    ///
    /// Steps are written [`Index::every`], or as all indices in [`s!`](crate::s); [`Index::Ellipsis`] stands for all axes between those before and those after,
    /// [`Index::NewAxis`] for a new axis of size 1.
    ///
    /// # Errors
    /// If there are more indices than axes, a number or a range does not lie within its axis, or a step is 0.
    ///
    /// ```
    /// use autodiff::{Index, Tensor};
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
    /// assert_eq!(x.at(0)?.to_vec(), [1.0, 2.0, 3.0]);
    /// assert_eq!(x.at((.., -1))?.to_vec(), [3.0, 6.0]);
    /// assert_eq!(x.at((.., 1..))?.to_vec(), [2.0, 3.0, 5.0, 6.0]);
    /// assert_eq!(x.at((1, Index::every(-1, ..)))?.to_vec(), [6.0, 5.0, 4.0]);
    /// assert_eq!(x.at((Index::Ellipsis, Index::NewAxis, ..2))?.shape(), [2, 1, 2]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn at(&self, index: impl Into<Indices>) -> Result<Self> {
        let frame = index.into().frame(self.shape()).of_op("at")?;
        View { name: "at", frame }.apply(&[self])
    }

    /// Views of consecutive parts of these sizes along `axis`.
    ///
    /// # Errors
    /// If the axis does not exist or the sizes do not add up to its own.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0], [3])?;
    /// let parts = x.split(&[1, 2], 0)?;
    /// assert_eq!((parts[0].to_vec(), parts[1].to_vec()), (vec![1.0], vec![2.0, 3.0]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn split(&self, sizes: &[usize], axis: isize) -> Result<Vec<Self>> {
        let shape = self.shape();
        let along = shape.axis(axis).of_op("split")?;
        let total = sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size));
        if total != Some(shape.dim(along)) {
            let message = format!("sizes {sizes:?} for the {} entries of axis {along}", shape.dim(along));
            return Err(ErrorKind::Message(message).of("split"));
        }
        let mut start = 0;
        let mut parts = Vec::with_capacity(sizes.len());
        for &size in sizes {
            parts.push(self.slice(axis, start..start + size)?);
            start += size;
        }
        Ok(parts)
    }

    /// Views of consecutive parts along `axis`, as many as `chunks` or fewer: all of `⌈n / chunks⌉` entries, the last
    /// perhaps of fewer.
    ///
    /// # Errors
    /// If the axis does not exist or `chunks` is 0.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0, 5.0], [5])?;
    /// let sizes: Vec<_> = x.chunk(3, 0)?.iter().map(Tensor::size).collect();
    /// assert_eq!(sizes, [2, 2, 1]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn chunk(&self, chunks: usize, axis: isize) -> Result<Vec<Self>> {
        let n = self.shape().dim(self.shape().axis(axis).of_op("chunk")?);
        if chunks == 0 {
            return Err(ErrorKind::Message("0 chunks".into()).of("chunk"));
        }
        let size = n.div_ceil(chunks);
        let sizes: Vec<_> = match size {
            0 => vec![0; chunks],
            _ => (0..n).step_by(size).map(|start| size.min(n - start)).collect(),
        };
        self.split(&sizes, axis).of_op("chunk")
    }
}
