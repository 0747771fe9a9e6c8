//! Revocations in the store, and the opaque tokens that they concern.

use crate::error::ServerError;
use crate::key_store::FollowedStore;
use crate::tokens::Grant;
use tollgate_storage::{Command, RevocationKind, StoredRevocation};

/// Revokes, and what is opaque along with it: a JWT names whom it concerns, of an opaque token only the record does. Returns
/// when it is in force.
pub(crate) fn revoke(keys: &FollowedStore, origin: &str, revocation: &StoredRevocation) -> Result<(), ServerError> {
    let with_opaque = *revocation.issuer == *origin;
    keys.run(Command::Revoke { revocation: revocation.clone(), with_opaque })?;
    Ok(())
}

/// Revokes the tokens of these ids, in whichever format each was issued or is about to be. Returns when it is in force.
pub(crate) fn revoke_tokens(
    keys: &FollowedStore,
    issuers: &[String],
    ids: &[String],
    until: i64,
) -> Result<(), ServerError> {
    let mut commands = Vec::new();
    for id in ids {
        let revoked = |kind, issuer: &str| {
            let revocation = StoredRevocation { until, ..StoredRevocation::new(kind, issuer, id) };
            Command::Revoke { revocation, with_opaque: false }
        };
        commands.extend(issuers.iter().map(|issuer| revoked(RevocationKind::Token, issuer)));
        commands.push(revoked(RevocationKind::ApiKey, ""));
    }
    if commands.is_empty() { Ok(()) } else { keys.run_all(commands) }
}

/// Whether everything that was granted so at `now` is revoked: all of that subject, client or session.
pub(crate) fn concern(keys: &FollowedStore, origin: &str, grant: &Grant<'_>, now: i64) -> Result<bool, ServerError> {
    let session = grant.session_id.map(|session_id| (RevocationKind::Session, session_id));
    let client = Some((RevocationKind::Client, grant.client_id)).filter(|(_, client_id)| !client_id.is_empty());
    let mut names = vec![(RevocationKind::Subject, grant.subject), (RevocationKind::Issuer, "")];
    names.extend(session.into_iter().chain(client));
    let revocations = keys.wait(keys.store.revocations_of(origin, &names))?;
    Ok(revocations.iter().any(|revocation| now < revocation.issued_before && now < revocation.until))
}
