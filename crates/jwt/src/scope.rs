/// Whether `text` is one scope-token (RFC 6749 section 3.3): at least one character, all visible ASCII except `"` and
/// `\`.
///
/// ```
/// assert!(tollgate_jwt::is_scope_token("read:sites"));
/// assert!(!tollgate_jwt::is_scope_token("read sites"));
/// ```
#[must_use]
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_scope_character)
}

/// Whether `text` consists of scope-tokens and spaces. Doubled, leading and trailing spaces are accepted although RFC
/// 6749 does not allow them: they do not change the list, and deployed servers send them.
pub(crate) fn is_scope_list(text: &str) -> bool {
    // No early exit, so that the compiler vectorises the loop.
    text.bytes().fold(true, |all, byte| all & ((byte == b' ') | is_scope_character(byte)))
}

/// Whether no space is first, last or next to another. False for the empty text.
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
