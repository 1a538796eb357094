//! The graph of a tape: boxes in layers, what is made from them below.

use super::svg::{Anchor, INK, MUTED, Svg, text_width};
use super::{Area, Entry, Mark, Panel, colour};
use autodiff::graph::{Graph, Step, What};
use autodiff::{Float, Shape};

/// A panel with a graph: a box for each step, with the name or the op, the shape, and notes; for a few dozen steps.
///
/// Each box stands in the layer below the lowest of its inputs, variables and constants directly above their use. The
/// order in a layer is that with the fewest crossings that sweeps over the layers find (Sugiyama, Tagawa and Toda, 1981).
/// A bold line is an input, and a bold box an output, that the tape keeps for the rules of the step.
pub struct Diagram {
    title: String,
    boxes: Vec<Box>,
    edges: Vec<Edge>,
}

struct Box {
    lines: Vec<String>,
    kind: Kind,
    layer: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Variable,
    Constant,
    /// An op, and whether the tape keeps its output.
    Op(bool),
    /// A place that an edge over several layers goes through.
    Bend,
}

struct Edge {
    /// The boxes and bends that it leads through.
    through: Vec<usize>,
    kept: bool,
}

const SIZE: f64 = 12.0;
const LINE: f64 = 15.0;
/// Between boxes side by side, and between layers.
const GAP: (f64, f64) = (18.0, 36.0);
const KEPT: &str = INK;
const PASSING: &str = "#9aa4ae";

impl Diagram {
    /// The graph of a tape. The title may be empty.
    pub fn new<T: Float>(title: impl Into<String>, graph: &Graph<T>) -> Self {
        let mut diagram = Self { title: title.into(), boxes: Vec::new(), edges: Vec::new() };
        for step in graph.steps() {
            let layer = step.inputs.iter().filter_map(|input| input.step);
            let layer = layer.map(|from| diagram.boxes[from].layer + 1).max().unwrap_or(0);
            // A step that takes constants only has no layer above it yet.
            let layer = if step.inputs.is_empty() { layer } else { layer.max(1) };
            diagram.boxes.push(Box { lines: lines(step), kind: kind(step), layer });
        }
        for step in graph.steps() {
            for input in &step.inputs {
                let from = input.step.unwrap_or_else(|| {
                    let lines = labelled("constant", input.shape);
                    diagram.boxes.push(Box { lines, kind: Kind::Constant, layer: 0 });
                    diagram.boxes.len() - 1
                });
                diagram.edges.push(Edge { through: vec![from, step.id], kept: input.saved });
            }
        }
        // What nothing leads to moves down to where it is used first.
        for from in 0..diagram.boxes.len() {
            let mut uses = diagram.edges.iter().filter(|edge| edge.through[0] == from);
            if !diagram.edges.iter().any(|edge| edge.through[1] == from)
                && let Some(first) = uses.by_ref().map(|edge| diagram.boxes[edge.through[1]].layer).min()
            {
                diagram.boxes[from].layer = first - 1;
            }
        }
        for edge in &mut diagram.edges {
            let ends = (edge.through[0], edge.through[1]);
            for layer in diagram.boxes[ends.0].layer + 1..diagram.boxes[ends.1].layer {
                edge.through.insert(edge.through.len() - 1, diagram.boxes.len());
                diagram.boxes.push(Box { lines: Vec::new(), kind: Kind::Bend, layer });
            }
        }
        diagram
    }

    /// The same panel with one more line in the box of a step.
    ///
    /// # Panics
    /// If there is no such step.
    #[must_use]
    pub fn note(mut self, step: usize, line: impl Into<String>) -> Self {
        self.boxes[step].lines.push(line.into());
        self
    }

