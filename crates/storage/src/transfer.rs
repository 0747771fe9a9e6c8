//! Keys to and from files: JSON lines and comma-separated values.

mod csv_file;
mod export;
mod import;
mod json_lines;
mod line;
mod secret;

pub use export::export_keys;
pub use import::{Import, ImportReport};

/// The format of a file of keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FileFormat {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values (RFC 4180) with the column names in the first line.
    Csv,
}
