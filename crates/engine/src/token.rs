//! What is kept of a verified token.

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

/// A verified token: its facts, the generations under which it was last found good, and its whole text. Clones share them.
///
/// Only [`Token::new`] makes one, from the proof that the token is signed, and [`Token::of_answer`], from what the issuer of an
/// opaque one has answered. All that a cache hit reads is one allocation; the
/// fields that a `Principal` tells are another. When the last clone goes, the text is wiped.
#[derive(Clone)]
pub(crate) struct Token(Arc<HeaderSlice<Facts, [Block]>>);

struct Facts {
    times: Times,
    stamp: LastStamp,
    issuer: sync::Arc<ConfiguredIssuer>,
    /// The length of the text, in bytes, and where in it the claims begin and end.
    length: u32,
    payload_start: u32,
    payload_end: u32,
    /// None where no key has signed it: its issuer was asked.
    key: Option<VerifyingKey>,
    status: StatusReference,
    /// For how many seconds after it was verified its issuer vouches for it, where that is asked.
    vouched_seconds: u32,
    fields: Fields,
}

/// A token's times, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// When its signature was checked.
    pub(crate) verified_at: i64,
    expires_at: i64,
    not_before: i64,
    issued_at: i64,
}

/// The time that stands for none, in half the memory of an `Option`. The earliest that a number can be read as: no token
/// expires then, and begun or issued then is as good as at no time that is known.
const ABSENT: i64 = i64::MIN;

/// The generations under which a token was last found good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    /// Of the key ring of the token's issuer.
    pub(crate) keys: u64,
    pub(crate) revocations: u64,
    /// Of the engine's issuers: that the token's is still the one that checks it, and its policy the same.
    pub(crate) issuers: u64,
}

/// A [`Stamp`] that threads change at any time. Each part is true by itself, so that parts of several stamps are true
/// together.
struct LastStamp {
    keys: AtomicU64,
    revocations: AtomicU64,
    issuers: AtomicU64,
}

impl Token {
    /// Keeps a verified token and the fields in its claims, which are put together in `buffer`. `stamp` is from before the
    /// verification began.
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
            vouched_seconds: 0,
            fields: Fields::collect(mapped, buffer),
        };
        Token(Arc::from_header_and_iter(facts, text::blocks(jws.token().as_bytes())))
    }

    /// Keeps what its issuer said about an opaque token, of which `digest` is kept in place of the text. `asked_at`: from when on
    /// the answer's age is counted.
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
            // No generation: it is judged before it is good.
            stamp: LastStamp::new(Stamp { keys: u64::MAX, revocations: u64::MAX, issuers: u64::MAX }),
            issuer: issuer.clone(),
            // An answer has at most 64 KiB.
            length: (digest.len() + payload.len()) as u32,
            payload_start: digest.len() as u32,
            payload_end: (digest.len() + payload.len()) as u32,
            key: None,
            status: StatusReference::NONE,
            vouched_seconds: 0,
            fields: Fields::collect(mapped, buffer),
        };
        Token(Arc::from_header_and_iter(facts, text::blocks(&[digest, payload.as_bytes()].concat())))
    }

    /// The same in memory of its own, so that its references are counted where no other thread counts.
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

    /// The same in memory of its own, without the signature: what is left of the text is no credential.
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

    /// The whole token, which is a credential. Of an opaque one its digest and what is known of it.
    pub(crate) fn jws(&self) -> &[u8] {
        &text::bytes(&self.0.slice)[..self.facts().length as usize]
    }

    pub(crate) fn times(&self) -> &Times {
        &self.facts().times
    }

    /// Under which generations it was last found good.
    pub(crate) fn stamp(&self) -> Stamp {
        let LastStamp { keys, revocations, issuers } = &self.facts().stamp;
        Stamp {
            keys: keys.load(Ordering::Relaxed),
            revocations: revocations.load(Ordering::Relaxed),
            issuers: issuers.load(Ordering::Relaxed),
        }
    }

    /// Notes that it was found good under these generations.
    pub(crate) fn restamp(&self, stamp: Stamp) {
        let LastStamp { keys, revocations, issuers } = &self.facts().stamp;
        issuers.store(stamp.issuers, Ordering::Relaxed);
        keys.store(stamp.keys, Ordering::Relaxed);
        revocations.store(stamp.revocations, Ordering::Relaxed);
    }

    /// The key under which it verified; `None` where its issuer was asked.
    pub(crate) fn key(&self) -> Option<&VerifyingKey> {
        self.facts().key.as_ref()
    }

    /// Whether its issuer, which was asked, vouches for it now.
    pub(crate) fn is_vouched_for(&self, now: Now) -> bool {
        now.latest.saturating_sub(self.times().verified_at) < i64::from(self.facts().vouched_seconds)
    }

    /// Notes until when its issuer vouches for it, in seconds since the Unix epoch: of a token that nobody else has yet.
    pub(crate) fn vouch_until(&mut self, until: i64) {
        if let Some(own) = Arc::get_mut(&mut self.0) {
            let seconds = until.saturating_sub(own.header.times.verified_at).max(0);
            own.header.vouched_seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        }
    }

    /// Where its issuer says whether it is still valid.
    pub(crate) fn status(&self) -> StatusReference {
        self.facts().status
    }

    /// Which of the engine's issuers checked it.
    pub(crate) fn configured_issuer(&self) -> &sync::Arc<ConfiguredIssuer> {
        &self.facts().issuer
    }

    /// Who issued it: what `iss` says, or the trust domain that it is of.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.facts().issuer.policy().issuer_of(self.iss())
    }

    /// What `iss` says, or whose answer it is.
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

    /// Whether its sender has to have more than the token.
    #[inline]
    pub(crate) fn is_bound(&self) -> bool {
        self.facts().fields.is_bound()
    }

    /// What its sender has to have.
    pub(crate) fn confirmation(&self) -> Confirmation<'_> {
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

    /// By what it can be revoked.
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

/// What an allocator takes for `bytes`: that of glibc keeps a word beside them and hands out multiples of two words.
fn allocated(bytes: usize) -> usize {
    (bytes + 8).next_multiple_of(16).max(32)
}
