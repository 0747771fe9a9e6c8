use std::sync::Arc;

use tollgate_keys::{VerifiedJws, VerifyingKey};
use zeroize::{Zeroize, optimization_barrier};

use crate::policy::Mapped;
use crate::revocation::Marks;
use crate::scopes::Scopes;

/// What is kept of a verified token: its facts and its text, in one string. At the end the signature is wiped, without
/// which the rest is no credential.
///
/// Only [`TokenText::collect`] makes one, from the proof that the token is signed.
///
/// In this order, so that what every hit looks at is in the cache line of the reference count.
#[repr(C)]
pub(crate) struct Token {
    times: Times,
    issuer_index: usize,
    key: VerifyingKey,
    /// The fields one after the other; at the end the token as it was sent. Whoever shares it lets go of it before the
    /// token, which wipes it.
    text: Arc<str>,
    issuer: Option<Span>,
    subject: Option<Span>,
    session: Option<Span>,
    /// Each entry followed by U+0000, which no entry holds.
    audience: Span,
    /// Each followed by a space, which no scope-token holds.
    scopes: Span,
    client_id: Option<Span>,
    jti: Option<Span>,
    jws: Span,
    payload: Span,
}

/// A token's times, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Times {
    /// When its signature was checked.
    pub(crate) verified_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) not_before: Option<i64>,
    pub(crate) issued_at: Option<i64>,
}

/// A part of a [`Token`]'s text, in bytes. A header of at most 64 KiB cannot overflow it.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

impl Token {
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.map(|span| self.part(span))
    }

    pub(crate) fn subject(&self) -> Option<&str> {
        self.subject.map(|span| self.part(span))
    }

    pub(crate) fn audience(&self) -> impl Iterator<Item = &str> {
        self.part(self.audience).split_terminator('\0')
    }

    pub(crate) fn scopes(&self) -> Scopes<'_> {
        Scopes::new(self.part(self.scopes))
    }

    pub(crate) fn client_id(&self) -> Option<&str> {
        self.client_id.map(|span| self.part(span))
    }

    pub(crate) fn jti(&self) -> Option<&str> {
        self.jti.map(|span| self.part(span))
    }

    /// The base64url of the claims.
    pub(crate) fn payload(&self) -> &str {
        self.part(self.payload)
    }

    /// The whole token. It is a credential.
    pub(crate) fn jws(&self) -> &[u8] {
        self.part(self.jws).as_bytes()
    }

    /// The text that ends in the whole token, and where that begins: to be compared without a look at this.
    pub(crate) fn text(&self) -> (&Arc<str>, usize) {
        (&self.text, self.jws.start as usize)
    }

    pub(crate) fn times(&self) -> Times {
        self.times
    }

    /// The key under which it verified.
    pub(crate) fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Which of the engine's issuers it is from.
    pub(crate) fn issuer_index(&self) -> usize {
        self.issuer_index
    }

    /// By what it can be revoked.
    pub(crate) fn marks(&self) -> Marks<'_> {
        Marks {
            issuer: self.issuer().unwrap_or_default(),
            jti: self.jti(),
            subject: self.subject(),
            session: self.session.map(|span| self.part(span)),
            client: self.client_id(),
            api_key: None,
            issued_at: self.times.issued_at,
        }
    }

    /// The memory that it takes, the reference counts around it included.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + 4 * size_of::<usize>() + self.text.len()
    }

    fn part(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }
}

impl Clone for Token {
    /// With a text of its own.
    fn clone(&self) -> Self {
        Token { text: Arc::from(&*self.text), key: self.key.clone(), ..*self }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(text) = Arc::get_mut(&mut self.text) {
            // Byte by byte, as wiping is: the whole text would take longer than its HMAC.
            text.split_at_mut(self.payload.end as usize).1.zeroize();
        }
    }
}

/// Where the fields of a [`Token`] are put together, to be used again: the token's own text then takes one allocation of
/// the right size.
#[derive(Default)]
pub(crate) struct TokenText(String);

impl TokenText {
    /// Copies a verified token and the facts in its claims.
    pub(crate) fn collect(
        &mut self,
        proof: &VerifiedJws<'_>,
        mapped: &Mapped<'_, '_>,
        issuer_index: usize,
        verified_at: i64,
    ) -> Token {
        let claims = mapped.claims.claims;
        self.0.clear();
        let issuer = claims.iss().map(|text| self.push(text));
        let subject = mapped.subject.map(|text| self.push(text));
        let session = claims.sid().map(|text| self.push(text));
        let audience = self.push_each(mapped.audience.iter(), '\0');
        let scopes = self.write(|text| mapped.mapping.write_scopes(&mapped.claims, text));
        let client_id = mapped.client.map(|text| self.push(text));
        let jti = claims.jti().map(|text| self.push(text));
        let jws = self.push(proof.jws().token());
        let payload = jws.start + proof.jws().header().len() as u32 + 1;
        let payload = Span { start: payload, end: payload + proof.jws().payload().len() as u32 };
        let text = Arc::from(&*self.0);
        self.wipe_from(payload.end as usize);
        Token {
            text,
            issuer,
            subject,
            session,
            audience,
            scopes,
            client_id,
            jti,
            jws,
            payload,
            times: Times { expires_at: claims.exp(), not_before: claims.nbf(), issued_at: claims.iat(), verified_at },
            key: proof.key().clone(),
            issuer_index,
        }
    }

    /// Overwrites the signature, which is what begins at `start`.
    fn wipe_from(&mut self, start: usize) {
        const ZEROS: &str = match std::str::from_utf8(&[0; 64]) {
            Ok(zeros) => zeros,
            Err(_) => unreachable!(),
        };
        let end = self.0.len();
        self.0.truncate(start);
        while self.0.len() < end {
            self.0.push_str(&ZEROS[..(end - self.0.len()).min(ZEROS.len())]);
        }
        optimization_barrier(&self.0);
    }

    fn push(&mut self, text: &str) -> Span {
        self.write(|all| all.push_str(text))
    }

    /// Each entry followed by `terminator`.
    fn push_each<'s>(&mut self, entries: impl Iterator<Item = &'s str>, terminator: char) -> Span {
        self.write(|all| {
            for entry in entries {
                all.push_str(entry);
                all.push(terminator);
            }
        })
    }

    fn write(&mut self, write: impl FnOnce(&mut String)) -> Span {
        let start = self.0.len() as u32;
        write(&mut self.0);
        Span { start, end: self.0.len() as u32 }
    }
}
