use super::line::KeyLine;
use super::{FileFormat, csv_file, json_lines};
use crate::error::StorageError;
use crate::key_store::{KeyFilter, KeyStore};
use crate::limits::KEYS_PER_REPORT;
use std::io::{self, Write};

/// Writes all keys in the order of their ids, as digests, never a secret. `report` is called periodically with the number
/// written so far. Returns the total.
///
/// Keys are read in batches: one that is added, changed or removed meanwhile is written either in its old or in its new
/// state.
///
/// # Errors
/// When the store cannot be read, or `output` not be written.
pub async fn export_keys(
    store: &dyn KeyStore,
    format: FileFormat,
    output: &mut dyn Write,
    report: &mut dyn FnMut(u64),
) -> Result<u64, StorageError> {
    let mut writer = match format {
        FileFormat::JsonLines => Writer::Json(io::BufWriter::new(output)),
        FileFormat::Csv => {
            let mut output = csv::Writer::from_writer(output);
            output.write_record(csv_file::COLUMNS).map_err(io::Error::from)?;
            Writer::Csv(Box::new(output))
        }
    };
    let (mut written, mut after): (u64, Option<String>) = (0, None);
    loop {
        let page = store.keys(&KeyFilter::default(), after.as_deref(), KEYS_PER_REPORT as usize).await?;
        for key in &page {
            let line = KeyLine::of(key);
            match &mut writer {
                Writer::Json(output) => json_lines::write(output, &line)?,
                Writer::Csv(output) => csv_file::write(output, &line).map_err(io::Error::from)?,
            }
        }
        written += page.len() as u64;
        report(written);
        match page.last() {
            Some(last) if page.len() as u64 == KEYS_PER_REPORT => after = Some(last.record.id().to_owned()),
            _ => break,
        }
    }
    match &mut writer {
        Writer::Json(output) => output.flush()?,
        Writer::Csv(output) => output.flush()?,
    }
    Ok(written)
}

enum Writer<'o> {
    Json(io::BufWriter<&'o mut dyn Write>),
    Csv(Box<csv::Writer<&'o mut dyn Write>>),
}
