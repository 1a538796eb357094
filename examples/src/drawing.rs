//! Drawings made into images as those of MNIST were made from scans.

/// Width and height of an image.
pub const SIDE: usize = 28;

/// Width and height of the box that a digit is fitted into.
const BOX: usize = 20;

/// Where the centre of mass comes to, from the image's edge: to the centre of pixel 14, counted from 0, as in MNIST.
const MIDDLE: f64 = 14.5;

/// An image as MNIST has them, values from 0 to 1, row by row, from a drawing: `width` bytes a row, 0 where there is no ink
/// and 255 where it is full. `None` if there is no ink at all.
///
/// As Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition", Proceedings
/// of the IEEE 86 (1998), section III.A: the digit is scaled, keeping its proportions, until it just fits into 20x20 pixels, and
/// moved until the centre of mass of its ink is in the middle of 28x28. Scaled by mean values over areas; moved by whole pixels,
/// and never so far that a part is cut off. An image of MNIST is its own.
///
/// # Panics
/// If `width` is 0, or the drawing is not made of whole rows.
pub fn image(ink: &[u8], width: usize) -> Option<[f32; SIDE * SIDE]> {
    assert!(width > 0 && ink.len().is_multiple_of(width), "a drawing of whole rows");
    let inked: Vec<[usize; 2]> =
        (0..ink.len()).filter(|&i| ink[i] > 0).map(|i| [i / width, i % width]).collect();
    // The box around the ink, along y and x: the first pixel, and the one after the last.
    let ends = |axis: usize| {
        let along = inked.iter().map(|pixel| pixel[axis]);
        Some((along.clone().min()?, along.max()? + 1))
    };
    let (rows, columns) = (ends(0)?, ends(1)?);
    let scale = BOX as f64 / (rows.1 - rows.0).max(columns.1 - columns.0) as f64;

    let mut fitted = [[0.0; BOX]; BOX];
    for (y, row) in fitted.iter_mut().enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            for (from_y, high) in covered(y, scale, rows) {
                for (from_x, wide) in covered(x, scale, columns) {
                    *value += high * wide * f64::from(ink[from_y * width + from_x]) / 255.0;
                }
            }
        }
    }

    let (mut mass, mut moment) = (0.0, [0.0, 0.0]);
    for (y, row) in fitted.iter().enumerate() {
        for (x, value) in row.iter().enumerate() {
            mass += value;
            moment[0] += value * (y as f64 + 0.5);
            moment[1] += value * (x as f64 + 0.5);
        }
    }
    let size = [rows, columns].map(|(first, last)| (scale * (last - first) as f64 - 1e-6).ceil());
    let [down, right] = [0, 1].map(|axis| {
        // Of two places that are as near, the first one, however the sums are rounded.
        let shift = (MIDDLE - moment[axis] / mass - 1e-6).round();
        shift.clamp(0.0, SIDE as f64 - size[axis]) as usize
    });
    let mut image = [0.0; SIDE * SIDE];
    for (y, row) in fitted.iter().enumerate().take(size[0] as usize) {
        for (x, &value) in row.iter().enumerate().take(size[1] as usize) {
            image[(y + down) * SIDE + x + right] = value as f32;
        }
    }
    Some(image)
}

