//! Images in folders, one a class.

use std::fs::{self, File};
use std::path::Path;

use datasets::{Augment, ImageFolder, Loader};
use insta::assert_snapshot;
use png::{BitDepth, ColorType, Encoder};
use tempfile::TempDir;

fn write(path: &Path, [width, height]: [u32; 2], colour: ColorType, depth: BitDepth, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = Encoder::new(File::create(path).unwrap(), width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(bytes).unwrap();
}

/// Grey images of 3x2 pixels: 4 dogs and 3 cats, each filled with its number.
fn pets() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (number, name) in
        ["cat/a.png", "cat/b.PNG", "cat/more/c.png", "dog/1.png", "dog/10.png", "dog/2.png", "dog/3.png"]
            .iter()
            .enumerate()
    {
        let bytes = [number as u8; 6];
        write(&root.path().join(name), [3, 2], ColorType::Grayscale, BitDepth::Eight, &bytes);
    }
    fs::write(root.path().join("cat/notes.txt"), "no image").unwrap();
    fs::write(root.path().join("LICENSE.png"), "not in a class").unwrap();
    root
}

/// The text of an error, without the folder that differs each time.
fn text(error: &datasets::Error, root: &TempDir) -> String {
    error.to_string().replace(&root.path().display().to_string(), "ROOT")
}

#[test]
fn classes_and_files_are_sorted() {
    let root = pets();
    let pets = ImageFolder::open(root.path()).unwrap();
    assert_eq!((pets.len(), pets.is_empty(), pets.shape()), (7, false, [1, 2, 3]));
    assert_eq!(pets.classes(), ["cat", "dog"]);
    assert_eq!(pets.labels(), [0, 0, 0, 1, 1, 1, 1]);
    assert!(pets.files()[1].ends_with("cat/b.PNG") && pets.files()[4].ends_with("dog/10.png"));
    let batch = pets.batch(&[6, 0]).unwrap();
    assert_eq!((batch.images.shape().to_vec(), batch.labels), (vec![2, 1, 2, 3], vec![1, 0]));
    assert_eq!(
        batch.images.to_vec()[..7],
        [6.0 / 255.0, 6.0 / 255.0, 6.0 / 255.0, 6.0 / 255.0, 6.0 / 255.0, 6.0 / 255.0, 0.0]
    );
}

#[test]
fn a_loader_reads_them_with_and_without_workers() {
    let root = pets();
    let pets = ImageFolder::open(root.path()).unwrap();
    let loader = Loader::new(&pets, 3).shuffle(4).augment(Augment::new().noise(0.1), 4);
    let read = |workers| -> Vec<f32> {
        loader.workers(workers).iter().flat_map(|batch| batch.unwrap().images.to_vec()).collect()
    };
    assert_eq!(read(0).len(), 7 * 6);
    assert!([1, 2, 4].into_iter().all(|workers| read(workers) == read(0)));

    // What goes wrong in one batch is that batch's error.
    fs::write(root.path().join("dog/2.png"), "no longer").unwrap();
    let outcomes: Vec<_> = Loader::new(&pets, 2).workers(2).iter().collect();
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
    let error = outcomes.into_iter().find_map(Result::err).unwrap();
    assert_snapshot!(text(&error, &root), @"ROOT/dog/2.png: not a sound PNG file: Invalid PNG signature.");
}

#[test]
fn colours_and_depths() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("class/image.png");
    let read = |colour, depth, bytes: &[u8]| {
        write(&path, [2, 1], colour, depth, bytes);
        let folder = ImageFolder::open(root.path()).unwrap();
        (folder.shape(), folder.batch(&[0]).unwrap().images.to_vec())
    };
    let rgb = [10, 20, 30, 40, 50, 60];
    let planes = [10u8, 40, 20, 50, 30, 60].map(|byte| f32::from(byte) / 255.0);
    assert_eq!(read(ColorType::Rgb, BitDepth::Eight, &rgb), ([3, 1, 2], planes.to_vec()));
    let grey = read(ColorType::Grayscale, BitDepth::Sixteen, &[0x12, 0x34, 0xff, 0xff]);
    assert_eq!(grey, ([1, 1, 2], vec![f32::from(0x1234u16) / 65535.0, 1.0]));
    let wide: Vec<u8> = rgb.iter().flat_map(|&byte| [byte, byte]).collect(); // 257 times the byte, of 257 times 255
    assert_eq!(read(ColorType::Rgb, BitDepth::Sixteen, &wide), ([3, 1, 2], planes.to_vec()));
    assert_eq!(read(ColorType::Grayscale, BitDepth::One, &[0b0100_0000]), ([1, 1, 2], vec![0.0, 1.0]));
}

#[test]
fn errors_name_the_file() {
    let root = pets();
    let pets = ImageFolder::open(root.path()).unwrap();
    let batch = |index| text(&pets.batch(&[0, index]).unwrap_err(), &root);
    assert_snapshot!(batch(7), @"ROOT: index 7 is out of range for 7 images");
    write(&root.path().join("dog/1.png"), [2, 3], ColorType::Grayscale, BitDepth::Eight, &[0; 6]);
    assert_snapshot!(batch(3), @"ROOT/dog/1.png: an image of 1 x 3 x 2, where ROOT/cat/a.png has 1 x 2 x 3");
    write(&root.path().join("dog/1.png"), [3, 2], ColorType::Rgba, BitDepth::Eight, &[0; 24]);
    assert_snapshot!(batch(3), @"ROOT/dog/1.png: has transparency; only grey and RGB images are read");
    let sound = fs::read(root.path().join("dog/3.png")).unwrap();
    fs::write(root.path().join("dog/1.png"), &sound[..sound.len() - 20]).unwrap();
    assert_snapshot!(batch(3), @"ROOT/dog/1.png: not a sound PNG file: unexpected end of file");
    // A header that lies: 2^31 - 1 pixels a side, with the checksum that goes with it.
    let mut lie = sound;
    lie[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let sum = crc(&lie[12..29]);
    lie[29..33].copy_from_slice(&sum.to_be_bytes());
    fs::write(root.path().join("dog/1.png"), lie).unwrap();
    assert_snapshot!(batch(3), @"ROOT/dog/1.png: not a sound PNG file: limits are exceeded");
    fs::remove_file(root.path().join("dog/1.png")).unwrap();
    assert_snapshot!(batch(3), @"ROOT/dog/1.png: No such file or directory (os error 2)");

    let open = || text(&ImageFolder::open(root.path()).unwrap_err(), &root);
    fs::write(root.path().join("dog/4.JPG"), "").unwrap();
    assert_snapshot!(open(), @"ROOT/dog/4.JPG: only PNG images are read");
    fs::remove_file(root.path().join("dog/4.JPG")).unwrap();
    fs::create_dir(root.path().join("eel")).unwrap();
    assert_snapshot!(open(), @"ROOT/eel: holds no PNG files");
    fs::remove_dir_all(root.path().join("cat")).unwrap();
    fs::remove_dir_all(root.path().join("dog")).unwrap();
    fs::remove_dir_all(root.path().join("eel")).unwrap();
    assert_snapshot!(open(), @"ROOT: holds no folders, one for each class");
}

/// The checksum of PNG's chunks, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
