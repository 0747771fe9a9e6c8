//! The time of one signature check, with the precomputed tables of its key and without them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;
use tollgate::Algorithm;
use tollgate::keys::{Curve, PublicKey, VerifyingKey};

use super::traffic::Traffic;

/// How long checks are measured.
const TIME: Duration = Duration::from_millis(300);

/// The most checks that are timed together.
const PASS: usize = 64;

/// Times of one signature check without a token around it, in nanoseconds.
pub(crate) struct SignatureCheck {
    /// Under the engine's key.
    pub(crate) engine: f64,
    /// By the cryptography library alone, if the engine's key has tables.
    pub(crate) without_tables: Option<f64>,
}

impl SignatureCheck {
    /// Checks the signatures of the tokens that are presented repeatedly.
    pub(crate) fn measure(algorithm: Algorithm, traffic: &Traffic) -> Option<Self> {
        let signed: Vec<_> = traffic.seen.iter().take(PASS).filter_map(|header| signed(header)).collect();
        let keys = traffic.mint.key_set();
        let key = keys.iter().next()?;
        let plain = plain_key(algorithm, &traffic.mint.jwks());
        let (begin, mut with, mut without) = (Instant::now(), Vec::new(), Vec::new());
        while with.is_empty() || begin.elapsed() < TIME {
            with.push(time(key, &signed));
            without.extend(plain.as_ref().map(|plain| time(plain, &signed)));
        }
        Some(SignatureCheck { engine: median(with)?, without_tables: median(without) })
    }
}

/// The signing input of a token, and its signature.
fn signed(header: &str) -> Option<(&str, Vec<u8>)> {
    let (signing_input, signature) = header.strip_prefix("Bearer ")?.rsplit_once('.')?;
    Some((signing_input, URL_SAFE_NO_PAD.decode_to_vec(signature).ok()?))
}

/// The key outside a set: only keys of a set get tables.
fn plain_key(algorithm: Algorithm, jwks: &str) -> Option<VerifyingKey> {
    let jwks: Value = serde_json::from_str(jwks).ok()?;
    let member = |name: &str| URL_SAFE_NO_PAD.decode_to_vec(jwks["keys"][0][name].as_str()?).ok();
    let point = || Some([vec![4], member("x")?, member("y")?].concat());
    let key = match algorithm {
        Algorithm::ES256 => PublicKey::ec(Curve::P256, &point()?),
        Algorithm::ES384 => PublicKey::ec(Curve::P384, &point()?),
        Algorithm::EdDSA => PublicKey::ed25519(&member("x")?),
        // Keys of other algorithms have no tables.
        _ => return None,
    };
    VerifyingKey::new(&key.ok()?, algorithm, None).ok()
}

/// Nanoseconds per check.
fn time(key: &VerifyingKey, signed: &[(&str, Vec<u8>)]) -> f64 {
    let start = Instant::now();
    for (signing_input, signature) in signed {
        // All these tokens were accepted when they were presented.
        let _ = black_box(key.verify(black_box(signing_input.as_bytes()), signature));
    }
    start.elapsed().as_nanos() as f64 / signed.len().max(1) as f64
}

/// Ignores passes in which the thread had to wait.
fn median(mut passes: Vec<f64>) -> Option<f64> {
    passes.sort_unstable_by(f64::total_cmp);
    passes.get(passes.len() / 2).copied()
}
