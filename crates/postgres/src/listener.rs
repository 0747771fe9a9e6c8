//! Listens for notifications of commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_postgres::AsyncMessage;

use crate::connection::Connector;
use crate::limits::{LISTENER_RETRY_INTERVAL, LOOK_INTERVAL, PROMOTION_LOOK_INTERVAL, STANDBY_LOOK_INTERVAL};

/// A separate listening connection, if the server can notify.
#[derive(Debug)]
pub(crate) struct Listener {
    /// The greatest number received on this connection.
    heard: watch::Receiver<u64>,
    is_standby: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(crate) fn new(connector: Connector) -> Self {
        let (sender, heard) = watch::channel(0);
        let is_standby = Arc::<AtomicBool>::default();
        let runtime = connector.runtime().clone();
        let task = runtime.spawn(run(connector, Arc::new(sender), Arc::clone(&is_standby)));
        Listener { heard, is_standby, task }
    }

    pub(crate) fn heard(&self) -> watch::Receiver<u64> {
        self.heard.clone()
    }

    /// The polling interval of a reader.
    pub(crate) fn look_interval(&self) -> Duration {
        if self.is_standby.load(Ordering::Relaxed) { STANDBY_LOOK_INTERVAL } else { LOOK_INTERVAL }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(connector: Connector, heard: Arc<watch::Sender<u64>>, is_standby: Arc<AtomicBool>) {
    loop {
        if let Err(error) = listen(&connector, &heard, &is_standby).await {
            tracing::debug!("nothing is heard from PostgreSQL: {error}");
        }
        // Another server may have assigned fewer numbers.
        heard.send_replace(0);
        sleep(LISTENER_RETRY_INTERVAL).await;
    }
}

/// Until the connection ends, or a standby is promoted.
async fn listen(
    connector: &Connector,
    heard: &Arc<watch::Sender<u64>>,
    is_standby: &AtomicBool,
) -> Result<(), tokio_postgres::Error> {
    let sender = Arc::clone(heard);
    let on_message = move |message| {
        if let AsyncMessage::Notification(notification) = message
            && let Ok(number) = notification.payload().parse::<u64>()
        {
            sender.send_if_modified(|heard| {
                let is_more = number > *heard;
                *heard = number.max(*heard);
                is_more
            });
        }
    };
    let (client, _driver) = connector.connect(Box::new(on_message)).await?;
    let in_recovery = client.query_one("SELECT pg_is_in_recovery()", &[]).await?.get::<_, bool>(0);
    is_standby.store(in_recovery, Ordering::Relaxed);
    if !in_recovery {
        client.batch_execute("LISTEN tollgate").await?;
    }
    loop {
        sleep(PROMOTION_LOOK_INTERVAL).await;
        let is_in_recovery = client.query_one("SELECT pg_is_in_recovery()", &[]).await?.get::<_, bool>(0);
        if is_in_recovery != in_recovery {
            return Ok(());
        }
    }
}
