use super::jwt::walk_sender;
use super::{Walk, at, list, quoted};
use crate::accepted::Kinds;
use crate::basic::BasicCredentials;
use crate::confirmation::{Confirmation, Sender};
use crate::credential::unless_joined;
use crate::engine::Engine;
use crate::policy::{check_begun, check_not_expired};
use crate::principal::PrincipalKind;
use crate::record::{KeyKind, KeyRecord, KeyState};
use crate::rejection::Rejection;
use crate::revocation::Marks;
use crate::table::MatchedKey;

impl Engine {
    pub(super) fn walk_key(
        &self,
        walk: &mut Walk<'_>,
        key: &[u8],
        kinds: Kinds,
        sender: &Sender<'_>,
    ) -> Result<(), Rejection> {
        let found = self.find_known(key);
        let found = walk.check("table", found, |found| match found {
            Ok(key) => described(key.record()),
            Err(rejection) => rejection.to_string(),
        })?;
        self.walk_found(walk, &found, kinds, sender)
    }

    pub(super) fn walk_opaque(
        &self,
        walk: &mut Walk<'_>,
        token: &[u8],
        kinds: Kinds,
        sender: &Sender<'_>,
    ) -> Result<(), Rejection> {
        let unknown = match self.find_known(token) {
            Ok(key) => {
                walk.pass("table", described(key.record()));
                return self.walk_found(walk, &key, kinds, sender);
            }
            Err(unknown) => unknown,
        };
        let Some((_, issuer)) = self.asked_issuer(token, kinds) else {
            return walk.check("table", Err(unknown), |found: Result<&(), &Rejection>| {
                let why = found.err().map(ToString::to_string).unwrap_or_default();
                format!("{why}; and no issuer is configured to be asked about it")
            });
        };
        walk.note("table", "this server holds no record of it");
        walk.pass("issuer", format_args!("by what it begins with it is of {}", quoted(issuer.name())));
        if walk.has_passed("introspection") {
            walk.pass("introspection", "its issuer was asked, and says that it is active");
            if let Ok(principal) = walk.verdict {
                walk.pass("aud", format_args!("is {}, which is expected", list(principal.audience().map(quoted))));
                if let Some(exp) = principal.expires_at() {
                    walk.pass("exp", format_args!("expires at {}", at(exp, sender.now.latest)));
                }
                walk.pass("revocations", "none concerns it");
            }
        }
        Ok(())
    }

    pub(super) fn walk_basic(
        &self,
        walk: &mut Walk<'_>,
        credentials: &[u8],
        sender: &Sender<'_>,
    ) -> Result<(), Rejection> {
        let decoded = BasicCredentials::decode(credentials).map_err(|rejection| unless_joined(rejection, credentials));
        let decoded = walk.check("basic", decoded, |decoded| match decoded {
            Ok(_) => "base64 of id:secret".to_owned(),
            Err(rejection) => rejection.to_string(),
        })?;
        let readings: Vec<_> = decoded.readings().collect();
        self.walk_client(walk, &readings, sender)
    }

    /// The steps of `Engine::admit_basic_user`, in its order.
    pub(super) fn walk_basic_user(
        &self,
        walk: &mut Walk<'_>,
        credentials: &[u8],
        kinds: Kinds,
        sender: &Sender<'_>,
    ) -> Result<(), Rejection> {
        let decoded = BasicCredentials::decode(credentials).map_err(|rejection| unless_joined(rejection, credentials));
        let decoded = decoded.and_then(|credentials| match credentials.as_sent().1 {
            b"" => Ok(credentials),
            _ => Err(Rejection::MalformedBasic),
        });
        let decoded = walk.check("basic", decoded, |decoded| match decoded {
            Ok(_) => "base64 of a key and a colon, without a password".to_owned(),
            Err(rejection) => format!("{rejection}; a key is expected, and no password"),
        })?;
        self.walk_key(walk, decoded.as_sent().0, kinds, sender).map_err(Rejection::of_client)
    }

