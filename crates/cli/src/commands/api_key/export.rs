//! `tollgate api-key export`.

use std::io;

use clap::Args;
use tollgate_store::StoreError;

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

/// Write all keys of a store to standard output, in one state: digests, never a key.
///
/// The lines are those that `tollgate api-key import` reads.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreOption,

    /// How they are written
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,

    /// Print JSON, as it does anyway
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        let store = self.store.open()?;
        let failed = |source| CommandError::in_store(&store, source);
        let bar = key_bar(store.key_count().map_err(failed)? as u64);
        let exported =
            store.export_keys(self.format.into(), &mut io::stdout().lock(), &mut |keys| bar.set_position(keys));
        bar.finish_and_clear();
        match exported {
            Ok(_) => Ok(Outcome::Accepted),
            Err(StoreError::File(error)) => gone_or_failed(error),
            Err(source) => Err(failed(source)),
        }
    }
}
