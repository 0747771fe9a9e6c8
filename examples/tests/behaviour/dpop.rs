use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tollgate::Algorithm;
use tollgate_issuer::SigningKey;
use tollgate_tests::ProofDraft;

use crate::program::Program;
use crate::tokens::issuer;

#[test]
fn a_bound_token_needs_a_proof_by_its_key() {
    let issuer = issuer("https://auth.example.com/");
    let jwks = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&jwks, issuer.keys().jwks().as_bytes()).unwrap();
    let program = Program::start(env!("CARGO_BIN_EXE_dpop"), &[jwks.path().to_str().unwrap()]);

    let client = SigningKey::generate(Algorithm::ES256).unwrap();
    let jwk: Value = serde_json::from_str(&client.public_jwk().unwrap()).unwrap();
    let members = json!({ "crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"], "y": jwk["y"] });
    let thumbprint = tollgate::jwt::base64url::encode(tollgate::keys::sha256(members.to_string().as_bytes()));
    let token = issuer.token().subject("user_7").audience("https://api.example.com");
    let token = token.claim("cnf", json!({ "jkt": thumbprint })).mint().unwrap();
    let proof = |uri: &str| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let draft = ProofDraft::new(&client, "GET", uri, &token).claim("iat", now.as_secs());
        draft.claim("jti", now.as_nanos().to_string()).sign(&client)
    };
    let ask = |scheme: &str, proof: &str| {
        program.get_with("/sites", &[("authorization", &format!("{scheme} {token}")), ("dpop", proof)])
    };
    // Proofs from before the start may have been used then, so that those of the first seconds are refused.
    let deadline = Instant::now() + Duration::from_secs(30);
    let used = loop {
        let proof = proof("https://api.example.com/sites");
        if ask("DPoP", &proof) == (200, "the sites of user_7\n".to_owned()) {
            break proof;
        }
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(ask("DPoP", &used).0, 401);
    assert_eq!(ask("DPoP", &proof("https://api.example.com/users")).0, 401);
    assert_eq!(ask("Bearer", &proof("https://api.example.com/sites")).0, 401);
    assert_eq!(program.get("/sites", &format!("Bearer {token}")).0, 401);
}
