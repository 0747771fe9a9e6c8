use tollgate_jwt::Claims;
use tollgate_keys::VerifiedJws;

use crate::scopes::Scopes;

/// What is kept of a verified token: its facts and its payload, in one string. Without header and signature it
/// is no credential.
pub(crate) struct Token {
    /// The fields one after the other; at the end the payload as it was sent.
    text: Box<str>,
    issuer: Option<Span>,
    subject: Option<Span>,
    /// Joined by U+0000, which no entry holds.
    audience: Span,
    /// Joined by spaces, which no scope-token holds.
    scopes: Span,
    client_id: Option<Span>,
    jti: Option<Span>,
    kid: Option<Span>,
    payload: Span,
    expires_at: Option<i64>,
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

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.map(|span| self.part(span))
    }

    pub(crate) fn payload(&self) -> &str {
        self.part(self.payload)
    }

    pub(crate) fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }

    fn part(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }
}

/// Where the text of a [`Token`] is put together, to be used again: the token itself then takes one allocation
/// of the right size.
#[derive(Default)]
pub(crate) struct TokenText(String);

impl TokenText {
    /// Copies the facts of a verified token and of its claims.
    pub(crate) fn collect(&mut self, proof: &VerifiedJws<'_>, claims: &Claims<'_>) -> Token {
        self.0.clear();
        let issuer = claims.iss().map(|text| self.push(text));
        let subject = claims.sub().map(|text| self.push(text));
        let audience = self.push_each(claims.aud().iter(), '\0');
        let scopes = self.push_each(claims.scope().iter(), ' ');
        let client_id = claims.client_id().or(claims.azp()).map(|text| self.push(text));
        let jti = claims.jti().map(|text| self.push(text));
        let kid = proof.key().kid().map(|text| self.push(text));
        let payload = self.push(proof.jws().payload());
        let expires_at = claims.exp();
        let text = self.0.as_str().into();
        Token { text, issuer, subject, audience, scopes, client_id, jti, kid, payload, expires_at }
    }

    fn push(&mut self, text: &str) -> Span {
        let start = self.0.len() as u32;
        self.0.push_str(text);
        Span { start, end: self.0.len() as u32 }
    }

    /// Each entry followed by `terminator`.
    fn push_each<'s>(&mut self, entries: impl Iterator<Item = &'s str>, terminator: char) -> Span {
        let start = self.0.len() as u32;
        for entry in entries {
            self.0.push_str(entry);
            self.0.push(terminator);
        }
        Span { start, end: self.0.len() as u32 }
    }
}
