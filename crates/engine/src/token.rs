//! A verified token, as the caches and principals keep it.

mod fields;
mod text;

use std::sync;
use std::sync::atomic::Ordering;

use tollgate_jwt::base64url;
use tollgate_keys::{VerifiedJws, VerifyingKey};
use triomphe::{Arc, HeaderSlice};

use crate::clock::Now;
use crate::confirmation::Confirmation;
use crate::introspection::TokenDigest;
use crate::issuer::ConfiguredIssuer;
use crate::policy::Mapped;
use crate::revocation::Marks;
use crate::scopes::Scopes;
use crate::status_lists::StatusReference;
use crate::sync::AtomicU64;

pub(crate) use fields::FieldsBuffer;
use fields::{Field, Fields};
use text::Block;

/// A verified token: its facts, the generations under which it was last found valid, and its whole text. Clones share
/// them.
///
/// Only [`Token::new`] makes one, from the proof that the token is signed, and [`Token::of_answer`], from the issuer's
/// answer about an opaque token. Everything that a cache hit reads is in one allocation; the fields for a `Principal`
/// are in another. The text is wiped when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Token(Arc<HeaderSlice<Facts, [Block]>>);

struct Facts {
    times: Times,
    stamp: LastStamp,
    issuer: sync::Arc<ConfiguredIssuer>,
    /// The length of the text, and where in it the claims begin and end, in bytes.
    length: u32,
    payload_start: u32,
    payload_end: u32,
    /// `None` if no key has signed it: its issuer was asked.
    key: Option<VerifyingKey>,
    status: StatusReference,
    /// For how many seconds after `verified_at` its issuer's answer is used, if the issuer is asked.
    confirmed_seconds: u32,
    fields: Fields,
}

/// A token's times, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// When its signature was checked, or its issuer was asked.
    pub(crate) verified_at: i64,
    expires_at: i64,
    not_before: i64,
    issued_at: i64,
}

/// Stands for no time, in half the memory of an `Option`. It is the earliest number that can be parsed: no token
/// expires then, and a token that began or was issued then is treated as one without that time.
const ABSENT: i64 = i64::MIN;

/// The generations under which a token was last found valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    /// Of the key ring of the token's issuer.
    pub(crate) keys: u64,
    pub(crate) revocations: u64,
    /// Of the engine's issuers: while it is the same, the same issuer checks the token, by the same policy.
    pub(crate) issuers: u64,
}

/// A [`Stamp`] that threads change at any time. Each part is valid by itself, so parts of several stamps are valid
/// together.
struct LastStamp {
    keys: AtomicU64,
    revocations: AtomicU64,
    issuers: AtomicU64,
}

impl Token {
    /// Stores a verified token and the fields of its claims, which are assembled in `buffer`. `stamp` was read before
    /// the verification began.
    pub(crate) fn new(
        proof: &VerifiedJws<'_>,
        mapped: &Mapped<'_, '_>,
        buffer: &mut FieldsBuffer,
        issuer: &sync::Arc<ConfiguredIssuer>,
        status: StatusReference,
        verified_at: i64,
        stamp: Stamp,
    ) -> Self {
        let claims = mapped.claims.claims;
        let jws = proof.jws();
        let payload_start = jws.header().len() + 1;
        let facts = Facts {
            times: Times {
                verified_at,
                expires_at: claims.exp().unwrap_or(ABSENT),
                not_before: claims.nbf().unwrap_or(ABSENT),
                issued_at: claims.iat().unwrap_or(ABSENT),
            },
            stamp: LastStamp::new(stamp),
            issuer: issuer.clone(),
            // A header has at most 64 KiB.
            length: jws.token().len() as u32,
            payload_start: payload_start as u32,
            payload_end: (payload_start + jws.payload().len()) as u32,
            key: Some(proof.key().clone()),
            status,
            confirmed_seconds: 0,
            fields: Fields::collect(mapped, buffer),
        };
        Token(Arc::from_header_and_iter(facts, text::blocks(jws.token().as_bytes())))
    }

