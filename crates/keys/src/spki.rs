//! Public keys in DER: SubjectPublicKeyInfo, PKCS #1 and X.509 certificates.

use x509_cert::Certificate;
use x509_cert::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Encode, Reader, SliceReader, Tag, Tagged};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::algorithm::{Algorithm, Curve, KeyType};
use crate::key_refused::KeyRefused;
use crate::public_key::{PublicKey, Restriction};
use crate::report::Validity;

/// The kind of a DER document, told from the types of its first elements.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DerKind {
    /// RFC 5280 section 4.1.2.7.
    SubjectPublicKeyInfo,
    /// RFC 8017 appendix A.1.1.
    RsaPublicKey,
    /// RFC 5280 section 4.1.
    Certificate,
    /// PKCS #1 (RFC 8017 appendix A.1.2), SEC 1 (RFC 5915) or PKCS #8 (RFC 5958), encrypted or not.
    PrivateKey,
}

impl DerKind {
    /// Detects the kind. None if `der` is none of these or has bytes after its end.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let outer = AnyRef::from_der(der).ok().filter(|outer| outer.tag() == Tag::Sequence)?;
        let mut reader = SliceReader::new(outer.value()).ok()?;
        let (first, second) = (reader.decode::<AnyRef<'_>>().ok()?, reader.decode::<AnyRef<'_>>().ok()?);
        match (first.tag(), second.tag(), reader.is_finished()) {
            (Tag::Sequence, Tag::BitString, true) => Some(DerKind::SubjectPublicKeyInfo),
            (Tag::Sequence, Tag::Sequence, false) => Some(DerKind::Certificate),
            (Tag::Integer, Tag::Integer, true) => Some(DerKind::RsaPublicKey),
            (Tag::Integer, Tag::Integer | Tag::Sequence | Tag::OctetString, _) => Some(DerKind::PrivateKey),
            (Tag::Sequence, Tag::OctetString, true) => Some(DerKind::PrivateKey),
            _ => None,
        }
    }
}

/// A key read from DER.
pub(crate) struct DerKey {
    pub(crate) key_type: Option<KeyType>,
    pub(crate) validity: Option<Validity>,
    pub(crate) key: Result<PublicKey, KeyRefused>,
}

impl DerKey {
    pub(crate) fn refused(refused: KeyRefused) -> Self {
        DerKey { key_type: None, validity: None, key: Err(refused) }
    }

    pub(crate) fn read(kind: DerKind, der: &[u8]) -> Self {
        match kind {
            DerKind::SubjectPublicKeyInfo => match SubjectPublicKeyInfoRef::from_der(der) {
                Ok(info) => Self::of_info(info.algorithm, info.subject_public_key),
                Err(_) => Self::refused(KeyRefused::MalformedDer),
            },
            DerKind::RsaPublicKey => {
                DerKey { key_type: Some(KeyType::Rsa), validity: None, key: rsa_public_key(der, Restriction::None) }
            }
            DerKind::Certificate => Self::of_certificate(der).unwrap_or(Self::refused(KeyRefused::MalformedDer)),
            DerKind::PrivateKey => Self::refused(KeyRefused::PrivateKey),
        }
    }

    /// Does not check the certificate's signature, names or extensions: the operator who configures the file vouches
    /// for it.
    fn of_certificate(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let certificate = certificate.tbs_certificate();
        let info = certificate.subject_public_key_info().to_der().ok()?;
        let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
        let validity = Validity {
            not_before: seconds(certificate.validity().not_before)?,
            not_after: seconds(certificate.validity().not_after)?,
        };
        Some(DerKey { validity: Some(validity), ..Self::read(DerKind::SubjectPublicKeyInfo, &info) })
    }

    fn of_info(algorithm: AlgorithmIdentifierRef<'_>, key: BitStringRef<'_>) -> Self {
        let Some(kind) = KINDS.iter().find(|kind| kind.identifier == algorithm.oid) else {
            return Self::refused(KeyRefused::unsupported_key_type(&algorithm.oid.to_string()));
        };
        let key = key.as_bytes().ok_or(KeyRefused::MalformedDer).and_then(|key| (kind.read)(key, algorithm.parameters));
        DerKey { key_type: Some(kind.key_type), validity: None, key }
    }
}

