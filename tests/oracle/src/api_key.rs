//! tollgate's own API-key format, from docs/api-keys.md.

/// Whether `key` is well-formed: prefix, version, 256 bits in base62, CRC-32 in base62.
pub(crate) fn is_well_formed(key: &str, prefix: &str, env: &str) -> bool {
    // The digits are in the order of their characters, so that texts of equal length compare as numbers.
    let largest = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
    let Some(tail) = key.strip_prefix(&format!("{prefix}_{env}_2")) else { return false };
    tail.len() == 43 + 6
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && &tail[..43] <= largest
        && tail[43..] == checksum(&key[..key.len() - 6])
}

/// Whether `key` is well-formed under its own prefix and environment.
pub(crate) fn is_well_formed_elsewhere(key: &str) -> bool {
    let parts: Vec<&str> = key.split('_').collect();
    let is_label = |label: &str| {
        (1..=16).contains(&label.len())
            && label.starts_with(|first: char| first.is_ascii_lowercase())
            && label.chars().all(|character| character.is_ascii_lowercase() || character.is_ascii_digit())
    };
    matches!(parts[..], [prefix, env, _] if is_label(prefix) && is_label(env) && is_well_formed(key, prefix, env))
}

/// A key of the format with `body`, 43 digits.
pub(crate) fn assemble(prefix: &str, env: &str, body: &str) -> String {
    let head = format!("{prefix}_{env}_2{body}");
    format!("{head}{}", checksum(&head))
}

/// CRC-32 (IEEE 802.3), bit by bit, in six digits of base62.
fn checksum(text: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = !0_u32;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    let mut number = !crc;
    let mut digits = [' '; 6];
    for digit in digits.iter_mut().rev() {
        *digit = char::from(DIGITS[number as usize % 62]);
        number /= 62;
    }
    digits.iter().collect()
}
