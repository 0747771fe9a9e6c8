//! A write, from its first attempt to its acknowledgement.

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Object, Pool};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::types::ToSql;
use tollgate_storage::limits::CHANGES_KEPT;
use tollgate_storage::{Command, Passage, Position, StorageError, WriteGate};

use crate::append::{APPEND, Append, Batch, position, random};
use crate::error::{Failure, of_server};
use crate::limits::{
    ATTEMPT_TIMEOUT, CHANGES_PER_COMPACTION, FIRST_RETRY_WAIT, MAX_CONFLICTS, MAX_RETRY_WAIT, WRITE_DEADLINE,
};
use crate::store::Inner;
use crate::transaction::PostgresTransaction;

/// The work of a transaction. Each attempt runs it anew.
#[async_trait]
pub(crate) trait Work: Sync {
    /// Its result.
    type Done: Clone + Send + Sync;

    /// Does the work in the transaction that has begun on `client`.
    async fn run(
        &self,
        client: &ClientWrapper,
        transaction: &mut PostgresTransaction<'_>,
    ) -> Result<Self::Done, StorageError>;

    /// The commands that it consists of, if it does.
    fn commands(&self) -> &[Command] {
        &[]
    }

    /// The additional time that it may take compared to a command.
    fn allowance(&self) -> Duration {
        Duration::ZERO
    }
}

impl Inner {
    /// Executes the work exactly once, however often it is attempted, and returns the end of the log after it. The work is not
    /// durable yet. Nothing is done if the caller's [`WriteGate`] is closed before the commit.
    ///
    /// The last change has the batch number, which a unique index admits once. So after a lost answer to a commit, the
    /// next attempt first looks for the batch. If the commit is still in progress, one of the two fails.
    pub(crate) async fn write<W: Work>(
        &self,
        work: &W,
        deadline: Instant,
    ) -> Result<(W::Done, Position), StorageError> {
        let mut writer = Writer { batch: random()?, committing: None, passage: None };
        let (mut wait, mut conflicts) = (FIRST_RETRY_WAIT, 0);
        loop {
            let attempt_ends = deadline.min(Instant::now() + ATTEMPT_TIMEOUT + work.allowance());
            let failure = match timeout_at(attempt_ends, writer.attempt(&self.pool, work)).await {
                Ok(Ok(Attempted::Done(done, position))) => {
                    self.compact_now_and_then(position).await;
                    return Ok((done, position));
                }
                Ok(Ok(Attempted::MetAnother)) if conflicts < MAX_CONFLICTS => {
                    conflicts += 1;
                    continue;
                }
                Ok(Ok(Attempted::MetAnother)) => Failure::Again(StorageError::Busy),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::timed_out(),
            };
            let is_unknown = writer.committing.is_some();
            let error = match failure {
                Failure::Final(error) if !is_unknown => error,
                _ if Instant::now() + wait < deadline => {
                    sleep(jittered(wait)).await;
                    wait = MAX_RETRY_WAIT.min(wait * 2);
                    continue;
                }
                _ if is_unknown => return Err(StorageError::OutcomeUnknown),
                failure => failure.into_error(),
            };
            if let Some(passage) = writer.passage.take() {
                passage.undone();
            }
            return Err(error);
        }
    }

    async fn compact_now_and_then(&self, end: Position) {
        let last = self.compacted_at.load(std::sync::atomic::Ordering::Relaxed);
        let is_due = end.number > CHANGES_KEPT && end.number.abs_diff(last) >= CHANGES_PER_COMPACTION;
        if is_due {
            self.compacted_at.store(end.number, std::sync::atomic::Ordering::Relaxed);
            // If the removal fails, the next writer does it.
            if let Err(error) = self.compact(CHANGES_KEPT).await {
                tracing::warn!("changes beyond those that are kept could not be removed: {error}");
            }
        }
    }

    /// Removes all changes except the last `kept`.
    pub(crate) async fn compact(&self, kept: u64) -> Result<u64, StorageError> {
        let kept = i64::try_from(kept.max(1)).unwrap_or(i64::MAX);
        let delete = "DELETE FROM tollgate.changes WHERE number <= (SELECT number FROM tollgate.head) - $1";
        self.change(delete, &[&kept]).await
    }

