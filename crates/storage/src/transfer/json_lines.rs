use super::line::KeyLine;
use crate::error::LineRefused;
use crate::limits::MAX_LINE_BYTES;
use serde_json::error::Category;
use std::io::{self, BufRead, Read, Write};
use zeroize::{Zeroize, Zeroizing};

/// The lines of a file of JSON objects. Blank lines are skipped.
pub(super) struct JsonLines<R> {
    input: R,
    line: u64,
    /// Never grows: growing would leave a copy behind, which may be a key in clear.
    text: Zeroizing<Vec<u8>>,
}

impl<R: BufRead> JsonLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 0, text: Zeroizing::new(Vec::with_capacity(MAX_LINE_BYTES + 1)) }
    }

    /// The next line, if any, and its number.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Result<KeyLine, LineRefused>)>> {
        loop {
            self.text.as_mut_slice().zeroize();
            self.text.clear();
            self.line += 1;
            let limit = MAX_LINE_BYTES as u64 + 1;
            if self.input.by_ref().take(limit).read_until(b'\n', &mut self.text)? == 0 {
                return Ok(None);
            }
            if self.text.len() > MAX_LINE_BYTES {
                if !self.text.ends_with(b"\n") {
                    self.input.skip_until(b'\n')?;
                }
                return Ok(Some((self.line, Err(LineRefused::TooLong { max: MAX_LINE_BYTES }))));
            }
            if !self.text.trim_ascii().is_empty() {
                return Ok(Some((self.line, parse(&self.text))));
            }
        }
    }
}

fn parse(text: &[u8]) -> Result<KeyLine, LineRefused> {
    // An array would be read as the members in their order.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(LineRefused::NotJson { column: 1 });
    }
    serde_json::from_slice(text).map_err(|error| match error.classify() {
        Category::Data => LineRefused::NotARecord { column: error.column() },
        _ => LineRefused::NotJson { column: error.column() },
    })
}

/// Writes one line.
pub(super) fn write(output: &mut impl Write, line: &KeyLine) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}
