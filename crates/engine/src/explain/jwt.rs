use tollgate_jwt::Header;
use tollgate_keys::{Algorithm, KeySet, VerifyError, VerifyingKey};

use super::{Walk, list, quoted};
use crate::confirmation::{Confirmation, Sender};
use crate::credential::unless_joined;
use crate::engine::Engine;
use crate::issuer::{IssuerSet, Withdrawals};
use crate::rejection::Rejection;
use crate::status_lists::StatusReference;
use crate::thread::Thread;
use crate::token::{Stamp, Token};

impl Engine {
    pub(super) fn walk_jws(&self, walk: &mut Walk<'_>, token: &[u8], sender: &Sender<'_>) -> Result<(), Rejection> {
        let walked = self.walk_parts(walk, token, sender);
        let Err(rejection @ (Rejection::Token(_) | Rejection::MalformedSignature)) = walked else { return walked };
        let told = unless_joined(rejection.clone(), token);
        if told != rejection {
            walk.doubt_last();
            walk.fail("credential", &told);
        }
        Err(told)
    }

    /// The steps of `Engine::verify_jws`, in its order.
    fn walk_parts(&self, walk: &mut Walk<'_>, token: &[u8], sender: &Sender<'_>) -> Result<(), Rejection> {
        let now = sender.now;
        // Not this thread's own state, which has the cache in it. The signature is wiped on drop.
        let mut thread = Thread::default();
        let issuers = self.issuers.load();
        let jws = walk.check("parts", self.split(token), |jws| match jws {
            Ok(jws) => {
                let [header, payload, signature] = [jws.header(), jws.payload(), jws.signature()].map(str::len);
                format!("three: header {header}, payload {payload}, signature {signature} characters")
            }
            Err(rejection) => {
                let dots = token.iter().filter(|byte| **byte == b'.').count();
                format!("{rejection}; {dots} dots in {} bytes, and a JWT has two", token.len())
            }
        })?;
        let header = thread.headers.decode(&jws).map_err(Into::into);
        let header = walk.check("header", header, |header| match header {
            Ok(header) => described(header),
            Err(rejection) => rejection.to_string(),
        })?;
        let algorithm = Algorithm::from_name(header.alg()).ok_or(Rejection::AlgorithmNotAllowed);
        let algorithm = walk.check("alg", algorithm, |algorithm| match algorithm {
            Ok(algorithm) => format!("{} is an algorithm of this build", algorithm.name()),
            Err(_) => format!("{} is no algorithm of this build", quoted(header.alg())),
        })?;
        let claims = jws.decode_claims_within(issuers.limits(), &mut thread.claims).map_err(Into::into);
        let claims = walk.check("payload", claims, |claims| match claims {
            Ok(claims) => format!("members: {}", list(claims.root().iter().map(|(name, _)| quoted(name)))),
            Err(rejection) => rejection.to_string(),
        })?;
        let issuer = walk.check("issuer", issuers.find(&header, &claims), |found| {
            let iss = claims.iss().map_or_else(|| "absent".into(), quoted);
            match found {
                Ok(issuer) if claims.iss() == Some(issuer.policy().issuer()) => {
                    format!("iss is {iss}, which is configured")
                }
                Ok(issuer) if issuer.policy().is_of_trust_domain() => {
                    let sub = claims.sub().map_or_else(|| "absent".into(), quoted);
                    format!("sub is {sub}, of the trust domain {}", issuer.policy().issuer())
                }
                Ok(issuer) => format!("iss is {iss}, of the template {}", quoted(issuer.policy().issuer())),
                Err(rejection @ Rejection::UnknownIssuer { .. }) => {
                    format!("{rejection}; {}", configured(&issuers, claims.iss().unwrap_or_default()))
                }
                Err(rejection) => format!("iss is {iss}: {rejection}"),
            }
        })?;
        let mapped = issuer.policy().explain(walk, algorithm, &header, &claims, issuers.limits(), now)?;
        let presented = mapped.confirmation.check_presented(sender);
        walk.check("binding", presented, |presented| match presented {
            Ok(()) => bound(&mapped.confirmation).to_owned(),
            Err(rejection) => format!("{}; {rejection}", bound(&mapped.confirmation)),
        })?;
        let keys = issuer.key_ring().load();
        let iss = issuer.policy().issuer_of(claims.iss()).unwrap_or_default();
        let admits = |key: &VerifyingKey| issuer.policy().admits_key(key, iss);
        let verified = thread.signature.with(|memory| keys.verify_if(&jws, &header, memory, admits));
        let rejected = |error| match error {
            VerifyError::KeyNotAdmitted => Rejection::key_not_admitted(&keys, algorithm, header.kid(), iss),
            error => Rejection::unverified(error, &header),
        };
        let (chosen, verified) = match verified {
            Ok(proof) => (Ok(Some(proof.key())), Ok(proof)),
            Err(VerifyError::MalformedSignature | VerifyError::BadSignature | VerifyError::NoKeyVerifies { .. }) => {
                let named = keys.iter().find(|key| key.algorithm() == algorithm && key.kid() == header.kid());
                (Ok(named.filter(|_| header.kid().is_some())), verified.map_err(rejected))
            }
            Err(error) => (Err(rejected(error)), Err(rejected(error))),
        };
        walk.check("key", chosen, |chosen| match chosen {
            Ok(Some(key)) => choice(&header, key, &keys),
            Ok(None) => format!("no key is named, so that those of {} are tried; {}", algorithm.name(), of_set(&keys)),
            Err(rejection) => format!("{rejection}; {}", of_set(&keys)),
        })?;
        let proof = walk.check("signature", verified, |verified| match verified {
            Ok(_) => format!("{} over {} bytes verifies", algorithm.name(), jws.signing_input().len()),
            Err(rejection) => {
                format!("{rejection}; {} over {} bytes", algorithm.name(), jws.signing_input().len())
            }
        })?;
        let (withdrawals, name) = (issuer.withdrawals(), issuer.policy().name());
        let lists = withdrawals.and_then(|withdrawals| withdrawals.status_lists.as_ref());
        let status = lists.map_or(Ok(StatusReference::NONE), |lists| lists.refer(&mapped.claims, name, now));
        let status = match status {
            Ok(status) => status,
            Err(rejection) => walk.check("status-list", Err(rejection), |status| text(&status))?,
        };
        let stamp = Stamp {
            keys: keys.generation(),
            revocations: self.revocations.generation(),
            issuers: issuers.generation(),
        };
        let token = Token::new(&proof, &mapped, &mut thread.fields, issuer, status, now.earliest, stamp);
        walk.check("revocations", self.check_not_revoked(|| token.marks()), |_| {
            let session = token.session().map(|_| "session");
            let names = [Some("iss"), token.subject().map(|_| "subject"), token.client_id().map(|_| "client"), session];
            let names = names.into_iter().chain([token.jti().map(|_| "jti")]).flatten();
            format!("looked up by {}, and by when it was issued", list(names))
        })?;
        if let Some(lists) = lists {
            walk.check("status-list", lists.check(status, name, now), |checked| match checked {
                Ok(()) => {
                    "the token's entry in its issuer's list says that it is valid, or it refers to none".to_owned()
                }
                Err(rejection) => rejection.to_string(),
            })?;
        }
        walk.check("freshness", issuer.policy().check_fresh(&self.revocations), |checked| match checked {
            Ok(()) => "what is known of revocations is as fresh as the issuer requires".to_owned(),
            Err(rejection) => rejection.to_string(),
        })?;
        if walk.has_passed("validators") {
            let asks = matches!(withdrawals, Some(Withdrawals { introspection: Some(_), .. }));
            if asks && walk.has_passed("introspection") {
                walk.pass("introspection", "its issuer was asked, and says that it is active");
            }
            if (!asks || walk.has_passed("introspection")) && walk.has_passed("sender") {
                walk_sender(walk, &mapped.confirmation);
            }
        }
        Ok(())
    }
}

