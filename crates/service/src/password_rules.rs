use crate::limits::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};

/// Why a password is not taken. An old one that is no longer good enough still logs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordRefused {
    /// It has fewer characters than [`MIN_PASSWORD_CHARS`].
    #[error("the password is too short: take at least {MIN_PASSWORD_CHARS} characters")]
    TooShort,
    /// It has more bytes than [`MAX_PASSWORD_BYTES`].
    #[error("the password is too long: take at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// It is one of those that are guessed first.
    #[error("the password is one of those that are guessed first: take another, such as four random words")]
    Common,
    /// It is the user's address, or what the address begins with.
    #[error("the password is the address or a part of it: take another, such as four random words")]
    OfTheAddress,
}

/// What NIST SP 800-63B section 5.1.1.2 asks of a new password: a length, and that it is not among those that are guessed first. No
/// mixture of characters is asked for. `email`: the user's address in its normal spelling.
pub(crate) fn check(password: &str, email: &str) -> Result<(), PasswordRefused> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(PasswordRefused::TooShort);
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordRefused::TooLong);
    }
    let lower = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    if lower == email || lower == local || without_decoration(&lower) == local {
        return Err(PasswordRefused::OfTheAddress);
    }
    if is_sequence(&lower) || is_repetition(&lower) || is_listed(&lower) {
        return Err(PasswordRefused::Common);
    }
    Ok(())
}

/// Whether it is a word of the list, also with figures and signs at its ends or in the place of letters.
fn is_listed(lower: &str) -> bool {
    let has = |word: &str| WORDS.lines().any(|listed| listed == word);
    let spelt = |i_for_one: char| {
        let letter = |sign| match sign {
            '@' | '4' => 'a',
            '0' => 'o',
            '1' | '!' | '|' => i_for_one,
            '3' => 'e',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        };
        lower.chars().map(letter).collect::<String>()
    };
    let bare = without_decoration(lower);
    let respelt = [spelt('i'), spelt('l')];
    let decorated = lower.len() - bare.len();
    // Signs at the end would be spelt as letters, so what is before them is looked at by itself.
    let before = |text: &String| text.get(..text.len().saturating_sub(decorated)).is_some_and(has);
    has(lower) || has(bare) || respelt.iter().any(|text| has(text) || before(text) || has(without_decoration(text)))
}

/// Without figures and signs at its ends.
fn without_decoration(text: &str) -> &str {
    text.trim_matches(|character: char| !character.is_alphabetic())
}

/// Whether each character is the one before it, the next after that or the one before that: `aaaaaaaa`, `12345678`, `fedcba98`.
fn is_sequence(text: &str) -> bool {
    [0, 1, -1].into_iter().any(|step| {
        let codes = text.chars().map(|character| i64::from(u32::from(character)));
        let pairs = codes.clone().zip(codes.skip(1));
        // 9 is followed by 0 on a keyboard.
        pairs.into_iter().all(|(one, next)| next - one == step || (one, next, step) == (57, 48, 1))
    })
}

/// Whether it is a short text again and again: `12121212`, `abc1abc1`.
fn is_repetition(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..=4).any(|period| characters.iter().zip(characters.iter().skip(period)).all(|(one, later)| one == later))
}

/// Of those that leaked most often, without figures and signs at their ends; sorted.
const WORDS: &str = include_str!("common_passwords.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_refused() {
        for password in [
            "password",
            "PASSWORD",
            "Password1",
            "p@ssw0rd",
            "P4ssw0rd!",
            "password123!",
            "12345678",
            "1234567890",
            "87654321",
            "aaaaaaaa",
            "abcdefgh",
            "12121212",
            "abc1abc1abc1",
            "qwertyuiop",
            "iloveyou",
            "Tollgate2026",
            "!!admin!!",
            "letmein11",
            "1qweasdzxc1",
            "helloworld",
        ] {
            assert_eq!(check(password, "ada@example.com"), Err(PasswordRefused::Common), "{password}");
        }
        for password in
            ["the-analytical-engine", "correct horse battery staple", "vZ8#kq!2", "password of nobody", "грамматика"]
        {
            assert_eq!(check(password, "ada@example.com"), Ok(()), "{password}");
        }
    }

    #[test]
    fn the_address_is_no_password() {
        for password in
            ["lovelace.ada", "Lovelace.Ada", "lovelace.ada@example.com", "lovelace.ada1815", "!lovelace.ada!"]
        {
            assert_eq!(check(password, "lovelace.ada@example.com"), Err(PasswordRefused::OfTheAddress), "{password}");
        }
    }

    #[test]
    fn the_bounds_are_characters_below_and_bytes_above() {
        assert_eq!(check("vZ8#kq!", "a@b.example"), Err(PasswordRefused::TooShort));
        assert_eq!(check("ёжикитум", "a@b.example"), Ok(()));
        let long = "vZ8#".repeat(MAX_PASSWORD_BYTES / 4 + 1);
        assert_eq!(check(&long, "a@b.example"), Err(PasswordRefused::TooLong));
    }

    #[test]
    fn the_list_is_sorted_lower_case_and_bare() {
        let words: Vec<&str> = WORDS.lines().collect();
        assert!(words.is_sorted_by(|one, next| one < next));
        assert!(words.iter().all(|word| word.len() >= 3 && word.chars().all(|letter| letter.is_ascii_lowercase())));
    }
}
