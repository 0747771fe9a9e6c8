//! Excerpts of untrusted text in errors.

use proptest::prelude::*;
use tollgate_jwt::excerpt;
use tollgate_jwt::limits::MAX_EXCERPT_BYTES;

/// The escaped length without the quotes.
fn escaped(text: &str) -> usize {
    format!("{text:?}").len() - 2
}

#[test]
fn a61_a_long_text_is_cut_and_a_short_one_is_kept() {
    let longest = "a".repeat(MAX_EXCERPT_BYTES);
    assert_eq!(excerpt(&longest), longest);
    assert_eq!(excerpt(&format!("{longest}a")), format!("{}...", &longest[3..]));
    // One byte, six when escaped.
    assert_eq!(excerpt(&"\u{7f}".repeat(26)), "\u{7f}".repeat(26));
    assert_eq!(excerpt(&"\u{7f}".repeat(27)), format!("{}...", "\u{7f}".repeat(26)));
    assert_eq!(excerpt(""), "");
}

proptest! {
    #[test]
    fn a61_an_excerpt_is_the_longest_beginning_within_the_limit(
        text in prop_oneof![".{0,400}", "[a\u{7f}\u{e9}\u{202e}\u{1f600}\"\\\\]{0,300}", "\\PC{100,200}"]
    ) {
        let cut = excerpt(&text);
        prop_assert!(escaped(&cut) <= MAX_EXCERPT_BYTES);
        prop_assert_eq!(excerpt(&cut), &*cut);
        if cut != text.as_str() {
            let kept = cut.strip_suffix("...").unwrap();
            let next = text.strip_prefix(kept).unwrap().chars().next().unwrap();
            // Counted by single characters, which is never less than the whole text's count.
            let alone = |text: &str| text.chars().map(|one| one.escape_debug().to_string().len()).sum::<usize>();
            prop_assert!(alone(&text) > MAX_EXCERPT_BYTES);
            prop_assert!(alone(kept) + next.escape_debug().to_string().len() > MAX_EXCERPT_BYTES - 3);
        }
    }
}
