//! Sender-constrained tokens and their requests: generated from a number, and judged by RFC 7800, 8705 and 9449.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::base64::{decode_url, encode_url};
use crate::json::Json;
use crate::plan::Random;
use crate::setting::NOW;
use crate::signer::Signer;

/// A description of a bound token and its request.
#[derive(Clone, Debug)]
pub struct SenderPlan {
    number: u64,
    /// The defect, or an unusual but valid form.
    changes: Vec<Change>,
}

/// The request, as a server sees it.
#[derive(Clone, Debug)]
pub struct Presented {
    /// Whether the scheme is `DPoP`, otherwise `Bearer`.
    pub is_dpop: bool,
    /// The client certificate of the connection in DER; arbitrary bytes here.
    pub certificate: Option<Vec<u8>>,
    /// The method.
    pub method: Option<&'static str>,
    /// The absolute URI.
    pub uri: Option<&'static str>,
    /// The values of the field `DPoP`.
    pub proofs: Vec<String>,
}

/// The certificate of the client; any bytes serve.
const CERTIFICATE: &[u8] = b"the certificate of the client in DER";

/// Algorithms of proofs that are accepted by default.
const ACCEPTED: [&str; 4] = ["ES256", "EdDSA", "RS256", "PS256"];

/// The greatest age of `iat`, and its greatest lead, by default, in seconds (docs/sender-constrained.md).
const BACK: i64 = 60;
const AHEAD: i64 = 5;

/// docs/bounds.md.
const MAX_PROOF_BYTES: usize = 8 * 1024;

