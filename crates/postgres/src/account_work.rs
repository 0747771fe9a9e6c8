//! A change of accounts, in one transaction.

use std::marker::PhantomData;
use std::pin::Pin;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tollgate_storage::{AuditRecord, Refusal, StorageError};

use crate::append::Changed;
use crate::audit;
use crate::error::of_server;
use crate::store::PostgresStore;
use crate::transaction::PostgresTransaction;
use crate::write::Work;

impl PostgresStore {
    /// Writes accounts. The change is made, numbered and acknowledged as one of keys is; the feed shows it as a heartbeat.
    ///
    /// `work` is repeated by each attempt.
    pub(crate) async fn write<'w, T: Clone + Send + Sync>(
        &self,
        work: impl for<'c> Fn(&'c Rows<'c, 'w>) -> Written<'c, T> + Sync,
    ) -> Result<T, StorageError> {
        let (done, _) = self.acknowledged(&AccountWork(&work)).await?;
        Ok(done)
    }
}

/// What the work of an attempt comes to.
pub(crate) type Written<'c, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'c>>;

struct AccountWork<'a, 'w, T>(&'a (dyn for<'c> Fn(&'c Rows<'c, 'w>) -> Written<'c, T> + Sync));

#[async_trait]
impl<T: Clone + Send + Sync> Work for AccountWork<'_, '_, T> {
    type Done = T;

    async fn run(&self, client: &ClientWrapper, transaction: &mut PostgresTransaction<'_>) -> Result<T, StorageError> {
        let rows = Rows { client, has_changed: AtomicBool::new(false), outlived: PhantomData };
        let done = (self.0)(&rows).await?;
        if rows.has_changed.into_inner() {
            transaction.changed(Changed::Heartbeat);
        }
        Ok(done)
    }
}

/// The rows of accounts in the transaction that has begun on `client`, for work that borrows for `'w`.
pub(crate) struct Rows<'c, 'w> {
    client: &'c ClientWrapper,
    /// Whether a statement has changed a row. A transaction without a change is not numbered.
    has_changed: AtomicBool,
    /// Has `'w` outlive `'c`.
    outlived: PhantomData<&'c &'w ()>,
}

impl Rows<'_, '_> {
    /// Returns the number of rows that it changes.
    pub(crate) async fn execute(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, StorageError> {
        let statement = self.client.prepare_cached(text).await.map_err(of_server)?;
        let changed = self.client.execute(&statement, parameters).await.map_err(of_server)?;
        self.has_changed.fetch_or(changed > 0, Ordering::Relaxed);
        Ok(changed)
    }

    /// The same for a statement with `RETURNING`.
    pub(crate) async fn execute_returning(
        &self,
        text: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StorageError> {
        let changed = self.query(text, parameters).await?;
        self.has_changed.fetch_or(!changed.is_empty(), Ordering::Relaxed);
        Ok(changed)
    }

    /// For a statement that changes nothing.
    pub(crate) async fn query(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StorageError> {
        let statement = self.client.prepare_cached(text).await.map_err(of_server)?;
        self.client.query(&statement, parameters).await.map_err(of_server)
    }

    /// The number that the statement selects.
    pub(crate) async fn count(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<i64, StorageError> {
        Ok(self.query(text, parameters).await?.first().map_or(0, |row| row.get(0)))
    }

    pub(crate) async fn record(&self, audit: &AuditRecord) -> Result<(), StorageError> {
        self.record_all(slice::from_ref(audit)).await
    }

    pub(crate) async fn record_all(&self, audit: &[AuditRecord]) -> Result<(), StorageError> {
        audit::insert(self.client, audit).await?;
        self.has_changed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Records the change if there is one. Returns whether there is.
    pub(crate) async fn record_if(&self, has_changed: bool, audit: &AuditRecord) -> Result<bool, StorageError> {
        if has_changed {
            self.record(audit).await?;
        }
        Ok(has_changed)
    }

    /// Makes other changes to the user's records wait.
    pub(crate) async fn hold_user(&self, user_id: &str) -> Result<(), StorageError> {
        let held = self.query("SELECT FROM tollgate.users WHERE id = $1 FOR UPDATE", &[&user_id]).await?;
        if held.is_empty() { Err(Refusal::Changed { what: "user" }.into()) } else { Ok(()) }
    }
}

impl PostgresStore {
    /// By a text, which PostgreSQL could not hold with U+0000 in it.
    pub(crate) async fn select_text(&self, select: &str, text: &str) -> Result<Vec<Row>, StorageError> {
        if has_nul(&[text]) { Ok(Vec::new()) } else { self.select(select, &[&text]).await }
    }

    /// By two of them.
    pub(crate) async fn select_texts(&self, select: &str, first: &str, second: &str) -> Result<Vec<Row>, StorageError> {
        if has_nul(&[first, second]) { Ok(Vec::new()) } else { self.select(select, &[&first, &second]).await }
    }
}

/// PostgreSQL holds no text with U+0000, so nothing has such a name.
pub(crate) fn has_nul(names: &[&str]) -> bool {
    names.iter().any(|name| name.contains('\0'))
}
