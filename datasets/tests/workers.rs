//! Batches made ahead by threads: the same ones, in the same order, no more of them than said, and an end to the threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use autodiff::Tensor;
use datasets::{Augment, Batch, Loader, Samples, digits};

/// Numbers that count how often they are asked for, and one of which may be missing.
struct Counted {
    len: usize,
    hole: Option<usize>,
    made: AtomicUsize,
}

impl Counted {
    fn new(len: usize, hole: Option<usize>) -> Arc<Self> {
        Arc::new(Counted { len, hole, made: AtomicUsize::new(0) })
    }
}

impl Samples for Counted {
    type Batch = Vec<usize>;

    fn len(&self) -> usize {
        self.len
    }

    fn batch(&self, indices: &[usize]) -> Vec<usize> {
        assert!(
            !indices.contains(&self.hole.unwrap_or(usize::MAX)),
            "sample {} is missing",
            self.hole.unwrap()
        );
        self.made.fetch_add(1, Ordering::SeqCst);
        indices.to_vec()
    }
}

fn bits(batch: Batch) -> (Vec<u32>, Vec<usize>) {
    (batch.images.to_vec().into_iter().map(f32::to_bits).collect(), batch.labels)
}

#[test]
fn any_number_of_workers_gives_the_same_bits() {
    let train = digits::load().unwrap().train;
    let augment = Augment::new().shift(1.0).rotation(10.0).elastic(4.0, 2.0).noise(0.01).erasing(0.5, 0.4);
    let plain = Loader::new(&train, 64);
    for loader in [plain, plain.shuffle(3).drop_last(true), plain.shuffle(3).augment(augment, 7)] {
        for epoch in 0..2 {
            let loader = loader.epoch(epoch);
            let here: Vec<_> = loader.workers(0).iter().map(bits).collect();
            assert_eq!(here.len(), loader.len());
            for workers in [1, 2, 4, 50] {
                let mut ahead = loader.workers(workers).iter();
                assert_eq!(ahead.len(), here.len());
                for expected in &here {
                    assert!(bits(ahead.next().unwrap()) == *expected, "{workers} workers");
                }
                assert!(ahead.next().is_none() && ahead.next().is_none());
            }
        }
    }
}

#[test]
fn an_epoch_is_taken_up_anywhere_with_workers_too() {
    let data = Counted::new(103, None);
    let loader = Loader::new(&data, 10).shuffle(5);
    let all: Vec<_> = loader.iter().collect();
    for done in 0..12 {
        data.made.store(0, Ordering::SeqCst);
        let mut rest = all[done.min(all.len())..].iter();
        for batch in loader.workers(3).iter().skip(done) {
            assert_eq!(Some(&batch), rest.next());
        }
        assert!(rest.next().is_none());
        // What is skipped is not made.
        assert_eq!(data.made.load(Ordering::SeqCst), all.len().saturating_sub(done));
    }
    // In the middle, with threads that are ahead; and a clone goes on from there by itself.
    let mut batches = loader.workers(2).iter();
    assert_eq!(batches.next().as_ref(), Some(&all[0]));
    assert_eq!(batches.nth(3).as_ref(), Some(&all[4]));
    let clone = batches.clone();
    assert!(batches.eq(all[5..].iter().cloned()));
    assert!(clone.eq(all[5..].iter().cloned()));
}

#[test]
fn no_more_is_made_ahead_than_said() {
    let data = Counted::new(1_000, None);
    let made = || data.made.load(Ordering::SeqCst);
    for workers in [1, 2, 4] {
        data.made.store(0, Ordering::SeqCst);
        let mut batches = Loader::new(&data, 1).workers(workers).iter();
        assert_eq!(made(), 0); // nothing before the first is asked for
        for taken in 1..20 {
            assert!(batches.next().is_some());
            // Time for the threads to run ahead, if they would.
            std::thread::sleep(Duration::from_millis(1));
            assert!(made() <= taken + 2 * workers, "{} made, {taken} taken", made());
        }
    }
}

#[test]
fn dropped_early_the_threads_are_gone() {
    let data = Counted::new(1_000, None);
    for taken in [0, 1, 7] {
        let mut batches = Loader::new(&data, 3).workers(4).iter();
        assert_eq!(batches.by_ref().take(taken).count(), taken);
        drop(batches);
        // The threads hold clones of the `Arc` as long as they live.
        assert_eq!(Arc::strong_count(&data), 1);
    }
    let mut batches = Loader::new(&data, 300).workers(4).iter();
    assert_eq!(batches.by_ref().count(), 4);
    assert_eq!(Arc::strong_count(&data), 1);
}

#[test]
fn a_panic_reaches_the_caller_in_its_turn() {
    let data = Counted::new(100, Some(57));
    for workers in [0, 1, 2, 4] {
        let mut batches = Loader::new(&data, 10).workers(workers).iter();
        for batch in 0..5 {
            assert_eq!(batches.next().unwrap()[0], 10 * batch);
        }
        // The same however often one asks; what comes after it can be had.
        for _ in 0..2 {
            let panic = catch_unwind(AssertUnwindSafe(|| batches.next())).unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().unwrap(), "sample 57 is missing");
            assert_eq!(Arc::strong_count(&data), 1);
        }
        assert_eq!(batches.nth(1).unwrap()[0], 60);
        assert_eq!(batches.len(), 3);
    }
}

#[test]
fn tensors_and_labels_side_by_side() {
    let x = Tensor::arange(0.0, 24.0, 1.0).unwrap().reshape([6, 4]).unwrap();
    let data = (x, vec![5, 4, 3, 2, 1, 0]);
    for workers in [0, 2] {
        let mut rows = Vec::new();
        for (features, labels) in Loader::new(&data, 4).shuffle(1).workers(workers) {
            assert_eq!(features.shape(), [labels.len(), 4]);
            for (row, label) in features.to_vec().chunks_exact(4).zip(labels) {
                assert_eq!(row[0], (4 * (5 - label)) as f32);
                rows.push(label);
            }
        }
        rows.sort_unstable();
        assert_eq!(rows, [0, 1, 2, 3, 4, 5]);
    }
}

#[test]
fn images_of_any_batch_are_changed_alike() {
    let train = digits::load().unwrap().train;
    let all = train.all().unwrap();
    let pair = (all.images.clone(), all.labels.clone());
    let augment = Augment::new().shift(1.0).noise(0.1);
    let ours = Loader::new(&train, 100).shuffle(2).augment(augment, 9).iter().next().unwrap();
    let (images, labels) = Loader::new(&pair, 100).shuffle(2).augment(augment, 9).iter().next().unwrap();
    assert_eq!(bits(ours), bits(Batch { images, labels }));
}

#[test]
#[should_panic(expected = "loader: data side by side must be equally long")]
fn side_by_side_must_be_equally_long() {
    let _ = Loader::new(&(vec![1, 2], vec![3]), 1);
}

#[test]
#[should_panic(expected = "augment: images of shape [4, 2], not [n, channels, height, width]")]
fn what_is_no_image_is_not_augmented() {
    let rows: Tensor = Tensor::zeros([4, 2]);
    Loader::new(&rows, 4).augment(Augment::new().noise(0.1), 1).iter().next();
}
