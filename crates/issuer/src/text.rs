//! Checks of the text of claims.

use crate::error::IssuerError;

/// Refuses texts that verifiers refuse in a registered claim: the empty string and control characters.
pub(crate) fn check(name: &'static str, text: &str) -> Result<(), IssuerError> {
    let printable = !text.chars().any(char::is_control);
    if printable && !text.is_empty() { Ok(()) } else { Err(IssuerError::InvalidClaim { name }) }
}

/// Whether `text` is a scope: scope tokens separated by single spaces (RFC 6749 section 3.3).
pub(crate) fn is_scope(text: &str) -> bool {
    text.split(' ').all(|token| !token.is_empty() && token.bytes().all(is_scope_byte))
}

/// `%x21 / %x23-5B / %x5D-7E`: printable ASCII except the space, the quotation mark and the backslash.
fn is_scope_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

/// Whether `typ` is at+jwt, with or without `application/`, in any case (RFC 9068 section 4, RFC 7515 section 4.1.9).
pub(crate) fn is_access_token_type(typ: &str) -> bool {
    let name = match typ.get(..12) {
        Some(prefix) if prefix.eq_ignore_ascii_case("application/") => &typ[12..],
        _ => typ,
    };
    name.eq_ignore_ascii_case("at+jwt")
}

/// Whether `typ` is valid in a header: printable ASCII without spaces.
pub(crate) fn is_type(typ: &str) -> bool {
    !typ.is_empty() && typ.bytes().all(|byte| byte.is_ascii_graphic())
}
