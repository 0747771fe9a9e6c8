use std::mem;

use simd_json::{Buffers, ErrorType, INPUT_PADDING, Node, Tape};

use super::duplicates::refuse_duplicates;
use super::error::JsonError;
use super::value::Object;
use crate::bytes::contains_byte;
use crate::limits::{MAX_JSON_MEMBERS, MAX_JSON_NESTING};

/// Parses `text`, which has to be one JSON object.
///
/// # Errors
/// [`JsonError`].
pub fn parse<'s>(text: &[u8], buffer: &'s mut Buffer) -> Result<Document<'s>, JsonError> {
    parse_within(text, MAX_JSON_MEMBERS, buffer)
}

/// Parses `text`, which has to be one JSON object; no object in it has more than `max_members`.
///
/// # Errors
/// [`JsonError`].
pub fn parse_within<'s>(text: &[u8], max_members: usize, buffer: &'s mut Buffer) -> Result<Document<'s>, JsonError> {
    buffer.text.clear();
    buffer.text.extend_from_slice(text);
    buffer.parse(max_members)
}

/// Memory for one document, to be used again for the next.
///
/// What a document borrows lies here. Once it has grown to the documents at hand, parsing allocates nothing.
pub struct Buffer {
    text: Vec<u8>,
    nodes: Vec<Node<'static>>,
    order: Vec<u32>,
    stages: Buffers,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer {
            text: Vec::new(),
            nodes: Vec::new(),
            order: Vec::new(),
            stages: Buffers::with_max_depth(0, MAX_JSON_NESTING),
        }
    }
}

impl Buffer {
    /// Lets `write` append the document's text to an empty vector.
    pub(crate) fn fill<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.text.clear();
        write(&mut self.text)
    }

    /// Parses what [`Buffer::fill`] wrote; no object of it has more than `max_members`.
    pub(crate) fn parse(&mut self, max_members: usize) -> Result<Document<'_>, JsonError> {
        let length = self.text.len();
        let has_escapes = contains_byte(&self.text, b'\\');
        self.text.resize(length + INPUT_PADDING, 0);
        let tape = Tape(mem::take(&mut self.nodes));
        let mut document = Document { tape, home: &mut self.nodes, has_escapes, widest: 0 };
        simd_json::fill_tape_padded(&mut self.text, length, &mut self.stages, &mut document.tape)
            .map_err(|error| syntax_error(&error))?;
        if !matches!(document.tape.0.first(), Some(Node::Object { .. })) {
            return Err(JsonError::NotAnObject);
        }
        document.widest = refuse_duplicates(&document.tape.0, max_members, &mut self.order)?;
        Ok(document)
    }
}

/// One JSON object and all that it holds, parsed.
pub struct Document<'s> {
    tape: Tape<'s>,
    /// Where the tape's memory goes back to.
    home: &'s mut Vec<Node<'static>>,
    has_escapes: bool,
    widest: usize,
}

impl<'s> Document<'s> {
    /// The object.
    #[inline]
    #[must_use]
    pub fn root(&self) -> Object<'_, 's> {
        Object::new(&self.tape.0)
    }

    /// Whether a string may hold U+0000, which only an escape can bring about.
    pub(crate) fn may_hold_nul(&self) -> bool {
        self.has_escapes
    }

    /// The number of members of the widest object.
    pub(crate) fn widest(&self) -> usize {
        self.widest
    }
}

impl Drop for Document<'_> {
    fn drop(&mut self) {
        *self.home = mem::replace(&mut self.tape, Tape(Vec::new())).reset().0;
    }
}

#[cold]
fn syntax_error(error: &simd_json::Error) -> JsonError {
    match error.error() {
        ErrorType::DepthLimitExceeded => JsonError::TooDeep,
        _ => JsonError::Syntax { offset: error.index() },
    }
}
