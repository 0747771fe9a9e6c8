use crate::error::ParseError;
use crate::json::{Array, Document, Object, Value};
use crate::limits::MAX_LIST_ENTRIES;
use crate::scope::{is_scope_list, is_scope_token};

/// A JWT's claims (RFC 7519 section 4), **not verified**.
///
/// That it exists says: the payload is one JSON object without duplicate members, and each registered claim
/// that is present has the type that its RFC gives it. A claim of another type is an error, never "absent".
/// Strings that name somebody or something (`iss`, `sub`, `aud`, ...) hold no U+0000, and `sub` is not empty.
pub struct Claims<'s> {
    fields: Fields<'s>,
    document: Document<'s>,
}

/// What a pass over the members found. `aud` and `scp` may be arrays, and those stay in the document.
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
    has_aud: bool,
    has_scp: bool,
    has_cnf: bool,
}

impl<'s> Claims<'s> {
    pub(crate) fn new(document: Document<'s>) -> Result<Self, ParseError> {
        let mut fields = Fields::default();
        for (name, value) in document.root().iter() {
            match name {
                "iss" => fields.iss = Some(string("iss", value)?),
                "sub" => fields.sub = Some(non_empty_string("sub", value)?),
                "aud" => {
                    list("aud", value, |_| true)?;
                    fields.has_aud = true;
                }
                "exp" => fields.exp = Some(numeric_date("exp", value)?.floor()),
                // Up, where `exp` goes down: a fraction never widens the time in which a token is good.
                "nbf" => fields.nbf = Some(numeric_date("nbf", value)?.ceil()),
                "iat" => fields.iat = Some(numeric_date("iat", value)?.floor()),
                "jti" => fields.jti = Some(string("jti", value)?),
                "sid" => fields.sid = Some(string("sid", value)?),
                "client_id" => fields.client_id = Some(non_empty_string("client_id", value)?),
                "azp" => fields.azp = Some(non_empty_string("azp", value)?),
                "scope" => fields.scope = Some(scope_list("scope", value)?),
                "scp" => {
                    match value {
                        Value::String(_) => drop(scope_list("scp", value)?),
                        _ => drop(list("scp", value, is_scope_token)?),
                    }
                    fields.has_scp = true;
                }
                "cnf" => {
                    value.as_object().ok_or(ParseError::InvalidClaim { name: "cnf", expected: "an object" })?;
                    fields.has_cnf = true;
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
        Audience(if self.fields.has_aud { self.get("aud") } else { None })
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
            None => ScopeClaim(if self.fields.has_scp { self.get("scp") } else { None }),
        }
    }

    /// `cnf`: what the sender has to prove (RFC 7800 section 3.1).
    #[must_use]
    pub fn cnf(&self) -> Option<Object<'_, 's>> {
        if self.fields.has_cnf { self.get("cnf")?.as_object() } else { None }
    }

    /// The claim `name`, of any type.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_, 's>> {
        self.document.root().get(name)
    }
}

/// The entries of an `aud` claim: one string or an array of strings.
pub struct Audience<'a, 's>(Option<Value<'a, 's>>);

impl<'a, 's> Audience<'a, 's> {
    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = &'s str> + use<'a, 's> {
        strings(self.0)
    }
}

/// The scope-tokens of a `scope` or `scp` claim.
pub struct ScopeClaim<'a, 's>(Option<Value<'a, 's>>);

impl<'a, 's> ScopeClaim<'a, 's> {
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

fn string<'s>(name: &'static str, value: Value<'_, 's>) -> Result<&'s str, ParseError> {
    value
        .as_str()
        .filter(|text| !text.contains('\0'))
        .ok_or(ParseError::InvalidClaim { name, expected: "a string without U+0000" })
}

fn non_empty_string<'s>(name: &'static str, value: Value<'_, 's>) -> Result<&'s str, ParseError> {
    match string(name, value)? {
        "" => Err(ParseError::InvalidClaim { name, expected: "a string of one character or more" }),
        text => Ok(text),
    }
}

fn scope_list<'s>(name: &'static str, value: Value<'_, 's>) -> Result<&'s str, ParseError> {
    value
        .as_str()
        .filter(|text| is_scope_list(text))
        .ok_or(ParseError::InvalidClaim { name, expected: "scope-tokens joined by spaces" })
}

fn numeric_date(name: &'static str, value: Value<'_, '_>) -> Result<crate::json::Number, ParseError> {
    value.as_number().ok_or(ParseError::InvalidClaim { name, expected: "a number" })
}

/// A string, or an array of at most [`MAX_LIST_ENTRIES`] strings, each of which `is_entry`.
fn list(name: &'static str, value: Value<'_, '_>, is_entry: fn(&str) -> bool) -> Result<(), ParseError> {
    let is_entry = |entry: Value<'_, '_>| entry.as_str().is_some_and(|text| !text.contains('\0') && is_entry(text));
    let is_list = |array: Array<'_, '_>| array.len() <= MAX_LIST_ENTRIES && array.iter().all(is_entry);
    match value {
        Value::String(_) if is_entry(value) => Ok(()),
        Value::Array(array) if is_list(array) => Ok(()),
        _ => Err(ParseError::InvalidClaim { name, expected: "a string or an array of strings" }),
    }
}
