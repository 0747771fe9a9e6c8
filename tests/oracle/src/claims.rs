//! The registered claims, each of the type that its specification gives it (RFC 7519 section 4.1, RFC 8693 section 4.2,
//! RFC 9068 section 2.2, RFC 7800 section 3.1).

use crate::json::Json;

/// The most entries of `aud`, `scope` or `scp`: `tollgate_jwt::limits`, by its documented value.
const MAX_ENTRIES: usize = 128;

#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) aud: Option<Vec<String>>,
    pub(crate) exp: Option<i64>,
    pub(crate) nbf: Option<i64>,
    pub(crate) jti: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) azp: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) has_cnf: bool,
}

/// Whether a list of strings has too many entries.
pub(crate) fn has_long_list(payload: &Json) -> bool {
    let mut lists = ["aud", "scope", "scp"].iter().filter_map(|name| payload.get(name));
    lists.any(|list| matches!(list, Json::Array(entries) if entries.len() > MAX_ENTRIES))
}

/// Reads the claims, or says that one of them is of another type.
pub(crate) fn read(payload: &Json) -> Result<Claims, &'static str> {
    const INVALID: &str = "invalid-claim";
    let has_cnf = match payload.get("cnf") {
        None => false,
        Some(Json::Object(_)) => true,
        Some(_) => return Err(INVALID),
    };
    // RFC 7519 section 2: NumericDate is a JSON number.
    let time = |name: &str| match payload.get(name) {
        None => Ok(None),
        Some(Json::Number(_)) => Ok(payload.get(name)),
        Some(_) => Err(INVALID),
    };
    let name = |name: &str, may_be_empty: bool| match payload.get(name) {
        None => Ok(None),
        Some(value) => match names_somebody(value) {
            Some(text) if may_be_empty || !text.is_empty() => Ok(Some(text)),
            _ => Err(INVALID),
        },
    };
    let aud = match payload.get("aud") {
        None => None,
        Some(Json::Array(entries)) => Some(entries.iter().map(names_somebody).collect::<Option<_>>().ok_or(INVALID)?),
        Some(one) => Some(vec![names_somebody(one).ok_or(INVALID)?]),
    };
    let scopes = |name: &str| match payload.get(name) {
        None => Ok(None),
        Some(Json::Array(entries)) => {
            let one = |entry: &Json| entry.as_str().filter(|text| is_scope_token(text)).map(Into::into);
            entries.iter().map(one).collect::<Option<Vec<_>>>().map(Some).ok_or(INVALID)
        }
        Some(list) => list.as_str().and_then(split_scope).map(Some).ok_or(INVALID),
    };
    let (scope, scp) = (scopes("scope")?, scopes("scp")?);
    time("iat")?;
    name("sid", true)?;
    Ok(Claims {
        iss: name("iss", true)?,
        sub: name("sub", false)?,
        aud,
        // Both towards the shorter life (SECURITY.md).
        exp: time("exp")?.and_then(Json::floor),
        nbf: time("nbf")?.and_then(Json::ceil),
        jti: name("jti", true)?,
        client_id: name("client_id", false)?,
        azp: name("azp", false)?,
        scopes: scope.or(scp).unwrap_or_default(),
        has_cnf,
    })
}

/// A string without U+0000.
fn names_somebody(value: &Json) -> Option<String> {
    value.as_str().filter(|text| !text.contains('\0')).map(Into::into)
}

/// Scope-tokens, any number of spaces between and around them.
fn split_scope(list: &str) -> Option<Vec<String>> {
    let tokens: Vec<&str> = list.split(' ').filter(|token| !token.is_empty()).collect();
    tokens.iter().all(|token| is_scope_token(token)).then(|| tokens.into_iter().map(Into::into).collect())
}

/// RFC 6749 section 3.3.
fn is_scope_token(text: &str) -> bool {
    let is_one = |c: char| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    !text.is_empty() && text.chars().all(is_one)
}
