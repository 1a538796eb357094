//! The pages, opened and clicked through in headless Chromium: `cargo test -p train --features browser --test browser`.

mod driver;
mod report;
mod viewer;

use driver::Browser;
use std::path::{Path, PathBuf};

/// The page in a file of a folder.
fn written(folder: &Path, page: &str) -> PathBuf {
    let file = folder.join("page.html");
    std::fs::write(&file, page).expect("the folder can be written to");
    file
}

/// Runs `look` on the page that is open, light and dark, at a telephone's width and at a desk's; holds each time that
/// nothing sticks out, and that every text can be read.
fn in_every_form(browser: &Browser, look: impl Fn(&Browser)) {
    for dark in [false, true] {
        browser.dark(dark);
        for (width, height) in [(360, 740), (1400, 900)] {
            browser.resize(width, height);
            look(browser);
            assert!(browser.overflow() <= 0, "{} pixels too wide at {width}", browser.overflow());
            let faint = browser.faint_texts();
            assert!(faint.is_empty(), "dark: {dark}, {width} pixels wide: {faint:?}");
            if let Some(folder) = std::env::var_os("SCREENSHOTS") {
                let shown = browser.run("return document.title.replace(/\\W+/g, '_')");
                let mode = if dark { "dark" } else { "light" };
                let name = format!("{}_{width}_{mode}.png", shown.as_str().expect("a title"));
                browser.screenshot(&Path::new(&folder).join(name));
            }
        }
    }
}
