//! Random graphs of the ops of the registry: fan-out, dead branches, constants, detached values, several losses.
//!
//! A graph is held to numerical differentiation, and to forward mode *node by node*: the tangent of a node is the sum
//! over its inputs of that one op's `jvp`, added up here, so that the sweep over the graph is not what checks itself.

use crate::registry::{Case, entries, for_any};
use autodiff::check::property::config;
use autodiff::check::strategies::{Choice, Domain, Operand, operands};
use autodiff::check::{Gradients, Mismatch};
use autodiff::{Array, Op, Point, Result, Rng, Shape, Tensor, grad, jvp, no_grad};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestError, TestRunner};

/// Every node has this shape, so that any node can be the input of any op.
const SIDES: [usize; 2] = [2, 2];

/// A function of the values of nodes and of decisions.
type Call = dyn Fn(&[Tensor<f64>], Choice) -> Result<Tensor<f64>>;

/// An op that graphs are made of.
struct Member {
    name: &'static str,
    inputs: usize,
    call: Box<Call>,
}

/// The smooth ops of the registry that take matrices.
fn pool() -> Vec<Member> {
    let smooth = entries().filter(|entry| !entry.gradient.is_empty());
    let members = smooth.filter_map(|entry| for_any!(&entry.form, case => member(entry.name, case)));
    members.collect()
}

/// An op of the registry between nodes, if it is smooth and takes matrices.
fn member<const N: usize>(name: &'static str, case: &'static Case<N>) -> Option<Member> {
    let call = |inputs: &[Tensor<f64>], choice| {
        let at: [_; N] = std::array::from_fn(|i| brought(case.domains[i], &inputs[i]));
        settled(&(case.double)(std::array::from_fn(|i| &at[i]), choice)?)
    };
    let smooth =
        case.domains.iter().all(|domain| [Domain::Small, Domain::Positive, Domain::NONZERO].contains(domain));
    let works = || call(&vec![Tensor::zeros(SIDES); N], Choice::default()).is_ok();
    (smooth && works()).then(|| Member { name, inputs: N, call: Box::new(call) })
}

/// Numbers of any size brought into a domain by a smooth map.
fn brought(domain: Domain, x: &Tensor<f64>) -> Tensor<f64> {
    if domain == Domain::Small { x.tanh() } else { x.tanh().exp() }
}

/// An output brought to the shape of a node.
fn settled(y: &Tensor<f64>) -> Result<Tensor<f64>> {
    let node = Shape::from(SIDES);
    if y.shape() != node && y.size() == node.size() {
        return y.reshape(SIDES.map(|side| side as isize));
    }
    if y.shape().broadcast(&node) == Some(node) {
        return y.broadcast_to(node);
    }
    (y.sum() / y.size().max(1) as f64).broadcast_to(node)
}

/// A node beside the leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    /// A member of the pool, its decisions, and how far back its inputs are (from the node before, round the end).
    Op(usize, Choice, [usize; 3]),
    /// The value of a node as a constant.
    Detached(usize),
    /// Numbers of its own.
    Constant(u64),
}

/// A graph: its leaves, its other nodes, and the nodes that have losses besides the last.
#[derive(Clone, Debug)]
struct Dag {
    leaves: Vec<Operand>,
    nodes: Vec<What>,
    losses: Vec<usize>,
}

/// Graphs of members below a number; they shrink by losing nodes, losses and leaves.
fn dags(members: usize) -> impl Strategy<Value = Dag> {
    let back = || 0..12usize;
    let node = prop_oneof![
        8 => (0..members, any::<u64>(), [back(), back(), back()])
            .prop_map(|(op, choice, back)| What::Op(op, Choice::new(choice), back)),
        1 => back().prop_map(What::Detached),
        1 => any::<u64>().prop_map(What::Constant),
    ];
    let parts = (vec(operands(Domain::Small), 1..=3), vec(node, 1..=12), vec(0..15usize, 0..=2));
    parts.prop_map(|(leaves, nodes, losses)| Dag { leaves, nodes, losses })
}

