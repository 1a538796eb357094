//! What the sources of the ops declare: the public ops, and what their documentation says.

use crate::registry::{FAMILIES, entries};

/// A public op.
pub(crate) struct Method {
    pub(crate) name: String,
    /// The name of the file.
    pub(crate) family: String,
    /// The first paragraph of its documentation.
    pub(crate) formula: String,
    /// Whether it returns a `Result`.
    pub(crate) fallible: bool,
}

/// The directory of the ops.
const OPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ops");

/// All public ops: methods of tensors, rows of the tables, operators.
pub(crate) fn methods() -> Vec<Method> {
    let mut sources: Vec<_> = std::fs::read_dir(OPS)
        .expect("the sources of the ops")
        .map(|entry| entry.expect("a file").path())
        .collect();
    sources.sort();
    let mut found = Vec::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).expect("a source");
        let family = path.file_stem().expect("a name").to_string_lossy();
        read(&family, &text, &mut found);
    }
    found
}

/// Adds the ops of one file.
fn read(family: &str, text: &str, found: &mut Vec<Method>) {
    let identifier =
        |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut docs: Vec<&str> = Vec::new();
    // What stands in an `impl` of something else than a tensor is no op.
    let mut of_tensor = true;
    // Whether the method that a table writes for its rows returns a `Result`.
    let mut rows_fail = false;
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        if line.starts_with("impl") {
            of_tensor = line.contains("Tensor<T> {");
        }
        let line = line.trim();
        if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim());
            continue;
        }
        if line.starts_with("#[") {
            continue;
        }
        let signature = || lines[number..].iter().take_while(|line| !line.trim().is_empty()).copied();
        let fails = || {
            let end = signature().position(|line| line.ends_with('{')).unwrap_or(0);
            signature().take(end + 1).any(|line| line.contains("-> Result<"))
        };
        let mut fallible = false;
        let name = if let Some((_, rest)) = line.split_once("pub fn ").filter(|_| of_tensor) {
            fallible = fails();
            if rest.starts_with('$') {
                rows_fail = fallible;
            }
            identifier(rest)
        } else if let Some((_, rest)) = line.split_once(" => ").filter(|_| line.contains(") = |")) {
            identifier(rest)
        } else if line.ends_with(';') && line.contains(" = |a, b| ") {
            fallible = rows_fail;
            identifier(line)
        } else if let Some(rest) = line.strip_prefix("pub struct ").filter(|_| line.ends_with(';')) {
            // The op of an operator.
            identifier(rest).to_lowercase()
        } else if let Some((_, rest)) =
            line.split_once(" ops::").filter(|_| line.ends_with(" for &Tensor<T> {"))
        {
            if docs.is_empty() { String::new() } else { identifier(rest).to_lowercase() }
        } else {
            String::new()
        };
        if !name.is_empty() {
            let paragraph: Vec<_> = docs.iter().take_while(|line| !line.is_empty()).copied().collect();
            let formula = paragraph.join(" ");
            found.push(Method { name, family: family.to_owned(), formula, fallible });
        }
        docs.clear();
    }
}

/// The gradient where there is none by itself: the table of `ops/mod.rs`, as functions, place and gradient.
pub(crate) fn conventions() -> Vec<(Vec<String>, String, String)> {
    let text = std::fs::read_to_string(format!("{OPS}/mod.rs")).expect("the conventions");
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let row = |row: &str| {
        let cells: Vec<_> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        let [functions, at, gradient] = cells[..] else { panic!("a row of three cells: {row}") };
        let functions = functions.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
        (functions, at.to_owned(), gradient.to_owned())
    };
    rows.map(row).collect()
}

#[test]
fn every_public_op_has_an_entry_in_its_family_and_every_entry_an_op() {
    let methods = methods();
    for known in ["exp", "powf", "maximum", "matmul", "cat", "eq", "softmax", "conv2d", "add", "neg"] {
        assert!(methods.iter().any(|method| method.name == known), "the search for ops misses {known}");
    }
    for method in &methods {
        let family = FAMILIES.iter().find(|(name, _)| *name == method.family);
        let there = family.is_some_and(|(_, entries)| entries.iter().any(|entry| entry.name == method.name));
        assert!(there, "no entry for `{}` in tests/registry/{}.rs", method.name, method.family);
        assert!(!method.formula.is_empty(), "no documentation of `{}`", method.name);
    }
    for entry in entries() {
        assert!(methods.iter().any(|method| method.name == entry.name), "there is no op `{}`", entry.name);
    }
    let fallible = |name: &str| methods.iter().any(|method| method.name == name && method.fallible);
    assert_eq!(["exp", "eq", "matmul", "sum", "conv2d"].map(fallible), [false, true, true, false, true]);
}

#[test]
fn every_convention_is_of_an_op_and_tested() {
    let tests = include_str!("subgradients.rs");
    let conventions = conventions();
    assert!(conventions.len() > 4, "the search for conventions misses some");
    for name in conventions.iter().flat_map(|(functions, ..)| functions) {
        assert!(entries().any(|entry| entry.name == name), "a convention for `{name}`, which is no op");
        assert!(
            tests.contains(&format!("gradient(|x| x.{name}("))
                || tests.contains(&format!("gradient(|x| Ok(x.{name}(")),
            "the convention for `{name}` is not tested"
        );
    }
}
