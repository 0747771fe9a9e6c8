use super::{Follower, Lag, Progress};
use crate::change_log::ChangeLog;
use crate::clock;
use crate::limits::{RECLAIM_INTERVAL, RETRY_INTERVAL, STOP_INTERVAL};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A follower on a thread of its own. It stops when this is dropped, which waits until it has.
#[derive(Debug)]
pub struct FollowerThread {
    progress: Arc<Progress>,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<L: ChangeLog> Follower<L> {
    /// Follows until `is_stopped`, on the thread that calls: applies changes as they come, frees what has expired every
    /// [`RECLAIM_INTERVAL`], and tells `failed` of each failure before it tries again after [`RETRY_INTERVAL`].
    pub fn run(&mut self, is_stopped: &AtomicBool, mut failed: impl FnMut(&L::Error)) {
        let mut reclaimed_at = Instant::now();
        while !is_stopped.load(Ordering::Acquire) {
            if let Err(error) = self.step() {
                self.progress().failed();
                failed(&error);
                sleep(RETRY_INTERVAL, is_stopped);
            }
            if reclaimed_at.elapsed() >= RECLAIM_INTERVAL {
                self.reclaim(clock::now());
                reclaimed_at = Instant::now();
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
        let stop = is_stopped.clone();
        let thread = Some(thread::spawn(move || self.run(&stop, failed)));
        FollowerThread { progress, is_stopped, thread }
    }

    fn step(&mut self) -> Result<(), L::Error> {
        if self.wait(STOP_INTERVAL)? {
            self.catch_up()?;
        } else {
            self.progress().is_in_step();
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
        if let Some(thread) = self.thread.take() {
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
