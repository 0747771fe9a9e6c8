//! CRC-32, as in IEEE 802.3, gzip and PNG: reflected, polynomial 0x04C11DB7, initial value and final XOR all ones.
//!
//! Eight tables let eight bytes be folded at once; a byte at a time would cost as much as the digest that the
//! checksum is there to save.

/// CRC-32 of `bytes`.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    Crc32::new().update(bytes).finish()
}

/// A CRC-32 in progress. `Copy`, so that the state after a fixed prefix can be kept and resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crc32(u32);

impl Crc32 {
    pub(crate) fn new() -> Self {
        Self(u32::MAX)
    }

    #[inline]
    pub(crate) fn update(self, bytes: &[u8]) -> Self {
        let mut state = self.0;
        let (blocks, rest) = bytes.as_chunks::<8>();
        for block in blocks {
            let [a, b, c, d] = state.to_le_bytes();
            state = TABLES[7][usize::from(block[0] ^ a)]
                ^ TABLES[6][usize::from(block[1] ^ b)]
                ^ TABLES[5][usize::from(block[2] ^ c)]
                ^ TABLES[4][usize::from(block[3] ^ d)]
                ^ TABLES[3][usize::from(block[4])]
                ^ TABLES[2][usize::from(block[5])]
                ^ TABLES[1][usize::from(block[6])]
                ^ TABLES[0][usize::from(block[7])];
        }
        for &byte in rest {
            let [low, ..] = state.to_le_bytes();
            state = (state >> 8) ^ TABLES[0][usize::from(low ^ byte)];
        }
        Self(state)
    }

    #[inline]
    pub(crate) fn finish(self) -> u32 {
        !self.0
    }
}

static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    const REFLECTED_POLYNOMIAL: u32 = 0xEDB8_8320;
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut state = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            state = (state >> 1) ^ (REFLECTED_POLYNOMIAL * (state & 1));
            bit += 1;
        }
        tables[0][byte] = state;
        byte += 1;
    }
    // Table n is table 0 followed by n zero bytes.
    let mut n = 1;
    while n < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[n - 1][byte];
            tables[n][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        n += 1;
    }
    tables
}
