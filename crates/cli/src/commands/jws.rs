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
use crate::stream::{InputOptions, Item, JsonLines, MALFORMED_INPUT, answer_each, with_input_help};
use crate::{key_files, values};

/// The `error` of every line when no key can be used.
const NO_USABLE_KEY: &str = "no-usable-key";

/// Verify signatures alone: no claims are read, the payload may be any bytes.
///
/// A line is a JWS in compact form. The answer is `{"ok":true,"alg":...,"kid":...,"payload":"<base64url>"}` or
/// `{"ok":false,"error":...}`. Where the key files hold no usable key, every line is rejected with "no-usable-key"; `tollgate keys`
/// says why.
#[derive(Args, Debug)]
#[command(after_help = with_input_help!("\
Examples:
  tollgate jws --key jwks.json < tokens.txt
  tollgate jws --key rsa.pem --alg PS256 --alg PS384 < tokens.txt"))]
pub(crate) struct Arguments {
    /// A JWK, a JWKS, PEM (public keys, certificates) or DER (SubjectPublicKeyInfo, PKCS#1, certificate); of a private JWK the
    /// public part is used. To be given once for each file
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,

    /// Accept this algorithm alone, or these. A key that does not say what it is for is then for them; else an RSA key is for RS256,
    /// and an `oct` key is refused
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
        answer_each(&self.input, |item, output| match item {
            _ if verifier.keys.is_empty() => reject(NO_USABLE_KEY, output),
            Item::Bytes(bytes) => verifier.answer(bytes, output),
            Item::TooLong { length } => reject(ParseError::TooLong { length, max: MAX_LINE_BYTES }.code(), output),
            Item::Malformed => reject(MALFORMED_INPUT, output),
        })
    }
}

struct Verifier<'a> {
    keys: KeySet,
    /// All where there is none.
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
            Err(error) => reject(error, output),
        }
    }

    /// What is said of a token that verifies; or the code of why it does not.
    fn verify<'s>(&'s mut self, token: &'s [u8]) -> Result<Accepted<'s>, &'static str> {
        let token = std::str::from_utf8(token).map_err(|_| ParseError::NotCompact.code())?;
        let jws = CompactJws::parse(token).map_err(|error| error.code())?;
        let header = jws.decode_header(&mut self.header).map_err(|error| error.code())?;
        let algorithm = Algorithm::from_name(header.alg());
        let is_allowed = |algorithm| self.algorithms.is_empty() || self.algorithms.contains(&algorithm);
        if !algorithm.is_some_and(is_allowed) {
            return Err(Rejection::AlgorithmNotAllowed.code());
        }
        // What is signed is the payload as it was sent: that it is base64url is another matter.
        self.payload.clear();
        jws.append_payload(&mut self.payload).map_err(|error| error.code())?;
        let proof = self.keys.verify(&jws, &header, &mut self.signature).map_err(|error| error.code())?;
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
}

fn reject(error: &'static str, output: &mut JsonLines) -> io::Result<Outcome> {
    output.write(&Rejected { ok: false, error })?;
    Ok(Outcome::Rejected)
}