    /// `readings`: ids and secrets, in the order in which they are tried.
    pub(super) fn walk_client(
        &self,
        walk: &mut Walk<'_>,
        readings: &[(&[u8], &[u8])],
        sender: &Sender<'_>,
    ) -> Result<(), Rejection> {
        let is_it = |key: &MatchedKey<KeyRecord>, id: &[u8]| {
            key.record().kind() == KeyKind::ClientSecret && key.record().client_id().map(str::as_bytes) == Some(id)
        };
        let mut found = Err(Rejection::UnknownClient);
        let mut said = String::new();
        for (id, secret) in readings {
            let name = quoted(&String::from_utf8_lossy(id));
            match self.find_known(secret) {
                Ok(key) if is_it(&key, id) => {
                    said = described(key.record());
                    found = Ok(key);
                    break;
                }
                Ok(key) => {
                    said = format!("the secret is not that of the client {name}; it is of {}", described(key.record()));
                }
                Err(Rejection::CredentialNotAccepted) => found = Err(Rejection::CredentialNotAccepted),
                Err(_) => said = format!("no secret of the client {name} is like this one"),
            }
        }
        let key = walk.check("table", found, |_| said)?;
        self.walk_record(walk, &key, sender).map_err(Rejection::of_client)
    }

    fn find_known(&self, text: &[u8]) -> Result<MatchedKey<KeyRecord>, Rejection> {
        Ok(self.api_keys.as_ref().ok_or(Rejection::CredentialNotAccepted)?.find(text)?)
    }

    fn walk_found(
        &self,
        walk: &mut Walk<'_>,
        key: &MatchedKey<KeyRecord>,
        kinds: Kinds,
        sender: &Sender<'_>,
    ) -> Result<(), Rejection> {
        let kind = PrincipalKind::from(key.record().kind());
        let accepted = if kinds.contains(kind) { Ok(()) } else { Err(Rejection::UnknownApiKey) };
        walk.check("kind", accepted, |accepted| match accepted {
            Ok(()) => format!("{} may be sent in this way", kind.as_str()),
            Err(_) => format!("{} may not be sent in this way", kind.as_str()),
        })?;
        self.walk_record(walk, key, sender)
    }

    /// The steps of `Engine::admit_known`, in its order.
    fn walk_record(
        &self,
        walk: &mut Walk<'_>,
        key: &MatchedKey<KeyRecord>,
        sender: &Sender<'_>,
    ) -> Result<(), Rejection> {
        let (record, now) = (key.record(), sender.now);
        let state = match record.state() {
            KeyState::Active => Ok(()),
            KeyState::Disabled => Err(Rejection::Disabled),
            KeyState::Revoked => Err(Rejection::Revoked),
        };
        walk.check("state", state, |_| record.state().as_str().to_owned())?;
        if let Some(begin) = record.not_before() {
            walk.check("nbf", check_begun(begin, 0, now.earliest), |_| {
                format!("begins at {}", at(begin, now.earliest))
            })?;
        }
        match record.expires_at() {
            Some(end) => walk.check("exp", check_not_expired(end, 0, now.latest), |_| {
                format!("expires at {}", at(end, now.latest))
            })?,
            None => walk.note("exp", "never expires"),
        }
        let revoked = self.check_not_revoked(|| Marks { api_key: Some(record.id()), ..Marks::default() });
        walk.check("revocations", revoked, |_| format!("looked up by its id, {}", quoted(record.id())))?;
        if !record.allowed_addresses().is_empty() {
            walk.check("address", record.check_address(sender.request.address), |_| {
                let client =
                    sender.request.address.map_or_else(|| "not known".to_owned(), |address| address.to_string());
                format!("the client's address is {client}; allowed: {}", list(record.allowed_addresses()))
            })?;
        }
        if self.require_fresh_api_keys {
            walk.check("freshness", self.check_fresh_keys(), |checked| match checked {
                Ok(()) => "the store is followed".to_owned(),
                Err(rejection) => rejection.to_string(),
            })?;
        }
        let confirmation = record.confirmation();
        if confirmation != Confirmation::default() && walk.has_passed("sender") {
            walk_sender(walk, &confirmation);
        }
        Ok(())
    }
}

fn described(record: &KeyRecord) -> String {
    let kind = PrincipalKind::from(record.kind()).as_str();
    let scopes = list(record.scopes().iter().map(quoted));
    format!("{kind} {}, subject {}, scopes {scopes}", quoted(record.id()), quoted(record.subject()))
}
