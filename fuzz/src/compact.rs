use tollgate::jwt::limits::MAX_TOKEN_BYTES;
use tollgate::jwt::{CompactJws, base64url};

/// The three parts joined are the token; accepted base64url is the only encoding of its bytes.
pub fn compact(data: &[u8]) {
    let Ok(token) = str::from_utf8(data) else { return };
    let Ok(jws) = CompactJws::parse(token) else {
        let well_formed = token.len() <= MAX_TOKEN_BYTES && token.split('.').count() == 3;
        assert!(!well_formed, "three parts within the limit are refused");
        return;
    };
    assert_eq!([jws.header(), jws.payload(), jws.signature()], *token.split('.').collect::<Vec<_>>());
    assert_eq!(jws.signing_input(), format!("{}.{}", jws.header(), jws.payload()).as_bytes());
    let mut bytes = Vec::new();
    for part in [jws.header(), jws.payload(), jws.signature()] {
        if base64url::decode(part, &mut bytes).is_ok() {
            assert_eq!(base64url::encode(&bytes), part);
        }
    }
}
