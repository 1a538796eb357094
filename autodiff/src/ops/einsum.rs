//! Sums of products over named axes, as matrix products.

use crate::array::Frame;
use crate::error::{ErrorKind, OfOp, Result};
use crate::float::Float;
use crate::op::Op;
use crate::ops::binary::Mul;
use crate::ops::strided::View;
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::fmt;

/// The name of an axis. In the order of an output that is not written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    /// One of the axes that an ellipsis stands for, aligned at the last of them.
    Rest(usize),
    Letter(char),
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rest(_) => f.write_str("an axis of `...`"),
            Self::Letter(letter) => write!(f, "`{letter}`"),
        }
    }
}

/// What the axes of each operand and of the result are called.
struct Equation {
    terms: Vec<Vec<Label>>,
    output: Vec<Label>,
}

/// What a term says: letters, and an ellipsis at most once (`None`).
fn symbols(term: &str) -> Result<Vec<Option<char>>, String> {
    let mut symbols = Vec::new();
    let mut rest = term;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("...") {
            if symbols.contains(&None) {
                return Err(format!("`{term}` has two ellipses"));
            }
            symbols.push(None);
            rest = after;
        } else if first.is_ascii_alphabetic() {
            symbols.push(Some(first));
            rest = &rest[1..];
        } else {
            return Err(format!("`{first}` is no letter"));
        }
    }
    Ok(symbols)
}

impl Equation {
    /// Reads an equation for operands of these shapes.
    fn parse(text: &str, shapes: &[Shape]) -> Result<Self, String> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) =
            plain.split_once("->").map_or((plain.as_str(), None), |(left, right)| (left, Some(right)));
        let written: Vec<_> = left.split(',').collect();
        if written.len() != shapes.len() {
            return Err(format!("{} terms for {} tensors", written.len(), shapes.len()));
        }
        let mut terms = Vec::with_capacity(shapes.len());
        // How many axes the ellipsis of each term stands for.
        let mut hidden = Vec::with_capacity(shapes.len());
        for (&term, shape) in written.iter().zip(shapes) {
            let symbols = symbols(term)?;
            let letters = symbols.iter().flatten().count();
            let open = letters < symbols.len();
            if letters > shape.rank() || letters < shape.rank() && !open {
                return Err(format!("`{term}` names {letters} axes, and {shape} has {}", shape.rank()));
            }
            hidden.push(shape.rank() - letters);
            terms.push(symbols);
        }
        let most = hidden.iter().copied().max().unwrap_or(0);
        let labels = |symbols: &[Option<char>], hidden: usize| -> Vec<Label> {
            let one = |symbol: &Option<char>| match symbol {
                Some(letter) => vec![Label::Letter(*letter)],
                None => (most - hidden..most).map(Label::Rest).collect(),
            };
            symbols.iter().flat_map(one).collect()
        };
        let terms: Vec<_> = terms.iter().zip(hidden).map(|(term, hidden)| labels(term, hidden)).collect();
        let times = |label: &Label| terms.iter().flatten().filter(|&other| other == label).count();
        let output = if let Some(right) = right {
            labels(&symbols(right)?, most)
        } else {
            let mut all: Vec<_> = terms.iter().flatten().copied().collect();
            all.sort_unstable();
            all.dedup();
            all.retain(|label| matches!(label, Label::Rest(_)) || times(label) == 1);
            all
        };
        for (i, label) in output.iter().enumerate() {
            if times(label) == 0 {
                return Err(format!("{label} of the output is in no term"));
            }
            if output[..i].contains(label) {
                return Err(format!("{label} is twice in the output"));
            }
        }
        Ok(Self { terms, output })
    }

    /// The size of each axis, to which operands of size 1 broadcast.
    fn sizes(&self, shapes: &[Shape]) -> Result<BTreeMap<Label, usize>, String> {
        let mut sizes: BTreeMap<Label, (usize, Shape)> = BTreeMap::new();
        for (labels, &shape) in self.terms.iter().zip(shapes) {
            for (axis, &label) in labels.iter().enumerate() {
                let dim = shape.dim(axis);
                let repeated = labels[..axis].iter().position(|&other| other == label);
                if let Some(first) = repeated.filter(|&first| shape.dim(first) != dim) {
                    return Err(format!("{label} is {} and {dim} in {shape}", shape.dim(first)));
                }
                let (known, other) = sizes.entry(label).or_insert((dim, shape));
                if *known == 1 {
                    (*known, *other) = (dim, shape);
                } else if dim != 1 && dim != *known {
                    return Err(format!("{label} is {known} in {other} and {dim} in {shape}"));
                }
            }
        }
        Ok(sizes.into_iter().map(|(label, (size, _))| (label, size)).collect())
    }
}

