use serde_json::Value;
use tollgate::jwt::{CompactJws, base64url, json};

/// An accepted header is an object for serde_json too, has the same values there, and requires nothing that is not
/// implemented.
pub fn header(data: &[u8]) {
    let token = format!("{}.e30.c2ln", base64url::encode(data));
    let (Ok(jws), mut buffer) = (CompactJws::parse(&token), json::Buffer::default()) else { return };
    let Ok(header) = jws.decode_header(&mut buffer) else { return };
    let twin = twin(data);
    assert_eq!(Some(header.alg()), twin["alg"].as_str());
    assert_eq!(header.kid(), twin["kid"].as_str());
    assert_eq!(header.typ(), twin["typ"].as_str());
    for name in ["crit", "b64", "zip", "enc"] {
        assert!(twin.get(name).is_none(), "{name} is passed over");
    }
}

/// Accepted claims are an object for serde_json too, with the same values.
pub fn claims(data: &[u8]) {
    let token = format!("e30.{}.c2ln", base64url::encode(data));
    let (Ok(jws), mut buffer) = (CompactJws::parse(&token), json::Buffer::default()) else { return };
    let Ok(claims) = jws.decode_claims(&mut buffer) else { return };
    let twin = twin(data);
    for (name, text) in [("iss", claims.iss()), ("sub", claims.sub()), ("jti", claims.jti()), ("sid", claims.sid())] {
        assert_eq!(text, twin[name].as_str(), "{name}");
        assert_eq!(text.is_none(), twin.get(name).is_none(), "{name} of another type passes as absent");
    }
    for (name, time) in [("exp", claims.exp()), ("nbf", claims.nbf()), ("iat", claims.iat())] {
        assert_eq!(time.is_none(), twin.get(name).is_none(), "{name} of another type passes as absent");
        if let Some(whole) = twin[name].as_i64() {
            assert_eq!(time, Some(whole), "{name}");
        }
    }
    let audience: Vec<_> = claims.aud().iter().collect();
    match twin.get("aud") {
        None => assert!(audience.is_empty()),
        Some(Value::String(one)) => assert_eq!(audience, [one]),
        Some(many) => assert_eq!(Some(&audience), strings(many).as_ref()),
    }
}

/// The slow twin: serde_json's reading. It accepts duplicate members, which tollgate refuses.
fn twin(data: &[u8]) -> Value {
    let value: Value = serde_json::from_slice(data).expect("no JSON for serde_json");
    assert!(value.is_object());
    value
}

fn strings(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}
