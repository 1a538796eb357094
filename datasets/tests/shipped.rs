//! The data that ships is the published data.

use std::fs;
use std::path::Path;

use datasets::{Dataset, Split, digits, mnist};
use sha2::{Digest, Sha256};

fn assert_sha256(file: impl AsRef<Path>, published: &str) {
    let file = file.as_ref();
    let digest = Sha256::digest(fs::read(file).unwrap());
    let sum = digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(sum, published, "{}", file.display());
}

fn class_counts(dataset: &Dataset) -> Vec<usize> {
    let mut counts = vec![0; dataset.classes()];
    for &label in dataset.labels() {
        counts[label] += 1;
    }
    counts
}

#[test]
fn the_files_have_the_published_hashes() {
    for (folder, files) in [
        (
            mnist::SHIPPED,
            [
                (
                    "train-images-idx3-ubyte.gz",
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                ),
                (
                    "train-labels-idx1-ubyte.gz",
                    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                ),
                (
                    "t10k-images-idx3-ubyte.gz",
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                ),
                (
                    "t10k-labels-idx1-ubyte.gz",
                    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                ),
            ],
        ),
        (
            mnist::SHIPPED_FASHION,
            [
                (
                    "train-images-idx3-ubyte.gz",
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                ),
                (
                    "train-labels-idx1-ubyte.gz",
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                ),
                (
                    "t10k-images-idx3-ubyte.gz",
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                ),
                (
                    "t10k-labels-idx1-ubyte.gz",
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                ),
            ],
        ),
    ] {
        for (file, published) in files {
            assert_sha256(Path::new(folder).join(file), published);
        }
    }
    assert_sha256(
        concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits.csv.gz"),
        "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
    );
}

/// Checks the sizes, and mean and deviation of the training pixels.
fn assert_images(split: &Split, mean: f64, deviation: f64) {
    for (part, count) in [(&split.train, 60_000), (&split.test, 10_000)] {
        assert_eq!((part.len(), part.shape(), part.classes(), part.divisor()), (count, [1, 28, 28], 10, 255));
    }
    let images = split.train.all().unwrap().images;
    assert_eq!(images.shape(), [60_000, 1, 28, 28]);
    let values = images.to_vec();
    let mean_of =
        |f: fn(f64) -> f64| values.iter().map(|&value| f(value.into())).sum::<f64>() / values.len() as f64;
    let (found, square) = (mean_of(|value| value), mean_of(|value| value * value));
    assert!((found - mean).abs() < 5e-5, "mean {found}");
    assert!(((square - found * found).sqrt() - deviation).abs() < 5e-5, "standard deviation");
}

#[test]
fn mnist_is_mnist() {
    let split = mnist::shipped().unwrap();
    assert_images(&split, 0.1307, 0.3081);
    let Split { train, test } = split;
    assert_eq!(class_counts(&train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(class_counts(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!(train.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(test.labels()[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
}

#[test]
fn fashion_is_fashion() {
    let split = mnist::fashion().unwrap();
    assert_images(&split, 0.2860, 0.3530);
    assert_eq!(class_counts(&split.train), [6000; 10]);
    assert_eq!(class_counts(&split.test), [1000; 10]);
    assert_eq!(split.train.labels()[..10], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
    assert_eq!(split.test.labels()[..10], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);
}

#[test]
fn digits_are_digits() {
    let Split { train, test } = digits::load().unwrap();
    assert_eq!((train.len(), train.shape(), train.classes(), train.divisor()), (1_500, [1, 8, 8], 10, 16));
    assert_eq!((test.len(), test.shape(), test.classes(), test.divisor()), (297, [1, 8, 8], 10, 16));
    assert_eq!(class_counts(&train), [151, 151, 150, 153, 148, 152, 151, 149, 146, 149]);
    assert_eq!(class_counts(&test), [27, 31, 27, 30, 33, 30, 30, 30, 28, 31]);
    assert_eq!(train.labels()[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(train.image(0).unwrap()[..8], [0, 0, 5, 13, 9, 1, 0, 0]);

    let values = train.all().unwrap().images.to_vec();
    assert!(values.iter().all(|value| (0.0..=1.0).contains(value)) && values.contains(&1.0));
}
