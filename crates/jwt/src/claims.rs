mod lists;
mod names;

use std::num::NonZeroU32;

pub use lists::{ScopeClaim, StringList};
pub use names::{ClaimNames, FoundClaims, KnownClaim};

use crate::error::{ParseError, Part};
use crate::json::{Buffer, Document, JsonError, Number, Object, Value, parse_within};
use crate::limits::{MAX_CLAIM_NAMES, MAX_JSON_MEMBERS, MAX_LIST_ENTRIES};
use crate::scope::{is_scope_list, is_scope_token};

/// A JWT's claims (RFC 7519 section 4), **not verified**.
///
/// Guarantees: the payload is one JSON object without duplicate members, and each registered claim that is present has
/// the type that its RFC requires. A claim of another type is an error, never "absent". Claims that are identifiers
/// (`iss`, `sub`, `aud`, ...) contain no U+0000, and `sub` is not empty.
pub struct Claims<'s> {
    fields: Fields<'s>,
    document: Document<'s>,
}

/// Limits on the size of a token's claims.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClaimLimits {
    /// The most members of one JSON object; [`MAX_JSON_MEMBERS`] by default.
    pub max_members: usize,
    /// The most entries of an array in `aud`, `scope` or `scp`; [`MAX_LIST_ENTRIES`] by default.
    pub max_list_entries: usize,
}

impl Default for ClaimLimits {
    fn default() -> Self {
        ClaimLimits { max_members: MAX_JSON_MEMBERS, max_list_entries: MAX_LIST_ENTRIES }
    }
}

/// A value's position in the root object. Never 0, because a name is there. A payload has less than 2^32 bytes.
type Position = NonZeroU32;

/// The claims found in one pass over the members. Values that may be arrays or objects stay in the document.
#[derive(Default)]
struct Fields<'s> {
    iss: Option<&'s str>,
    sub: Option<&'s str>,
    jti: Option<&'s str>,
    sid: Option<&'s str>,
    client_id: Option<&'s str>,
    azp: Option<&'s str>,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
    /// The value's position in the root object, as for the claims below.
    aud: Option<Position>,
    scope: Option<Position>,
    scp: Option<Position>,
    cnf: Option<Position>,
    cid: Option<Position>,
    appid: Option<Position>,
    others: Others,
}

/// The positions of the other claims' values, so that finding some of them needs no second pass over all members.
#[derive(Default)]
struct Others {
    positions: [u32; KEPT_OTHERS],
    count: u32,
}

/// Most tokens have few claims that no specification names.
const KEPT_OTHERS: usize = 9;

impl Others {
    #[inline]
    fn push(&mut self, position: usize) {
        if let Some(place) = self.positions.get_mut(self.count as usize) {
            *place = position as u32;
        }
        self.count += 1;
    }

    /// `None` if there are more than [`KEPT_OTHERS`].
    #[inline]
    fn all(&self) -> Option<&[u32]> {
        self.positions.get(..self.count as usize)
    }
}

impl<'s> Claims<'s> {
    pub(crate) fn new(document: Document<'s>, limits: &ClaimLimits) -> Result<Self, ParseError> {
        let mut fields = Fields::default();
        let read = Reader { may_hold_nul: document.may_hold_nul(), max_list_entries: limits.max_list_entries };
        let root = document.root();
        for (name, position) in root.positions() {
            let value = root.at(position);
            // Matched as bytes: the compiler builds one decision tree for bytes, and a chain of comparisons for
            // strings.
            match name.as_bytes() {
                b"iss" => fields.iss = Some(read.string("iss", value)?),
                b"sub" => fields.sub = Some(read.non_empty_string("sub", value)?),
                b"exp" => fields.exp = Some(numeric_date("exp", value)?.floor()),
                // Rounded up, where `exp` is rounded down: a fraction never extends a token's validity.
                b"nbf" => fields.nbf = Some(numeric_date("nbf", value)?.ceil()),
                b"iat" => fields.iat = Some(numeric_date("iat", value)?.floor()),
                b"jti" => fields.jti = Some(read.string("jti", value)?),
                b"sid" => fields.sid = Some(read.string("sid", value)?),
                b"client_id" => fields.client_id = Some(read.non_empty_string("client_id", value)?),
                b"azp" => fields.azp = Some(read.non_empty_string("azp", value)?),
                b"aud" => {
                    read.list("aud", value, STRINGS, |_| true)?;
                    fields.aud = Position::new(position as u32);
                }
                b"scope" => {
                    read.scopes("scope", value)?;
                    fields.scope = Position::new(position as u32);
                }
                b"scp" => {
                    read.scopes("scp", value)?;
                    fields.scp = Position::new(position as u32);
                }
                b"cid" => fields.cid = Position::new(position as u32),
                b"appid" => fields.appid = Position::new(position as u32),
                b"cnf" => {
                    value.as_object().ok_or(ParseError::InvalidClaim { name: "cnf", expected: "an object" })?;
                    fields.cnf = Position::new(position as u32);
                }
                _ => fields.others.push(position),
            }
        }
        Ok(Claims { fields, document })
    }

