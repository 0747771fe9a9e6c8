//! Credentials that this server has a record of: API keys, opaque tokens and client secrets.

use crate::accepted::Kinds;
use crate::basic::BasicCredentials;
use crate::builder::KEY_STORE;
use crate::clock::Now;
use crate::confirmation::Sender;
use crate::credential::unless_joined;
use crate::engine::Engine;
use crate::observer::Notes;
use crate::policy::{check_begun, check_not_expired};
use crate::principal::Principal;
use crate::record::{KeyKind, KeyRecord, KeyState};
use crate::rejection::Rejection;
use crate::revocation::Marks;
use crate::table::{MatchedKey, NativeKey};
use crate::thread::Thread;
use crate::unavailable::Unavailable;

impl Engine {
    pub(crate) fn admit_key(&self, key: &[u8], kinds: Kinds, sender: &Sender<'_>) -> Result<Principal, Rejection> {
        let table = self.api_keys.as_ref().ok_or(Rejection::CredentialNotAccepted)?;
        self.admit_found(key, table.find(key)?, kinds, sender)
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
            Some(Ok(found)) => return self.admit_found(token, found, kinds, sender),
            Some(Err(error)) => error.into(),
            None => Rejection::CredentialNotAccepted,
        };
        self.admit_unknown_token(token, kinds, sender, notes).unwrap_or(Err(unknown))
    }

    fn admit_found(
        &self,
        text: &[u8],
        key: MatchedKey<KeyRecord>,
        kinds: Kinds,
        sender: &Sender<'_>,
    ) -> Result<Principal, Rejection> {
        if !kinds.contains(key.record().kind().into()) {
            return Err(Rejection::UnknownApiKey);
        }
        self.admit_known(text, key, sender)
    }

    pub(crate) fn table_knows(&self, token: &[u8]) -> bool {
        self.api_keys.as_ref().is_some_and(|table| table.find(token).is_ok())
    }

    /// Whether a token begins like the table's own keys, or is a key of another table in tollgate's format.
    pub(crate) fn has_own_format(&self, token: &[u8]) -> bool {
        self.api_keys.as_ref().is_some_and(|table| table.format().claims(token)) || NativeKey::parse(token).is_ok()
    }

    /// At most two look-ups: the second reading is tried only if the first finds nothing.
    pub(crate) fn admit_basic(&self, credentials: &[u8], sender: &Sender<'_>) -> Result<Principal, Rejection> {
        let credentials =
            BasicCredentials::decode(credentials).map_err(|rejection| unless_joined(rejection, credentials))?;
        let mut verdict = Err(Rejection::UnknownClient);
        for (id, secret) in credentials.readings() {
            verdict = self.admit_client(id, secret, sender);
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
        sender: &Sender<'_>,
    ) -> Result<Principal, Rejection> {
        let credentials =
            BasicCredentials::decode(credentials).map_err(|rejection| unless_joined(rejection, credentials))?;
        match credentials.as_sent() {
            (key, b"") => self.admit_key(key, kinds, sender).map_err(Rejection::of_client),
            _ => Err(Rejection::MalformedBasic),
        }
    }

    pub(crate) fn admit_client(&self, id: &[u8], secret: &[u8], sender: &Sender<'_>) -> Result<Principal, Rejection> {
        let table = self.api_keys.as_ref().ok_or(Rejection::CredentialNotAccepted)?;
        let key = table.find(secret).map_err(|_| Rejection::UnknownClient)?;
        let record = key.record();
        if record.kind() != KeyKind::ClientSecret || record.client_id().map(str::as_bytes) != Some(id) {
            return Err(Rejection::UnknownClient);
        }
        self.admit_known(secret, key, sender).map_err(Rejection::of_client)
    }

    /// The checks for every record of the table. The address comes after the record: 403 is for a credential that is
    /// valid elsewhere. The sender of a bound token comes last, as for a JWT.
    fn admit_known(
        &self,
        text: &[u8],
        key: MatchedKey<KeyRecord>,
        sender: &Sender<'_>,
    ) -> Result<Principal, Rejection> {
        let (record, now) = (key.record(), sender.now);
        check_in_force(record, now)?;
        self.check_not_revoked(|| Marks { api_key: Some(record.id()), ..Marks::default() })?;
        record.check_address(sender.request.address)?;
        self.check_fresh_keys()?;
        if record.is_bound() || sender.is_dpop {
            Thread::with(|thread| record.confirmation().check(text, sender, thread))?;
        }
        if let Some(last_use) = &self.last_use
            && !sender.is_examiner
        {
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
