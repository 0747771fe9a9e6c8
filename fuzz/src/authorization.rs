use std::sync::LazyLock;

use tollgate::{Algorithm, ApiKeyTable, Engine, Issuer, KeyFormat, KeyRecord, KeyRing, KeySet, Rejection, TypProfile};

/// Only the credentials of the fixture are accepted, each time with the same result; the texts of a rejection for the
/// client and the log are printable.
pub fn authorization(data: &[u8]) {
    match ENGINE.verify_at(data, NOW) {
        Ok(principal) => {
            let header = str::from_utf8(data).expect("accepted what is no text");
            let (kind, accepted) = (principal.kind().as_str(), signed_part(credential(header)));
            let is_known = |(good_kind, good)| good_kind == kind && signed_part(credential(good)) == accepted;
            assert!(known_good().any(is_known), "forged: {header:?}");
            let again = ENGINE.verify_at(data, NOW).expect("accepted once");
            assert_eq!((principal.kind(), principal.subject()), (again.kind(), again.subject()));
            ENGINE.verify_at(data, NOW + 400 * DAY).expect_err("accepted beyond its time");
        }
        Err(rejection) => assert_printable(&rejection),
    }
    let is_api_key = data == API_KEY || data == FOREIGN_KEY;
    assert_eq!(ENGINE.verify_api_key_at(data, NOW).is_ok(), is_api_key);
}

/// Kind and header value of each.
fn known_good() -> impl Iterator<Item = (&'static str, &'static str)> {
    CREDENTIALS.lines().filter_map(|line| line.split_once('\t'))
}

/// A header's credential without its scheme.
fn credential(header: &str) -> &str {
    header.rsplit(' ').next().unwrap_or(header)
}

/// Without a JWS's signature, because each ECDSA signature has a valid twin.
fn signed_part(credential: &str) -> &str {
    credential.rsplit_once('.').map_or(credential, |(signed, _)| signed)
}

fn assert_printable(rejection: &Rejection) {
    let (challenge, log) = (rejection.challenge().to_string(), rejection.to_string());
    assert!(challenge.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{challenge:?}");
    assert!(!log.contains(char::is_control), "{log:?}");
    assert!([400, 401].contains(&rejection.status()));
}

/// 2025-11-22T16:00:00Z.
const NOW: i64 = 1_763_827_200;
const DAY: i64 = 86_400;

/// Every credential that is valid at [`NOW`]: kind, tab, header value. The tokens were signed once; of the keys only
/// the public part, and the HMAC secret, were kept.
const CREDENTIALS: &str = include_str!("../fixtures/credentials");

const JWKS: &[u8] = include_bytes!("../fixtures/jwks.json");
const HMAC_SECRET: &[u8] = b"fuzzing-only-hmac-secret-of-more-than-32-bytes";

const API_KEY: &[u8] = b"tg_live_2003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1E1Wau";
const FOREIGN_KEY: &[u8] = b"foreign-key:8d2f0c71b6";
const OPAQUE_TOKEN: &[u8] = b"2YotnFZFEjr1zCsicMWpAA";
const CLIENT_SECRET: &[u8] = b"open-sesame:8d2f0c71b6";

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let keys = KeySet::builder().jwks(JWKS).expect("a key set").hmac(Some("hs"), Algorithm::HS256, HMAC_SECRET);
    let issuer = |name| Issuer::new(name).audience("https://api.example.com").typ(TypProfile::JwtOrAccessToken);
    let format = KeyFormat::new("tg", "live").expect("a format");
    let table = ApiKeyTable::<KeyRecord>::new(format);
    for (key, record) in [
        (API_KEY, KeyRecord::api_key("key", "user")),
        (FOREIGN_KEY, KeyRecord::api_key("foreign", "user")),
        (OPAQUE_TOKEN, KeyRecord::access_token("token", "user")),
        (CLIENT_SECRET, KeyRecord::client_secret("secret", "reporter")),
    ] {
        table.insert(table.digest_of(key).expect("a key"), record.expires_at(NOW + DAY));
    }
    let engine = Engine::builder()
        .issuer(issuer("https://issuer.example.com/").keys(keys.build().expect("usable keys")))
        .issuer(issuer("https://other.example.com/").keys(KeyRing::new(KeySet::default())))
        .api_keys(table)
        .build()
        .expect("an engine");
    for (kind, header) in known_good() {
        let principal = engine.verify_at(header.as_bytes(), NOW).expect(header);
        assert_eq!(principal.kind().as_str(), kind, "{header}");
    }
    engine
});
