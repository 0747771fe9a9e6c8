use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tollgate_storage::{Change, Changes, KeyFeed, Position, RevocationKind, Since, StorageError, Visit};

use crate::append::{Changed, position};
use crate::error::timed;
use crate::limits::WRITE_DEADLINE;
use crate::rows::{
    CLIENT_COLUMN_COUNT, CLIENT_COLUMNS, KEY_COLUMN_COUNT, KEY_COLUMNS, KeyReader, REVOCATION_COLUMNS, Unreadable,
    client_of, digest_of, revocation_of,
};
use crate::snapshot;
use crate::store::PostgresStore;
use crate::transaction::PostgresTransaction;
use crate::write::{END_OF_LOG, Work};

#[async_trait]
impl KeyFeed for PostgresStore {
    async fn changes_after(&self, after: Position, max: usize) -> Result<Since, StorageError> {
        let Ok(number) = i64::try_from(after.number) else { return Ok(Since::Compacted) };
        let last = number.saturating_add(i64::try_from(max).unwrap_or(i64::MAX));
        timed(|| async {
            let client = self.feed_pool().get().await?;
            let statement = client.prepare_cached(&CHANGES).await?;
            let rows = client.query(&statement, &[&number, &last]).await?;
            Ok(since(after, &rows))
        })
        .await
    }

    async fn wait_after(&self, after: Position, timeout: Duration) -> Result<bool, StorageError> {
        let deadline = Instant::now() + timeout;
        let (listener, mut heard) = (self.listener(), self.listener().heard());
        loop {
            // Before reading the log, so that a later commit is noticed.
            if *heard.borrow_and_update() > after.number || self.end().await? != after {
                return Ok(true);
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(false);
            }
            let next_look = deadline.min(now + listener.look_interval());
            if let Ok(Err(_)) = timeout_at(next_look, heard.changed()).await {
                return Err(StorageError::failed("the listener has ended"));
            }
        }
    }

    async fn snapshot(&self, visit: Visit) -> Result<Position, StorageError> {
        snapshot::read(self, visit).await
    }

    async fn heartbeat(&self) -> Result<(), StorageError> {
        // A heartbeat is acknowledged to no one, so it need not be durable.
        self.inner().write(&Heartbeat, Instant::now() + WRITE_DEADLINE).await?;
        Ok(())
    }
}

struct Heartbeat;

#[async_trait]
impl Work for Heartbeat {
    type Done = ();

    async fn run(&self, _: &ClientWrapper, transaction: &mut PostgresTransaction<'_>) -> Result<(), StorageError> {
        transaction.changed(Changed::Heartbeat);
        Ok(())
    }
}

impl PostgresStore {
    /// The end of the log.
    async fn end(&self) -> Result<Position, StorageError> {
        timed(|| async {
            let client = self.feed_pool().get().await?;
            let statement = client.prepare_cached(END_OF_LOG).await?;
            let row = client.query_one(&statement, &[]).await?;
            Ok(position(row.get(0), row.get(1)))
        })
        .await
    }
}

/// Decodes the rows, of which the first is that of the position itself. A single row without a change: there are no changes.
fn since(after: Position, rows: &[Row]) -> Since {
    let latest = rows.first().map_or(0, |row| row.get::<_, i64>("latest")).cast_unsigned();
    let rows = if rows.first().is_some_and(|row| row.get::<_, Option<i64>>("number").is_none()) { &[] } else { rows };
    let is_start = after == Position::START;
    if (after.number == 0 && !is_start) || (rows.is_empty() && !(is_start && latest == 0)) {
        return Since::Compacted;
    }
    let place = |row: &Row| position(row.get("number"), row.get("tag"));
    let (has_position, news) = match rows.split_first() {
        Some((first, news)) if after.number > 0 => (place(first) == after, news),
        _ => (true, rows),
    };
    // Numbers have no gaps, so a gap shows a removal.
    let has_gap = (after.number + 1..).zip(news).any(|(number, row)| place(row).number != number);
    if !has_position || has_gap {
        return Since::Compacted;
    }
    let (mut reader, mut changes) = (KeyReader::default(), Vec::with_capacity(news.len()));
    for row in news {
        let change = change(&mut reader, row).unwrap_or_else(|unreadable| Some(unreadable.into_change()));
        changes.extend(change.map(|change| (place(row).number, change)));
    }
    Since::Changes(Changes { changes, through: news.last().map_or(after, place), latest })
}

/// The change in a row; `None` for a heartbeat, or for a key that was removed later.
fn change(reader: &mut KeyReader, row: &Row) -> Result<Option<Change>, Unreadable> {
    let number: i64 = row.get("number");
    let unreadable = || Unreadable { table: "changes", row: number.to_string(), digest: None, client_id: None };
    let text = |column| row.try_get::<_, &str>(column).map_err(|_| unreadable());
    Ok(match text("what")? {
        "key" => match row.get::<_, Option<&str>>(KEYS_AT) {
            Some(_) => Some(Change::Key(reader.read(row, KEYS_AT)?)),
            None => None,
        },
        "key-removed" => {
            let digest = row.try_get::<_, &[u8]>("digest").ok().and_then(digest_of);
            Some(Change::KeyRemoved { digest: digest.ok_or_else(unreadable)? })
        }
        "client" => match row.get::<_, Option<&str>>(CLIENTS_AT) {
            Some(_) => Some(Change::Client(client_of(row, CLIENTS_AT)?)),
            None => Some(Change::ClientRemoved { id: text("name")?.to_owned() }),
        },
        "revocation" => match row.get::<_, Option<&str>>(REVOCATIONS_AT) {
            Some(_) => Some(Change::Revocation(revocation_of(row, REVOCATIONS_AT)?)),
            None => Some(Change::RevocationRemoved {
                kind: RevocationKind::from_name(text("kind")?).ok_or_else(unreadable)?,
                issuer: text("issuer")?.into(),
                name: text("name")?.into(),
            }),
        },
        "heartbeat" => None,
        _ => return Err(unreadable()),
    })
}

impl Unreadable {
    pub(crate) fn into_change(self) -> Change {
        let Unreadable { table, row, digest, client_id } = self;
        Change::Unreadable { table, row, digest, client_id }
    }
}

/// The first column of each table in a row of [`CHANGES`].
const KEYS_AT: usize = 8;
const CLIENTS_AT: usize = KEYS_AT + KEY_COLUMN_COUNT;
const REVOCATIONS_AT: usize = CLIENTS_AT + CLIENT_COLUMN_COUNT;

/// One statement, so that the end of the log, the row of the position, the changes after it and their records are of one
/// state.
static CHANGES: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    format!(
        "SELECT c.number, c.tag, c.what, c.digest, c.kind, c.issuer, c.name,
                head.number AS latest, {KEY_COLUMNS}, {CLIENT_COLUMNS}, {REVOCATION_COLUMNS}
         FROM tollgate.head LEFT JOIN tollgate.changes c ON c.number >= $1 AND c.number <= $2
         LEFT JOIN tollgate.keys k ON c.what = 'key' AND k.number = c.key_number
         LEFT JOIN tollgate.clients l ON c.what = 'client' AND l.id = c.name
         LEFT JOIN tollgate.revocations r ON c.what = 'revocation' AND r.digest = c.digest
         ORDER BY c.number"
    )
});
