//! Where the elements of a tensor lie in memory.

use super::{Choice, choices};
use crate::check::report::{ravel, unravel};
use crate::{Array, Shape, Tensor};
use proptest::prelude::*;

/// How a tensor lies in memory: a view into a larger block that is filled with NaN, so that a read beside the view is
/// seen in the result.
///
/// ```
/// use autodiff::{Shape, check::strategies::Layout};
/// let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// for layout in Layout::ALL {
///     let x = layout.place(Shape::from([2, 3]), &values);
///     assert_eq!(x.array().as_slice().is_some(), layout == Layout::CONTIGUOUS);
///     if layout != Layout::EXPANDED {
///         assert_eq!(x.to_vec(), values);
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The order of the axes in memory.
    order: Choice,
    /// Whether that order is then read from its end.
    transposed: bool,
    /// Axes, as bits: those of which every second entry is taken.
    sliced: u8,
    /// Those that begin after, and end before, entries of the block.
    offset: u8,
    /// Those that run backwards.
    reversed: u8,
    /// Those along which one entry is repeated.
    expanded: u8,
}

impl Layout {
    /// In row-major order, on its own.
    pub const CONTIGUOUS: Self =
        Self { order: Choice(0), transposed: false, sliced: 0, offset: 0, reversed: 0, expanded: 0 };
    /// In column-major order.
    pub const TRANSPOSED: Self = Self { transposed: true, ..Self::CONTIGUOUS };
    /// Every second entry along every axis.
    pub const SLICED: Self = Self { sliced: u8::MAX, ..Self::CONTIGUOUS };
    /// In the middle of a larger block.
    pub const OFFSET: Self = Self { offset: u8::MAX, ..Self::CONTIGUOUS };
    /// Backwards along every axis.
    pub const REVERSED: Self = Self { reversed: u8::MAX, ..Self::CONTIGUOUS };
    /// One entry repeated along the first axis, which changes the values.
    pub const EXPANDED: Self = Self { expanded: 1, ..Self::CONTIGUOUS };
    /// One of each.
    pub const ALL: [Self; 6] =
        [Self::CONTIGUOUS, Self::TRANSPOSED, Self::SLICED, Self::OFFSET, Self::REVERSED, Self::EXPANDED];

    /// The same without repeated entries.
    pub fn without_expansion(self) -> Self {
        Self { expanded: 0, ..self }
    }

    /// A constant with this layout, this shape, and the first of `values` as elements in row-major order.
    ///
    /// # Panics
    /// If there are fewer values than elements.
    pub fn place(self, shape: Shape, values: &[f64]) -> Tensor<f64> {
        let rank = shape.rank();
        let bit = |bits: u8, axis: usize| usize::from(bits >> axis & 1);
        let side = |axis: usize| {
            if bit(self.expanded, axis) == 1 { shape.dim(axis).min(1) } else { shape.dim(axis) }
        };
        let [step, margin] = [self.sliced, self.offset].map(|bits| move |axis: usize| bit(bits, axis));
        // Axis `i` of the block is axis `order[i]` of the view.
        let mut choice = self.order;
        let mut order: Vec<usize> = choice.permutation(rank).into_iter().map(|axis| axis as usize).collect();
        if self.transposed {
            order.reverse();
        }
        let block = Shape::from(
            order.iter().map(|&axis| side(axis) * (1 + step(axis)) + 2 * margin(axis)).collect::<Vec<_>>(),
        );
        let mut memory = vec![f64::NAN; block.size()];
        for (position, &value) in values[..shape.size()].iter().enumerate() {
            let at = unravel(shape, position);
            if (0..rank).any(|axis| at[axis] >= side(axis)) {
                continue;
            }
            let place = |&axis: &usize| {
                let entry = if bit(self.reversed, axis) == 1 { side(axis) - 1 - at[axis] } else { at[axis] };
                margin(axis) + entry * (1 + step(axis))
            };
            memory[ravel(block, &order.iter().map(place).collect::<Vec<_>>())] = value;
        }
        let mut view = Array::from_vec(memory, block).expect("the block is full");
        for (i, &axis) in order.iter().enumerate() {
            let (start, step) = (margin(axis), 1 + step(axis));
            if (start, start + side(axis), step) != (0, block.dim(i), 1) {
                view = view
                    .slice(i, start, start + side(axis) * step, step)
                    .expect("the view lies in the block");
            }
            if bit(self.reversed, axis) == 1 {
                view = view.flip(i);
            }
        }
        let mut back = vec![0; rank];
        order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i as isize);
        if back.iter().enumerate().any(|(axis, &i)| axis as isize != i) {
            view = view.permute(&back).expect("an order of the axes");
        }
        Tensor::from(view.broadcast_to(shape).expect("one entry repeats"))
    }
}

/// Layouts: half of them contiguous, some of one kind, some of several at once; they shrink to contiguous.
pub fn layouts() -> impl Strategy<Value = Layout> {
    // Each part is absent, on one axis, or on several.
    let axes = || prop_oneof![4 => Just(0u8), 1 => any::<u8>()];
    let order = prop_oneof![2 => Just(Choice(0)), 1 => choices()];
    let parts = (order, any::<bool>(), axes(), axes(), axes(), axes());
    (any::<bool>(), parts).prop_map(|(strided, (order, transposed, sliced, offset, reversed, expanded))| {
        if strided {
            Layout { order, transposed, sliced, offset, reversed, expanded }
        } else {
            Layout::CONTIGUOUS
        }
    })
}
