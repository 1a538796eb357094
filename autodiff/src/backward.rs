//! The engine: reads a tape backwards, largest number first.
//!
//! [`Tensor::backward`] uses the tape up and leaves gradients with the variables; [`grad`] and [`pull_back`] return
//! gradients, keep the tape and are recorded themselves. The engine, not the author of a rule, accumulates, sums over
//! what was broadcast, and checks what the rule returned.

use crate::array::{Array, broadcast_axes};
use crate::error::{Error, ErrorKind, Result, Site};
use crate::float::Float;
use crate::kernel::buffer::Shared;
use crate::op::Point;
use crate::tape::{Edge, Kind, Node, Record, is_recording, no_grad};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::collections::{HashMap, VecDeque};
use std::sync::PoisonError;

/// Gradients on their way back, by rising number of their node. Both ends grow without moving the rest: new entries
/// belong near the end, those of variables near the beginning.
struct Pending<T: Float>(VecDeque<(Shared<Node<T>>, Tensor<T>)>);

impl<T: Float> Pending<T> {
    /// Where the gradient of `node` stands, or else where it belongs.
    fn find(&self, node: &Shared<Node<T>>) -> std::result::Result<usize, usize> {
        let pending = &self.0;
        // A number above all others, as the input that was made last has it, needs no search.
        let end = match pending.back() {
            Some((last, _)) if last.id >= node.id => {
                pending.partition_point(|(other, _)| other.id <= node.id)
            }
            _ => pending.len(),
        };
        // Nodes of different threads may have one number.
        for i in (0..end).rev().take_while(|&i| pending[i].0.id == node.id) {
            if pending[i].0.is(node) {
                return Ok(i);
            }
        }
        Err(end)
    }

    /// Adds a gradient to what has arrived at `node`.
    fn add(&mut self, node: Shared<Node<T>>, grad: Tensor<T>) {
        match self.find(&node) {
            Ok(i) => accumulate(&mut self.0[i].1, grad),
            Err(i) => self.insert(i, node, grad),
        }
    }

    /// Puts the first gradient of a node where it belongs, most often at the end.
    #[inline]
    fn insert(&mut self, place: usize, node: Shared<Node<T>>, grad: Tensor<T>) {
        if place == self.0.len() {
            self.0.push_back((node, grad));
        } else {
            self.0.insert(place, (node, grad));
        }
    }

    /// Adds what the rule for input `index` returns to what has arrived at that input. `own` is the record's node, where
    /// it is still needed.
    #[inline]
    fn pull(
        &mut self,
        own: Option<&Shared<Node<T>>>,
        record: &Record<T>,
        index: usize,
        input: Shared<Node<T>>,
        grad: Tensor<T>,
    ) -> Result<()> {
        let place = self.find(&input);
        if let Ok(i) = place
            && !is_recording()
            && !grad.is_tracked()
            && let (_, sum) = &mut self.0[i]
            && !sum.is_tracked()
            && let Some(added) = record.op.vjp_add(index, &grad, &Point { record, node: own }, &mut sum.array)
        {
            return added.map_err(|error| error.at(record.op.name(), record.site));
        }
        let pulled = pull(own, record, index, grad)?;
        match place {
            Ok(i) => accumulate(&mut self.0[i].1, pulled),
            Err(i) => self.insert(i, input, pulled),
        }
        Ok(())
    }
}

/// `sum ← sum + grad`, in place where nobody else holds either.
fn accumulate<T: Float>(sum: &mut Tensor<T>, mut grad: Tensor<T>) {
    if sum.is_tracked() || grad.is_tracked() {
        *sum = &*sum + &grad;
    } else if grad.array.is_unique() && !sum.array.is_unique() {
        // Floating-point addition commutes, so either side may receive it.
        grad.array.add_assign(&sum.array);
        *sum = grad;
    } else {
        sum.array.add_assign(&grad.array);
    }
}

/// What the rule for input `index` returns, summed over what was broadcast.
#[inline]
fn pull<T: Float>(
    node: Option<&Shared<Node<T>>>,
    record: &Record<T>,
    index: usize,
    grad: Tensor<T>,
) -> Result<Tensor<T>> {
    let pulled = record.op.vjp(index, grad, &Point { record, node });
    match &pulled {
        Ok(pulled) if record.edges[index].has_shape_of(&pulled.array) => {}
        _ => return fitted(record, index, pulled.map_err(|error| error.at(record.op.name(), record.site))?),
    }
    pulled
}

/// Gradients with the indices of the inputs that they belong to.
type Indexed<T> = Vec<(usize, Tensor<T>)>;

