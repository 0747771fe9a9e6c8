//! A JWT in compact serialisation: RFC 7515, RFC 7519, RFC 8725, RFC 9068, and SECURITY.md where these leave a choice.
//!
//! Each check is independent and gives its own reason, whatever the others find.

use std::collections::BTreeSet;

use crate::base64::decode_url;
use crate::claims::{self, Claims};
use crate::json::Json;
use crate::key::{Key, Signature};
use crate::mapping::{self, Mapped};
use crate::spiffe;
use crate::template::Template;
use crate::validator;
use crate::verdict::{Facts, Verdict};
use crate::world::{Issuer, Typ, World};

type Reasons = BTreeSet<&'static str>;

/// All `alg` that tollgate knows (docs/algorithms.md).
pub(crate) const ALGORITHMS: [&str; 18] = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "EdDSA",
    "Ed25519",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];

/// The default limits of members of an object and entries of a list: the documented values from `tollgate_jwt::limits`.
const MAX_MEMBERS: usize = 256;
const MAX_LIST_ENTRIES: usize = 128;

/// The most keys that are tried for one token (docs/keys.md).
const MAX_KEYS_TRIED: usize = 4;

/// Judges `token`, which begins like a JWS and is not cached.
pub(crate) fn judge(world: &World, token: &[u8], now: i64) -> Verdict {
    match check(world, token, now) {
        Checked { issuer: Some(index), outcome: Ok(facts) } => {
            match validator::refusal(&world.issuers[index], false, &facts, now, &mut Vec::new()) {
                Some(code) => Verdict::reject(code),
                None => Verdict::Accept(facts),
            }
        }
        Checked { outcome: Ok(facts), .. } => Verdict::Accept(facts),
        Checked { outcome: Err(verdict), .. } => verdict,
    }
}

/// The findings about a token before the validators run.
pub(crate) struct Checked {
    /// The index of the issuer whose policy applies, if any.
    pub(crate) issuer: Option<usize>,
    pub(crate) outcome: Result<Box<Facts>, Verdict>,
}

impl Checked {
    fn rejected(reason: &'static str) -> Self {
        Checked { issuer: None, outcome: Err(Verdict::reject(reason)) }
    }
}

pub(crate) fn check(world: &World, token: &[u8], now: i64) -> Checked {
    let Ok(token) = std::str::from_utf8(token) else {
        return Checked::rejected("malformed-credential");
    };
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = match parts[..] {
        [header, payload, signature] => [header, payload, signature],
        [_, _, _, _, _] => return Checked::rejected("encrypted-token"),
        _ => return Checked::rejected("malformed-token"),
    };
    let mut reasons = Reasons::new();
    let header = read_header(header, &mut reasons);
    // Until the issuer is known, the widest limits of all issuers apply.
    let widest = world.issuers.iter().map(|issuer| issuer.max_members).fold(MAX_MEMBERS, usize::max);
    let longest = world.issuers.iter().map(|issuer| issuer.max_list_entries).fold(MAX_LIST_ENTRIES, usize::max);
    let claims = decode_object(payload, widest, &mut reasons).and_then(|payload| {
        let is_short = !mapping::has_long_list(&payload, longest);
        if !is_short {
            reasons.insert("too-many-entries");
        }
        let claims = claims::read(&payload).map_err(|reason| reasons.insert(reason)).ok()?;
        is_short.then_some((claims, payload))
    });
    let width = decode_url(payload).map_or(0, |payload| Json::widest(&payload));
    let index = claims
        .as_ref()
        .and_then(|(claims, payload)| find_issuer(world, header.as_ref(), claims, payload, &mut reasons));
    let issuer = index.map(|index| &world.issuers[index]);
    let mut mapped = Mapped::default();
    if let (Some(issuer), Some((claims, payload))) = (issuer, &claims) {
        if width > issuer.max_members {
            reasons.insert("too-many-members");
        }
        if mapping::has_long_list(payload, issuer.max_list_entries) {
            reasons.insert("too-many-entries");
        }
        mapped = mapping::read(issuer, payload, &mut reasons);
        check_tenant(issuer, claims, payload, &mut reasons);
        if issuer.is_trust_domain && !claims.sub.as_deref().is_some_and(spiffe::is_workload) {
            reasons.insert("invalid-claim");
        }
        check_claims(issuer, header.as_ref(), claims, &mapped, payload, now, &mut reasons);
    }
    let octets = decode_url(signature);
    if octets.is_none() {
        reasons.insert("malformed-signature");
    }
    let candidates = match (&header, issuer, &claims) {
        (Some(header), Some(issuer), Some((claims, _))) => {
            let iss = issuer_of(issuer, claims);
            candidates(issuer, header, iss.as_deref().unwrap_or_default(), &mut reasons)
        }
        _ => Vec::new(),
    };
    let (Some(octets), Some((claims, payload)), true) = (octets, claims, reasons.is_empty()) else {
        return Checked { issuer: index, outcome: Err(Verdict::Reject(reasons)) };
    };
    let signing_input = &token[..token.len() - signature.len() - 1];
    let checks: Vec<_> = candidates.iter().map(|key| key.check(signing_input.as_bytes(), &octets)).collect();
    let outcome = match checks.iter().position(|check| *check == Signature::Good) {
        Some(good) => {
            let issuer = issuer.and_then(|issuer| issuer_of(issuer, &claims));
            Ok(Box::new(facts(issuer, claims, mapped, payload, candidates[good])))
        }
        None if checks.contains(&Signature::Bad) => Err(Verdict::reject("bad-signature")),
        // Without a named key, any key may have made the signature.
        None if header.is_some_and(|header| {
            let is_named = header.kid.is_some() && candidates.iter().any(|key| key.kid == header.kid);
            !is_named && Key::may_make(&header.alg, octets.len())
        }) =>
        {
            Err(Verdict::reject("unknown-key"))
        }
        None => Err(Verdict::reject("malformed-signature")),
    };
    Checked { issuer: index, outcome }
}

struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

/// RFC 7515 section 4.
fn read_header(text: &str, reasons: &mut Reasons) -> Option<Header> {
    let header = decode_object(text, MAX_MEMBERS, reasons)?;
    let before = reasons.len();
    if header.get("crit").is_some() {
        reasons.insert("critical-header");
    }
    if ["b64", "zip", "enc"].iter().any(|name| header.get(name).is_some()) {
        reasons.insert("unsupported-header");
    }
    let mut text = |name: &str| match header.get(name) {
        None => None,
        Some(Json::String(text)) if !text.contains('\0') => Some(text.clone()),
        Some(_) => {
            reasons.insert("malformed-token");
            None
        }
    };
    let (alg, kid, typ, cty) = (text("alg"), text("kid"), text("typ"), text("cty"));
    // Other names of a key. No key here has one.
    if header.get("kid").is_none() {
        let _names = (text("x5t"), text("x5t#S256"));
    }
    if cty.is_some_and(|cty| media_subtype(&cty) == "jwt") {
        reasons.insert("unsupported-header");
    }
    match &alg {
        None => drop(reasons.insert("malformed-token")),
        Some(alg) if !ALGORITHMS.contains(&alg.as_str()) => drop(reasons.insert("algorithm-not-allowed")),
        Some(_) => {}
    }
    if reasons.len() > before { None } else { alg.map(|alg| Header { alg, kid, typ }) }
}

/// The issuer of a token. In a trust domain, that is the trust domain, whatever `iss` says.
fn issuer_of(issuer: &Issuer, claims: &Claims) -> Option<String> {
    if issuer.is_trust_domain { Some(issuer.name.clone()) } else { claims.iss.clone() }
}