/// URIs of requests, the `htu` of the proof, and whether both are equivalent (RFC 3986 sections 6.2.2 and 6.2.3, without
/// query and fragment).
const TARGETS: [(&str, &str, bool); 20] = [
    ("https://api.example.com/sites", "https://api.example.com/sites", true),
    ("https://api.example.com/sites?page=2", "https://api.example.com/sites", true),
    ("https://api.example.com/sites", "https://API.example.COM:443/sites?x#y", true),
    ("https://api.example.com/sites", "HTTPS://api.example.com:/a/../%73ites", true),
    ("https://api.example.com/sites", "https://api.example.com/./sites", true),
    ("https://api.example.com", "https://api.example.com/", true),
    ("https://api.example.com/a%2fb", "https://api.example.com/a%2Fb", true),
    ("http://api.example.com:8080/", "http://api.example.com:8080", true),
    ("https://api.example.com/sites", "http://api.example.com/sites", false),
    ("https://api.example.com/sites", "https://api.example.com/Sites", false),
    ("https://api.example.com/sites", "https://api.example.com/sites/", false),
    ("https://api.example.com/sites", "https://api.example.com:8443/sites", false),
    ("https://api.example.com/sites", "https://evil.example/sites", false),
    ("https://api.example.com/sites", "https://api.example.com.evil.example/sites", false),
    ("https://api.example.com/sites", "https://user@api.example.com/sites", false),
    ("https://api.example.com/sites", "https://api.example.com/sites/..", false),
    ("https://api.example.com/a/b", "https://api.example.com/a%2Fb", false),
    ("https://api.example.com/sites", "/sites", false),
    ("https://api.example.com/sites", "", false),
    ("https://api.example.com/a", "https://api.example.com/%zz", false),
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Change {
    // The token.
    NotBound,
    ToCertificate,
    ToBoth,
    UnknownMember,
    EmptyConfirmation,
    KeyOfAnotherType,
    KeyPadded,
    KeyTooShort,
    CertificateTooLong,
    // The request.
    Bearer,
    NoCertificate,
    AnotherCertificate,
    NoMethod,
    NoUri,
    NoProof,
    TwoProofs,
    // The proof.
    Target,
    Method,
    NoType,
    JwtType,
    LongType,
    UpperType,
    NoneAlgorithm,
    SecretAlgorithm,
    AnotherName,
    AlgorithmOfAnotherKey,
    NoKey,
    KeyInText,
    PrivateKey,
    HalfKey,
    SecretKey,
    AnotherKey,
    NoId,
    EmptyId,
    IdOfAnotherType,
    NoTime,
    TimeInText,
    Oldest,
    TooOld,
    Latest,
    TooLate,
    Expired,
    ToCome,
    NoHash,
    AnotherHash,
    AnySignature,
    NoSignature,
    ShortSignature,
    TwoParts,
    NotJson,
    TwiceTheSame,
    TooLong,
}

impl Change {
    const ALL: [Change; 52] = [
        Change::NotBound,
        Change::ToCertificate,
        Change::ToBoth,
        Change::UnknownMember,
        Change::EmptyConfirmation,
        Change::KeyOfAnotherType,
        Change::KeyPadded,
        Change::KeyTooShort,
        Change::CertificateTooLong,
        Change::Bearer,
        Change::NoCertificate,
        Change::AnotherCertificate,
        Change::NoMethod,
        Change::NoUri,
        Change::NoProof,
        Change::TwoProofs,
        Change::Target,
        Change::Method,
        Change::NoType,
        Change::JwtType,
        Change::LongType,
        Change::UpperType,
        Change::NoneAlgorithm,
        Change::SecretAlgorithm,
        Change::AnotherName,
        Change::AlgorithmOfAnotherKey,
        Change::NoKey,
        Change::KeyInText,
        Change::PrivateKey,
        Change::HalfKey,
        Change::SecretKey,
        Change::AnotherKey,
        Change::NoId,
        Change::EmptyId,
        Change::IdOfAnotherType,
        Change::NoTime,
        Change::TimeInText,
        Change::Oldest,
        Change::TooOld,
        Change::Latest,
        Change::TooLate,
        Change::Expired,
        Change::ToCome,
        Change::NoHash,
        Change::AnotherHash,
        Change::AnySignature,
        Change::NoSignature,
        Change::ShortSignature,
        Change::TwoParts,
        Change::NotJson,
        Change::TwiceTheSame,
        Change::TooLong,
    ];
}

impl SenderPlan {
    /// The plan of that number: mostly one change; none in one of five.
    #[must_use]
    pub fn random(number: u64) -> Self {
        let mut random = Random::new(number);
        let count = [0, 1, 1, 1, 2][usize::from(random.byte()) % 5];
        let mut changes: Vec<_> =
            (0..count).map(|_| Change::ALL[usize::from(random.byte()) % Change::ALL.len()]).collect();
        // Only certificate-bound tokens require a certificate.
        if matches!(changes[..], [Change::NoCertificate | Change::AnotherCertificate | Change::CertificateTooLong]) {
            changes.push([Change::ToCertificate, Change::ToBoth][usize::from(random.byte()) % 2]);
        }
        SenderPlan { number, changes }
    }

    /// The claim `cnf` of the token.
    ///
    /// # Panics
    /// Never: the client's key can be expressed as a JWK.
    #[must_use]
    pub fn confirmation(&self) -> Option<Value> {
        let jkt = encode_url(&thumbprint(&self.client().jwk(None, false).and_then(|jwk| read(&jwk)).expect("a key")));
        let x5t = encode_url(&Sha256::digest(CERTIFICATE));
        let mut cnf = json!({ "jkt": jkt });
        for change in &self.changes {
            match change {
                Change::NotBound => return None,
                Change::ToCertificate => cnf = json!({ "x5t#S256": x5t }),
                Change::ToBoth => cnf["x5t#S256"] = x5t.as_str().into(),
                Change::UnknownMember => cnf["kid"] = "k".into(),
                Change::EmptyConfirmation => cnf = json!({}),
                Change::KeyOfAnotherType => cnf["jkt"] = json!([jkt]),
                Change::KeyPadded => cnf["jkt"] = format!("{jkt}=").into(),
                Change::KeyTooShort => cnf["jkt"] = encode_url(&[7; 31]).into(),
                Change::CertificateTooLong => cnf["x5t#S256"] = encode_url(&[7; 33]).into(),
                _ => {}
            }
        }
        Some(cnf)
    }

    /// The request with `token`, which has that [`cnf`](Self::confirmation).
    #[must_use]
    pub fn presented(&self, token: &str) -> Presented {
        let (uri, htu, _) = self.target();
        let has = |change| self.changes.contains(&change);
        let is_bound_to_key = !has(Change::NotBound) && !has(Change::ToCertificate);
        let proof = self.proof(token, htu);
        let proofs = match (has(Change::NoProof), has(Change::TwoProofs)) {
            (true, _) => Vec::new(),
            (_, true) => vec![proof.clone(), proof],
            _ if !is_bound_to_key && has(Change::ToCertificate) => Vec::new(),
            _ => vec![proof],
        };
        Presented {
            // An unbound token comes with either scheme.
            is_dpop: !has(Change::Bearer) && !has(Change::ToCertificate),
            certificate: if has(Change::NoCertificate) {
                None
            } else if has(Change::AnotherCertificate) {
                Some(b"another".to_vec())
            } else {
                Some(CERTIFICATE.to_vec())
            },
            method: (!has(Change::NoMethod)).then_some("GET"),
            uri: (!has(Change::NoUri)).then_some(uri),
            proofs,
        }
    }

    fn target(&self) -> (&'static str, &'static str, bool) {
        let choice = usize::try_from(self.number / 7 % TARGETS.len() as u64).unwrap_or(0);
        TARGETS[if self.changes.contains(&Change::Target) { choice } else { 0 }]
    }

    fn client(&self) -> &'static Signer {
        &CLIENTS[match self.number % 16 {
            0 => 2,
            1 => 3,
            number if number < 9 => 0,
            _ => 1,
        }]
    }

    fn proof(&self, token: &str, htu: &str) -> String {
        let has = |change| self.changes.contains(&change);
        let client = self.client();
        let stranger = &STRANGERS[usize::from(client.alg == "EdDSA")];
        let signer = if has(Change::AnotherKey) { stranger } else { client };
        let mut jwk: Value = serde_json::from_str(&signer.jwk(None, false).expect("a key")).expect("JSON");
        let mut head = json!({ "typ": "dpop+jwt", "alg": signer.alg });
        let mut claims = json!({
            "jti": format!("proof-{}", self.number), "htm": "GET", "htu": htu, "iat": NOW,
            "ath": encode_url(&Sha256::digest(token.as_bytes())),
        });
        for change in &self.changes {
            match change {
                Change::Method => claims["htm"] = "get".into(),
                Change::NoType => drop(head.as_object_mut().and_then(|head| head.remove("typ"))),
                Change::JwtType => head["typ"] = "JWT".into(),
                Change::LongType => head["typ"] = "application/dpop+jwt".into(),
                Change::UpperType => head["typ"] = "DPoP+JWT".into(),
                Change::NoneAlgorithm => head["alg"] = "none".into(),
                Change::SecretAlgorithm => head["alg"] = "HS256".into(),
                Change::AnotherName => head["alg"] = "ES384".into(),
                Change::AlgorithmOfAnotherKey => {
                    head["alg"] = if signer.alg == "EdDSA" { "ES256" } else { "EdDSA" }.into();
                }
                Change::PrivateKey => jwk["d"] = encode_url(&[7; 32]).into(),
                Change::HalfKey => {
                    let coordinate = if jwk["kty"] == "RSA" { "n" } else { "x" };
                    jwk[coordinate] = "AA".into();
                }
                Change::SecretKey => jwk = json!({ "kty": "oct", "k": encode_url(&[7; 32]) }),
                Change::NoId => drop(claims.as_object_mut().and_then(|claims| claims.remove("jti"))),
                Change::EmptyId => claims["jti"] = "".into(),
                Change::IdOfAnotherType => claims["jti"] = 7.into(),
                Change::NoTime => drop(claims.as_object_mut().and_then(|claims| claims.remove("iat"))),
                Change::TimeInText => claims["iat"] = NOW.to_string().into(),
                Change::Oldest => claims["iat"] = (NOW - BACK).into(),
                Change::TooOld => claims["iat"] = (NOW - BACK - 1).into(),
                Change::Latest => claims["iat"] = (NOW + AHEAD).into(),
                Change::TooLate => claims["iat"] = (NOW + AHEAD + 1).into(),
                Change::Expired => claims["exp"] = (NOW - AHEAD).into(),
                Change::ToCome => claims["nbf"] = (NOW + AHEAD + 1).into(),
                Change::NoHash => drop(claims.as_object_mut().and_then(|claims| claims.remove("ath"))),
                Change::AnotherHash => claims["ath"] = encode_url(&Sha256::digest(b"another token")).into(),
                Change::TooLong => claims["more"] = "x".repeat(MAX_PROOF_BYTES).into(),
                _ => {}
            }
        }
        if has(Change::KeyInText) {
            head["jwk"] = jwk.to_string().into();
        } else if !has(Change::NoKey) {
            head["jwk"] = jwk;
        }
        let mut parts = [head.to_string(), claims.to_string()];
        if has(Change::NotJson) {
            parts[1].pop();
        }
        if has(Change::TwiceTheSame) {
            parts[1] = parts[1].replacen('{', "{\"jti\":\"a\",\"jti\":\"b\",", 1);
        }
        let input = parts.map(|part| encode_url(part.as_bytes())).join(".");
        let mut signature = signer.sign(input.as_bytes());
        if has(Change::AnySignature) {
            let middle = signature.len() / 2;
            signature[middle] ^= 1;
        }
        if has(Change::ShortSignature) {
            signature.pop();
        }
        if has(Change::NoSignature) {
            signature.clear();
        }
        if has(Change::TwoParts) { input } else { format!("{input}.{}", encode_url(&signature)) }
    }
}

