//! Credentials that this server has a record of: API keys, opaque tokens and client secrets.

use crate::accepted::Kinds;
use crate::basic::BasicCredentials;
use crate::builder::KEY_STORE;
use crate::clock::Now;
use crate::confirmation::Sender;
use crate::credential::unless_joined;
use crate::dpop::ProofError;
use crate::engine::Engine;
use crate::observer::Notes;
use crate::policy::{check_begun, check_not_expired};
use crate::principal::Principal;
use crate::record::{KeyKind, KeyRecord, KeyState};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::revocation::Marks;
use crate::table::{MatchedKey, NativeKey};
use crate::unavailable::Unavailable;

impl Engine {
    pub(crate) fn admit_key(
        &self,
        key: &[u8],
        kinds: Kinds,
        request: &Request<'_>,
        now: Now,
    ) -> Result<Principal, Rejection> {
        let table = self.api_keys.as_ref().ok_or(Rejection::CredentialNotAccepted)?;
        self.admit_found(table.find(key)?, kinds, request, now)
    }

    /// Verifies a token by the table, or if it is not there, by its issuer.
    pub(crate) fn admit_opaque<N: Notes + ?Sized>(
        &self,
        token: &[u8],
        kinds: Kinds,
        sender: &Sender<'_>,
        notes: &N,
    ) -> Result<Principal, Rejection> {
        let unknown = match self.api_keys.as_ref().map(|table| table.find(token)) {
            // Nothing in the table is bound to a key.
            Some(Ok(_)) if sender.is_dpop => return Err(ProofError::TokenNotBound.into()),
            Some(Ok(key)) => return self.admit_found(key, kinds, sender.request, sender.now),
            Some(Err(error)) => error.into(),
            None => Rejection::CredentialNotAccepted,
        };
        self.admit_unknown_token(token, kinds, sender, notes).unwrap_or(Err(unknown))
    }

    fn admit_found(
        &self,
        key: MatchedKey<KeyRecord>,
        kinds: Kinds,
        request: &Request<'_>,
        now: Now,
    ) -> Result<Principal, Rejection> {
        if !kinds.contains(key.record().kind().into()) {
            return Err(Rejection::UnknownApiKey);
        }
        self.admit_known(key, request, now)
    }

    pub(crate) fn table_knows(&self, token: &[u8]) -> bool {
        self.api_keys.as_ref().is_some_and(|table| table.find(token).is_ok())
    }

    /// Whether a token begins like the table's own keys, or is a key of another table in tollgate's format.
    pub(crate) fn has_own_format(&self, token: &[u8]) -> bool {
        self.api_keys.as_ref().is_some_and(|table| table.format().claims(token)) || NativeKey::parse(token).is_ok()
    }

    /// At most two look-ups: the second reading is tried only if the first finds nothing.
    pub(crate) fn admit_basic(
        &self,
        credentials: &[u8],
        request: &Request<'_>,
        now: Now,
    ) -> Result<Principal, Rejection> {
        let credentials =
            BasicCredentials::decode(credentials).map_err(|rejection| unless_joined(rejection, credentials))?;
        let mut verdict = Err(Rejection::UnknownClient);
        for (id, secret) in credentials.readings() {
            verdict = self.admit_client(id, secret, request, now);
            if !matches!(verdict, Err(Rejection::UnknownClient)) {
                break;
            }
        }
        verdict
    }

    /// The user is a key, as sent: keys have no characters that a form would encode.
    pub(crate) fn admit_basic_user(
        &self,
        credentials: &[u8],
        kinds: Kinds,
        request: &Request<'_>,
        now: Now,
    ) -> Result<Principal, Rejection> {
        let credentials =
            BasicCredentials::decode(credentials).map_err(|rejection| unless_joined(rejection, credentials))?;
        match credentials.as_sent() {
            (key, b"") => self.admit_key(key, kinds, request, now).map_err(Rejection::of_client),
            _ => Err(Rejection::MalformedBasic),
        }
    }

    pub(crate) fn admit_client(
        &self,
        id: &[u8],
        secret: &[u8],
        request: &Request<'_>,
        now: Now,
    ) -> Result<Principal, Rejection> {
        let table = self.api_keys.as_ref().ok_or(Rejection::CredentialNotAccepted)?;
        let key = table.find(secret).map_err(|_| Rejection::UnknownClient)?;
        let record = key.record();
        if record.kind() != KeyKind::ClientSecret || record.client_id().map(str::as_bytes) != Some(id) {
            return Err(Rejection::UnknownClient);
        }
        self.admit_known(key, request, now).map_err(Rejection::of_client)
    }

    /// The checks for every record of the table. The address comes after the record: 403 is for a credential that is
    /// valid elsewhere.
    fn admit_known(&self, key: MatchedKey<KeyRecord>, request: &Request<'_>, now: Now) -> Result<Principal, Rejection> {
        let record = key.record();
        check_in_force(record, now)?;
        self.check_not_revoked(|| Marks { api_key: Some(record.id()), ..Marks::default() })?;
        record.check_address(request.address)?;
        self.check_fresh_keys()?;
        if let Some(last_use) = &self.last_use {
            last_use.note(key.digest(), now.earliest);
        }
        Ok(Principal::from_key(key))
    }

    /// Whether removals in the store are known here, if the table has to follow a store.
    #[inline]
    pub(crate) fn check_fresh_keys(&self) -> Result<(), Rejection> {
        if self.require_fresh_api_keys && !self.revocations.are_fresh() {
            return Err(Unavailable::StaleRevocations { issuer: KEY_STORE.into() }.into());
        }
        Ok(())
    }
}

/// No leeway: the clock that set these times is the one that checks them.
fn check_in_force(record: &KeyRecord, now: Now) -> Result<(), Rejection> {
    match record.state() {
        KeyState::Active => {}
        KeyState::Disabled => return Err(Rejection::Disabled),
        KeyState::Revoked => return Err(Rejection::Revoked),
    }
    record.not_before().map_or(Ok(()), |begin| check_begun(begin, 0, now.earliest))?;
    record.expires_at().map_or(Ok(()), |end| check_not_expired(end, 0, now.latest))
}
