//! Revocations in the store, and the opaque tokens that they concern.

use crate::error::ServerError;
use crate::key_store::KeyStore;
use tollgate::KeyKind;
use tollgate_store::{RevocationKind, StoredRevocation, TokensOf};

/// Revokes, and what is opaque along with it: a JWT names whom it concerns, of an opaque token only the record does. Returns
/// when it is in force.
pub(crate) fn revoke(keys: &KeyStore, origin: &str, revocation: &StoredRevocation) -> Result<(), ServerError> {
    let StoredRevocation { kind, issuer, name, issued_before, .. } = revocation;
    let mut change = keys.store.revoke(revocation)?;
    if **issuer == *origin {
        let of = match kind {
            RevocationKind::Subject => Some(TokensOf::Subject(name)),
            RevocationKind::Client => Some(TokensOf::Client(name)),
            RevocationKind::Issuer => Some(TokensOf::Anybody),
            _ => None,
        };
        if let Some(of) = of {
            change = change.max(keys.store.revoke_access_tokens(of, *issued_before)?.1);
        }
        if *kind == RevocationKind::Token {
            change = change.max(revoke_opaque_token(keys, name)?.unwrap_or(0));
        }
    }
    keys.in_force(change)
}

/// Revokes the token of that id, in whichever format it was issued or is about to be. Returns when it is in force.
pub(crate) fn revoke_token(keys: &KeyStore, origin: &str, id: &str, until: i64) -> Result<(), ServerError> {
    let revoked = |kind, issuer| StoredRevocation { until, ..StoredRevocation::new(kind, issuer, id) };
    let both = [revoked(RevocationKind::Token, origin), revoked(RevocationKind::ApiKey, "")];
    keys.in_force(keys.store.revoke_all(&both)?)
}

/// Whether everything that is issued to that subject, or to that client, is revoked also when it is issued at `now`.
pub(crate) fn concern(
    keys: &KeyStore,
    origin: &str,
    subject: &str,
    client_id: &str,
    now: i64,
) -> Result<bool, ServerError> {
    let names = [(RevocationKind::Subject, subject), (RevocationKind::Client, client_id), (RevocationKind::Issuer, "")];
    for (kind, name) in names {
        let revocation = keys.store.revocation(kind, origin, name)?;
        if revocation.is_some_and(|revocation| now < revocation.issued_before && now < revocation.until) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn revoke_opaque_token(keys: &KeyStore, id: &str) -> Result<Option<u64>, ServerError> {
    match keys.store.key(id)? {
        Some(key) if key.record.kind() == KeyKind::AccessToken => Ok(keys.store.revoke_key(id)?),
        _ => Ok(None),
    }
}
