//! The registered claims, each with the type of its specification (RFC 7519 section 4.1, RFC 8693 section 4.2, RFC 9068
//! section 2.2, RFC 7800 section 3.1).

use crate::json::Json;

#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) exp: Option<i64>,
    pub(crate) nbf: Option<i64>,
    pub(crate) jti: Option<String>,
    /// The members of `cnf`.
    pub(crate) cnf: Option<Vec<(String, Json)>>,
}

/// Reads the claims. `Err` if one of them has another type.
pub(crate) fn read(payload: &Json) -> Result<Claims, &'static str> {
    const INVALID: &str = "invalid-claim";
    let cnf = match payload.get("cnf") {
        None => None,
        Some(Json::Object(members)) => Some(members.clone()),
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
    match payload.get("aud") {
        Some(Json::Array(entries)) if entries.iter().all(|entry| names_somebody(entry).is_some()) => {}
        Some(one) if names_somebody(one).is_none() => return Err(INVALID),
        _ => {}
    }
    let are_scopes = |name: &str| match payload.get(name) {
        None => true,
        Some(Json::Array(entries)) => entries.iter().all(|entry| entry.as_str().is_some_and(is_scope_token)),
        Some(list) => list.as_str().and_then(split_scope).is_some(),
    };
    if !are_scopes("scope") || !are_scopes("scp") {
        return Err(INVALID);
    }
    time("iat")?;
    for (registered, may_be_empty) in [("sid", true), ("client_id", false), ("azp", false)] {
        name(registered, may_be_empty)?;
    }
    Ok(Claims {
        iss: name("iss", true)?,
        sub: name("sub", false)?,
        // Both rounded towards the shorter lifetime (SECURITY.md).
        exp: time("exp")?.and_then(Json::floor),
        nbf: time("nbf")?.and_then(Json::ceil),
        jti: name("jti", true)?,
        cnf,
    })
}

/// A string without U+0000.
pub(crate) fn names_somebody(value: &Json) -> Option<String> {
    value.as_str().filter(|text| !text.contains('\0')).map(Into::into)
}

/// Scope-tokens, with any number of spaces between and around them.
pub(crate) fn split_scope(list: &str) -> Option<Vec<String>> {
    let tokens: Vec<&str> = list.split(' ').filter(|token| !token.is_empty()).collect();
    tokens.iter().all(|token| is_scope_token(token)).then(|| tokens.into_iter().map(Into::into).collect())
}

/// RFC 6749 section 3.3.
pub(crate) fn is_scope_token(text: &str) -> bool {
    let is_one = |c: char| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    !text.is_empty() && text.chars().all(is_one)
}
