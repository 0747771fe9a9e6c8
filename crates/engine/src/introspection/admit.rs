use std::sync::Arc;

use super::answer::{inactive, not_asked};
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

impl Engine {
    /// The token of a request that an issuer has to be asked about: an opaque one that the engine does not know, of an
    /// [`OpaqueIssuer`](crate::OpaqueIssuer); or a JWT that is valid here, of an issuer that has to
    /// [confirm](crate::Issuer::introspect) it. For callers that can ask: they pass the answer in with
    /// [`Request::introspected`](crate::Request::introspected).
    ///
    /// Never a bare key, a token that begins like the engine's own keys, or a token in its table; and never a JWT that
    /// is rejected for any reason but the missing answer.
    #[must_use]
    pub fn unknown_token<'r>(&self, request: &Request<'r>) -> Option<UnknownToken<'r>> {
        self.find_unknown_token(request, self.clock.now())
    }

    /// [`Engine::unknown_token`] at a given time: `now`, in seconds since the Unix epoch.
    #[must_use]
    pub fn unknown_token_at<'r>(&self, request: &Request<'r>, now: i64) -> Option<UnknownToken<'r>> {
        self.find_unknown_token(request, now.into())
    }

    fn find_unknown_token<'r>(&self, request: &Request<'r>, now: Now) -> Option<UnknownToken<'r>> {
        let (credential, kinds) = self.credential(request).ok()?;
        let text = std::str::from_utf8(credential.text).ok()?;
        match credential.kind {
            CredentialKind::Jws => self.unconfirmed_jwt(text, &self.sender(request, credential.is_dpop, now)),
            CredentialKind::OpaqueToken if !self.table_knows(credential.text) => {
                let (introspection, issuer) = self.asked_issuer(credential.text, kinds)?;
                Some(UnknownToken {
                    text,
                    issuer: issuer.name().clone(),
                    introspector: issuer.introspector().clone(),
                    digest: introspection.digester.digest(credential.text),
                })
            }
            _ => None,
        }
    }

    /// Verifies a token that is in no table here. `None` if there is no issuer to ask about it.
    pub(crate) fn admit_unknown_token<N: Notes + ?Sized>(
        &self,
        token: &[u8],
        kinds: Kinds,
        sender: &Sender<'_>,
        notes: &N,
    ) -> Option<Result<Principal, Rejection>> {
        let now = sender.now;
        let (introspection, issuer) = self.asked_issuer(token, kinds)?;
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
                None => Err(introspection.rejected.find(&digest, now).unwrap_or_else(|| not_asked(issuer.name()))),
            },
        };
        let admitted = verdict.and_then(|verified| {
            // As for a JWT: each request has to show that its sender has the key or certificate.
            if verified.is_bound() || sender.is_dpop {
                let confirmation = verified.confirmation().decoded()?;
                Thread::with(|thread| confirmation.check(token, sender, thread))?;
            }
            Ok(Principal::from_token(verified))
        });
        Some(admitted.inspect_err(|_| notes.issuer(issuer.configured())))
    }

    /// Accepts the issuer's answer as far as its policy allows, and caches it.
    fn admit_answer(
        &self,
        introspection: &Introspection,
        issuer: &AskedIssuer,
        answer: &IntrospectionAnswer,
        now: Now,
    ) -> Result<Token, Rejection> {
        let IntrospectionAnswer { digest, response } = answer;
        let asked_at = answer.asked_at(now);
        let checked = Thread::with(|thread| {
            let Some(claims) = answer.read(issuer.name(), &mut thread.claims)? else {
                return Ok(Err(inactive(issuer.name())));
            };
            let mapped = match issuer.policy().check_answer(&claims, now) {
                Ok(mapped) => mapped,
                Err(rejection) => return Ok(Err(rejection)),
            };
            let configured = issuer.configured();
            let token = Token::of_answer(digest, &response.json, &mapped, &mut thread.fields, configured, asked_at);
            Ok::<_, Rejection>(Ok(token))
        })?;
        let token = match checked {
            Ok(token) => token,
            Err(rejection) => {
                introspection.rejected.remember(*digest, asked_at, &rejection);
                return Err(rejection);
            }
        };
        // The cache holds facts: whether the token is revoked here is checked now and on every hit.
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

    /// Checks everything that can have changed since the answer: the time, and the revocations here.
    fn judge_facts(&self, issuer: &AskedIssuer, token: &Token, now: Now) -> Result<(), Rejection> {
        let (times, stamp) = (token.times(), token.stamp());
        issuer.policy().check_time(times.expires_at(), times.not_before(), now)?;
        let revocations = self.revocations.generation();
        if stamp.revocations != revocations {
            self.check_not_revoked(|| token.marks())?;
            issuer.policy().check_fresh(&self.revocations)?;
            token.restamp(Stamp { revocations, ..stamp });
        }
        Ok(())
    }

    /// The issuer to ask about a token that was sent with `Bearer` and is in no table.
    pub(crate) fn asked_issuer(&self, token: &[u8], kinds: Kinds) -> Option<(&Introspection, &Arc<AskedIssuer>)> {
        let introspection = self.introspection.as_ref()?;
        if !kinds.contains(PrincipalKind::AccessToken) || self.has_own_format(token) {
            return None;
        }
        Some((introspection, introspection.issuer_of(token)?))
    }
}

impl Token {
    fn is_of(&self, digest: &TokenDigest) -> bool {
        self.jws().starts_with(digest.as_bytes())
    }
}
