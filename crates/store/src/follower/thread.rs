use super::{Follower, Lag, Progress};
use crate::change_log::ChangeLog;
use crate::clock;
use crate::limits::{RETRY_INTERVAL, STOP_INTERVAL};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A follower on a thread of its own, and beside it one that frees what has expired and one that notices when the revocations are
/// stale. They stop when this is dropped, which waits until they have; the revocations are stale then.
#[derive(Debug)]
pub struct FollowerThread {
    progress: Arc<Progress>,
    is_stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl<L: ChangeLog> Follower<L> {
    /// Follows until `is_stopped`, on the thread that calls: applies changes as they come, and tells `failed` of each failure
    /// before it tries again after [`RETRY_INTERVAL`]. Freeing what has expired is for another thread, with the
    /// [`Reclaimer`](crate::Reclaimer), so that no change waits for it.
    pub fn run(&mut self, is_stopped: &AtomicBool, mut failed: impl FnMut(&L::Error)) {
        while !is_stopped.load(Ordering::Acquire) {
            if let Err(error) = self.step() {
                self.progress().failed();
                failed(&error);
                sleep(RETRY_INTERVAL, is_stopped);
            }
        }
    }

    /// [`run`](Self::run) on a new thread. Failures show in the [`Lag`] alone.
    #[must_use]
    pub fn spawn(self) -> FollowerThread {
        self.spawn_reporting(|_| {})
    }

    /// [`run`](Self::run) on a new thread.
    #[must_use]
    pub fn spawn_reporting(mut self, failed: impl FnMut(&L::Error) + Send + 'static) -> FollowerThread {
        let (progress, is_stopped) = (self.progress().clone(), Arc::new(AtomicBool::new(false)));
        let (stop, stop_reclaiming) = (is_stopped.clone(), is_stopped.clone());
        let (reclaimer, interval) = (self.reclaimer.clone(), self.reclaim_interval);
        let reclaiming = thread::spawn(move || {
            while !stop_reclaiming.load(Ordering::Acquire) {
                // Woken early when it has to stop.
                thread::park_timeout(interval);
                reclaimer.reclaim(clock::now());
            }
        });
        let (watched, stop_watching) = (progress.clone(), is_stopped.clone());
        let watching = thread::spawn(move || {
            while !stop_watching.load(Ordering::Acquire) {
                // Beside the thread that follows, which may wait for the log without end.
                thread::park_timeout(watched.check_freshness());
            }
        });
        let following = thread::spawn(move || self.run(&stop, failed));
        FollowerThread { progress, is_stopped, threads: vec![reclaiming, watching, following] }
    }

    fn step(&mut self) -> Result<(), L::Error> {
        let as_of = Instant::now();
        if self.wait(STOP_INTERVAL)? {
            self.catch_up()?;
        } else {
            self.progress().is_in_step(as_of);
        }
        Ok(())
    }
}

impl FollowerThread {
    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// How far it is behind.
    #[must_use]
    pub fn lag(&self) -> Lag {
        self.progress.lag()
    }

    /// Waits until the change of that number was applied, at most `timeout`. Returns whether it was.
    #[must_use]
    pub fn wait_for(&self, sequence: u64, timeout: Duration) -> bool {
        self.progress.wait_for(sequence, timeout)
    }
}

impl Drop for FollowerThread {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A thread that panicked has stopped, and has said so on standard error.
            let _ = thread.join();
        }
    }
}

/// Sleeps, in pieces.
fn sleep(duration: Duration, is_stopped: &AtomicBool) {
    let end = Instant::now() + duration;
    while !is_stopped.load(Ordering::Acquire) && Instant::now() < end {
        thread::sleep(STOP_INTERVAL.min(end.saturating_duration_since(Instant::now())));
    }
}
