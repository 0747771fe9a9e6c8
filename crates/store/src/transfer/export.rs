use super::line::KeyLine;
use super::{FileFormat, csv_file, json_lines};
use crate::error::StoreError;
use crate::limits::KEYS_PER_REPORT;
use crate::sqlite::Store;
use std::io::{self, Write};

impl Store {
    /// Writes all keys as of now, in the order in which they were added; digests, never a secret. `report` is called now
    /// and then with how many were written. Returns how many that were.
    ///
    /// # Errors
    /// When the store cannot be read, or `output` not be written.
    pub fn export_keys(
        &self,
        format: FileFormat,
        output: &mut dyn Write,
        report: &mut dyn FnMut(u64),
    ) -> Result<u64, StoreError> {
        let mut keys = 0;
        let mut count = || {
            keys += 1;
            if u64::is_multiple_of(keys, KEYS_PER_REPORT) {
                report(keys);
            }
        };
        match format {
            FileFormat::JsonLines => {
                let mut output = io::BufWriter::new(output);
                self.for_each_key(&mut |key| {
                    count();
                    Ok(json_lines::write(&mut output, &KeyLine::of(&key))?)
                })?;
                output.flush()?;
            }
            FileFormat::Csv => {
                let mut output = csv::Writer::from_writer(output);
                output.write_record(csv_file::COLUMNS).map_err(io::Error::from)?;
                self.for_each_key(&mut |key| {
                    count();
                    Ok(csv_file::write(&mut output, &KeyLine::of(&key)).map_err(io::Error::from)?)
                })?;
                output.flush()?;
            }
        }
        report(keys);
        Ok(keys)
    }
}
