//! Minting and publishing, one file per behaviour.

#![forbid(unsafe_code)]

mod algorithms;
mod jwks;
mod known_answers;
mod minting;
mod pkcs8;
mod private_jwk;
mod private_jwks;
mod rotation;
mod secrecy;
mod support;
