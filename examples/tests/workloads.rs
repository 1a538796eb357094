//! The training workloads have the same bits for any number of threads.

use autodiff::with_threads;
use examples::workloads::{Workload, workloads};

const STEPS: usize = 2;

/// What so many steps leave, with the benchmark's batch for the small models and a quarter of it for the others.
fn state_after(steps: usize, workload: &Workload<f32>) -> Vec<(String, Vec<f32>)> {
    let batch = if workload.name.starts_with("mlp") { workload.batch } else { workload.batch / 4 };
    let mut training = (workload.build)(batch);
    for _ in 0..steps {
        training.step().unwrap();
    }
    training.state()
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    for workload in workloads::<f32>() {
        let state = |threads| with_threads(threads, || state_after(STEPS, &workload));
        let expected = state(1);
        for threads in [2, 3, 8] {
            for ((name, expected), (_, found)) in expected.iter().zip(state(threads)) {
                let same = expected.iter().map(|x| x.to_bits()).eq(found.iter().map(|x| x.to_bits()));
                assert!(same, "{}: {threads} threads change the bits of {name}", workload.name);
            }
        }
    }
}
