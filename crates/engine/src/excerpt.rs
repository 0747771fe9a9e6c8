//! Excerpts of a token's text, for errors.

use std::fmt::{self, Display, Write};

use tollgate_jwt::StringList;
use tollgate_jwt::json::{Number, Value};
use tollgate_jwt::limits::MAX_EXCERPT_BYTES;

/// The text of `value`, or its beginning and `...`. Allocates once, however long `value` is.
pub(crate) fn excerpt_of(value: impl Display) -> Box<str> {
    let mut excerpt = Excerpt { bytes: [0; MAX_EXCERPT_BYTES], length: 0, escaped: 0 };
    if write!(excerpt, "{value}").is_err() {
        excerpt.push_str(ELLIPSIS);
    }
    excerpt.as_str().into()
}

/// A claim's value as JSON, with objects shown as `{...}`.
pub(crate) fn excerpt_value(value: Value<'_, '_>) -> Box<str> {
    excerpt_of(Json(value))
}

/// The strings of a claim as JSON.
pub(crate) fn excerpt_list(list: StringList<'_, '_>) -> Box<str> {
    list.value().map_or_else(|| "null".into(), excerpt_value)
}

const ELLIPSIS: &str = "...";

/// The most bytes before an ellipsis.
const MAX_CUT_BYTES: usize = MAX_EXCERPT_BYTES - ELLIPSIS.len();

struct Excerpt {
    bytes: [u8; MAX_EXCERPT_BYTES],
    length: usize,
    /// The length of the text when `Debug` writes it.
    escaped: usize,
}

impl Excerpt {
    fn push_str(&mut self, text: &str) {
        let end = self.length + text.len();
        self.bytes[self.length..end].copy_from_slice(text.as_bytes());
        self.length = end;
    }

    fn as_str(&self) -> &str {
        // Only whole characters were written.
        str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Write for Excerpt {
    /// Fails when there is no more room, which ends the writing.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Most text needs no escapes, and fits.
        let is_plain = text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'&' | b'('..=b'[' | b']'..=b'~'));
        if is_plain && self.escaped + text.len() <= MAX_CUT_BYTES {
            self.escaped += text.len();
            self.push_str(text);
            return Ok(());
        }
        for character in text.chars() {
            self.escaped += character.escape_debug().map(char::len_utf8).sum::<usize>();
            if self.escaped > MAX_CUT_BYTES {
                return Err(fmt::Error);
            }
            self.push_str(character.encode_utf8(&mut [0; 4]));
        }
        Ok(())
    }
}

struct Json<'a, 's>(Value<'a, 's>);

impl Display for Json<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(Number::Signed(value)) => write!(f, "{value}"),
            Value::Number(Number::Unsigned(value)) => write!(f, "{value}"),
            Value::Number(Number::Float(value)) => write!(f, "{value:?}"),
            // Debug escapes.
            Value::String(text) => write!(f, "{text:?}"),
            Value::Object(_) => f.write_str("{...}"),
            Value::Array(array) => {
                f.write_char('[')?;
                for (index, entry) in array.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    Json(entry).fmt(f)?;
                }
                f.write_char(']')
            }
        }
    }
}

/// At most `max` characters of a text, with unprintable ones escaped.
pub(crate) struct Brief<T>(pub(crate) T, pub(crate) usize);

impl<T: Display> Display for Brief<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut brief = BriefWriter { f, left: self.1.saturating_sub(ELLIPSIS.len()), is_cut: false };
        let result = write!(brief, "{}", self.0);
        if brief.is_cut { f.write_str(ELLIPSIS) } else { result }
    }
}

struct BriefWriter<'f, 'a> {
    f: &'f mut fmt::Formatter<'a>,
    left: usize,
    is_cut: bool,
}

impl Write for BriefWriter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let is_quote = matches!(character, '"' | '\'' | '\\');
            let length = if is_quote { 1 } else { character.escape_debug().count() };
            if length > self.left {
                self.is_cut = true;
                return Err(fmt::Error);
            }
            self.left -= length;
            match is_quote {
                true => self.f.write_char(character)?,
                false => write!(self.f, "{}", character.escape_debug())?,
            }
        }
        Ok(())
    }
}
