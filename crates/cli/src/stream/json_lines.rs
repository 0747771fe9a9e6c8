//! Standard output: one JSON object per line.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Writes values to standard output, each as one line of JSON.
pub(crate) struct JsonLines {
    output: BufWriter<StdoutLock<'static>>,
}

impl JsonLines {
    pub(crate) fn new() -> Self {
        JsonLines { output: BufWriter::with_capacity(crate::limits::READ_BYTES, io::stdout().lock()) }
    }

    /// Writes `value`, at the latest with the next [`flush`](Self::flush).
    pub(crate) fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        write_line(&mut self.output, value)
    }

    /// Writes text for people.
    pub(crate) fn write_text(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// `value` as one line of JSON.
pub(crate) fn json_line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    write_line(&mut line, value)?;
    Ok(line)
}

fn write_line(output: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *output, Printable))?;
    output.write_all(b"\n")
}

/// Compact JSON without characters that control a terminal or reorder a line, so that text of a hostile token can be
/// shown.
struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(position) = rest.find(is_unprintable) {
            let (printable, from) = rest.split_at(position);
            writer.write_all(printable.as_bytes())?;
            let mut characters = from.chars();
            if let Some(character) = characters.next() {
                // All of them are in the basic plane: one escape of four digits each.
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// DEL and the C1 controls, line and paragraph separators, and the marks that change the direction of writing (Unicode
/// Standard Annex 9). JSON itself escapes the C0 controls.
fn is_unprintable(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
