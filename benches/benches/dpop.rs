//! The cost that a proof of possession adds to a warm token, to be compared with one check of an ES256 signature by the
//! fastest library.

#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tollgate::keys::VerifyingKey;
use tollgate::{Algorithm, Dpop, Engine, Request};
use tollgate_issuer::SigningKey;
use tollgate_tests::{Draft, NOW, ProofDraft, issuer, signing_key};

const URI: &str = "https://api.example.com/sites";

/// How many proofs are made for each batch: each is used once.
const BATCH: usize = 256;

/// How many clients take turns: more than the cache of proof keys holds.
const CLIENTS: usize = 20_000;

fn dpop(c: &mut Criterion) {
    let (key, client) = (signing_key(Algorithm::HS256, 0), signing_key(Algorithm::ES256, 1));
    // With room for all proofs of a run.
    let engine = Engine::builder()
        .issuer(issuer([&key]))
        .dpop(Dpop::new().started_at(0).replay_bytes(256 << 20))
        .build()
        .expect("an engine");
    let token = Draft::new(&key).bound_to(&client).sign(&key);
    let mut number = 0_u64;
    let mut proof = |client: &SigningKey, token: &str| {
        number += 1;
        ProofDraft::new(client, "GET", URI, token).claim("jti", number.to_string()).claim("iat", NOW).sign(client)
    };

    // A key without tables, as for proofs; the build uses its fastest backend.
    let signed = proof(&client, &token);
    let (input, signature) = signed.rsplit_once('.').expect("three parts");
    let mut raw = Vec::new();
    tollgate::jwt::base64url::decode(signature, &mut raw).expect("base64url");
    let verifying: &VerifyingKey = client.verifying_key();
    c.bench_function("dpop/es256", |b| {
        b.iter(|| verifying.verify(black_box(input.as_bytes()), black_box(&raw)).expect("good"));
    });

    let verify = |header: &str, proof: &str| {
        let request = Request::new().authorization(header).method("GET").uri(URI).proof(proof);
        engine.verify_request_at(&request, NOW)
    };
    let header = format!("DPoP {token}");
    verify(&header, &proof(&client, &token)).expect("good");
    let bearer = Draft::new(&key).sign(&key);
    engine.verify_at(bearer.as_bytes(), NOW).expect("good");
    c.bench_function("dpop/token_alone", |b| {
        b.iter(|| engine.verify_at(black_box(bearer.as_bytes()), NOW).expect("good"));
    });
    c.bench_function("dpop/key_seen_before", |b| {
        b.iter_batched(
            || proof(&client, &token),
            |proof| verify(black_box(&header), black_box(&proof)).expect("good"),
            BatchSize::NumIterations(BATCH as u64),
        );
    });

    let clients: Vec<_> = (0..CLIENTS).map(|_| SigningKey::generate(Algorithm::ES256).expect("a key")).collect();
    let tokens: Vec<_> = clients.iter().map(|client| Draft::new(&key).bound_to(client).sign(&key)).collect();
    let headers: Vec<_> = tokens.iter().map(|token| format!("DPoP {token}")).collect();
    // The tokens are warm; there are more keys than the cache of proof keys holds.
    for ((client, header), token) in clients.iter().zip(&headers).zip(&tokens) {
        verify(header, &proof(client, token)).expect("good");
    }
    let mut turn = 0;
    c.bench_function("dpop/key_new", |b| {
        b.iter_batched(
            || {
                turn = (turn + 1) % CLIENTS;
                (turn, proof(&clients[turn], &tokens[turn]))
            },
            |(turn, proof)| verify(black_box(&headers[turn]), black_box(&proof)).expect("good"),
            BatchSize::NumIterations(BATCH as u64),
        );
    });
}

criterion_group!(benches, dpop);
criterion_main!(benches);
