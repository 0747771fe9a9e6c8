//! The end of every transaction with changes: it logs them with numbers from the counter.

use ring::rand::{SecureRandom, SystemRandom};
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;
use tollgate::Digest;
use tollgate_storage::{Position, RevocationKind, StorageError};

use crate::rows::revocation_digest;

/// The changed record, without its state, which is read from its own table.
#[derive(Clone, Debug)]
pub(crate) enum Changed {
    Key { number: i64 },
    KeyRemoved { digest: Digest },
    Client { id: String },
    Revocation { kind: RevocationKind, issuer: String, name: String },
    Heartbeat,
}

/// One statement, so that the counter is locked for only one round trip; the commit is sent with it.
///
/// Followers are notified of the number of the last change, which fits into a payload.
pub(crate) const APPEND: &str = "
    WITH head AS (
        UPDATE tollgate.head SET number = number + cardinality($1::bigint[]) WHERE id = 1
        RETURNING number, number - cardinality($1::bigint[]) AS base
    ), appended AS (
        INSERT INTO tollgate.changes (number, tag, what, key_number, digest, kind, issuer, name, batch)
        SELECT head.base + e.place, e.tag, e.what, e.key_number, e.digest, e.kind, e.issuer, e.name,
               CASE WHEN e.place = cardinality($1::bigint[]) THEN $8::bytea END
        FROM head, unnest($1::bigint[], $2::text[], $3::bigint[], $4::bytea[], $5::text[], $6::text[], $7::text[])
             WITH ORDINALITY AS e (tag, what, key_number, digest, kind, issuer, name, place)
    )
    SELECT number, pg_notify('tollgate', number::text) FROM head";

/// Marks the last change of a batch.
pub(crate) type Batch = [u8; 16];

/// The changes of one transaction, as columns of rows.
#[derive(Default)]
pub(crate) struct Append {
    tags: Vec<i64>,
    what: Vec<&'static str>,
    key_numbers: Vec<Option<i64>>,
    digests: Vec<Option<Vec<u8>>>,
    kinds: Vec<Option<&'static str>>,
    issuers: Vec<Option<String>>,
    names: Vec<Option<String>>,
}

impl Append {
    pub(crate) fn new(changes: Vec<Changed>) -> Result<Self, StorageError> {
        let mut append = Append { tags: random_tags(changes.len())?, ..Append::default() };
        for change in changes {
            let (mut key_number, mut digest, mut kind, mut issuer, mut name) = (None, None, None, None, None);
            let what = match change {
                Changed::Key { number } => {
                    key_number = Some(number);
                    "key"
                }
                Changed::KeyRemoved { digest: of_key } => {
                    digest = Some(of_key.as_bytes().to_vec());
                    "key-removed"
                }
                Changed::Client { id } => {
                    name = Some(id);
                    "client"
                }
                Changed::Revocation { kind: of_name, issuer: of_issuer, name: of_it } => {
                    digest = Some(revocation_digest(of_name, &of_issuer, &of_it).to_vec());
                    (kind, issuer, name) = (Some(of_name.as_str()), Some(of_issuer), Some(of_it));
                    "revocation"
                }
                Changed::Heartbeat => "heartbeat",
            };
            append.what.push(what);
            append.key_numbers.push(key_number);
            append.digests.push(digest);
            append.kinds.push(kind);
            append.issuers.push(issuer);
            append.names.push(name);
        }
        Ok(append)
    }

    /// Runs [`APPEND`]. Returns the end of the log after it.
    pub(crate) async fn run(
        &self,
        client: &tokio_postgres::Client,
        statement: &Statement,
        batch: &Batch,
    ) -> Result<Position, tokio_postgres::Error> {
        let batch = &batch[..];
        let parameters: [&(dyn ToSql + Sync); 8] =
            [&self.tags, &self.what, &self.key_numbers, &self.digests, &self.kinds, &self.issuers, &self.names, &batch];
        let row = client.query_one(statement, &parameters).await?;
        let tag = self.tags.last().copied().unwrap_or_default();
        Ok(position(row.get(0), tag))
    }
}

/// The form of a change in the columns.
pub(crate) fn position(number: i64, tag: i64) -> Position {
    Position { number: number.cast_unsigned(), tag: tag.cast_unsigned() }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], StorageError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StorageError::NoRandomness)?;
    Ok(bytes)
}

fn random_tags(count: usize) -> Result<Vec<i64>, StorageError> {
    let mut bytes = vec![0; count * 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StorageError::NoRandomness)?;
    let tag = |bytes: &[u8]| i64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
    Ok(bytes.chunks_exact(8).map(tag).collect())
}
