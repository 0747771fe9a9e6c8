//! The stored form of tokens: text, or, for long repetitive tokens, pieces with their counts.

use serde_json::Value;

use crate::members::quoted;

/// Shorter tokens are stored as they are.
const LONG: usize = 4096;

/// The longest piece that is searched for.
const MAX_PERIOD: usize = 64;

/// The least saving by a repetition, in characters.
const WORTHWHILE: usize = 256;

pub(crate) fn to_json(token: &str) -> String {
    let pieces = if token.len() < LONG { Vec::new() } else { pieces(token) };
    if pieces.iter().all(|(_, count)| *count == 1) {
        return quoted(token);
    }
    let pieces: Vec<String> = pieces.iter().map(|(piece, count)| format!("[{},{count}]", quoted(piece))).collect();
    format!("[{}]", pieces.join(","))
}

pub(crate) fn from_json(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let pieces = value.as_array()?.iter();
    pieces.map(|piece| Some(piece[0].as_str()?.repeat(piece[1].as_u64()?.try_into().ok()?))).collect()
}

fn pieces(token: &str) -> Vec<(&str, usize)> {
    // Only ASCII can be cut at any byte.
    if !token.is_ascii() {
        return Vec::new();
    }
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while at < token.len() {
        let Some((period, count)) = repetition(&token.as_bytes()[at..]) else {
            at += 1;
            continue;
        };
        if start < at {
            pieces.push((&token[start..at], 1));
        }
        pieces.push((&token[at..at + period], count));
        at += period * count;
        start = at;
    }
    if start < token.len() {
        pieces.push((&token[start..], 1));
    }
    pieces
}

/// The shortest period with which `text` begins, and the number of its repetitions.
fn repetition(text: &[u8]) -> Option<(usize, usize)> {
    (1..=MAX_PERIOD.min(text.len())).find_map(|period| {
        let same = text[period..].iter().zip(text).take_while(|(a, b)| a == b).count();
        (same > WORTHWHILE).then_some((period, same / period + 1))
    })
}
