use tollgate::Algorithm;
use tollgate::jwt::{CompactJws, base64url};
use tollgate_issuer::SigningKey;
use tollgate_tests::{NOW, signing_key, traffic_token};

/// How many messages a sample has, so that no check is tuned to one message.
const MESSAGES: usize = 64;

/// A key and messages that were signed with it.
pub struct Sample {
    /// The algorithm's name, with the key's size if it is not the usual one: the last part of a benchmark's id.
    pub name: &'static str,
    /// Messages, each the signing input of an access token, and their signatures.
    pub signed: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether the signatures verify. Some keys cannot sign; their checks still take the full time.
    pub verifies: bool,
    pub(super) algorithm: Algorithm,
    pub(super) key: Key,
}

/// The public key, or the secret.
pub(super) enum Key {
    Secret(Vec<u8>),
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point or the bytes of an Ed25519 or ML-DSA key.
    Encoded(Vec<u8>),
}

impl Sample {
    /// One sample for each algorithm that differs from the others in more than its hash, and for larger RSA keys.
    #[must_use]
    pub fn all() -> Vec<Self> {
        use Algorithm::*;
        let messages = messages();
        let mut samples: Vec<_> = [HS256, HS384, HS512, RS256, PS256, ES256, ES384, EdDSA]
            .into_iter()
            .map(|algorithm| Sample::new(&signing_key(algorithm, 0), &messages))
            .collect();
        #[cfg(feature = "aws-lc-rs")]
        samples.extend(super::aws_lc::samples(&messages));
        samples.push(Sample::slowest_rsa(&messages));
        samples
    }

    fn new(key: &SigningKey, messages: &[Vec<u8>]) -> Self {
        let jwk: serde_json::Value = serde_json::from_str(&key.to_private_jwk()).expect("a JWK");
        let member = |name: &str| {
            let mut bytes = Vec::new();
            base64url::decode(jwk[name].as_str().expect(name), &mut bytes).expect(name);
            bytes
        };
        let verifier = match jwk["kty"].as_str() {
            Some("oct") => Key::Secret(member("k")),
            Some("RSA") => Key::Rsa { modulus: member("n"), exponent: member("e") },
            Some("EC") => Key::Encoded([vec![4], member("x"), member("y")].concat()),
            _ => Key::Encoded(member("x")),
        };
        let sign = |message: &[u8]| key.sign(message).expect("a test key signs").to_vec();
        Sample::signed(key.algorithm().name(), key.algorithm(), verifier, messages, sign)
    }

    pub(super) fn signed(
        name: &'static str,
        algorithm: Algorithm,
        key: Key,
        messages: &[Vec<u8>],
        sign: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Self {
        let signed = messages.iter().map(|message| (message.clone(), sign(message))).collect();
        Sample { name, signed, verifies: true, algorithm, key }
    }

    /// The largest modulus and the largest exponent that tollgate-keys accepts.
    fn slowest_rsa(messages: &[Vec<u8>]) -> Self {
        let key = Key::Rsa { modulus: vec![0xc5; 1024], exponent: vec![1, 0xff, 0xff, 0xff, 0xff] };
        let sample =
            Sample::signed("RS256-8192-e33", Algorithm::RS256, key, messages, |message| message[..512].repeat(2));
        Sample { verifies: false, ..sample }
    }
}

fn messages() -> Vec<Vec<u8>> {
    let key = signing_key(Algorithm::ES256, 0);
    let token = |index| traffic_token(&key, index, NOW);
    let signing_input = |token: String| CompactJws::parse(&token).expect("a token").signing_input().to_vec();
    (0..MESSAGES).map(token).map(signing_input).collect()
}
