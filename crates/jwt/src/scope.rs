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
    text.bytes().all(|byte| byte == b' ' || is_scope_character(byte))
}

fn is_scope_character(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}
