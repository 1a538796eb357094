//! The tape: which operation made which tensor.
//!
//! A node's number is its place on the tape, larger than those of its inputs; reading the tape backwards is taking the
//! largest pending number first. The number is a logical clock of the thread that is moved past the inputs' numbers, so
//! that no counter is shared between threads.
//!
//! A [`Record`] holds the op, the edges to the inputs' nodes, and only the values that the rules of the tracked inputs
//! read. Values are arrays, not tensors, and are attached to their node again when a rule asks: edges exist in one
//! place only, so there are no cycles, ownership frees the graph, and dropping it is a loop.

use crate::array::{Array, CHEAP};
use crate::error::{Result, Site};
use crate::float::Float;
use crate::kernel::buffer::Shared;
use crate::op::{Op, Reads};
use crate::scoped::scoped;
use crate::shape::Shape;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::cell::Cell;
use std::sync::{Mutex, PoisonError, RwLock};

/// One step of a tape, or a leaf.
pub(crate) struct Node<T: Float> {
    pub(crate) id: u64,
    pub(crate) kind: Kind<T>,
}

/// What a node is.
pub(crate) enum Kind<T: Float> {
    /// A variable, with the gradient that `backward` has put there.
    Leaf(Mutex<Option<Array<T>>>),
    /// The result of an op; the record is gone once `backward` has read it.
    Op(RwLock<Option<Record<T>>>),
}

/// How a tensor was made.
pub(crate) struct Record<T: Float> {
    pub(crate) op: Box<dyn Op<T>>,
    pub(crate) edges: Edges<T>,
    pub(crate) output: Option<Array<T>>,
    pub(crate) site: Site,
}

/// The inputs of a record; most have one or two.
type Edges<T> = SmallVec<[Edge<T>; 2]>;

/// An input of a record.
pub(crate) struct Edge<T: Float> {
    pub(crate) node: Option<Shared<Node<T>>>,
    pub(crate) value: Value<T>,
}

/// What a record keeps of an input.
pub(crate) enum Value<T: Float> {
    Kept(Array<T>),
    Shape(Shape),
}

impl<T: Float> Edge<T> {
    pub(crate) fn shape(&self) -> Shape {
        match &self.value {
            Value::Kept(array) => array.shape(),
            Value::Shape(shape) => *shape,
        }
    }

    /// Whether the input has the shape of `array`.
    #[inline]
    pub(crate) fn has_shape_of(&self, array: &Array<T>) -> bool {
        match &self.value {
            Value::Kept(own) => own.has_shape_of(array),
            Value::Shape(shape) => *shape == array.shape(),
        }
    }
}

/// Bytes from which an operator asks whether it can write over an operand. Smaller ones are in the first cache, and asking
/// costs more than a block of the pool.
const LARGE: usize = 1 << 14;

thread_local! {
    /// The largest number given on this thread.
    static CLOCK: Cell<u64> = const { Cell::new(0) };
    static RECORDING: Cell<bool> = const { Cell::new(true) };
}

/// Whether operations on tracked tensors are recorded on this thread.
///
/// ```
/// assert!(autodiff::is_recording());
/// autodiff::no_grad(|| assert!(!autodiff::is_recording()));
/// ```
#[inline]
pub fn is_recording() -> bool {
    RECORDING.get()
}

/// Runs `body` without recording: tensors computed in it are constants.
///
/// The flag belongs to the thread; it is restored when `body` returns or panics.
///
/// ```
/// use autodiff::{Tensor, no_grad};
/// let x = Tensor::<f32>::ones([2]).variable();
/// assert!(!no_grad(|| x.exp()).is_tracked());
/// assert!(x.exp().is_tracked());
/// ```
pub fn no_grad<R>(body: impl FnOnce() -> R) -> R {
    recording(false, body)
}

/// Runs `body` with recording on or off. A transform records the function that it differentiates even where its caller
/// records nothing.
pub(crate) fn recording<R>(on: bool, body: impl FnOnce() -> R) -> R {
    scoped(&RECORDING, on, body)
}

impl<T: Float> Node<T> {
    /// A node that comes after nodes up to number `after`.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn new(after: u64, kind: impl FnOnce() -> Kind<T>) -> Shared<Self> {
        let id = CLOCK.get().max(after) + 1;
        CLOCK.set(id);
        Shared::new(|| Self { id, kind: kind() })
    }

    /// A leaf without a gradient yet.
    pub(crate) fn leaf() -> Shared<Self> {
        Self::new(0, || Kind::Leaf(Mutex::new(None)))
    }
}

/// An input of an op: lent, or given up by the caller, whose references then move to the tape instead of being counted
/// twice.
pub(crate) enum Operand<'a, T: Float> {
    Lent(&'a Tensor<T>),
    Given(Tensor<T>),
}

