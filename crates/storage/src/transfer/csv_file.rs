use super::line::{FormatName, KeyLine, refused};
use super::secret::Secret;
use crate::error::LineRefused;
use crate::limits::MAX_LINE_BYTES;
use csv_core::ReadRecordResult;
use std::io::{self, BufRead, Write};
use zeroize::{Zeroize, Zeroizing};

/// The columns of an export. An import may have them in any order, and omit some.
pub(super) const COLUMNS: [&str; 19] = [
    "digest",
    "id",
    "kind",
    "subject",
    "client_id",
    "scopes",
    "created_at",
    "not_before",
    "expires_at",
    "state",
    "name",
    "metadata",
    "allowed_addresses",
    "prefix",
    "env",
    "rotated_to",
    "overlap_ends_at",
    "parent",
    "confirmation",
];

/// Further columns of an import: keys in clear, as they are or in base64.
const COLUMNS_IN_CLEAR: [&str; 2] = ["key", "key_base64"];

/// All columns of an import.
const KNOWN: usize = COLUMNS.len() + COLUMNS_IN_CLEAR.len();

/// The rows of a file of comma-separated values.
pub(super) struct CsvFile<R> {
    input: R,
    parser: csv_core::Reader,
    /// For each column of the file, its index in [`COLUMNS`] and [`COLUMNS_IN_CLEAR`].
    columns: Vec<usize>,
    /// The fields of a row, concatenated. It does not grow: growing would leave a copy behind, which may be a key in
    /// clear.
    text: Zeroizing<Vec<u8>>,
    /// The used length of `text`.
    used: usize,
    /// The end of each field in `text`.
    ends: [usize; KNOWN + 1],
}

impl<R: BufRead> CsvFile<R> {
    pub(super) fn new(input: R) -> io::Result<Result<Self, LineRefused>> {
        let text = Zeroizing::new(vec![0; MAX_LINE_BYTES]);
        let mut file =
            Self { input, parser: csv_core::Reader::new(), columns: Vec::new(), text, used: 0, ends: [0; KNOWN + 1] };
        match file.read()? {
            Some(Err(refused)) => return Ok(Err(refused)),
            Some(Ok(fields)) => {
                for index in 0..fields {
                    match file.column(index) {
                        Some(column) if !file.columns.contains(&column) => file.columns.push(column),
                        _ => return Ok(Err(LineRefused::Column { number: index + 1 })),
                    }
                }
            }
            None => {}
        }
        Ok(Ok(file))
    }

    /// The next row, if any, and the number of its first line.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Result<KeyLine, LineRefused>)>> {
        let line = self.parser.line();
        Ok(self.read()?.map(|fields| (line, fields.and_then(|fields| self.line(fields)))))
    }

    /// Reads a row. Returns the number of its fields.
    fn read(&mut self) -> io::Result<Option<Result<usize, LineRefused>>> {
        self.text[..self.used].zeroize();
        self.used = 0;
        let (mut filled, mut fields, mut refused) = (0, 0, None);
        loop {
            let input = self.input.fill_buf()?;
            let (result, read, written, ended) =
                self.parser.read_record(input, &mut self.text[filled..], &mut self.ends[fields..]);
            self.input.consume(read);
            (filled, fields) = (filled + written, fields + ended);
            self.used = self.used.max(filled);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => return Ok(Some(refused.map_or(Ok(fields), Err))),
                // The rest of the row is skipped.
                ReadRecordResult::OutputFull => {
                    refused = Some(LineRefused::TooLong { max: MAX_LINE_BYTES });
                    (filled, fields) = (0, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    refused = Some(LineRefused::Fields { found: self.ends.len() + 1, expected: self.columns.len() });
                    (filled, fields) = (0, 0);
                }
            }
        }
    }

    fn field(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    /// The column that a field of the header names.
    fn column(&self, index: usize) -> Option<usize> {
        COLUMNS.iter().chain(&COLUMNS_IN_CLEAR).position(|column| column.as_bytes() == self.field(index))
    }

    fn line(&self, found: usize) -> Result<KeyLine, LineRefused> {
        if found != self.columns.len() {
            return Err(LineRefused::Fields { found, expected: self.columns.len() });
        }
        let mut fields = [""; COLUMNS.len()];
        let (mut key, mut key_base64) = (None, None);
        for (index, &column) in self.columns.iter().enumerate() {
            let field = self.field(index);
            match column.checked_sub(COLUMNS.len()) {
                None => fields[column] = std::str::from_utf8(field).map_err(|_| refused(COLUMNS[column]))?,
                Some(0) => key = Secret::given(field),
                Some(_) => key_base64 = Secret::given(field),
            }
        }
        let [digest, id, kind, subject, client_id, scopes, created_at, not_before, expires_at, rest @ ..] = fields;
        let [state, name, metadata, allowed_addresses, prefix, env, rotated_to, overlap_ends_at, parent, confirmation] =
            rest;
        Ok(KeyLine {
            digest: text(digest),
            id: text(id),
            kind: kind.to_owned(),
            subject: text(subject),
            client_id: text(client_id),
            scopes: words(scopes),
            created_at: number("created_at", created_at)?,
            not_before: number("not_before", not_before)?,
            expires_at: number("expires_at", expires_at)?,
            state: text(state),
            name: text(name),
            metadata: text(metadata),
            allowed_addresses: words(allowed_addresses),
            format: match (text(prefix), text(env)) {
                (Some(prefix), Some(env)) => Some(FormatName { prefix, env }),
                (None, None) => None,
                _ => return Err(refused("prefix")),
            },
            rotated_to: text(rotated_to),
            overlap_ends_at: number("overlap_ends_at", overlap_ends_at)?,
            parent: text(parent),
            confirmation: text(confirmation),
            key,
            key_base64,
        })
    }
}

/// Writes one row.
pub(super) fn write(output: &mut csv::Writer<impl Write>, line: &KeyLine) -> Result<(), csv::Error> {
    let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let (scopes, addresses) = (line.scopes.join(" "), line.allowed_addresses.join(" "));
    let (created_at, not_before) = (number(line.created_at), number(line.not_before));
    let (expires_at, overlap_ends_at) = (number(line.expires_at), number(line.overlap_ends_at));
    let format = line.format.as_ref();
    let some = |text: &'_ Option<String>| -> String { text.clone().unwrap_or_default() };
    output.write_record([
        some(&line.digest),
        some(&line.id),
        line.kind.clone(),
        some(&line.subject),
        some(&line.client_id),
        scopes,
        created_at,
        not_before,
        expires_at,
        some(&line.state),
        some(&line.name),
        some(&line.metadata),
        addresses,
        format.map_or_else(String::new, |format| format.prefix.clone()),
        format.map_or_else(String::new, |format| format.env.clone()),
        some(&line.rotated_to),
        overlap_ends_at,
        some(&line.parent),
        some(&line.confirmation),
    ])
}

/// An empty field is absent.
fn text(field: &str) -> Option<String> {
    (!field.is_empty()).then(|| field.to_owned())
}

fn words(field: &str) -> Vec<String> {
    field.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn number(name: &'static str, field: &str) -> Result<Option<i64>, LineRefused> {
    text(field).map(|digits| digits.parse().map_err(|_| refused(name))).transpose()
}
