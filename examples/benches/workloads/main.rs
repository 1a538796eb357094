//! Workloads that are measured against other frameworks, under their common names; see `--help`.
//!
//! Each is written as a user of the public API would write it. A figure is seconds per iteration: after a warm-up,
//! the median, smallest and largest of several repetitions, each an inner loop of a fixed least duration. With `--steps`
//! nothing is timed: the figures are then the memory of the process before, and the most that it has needed.

mod ops;
mod single;

use autodiff::Result;
use clap::Parser;
use examples::workloads::workloads;
use ops::OPS;
use single::Step;
use std::time::Instant;

/// Runs workloads and prints what each iteration takes.
#[derive(Parser)]
struct Options {
    /// Threads to compute on.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// Workloads that are called one of these, separated by commas, or whose name contains one that none is called; in
    /// this order.
    #[arg(long, default_value = "")]
    only: String,
    /// Single ops, not the workloads.
    #[arg(long)]
    ops: bool,
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
    /// Does so many steps of each instead, and prints what memory the process had and needed, a JSON object a line.
    #[arg(long)]
    steps: Option<u64>,
    /// Given by cargo; without effect.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Seconds per iteration, one figure a repetition.
fn measure(step: &mut dyn FnMut() -> Result<()>, options: &Options) -> Result<Vec<f64>> {
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
    let (single, trainings) =
        if options.ops { (OPS, Vec::new()) } else { (single::WORKLOADS, workloads::<f32>().into()) };
    let names: Vec<&str> = single.iter().map(|w| w.0).chain(trainings.iter().map(|w| w.name)).collect();
    let selects = |part: &str, name: &str| name == part || !names.contains(&part) && name.contains(part);
    let selected = |part: &str| names.iter().copied().filter(|name| selects(part, name)).collect::<Vec<_>>();
    let wanted =
        if parts.is_empty() { names.clone() } else { parts.into_iter().flat_map(selected).collect() };
    autodiff::with_threads(options.threads as usize, || {
        for name in wanted {
            for (_, build) in single.iter().filter(|workload| workload.0 == name) {
                run(name, build, &options);
            }
            for workload in trainings.iter().filter(|workload| workload.name == name) {
                let build = || {
                    let mut training = (workload.build)(workload.batch);
                    Step::new(move || training.step())
                };
                run(name, build, &options);
            }
        }
    });
}

/// Does a workload as the options say, and prints its figures.
fn run(name: &str, build: impl FnOnce() -> Step, options: &Options) {
    if let Some(steps) = options.steps {
        // The most that there was is from now on counted anew.
        let before = std::fs::write("/proc/self/clear_refs", "5").ok().and_then(|()| resident("VmRSS:"));
        let mut step = build();
        (0..steps).try_for_each(|_| (step.once)()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let peak = resident("VmHWM:");
        println!("{}", serde_json::json!({ "workload": name, "before_mib": before, "peak_mib": peak }));
        return;
    }
    let mut step = build();
    let times = measure(&mut step.once, options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    if options.json {
        let row = serde_json::json!({
            "system": concat!("autodiff-", env!("CARGO_PKG_VERSION")), "workload": name,
            "threads": options.threads, "median_s": median, "min_s": min, "max_s": max, "reps": times.len(),
            "flops": step.flops,
        });
        println!("{row}");
    } else {
        println!("{name:24} {:>10.3} µs  ({:.3} to {:.3})", median * 1e6, min * 1e6, max * 1e6);
    }
}

/// Mebibytes of a line of Linux's account of this process.
fn resident(line: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let figure = status.lines().find_map(|found| found.strip_prefix(line))?;
    Some(figure.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}