    /// The boxes of each layer, from left to right.
    fn ordered(&self) -> Vec<Vec<usize>> {
        let depth = self.boxes.iter().map(|it| it.layer + 1).max().unwrap_or(0);
        let mut layers = vec![Vec::new(); depth];
        // To begin with as they are met from the outputs up, first inputs first.
        let mut met = vec![false; self.boxes.len()];
        let mut stack: Vec<usize> =
            (0..self.boxes.len()).rev().filter(|&i| self.neighbours(i, false).next().is_none()).collect();
        while let Some(i) = stack.pop() {
            if !std::mem::replace(&mut met[i], true) {
                layers[self.boxes[i].layer].push(i);
                let inputs: Vec<usize> = self.neighbours(i, true).collect();
                stack.extend(inputs.into_iter().rev());
            }
        }
        let mut best = (self.crossings(&layers), layers.clone());
        for sweep in 0..24 {
            for k in 0..depth {
                let layer = if sweep % 2 == 0 { k } else { depth - 1 - k };
                let places = places(&layers, self.boxes.len());
                let mean = |i: usize| {
                    let all: Vec<f64> =
                        self.neighbours(i, sweep % 2 == 0).map(|other| places[other]).collect();
                    if all.is_empty() { places[i] } else { all.iter().sum::<f64>() / all.len() as f64 }
                };
                layers[layer].sort_by(|&a, &b| mean(a).total_cmp(&mean(b)));
            }
            let crossings = self.crossings(&layers);
            if crossings < best.0 {
                best = (crossings, layers.clone());
            }
        }
        best.1
    }

    /// The pieces of edges, each from one layer to the next.
    fn pieces(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.edges.iter().flat_map(|edge| edge.through.windows(2).map(|pair| (pair[0], pair[1])))
    }

    /// What a box is connected to in the layer above or in the one below.
    fn neighbours(&self, i: usize, above: bool) -> impl Iterator<Item = usize> + '_ {
        self.pieces().filter_map(move |(from, to)| {
            let (here, there) = if above { (to, from) } else { (from, to) };
            (here == i).then_some(there)
        })
    }

    fn crossings(&self, layers: &[Vec<usize>]) -> usize {
        let places = places(layers, self.boxes.len());
        let pieces: Vec<_> = self.pieces().collect();
        let crossed = |a: (usize, usize), b: (usize, usize)| {
            self.boxes[a.0].layer == self.boxes[b.0].layer
                && (places[a.0] - places[b.0]) * (places[a.1] - places[b.1]) < 0.0
        };
        pieces.iter().enumerate().map(|(i, &a)| pieces[..i].iter().filter(|&&b| crossed(a, b)).count()).sum()
    }

    fn width(&self, i: usize) -> f64 {
        let text = self.boxes[i].lines.iter().map(|line| text_width(line, SIZE)).fold(0.0, f64::max);
        if self.boxes[i].kind == Kind::Bend { 0.0 } else { (text + 16.0).max(44.0) }
    }

    fn height(&self, i: usize) -> f64 {
        LINE * self.boxes[i].lines.len() as f64 + 9.0
    }

    /// Where the boxes are, from the corner of the panel, and the size of it all.
    fn layout(&self) -> Layout {
        let layers = self.ordered();
        let mut middles = vec![0.0; self.boxes.len()];
        let gaps = |layer: &[usize]| -> Vec<f64> {
            let gap = |pair: &[usize]| f64::midpoint(self.width(pair[0]), self.width(pair[1])) + GAP.0;
            std::iter::once(0.0).chain(layer.windows(2).map(gap)).collect()
        };
        for round in 0..120 {
            for k in 0..layers.len() {
                let layer = &layers[if round % 2 == 0 { k } else { layers.len() - 1 - k }];
                let wanted: Vec<_> = layer.iter().map(|&i| self.wanted(i, &middles)).collect();
                for (&i, x) in layer.iter().zip(settled(&wanted, &gaps(layer))) {
                    middles[i] = x;
                }
            }
        }
        let edge = |i: usize, side: f64| middles[i] + side * self.width(i) / 2.0;
        let left = (0..middles.len()).map(|i| edge(i, -1.0)).fold(f64::INFINITY, f64::min);
        let right = (0..middles.len()).map(|i| edge(i, 1.0)).fold(f64::NEG_INFINITY, f64::max);
        let mut rows = Vec::new();
        let mut top = 2.0;
        for layer in &layers {
            let height = layer.iter().map(|&i| self.height(i)).fold(0.0, f64::max);
            rows.push((top, top + height));
            top += height + GAP.1;
        }
        for x in &mut middles {
            *x += 2.0 - left;
        }
        Layout { middles, rows, size: ((right - left + 4.0).max(0.0), (top - GAP.1 + 2.0).max(0.0)) }
    }

    /// Where a box would like to be, in the middle of all that it is connected to, and how much that counts. The way from
    /// step to step counts more than what joins it, so that it is straight.
    fn wanted(&self, i: usize, middles: &[f64]) -> (f64, f64) {
        let on_the_way = |i: usize| matches!(self.boxes[i].kind, Kind::Op(_) | Kind::Bend);
        let mut sum = (0.0, 0.0);
        for other in [true, false].into_iter().flat_map(|above| self.neighbours(i, above)) {
            let weight = if on_the_way(i) && on_the_way(other) { 8.0 } else { 1.0 };
            sum = (sum.0 + weight * middles[other], sum.1 + weight);
        }
        if sum.1 > 0.0 { (sum.0 / sum.1, sum.1) } else { (middles[i], 1.0) }
    }

    /// Where along the side of box `at` the given edge ends: those of one side stand in the order of their other ends.
    fn port(&self, edge: usize, at: usize, entering: bool, middles: &[f64]) -> f64 {
        let other = |edge: &Edge| {
            let n = edge.through.len();
            if entering { edge.through[n - 2] } else { edge.through[1] }
        };
        let end =
            |edge: &Edge| if entering { edge.through.last().copied() } else { edge.through.first().copied() };
        let mut all: Vec<usize> =
            (0..self.edges.len()).filter(|&e| end(&self.edges[e]) == Some(at)).collect();
        all.sort_by(|&a, &b| middles[other(&self.edges[a])].total_cmp(&middles[other(&self.edges[b])]));
        let place = all.iter().position(|&e| e == edge).unwrap_or(0) as f64;
        let spacing = ((self.width(at) - 16.0) / all.len() as f64).min(16.0);
        middles[at] + spacing * (place - (all.len() as f64 - 1.0) / 2.0)
    }
}

