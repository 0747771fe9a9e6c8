//! `tollgate api-key check`.

use std::io;
use std::net::IpAddr;

use clap::Args;
use serde::Serialize;
use tollgate::apikeys::{Flaw, KeyError, NativeKey};
use tollgate::{ApiKeyTable, KeyFormat, KeyState, Rejection};
use tollgate_storage::{RevocationKind, StoredKey};

use crate::commands::Outcome;
use crate::error::CommandError;
use crate::reason::Reason;
use crate::store_options::{FormatOption, PepperOption, Store, StoreOption};
use crate::stream::{InputOptions, Item, JsonLines, NOT_A_JSON_ITEM, answer_each, with_input_help};
use crate::values::now;

/// Check whether keys are well-formed and, with a store, whether they are valid.
///
/// Keys are read from standard input, one a line, never from the command line, which other users of the system can see. A key
/// is never printed. The answer is
/// `{"ok":true,"prefix":...,"env":...,"version":...,"id":...,"kind":...,"subject":...,"expires_at":...}` or
/// `{"ok":false,"error":...,"id":...,"detail":...}`; members that do not apply are null.
///
/// Without a store only the format is checked: prefix, length, version, alphabet and checksum. With a store the answer is the
/// verdict of an engine that follows the store, on a request with the key from --address.
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

    /// The client address of the request. Without it, keys that are restricted to some addresses are rejected with
    /// "address-required"
    #[arg(long, value_name = "ADDR", requires = "store")]
    address: Option<IpAddr>,

    #[command(flatten)]
    input: InputOptions,

    /// Print JSON (the only format)
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.name().map(|_| self.store.open()).transpose()?;
        let format = self.format.format(store.as_ref())?;
        let table = ApiKeyTable::builder(format).pepper(self.pepper.read()?).build();
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
        failed.map_or(answered, Err)
    }
}

struct Checker {
    /// The client address of the request.
    address: Option<IpAddr>,
    /// Whether keys with another prefix or environment count as well-formed.
    any_format: bool,
    /// An empty table, which digests keys of other systems.
    table: ApiKeyTable<()>,
    store: Option<Store>,
}

/// The result of a check.
struct Checked<'k> {
    /// The key, if it is well-formed in tollgate's format.
    native: Option<NativeKey<'k>>,
    /// Its record, if it is in the store.
    stored: Option<StoredKey>,
    rejected: Option<Reason>,
}

impl Checker {
    fn check<'k>(&self, key: &'k [u8]) -> Result<Checked<'k>, CommandError> {
        let native = NativeKey::parse(key);
        let checked = if self.any_format { native } else { self.table.format().check(key) };
        let flaw = checked.err();
        let Some(store) = &self.store else {
            return Ok(Checked { native: checked.ok(), stored: None, rejected: flaw.map(Into::into) });
        };
        let stored = match self.table.digest_of(key) {
            Ok(digest) => store.wait(store.key_of(digest.digest()))?.filter(|stored| stored.key_digest() == digest),
            Err(_) => None,
        };
        let rejected = match &stored {
            Some(key) => self.verdict(store, key)?.as_ref().map(Into::into),
            None => Some(flaw.map_or_else(|| (&Rejection::UnknownApiKey).into(), Into::into)),
        };
        Ok(Checked { native: native.ok(), stored, rejected })
    }

    /// The engine's rejection at this time, if any.
    fn verdict(&self, store: &Store, key: &StoredKey) -> Result<Option<Rejection>, CommandError> {
        let (record, now) = (&key.record, now());
        match record.state() {
            KeyState::Active => {}
            KeyState::Disabled => return Ok(Some(Rejection::Disabled)),
            KeyState::Revoked => return Ok(Some(Rejection::Revoked)),
        }
        if let Some(not_before) = record.not_before().filter(|begin| now < *begin) {
            return Ok(Some(Rejection::NotYetValid { not_before, now }));
        }
        if let Some(expired_at) = key.ends_at().filter(|end| *end <= now) {
            return Ok(Some(Rejection::Expired { expired_at, now }));
        }
        let revocation = store.wait(store.revocation(RevocationKind::ApiKey, "", record.id()))?;
        if revocation.is_some_and(|revocation| revocation.until > now) {
            return Ok(Some(Rejection::Revoked));
        }
        Ok(record.check_address(self.address).err())
    }
}

#[derive(Serialize)]
struct Good<'k> {
    ok: bool,
    prefix: Option<&'k str>,
    env: Option<&'k str>,
    version: Option<char>,
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

fn answer(checked: Checked<'_>, output: &mut JsonLines) -> io::Result<Outcome> {
    let Checked { native, stored, rejected } = checked;
    let stored = stored.as_ref();
    if let Some(reason) = rejected {
        return reject(reason, stored.map(|key| key.record.id()), output);
    }
    let labels = native.and_then(|key| crate::store_options::labels(key.head()));
    output.write(&Good {
        ok: true,
        prefix: labels.map(|(prefix, _)| prefix),
        env: labels.map(|(_, env)| env),
        // All well-formed keys have this version.
        version: labels.map(|_| KeyFormat::VERSION),
        id: stored.map(|key| key.record.id()),
        kind: stored.map(|key| key.record.kind().as_str()),
        subject: stored.map(|key| key.record.subject()),
        expires_at: stored.and_then(StoredKey::ends_at),
    })?;
    Ok(Outcome::Accepted)
}

fn reject(reason: Reason, id: Option<&str>, output: &mut JsonLines) -> io::Result<Outcome> {
    let Reason { error, detail } = reason;
    output.write(&Bad { ok: false, error, id, detail })?;
    Ok(Outcome::Rejected)
}