/// The same for all inputs whose nodes are `wanted`, with their indices, if these are several and the op has a rule for
/// several at once.
#[inline]
fn pull_together<T: Float>(
    node: Option<&Shared<Node<T>>>,
    record: &Record<T>,
    wanted: impl Fn(&Node<T>) -> bool,
    grad: &Tensor<T>,
) -> Result<Option<Indexed<T>>> {
    let is_wanted = |edge: &Edge<T>| edge.node.as_ref().is_some_and(|node| wanted(node));
    let collected: SmallVec<[usize; 8]>;
    let indices = match &*record.edges {
        [a, b] if is_wanted(a) && is_wanted(b) => &[0, 1][..],
        [_] | [_, _] => return Ok(None),
        edges => {
            collected = (0..edges.len()).filter(|&index| is_wanted(&edges[index])).collect();
            if collected.len() < 2 {
                return Ok(None);
            }
            &collected
        }
    };
    match record.op.vjps(indices, grad, &Point { record, node }) {
        Some(pulled) => all_fitted(record, indices, pulled).map(Some),
        None => Ok(None),
    }
}

/// What a rule for several inputs returned, each in the shape of its input.
#[cold]
fn all_fitted<T: Float>(
    record: &Record<T>,
    indices: &[usize],
    pulled: Result<Vec<Tensor<T>>>,
) -> Result<Indexed<T>> {
    let at = |error: Error| error.at(record.op.name(), record.site);
    let pulled = pulled.map_err(at)?;
    if pulled.len() != indices.len() {
        let message = format!("`vjps` returned {} gradients for {} inputs", pulled.len(), indices.len());
        return Err(at(ErrorKind::Message(message).into()));
    }
    let fit = |(&index, pulled)| Ok((index, fitted(record, index, pulled)?));
    indices.iter().zip(pulled).map(fit).collect()
}

/// What a rule returned for input `index`, in the shape of that input.
fn fitted<T: Float>(record: &Record<T>, index: usize, pulled: Tensor<T>) -> Result<Tensor<T>> {
    let (expected, found) = (record.edges[index].shape(), pulled.shape());
    if found == expected {
        Ok(pulled)
    } else if broadcast_axes(expected, found).is_some() {
        Ok(pulled.sum_to(expected))
    } else {
        Err(Error::from(ErrorKind::Rule { index, expected, found }).at(record.op.name(), record.site))
    }
}

impl<T: Float> Tensor<T> {
    /// Computes the gradient of this number with respect to every variable it was computed from, and adds each to the
    /// gradient that the variable holds (see [`Tensor::grad`]).
    ///
    /// Uses the tape up: values are freed as they are read. For several losses over the same values, add them first;
    /// for gradients of gradients use [`grad`].
    ///
    /// # Errors
    /// If this tensor has not exactly one element, is not tracked, or was computed from a part of the tape that an
    /// earlier call has used up; and whatever a rule reports. No variable's gradient has then changed, but the tape is
    /// partly used up.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let w = Tensor::from_vec([3.0, -1.0], [2])?.variable();
    /// w.square().sum().backward()?;
    /// assert_eq!(w.grad().unwrap().to_vec(), [6.0, -2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn backward(&self) -> Result<()> {
        arrive(use_up(self, T::ONE)?);
        Ok(())
    }
}

/// The gradients of variables, with their nodes.
pub(crate) type Arrived<T> = Vec<(Shared<Node<T>>, Array<T>)>;

/// Uses up the tape of `loss`, a single number, and returns `seed` times its gradients.
///
/// # Errors
/// As [`Tensor::backward`].
#[track_caller]
pub(crate) fn use_up<T: Float>(loss: &Tensor<T>, seed: T) -> Result<Arrived<T>> {
    let Some(root) = &loss.node else { return Err(ErrorKind::Untracked.of("backward")) };
    if loss.size() != 1 {
        return Err(ErrorKind::NotScalar { shape: loss.shape() }.of("backward"));
    }
    let site = Site::caller();
    no_grad(|| {
        let mut pending = Pending([(root.clone(), Tensor::full(seed, loss.shape()))].into());
        let mut arrived = Vec::new();
        while let Some((mut node, grad)) = pending.0.pop_back() {
            let read = if let Some(Node { kind: Kind::Op(record), .. }) = node.get_mut() {
                // A node that only this pass refers to needs no lock.
                read(record.get_mut().unwrap_or_else(PoisonError::into_inner), grad, &mut pending)
            } else if let Kind::Op(record) = &node.kind {
                read(&mut record.write().unwrap_or_else(PoisonError::into_inner), grad, &mut pending)
            } else {
                arrived.push((node, grad.array));
                continue;
            };
            read.map_err(
                |error| {
                    if error.kind() == &ErrorKind::Freed { error.at("backward", site) } else { error }
                },
            )?;
        }
        Ok(arrived)
    })
}

