//! User codes: what a person reads on a device and types into a browser (RFC 8628 section 6.1).

use crate::error::ServerError;
use crate::ids::digest;
use crate::limits::{USER_CODE_CHARS, USER_CODE_GROUP};
use ring::rand::{SecureRandom, SystemRandom};

/// The letters of a user code: without vowels, so that no words come of them (RFC 8628 section 6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// A new user code in its normal form.
pub(super) fn new_user_code() -> Result<String, ServerError> {
    // A byte from here on would prefer the first letters of the alphabet.
    const END: u8 = (256 / ALPHABET.len() * ALPHABET.len()) as u8;
    let random = SystemRandom::new();
    let mut code = String::with_capacity(USER_CODE_CHARS);
    let mut bytes = [0; 2 * USER_CODE_CHARS];
    while code.len() < USER_CODE_CHARS {
        random.fill(&mut bytes).map_err(|_| ServerError::NoRandomness)?;
        let letters = bytes.iter().filter(|byte| **byte < END);
        let letters = letters.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
        code.extend(letters.take(USER_CODE_CHARS - code.len()));
    }
    Ok(code)
}

/// The normal form of what a person has typed: case, spaces and punctuation do not count. `None` where it is no user code.
pub(super) fn normal(typed: &str) -> Option<String> {
    let letters = typed.chars().filter(|typed| !typed.is_whitespace() && !typed.is_ascii_punctuation());
    let code: String = letters.take(USER_CODE_CHARS + 1).map(|letter| letter.to_ascii_uppercase()).collect();
    let is_code = code.len() == USER_CODE_CHARS && code.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then_some(code)
}

/// As a person reads it: in groups, with a hyphen between them.
pub(super) fn shown(code: &str) -> String {
    let (first, second) = code.split_at(USER_CODE_GROUP.min(code.len()));
    format!("{first}-{second}")
}

/// Under which a user code in its normal form is kept.
pub(super) fn user_digest(code: &str) -> [u8; 32] {
    digest(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_code_is_read_whatever_its_case_and_punctuation() {
        let code = new_user_code().unwrap();
        assert_ne!(code, new_user_code().unwrap());
        let shown = shown(&code);
        assert_eq!((shown.len(), shown.find('-')), (9, Some(4)));
        for typed in [shown.clone(), shown.to_lowercase(), format!(" {code} "), shown.replace('-', " . ")] {
            assert_eq!(normal(&typed).as_deref(), Some(code.as_str()), "{typed}");
        }
        for typed in ["", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GHJ1", "BCDF-GHJ\u{130}"] {
            assert_eq!(normal(typed), None, "{typed}");
        }
    }
}
