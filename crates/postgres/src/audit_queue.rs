//! Audit records without a change of their own, such as those of issued tokens: written together.

use std::sync::Weak;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tollgate_storage::{AuditRecord, Passage, StorageError, WriteGate};

use crate::limits::{MAX_RECORD_GROUP, MAX_WAITING_WRITERS};
use crate::store::{Inner, PostgresStore};

/// Writes the records that wait in one transaction at a time: a busy service needs one for many requests. Dropping the queue
/// ends its task.
#[derive(Debug)]
pub(crate) struct AuditQueue(mpsc::Sender<Waiting>);

#[derive(Debug)]
struct Waiting {
    records: Vec<AuditRecord>,
    gate: Option<WriteGate>,
    answer: Answer,
}

type Answer = oneshot::Sender<Result<(), StorageError>>;

impl AuditQueue {
    pub(crate) fn new(store: Weak<Inner>, runtime: &Handle) -> Self {
        let (sender, waiting) = mpsc::channel(MAX_WAITING_WRITERS);
        runtime.spawn(run(store, waiting));
        Self(sender)
    }

    /// Returns when the records are durable. None is written if the caller's [`WriteGate`] is closed before their transaction
    /// begins.
    ///
    /// # Errors
    /// [`StorageError::Busy`] if too many wait; otherwise those of a write.
    pub(crate) async fn write(&self, records: &[AuditRecord]) -> Result<(), StorageError> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { records: records.to_vec(), gate: WriteGate::current(), answer };
        self.0.try_send(waiting).map_err(|_| StorageError::Busy)?;
        answered.await.unwrap_or(Err(StorageError::OutcomeUnknown))
    }
}

async fn run(store: Weak<Inner>, mut waiting: mpsc::Receiver<Waiting>) {
    let mut group = Vec::new();
    while waiting.recv_many(&mut group, MAX_RECORD_GROUP).await > 0 {
        let Some(store) = store.upgrade().map(PostgresStore::from) else { return };
        let (mut records, mut writers) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
        for Waiting { records: more, gate, answer } in group.drain(..) {
            match WriteGate::pass(gate) {
                Ok(passage) => {
                    records.extend(more);
                    writers.push((passage, answer));
                }
                Err(closed) => drop(answer.send(Err(closed))),
            }
        }
        let written = store.write(|rows| Box::pin(rows.record_all(&records))).await;
        for (passage, answer) in writers {
            tell(passage, answer, &written);
        }
    }
}

/// Tells a writer what came of the transaction.
fn tell(passage: Passage, answer: Answer, written: &Result<(), StorageError>) {
    let outcome = match written {
        Ok(()) => Ok(()),
        Err(StorageError::OutcomeUnknown) => Err(StorageError::OutcomeUnknown),
        Err(error) => {
            passage.undone();
            Err(match error {
                StorageError::Busy => StorageError::Busy,
                error => StorageError::failed(error.to_string()),
            })
        }
    };
    // The caller may be gone.
    let _ = answer.send(outcome);
}
