//! Holds the book, `docs/`, to the repository: every page is in it, every link leads somewhere, all code that it includes
//! is there, and every chapter has a page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder with this extension, by name.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|other| other == extension)).collect();
    found.sort();
    found
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a name")
}

/// The pages with their texts, without the table of contents.
fn pages() -> BTreeMap<String, String> {
    let pages = files("docs", "md").into_iter().filter(|path| name(path) != "SUMMARY.md");
    pages.map(|path| (name(&path).to_owned(), read(&path))).collect()
}

/// What stands between `open` and `close`, wherever `open` stands.
fn between<'a>(text: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close)).map(|(found, _)| found)
}

/// A text without its blocks of code, and without what stands in backticks.
fn prose(text: &str) -> String {
    let outside = text.split("```").step_by(2).collect::<Vec<_>>().join("\n");
    outside.split('`').step_by(2).collect()
}

/// Where the links and pictures of a page lead.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let found = between(&prose, "](", ')').chain(between(&prose, "src=\"", '"'));
    found.map(str::to_owned).collect()
}

/// The anchors of a page: its headings in small letters, with hyphens between the words.
fn anchors(text: &str) -> BTreeSet<String> {
    let outside = text.split("```").step_by(2).flat_map(str::lines);
    let headings =
        outside.filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let letter = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    };
    headings.map(|heading| heading.to_lowercase().chars().filter_map(letter).collect()).collect()
}

/// What is wrong with a link from a file.
fn broken(from: &Path, link: &str) -> Option<String> {
    if link.starts_with("https://") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let to = if path.is_empty() { from.to_owned() } else { from.parent().expect("a folder").join(path) };
    if !to.exists() {
        return Some(format!("{}: there is no {link}", name(from)));
    }
    let found = anchor.is_empty() || anchors(&read(&to)).contains(anchor);
    (!found).then(|| format!("{}: there is no heading {link}", name(from)))
}

/// What the pages include, as they say it: a path, and perhaps an anchor behind a colon.
fn includes(text: &str) -> impl Iterator<Item = &str> {
    between(text, "{{#include ", '}')
}

/// The lines of a file between `ANCHOR: name` and `ANCHOR_END: name`, if there is one such piece.
fn piece<'a>(text: &'a str, anchor: &str) -> Option<&'a str> {
    let (open, close) = (format!("// ANCHOR: {anchor}\n"), format!("// ANCHOR_END: {anchor}\n"));
    let once = text.matches(&open).count() == 1 && text.matches(&close).count() == 1;
    once.then(|| text.split_once(&open)?.1.split_once(&close)).flatten().map(|(piece, _)| piece)
}

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let mut listed = links(&read(&root().join("docs/SUMMARY.md")));
    listed.sort();
    assert_eq!(listed, pages().into_keys().collect::<Vec<_>>());
}

#[test]
fn every_link_leads_somewhere() {
    let mut from = files("docs", "md");
    from.extend(["README.md", "CONTRIBUTING.md"].map(|page| root().join(page)));
    let of =
        |page: &PathBuf| links(&read(page)).into_iter().map(|link| (page.clone(), link)).collect::<Vec<_>>();
    let links: Vec<_> = from.iter().flat_map(of).collect();
    assert!(links.len() > 50, "only {} links were found", links.len());
    let broken: Vec<_> = links.iter().filter_map(|(page, link)| broken(page, link)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn what_is_included_is_there_and_every_anchor_is_used() {
    let mut missing = Vec::new();
    let mut used = BTreeSet::new();
    for (page, text) in pages() {
        for include in includes(&text) {
            let (path, anchor) = include.split_once(':').unwrap_or((include, ""));
            let file = root().join("docs").join(path);
            let whole = fs::read_to_string(&file).unwrap_or_default();
            let found = if anchor.is_empty() { Some(&*whole) } else { piece(&whole, anchor) };
            if found.is_none_or(|piece| piece.trim().is_empty()) {
                missing.push(format!("{page}: {include}"));
            }
            used.insert(format!("{}:{anchor}", name(&file)));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    for chapter in files("examples", "rs").into_iter().chain(files("examples/src", "rs")) {
        let text = read(&chapter);
        let unused: Vec<_> = between(&text, "// ANCHOR: ", '\n')
            .filter(|anchor| !used.contains(&format!("{}:{anchor}", name(&chapter))))
            .collect();
        assert!(unused.is_empty(), "{}: no page includes {unused:?}", name(&chapter));
    }
}

#[test]
fn every_chapter_has_a_page_and_every_figure_is_shown() {
    let pages = pages();
    let all: String = pages.values().map(String::as_str).collect();
    let readme = read(&root().join("README.md"));
    let chapters: Vec<_> = between(&readme, "`](examples/", '.').collect();
    assert!(chapters.len() > 20, "only {} chapters were found", chapters.len());
    for chapter in chapters {
        let command = format!("cargo run --release --example {chapter}\n");
        let code = format!("../examples/{chapter}.rs");
        let described = |text: &&String| text.contains(&command) && text.contains(&code);
        assert!(pages.values().any(|text| described(&text)), "no page shows {chapter} and how to run it");
    }
    for figure in files("docs/figures", "svg") {
        assert!(all.contains(&format!("](figures/{})", name(&figure))), "no page shows {}", name(&figure));
    }
}

#[test]
#[ignore = "after `mdbook build docs`"]
fn the_built_book_has_no_broken_link() {
    let book = root().join("target/book");
    let mut broken = Vec::new();
    let mut count = 0;
    // The page for what was not found has addresses of a server.
    for page in files("target/book", "html").iter().filter(|page| name(page) != "404.html") {
        let text = read(page);
        for link in between(&text, " href=\"", '"').chain(between(&text, " src=\"", '"')) {
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            // As `links.js` has it.
            let to = match (path.is_empty(), path.starts_with("../")) {
                (true, _) => page.clone(),
                (_, true) => book.join("..").join(path.replace(".html", ".md")),
                _ => book.join(path),
            };
            let found = to.exists()
                && (anchor.is_empty()
                    || path.starts_with("../")
                    || read(&to).contains(&format!(" id=\"{anchor}\"")));
            if !found {
                broken.push(format!("{}: {link}", name(page)));
            }
        }
    }
    assert!(count > 500, "only {count} links were found");
    assert!(broken.is_empty(), "{broken:#?}");
}
