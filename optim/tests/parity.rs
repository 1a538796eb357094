//! What PyTorch does, step by step: `tests/parity/make.py` has written it down.

mod optimizers;
mod schedules;

use serde_json::Value;

/// The numbers of an array, of however many levels.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        _ => vec![value.as_f64().expect("a number")],
    }
}

/// Holds each number to its reference, to 1e-10 of the latter or, below 1e-4, to 1e-14.
fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}: another number of values");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs();
        assert!(off <= 1e-10 * expected.abs().max(1e-4), "{what}, value {i}: {found} for {expected}");
    }
}

/// Holds each case of a file's section to what `compare` finds. The cases of both must be the same.
fn each_case<C>(
    section: &Value,
    cases: impl IntoIterator<Item = (&'static str, C)>,
    mut compare: impl FnMut(&str, C, &Value),
) {
    let section = section.as_object().expect("a section");
    let mut names = Vec::new();
    for (name, case) in cases {
        compare(name, case, section.get(name).unwrap_or_else(|| panic!("no reference for {name:?}")));
        names.push(name);
    }
    for name in section.keys() {
        assert!(names.contains(&name.as_str()), "the reference {name:?} is compared to nothing");
    }
}
