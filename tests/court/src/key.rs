//! The keys of the corpus. All except the RSA primes are derived from their names.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use num_bigint::BigUint;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::arithmetic::ecdsa::{Curve, P256, P384, P521, SECP256K1};
use crate::arithmetic::hash::{Hash, expand};
use crate::arithmetic::rsa::{PrivateKey, Pss};
use crate::arithmetic::{from_hex, to_bytes};
use crate::draft::base64url;
use crate::members::{Members, quoted};

/// An algorithm of RFC 7518, 8037, 8812 or 9964.
#[derive(Clone, Copy)]
pub(crate) struct Algorithm {
    pub(crate) name: &'static str,
    pub(crate) family: Family,
}

#[derive(Clone, Copy)]
pub(crate) enum Family {
    Hmac(Hash),
    Pkcs1(Hash),
    Pss(Hash),
    Ecdsa(&'static LazyLock<Curve>, Hash),
    Ed25519,
    MlDsa,
}

impl Family {
    /// The hash of the message. Not called for other algorithms.
    pub(crate) fn hash(self) -> Hash {
        match self {
            Family::Hmac(hash) | Family::Pkcs1(hash) | Family::Pss(hash) | Family::Ecdsa(_, hash) => hash,
            Family::Ed25519 | Family::MlDsa => unreachable!("these have no hash of their own"),
        }
    }
}

/// The algorithms that most verifiers support.
pub(crate) const ALGORITHMS: [Algorithm; 14] = [
    Algorithm { name: "HS256", family: Family::Hmac(Hash::Sha256) },
    Algorithm { name: "HS384", family: Family::Hmac(Hash::Sha384) },
    Algorithm { name: "HS512", family: Family::Hmac(Hash::Sha512) },
    Algorithm { name: "RS256", family: Family::Pkcs1(Hash::Sha256) },
    Algorithm { name: "RS384", family: Family::Pkcs1(Hash::Sha384) },
    Algorithm { name: "RS512", family: Family::Pkcs1(Hash::Sha512) },
    Algorithm { name: "PS256", family: Family::Pss(Hash::Sha256) },
    Algorithm { name: "PS384", family: Family::Pss(Hash::Sha384) },
    Algorithm { name: "PS512", family: Family::Pss(Hash::Sha512) },
    Algorithm { name: "ES256", family: Family::Ecdsa(&P256, Hash::Sha256) },
    Algorithm { name: "ES384", family: Family::Ecdsa(&P384, Hash::Sha384) },
    Algorithm { name: "ES512", family: Family::Ecdsa(&P521, Hash::Sha512) },
    Algorithm { name: "ES256K", family: Family::Ecdsa(&SECP256K1, Hash::Sha256) },
    Algorithm { name: "EdDSA", family: Family::Ed25519 },
];

/// One algorithm of each kind, for cases that hardly depend on the signature.
pub(crate) const REPRESENTATIVES: [usize; 6] = [0, 3, 6, 9, 10, 13];

/// The second name of EdDSA with Ed25519 (RFC 9864).
pub(crate) const ED25519: Algorithm = Algorithm { name: "Ed25519", family: Family::Ed25519 };

/// The parameter sets of ML-DSA (RFC 9964).
pub(crate) const ML_DSA: [Algorithm; 3] = [
    Algorithm { name: "ML-DSA-44", family: Family::MlDsa },
    Algorithm { name: "ML-DSA-65", family: Family::MlDsa },
    Algorithm { name: "ML-DSA-87", family: Family::MlDsa },
];

/// The owner of a key.
pub(crate) const ATTACKER: usize = 5;

/// A private key.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: String,
    pub(crate) secret: Secret,
}

#[derive(Clone)]
pub(crate) enum Secret {
    /// An HMAC secret, or the seed of Ed25519 or ML-DSA.
    Bytes(Vec<u8>),
    Scalar(BigUint),
    Rsa(Box<PrivateKey>),
}

impl Key {
    /// The key with this number, up to 4, or that of [`ATTACKER`].
    pub(crate) fn new(algorithm: Algorithm, index: usize) -> Self {
        Self::labelled(algorithm, &format!("{} {index}", algorithm.name), &format!("rsa-{index}"))
            .with_kid(&format!("k{}", index + 1))
    }

    /// The key derived from a label; for RSA, the key of this name in the file of primes.
    pub(crate) fn labelled(algorithm: Algorithm, label: &str, rsa: &str) -> Self {
        let secret = match algorithm.family {
            Family::Hmac(hash) => Secret::Bytes(expand(label, b"secret", hash.length())),
            Family::Pkcs1(_) | Family::Pss(_) => Secret::Rsa(Box::new(rsa_key(rsa))),
            Family::Ecdsa(curve, _) => Secret::Scalar(curve.scalar(label, b"secret")),
            Family::Ed25519 | Family::MlDsa => Secret::Bytes(expand(label, b"secret", 32)),
        };
        Key { algorithm, kid: "k1".to_owned(), secret }
    }

