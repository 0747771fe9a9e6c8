//! A JSON object from key ids to certificates in PEM, which some providers publish in place of a JWK set.

use tollgate_jwt::json::{Object, Value};

use crate::entry::Entry;
use crate::key_refused::KeyRefused;
use crate::pem;
use crate::spki::DerKey;

/// The keys of `document`, each under the name of its member.
pub(crate) fn read(document: &Object<'_, '_>) -> Vec<Entry> {
    let entry = |(kid, value): (&str, _)| Entry { kid: Some(kid.to_owned()), ..Entry::from(read_certificate(value)) };
    document.iter().map(entry).collect()
}

/// Exactly one certificate: which key of a chain is meant nobody could say.
fn read_certificate(value: Value<'_, '_>) -> DerKey {
    let mut blocks = value.as_str().map(|text| pem::read_blocks(text.as_bytes())).unwrap_or_default();
    match (blocks.pop(), blocks.is_empty()) {
        // A key that was read and has no dates is not from a certificate.
        (Some(DerKey { validity: None, key: Ok(_), .. }), _) | (None, _) | (_, false) => {
            DerKey::refused(KeyRefused::NotOneCertificate)
        }
        (Some(certificate), true) => certificate,
    }
}