/// One row per algorithm identifier of public keys.
struct Kind {
    identifier: ObjectIdentifier,
    key_type: KeyType,
    read: fn(&[u8], Option<AnyRef<'_>>) -> Result<PublicKey, KeyRefused>,
}

const KINDS: [Kind; 7] = {
    use KeyType::{Akp, Ec, Okp, Rsa};
    [
        // rsaEncryption, RFC 8017 appendix C.
        kind("1.2.840.113549.1.1.1", Rsa, |key, parameters| {
            null_or_absent(parameters)?;
            rsa_public_key(key, Restriction::None)
        }),
        // id-RSASSA-PSS, RFC 4055 section 3.1.
        kind("1.2.840.113549.1.1.10", Rsa, |key, parameters| rsa_public_key(key, pss_restriction(parameters)?)),
        // id-ecPublicKey, RFC 5480 section 2.1.1.
        kind("1.2.840.10045.2.1", Ec, |key, parameters| PublicKey::ec(named_curve(parameters)?, key)),
        // id-Ed25519, RFC 8410 section 3.
        kind("1.3.101.112", Okp, |key, parameters| {
            absent(parameters)?;
            PublicKey::ed25519(key)
        }),
        // id-ml-dsa-44, -65 and -87, RFC 9881 section 2.
        kind("2.16.840.1.101.3.4.3.17", Akp, |key, parameters| {
            absent(parameters)?;
            PublicKey::ml_dsa(Algorithm::MlDsa44, key)
        }),
        kind("2.16.840.1.101.3.4.3.18", Akp, |key, parameters| {
            absent(parameters)?;
            PublicKey::ml_dsa(Algorithm::MlDsa65, key)
        }),
        kind("2.16.840.1.101.3.4.3.19", Akp, |key, parameters| {
            absent(parameters)?;
            PublicKey::ml_dsa(Algorithm::MlDsa87, key)
        }),
    ]
};

const fn kind(
    identifier: &str,
    key_type: KeyType,
    read: fn(&[u8], Option<AnyRef<'_>>) -> Result<PublicKey, KeyRefused>,
) -> Kind {
    Kind { identifier: ObjectIdentifier::new_unwrap(identifier), key_type, read }
}

fn rsa_public_key(der: &[u8], restriction: Restriction) -> Result<PublicKey, KeyRefused> {
    let integers = || {
        let outer = AnyRef::from_der(der).ok().filter(|outer| outer.tag() == Tag::Sequence)?;
        let mut reader = SliceReader::new(outer.value()).ok()?;
        let (modulus, exponent) = (reader.decode::<UintRef<'_>>().ok()?, reader.decode::<UintRef<'_>>().ok()?);
        reader.is_finished().then(|| (modulus.as_bytes(), exponent.as_bytes()))
    };
    let (modulus, exponent) = integers().ok_or(KeyRefused::MalformedDer)?;
    Ok(PublicKey::rsa(modulus, exponent)?.restricted(restriction))
}

fn named_curve(parameters: Option<AnyRef<'_>>) -> Result<Curve, KeyRefused> {
    let identifier = parameters
        .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok())
        .ok_or(KeyRefused::UnsupportedParameters)?;
    let curve = CURVES.iter().find(|(curve, _)| *curve == identifier);
    curve.map(|(_, curve)| *curve).ok_or_else(|| KeyRefused::unsupported_curve(&identifier.to_string()))
}

/// RFC 5480 section 2.1.1.1, SEC 2 appendix A.2.1.
const CURVES: [(ObjectIdentifier, Curve); 4] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), Curve::P256),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), Curve::P384),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), Curve::P521),
    (ObjectIdentifier::new_unwrap("1.3.132.0.10"), Curve::Secp256k1),
];

fn absent(parameters: Option<AnyRef<'_>>) -> Result<(), KeyRefused> {
    if parameters.is_none() { Ok(()) } else { Err(KeyRefused::UnsupportedParameters) }
}

/// RFC 3279 section 2.3.1 requires NULL; some encoders omit it.
fn null_or_absent(parameters: Option<AnyRef<'_>>) -> Result<(), KeyRefused> {
    if parameters.is_none_or(AnyRef::is_null) { Ok(()) } else { Err(KeyRefused::UnsupportedParameters) }
}

/// Absent parameters allow any hash. Present ones must be exactly those of PS256, PS384 or PS512 (RFC 7518 section
/// 3.5): hash, MGF1 with the same hash, a salt as long as its output.
fn pss_restriction(parameters: Option<AnyRef<'_>>) -> Result<Restriction, KeyRefused> {
    let Some(parameters) = parameters else {
        return Ok(Restriction::Pss);
    };
    PSS_PARAMETERS
        .iter()
        .find(|(_, hash, salt)| {
            let with_null = [&pss_hash(*hash, true)[..], &[0xa2, 3, 2, 1, *salt]].concat();
            let without_null = [&pss_hash(*hash, false)[..], &[0xa2, 3, 2, 1, *salt]].concat();
            parameters.tag() == Tag::Sequence
                && [with_null, without_null].iter().any(|known| known == parameters.value())
        })
        .map(|(algorithm, ..)| Restriction::To(*algorithm))
        .ok_or(KeyRefused::UnsupportedParameters)
}

/// The algorithm, the last arc of its hash's identifier under 2.16.840.1.101.3.4.2, and the salt's length.
const PSS_PARAMETERS: [(Algorithm, u8, u8); 3] =
    [(Algorithm::PS256, 1, 32), (Algorithm::PS384, 2, 48), (Algorithm::PS512, 3, 64)];

/// Encodes the fields `[0]` and `[1]` of RSASSA-PSS-params (RFC 4055 section 3.1) in DER: the hash, and MGF1 with it.
/// Encoders write the hash's own parameters as NULL or omit them; readers must accept both (section 2.1).
fn pss_hash(hash: u8, null: bool) -> Vec<u8> {
    const SHA2: [u8; 10] = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];
    const MGF1: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
    let identifier = [&SHA2[..], &[hash], if null { &[5, 0] } else { &[] }].concat();
    let identifier = tagged(0x30, &identifier);
    [tagged(0xa0, &identifier), tagged(0xa1, &tagged(0x30, &[&MGF1[..], &identifier].concat()))].concat()
}

/// Encodes a value shorter than 128 bytes.
fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag, value.len() as u8], value].concat()
}
