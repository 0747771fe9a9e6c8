/// Whether `byte` is among `bytes`.
///
/// In blocks of a fixed size without an early end, which the compiler turns into vector instructions; the standard
/// library's search goes word by word.
pub(crate) fn contains_byte(bytes: &[u8], byte: u8) -> bool {
    const BLOCK: usize = 64;
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let is_in = |bytes: &[u8]| bytes.iter().fold(false, |found, one| found | (*one == byte));
    blocks.iter().any(|block| is_in(block)) || is_in(rest)
}
