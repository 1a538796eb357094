//! A look at the tape: which steps stand behind a tensor, what each keeps, and what a backward pass brings it.

use crate::array::Array;
use crate::error::{ErrorKind, Result, Site};
use crate::float::Float;
use crate::kernel::buffer::Shared;
use crate::parameter::Module;
use crate::shape::Shape;
use crate::tape::{Edge, Kind, Node, Value, no_grad};
use crate::tensor::Tensor;
use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// The steps of the tape that some tensors were computed by, as they are now.
///
/// Steps are numbered from 0 in the order of the tape: the inputs of a step have smaller numbers than the step itself.
/// Constants are no steps; they appear as inputs. Looking changes nothing, and costs nothing while the tape is written.
/// What a later [`backward`](Tensor::backward) uses up stays visible in a graph made before it; a graph made after it
/// shows the steps that are left as [`What::Freed`], and nothing behind them.
///
/// Shown with `{}`, it is a table; [`to_dot`](Self::to_dot) is a drawing.
///
/// ```
/// use autodiff::{Graph, Tensor};
/// let w: Tensor = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?.variable();
/// let x = Tensor::from_vec([1.0, -1.0], [1, 2])?;
/// let y = x.matmul(&w)?.relu();
/// let graph = Graph::of(&[&y]).name(&w, "w");
/// let ops: Vec<_> = graph.steps().iter().map(|step| step.what.to_string()).collect();
/// assert_eq!(ops, ["variable", "matmul", "relu"]);
/// assert!(graph.steps()[1].inputs[0].saved); // the rule for `w` reads `x`
/// assert!(!graph.steps()[1].inputs[1].saved); // `x` has no rule to read `w`
/// assert_eq!(graph.saved_bytes(), 2 * 4 + 2 * 4); // `x`, and the output of relu
/// println!("{graph}");
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone)]
pub struct Graph<T: Float = f32> {
    /// By rising number, as `steps`.
    nodes: Vec<Shared<Node<T>>>,
    steps: Vec<Step>,
    saved_bytes: usize,
}

/// A step of a [`Graph`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Its place in [`Graph::steps`].
    pub id: usize,
    /// What made the value.
    pub what: What,
    /// The name that it was given.
    pub name: Option<String>,
    /// What the op was applied to, in its order.
    pub inputs: Vec<Input>,
    /// The shape of the value.
    pub shape: Shape,
    /// Whether the tape keeps the value for the rules of this step.
    pub saves_output: bool,
    /// The size of the blocks of numbers that this step keeps for its rules. Steps, variables and tensors in the
    /// program may share a block; what an op itself remembers (indices, masks) is not counted.
    pub saved_bytes: usize,
    /// The part of [`saved_bytes`](Self::saved_bytes) in blocks that no earlier step keeps: over all steps, these add up to
    /// [`Graph::saved_bytes`].
    pub added_bytes: usize,
    /// The line that called the op.
    pub site: Option<Site>,
}

/// What made the value of a [`Step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Nothing: it is a variable.
    Variable,
    /// The op of this name.
    Op(&'static str),
    /// An op that an earlier `backward` has used up.
    Freed,
}

/// An input of a [`Step`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// The number of the step that it comes from; `None` for a constant.
    pub step: Option<usize>,
    /// Its shape.
    pub shape: Shape,
    /// Whether the tape keeps its value for the rules of the step that it is an input of.
    pub saved: bool,
}

/// A step that a backward pass has read, see [`Graph::sweep`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visit<T: Float = f32> {
    /// The number of the step.
    pub step: usize,
    /// The gradient with respect to the value of the step, summed over all its uses.
    pub grad: Tensor<T>,
    /// How long the rules of the step took, with the adding of what they returned to what was there.
    pub time: Duration,
}

impl<T: Float> Visit<T> {
    /// The Euclidean norm of the gradient, `(Σ g²)^½`, summed in double precision.
    pub fn norm(&self) -> f64 {
        self.grad.to_vec().into_iter().map(|g| g.to_f64() * g.to_f64()).sum::<f64>().sqrt()
    }
}

impl<T: Float> Graph<T> {
    /// The steps that `outputs` were computed by; none for constants.
    pub fn of(outputs: &[&Tensor<T>]) -> Self {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        let mut stack: Vec<_> =
            outputs.iter().rev().filter_map(|y| Some((y.node.clone()?, y.shape()))).collect();
        while let Some((node, shape)) = stack.pop() {
            if !seen.insert(node.as_ptr()) {
                continue;
            }
            // A record knows the shapes of its inputs, but not that of its output.
            if let Kind::Op(record) = &node.kind
                && let Some(record) = &*record.read().unwrap_or_else(PoisonError::into_inner)
            {
                let input = |edge: &Edge<T>| Some((edge.node.clone()?, edge.shape()));
                stack.extend(record.edges.iter().rev().filter_map(input));
            }
            found.push((node, shape));
        }
        found.sort_by_key(|(node, _)| node.id);
        let (nodes, shapes): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let mut graph = Self { nodes, steps: Vec::with_capacity(shapes.len()), saved_bytes: 0 };
        let mut counted = HashSet::new();
        for (id, shape) in shapes.into_iter().enumerate() {
            let step = graph.step(id, shape, &mut counted);
            graph.steps.push(step);
        }
        graph
    }

