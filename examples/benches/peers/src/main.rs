//! The workloads of `cargo bench -p examples --bench workloads` in candle and burn, under the same names.
//!
//! It prints the names as a JSON array, then reads one request a line, `THREADS NAME`, and answers each with a JSON object a
//! line: seconds per iteration, measured as by the benchmark itself. Threads are those of the environment, which is read
//! once:
//!
//! ```sh
//! echo 2 lenet_mnist_adam | RAYON_NUM_THREADS=2 cargo run --release -- burn
//! ```

mod burn;
mod candle;

use clap::{Parser, ValueEnum};
use std::time::Instant;

/// Does a workload once.
type Step = Box<dyn FnMut()>;

/// A name, and what builds the step that is timed.
type Workload = (&'static str, fn() -> Step);

/// A framework.
#[derive(Clone, Copy, ValueEnum)]
enum System {
    /// On its backend for the CPU, flex.
    Burn,
    Candle,
}

/// Times workloads in another framework.
#[derive(Parser)]
struct Options {
    system: System,
    /// Repetitions.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..))]
    reps: u64,
    /// Least seconds of one repetition.
    #[arg(long, default_value_t = 0.12)]
    rep_time: f64,
    /// Seconds of warm-up.
    #[arg(long, default_value_t = 0.4)]
    warm_time: f64,
}

/// Seconds per iteration, one figure a repetition.
fn measure(step: &mut dyn FnMut(), options: &Options) -> Vec<f64> {
    let started = Instant::now();
    let mut count = 0;
    while count < 3 || started.elapsed().as_secs_f64() < options.warm_time {
        step();
        count += 1;
    }
    let estimate = started.elapsed().as_secs_f64() / f64::from(count);
    let inner = (options.rep_time / estimate).round().max(1.0) as usize;
    let mut times = Vec::new();
    for _ in 0..options.reps {
        let started = Instant::now();
        for _ in 0..inner {
            step();
        }
        times.push(started.elapsed().as_secs_f64() / inner as f64);
    }
    times.sort_by(f64::total_cmp);
    times
}

fn main() {
    let options = Options::parse();
    let workloads = match options.system {
        System::Burn => burn::WORKLOADS,
        System::Candle => candle::WORKLOADS,
    };
    println!("{}", serde_json::json!(workloads.iter().map(|workload| workload.0).collect::<Vec<_>>()));
    let pool = std::env::var("RAYON_NUM_THREADS").ok();
    for line in std::io::stdin().lines() {
        let line = line.expect("requests are text");
        let (threads, name) = line.split_once(' ').expect("a request is THREADS NAME");
        assert_eq!(Some(threads), pool.as_deref(), "RAYON_NUM_THREADS says how many threads there are");
        let (_, build) =
            workloads.iter().find(|workload| workload.0 == name).expect("a workload is called this");
        let times = measure(&mut build(), &options);
        println!(
            "{}",
            serde_json::json!({
                "workload": name, "threads": threads.parse::<u64>().expect("a number of threads"),
                "median_s": times[times.len() / 2], "min_s": times[0], "max_s": times[times.len() - 1], "reps": times.len(),
            })
        );
    }
}
