use std::mem;

use crate::compact::CompactJws;
use crate::error::ParseError;
use crate::header::{CertificateNames, Header};
use crate::json;

/// Number of cached headers: the tokens of one server are signed with a few keys at a time.
const REMEMBERED: usize = 4;

/// Decodes headers, and caches the last few headers of verified tokens.
///
/// All tokens under one key have the same header text, so a comparison usually replaces decoding and parsing. The cache
/// says nothing about authenticity. Only verified tokens enter it, so garbage cannot evict good headers.
#[derive(Default)]
pub struct HeaderCache {
    buffer: json::Buffer,
    /// The last header that was decoded.
    latest: Decoded,
    remembered: Vec<Decoded>,
    /// The index that is evicted next.
    oldest: usize,
}

impl HeaderCache {
    /// Returns the header of `jws`, equal to the result of [`CompactJws::decode_header`]. Allocates nothing once the
    /// buffers have grown to the headers in use.
    ///
    /// # Errors
    /// The errors of [`CompactJws::decode_header`].
    pub fn decode<'s>(&'s mut self, jws: &CompactJws<'_>) -> Result<Header<'s>, ParseError> {
        match self.remembered.iter().position(|header| header.text == jws.header()) {
            Some(index) => Ok(self.remembered[index].header()),
            None => self.decode_anew(jws),
        }
    }

    /// Caches the header that [`decode`](HeaderCache::decode) returned last. Call it with `jws` after its signature was
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

/// A well-formed header, in reusable memory.
#[derive(Default)]
struct Decoded {
    text: String,
    alg: String,
    kid: OptionalText,
    typ: OptionalText,
    x5t: OptionalText,
    x5t_sha256: OptionalText,
}

/// An optional text, in reusable memory.
#[derive(Default)]
struct OptionalText {
    text: String,
    is_present: bool,
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
        self.is_present = text.is_some();
        replace(&mut self.text, text.unwrap_or_default());
    }

    #[inline]
    fn get(&self) -> Option<&str> {
        self.is_present.then_some(&*self.text)
    }
}

fn replace(text: &mut String, by: &str) {
    text.clear();
    text.push_str(by);
}
