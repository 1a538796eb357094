//! The peak of the processor: independent fused multiply-adds in registers, nothing else.
//!
//! It needs no crate, so that it can be compiled for a processor's vectors in a second: without features of the target,
//! `mul_add` is a call of a function. `compare.py` does so, and runs it beside the workloads.
//!
//! ```text
//! rustc -O -C target-feature=+avx512f,+avx2,+fma examples/benches/peak.rs && ./peak 1
//! ```

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// Lanes of a vector of single precision.
const LANES: usize = match () {
    () if cfg!(target_feature = "avx512f") => 16,
    () if cfg!(target_feature = "avx2") => 8,
    () => 4,
};
/// Vectors that do not wait for each other: units that start two operations in a cycle and end them four cycles later
/// want eight. All stay in registers, of which there are sixteen at least.
const CHAINS: usize = 12;
const STEPS: usize = 1 << 20;
/// As the workloads are measured: after a warm-up, the median of three repetitions.
const WARM_SECONDS: f64 = 0.2;
const SECONDS: f64 = 0.05;
const REPETITIONS: usize = 3;

#[inline(never)]
fn fused(factor: f32, term: f32) -> f32 {
    let mut sums = [0.0f32; CHAINS * LANES];
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = sum.mul_add(factor, term);
        }
    }
    sums.iter().sum()
}

/// Operations a second over at least so many seconds.
fn rate(seconds: f64) -> f64 {
    let (started, mut calls) = (Instant::now(), 0);
    while started.elapsed().as_secs_f64() < seconds {
        black_box(fused(black_box(0.999), black_box(0.001)));
        calls += 1;
    }
    (2 * calls * STEPS * CHAINS * LANES) as f64 / started.elapsed().as_secs_f64()
}

/// Prints the operations a second of as many threads as an argument says, together.
fn main() {
    let threads: usize = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1);
    let begin = Barrier::new(threads);
    let one = || {
        rate(WARM_SECONDS);
        [(); REPETITIONS].map(|()| {
            begin.wait();
            rate(SECONDS)
        })
    };
    let mut sums = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        threads.into_iter().fold([0.0; REPETITIONS], |sums, thread| {
            let rates = thread.join().expect("a thread that only computes");
            std::array::from_fn(|i| sums[i] + rates[i])
        })
    });
    sums.sort_by(f64::total_cmp);
    println!("{}", sums[REPETITIONS / 2]);
}
