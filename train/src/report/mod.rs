//! What a run was and what came of it, on one page.

mod environment;

use crate::figure::Figure;
use crate::page::{self, escaped};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// A report of a run: sections in the order in which they were added, and at the end where and when it ran.
///
/// The page is one file that needs nothing else, and is light or dark as the reader's system is; in a figure, black and white
/// then change places, and hues stay. [`save`](Self::save) adds the environment: the time from [`new`](Self::new) on, the
/// command line, the version of this crate, the revision of the working directory if `git` knows one, the processor with its
/// vector instructions, the number of threads that it runs at once, and the most memory that the process has held.
///
/// ```
/// use train::figure::{Figure, Lines};
/// use train::report::Report;
/// let loss = Lines::new("", "step", "loss").line("", [(0.0, 2.3), (1.0, 0.7), (2.0, 0.2)]);
/// let page = Report::new("A small run")
///     .facts("Configuration", [("learning rate", "0.1"), ("seed", "7")])
///     .figure("Training loss", &Figure::new("").panel(loss))
///     .table("Accuracy", ["class", "right"], [["0", "99 %"], ["1", "98 %"]])
///     .text("Layers", "fc  affine  [32, 10]")
///     .render();
/// assert!(page.contains("<h2>Training loss</h2>") && page.contains("<td>98 %</td>"));
/// ```
pub struct Report {
    title: String,
    sections: String,
    date: SystemTime,
    started: Instant,
}

impl Report {
    /// A report without sections. The run's time counts from here.
    pub fn new(title: impl Into<String>) -> Self {
        let (date, started) = (SystemTime::now(), Instant::now());
        Self { title: title.into(), sections: String::new(), date, started }
    }

    fn section(mut self, heading: &str, body: &str) -> Self {
        let heading = escaped(heading);
        writeln!(self.sections, "<section>\n<h2>{heading}</h2>\n{body}\n</section>")
            .expect("a string can be written to");
        self
    }

    /// The same report with names and what they are: a configuration, or results.
    #[must_use]
    pub fn facts<N: AsRef<str>, V: ToString>(
        self,
        heading: &str,
        facts: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let body = definitions(facts.into_iter().map(|(name, value)| (name, value.to_string())));
        self.section(heading, &body)
    }

    /// The same report with a table. The first column is set to the left, the others to the right.
    #[must_use]
    pub fn table<const N: usize>(
        self,
        heading: &str,
        columns: [&str; N],
        rows: impl IntoIterator<Item = [impl AsRef<str>; N]>,
    ) -> Self {
        let mut body = String::from("<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>");
        body.extend(columns.map(|column| format!("<th scope=\"col\">{}</th>", escaped(column))));
        body.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            let cells = row.map(|cell| format!("<td>{}</td>", escaped(cell.as_ref())));
            writeln!(body, "<tr>{}</tr>", cells.concat()).expect("a string can be written to");
        }
        body.push_str("</tbody>\n</table></div>");
        self.section(heading, &body)
    }

    /// The same report with a text in columns as it stands: what a table, a tape or a model prints.
    #[must_use]
    pub fn text(self, heading: &str, text: &(impl ToString + ?Sized)) -> Self {
        let body = format!("<pre class=\"wide\" tabindex=\"0\">{}</pre>", escaped(&text.to_string()));
        self.section(heading, &body)
    }

    /// The same report with a figure.
    #[must_use]
    pub fn figure(self, heading: &str, figure: &Figure) -> Self {
        // As an image, a drawing has names of its own: those of its parts are not confused with another's.
        let svg: String = figure
            .to_svg()
            .chars()
            .map(|c| match c {
                '%' | '#' | '"' | '<' | '>' | '&' | '\n' => format!("%{:02X}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        let alt = escaped(heading);
        let body = format!(
            "<div class=\"wide\" tabindex=\"0\"><img alt=\"{alt}\" src=\"data:image/svg+xml;charset=utf-8,{svg}\"></div>"
        );
        self.section(heading, &body)
    }

    /// The page as text, with the environment as it is now.
    pub fn render(&self) -> String {
        let environment = environment::facts(self.date, self.started.elapsed());
        let environment = definitions(environment.into_iter());
        let title = escaped(&self.title);
        let sections = &self.sections;
        let body = format!(
            "<main>\n<h1>{title}</h1>\n{sections}<section>\n<h2>Environment</h2>\n{environment}\n</section>\n</main>\n"
        );
        page::page(&self.title, include_str!("report.css"), &body, "")
    }

    /// Writes `target/reports/name.html`, and says so on standard error.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, name: &str) -> io::Result<PathBuf> {
        let folder = Path::new("target").join("reports");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{name}.html"));
        std::fs::write(&file, self.render())?;
        eprintln!("written: {}", file.display());
        Ok(file)
    }
}

fn definitions<N: AsRef<str>>(facts: impl Iterator<Item = (N, String)>) -> String {
    let rows = facts.map(|(name, value)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(name.as_ref()), escaped(&value))
    });
    format!("<dl>\n{}</dl>", rows.collect::<String>())
}
