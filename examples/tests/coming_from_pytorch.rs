//! Holds `docs/coming-from-pytorch.md` to the code: what it names exists, and what exists is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).expect("a file of the repository")
}

/// The texts of all Rust sources of a crate.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(fs::read_to_string(path).expect("a source"));
        }
    }
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names after the last `::` or `.` of a path, without arguments: `Schedule::step` gives `step`.
fn name(path: &str) -> &str {
    let path = path.split(['(', '<', ' ', '!']).next().unwrap_or(path);
    path.rsplit([':', '.']).next().unwrap_or(path)
}

/// The tables of names: those whose last column is `here`. Their rows, split into cells.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let mut rows = Vec::new();
    let mut names = false;
    for line in page.lines() {
        if !line.starts_with('|') {
            names = false;
            continue;
        }
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if cells.first() == Some(&"PyTorch") {
            names = true;
        } else if names && !line.starts_with("|--") {
            rows.push(cells);
        }
    }
    rows
}

#[test]
fn every_name_here_exists() {
    let mut texts = Vec::new();
    for krate in ["autodiff/src", "nn/src", "optim/src", "datasets/src"] {
        sources(&root().join(krate), &mut texts);
    }
    // Names that a macro writes stand before a colon, a parenthesis, a brace or an arrow in its tables.
    let known: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let page = read("docs/coming-from-pytorch.md");
    let rows = rows(&page);
    assert!(rows.len() > 60, "only {} rows of names were found", rows.len());
    let here = rows.iter().flat_map(|row| quoted(row.last().expect("a cell")));
    let missing: Vec<&str> = here.filter(|path| !known.contains(name(path))).collect();
    assert!(missing.is_empty(), "nowhere in the sources: {missing:?}");
}

#[test]
fn every_op_layer_and_optimizer_is_on_the_page() {
    let page = read("docs/coming-from-pytorch.md");
    let named: BTreeSet<&str> = quoted(&page).map(name).collect();
    let ops = read("autodiff/OPS.md");
    let ops = ops.lines().filter(|line| line.starts_with("| `")).filter_map(|line| quoted(line).next());
    let mut missing: Vec<String> = ops.filter(|op| !named.contains(op)).map(str::to_owned).collect();
    for krate in ["nn", "optim"] {
        let text = read(format!("{krate}/src/lib.rs"));
        let uses = text.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
        let names = uses.flat_map(|list| list.split(|c: char| !c.is_alphanumeric() && c != '_'));
        let types = names.filter(|name| name.starts_with(char::is_uppercase) && !named.contains(name));
        missing.extend(types.map(|name| format!("{krate}::{name}")));
    }
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}
