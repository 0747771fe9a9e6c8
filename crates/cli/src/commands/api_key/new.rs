//! `tollgate api-key new`.

use std::path::PathBuf;

use clap::Args;
use ring::rand::{SecureRandom, SystemRandom};
use tollgate::jwt::{base64url, is_scope_token};
use tollgate::{AddressBlock, ApiKey, KeyFormat, KeyRecord};
use tollgate_storage::{AuditRecord, Existing, StorageError, StoredKey, new_key_id};

use super::key_printer::KeyPrinter;
use super::shown::Shown;
use crate::commands::Outcome;
use crate::error::{CommandError, warn};
use crate::key_records::{self, FormatName, KeyLine};
use crate::limits::{KEYS_PER_BATCH, MAX_MADE};
use crate::store_options::{FormatOption, Store, StoreOption, labels, operator};
use crate::stream::progress::key_bar;
use crate::values::{self, Kind, now};

const HELP: &str = "\
The destination of the record, which holds the digest and never the key:
  --store FILE  a store, which any number of processes share and follow: `tollgate serve`, `tollgate verify --store`. There the key
                can be listed, disabled, rotated and revoked. Default: the environment variable TOLLGATE_STORE.
  --file FILE   the end of a file, for `tollgate verify --api-keys`, which reads it once, or for `tollgate api-key import`, which
                imports it into a store. --file takes precedence over TOLLGATE_STORE.
  neither       standard error.

