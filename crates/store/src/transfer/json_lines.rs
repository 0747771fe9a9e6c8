use super::line::KeyLine;
use crate::error::LineRefused;
use crate::limits::MAX_LINE_BYTES;
use serde::de::Error;
use std::io::{self, BufRead, Read, Write};

/// The lines of a file of JSON objects. Blank ones are passed over.
pub(super) struct JsonLines<R> {
    input: R,
    line: u64,
    text: Vec<u8>,
}

impl<R: BufRead> JsonLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 0, text: Vec::new() }
    }

    /// The next line, if there is one, and its number.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Result<KeyLine, LineRefused>)>> {
        loop {
            self.text.clear();
            self.line += 1;
            let limit = MAX_LINE_BYTES as u64 + 1;
            if self.input.by_ref().take(limit).read_until(b'\n', &mut self.text)? == 0 {
                return Ok(None);
            }
            if self.text.len() > MAX_LINE_BYTES {
                return Ok(Some((self.line, Err(LineRefused::TooLong { max: MAX_LINE_BYTES }))));
            }
            if !self.text.trim_ascii().is_empty() {
                return Ok(Some((self.line, parse(&self.text).map_err(Into::into))));
            }
        }
    }
}

fn parse(text: &[u8]) -> serde_json::Result<KeyLine> {
    // An array would be taken for the members in their order.
    if text.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice(text)
    } else {
        Err(serde_json::Error::custom("not a JSON object"))
    }
}

/// Writes one line.
pub(super) fn write(output: &mut impl Write, line: &KeyLine) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}
