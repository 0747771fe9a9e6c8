use tollgate::KeyFormat;

/// The check and its naive twin accept the same keys, and no key is valid with one byte changed.
pub fn api_key(data: &[u8]) {
    let format = KeyFormat::new("tg", "live").expect("a format");
    assert_eq!(format.check(data).is_ok(), naive_check(data));
    // The fuzzer seldom finds a checksum by chance, so the right one is put in.
    let head = format!("tg_live_2{:0<43.43}", String::from_utf8_lossy(data));
    let key = format!("{head}{}", base62(crc32(head.as_bytes())));
    assert_eq!(format.check(key.as_bytes()).is_ok(), naive_check(key.as_bytes()), "{key:?}");
    for at in 0..key.len() {
        let mut changed = key.clone().into_bytes();
        changed[at] ^= 1 + data.first().map_or(0, |byte| byte & 0x3f);
        assert!(format.check(&changed).is_err(), "one changed character goes unseen: {key:?} at {at}");
    }
}

/// The format as documented.
fn naive_check(key: &[u8]) -> bool {
    let Ok(key) = str::from_utf8(key) else { return false };
    let Some(tail) = key.strip_prefix("tg_live_2") else { return false };
    // Digits, capitals, small letters: the values of the digits have the order of the characters.
    let largest = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
    tail.len() == 49
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && &tail[..43] <= largest
        && tail[43..] == base62(crc32(&key.as_bytes()[..key.len() - 6]))
}

/// CRC-32 (IEEE 802.3), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1))))
}

/// Six digits.
fn base62(mut number: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[number as usize % 62];
        number /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}
