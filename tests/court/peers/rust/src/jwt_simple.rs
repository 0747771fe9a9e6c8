use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::*;
use serde_json::Value;

use crate::Verdict;

pub const ALGORITHMS: &[&str] = &[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES256K",
    "EdDSA",
];

pub fn verify(keys: &Value, token: &str, policy: &Value) -> Option<Verdict> {
    let metadata = Token::decode_metadata(token).ok()?;
    let keys = keys["keys"].as_array()?;
    let jwk = match (metadata.key_id(), &keys[..]) {
        (Some(kid), keys) => keys.iter().find(|jwk| jwk["kid"] == kid)?,
        (None, [only]) => only,
        (None, _) => return Some(Verdict::Unsupported),
    };
    // A key has the type of its algorithm, so that it is chosen here and not by the token.
    let algorithm = jwk["alg"].as_str()?;
    if !policy["algorithms"].as_array()?.contains(&jwk["alg"]) {
        return None;
    }
    let text = |name: &str| Some(HashSet::from([policy[name].as_str()?.to_owned()]));
    let options = VerificationOptions {
        allowed_issuers: Some(text("iss")?),
        allowed_audiences: Some(text("aud")?),
        time_tolerance: Some(Duration::from_secs(policy["leeway"].as_u64()?)),
        artificial_time: Some(Duration::from_secs(policy["now"].as_u64()?)),
        required_signature_type: (policy["typ"] == "at+jwt").then(|| "at+jwt".to_owned()),
        ..Default::default()
    };
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    let point = || Some([vec![4], bytes("x")?, bytes("y")?].concat());
    macro_rules! check {
        ($key:expr) => {
            $key?.verify_token::<Value>(token, Some(options)).ok().map(|_| Verdict::Accept)
        };
    }
    match algorithm {
        "HS256" => check!(Some(HS256Key::from_bytes(&bytes("k")?))),
        "HS384" => check!(Some(HS384Key::from_bytes(&bytes("k")?))),
        "HS512" => check!(Some(HS512Key::from_bytes(&bytes("k")?))),
        "RS256" => check!(RS256PublicKey::from_components(&bytes("n")?, &bytes("e")?).ok()),
        "RS384" => check!(RS384PublicKey::from_components(&bytes("n")?, &bytes("e")?).ok()),
        "RS512" => check!(RS512PublicKey::from_components(&bytes("n")?, &bytes("e")?).ok()),
        "PS256" => check!(PS256PublicKey::from_components(&bytes("n")?, &bytes("e")?).ok()),
        "PS384" => check!(PS384PublicKey::from_components(&bytes("n")?, &bytes("e")?).ok()),
        "PS512" => check!(PS512PublicKey::from_components(&bytes("n")?, &bytes("e")?).ok()),
        "ES256" => check!(ES256PublicKey::from_bytes(&point()?).ok()),
        "ES384" => check!(ES384PublicKey::from_bytes(&point()?).ok()),
        "ES256K" => check!(ES256kPublicKey::from_bytes(&point()?).ok()),
        "EdDSA" => check!(Ed25519PublicKey::from_bytes(&bytes("x")?).ok()),
        _ => None,
    }
}
