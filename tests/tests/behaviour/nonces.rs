//! Nonces of DPoP proofs, which the server gives (RFC 9449 sections 8 and 9).

use serde_json::{Value, json};
use tollgate::limits::{NONCE_RENEWAL_SECONDS, NONCE_SECONDS};
use tollgate::{Algorithm, Dpop, Engine, NonceSecrets, ProofError, Rejection, Request};
use tollgate_issuer::SigningKey;
use tollgate_tests::{Draft, NOW, ProofDraft, issuer, signing_key};

const URI: &str = "https://api.example.com/sites";

struct World {
    client: SigningKey,
    engine: Engine,
    token: String,
}

impl World {
    fn new(dpop: Dpop) -> Self {
        let (key, client) = (signing_key(Algorithm::EdDSA, 0), signing_key(Algorithm::ES256, 1));
        let engine = Engine::builder().issuer(issuer([&key])).dpop(dpop).clock(|| NOW).build().unwrap();
        let token = Draft::new(&key).claim("exp", NOW + 10_000).bound_to(&client).sign(&key);
        World { client, engine, token }
    }

    fn sharing(secrets: &NonceSecrets) -> Self {
        Self::new(Dpop::new().require_nonce_of(secrets))
    }

    fn draft(&self, nonce: impl Into<Value>, jti: &str) -> ProofDraft {
        ProofDraft::new(&self.client, "GET", URI, &self.token).claim("nonce", nonce).claim("jti", jti)
    }

    fn verify_at(&self, draft: &ProofDraft, now: i64) -> Result<(), Rejection> {
        let (header, proof) = (format!("DPoP {}", self.token), draft.sign(&self.client));
        let request = Request::new().authorization(&header).method("GET").uri(URI).proof(&proof);
        self.engine.verify_request_at(&request, now).map(drop)
    }

    fn code_at(&self, draft: &ProofDraft, now: i64) -> Result<(), &'static str> {
        self.verify_at(draft, now).map_err(|rejection| rejection.code())
    }

    /// The nonce that a client is given at that time.
    fn nonce_at(&self, now: i64) -> String {
        let rejection = self.verify_at(&self.draft(Value::Null, "without"), now).unwrap_err();
        rejection.dpop_nonce().expect("a nonce").to_owned()
    }
}

const WRONG: Result<(), &str> = Err("wrong-proof-nonce");

