use std::collections::BTreeSet;

use crate::api_key::is_well_formed;
use crate::base64::decode_standard;
use crate::jws;
use crate::verdict::{Facts, Verdict};
use crate::world::{Credential, Kind, State, World};

/// Judges the value of an Authorization header at `now`, in seconds since the Unix epoch.
#[must_use]
pub fn judge(world: &World, header: &[u8], now: i64) -> Verdict {
    if header.is_empty() {
        return Verdict::reject("missing-credential");
    }
    if header.len() > world.max_header_bytes {
        return Verdict::reject("header-too-long");
    }
    if begins_as_jws(header) {
        return jws::judge(world, header, now);
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
        b"bearer" if begins_as_jws(credentials) => jws::judge(world, credentials, now),
        b"bearer" => match token68(credentials) {
            Some(token) => judge_key(world, token, &[Kind::ApiKey, Kind::AccessToken], now),
            None => Verdict::reject("malformed-credential"),
        },
        b"basic" => match token68(credentials) {
            Some(credentials) => judge_basic(world, credentials, now),
            None => Verdict::reject("malformed-credential"),
        },
        _ => Verdict::reject("unsupported-scheme"),
    }
}

/// Judges the value of an `X-API-Key` header.
#[must_use]
pub fn judge_api_key(world: &World, value: &[u8], now: i64) -> Verdict {
    if value.is_empty() {
        Verdict::reject("missing-credential")
    } else if value.len() > world.max_header_bytes {
        Verdict::reject("header-too-long")
    } else {
        judge_bare_key(world, value, now)
    }
}

/// ARCHITECTURE.md, "Decisions": a JOSE header in base64url begins with `ey` or `ew`, and a dot follows somewhere.
fn begins_as_jws(text: &[u8]) -> bool {
    (text.starts_with(b"ey") || text.starts_with(b"ew")) && text.contains(&b'.')
}

fn judge_bare(world: &World, text: &[u8], now: i64) -> Verdict {
    // A scheme and nothing else.
    match text.to_ascii_lowercase().as_slice() {
        b"bearer" | b"basic" | b"dpop" => Verdict::reject("malformed-credential"),
        _ => judge_bare_key(world, text, now),
    }
}

fn judge_bare_key(world: &World, text: &[u8], now: i64) -> Verdict {
    let is_bare = |byte: &u8| is_token(&[*byte]) || b"/=:".contains(byte);
    match std::str::from_utf8(text) {
        Ok(key) if text.iter().all(is_bare) => judge_key(world, key, &[Kind::ApiKey], now),
        _ => Verdict::reject("malformed-credential"),
    }
}

fn judge_key(world: &World, key: &str, kinds: &[Kind], now: i64) -> Verdict {
    match find(world, key) {
        Err(reason) => Verdict::reject(reason),
        Ok(found) if !kinds.contains(&found.kind) => Verdict::reject("unknown-api-key"),
        Ok(found) => judge_found(found, now),
    }
}

/// RFC 7617 section 2, held to the canonical form: base64 of UTF-8 without controls, split at the first colon.
fn judge_basic(world: &World, credentials: &str, now: i64) -> Verdict {
    let text = decode_standard(credentials).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = text.filter(|text| !text.chars().any(char::is_control)) else {
        return Verdict::reject("malformed-credential");
    };
    let Some((id, secret)) = text.split_once(':') else {
        return Verdict::reject("malformed-credential");
    };
    match find(world, secret) {
        Ok(found) if found.kind == Kind::ClientSecret && found.subject == id => judge_found(found, now),
        _ => Verdict::reject("unknown-client"),
    }
}

/// docs/api-keys.md, "How a key is found".
fn find<'w>(world: &'w World, key: &str) -> Result<&'w Credential, &'static str> {
    let is_native = key.starts_with(&format!("{}_{}_", world.prefix, world.env));
    let has_foreign = world.credentials.iter().any(|credential| !credential.native);
    let may_be_one = if is_native {
        is_well_formed(key, world.prefix, world.env)
    } else {
        has_foreign && (16..=512).contains(&key.len())
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

/// RFC 9110 section 11.2, RFC 6750 section 2.1: one character or more, then any number of `=`.
fn token68(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    let characters = text.trim_end_matches('=');
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    (!characters.is_empty() && characters.bytes().all(is_one)).then_some(text)
}
