//! The claims settings of an issuer: the sources of audience, client, subject and scopes, and the expected values
//! (docs/claims.md), claim by claim.

use std::collections::BTreeSet;

use crate::claims::{is_scope_token, names_somebody, split_scope};
use crate::json::Json;
use crate::world::{ExpectedValue, Issuer};

type Reason = &'static str;

/// The values that a token's claims are mapped to.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub(crate) audience: Option<Vec<String>>,
    pub(crate) client: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) scopes: Vec<String>,
}

/// Reads the claims that the issuer's configuration names, and adds a reason for each failure.
pub(crate) fn read(issuer: &Issuer, payload: &Json, reasons: &mut BTreeSet<Reason>) -> Mapped {
    let mut fail = |reason| {
        reasons.insert(reason);
    };
    let mut mapped = Mapped::default();
    let audience = issuer.audience_claims.iter().find_map(|path| Some((path, at(payload, path)?)));
    if let Some((_, value)) = audience {
        match list(value, issuer.max_list_entries) {
            Ok(audience) => mapped.audience = Some(audience),
            Err(reason) => fail(reason),
        }
    }
    for (paths, place) in [(&issuer.client_claims, &mut mapped.client), (&issuer.subject_claims, &mut mapped.subject)] {
        if let Some(value) = paths.iter().find_map(|path| at(payload, path)) {
            match names_somebody(value).filter(|text| !text.is_empty()) {
                Some(text) => *place = Some(text),
                None => fail("invalid-claim"),
            }
        }
    }
    let sources: Vec<_> = issuer.scope_claims.iter().map(|(path, prefix)| (path, prefix, at(payload, path))).collect();
    if sources.iter().any(|(_, _, value)| is_long(*value, issuer.max_list_entries)) {
        fail("too-many-entries");
    }
    let there = sources.iter().filter_map(|(path, prefix, value)| Some((path, prefix, (*value)?)));
    for (path, prefix, value) in there.take(if issuer.all_scopes { usize::MAX } else { 1 }) {
        for scope in scopes(path, value) {
            let passes_for_another = prefix.is_empty()
                && issuer.scope_claims.iter().any(|(_, other)| !other.is_empty() && scope.starts_with(other));
            let scope = format!("{prefix}{scope}");
            // The union of several claims, without duplicates.
            let is_repeated = issuer.all_scopes && mapped.scopes.contains(&scope);
            if !passes_for_another && !is_repeated {
                mapped.scopes.push(scope);
            }
        }
    }
    for (path, expected) in &issuer.expected {
        match at(payload, path) {
            None => fail("missing-claim"),
            Some(value) if is_long(Some(value), issuer.max_list_entries) => fail("too-many-entries"),
            Some(Json::Array(entries)) if entries.iter().any(|entry| is_one_of(entry, expected)) => {}
            Some(value) if is_one_of(value, expected) => {}
            Some(_) => fail("wrong-claim"),
        }
    }
    mapped
}

/// Whether a list of strings in a registered claim is longer than the limit.
pub(crate) fn has_long_list(payload: &Json, max: usize) -> bool {
    ["aud", "scope", "scp"].iter().any(|name| is_long(payload.get(name), max))
}

/// RFC 6901 if the path begins with a slash, else the member of that name.
pub(crate) fn at<'j>(payload: &'j Json, path: &str) -> Option<&'j Json> {
    let Some(pointer) = path.strip_prefix('/') else {
        return payload.get(path);
    };
    pointer.split('/').try_fold(payload, |value, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match value {
            Json::Object(_) => value.get(&step),
            Json::Array(entries) => {
                let index: usize = step.parse().ok()?;
                // No sign, no leading zero.
                if index.to_string() == step { entries.get(index) } else { None }
            }
            _ => None,
        }
    })
}

/// The scopes of a claim. In `scope` and `scp` every entry must be a scope-token; in other claims the rest are left out.
fn scopes(path: &str, value: &Json) -> Vec<String> {
    let is_scope_claim = ["scope", "scp", "/scope", "/scp"].contains(&path);
    match value {
        Json::String(text) if is_scope_claim => split_scope(text).unwrap_or_default(),
        Json::String(text) => Some(text.clone()).filter(|text| is_scope_token(text)).into_iter().collect(),
        Json::Array(entries) => {
            let tokens = entries.iter().filter_map(Json::as_str).filter(|text| is_scope_token(text));
            tokens.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn list(value: &Json, max: usize) -> Result<Vec<String>, Reason> {
    if is_long(Some(value), max) {
        return Err("too-many-entries");
    }
    let entries = match value {
        Json::Array(entries) => entries.iter().map(names_somebody).collect(),
        one => names_somebody(one).map(|name| vec![name]),
    };
    entries.ok_or("invalid-claim")
}

fn is_long(value: Option<&Json>, max: usize) -> bool {
    matches!(value, Some(Json::Array(entries)) if entries.len() > max)
}

fn is_one_of(value: &Json, expected: &[ExpectedValue]) -> bool {
    expected.iter().any(|one| match (one, value) {
        (ExpectedValue::String(expected), Json::String(text)) => expected == text,
        (ExpectedValue::Bool(expected), Json::Bool(value)) => expected == value,
        (ExpectedValue::Integer(expected), Json::Number(text)) => is_integer(text, *expected),
        _ => false,
    })
}

/// Whether a number equals this integer. A 64-bit integer literal is compared exactly. Any other number is rounded to the
/// nearest double, which from 2^53 on stands for several integers.
fn is_integer(text: &str, expected: i64) -> bool {
    let integer = text.parse::<i128>().ok().filter(|value| (i64::MIN.into()..=u64::MAX.into()).contains(value));
    match integer {
        Some(value) => value == i128::from(expected),
        None => {
            let double: f64 = text.parse().unwrap_or(f64::NAN);
            double.abs() < 9_007_199_254_740_992.0 && double == expected as f64 && double as i64 == expected
        }
    }
}
