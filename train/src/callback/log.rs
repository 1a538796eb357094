//! A training as rows of text.

use super::{Callback, Run};
use crate::trainer::value;
use crate::{Error, Result};
use autodiff::{Float, StateDict};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file of rows, each of which says after which step it was written.
#[derive(Debug)]
struct Rows {
    path: PathBuf,
    each_step: bool,
    /// The first line, with its end, if there is one.
    head: Option<String>,
    out: Option<BufWriter<File>>,
}

impl Rows {
    fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), each_step: false, head: None, out: None }
    }

    /// Opens the file: empty, or, if a training is taken up, with the lines to step `steps` that are whole. The head of a table is
    /// of step 0.
    fn open(&mut self, steps: u64, step_of: impl Fn(&str) -> Option<u64>) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        let mut kept = String::new();
        if steps > 0 && self.path.try_exists().map_err(Error::io(&self.path))? {
            let bytes = fs::read(&self.path).map_err(Error::io(&self.path))?;
            // A line that was torn in the middle of a character is dropped as any other.
            let text = String::from_utf8_lossy(&bytes);
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let step = step_of(line).ok_or_else(|| {
                    Error::format(&self.path, format!("this is no row of a log: {:?}", line.trim_end()))
                })?;
                if step > steps {
                    break;
                }
                kept.push_str(line);
            }
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path);
        let file = file.map_err(Error::io(&self.path))?;
        file.set_len(kept.len() as u64).map_err(Error::io(&self.path))?;
        drop(file);
        let file = OpenOptions::new().append(true).open(&self.path).map_err(Error::io(&self.path))?;
        self.out = Some(BufWriter::new(file));
        self.head = kept.split_inclusive('\n').next().map(str::to_owned);
        Ok(())
    }

    fn write(&mut self, line: &str) -> Result<()> {
        let out = self.out.as_mut().expect("the hook before it has opened the file");
        self.head.get_or_insert_with(|| line.to_owned());
        out.write_all(line.as_bytes()).map_err(Error::io(&self.path))
    }

    /// Brings what has been written to the disk.
    fn sync(&mut self) -> Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        out.flush().and_then(|()| out.get_ref().sync_data()).map_err(Error::io(&self.path))
    }
}

/// What the logs share, which have a `row` each, and know of a line of which step it is.
macro_rules! log {
    ($Log:ident) => {
        impl $Log {
            /// A log in this file, with a row for each epoch. Its folder is made if it is not there.
            pub fn new(path: impl Into<PathBuf>) -> Self {
                Self { rows: Rows::new(path) }
            }

            /// The same with a row for each step, and none for the epochs.
            #[must_use]
            pub fn each_step(mut self) -> Self {
                self.rows.each_step = true;
                self
            }

            /// The file.
            pub fn path(&self) -> &Path {
                &self.rows.path
            }
        }

        impl<T: Float> Callback<T> for $Log {
            fn start(&mut self, run: &mut Run<'_, T>) -> Result<()> {
                self.rows.open(run.steps(), Self::step_of)
            }

            fn step(&mut self, run: &mut Run<'_, T>) -> Result<()> {
                if self.rows.each_step { self.row(run.epoch, run.steps(), run.values) } else { Ok(()) }
            }

            fn epoch(&mut self, run: &mut Run<'_, T>) -> Result<()> {
                if !self.rows.each_step {
                    self.row(run.epoch, run.steps(), run.values)?;
                }
                self.rows.sync()
            }

            fn end(&mut self, _run: &mut Run<'_, T>) -> Result<()> {
                self.rows.sync()
            }

            fn state(&mut self) -> Result<StateDict<T>> {
                self.rows.sync()?;
                Ok(StateDict::new())
            }
        }
    };
}

/// A table of comma-separated values: `epoch` (from 0), `steps` (done so far), and the values by name.
///
/// The columns are those of the first row; a value that a later row lacks is an empty cell. NaN and infinities are `NaN`, `inf`
/// and `-inf`, as NumPy and pandas read them. A number is written in as few digits as give it back.
///
/// Rows are on the disk after each epoch and before each checkpoint. A training that is taken up drops the rows after its
/// checkpoint, which it writes again: the file is that of a training that was never interrupted, byte by byte. One that starts
/// anew empties the file.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::Sgd;
/// use train::{CsvLog, Trainer};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("log.csv");
/// let mut w = Parameter::new(Tensor::scalar(1.0));
/// Trainer::new(2).callback(CsvLog::new(&path)).fit(
///     &mut w,
///     &mut Sgd::new(0.25),
///     |_| [1.0, 2.0],
///     |w, factor| Ok(w.square() * factor),
/// )?;
/// let text = std::fs::read_to_string(&path)?;
/// assert_eq!(text, "epoch,steps,loss,learning_rate\n0,2,0.75,0.25\n1,4,0,0.25\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CsvLog {
    rows: Rows,
}