    /// Stores the issuer's answer about an opaque token, with `digest` in place of the token's text. `asked_at`: the
    /// time from which the answer's age is counted.
    pub(crate) fn of_answer(
        digest: &TokenDigest,
        json: &[u8],
        mapped: &Mapped<'_, '_>,
        buffer: &mut FieldsBuffer,
        issuer: &sync::Arc<ConfiguredIssuer>,
        asked_at: i64,
    ) -> Self {
        let claims = mapped.claims.claims;
        let digest = digest.as_bytes();
        let payload = base64url::encode(json);
        let facts = Facts {
            times: Times {
                verified_at: asked_at,
                expires_at: claims.exp().unwrap_or(ABSENT),
                not_before: claims.nbf().unwrap_or(ABSENT),
                issued_at: claims.iat().unwrap_or(ABSENT),
            },
            // No generation: the token is judged before it is accepted.
            stamp: LastStamp::new(Stamp { keys: u64::MAX, revocations: u64::MAX, issuers: u64::MAX }),
            issuer: issuer.clone(),
            // An answer has at most 64 KiB.
            length: (digest.len() + payload.len()) as u32,
            payload_start: digest.len() as u32,
            payload_end: (digest.len() + payload.len()) as u32,
            key: None,
            status: StatusReference::NONE,
            confirmed_seconds: 0,
            fields: Fields::collect(mapped, buffer),
        };
        Token(Arc::from_header_and_iter(facts, text::blocks(&[digest, payload.as_bytes()].concat())))
    }

    /// A copy in memory of its own, so that its reference count is shared with no other thread.
    pub(crate) fn copy(&self) -> Self {
        let facts = self.facts();
        let facts = Facts {
            stamp: LastStamp::new(self.stamp()),
            issuer: facts.issuer.clone(),
            key: facts.key.clone(),
            fields: facts.fields.clone(),
            ..*facts
        };
        Token(Arc::from_header_and_iter(facts, self.0.slice.iter().map(Block::copy)))
    }

    /// A copy in memory of its own, without the signature: the rest of the text is not a credential.
    pub(crate) fn without_signature(&self) -> Self {
        let facts = self.facts();
        let length = facts.payload_end as usize;
        let facts = Facts {
            stamp: LastStamp::new(self.stamp()),
            length: length as u32,
            issuer: facts.issuer.clone(),
            key: facts.key.clone(),
            fields: facts.fields.copy(),
            ..*facts
        };
        Token(Arc::from_header_and_iter(facts, text::blocks(&self.jws()[..length])))
    }

    /// The whole token, which is a credential. For an opaque token, its digest and the issuer's answer.
    pub(crate) fn jws(&self) -> &[u8] {
        &text::bytes(&self.0.slice)[..self.facts().length as usize]
    }

    pub(crate) fn times(&self) -> &Times {
        &self.facts().times
    }

    /// The generations under which it was last found valid.
    pub(crate) fn stamp(&self) -> Stamp {
        let LastStamp { keys, revocations, issuers } = &self.facts().stamp;
        Stamp {
            keys: keys.load(Ordering::Relaxed),
            revocations: revocations.load(Ordering::Relaxed),
            issuers: issuers.load(Ordering::Relaxed),
        }
    }

    /// Records that it was found valid under these generations.
    pub(crate) fn restamp(&self, stamp: Stamp) {
        let LastStamp { keys, revocations, issuers } = &self.facts().stamp;
        issuers.store(stamp.issuers, Ordering::Relaxed);
        keys.store(stamp.keys, Ordering::Relaxed);
        revocations.store(stamp.revocations, Ordering::Relaxed);
    }

    /// The key that verified it; `None` if its issuer was asked.
    pub(crate) fn key(&self) -> Option<&VerifyingKey> {
        self.facts().key.as_ref()
    }

