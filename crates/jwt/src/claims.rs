use crate::error::ParseError;
use crate::json::{Document, Number, Object, Value};
use crate::limits::MAX_LIST_ENTRIES;
use crate::scope::{is_scope_list, is_scope_token, is_single_spaced};

/// A JWT's claims (RFC 7519 section 4), **not verified**.
///
/// That it exists says: the payload is one JSON object without duplicate members, and each registered claim
/// that is present has the type that its RFC gives it. A claim of another type is an error, never "absent".
/// Strings that name somebody or something (`iss`, `sub`, `aud`, ...) hold no U+0000, and `sub` is not empty.
pub struct Claims<'s> {
    fields: Fields<'s>,
    document: Document<'s>,
}

/// What a pass over the members found. `aud`, `scp` and `cnf` may hold further values, and those stay in the document.
#[derive(Default)]
struct Fields<'s> {
    iss: Option<&'s str>,
    sub: Option<&'s str>,
    jti: Option<&'s str>,
    sid: Option<&'s str>,
    client_id: Option<&'s str>,
    azp: Option<&'s str>,
    scope: Option<&'s str>,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
    /// Where in the root object the value is.
    aud: Option<usize>,
    scp: Option<usize>,
    cnf: Option<usize>,
}

impl<'s> Claims<'s> {
    pub(crate) fn new(document: Document<'s>) -> Result<Self, ParseError> {
        let mut fields = Fields::default();
        let read = Reader { may_hold_nul: document.may_hold_nul() };
        let root = document.root();
        for (name, position) in root.positions() {
            let value = root.at(position);
            // Bytes, because the compiler makes one decision tree of them, and of strings one comparison each.
            match name.as_bytes() {
                b"iss" => fields.iss = Some(read.string("iss", value)?),
                b"sub" => fields.sub = Some(read.non_empty_string("sub", value)?),
                b"exp" => fields.exp = Some(numeric_date("exp", value)?.floor()),
                // Up, where `exp` goes down: a fraction never widens the time in which a token is good.
                b"nbf" => fields.nbf = Some(numeric_date("nbf", value)?.ceil()),
                b"iat" => fields.iat = Some(numeric_date("iat", value)?.floor()),
                b"jti" => fields.jti = Some(read.string("jti", value)?),
                b"sid" => fields.sid = Some(read.string("sid", value)?),
                b"client_id" => fields.client_id = Some(read.non_empty_string("client_id", value)?),
                b"azp" => fields.azp = Some(read.non_empty_string("azp", value)?),
                b"scope" => fields.scope = Some(scope_list("scope", value)?),
                b"aud" => {
                    read.list("aud", value, |_| true)?;
                    fields.aud = Some(position);
                }
                b"scp" => {
                    match value {
                        Value::String(_) => drop(scope_list("scp", value)?),
                        _ => read.list("scp", value, is_scope_token)?,
                    }
                    fields.scp = Some(position);
                }
                b"cnf" => {
                    value.as_object().ok_or(ParseError::InvalidClaim { name: "cnf", expected: "an object" })?;
                    fields.cnf = Some(position);
                }
                _ => {}
            }
        }
        Ok(Claims { fields, document })
    }

