//! The reference page of the ops, `OPS.md`, made from the registry, the documentation and the tape.

use crate::registry::{Case, Entry, FAMILIES, for_any};
use crate::source;
use autodiff::graph::What;
use autodiff::{Graph, Tensor};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/OPS.md");

const HEAD: &str = "\
# The ops

Made by `UPDATE_OPS=1 cargo test -p autodiff --test gradients ops_page` from the registry (`tests/registry`), the
documentation of the methods, and the tape; a test fails if it is out of date.

- *formula*: what the method of `Tensor` (or the operator) computes.
- *gradient*: what goes back to each tracked input, where `g` is the gradient of the result, `y` the result, `x` (or `a`
  and `b`) the input; *none* for an op whose result is a constant.
- *where it has none*: the choice made at kinks and ties.
- *kept*: the values that the tape keeps for the gradient when all inputs are tracked, as it says itself; what an op
  remembers besides (indices, masks) is not counted. An op made of others names them.
- *held to*: how many checks beside the laws: *all* is every law of `autodiff::check` that any function obeys, over
  random shapes, layouts and numbers, at first and second order; *lengths* is the law of elementwise functions; then how
  many known values, and how many bad inputs that are refused in words.
";

/// What the tape keeps of a call with all inputs tracked.
fn kept<const N: usize>(case: &Case<N>) -> String {
    let (shapes, choice) = (case.shapes)().large();
    let at: [Tensor<f64>; N] = std::array::from_fn(|i| case.domains[i].tensor(i, shapes[i]).variable());
    let output = (case.double)(std::array::from_fn(|i| &at[i]), choice).expect("a value");
    let graph = Graph::of(&[&output]);
    let ops = graph.steps().iter().filter_map(|step| match step.what {
        What::Op(name) => Some((name, step)),
        _ => None,
    });
    let of = |count: usize, index: usize| match (count, index) {
        (1, _) => "`x`".to_owned(),
        (2, 0) => "`a`".to_owned(),
        (2, _) => "`b`".to_owned(),
        (_, index) => format!("input {index}"),
    };
    let parts: Vec<(&str, Vec<String>)> = ops
        .map(|(name, step)| {
            let inputs = step.inputs.iter().enumerate().filter(|(_, input)| input.saved);
            let inputs = inputs.map(|(index, _)| of(step.inputs.len(), index));
            (name, inputs.chain(step.saves_output.then(|| "`y`".to_owned())).collect())
        })
        .collect();
    let some: Vec<_> = parts.iter().filter(|(_, values)| !values.is_empty()).collect();
    match (&some[..], parts.len()) {
        (_, 0) => "—".to_owned(),
        ([], _) => "nothing".to_owned(),
        ([(_, values)], 1) => values.join(", "),
        (some, _) => {
            let each = some.iter().map(|(name, values)| format!("{} of `{name}`", values.join(", ")));
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

/// The laws and the other checks of an entry.
fn held_to(entry: &Entry) -> String {
    let elementwise = for_any!(&entry.form, case => (case.shapes)().is_elementwise());
    let mut parts = vec!["all".to_owned()];
    if elementwise {
        parts.push("lengths".to_owned());
    }
    let mut count = |n: usize, what: &str| match n {
        0 => {}
        1 => parts.push(format!("1 {what}")),
        n => parts.push(format!("{n} {what}s")),
    };
    count(entry.gives.len(), "value");
    count(entry.bad.len(), "refusal");
    parts.join(", ")
}

/// A cell of a table: links to other methods become their names.
fn cell(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((name, target)) = after.split_once("`]") else { break };
        let _ = write!(plain, "{before}`{name}`");
        rest = target
            .strip_prefix('(')
            .and_then(|target| target.split_once(')'))
            .map_or(target, |(_, rest)| rest);
    }
    plain.push_str(rest);
    plain.replace('|', "\\|")
}

/// The whole page.
fn page() -> String {
    let methods = source::methods();
    let formula = |name: &str| &methods.iter().find(|method| method.name == name).expect("an op").formula;
    let mut conventions = BTreeMap::new();
    for (functions, at, gradient) in source::conventions() {
        conventions.extend(functions.into_iter().map(|name| (name, format!("{gradient} ({at})"))));
    }
    let mut page = HEAD.to_owned();
    for (family, entries) in &FAMILIES {
        let _ = write!(
            page,
            "\n## {family}\n\n| op | formula | gradient | where it has none | kept | held to | as |\n\
             |---|---|---|---|---|---|---|\n"
        );
        for entry in *entries {
            let gradient = entry.gradient.first().copied().unwrap_or("*none*");
            let convention = conventions.get(entry.name).map_or("", String::as_str);
            let kept = for_any!(&entry.form, case => kept(case));
            let cells =
                [formula(entry.name), gradient, convention, &kept, &held_to(entry)].map(cell).join(" | ");
            let _ = writeln!(page, "| `{}` | {cells} | `{}` |", entry.name, entry.like);
        }
    }
    page
}

#[test]
fn ops_page() {
    let page = page();
    if std::env::var_os("UPDATE_OPS").is_some() {
        std::fs::write(PAGE, &page).expect("the page is written");
    }
    let committed = std::fs::read_to_string(PAGE).unwrap_or_default();
    let differs = page.lines().zip(committed.lines()).find(|(a, b)| a != b);
    let how = "out of date: run `UPDATE_OPS=1 cargo test -p autodiff --test gradients ops_page`";
    assert!(page == committed, "OPS.md is {how}\nfirst difference: {differs:#?}");
}