impl<T: Float> Operand<'_, T> {
    fn tensor(&self) -> &Tensor<T> {
        match self {
            Self::Lent(tensor) => tensor,
            Self::Given(tensor) => tensor,
        }
    }

    /// Whether this is given up, and large enough for it to matter.
    #[inline]
    fn is_spare(&self) -> bool {
        matches!(self, Self::Given(tensor) if tensor.array.block().1 >= LARGE)
    }

    /// The array of an operand that is given up, for a result to be written over it, unless it is `kept`.
    fn spare(&mut self, kept: bool) -> Option<&mut Array<T>> {
        match self {
            Self::Given(tensor) if !kept => Some(&mut tensor.array),
            _ => None,
        }
    }

    /// The edge to this input, with its values if they are kept.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn edge(self, kept: bool) -> Edge<T> {
        let value = |array: &Array<T>| Value::Shape(array.shape());
        match self {
            Self::Lent(Tensor { array, node }) => {
                let value = if kept { Value::Kept(array.clone()) } else { value(array) };
                Edge { node: node.clone(), value }
            }
            Self::Given(Tensor { array, node }) => {
                let value = if kept { Value::Kept(array) } else { value(&array) };
                Edge { node, value }
            }
        }
    }
}

/// Runs an op and, if an input is tracked and this thread is recording, writes it on the tape.
#[track_caller]
#[inline]
pub(crate) fn apply<T: Float, O: Op<T>>(mut op: O, inputs: &[&Tensor<T>]) -> Result<Tensor<T>> {
    let site = Site::caller();
    let output = match inputs {
        [a] => op.forward(&[&a.array]),
        [a, b] => op.forward(&[&a.array, &b.array]),
        _ => op.forward(&inputs.iter().map(|input| &input.array).collect::<Vec<_>>()),
    };
    let output = output.map_err(|error| error.at(op.name(), site))?;
    Ok(write(op, inputs, output, site))
}

/// Writes an op that has run on the tape, if an input is tracked and this thread is recording.
#[inline]
pub(crate) fn write<T: Float, O: Op<T>>(
    op: O,
    inputs: &[&Tensor<T>],
    output: Array<T>,
    site: Site,
) -> Tensor<T> {
    if !is_recording() || inputs.iter().all(|input| input.node.is_none()) {
        return Tensor::from(output);
    }
    let surveyed = survey(&op, inputs.iter().copied());
    let edges = |reads: Reads| {
        let mut edges = SmallVec::with_capacity(inputs.len());
        for (index, &input) in inputs.iter().enumerate() {
            edges.push(Operand::Lent(input).edge(reads.contains(Reads::input(index))));
        }
        edges
    };
    record(op, edges, surveyed, output, site)
}

/// Puts a value on the tape as the result of `op`, even if `input`, its only input, is not on it.
#[track_caller]
pub(crate) fn place<T: Float, O: Op<T>>(op: O, input: &Tensor<T>) -> Tensor<T> {
    let surveyed = survey(&op, [input]);
    let edges =
        |reads: Reads| std::iter::once(Operand::Lent(input).edge(reads.contains(Reads::input(0)))).collect();
    record(op, edges, surveyed, input.array.clone(), Site::caller())
}

/// An op of one operand that makes each element from one element of it.
pub(crate) trait Elementwise1<T: Float>: Op<T> {
    /// The element.
    fn value(&self, a: T) -> T;
}

/// The same of two operands.
pub(crate) trait Elementwise2<T: Float>: Op<T> {
    /// The element.
    fn value(a: T, b: T) -> T;
}

/// [`apply`] to one operand, over which the result is written if the caller gives it up and nobody else needs it.
#[track_caller]
#[inline]
pub(crate) fn apply_one<T: Float, O: Elementwise1<T> + Copy>(
    op: O,
    input: Operand<'_, T>,
) -> Result<Tensor<T>> {
    match input {
        Operand::Given(input) if input.array.block().1 >= LARGE => over_one(op, input),
        input => apply(op, &[input.tensor()]),
    }
}

/// [`apply_one`] where the operand is given up.
#[track_caller]
fn over_one<T: Float, O: Elementwise1<T> + Copy>(mut op: O, mut input: Tensor<T>) -> Result<Tensor<T>> {
    let site = Site::caller();
    let surveyed = survey_if_recorded(&op, [&input]);
    let kept = keeps(surveyed, 0);
    let output = if !kept && input.array.map_over(CHEAP, move |a| op.value(a)) {
        input.array.clone()
    } else {
        op.forward(&[&input.array]).map_err(|error| error.at(op.name(), site))?
    };
    let Some(surveyed) = surveyed else { return Ok(Tensor::from(output)) };
    Ok(record(op, |_| std::iter::once(Operand::Given(input).edge(kept)).collect(), surveyed, output, site))
}