    /// `iss`: who issued the token (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn iss(&self) -> Option<&'s str> {
        self.fields.iss
    }

    /// `sub`: whom it speaks of (section 4.1.2); never empty.
    #[must_use]
    pub fn sub(&self) -> Option<&'s str> {
        self.fields.sub
    }

    /// `aud`: for whom it is meant (section 4.1.3); no entry where the claim is absent.
    #[must_use]
    pub fn aud(&self) -> Audience<'_, 's> {
        Audience(self.at(self.fields.aud))
    }

    /// `exp` (section 4.1.4) in seconds since the Unix epoch, fractions rounded down.
    #[must_use]
    pub fn exp(&self) -> Option<i64> {
        self.fields.exp
    }

    /// `nbf` (section 4.1.5) in seconds since the Unix epoch, fractions rounded up.
    #[must_use]
    pub fn nbf(&self) -> Option<i64> {
        self.fields.nbf
    }

    /// `iat` (section 4.1.6) in seconds since the Unix epoch, fractions rounded down.
    #[must_use]
    pub fn iat(&self) -> Option<i64> {
        self.fields.iat
    }

    /// `jti`: the token's identifier (section 4.1.7).
    #[must_use]
    pub fn jti(&self) -> Option<&'s str> {
        self.fields.jti
    }

    /// `sid`: the session (OpenID Connect Front-Channel Logout 1.0 section 3).
    #[must_use]
    pub fn sid(&self) -> Option<&'s str> {
        self.fields.sid
    }

    /// `client_id` (RFC 8693 section 4.3, RFC 9068 section 2.2); never empty.
    #[must_use]
    pub fn client_id(&self) -> Option<&'s str> {
        self.fields.client_id
    }

    /// `azp`: the authorized party (OpenID Connect Core 1.0 section 2); never empty.
    #[must_use]
    pub fn azp(&self) -> Option<&'s str> {
        self.fields.azp
    }

    /// `scope` (RFC 8693 section 4.2), or `scp` where there is no `scope`.
    #[must_use]
    pub fn scope(&self) -> ScopeClaim<'_, 's> {
        match self.fields.scope {
            Some(list) => ScopeClaim(Some(Value::String(list))),
            None => ScopeClaim(self.at(self.fields.scp)),
        }
    }

    /// `cnf`: what the sender has to prove (RFC 7800 section 3.1).
    #[must_use]
    pub fn cnf(&self) -> Option<Object<'_, 's>> {
        self.at(self.fields.cnf)?.as_object()
    }

    /// The claim `name`, of any type.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_, 's>> {
        self.document.root().get(name)
    }

    fn at(&self, position: Option<usize>) -> Option<Value<'_, 's>> {
        position.map(|position| self.document.root().at(position))
    }
}

/// The entries of an `aud` claim: one string or an array of strings; none where the claim is absent.
pub struct Audience<'a, 's>(Option<Value<'a, 's>>);

impl<'a, 's> Audience<'a, 's> {
    /// Whether the claim is absent. An empty array is not.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = &'s str> + use<'a, 's> {
        strings(self.0)
    }
}

/// The scope-tokens of a `scope` or `scp` claim.
pub struct ScopeClaim<'a, 's>(Option<Value<'a, 's>>);

impl<'a, 's> ScopeClaim<'a, 's> {
    /// The claim's own text, where it is scope-tokens joined by single spaces, as RFC 6749 section 3.3 has it.
    #[must_use]
    pub fn as_joined(&self) -> Option<&'s str> {
        self.0.and_then(|value| value.as_str()).filter(|list| is_single_spaced(list))
    }

    /// The scope-tokens in order, as they were sent.
    pub fn iter(&self) -> impl Iterator<Item = &'s str> + use<'a, 's> {
        strings(self.0).flat_map(|list| list.split(' ')).filter(|token| !token.is_empty())
    }
}

fn strings<'a, 's>(value: Option<Value<'a, 's>>) -> impl Iterator<Item = &'s str> + use<'a, 's> {
    let one = value.and_then(|value| value.as_str());
    let many = value.and_then(|value| value.as_array());
    one.into_iter().chain(many.into_iter().flat_map(|array| array.iter()).filter_map(|entry| entry.as_str()))
}

/// Reads claims that name somebody or something.
struct Reader {
    may_hold_nul: bool,
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

    /// A string, or an array of at most [`MAX_LIST_ENTRIES`] strings, each of which `is_entry`.
    fn list(&self, name: &'static str, value: Value<'_, '_>, is_entry: fn(&str) -> bool) -> Result<(), ParseError> {
        let is_entry = |entry: Value<'_, '_>| self.text(entry).is_some_and(is_entry);
        let is_list = match value {
            Value::Array(array) => array.len() <= MAX_LIST_ENTRIES && array.iter().all(is_entry),
            _ => is_entry(value),
        };
        if is_list {
            Ok(())
        } else {
            Err(ParseError::InvalidClaim { name, expected: "a string or an array of strings" })
        }
    }

    fn text<'s>(&self, value: Value<'_, 's>) -> Option<&'s str> {
        value.as_str().filter(|text| !self.may_hold_nul || !text.contains('\0'))
    }
}

fn scope_list<'s>(name: &'static str, value: Value<'_, 's>) -> Result<&'s str, ParseError> {
    value
        .as_str()
        .filter(|text| is_scope_list(text))
        .ok_or(ParseError::InvalidClaim { name, expected: "scope-tokens joined by spaces" })
}

fn numeric_date(name: &'static str, value: Value<'_, '_>) -> Result<Number, ParseError> {
    value.as_number().ok_or(ParseError::InvalidClaim { name, expected: "a number" })
}