struct Layout {
    middles: Vec<f64>,
    /// Top and bottom of each layer.
    rows: Vec<(f64, f64)>,
    size: (f64, f64),
}

/// The place of each box in its layer.
fn places(layers: &[Vec<usize>], boxes: usize) -> Vec<f64> {
    let mut places = vec![0.0; boxes];
    for (place, &i) in layers.iter().flat_map(|layer| layer.iter().enumerate()) {
        places[i] = place as f64;
    }
    places
}

/// The positions nearest to the wanted ones (least squares, with their weights) with each at least its gap to the right
/// of the one before: isotonic regression, by pooling neighbours that are too close.
fn settled(wanted: &[(f64, f64)], gaps: &[f64]) -> Vec<f64> {
    let mut offsets = Vec::with_capacity(gaps.len());
    for gap in gaps {
        offsets.push(offsets.last().unwrap_or(&0.0) + gap);
    }
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (&(place, weight), offset) in wanted.iter().zip(&offsets) {
        let mut pool = (place - offset, weight, 1);
        while let Some(&(before, weight, count)) = pools.last()
            && before > pool.0
        {
            let total = weight + pool.1;
            pool = ((before * weight + pool.0 * pool.1) / total, total, count + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let places = pools.into_iter().flat_map(|(place, _, count)| std::iter::repeat_n(place, count));
    places.zip(offsets).map(|(place, offset)| place + offset).collect()
}

fn kind(step: &Step) -> Kind {
    match step.what {
        What::Variable => Kind::Variable,
        What::Op(_) | What::Freed => Kind::Op(step.saves_output),
    }
}

/// What stands in a box: the name of a variable, the op and the name of a step, and the shape unless it is a number.
fn lines(step: &Step) -> Vec<String> {
    match (&step.what, &step.name) {
        (What::Variable, Some(name)) => labelled(name, step.shape),
        (what, Some(name)) => labelled(&format!("{name} = {what}"), step.shape),
        (what, None) => labelled(&what.to_string(), step.shape),
    }
}

fn labelled(label: &str, shape: Shape) -> Vec<String> {
    let shape = (shape.rank() > 0).then(|| shape.to_string());
    std::iter::once(label.to_owned()).chain(shape).collect()
}

impl Panel for Diagram {
    fn title(&self) -> &str {
        &self.title
    }

    fn legend(&self) -> Vec<Entry> {
        let entry = |name: &str, colour, mark| Entry { name: name.into(), colour, mark };
        vec![
            entry("variable", colour(2), Mark::Dot),
            entry("step", colour(0), Mark::Dot),
            entry("constant", PASSING, Mark::Dot),
            entry("kept for the rules", KEPT, Mark::Line),
            entry("not kept", PASSING, Mark::Line),
        ]
    }

    fn size(&self, _: usize) -> (f64, f64) {
        let (width, height) = self.layout().size;
        // Room for the legend in two rows.
        (width.max(230.0), height)
    }

    fn draw(&self, svg: &mut Svg, area: Area, _: usize) {
        let Layout { mut middles, rows, size } = self.layout();
        let left = area.left + (area.width - size.0) / 2.0;
        for x in &mut middles {
            *x += left;
        }
        let row = |i: usize| {
            let (top, bottom) = rows[self.boxes[i].layer];
            (area.top + top, area.top + bottom)
        };
        let outline = |i: usize| {
            let ((top, bottom), width, height) = (row(i), self.width(i), self.height(i));
            Area {
                left: middles[i] - width / 2.0,
                top: f64::midpoint(top, bottom) - height / 2.0,
                width,
                height,
            }
        };
        for (e, edge) in self.edges.iter().enumerate() {
            let (first, last) = (edge.through[0], *edge.through.last().expect("an edge has two ends"));
            let stations: Vec<_> = edge
                .through
                .iter()
                .map(|&i| {
                    let ((top, bottom), own) = (row(i), outline(i));
                    if i == first {
                        (self.port(e, i, false, &middles), own.top + own.height, bottom)
                    } else if i == last {
                        (self.port(e, i, true, &middles), top, own.top)
                    } else {
                        (middles[i], top, bottom)
                    }
                })
                .collect();
            let (colour, width) = if edge.kept { (KEPT, 2.0) } else { (PASSING, 1.2) };
            svg.flow(&stations, colour, width);
        }
        for (i, it) in self.boxes.iter().enumerate() {
            let (radius, colour, width, dashes) = match it.kind {
                Kind::Variable => (12.0, colour(2), 1.2, ""),
                Kind::Constant => (4.0, PASSING, 1.2, "4 3"),
                Kind::Op(kept) => (4.0, colour(0), if kept { 2.4 } else { 1.2 }, ""),
                Kind::Bend => continue,
            };
            let own = outline(i);
            svg.rounded(own, radius, colour, width, dashes);
            for (k, line) in it.lines.iter().enumerate() {
                let ink = if k == 0 { INK } else { MUTED };
                svg.text(middles[i], own.top + LINE * (k + 1) as f64, SIZE, Anchor::Middle, ink, line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autodiff::Tensor;

    /// A value used at several depths, with a step of several inputs, constants, and a variable used twice at once.
    fn diagram() -> Diagram {
        let x = Tensor::<f64>::ones([3]).variable();
        let w = Tensor::ones([3]).variable();
        let mut y = &x * &x;
        for _ in 0..4 {
            y = (&y * &w).sin() + &x + 1.0;
        }
        let all = Tensor::cat(&[&y, &x, &w, &Tensor::ones([5])], 0).expect("vectors can be joined");
        Diagram::new("", &Graph::of(&[&all.sum()]))
    }

    #[test]
    fn boxes_do_not_overlap_and_edges_lead_down_one_layer_at_a_time() {
        let diagram = diagram();
        let layout = diagram.layout();
        for (i, a) in diagram.boxes.iter().enumerate() {
            let (half, x) = (diagram.width(i) / 2.0, layout.middles[i]);
            assert!(x - half >= 0.0 && x + half <= layout.size.0, "box {i} is cut off");
            for (j, b) in diagram.boxes.iter().enumerate().filter(|&(j, b)| j < i && b.layer == a.layer) {
                let apart = (x - layout.middles[j]).abs() - half - diagram.width(j) / 2.0;
                assert!(apart >= GAP.0 - 1e-6, "{:?} and {:?} are {apart} apart", a.lines, b.lines);
            }
        }
        assert!(diagram.pieces().all(|(from, to)| diagram.boxes[from].layer + 1 == diagram.boxes[to].layer));
        assert!(layout.rows.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn positions_settle_as_near_to_the_wanted_ones_as_the_gaps_allow() {
        let equal = |wanted: &[f64], gaps: &[f64]| {
            settled(&wanted.iter().map(|&place| (place, 1.0)).collect::<Vec<_>>(), gaps)
        };
        assert_eq!(equal(&[0.0, 10.0], &[0.0, 4.0]), [0.0, 10.0]);
        assert_eq!(equal(&[5.0, 5.0], &[0.0, 4.0]), [3.0, 7.0]);
        assert_eq!(equal(&[9.0, 0.0, 20.0], &[0.0, 2.0, 2.0]), [3.5, 5.5, 20.0]);
        assert_eq!(settled(&[(5.0, 3.0), (5.0, 1.0)], &[0.0, 4.0]), [4.0, 8.0]);
        assert_eq!(settled(&[], &[]), [0.0; 0]);
    }
}