/// A factor: a tensor with different names for its axes.
struct Factor<T: Float> {
    tensor: Tensor<T>,
    labels: Vec<Label>,
}

impl<T: Float> Factor<T> {
    /// An operand: of axes of one name the diagonal, and no axes of size 1 that are to be broadcast.
    #[track_caller]
    fn of(operand: &Tensor<T>, names: &[Label], sizes: &BTreeMap<Label, usize>) -> Result<Self> {
        let shape = operand.shape();
        let mut labels = Vec::new();
        let mut frame = Frame::first();
        for (axis, &label) in names.iter().enumerate() {
            let broadcast = shape.dim(axis) == 1 && sizes[&label] != 1;
            if !broadcast && !labels.contains(&label) {
                let same = (axis..names.len()).filter(|&other| names[other] == label);
                frame.push(shape.dim(axis), same.map(|axis| (axis, 1)));
                labels.push(label);
            }
        }
        if labels == names {
            return Ok(Self { tensor: operand.clone(), labels });
        }
        Ok(Self { tensor: View { name: "diagonal", frame }.apply(&[operand])?, labels })
    }

    /// The sum over the axes that are not `needed`.
    #[track_caller]
    fn reduced(self, needed: impl Fn(&Label) -> bool) -> Result<Self> {
        let (kept, gone): (Vec<_>, Vec<_>) = (0..self.labels.len()).partition(|&i| needed(&self.labels[i]));
        if gone.is_empty() {
            return Ok(self);
        }
        let gone: Vec<_> = gone.into_iter().map(|axis| axis as isize).collect();
        let labels = kept.into_iter().map(|i| self.labels[i]).collect();
        Ok(Self { tensor: self.tensor.sum_axes(&gone[..])?, labels })
    }

    /// The tensor with its axes in the order of `labels`, which names each once.
    #[track_caller]
    fn ordered(&self, labels: &[Label]) -> Result<Tensor<T>> {
        if labels == self.labels {
            return Ok(self.tensor.clone());
        }
        let place = |label| self.labels.iter().position(|other| other == label).expect("each name once");
        self.tensor.permute(labels.iter().map(|label| place(label) as isize).collect::<Vec<_>>())
    }

    /// The product with another factor, summed over the axes that are not `needed`. Each axis that only one of them has is
    /// needed.
    #[track_caller]
    fn times(
        &self,
        other: &Self,
        needed: impl Fn(&Label) -> bool,
        sizes: &BTreeMap<Label, usize>,
    ) -> Result<Self> {
        let (shared, left): (Vec<_>, Vec<_>) =
            self.labels.iter().partition(|label| other.labels.contains(label));
        let (batch, summed): (Vec<_>, Vec<_>) = shared.into_iter().partition(|label| needed(label));
        let right: Vec<_> =
            other.labels.iter().copied().filter(|label| !self.labels.contains(label)).collect();
        let dims = |labels: &[Label]| -> Vec<usize> { labels.iter().map(|label| sizes[label]).collect() };
        let size = |labels: &[Label]| -> usize { dims(labels).iter().product() };
        let labels = [&batch[..], &left, &right].concat();
        let shape = Shape::new(&dims(&labels))?;
        // Many dot products are faster as a product and its sums than as matrices of one row.
        let dots = left.is_empty() && right.is_empty() && !batch.is_empty();
        if !summed.is_empty() && !dots {
            let a = self.ordered(&[&batch[..], &left, &summed].concat())?;
            let b = other.ordered(&[&batch[..], &summed, &right].concat())?;
            let front = dims(&batch);
            let a = a.reshaped(Shape::new(&[&front[..], &[size(&left), size(&summed)]].concat())?)?;
            let b = b.reshaped(Shape::new(&[&front[..], &[size(&summed), size(&right)]].concat())?)?;
            return Ok(Self { tensor: a.matmul(&b)?.reshaped(shape)?, labels });
        }
        // Elementwise, with axes of size 1 for those of the other.
        let front = dims(&[&batch[..], &summed].concat());
        let a = self.ordered(&[&batch[..], &summed, &left].concat())?;
        let b = other.ordered(&[&batch[..], &summed, &right].concat())?;
        let a = a.reshaped(Shape::new(&[&front[..], &dims(&left), &vec![1; right.len()]].concat())?)?;
        let b = b.reshaped(Shape::new(&[&front[..], &vec![1; left.len()], &dims(&right)].concat())?)?;
        let last = (batch.len()..batch.len() + summed.len()).map(|axis| axis as isize).collect::<Vec<_>>();
        let product = Mul.apply(&[&a, &b])?;
        Ok(Self { tensor: if last.is_empty() { product } else { product.sum_axes(&last[..])? }, labels })
    }
}