/// The pixels of the drawing, from the first to before the last, under pixel `place` of what it becomes; each with the share
/// of that pixel's length that it covers.
fn covered(
    place: usize,
    scale: f64,
    (first, last): (usize, usize),
) -> impl Iterator<Item = (usize, f64)> + Clone {
    let ends = [place, place + 1].map(|end| first as f64 + end as f64 / scale);
    let pixels = ends[0] as usize..(ends[1].ceil() as usize).min(last);
    pixels.map(move |pixel| {
        let length = ends[1].min((pixel + 1) as f64) - ends[0].max(pixel as f64);
        (pixel, length * scale)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A drawing with a full rectangle.
    fn rectangle(side: usize, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> Vec<u8> {
        let full = |i: usize| rows.contains(&(i / side)) && columns.contains(&(i % side));
        (0..side * side).map(|i| 255 * u8::from(full(i))).collect()
    }

    /// The rows and the columns with ink, each from the first to before the last, and the sum of all values.
    fn extent(image: &[f32]) -> ([usize; 2], [usize; 2], f32) {
        let inked: Vec<usize> = (0..image.len()).filter(|&i| image[i] > 0.0).collect();
        let ends = |place: fn(&usize) -> usize| {
            let along = inked.iter().map(place);
            [along.clone().min().unwrap(), along.max().unwrap() + 1]
        };
        (ends(|i| i / SIDE), ends(|i| i % SIDE), image.iter().sum())
    }

    #[test]
    fn a_bar_is_fitted_and_centred_wherever_and_however_large_it_is_drawn() {
        for (side, rows, columns) in [(280, 40..240, 10..30), (56, 1..41, 50..54), (280, 0..100, 270..280)] {
            let image = image(&rectangle(side, rows.clone(), columns.clone()), side).unwrap();
            let (high, wide, sum) = extent(&image);
            assert_eq!((high, wide), ([4, 24], [13, 15]), "{rows:?} {columns:?}");
            assert!((sum - 40.0).abs() < 1e-4, "{sum}");
        }
        let lying = image(&rectangle(100, 50..60, 0..100), 100).unwrap();
        assert_eq!(extent(&lying), ([13, 15], [4, 24], 40.0));
    }

    #[test]
    fn areas_are_averaged() {
        // 30 pixels become 20: each covers one and a half. The bar's width of 4 covers two and two thirds.
        let image = image(&rectangle(30, 0..30, 2..6), 30).unwrap();
        let row: Vec<f32> = image[14 * SIDE..15 * SIDE].iter().copied().filter(|&x| x > 0.0).collect();
        assert_eq!(row.len(), 3);
        assert!((row[0] - 1.0).abs() < 1e-6 && (row[2] - 2.0 / 3.0).abs() < 1e-6, "{row:?}");
    }

    #[test]
    fn the_middle_is_that_of_the_mass() {
        // A long bar on the left, a short one on the right.
        let (left, right) = (rectangle(20, 0..20, 0..2), rectangle(20, 0..10, 18..20));
        let ink: Vec<u8> = left.iter().zip(&right).map(|(left, right)| left + right).collect();
        let image = image(&ink, 20).unwrap();
        let mass: f32 = image.iter().sum();
        let mean = |place: fn(usize) -> usize| {
            (0..image.len()).map(|i| (place(i) as f32 + 0.5) * image[i]).sum::<f32>() / mass
        };
        let centre = [mean(|i| i / SIDE), mean(|i| i % SIDE)];
        assert!(centre.iter().all(|c| (c - MIDDLE as f32).abs() <= 0.501), "{centre:?}");
    }

    #[test]
    fn nothing_is_cut_off() {
        // So heavy in one corner that the middle of its mass in the middle would push the line out.
        let mut ink = vec![0; 400];
        ink[0] = 255;
        for i in 1..20 {
            ink[i * 21] = 1;
        }
        let image = image(&ink, 20).unwrap();
        assert_eq!(image.iter().filter(|&&x| x > 0.0).count(), 20);
    }

    #[test]
    fn without_ink_there_is_no_image() {
        assert!(image(&[0; 784], 28).is_none());
        assert!(image(&[], 28).is_none());
        let dot = image(&rectangle(100, 70..71, 3..4), 100).unwrap();
        assert_eq!(extent(&dot), ([4, 24], [4, 24], 400.0));
    }

    #[test]
    fn the_images_of_mnist_are_their_own() {
        let test = datasets::mnist::shipped().unwrap().test;
        let same = |i: usize| {
            let given = test.image(i).unwrap();
            let made = image(given, SIDE).unwrap();
            made.iter().zip(given).all(|(made, &given)| (made * 255.0).round() == f32::from(given))
        };
        let count = (0..2_000).filter(|&i| same(i)).count();
        assert!(count >= 1_900, "{count} of 2000");
    }
}