A line of the file is a JSON object: digest (base64url of the key's SHA-256), id, kind, subject, client_id, scopes, not_before,
expires_at (seconds since the Unix epoch) and format. `tollgate api-key export` writes such lines too. Add a key
that was made elsewhere by hand, without format. To withdraw a key, remove its line.

Standard output has the key and nothing else, or with --json {\"key\":...} with the members of `tollgate api-key list --json`.

Examples:
  tollgate api-key new --store /var/lib/tollgate --subject user-7 --scope read:sites --expires-in 90d
  tollgate api-key new --store /var/lib/tollgate --subject user-7 --count 1000 --json > keys-to-hand-out.jsonl
  tollgate api-key new --file keys.jsonl --subject user-7 --scope read:sites --expires-in 90d
  tollgate api-key new --file keys.jsonl --kind client-secret --client-id c1 --scope 'read:sites write:sites'
  tollgate api-key new --prefix acme --env test --subject user-7 2>> keys.jsonl";

/// Make a key and print it once. Only its digest is stored.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The file to which the record of the key is added
    #[arg(long, conflicts_with = "store")]
    file: Option<PathBuf>,

    #[command(flatten)]
    store: StoreOption,

    /// The kind of the key
    #[arg(long, value_enum, default_value_t = Kind::ApiKey)]
    kind: Kind,

    /// The subject that the key authenticates; for a client secret, the client
    #[arg(long, value_name = "SUB", required_unless_present = "client_id")]
    subject: Option<String>,

    /// The client that the secret belongs to, or to which the access token was issued
    #[arg(long, value_name = "ID", required_if_eq("kind", "client-secret"))]
    client_id: Option<String>,

    /// The scopes of the key; give the option once for each, or separate them with spaces
    #[arg(long)]
    scope: Vec<String>,

    /// The lifetime of the key: seconds, or 90s, 15m, 12h, 30d. Default: no end
    #[arg(long, value_name = "TIME", value_parser = values::seconds)]
    expires_in: Option<u32>,

    /// The time from which the key is valid: seconds since the Unix epoch, 2026-12-31, 2026-12-31T12:00:00Z, or from now
    /// 12h, 30d
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    not_before: Option<i64>,

    /// A name for people; only in a store
    #[arg(long, conflicts_with = "file")]
    name: Option<String>,

    /// An address or block of addresses, as 192.0.2.0/24, that the key may be used from; give the option once for each.
    /// Default: every address. Only in a store
    #[arg(long, value_name = "CIDR", conflicts_with = "file")]
    allow_address: Vec<AddressBlock>,

    /// The public id of the key. Default: random
    #[arg(long)]
    id: Option<String>,

    #[command(flatten)]
    format: FormatOption,

    /// The number of keys to make, one a line
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "id", value_parser = clap::value_parser!(u64).range(1..=MAX_MADE))]
    count: u64,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        if !self.scopes().all(is_scope_token) {
            return Err(CommandError::Options("--scope contains an invalid scope-token (RFC 6749 section 3.3)"));
        }
        let has_store = self.file.is_none() && self.store.name().is_some();
        if !has_store && (self.name.is_some() || !self.allow_address.is_empty()) {
            return Err(CommandError::Options(
                "--name and --allow-address are kept in a store alone; give --store FILE",
            ));
        }
        if !has_store {
            return self.keep_in_file();
        }
        let store = self.store.open_or_make()?;
        let outcome = self.keep_in_store(&store)?;
        store.tell_new();
        Ok(outcome)
    }

    fn keep_in_store(&self, store: &Store) -> Result<Outcome, CommandError> {
        let format = self.format.format(Some(store))?;
        let mut printer = KeyPrinter::new(self.json);
        let bar = (self.count > KEYS_PER_BATCH as u64).then(|| key_bar(self.count));
        let (mut left, mut last) = (self.count, String::new());
        while left > 0 {
            let batch = left.min(KEYS_PER_BATCH as u64);
            let keys = (0..batch)
                .map(|_| {
                    let key = ApiKey::generate(&format).map_err(|_| CommandError::Random)?;
                    let id =
                        self.id.clone().map_or_else(|| new_key_id("key").map_err(|source| store.failed(source)), Ok)?;
                    let stored = StoredKey::native(&format, &key, self.record(&id)).made_at(now());
                    Ok((key, stored))
                })
                .collect::<Result<Vec<_>, CommandError>>()?;
            // The records are added first: a key without a record is useless, a record without a key is harmless.
            let stored: Vec<StoredKey> = keys.iter().map(|(_, stored)| stored.clone()).collect();
            add(store, stored.clone())?;
            for (key, stored) in &keys {
                if printer.print(key, &Shown::from(stored))? == Outcome::Rejected {
                    return Ok(Outcome::Rejected);
                }
            }
            last = stored.last().map_or_else(String::new, |key| key.record.id().to_owned());
            left -= batch;
            bar.iter().for_each(|bar| bar.inc(batch));
        }
        bar.iter().for_each(indicatif::ProgressBar::finish_and_clear);
        match self.count {
            1 => warn(&format!("the key's id is {last}; the key is shown only this once")),
            count => warn(&format!("made {count} keys; they are shown only this once")),
        }
        Ok(Outcome::Accepted)
    }

    fn keep_in_file(&self) -> Result<Outcome, CommandError> {
        let format = self.format.format(None)?;
        let mut printer = KeyPrinter::new(self.json);
        for _ in 0..self.count {
            let key = ApiKey::generate(&format).map_err(|_| CommandError::Random)?;
            let line = self.line(&key, &format)?;
            match &self.file {
                Some(path) => key_records::append(path, &line)?,
                None => {
                    let line = serde_json::to_string(&line).map_err(|error| CommandError::Output(error.into()))?;
                    eprintln!("{line}");
                }
            }
            let stored = StoredKey::native(&format, &key, self.record(&line.id)).made_at(now());
            if printer.print(&key, &Shown::from(&stored))? == Outcome::Rejected {
                return Ok(Outcome::Rejected);
            }
        }
        Ok(Outcome::Accepted)
    }

    fn record(&self, id: &str) -> KeyRecord {
        let client_id = self.client_id.as_deref();
        let subject = if self.kind == Kind::ClientSecret { client_id } else { self.subject.as_deref() };
        KeyRecord::builder(self.kind.into(), id, subject.unwrap_or_default())
            .client_id(client_id)
            .scopes(self.scopes())
            .not_before(self.not_before)
            .expires_at(self.expires_in.map(|seconds| now() + i64::from(seconds)))
            .name(self.name.as_deref().unwrap_or_default())
            .allowed_addresses(self.allow_address.iter().copied())
            .build()
    }

    fn line(&self, key: &ApiKey, format: &KeyFormat) -> Result<KeyLine, CommandError> {
        let (prefix, env) = labels(format.head()).unwrap_or_default();
        let line = KeyLine {
            digest: base64url::encode(key.digest().as_bytes()),
            id: self.id.clone().map_or_else(random_id, Ok)?,
            kind: self.kind,
            subject: if self.kind == Kind::ClientSecret { self.client_id.clone() } else { self.subject.clone() },
            client_id: self.client_id.clone(),
            scopes: self.scopes().map(str::to_owned).collect(),
            not_before: self.not_before,
            expires_at: self.expires_in.map(|seconds| now() + i64::from(seconds)),
            format: Some(FormatName { prefix: prefix.to_owned(), env: env.to_owned() }),
            ..KeyLine::default()
        };
        line.record().map_err(CommandError::NewKeyRecord)?;
        Ok(line)
    }

    fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.iter().flat_map(|scope| scope.split_ascii_whitespace())
    }
}

/// Adds all records or none.
fn add(store: &Store, keys: Vec<StoredKey>) -> Result<(), CommandError> {
    let target = match &keys[..] {
        [key] => key.record.id().to_owned(),
        keys => format!("{} keys", keys.len()),
    };
    let audit = AuditRecord::new(&operator(), "api-key.add", &target).map_err(|source| store.failed(source))?;
    let audit = match keys.first() {
        Some(key) => audit.concerning(key.record.subject()),
        None => audit,
    };
    match store.wait_for(store.import(keys, Existing::Refuse, &audit)) {
        Ok(_) => Ok(()),
        Err(StorageError::Key { refusal, .. }) => Err(store.failed(refusal.into())),
        Err(source) => Err(store.failed(source)),
    }
}

/// 128 random bits, so that ids do not repeat.
fn random_id() -> Result<String, CommandError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| CommandError::Random)?;
    Ok(format!("key_{}", base64url::encode(bytes)))
}
