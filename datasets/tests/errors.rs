//! The text of each error.

use std::fs;
use std::io::Write;

use datasets::table::{self, Header};
use datasets::{Dataset, Error, idx, mnist};
use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;

fn idx_file(words: &[u32], elements: &[u8]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).chain(elements.iter().copied()).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn images(bytes: &[u8]) -> Error {
    idx::parse_images("train.gz", bytes).unwrap_err()
}

fn labels(bytes: &[u8]) -> Error {
    idx::parse_labels("labels.gz", bytes).unwrap_err()
}

#[test]
fn idx_magic() {
    assert_snapshot!(
        images(&idx_file(&[0x0802, 1, 1, 1], &[0])),
        @"train.gz: magic number 0x00000802 where 0x00000803 (images) is expected"
    );
    assert_snapshot!(
        images(&idx_file(&[0x0801, 1], &[0])),
        @"train.gz: magic number 0x00000801 where 0x00000803 (images) is expected"
    );
    assert_snapshot!(
        labels(&idx_file(&[0x0803, 1, 1, 1], &[0])),
        @"labels.gz: magic number 0x00000803 where 0x00000801 (labels) is expected"
    );
    assert_snapshot!(
        images(b"<!DOCTYPE html><title>404</title>"),
        @"train.gz: magic number 0x3c21444f where 0x00000803 (images) is expected"
    );
}

#[test]
fn idx_lengths() {
    assert_snapshot!(images(b""), @"train.gz: 0 bytes, too few for the 16 of the header");
    assert_snapshot!(
        images(&idx_file(&[0x0803, 1, 28], &[])),
        @"train.gz: 12 bytes, too few for the 16 of the header"
    );
    assert_snapshot!(labels(&[0, 0, 8]), @"labels.gz: 3 bytes, too few for the 8 of the header");
    assert_snapshot!(
        images(&idx_file(&[0x0803, 60_000, 28, 28], &[7; 1234])),
        @"train.gz: header promises 60000 x 28 x 28 = 47040000 bytes, the file holds 1234"
    );
    assert_snapshot!(
        images(&idx_file(&[0x0803, 2, 1, 3], &[7; 8])),
        @"train.gz: header promises 2 x 1 x 3 = 6 bytes, the file holds 8"
    );
    assert_snapshot!(
        labels(&idx_file(&[0x0801, 3], &[1, 2])),
        @"labels.gz: header promises 3 bytes, the file holds 2"
    );
    assert_snapshot!(
        labels(&idx_file(&[0x0801, 3], &[1, 2, 3, 4])),
        @"labels.gz: header promises 3 bytes, the file holds 4"
    );
}

#[test]
fn idx_sizes() {
    assert_snapshot!(
        images(&idx_file(&[0x0803, u32::MAX, u32::MAX, u32::MAX], &[])),
        @"train.gz: header promises 4294967295 x 4294967295 x 4294967295 bytes, more than 1073741824, the limit of this reader"
    );
    assert_snapshot!(
        images(&idx_file(&[0x0803, 2_000_000, 28, 28], &[])),
        @"train.gz: header promises 2000000 x 28 x 28 bytes, more than 1073741824, the limit of this reader"
    );
    assert_snapshot!(
        labels(&idx_file(&[0x0801, u32::MAX], &[])),
        @"labels.gz: header promises 4294967295 bytes, more than 134217728, the limit of this reader"
    );
    assert_snapshot!(
        images(&idx_file(&[0x0803, 5, 0, 28], &[])),
        @"train.gz: an image cannot have 0 x 28 pixels"
    );
}

#[test]
fn gzip_damage() {
    let sound = gzip(&idx_file(&[0x0803, 2, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8]));
    assert_snapshot!(
        images(&sound[..20]),
        @"train.gz: odd gzip, cut or damaged after 16 bytes of content: incomplete deflate stream"
    );
    assert_snapshot!(
        images(&sound[..sound.len() - 1]),
        @"train.gz: odd gzip, cut or damaged after 24 bytes of content: unexpected end of file"
    );
    assert_snapshot!(
        images(&sound[..2]),
        @"train.gz: odd gzip, cut or damaged after 0 bytes of content: unexpected end of file"
    );
    assert_snapshot!(
        images(&[&sound[..], b"garbage after it"].concat()),
        @"train.gz: odd gzip, cut or damaged after 24 bytes of content: invalid gzip header"
    );
    let mut checksum = sound.clone();
    let at = checksum.len() - 8;
    checksum[at] ^= 1;
    assert_snapshot!(
        images(&checksum),
        @"train.gz: odd gzip, cut or damaged after 24 bytes of content: corrupt gzip stream does not have a matching checksum"
    );
    let mut stream = sound.clone();
    stream[10] = 0xff;
    assert_snapshot!(
        images(&stream),
        @"train.gz: odd gzip, cut or damaged after 0 bytes of content: corrupt deflate stream"
    );
}

