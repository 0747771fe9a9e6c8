use crate::compact::CompactJws;
use crate::error::ParseError;
use crate::header::Header;
use crate::json;

/// How many headers are remembered: the tokens of one server are signed with a few keys at a time.
const REMEMBERED: usize = 4;

/// Decodes headers, and remembers the last few.
///
/// The header of a token is the same text for every token under one key, so that most of the time a comparison takes
/// the place of decoding and parsing. What is remembered is what a text says, not that anybody may say it.
#[derive(Default)]
pub struct HeaderCache {
    buffer: json::Buffer,
    remembered: Vec<Remembered>,
    /// Which one is forgotten next.
    oldest: usize,
}

/// A well-formed header.
struct Remembered {
    text: Box<str>,
    alg: Box<str>,
    kid: Option<Box<str>>,
    typ: Option<Box<str>>,
}

impl HeaderCache {
    /// The header of `jws`: the same as [`CompactJws::decode_header`] gives.
    ///
    /// # Errors
    /// As [`CompactJws::decode_header`].
    pub fn decode<'s>(&'s mut self, jws: &CompactJws<'_>) -> Result<Header<'s>, ParseError> {
        let index = match self.remembered.iter().position(|header| *header.text == *jws.header()) {
            Some(index) => index,
            None => self.remember(jws)?,
        };
        Ok(self.remembered[index].header())
    }

    #[cold]
    fn remember(&mut self, jws: &CompactJws<'_>) -> Result<usize, ParseError> {
        let header = Remembered::new(jws.header(), &jws.decode_header(&mut self.buffer)?);
        if self.remembered.len() < REMEMBERED {
            self.remembered.push(header);
            return Ok(self.remembered.len() - 1);
        }
        let index = self.oldest;
        self.oldest = (index + 1) % REMEMBERED;
        self.remembered[index] = header;
        Ok(index)
    }
}

impl Remembered {
    fn new(text: &str, header: &Header<'_>) -> Self {
        Remembered {
            text: text.into(),
            alg: header.alg().into(),
            kid: header.kid().map(Into::into),
            typ: header.typ().map(Into::into),
        }
    }

    fn header(&self) -> Header<'_> {
        Header::from_parts(&self.alg, self.kid.as_deref(), self.typ.as_deref())
    }
}