    /// Reads the claims of a JSON document that is not a token but has a token's members, such as an introspection
    /// response (RFC 7662 section 2.2).
    ///
    /// # Errors
    /// The errors of [`CompactJws::decode_claims`](crate::CompactJws::decode_claims).
    pub fn of_json(text: &[u8], limits: &ClaimLimits, buffer: &'s mut Buffer) -> Result<Self, ParseError> {
        let document = parse_within(text, limits.max_members, buffer);
        Claims::new(document.map_err(|error| ParseError::Json { part: Part::Payload, error })?, limits)
    }

    /// `iss`: the issuer (RFC 7519 section 4.1.1).
    #[inline]
    #[must_use]
    pub fn iss(&self) -> Option<&'s str> {
        self.fields.iss
    }

    /// `sub`: the subject (section 4.1.2); never empty.
    #[inline]
    #[must_use]
    pub fn sub(&self) -> Option<&'s str> {
        self.fields.sub
    }

    /// `aud`: the audience (section 4.1.3); no entry if the claim is absent.
    #[must_use]
    pub fn aud(&self) -> StringList<'_, 's> {
        StringList(self.at(self.fields.aud))
    }

    /// `exp` (section 4.1.4) in seconds since the Unix epoch, fractions rounded down.
    #[inline]
    #[must_use]
    pub fn exp(&self) -> Option<i64> {
        self.fields.exp
    }

    /// `nbf` (section 4.1.5) in seconds since the Unix epoch, fractions rounded up.
    #[inline]
    #[must_use]
    pub fn nbf(&self) -> Option<i64> {
        self.fields.nbf
    }

    /// `iat` (section 4.1.6) in seconds since the Unix epoch, fractions rounded down.
    #[inline]
    #[must_use]
    pub fn iat(&self) -> Option<i64> {
        self.fields.iat
    }

    /// `jti`: the token's identifier (section 4.1.7).
    #[inline]
    #[must_use]
    pub fn jti(&self) -> Option<&'s str> {
        self.fields.jti
    }

    /// `sid`: the session (OpenID Connect Front-Channel Logout 1.0 section 3).
    #[inline]
    #[must_use]
    pub fn sid(&self) -> Option<&'s str> {
        self.fields.sid
    }

    /// `client_id` (RFC 8693 section 4.3, RFC 9068 section 2.2); never empty.
    #[inline]
    #[must_use]
    pub fn client_id(&self) -> Option<&'s str> {
        self.fields.client_id
    }

    /// `azp`: the authorized party (OpenID Connect Core 1.0 section 2); never empty.
    #[inline]
    #[must_use]
    pub fn azp(&self) -> Option<&'s str> {
        self.fields.azp
    }

    /// `scope` (RFC 8693 section 4.2), or `scp` if there is no `scope`.
    #[must_use]
    pub fn scope(&self) -> ScopeClaim<'_, 's> {
        ScopeClaim(self.at(self.fields.scope.or(self.fields.scp)))
    }

    /// `cnf`: the confirmation that the sender has to give (RFC 7800 section 3.1).
    #[inline]
    #[must_use]
    pub fn cnf(&self) -> Option<Object<'_, 's>> {
        self.at(self.fields.cnf)?.as_object()
    }

    /// All claims.
    #[inline]
    #[must_use]
    pub fn root(&self) -> Object<'_, 's> {
        self.document.root()
    }

    /// The claim `name`, of any type.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_, 's>> {
        self.document.root().get(name)
    }

    /// The value of a claim that the pass over the members has read.
    #[inline]
    #[must_use]
    pub fn known(&self, claim: KnownClaim) -> Option<Value<'_, 's>> {
        let fields = &self.fields;
        match claim {
            KnownClaim::Iss => fields.iss.map(Value::String),
            KnownClaim::Sub => fields.sub.map(Value::String),
            KnownClaim::Jti => fields.jti.map(Value::String),
            KnownClaim::Sid => fields.sid.map(Value::String),
            KnownClaim::ClientId => fields.client_id.map(Value::String),
            KnownClaim::Azp => fields.azp.map(Value::String),
            KnownClaim::Aud => self.at(fields.aud),
            KnownClaim::Cid => self.at(fields.cid),
            KnownClaim::Appid => self.at(fields.appid),
            KnownClaim::Scope => self.at(fields.scope),
            KnownClaim::Scp => self.at(fields.scp),
        }
    }

    /// Finds several claims in one pass. The time does not depend on the number of names.
    #[must_use]
    pub fn find(&self, names: &ClaimNames) -> FoundClaims {
        let mut positions = [0; MAX_CLAIM_NAMES];
        let mut note = |name: &str, position: u32| {
            if let Some(index) = names.index(name) {
                positions[index] = position;
            }
        };
        let root = self.document.root();
        match self.fields.others.all() {
            Some(others) if names.are_others() => {
                others.iter().for_each(|position| note(root.name_at(*position as usize), *position));
            }
            _ => root.positions().for_each(|(name, position)| note(name, position as u32)),
        }
        FoundClaims { positions }
    }

    /// The claim with the index `index` in the names that were searched for.
    #[inline]
    #[must_use]
    pub fn found(&self, found: &FoundClaims, index: usize) -> Option<Value<'_, 's>> {
        match found.positions[index] {
            0 => None,
            position => Some(self.document.root().at(position as usize)),
        }
    }

    /// Checks the claims against limits that are narrower than those used for parsing.
    ///
    /// # Errors
    /// [`ParseError::TooManyEntries`], or [`ParseError::Json`] with [`JsonError::TooManyMembers`].
    pub fn check_within(&self, limits: &ClaimLimits) -> Result<(), ParseError> {
        let (members, max) = (self.document.widest(), limits.max_members);
        if members > max {
            return Err(ParseError::Json { part: Part::Payload, error: JsonError::TooManyMembers { members, max } });
        }
        let lists = [("aud", self.fields.aud), ("scope", self.fields.scope), ("scp", self.fields.scp)];
        for (name, position) in lists {
            if let Some(Value::Array(array)) = self.at(position) {
                check_entries(name, array.len(), limits.max_list_entries)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn at(&self, position: Option<Position>) -> Option<Value<'_, 's>> {
        position.map(|position| self.document.root().at(position.get() as usize))
    }
}

const STRINGS: &str = "a string or an array of strings, none with U+0000";
const SCOPES: &str = "scope-tokens, joined by spaces in a string or as the entries of an array";

/// Reads claims that are identifiers.
struct Reader {
    may_hold_nul: bool,
    max_list_entries: usize,
}

impl Reader {
    fn string<'s>(&self, name: &'static str, value: Value<'_, 's>) -> Result<&'s str, ParseError> {
        self.text(value).ok_or(ParseError::InvalidClaim { name, expected: "a string without U+0000" })
    }

    fn non_empty_string<'s>(&self, name: &'static str, value: Value<'_, 's>) -> Result<&'s str, ParseError> {
        match self.string(name, value)? {
            "" => Err(ParseError::InvalidClaim { name, expected: "a string of one character or more" }),
            text => Ok(text),
        }
    }

    /// Checks scope-tokens: joined by spaces in a string, or one per entry of an array.
    fn scopes(&self, name: &'static str, value: Value<'_, '_>) -> Result<(), ParseError> {
        match value {
            Value::String(text) if is_scope_list(text) => Ok(()),
            Value::Array(_) => self.list(name, value, SCOPES, is_scope_token),
            _ => Err(ParseError::InvalidClaim { name, expected: SCOPES }),
        }
    }

    /// Checks a string or an array of strings, each accepted by `is_entry`. `expected` describes that in the error.
    fn list(
        &self,
        name: &'static str,
        value: Value<'_, '_>,
        expected: &'static str,
        is_entry: fn(&str) -> bool,
    ) -> Result<(), ParseError> {
        let is_entry = |entry: Value<'_, '_>| self.text(entry).is_some_and(is_entry);
        let is_list = match value {
            Value::Array(array) => {
                check_entries(name, array.len(), self.max_list_entries)?;
                array.iter().all(is_entry)
            }
            _ => is_entry(value),
        };
        if is_list { Ok(()) } else { Err(ParseError::InvalidClaim { name, expected }) }
    }

    fn text<'s>(&self, value: Value<'_, 's>) -> Option<&'s str> {
        value.as_str().filter(|text| !self.may_hold_nul || !text.contains('\0'))
    }
}

fn check_entries(name: &'static str, entries: usize, max: usize) -> Result<(), ParseError> {
    if entries <= max { Ok(()) } else { Err(ParseError::TooManyEntries { name, entries, max }) }
}

fn numeric_date(name: &'static str, value: Value<'_, '_>) -> Result<Number, ParseError> {
    value.as_number().ok_or(ParseError::InvalidClaim { name, expected: "a number" })
}
