//! A JWT in compact serialisation: RFC 7515, RFC 7519, RFC 8725, RFC 9068, and where these leave a choice, SECURITY.md.
//!
//! Each check is made for itself and says its reason, whatever the others say.

use std::collections::BTreeSet;

use crate::base64::decode_url;
use crate::claims::{self, Claims};
use crate::json::Json;
use crate::key::{Key, Signature};
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

/// The most members of an object: `tollgate_jwt::limits`, by its documented value.
const MAX_MEMBERS: usize = 256;

/// The most keys that are tried for one token (docs/keys.md).
const MAX_KEYS_TRIED: usize = 4;

/// Judges `token`, which begins as a JWS does.
pub(crate) fn judge(world: &World, token: &[u8], now: i64) -> Verdict {
    if world.issuers.is_empty() {
        return Verdict::reject("credential-not-accepted");
    }
    let Ok(token) = std::str::from_utf8(token) else {
        return Verdict::reject("malformed-credential");
    };
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = match parts[..] {
        [header, payload, signature] => [header, payload, signature],
        [_, _, _, _, _] => return Verdict::reject("encrypted-token"),
        _ => return Verdict::reject("malformed-token"),
    };
    let mut reasons = Reasons::new();
    let header = read_header(header, &mut reasons);
    let claims = decode_object(payload, &mut reasons).and_then(|payload| {
        let is_short = !claims::has_long_list(&payload);
        if !is_short {
            reasons.insert("too-many-entries");
        }
        let claims = claims::read(&payload).map_err(|reason| reasons.insert(reason)).ok()?;
        is_short.then_some((claims, payload))
    });
    let issuer = claims.as_ref().and_then(|(claims, _)| find_issuer(world, claims, &mut reasons));
    if let (Some(issuer), Some((claims, payload))) = (issuer, &claims) {
        check_claims(issuer, header.as_ref(), claims, payload, now, &mut reasons);
    }
    let octets = decode_url(signature);
    if octets.is_none() {
        reasons.insert("malformed-signature");
    }
    let candidates = match (&header, issuer) {
        (Some(header), Some(issuer)) => candidates(issuer, header, &mut reasons),
        _ => Vec::new(),
    };
    let (Some(octets), Some((claims, payload)), true) = (octets, claims, reasons.is_empty()) else {
        return Verdict::Reject(reasons);
    };
    let signing_input = &token[..token.len() - signature.len() - 1];
    let checks: Vec<_> = candidates.iter().map(|key| key.check(signing_input.as_bytes(), &octets)).collect();
    match checks.iter().position(|check| *check == Signature::Good) {
        Some(index) => Verdict::Accept(Box::new(facts(claims, payload, candidates[index]))),
        None if checks.contains(&Signature::Bad) => Verdict::reject("bad-signature"),
        // Where no key is named, another one may have made it.
        None if header.is_some_and(|header| {
            let is_named = header.kid.is_some() && candidates.iter().any(|key| key.kid == header.kid);
            !is_named && Key::may_make(&header.alg, octets.len())
        }) =>
        {
            Verdict::reject("unknown-key")
        }
        None => Verdict::reject("malformed-signature"),
    }
}

struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

/// RFC 7515 section 4.
fn read_header(text: &str, reasons: &mut Reasons) -> Option<Header> {
    let header = decode_object(text, reasons)?;
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

fn find_issuer<'w>(world: &'w World, claims: &Claims, reasons: &mut Reasons) -> Option<&'w Issuer> {
    let issuer = world.issuers.iter().find(|issuer| Some(issuer.name) == claims.iss.as_deref());
    if issuer.is_none() {
        reasons.insert(if claims.iss.is_some() { "unknown-issuer" } else { "missing-claim" });
    }
    issuer
}

