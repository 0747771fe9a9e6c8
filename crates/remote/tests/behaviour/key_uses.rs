//! Keys with a `use` other than `sig`: the configured ones are fetched, and accepted for the issuer that allows them.

use tollgate::{Engine, Issuer};
use tollgate_keys::KeyUses;

use crate::support::*;

/// A SPIFFE trust bundle, whose keys name the kind of document that they sign.
#[test]
fn keys_of_the_uses_that_are_asked_for_serve() {
    simulate(async {
        let [x509, jwt] = [key("k1"), key("k1")].map(Signer::with_key);
        let jwk = |signer: &Signer, key_use: &str| {
            let jwk = signer.keys.signing_key().public_jwk().unwrap();
            assert!(jwk.contains(r#""use":"sig""#), "{jwk}");
            jwk.replace(r#""use":"sig""#, &format!(r#""use":"{key_use}""#))
        };
        let keys = format!("{},{}", jwk(&x509, "x509-svid"), jwk(&jwt, "jwt-svid"));
        let bundle = format!(r#"{{"spiffe_sequence":1,"spiffe_refresh_hint":300,"keys":[{keys}]}}"#);
        let provider = Provider::start(publishes(bundle));
        let uses = KeyUses::new(["jwt-svid"]).unwrap().required();
        let remote_keys = Remote::start(remote(&provider).key_uses(uses)).await;
        let health = remote_keys.keys.health();
        assert_eq!((health.keys, health.refused.len()), (1, 1), "{health:?}");
        let issuer = Issuer::new(ISSUER).audience(AUDIENCE).key_use(&["jwt-svid"]).keys(remote_keys.keys.key_ring());
        let engine = Engine::builder().issuer(issuer).build().unwrap();
        assert!(accepts(&engine, &jwt.header()));
        assert_eq!(code(&engine, &x509.header()), "bad-signature");
        // An issuer without this `use` does not accept the key.
        assert_eq!(code(&remote_keys.engine, &jwt.header()), "key-not-admitted");

        let by_default = Remote::start(remote(&provider)).await;
        assert_eq!((by_default.keys.health().keys, by_default.last_failure()), (0, Some("no-usable-key")));
    });
}