/// Adds gradients to those that their variables hold.
pub(crate) fn arrive<T: Float>(arrived: Arrived<T>) {
    for (node, grad) in arrived {
        deposit(&node, &grad);
    }
}

/// Runs the rules of a record that is not needed again, and passes on what they return.
fn read<T: Float>(record: &mut Option<Record<T>>, grad: Tensor<T>, pending: &mut Pending<T>) -> Result<()> {
    /// Uses the record up, also where a rule fails: the edges that have been taken are gone.
    struct UsedUp<'a, T: Float>(&'a mut Option<Record<T>>);
    impl<T: Float> Drop for UsedUp<'_, T> {
        fn drop(&mut self) {
            *self.0 = None;
        }
    }
    let record = UsedUp(record);
    let Some(taken) = &mut *record.0 else { return Err(ErrorKind::Freed.into()) };
    // The edges are not needed any more: their nodes move on instead of being counted twice.
    if let Some(together) = pull_together(None, taken, |_| true, &grad)? {
        for (index, pulled) in together {
            if let Some(input) = taken.edges[index].node.take() {
                pending.add(input, pulled);
            }
        }
    } else if let Some(last) = taken.edges.iter().rposition(|edge| edge.node.is_some()) {
        for index in 0..last {
            let Some(input) = taken.edges[index].node.take() else { continue };
            pending.pull(None, taken, index, input, grad.clone())?;
        }
        // The last rule has the gradient to itself, and may write over it.
        if let Some(input) = taken.edges[last].node.take() {
            pending.pull(None, taken, last, input, grad)?;
        }
    }
    Ok(())
}

/// Adds a gradient to the slot of a leaf.
fn deposit<T: Float>(node: &Node<T>, grad: &Array<T>) {
    let Kind::Leaf(slot) = &node.kind else { return };
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *slot {
        Some(sum) => sum.add_assign(grad),
        None => *slot = Some(grad.contiguous()),
    }
}

/// The gradients of the single number `output` with respect to `inputs`, which may be any tensors on its tape.
///
/// Nothing is used up and no variable's own gradient is touched. The pass is recorded like any computation, so the
/// results can be differentiated again; inside [`no_grad`] they are constants, and cheaper.
///
/// # Errors
/// If `output` has not exactly one element, is not tracked, or does not depend on one of the inputs; if an earlier
/// `backward` has used up the tape; and whatever a rule reports.
///
/// ```
/// use autodiff::{Tensor, grad};
/// let x = Tensor::scalar(2.0).variable();
/// let [dx] = grad(&(&x * &x * &x), [&x])?;
/// let [ddx] = grad(&dx, [&x])?;
/// assert_eq!((dx.item(), ddx.item()), (12.0, 12.0)); // 3x², 6x
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn grad<T: Float, const N: usize>(output: &Tensor<T>, inputs: [&Tensor<T>; N]) -> Result<[Tensor<T>; N]> {
    if output.size() != 1 {
        return Err(ErrorKind::NotScalar { shape: output.shape() }.of("grad"));
    }
    let mut gradients = pull_back(output, &Tensor::ones(output.shape()), &inputs)?.into_iter();
    Ok(inputs.map(|_| gradients.next().expect("a gradient for each input")))
}

/// The product of `seed` with the Jacobian of `output` with respect to each of `inputs` (vector-Jacobian products).
///
/// Like [`grad`], for an output of any shape: `seed` is the gradient with respect to `output`, and has its shape.
///
/// # Errors
/// As [`grad`]; and if the shapes of `seed` and `output` differ.
///
/// ```
/// use autodiff::{Tensor, pull_back};
/// let x = Tensor::from_vec([1.0, 2.0], [2])?.variable();
/// let seed = Tensor::from_vec([1.0, 10.0], [2])?;
/// assert_eq!(pull_back(&x.square(), &seed, &[&x])?[0].to_vec(), [2.0, 40.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn pull_back<T: Float>(
    output: &Tensor<T>,
    seed: &Tensor<T>,
    inputs: &[&Tensor<T>],
) -> Result<Vec<Tensor<T>>> {
    if output.node.is_none() {
        return Err(ErrorKind::Untracked.of("grad"));
    }
    let site = Site::caller();
    let gradients = gradients(output, seed, inputs)?;
    let independent = |index| ErrorKind::Independent { index }.of("grad").at("grad", site);
    gradients.into_iter().enumerate().map(|(index, found)| found.ok_or_else(|| independent(index))).collect()
}

