//! The tape of a step as a page: the graph beside the tape, walked forward and back, step by step.

use crate::page;
use autodiff::Float;
use autodiff::graph::{Graph, Step, Visit, What};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// A page on which one walks along a tape: forward through its steps in the order in which they were computed, then through
/// the backward sweep in the order in which the steps were read.
///
/// Buttons, the arrow keys, a slider and a click on a step move the walk. For the step at hand the page shows its op and name,
/// its shape, its inputs and uses, what the tape keeps for its rules and how much that is, the norm of the gradient that
/// arrived, how long its rules took, and the line of the program that called the op, if that source can be read from the
/// working directory or one above. A variable stands where it is used first. The page is one file that needs nothing else, is light or
/// dark as the reader's system is, and is usable from a telephone's width on and for a thousand steps.
///
/// ```
/// use autodiff::{Graph, Tensor};
/// use train::viewer::Viewer;
/// let w = Tensor::from_vec([1.0, 2.0], [2])?.variable();
/// let loss = w.square().sum();
/// let graph = Graph::of(&[&loss]).name(&w, "w").name(&loss, "loss");
/// let visits = graph.sweep(&loss, &Tensor::scalar(1.0))?;
/// let page = Viewer::new("A sum of squares", &graph, &visits).render();
/// assert!(page.starts_with("<!doctype html>") && page.contains("A sum of squares"));
/// # Ok::<(), autodiff::Error>(())
/// ```
pub struct Viewer {
    title: String,
    data: Value,
}

impl Viewer {
    /// The page of a graph and of a sweep through it, see [`Graph::sweep`]. Without visits, the walk is forward only.
    pub fn new<T: Float>(title: impl Into<String>, graph: &Graph<T>, visits: &[Visit<T>]) -> Self {
        let steps: Vec<Value> = graph.steps().iter().map(described).collect();
        let visits: Vec<Value> = visits
            .iter()
            .map(|visit| {
                let micros = 1e6 * visit.time.as_secs_f64();
                json!({ "step": visit.step, "norm": number(visit.norm()), "micros": micros })
            })
            .collect();
        let data = json!({
            "steps": steps,
            "visits": visits,
            "savedBytes": graph.saved_bytes(),
            "sources": sources(graph.steps()),
        });
        Self { title: title.into(), data }
    }

    /// The page as text.
    pub fn render(&self) -> String {
        let head = format!("<header>\n<h1>{}</h1>\n", page::escaped(&self.title));
        let body = [&head, include_str!("viewer.html"), &page::data("tape", &self.data)].concat();
        page::page(&self.title, include_str!("viewer.css"), &body, include_str!("viewer.js"))
    }

    /// Writes `target/figures/name.html`, and says so on standard error.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, name: &str) -> io::Result<PathBuf> {
        let folder = Path::new("target").join("figures");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{name}.html"));
        std::fs::write(&file, self.render())?;
        eprintln!("written: {}", file.display());
        Ok(file)
    }
}

fn described(step: &Step) -> Value {
    let inputs: Vec<Value> = step
        .inputs
        .iter()
        .map(|input| json!({ "step": input.step, "shape": input.shape.to_string(), "saved": input.saved }))
        .collect();
    json!({
        "op": step.what.to_string(),
        "variable": step.what == What::Variable,
        "name": step.name,
        "shape": step.shape.to_string(),
        "size": step.shape.iter().product::<usize>(),
        "inputs": inputs,
        "savesOutput": step.saves_output,
        "savedBytes": step.saved_bytes,
        "addedBytes": step.added_bytes,
        "site": step.site.map(|site| json!({ "file": site.file(), "line": site.line() })),
    })
}

/// A number that JSON may not have: NaN and the infinities are texts.
fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { json!(x.to_string()) }
}

/// The lines around each place that the steps name, by file and number; of files that cannot be read, none.
fn sources(steps: &[Step]) -> Value {
    const AROUND: u32 = 2;
    let mut places: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for site in steps.iter().filter_map(|step| step.site) {
        places.entry(site.file()).or_default().push(site.line());
    }
    let here = std::env::current_dir().unwrap_or_default();
    let mut files = Map::new();
    for (file, lines) in places {
        // The compiler names a file from the root of its workspace, which may be above the working directory.
        let folders = here.ancestors().map(|folder| folder.join(file));
        let Some(text) = folders.flat_map(std::fs::read_to_string).next() else { continue };
        let near = |number: u32| lines.iter().any(|&line| line.abs_diff(number) <= AROUND);
        let lines = (1..).zip(text.lines()).filter(|&(number, _)| near(number));
        let lines: Map<String, Value> =
            lines.map(|(number, line)| (number.to_string(), json!(line))).collect();
        files.insert(file.to_owned(), lines.into());
    }
    files.into()
}