fn check_claims(
    issuer: &Issuer,
    header: Option<&Header>,
    claims: &Claims,
    payload: &Json,
    now: i64,
    reasons: &mut Reasons,
) {
    let mut required = issuer.required.clone();
    if let Some(header) = header {
        if issuer.algorithms.as_ref().is_some_and(|admitted| !admitted.contains(&header.alg.as_str())) {
            reasons.insert("algorithm-not-allowed");
        }
        let typ = header.typ.as_deref().map(media_subtype);
        let (is_jwt, is_access_token) =
            (matches!(typ.as_deref(), None | Some("jwt")), typ.as_deref() == Some("at+jwt"));
        let is_allowed = match issuer.typ {
            Typ::Jwt => is_jwt,
            Typ::AccessToken => is_access_token,
            Typ::Both => is_jwt || is_access_token,
        };
        if !is_allowed {
            reasons.insert("type-not-allowed");
        }
        if is_access_token {
            // RFC 9068 section 2.2. It requires `iss`, `exp` and `aud` too, as does everything below, unless the operator has
            // accepted the danger of their absence (SECURITY.md).
            required.extend(["sub", "client_id", "iat", "jti"]);
        }
    }
    if !issuer.any_audience {
        match &claims.aud {
            None => drop(reasons.insert("missing-claim")),
            Some(aud) if !aud.iter().any(|entry| issuer.audiences.contains(&entry.as_str())) => {
                reasons.insert("wrong-audience");
            }
            Some(_) => {}
        }
    }
    if claims.has_cnf {
        reasons.insert("sender-constrained");
    }
    match claims.exp {
        None if !issuer.missing_exp => drop(reasons.insert("missing-claim")),
        // RFC 7519 section 4.1.4: "on or after which". SECURITY.md: zero or less has expired.
        Some(exp) if exp <= 0 || i128::from(now) >= i128::from(exp) + i128::from(issuer.leeway) => {
            reasons.insert("expired");
        }
        _ => {}
    }
    if claims.nbf.is_some_and(|nbf| i128::from(now) < i128::from(nbf) - i128::from(issuer.leeway)) {
        reasons.insert("not-yet-valid");
    }
    if required.iter().any(|name| matches!(payload.get(name), None | Some(Json::Null))) {
        reasons.insert("missing-claim");
    }
}

/// docs/keys.md, "Which key a token is checked under".
fn candidates<'w>(issuer: &'w Issuer, header: &Header, reasons: &mut Reasons) -> Vec<&'w Key> {
    let of_algorithm = || issuer.keys.iter().filter(|key| key.alg == header.alg);
    let mut found: Vec<&Key> = match &header.kid {
        None => of_algorithm().collect(),
        Some(kid) => {
            let named: Vec<_> = of_algorithm().filter(|key| key.kid.as_ref() == Some(kid)).collect();
            if !named.is_empty() {
                return named;
            }
            if issuer.keys.iter().any(|key| key.kid.as_ref() == Some(kid)) {
                reasons.insert("algorithm-mismatch");
                return Vec::new();
            }
            of_algorithm().filter(|key| key.kid.is_none()).collect()
        }
    };
    // A key under several names is one, and known by the first of them.
    found.sort_by_key(|key| &key.kid);
    let mut distinct: Vec<&Key> = Vec::new();
    for key in found {
        if !distinct.iter().any(|other| other.is_same(key)) {
            distinct.push(key);
        }
    }
    match distinct.len() {
        0 => drop(reasons.insert("unknown-key")),
        count if count > MAX_KEYS_TRIED => drop(reasons.insert("ambiguous-key")),
        _ => {}
    }
    distinct
}

fn facts(claims: Claims, payload: Json, key: &Key) -> Facts {
    Facts {
        kind: "jwt",
        issuer: claims.iss,
        subject: claims.sub,
        audience: claims.aud.unwrap_or_default(),
        scopes: claims.scopes,
        client_id: claims.client_id.or(claims.azp),
        credential_id: claims.jti,
        key_id: key.kid.clone(),
        expires_at: claims.exp,
        claims: Some(payload),
    }
}

/// The object that a part holds, or the reasons why it holds none.
fn decode_object(text: &str, reasons: &mut Reasons) -> Option<Json> {
    let text = decode_url(text).unwrap_or_default();
    let is_narrow = Json::widest(&text) <= MAX_MEMBERS;
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

/// RFC 7515 section 4.1.9: `application/` may be left out where no other slash follows; media types compare without regard to case.
fn media_subtype(media_type: &str) -> String {
    let media_type = media_type.to_ascii_lowercase();
    match media_type.strip_prefix("application/") {
        Some(subtype) if !subtype.contains('/') => subtype.to_owned(),
        _ => media_type,
    }
}
