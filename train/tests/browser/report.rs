//! The report of a run: all that it was given is there, and can be read.

use crate::driver::Browser;
use crate::{in_every_form, written};
use autodiff::{Rng, Tensor};
use nn::Conv2d;
use train::figure::{Confusion, Figure, Lines};
use train::report::Report;

#[test]
fn a_report_shows_all_that_it_was_given() {
    let loss: Vec<(f64, f64)> = (0..200).map(|i| (f64::from(i), (-0.02 * f64::from(i)).exp())).collect();
    let names = ["0", "1", "2", "3"];
    let confusion = Confusion::new("", &names, &[97, 1, 2, 0, 0, 100, 0, 0, 3, 0, 90, 7, 0, 0, 1, 99]);
    let conv: Conv2d = Conv2d::new(1, 16, 5, &mut Rng::seed(3));
    let activations: Tensor = Rng::seed(4).uniform([1, 8, 12, 12], 0.0, 2.0);
    let page = Report::new("A run <of> a test")
        .facts("Configuration", [("learning rate", 0.002), ("batch", 64.0)])
        .figure("Training loss", &Figure::new("").panel(Lines::new("", "step", "loss").line("batch", loss)))
        .figure("Confusion", &Figure::new("").panel(confusion))
        .figure("Filters", &Figure::images("", &*conv.weight))
        .figure("Activations", &Figure::images("", &activations))
        .table("Classes", ["class", "right", "accuracy"], [["0", "97", "97.00 %"], ["1", "100", "100.00 %"]])
        .text("Layers", &format!("{:60}|", "a long line"))
        .render();
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start();
    browser.open_file(&written(folder.path(), &page));
    assert_eq!(browser.text("h1"), "A run <of> a test");
    let headings = browser.run("return [...document.querySelectorAll('h2')].map((it) => it.textContent)");
    let expected =
        ["Configuration", "Training loss", "Confusion", "Filters", "Activations", "Classes", "Layers"];
    assert_eq!(headings.as_array().unwrap()[..7], expected);
    let drawn = "return [...document.images].every((it) => it.complete && it.naturalWidth > 100)";
    assert_eq!(browser.run(drawn), true);
    assert_eq!(browser.text("tbody tr:nth-child(2) td:nth-child(3)"), "100.00 %");
    assert_eq!(browser.text("section:last-child div:nth-child(4) dd"), env!("CARGO_PKG_VERSION"));
    in_every_form(&browser, |_| {});
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
