//! tollgate as a tower layer, with axum extractors and RFC 6750 challenges.
