use std::mem;

use simd_json::{Buffers, ErrorType, INPUT_PADDING, Node, Tape};

use super::duplicates::refuse_duplicates;
use super::error::JsonError;
use super::value::Object;
use crate::bytes::contains_byte;
use crate::limits::{MAX_JSON_MEMBERS, MAX_JSON_NESTING};

/// Parses `text`, which must be one JSON object.
///
/// # Errors
/// [`JsonError`].
pub fn parse<'s>(text: &[u8], buffer: &'s mut Buffer) -> Result<Document<'s>, JsonError> {
    parse_within(text, MAX_JSON_MEMBERS, buffer)
}

/// Parses `text`, which must be one JSON object. No object in it may have more than `max_members`.
///
/// # Errors
/// [`JsonError`].
pub fn parse_within<'s>(text: &[u8], max_members: usize, buffer: &'s mut Buffer) -> Result<Document<'s>, JsonError> {
    buffer.text.clear();
    buffer.text.extend_from_slice(text);
    buffer.parse(max_members)
}

/// Reusable memory for one document.
///
/// A document borrows from its buffer. Once the buffer has grown to the documents in use, parsing allocates nothing.
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
    /// Lets `write` append the document's text to the emptied buffer.
    pub(crate) fn fill<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.text.clear();
        write(&mut self.text)
    }

    /// Parses the text that [`Buffer::fill`] wrote. No object in it may have more than `max_members`.
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

/// One parsed JSON object and everything in it.
pub struct Document<'s> {
    tape: Tape<'s>,
    /// Receives the tape's memory back on drop.
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

    /// Whether a string may contain U+0000, which only an escape can encode.
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