    /// Whether its issuer's last answer is still used.
    pub(crate) fn is_confirmed(&self, now: Now) -> bool {
        now.latest.saturating_sub(self.times().verified_at) < i64::from(self.facts().confirmed_seconds)
    }

    /// Sets until when its issuer's answer is used, in seconds since the Unix epoch. For a token without clones.
    pub(crate) fn confirm_until(&mut self, until: i64) {
        if let Some(own) = Arc::get_mut(&mut self.0) {
            let seconds = until.saturating_sub(own.header.times.verified_at).max(0);
            own.header.confirmed_seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        }
    }

    /// The entry of a status list that it refers to.
    pub(crate) fn status(&self) -> StatusReference {
        self.facts().status
    }

    /// The engine's issuer that checked it.
    pub(crate) fn configured_issuer(&self) -> &sync::Arc<ConfiguredIssuer> {
        &self.facts().issuer
    }

    /// Its issuer: its `iss`, or its trust domain.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.facts().issuer.policy().issuer_of(self.iss())
    }

    /// Its `iss`, or the issuer that answered.
    pub(crate) fn iss(&self) -> Option<&str> {
        self.facts().fields.get(Field::Iss)
    }

    pub(crate) fn subject(&self) -> Option<&str> {
        self.facts().fields.get(Field::Subject)
    }

    pub(crate) fn client_id(&self) -> Option<&str> {
        self.facts().fields.get(Field::Client)
    }

    pub(crate) fn session(&self) -> Option<&str> {
        self.facts().fields.get(Field::Session)
    }

    pub(crate) fn jti(&self) -> Option<&str> {
        self.facts().fields.get(Field::Jti)
    }

    /// Whether it is bound to a key or certificate that its sender has to have.
    #[inline]
    pub(crate) fn is_bound(&self) -> bool {
        self.facts().fields.is_bound()
    }

    /// The key and certificate that its sender has to have.
    pub(crate) fn confirmation(&self) -> Confirmation<&str> {
        let fields = &self.facts().fields;
        Confirmation { certificate: fields.get(Field::Certificate), key: fields.get(Field::Key) }
    }

    pub(crate) fn audience(&self) -> impl Iterator<Item = &str> {
        self.facts().fields.audience()
    }

    pub(crate) fn scopes(&self) -> Scopes<'_> {
        self.facts().fields.scopes()
    }

    /// The base64url of the claims.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.jws()[self.facts().payload_start as usize..self.facts().payload_end as usize]
    }

    /// The names by which it can be revoked.
    pub(crate) fn marks(&self) -> Marks<'_> {
        Marks {
            issuer: self.issuer().unwrap_or_default(),
            jti: self.jti(),
            subject: self.subject(),
            session: self.session(),
            client: self.client_id(),
            api_key: None,
            issued_at: self.times().issued_at(),
        }
    }

    /// The memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let text = size_of_val(&self.0.slice);
        allocated(size_of::<usize>() + size_of::<Facts>() + text) + self.facts().fields.bytes()
    }

    fn facts(&self) -> &Facts {
        &self.0.header
    }
}

impl Times {
    pub(crate) fn expires_at(&self) -> Option<i64> {
        present(self.expires_at)
    }

    pub(crate) fn not_before(&self) -> Option<i64> {
        present(self.not_before)
    }

    pub(crate) fn issued_at(&self) -> Option<i64> {
        present(self.issued_at)
    }
}

fn present(time: i64) -> Option<i64> {
    (time != ABSENT).then_some(time)
}

impl LastStamp {
    fn new(Stamp { keys, revocations, issuers }: Stamp) -> Self {
        LastStamp {
            keys: AtomicU64::new(keys),
            revocations: AtomicU64::new(revocations),
            issuers: AtomicU64::new(issuers),
        }
    }
}

/// The memory that an allocator takes for `bytes`: that of glibc adds a word, and rounds up to a multiple of two words.
fn allocated(bytes: usize) -> usize {
    (bytes + 8).next_multiple_of(16).max(32)
}
