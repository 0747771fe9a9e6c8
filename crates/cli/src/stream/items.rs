//! Standard input, item by item.

use std::io::{self, BufRead, Read};

use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::InputFormat;
use crate::limits::{MAX_LINE_BYTES, READ_BYTES};
use crate::secret_input::SecretInput;

/// One line of standard input, decoded by its format.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Item<'i> {
    /// The item.
    Bytes(&'i [u8]),
    /// The line is longer than [`MAX_LINE_BYTES`] and was skipped.
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The line does not have the format.
    Malformed,
}

/// The items of `input`. One line is held at a time.
pub(crate) struct Items<R> {
    input: SecretInput<R>,
    format: InputFormat,
    line: Zeroizing<Vec<u8>>,
    decoded: Zeroizing<Vec<u8>>,
    bytes_read: u64,
    count: u64,
}

impl<R: Read> Items<R> {
    pub(crate) fn new(input: R, format: InputFormat) -> Self {
        // Room for every credential that an engine reads: a growing line would leave copies of itself behind.
        let line = Zeroizing::new(Vec::with_capacity(READ_BYTES));
        Items { input: SecretInput::new(input), format, line, decoded: Zeroizing::default(), bytes_read: 0, count: 0 }
    }

    /// Whether the next item is incomplete, so that asking for it may wait.
    pub(crate) fn would_wait(&self) -> bool {
        !self.input.buffer().contains(&b'\n')
    }

    /// Bytes of the items so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Number of the items so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The next item; nothing at the end of the input.
    pub(crate) fn next(&mut self) -> io::Result<Option<Item<'_>>> {
        self.line.as_mut_slice().zeroize();
        self.line.clear();
        // The line feed is not part of the line.
        let limit = MAX_LINE_BYTES + 1;
        let mut length = self.input.by_ref().take(limit as u64).read_until(b'\n', &mut self.line)?;
        if length == 0 {
            return Ok(None);
        }
        let ended = self.line.pop_if(|last| *last == b'\n').is_some();
        let too_long = !ended && length == limit;
        if too_long {
            length += self.input.skip_until(b'\n')?;
        }
        self.bytes_read += length as u64;
        self.count += 1;
        if too_long {
            return Ok(Some(Item::TooLong { length }));
        }
        Ok(Some(match self.format {
            InputFormat::Lines => Item::Bytes(&self.line),
            InputFormat::Json if self.line.trim_ascii().is_empty() => Item::Bytes(b""),
            InputFormat::Json => match decode(&self.line) {
                Some(decoded) => {
                    self.decoded = Zeroizing::new(decoded);
                    Item::Bytes(&self.decoded)
                }
                None => Item::Malformed,
            },
        }))
    }
}

/// The item in a line of JSON.
fn decode(line: &[u8]) -> Option<Vec<u8>> {
    if line.trim_ascii_start().starts_with(b"\"") {
        return serde_json::from_slice::<String>(line).ok().map(String::into_bytes);
    }
    let InBase64 { base64 } = serde_json::from_slice(line).ok()?;
    // Every variant of base64 is accepted, since no two of them decode one text differently.
    use base64_simd::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|form| form.decode_to_vec(&base64).ok())
}

/// The item in base64, for bytes that are not UTF-8.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InBase64 {
    base64: String,
}