log!(CsvLog);

impl CsvLog {
    fn step_of(line: &str) -> Option<u64> {
        if line.starts_with("epoch,steps") {
            return Some(0);
        }
        line.trim_end().split(',').nth(1)?.parse().ok()
    }

    fn row(&mut self, epoch: u64, steps: u64, values: &[(String, f64)]) -> Result<()> {
        if self.rows.head.is_none() {
            let names = ["epoch".to_owned(), "steps".to_owned()].into_iter();
            let names: Vec<_> = names.chain(values.iter().map(|(name, _)| quoted(name))).collect();
            self.rows.write(&format!("{}\n", names.join(",")))?;
        }
        let head = self.rows.head.as_deref().unwrap_or_default().trim_end_matches('\n');
        let columns: Vec<String> = cells(head).skip(2).collect();
        let values: Vec<(String, f64)> =
            values.iter().map(|(name, value)| (one_line(name), *value)).collect();
        if let Some((name, _)) = values.iter().find(|(name, _)| !columns.contains(name)) {
            let message = format!("there is no column for {name:?}, which the first row had not");
            return Err(Error::format(&self.rows.path, message));
        }
        let mut line = format!("{epoch},{steps}");
        for column in &columns {
            line.push(',');
            if let Some(value) = value(&values, column) {
                let _ = write!(line, "{value}");
            }
        }
        line.push('\n');
        self.rows.write(&line)
    }
}

/// A name with spaces for ends of lines, so that a row is a line.
fn one_line(name: &str) -> String {
    name.replace(['\n', '\r'], " ")
}

/// A cell, in quotes where it has a comma or a quote (RFC 4180).
fn quoted(name: &str) -> String {
    let name = one_line(name);
    if name.contains([',', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name }
}

/// The cells of a line, without their quotes.
fn cells(line: &str) -> impl Iterator<Item = String> {
    let (mut cells, mut inside) = (vec![String::new()], false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let last = cells.last_mut().expect("there is one");
        match c {
            '"' if inside && characters.peek() == Some(&'"') => last.extend(characters.next()),
            '"' => inside = !inside,
            ',' if !inside => cells.push(String::new()),
            c => last.push(c),
        }
    }
    cells.into_iter()
}

/// A line of JSON for each row: `{"epoch":0,"steps":24,"loss":0.5}`, the values in their order.
///
/// JSON has no NaN and no infinities: they are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`, as in JSON made from protocol
/// buffers. What an interrupted training leaves is as for [`CsvLog`].
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::Sgd;
/// use train::{JsonlLog, Trainer};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("log.jsonl");
/// let mut w = Parameter::new(Tensor::scalar(0.0));
/// Trainer::new(1).callback(JsonlLog::new(&path)).fit(
///     &mut w,
///     &mut Sgd::new(0.25),
///     |_| [()],
///     |w, ()| Ok(w.ln()),
/// )?;
/// assert_eq!(
///     std::fs::read_to_string(&path)?,
///     "{\"epoch\":0,\"steps\":1,\"loss\":\"-Infinity\",\"learning_rate\":0.25}\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JsonlLog {
    rows: Rows,
}

log!(JsonlLog);

impl JsonlLog {
    fn step_of(line: &str) -> Option<u64> {
        serde_json::from_str::<Value>(line).ok()?.get("steps")?.as_u64()
    }

    fn row(&mut self, epoch: u64, steps: u64, values: &[(String, f64)]) -> Result<()> {
        // Not by a map of the crate, which sorts the names.
        let mut line = format!("{{\"epoch\":{epoch},\"steps\":{steps}");
        for (name, value) in values {
            let value = match value {
                value if value.is_nan() => json!("NaN"),
                &f64::INFINITY => json!("Infinity"),
                &f64::NEG_INFINITY => json!("-Infinity"),
                value => json!(value),
            };
            let _ = write!(line, ",{}:{value}", json!(name));
        }
        line.push_str("}\n");
        self.rows.write(&line)
    }
}
