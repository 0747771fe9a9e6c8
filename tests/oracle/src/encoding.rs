//! Non-canonical spellings of the same base64url, and near misses.

use crate::mutation::Choices;

pub(crate) fn reencode(part: &mut String, choices: &mut Choices) {
    let way = choices.below(12);
    let position = choices.below(part.len() + 1);
    match way {
        0 => *part = part.replace('-', "+").replace('_', "/"),
        1 => part.extend(std::iter::repeat_n('=', (4 - part.len() % 4) % 4)),
        2 => part.push('='),
        3 | 4 => set_trailing_bits(part, 1 + choices.below(3)),
        5 => part.insert_str(position, choices.one_of(&[" ", "\n", "\r\n", "\t", "\0", "?", "+", "/", "=", "%", "~"])),
        6 => drop(part.pop()),
        7 => part.clear(),
        8 => part.push('A'),
        9 => part.push_str("AAAA"),
        10 => *part = crate::base64::encode_url(part.as_bytes()),
        _ => part.insert(position, 'A'),
    }
}

/// The unused bits of the last character.
fn set_trailing_bits(part: &mut String, bits: usize) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let unused = match part.len() % 4 {
        2 => 15,
        3 => 3,
        _ => return,
    };
    let last = part.pop().and_then(|last| DIGITS.iter().position(|digit| char::from(*digit) == last));
    part.push(char::from(DIGITS[last.unwrap_or(0) ^ (bits & unused)]));
}
