//! `tollgate keys`: the keys in a key file, and which of them can be used.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tollgate::KeySet;
use tollgate::keys::KeyReport;

use super::Outcome;
use crate::error::CommandError;
use crate::key_files;
use crate::reason::Reason;
use crate::stream::write_each;

const HELP: &str = "\
Exit status: 0 when at least one key is usable, 1 when none is, 2 when the file is not a key file.

Examples:
  tollgate keys jwks.json
  curl -s https://as.example/.well-known/jwks.json | tollgate keys /dev/stdin";

/// List the keys of a key file and whether they are usable.
///
/// One line of JSON a key, in the order of the file: `{"kid":...,"kty":...,"algs":[...],"usable":true}` or
/// `{"kid":...,"kty":...,"usable":false,"reason":...,"detail":...}`.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// A JWK, a JWKS, PEM (public keys, certificates) or DER (SubjectPublicKeyInfo, PKCS#1, certificate)
    file: PathBuf,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let loaded = key_files::add(KeySet::builder(), &self.file, &[])?.build_with_reports();
        write_each(loaded.reports.iter().map(Line::from))?;
        Ok(if loaded.set.is_empty() { Outcome::Rejected } else { Outcome::Accepted })
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Line<'k> {
    Usable { kid: Option<&'k str>, kty: &'k str, algs: Vec<&'static str>, usable: bool },
    Refused { kid: Option<&'k str>, kty: &'k str, usable: bool, reason: &'static str, detail: String },
}

impl<'k> From<&'k KeyReport> for Line<'k> {
    fn from(report: &'k KeyReport) -> Self {
        let (kid, kty) = (report.kid.as_deref(), report.kty.as_str());
        match &report.refused {
            Some(refused) => {
                let Reason { error, detail } = refused.into();
                Line::Refused { kid, kty, usable: false, reason: error, detail }
            }
            None => Line::Usable { kid, kty, algs: report.algs.iter().map(|alg| alg.name()).collect(), usable: true },
        }
    }
}
