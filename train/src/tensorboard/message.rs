//! Messages of protocol buffers: a field is a number, shifted, with a code for its kind, then its bytes.

const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH: u64 = 2;
const FOUR_BYTES: u64 = 5;

/// The field of an `Event` that holds its step.
const STEP: u64 = 2;

/// A message, field by field.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    fn varint(&mut self, mut number: u64) {
        while number >= 128 {
            self.0.push(number as u8 | 128);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    pub(super) fn number(&mut self, field: u64, number: u64) {
        self.key(field, VARINT);
        self.varint(number);
    }

    pub(super) fn double(&mut self, field: u64, number: f64) {
        self.key(field, EIGHT_BYTES);
        self.0.extend(number.to_le_bytes());
    }

    pub(super) fn float(&mut self, field: u64, number: f32) {
        self.key(field, FOUR_BYTES);
        self.0.extend(number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    pub(super) fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    pub(super) fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }

    /// Packed.
    pub(super) fn doubles(&mut self, field: u64, numbers: &[f64]) {
        self.bytes(field, &numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>());
    }
}

/// The step of an `Event`, which is 0 where it is not written; none if these are no fields.
pub(super) fn step(mut event: &[u8]) -> Option<u64> {
    let mut step = 0;
    while !event.is_empty() {
        let key = varint(&mut event)?;
        let skipped = match key & 7 {
            VARINT => {
                let number = varint(&mut event)?;
                if key >> 3 == STEP {
                    step = number;
                }
                0
            }
            EIGHT_BYTES => 8,
            LENGTH => usize::try_from(varint(&mut event)?).ok()?,
            FOUR_BYTES => 4,
            _ => return None,
        };
        event = event.get(skipped..)?;
    }
    Some(step)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(number);
        }
    }
    None
}
