//! Reads a private JWK into the parts of its key (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).

use serde::{Deserialize, Deserializer, de::IgnoredAny};
use tollgate_jwt::base64url;
use tollgate_keys::Algorithm;
use zeroize::Zeroizing;

use crate::{
    error::IssuerError,
    limits::MAX_PRIVATE_KEY_BYTES,
    material::{ED25519, Material, RsaParts},
    scheme::CURVES,
};

/// A parsed private JWK.
pub(crate) struct ParsedJwk {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) material: Material,
}

/// Reads one private JWK.
pub(crate) fn parse(json: &str) -> Result<ParsedJwk, IssuerError> {
    if json.len() > MAX_PRIVATE_KEY_BYTES {
        return Err(IssuerError::PrivateKeyTooLong { bytes: json.len() });
    }
    // serde_json's message may quote the text, so it is dropped.
    let jwk: PrivateJwk =
        serde_json::from_str(json).map_err(|_| IssuerError::NotAPrivateKey { format: "private JWK" })?;
    jwk.into_parsed()
}

/// The members of a private JWK that are read; others are ignored (RFC 7517 section 4).
///
/// The derived reader refuses duplicates of these members.
#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    k: Secret,
    #[serde(default, deserialize_with = "secret")]
    d: Secret,
    #[serde(default, deserialize_with = "secret")]
    p: Secret,
    #[serde(default, deserialize_with = "secret")]
    q: Secret,
    #[serde(default, deserialize_with = "secret")]
    dp: Secret,
    #[serde(default, deserialize_with = "secret")]
    dq: Secret,
    #[serde(default, deserialize_with = "secret")]
    qi: Secret,
    oth: Option<IgnoredAny>,
}

type Secret = Option<Zeroizing<String>>;

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
}

impl PrivateJwk {
    fn into_parsed(self) -> Result<ParsedJwk, IssuerError> {
        self.check_purpose()?;
        let material = self.material()?;
        Ok(ParsedJwk { algorithm: self.algorithm(&material)?, kid: self.kid, material })
    }

    /// RFC 7517 sections 4.2 and 4.3.
    fn check_purpose(&self) -> Result<(), IssuerError> {
        let allowed_use = self.r#use.as_deref().is_none_or(|name| name == "sig");
        let allowed_operations = self.key_ops.as_ref().is_none_or(|names| names.iter().any(|name| name == "sign"));
        if allowed_use && allowed_operations { Ok(()) } else { Err(IssuerError::NotForSigning) }
    }

    /// `alg`, otherwise the curve's algorithm, otherwise RS256: the same as when the public half is loaded for
    /// verification.
    fn algorithm(&self, material: &Material) -> Result<Algorithm, IssuerError> {
        if let Some(name) = &self.alg {
            return Algorithm::from_name(name).ok_or(IssuerError::InvalidMember { name: "alg" });
        }
        match material {
            Material::Oct { .. } => Err(IssuerError::MissingAlgorithm),
            Material::Rsa(_) => Ok(Algorithm::RS256),
            Material::Ec { curve, .. } => Ok(curve.algorithm),
            Material::Okp { .. } => Ok(Algorithm::EdDSA),
        }
    }

    fn material(&self) -> Result<Material, IssuerError> {
        match self.kty.as_str() {
            "oct" => Ok(Material::Oct { secret: private(&self.k, "k")? }),
            "RSA" => self.rsa(),
            "EC" => self.ec(),
            "OKP" => self.okp(),
            _ => Err(IssuerError::InvalidMember { name: "kty" }),
        }
    }

    /// Requires more than `d`: ring computes with the primes, and this crate does not recover them from `d`.
    fn rsa(&self) -> Result<Material, IssuerError> {
        if self.oth.is_some() {
            return Err(IssuerError::InvalidMember { name: "oth" });
        }
        Ok(Material::Rsa(Box::new(RsaParts {
            n: public(&self.n, "n")?,
            e: public(&self.e, "e")?,
            d: private(&self.d, "d")?,
            p: private(&self.p, "p")?,
            q: private(&self.q, "q")?,
            dp: private(&self.dp, "dp")?,
            dq: private(&self.dq, "dq")?,
            qi: private(&self.qi, "qi")?,
        })))
    }

    fn ec(&self) -> Result<Material, IssuerError> {
        let name = self.crv.as_deref().ok_or(IssuerError::MissingMember { name: "crv" })?;
        let curve = CURVES
            .into_iter()
            .find(|curve| curve.id.name() == name)
            .ok_or(IssuerError::InvalidMember { name: "crv" })?;
        let x = public(&self.x, "x")?;
        let y = public(&self.y, "y")?;
        let d = private(&self.d, "d")?;
        check_length("x", &x, curve.coordinate_bytes)?;
        check_length("y", &y, curve.coordinate_bytes)?;
        check_length("d", &d, curve.coordinate_bytes)?;
        Ok(Material::Ec { curve, d, x, y })
    }

    fn okp(&self) -> Result<Material, IssuerError> {
        match self.crv.as_deref() {
            None => return Err(IssuerError::MissingMember { name: "crv" }),
            Some(ED25519) => {}
            Some(_) => return Err(IssuerError::InvalidMember { name: "crv" }),
        }
        let public = public(&self.x, "x")?;
        let seed = private(&self.d, "d")?;
        check_length("x", &public, ring::signature::ED25519_PUBLIC_KEY_LEN)?;
        check_length("d", &seed, ring::signature::ED25519_PUBLIC_KEY_LEN)?;
        Ok(Material::Okp { seed, public })
    }
}

fn public(text: &Option<String>, name: &'static str) -> Result<Vec<u8>, IssuerError> {
    let mut bytes = Vec::new();
    decode(text.as_deref(), name, &mut bytes)?;
    Ok(bytes)
}

fn private(text: &Secret, name: &'static str) -> Result<Zeroizing<Vec<u8>>, IssuerError> {
    let text = text.as_ref().map(|text| text.as_str());
    // Allocated at full size: reallocation would leave an unwiped copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.map_or(0, str::len)));
    decode(text, name, &mut bytes)?;
    Ok(bytes)
}

fn decode(text: Option<&str>, name: &'static str, out: &mut Vec<u8>) -> Result<(), IssuerError> {
    let text = text.ok_or(IssuerError::MissingMember { name })?;
    base64url::decode(text, out).map_err(|_| IssuerError::InvalidMember { name })
}

/// RFC 7518 section 6.2: a coordinate has the length of the curve's field, leading zeros included.
fn check_length(name: &'static str, bytes: &[u8], expected: usize) -> Result<(), IssuerError> {
    if bytes.len() == expected { Ok(()) } else { Err(IssuerError::InvalidMember { name }) }
}
