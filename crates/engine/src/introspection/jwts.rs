use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use tollgate_jwt::json;

use super::answer::{UnknownToken, inactive, not_asked};
use super::digest::Digester;
use super::rejected_tokens::RejectedTokens;
use super::{Introspector, TokenDigest};
use crate::builder::BuildError;
use crate::cache::Judgement;
use crate::clock::Now;
use crate::confirmation::Sender;
use crate::engine::Engine;
use crate::issuer::ConfiguredIssuer;
use crate::limits::REJECTED_JWTS;
use crate::observer::Notes;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::thread::Thread;
use crate::token::Token;

/// The introspector for an issuer's JWTs, and the seconds for which an answer is used.
#[derive(Clone)]
pub(crate) struct JwtIntrospector {
    pub(crate) introspector: Arc<dyn Introspector>,
    pub(crate) max_age: u32,
}

impl fmt::Debug for JwtIntrospector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtIntrospector").field("max_age", &self.max_age).finish_non_exhaustive()
    }
}

/// An issuer that is asked about each of its JWTs that is valid here, since only the issuer knows which it has revoked.
///
/// A cached token holds the time until which the last answer is used.
#[derive(Debug)]
pub(crate) struct JwtIntrospection {
    asked: JwtIntrospector,
    digester: Digester,
    rejected: RejectedTokens,
}

impl JwtIntrospection {
    pub(crate) fn new(asked: &JwtIntrospector) -> Result<Self, BuildError> {
        let digester = Digester::new().ok_or(BuildError::NoRandomness)?;
        Ok(JwtIntrospection { asked: asked.clone(), digester, rejected: RejectedTokens::new(REJECTED_JWTS) })
    }

    /// Checks the issuer's answer about a token that was just found valid here. A request without an answer is
    /// rejected.
    fn admit(
        &self,
        token: &mut Token,
        policy: &Policy,
        sender: &Sender<'_>,
        buffer: &mut json::Buffer,
    ) -> Result<(), Rejection> {
        let (now, digest) = (sender.now, self.digester.digest(token.jws()));
        let Some(answer) = sender.request.answer.filter(|answer| answer.digest == digest) else {
            return Err(self.unanswered(&digest, policy, now));
        };
        let asked_at = answer.asked_at(now);
        let agreement = match answer.read(policy.name(), buffer)? {
            None => Err(inactive(policy.name())),
            Some(claims) => policy.check_agreement(&claims, token, now).map(|()| claims.exp()),
        };
        match agreement {
            Ok(expires_at) => {
                let until = asked_at.saturating_add(self.asked.max_age.into());
                let expires_at = expires_at.into_iter().chain(token.times().expires_at()).min();
                token.confirm_until(expires_at.map_or(until, |expires_at| until.min(expires_at)));
                Ok(())
            }
            Err(rejection) => {
                self.rejected.remember(digest, asked_at, &rejection);
                Err(rejection)
            }
        }
    }

    /// The judgement of a cached token, or `None` while the last answer about it is used.
    pub(crate) fn judge(&self, token: &Token, policy: &Policy, sender: &Sender<'_>) -> Option<Judgement<Rejection>> {
        if token.is_confirmed(sender.now) {
            return None;
        }
        let digest = self.digester.digest(token.jws());
        let is_answered = sender.request.answer.is_some_and(|answer| answer.digest == digest);
        // The answer is stored in the token when it is verified again.
        Some(if is_answered {
            Judgement::Gone
        } else {
            Judgement::Rejected(self.unanswered(&digest, policy, sender.now))
        })
    }

    #[cold]
    fn unanswered(&self, digest: &TokenDigest, policy: &Policy, now: Now) -> Rejection {
        self.rejected.find(digest, now).unwrap_or_else(|| not_asked(policy.name()))
    }
}

/// Checks the issuer's answer about a token that was just found valid here, if its issuer is asked about tokens.
#[cold]
pub(crate) fn confirm(token: &mut Token, sender: &Sender<'_>, thread: &mut Thread) -> Result<(), Rejection> {
    let issuer = token.configured_issuer().clone();
    let introspection = issuer.withdrawals().and_then(|withdrawals| withdrawals.introspection.as_ref());
    introspection.map_or(Ok(()), |it| it.admit(token, issuer.policy(), sender, &mut thread.claims))
}

impl Engine {
    /// The JWT, if only the issuer's answer is missing for it to be accepted. Its signature has been verified then.
    pub(super) fn unconfirmed_jwt<'r>(&self, token: &'r str, sender: &Sender<'_>) -> Option<UnknownToken<'r>> {
        let deciding = Deciding::default();
        // Spends no proof, and reports no missing key: the verify before this has reported it.
        let verdict = Thread::with(|thread| {
            self.find_jws(token.as_bytes(), sender, thread, &mut None, &deciding as &dyn Notes).map(drop)
        });
        verdict.err()?.unasked_issuer()?;
        let issuer = deciding.0.into_inner()?;
        let introspection = issuer.withdrawals()?.introspection.as_ref()?;
        Some(UnknownToken {
            text: token,
            issuer: issuer.policy().name().clone(),
            introspector: introspection.asked.introspector.clone(),
            digest: introspection.digester.digest(token.as_bytes()),
        })
    }
}

/// The issuer that decides on a token.
#[derive(Default)]
struct Deciding(RefCell<Option<Arc<ConfiguredIssuer>>>);

impl Notes for Deciding {
    fn issuer(&self, issuer: &Arc<ConfiguredIssuer>) {
        *self.0.borrow_mut() = Some(issuer.clone());
    }
}
