//! The other side of tollgate: mint signed tokens, publish a JWKS, rotate signing keys.
