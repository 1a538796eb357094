//! Records with checksums: `TFRecord`.

/// The bytes of length and its checksum before the data, and of the checksum after it.
const HEAD: usize = 12;
const FOOT: usize = 4;

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of each byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| crc >> 8 ^ TABLE[(crc as u8 ^ byte) as usize])
}

/// The checksum of a record: masked, as checksums of data with checksums in it are weak.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The record of `data`.
pub(super) fn write(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}

/// How many bytes the record of `data` has.
pub(super) fn size(data: &[u8]) -> usize {
    HEAD + data.len() + FOOT
}

/// The data of the first record in `bytes`; none if there is none, or it is torn or damaged.
pub(super) fn read(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (length, check) = head.split_at(8);
    if check != masked(length) {
        return None;
    }
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (data, rest) = rest.split_at_checked(length)?;
    (rest.get(..FOOT)? == masked(data)).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, appendix B.4, and the usual check value.
        assert_eq!(crc(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc(&std::array::from_fn::<u8, 32, _>(|i| i as u8)), 0x46dd_794e);
        assert_eq!(crc(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_torn_or_damaged_record_is_none() {
        let record = write(b"event");
        assert_eq!(read(&record), Some(&b"event"[..]));
        assert_eq!(size(b"event"), record.len());
        for at in 0..record.len() {
            assert_eq!(read(&record[..at]), None, "torn at {at}");
            let mut damaged = record.clone();
            damaged[at] ^= 4;
            assert_eq!(read(&damaged), None, "damaged at {at}");
        }
    }
}
