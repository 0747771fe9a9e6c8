//! Inputs from public bug reports, if their folder lies beside this repository. It is not part of it.

use std::fs;
use std::path::PathBuf;

use tollgate::{Engine, Issuer, KeySet, Principal, Rejection, TypProfile};

/// The time at which the reports' tokens are valid.
const NOW: i64 = 1_800_000_000;

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example";

/// Verifies the token of a report; `None`, with a note, if the folder is missing.
fn verify(report: &str, configure: impl FnOnce(Issuer) -> Issuer) -> Option<Result<Principal, Rejection>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/reports")).join(report);
    let read = |name: &str| fs::read(folder.join(name)).ok();
    let (Some(jwks), Some(header)) = (read("jwks.json"), read("header.txt")) else {
        println!("{} is not there: not tested", folder.display());
        return None;
    };
    let keys = KeySet::builder().jwks(&jwks).unwrap().build().unwrap();
    let engine = Engine::builder().issuer(configure(Issuer::new(ISSUER).keys(keys))).build().unwrap();
    Some(engine.verify_at(header.trim_ascii(), NOW))
}

#[test]
fn report_01_scope_is_an_array() {
    let Some(verdict) = verify("01", |issuer| issuer.audience(AUDIENCE)) else { return };
    assert_eq!(verdict.unwrap().scopes().iter().collect::<Vec<_>>(), ["read"]);
}

#[test]
fn report_02_a_machine_has_no_sub() {
    let of = |optional: &'static [&'static str]| {
        verify("02", |issuer| issuer.audience(AUDIENCE).typ(TypProfile::AccessToken).optional_claims(optional))
    };
    let (Some(usual), Some(optional)) = (of(&[]), of(&["sub"])) else { return };
    assert_eq!(usual.unwrap_err(), Rejection::MissingClaim { name: "sub".into() });
    let principal = optional.unwrap();
    assert_eq!((principal.subject(), principal.client_id()), (None, Some("m2m.client")));
}

#[test]
fn report_04_the_audience_stands_in_client_id() {
    let of = |app: &'static str| {
        verify("04", move |issuer| {
            issuer.audience(app).audience_claims(&["aud", "client_id"]).expect_claim("token_use", "access")
        })
    };
    let (Some(own), Some(other)) = (of("5example5"), of("another")) else { return };
    assert_eq!(own.unwrap().audience().collect::<Vec<_>>(), ["5example5"]);
    assert_eq!(other.unwrap_err().code(), "wrong-audience");
    let usual = verify("04", |issuer| issuer.audience("5example5")).unwrap();
    assert_eq!(usual.unwrap_err(), Rejection::MissingClaim { name: "aud".into() });
}