#[test]
fn a51_a_nonce_is_required_where_it_is_configured_and_changes() {
    let world = World::new(Dpop::new().require_nonce());
    let rejection = world.verify_at(&world.draft(Value::Null, "1"), NOW).unwrap_err();
    assert_eq!(*rejection.cause(), Rejection::Proof(ProofError::NonceRequired));
    let challenge = rejection.challenge().to_string();
    assert_eq!(challenge, r#"DPoP error="use_dpop_nonce", algs="RS256 PS256 ES256 EdDSA""#);
    let nonce = rejection.dpop_nonce().unwrap().to_owned();
    let (first, rest) = nonce.split_at(1);
    let other_time = format!("{}{rest}", if first == "A" { "B" } else { "A" });
    for bad in
        [json!(""), json!(1), json!([nonce]), json!(format!("{nonce}x")), json!("A".repeat(32)), json!(other_time)]
    {
        let rejection = world.verify_at(&world.draft(bad, "2"), NOW).unwrap_err();
        assert_eq!(rejection.code(), "wrong-proof-nonce");
        assert_eq!(rejection.challenge().error(), Some("use_dpop_nonce"));
    }
    assert_eq!(world.code_at(&world.draft(&*nonce, "3"), NOW), Ok(()));
    assert_eq!(world.code_at(&world.draft(&*nonce, "3"), NOW), Err("proof-replayed"));
    // It is valid for a while, and no longer; and no other engine accepts it.
    let at = |now: i64| world.code_at(&world.draft(&*nonce, &now.to_string()), now);
    assert_eq!((at(NOW + NONCE_SECONDS - 1), at(NOW + NONCE_SECONDS)), (Ok(()), WRONG));
    let other = World::new(Dpop::new().require_nonce());
    assert_eq!(other.code_at(&other.draft(&*nonce, "4"), NOW), WRONG);
}

#[test]
fn with_a_nonce_the_clock_of_the_client_does_not_matter() {
    // Section 4.3, step 11: the time of the nonce is that of the proof.
    let world = World::new(Dpop::new().require_nonce());
    let nonce = world.nonce_at(NOW);
    for iat in [0, NOW - 86_400, NOW + 86_400] {
        let draft = world.draft(&*nonce, &iat.to_string()).claim("iat", iat);
        assert_eq!(world.code_at(&draft, NOW), Ok(()), "{iat}");
        assert_eq!(world.code_at(&draft, NOW + 100), Err("proof-replayed"), "{iat}");
    }
    assert_eq!(world.code_at(&world.draft(&*nonce, "5").claim("iat", Value::Null), NOW), Err("malformed-proof"));
}

#[test]
fn a51_a_nonce_of_one_engine_is_good_at_each_that_shares_its_secrets() {
    let secrets = NonceSecrets::new(&[1; 32]);
    let (one, other) = (World::sharing(&secrets), World::sharing(&NonceSecrets::new(&[1; 32])));
    let later = NOW + 1;
    let nonce = one.nonce_at(later);
    assert_eq!(other.code_at(&other.draft(&*nonce, "1"), later), Ok(()));
    // Where the clock is behind, it is not good yet, so that nobody spends it twice before and after a start.
    assert_eq!(other.code_at(&other.draft(&*nonce, "2"), NOW), WRONG);
    // A rotation, by which no nonce is lost.
    secrets.replace(&[2; 32], &[[1; 32]]);
    assert_eq!(one.code_at(&one.draft(&*nonce, "3"), later), Ok(()));
    let next = one.nonce_at(later);
    assert_ne!(next, nonce);
    assert_eq!(other.code_at(&other.draft(&*next, "4"), later), WRONG);
    secrets.replace(&[2; 32], &[]);
    assert_eq!(one.code_at(&one.draft(&*nonce, "5"), later), WRONG);
}

#[test]
fn a51_a_nonce_from_before_the_start_is_replaced_and_there_is_no_gap_after_it() {
    // The engines have been built at NOW.
    let secrets = NonceSecrets::new(&[1; 32]);
    let (before, world) = (World::sharing(&secrets), World::sharing(&secrets));
    let nonce = before.nonce_at(NOW);
    let rejection = world.verify_at(&world.draft(&*nonce, "1"), NOW + 1).unwrap_err();
    assert_eq!(rejection.challenge().error(), Some("use_dpop_nonce"));
    let next = rejection.dpop_nonce().unwrap();
    assert_eq!(world.code_at(&world.draft(next, "1"), NOW + 1), Ok(()));
    // A secret that is made at the start has no nonces from before it.
    let own = World::new(Dpop::new().require_nonce());
    assert_eq!(own.code_at(&own.draft(own.nonce_at(NOW), "1"), NOW), Ok(()));
}

#[test]
fn a_nonce_is_renewed_before_it_ends() {
    let secrets = NonceSecrets::new(&[1; 32]);
    let world = World::sharing(&secrets);
    let key = signing_key(Algorithm::EdDSA, 0);
    let renewed = |age: i64| {
        let engine = Engine::builder().issuer(issuer([&key])).dpop(Dpop::new().require_nonce_of(&secrets));
        let engine = engine.clock(move || NOW + age).build().unwrap();
        let proof = world.draft(world.nonce_at(NOW), "1").sign(&world.client);
        engine.renewed_dpop_nonce(&Request::new().proof(&proof))
    };
    assert_eq!(renewed(0), None);
    assert_eq!(renewed(NONCE_RENEWAL_SECONDS - 1), None);
    let next = renewed(NONCE_RENEWAL_SECONDS).unwrap();
    assert_eq!(&*next, world.nonce_at(NOW + NONCE_RENEWAL_SECONDS));
}