/// Each reason to reject a request with a valid token that has this `cnf`; empty if it is accepted. No proof was used before.
#[must_use]
pub fn judge_sender(cnf: Option<&Value>, token: &str, presented: &Presented, now: i64) -> BTreeSet<&'static str> {
    let mut reasons = BTreeSet::new();
    let (mut jkt, mut x5t) = (None, None);
    if let Some(cnf) = cnf.and_then(Value::as_object) {
        if cnf.is_empty() {
            reasons.insert("empty-confirmation");
        }
        for (name, value) in cnf {
            let digest = value.as_str().and_then(decode_url).filter(|digest| digest.len() == 32);
            match name.as_str() {
                "jkt" => jkt = Some(digest),
                "x5t#S256" => x5t = Some(digest),
                _ => drop(reasons.insert("sender-constrained")),
            }
        }
        if [&jkt, &x5t].into_iter().any(|digest| matches!(digest, Some(None))) {
            reasons.insert("invalid-confirmation");
        }
    }
    match (&x5t, &presented.certificate) {
        (None, _) => {}
        (Some(_), None) => drop(reasons.insert("certificate-required")),
        (Some(Some(expected)), Some(der)) if *expected != Sha256::digest(der)[..] => {
            reasons.insert("wrong-certificate");
        }
        _ => {}
    }
    match jkt {
        None if presented.is_dpop => drop(reasons.insert("token-not-bound")),
        None => {}
        Some(jkt) => {
            if !presented.is_dpop {
                reasons.insert("dpop-scheme-required");
            }
            match &presented.proofs[..] {
                [] => drop(reasons.insert("proof-required")),
                [proof] => judge_proof(proof, jkt.as_deref(), token, presented, now, &mut reasons),
                _ => drop(reasons.insert("multiple-proofs")),
            }
        }
    }
    reasons
}

