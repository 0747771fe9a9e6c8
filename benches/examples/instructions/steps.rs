use std::hint::black_box;

use tollgate::jwt::{CompactJws, base64url, json};
use tollgate_issuer::SigningKey;
use tollgate_jwt::HeaderCache;
use tollgate_tests::{NOW, key_set, traffic_token};

use crate::callgrind::Count;
use crate::path::{INPUTS, Path};

/// The steps of a cold verify, each alone.
pub(crate) fn paths(key: &SigningKey) -> Vec<Path> {
    let tokens = || (0..INPUTS).map(|index| traffic_token(key, index, NOW)).collect::<Vec<_>>();
    let jws = |token: &str| CompactJws::parse(token).expect("a token").payload().to_owned();
    let payloads: Vec<String> = tokens().iter().map(|token| jws(token)).collect();
    let decode = |payload: &String| {
        let mut bytes = Vec::new();
        base64url::decode(payload, &mut bytes).expect("base64url");
        bytes
    };
    let documents = payloads.iter().map(decode).collect();

    let (mut bytes, mut buffer, mut claims, mut new) =
        (Vec::new(), json::Buffer::default(), json::Buffer::default(), json::Buffer::default());
    let (mut signature, keys) = (Vec::new(), key_set([key]));
    let (mut headers, mut known) = (headers_of(&tokens()), headers_of(&tokens()));
    vec![
        Path::new(SPLIT, tokens(), |token| {
            black_box(CompactJws::parse(token).expect("a token"));
        }),
        Path::new(HEADER, tokens(), move |token| {
            black_box(headers.decode(&CompactJws::parse(token).expect("a token")).expect("a header"));
        }),
        Path::new(NEW_HEADER, tokens(), move |token| {
            black_box(CompactJws::parse(token).expect("a token").decode_header(&mut new).expect("a header"));
        }),
        Path::new(BASE64, payloads, move |payload| {
            base64url::decode(payload, &mut bytes).expect("base64url");
        }),
        Path::new(JSON, documents, move |document| {
            black_box(json::parse(document, &mut buffer).expect("JSON"));
        }),
        Path::new(CLAIMS, tokens(), move |token| {
            black_box(CompactJws::parse(token).expect("a token").decode_claims(&mut claims).expect("claims"));
        }),
        Path::new(KEY, tokens(), move |token| {
            let jws = CompactJws::parse(token).expect("a token");
            let header = known.decode(&jws).expect("a header");
            black_box(keys.verify(&jws, &header, &mut signature).expect("signed"));
        }),
    ]
}

/// The header cache of a thread that has verified `tokens`.
fn headers_of(tokens: &[String]) -> HeaderCache {
    let mut headers = HeaderCache::default();
    for token in tokens {
        let jws = CompactJws::parse(token).expect("a token");
        headers.decode(&jws).expect("a header");
        headers.remember(&jws);
    }
    headers
}

const SPLIT: &str = "step/split";
const HEADER: &str = "step/split, known header";
const NEW_HEADER: &str = "step/split, new header";
const BASE64: &str = "step/base64url of the payload";
const JSON: &str = "step/JSON of the payload";
const CLAIMS: &str = "step/split, claims";
const KEY: &str = "step/split, known header, key and signature";

/// Prints what each step adds to a cold verify of an HS256 token.
pub(crate) fn print(paths: &[Count], steps: &[Count]) {
    let count = |name| {
        let counts = paths.iter().chain(steps);
        counts.filter(|count| count.name == name).map(|count| count.instructions as i64).sum::<i64>()
    };
    let total = count("cold/HS256");
    let rows = [
        ("splitting the token at its dots", count(SPLIT)),
        ("the header, known from an earlier token", count(HEADER) - count(SPLIT)),
        ("base64url of the payload", count(BASE64)),
        ("JSON of the payload, duplicate members refused", count(JSON)),
        ("the registered claims", count(CLAIMS) - count(SPLIT) - count(BASE64) - count(JSON)),
        ("key look-up and decoding of the signature", count(KEY) - count(HEADER)),
    ];
    let rest = total - rows.iter().map(|(_, count)| count).sum::<i64>();
    println!("| step of a cold verify, HS256 | instructions | share |\n|---|---:|---:|");
    for (step, count) in rows.into_iter().chain([("credential, issuer, policy, revocation, principal", rest)]) {
        println!("| {step} | {count} | {:.0} % |", 100.0 * count as f64 / total as f64);
    }
    println!("| all, without HMAC | {total} | 100 % |\n");
    println!("A header that is not cached takes {} more.\n", count(NEW_HEADER) - count(HEADER));
}
