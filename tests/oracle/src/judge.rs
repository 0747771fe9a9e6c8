use std::collections::BTreeSet;

use crate::api_key::{is_well_formed, is_well_formed_elsewhere};
use crate::base64::decode_standard;
use crate::jws;
use crate::verdict::{Facts, Verdict};
use crate::world::{Credential, Kind, State, World};

/// Judges the value of an Authorization header at `now`, in seconds since the Unix epoch.
#[must_use]
pub fn judge(world: &World, header: &[u8], now: i64) -> Verdict {
    judge_with(world, header, now, |token| jws::judge(world, token, now))
}

/// Like [`judge`], with `judge_jws` for credentials that begin like a JWS.
pub(crate) fn judge_with(world: &World, header: &[u8], now: i64, judge_jws: impl FnOnce(&[u8]) -> Verdict) -> Verdict {
    if header.is_empty() {
        return Verdict::reject("missing-credential");
    }
    if header.len() > world.max_header_bytes {
        return Verdict::reject("header-too-long");
    }
    if is_list(header) {
        return Verdict::reject("multiple-credentials");
    }
    if begins_as_jws(header) {
        return judge_jws(header);
    }
    // RFC 9110 section 11.4: a scheme, one or more spaces, credentials.
    let Some(space) = header.iter().position(|byte| *byte == b' ') else {
        return judge_bare(world, header, now);
    };
    let scheme = &header[..space];
    let after = &header[space..];
    let credentials = &after[after.iter().take_while(|byte| **byte == b' ').count()..];
    if !is_token(scheme) {
        return Verdict::reject("malformed-credential");
    }
    match scheme.to_ascii_lowercase().as_slice() {
        b"bearer" if begins_as_jws(credentials) => judge_jws(credentials),
        b"dpop" if begins_as_jws(credentials) => unless_bound(judge_jws(credentials), credentials),
        b"bearer" => judge_token(world, credentials, now),
        b"dpop" => unless_bound(judge_token(world, credentials, now), credentials),
        b"basic" => judge_basic(world, credentials, now),
        _ => Verdict::reject("unsupported-scheme"),
    }
}

/// An opaque token with a scheme.
fn judge_token(world: &World, token: &[u8], now: i64) -> Verdict {
    match key(token) {
        Some(token) => judge_key(world, token, &[Kind::ApiKey, Kind::AccessToken], now),
        None => Verdict::reject("malformed-credential"),
    }
}

/// RFC 9449 section 7.1: the scheme is for key-bound tokens, and there is no proof here. A JWT may be rejected as unbound
/// before another error is found.
fn unless_bound(verdict: Verdict, token: &[u8]) -> Verdict {
    const NOT_BOUND: &str = "token-not-bound";
    match verdict {
        Verdict::Accept(_) => Verdict::reject(NOT_BOUND),
        Verdict::Reject(reasons) if begins_as_jws(token) => {
            Verdict::Reject(reasons.into_iter().chain([NOT_BOUND]).collect())
        }
        rejected => rejected,
    }
}

/// Judges the value of an `X-API-Key` header.
#[must_use]
pub fn judge_api_key(world: &World, value: &[u8], now: i64) -> Verdict {
    if value.is_empty() {
        Verdict::reject("missing-credential")
    } else if value.len() > world.max_header_bytes {
        Verdict::reject("header-too-long")
    } else if is_list(value) {
        Verdict::reject("multiple-credentials")
    } else {
        judge_bare_key(world, value, now)
    }
}

/// SECURITY.md, "Where the specifications leave a choice": members separated by commas, each in the form of a credential. A
/// single token with a comma in it is not a list.
fn is_list(value: &[u8]) -> bool {
    let Ok(value) = std::str::from_utf8(value) else { return false };
    let bare = ("bearer", value);
    let (scheme, credentials) = if begins_as_jws(value.as_bytes()) { bare } else { scheme_of(value).unwrap_or(bare) };
    let scheme = scheme.to_ascii_lowercase();
    if is_token(scheme.as_bytes()) && !["bearer", "dpop", "basic"].contains(&scheme.as_str()) {
        return false;
    }
    // The members of what the scheme is for, where that alone is looked at.
    let text = match scheme.as_str() {
        "bearer" | "dpop" if !begins_as_jws(credentials.as_bytes()) => value,
        "bearer" | "dpop" | "basic" => credentials,
        _ => value,
    };
    let members: Vec<&str> = text.split(',').map(|member| member.trim_matches([' ', '\t'])).collect();
    let is_one_token = begins_as_jws(text.as_bytes()) && members[0].matches('.').count() != 2;
    members.len() > 1 && !is_one_token && members.into_iter().all(has_form)
}

fn scheme_of(text: &str) -> Option<(&str, &str)> {
    let (scheme, credentials) = text.split_once(' ')?;
    Some((scheme, credentials.trim_start_matches(' ')))
}

