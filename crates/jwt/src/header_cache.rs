use std::mem;

use crate::compact::CompactJws;
use crate::error::ParseError;
use crate::header::{CertificateNames, Header};
use crate::json;

/// How many headers are remembered: the tokens of one server are signed with a few keys at a time.
const REMEMBERED: usize = 4;

/// Decodes headers, and remembers the last few of tokens that were verified.
///
/// The header of a token is the same text for every token under one key, so that most of the time a comparison takes
/// the place of decoding and parsing. What is remembered is what a text says, not that anybody may say it; and since it
/// takes a verified token to remember one, garbage does not push the good ones out.
#[derive(Default)]
pub struct HeaderCache {
    buffer: json::Buffer,
    /// The last header that was decoded.
    latest: Decoded,
    remembered: Vec<Decoded>,
    /// Which one is forgotten next.
    oldest: usize,
}

impl HeaderCache {
    /// The header of `jws`: the same as [`CompactJws::decode_header`] gives. Allocates nothing once the memory here has
    /// grown to the headers at hand.
    ///
    /// # Errors
    /// As [`CompactJws::decode_header`].
    pub fn decode<'s>(&'s mut self, jws: &CompactJws<'_>) -> Result<Header<'s>, ParseError> {
        match self.remembered.iter().position(|header| header.text == jws.header()) {
            Some(index) => Ok(self.remembered[index].header()),
            None => self.decode_anew(jws),
        }
    }

    /// Remembers the header that [`decode`](HeaderCache::decode) gave last. To be called for `jws` once its signature is
    /// verified.
    pub fn remember(&mut self, jws: &CompactJws<'_>) {
        if self.latest.text == jws.header() {
            self.remember_latest();
        }
    }

    #[cold]
    fn decode_anew(&mut self, jws: &CompactJws<'_>) -> Result<Header<'_>, ParseError> {
        let header = jws.decode_header(&mut self.buffer)?;
        self.latest.assign(jws.header(), &header);
        Ok(self.latest.header())
    }

    #[cold]
    fn remember_latest(&mut self) {
        if self.remembered.len() < REMEMBERED {
            self.remembered.push(mem::take(&mut self.latest));
        } else {
            mem::swap(&mut self.remembered[self.oldest], &mut self.latest);
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
    }
}

/// A well-formed header, in memory that is used again for the next.
#[derive(Default)]
struct Decoded {
    text: String,
    alg: String,
    kid: OptionalText,
    typ: OptionalText,
    x5t: OptionalText,
    x5t_sha256: OptionalText,
}

/// A text that may be absent, in memory that stays.
#[derive(Default)]
struct OptionalText {
    text: String,
    is_there: bool,
}

impl Decoded {
    fn assign(&mut self, text: &str, header: &Header<'_>) {
        replace(&mut self.text, text);
        replace(&mut self.alg, header.alg());
        self.kid.assign(header.kid());
        self.typ.assign(header.typ());
        self.x5t.assign(header.certificate().x5t);
        self.x5t_sha256.assign(header.certificate().x5t_sha256);
    }

    fn header(&self) -> Header<'_> {
        let certificate = CertificateNames { x5t: self.x5t.get(), x5t_sha256: self.x5t_sha256.get() };
        Header::from_parts(&self.alg, self.kid.get(), self.typ.get(), certificate)
    }
}

impl OptionalText {
    fn assign(&mut self, text: Option<&str>) {
        self.is_there = text.is_some();
        replace(&mut self.text, text.unwrap_or_default());
    }

    #[inline]
    fn get(&self) -> Option<&str> {
        self.is_there.then_some(&*self.text)
    }
}

fn replace(text: &mut String, by: &str) {
    text.clear();
    text.push_str(by);
}
