//! Event files: against a golden file that `TensorBoard`'s own reader has read (`tensorboard/read.py`), and read here by hand.
#![allow(missing_docs)]

use std::fs;
use std::path::Path;
use train::tensorboard::EventFile;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tensorboard/events.out.tfevents.golden");

fn write(path: &Path) {
    let mut file = EventFile::create_with_clock(path, || 1_700_000_000.5).unwrap();
    for (step, loss) in [2.5, 0.125, f64::NAN, f64::INFINITY].into_iter().enumerate() {
        file.scalar("step/loss", 300 * step as u64, loss).unwrap();
    }
    let spread = (0..1000).map(|i| (f64::from(i) / 100.0 - 5.0).powi(3)).chain([f64::NAN]);
    file.histogram("parameters/weight", 900, spread).unwrap();
    file.histogram("parameters/bias", 900, [0.5; 3]).unwrap();
    file.histogram("parameters/none", 900, []).unwrap();
    file.image("grey", 900, 2, 1, &[0.0, 1.0, 0.5, 2.0, -1.0, 0.25]).unwrap();
    file.image("red", 900, 1, 3, &[1.0, 0.0, 0.0]).unwrap();
    file.sync().unwrap();
}

#[test]
fn the_bytes_are_those_that_tensorboard_has_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.out.tfevents.a");
    write(&path);
    let bytes = fs::read(&path).unwrap();
    if std::env::var_os("UPDATE_EVENTS").is_some() {
        fs::write(GOLDEN, &bytes).unwrap();
    }
    assert!(bytes == fs::read(GOLDEN).unwrap(), "if that is meant, UPDATE_EVENTS=1, and run read.py");
}

/// The checksum bit by bit, as the standard defines it.
fn masked_crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc % 2 == 1 { (crc / 2) ^ 0x82f6_3b78 } else { crc / 2 };
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A field of a message.
#[derive(Debug, PartialEq)]
enum Field<'a> {
    Number(u64),
    Double(f64),
    Float(f32),
    Bytes(&'a [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let length = bytes.iter().position(|byte| byte & 128 == 0).unwrap() + 1;
    let (number, rest) = bytes.split_at(length);
    *bytes = rest;
    number.iter().rev().fold(0, |sum, byte| (sum << 7) | u64::from(byte & 127))
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key % 8 {
            0 => {
                fields.push((key / 8, Field::Number(varint(&mut bytes))));
                continue;
            }
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            kind => panic!("kind {kind}"),
        };
        let (content, rest) = bytes.split_at(length);
        bytes = rest;
        let field = match key % 8 {
            1 => Field::Double(f64::from_le_bytes(content.try_into().unwrap())),
            5 => Field::Float(f32::from_le_bytes(content.try_into().unwrap())),
            _ => Field::Bytes(content),
        };
        fields.push((key / 8, field));
    }
    fields
}

fn field<'f, 'a>(fields: &'f [(u64, Field<'a>)], number: u64) -> Option<&'f Field<'a>> {
    fields.iter().find(|(n, _)| *n == number).map(|(_, field)| field)
}

fn bytes<'a>(message: &[(u64, Field<'a>)], number: u64) -> Option<&'a [u8]> {
    match field(message, number) {
        Some(Field::Bytes(bytes)) => Some(bytes),
        _ => None,
    }
}

/// The records of a file, their checksums held.
fn records(mut file: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while !file.is_empty() {
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        let check = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let data = &file[12..12 + length];
        assert_eq!(check(8), masked_crc(&file[..8]));
        assert_eq!(check(12 + length), masked_crc(data));
        records.push(data);
        file = &file[16 + length..];
    }
    records
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    bytes.chunks_exact(8).map(|x| f64::from_le_bytes(x.try_into().unwrap())).collect()
}

