//! Issuers to try the examples with.

use std::sync::Arc;

use tollgate::Algorithm;
use tollgate_issuer::{Minter, SigningKey, SigningKeys};

/// An issuer with a key of its own.
pub(crate) fn issuer(name: &str) -> Minter {
    Minter::new(name, Arc::new(SigningKeys::new(SigningKey::generate(Algorithm::ES256).unwrap()))).unwrap()
}

/// The value of an Authorization header.
pub(crate) fn bearer(issuer: &Minter, audience: &str, scope: &str) -> String {
    let token = issuer.token().subject("user_7").client_id("app_1").audience(audience).scope(scope);
    format!("Bearer {}", token.mint().unwrap())
}
