//! `tollgate check`: whether the parts of a configuration file work on this host.

use std::path::PathBuf;

use clap::Args;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use tollgate::jwt::base64url;
use tollgate::keys::KeyReport;
use tollgate::{IssuerSettings, Request};
use tollgate_remote::{Health, Verifier};

use super::Outcome;
use crate::configuration::{Configuration, IssuerKeys};
use crate::error::CommandError;
use crate::limits::CLOCK_TOLERANCE;
use crate::reason::Reason;
use crate::stream::write_each;

/// Check a configuration in operation: keys can be fetched, endpoints answer, the store can be opened.
///
/// The file is that of `tollgate verify` and `tollgate gateway`. The answer is one line of JSON for each issuer, opaque
/// issuer, table of keys and gateway: `{"ok":true,...}` or `{"ok":false,...,"error":...,"detail":...}`. An introspection
/// endpoint is asked about a token that does not exist.
#[derive(Args, Debug)]
#[command(after_help = "\
Exit status: 0 when all of it works, 1 when a part does not, 2 when the file cannot work at all.

Examples:
  tollgate check --config tollgate.toml
  tollgate check --config tollgate.toml | grep '\"ok\":false'")]
pub(crate) struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome, CommandError> {
        let configuration = Configuration::read(&self.config)?;
        let configured = configuration.engine(configuration.dpop.dpop())?;
        configured.remote.wait();
        let mut healths = configured.remote.healths();
        let of_issuer = |keys: &IssuerKeys| of_issuer(keys, keys.is_fetched.then(|| healths.next()).flatten());
        let mut lines: Vec<_> = configured.keys.iter().map(of_issuer).collect();
        let tables = [
            configuration.store.as_ref().map(|store| store.file.display().to_string()),
            configuration.api_keys.as_ref().map(|path| path.display().to_string()),
        ];
        let table = tables.into_iter().flatten().next();
        lines.extend(
            table
                .zip(configured.api_keys)
                .map(|(name, keys)| Line { keys: Some(keys), ..Line::new("api-keys", &name) }),
        );
        let verifier = Verifier::new(configured.engine);
        for (name, section) in &configuration.introspection {
            let prefix = section.get_ref().settings.token_prefix.as_deref().unwrap_or_default();
            let credential = format!("Bearer {prefix}{}", random_text()?);
            let verdict = configured.remote.verify(&verifier, &Request::new().authorization(&credential), None);
            // Any verdict shows that the endpoint answered.
            let reason =
                verdict.err().filter(|rejection| rejection.status() >= 500).map(|rejection| (&rejection).into());
            lines.push(Line::new("introspection", name).with(reason));
        }
        if configuration.gateway.is_some() {
            configuration.gateway(verifier)?;
            lines.push(Line::new("gateway", &self.config.display().to_string()));
        }
        let is_well = lines.iter().all(|line| line.ok);
        write_each(&lines)?;
        Ok(if is_well { Outcome::Accepted } else { Outcome::Rejected })
    }
}

fn of_issuer(IssuerKeys { settings, ring, .. }: &IssuerKeys, health: Option<Health>) -> Line {
    let set = ring.load();
    let mut algs: Vec<&str> = set.iter().map(|key| key.algorithm().name()).collect();
    algs.sort_unstable();
    algs.dedup();
    let keys = set.len();
    let takes = Some(Requirements::of(settings));
    let line = Line { keys: Some(keys), algs, takes, ..Line::new("issuer", settings.issuer()) };
    let failure = health.as_ref().and_then(|health| health.last_failure.as_ref());
    let refused = health.as_ref().map_or(&[][..], |health| &health.refused);
    let clock_difference = health.as_ref().and_then(|health| health.clock_difference);
    let reason = match failure {
        _ if keys > 0 => clock_difference.and_then(|difference| wrong_clock(difference, settings.leeway)),
        Some(failure) => Some(Reason::new("no-keys", &failure.error)),
        None => Some(Reason::new("no-keys", "no key of the issuer can be used")),
    };
    let fetched_at = health.as_ref().and_then(|health| health.confirmed_at);
    Line {
        fetched_at,
        clock_difference,
        refused: refused.iter().filter_map(RefusedKey::of).collect(),
        ..line.with(reason)
    }
}

/// The reason if the clocks differ by more than the leeway: tokens would then count as expired too early or too late, or as
/// not yet valid.
fn wrong_clock(difference: i64, leeway: u32) -> Option<Reason> {
    let ahead = if difference > 0 { "ahead of" } else { "behind" };
    let seconds = difference.unsigned_abs();
    let detail = || format!("the issuer's clock is {seconds} s {ahead} this host's; the leeway is {leeway} s");
    (seconds > u64::from(leeway) + CLOCK_TOLERANCE).then(|| Reason::new("wrong-clock", detail()))
}

/// A token that no issuer has issued and no table holds.
fn random_text() -> Result<String, CommandError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| CommandError::Random)?;
    Ok(base64url::encode(bytes))
}

/// A part of the configuration. Members that do not apply are left out.
#[derive(Serialize)]
struct Line {
    ok: bool,
    /// issuer, introspection, api-keys or gateway.
    part: &'static str,
    name: String,
    /// The number of usable keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    algs: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    takes: Option<Requirements>,
    /// When the keys were last fetched or confirmed, in seconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched_at: Option<i64>,
    /// The issuer's clock minus this host's, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_difference: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<RefusedKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// The requirements on a token of an issuer, besides a signature by one of its keys.
#[derive(Serialize)]
struct Requirements {
    /// The accepted audiences; empty for any.
    audiences: Vec<String>,
    typ: String,
    /// Required claims. `exp` is one, unless the configuration says otherwise.
    claims: Vec<String>,
    /// Claims that must have one of some values.
    expect: Vec<String>,
    /// The tolerated difference between clocks, in seconds.
    leeway: u32,
}

impl Requirements {
    fn of(settings: &IssuerSettings) -> Self {
        Requirements {
            audiences: settings.audiences.clone(),
            typ: settings.typ.to_string(),
            claims: settings.require_claims.iter().map(ToString::to_string).collect(),
            expect: settings.expect.iter().map(|(claim, _)| claim.to_string()).collect(),
            leeway: settings.leeway,
        }
    }
}

/// A published key that cannot be used.
#[derive(Serialize)]
struct RefusedKey {
    kid: Option<String>,
    reason: &'static str,
}

impl RefusedKey {
    fn of(report: &KeyReport) -> Option<Self> {
        let kid = report.kid.as_deref().map(str::to_owned);
        report.refused.as_ref().map(|refused| RefusedKey { kid, reason: refused.code() })
    }
}

impl Line {
    fn new(part: &'static str, name: &str) -> Self {
        Line {
            ok: true,
            part,
            name: name.to_owned(),
            keys: None,
            algs: Vec::new(),
            takes: None,
            fetched_at: None,
            clock_difference: None,
            refused: Vec::new(),
            error: None,
            detail: None,
        }
    }

    /// With the reason for a failure, if any.
    fn with(self, reason: Option<Reason>) -> Self {
        match reason {
            Some(Reason { error, detail }) => Line { ok: false, error: Some(error), detail: Some(detail), ..self },
            None => self,
        }
    }
}
