use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::task::{self, JoinHandle};
use tokio::time::timeout;
use tollgate_keys::KeySet;

use crate::error::SavedSetError;
use crate::event::Event;
use crate::limits::{MAX_CLOCK_STEP_BACK, SAVED_SET_DELAY};
use crate::report::Reporter;
use crate::saved_set::SavedSet;
use crate::source::Source;

/// Saves the last good set in a file, if one is configured.
///
/// Waits for the disk only at the start, and only for a short time: a file system that hangs must not block the
/// refresher.
pub(crate) struct Store {
    file: Option<PathBuf>,
    source: Arc<str>,
    reporter: Reporter,
    loaded: Option<LoadedSet>,
    writing: Option<JoinHandle<()>>,
}

/// The contents of the file, vetted again.
pub(crate) struct LoadedSet {
    pub(crate) set: KeySet,
    pub(crate) document: Bytes,
    pub(crate) confirmed_at: i64,
}

impl Store {
    pub(crate) fn new(file: Option<PathBuf>, source: Arc<str>, reporter: Reporter) -> Self {
        Store { file, source, reporter, loaded: None, writing: None }
    }

    /// Reads the file. `offer` decides whether a set of that age may be used. `now`: seconds since the Unix epoch.
    pub(crate) async fn load(&mut self, now: i64, source: &Source, offer: impl FnOnce(Duration) -> bool) {
        let loaded = match self.read(source).await {
            Some(loaded) => loaded,
            None => return,
        };
        let loaded = loaded.and_then(|loaded| {
            let age = now.saturating_sub(loaded.confirmed_at);
            let age = (age >= -MAX_CLOCK_STEP_BACK).then(|| Duration::from_secs(u64::try_from(age).unwrap_or(0)));
            if age.is_some_and(offer) { Ok(loaded) } else { Err(SavedSetError::TooOld) }
        });
        match loaded {
            Ok(loaded) => self.loaded = Some(loaded),
            // This is the first start.
            Err(SavedSetError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.reporter.report(&Event::SavedSetRefused { error: &error }),
        }
    }

    pub(crate) fn take_loaded(&mut self) -> Option<LoadedSet> {
        self.loaded.take()
    }

    /// Writes in the background. Skipped while an earlier write is in progress: the next success writes again.
    pub(crate) fn save(&mut self, confirmed_at: i64, document: &Bytes) {
        let Some(file) = self.file.clone() else {
            return;
        };
        if self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return;
        }
        let (source, document, reporter) = (Arc::clone(&self.source), document.clone(), self.reporter.clone());
        self.writing = Some(task::spawn_blocking(move || {
            let written = SavedSet::new(&source, confirmed_at, &document).and_then(|saved| saved.write(&file));
            if let Err(error) = written {
                reporter.report(&Event::NotSaved { error: &error });
            }
        }));
    }

    /// Removes the file, in the background.
    pub(crate) fn discard(&mut self) {
        let (Some(file), writing, reporter) = (self.file.clone(), self.writing.take(), self.reporter.clone()) else {
            return;
        };
        self.writing = Some(task::spawn(async move {
            // A write in progress would recreate the file.
            if let Some(writing) = writing {
                let _ = writing.await;
            }
            let removed = task::spawn_blocking(move || std::fs::remove_file(file)).await;
            if let Ok(Err(error)) = removed
                && error.kind() != io::ErrorKind::NotFound
            {
                reporter.report(&Event::NotSaved { error: &error.into() });
            }
        }));
    }

    /// None: no file is configured.
    async fn read(&self, source: &Source) -> Option<Result<LoadedSet, SavedSetError>> {
        let (file, name, vetting) = (self.file.clone()?, Arc::clone(&self.source), Arc::clone(&source.vetting));
        let max_bytes = source.fetcher.max_bytes;
        let read = task::spawn_blocking(move || {
            let saved = SavedSet::read(&file, &name, max_bytes)?;
            let set = vetting.vet(saved.jwks.as_bytes()).set.map_err(SavedSetError::Refused)?;
            Ok(LoadedSet { set, document: saved.jwks.into(), confirmed_at: saved.confirmed_at })
        });
        let read = timeout(SAVED_SET_DELAY, read).await.map(|read| read.map_err(io::Error::other));
        Some(read.unwrap_or_else(|late| Err(io::Error::from(late))).unwrap_or_else(|error| Err(error.into())))
    }
}