#[test]
fn a_reader_by_hand_finds_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.out.tfevents.a");
    write(&path);
    let file = fs::read(&path).unwrap();
    let records = records(&file);
    let first = fields(records[0]);
    assert_eq!(bytes(&first, 3), Some(&b"brain.Event:2"[..]));
    assert!(records.iter().all(|event| field(&fields(event), 1) == Some(&Field::Double(1_700_000_000.5))));

    let mut values = Vec::new();
    for record in &records[1..] {
        let event = fields(record);
        let Some(&Field::Number(step)) = field(&event, 2) else { panic!("no step") };
        let value = fields(bytes(&fields(bytes(&event, 5).unwrap()), 1).unwrap());
        values.push((step, String::from_utf8(bytes(&value, 1).unwrap().to_vec()).unwrap(), value));
    }
    let tags: Vec<_> = values.iter().map(|(step, tag, _)| (*step, tag.as_str())).collect();
    let expected = [
        (0, "step/loss"),
        (300, "step/loss"),
        (600, "step/loss"),
        (900, "step/loss"),
        (900, "parameters/weight"),
        (900, "parameters/bias"),
        (900, "grey"),
        (900, "red"),
    ];
    assert_eq!(tags, expected);
    assert_eq!(field(&values[0].2, 2), Some(&Field::Float(2.5)));
    assert_eq!(field(&values[1].2, 2), Some(&Field::Float(0.125)));
    assert!(matches!(field(&values[2].2, 2), Some(Field::Float(x)) if x.is_nan()));
    assert_eq!(field(&values[3].2, 2), Some(&Field::Float(f32::INFINITY)));

    let histogram = fields(bytes(&values[4].2, 5).unwrap());
    let numbers = |n| match field(&histogram, n) {
        Some(Field::Double(x)) => *x,
        other => panic!("{other:?}"),
    };
    let spread: Vec<f64> = (0..1000).map(|i| (f64::from(i) / 100.0 - 5.0).powi(3)).collect();
    assert_eq!([1, 2, 3].map(numbers), [-125.0, spread[999], 1000.0]);
    assert!((numbers(4) - spread.iter().sum::<f64>()).abs() < 1e-9);
    assert!((numbers(5) - spread.iter().map(|x| x * x).sum::<f64>()).abs() < 1e-6);
    let (ends, counts) = (doubles(bytes(&histogram, 6).unwrap()), doubles(bytes(&histogram, 7).unwrap()));
    assert_eq!((ends.len(), counts.len(), ends[29]), (30, 30, spread[999]));
    let mut start = f64::NEG_INFINITY;
    for (i, (&end, &count)) in ends.iter().zip(&counts).enumerate() {
        // The ends are rounded; no value lies on one but the last.
        let inside = spread.iter().filter(|&&x| start <= x && (x < end || i == 29)).count();
        assert_eq!(count, inside as f64, "bar {i}");
        start = end;
    }
    let bias = fields(bytes(&values[5].2, 5).unwrap());
    assert_eq!(doubles(bytes(&bias, 6).unwrap()), [0.5]);
    assert_eq!(doubles(bytes(&bias, 7).unwrap()), [3.0]);

    for (at, [height, width, channels], pixels) in
        [(6, [3, 2, 1], vec![0, 255, 128, 255, 0, 64]), (7, [1, 1, 3], vec![255, 0, 0])]
    {
        let image = fields(bytes(&values[at].2, 4).unwrap());
        let sizes = [1, 2, 3].map(|n| field(&image, n).unwrap());
        assert_eq!(sizes, [height, width, channels].map(Field::Number).each_ref());
        let encoded = std::io::Cursor::new(bytes(&image, 4).unwrap());
        let mut reader = png::Decoder::new(encoded).read_info().unwrap();
        let mut found = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut found).unwrap();
        assert_eq!(found, pixels);
    }
}

#[test]
fn a_file_is_taken_up_where_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.out.tfevents.a");
    write(&path);
    let whole = fs::read(&path).unwrap();
    let length = |count: usize| records(&whole)[..count].iter().map(|data| data.len() + 16).sum::<usize>();

    drop(EventFile::take_up(&path, 300).unwrap());
    assert!(fs::read(&path).unwrap() == whole[..length(3)]);
    // Torn in the middle of a record, and the next one damaged.
    fs::write(&path, &whole[..length(4) + 20]).unwrap();
    drop(EventFile::take_up(&path, 900).unwrap());
    assert!(fs::read(&path).unwrap() == whole[..length(4)]);
    let mut damaged = whole.clone();
    damaged[length(2) + 14] ^= 1;
    fs::write(&path, damaged).unwrap();
    EventFile::take_up(&path, 900).unwrap().scalar("again", 301, 1.0).unwrap();
    let file = fs::read(&path).unwrap();
    assert!(file[..length(2)] == whole[..length(2)]);
    assert_eq!(records(&file).len(), 3);

    fs::write(&path, "text").unwrap();
    let error = EventFile::take_up(&path, 1).unwrap_err().to_string();
    assert!(error.ends_with("events.out.tfevents.a: this is no file of events"), "{error}");
    let nothing = folder.path().join("new");
    drop(EventFile::take_up(&nothing, 5).unwrap());
    assert_eq!(records(&fs::read(nothing).unwrap()).len(), 1);
}

#[test]
fn a_picture_has_whole_rows() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = EventFile::create(folder.path().join("a")).unwrap();
    for (width, channels, count) in [(2, 1, 3), (2, 2, 4), (0, 1, 0), (2, 1, 0)] {
        let error = file.image("x", 0, width, channels, &vec![0.0; count]).unwrap_err().to_string();
        let text = format!("{count} numbers are no picture of {channels} channels, {width} wide");
        assert_eq!(error, text);
    }
}