    /// A key for this RSA algorithm with the primes of this name.
    pub(crate) fn rsa(algorithm: Algorithm, name: &str) -> Self {
        Self::labelled(algorithm, "", name)
    }

    pub(crate) fn with_kid(self, kid: &str) -> Self {
        Key { kid: kid.to_owned(), ..self }
    }

    pub(crate) fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Key { algorithm, ..self }
    }

    /// The signature in the form of RFC 7518 section 3.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match (self.algorithm.family, &self.secret) {
            (Family::Hmac(hash), Secret::Bytes(secret)) => hash.hmac(secret, message),
            (Family::Pkcs1(hash), Secret::Rsa(key)) => key.sign_pkcs1(hash, message),
            (Family::Pss(hash), Secret::Rsa(key)) => key.sign_pss(&Pss::new(hash), message),
            (Family::Ecdsa(curve, hash), Secret::Scalar(d)) => {
                let (r, s) = curve.sign(d, hash, message);
                [to_bytes(&r, curve.length()), to_bytes(&s, curve.length())].concat()
            }
            (Family::Ed25519, Secret::Bytes(seed)) => ed25519(seed).sign(message).as_ref().to_vec(),
            (Family::MlDsa, Secret::Bytes(seed)) => self.ml_dsa(seed, Some(message)),
            _ => unreachable!("a key's secret is one of its family"),
        }
    }

    /// The public JWK with `kid` and `alg`; for an HMAC key, the secret.
    pub(crate) fn jwk(&self) -> Members {
        let text = |bytes: &[u8]| quoted(&base64url(bytes));
        let jwk = Members::default().set("kty", quoted(self.kty()));
        let jwk = match (self.algorithm.family, &self.secret) {
            (Family::Hmac(_), Secret::Bytes(secret)) => jwk.set("k", text(secret)),
            (_, Secret::Rsa(key)) => jwk.set("n", text(&to_bytes(&key.n, 0))).set("e", text(&to_bytes(&key.e, 0))),
            (Family::Ecdsa(curve, _), Secret::Scalar(d)) => {
                let (x, y) = curve.multiple(d);
                let coordinate = |number: &BigUint| text(&to_bytes(number, curve.length()));
                jwk.set("crv", quoted(curve.name)).set("x", coordinate(&x)).set("y", coordinate(&y))
            }
            (Family::Ed25519, _) => jwk.set("crv", quoted("Ed25519")).set("x", text(&self.public_bytes())),
            _ => jwk.set("pub", text(&self.public_bytes())),
        };
        jwk.set("use", quoted("sig")).set("alg", quoted(self.algorithm.name)).set("kid", quoted(&self.kid))
    }

    /// The public key of Ed25519 or ML-DSA.
    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        match (self.algorithm.family, &self.secret) {
            (Family::Ed25519, Secret::Bytes(seed)) => ed25519(seed).public_key().as_ref().to_vec(),
            (Family::MlDsa, Secret::Bytes(seed)) => self.ml_dsa(seed, None),
            _ => unreachable!("only these two have a public key that is a string of bytes"),
        }
    }

    /// The RSA key.
    pub(crate) fn rsa_key(&self) -> &PrivateKey {
        match &self.secret {
            Secret::Rsa(key) => key,
            _ => unreachable!("asked of RSA keys alone"),
        }
    }

    fn kty(&self) -> &'static str {
        match self.algorithm.family {
            Family::Hmac(_) => "oct",
            Family::Pkcs1(_) | Family::Pss(_) => "RSA",
            Family::Ecdsa(..) => "EC",
            Family::Ed25519 => "OKP",
            Family::MlDsa => "AKP",
        }
    }

    fn ml_dsa(&self, seed: &[u8], message: Option<&[u8]>) -> Vec<u8> {
        match self.algorithm.name {
            "ML-DSA-44" => ml_dsa::<MlDsa44>(seed, message),
            "ML-DSA-65" => ml_dsa::<MlDsa65>(seed, message),
            _ => ml_dsa::<MlDsa87>(seed, message),
        }
    }
}

fn rsa_key(name: &str) -> PrivateKey {
    static PRIMES: LazyLock<BTreeMap<String, serde_json::Value>> =
        LazyLock::new(|| serde_json::from_str(include_str!("../keys/rsa.json")).expect("the file of primes is JSON"));
    let number = |member: &str| from_hex(PRIMES[name][member].as_str().expect("p and q are hexadecimal"));
    PrivateKey::new(number("p"), number("q"), PRIMES[name]["e"].as_u64().expect("e is short").into())
}

fn ed25519(seed: &[u8]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).expect("32 bytes are a seed")
}

/// The signature, or the public key.
fn ml_dsa<P: MlDsaParams>(seed: &[u8], message: Option<&[u8]>) -> Vec<u8> {
    let seed = seed.try_into().expect("32 bytes are a seed");
    let key = ml_dsa::ExpandedSigningKey::<P>::from_seed(&seed);
    match message {
        Some(message) => key.sign_deterministic(message, &[]).expect("no context is too long").encode().to_vec(),
        None => key.verifying_key().encode().to_vec(),
    }
}
