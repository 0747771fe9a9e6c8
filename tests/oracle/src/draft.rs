use crate::base64::{decode_url, encode_standard, encode_url};
use crate::encoding::reencode;
use crate::jws::ALGORITHMS;
use crate::members::{self, Members};
use crate::mutation::{Choices, Kind, Mutation};
use crate::plan::Plan;
use crate::setting::{AUDIENCE, NOW, Named, signers, world};
use crate::signer::hmac;
use crate::world::{self, Typ};
use crate::{signature, text, token};

/// A credential before it is assembled.
pub(crate) enum Draft {
    Jwt(Box<Jwt>),
    /// A credential of the table; a client's secret comes with its client id.
    Key {
        secret: String,
        client: Option<&'static str>,
        style: u8,
    },
}

pub(crate) struct Jwt {
    header: Members,
    claims: Members,
    alg: &'static str,
    issuer: usize,
    signer: &'static Named,
    style: u8,
}

/// The number of plans in 16 that begin with a JWT.
const JWTS_OF_16: u8 = 14;

/// The base of a plan that begins with a JWT of the algorithm at index `algorithm`.
pub(crate) fn base_of(algorithm: usize) -> u8 {
    let index = algorithm as u8;
    index / JWTS_OF_16 * 16 + index % JWTS_OF_16
}

/// Whether a plan with this base begins with a JWT.
pub(crate) fn is_jwt(base: u8) -> bool {
    base % 16 < JWTS_OF_16
}

impl Draft {
    pub(crate) fn new(plan: &Plan) -> Draft {
        let Plan { base, issuer, style, .. } = *plan;
        if is_jwt(base) {
            let alg = ALGORITHMS[usize::from(base / 16 * JWTS_OF_16 + base % 16) % ALGORITHMS.len()];
            return Draft::Jwt(Box::new(Jwt::new(alg, usize::from(issuer) % world().issuers.len(), style)));
        }
        let credential = &world().credentials[usize::from(issuer) % world().credentials.len()];
        let is_client = credential.kind == world::Kind::ClientSecret;
        let client = is_client.then_some(credential.subject);
        Draft::Key { secret: credential.secret.clone(), client, style }
    }

    pub(crate) fn is_api_key_header(&self) -> bool {
        matches!(self, Draft::Key { style, .. } if style & 3 == 3)
    }

    /// The header's value after all mutations.
    pub(crate) fn finish(self, plan: &Plan) -> Vec<u8> {
        let mut mutations = plan.mutations.clone();
        mutations.sort_by_key(|mutation| mutation.kind);
        let scheme = match &self {
            Draft::Jwt(jwt) if jwt.style & 1 == 0 => "Bearer ",
            Draft::Key { style, .. } if style & 3 == 0 => "Bearer ",
            _ => "",
        };
        let mut credential = match self {
            Draft::Jwt(jwt) => jwt.finish(&mutations, &plan.free),
            Draft::Key { secret, client, .. } => {
                let mut secret = secret.into_bytes();
                token::change(&mut secret, &mutations, b"tg_live_2.x.y");
                match client {
                    Some(client) => return token::finish(basic(client, &secret, &mutations), &mutations, &plan.free),
                    None => secret,
                }
            }
        };
        credential.splice(0..0, scheme.bytes());
        token::finish(credential, &mutations, &plan.free)
    }
}

fn basic(client: &str, secret: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut text = [client.as_bytes(), b":", secret].concat();
    let mut ways = mutations.iter().filter(|mutation| mutation.kind == Kind::ChangeBasic).map(|m| Choices::of(*m));
    let mut encoded = String::new();
    if let Some(choices) = ways.next().as_mut() {
        match choices.below(12) {
            0 => drop(text.drain(..1)),
            1 => text = [client.as_bytes(), secret].concat(),
            2 => text.insert(client.len(), b':'),
            3 => text.push(b'\n'),
            4 => text.insert(0, 0),
            5 => text.extend(b"\xc2\x85"),
            6 => text.push(0xff),
            7 => text = [b"client-2:", secret].concat(),
            _ => {
                encoded = encode_standard(&text);
                reencode(&mut encoded, choices);
            }
        }
    }
    if encoded.is_empty() {
        encoded = encode_standard(&text);
    }
    format!("Basic {encoded}").into_bytes()
}

