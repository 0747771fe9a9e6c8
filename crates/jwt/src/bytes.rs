/// Whether `byte` is among `bytes`.
///
/// Searches in blocks of fixed size without an early exit, which the compiler vectorises. The standard library's search
/// takes one word at a time.
pub(crate) fn contains_byte(bytes: &[u8], byte: u8) -> bool {
    const BLOCK: usize = 64;
    let is_in = |block: &[u8; BLOCK]| block.iter().fold(false, |found, one| found | (*one == byte));
    match bytes.last_chunk() {
        // The last block may overlap the one before.
        Some(last) => bytes.as_chunks().0.iter().any(is_in) || is_in(last),
        None => bytes.contains(&byte),
    }
}

/// Finds the first `byte` among `bytes`. For matches near the start: one word at a time, which for less than a hundred
/// bytes takes a third of the time of the standard library's search.
pub(crate) fn find_byte(bytes: &[u8], byte: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let matches = matches(*word, byte);
        if matches != 0 {
            return Some(index * 8 + matches.trailing_zeros() as usize / 8);
        }
    }
    let index = rest.iter().position(|one| *one == byte)?;
    Some(words.len() * 8 + index)
}

/// Finds the last `byte` among `bytes`. For matches near the end.
pub(crate) fn rfind_byte(bytes: &[u8], byte: u8) -> Option<usize> {
    let (rest, words) = bytes.as_rchunks::<8>();
    for (index, word) in words.iter().enumerate().rev() {
        let matches = matches(*word, byte);
        if matches != 0 {
            return Some(rest.len() + index * 8 + 7 - matches.leading_zeros() as usize / 8);
        }
    }
    rest.iter().rposition(|one| *one == byte)
}

/// Sets the highest bit of each byte of `word` that equals `byte`; the first byte is the lowest.
fn matches(word: [u8; 8], byte: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW_BITS: u64 = 0x7f * ONES;
    let difference = u64::from_le_bytes(word) ^ (u64::from(byte) * ONES);
    // No sum of seven bits carries into the next byte, so a byte's highest bit stays clear only where the byte is zero.
    !(((difference & LOW_BITS) + LOW_BITS) | difference | LOW_BITS)
}
