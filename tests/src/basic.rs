/// Every reading of `Basic` credentials, decoded from base64, as pairs of id and secret in the order of precedence:
/// split at the first colon, decoded as form values (RFC 6749 section 2.3.1) if an encoder may have written both, and
/// as sent (RFC 7617 section 2). Empty for a text without a colon, or with a control character.
///
/// The slow definition that the engine is compared with.
#[must_use]
pub fn basic_readings(text: &str) -> Vec<(String, String)> {
    let Some((id, secret)) = text.split_once(':').filter(|_| !text.contains(char::is_control)) else {
        return Vec::new();
    };
    let as_sent = (id.to_owned(), secret.to_owned());
    let decoded = form_decoded(id).zip(form_decoded(secret)).filter(|decoded| *decoded != as_sent);
    decoded.into_iter().chain([as_sent]).collect()
}

/// A decoded form value; `None` for a text that no encoder writes.
fn form_decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut parts = value.split('%');
    bytes.extend(parts.next()?.replace('+', " ").bytes());
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(part[2..].replace('+', " ").bytes());
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}
