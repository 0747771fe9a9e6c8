use std::borrow::Cow;
use std::fmt;

use crate::limits::MAX_EXCERPT_BYTES;

/// Text from an unverified token, such as the issuer.
///
/// The text is stored whole. Both formatters write only an [`excerpt`] of it, quoted and escaped, so a log is safe from
/// any token.
///
/// ```
/// use tollgate_jwt::UnverifiedText;
///
/// let text = UnverifiedText::from("a\n");
/// assert_eq!((text.as_str(), text.to_string().as_str()), ("a\n", r#""a\n""#));
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct UnverifiedText(Box<str>);

impl UnverifiedText {
    /// The whole text, as the token has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for UnverifiedText {
    fn from(text: &str) -> Self {
        UnverifiedText(text.into())
    }
}

impl fmt::Debug for UnverifiedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", excerpt(&self.0))
    }
}

impl fmt::Display for UnverifiedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Shortens a text from outside for errors and logs. A text of at most [`MAX_EXCERPT_BYTES`], escaped as `Debug`
/// escapes it, is returned unchanged. A longer text is cut and ends with `...`, within the same limit.
///
/// Allocates only when it cuts. An excerpt of an excerpt is the same text.
///
/// ```
/// use tollgate_jwt::excerpt;
///
/// assert_eq!(excerpt("https://as.example"), "https://as.example");
/// let cut = excerpt(&"\0".repeat(8000)).into_owned();
/// assert!(format!("{cut:?}").len() < 200 && cut.ends_with("..."));
/// ```
#[must_use]
pub fn excerpt(text: &str) -> Cow<'_, str> {
    match longest_prefix(text, MAX_EXCERPT_BYTES) {
        whole if whole.len() == text.len() => Cow::Borrowed(text),
        _ => {
            let kept = longest_prefix(text, MAX_EXCERPT_BYTES - ELLIPSIS.len());
            Cow::Owned([kept, ELLIPSIS].concat())
        }
    }
}

const ELLIPSIS: &str = "...";

/// The longest prefix of `text` that takes at most `max` bytes escaped.
fn longest_prefix(text: &str, max: usize) -> &str {
    let mut escaped = 0;
    let end = text.char_indices().find(|(_, character)| {
        // An upper bound: `Debug` of the whole text leaves some of these characters unescaped.
        escaped += character.escape_debug().map(char::len_utf8).sum::<usize>();
        escaped > max
    });
    end.map_or(text, |(end, _)| &text[..end])
}