/// The two factors whose product takes the fewest multiplications.
fn cheapest<T: Float>(factors: &[Factor<T>], sizes: &BTreeMap<Label, usize>) -> (usize, usize) {
    let cost = |&(i, j): &(usize, usize)| -> f64 {
        let others = factors[j].labels.iter().filter(|label| !factors[i].labels.contains(label));
        factors[i].labels.iter().chain(others).map(|label| sizes[label] as f64).product()
    };
    let pairs = (1..factors.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
    pairs.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("two factors")
}

impl<T: Float> Tensor<T> {
    /// The sum of products that an equation in Einstein's notation says: each axis of each operand has a letter, axes of
    /// one letter go together, and what the output does not name is summed over.
    ///
    /// | equation | result |
    /// |---|---|
    /// | `ij,jk->ik` | the matrix product |
    /// | `bhqd,bhkd->bhqk` | a product of matrices for each `b` and `h` |
    /// | `i,j->ij` | the outer product |
    /// | `ii->i`, `ii->` or `ii` | the diagonal, the trace |
    /// | `...ij->...ji` | the last two axes exchanged |
    /// | `ij,jk` | as `ij,jk->ik`: the letters that are there once, in alphabetical order, behind the ellipsis |
    ///
    /// As in NumPy, `...` stands for any axes that have no letter, which broadcast, and so do axes of size 1. An ellipsis
    /// that the output lacks is summed over. Products are made two factors at a time, as matrix products where anything is
    /// summed; of several factors, those two first whose product takes the fewest multiplications.
    ///
    /// # Errors
    /// If the equation cannot be read, does not fit the operands, or the sizes of a letter differ; if a product has too
    /// many axes.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let a = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// let b = Tensor::from_vec([1.0, 10.0], [2])?;
    /// assert_eq!(Tensor::einsum("ij,j->i", &[&a, &b])?.to_vec(), [21.0, 43.0]);
    /// assert_eq!(Tensor::einsum("ii", &[&a])?.item(), 5.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn einsum(equation: &str, operands: &[&Self]) -> Result<Self> {
        Self::contracted(equation, operands).of_op("einsum")
    }

    #[track_caller]
    fn contracted(text: &str, operands: &[&Self]) -> Result<Self> {
        let shapes: Vec<_> = operands.iter().map(|operand| operand.shape()).collect();
        let read = Equation::parse(text, &shapes)
            .and_then(|equation| equation.sizes(&shapes).map(|sizes| (equation, sizes)));
        let (Equation { terms, output }, sizes) =
            read.map_err(|why| ErrorKind::Message(format!("\"{text}\": {why}")))?;
        let mut factors = Vec::with_capacity(operands.len());
        for (operand, names) in operands.iter().zip(&terms) {
            factors.push(Factor::of(operand, names, &sizes)?);
        }
        while factors.len() > 1 {
            let (i, j) = cheapest(&factors, &sizes);
            let (b, a) = (factors.remove(j), factors.remove(i));
            let needed = |label: &Label| {
                output.contains(label) || factors.iter().any(|factor| factor.labels.contains(label))
            };
            let (in_a, in_b) = (a.labels.clone(), b.labels.clone());
            let a = a.reduced(|label| needed(label) || in_b.contains(label))?;
            let b = b.reduced(|label| needed(label) || in_a.contains(label))?;
            let product = a.times(&b, needed, &sizes)?;
            factors.push(product);
        }
        let last = factors.pop().expect("at least one operand");
        last.reduced(|label| output.contains(label))?.ordered(&output)
    }
}
