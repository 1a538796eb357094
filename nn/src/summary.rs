//! What a model consists of, layer by layer, as one forward pass meets it.

use crate::{Layer, Module};
use autodiff::graph::{Graph, What};
use autodiff::{Counter, Float, Path, Place, Result, Running, Shape, Tensor};
use std::collections::HashMap;
use std::fmt;

/// The layers of a model with their ops, output shapes, parameters and memory, read from the tape of a forward pass.
///
/// A row is an op, or several that follow each other and take parameters of the same layer: those are added up, and have the
/// layer's name, the path of its fields. Ops without parameters have rows without a name, whether a layer or a method of
/// [`Tensor`] stands behind them. Shown with `{}`, it is a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// In the order of the tape.
    pub rows: Vec<Row>,
    /// The number of trained numbers of the model, those that the pass did not reach included.
    pub parameters: usize,
    /// Their size.
    pub parameter_bytes: usize,
    /// The names of parameters that the pass did not reach.
    pub unused: Vec<String>,
    /// The size of what the tape keeps for the backward pass, see [`Graph::saved_bytes`].
    pub saved_bytes: usize,
}

/// A row of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The layer whose parameters the ops take; empty if they take none.
    pub layer: String,
    /// The names of the ops.
    pub ops: Vec<&'static str>,
    /// The shape of the output.
    pub shape: Shape,
    /// The number of trained numbers that come in here first.
    pub parameters: usize,
    /// What the tape keeps for the backward pass here and in no earlier row, in bytes.
    pub saved_bytes: usize,
}

/// The [`Summary`] of a model from one forward pass on `x`, which runs in the present mode, training unless said otherwise.
/// Running statistics and counts are put back to what they were: the model is not changed.
///
/// # Errors
/// That of the pass.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Affine, Conv2d, Flatten, MaxPool2d, Relu, Sequential};
/// let mut rng = Rng::seed(1);
/// let model = Sequential::new()
///     .push(Conv2d::new(1, 4, 3, &mut rng).padding(1))
///     .push(Relu)
///     .push(MaxPool2d::new(2))
///     .push(Flatten)
///     .push(Affine::new(64, 10, &mut rng));
/// let summary = nn::summary(&model, &Tensor::<f32>::zeros([2, 1, 8, 8]))?;
/// assert_eq!(
///     summary.to_string(),
///     "\
/// layer  ops         output        parameters  kept bytes
/// 0      conv2d      [2, 4, 8, 8]          40         512
///        relu        [2, 4, 8, 8]                    2048
///        max_pool2d  [2, 4, 4, 4]
///        reshape     [2, 64]
/// 4      affine      [2, 10]              650        3072
/// 690 parameters, 2760 bytes; 5632 bytes kept for the backward pass"
/// );
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn summary<T: Float, L: Layer<T> + ?Sized>(model: &L, x: &Tensor<T>) -> Result<Summary> {
    let before = Buffers::of(model);
    let output = model.forward(x);
    before.put_back(model);
    Ok(Summary::of(model, &[&output?]))
}

