//! What a pass over MNIST with augmentation takes, by the number of threads that work ahead:
//! `cargo bench -p datasets --bench loader`.
//!
//! Each number has a process of its own, as the most memory that a process has held does not go down again. It is read where
//! Linux tells it.

use datasets::{Augment, Loader, mnist};
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

/// The variable that tells a process how many threads are to work ahead.
const WORKERS: &str = "LOADER_BENCH_WORKERS";

fn main() {
    if let Ok(workers) = env::var(WORKERS) {
        return pass(workers.parse().expect("a number"));
    }
    println!("{:>8}{:>10}{:>14}{:>14}", "workers", "seconds", "MiB before", "MiB at most");
    for workers in ["0", "1", "2", "4", "8"] {
        let program = env::current_exe().expect("the program's own file");
        let status = Command::new(program).env(WORKERS, workers).status().expect("it can be run");
        assert!(status.success(), "{status}");
    }
}

/// Goes through the images once, and prints what that took.
fn pass(workers: usize) {
    let data = mnist::shipped().expect("the files ship").train;
    let augment = Augment::new().shift(2.0).scaling(0.1).rotation(12.0).shear(8.0);
    let loader = Loader::new(&data, 64).shuffle(1).augment(augment, 1).workers(workers);
    let (before, started) = (mebibytes("VmRSS:"), Instant::now());
    let images: usize = loader.iter().map(|batch| batch.len()).sum();
    assert_eq!(images, 60_000);
    let seconds = started.elapsed().as_secs_f64();
    println!("{workers:>8}{seconds:>10.2}{before:>14}{:>14}", mebibytes("VmHWM:"));
}

/// What the system says of this process's memory.
fn mebibytes(what: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.map_or("?".into(), |kibibytes| format!("{:.1}", kibibytes / 1024.0))
}