fn text<T>(checked: &Result<T, &Rejection>) -> String {
    checked.as_ref().err().map(ToString::to_string).unwrap_or_default()
}

/// The sender of the request has the key or certificate that the token is bound to, if any.
pub(super) fn walk_sender<T>(walk: &mut Walk<'_>, confirmation: &Confirmation<T>) {
    match (&confirmation.certificate, &confirmation.key) {
        (None, None) => walk.note("sender", "the token is bound to nobody: whoever holds it may use it"),
        (Some(_), None) => walk.pass("sender", "the client's certificate has the SHA-256 that cnf names"),
        (None, Some(_)) => {
            walk.pass("sender", "the proof is signed by the key that cnf names, for this request and this token");
        }
        (Some(_), Some(_)) => {
            walk.pass("sender", "the client's certificate and the key of the proof are those that cnf names");
        }
    }
}

fn bound(confirmation: &Confirmation<&str>) -> &'static str {
    match (confirmation.certificate, confirmation.key) {
        (None, None) => "the token is bound to nobody",
        (Some(_), None) => "the token is bound to a client certificate (x5t#S256)",
        (None, Some(_)) => "the token is bound to a key (jkt)",
        (Some(_), Some(_)) => "the token is bound to a client certificate (x5t#S256) and to a key (jkt)",
    }
}

fn described(header: &Header<'_>) -> String {
    let names = header.certificate();
    let of_certificate = match (names.x5t.is_some(), names.x5t_sha256.is_some()) {
        (false, false) => "",
        (true, _) => ", x5t",
        (false, true) => ", x5t#S256",
    };
    let [typ, kid] = [header.typ(), header.kid()].map(|text| text.map_or_else(|| "absent".into(), quoted));
    format!("alg {}, typ {typ}, kid {kid}{of_certificate}", quoted(header.alg()))
}

/// Why this key was chosen.
fn choice(header: &Header<'_>, key: &VerifyingKey, keys: &KeySet) -> String {
    let chosen = match (header.kid(), key.kid()) {
        (Some(kid), Some(own)) if kid == own => format!("kid {} names it", quoted(kid)),
        (Some(kid), _) => format!("no key has the kid {}, and a key without kid verifies", quoted(kid)),
        (None, _) => "the header has no kid, and this key verifies, or its x5t names it".to_owned(),
    };
    format!("{} for {}: {chosen}; {}", described_key(key), key.algorithm().name(), of_set(keys))
}

fn described_key(key: &VerifyingKey) -> String {
    key.kid().map_or_else(|| "a key without kid".to_owned(), |kid| format!("the key {}", quoted(kid)))
}

fn of_set(keys: &KeySet) -> String {
    let each = keys.iter().map(|key| {
        let kid = key.kid().map_or_else(|| "no kid".into(), quoted);
        format!("{kid} ({})", key.algorithm().name())
    });
    format!("the issuer's keys: {}", list(each))
}

/// The configured issuers, or the one that was probably meant.
fn configured(issuers: &IssuerSet, iss: &str) -> String {
    let plain = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        let name = name.strip_prefix("http://").or_else(|| name.strip_prefix("https://")).unwrap_or(&name).to_owned();
        name.trim_end_matches('/').to_owned()
    };
    match issuers.names().find(|name| plain(name) == plain(iss)) {
        Some(near) => format!("{} is configured, and names are compared byte for byte", quoted(near)),
        None => format!("configured: {}", list(issuers.names().map(quoted))),
    }
}
