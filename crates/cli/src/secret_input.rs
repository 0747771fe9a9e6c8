//! Input that may hold secrets.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use zeroize::{Zeroize, Zeroizing};

use crate::limits::READ_BYTES;

/// Reads `inner` in pieces, and wipes what was consumed.
pub(crate) struct SecretInput<R> {
    inner: R,
    buffer: Zeroizing<Vec<u8>>,
    /// The part of the buffer that was read and not consumed.
    start: usize,
    end: usize,
    consumed: Rc<Cell<u64>>,
}

impl<R: Read> SecretInput<R> {
    pub(crate) fn new(inner: R) -> Self {
        // As large as the pieces that standard input reads past its own buffer, which is not wiped.
        let buffer = Zeroizing::new(vec![0; READ_BYTES]);
        SecretInput { inner, buffer, start: 0, end: 0, consumed: Rc::default() }
    }

    /// The bytes that are ready.
    pub(crate) fn buffer(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The number of consumed bytes, which can be read while the input is in use.
    pub(crate) fn consumed(&self) -> Rc<Cell<u64>> {
        self.consumed.clone()
    }
}

impl<R: Read> BufRead for SecretInput<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.end = self.inner.read(&mut self.buffer)?;
        }
        Ok(self.buffer())
    }

    fn consume(&mut self, amount: usize) {
        let until = self.end.min(self.start + amount);
        self.buffer[self.start..until].zeroize();
        self.start = until;
        self.consumed.set(self.consumed.get() + amount as u64);
    }
}

impl<R: Read> Read for SecretInput<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(output)?;
        self.consume(length);
        Ok(length)
    }
}