    /// Runs one statement that is not a change in the feed.
    pub(crate) async fn change(&self, text: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, StorageError> {
        let work = async {
            let client = self.pool.get().await?;
            let statement = client.prepare_cached(text).await?;
            Ok(client.execute(&statement, parameters).await?)
        };
        let outcome = timeout_at(Instant::now() + WRITE_DEADLINE, work).await;
        outcome.unwrap_or_else(|_| Err(Failure::timed_out())).map_err(Failure::into_error)
    }
}

/// A writer across its attempts.
struct Writer<D> {
    batch: Batch,
    /// The result of the work whose commit was sent, if the answer may have been lost.
    committing: Option<D>,
    /// The passage through the gate, once the first commit is about to be sent.
    passage: Option<Passage>,
}

enum Attempted<D> {
    Done(D, Position),
    MetAnother,
}

impl<D: Clone> Writer<D> {
    async fn attempt<W: Work<Done = D>>(&mut self, pool: &Pool, work: &W) -> Result<Attempted<D>, Failure> {
        let connection = Connection(Some(pool.get().await?));
        let client = connection.client();
        if let Some(found) = self.find_committed(client).await? {
            connection.keep();
            return Ok(found);
        }
        let mut transaction = PostgresTransaction::new(client);
        transaction.begin(work.commands()).await?;
        let done = work.run(client, &mut transaction).await?;
        if transaction.has_met_another() {
            client.batch_execute("ROLLBACK").await?;
            connection.keep();
            return Ok(Attempted::MetAnother);
        }
        if self.passage.is_none() {
            self.passage = Some(WriteGate::pass(WriteGate::current()).map_err(Failure::Final)?);
        }
        let changes = transaction.into_changes();
        if changes.is_empty() {
            let end = end_of_log(client).await?;
            client.batch_execute("COMMIT").await?;
            // If the first attempt was committed after all, the second is refused.
            let found = self.find_committed(client).await?;
            connection.keep();
            return Ok(found.unwrap_or(Attempted::Done(done, end)));
        }
        let append = Append::new(changes)?;
        let statement = client.prepare_cached(APPEND).await?;
        let before = self.committing.replace(done.clone());
        // Sent together: the counter is locked between the two.
        let (appended, committed) =
            tokio::join!(biased; append.run(client, &statement, &self.batch), client.batch_execute("COMMIT"));
        let end = match appended {
            Ok(end) => end,
            Err(error) => {
                // The server has reported the rollback.
                if error.code().is_some() {
                    self.committing = before;
                }
                return Err(error.into());
            }
        };
        committed.map_err(|_| Failure::Unknown)?;
        connection.keep();
        Ok(Attempted::Done(done, end))
    }

    /// Whether an earlier attempt was committed.
    async fn find_committed(&self, client: &ClientWrapper) -> Result<Option<Attempted<D>>, Failure> {
        let Some(done) = &self.committing else { return Ok(None) };
        let statement = client.prepare_cached("SELECT number, tag FROM tollgate.changes WHERE batch = $1").await?;
        let found = client.query_opt(&statement, &[&&self.batch[..]]).await?;
        Ok(found.map(|row| Attempted::Done(done.clone(), position(row.get(0), row.get(1)))))
    }
}

/// The end of the log.
pub(crate) async fn end_of_log(client: &ClientWrapper) -> Result<Position, StorageError> {
    let statement = client.prepare_cached(END_OF_LOG).await.map_err(of_server)?;
    let row = client.query_one(&statement, &[]).await.map_err(of_server)?;
    Ok(position(row.get(0), row.get(1)))
}

/// One statement, so that number and tag are of one state.
pub(crate) const END_OF_LOG: &str = "
    SELECT head.number, coalesce(changes.tag, 0)
    FROM tollgate.head LEFT JOIN tollgate.changes ON changes.number = head.number";

/// A connection of the pool with a transaction. It returns to the pool after the transaction has ended; if its user stops
/// earlier, it is closed, which ends the transaction.
struct Connection(Option<Object>);

impl Connection {
    fn client(&self) -> &ClientWrapper {
        self.0.as_ref().expect("there until it is kept")
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

fn jittered(wait: Duration) -> Duration {
    let [random] = random::<1>().unwrap_or_default();
    wait + wait * u32::from(random) / 255
}