/// The node that lies so far back from the end of `values`.
fn back<V>(values: &[V], distance: usize) -> &V {
    &values[values.len() - 1 - distance % values.len()]
}

/// Numbers without a pattern for a node.
fn without_pattern(seed: u64) -> Tensor<f64> {
    Rng::seed(seed).uniform(SIDES, -1.5, 1.5)
}

impl Dag {
    fn leaves(&self) -> Vec<Tensor<f64>> {
        self.leaves.iter().enumerate().map(|(i, leaf)| leaf.numbered(i, Shape::from(SIDES))).collect()
    }

    /// The values of all nodes. What is detached has the values in `frozen`, if there are any: they do not move with
    /// the leaves, so that the graph is differentiable as it stands.
    fn values(
        &self,
        pool: &[Member],
        leaves: &[Tensor<f64>],
        frozen: Option<&[Tensor<f64>]>,
    ) -> Result<Vec<Tensor<f64>>> {
        let mut values = leaves.to_vec();
        for what in &self.nodes {
            values.push(match *what {
                What::Op(op, choice, distances) => {
                    (pool[op].call)(&Self::inputs(&pool[op], &values, distances), choice)?
                }
                What::Detached(distance) => match frozen {
                    Some(frozen) => frozen[values.len()].clone(),
                    None => back(&values, distance).detach(),
                },
                What::Constant(seed) => without_pattern(seed),
            });
        }
        Ok(values)
    }

    fn inputs<V: Clone>(member: &Member, values: &[V], distances: [usize; 3]) -> Vec<V> {
        distances[..member.inputs].iter().map(|&distance| back(values, distance).clone()).collect()
    }

    /// A single number for the last node, and for each other node that has a loss.
    fn losses(&self, values: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
        let places = [0].into_iter().chain(self.losses.iter().copied());
        places
            .zip(1..)
            .map(|(distance, seed)| (back(values, distance) * without_pattern(seed)).sum())
            .collect()
    }

    /// The derivatives of the losses along tangents of the leaves, node by node.
    fn pushed(&self, pool: &[Member], leaves: &[Tensor<f64>], tangents: &[Tensor<f64>]) -> Result<Vec<f64>> {
        let values = self.values(pool, leaves, None)?;
        let mut pushed = tangents.to_vec();
        for what in &self.nodes {
            let zero = Tensor::zeros(SIDES);
            let mut total = zero.clone();
            if let What::Op(op, choice, distances) = *what {
                let at = Self::inputs(&pool[op], &values[..pushed.len()], distances);
                let moved = Self::inputs(&pool[op], &pushed, distances);
                for index in 0..at.len() {
                    let along: Vec<_> =
                        (0..at.len()).map(|i| if i == index { &moved[i] } else { &zero }).collect();
                    let inputs: Vec<_> = at.iter().collect();
                    total = total + jvp(|x| (pool[op].call)(x, choice), &inputs, &along)?.1;
                }
            }
            pushed.push(total);
        }
        Ok(self.losses(&pushed).iter().map(Tensor::item).collect())
    }