#[test]
fn tables() {
    let error = |text: &str, header| table::parse("iris.csv", text.as_bytes(), header).unwrap_err();
    assert_snapshot!(
        error("1,2,3\n\n4,5\n", Header::Absent),
        @"iris.csv: line 3: 2 fields where the first row has 3"
    );
    assert_snapshot!(
        error("a,b\n1,2\n3,4,5\n", Header::Present),
        @"iris.csv: line 3: 3 fields where the first row has 2"
    );
    assert_snapshot!(
        error("1,2\n3,four\n", Header::Absent),
        @r#"iris.csv: line 2, column 2: "four" is not a finite number"#
    );
    assert_snapshot!(
        error("1,2\n\n\n,4\n", Header::Absent),
        @r#"iris.csv: line 4, column 1: "" is not a finite number"#
    );
    assert_snapshot!(
        error("1,NaN\n", Header::Absent),
        @r#"iris.csv: line 1, column 2: "NaN" is not a finite number"#
    );
    assert_snapshot!(
        error("1,1e999\n", Header::Absent),
        @r#"iris.csv: line 1, column 2: "1e999" is not a finite number"#
    );
    assert_snapshot!(
        error(&format!("1,{}\n", "tiresome".repeat(100)), Header::Absent),
        @r#"iris.csv: line 1, column 2: "tiresometiresometiresometiresome" is not a finite number"#
    );
    assert_snapshot!(
        error("1,\"2\n3,4\n", Header::Absent),
        @r#"iris.csv: line 1, column 2: "\"2" is not a finite number"#
    );
    assert_snapshot!(error("a,b\n", Header::Present), @"iris.csv: no rows");
    assert_snapshot!(
        table::parse("iris.csv", b"1,\xff\n", Header::Absent).unwrap_err(),
        @r#"iris.csv: line 1, column 2: "�" is not a finite number"#
    );
    let cut = gzip(b"1,2\n3,4\n");
    assert_snapshot!(
        table::parse("iris.csv.gz", &cut[..15], Header::Absent).unwrap_err(),
        @"iris.csv.gz: odd gzip, cut or damaged after 4 bytes of content: incomplete deflate stream"
    );

    let table = table::parse("iris.csv", b"1,0.5\n-2,1e300\n", Header::Absent).unwrap();
    assert_snapshot!(table.tensor(1..3).unwrap_err(), @"iris.csv: columns 1..3 are not within 0..2");
    assert_snapshot!(table.labels(2).unwrap_err(), @"iris.csv: columns 2..3 are not within 0..2");
    assert!(table.labels(usize::MAX).is_err());
    assert_snapshot!(
        table.labels(0).unwrap_err(),
        @"iris.csv: row 1, column 0: -2 is not a whole number from 0 up"
    );
    assert_snapshot!(
        table.labels(1).unwrap_err(),
        @"iris.csv: row 0, column 1: 0.5 is not a whole number from 0 up"
    );
}