/// The same, with `None` for inputs that the output does not depend on.
#[track_caller]
pub(crate) fn gradients<T: Float>(
    output: &Tensor<T>,
    seed: &Tensor<T>,
    inputs: &[&Tensor<T>],
) -> Result<Vec<Option<Tensor<T>>>> {
    let site = Site::caller();
    if seed.shape() != output.shape() {
        let what = "the seed must have the shape of the output";
        return Err(ErrorKind::Mismatch { what, left: seed.shape(), right: output.shape() }.of("grad"));
    }
    let mut found = vec![None; inputs.len()];
    let Some(root) = &output.node else { return Ok(found) };
    let wanted = leading_to(root, inputs);
    let is_wanted = |node: &Node<T>| wanted.get(&std::ptr::from_ref(node)) == Some(&true);
    if !is_wanted(root) {
        return Ok(found);
    }
    let arrived = |node: &Shared<Node<T>>, grad: &Tensor<T>| {
        let mut asked = false;
        for (found, input) in found.iter_mut().zip(inputs) {
            if input.node.as_ref().is_some_and(|input| input.is(node)) {
                *found = Some(grad.clone());
                asked = true;
            }
        }
        asked
    };
    sweep(root, seed, is_wanted, arrived)
        .map_err(|error| if error.kind() == &ErrorKind::Freed { error.at("grad", site) } else { error })?;
    Ok(found)
}

/// Pulls `seed` back from `root` through the nodes that are `wanted`, and leaves the tape as it was. `arrived` is shown
/// the whole gradient of each node before its rules run, and says whether the sweep may end there if the node has been
/// freed.
pub(crate) fn sweep<T: Float>(
    root: &Shared<Node<T>>,
    seed: &Tensor<T>,
    wanted: impl Fn(&Node<T>) -> bool,
    mut arrived: impl FnMut(&Shared<Node<T>>, &Tensor<T>) -> bool,
) -> Result<()> {
    let mut pending = Pending([(root.clone(), seed.clone())].into());
    while let Some((node, grad)) = pending.0.pop_back() {
        let may_end = arrived(&node, &grad);
        if let Kind::Op(record) = &node.kind {
            let record = record.read().unwrap_or_else(PoisonError::into_inner);
            match &*record {
                Some(record) => {
                    if let Some(together) = pull_together(Some(&node), record, &wanted, &grad)? {
                        for (index, pulled) in together {
                            if let Some(input) = &record.edges[index].node {
                                pending.add(input.clone(), pulled);
                            }
                        }
                        continue;
                    }
                    for (index, edge) in record.edges.iter().enumerate() {
                        if let Some(input) = edge.node.as_ref().filter(|input| wanted(input)) {
                            pending.pull(Some(&node), record, index, input.clone(), grad.clone())?;
                        }
                    }
                }
                None if may_end => {}
                None => return Err(ErrorKind::Freed.into()),
            }
        }
    }
    Ok(())
}

/// For each node on the tape of `root`, whether a path leads from it to one of `inputs`; nodes that are older than all
/// inputs are left out. A freed node counts as leading there: reading it is then the error it should be.
fn leading_to<T: Float>(root: &Shared<Node<T>>, inputs: &[&Tensor<T>]) -> HashMap<*const Node<T>, bool> {
    let targets: Vec<*const Node<T>> =
        inputs.iter().filter_map(|x| x.node.as_ref()).map(Shared::as_ptr).collect();
    let oldest = inputs.iter().filter_map(|x| x.node.as_ref()).map(|node| node.id).min().unwrap_or(u64::MAX);
    let mut leads: HashMap<*const Node<T>, bool> = HashMap::new();
    let mut nodes = Vec::new();
    let mut stack = vec![root.clone()];
    while let Some(node) = stack.pop() {
        if node.id < oldest || leads.contains_key(&node.as_ptr()) {
            continue;
        }
        leads.insert(node.as_ptr(), targets.contains(&node.as_ptr()));
        each_input(&node, |input| stack.push(input.clone()));
        nodes.push(node);
    }
    // Inputs have smaller numbers than what is made from them.
    nodes.sort_by_key(|node| node.id);
    for node in nodes {
        let freed = matches!(&node.kind, Kind::Op(record)
            if record.read().unwrap_or_else(PoisonError::into_inner).is_none());
        let mut leading = leads[&node.as_ptr()] || freed;
        each_input(&node, |input| leading |= leads.get(&input.as_ptr()) == Some(&true));
        leads.insert(node.as_ptr(), leading);
    }
    leads
}

/// Shows the nodes that a node was made from.
fn each_input<T: Float>(node: &Node<T>, mut show: impl FnMut(&Shared<Node<T>>)) {
    if let Kind::Op(record) = &node.kind
        && let Some(record) = &*record.read().unwrap_or_else(PoisonError::into_inner)
    {
        record.edges.iter().filter_map(|edge| edge.node.as_ref()).for_each(&mut show);
    }
}