/// The section for a token: that of its issuer's name, else of a matching template, else of the trust domain of its `sub`. Of
/// several sections, those that accept its `typ`; of several such, the one that names the first of the token's audiences that
/// any of them names (SECURITY.md).
fn find_issuer(
    world: &World,
    header: Option<&Header>,
    claims: &Claims,
    payload: &Json,
    reasons: &mut Reasons,
) -> Option<usize> {
    let all = &world.issuers;
    let those = |is_one: &dyn Fn(&Issuer) -> bool| -> Vec<usize> {
        (0..all.len()).filter(|index| is_one(&all[*index])).collect()
    };
    let mut of_name = Vec::new();
    if let Some(iss) = &claims.iss {
        let matches = |name: &str| matches!(Template::of(name), Ok(Some(template)) if template.tenant(iss).is_some());
        // The text of a template is not itself an issuer's name.
        let is = |name: &str| name == iss && matches!(Template::of(name), Ok(None));
        of_name = those(&|issuer| !issuer.is_trust_domain && is(&issuer.name));
        if of_name.is_empty() {
            of_name = those(&|issuer| matches(&issuer.name));
        }
    }
    let mut is_in_a_domain = false;
    if of_name.is_empty() && all.iter().any(|issuer| issuer.is_trust_domain) {
        let domain = claims.sub.as_deref().and_then(spiffe::domain_of);
        is_in_a_domain = domain.is_some();
        of_name = those(&|issuer| issuer.is_trust_domain && Some(&issuer.name) == domain.as_ref());
    }
    match of_name[..] {
        [] => {
            let is_named = claims.iss.is_some() || is_in_a_domain;
            reasons.insert(if is_named { "unknown-issuer" } else { "missing-claim" });
            return None;
        }
        [only] => return Some(only),
        _ => {}
    }
    // Without a readable header the token is rejected anyway.
    let header = header?;
    let of_typ: Vec<usize> = of_name.into_iter().filter(|index| takes(&all[*index].typ(), header).is_some()).collect();
    match of_typ[..] {
        [] => {
            reasons.insert("type-not-allowed");
            None
        }
        [only] => Some(only),
        [first, ..] => {
            let value = all[first].audience_claims.iter().find_map(|path| mapping::at(payload, path));
            let audiences: Vec<&str> = match value {
                Some(Json::String(one)) => vec![one.as_str()],
                Some(Json::Array(entries)) => entries.iter().filter_map(Json::as_str).collect(),
                _ => Vec::new(),
            };
            let named = audiences.iter().find_map(|one| of_typ.iter().find(|i| all[**i].audiences.contains(one)));
            if named.is_none() && !audiences.is_empty() {
                reasons.insert("wrong-audience");
                return None;
            }
            // All sections have the same substitute for the audience.
            Some(named.copied().unwrap_or(first))
        }
    }
}

/// For a template: whether the tenant is listed, and its claim equals the tenant in `iss`.
fn check_tenant(issuer: &Issuer, claims: &Claims, payload: &Json, reasons: &mut Reasons) {
    let (Ok(Some(template)), Some(iss)) = (Template::of(&issuer.name), &claims.iss) else { return };
    let tenant = template.tenant(iss).unwrap_or_default();
    if issuer.tenants.as_ref().is_some_and(|tenants| !tenants.iter().any(|one| one == tenant)) {
        reasons.insert("unknown-issuer");
    }
    match issuer.tenant_claim.and_then(|path| mapping::at(payload, path)) {
        None => drop(reasons.insert("missing-claim")),
        Some(Json::String(claimed)) if claimed == tenant => {}
        Some(_) => drop(reasons.insert("wrong-claim")),
    }
}

/// Whether a token with this header is an access token as in RFC 9068; `None` if its `typ` is not accepted.
fn takes(typ: &Typ, header: &Header) -> Option<bool> {
    let sent = header.typ.as_deref().map(media_subtype);
    let (is_jwt, is_access_token) = (matches!(sent.as_deref(), None | Some("jwt")), sent.as_deref() == Some("at+jwt"));
    match typ {
        Typ::Jwt => is_jwt.then_some(false),
        Typ::AccessToken => is_access_token.then_some(true),
        Typ::Both => (is_jwt || is_access_token).then_some(is_access_token),
        Typ::OneOf(types) => {
            let is_taken = |one: &&&str| match &sent {
                None => one.is_empty(),
                Some(sent) => !one.is_empty() && media_subtype(one) == *sent,
            };
            types.iter().find(is_taken).map(|_| false)
        }
    }
}

fn check_claims(
    issuer: &Issuer,
    header: Option<&Header>,
    claims: &Claims,
    mapped: &Mapped,
    payload: &Json,
    now: i64,
    reasons: &mut Reasons,
) {
    let mut required = issuer.required.clone();
    if let Some(header) = header {
        if issuer.algorithms().is_some_and(|admitted| !admitted.contains(&header.alg.as_str())) {
            reasons.insert("algorithm-not-allowed");
        }
        match takes(&issuer.typ(), header) {
            None => drop(reasons.insert("type-not-allowed")),
            // RFC 9068 section 2.2. It also requires `iss`, `exp` and `aud`, as do the checks below, unless the
            // operator has accepted the danger of their absence (SECURITY.md).
            Some(true) => required
                .extend(["sub", "client_id", "iat", "jti"].into_iter().filter(|name| !issuer.optional.contains(name))),
            Some(false) => {}
        }
    }
    if !issuer.any_audience {
        match &mapped.audience {
            None => drop(reasons.insert("missing-claim")),
            Some(aud) if !aud.iter().any(|entry| issuer.audiences.contains(&entry.as_str())) => {
                reasons.insert("wrong-audience");
            }
            Some(_) => {}
        }
    }
    if let Some(cnf) = &claims.cnf {
        reasons.extend(confirmation(cnf));
    }
    match claims.exp {
        None if !issuer.missing_exp => drop(reasons.insert("missing-claim")),
        // RFC 7519 section 4.1.4: "on or after which". SECURITY.md: an `exp` of zero or less has expired.
        Some(exp) if exp <= 0 || i128::from(now) >= i128::from(exp) + i128::from(issuer.leeway) => {
            reasons.insert("expired");
        }
        _ => {}
    }
    if claims.nbf.is_some_and(|nbf| i128::from(now) < i128::from(nbf) - i128::from(issuer.leeway)) {
        reasons.insert("not-yet-valid");
    }
    if required.iter().any(|path| matches!(mapping::at(payload, path), None | Some(Json::Null))) {
        reasons.insert("missing-claim");
    }
}

