use std::borrow::Cow;
use std::fmt;

use crate::limits::MAX_EXCERPT_BYTES;

/// Text of a token of which nothing is verified, such as the issuer that it names.
///
/// It is whole, and both formatters write an [`excerpt`] of it, quoted and escaped: a log gets no more than that, whatever the
/// token holds.
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

/// As much of a text from outside as belongs into an error or a log: `text` itself where it takes at most
/// [`MAX_EXCERPT_BYTES`] when it is escaped as `Debug` escapes it, otherwise its beginning and `...`, within the same limit.
///
/// It allocates only where it cuts, and an excerpt of an excerpt is the same text.
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

/// The longest beginning of `text` that takes at most `max` bytes escaped.
fn longest_prefix(text: &str, max: usize) -> &str {
    let mut escaped = 0;
    let end = text.char_indices().find(|(_, character)| {
        // At least as much as `Debug` of a whole text writes, which leaves some characters as they are.
        escaped += character.escape_debug().map(char::len_utf8).sum::<usize>();
        escaped > max
    });
    end.map_or(text, |(end, _)| &text[..end])
}
