//! JWK, JWKS, PEM and DER to vetted, prepared verification keys.