/// RFC 9449 section 4.3.
fn judge_proof(
    proof: &str,
    jkt: Option<&[u8]>,
    token: &str,
    presented: &Presented,
    now: i64,
    reasons: &mut BTreeSet<&'static str>,
) {
    if proof.len() > MAX_PROOF_BYTES {
        reasons.insert("proof-too-long");
        return;
    }
    let parts: Vec<&str> = proof.split('.').collect();
    let part = |index: usize| Json::parse(&decode_url(parts.get(index)?)?).ok();
    if parts.len() != 3 {
        reasons.insert("malformed-proof");
        return;
    }
    match part(0) {
        Some(head) => judge_head(&head, &parts, jkt, reasons),
        None => drop(reasons.insert("malformed-proof")),
    }
    match part(1) {
        Some(claims) => judge_claims(&claims, token, presented, now, reasons),
        None => drop(reasons.insert("malformed-proof")),
    }
}

fn judge_head(head: &Json, parts: &[&str], jkt: Option<&[u8]>, reasons: &mut BTreeSet<&'static str>) {
    let alg = head.get("alg").and_then(Json::as_str).unwrap_or_default();
    let typ = head.get("typ").and_then(Json::as_str).unwrap_or_default().to_ascii_lowercase();
    if typ.strip_prefix("application/").unwrap_or(&typ) != "dpop+jwt" {
        reasons.insert("proof-type-not-allowed");
    }
    if !ACCEPTED.contains(&alg) {
        reasons.insert("proof-algorithm-not-allowed");
    }
    match head.get("jwk") {
        Some(jwk @ Json::Object(_)) => match key_of(jwk, alg) {
            None => drop(reasons.insert("proof-key-refused")),
            Some(signer) => {
                if jkt.is_some_and(|jkt| *jkt != thumbprint(jwk)[..]) {
                    reasons.insert("wrong-proof-key");
                }
                // All of them sign deterministically, and the mutations make no second valid signature.
                let input = [parts[0], parts[1]].join(".");
                if decode_url(parts[2]).is_none_or(|signature| signature != signer.sign(input.as_bytes())) {
                    reasons.insert("bad-proof-signature");
                }
            }
        },
        _ => drop(reasons.insert("malformed-proof")),
    }
}

