//! Views whose axes step along several axes of an array at once, or overlap: diagonals, windows, mixed slices.

use super::Array;
use crate::float::Float;
use crate::kernel::buffer::Element;
use crate::kernel::{parallel, strided};
use crate::shape::{MAX_RANK, Shape, Strides};

/// Which elements of an array a view has: one more along axis `i` of the view is `steps[i][j]` more along each axis `j`
/// of the array.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    /// Where the first element of the view is along each axis of the array.
    pub(crate) starts: [usize; MAX_RANK],
    /// The sizes of the view.
    pub(crate) shape: Shape,
    pub(crate) steps: [[isize; MAX_RANK]; MAX_RANK],
}

impl Frame {
    /// A view of no axes: the first element. Axes are added by [`push`](Self::push).
    pub(crate) fn first() -> Self {
        Self { starts: [0; MAX_RANK], shape: Shape::SCALAR, steps: [[0; MAX_RANK]; MAX_RANK] }
    }

    /// Adds an axis of `dim` entries that steps along axes of the array; there has to be room for it.
    pub(crate) fn push(&mut self, dim: usize, steps: impl IntoIterator<Item = (usize, isize)>) {
        let axis = self.shape.rank();
        self.shape = Shape::of(self.shape.iter().chain([dim]));
        for (along, step) in steps {
            self.steps[axis][along] += step;
        }
    }

    /// Offset and strides of the view of an array that has these.
    fn placed(&self, offset: usize, strides: &Strides) -> (usize, Strides) {
        let along = |steps: &[isize; MAX_RANK]| -> isize {
            steps.iter().zip(strides).map(|(step, stride)| step * stride).sum()
        };
        // Where there is nothing, the start may lie behind the end.
        let start = if self.shape.size() == 0 { 0 } else { along(&self.starts.map(|start| start as isize)) };
        ((offset as isize + start) as usize, self.steps.each_ref().map(along))
    }

    /// How many axes in front are those of an array of this shape, entry by entry.
    fn common(&self, shape: Shape) -> usize {
        let unit = |axis: usize| std::array::from_fn(|i| isize::from(i == axis));
        let own = |axis: usize| {
            let others = (0..MAX_RANK).filter(|&i| i != axis);
            self.starts[axis] == 0
                && self.shape.dim(axis) == shape.dim(axis)
                && self.steps[axis] == unit(axis)
                && others.map(|i| self.steps[i][axis]).all(|step| step == 0)
        };
        (0..self.shape.rank().min(shape.rank())).take_while(|&axis| own(axis)).count()
    }
}

impl<T: Element> Array<T> {
    /// The elements of a frame, which has to lie within this array; nothing is copied.
    pub(crate) fn framed(&self, frame: &Frame) -> Self {
        let (offset, strides) = frame.placed(self.offset(), &self.strides());
        self.viewed(frame.shape, offset, strides)
    }
}

impl<T: Float> Array<T> {
    /// The adjoint of [`framed`](Self::framed): an array of shape `shape` to which each element is added where the frame
    /// took it from, in their order.
    pub(crate) fn add_framed(&self, frame: &Frame, shape: Shape) -> Self {
        let (offset, strides) = frame.placed(0, &shape.strides());
        let common = frame.common(shape);
        let item: usize = shape.iter().skip(common).product();
        let part = Shape::of(frame.shape.iter().skip(common));
        let mut inner = [0; MAX_RANK];
        inner[..MAX_RANK - common].copy_from_slice(&strides[common..]);
        let ns = item as f64 * 0.2 + part.size() as f64;
        Self::build(shape, |out| {
            self.with_slice(|grad| {
                parallel::items(out, item, ns, |i, out| {
                    out.fill(T::ZERO);
                    let source =
                        strided::Source { data: grad, offset: i * part.size(), strides: part.strides() };
                    strided::scatter_into(out, offset, &inner, &part, source, |target, value| {
                        *target += value;
                    });
                });
            });
        })
    }
}
