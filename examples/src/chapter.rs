//! What every chapter shares: its options, its claims, and its tables.
//!
//! A chapter is `fn main() -> ExitCode { chapter::run(|options, claims| { .. }) }`.

use clap::{Args, Parser};
use comfy_table::{CellAlignment, Table, presets};
use std::fmt::Display;
use std::process::ExitCode;

/// What a chapter returns; the error is printed in one line.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The options of every chapter.
#[derive(Args, Clone, Copy, Debug)]
pub struct Options {
    /// Does less: a few seconds.
    #[arg(long)]
    pub quick: bool,
    /// Fails with exit code 1 unless all claims hold.
    #[arg(long)]
    pub check: bool,
    /// Seed of all that is random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Threads to compute on; the numbers are the same for any number [default: one for each core].
    #[arg(long, value_parser = count)]
    pub threads: Option<u64>,
}

#[derive(Parser)]
#[command(version, about = "A chapter of the course: prints its numbers, and draws under target/figures/.")]
struct Plain {
    #[command(flatten)]
    options: Options,
}

/// A whole number from 1 to 1,000,000: a parser of options.
///
/// # Errors
/// If the text is none.
pub fn count(text: &str) -> std::result::Result<u64, String> {
    match text.parse::<u64>() {
        Ok(n) if (1..=1_000_000).contains(&n) => Ok(n),
        _ => Err("a whole number from 1 to 1000000 is needed".into()),
    }
}

/// Runs a chapter that has no options but [`Options`].
///
/// The exit code is 0 if all went well, 1 if with `--check` a claim does not hold, and 2 after a wrong option or an error.
pub fn run(body: impl FnOnce(&Options, &mut Claims) -> Result<()> + Send) -> ExitCode {
    run_with(|plain: &Plain| plain.options, |plain, claims| body(&plain.options, claims))
}

/// Runs a chapter with options of its own: `O` flattens [`Options`], and `common` shows them.
pub fn run_with<O: Parser + Sync>(
    common: impl FnOnce(&O) -> Options,
    body: impl FnOnce(&O, &mut Claims) -> Result<()> + Send,
) -> ExitCode {
    let options = match parse::<O>() {
        Ok(options) => options,
        Err(code) => return code,
    };
    let Options { check, threads, .. } = common(&options);
    compute(threads, || {
        let mut claims = Claims::default();
        body(&options, &mut claims)?;
        Ok(!check || claims.all_hold())
    })
}

/// The options of the command line; else the code to exit with.
///
/// # Errors
/// If they are wrong, which is said in one line.
pub fn parse<O: Parser>() -> std::result::Result<O, ExitCode> {
    O::try_parse().map_err(|error| {
        // What was asked for (help, the version) is printed whole, a mistake in one line.
        if !error.use_stderr() {
            error.exit();
        }
        let text = error.to_string();
        let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
        eprintln!("{}", lines.collect::<Vec<_>>().join(" "));
        ExitCode::from(2)
    })
}

/// Runs `body` on so many threads (one for each core if `None`); the exit code says what it returned: 0 for true, 1 for
/// false, 2 for an error, which is printed.
pub fn compute(threads: Option<u64>, body: impl FnOnce() -> Result<bool> + Send) -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.map_or(cores, |threads| threads as usize);
    match autodiff::with_threads(threads, || body().map_err(|error| error.to_string())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// What a chapter claims, each with its measured number.
#[derive(Debug, Default)]
pub struct Claims {
    held: usize,
    failed: usize,
}

impl Claims {
    /// Prints a claim and whether it holds.
    pub fn hold(&mut self, claim: impl Display, holds: bool) {
        if holds {
            self.held += 1;
            println!("holds: {claim}");
        } else {
            self.failed += 1;
            println!("FAILS: {claim}");
        }
    }

    /// Whether there are claims, and all of them hold.
    fn all_hold(&self) -> bool {
        if self.failed > 0 {
            eprintln!("error: {} of {} claims do not hold", self.failed, self.held + self.failed);
        } else if self.held == 0 {
            eprintln!("error: nothing was claimed");
        }
        self.failed == 0 && self.held > 0
    }
}

/// Prints a table with its columns aligned to the right, but for the first.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_hold_if_there_are_some_and_none_fails() {
        let holds = |claims: &[bool]| {
            let mut all = Claims::default();
            for &claim in claims {
                all.hold("it", claim);
            }
            all.all_hold()
        };
        assert!(holds(&[true, true]));
        assert!(!holds(&[true, false, true]));
        assert!(!holds(&[]));
    }
}
