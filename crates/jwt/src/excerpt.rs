use std::borrow::Cow;

use crate::limits::MAX_EXCERPT_BYTES;

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
            // The exact capacity, so that a `Box<str>` of it is no second allocation.
            let mut cut = String::with_capacity(kept.len() + ELLIPSIS.len());
            cut.push_str(kept);
            cut.push_str(ELLIPSIS);
            Cow::Owned(cut)
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
