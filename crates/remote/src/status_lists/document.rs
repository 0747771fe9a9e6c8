use std::str;

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use tollgate::StatusList;
use tollgate_jwt::json::{Buffer, Number, Value};
use tollgate_jwt::{ClaimLimits, CompactJws, base64url};
use tollgate_keys::{KeyRing, VerifyingKey};

use crate::error::FetchError;
use crate::limits::{MAX_INFLATED_STATUS_LIST_BYTES, MAX_STATUS_LIST_SKEW, MAX_STATUS_LIST_TOKEN_BYTES};

/// The checks of a status list token.
pub(super) struct Vetting {
    pub(super) keys: KeyRing,
    /// Must equal the token's `iss`, if present.
    pub(super) issuer: Box<str>,
    /// The longest validity of a list, in seconds.
    pub(super) max_age: u32,
}

impl Vetting {
    /// Returns the list in `token`, which was fetched from `uri`. The token must be signed by the issuer's keys, have
    /// the right type and be about that URI. Only then is the list inflated. `now`: seconds since the Unix epoch.
    pub(super) fn vet(&self, token: &[u8], uri: &str, now: i64) -> Result<StatusList, FetchError> {
        let refused = |reason| FetchError::NotAStatusList { reason };
        let token = str::from_utf8(token).map_err(|_| refused("it is no JWT"))?.trim_ascii();
        let jws = CompactJws::parse_within(token, MAX_STATUS_LIST_TOKEN_BYTES).map_err(|_| refused("it is no JWT"))?;
        let (mut header_buffer, mut buffer) = (Buffer::default(), Buffer::default());
        let header = jws.decode_header(&mut header_buffer).map_err(|_| refused("its header cannot be read"))?;
        if !header.media_subtype().is_some_and(|typ| typ.eq_ignore_ascii_case("statuslist+jwt")) {
            return Err(refused("its typ is not statuslist+jwt"));
        }
        let keys = self.keys.load();
        // A key that its owner publishes for another issuer is not valid for this one.
        let admits = |key: &VerifyingKey| {
            let mut purposes = key.purposes().iter();
            purposes.len() == 0 || purposes.any(|purpose| purpose.issuer().is_none_or(|name| *name == *self.issuer))
        };
        keys.verify_if(&jws, &header, &mut Vec::new(), admits)
            .map_err(|_| refused("no key of the issuer verifies it"))?;
        let claims = jws.decode_claims_within(&ClaimLimits::default(), &mut buffer);
        let claims = claims.map_err(|_| refused("its claims cannot be read"))?;
        if claims.sub() != Some(uri) {
            return Err(refused("its sub is not the URI that it was fetched from"));
        }
        if claims.iss().is_some_and(|iss| *iss != *self.issuer) {
            return Err(refused("its iss is another one"));
        }
        if claims.iat().is_none_or(|iat| iat > now.saturating_add(MAX_STATUS_LIST_SKEW)) {
            return Err(refused("its iat is absent or has not come yet"));
        }
        let ttl = match claims.get("ttl") {
            None => u64::from(self.max_age),
            Some(Value::Number(Number::Unsigned(seconds))) if seconds > 0 => seconds,
            Some(_) => return Err(refused("its ttl is no number of seconds")),
        };
        let ttl = i64::try_from(ttl).unwrap_or(i64::MAX).min(self.max_age.into());
        let fresh_until = now.saturating_add(ttl).min(claims.exp().unwrap_or(i64::MAX));
        if fresh_until <= now {
            return Err(refused("it has expired"));
        }
        let list = claims.get("status_list").and_then(|list| list.as_object());
        let list = list.ok_or_else(|| refused("it has no status_list"))?;
        let bits = match list.get("bits") {
            Some(Value::Number(Number::Unsigned(bits))) => u8::try_from(bits).unwrap_or(0),
            _ => 0,
        };
        let mut deflated = Vec::new();
        let lst = list.get("lst").and_then(|lst| lst.as_str()).ok_or_else(|| refused("it has no lst"))?;
        base64url::decode(lst, &mut deflated).map_err(|_| refused("its lst is no base64url"))?;
        let statuses = decompress_to_vec_zlib_with_limit(&deflated, MAX_INFLATED_STATUS_LIST_BYTES)
            .map_err(|_| refused("its lst is not deflated, or too long"))?;
        StatusList::new(bits, statuses, fresh_until).ok_or_else(|| refused("its bits are not 1, 2, 4 or 8"))
    }
}
