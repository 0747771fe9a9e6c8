//! The whole state at one position.

use std::mem;
use std::pin::pin;

use futures_util::{Stream, TryStreamExt};
use tokio::task::JoinSet;
use tokio_postgres::binary_copy::BinaryCopyOutStream;
use tokio_postgres::{Client, Row};
use tollgate_storage::limits::CHANGES_PER_VISIT;
use tollgate_storage::{Change, Position, StorageError, Visit};

use crate::append::position;
use crate::connection::{Connector, Driver};
use crate::error::of_server;
use crate::limits::{KEYS_PER_SNAPSHOT_CONNECTION, MAX_SNAPSHOT_CONNECTIONS};
use crate::rows::{
    CLIENT_COLUMNS, KEY_COLUMNS, KEY_TYPES, KeyReader, REVOCATION_COLUMNS, Unreadable, client_of, revocation_of,
};
use crate::store::PostgresStore;
use crate::write::END_OF_LOG;

/// Visits the whole state at one position, and returns the position. Several connections read a share of the keys each, in
/// the snapshot that the first one has exported. A standby cannot export one, and is read by a single connection.
pub(crate) async fn read(store: &PostgresStore, visit: Visit) -> Result<Position, StorageError> {
    let connector = store.feed_connector();
    let first = Session::begin(connector, None).await?;
    let end = first.client.query_one(END_OF_LOG, &[]).await.map_err(of_server)?;
    let numbers = first.client.query_one(NUMBERS, &[]).await.map_err(of_server)?;
    let (start, keys_end): (i64, i64) = (numbers.get(0), numbers.get(1));

    first
        .visit_all(&format!("SELECT {REVOCATION_COLUMNS} FROM tollgate.revocations r"), &visit, |row| {
            revocation_of(row, 0).map(Change::Revocation)
        })
        .await?;
    first
        .visit_all(&format!("SELECT {CLIENT_COLUMNS} FROM tollgate.clients l"), &visit, |row| {
            client_of(row, 0).map(Change::Client)
        })
        .await?;

    let mut sessions = vec![first];
    let wanted = wanted_connections(keys_end - start);
    if wanted > 1
        && let Some(state) = sessions[0].export().await?
    {
        while sessions.len() < wanted {
            sessions.push(Session::begin(connector, Some(&state)).await?);
        }
    }
    let share = (keys_end - start) / sessions.len() as i64 + 1;
    let mut readers = JoinSet::new();
    for (n, session) in (0..).zip(sessions) {
        let (from, to, visit) = (start + n * share, start + (n + 1) * share, visit.clone());
        readers.spawn_on(async move { session.visit_keys(from, to, &visit).await }, connector.runtime());
    }
    while let Some(reader) = readers.join_next().await {
        match reader {
            Ok(outcome) => outcome?,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => return Err(StorageError::failed(error)),
        }
    }
    Ok(position(end.get(0), end.get(1)))
}

const NUMBERS: &str = "SELECT coalesce(min(number), 0), coalesce(max(number) + 1, 0) FROM tollgate.keys";

/// A connection in a transaction that sees one state until it is closed.
struct Session {
    client: Client,
    _driver: Driver,
}

impl Session {
    /// In the snapshot that another connection has exported, if any.
    async fn begin(connector: &Connector, state: Option<&str>) -> Result<Self, StorageError> {
        let (client, driver) = connector.connect(Box::new(|_| {})).await.map_err(of_server)?;
        // The exporting connection is idle while the others read.
        let mut begin =
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0"
                .to_owned();
        if let Some(state) = state {
            begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT '{state}'");
        }
        client.batch_execute(&begin).await.map_err(of_server)?;
        Ok(Session { client, _driver: driver })
    }

    /// The name of its exported snapshot; `None` on a standby.
    async fn export(&self) -> Result<Option<String>, StorageError> {
        let select = "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_export_snapshot() END";
        let row = self.client.query_one(select, &[]).await.map_err(of_server)?;
        Ok(row.get(0))
    }

    async fn visit_all(
        &self,
        select: &str,
        visit: &Visit,
        read: impl FnMut(&Row) -> Result<Change, Unreadable>,
    ) -> Result<(), StorageError> {
        let rows = self.client.query_raw(select, [0_i64; 0]).await.map_err(of_server)?;
        visit_each(rows, visit, read).await
    }

    /// The keys with these numbers.
    async fn visit_keys(&self, from: i64, to: i64, visit: &Visit) -> Result<(), StorageError> {
        let mut reader = KeyReader::default();
        // COPY takes no parameters.
        let copy = format!(
            "COPY (SELECT {KEY_COLUMNS} FROM tollgate.keys k WHERE k.number >= {from} AND k.number < {to}) TO STDOUT (FORMAT binary)"
        );
        let rows = BinaryCopyOutStream::new(self.client.copy_out(&copy).await.map_err(of_server)?, &KEY_TYPES);
        visit_each(rows, visit, |row| reader.read(row, 0).map(Change::Key)).await
    }
}

async fn visit_each<R>(
    rows: impl Stream<Item = Result<R, tokio_postgres::Error>>,
    visit: &Visit,
    mut read: impl FnMut(&R) -> Result<Change, Unreadable>,
) -> Result<(), StorageError> {
    let (mut rows, mut changes) = (pin!(rows), Vec::with_capacity(CHANGES_PER_VISIT));
    while let Some(row) = rows.try_next().await.map_err(of_server)? {
        changes.push(read(&row).unwrap_or_else(Unreadable::into_change));
        if changes.len() == CHANGES_PER_VISIT {
            visit(mem::replace(&mut changes, Vec::with_capacity(CHANGES_PER_VISIT)));
        }
    }
    if !changes.is_empty() {
        visit(changes);
    }
    Ok(())
}

fn wanted_connections(keys: i64) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_SNAPSHOT_CONNECTIONS);
    let worthwhile = usize::try_from(keys / KEYS_PER_SNAPSHOT_CONNECTION).unwrap_or(0);
    processors.min(worthwhile).max(1)
}
