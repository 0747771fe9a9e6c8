//! A token's whole text, in blocks, so that it lies beside the token's facts in one allocation, and is wiped when that
//! is freed, whoever drops it last.

use zerocopy::{Immutable, IntoBytes};
use zeroize::optimization_barrier;

/// A part of a token's text, which is a credential.
#[derive(Immutable, IntoBytes)]
#[repr(transparent)]
pub(super) struct Block([u8; BLOCK]);

const BLOCK: usize = 32;

impl Block {
    pub(super) fn copy(&self) -> Self {
        Block(self.0)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // In one or two vectors, while `Zeroize` writes one byte after the other.
        self.0 = [0; BLOCK];
        optimization_barrier(&self.0);
    }
}

/// The blocks of `text`; the last one is padded with zeros.
pub(super) fn blocks(text: &[u8]) -> impl ExactSizeIterator<Item = Block> {
    text.chunks(BLOCK).map(|chunk| {
        Block(chunk.try_into().unwrap_or_else(|_| {
            let mut block = [0; BLOCK];
            block[..chunk.len()].copy_from_slice(chunk);
            block
        }))
    })
}

/// The text that [`blocks`] was given, and the padding.
pub(super) fn bytes(blocks: &[Block]) -> &[u8] {
    blocks.as_bytes()
}
