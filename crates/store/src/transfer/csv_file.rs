use super::line::{FormatName, KeyLine, refused};
use crate::error::LineRefused;
use csv::StringRecord;
use std::io::{Read, Write};

/// What the first line of an export says. An import may have them in any order, and leave some out.
pub(super) const COLUMNS: [&str; 17] = [
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
];

/// The rows of a file of comma-separated values.
pub(super) struct CsvFile<R> {
    rows: csv::Reader<R>,
    /// Which column of [`COLUMNS`] each of the file's is.
    columns: Vec<usize>,
    row: StringRecord,
}

impl<R: Read> CsvFile<R> {
    pub(super) fn new(input: R) -> Result<Self, LineRefused> {
        let mut rows = csv::Reader::from_reader(input);
        let mut columns = Vec::new();
        for name in rows.headers()? {
            let column = COLUMNS.iter().position(|column| column == &name).filter(|column| !columns.contains(column));
            columns.push(column.ok_or_else(|| LineRefused::Column { name: name.into() })?);
        }
        Ok(Self { rows, columns, row: StringRecord::new() })
    }

    /// The next row, if there is one, and the number of its first line.
    pub(super) fn next(&mut self) -> Option<(u64, Result<KeyLine, LineRefused>)> {
        let read = self.rows.read_record(&mut self.row);
        let at_error = self.rows.position().line();
        match read {
            Ok(false) => None,
            Ok(true) => {
                let line = self.row.position().map_or(at_error, csv::Position::line);
                Some((line, self.line()))
            }
            Err(error) => Some((error.position().map_or(at_error, csv::Position::line), Err(error.into()))),
        }
    }

    fn line(&self) -> Result<KeyLine, LineRefused> {
        let mut fields = [""; COLUMNS.len()];
        for (&column, field) in self.columns.iter().zip(&self.row) {
            fields[column] = field;
        }
        let [digest, id, kind, subject, client_id, scopes, created_at, not_before, expires_at, rest @ ..] = fields;
        let [state, name, metadata, allowed_addresses, prefix, env, rotated_to, overlap_ends_at] = rest;
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
    ])
}

/// An empty field says nothing.
fn text(field: &str) -> Option<String> {
    (!field.is_empty()).then(|| field.to_owned())
}

fn words(field: &str) -> Vec<String> {
    field.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn number(name: &'static str, field: &str) -> Result<Option<i64>, LineRefused> {
    text(field).map(|digits| digits.parse().map_err(|_| refused(name))).transpose()
}