    /// Describes a node, and counts those of its blocks that were not counted before.
    fn step(&mut self, id: usize, shape: Shape, counted: &mut HashSet<*const T>) -> Step {
        let (what, inputs) = (What::Variable, Vec::new());
        let mut step = Step {
            id,
            what,
            name: None,
            inputs,
            shape,
            saves_output: false,
            saved_bytes: 0,
            added_bytes: 0,
            site: None,
        };
        let Kind::Op(record) = &self.nodes[id].kind else { return step };
        step.what = What::Freed;
        let record = record.read().unwrap_or_else(PoisonError::into_inner);
        let Some(record) = &*record else { return step };
        step.what = What::Op(record.op.name());
        step.site = Some(record.site);
        step.saves_output = record.output.is_some();
        let mut kept: Vec<&Array<T>> = record.output.iter().collect();
        for edge in &record.edges {
            let saved = if let Value::Kept(array) = &edge.value {
                kept.push(array);
                true
            } else {
                false
            };
            let from = edge.node.as_ref().and_then(|node| self.position(node));
            step.inputs.push(Input { step: from, shape: edge.shape(), saved });
        }
        let mut own = HashSet::new();
        for (block, bytes) in kept.into_iter().map(Array::block) {
            step.saved_bytes += if own.insert(block) { bytes } else { 0 };
            step.added_bytes += if counted.insert(block) { bytes } else { 0 };
        }
        self.saved_bytes += step.added_bytes;
        step
    }

    /// The number of a node.
    fn position(&self, node: &Shared<Node<T>>) -> Option<usize> {
        let first = self.nodes.partition_point(|other| other.id < node.id);
        // Nodes of different threads may have one number.
        let same = self.nodes[first..].iter().take_while(|other| other.id == node.id);
        same.into_iter().position(|other| other.is(node)).map(|k| first + k)
    }

    /// Names the step that made `tensor`, for the table and the drawing; a tensor that is not in the graph is passed
    /// over.
    pub fn name(mut self, tensor: &Tensor<T>, name: impl Into<String>) -> Self {
        if let Some(id) = self.find(tensor) {
            self.steps[id].name = Some(name.into());
        }
        self
    }

    /// Names the parameters of a model as its walk does.
    ///
    /// ```
    /// use autodiff::{Graph, Parameter, Tensor};
    /// let layers = vec![Parameter::new(Tensor::<f32>::ones([2])), Parameter::new(Tensor::zeros([2]))];
    /// let y = (&*layers[0] * &*layers[1]).sum();
    /// let graph = Graph::of(&[&y]).names(&layers);
    /// assert_eq!(graph.steps()[1].name.as_deref(), Some("1"));
    /// ```
    pub fn names(mut self, module: &(impl Module<T> + ?Sized)) -> Self {
        module.parameters(&mut |name, parameter| {
            if let Some(id) = self.find(parameter) {
                self.steps[id].name = Some(name.into());
            }
        });
        self
    }

    /// The steps, inputs before what is made from them.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The number of the step that made `tensor`, if it is in the graph.
    pub fn find(&self, tensor: &Tensor<T>) -> Option<usize> {
        self.position(tensor.node.as_ref()?)
    }

    /// The size of all the blocks of numbers that the tape keeps for the rules, those shared by several steps counted
    /// once.
    pub fn saved_bytes(&self) -> usize {
        self.saved_bytes
    }

