//! Changes to a token as a whole, and to the header around it.

use crate::mutation::{Choices, Kind, Mutation};

/// Changes a credential without its scheme. `other` is a token to take parts from.
pub(crate) fn change(token: &mut Vec<u8>, mutations: &[Mutation], other: &[u8]) {
    for mutation in mutations {
        let mut choices = Choices::of(*mutation);
        match mutation.kind {
            Kind::FlipTokenBit if !token.is_empty() => {
                let bit = choices.below(8 * token.len());
                token[bit / 8] ^= 1 << (bit % 8);
            }
            Kind::TruncateToken => {
                let length = choices.below(token.len() + 1);
                if choices.flip() { token.truncate(length) } else { drop(token.drain(..length)) }
            }
            Kind::InsertIntoToken => choices.insert_one_of(PIECES, token),
            Kind::SwapParts => swap_parts(token, other, &mut choices),
            Kind::ChangeDots => change_dots(token, &mut choices),
            Kind::ChangeCase if !token.is_empty() => {
                let position = choices.below(token.len());
                token[position] ^= if token[position].is_ascii_alphabetic() { 0x20 } else { 0 };
            }
            _ => {}
        }
    }
}

/// Changes the whole header.
pub(crate) fn finish(mut header: Vec<u8>, mutations: &[Mutation], free: &[u8]) -> Vec<u8> {
    for mutation in mutations {
        let mut choices = Choices::of(*mutation);
        match mutation.kind {
            Kind::ChangeScheme => {
                let credential = header.splitn(2, |byte| *byte == b' ').last().unwrap_or_default().to_vec();
                let (before, after) = SCHEMES[choices.below(SCHEMES.len())];
                header = [before, &credential, after].concat();
            }
            Kind::InsertIntoHeader => choices.insert_one_of(PIECES, &mut header),
            Kind::ReplaceHeader => {
                header = match choices.below(4) {
                    0 => [b"Bearer ", free].concat(),
                    1 => [b"Basic ", crate::base64::encode_standard(free).as_bytes()].concat(),
                    _ => free.to_vec(),
                };
            }
            _ => {}
        }
    }
    header
}

/// Parts of both tokens, or in another order.
fn swap_parts(token: &mut Vec<u8>, other: &[u8], choices: &mut Choices) {
    let split = |text: &[u8]| text.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (mut parts, other) = (split(token), split(other));
    let count = parts.len();
    match choices.below(3) {
        0 => {
            let index = choices.below(count.min(other.len()));
            parts[index].clone_from(&other[index]);
        }
        1 => {
            let (a, b) = (choices.below(count), choices.below(count));
            parts.swap(a, b);
        }
        _ => {
            let (a, b) = (choices.below(count), choices.below(count));
            parts[a] = parts[b].clone();
        }
    }
    *token = parts.join(&b'.');
}

fn change_dots(token: &mut Vec<u8>, choices: &mut Choices) {
    match choices.below(8) {
        0 => token.push(b'.'),
        1 => token.insert(0, b'.'),
        2 => token.extend(b".AAAA"),
        3 => token.extend(b".AAAA.AAAA"),
        4 => *token = token.split(|byte| *byte == b'.').collect::<Vec<_>>().join(&b".."[..]),
        5 => token.retain(|byte| *byte != b'.'),
        6 => {
            // Without the signature.
            let dot = token.iter().rposition(|byte| *byte == b'.').unwrap_or(0);
            token.truncate(dot + choices.below(2));
        }
        _ => token.extend(vec![b'.'; choices.below(9000)]),
    }
}

const PIECES: &[&[u8]] = &[
    b" ",
    b"  ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xc2\xa0",
    b"=",
    b"==",
    b"+",
    b"/",
    b",",
    b";",
    b"\"",
    b"'",
    b".",
    b"-",
    b"_",
    b"~",
    b"%20",
    b"\xff",
    b"\xc3\xa9",
    b":",
    b"?",
    b"A",
    b", Bearer x",
    b"Bearer ",
    b"{",
    b"\x7f",
];

const SCHEMES: &[(&[u8], &[u8])] = &[
    (b"", b""),
    (b"bearer ", b""),
    (b"BEARER ", b""),
    (b"bEaReR ", b""),
    (b"Bearer   ", b""),
    (b"Bearer\t", b""),
    (b"Bearer \t", b""),
    (b"Bearer", b""),
    (b"Bearer: ", b""),
    (b"Bearer:", b""),
    (b"Bearer\xc2\xa0", b""),
    (b"Bearer=", b""),
    (b"Bearer, ", b""),
    (b"Bearer \"", b"\""),
    (b"\"", b"\""),
    (b" Bearer ", b""),
    (b" ", b""),
    (b"Bearer ", b" "),
    (b"Bearer ", b"\r\n"),
    (b"Bearer ", b"\0"),
    (b"Bearer ", b","),
    (b"Bearer ", b" x"),
    (b"Bearer ", b"="),
    (b"Bearer ", b"=="),
    (b"Bearer Bearer ", b""),
    (b"Basic ", b""),
    (b"basic ", b""),
    (b"BASIC   ", b""),
    (b"Basic\t", b""),
    (b"DPoP ", b""),
    (b"Token ", b""),
    (b"Digest ", b""),
    (b"Negotiate ", b""),
    (b"B\xe9arer ", b""),
    (b"Bearer ", b", Bearer x"),
    (b"x=y ", b""),
    (b"Bear er ", b""),
    (b"Basic Bearer ", b""),
];
