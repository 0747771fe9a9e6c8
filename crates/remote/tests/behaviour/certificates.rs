//! Keys published as a JSON object that maps key ids to certificates.

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;
use tollgate::Algorithm;
use tollgate_issuer::SigningKey;
use tollgate_remote::RemoteKeys;

use crate::support::*;

/// A signing key named `kid`, and its certificate, which expired in 2020.
fn certified(kid: &str) -> (SigningKey, String) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let key = SigningKey::from_pkcs8_pem(Algorithm::ES256, &pair.serialize_pem()).unwrap().with_kid(kid).unwrap();
    let mut certificate = CertificateParams::new(["securetoken.example".to_owned()]).unwrap();
    certificate.not_after = rcgen::date_time_ymd(2020, 1, 1);
    (key, certificate.self_signed(&pair).unwrap().pem())
}

#[test]
fn certificates_by_key_id_are_keys() {
    simulate(async {
        let ((one, first), (two, second)) = (certified("k1"), certified("k2"));
        let document = json!({"k1": first, "k2": second}).to_string();
        let provider = Provider::start(publishes(format!("\u{feff}{document}")));
        let builder = RemoteKeys::from_x509_uri(&provider.uri("/x509")).clocks(clocks());
        let remote = Remote::start(builder).await;
        assert_eq!(remote.keys.health().keys, 2);
        assert_eq!(remote.keys.name(), provider.uri("/x509"));
        for key in [one, two] {
            assert!(accepts(&remote.engine, &Signer::with_key(key).header()));
        }
        // A valid key under the wrong name.
        let (other, _) = certified("k1");
        assert_eq!(code(&remote.engine, &Signer::with_key(other).header()), "bad-signature");
    });
}

#[test]
fn members_that_are_not_one_certificate_are_refused_and_leave_their_neighbours_alone() {
    simulate(async {
        let (key, certificate) = certified("k1");
        let public = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().public_key_pem();
        let two = [certificate.clone(), certified("x").1].concat();
        let document = json!({
            "k1": certificate,
            "two": two,
            "none": "",
            "number": 7,
            "public": public,
        });
        let provider = Provider::start(publishes(document.to_string()));
        let remote = Remote::start(RemoteKeys::from_x509_uri(&provider.uri("/x509")).clocks(clocks())).await;
        assert!(accepts(&remote.engine, &Signer::with_key(key).header()), "{:?}", remote.keys.health());
        let health = remote.keys.health();
        let codes: Vec<_> = health.refused.iter().map(|report| report.refused.as_ref().unwrap().code()).collect();
        assert_eq!((health.keys, codes), (1, vec!["not-one-certificate"; 4]));
    });
}

#[test]
fn documents_of_another_form_do_not_pass_for_certificates() {
    simulate(async {
        let signer = Signer::new();
        for (document, error) in
            [(signer.jwks(), "no-usable-key"), ("[]".to_owned(), "not-a-key-set"), ("{}".to_owned(), "no-usable-key")]
        {
            let provider = Provider::start(publishes(document));
            let remote = Remote::start(RemoteKeys::from_x509_uri(&provider.uri("/x509")).clocks(clocks())).await;
            assert_eq!(remote.last_failure(), Some(error));
        }
    });
}
