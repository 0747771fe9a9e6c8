//! `tollgate jws`: signatures alone.

use std::io;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tollgate::jwt::{CompactJws, ParseError, json};
use tollgate::{Algorithm, KeySet, Rejection};

use super::Outcome;
use crate::error::CommandError;
use crate::limits::MAX_LINE_BYTES;
use crate::reason::Reason;
use crate::stream::{InputOptions, Item, JsonLines, NOT_A_JSON_ITEM, answer_each, with_input_help};
use crate::{key_files, values};

/// The `error` of every line when there is no usable key.
const NO_USABLE_KEY: &str = "no-usable-key";
const NO_USABLE_KEY_DETAIL: &str = "the key files hold no usable key; tollgate keys says why";

/// For [`Rejection::AlgorithmNotAllowed`], whose own message names an issuer: there is none here.
const ALGORITHM_NOT_ALLOWED_DETAIL: &str = "alg is unknown, or not among those of --alg";

/// Verify only signatures: no claims are read, the payload may be any bytes.
///
/// A line is a JWS in compact form. The answer is `{"ok":true,"alg":...,"kid":...,"payload":"<base64url>"}` or
/// `{"ok":false,"error":...,"detail":...}`. If the key files hold no usable key, every line is rejected with "no-usable-key";
/// `tollgate keys` shows the reason.
#[derive(Args, Debug)]
#[command(after_help = with_input_help!("\
Examples:
  tollgate jws --key jwks.json < tokens.txt
  tollgate jws --key rsa.pem --alg PS256 --alg PS384 < tokens.txt"))]
pub(crate) struct Arguments {
    /// A JWK, a JWKS, PEM (public keys, certificates) or DER (SubjectPublicKeyInfo, PKCS#1, certificate). Only the public
    /// part of a private JWK is used. Give the option once for each file
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,

    /// Accept only these algorithms. They also apply to keys that name no algorithm; without --alg, such an RSA key
    /// admits RS256, and such an `oct` key is refused
    #[arg(long = "alg", value_name = "ALG", value_parser = values::algorithm(), hide_possible_values = true)]
    algorithms: Vec<Algorithm>,

    #[command(flatten)]
    input: InputOptions,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let keys =
            self.keys.iter().try_fold(KeySet::builder(), |keys, path| key_files::add(keys, path, &self.algorithms))?;
        let mut verifier = Verifier::new(keys.build_with_reports().set, &self.algorithms);
        answer_each(self.input.format(), |item, output| match item {
            _ if verifier.keys.is_empty() => reject(Reason::new(NO_USABLE_KEY, NO_USABLE_KEY_DETAIL), output),
            Item::Bytes(bytes) => verifier.answer(bytes, output),
            Item::TooLong { length } => reject(ParseError::TooLong { length, max: MAX_LINE_BYTES }.into(), output),
            Item::Malformed => reject(Reason::malformed_input(NOT_A_JSON_ITEM), output),
        })
    }
}

struct Verifier<'a> {
    keys: KeySet,
    /// Empty: all algorithms.
    algorithms: &'a [Algorithm],
    header: json::Buffer,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Verifier<'a> {
    fn new(keys: KeySet, algorithms: &'a [Algorithm]) -> Self {
        Verifier { keys, algorithms, header: json::Buffer::default(), payload: Vec::new(), signature: Vec::new() }
    }

    fn answer(&mut self, token: &[u8], output: &mut JsonLines) -> io::Result<Outcome> {
        match self.verify(token) {
            Ok(accepted) => output.write(&accepted).map(|()| Outcome::Accepted),
            Err(reason) => reject(reason, output),
        }
    }

    /// The answer for a valid token, or the reason for the rejection.
    fn verify<'s>(&'s mut self, token: &'s [u8]) -> Result<Accepted<'s>, Reason> {
        let token = std::str::from_utf8(token).map_err(|_| ParseError::NotCompact)?;
        let jws = CompactJws::parse(token)?;
        let header = jws.decode_header(&mut self.header)?;
        let algorithm = Algorithm::from_name(header.alg());
        let is_allowed = |algorithm| self.algorithms.is_empty() || self.algorithms.contains(&algorithm);
        if !algorithm.is_some_and(is_allowed) {
            return Err(Reason::new(Rejection::AlgorithmNotAllowed.code(), ALGORITHM_NOT_ALLOWED_DETAIL));
        }
        // The signature covers the payload as it was sent, base64url or not.
        self.payload.clear();
        jws.append_payload(&mut self.payload)?;
        let proof = self.keys.verify(&jws, &header, &mut self.signature)?;
        Ok(Accepted { ok: true, alg: proof.key().algorithm().name(), kid: proof.key().kid(), payload: jws.payload() })
    }
}

#[derive(Serialize)]
struct Accepted<'t> {
    ok: bool,
    alg: &'static str,
    kid: Option<&'t str>,
    payload: &'t str,
}

#[derive(Serialize)]
struct Rejected {
    ok: bool,
    error: &'static str,
    detail: String,
}

fn reject(reason: Reason, output: &mut JsonLines) -> io::Result<Outcome> {
    let Reason { error, detail } = reason;
    output.write(&Rejected { ok: false, error, detail })?;
    Ok(Outcome::Rejected)
}