    /// Pulls `seed`, a gradient with respect to `output`, back through the graph, and returns each step that it reached
    /// in the order in which a backward pass reads them: by falling number.
    ///
    /// This is the pass that [`pull_back`](crate::pull_back) runs: the tape is kept, and no variable's own gradient is
    /// touched. It is not recorded, and all the gradients are held until the end.
    ///
    /// # Errors
    /// If `output` is not in the graph, or `seed` has not its shape; if an earlier `backward` has used up the tape; and
    /// whatever a rule reports.
    ///
    /// ```
    /// use autodiff::{Graph, Tensor};
    /// let x = Tensor::from_vec([3.0, 4.0], [2])?.variable();
    /// let y = x.square().sum();
    /// let visits = Graph::of(&[&y]).sweep(&y, &Tensor::scalar(1.0))?;
    /// assert_eq!(visits.iter().map(|visit| visit.step).collect::<Vec<_>>(), [2, 1, 0]);
    /// assert_eq!(visits[2].grad.to_vec(), [6.0, 8.0]);
    /// assert_eq!(visits[2].norm(), 10.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn sweep(&self, output: &Tensor<T>, seed: &Tensor<T>) -> Result<Vec<Visit<T>>> {
        let site = Site::caller();
        if seed.shape() != output.shape() {
            let what = "the seed must have the shape of the output";
            return Err(ErrorKind::Mismatch { what, left: seed.shape(), right: output.shape() }.of("sweep"));
        }
        let Some(root) = output.node.as_ref().filter(|node| self.position(node).is_some()) else {
            return Err(ErrorKind::Message("the output is not in this graph".into()).of("sweep"));
        };
        let mut visits: Vec<Visit<T>> = Vec::new();
        let mut started = Instant::now();
        // From the start of the rules of one step to the arrival at the next.
        let stop = |visits: &mut Vec<Visit<T>>, started: Instant| {
            if let Some(visit) = visits.last_mut() {
                visit.time = started.elapsed();
            }
        };
        let arrived = |node: &Shared<Node<T>>, grad: &Tensor<T>| {
            stop(&mut visits, started);
            let step = self.position(node).expect("a graph holds all that leads to its outputs");
            visits.push(Visit { step, grad: grad.detach(), time: Duration::ZERO });
            started = Instant::now();
            false
        };
        let swept = no_grad(|| crate::backward::sweep(root, seed, |_| true, arrived));
        swept.map_err(
            |error| if error.kind() == &ErrorKind::Freed { error.at("sweep", site) } else { error },
        )?;
        stop(&mut visits, started);
        Ok(visits)
    }

    /// The graph in the language of Graphviz: `dot -Tsvg` draws it, from the variables down.
    ///
    /// Variables are ellipses, steps are boxes, constants have dashed outlines; the edge of an input that is kept for
    /// the rules is bold, and a step that keeps its output has a bold outline.
    ///
    /// ```
    /// use autodiff::{Graph, Tensor};
    /// let x = Tensor::scalar(2.0).variable();
    /// let dot = Graph::of(&[&x.exp()]).name(&x, "x").to_dot();
    /// assert!(dot.contains(r#"s0 [label="x\n[]", shape=ellipse];"#));
    /// assert!(dot.contains("s0 -> s1;"));
    /// ```
    pub fn to_dot(&self) -> String {
        let mut dot =
            String::from("digraph tape {\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
        self.write_dot(&mut dot).expect("a string can be written to");
        dot.push_str("}\n");
        dot
    }

    fn write_dot(&self, dot: &mut String) -> fmt::Result {
        for Step { id, what, name, inputs, shape, saves_output, .. } in &self.steps {
            let label = match (what, name) {
                (What::Variable, Some(name)) => escaped(name),
                (_, Some(name)) => format!("{}\\n{}", escaped(name), escaped(&what.to_string())),
                (_, None) => escaped(&what.to_string()),
            };
            let form = match what {
                What::Variable => ", shape=ellipse",
                What::Freed => ", style=dotted",
                What::Op(_) if *saves_output => ", penwidth=2",
                What::Op(_) => "",
            };
            writeln!(dot, "  s{id} [label=\"{label}\\n{shape}\"{form}];")?;
            for (k, input) in inputs.iter().enumerate() {
                let bold = if input.saved { " [penwidth=2]" } else { "" };
                if let Some(from) = input.step {
                    writeln!(dot, "  s{from} -> s{id}{bold};")?;
                } else {
                    let shape = input.shape;
                    writeln!(dot, "  c{id}_{k} [label=\"constant\\n{shape}\", style=\"rounded,dashed\"];")?;
                    writeln!(dot, "  c{id}_{k} -> s{id}{bold};")?;
                }
            }
        }
        Ok(())
    }
}

/// Text inside the quotes of Graphviz.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl fmt::Display for What {
    /// The name of the op, `variable` or `freed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Variable => "variable",
            Self::Op(name) => name,
            Self::Freed => "freed",
        })
    }
}

impl fmt::Display for Input {
    /// `%3`, or the shape of a constant, `const[2, 3]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "%{step}"),
            None => write!(f, "const{}", self.shape),
        }
    }
}

impl Step {
    /// The values that the tape keeps for the rules of this step, as `%0, output`.
    pub fn saves(&self) -> String {
        let inputs = self.inputs.iter().filter(|input| input.saved).map(Input::to_string);
        let output = self.saves_output.then(|| "output".into());
        inputs.chain(output).collect::<Vec<_>>().join(", ")
    }

    /// The inputs, as `%0, const[2, 3]`.
    pub fn takes(&self) -> String {
        self.inputs.iter().map(Input::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl<T: Float> fmt::Display for Graph<T> {
    /// A table: a row for each step, and the bytes saved in all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["id", "op", "inputs", "shape", "saves", "bytes", "at"].map(String::from)];
        for step in &self.steps {
            let name = step.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
            rows.push([
                format!("%{}", step.id),
                format!("{}{name}", step.what),
                step.takes(),
                step.shape.to_string(),
                step.saves(),
                if step.saved_bytes > 0 { step.saved_bytes.to_string() } else { String::new() },
                step.site.map_or_else(String::new, |site| site.to_string()),
            ]);
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 7] = std::array::from_fn(width);
        let mut line = String::new();
        for row in &rows {
            line.clear();
            for (cell, width) in row.iter().zip(widths) {
                write!(line, "{cell:width$}  ")?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        write!(f, "{} steps, {} bytes saved", self.steps.len(), self.saved_bytes)
    }
}

impl<T: Float> fmt::Debug for Graph<T> {
    /// The table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
