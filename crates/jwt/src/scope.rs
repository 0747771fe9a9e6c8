/// Whether `text` is one scope-token (RFC 6749 section 3.3): visible ASCII but `"` and `\`, at least one
/// character.
///
/// ```
/// assert!(tollgate_jwt::is_scope_token("read:sites"));
/// assert!(!tollgate_jwt::is_scope_token("read sites"));
/// ```
#[must_use]
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_scope_character)
}

/// Whether `text` is scope-tokens and spaces. Doubled, leading and trailing spaces, which RFC 6749 does not
/// have, are let through: they separate nothing from nothing, and deployed servers send them.
pub(crate) fn is_scope_list(text: &str) -> bool {
    // Without an early end, so that the compiler makes vector instructions of it.
    text.bytes().fold(true, |all, byte| all & ((byte == b' ') | is_scope_character(byte)))
}

/// Whether no space is first, last or beside another. The empty text is not.
pub(crate) fn is_single_spaced(text: &str) -> bool {
    let ([first, after @ ..], [before @ .., last]) = (text.as_bytes(), text.as_bytes()) else {
        return false;
    };
    let doubled = before.iter().zip(after).fold(false, |found, (a, b)| found | ((*a == b' ') & (*b == b' ')));
    *first != b' ' && *last != b' ' && !doubled
}

fn is_scope_character(byte: u8) -> bool {
    byte.is_ascii_graphic() & (byte != b'"') & (byte != b'\\')
}
