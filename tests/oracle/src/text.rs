//! Changes to the JSON text of header or payload.

use crate::mutation::Choices;

pub(crate) fn insert(text: &mut Vec<u8>, choices: &mut Choices) {
    choices.insert_one_of(PIECES, text);
}

pub(crate) fn change_byte(text: &mut Vec<u8>, choices: &mut Choices) {
    if text.is_empty() {
        return;
    }
    let way = choices.below(10);
    let position = choices.below(text.len());
    match way {
        8 => drop(text.remove(position)),
        9 => text.insert(position, text[position]),
        bit => text[position] ^= 1 << bit,
    }
}

pub(crate) fn truncate(text: &mut Vec<u8>, choices: &mut Choices) {
    text.truncate(choices.below(text.len() + 1));
}

/// White space wherever JSON allows it (RFC 8259 section 2).
pub(crate) fn spread(text: &mut Vec<u8>, choices: &mut Choices) {
    let space = choices.one_of(&[&b" "[..], b"\t", b"\n", b"\r\n", b"  "]);
    let (mut spread, mut in_string, mut escaped) = (Vec::new(), false, false);
    for &byte in &*text {
        let is_structural = !in_string && b"{}[]:,".contains(&byte);
        if is_structural {
            spread.extend(space);
        }
        spread.push(byte);
        if is_structural {
            spread.extend(space);
        }
        in_string ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
    }
    *text = spread;
}

const PIECES: &[&[u8]] = &[
    b" ",
    b"\t",
    b"\n",
    b"\r",
    b"\0",
    b"\x0b",
    b"\x0c",
    b"\x1f",
    b"\x7f",
    b",",
    b":",
    b"}",
    b"{}",
    b"\"",
    b"\\",
    b"/*x*/",
    b"//",
    b"#",
    b"'",
    b"\xef\xbb\xbf",
    b"\xc2\xa0",
    b"\xe2\x80\xa8",
    b"\x80",
    b"\xff",
    b"\xc0\xaf",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf0\x80\x80\xaf",
    b"\xe2\x82",
    b"NaN",
    b"null",
    b"\\u0000",
    b"\xc3\xa9",
    b"\x1e",
];
