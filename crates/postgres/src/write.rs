//! A write, from its first attempt to its acknowledgement.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::types::ToSql;
use tollgate_storage::accounts::{DevicePoll, LogoutNotice, Redemption, Refresh, UserChanged};
use tollgate_storage::limits::CHANGES_KEPT;
use tollgate_storage::{
    AuditRecord, Command, Existing, Outcome, Passage, Position, StorageError, StoredKey, WriteGate,
};

use crate::accounts::{self, AccountWork};
use crate::append::{APPEND, Append, Batch, Changed, position, random};
use crate::audit;
use crate::error::{Failure, of_server};
use crate::import;
use crate::limits::{
    ATTEMPT_TIMEOUT, CHANGES_PER_COMPACTION, FIRST_RETRY_WAIT, IMPORT_TIME_A_KEY, MAX_CONFLICTS, MAX_RETRY_WAIT,
    WRITE_DEADLINE,
};
use crate::store::Inner;
use crate::transaction::PostgresTransaction;

/// The work of a transaction.
#[derive(Clone, Copy)]
pub(crate) enum Work<'w> {
    Commands(&'w [Command]),
    Import(&'w [StoredKey], Existing, &'w AuditRecord),
    Account(AccountWork<'w>),
    Heartbeat,
}

impl Work<'_> {
    /// The additional time that it may take compared to a command.
    pub(crate) fn allowance(self) -> Duration {
        match self {
            Work::Import(keys, ..) => IMPORT_TIME_A_KEY * u32::try_from(keys.len()).unwrap_or(u32::MAX),
            _ => Duration::ZERO,
        }
    }
}

/// Its result.
#[derive(Clone)]
pub(crate) enum Done {
    Outcomes(Vec<Outcome>),
    Added(Vec<bool>),
    Redeemed(Box<Redemption>),
    UserChanged(Box<UserChanged>),
    LogoutNotices(Vec<LogoutNotice>),
    PushedRequest(String),
    DevicePolled(Box<DevicePoll>),
    Refreshed(Box<Refresh>),
    Nothing,
}

impl Inner {
    /// Executes the work exactly once, however often it is attempted, and returns the end of the log after it. The work is not
    /// durable yet. Nothing is done if the caller's [`WriteGate`] is closed before the commit.
    ///
    /// The last change has the batch number, which a unique index admits once. So after a lost answer to a commit, the
    /// next attempt first looks for the batch. If the commit is still in progress, one of the two fails.
    pub(crate) async fn write(&self, work: Work<'_>, deadline: Instant) -> Result<(Done, Position), StorageError> {
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
struct Writer {
    batch: Batch,
    /// The result of the work whose commit was sent, if the answer may have been lost.
    committing: Option<Done>,
    /// The passage through the gate, once the first commit is about to be sent.
    passage: Option<Passage>,
}

enum Attempted {
    Done(Done, Position),
    MetAnother,
}

impl Writer {
    async fn attempt(&mut self, pool: &Pool, work: Work<'_>) -> Result<Attempted, Failure> {
        let connection = Connection(Some(pool.get().await?));
        let client = connection.client();
        if let Some(found) = self.find_committed(client).await? {
            connection.keep();
            return Ok(found);
        }
        let mut transaction = PostgresTransaction::new(client);
        transaction.begin(if let Work::Commands(commands) = work { commands } else { &[] }).await?;
        let done = match work {
            Work::Commands(commands) => {
                let mut outcomes = Vec::with_capacity(commands.len());
                for command in commands {
                    outcomes.push(command.apply(&mut transaction).await?);
                }
                Done::Outcomes(outcomes)
            }
            Work::Import(keys, existing, audit) => {
                let added = import::run(client, &mut transaction, keys, existing).await?;
                audit::insert(client, audit).await?;
                Done::Added(added)
            }
            Work::Account(work) => accounts::run(client, &mut transaction, work).await?,
            Work::Heartbeat => {
                transaction.changed(Changed::Heartbeat);
                Done::Nothing
            }
        };
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
    async fn find_committed(&self, client: &deadpool_postgres::ClientWrapper) -> Result<Option<Attempted>, Failure> {
        let Some(done) = &self.committing else { return Ok(None) };
        let statement = client.prepare_cached("SELECT number, tag FROM tollgate.changes WHERE batch = $1").await?;
        let found = client.query_opt(&statement, &[&&self.batch[..]]).await?;
        Ok(found.map(|row| Attempted::Done(done.clone(), position(row.get(0), row.get(1)))))
    }
}

/// The end of the log.
pub(crate) async fn end_of_log(client: &deadpool_postgres::ClientWrapper) -> Result<Position, StorageError> {
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
    fn client(&self) -> &deadpool_postgres::ClientWrapper {
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
