use std::cell::Cell;

use tollgate::{Algorithm, Dpop, Engine, Request};
use tollgate_tests::{Draft, NOW, ProofDraft, issuer, signing_key};

const URI: &str = "https://api.example.com/sites";

struct World {
    engine: Engine,
    header: String,
    good: ProofDraft,
    client: tollgate_issuer::SigningKey,
    number: Cell<u64>,
}

impl World {
    fn new() -> Self {
        let (key, client) = (signing_key(Algorithm::EdDSA, 0), signing_key(Algorithm::EdDSA, 1));
        let engine =
            Engine::builder().issuer(issuer([&key])).dpop(Dpop::new().started_at(0)).build().expect("an engine");
        let token = Draft::new(&key).bound_to(&client).sign(&key);
        let good = ProofDraft::new(&client, "GET", URI, &token);
        World { engine, header: format!("DPoP {token}"), good, client, number: Cell::new(0) }
    }
}

thread_local! {
    static WORLD: World = World::new();
}

/// Bytes as a proof, as the proof's URI and as the request's URI: only proofs that the client signed for this request
/// are accepted, each once.
pub fn dpop(data: &[u8]) {
    WORLD.with(|world| {
        let request = Request::new().authorization(&world.header).method("GET");
        let verify = |request: &Request<'_>| world.engine.verify_request_at(request, NOW);
        assert!(verify(&request.uri(URI).proof(data)).is_err(), "nobody can sign with the client's key");
        let Ok(text) = str::from_utf8(data) else { return };
        let number = world.number.replace(world.number.get() + 1).to_string();
        let proof = world.good.clone().claim("htu", text).claim("jti", number).sign(&world.client);
        // Equal texts are equal URIs, if they are URIs; and an accepted proof is accepted once.
        let (first, second) = (verify(&request.uri(text).proof(&proof)), verify(&request.uri(text).proof(&proof)));
        assert!(second.is_err());
        if let Err(rejection) = first {
            assert!(
                ["wrong-proof-uri", "proof-too-long", "proof-forgotten"].contains(&rejection.code()),
                "{rejection}"
            );
        }
        // Another origin never counts as the request's.
        if !text.to_ascii_lowercase().contains("api.example.com") && !text.contains('%') {
            assert!(verify(&request.uri(URI).proof(&proof)).is_err());
        }
    });
}
