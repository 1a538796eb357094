//! What is alive at once, at most, is measured exactly: whatever is recycled, nested, or done by other threads.

use autodiff::{Tensor, memory, peak_memory};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The counters are the process's, so these tests do not run beside each other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As many bytes as `memory` says that a value has.
fn bytes(make: impl FnOnce() -> Tensor) -> u64 {
    let before = memory().live_bytes;
    let _value = make();
    (memory().live_bytes - before) as u64
}

fn zeros(size: usize) -> Tensor {
    Tensor::zeros([size])
}

#[test]
fn the_most_that_is_alive_at_once_is_found() {
    let _alone = alone();
    let [small, large] = [1000, 5000].map(|size| bytes(|| zeros(size)));
    assert!(small >= 4000 && large >= 20_000);
    let kept = zeros(5000);
    // Twice: fresh from the system, then recycled.
    for _ in 0..2 {
        let (alive, most) = peak_memory(|| {
            drop(zeros(1000));
            let both = (zeros(1000), zeros(5000));
            drop(both);
            zeros(1000)
        });
        assert_eq!((alive.size(), most), (1000, small + large));
    }
    // What was alive before is not counted, and its end makes no room.
    let ((), most) = peak_memory(|| {
        drop(kept);
        drop(zeros(1000));
    });
    assert_eq!(most, 0);
    assert_eq!(peak_memory(|| ()), ((), 0));
}

#[test]
fn a_result_is_written_over_an_operand_that_is_given_up() {
    let _alone = alone();
    let large = bytes(|| zeros(5000));
    let (x, y) = (zeros(5000), zeros(5000));
    let (sum, most) = peak_memory(|| 1.0 - (&y / (x * 2.0 + &y) - 3.0));
    assert!(most == 0 && sum.size() == 5000);
    let (moved, most) =
        peak_memory(|| Tensor::<f32>::ones([250, 20]) * Tensor::ones([20]) + Tensor::ones([1]));
    assert!(most < 2 * large && moved.to_vec().iter().all(|&x| x == 2.0));
    // Not over what others hold or the tape needs, nor over what lies otherwise.
    let held = sum.clone();
    assert_eq!(peak_memory(|| sum + &y).1, large);
    let variable = held.variable();
    assert!(peak_memory(|| &variable * y).1 > large);
    let column = || Tensor::<f32>::ones([250, 1]);
    assert!(peak_memory(|| Tensor::ones([250, 20]) + column()).1 > 2 * large);
}

#[test]
fn nodes_are_counted() {
    let _alone = alone();
    let made = || zeros(1000).variable();
    let expected = bytes(made);
    assert!(expected > bytes(|| zeros(1000)));
    assert_eq!(peak_memory(made).1, expected);
}

#[test]
fn measurements_nest_and_count_other_threads() {
    let _alone = alone();
    let [small, large] = [1000, 5000].map(|size| bytes(|| zeros(size)));
    let (inner, outer) = peak_memory(|| {
        let _held = zeros(1000);
        peak_memory(|| std::thread::scope(|scope| scope.spawn(|| drop(zeros(5000))).join().unwrap())).1
    });
    assert_eq!((inner, outer), (large, small + large));
    // One that began later may end later.
    let (first, second) = std::thread::scope(|scope| {
        let (begun, wait) = std::sync::mpsc::channel();
        let (ended, go_on) = std::sync::mpsc::channel();
        let second = scope.spawn(move || {
            wait.recv().unwrap();
            peak_memory(|| {
                ended.send(()).unwrap();
                zeros(5000)
            })
            .1
        });
        let first = peak_memory(|| {
            begun.send(()).unwrap();
            go_on.recv().unwrap();
        })
        .1;
        (first, second.join().unwrap())
    });
    assert!(first == 0 || first == large, "{first}");
    assert_eq!(second, large);
}

#[test]
fn a_panic_ends_the_measurement() {
    let _alone = alone();
    let expected = bytes(|| zeros(1000));
    let failed = catch_unwind(AssertUnwindSafe(|| peak_memory(|| panic!("meant"))));
    assert!(failed.is_err());
    assert_eq!(peak_memory(|| zeros(1000)).1, expected);
}