fn judge_claims(claims: &Json, token: &str, presented: &Presented, now: i64, reasons: &mut BTreeSet<&'static str>) {
    let text = |name: &str| claims.get(name).and_then(Json::as_str);
    let time = |name: &str| match claims.get(name) {
        Some(Json::Number(number)) => number.parse::<i64>().ok(),
        _ => None,
    };
    let (Some(jti), Some(method), Some(target), Some(hash)) = (text("jti"), text("htm"), text("htu"), text("ath"))
    else {
        reasons.insert("malformed-proof");
        return;
    };
    if jti.is_empty() {
        reasons.insert("malformed-proof");
    }
    match presented.method {
        None => drop(reasons.insert("method-required")),
        Some(own) if own != method => drop(reasons.insert("wrong-proof-method")),
        Some(_) => {}
    }
    match presented.uri {
        None => drop(reasons.insert("uri-required")),
        Some(own) if !TARGETS.contains(&(own, target, true)) => drop(reasons.insert("wrong-proof-uri")),
        Some(_) => {}
    }
    if *hash != encode_url(&Sha256::digest(token.as_bytes())) {
        reasons.insert("wrong-proof-token");
    }
    match time("iat") {
        None => drop(reasons.insert("malformed-proof")),
        Some(iat) if iat < now - BACK => drop(reasons.insert("proof-too-old")),
        Some(iat) if iat > now + AHEAD => drop(reasons.insert("proof-not-yet-issued")),
        Some(_) => {}
    }
    if time("exp").is_some_and(|exp| now >= exp + AHEAD) {
        reasons.insert("proof-too-old");
    }
    if time("nbf").is_some_and(|nbf| now < nbf - AHEAD) {
        reasons.insert("proof-not-yet-issued");
    }
}

/// The owner of the public key, if it is a key for that algorithm alone. All valid keys made here have one of these owners.
fn key_of(jwk: &Json, alg: &str) -> Option<&'static Signer> {
    let signers = CLIENTS.iter().chain(STRANGERS.iter());
    signers.into_iter().find(|signer| {
        signer.alg == alg && signer.jwk(None, false).and_then(|own| read(&own)).is_some_and(|own| is_same(&own, jwk))
    })
}

fn is_same(one: &Json, other: &Json) -> bool {
    let (Json::Object(one), Json::Object(other)) = (one, other) else { return false };
    one.len() == other.len() && one.iter().all(|member| other.contains(member))
}

fn read(jwk: &str) -> Option<Json> {
    Json::parse(jwk.as_bytes()).ok()
}

/// RFC 7638 section 3: only the required members, in the order of their names, without white space.
fn thumbprint(jwk: &Json) -> Vec<u8> {
    let required: &[&str] = match jwk.get("kty").and_then(Json::as_str) {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        Some("RSA") => &["e", "kty", "n"],
        _ => &["k", "kty"],
    };
    let member = |name: &&str| format!("\"{name}\":\"{}\"", jwk.get(name).and_then(Json::as_str).unwrap_or_default());
    let members: Vec<_> = required.iter().map(member).collect();
    Sha256::digest(format!("{{{}}}", members.join(","))).to_vec()
}

impl fmt::Display for SenderPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.number, self.changes)
    }
}

/// The keys that tokens are bound to, one for each algorithm, and other keys of the same types.
static CLIENTS: std::sync::LazyLock<[Signer; 4]> = std::sync::LazyLock::new(|| {
    [("ES256", 21), ("EdDSA", 21), ("RS256", 0), ("PS256", 1)].map(|(alg, number)| Signer::new(alg, number))
});
static STRANGERS: std::sync::LazyLock<[Signer; 2]> =
    std::sync::LazyLock::new(|| [("ES256", 22), ("EdDSA", 22)].map(|(alg, number)| Signer::new(alg, number)));
