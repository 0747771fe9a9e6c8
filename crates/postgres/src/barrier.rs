//! The durable transaction that acknowledges the writers' commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Statement};
use tollgate_storage::{Position, StorageError};

use crate::connection::{Connector, Driver};
use crate::limits::{BARRIER_RETRY_INTERVAL, BARRIER_TIMEOUT, MAX_BARRIER_GROUP, MAX_UNACKNOWLEDGED};

/// Acknowledges positions of the log, with one transaction at a time for all that wait when it begins.
#[derive(Debug)]
pub(crate) struct Barrier {
    requests: mpsc::UnboundedSender<Request>,
    counters: Counters,
    task: JoinHandle<()>,
}

#[derive(Clone, Debug, Default)]
struct Counters {
    /// The number of committed commands, and the number of them that were committed before the last successful
    /// transaction began.
    committed: Arc<AtomicU64>,
    acknowledged: Arc<AtomicU64>,
    /// Whether a transaction is requested that acknowledges no writer.
    is_probing: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Request {
    position: Position,
    answer: oneshot::Sender<bool>,
}

impl Barrier {
    pub(crate) fn new(connector: Connector) -> Self {
        let (requests, waiting) = mpsc::unbounded_channel();
        let runtime = connector.runtime().clone();
        let counters = Counters::default();
        let task = runtime.spawn(run(connector, waiting, counters.clone()));
        Barrier { requests, counters, task }
    }

    /// Whether one more change may be made, which followers can see before it is durable.
    ///
    /// # Errors
    /// [`StorageError::Busy`] while too many wait for a standby.
    pub(crate) fn admit(&self) -> Result<(), StorageError> {
        let Counters { committed, acknowledged, is_probing } = &self.counters;
        let waiting = committed.load(Ordering::Relaxed).saturating_sub(acknowledged.load(Ordering::Relaxed));
        if waiting < MAX_UNACKNOWLEDGED {
            return Ok(());
        }
        // Without other waiting writers, nothing else would detect that a standby is back.
        if !is_probing.swap(true, Ordering::Relaxed) {
            let (answer, _) = oneshot::channel();
            let _ = self.requests.send(Request { position: Position::START, answer });
        }
        Err(StorageError::Busy)
    }

    /// Waits until the change at `position` is durable.
    ///
    /// # Errors
    /// [`StorageError::OutcomeUnknown`] if the acknowledgement did not arrive in time, or the log no longer holds the
    /// position.
    pub(crate) async fn wait(&self, position: Position, deadline: Instant) -> Result<(), StorageError> {
        self.counters.committed.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request { position, answer }).is_err() {
            return Err(StorageError::OutcomeUnknown);
        }
        match timeout_at(deadline, answered).await {
            Ok(Ok(true)) => Ok(()),
            _ => Err(StorageError::OutcomeUnknown),
        }
    }
}

impl Drop for Barrier {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    connector: Connector,
    mut waiting: mpsc::UnboundedReceiver<Request>,
    Counters { committed, acknowledged, is_probing }: Counters,
) {
    let (mut session, mut group) = (None, Vec::new());
    while waiting.recv_many(&mut group, MAX_BARRIER_GROUP).await > 0 {
        // Writers that have given up are skipped.
        group.retain(|request: &Request| !request.answer.is_closed());
        let before = committed.load(Ordering::Relaxed);
        let deadline = Instant::now() + BARRIER_TIMEOUT;
        let held = loop {
            let failure = match timeout_at(deadline, pass(&connector, &mut session, &group)).await {
                Ok(Ok(held)) => {
                    acknowledged.store(before, Ordering::Relaxed);
                    break held;
                }
                // Another connection, perhaps to another server, may succeed.
                Ok(Err(Failed::Again(_))) if Instant::now() + BARRIER_RETRY_INTERVAL < deadline => {
                    session = None;
                    sleep(BARRIER_RETRY_INTERVAL).await;
                    continue;
                }
                Ok(Err(failure)) => failure.to_string(),
                Err(_) => "no answer in time".to_owned(),
            };
            tracing::warn!("{} changes are not known to be durable: {failure}", group.len());
            // The rest of the transaction is cancelled, so that no more of them wait on the server than here.
            if let Some(Session { client, .. }) = session.take() {
                let _ = timeout(BARRIER_TIMEOUT, connector.cancel(&client)).await;
            }
            break Vec::new();
        };
        for (place, request) in (1_i64..).zip(group.drain(..)) {
            let _ = request.answer.send(held.contains(&place));
        }
        is_probing.store(false, Ordering::Relaxed);
    }
}

/// The reason why a durable transaction acknowledges nothing.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Again(#[from] tokio_postgres::Error),
    #[error("the server warned that the wait for a standby was cancelled")]
    Cancelled,
}

struct Session {
    client: Client,
    statement: Statement,
    /// The number of the server's warnings, which come before the answer that they concern.
    warnings: Arc<AtomicU64>,
    _driver: Driver,
}

/// Commits synchronously. Returns the indexes, counted from 1, of the positions in the log.
///
/// The same transaction reads the log: if the connection is to a server that was promoted after the change was made
/// elsewhere, its durability says nothing about a change that it lacks.
async fn pass(connector: &Connector, session: &mut Option<Session>, group: &[Request]) -> Result<Vec<i64>, Failed> {
    if session.as_ref().is_none_or(|session| session.client.is_closed()) {
        *session = Some(connect(connector).await?);
    }
    let Some(Session { client, statement, warnings, .. }) = session else { return Ok(Vec::new()) };
    let numbers: Vec<i64> = group.iter().map(|request| request.position.number.cast_signed()).collect();
    let tags: Vec<i64> = group.iter().map(|request| request.position.tag.cast_signed()).collect();
    let before = warnings.load(Ordering::Acquire);
    let parameters: [&(dyn ToSql + Sync); 2] = [&numbers, &tags];
    let (begun, passed, committed) = tokio::join!(
        biased;
        client.batch_execute("BEGIN; SET LOCAL synchronous_commit = on"),
        client.query_one(&*statement, &parameters),
        client.batch_execute("COMMIT"),
    );
    begun?;
    let held = passed?.get(1);
    committed?;
    // When a wait for a standby is cancelled, the commit succeeds with only a warning.
    if warnings.load(Ordering::Acquire) != before {
        return Err(Failed::Cancelled);
    }
    Ok(held)
}

async fn connect(connector: &Connector) -> Result<Session, tokio_postgres::Error> {
    let warnings = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&warnings);
    let on_message = move |message| {
        if let AsyncMessage::Notice(notice) = message
            && *notice.code() == SqlState::WARNING
        {
            counted.fetch_add(1, Ordering::Release);
        }
    };
    let (client, driver) = connector.connect(Box::new(on_message)).await?;
    let statement = client.prepare(PASS).await?;
    Ok(Session { client, statement, warnings, _driver: driver })
}

/// The message makes the transaction a writing one, so that its commit waits. The start of the log is always held.
const PASS: &str = "
    SELECT pg_logical_emit_message(true, 'tollgate', '')::text, ARRAY(
        SELECT e.place FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS e (number, tag, place)
        LEFT JOIN tollgate.changes c ON c.number = e.number AND c.tag = e.tag
        WHERE e.number = 0 OR c.number IS NOT NULL)";
