//! `tollgate api-key check`.

use std::io;
use std::net::IpAddr;

use clap::Args;
use serde::Serialize;
use tollgate::apikeys::{Flaw, ForeignKey, KeyError};
use tollgate::{ApiKeyTable, Digest, KeyFormat, KeyRecord, KeyState, Rejection};
use tollgate_store::{RevocationKind, Store, StoreError, StoredKey};

use super::shown::ends_at;
use crate::commands::Outcome;
use crate::error::CommandError;
use crate::reason::Reason;
use crate::store_options::{FormatOption, PepperOption, StoreOption};
use crate::stream::{InputOptions, Item, JsonLines, NOT_A_JSON_ITEM, answer_each, with_input_help};
use crate::values::now;

/// Say whether keys are well-formed, and with a store whether they are valid.
///
/// A key that somebody found, in a log or in a repository, goes in on standard input, never on the command line, which others see. It
/// does not come out again: the answer is `{"ok":true,"prefix":...,"env":...,"version":...,"id":...,"kind":...,"subject":...,"expires_at":...}`
/// or `{"ok":false,"error":...,"id":...,"detail":...}`; members that do not apply are null.
///
/// Without a store nothing is looked up: prefix, length, version, alphabet and checksum tell a key of tollgate's format from what
/// only looks like one. With a store the answer is what an engine would say that follows it, of a bearer of the key at --address.
#[derive(Args, Debug)]
#[command(after_help = with_input_help!("\
Examples:
  tollgate api-key check < found.txt
  tollgate api-key check --prefix acme --env live < found.txt
  tollgate api-key check --store /var/lib/tollgate --pepper-file pepper --address 192.0.2.7 < found.txt"))]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreOption,

    #[command(flatten)]
    format: FormatOption,

    #[command(flatten)]
    pepper: PepperOption,

    /// The address that the key would be used from, for keys that may be used from some addresses alone; without it these are
    /// rejected with "address-required"
    #[arg(long, value_name = "ADDR", requires = "store")]
    address: Option<IpAddr>,

    #[command(flatten)]
    input: InputOptions,

    /// Print JSON, as it does anyway
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.file().map(|_| self.store.open()).transpose()?;
        let format = self.format.format(store.as_ref())?;
        let table = self.pepper.read()?.into_iter().fold(ApiKeyTable::new(format), ApiKeyTable::pepper);
        let checker = Checker { address: self.address, any_format: !self.format.is_given(), table, store };
        let mut failed = None;
        let answered = answer_each(self.input.format(), |item, output| match item {
            Item::Bytes(key) => match checker.check(key) {
                Ok(checked) => answer(checked, output),
                Err(error) => {
                    failed = Some(error);
                    Err(io::ErrorKind::Other.into())
                }
            },
            Item::TooLong { length } => {
                let flaw = Flaw::Length { bytes: length, expected: checker.table.format().key_length() };
                reject(KeyError::Malformed(flaw).into(), None, output)
            }
            Item::Malformed => reject(Reason::malformed_input(NOT_A_JSON_ITEM), None, output),
        });
        match (failed, &checker.store) {
            (Some(source), Some(store)) => Err(CommandError::in_store(store, source)),
            _ => answered,
        }
    }
}

struct Checker {
    /// Where the key would be used from.
    address: Option<IpAddr>,
    /// Whether keys of other operators are well-formed too.
    any_format: bool,
    /// Knows no key, but how foreign ones are digested.
    table: ApiKeyTable<KeyRecord>,
    store: Option<Store>,
}

/// What is known of a key.
struct Checked {
    /// Of a key in tollgate's format, that format.
    format: Option<KeyFormat>,
    /// Of a key in the store, its record.
    stored: Option<StoredKey>,
    rejected: Option<Reason>,
}

