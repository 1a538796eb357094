//! What augmentation does to an image, and what it depends on.

use autodiff::Rng;
use datasets::{Augment, Dataset, Loader, digits};

/// An image of 11x11 with a blob left of the middle, and where its ink lies: total, mean row, mean column.
fn blob() -> Vec<f32> {
    let mut image = vec![0.0; 121];
    for (row, column, ink) in [(5, 3, 1.0), (5, 4, 0.5), (4, 3, 0.5), (6, 3, 0.5), (5, 2, 0.5)] {
        image[row * 11 + column] = ink;
    }
    image
}

fn ink(image: &[f32]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (i, &value) in image.iter().enumerate() {
        let value = f64::from(value);
        sums = [sums[0] + value, sums[1] + value * (i / 11) as f64, sums[2] + value * (i % 11) as f64];
    }
    [sums[0], sums[1] / sums[0], sums[2] / sums[0]]
}

fn changed(augment: Augment, seed: u64) -> Vec<f32> {
    let mut image = blob();
    augment.apply(&mut image, [1, 11, 11], &mut Rng::seed(seed));
    image
}

#[test]
fn nothing_asked_nothing_changed() {
    assert_eq!(changed(Augment::new(), 1), blob());
}

#[test]
fn a_shift_moves_the_ink_within_its_bound() {
    let [total, row, column] = ink(&blob());
    let mut largest = 0.0f64;
    for seed in 0..200 {
        let [moved_total, moved_row, moved_column] = ink(&changed(Augment::new().shift(2.0), seed));
        assert!((moved_total - total).abs() < 1e-5);
        let (down, right) = ((moved_row - row).abs(), (moved_column - column).abs());
        assert!(down <= 2.0 + 1e-5 && right <= 2.0 + 1e-5, "{down} {right}");
        largest = largest.max(down).max(right);
    }
    assert!(largest > 1.9, "{largest}");
}

#[test]
fn a_rotation_keeps_the_distance_from_the_centre() {
    let [total, _, _] = ink(&blob());
    let mut angles = Vec::new();
    for seed in 0..200 {
        let [moved_total, row, column] = ink(&changed(Augment::new().rotation(90.0), seed));
        // The blob is no larger than interpolation blurs it: its ink and its distance of 2 are kept roughly.
        assert!((moved_total - total).abs() < 0.4 * total, "{moved_total}");
        assert!(((row - 5.0).hypot(column - 5.0) - 2.0).abs() < 0.25);
        angles.push((row - 5.0).atan2(5.0 - column).to_degrees());
    }
    assert!(angles.iter().all(|angle| angle.abs() < 95.0));
    assert!(angles.iter().any(|&angle| angle > 70.0) && angles.iter().any(|&angle| angle < -70.0));
}

#[test]
fn scaling_and_shear_move_the_ink_as_they_say() {
    let (mut smallest, mut largest) = (f64::MAX, 0.0f64);
    for seed in 0..200 {
        let distance = 5.0 - ink(&changed(Augment::new().scaling(0.5), seed))[2];
        smallest = smallest.min(distance);
        largest = largest.max(distance);
    }
    // A distance of 2 becomes 4/3 to 3.
    assert!((1.25..1.5).contains(&smallest) && (2.75..3.1).contains(&largest), "{smallest} {largest}");
    // The blob lies on the row of the centre, which a shear leaves in its place.
    for seed in 0..50 {
        let [_, row, column] = ink(&changed(Augment::new().shear(30.0), seed));
        assert!((row - 5.0).abs() < 0.01 && (column - 3.0).abs() < 0.1, "{row} {column}");
    }
}

#[test]
fn mirroring_swaps_left_and_right_in_half_of_the_images() {
    let mut mirrored = blob();
    for row in mirrored.chunks_exact_mut(11) {
        row.reverse();
    }
    let outcomes: Vec<Vec<f32>> = (0..200).map(|seed| changed(Augment::new().mirror(), seed)).collect();
    let count = outcomes.iter().filter(|&image| *image == mirrored).count();
    assert!(outcomes.iter().all(|image| *image == mirrored || *image == blob()));
    assert!((70..130).contains(&count), "{count}");
}