/// The reason to reject a sender-constrained token when nothing is known of the sender (RFC 8705 section 3).
fn confirmation(cnf: &[(String, Json)]) -> Vec<&'static str> {
    if cnf.is_empty() {
        return vec!["empty-confirmation"];
    }
    let reason = |(name, value): &(String, Json)| match (name.as_str(), value) {
        ("x5t#S256", Json::String(text)) if decode_url(text).is_some_and(|digest| digest.len() == 32) => {
            "certificate-required"
        }
        ("jkt", Json::String(text)) if decode_url(text).is_some_and(|digest| digest.len() == 32) => "proof-required",
        ("x5t#S256" | "jkt", _) => "invalid-confirmation",
        _ => "sender-constrained",
    };
    cnf.iter().map(reason).collect()
}

/// docs/keys.md, "Which key a token is checked under".
fn candidates<'w>(issuer: &'w Issuer, header: &Header, iss: &str, reasons: &mut Reasons) -> Vec<&'w Key> {
    let of_algorithm = || issuer.keys.iter().filter(|key| key.alg == header.alg);
    let mut found: Vec<&Key> = match &header.kid {
        None => of_algorithm().collect(),
        Some(kid) => {
            let named: Vec<_> = of_algorithm().filter(|key| key.kid.as_ref() == Some(kid)).collect();
            if !named.is_empty() {
                if named.iter().any(|key| !issuer.admits(key, iss)) {
                    reasons.insert("key-not-admitted");
                }
                return named;
            }
            if issuer.keys.iter().any(|key| key.kid.as_ref() == Some(kid)) {
                reasons.insert("algorithm-mismatch");
                return Vec::new();
            }
            of_algorithm().filter(|key| key.kid.is_none()).collect()
        }
    };
    // One key under several names counts once, by the first name, unless its purposes differ.
    found.sort_by_key(|key| &key.kid);
    let mut distinct: Vec<&Key> = Vec::new();
    for key in found {
        if !distinct.iter().any(|other| other.is_same(key) && other.special_purposes() == key.special_purposes()) {
            distinct.push(key);
        }
    }
    match distinct.len() {
        0 => drop(reasons.insert("unknown-key")),
        count if count > MAX_KEYS_TRIED => drop(reasons.insert("ambiguous-key")),
        _ => {
            distinct.retain(|key| issuer.admits(key, iss));
            if distinct.is_empty() {
                reasons.insert("unknown-key");
            }
        }
    }
    distinct
}

fn facts(issuer: Option<String>, claims: Claims, mapped: Mapped, payload: Json, key: &Key) -> Facts {
    Facts {
        kind: "jwt",
        issuer,
        subject: mapped.subject,
        audience: mapped.audience.unwrap_or_default(),
        scopes: mapped.scopes,
        client_id: mapped.client,
        credential_id: claims.jti,
        key_id: key.kid.clone(),
        expires_at: claims.exp,
        claims: Some(payload),
    }
}

/// The object in a part of the token, or the reasons why there is none.
fn decode_object(text: &str, max_members: usize, reasons: &mut Reasons) -> Option<Json> {
    let text = decode_url(text).unwrap_or_default();
    let is_narrow = Json::widest(&text) <= max_members;
    if !is_narrow {
        reasons.insert("too-many-members");
    }
    match Json::parse(&text) {
        Ok(json @ Json::Object(_)) => Some(json).filter(|_| is_narrow),
        _ => {
            reasons.insert("malformed-token");
            None
        }
    }
}

/// RFC 7515 section 4.1.9: `application/` may be omitted if no other slash follows; media types compare case-insensitively.
fn media_subtype(media_type: &str) -> String {
    let media_type = media_type.to_ascii_lowercase();
    match media_type.strip_prefix("application/") {
        Some(subtype) if !subtype.contains('/') => subtype.to_owned(),
        _ => media_type,
    }
}