impl Summary {
    /// The summary of a model from the tape that some outputs of it were computed by: for a model that is no [`Layer`], of
    /// several inputs or outputs.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{Affine, Layer, Summary};
    /// let layers = vec![Affine::new(2, 3, &mut Rng::seed(1)), Affine::new(2, 3, &mut Rng::seed(2))];
    /// let x = Tensor::<f32>::ones([5, 2]);
    /// let difference = layers[0].forward(&x)? - layers[1].forward(&x)?;
    /// let summary = Summary::of(&layers, &[&difference]);
    /// let names: Vec<_> = summary.rows.iter().map(|row| row.layer.as_str()).collect();
    /// assert_eq!(names, ["0", "1", ""]);
    /// assert_eq!((summary.parameters, summary.rows[1].parameters), (18, 9));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn of<T: Float, M: Module<T> + ?Sized>(model: &M, outputs: &[&Tensor<T>]) -> Self {
        let graph = Graph::of(outputs);
        let mut names: HashMap<usize, (String, usize)> = HashMap::new();
        let (mut parameters, mut unused) = (0, Vec::new());
        model.parameters(&mut |name, parameter| {
            parameters += parameter.size();
            match graph.find(parameter) {
                Some(step) => drop(names.insert(step, (name.to_owned(), parameter.size()))),
                None => unused.push(name.to_owned()),
            }
        });
        let mut rows: Vec<Row> = Vec::new();
        // The last step of the last row.
        let mut last = None;
        for step in graph.steps() {
            let What::Op(op) = step.what else { continue };
            let inputs = || step.inputs.iter().filter_map(|input| input.step);
            // A weight that is laid out otherwise is still that weight.
            if let "reshape" | "permute" = op
                && let Some((name, size)) = inputs().next().and_then(|from| names.get_mut(&from))
            {
                let whole = (name.clone(), std::mem::take(size));
                names.insert(step.id, whole);
                continue;
            }
            let layer = inputs()
                .filter_map(|from| names.get(&from).map(|(name, _)| layer(name)))
                .reduce(common)
                .unwrap_or_default()
                .to_owned();
            let goes_on = !layer.is_empty()
                && rows.last().is_some_and(|row| row.layer == layer)
                && inputs().any(|from| Some(from) == last);
            if !goes_on {
                rows.push(Row { layer, ops: Vec::new(), shape: step.shape, parameters: 0, saved_bytes: 0 });
            }
            let row = rows.last_mut().expect("one was pushed if there was none");
            row.ops.push(op);
            row.shape = step.shape;
            row.saved_bytes += step.added_bytes;
            for from in inputs() {
                // What several ops take is counted at the first.
                row.parameters += names.get_mut(&from).map_or(0, |(_, size)| std::mem::take(size));
            }
            last = Some(step.id);
        }
        let parameter_bytes = parameters * size_of::<T>();
        Self { rows, parameters, parameter_bytes, unused, saved_bytes: graph.saved_bytes() }
    }
}

/// The path of the layer that a parameter of this name is in.
fn layer(parameter: &str) -> &str {
    parameter.rsplit_once('.').map_or("", |(layer, _)| layer)
}

/// The part that two paths have in common.
fn common<'a>(a: &'a str, b: &'a str) -> &'a str {
    let parts = a.split('.').zip(b.split('.')).take_while(|(a, b)| a == b);
    let length = parts.map(|(part, _)| part.len() + 1).sum::<usize>();
    &a[..length.saturating_sub(1)]
}

/// What a forward pass in training writes to.
struct Buffers<T: Float> {
    running: Vec<Tensor<T>>,
    counts: Vec<u64>,
}

impl<T: Float> Buffers<T> {
    fn of<M: Module<T> + ?Sized>(model: &M) -> Self {
        let mut buffers = Self { running: Vec::new(), counts: Vec::new() };
        model.walk(&mut Path::default(), &mut |_, place| match place {
            Place::Running(running) => buffers.running.push(running.get()),
            Place::Counter(counter) => buffers.counts.push(counter.get()),
            _ => {}
        });
        buffers
    }

    fn put_back<M: Module<T> + ?Sized>(self, model: &M) {
        let (mut running, mut counts) = (self.running.into_iter(), self.counts.into_iter());
        let write = |place: &Running<T>, values: Tensor<T>| place.update(|_| values);
        model.walk(&mut Path::default(), &mut |_, place| match place {
            Place::Running(place) => running.next().into_iter().for_each(|values| write(place, values)),
            Place::Counter(place) => counts.next().into_iter().for_each(|count| Counter::set(place, count)),
            _ => {}
        });
    }
}

impl fmt::Display for Summary {
    /// A table: a row for each row, and the sums.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |n: usize| if n > 0 { n.to_string() } else { String::new() };
        let mut table = vec![["layer", "ops", "output", "parameters", "kept bytes"].map(String::from)];
        table.extend(self.rows.iter().map(|row| {
            let Row { layer, ops, shape, parameters, saved_bytes } = row;
            [layer.clone(), ops.join(" + "), shape.to_string(), number(*parameters), number(*saved_bytes)]
        }));
        let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let [a, b, c, d, e] = std::array::from_fn(width);
        for [layer, ops, shape, parameters, kept] in &table {
            let line = format!("{layer:a$}  {ops:b$}  {shape:c$}  {parameters:>d$}  {kept:>e$}");
            writeln!(f, "{}", line.trim_end())?;
        }
        let Self { parameters, parameter_bytes, saved_bytes, unused, .. } = self;
        write!(f, "{parameters} parameters, {parameter_bytes} bytes; ")?;
        write!(f, "{saved_bytes} bytes kept for the backward pass")?;
        if !unused.is_empty() {
            write!(f, "\nnot on the tape: {}", unused.join(", "))?;
        }
        Ok(())
    }
}
