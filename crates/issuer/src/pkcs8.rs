//! Reads PKCS#8 (RFC 5208, RFC 5958) into the parts of a key.
//!
//! ring's own readers require the public part inside an EC document, and version 2 with the public part for Ed25519.
//! Parsing the document here and passing the parts to ring also accepts version 1 Ed25519 documents, which OpenSSL
//! writes.

use pkcs1::RsaPrivateKeyRef;
use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef, SecretDocument,
    der::{
        Decode,
        asn1::{OctetStringRef, UintRef},
    },
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

use crate::{
    error::IssuerError,
    limits::MAX_PRIVATE_KEY_BYTES,
    material::{Material, RsaParts},
    scheme::{CURVES, Curve},
};

/// rsaEncryption (RFC 8017 appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-ecPublicKey (RFC 5480 section 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// id-Ed25519 (RFC 8410 section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const NOT_PKCS8: IssuerError = IssuerError::NotAPrivateKey { format: "PKCS#8 private key" };

/// The label of RFC 7468 section 10.
const PEM_LABEL: &str = "PRIVATE KEY";

pub(crate) fn from_pem(pem: &str) -> Result<Material, IssuerError> {
    check_length(pem.len())?;
    let (label, document) = SecretDocument::from_pem(pem).map_err(|_| NOT_PKCS8)?;
    if label != PEM_LABEL {
        return Err(NOT_PKCS8);
    }
    from_der(document.as_bytes())
}

pub(crate) fn from_der(der: &[u8]) -> Result<Material, IssuerError> {
    check_length(der.len())?;
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| NOT_PKCS8)?;
    match info.algorithm.oid {
        RSA => rsa(info.private_key.as_bytes()),
        EC => {
            let curve = info.algorithm.parameters_oid().map_err(|_| NOT_PKCS8)?;
            ec(curve, info.private_key.as_bytes())
        }
        ED25519 => ed25519(&info),
        _ => Err(IssuerError::InvalidMember { name: "kty" }),
    }
}

fn check_length(bytes: usize) -> Result<(), IssuerError> {
    if bytes > MAX_PRIVATE_KEY_BYTES {
        return Err(IssuerError::PrivateKeyTooLong { bytes });
    }
    Ok(())
}

fn rsa(der: &[u8]) -> Result<Material, IssuerError> {
    let key = RsaPrivateKeyRef::try_from(der).map_err(|_| NOT_PKCS8)?;
    if key.other_prime_infos.is_some() {
        return Err(IssuerError::InvalidMember { name: "oth" });
    }
    let secret = |number: UintRef<'_>| Zeroizing::new(number.as_bytes().to_vec());
    Ok(Material::Rsa(Box::new(RsaParts {
        n: key.modulus.as_bytes().to_vec(),
        e: key.public_exponent.as_bytes().to_vec(),
        d: secret(key.private_exponent),
        p: secret(key.prime1),
        q: secret(key.prime2),
        dp: secret(key.exponent1),
        dq: secret(key.exponent2),
        qi: secret(key.coefficient),
    })))
}

/// RFC 5915. The public point is required: ring does not compute it from the private number.
fn ec(curve: ObjectIdentifier, der: &[u8]) -> Result<Material, IssuerError> {
    let curve: &'static Curve =
        CURVES.into_iter().find(|known| known.oid == curve).ok_or(IssuerError::InvalidMember { name: "crv" })?;
    let key = EcPrivateKey::try_from(der).map_err(|_| NOT_PKCS8)?;
    if key.private_key.len() != curve.coordinate_bytes {
        return Err(IssuerError::InvalidMember { name: "d" });
    }
    let point = key.public_key.ok_or(IssuerError::MissingMember { name: "x" })?;
    let [0x04, coordinates @ ..] = point else {
        return Err(IssuerError::InvalidMember { name: "x" });
    };
    if coordinates.len() != 2 * curve.coordinate_bytes {
        return Err(IssuerError::InvalidMember { name: "x" });
    }
    let (x, y) = coordinates.split_at(curve.coordinate_bytes);
    Ok(Material::Ec { curve, d: Zeroizing::new(key.private_key.to_vec()), x: x.to_vec(), y: y.to_vec() })
}

/// RFC 8410 section 7: the private key is an OCTET STRING within the OCTET STRING.
fn ed25519(info: &PrivateKeyInfoRef<'_>) -> Result<Material, IssuerError> {
    let seed = <&OctetStringRef>::from_der(info.private_key.as_bytes()).map_err(|_| NOT_PKCS8)?;
    let seed = Zeroizing::new(seed.as_bytes().to_vec());
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|rejected| IssuerError::KeyRejected { rejected })?;
    let public = pair.public_key().as_ref().to_vec();
    match info.public_key.as_ref().and_then(pkcs8::der::asn1::BitStringRef::as_bytes) {
        Some(stated) if stated != public => Err(IssuerError::InvalidMember { name: "x" }),
        _ => Ok(Material::Okp { seed, public }),
    }
}