impl Checker {
    fn check(&self, key: &[u8]) -> Result<Checked, StoreError> {
        let format = own_format(key).filter(|format| self.any_format || format == self.table.format());
        let flaw = match &format {
            Some(format) => format.check(key).err(),
            None => Some(KeyError::Malformed(Flaw::Prefix)),
        };
        let Some(store) = &self.store else {
            return Ok(Checked { format, stored: None, rejected: flaw.map(Into::into) });
        };
        let stored = match flaw {
            None => store.key_of(&Digest::of(key))?,
            // What begins as the operator's own keys do is never looked for as another's.
            Some(_) => match ForeignKey::danger_guessable(self.table.format(), key) {
                Ok(key) => store.key_of(&self.table.foreign_digest(&key))?.filter(|key| key.format.is_none()),
                Err(_) => None,
            },
        };
        let rejected = match &stored {
            Some(key) => self.verdict(store, key)?.as_ref().map(Into::into),
            None => Some(flaw.map_or_else(|| (&Rejection::UnknownApiKey).into(), Into::into)),
        };
        Ok(Checked { format: format.filter(|_| flaw.is_none()), stored, rejected })
    }

    /// Why an engine would reject the key now, if it would.
    fn verdict(&self, store: &Store, key: &StoredKey) -> Result<Option<Rejection>, StoreError> {
        let (record, now) = (&key.record, now());
        match record.state() {
            KeyState::Active => {}
            KeyState::Disabled => return Ok(Some(Rejection::Disabled)),
            KeyState::Revoked => return Ok(Some(Rejection::Revoked)),
        }
        if let Some(not_before) = record.validity().0.filter(|begin| now < *begin) {
            return Ok(Some(Rejection::NotYetValid { not_before, now }));
        }
        if let Some(expired_at) = ends_at(key).filter(|end| *end <= now) {
            return Ok(Some(Rejection::Expired { expired_at, now }));
        }
        let revocation = store.revocation(RevocationKind::ApiKey, "", record.id())?;
        if revocation.is_some_and(|revocation| revocation.until > now) {
            return Ok(Some(Rejection::Revoked));
        }
        Ok(record.check_address(self.address).err())
    }
}

/// The format that the key says it has.
fn own_format(key: &[u8]) -> Option<KeyFormat> {
    let mut parts = std::str::from_utf8(key).ok()?.splitn(3, '_');
    let (prefix, env, _) = (parts.next()?, parts.next()?, parts.next()?);
    KeyFormat::new(prefix, env).ok()
}

#[derive(Serialize)]
struct Good<'k> {
    ok: bool,
    prefix: Option<&'k str>,
    env: Option<&'k str>,
    version: Option<&'static str>,
    id: Option<&'k str>,
    kind: Option<&'static str>,
    subject: Option<&'k str>,
    expires_at: Option<i64>,
}

#[derive(Serialize)]
struct Bad<'k> {
    ok: bool,
    error: &'static str,
    id: Option<&'k str>,
    detail: String,
}

fn answer(checked: Checked, output: &mut JsonLines) -> io::Result<Outcome> {
    let Checked { format, stored, rejected } = checked;
    let stored = stored.as_ref();
    if let Some(reason) = rejected {
        return reject(reason, stored.map(|key| key.record.id()), output);
    }
    let labels = format.as_ref().and_then(|format| crate::store_options::labels(format.head()));
    output.write(&Good {
        ok: true,
        prefix: labels.map(|(prefix, _)| prefix),
        env: labels.map(|(_, env)| env),
        // The only one that a well-formed key has yet.
        version: labels.map(|_| "1"),
        id: stored.map(|key| key.record.id()),
        kind: stored.map(|key| key.record.kind().as_str()),
        subject: stored.map(|key| key.record.subject()),
        expires_at: stored.and_then(ends_at),
    })?;
    Ok(Outcome::Accepted)
}

fn reject(reason: Reason, id: Option<&str>, output: &mut JsonLines) -> io::Result<Outcome> {
    let Reason { error, detail } = reason;
    output.write(&Bad { ok: false, error, id, detail })?;
    Ok(Outcome::Rejected)
}
