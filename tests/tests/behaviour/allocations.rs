//! The allocations of a verify: the data of its principal, and on a rejection only the rejection's data.

use allocation_counter::measure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tollgate::{Algorithm, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Rejection};
use tollgate_issuer::SigningKey;
use tollgate_jwt::CompactJws;
use tollgate_tests::{Draft, NOW, issuer, signing_key, traffic_token};

/// The allocations of a principal: a token with its reference count, and a text.
const COLD: u64 = 2;

/// The allocations of the second call; the first grows the thread's memory to the size of the token.
fn allocations(engine: &Engine, header: &str) -> (u64, Result<(), Rejection>) {
    let mut result = engine.verify_at(header.as_bytes(), NOW).map(drop);
    let counted = measure(|| result = engine.verify_at(header.as_bytes(), NOW).map(drop));
    (counted.count_total, result)
}

/// ring allocates only for RSA: it parses the key and builds its numbers at each verification.
fn allocations_of_the_primitive(key: &SigningKey, token: &str) -> u64 {
    let jws = CompactJws::parse(token).unwrap();
    let mut signature = Vec::new();
    jws.decode_signature(&mut signature).unwrap();
    measure(|| key.verifying_key().verify(jws.signing_input(), &signature).unwrap()).count_total
}

#[test]
fn a_cold_jwt_allocates_at_most_twice() {
    let algorithms = [
        Algorithm::HS256,
        Algorithm::HS512,
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];
    for algorithm in algorithms {
        let key = signing_key(algorithm, 0);
        let engine = tollgate_tests::cold_engine([&key]);
        for token in [traffic_token(&key, 1, NOW), Draft::new(&key).claim("sub", "\u{e9}\n\"").sign(&key)] {
            let (count, result) = allocations(&engine, &format!("Bearer {token}"));
            let own = count - allocations_of_the_primitive(&key, &token);
            assert!(result.is_ok() && own <= COLD, "{algorithm}: {own} of {count}, {result:?}");
        }
    }
}

#[test]
fn a_warm_jwt_allocates_nothing() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = tollgate_tests::engine([&key]);
    let headers: Vec<String> = (0..300).map(|index| format!("Bearer {}", traffic_token(&key, index, NOW))).collect();
    // Into the shared table, then into the thread's own.
    for _ in 0..4 {
        assert!(headers.iter().all(|header| engine.verify_at(header.as_bytes(), NOW).is_ok()));
    }
    for header in &headers {
        let counted = measure(|| drop(engine.verify_at(header.as_bytes(), NOW).unwrap()));
        assert_eq!(counted.count_total, 0);
    }
    let statistics = engine.cache_statistics().unwrap();
    assert_eq!(statistics.misses, 300);
    assert!(statistics.front_hits > 0 && statistics.back_hits > 0, "{statistics:?}");
}

#[test]
fn an_api_key_allocates_nothing() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&key, KeyRecord::api_key("k", "u"));
    let engine = Engine::builder().api_keys(table).build().unwrap();
    for header in [key.as_str().to_owned(), format!("Bearer {}", key.as_str())] {
        let (count, result) = allocations(&engine, &header);
        assert_eq!((count, result), (0, Ok(())));
    }
}

/// The allocations are the texts of the readings, each of which is wiped.
#[test]
fn basic_credentials_allocate_once_for_each_reading() {
    let format = KeyFormat::new("tg", "live").unwrap();
    let (secret, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&secret, KeyRecord::client_secret("s", "a b"));
    let engine = Engine::builder().api_keys(table).build().unwrap();
    for (id, readings) in [("a b", 1), ("a+b", 2), ("a%20b", 2)] {
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:{}", secret.as_str())));
        let (count, result) = allocations(&engine, &header);
        assert_eq!((count, result), (readings, Ok(())), "{id}");
    }
    assert_eq!(measure(|| assert!(engine.verify_client("a b", secret.as_str()).is_ok())).count_total, 0);
}

#[test]
fn a22_a_token_with_other_dots_is_rejected_without_allocating() {
    let key = signing_key(Algorithm::ES256, 0);
    let engine = Engine::builder().issuer(issuer([&key])).build().unwrap();
    let token = Draft::new(&key).sign(&key);
    for header in [
        token.replace('.', ""),
        token.replacen('.', "", 1),
        format!("{token}."),
        format!("{token}.AAAA"),
        format!("{token}.AAAA.AAAA"),
        format!(".{token}"),
        token.replace('.', ".."),
        "eyJ".to_owned() + &".".repeat(8000),
        "eyJ".to_owned() + &".".repeat(1_000_000),
    ] {
        let (count, result) = allocations(&engine, &header);
        assert!(count == 0 && result.is_err(), "{count} {result:?}");
    }
}
