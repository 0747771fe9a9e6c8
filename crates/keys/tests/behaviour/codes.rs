//! The codes are stable: none may change.

use tollgate_jwt::json::JsonError;
use tollgate_keys::{Algorithm, KeyRefused, KeyUses, NotAKeyFile, VerifyError};

/// The document that explains every code.
const DOCUMENTATION: &str = include_str!("../../../../docs/keys.md");

#[test]
fn codes_of_refused_keys() {
    use KeyRefused::*;
    for (refused, code) in [
        (MissingMember { member: "n" }, "missing-member"),
        (MalformedMember { member: "n", expected: "a string" }, "malformed-member"),
        (KeyIdTooLong { bytes: 2000 }, "kid-too-long"),
        (UnsupportedKeyType { found: "a".into() }, "unsupported-key-type"),
        (UnsupportedCurve { found: "a".into() }, "unsupported-curve"),
        (UnsupportedAlgorithm { found: "a".into() }, "unsupported-algorithm"),
        (UnsupportedParameters, "unsupported-parameters"),
        (MissingAlgorithm, "missing-algorithm"),
        (AlgorithmContradictsKey { algorithm: Algorithm::RS256 }, "algorithm-contradicts-key"),
        (NoAdmittedAlgorithm, "no-admitted-algorithm"),
        (UseIsNotSignature { found: "a".into() }, "use-not-sig"),
        (UseNotAccepted { found: None, accepted: KeyUses::default() }, "use-not-accepted"),
        (KeyOpsWithoutVerify, "key-ops-without-verify"),
        (KeyOpsContradictory, "key-ops-contradictory"),
        (PrivateKey, "private-key"),
        (SymmetricKeyInRemoteSet, "symmetric-key-in-remote-set"),
        (SymmetricKeyBesidePublicKeys, "symmetric-key-beside-public-keys"),
        (DuplicateKeyId, "duplicate-kid"),
        (MalformedPem, "malformed-pem"),
        (PemWithEscapedLineFeeds, "pem-with-escaped-line-feeds"),
        (NotOneCertificate, "not-one-certificate"),
        (UnsupportedPemLabel, "unsupported-pem-label"),
        (MalformedDer, "malformed-der"),
        (RsaModulusTooSmall { bits: 1 }, "rsa-modulus-too-small"),
        (RsaModulusTooLarge { bits: 1 }, "rsa-modulus-too-large"),
        (RsaModulusEven, "rsa-modulus-even"),
        (RsaModulusRoca, "rsa-modulus-roca"),
        (RsaExponentTooSmall, "rsa-exponent-too-small"),
        (RsaExponentEven, "rsa-exponent-even"),
        (RsaExponentTooLarge { bits: 1 }, "rsa-exponent-too-large"),
        (EcCoordinateLength, "ec-coordinate-length"),
        (EcPointAtInfinity, "ec-point-at-infinity"),
        (EcPointNotOnCurve, "ec-point-not-on-curve"),
        (Ed25519KeyLength, "ed25519-key-length"),
        (Ed25519NotCanonical, "ed25519-not-canonical"),
        (Ed25519NotOnCurve, "ed25519-not-on-curve"),
        (Ed25519SmallOrder, "ed25519-small-order"),
        (MlDsaKeyLength, "ml-dsa-key-length"),
        (HmacSecretEmpty, "hmac-secret-empty"),
        (HmacSecretTooShort { bytes: 1, min: 32 }, "hmac-secret-too-short"),
        (HmacSecretTooLong { bytes: 1 }, "hmac-secret-too-long"),
        (HmacSecretIsPem, "hmac-secret-is-pem"),
        (HmacSecretIsJwk, "hmac-secret-is-jwk"),
        (HmacSecretIsDer, "hmac-secret-is-der"),
        (RefusedByBackend, "refused-by-backend"),
    ] {
        assert_eq!(refused.code(), code);
        assert!(!refused.to_string().is_empty());
        assert!(DOCUMENTATION.contains(&format!("\n| `{code}` | ")), "{code} is not in docs/keys.md");
    }
}

#[test]
fn codes_of_files_that_are_no_key_files() {
    use NotAKeyFile::*;
    for (error, code) in [
        (TooLarge { bytes: 1 }, "key-file-too-large"),
        (TooManyKeys { keys: 1 }, "too-many-keys"),
        (Json(JsonError::NotAnObject), "malformed-json"),
        (NeitherKeyNorSet, "neither-jwk-nor-jwks"),
        (NoPemBlock, "no-pem-block"),
        (UnknownDer, "unknown-der"),
        (BareBase64, "bare-base64"),
        (UnknownFormat, "unknown-format"),
    ] {
        assert_eq!(error.code(), code);
        assert!(DOCUMENTATION.contains(&format!("\n| `{code}` | ")), "{code} is not in docs/keys.md");
    }
}

#[test]
fn codes_of_rejected_tokens() {
    use VerifyError::*;
    for (error, code) in [
        (UnknownAlgorithm, "unknown-algorithm"),
        (UnknownKey, "unknown-key"),
        (AlgorithmMismatch { header: Algorithm::HS256, key: Algorithm::RS256 }, "algorithm-mismatch"),
        (KeyNotAdmitted, "key-not-admitted"),
        (AmbiguousKey { candidates: 5, max: 4 }, "ambiguous-key"),
        (MalformedSignature, "malformed-signature"),
        (BadSignature, "bad-signature"),
        (NoKeyVerifies { tried: 2 }, "bad-signature"),
    ] {
        assert_eq!(error.code(), code);
    }
}
