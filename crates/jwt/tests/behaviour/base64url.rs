//! base64url in its one canonical form, compared with the base64 crate.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use tollgate_jwt::base64url::{self, InvalidBase64Url};

#[test]
fn what_is_decoded_goes_to_the_end_or_in_the_place_of_what_was_there() {
    let mut bytes = b"kept".to_vec();
    base64url::append("Zm9v", &mut bytes).unwrap();
    assert_eq!(bytes, b"keptfoo");
    assert_eq!(base64url::append("Zm9v!", &mut bytes), Err(InvalidBase64Url));
    assert_eq!(bytes, b"keptfoo");
    base64url::decode("YmFy", &mut bytes).unwrap();
    assert_eq!(bytes, b"bar");
    assert_eq!(base64url::decode("YmE", &mut bytes).map(|()| bytes.clone()), Ok(b"ba".to_vec()));
    assert_eq!(base64url::decode("YmF", &mut bytes), Err(InvalidBase64Url));
    assert_eq!(base64url::decode("YmFy=", &mut bytes), Err(InvalidBase64Url));
    assert_eq!(bytes, b"");
}

#[test]
fn the_error_says_what_is_wanted() {
    assert_eq!(InvalidBase64Url.to_string(), "not canonical base64url without padding");
}

proptest! {
    #[test]
    fn a23_a_text_is_taken_where_it_is_the_one_text_of_its_bytes(text in "[A-Za-z0-9_=+/ .-]{0,9}|[A-Za-z0-9_-]{0,70}") {
        let mut bytes = Vec::new();
        let expected = URL_SAFE_NO_PAD.decode(&text).ok();
        prop_assert_eq!(base64url::decode(&text, &mut bytes).ok().map(|()| bytes), expected.clone());
        if let Some(bytes) = expected {
            prop_assert_eq!(base64url::encode(bytes), text);
        }
    }

    #[test]
    fn bytes_are_encoded_in_the_length_that_was_foretold(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let text = base64url::encode(&bytes);
        prop_assert_eq!(text.len(), base64url::encoded_length(bytes.len()));
        prop_assert_eq!(text, URL_SAFE_NO_PAD.encode(bytes));
    }
}
