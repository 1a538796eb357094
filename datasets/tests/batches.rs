//! Data sets and the loader.

use datasets::{Batch, Dataset, Loader};
use proptest::prelude::*;

/// `len` images of one pixel each; the label of an image is its index.
fn numbered(len: usize) -> Dataset {
    let pixels = (0..len).map(|index| index as u8).collect();
    Dataset::new("numbered", [1, 1, 1], pixels, (0..len).collect(), len).unwrap()
}

fn order<'a>(batches: impl IntoIterator<Item = Batch> + 'a) -> Vec<usize> {
    batches.into_iter().flat_map(|batch| batch.labels).collect()
}

#[test]
fn a_batch_holds_the_images_asked_for() {
    let pixels = (0..24).collect();
    let data = Dataset::new("colour", [3, 2, 2], pixels, vec![1, 0], 2).unwrap().with_divisor(100).unwrap();
    let batch = data.batch(&[1, 0, 1]).unwrap();
    assert_eq!(batch.images.shape(), [3, 3, 2, 2]);
    let expected: Vec<f32> = (12..24).chain(0..12).chain(12..24).map(|pixel| pixel as f32 / 100.0).collect();
    assert_eq!(batch.images.to_vec(), expected);
    assert_eq!(batch.labels, [0, 1, 0]);
    assert_eq!((batch.len(), batch.is_empty()), (3, false));
}

#[test]
fn a_batch_of_none_has_a_shape() {
    let none = numbered(5).batch(&[]).unwrap();
    assert_eq!(none.images.shape(), [0, 1, 1, 1]);
    assert!(none.is_empty());
    assert!(numbered(0).all().unwrap().is_empty());
}

#[test]
fn subsets_keep_what_they_are_made_of() {
    let data = numbered(10).with_divisor(20).unwrap();
    let odd = data.subset((0..10).filter(|index| index % 2 == 1)).unwrap();
    assert_eq!(odd.labels(), [1, 3, 5, 7, 9]);
    assert_eq!((odd.shape(), odd.classes(), odd.divisor()), ([1, 1, 1], 10, 20));
    assert_eq!(odd.image(4).unwrap(), [9]);
    assert_eq!(odd.take(2).labels(), [1, 3]);
    assert_eq!(odd.take(99).all().unwrap().images.to_vec(), [0.05, 0.15, 0.25, 0.35, 0.45]);
    assert!(data.subset([]).unwrap().is_empty());
    assert!(data.take(0).is_empty());
}

#[test]
fn in_order_unless_shuffled() {
    let data = numbered(10);
    let sizes: Vec<usize> = Loader::new(&data, 4).into_iter().map(|batch| batch.len()).collect();
    assert_eq!(sizes, [4, 4, 2]);
    assert_eq!(order(Loader::new(&data, 4)), (0..10).collect::<Vec<_>>());
    assert_eq!(order(Loader::new(&data, 4).epoch(3)), (0..10).collect::<Vec<_>>());
    assert_eq!(order(Loader::new(&data, 4).drop_last(true)), (0..8).collect::<Vec<_>>());
}

#[test]
fn an_epoch_is_taken_up_where_it_was_left() {
    let data = numbered(10);
    for loader in
        [Loader::new(&data, 4), Loader::new(&data, 3).shuffle(7), Loader::new(&data, 4).drop_last(true)]
    {
        let all: Vec<_> = loader.iter().map(|batch| batch.labels).collect();
        for done in 0..5 {
            let rest: Vec<_> = loader.iter().skip(done).map(|batch| batch.labels).collect();
            assert_eq!(rest, all[done.min(all.len())..]);
        }
        assert!(loader.iter().nth(usize::MAX).is_none());
    }
}

#[test]
fn one_batch_of_everything() {
    let data = numbered(10);
    for size in [10, 11, usize::MAX] {
        let loader = Loader::new(&data, size);
        assert_eq!((loader.len(), loader.iter().next().unwrap().len()), (1, 10));
    }
    assert!(Loader::new(&data, 11).drop_last(true).is_empty());
    assert_eq!(Loader::new(&data, 11).drop_last(true).iter().count(), 0);
    assert_eq!(Loader::new(&numbered(0), 4).iter().count(), 0);
}

#[test]
fn a_loader_is_read_again_by_reference() {
    let data = numbered(100);
    let loader = Loader::new(&data, 7).shuffle(3);
    let mut first = Vec::new();
    for batch in &loader {
        first.extend(batch.labels);
    }
    assert_eq!(order(loader.iter()), first);
    assert_eq!(order(loader.epoch(0)), first);
}

/// Results can be repeated years later and on another machine: these orders must never change.
#[test]
fn the_orders_of_a_seed_are_fixed() {
    let data = numbered(10);
    let loader = Loader::new(&data, 3).shuffle(7);
    assert_eq!(order(loader), [0, 6, 3, 9, 4, 1, 7, 5, 8, 2]);
    assert_eq!(order(loader.epoch(1)), [7, 3, 4, 9, 2, 0, 5, 8, 1, 6]);
    assert_eq!(order(loader.epoch(u64::MAX)), [9, 7, 8, 1, 3, 5, 4, 0, 2, 6]);
}

#[test]
#[should_panic(expected = "loader: a batch size of 0 makes no batches")]
fn a_batch_size_of_zero_panics() {
    let _ = Loader::new(&numbered(3), 0);
}

proptest! {
    #[test]
    fn an_epoch_holds_each_image_once(
        len in 0usize..60,
        batch_size in 1usize..20,
        seed in any::<Option<u64>>(),
        epoch: u64,
        drop_last: bool,
    ) {
        let data = numbered(len);
        let mut loader = Loader::new(&data, batch_size).epoch(epoch).drop_last(drop_last);
        if let Some(seed) = seed {
            loader = loader.shuffle(seed);
        }
        let mut batches = loader.iter();
        let mut seen = Vec::new();
        for left in (0..loader.len()).rev() {
            let batch = batches.next().unwrap();
            prop_assert_eq!(batches.len(), left);
            prop_assert_eq!(batch.images.shape(), [batch.len(), 1, 1, 1]);
            prop_assert!(batch.len() == batch_size || (left == 0 && batch.len() == len % batch_size));
            let pixels: Vec<f32> = batch.labels.iter().map(|&label| label as f32 / 255.0).collect();
            prop_assert_eq!(batch.images.to_vec(), pixels);
            seen.extend(batch.labels);
        }
        prop_assert!(batches.next().is_none() && batches.next().is_none());
        prop_assert_eq!(seen.len(), if drop_last { len - len % batch_size } else { len });
        seen.sort_unstable();
        seen.dedup();
        prop_assert_eq!(seen.len(), if drop_last { len - len % batch_size } else { len });
    }

    /// The order hangs on seed and epoch, on nothing else: not on the size of a batch, not on epochs before.
    #[test]
    fn seed_and_epoch_make_the_order(seed: u64, epoch: u64, sizes in prop::array::uniform2(1usize..50)) {
        let data = numbered(50);
        let of = |seed, epoch, size| order(Loader::new(&data, size).shuffle(seed).epoch(epoch));
        let this = of(seed, epoch, sizes[0]);
        prop_assert_eq!(&this, &of(seed, epoch, sizes[1]));
        prop_assert_ne!(&this, &of(seed, epoch.wrapping_add(1), sizes[0]));
        prop_assert_ne!(&this, &of(seed.wrapping_add(1), epoch, sizes[0]));
        let short = order(Loader::new(&data, sizes[0]).shuffle(seed).epoch(epoch).drop_last(true));
        prop_assert_eq!(&this[..short.len()], &short[..]);
    }
}