impl Jwt {
    /// A valid token, if its issuer admits the algorithm and has a key for it.
    fn new(alg: &'static str, issuer: usize, style: u8) -> Jwt {
        let mut keys = signers(issuer, alg);
        if keys.is_empty() {
            keys = signers(0, alg);
        }
        let signer = keys[usize::from(style >> 1 & 3) % keys.len()];
        let policy = &world().issuers[issuer];
        let typ = match &policy.typ {
            Typ::Jwt => Some("JWT"),
            Typ::AccessToken => Some("at+jwt"),
            Typ::Both if style & 8 == 0 => Some("application/AT+JWT"),
            Typ::Both => None,
            Typ::OneOf(types) => types.get(usize::from(style >> 3 & 1)).copied().filter(|typ| !typ.is_empty()),
        };
        let quote = |text: &str| format!("\"{text}\"");
        let (mut header, mut claims) = (Members::new(), Members::new());
        members::set(&mut header, "alg", &quote(alg));
        if let Some(kid) = &signer.kid {
            members::set(&mut header, "kid", &quote(kid));
        }
        if let Some(typ) = typ {
            members::set(&mut header, "typ", &quote(typ));
        }
        for (name, value) in [
            ("iss", quote(&policy.name.replace("{tenant}", "tenant-1"))),
            ("sub", quote("user-1")),
            ("aud", quote(policy.audiences.first().unwrap_or(&AUDIENCE))),
            ("exp", (NOW + 600).to_string()),
            ("iat", NOW.to_string()),
            ("jti", quote("token-1")),
            ("client_id", quote("client-1")),
            ("scope", quote("read:sites write:sites")),
            ("tenant", quote("tenant-1")),
            ("tid", quote("tenant-1")),
        ] {
            members::set(&mut claims, name, &value);
        }
        if !policy.expected.is_empty() {
            for (name, value) in [
                ("token_use", r#""access""#),
                ("ext", r#"{"client":"client-9","level":2}"#),
                ("permissions", r#"["sites:delete"]"#),
                ("realm_access", r#"{"roles":["admin"]}"#),
            ] {
                members::set(&mut claims, name, value);
            }
        }
        Jwt { header, claims, alg, issuer, signer, style }
    }

    fn finish(mut self, mutations: &[Mutation], free: &[u8]) -> Vec<u8> {
        for mutation in mutations {
            self.change_members(*mutation, free);
        }
        let mut texts = [members::render(&self.header).into_bytes(), members::render(&self.claims).into_bytes()];
        for mutation in mutations {
            change_text(&mut texts, *mutation, free);
        }
        let mut parts = texts.map(|text| encode_url(&text));
        let plain = parts.join(".");
        let mut reencode_signature = None;
        for mutation in mutations.iter().filter(|mutation| mutation.kind == Kind::ReencodePart) {
            let mut choices = Choices::of(*mutation);
            match choices.below(3) {
                2 => reencode_signature = Some(choices),
                part => reencode(&mut parts[part], &mut choices),
            }
        }
        let signing_input = parts.join(".");
        let is_kind = |kind| mutations.iter().any(|mutation| mutation.kind == kind);
        let signed = if is_kind(Kind::SignBeforeReencoding) { &plain } else { &signing_input };
        let mut octets = self.sign(signed.as_bytes(), mutations);
        for mutation in mutations {
            let mut choices = Choices::of(*mutation);
            match mutation.kind {
                Kind::FlipSignatureBit => signature::flip_bit(&mut octets, &mut choices),
                Kind::ResizeSignature => signature::resize(&mut octets, &mut choices),
                Kind::TransformSignature => signature::transform(&mut octets, self.alg, &mut choices),
                _ => {}
            }
        }
        let mut encoded = encode_url(&octets);
        if let Some(mut choices) = reencode_signature {
            reencode(&mut encoded, &mut choices);
        }
        let mut token = format!("{signing_input}.{encoded}").into_bytes();
        token::change(&mut token, mutations, OTHER_TOKEN.as_bytes());
        token
    }

    fn change_members(&mut self, mutation: Mutation, free: &[u8]) {
        let mut choices = Choices::of(mutation);
        let Jwt { header, claims, .. } = self;
        match mutation.kind {
            Kind::SetHeaderMember => members::set_header_member(header, &mut choices),
            Kind::SwapAlgorithm => members::swap_algorithm(header, &mut choices),
            Kind::SwapKeyId => members::swap_key_id(header, &mut choices),
            Kind::RemoveHeaderMember => members::remove(header, &mut choices),
            Kind::DuplicateHeaderMember => members::duplicate(header, &mut choices),
            Kind::EscapeHeaderName => members::escape_name(header, &mut choices),
            Kind::SetClaim => members::set_claim(claims, &mut choices),
            Kind::SetTime => members::set_time(claims, &mut choices),
            Kind::SetClaimToFreeText => {
                members::set_claim_to(claims, &mut choices, &String::from_utf8_lossy(free));
            }
            Kind::RemoveClaim => members::remove(claims, &mut choices),
            Kind::DuplicateClaim => members::duplicate(claims, &mut choices),
            Kind::EscapeClaimName => members::escape_name(claims, &mut choices),
            Kind::AddNestedClaim => members::add_nested(claims, &mut choices),
            _ => {}
        }
    }

    fn sign(&self, message: &[u8], mutations: &[Mutation]) -> Vec<u8> {
        let mut named = self.signer;
        for mutation in mutations {
            let mut choices = Choices::of(*mutation);
            match mutation.kind {
                // The same algorithm with another issuer's key or an unknown key, or another algorithm of the
                // same issuer.
                Kind::SignWithOtherKey => {
                    let (issuer, alg) = match choices.flip() {
                        true => ((self.issuer + 1 + choices.below(4)) % 5, self.alg),
                        false => (self.issuer, choices.one_of(&ALGORITHMS)),
                    };
                    let others = signers(issuer, alg);
                    if !others.is_empty() {
                        named = others[choices.below(others.len())];
                    }
                }
                // With public knowledge as the secret (CVE-2015-9235).
                Kind::SignAsHmac => {
                    let jwk = self.signer.signer.jwk(None, choices.flip()).unwrap_or_default();
                    let jwk = if choices.flip() { format!("{jwk}\n") } else { jwk };
                    let alg = choices.one_of(&["HS256", "HS384", "HS512"]);
                    let secret = match choices.below(3) {
                        0 => jwk.into_bytes(),
                        1 => self.signer.kid.clone().unwrap_or_default().into_bytes(),
                        _ => Vec::new(),
                    };
                    return hmac(alg, &secret, message);
                }
                _ => {}
            }
        }
        named.signer.sign(message)
    }
}

fn change_text(texts: &mut [Vec<u8>; 2], mutation: Mutation, free: &[u8]) {
    let mut choices = Choices::of(mutation);
    let part = &mut texts[usize::from(choices.flip())];
    match mutation.kind {
        Kind::InsertIntoText => text::insert(part, &mut choices),
        Kind::ChangeTextByte => text::change_byte(part, &mut choices),
        Kind::TruncateText => text::truncate(part, &mut choices),
        Kind::SpreadText => text::spread(part, &mut choices),
        Kind::ReplaceText => *part = free.to_vec(),
        _ => {}
    }
}

/// Another valid token, signed with ES256, to take parts from.
static OTHER_TOKEN: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    let mut jwt = Jwt::new("ES256", 0, 0);
    members::set(&mut jwt.claims, "sub", "\"admin\"");
    String::from_utf8(jwt.finish_plain()).expect("base64url and dots")
});

impl Jwt {
    fn finish_plain(&self) -> Vec<u8> {
        let texts = [members::render(&self.header), members::render(&self.claims)];
        let signing_input = texts.map(|text| encode_url(text.as_bytes())).join(".");
        let octets = self.signer.signer.sign(signing_input.as_bytes());
        debug_assert!(decode_url(&encode_url(&octets)).is_some());
        format!("{signing_input}.{}", encode_url(&octets)).into_bytes()
    }
}
