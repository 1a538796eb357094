//! Numbers as the bytes of a file.

use autodiff::{Array, Float};

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    F16,
    Bf16,
    F32,
    F64,
}

impl Format {
    /// That of `T`.
    pub(super) fn of<T: Float>() -> Self {
        if T::NAME == "f32" { Self::F32 } else { Self::F64 }
    }

    /// Bytes of a number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// Appends an array in row-major order, each number with its lowest byte first.
pub(super) fn write<T: Float>(array: &Array<T>, out: &mut Vec<u8>) {
    let values = array.to_vec();
    match Format::of::<T>() {
        Format::F32 => values.iter().for_each(|x| out.extend((x.to_f64() as f32).to_le_bytes())),
        _ => values.iter().for_each(|x| out.extend(x.to_f64().to_le_bytes())),
    }
}

/// The numbers in `bytes`, lowest byte first.
pub(super) fn read<T: Float>(bytes: &[u8], format: Format) -> Vec<T> {
    let words = bytes.chunks_exact(format.size());
    let number = |word: &[u8]| match format {
        Format::F16 => half(u16::from_le_bytes([word[0], word[1]])),
        Format::Bf16 => f32::from_le_bytes([0, 0, word[0], word[1]]).into(),
        Format::F32 => f32::from_le_bytes(word.try_into().expect("four bytes")).into(),
        Format::F64 => f64::from_le_bytes(word.try_into().expect("eight bytes")),
    };
    words.map(|word| T::from_f64(number(word))).collect()
}

/// A number of half precision (IEEE 754 binary16): one bit for the sign, five for the exponent, ten for the fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_read() {
        let halves =
            [0x3c00u16, 0xc000, 0x3555, 0x0001, 0x7bff, 0xfc00, 0x8000].map(u16::to_le_bytes).concat();
        let expected = [1.0, -2.0, 0.333_251_953_125, 2f64.powi(-24), 65504.0, f64::NEG_INFINITY, -0.0];
        assert_eq!(read::<f64>(&halves, Format::F16), expected);
        assert!(read::<f32>(&[1, 0x7c], Format::F16)[0].is_nan());
        assert_eq!(read::<f32>(&[0x80, 0x3f, 0x49, 0xc0], Format::Bf16), [1.0, -3.140_625]);
    }
}
