//! The parts of a private key, and its JWK (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use base64_simd::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::scheme::Curve;

/// The numbers of a private key, as big-endian bytes. The secret ones are wiped when dropped.
pub(crate) enum Material {
    Oct {
        secret: Zeroizing<Vec<u8>>,
    },
    Rsa(Box<RsaParts>),
    Ec {
        curve: &'static Curve,
        d: Zeroizing<Vec<u8>>,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    /// Ed25519, the one OKP curve that signs here.
    Okp {
        seed: Zeroizing<Vec<u8>>,
        public: Vec<u8>,
    },
}

/// RFC 7518 section 6.3, with two primes. Numbers have no leading zeros.
pub(crate) struct RsaParts {
    pub(crate) n: Vec<u8>,
    pub(crate) e: Vec<u8>,
    pub(crate) d: Zeroizing<Vec<u8>>,
    pub(crate) p: Zeroizing<Vec<u8>>,
    pub(crate) q: Zeroizing<Vec<u8>>,
    pub(crate) dp: Zeroizing<Vec<u8>>,
    pub(crate) dq: Zeroizing<Vec<u8>>,
    pub(crate) qi: Zeroizing<Vec<u8>>,
}

/// The `crv` of Ed25519 (RFC 8037 section 2).
pub(crate) const ED25519: &str = "Ed25519";

impl Material {
    /// The public JWK. None for a symmetric key, which has no public part.
    ///
    /// `common`: the members that are not part of the key itself, in order.
    pub(crate) fn public_jwk(&self, common: &[Member<'_>]) -> Option<String> {
        match self {
            Self::Oct { .. } => None,
            _ => Some(String::clone(&self.jwk(common, &[]))),
        }
    }

    /// The private JWK. Its buffer is allocated at full size: reallocation would leave an unwiped copy.
    pub(crate) fn private_jwk(&self, common: &[Member<'_>]) -> Zeroizing<String> {
        self.jwk(common, &self.private_members())
    }

    fn jwk(&self, common: &[Member<'_>], private: &[(&str, &[u8])]) -> Zeroizing<String> {
        let public = self.public_members();
        let members = public.iter().chain(private);
        // Base64url takes at most 4/3 of the bytes plus 2; a JSON escape takes six bytes for one.
        let capacity = 64
            + common.iter().map(Member::longest).sum::<usize>()
            + members.map(|(name, bytes)| name.len() + bytes.len().div_ceil(3) * 4 + 8).sum::<usize>();
        let mut text = Zeroizing::new(String::with_capacity(capacity));

        text.push_str("{\"kty\":\"");
        text.push_str(self.key_type());
        text.push('"');
        if let Some(curve) = self.curve_name() {
            Member::text("crv", curve).push(&mut text);
        }
        for (name, bytes) in public.iter().chain(private) {
            push_bytes(&mut text, name, bytes);
        }
        for member in common {
            member.push(&mut text);
        }
        text.push('}');
        text
    }

    fn key_type(&self) -> &'static str {
        match self {
            Self::Oct { .. } => "oct",
            Self::Rsa(_) => "RSA",
            Self::Ec { .. } => "EC",
            Self::Okp { .. } => "OKP",
        }
    }

    fn curve_name(&self) -> Option<&'static str> {
        match self {
            Self::Ec { curve, .. } => Some(curve.id.name()),
            Self::Okp { .. } => Some(ED25519),
            Self::Oct { .. } | Self::Rsa(_) => None,
        }
    }

    fn public_members(&self) -> Vec<(&'static str, &[u8])> {
        match self {
            Self::Oct { .. } => Vec::new(),
            Self::Rsa(parts) => vec![("n", &parts.n), ("e", &parts.e)],
            Self::Ec { x, y, .. } => vec![("x", x), ("y", y)],
            Self::Okp { public, .. } => vec![("x", public)],
        }
    }

    fn private_members(&self) -> Vec<(&'static str, &[u8])> {
        match self {
            Self::Oct { secret } => vec![("k", secret)],
            Self::Rsa(parts) => vec![
                ("d", &parts.d),
                ("p", &parts.p),
                ("q", &parts.q),
                ("dp", &parts.dp),
                ("dq", &parts.dq),
                ("qi", &parts.qi),
            ],
            Self::Ec { d, .. } => vec![("d", d)],
            Self::Okp { seed, .. } => vec![("d", seed)],
        }
    }
}

/// A member of a JWK that is not part of the key itself, such as `kid`.
pub(crate) struct Member<'m> {
    name: &'static str,
    value: Value<'m>,
}

enum Value<'m> {
    Text(&'m str),
    Number(i64),
}

impl<'m> Member<'m> {
    pub(crate) fn text(name: &'static str, value: &'m str) -> Self {
        Self { name, value: Value::Text(value) }
    }

    pub(crate) fn number(name: &'static str, value: i64) -> Self {
        Self { name, value: Value::Number(value) }
    }

    /// An upper bound of the bytes that `push` writes: a JSON escape takes six for one, an `i64` at most twenty.
    fn longest(&self) -> usize {
        let value = match self.value {
            Value::Text(text) => 6 * text.len() + 2,
            Value::Number(_) => 20,
        };
        self.name.len() + value + 4
    }

    fn push(&self, out: &mut String) {
        out.push_str(",\"");
        out.push_str(self.name);
        out.push_str("\":");
        let value = match self.value {
            Value::Text(text) => serde_json::Value::from(text),
            Value::Number(number) => serde_json::Value::from(number),
        };
        out.push_str(&value.to_string());
    }
}

fn push_bytes(text: &mut String, name: &str, bytes: &[u8]) {
    text.push_str(",\"");
    text.push_str(name);
    text.push_str("\":\"");
    URL_SAFE_NO_PAD.encode_append(bytes, text);
    text.push('"');
}