/// [`apply`] to two operands, over one of which the result is written if the caller gives it up and nobody else needs it.
#[track_caller]
#[inline]
pub(crate) fn apply_two<T: Float, O: Elementwise2<T>>(
    mut op: O,
    left: Operand<'_, T>,
    right: Operand<'_, T>,
) -> Result<Tensor<T>> {
    if left.is_spare() || right.is_spare() {
        return over_either(op, left, right);
    }
    let site = Site::caller();
    let (a, b) = (left.tensor(), right.tensor());
    let output = op.forward(&[&a.array, &b.array]).map_err(|error| error.at(op.name(), site))?;
    let Some(surveyed) = survey_if_recorded(&op, [a, b]) else { return Ok(Tensor::from(output)) };
    let edges = |reads: Reads| {
        let keeps = |index| reads.contains(Reads::input(index));
        SmallVec::from_buf([left.edge(keeps(0)), right.edge(keeps(1))])
    };
    Ok(record(op, edges, surveyed, output, site))
}

/// [`apply_two`] where an operand is given up.
#[track_caller]
fn over_either<T: Float, O: Elementwise2<T>>(
    mut op: O,
    mut left: Operand<'_, T>,
    mut right: Operand<'_, T>,
) -> Result<Tensor<T>> {
    let site = Site::caller();
    let surveyed = survey_if_recorded(&op, [left.tensor(), right.tensor()]);
    let kept = [keeps(surveyed, 0), keeps(surveyed, 1)];
    let output = if let Some(a) = left.spare(kept[0])
        && a.zip_over(&right.tensor().array, CHEAP, O::value)
    {
        a.clone()
    } else if let Some(b) = right.spare(kept[1])
        && b.zip_over(&left.tensor().array, CHEAP, |b, a| O::value(a, b))
    {
        b.clone()
    } else {
        let (a, b) = (left.tensor(), right.tensor());
        op.forward(&[&a.array, &b.array]).map_err(|error| error.at(op.name(), site))?
    };
    let Some(surveyed) = surveyed else { return Ok(Tensor::from(output)) };
    Ok(record(op, |_| SmallVec::from_buf([left.edge(kept[0]), right.edge(kept[1])]), surveyed, output, site))
}

/// What the rules of the tracked inputs read, and the largest number of their nodes.
#[inline]
fn survey<'a, T: Float>(op: &impl Op<T>, inputs: impl IntoIterator<Item = &'a Tensor<T>>) -> (Reads, u64) {
    let (mut reads, mut after) = (Reads::NONE, 0);
    for (index, input) in inputs.into_iter().enumerate() {
        if let Some(node) = &input.node {
            reads = reads | op.reads(index);
            after = after.max(node.id);
        }
    }
    (reads, after)
}

/// The same if an input is tracked and this thread is recording.
#[inline]
fn survey_if_recorded<T: Float, const N: usize>(
    op: &impl Op<T>,
    inputs: [&Tensor<T>; N],
) -> Option<(Reads, u64)> {
    let recorded = inputs.iter().any(|input| input.is_tracked()) && is_recording();
    recorded.then(|| survey(op, inputs))
}

/// Whether a record keeps the values of input `index`.
#[inline]
fn keeps(surveyed: Option<(Reads, u64)>, index: usize) -> bool {
    surveyed.is_some_and(|(reads, _)| reads.contains(Reads::input(index)))
}

#[inline]
fn record<T: Float>(
    op: impl Op<T>,
    edges: impl FnOnce(Reads) -> Edges<T>,
    (reads, after): (Reads, u64),
    output: Array<T>,
    site: Site,
) -> Tensor<T> {
    let node = Node::new(after, || {
        let kept = reads.contains(Reads::OUTPUT).then(|| output.clone());
        Kind::Op(RwLock::new(Some(Record { op: Box::new(op), edges: edges(reads), output: kept, site })))
    });
    Tensor { array: output, node: Some(node) }
}

impl<T: Float> Drop for Node<T> {
    /// Unlinks the graph below this node in a loop: a chain of any length is dropped on any stack.
    #[inline]
    fn drop(&mut self) {
        if let Some(record) = self.take_record() {
            unlink(record);
        }
    }
}

impl<T: Float> Node<T> {
    #[inline]
    fn take_record(&mut self) -> Option<Record<T>> {
        let Kind::Op(record) = &mut self.kind else { return None };
        let record = record.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Most nodes that die have been read by `backward`. A record is large: none should not be moved as if it were one.
        if record.is_none() { None } else { record.take() }
    }
}

/// Drops a record, and those below it that nobody else refers to.
fn unlink<T: Float>(record: Record<T>) {
    let nodes = |record: Record<T>| record.edges.into_iter().filter_map(|edge| edge.node);
    let mut orphans: Vec<_> = nodes(record).collect();
    while let Some(node) = orphans.pop() {
        if let Some(record) = node.into_inner().and_then(|mut node| node.take_record()) {
            orphans.extend(nodes(record));
        }
    }
}