/// Whether `member` has the form of a credential, with or without a scheme.
fn has_form(member: &str) -> bool {
    let is_key_or_jws = |text: &str| begins_as_jws(text.as_bytes()) || key(text.as_bytes()).is_some();
    match scheme_of(member) {
        Some((scheme, credentials)) if ["bearer", "dpop"].contains(&scheme.to_ascii_lowercase().as_str()) => {
            is_key_or_jws(credentials)
        }
        Some((scheme, _)) => is_token(scheme.as_bytes()),
        None => !["bearer", "dpop"].contains(&member.to_ascii_lowercase().as_str()) && is_key_or_jws(member),
    }
}

/// ARCHITECTURE.md, "Decisions": a JOSE header in base64url begins with `ey` or `ew`, and a dot follows somewhere.
fn begins_as_jws(text: &[u8]) -> bool {
    (text.starts_with(b"ey") || text.starts_with(b"ew")) && text.contains(&b'.')
}

fn judge_bare(world: &World, text: &[u8], now: i64) -> Verdict {
    // A scheme alone.
    match text.to_ascii_lowercase().as_slice() {
        b"bearer" | b"basic" | b"dpop" => Verdict::reject("malformed-credential"),
        _ => judge_bare_key(world, text, now),
    }
}

fn judge_bare_key(world: &World, text: &[u8], now: i64) -> Verdict {
    match key(text) {
        Some(key) => judge_key(world, key, &[Kind::ApiKey], now),
        None => Verdict::reject("malformed-credential"),
    }
}

fn judge_key(world: &World, key: &str, kinds: &[Kind], now: i64) -> Verdict {
    match find(world, key) {
        Err(reason) => Verdict::reject(reason),
        Ok(found) if !kinds.contains(&found.kind) => Verdict::reject("unknown-api-key"),
        Ok(found) => judge_found(found, now),
    }
}

/// RFC 7617 section 2, only in canonical form: base64 of UTF-8 without controls, split at the first colon. RFC 6749 section
/// 2.3.1: both parts may be form-encoded, so the decoded reading is tried first.
fn judge_basic(world: &World, credentials: &[u8], now: i64) -> Verdict {
    let credentials = std::str::from_utf8(credentials).ok();
    let text = credentials.and_then(decode_standard).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = text.filter(|text| !text.chars().any(char::is_control)) else {
        return Verdict::reject("malformed-credential");
    };
    let Some((id, secret)) = text.split_once(':') else {
        return Verdict::reject("malformed-credential");
    };
    let as_sent = (id.to_owned(), secret.to_owned());
    let readings = decode_form(id).zip(decode_form(secret)).into_iter().chain([as_sent]);
    let is_its = |found: &&Credential, id: &str| found.kind == Kind::ClientSecret && found.subject == id;
    let mut known = readings.filter_map(|(id, secret)| find(world, &secret).ok().filter(|found| is_its(found, &id)));
    known.next().map_or_else(|| Verdict::reject("unknown-client"), |found| judge_found(found, now))
}

/// RFC 6749 appendix B. `None` for text that no encoder writes.
fn decode_form(value: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
                rest = &rest[2..];
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

/// docs/api-keys.md, "How a key is found".
fn find<'w>(world: &'w World, key: &str) -> Result<&'w Credential, &'static str> {
    let is_native = key.starts_with(&format!("{}_{}_", world.prefix, world.env));
    let has_foreign = world.credentials.iter().any(|credential| !credential.native);
    let may_be_one = if is_native {
        is_well_formed(key, world.prefix, world.env)
    } else {
        // This world has no keys of another prefix or environment.
        !is_well_formed_elsewhere(key) && has_foreign && (16..=512).contains(&key.len())
    };
    if !may_be_one {
        return Err("malformed-api-key");
    }
    let is_it = |credential: &&Credential| credential.native == is_native && credential.secret == key;
    world.credentials.iter().find(is_it).ok_or("unknown-api-key")
}

fn judge_found(found: &Credential, now: i64) -> Verdict {
    let mut reasons = BTreeSet::new();
    match found.state {
        State::Active => {}
        State::Disabled => drop(reasons.insert("disabled")),
        State::Revoked => drop(reasons.insert("revoked")),
    }
    if found.not_before.is_some_and(|start| now < start) {
        reasons.insert("not-yet-valid");
    }
    if found.expires_at.is_some_and(|end| now >= end) {
        reasons.insert("expired");
    }
    if !reasons.is_empty() {
        return Verdict::Reject(reasons);
    }
    let (kind, client) = match found.kind {
        Kind::ApiKey => ("api-key", found.client),
        Kind::ClientSecret => ("client", Some(found.subject)),
        Kind::AccessToken => ("access-token", found.client),
    };
    Verdict::Accept(Box::new(Facts {
        kind,
        issuer: None,
        subject: Some(found.subject.to_owned()),
        audience: Vec::new(),
        scopes: found.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        client_id: client.map(Into::into),
        credential_id: Some(found.id.to_owned()),
        key_id: None,
        expires_at: found.expires_at,
        claims: None,
    }))
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_tchar)
}

/// An API key or opaque token: RFC 9110 sections 5.6.2 and 11.2, and the colon.
fn key(text: &[u8]) -> Option<&str> {
    let is_key = |byte: &u8| is_token(&[*byte]) || b"/=:".contains(byte);
    std::str::from_utf8(text).ok().filter(|_| !text.is_empty() && text.iter().all(is_key))
}
