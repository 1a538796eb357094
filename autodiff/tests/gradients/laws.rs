//! What an entry of the registry is held to.

use crate::registry::{Case, Entry, entries, for_any};
use crate::source;
use autodiff::Tensor;
use autodiff::check::property;
use std::panic::catch_unwind;

/// Holds an op to every law, to the values that are known, and to having a gradient if and only if it says so.
pub(crate) fn hold(entries: &'static [Entry], name: &str) {
    let entry = entries.iter().find(|entry| entry.name == name).expect("an entry of this name");
    for (number, known) in entry.gives.iter().enumerate() {
        let found = (known.found)().expect("a value").to_vec();
        let near =
            |(&a, &b): (&f64, &f64)| a == b || (a - b).abs() <= 1e-15 * b.abs() || a.is_nan() && b.is_nan();
        let same = found.len() == known.expected.len() && found.iter().zip(known.expected).all(near);
        assert!(same, "{name}, value {number}: {found:?} where {:?} is known", known.expected);
    }
    for_any!(&entry.form, case => {
        assert_eq!(has_gradient(case), !entry.gradient.is_empty(), "{name}: whether there is a gradient");
        property::hold(&(case.shapes)(), case.domains, &case.double, &case.single, case.source);
    });
}

/// Whether what it makes of variables is on the tape.
fn has_gradient<const N: usize>(case: &Case<N>) -> bool {
    let (shapes, choice) = (case.shapes)().large();
    let at: [Tensor<f64>; N] = std::array::from_fn(|i| case.domains[i].tensor(i, shapes[i]).variable());
    let output = (case.double)(std::array::from_fn(|i| &at[i]), choice).expect("a value");
    output.is_tracked()
}

#[test]
fn bad_inputs_are_refused_by_name_with_the_figures_and_the_line() {
    let mut wrong = Vec::new();
    for entry in entries() {
        for bad in entry.bad {
            let found = match catch_unwind(bad.call) {
                Ok(Some(error)) => {
                    let text = error.to_string();
                    let names = text.starts_with(&format!("{}: ", entry.name)) && text.contains(bad.says);
                    if names && error.site().file().contains("registry") {
                        continue;
                    }
                    text
                }
                Ok(None) => "no error".to_owned(),
                Err(_) => "a panic".to_owned(),
            };
            wrong.push(format!("{}: {found}, where the text is to say {:?}", entry.name, bad.says));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_op_that_can_fail_has_a_bad_input() {
    for method in source::methods().iter().filter(|method| method.fallible) {
        let entry = entries().find(|entry| entry.name == method.name);
        assert!(entry.is_none_or(|entry| !entry.bad.is_empty()), "no bad input for {}", method.name);
    }
}

#[test]
fn an_op_without_a_gradient_has_known_values() {
    for entry in entries().filter(|entry| entry.gradient.is_empty()) {
        assert!(!entry.gives.is_empty(), "no known value for {}", entry.name);
    }
}
