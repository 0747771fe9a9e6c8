//! Keys are added and removed while the engine runs.

use tollgate::{Algorithm, Engine, KeyRing};
use tollgate_tests::{Draft, NOW, issuer, key_set, signing_key};

#[test]
fn a39_a_key_counts_from_its_publication_to_its_removal() {
    let (old, new) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 1));
    let ring = KeyRing::new(key_set([&old]));
    let engine = Engine::builder().issuer(issuer([]).keys(ring.clone())).build().unwrap();
    let verify = |key| engine.verify_at(Draft::new(key).sign(key).as_bytes(), NOW).map(drop).map_err(|e| e.code());
    assert_eq!((verify(&old), verify(&new)), (Ok(()), Err("unknown-key")));
    ring.replace(key_set([&old, &new]));
    assert_eq!((verify(&old), verify(&new)), (Ok(()), Ok(())));
    ring.replace(key_set([&new]));
    assert_eq!((verify(&old), verify(&new)), (Err("unknown-key"), Ok(())));
    ring.replace(key_set([]));
    assert_eq!((verify(&old), verify(&new)), (Err("unknown-key"), Err("unknown-key")));
}

#[test]
fn a_key_replaced_under_its_own_kid_counts_no_more() {
    let (old, new) = (signing_key(Algorithm::ES256, 0), signing_key(Algorithm::ES256, 0));
    let ring = KeyRing::new(key_set([&old]));
    let engine = Engine::builder().issuer(issuer([]).keys(ring.clone())).build().unwrap();
    let token = Draft::new(&old).sign(&old);
    assert!(engine.verify_at(token.as_bytes(), NOW).is_ok());
    ring.replace(key_set([&new]));
    assert_eq!(engine.verify_at(token.as_bytes(), NOW).unwrap_err().code(), "bad-signature");
}
