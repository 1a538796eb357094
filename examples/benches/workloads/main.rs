//! Workloads that are measured against other frameworks, under their common names; see `--help`.
//!
//! Each is written as a user of the public API would write it. A figure is seconds per iteration: after a warm-up,
//! the median, smallest and largest of several repetitions, each an inner loop of a fixed least duration.

mod single;
mod training;

use autodiff::Result;
use clap::Parser;
use std::time::Instant;

/// Runs workloads and prints what each iteration takes.
#[derive(Parser)]
struct Options {
    /// Threads to compute on.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// Workloads whose name contains one of these, separated by commas.
    #[arg(long, default_value = "")]
    only: String,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Repetitions.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..))]
    reps: u64,
    /// Least seconds of one repetition.
    #[arg(long, default_value_t = 0.12)]
    rep_time: f64,
    /// Seconds of warm-up.
    #[arg(long, default_value_t = 0.4)]
    warm_time: f64,
    /// Given by cargo; without effect.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Does a workload once.
type Step = Box<dyn FnMut() -> Result<()>>;

/// A name and what builds the step that is timed.
type Workload = (&'static str, fn() -> Step);

/// Seconds per iteration, one figure a repetition.
fn measure(step: &mut Step, options: &Options) -> Result<Vec<f64>> {
    let started = Instant::now();
    let mut count = 0;
    while count < 3 || started.elapsed().as_secs_f64() < options.warm_time {
        step()?;
        count += 1;
    }
    let estimate = started.elapsed().as_secs_f64() / f64::from(count);
    let inner = (options.rep_time / estimate).round().max(1.0) as usize;
    let mut times = Vec::new();
    for _ in 0..options.reps {
        let started = Instant::now();
        for _ in 0..inner {
            step()?;
        }
        times.push(started.elapsed().as_secs_f64() / inner as f64);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn main() {
    let options = Options::parse();
    let parts: Vec<&str> = options.only.split(',').filter(|part| !part.is_empty()).collect();
    autodiff::with_threads(options.threads as usize, || {
        for (name, build) in single::WORKLOADS.iter().chain(training::WORKLOADS) {
            if !parts.is_empty() && !parts.iter().any(|part| name.contains(part)) {
                continue;
            }
            let times = match measure(&mut build(), &options) {
                Ok(times) => times,
                Err(error) => panic!("{name}: {error}"),
            };
            let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
            if options.json {
                let row = serde_json::json!({
                    "system": concat!("autodiff-", env!("CARGO_PKG_VERSION")), "workload": name,
                    "threads": options.threads, "median_s": median, "min_s": min, "max_s": max, "reps": times.len(),
                });
                println!("{row}");
            } else {
                println!("{name:24} {:>10.3} µs  ({:.3} to {:.3})", median * 1e6, min * 1e6, max * 1e6);
            }
        }
    });
}
