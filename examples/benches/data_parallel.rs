//! Training steps with the ops cut among the threads, and with the batch cut into one slice a thread.
//!
//! Both do the same number of steps in turn. A figure is the median over the rounds, the ratio that of the ratios round by
//! round, with the smallest and the largest: below 1, slices are faster. The `ResNet`'s slices are another function, as each
//! is normalised by itself.

use autodiff::Result;
use clap::Parser;
use examples::workloads::{Training, workloads};
use std::time::Instant;

/// Times training steps with ops, and with the batch, cut among threads.
#[derive(Parser)]
struct Options {
    /// Threads to compute on, and slices of the batch.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// Rounds.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Least seconds of one side of a round.
    #[arg(long, default_value_t = 0.1)]
    time: f64,
    /// Given by cargo; without effect.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured: a step of a training.
type Step = fn(&mut Training<f32>, usize) -> Result<()>;

/// Milliseconds of one of `count` steps.
fn time(training: &mut Training<f32>, step: Step, threads: usize, count: usize) -> Result<f64> {
    let started = Instant::now();
    for _ in 0..count {
        step(training, threads)?;
    }
    Ok(started.elapsed().as_secs_f64() * 1e3 / count as f64)
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() -> Result<()> {
    let options = Options::parse();
    let threads = options.threads as usize;
    autodiff::with_threads(threads, || {
        println!("{:<20} {:>11} {:>11}   ratio", format!("{threads} threads"), "ops", "slices");
        for workload in workloads::<f32>() {
            let mut training = (workload.build)(workload.batch);
            let steps: [Step; 2] = [|training, _| training.step(), Training::step_in_parts];
            let mut counts = [1; 2];
            for (step, count) in steps.iter().zip(&mut counts) {
                time(&mut training, *step, threads, 2)?;
                let estimate = time(&mut training, *step, threads, 2)?;
                *count = (options.time * 1e3 / estimate).ceil() as usize;
            }
            let (mut times, mut ratios) = ([Vec::new(), Vec::new()], Vec::new());
            for _ in 0..options.rounds {
                for ((step, count), times) in steps.iter().zip(counts).zip(&mut times) {
                    times.push(time(&mut training, *step, threads, count)?);
                }
                ratios.push(times[1][times[1].len() - 1] / times[0][times[0].len() - 1]);
            }
            let (ratio, [ops, slices]) = (median(&mut ratios), times.map(|mut times| median(&mut times)));
            println!(
                "{:<20} {ops:>8.3} ms {slices:>8.3} ms   {ratio:.2} ({:.2} to {:.2})",
                workload.name,
                ratios[0],
                ratios[ratios.len() - 1],
            );
        }
        Ok(())
    })
}
