//! A client's id and secret, in `Basic` with its two readings, and from a form.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use tollgate::{
    AcceptedCredentials, ApiKeyTable, Engine, KeyFormat, KeyRecord, KeyState, PrincipalKind, Rejection, Request,
};
use tollgate_tests::{NOW, basic_readings};

/// The id of the record, as the principal's client.
type Verdict = Result<String, Rejection>;

/// An engine with these clients, each with an id and a secret.
fn engine(clients: &[(&str, &str)]) -> Engine {
    let table = ApiKeyTable::<KeyRecord>::new(KeyFormat::new("tg", "live").unwrap());
    for (id, secret) in clients {
        let record = KeyRecord::client_secret("secret", id).expires_at(NOW + 10);
        table.insert(table.digest_of(secret.as_bytes()).unwrap(), record);
    }
    Engine::builder().api_keys(table).build().unwrap()
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

fn verdict(engine: &Engine, text: &str) -> Verdict {
    engine.verify_at(basic(text), NOW).map(|principal| principal.client_id().unwrap().to_owned())
}

/// Form encoding (RFC 6749 appendix B), by a library.
fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Text with characters that matter to one of the two readings, or to a careless one.
fn text(least: usize, most: usize) -> impl Strategy<Value = String> {
    let pieces = [
        "%", "+", "%3A", "%3a", "%41", "%C3%A9", "%C3", "%A9", "%00", "%0a", "%2", "%zz", "%+1", "a", "é", "=", "&",
        ":",
    ];
    let piece = prop_oneof![4 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => "[ -~é]"];
    proptest::collection::vec(piece, least..most).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// A client is recognised by its id and secret, however it sends them.
    #[test]
    fn a_client_authenticates_encoded_as_sent_and_from_a_form(
        id in prop_oneof!["[ -~é]{1,20}", text(1, 10)], secret in prop_oneof!["[ -~é]{16,60}", text(16, 30)]
    ) {
        let engine = engine(&[(&id, &secret)]);
        let known = Ok(id.clone());
        prop_assert_eq!(verdict(&engine, &format!("{}:{}", encoded(&id), encoded(&secret))), known.clone());
        let from_form = engine.verify_client_at(&id, &secret, NOW).map(|known| known.client_id().unwrap().to_owned());
        prop_assert_eq!(from_form, known.clone());
        // Only the decoded reading yields an id with a colon.
        let as_sent = verdict(&engine, &format!("{id}:{secret}"));
        prop_assert_eq!(as_sent.is_ok(), !id.contains(':'));
    }

    /// A client authenticates if it is one of the readings of the text that it sent, and in no other way.
    #[test]
    fn the_readings_are_those_of_a_slow_decoder(
        sent in prop_oneof![(text(0, 8), text(14, 24)).prop_map(|(id, secret)| format!("{id}:{secret}")), text(0, 30)],
        other in text(14, 24)
    ) {
        let readings = basic_readings(&sent);
        for (id, secret) in readings.iter().filter(|(_, secret)| (16..=512).contains(&secret.len())) {
            prop_assert_eq!(verdict(&engine(&[(id, secret)]), &sent), Ok(id.clone()));
            let nobody = engine(&[(&format!("{id}x"), secret), (&other, &format!("{secret}x"))]);
            prop_assert_eq!(verdict(&nobody, &sent), Err(Rejection::UnknownClient));
        }
        // Neither the whole text, nor the result of another split or of half a decoding.
        let wrong = [
            ("", sent.as_str()),
            (&sent, ""),
            sent.rsplit_once(':').unwrap_or(("", "")),
            sent.split_once("%3A").unwrap_or(("", "")),
        ];
        for (id, secret) in wrong {
            let pair = (id.to_owned(), secret.to_owned());
            if (16..=512).contains(&secret.len()) && !readings.contains(&pair) {
                prop_assert!(verdict(&engine(&[(id, secret)]), &sent).is_err());
            }
        }
        if let [decoded, as_sent] = &readings[..] {
            let mixed = [(&decoded.0, &as_sent.1), (&as_sent.0, &decoded.1)];
            for (id, secret) in mixed.into_iter().filter(|(id, secret)| {
                secret.len() >= 16 && !readings.contains(&((*id).clone(), (*secret).clone()))
            }) {
                prop_assert!(verdict(&engine(&[(id, secret)]), &sent).is_err());
            }
        }
    }
}

#[test]
fn the_decoded_reading_is_the_first_and_its_verdict_counts() {
    const SENT: &str = "a%2Bb:secret+of+sixteen";
    let (decoded, as_sent) = (("a+b", "secret of sixteen"), ("a%2Bb", "secret+of+sixteen"));
    assert_eq!(verdict(&engine(&[decoded, as_sent]), SENT), Ok("a+b".to_owned()));
    assert_eq!(verdict(&engine(&[as_sent]), SENT), Ok("a%2Bb".to_owned()));
    // A secret that is found under another id does not match the reading.
    assert_eq!(verdict(&engine(&[("b", decoded.1), as_sent]), SENT), Ok("a%2Bb".to_owned()));
    // A disabled client of the first reading is the verdict; the second reading is not tried.
    let table = ApiKeyTable::<KeyRecord>::new(KeyFormat::new("tg", "live").unwrap());
    let disabled = KeyRecord::client_secret("secret", decoded.0).state(KeyState::Disabled);
    table.insert(table.digest_of(decoded.1.as_bytes()).unwrap(), disabled);
    table.insert(table.digest_of(as_sent.1.as_bytes()).unwrap(), KeyRecord::client_secret("secret", as_sent.0));
    let engine = Engine::builder().api_keys(table).build().unwrap();
    assert_eq!(verdict(&engine, SENT), Err(Rejection::Client { cause: Box::new(Rejection::Disabled) }));
}

#[test]
fn a_client_from_a_form_is_a_client_of_a_request() {
    let (id, secret) = ("urn:app:7", "a+b%3A&=, of a secret");
    let table = ApiKeyTable::<KeyRecord>::new(KeyFormat::new("tg", "live").unwrap());
    let record = KeyRecord::client_secret("secret", id).allowed_addresses(["192.0.2.0/24".parse().unwrap()]);
    table.insert(table.digest_of(secret.as_bytes()).unwrap(), record);
    let engine = Engine::builder().api_keys(table).build().unwrap();
    let request = Request::new().client(id, secret);
    let shown = format!("{request:?}");
    assert!(shown.contains("client") && !shown.contains("urn") && !shown.contains("of a secret"), "{shown}");
    assert_eq!(engine.verify_request(&request).unwrap_err(), Rejection::AddressRequired);
    assert_eq!(engine.verify_client(id, secret).unwrap_err(), Rejection::AddressRequired);
    let request = request.address("192.0.2.7".parse::<IpAddr>().unwrap());
    let principal = engine.verify_request(&request).unwrap();
    assert_eq!((principal.kind(), principal.client_id()), (PrincipalKind::Client, Some(id)));
    let keys_alone = AcceptedCredentials::only([PrincipalKind::ApiKey]);
    assert_eq!(engine.verify_request(&request.accept(keys_alone)).unwrap_err(), Rejection::MethodNotAccepted);
    let twice = request.authorization("Basic eDp5");
    assert_eq!(engine.verify_request(&twice).unwrap_err(), Rejection::MultipleCredentials);
    for (id, secret) in [(id, "another secret of theirs"), ("urn:app:8", secret), (id, ""), ("", secret), ("x", "y")] {
        let request = Request::new().client(id, secret).address("192.0.2.7".parse::<IpAddr>().unwrap());
        assert_eq!(engine.verify_request(&request).unwrap_err(), Rejection::UnknownClient, "{id} {secret}");
    }
    assert_eq!(engine.verify_client("", "").unwrap_err(), Rejection::MissingCredential);
    let long = engine.verify_client(id, "x".repeat(8 * 1024)).unwrap_err();
    assert_eq!(long, Rejection::HeaderTooLong { length: 8 * 1024 + id.len(), max: 8 * 1024 });
    // Bytes of any kind are looked up, and not found.
    assert_eq!(engine.verify_client([0xff], [0; 20]).unwrap_err(), Rejection::UnknownClient);
}
