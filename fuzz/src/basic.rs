use std::sync::{Arc, LazyLock};

use tollgate::apikeys::NativeKey;
use tollgate::apikeys::limits::{FOREIGN_MAX_BYTES, FOREIGN_MIN_BYTES};
use tollgate::jwt::base64url;
use tollgate::{ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyRecordBuilder};
use tollgate_tests::basic_readings;

/// `Basic` accepts a client's id and secret in one of their two readings, nothing else, and a secret nowhere else.
pub fn basic(data: &[u8]) {
    for (header, credentials) in [
        // Any number of spaces after the scheme (RFC 9110 section 11.4).
        ([b"Basic ", data].concat(), decode(without_leading_spaces(data))),
        (format!("Basic {}", encode(data)).into_bytes(), Some(data.to_vec())),
    ] {
        let accepted = ENGINE.verify_at(&header, NOW);
        let is_short = header.len() <= 8192;
        assert!(accepted.is_err());
        let text = credentials.as_deref().and_then(text).filter(|_| is_short);
        for (id, secret) in
            text.into_iter().flat_map(basic_readings).filter(|(_, secret)| is_foreign(secret.as_bytes()))
        {
            let digest = TABLE.digest_of(secret.as_bytes()).expect("a foreign key");
            let insert = |record: KeyRecordBuilder<'_>| drop(TABLE.insert(digest, record.expires_at(NOW + 1)));
            insert(KeyRecord::client_secret("secret", &id));
            let principal = ENGINE.verify_at(&header, NOW).expect("the client's own secret");
            assert_eq!((principal.subject(), principal.client_id()), (Some(&*id), Some(&*id)));
            assert!(ENGINE.verify_client_at(&id, &secret, NOW).is_ok(), "the client's own secret from a form");
            assert!(ENGINE.verify_at(&header, NOW + 1).is_err(), "after its end");
            assert!(ENGINE.verify_at(format!("Bearer {secret}"), NOW).is_err(), "a client's secret as a bearer token");
            assert!(ENGINE.verify_api_key_at(&secret, NOW).is_err(), "a client's secret as an API key");

            insert(KeyRecord::client_secret("secret", &format!("{id}x")));
            assert!(ENGINE.verify_at(&header, NOW).is_err(), "another client's secret");
            insert(KeyRecord::api_key("key", &id).client_id(&*id));
            assert!(ENGINE.verify_at(&header, NOW).is_err(), "an API key as a client's secret");
            TABLE.remove(digest.digest());
            assert!(ENGINE.verify_at(&header, NOW).is_err(), "a secret that was removed");
        }
    }
}

const NOW: i64 = 1_763_827_200;

static TABLE: LazyLock<Arc<ApiKeyTable<KeyRecord>>> =
    LazyLock::new(|| ApiKeyTable::new(KeyFormat::new("tg", "live").expect("a format")).into());
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::builder().api_keys(TABLE.clone()).build().expect("a table"));

/// RFC 7617 section 2: text without control characters.
fn text(credentials: &[u8]) -> Option<&str> {
    str::from_utf8(credentials).ok().filter(|text| !text.contains(char::is_control))
}

/// A secret that a table can hold and that is no key in tollgate's format.
fn is_foreign(secret: &[u8]) -> bool {
    (FOREIGN_MIN_BYTES..=FOREIGN_MAX_BYTES).contains(&secret.len())
        && !secret.starts_with(b"tg_live_")
        && NativeKey::parse(secret).is_err()
}

fn without_leading_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

/// base64 with padding.
fn encode(bytes: &[u8]) -> String {
    let text = base64url::encode(bytes).replace('-', "+").replace('_', "/");
    let padding = (4 - text.len() % 4) % 4;
    text + &"=".repeat(padding)
}

/// The bytes whose only encoding is `text`.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(text).ok()?;
    let mut bytes = Vec::new();
    base64url::decode(text.trim_end_matches('=').replace('+', "-").replace('/', "_"), &mut bytes).ok()?;
    (encode(&bytes) == text).then_some(bytes)
}
