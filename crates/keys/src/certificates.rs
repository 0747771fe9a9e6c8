//! A JSON object that maps key ids to certificates in PEM, which some providers publish instead of a JWK set.

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

/// Accepts exactly one certificate: in a chain it would be unclear which key is meant.
fn read_certificate(value: Value<'_, '_>) -> DerKey {
    let mut blocks = value.as_str().map(|text| pem::read_blocks(text.as_bytes())).unwrap_or_default();
    match (blocks.pop(), blocks.is_empty()) {
        // A readable key without dates does not come from a certificate.
        (Some(DerKey { validity: None, key: Ok(_), .. }), _) | (None, _) | (_, false) => {
            DerKey::refused(KeyRefused::NotOneCertificate)
        }
        (Some(certificate), true) => certificate,
    }
}
