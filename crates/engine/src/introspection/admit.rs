use std::sync::Arc;

use tollgate_jwt::json::Value;
use tollgate_jwt::{ClaimLimits, Claims};

use super::asked_issuer::AskedIssuer;
use super::{Introspection, IntrospectionAnswer, TokenDigest, UnknownToken};
use crate::accepted::Kinds;
use crate::cache::{Judgement, Tag};
use crate::clock::Now;
use crate::confirmation::Sender;
use crate::credential::CredentialKind;
use crate::engine::Engine;
use crate::observer::Notes;
use crate::principal::{Principal, PrincipalKind};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::thread::Thread;
use crate::token::{Stamp, Token};
use crate::unavailable::Unavailable;

impl Engine {
    /// The opaque token of a request, where nobody here knows it and an [`OpaqueIssuer`](crate::OpaqueIssuer) is to be asked
    /// about it. For callers that can ask: the answer is handed in with
    /// [`Request::introspected`](crate::Request::introspected).
    ///
    /// Never a bare key, nor one that begins as the engine's own keys do, nor one that its table knows.
    #[must_use]
    pub fn unknown_token<'r>(&self, request: &Request<'r>) -> Option<UnknownToken<'r>> {
        let (credential, kinds) = self.credential(request).ok()?;
        if !matches!(credential.kind, CredentialKind::OpaqueToken) || self.table_knows(credential.text) {
            return None;
        }
        let (introspection, issuer) = self.asked_issuer(credential.text, kinds)?;
        let text = std::str::from_utf8(credential.text).ok()?;
        let digest = introspection.digester.digest(credential.text);
        Some(UnknownToken { text, issuer: Arc::clone(issuer), digest })
    }

    /// A token that is in no table here; `None` where nobody is to be asked about it.
    pub(crate) fn admit_unknown_token<N: Notes + ?Sized>(
        &self,
        token: &[u8],
        kinds: Kinds,
        sender: &Sender<'_>,
        notes: &N,
    ) -> Option<Result<Principal, Rejection>> {
        let now = sender.now;
        let (introspection, issuer) = self.asked_issuer(token, kinds)?;
        notes.issuer(issuer.configured());
        let digest = introspection.digester.digest(token);
        let is_it = |known: &Token| known.is_of(&digest);
        let judge = |known: &Token| self.judge_answer(issuer, known, now);
        let tag = Tag::of_digest(&digest);
        let known = Thread::with(|thread| {
            introspection.answers.find_tagged(&mut thread.fronts, tag, now.earliest, is_it, judge)
        });
        let verdict = match known {
            Some(judged) => {
                notes.cache_hit();
                judged
            }
            None => match sender.request.answer.filter(|answer| answer.digest == digest) {
                Some(answer) => self.admit_answer(introspection, issuer, answer, now),
                None => Err(introspection.rejected.find(&digest, now).unwrap_or_else(|| issuer.not_asked())),
            },
        };
        Some(verdict.and_then(|verified| {
            // As for a JWT: that its sender has what it is bound to is for each request to show.
            if verified.is_bound() || sender.is_dpop {
                Thread::with(|thread| verified.confirmation().check(token, sender, thread))?;
            }
            Ok(Principal::from_token(verified))
        }))
    }

    /// Takes the issuer's word, as far as its policy allows, and keeps it.
    fn admit_answer(
        &self,
        introspection: &Introspection,
        issuer: &AskedIssuer,
        answer: &IntrospectionAnswer,
        now: Now,
    ) -> Result<Token, Rejection> {
        let IntrospectionAnswer { digest, response } = answer;
        // Up, so that an answer never serves for longer.
        let age = i64::try_from(response.asked_at.elapsed().as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        let asked_at = now.earliest.saturating_sub(age);
        let checked = Thread::with(|thread| {
            let claims = Claims::of_json(&response.json, &ClaimLimits::default(), &mut thread.claims);
            // What cannot be read is no answer, and nothing follows from it for the token.
            let claims = claims.map_err(|error| issuer.no_answer(error))?;
            match claims.get("active") {
                Some(Value::Bool(true)) => {}
                Some(Value::Bool(false)) => return Ok(Err(issuer.inactive())),
                _ => return Err(issuer.no_answer("active is neither true nor false")),
            }
            let mapped = match issuer.policy().check_answer(&claims, now) {
                Ok(mapped) => mapped,
                Err(rejection) => return Ok(Err(rejection)),
            };
            let configured = issuer.configured();
            Ok(Ok(Token::of_answer(digest, &response.json, &mapped, &mut thread.fields, configured, asked_at)))
        })?;
        let token = match checked {
            Ok(token) => token,
            Err(rejection) => {
                introspection.rejected.remember(*digest, asked_at, &rejection);
                return Err(rejection);
            }
        };
        // Facts: that it may be revoked here is judged now and on every hit.
        introspection.answers.insert_tagged(Tag::of_digest(digest), &token);
        self.judge_facts(issuer, &token, now)?;
        Ok(token)
    }

    fn judge_answer(&self, issuer: &AskedIssuer, token: &Token, now: Now) -> Judgement<Rejection> {
        let asked_at = token.times().verified_at;
        if now.earliest < asked_at || now.latest.saturating_sub(asked_at) >= issuer.max_age() {
            return Judgement::Gone;
        }
        match self.judge_facts(issuer, token, now) {
            Ok(()) => Judgement::Good,
            Err(rejection) => Judgement::Rejected(rejection),
        }
    }

    /// What can have changed since the answer: the time, and what is revoked here.
    fn judge_facts(&self, issuer: &AskedIssuer, token: &Token, now: Now) -> Result<(), Rejection> {
        let (times, stamp) = (token.times(), token.stamp());
        issuer.policy().check_time(times.expires_at(), times.not_before(), now)?;
        let revocations = self.revocations.generation();
        if stamp.revocations != revocations {
            self.check_not_revoked(|| token.marks())?;
            token.restamp(Stamp { revocations, ..stamp });
        }
        Ok(())
    }

    /// Who is to be asked about a token that no table knows, which was sent with `Bearer`.
    fn asked_issuer(&self, token: &[u8], kinds: Kinds) -> Option<(&Introspection, &Arc<AskedIssuer>)> {
        let introspection = self.introspection.as_ref()?;
        if !kinds.contains(PrincipalKind::AccessToken) || self.is_of_our_making(token) {
            return None;
        }
        Some((introspection, introspection.issuer_of(token)?))
    }
}

impl AskedIssuer {
    #[cold]
    fn not_asked(&self) -> Rejection {
        Unavailable::NotAsked { issuer: self.name().clone() }.into()
    }

    #[cold]
    fn no_answer(&self, reason: impl std::fmt::Display) -> Rejection {
        Unavailable::no_answer(self.name().clone(), reason).into()
    }

    #[cold]
    fn inactive(&self) -> Rejection {
        Rejection::InactiveToken { issuer: self.name().clone() }
    }
}

impl Token {
    fn is_of(&self, digest: &TokenDigest) -> bool {
        self.jws().starts_with(digest.as_bytes())
    }
}