#[test]
fn data_sets() {
    let error = |shape, pixels: &[u8], labels: &[usize]| {
        Dataset::new("shapes", shape, pixels.to_vec(), labels.to_vec(), 3).unwrap_err()
    };
    assert_snapshot!(error([1, 0, 2], &[], &[]), @"shapes: an image cannot have 1 x 0 x 2 pixels");
    assert_snapshot!(
        error([3, usize::MAX, 2], &[], &[]),
        @"shapes: an image cannot have 3 x 18446744073709551615 x 2 pixels"
    );
    assert_snapshot!(
        error([1, 2, 2], &[0; 7], &[0, 1]),
        @"shapes: 7 pixels are not a whole number of images of 1 x 2 x 2"
    );
    assert_snapshot!(error([1, 2, 2], &[0; 8], &[0, 1, 2]), @"shapes: 2 images, but 3 labels in shapes");
    assert_snapshot!(
        error([1, 2, 2], &[0; 8], &[2, 3]),
        @"shapes: label 3 of image 1 is out of range for 3 classes"
    );

    let shapes = Dataset::new("shapes", [1, 1, 2], vec![0, 17, 3, 4], vec![0, 1], 2).unwrap();
    assert_snapshot!(shapes.image(2).unwrap_err(), @"shapes: index 2 is out of range for 2 images");
    assert_snapshot!(shapes.batch(&[0, 1, 5]).unwrap_err(), @"shapes: index 5 is out of range for 2 images");
    assert_snapshot!(shapes.subset(1..4).unwrap_err(), @"shapes: index 2 is out of range for 2 images");
    assert_snapshot!(
        shapes.clone().with_divisor(16).unwrap_err(),
        @"shapes: divisor 16 does not bring pixels of up to 17 into 0..1"
    );
    assert_snapshot!(
        shapes.with_divisor(0).unwrap_err(),
        @"shapes: divisor 0 does not bring pixels of up to 17 into 0..1"
    );
}

#[test]
fn folders() {
    let folder = tempfile::tempdir().unwrap();
    let error = || {
        mnist::load(&folder).unwrap_err().to_string().replace(&folder.path().display().to_string(), "mnist")
    };
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();

    assert_snapshot!(error(), @"mnist: holds neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte");
    write("train-images-idx3-ubyte", &idx_file(&[0x0803, 2, 1, 1], &[8, 9]));
    assert_snapshot!(error(), @"mnist: holds neither train-labels-idx1-ubyte.gz nor train-labels-idx1-ubyte");
    write("train-labels-idx1-ubyte.gz", &gzip(&idx_file(&[0x0801, 3], &[3, 1, 4])));
    assert_snapshot!(
        error(),
        @"mnist/train-images-idx3-ubyte: 2 images, but 3 labels in mnist/train-labels-idx1-ubyte.gz"
    );
    write("train-labels-idx1-ubyte.gz", &gzip(&idx_file(&[0x0801, 2], &[3, 10])));
    assert_snapshot!(
        error(),
        @"mnist/train-labels-idx1-ubyte.gz: label 10 of image 1 is out of range for 10 classes"
    );
    write("train-labels-idx1-ubyte.gz", &gzip(&idx_file(&[0x0801, 2], &[3, 1])));
    assert_snapshot!(error(), @"mnist: holds neither t10k-images-idx3-ubyte.gz nor t10k-images-idx3-ubyte");
    write("t10k-images-idx3-ubyte", &idx_file(&[0x0803, 1, 1, 1], &[]));
    write("t10k-labels-idx1-ubyte", &idx_file(&[0x0801, 1], &[5]));
    assert_snapshot!(
        error(),
        @"mnist/t10k-images-idx3-ubyte: header promises 1 x 1 x 1 = 1 bytes, the file holds 0"
    );
    write("t10k-images-idx3-ubyte", &idx_file(&[0x0803, 1, 1, 1], &[51]));
    let split = mnist::load(&folder).unwrap();
    assert_eq!((split.train.labels(), split.test.labels()), (&[3, 1][..], &[5][..]));
    assert_eq!(split.test.all().unwrap().images.to_vec(), [0.2]);

    let missing = idx::read_images(folder.path().join("missing")).unwrap_err();
    assert!(matches!(&missing, Error::Io { file, .. } if file.ends_with("missing")), "{missing}");
    assert!(table::read(folder.path(), Header::Absent).is_err(), "a folder is no table");
}

#[test]
fn tensors() {
    let wide = Dataset::new("wide", [1, 1, 1 << 40], vec![], vec![], 1).unwrap();
    let error = wide.all().unwrap_err();
    assert!(matches!(error, Error::Tensor { .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("wide: ") && text.contains("1099511627776"), "{text}");
}

/// The text holds all there is: no cause is left to print, and none is printed twice.
#[test]
fn errors_are_complete_and_can_be_sent() {
    fn check(error: impl std::error::Error + Send + Sync + 'static) {
        assert!(error.source().is_none());
    }
    check(images(&gzip(b"short")[..12]));
    check(mnist::load("nowhere").unwrap_err());
    check(Dataset::new("wide", [1, 1, 1 << 40], vec![], vec![], 1).unwrap().all().unwrap_err());
}
