//! Loading, vetting and using keys, one file per behaviour.

#![forbid(unsafe_code)]

mod building;
mod codes;
mod curve_points;
#[cfg(all(feature = "ecdsa-tables", feature = "ring", not(feature = "fips")))]
mod ecdsa_tables;
#[cfg(all(feature = "ed25519-tables", not(feature = "fips")))]
mod ed25519_tables;
mod jose_vectors;
mod key_files;
mod key_purposes;
mod key_ring;
mod key_set;
mod refused_keys;
mod secret_encodings;
mod thumbprints;
mod wycheproof_primitives;