    /// Holds the tape to differences, to forward mode, and to itself.
    fn hold(&self, pool: &[Member]) -> Result<(), TestCaseError> {
        let leaves = self.leaves();
        let frozen = no_grad(|| self.values(pool, &leaves, None))?;
        let still = |x: &[Tensor<f64>]| {
            let losses = self.losses(&self.values(pool, x, Some(&frozen))?);
            Tensor::stack(&losses.iter().collect::<Vec<_>>(), 0)
        };
        Gradients::new().check(still, &leaves)?;

        // Each loss by itself, on a tape of its own; what `backward` leaves adds up.
        let variables: Vec<_> = leaves.iter().map(|x| x.detach().variable()).collect();
        let losses =
            || Ok::<_, Mismatch>(self.losses(&self.values(pool, &variables, None).expect("as before")));
        let count = losses()?.len();
        let mut separate = Vec::new();
        for index in 0..count {
            let loss = &losses()?[index];
            // What a loss does not depend on has no gradient.
            let pulled =
                |x: &Tensor<f64>| grad(loss, [x]).map_or_else(|_| Tensor::zeros(SIDES), |[found]| found);
            separate.push(variables.iter().map(pulled).collect::<Vec<_>>());
            if loss.is_tracked() {
                loss.backward()?;
            }
        }
        let left = |x: &Tensor<f64>| x.take_grad().unwrap_or_else(|| Tensor::zeros(SIDES));
        let added: Vec<_> = variables.iter().map(left).collect();
        // All at once, on one tape.
        let total = losses()?.into_iter().reduce(|a, b| a + b).expect("a loss");
        if total.is_tracked() {
            total.backward()?;
        }
        let together: Vec<_> = variables.iter().map(left).collect();
        for index in 0..leaves.len() {
            let sum = separate
                .iter()
                .map(|gradients| gradients[index].clone())
                .reduce(|a, b| a + b)
                .expect("a loss");
            for found in [&added[index], &together[index]] {
                let off = (found - &sum).abs().max().item();
                prop_assert!(
                    off <= 1e-12 * (1.0 + sum.abs().max().item()),
                    "leaf {index}: {found:?} and {sum:?}"
                );
            }
        }

        let tangents: Vec<_> = (0..leaves.len()).map(|i| without_pattern(100 + i as u64)).collect();
        for (index, pushed) in self.pushed(pool, &leaves, &tangents)?.into_iter().enumerate() {
            let terms = separate[index].iter().zip(&tangents).map(|(gradient, tangent)| gradient * tangent);
            let (mut pulled, mut size) = (0.0, 1.0);
            for term in terms {
                pulled += term.sum().item();
                size += term.abs().sum().item();
            }
            prop_assert!(
                (pulled - pushed).abs() <= 1e-11 * size,
                "loss {index}: back {pulled}, forward {pushed}"
            );
        }
        Ok(())
    }
}

#[test]
fn the_tape_of_any_graph_is_right() {
    let pool = pool();
    for name in ["exp", "matmul", "select", "softmax", "cat", "gather", "div"] {
        assert!(pool.iter().any(|member| member.name == name), "{name} is not in the pool");
    }
    // A graph is cheaper than an op at second order.
    let mut runner = TestRunner::new(ProptestConfig { cases: 8 * config().cases, ..config() });
    if let Err(failure) = runner.run(&dags(pool.len()), |dag| dag.hold(&pool)) {
        panic!("{failure}");
    }
}

/// `eˣ` with a rule that is twice too large.
struct Twice;

impl Op<f64> for Twice {
    fn name(&self) -> &'static str {
        "twice"
    }
    fn forward(&mut self, x: &[&Array<f64>]) -> Result<Array<f64>> {
        Ok(x[0].map(f64::exp))
    }
    fn vjp(&self, _: usize, grad: Tensor<f64>, at: &Point<'_, f64>) -> Result<Tensor<f64>> {
        Ok(grad * at.output() * 2.0)
    }
}

#[test]
fn a_wrong_op_among_the_right_ones_is_found_and_left_alone_in_its_graph() {
    let mut pool = pool();
    let call = |x: &[Tensor<f64>], _: Choice| Twice.apply(&[&x[0].tanh()]);
    pool.push(Member { name: "twice", inputs: 1, call: Box::new(call) });
    let mut runner = TestRunner::new(ProptestConfig { cases: 1000, ..config() });
    let found = runner.run(&dags(pool.len()), |dag| dag.hold(&pool));
    let Err(TestError::Fail(reason, dag)) = found else { panic!("it is not found: {found:?}") };
    assert_eq!(dag.nodes, [What::Op(pool.len() - 1, Choice::default(), [0; 3])]);
    assert_eq!(
        (dag.leaves().iter().map(Tensor::to_vec).collect::<Vec<_>>(), dag.losses),
        (vec![vec![0.0; 4]], vec![])
    );
    assert!(reason.to_string().contains("exactly twice"), "{reason}");
}
