//! `tollgate api-key export`.

use std::io;

use clap::Args;
use tollgate_storage::{StorageError, export_keys};

use super::import::Format;
use crate::commands::Outcome;
use crate::error::CommandError;
use crate::store_options::StoreOption;
use crate::stream::gone_or_failed;
use crate::stream::progress::key_bar;

const EXAMPLES: &str = "\
Examples:
  tollgate api-key export --store /var/lib/tollgate > keys.jsonl
  tollgate api-key export --format csv > keys.csv";

/// Write all keys of a store to standard output in the order of their ids, as digests.
///
/// A key that is changed during the export is written either in its old or in its new state. `tollgate api-key import` reads
/// the lines.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreOption,

    /// The format of the output
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,

    /// Print JSON (the only format)
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let bar = key_bar(store.wait(store.key_count())? as u64);
        let (mut output, mut report) = (io::stdout().lock(), |keys| bar.set_position(keys));
        let exported = store.wait_for(export_keys(&*store, self.format.into(), &mut output, &mut report));
        bar.finish_and_clear();
        match exported {
            Ok(_) => Ok(Outcome::Accepted),
            Err(StorageError::File(error)) => gone_or_failed(error),
            Err(source) => Err(store.failed(source)),
        }
    }
}
