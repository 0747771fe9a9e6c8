use super::{Follower, Lag, Progress, Reclaimer};
use crate::clock;
use crate::error::StorageError;
use crate::limits::RETRY_INTERVAL;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time;

/// A follower on its own thread, and a second thread that frees ended records and marks stale revocations. Dropping it stops
/// both threads and waits for them; the revocations are then stale.
#[derive(Debug)]
pub struct FollowerThread {
    progress: Arc<Progress>,
    is_stopped: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<Infallible>>,
    threads: Vec<JoinHandle<()>>,
}

impl Follower {
    /// Follows until it is dropped: applies changes as they arrive, commits heartbeats, marks stale revocations, and
    /// reports each failure to `failed` before it retries after [`RETRY_INTERVAL`]. Needs a tokio runtime with its timer.
    ///
    /// Free ended records on another thread with the [`Reclaimer`], so that no change waits for that.
    pub async fn run(&mut self, mut failed: impl FnMut(&StorageError) + Send) -> Infallible {
        let progress = Arc::clone(&self.progress);
        let following = async {
            loop {
                if let Err(error) = self.step().await {
                    failed(&error);
                    time::sleep(RETRY_INTERVAL).await;
                }
            }
        };
        let watching = async {
            loop {
                time::sleep(progress.check_freshness()).await;
            }
        };
        tokio::select! {
            never = following => never,
            never = watching => never,
        }
    }

    /// [`run`](Self::run) on a new thread. Failures are visible only in the [`Lag`].
    ///
    /// # Errors
    /// [`StorageError::Failed`] if the system cannot start a thread.
    pub fn spawn(self) -> Result<FollowerThread, StorageError> {
        self.spawn_reporting(|_| {})
    }

    /// [`run`](Self::run) on a new thread with its own runtime. After a panic it begins again with a snapshot.
    ///
    /// # Errors
    /// [`StorageError::Failed`] if the system cannot start a thread.
    pub fn spawn_reporting(
        mut self,
        mut failed: impl FnMut(&StorageError) + Send + 'static,
    ) -> Result<FollowerThread, StorageError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StorageError::failed)?;
        let (progress, is_stopped) = (Arc::clone(&self.progress), Arc::new(AtomicBool::new(false)));
        let (stop, mut stopped) = oneshot::channel();
        let (stop_keeping, stop_following) = (Arc::clone(&is_stopped), Arc::clone(&is_stopped));
        let (reclaimer, interval, watched) = (self.reclaimer().clone(), self.reclaim_interval, Arc::clone(&progress));
        let keeping = thread::Builder::new().name("tollgate-keeper".to_owned());
        let keeping = keeping.spawn(move || keep(&watched, &reclaimer, interval, &stop_keeping));
        let following = thread::Builder::new().name("tollgate-follower".to_owned()).spawn(move || {
            while !stop_following.load(Ordering::Acquire) {
                let run = catch_unwind(AssertUnwindSafe(|| {
                    runtime.block_on(async {
                        tokio::select! {
                            biased;
                            _ = &mut stopped => {}
                            never = self.run(&mut failed) => match never {},
                        }
                    });
                }));
                if run.is_err() {
                    self.position = None;
                    self.progress.panicked();
                    thread::park_timeout(RETRY_INTERVAL);
                }
            }
        });
        let threads = vec![keeping.map_err(StorageError::failed)?, following.map_err(StorageError::failed)?];
        Ok(FollowerThread { progress, is_stopped, stop: Some(stop), threads })
    }

    async fn step(&mut self) -> Result<(), StorageError> {
        // Spread out: the first heartbeat makes those of other followers unnecessary.
        let patience = self.progress.heartbeat_interval().mul_f64(1.0 + random_fraction() / 4.0);
        match self.read(patience).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                let outcome = self.feed.heartbeat().await;
                self.progress.tried_heartbeat(outcome.is_ok());
                outcome
            }
            Err(error) => {
                self.progress.failed();
                Err(error)
            }
        }
    }

    /// Applies the changes that arrive within `timeout`, if any.
    async fn read(&mut self, timeout: Duration) -> Result<bool, StorageError> {
        let is_there = self.wait(timeout).await?;
        if is_there {
            self.catch_up().await?;
        }
        Ok(is_there)
    }
}

/// A random number from 0 to 1.
fn random_fraction() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

/// Concurrent with the follower, which may wait for the log indefinitely.
fn keep(progress: &Progress, reclaimer: &Reclaimer, interval: Duration, is_stopped: &AtomicBool) {
    let mut due = Instant::now() + interval;
    while !is_stopped.load(Ordering::Acquire) {
        if Instant::now() >= due {
            reclaimer.reclaim(clock::now());
            due = Instant::now() + interval;
        }
        // Woken early to stop.
        thread::park_timeout(progress.check_freshness().min(due.saturating_duration_since(Instant::now())));
    }
}

impl FollowerThread {
    /// The progress of the follower.
    #[must_use]
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// The lag of the follower.
    #[must_use]
    pub fn lag(&self) -> Lag {
        self.progress.lag()
    }

    /// Waits, at most `timeout`, until the change with that number is applied. Returns whether it is.
    #[must_use]
    pub fn wait_for(&self, number: u64, timeout: Duration) -> bool {
        self.progress.wait_for(number, timeout)
    }
}

impl Drop for FollowerThread {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
        self.stop.take();
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A thread that panicked has stopped, and has reported the panic on standard error.
            let _ = thread.join();
        }
    }
}