#[test]
fn elastic_distortion_moves_neighbours_together() {
    // A ramp shows how far each pixel came: inside, neighbours differ by little more than a pixel.
    let ramp: Vec<f32> = (0..28 * 28).map(|i| (i % 28) as f32).collect();
    let mut moved = false;
    for seed in 0..20 {
        let mut image = ramp.clone();
        Augment::new().elastic(34.0, 4.0).apply(&mut image, [1, 28, 28], &mut Rng::seed(seed));
        for row in 6..22 {
            for column in 6..21 {
                let step = image[row * 28 + column + 1] - image[row * 28 + column];
                assert!((-0.5..2.5).contains(&step), "{step}");
                moved |= (image[row * 28 + column] - column as f32).abs() > 1.0;
            }
        }
    }
    assert!(moved);
}

#[test]
fn noise_has_its_deviation_and_erasing_its_size() {
    let mut image = vec![0.5; 10_000];
    Augment::new().noise(0.1).apply(&mut image, [1, 100, 100], &mut Rng::seed(1));
    let mean = image.iter().sum::<f32>() / 10_000.0;
    let deviation = (image.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 10_000.0).sqrt();
    assert!((mean - 0.5).abs() < 0.005 && (deviation - 0.1).abs() < 0.005, "{mean} {deviation}");

    let mut erased = 0;
    for seed in 0..400 {
        let mut image = vec![1.0; 2 * 100];
        Augment::new().erasing(0.5, 0.4).apply(&mut image, [2, 10, 10], &mut Rng::seed(seed));
        let zeros = |plane: &[f32]| plane.iter().filter(|&&x| x == 0.0).count();
        let (first, second) = image.split_at(100);
        assert_eq!(first, second);
        assert!(zeros(first) <= 16);
        erased += usize::from(zeros(first) > 0);
    }
    assert!((100..200).contains(&erased), "{erased}");
}

#[test]
fn one_change_does_not_change_another() {
    let alone = changed(Augment::new().shift(2.0).rotation(20.0), 5);
    let with_erasing = changed(Augment::new().shift(2.0).rotation(20.0).erasing(1.0, 0.5), 5);
    assert!(with_erasing.iter().zip(&alone).all(|(&with, &without)| with == without || with == 0.0));
}

#[test]
fn an_image_is_the_same_in_whatever_batch_it_is() {
    let train = digits::load().unwrap().train;
    let augment = Augment::new().shift(1.0).rotation(10.0).noise(0.01);
    let images = |batch_size: usize, epoch: u64| -> Vec<f32> {
        let loader = Loader::new(&train, batch_size).shuffle(3).augment(augment, 7).epoch(epoch);
        loader.into_iter().flat_map(|batch| batch.images.to_vec()).collect()
    };
    assert_eq!(images(64, 0), images(100, 0));
    assert_ne!(images(64, 0), images(64, 1));
    let plain: Vec<f32> = Loader::new(&train, 64).shuffle(3).iter().flat_map(|b| b.images.to_vec()).collect();
    assert_ne!(images(64, 0), plain);

    // In order, so that image and index are known: the same index, seed and epoch give the same change.
    let one = Dataset::new("one", [1, 1, 2], vec![0, 255, 0, 255], vec![0, 0], 1).unwrap();
    let batch = |seed| Loader::new(&one, 2).augment(Augment::new().noise(0.1), seed).iter().next().unwrap();
    assert_eq!(batch(1).images.to_vec(), batch(1).images.to_vec());
    assert_ne!(batch(1).images.to_vec(), batch(2).images.to_vec());
    assert_ne!(batch(1).images.to_vec()[..2], batch(1).images.to_vec()[2..]);
}

#[test]
#[should_panic(expected = "augment: a shift of -1: it must not be negative")]
fn a_negative_amount_is_a_mistake() {
    let _ = Augment::new().shift(-1.0);
}
