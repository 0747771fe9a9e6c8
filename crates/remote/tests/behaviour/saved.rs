//! The last good set in a file: a start without the provider.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use tempfile::TempDir;
use tollgate_remote::{RemoteKeysBuilder, limits};

use crate::support::*;

const NOW: i64 = 1_763_800_000;

#[test]
fn dead_provider_at_boot_with_a_saved_set_is_served() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let mut provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        provider.goes_down();

        // An hour later, in another process.
        let remote = Remote::start(disk.builder_at(&provider, NOW + 3600)).await;
        until("the saved set serves", || accepts(&remote.engine, &signer.header())).await;
        let health = remote.keys.health();
        assert_eq!((health.status, health.keys, health.confirmed_at), (Status::Stale, 1, Some(NOW)));
        assert_eq!((health.last_success, health.age(NOW + 3600)), (None, Some(HOUR)));
        assert_eq!(health.grace_ends, Some(NOW + 7200));
        assert_eq!(remote.heard("SavedSetUsed"), 1);
    });
}

#[test]
fn age_of_a_saved_set_counts() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let mut provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        provider.goes_down();
        // The grace is two hours, of which ten minutes are left.
        let remote = Remote::start(disk.builder_at(&provider, NOW + 6600)).await;
        let header = signer.header();
        until("the saved set serves", || accepts(&remote.engine, &header)).await;
        remote.pass_in_steps(9 * MINUTE, 30 * SECOND, || assert!(accepts(&remote.engine, &header))).await;
        remote.pass_in_steps(MINUTE, 10 * SECOND, || ()).await;
        assert!(!accepts(&remote.engine, &header));
        assert_eq!(remote.keys.health().status, Status::FailedClosed);
    });
}

#[test]
fn set_that_is_too_old_or_from_the_future_is_not_used() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let mut provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        provider.goes_down();
        for now in [NOW + 7200, i64::MAX, NOW - 61, i64::MIN] {
            let remote = Remote::start(disk.builder_at(&provider, now)).await;
            remote.pass(MINUTE).await;
            assert!(!accepts(&remote.engine, &signer.header()), "{now}");
            assert_eq!(remote.heard("TooOld"), 1);
            assert_eq!(remote.keys.health().status, Status::Starting);
        }
    });
}

#[test]
fn set_within_the_revocation_bound_is_used_without_asking_first() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        provider.becomes(hangs());
        let remote = Remote::start_only(disk.builder_at(&provider, NOW + 599));
        until("the saved set serves", || accepts(&remote.engine, &signer.header())).await;
    });
}

#[test]
fn older_set_is_used_when_the_provider_does_not_answer_soon() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        provider.becomes(hangs());
        let remote = Remote::start_only(disk.builder_at(&provider, NOW + 601));
        until("the provider is asked", || provider.request_count() == 2).await;
        tokio::time::advance(limits::SAVED_SET_DELAY - Duration::from_millis(1)).await;
        yield_often().await;
        assert!(!accepts(&remote.engine, &signer.header()));
        tokio::time::advance(Duration::from_millis(2)).await;
        until("the saved set serves", || accepts(&remote.engine, &signer.header())).await;
    });
}

#[test]
fn answering_provider_counts_more_than_an_older_saved_set() {
    simulate(async {
        let (old, new, disk) = (Signer::new(), Signer::new(), Disk::new());
        let provider = Provider::start(publishes(old.jwks()));
        disk.fill(&provider).await;
        provider.becomes(publishes(new.jwks()));
        let remote = Remote::start(disk.builder_at(&provider, NOW + 3600)).await;
        assert!(accepts(&remote.engine, &new.header()) && !accepts(&remote.engine, &old.header()));
        assert_eq!(remote.heard("SavedSetUsed"), 0);
    });
}

#[test]
fn what_is_in_the_file_is_vetted_anew() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let mut provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        provider.goes_down();
        let private = signer.keys.signing_key().to_private_jwk().to_string();
        let secret = format!(r#"{{"kty":"oct","kid":"k1","alg":"HS256","k":"{}"}}"#, "A".repeat(43));
        for document in [format!(r#"{{"keys":[{private}]}}"#), format!(r#"{{"keys":[{secret}]}}"#), "{}".to_owned()] {
            disk.write(&provider, &document);
            let remote = Remote::start(disk.builder_at(&provider, NOW)).await;
            remote.pass(MINUTE).await;
            assert_eq!((remote.keys.health().keys, remote.heard("SavedSetRefused")), (0, 1), "{document}");
        }
    });
}

#[test]
fn byte_order_mark_in_the_file_is_skipped() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let mut provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        provider.goes_down();
        disk.write(&provider, &format!("\u{feff}{}", signer.jwks()));
        let edited = format!("\u{feff}{}", fs::read_to_string(disk.file()).unwrap());
        fs::write(disk.file(), edited).unwrap();
        let remote = Remote::start(disk.builder_at(&provider, NOW)).await;
        until("the saved set serves", || accepts(&remote.engine, &signer.header())).await;
    });
}

#[test]
fn file_of_another_source_is_refused() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        let other = Provider::start(hangs());
        let remote = Remote::start_only(disk.builder_at(&other, NOW));
        until("the file is refused", || remote.heard("OtherSource") == 1).await;
        yield_often().await;
        assert!(!accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn file_that_is_none_is_refused() {
    simulate(async {
        let disk = Disk::new();
        let mut provider = Provider::start(hangs());
        provider.goes_down();
        for text in ["", "{}", "garbage", r#"{"version":2,"source":"","confirmed_at":0,"jwks":""}"#] {
            fs::write(disk.file(), text).unwrap();
            disk.set_mode(0o600);
            let remote = Remote::start(disk.builder_at(&provider, NOW)).await;
            assert_eq!(remote.heard("Malformed"), 1, "{text}");
        }
        fs::write(disk.file(), " ".repeat(2 * 1024 * 1024)).unwrap();
        disk.set_mode(0o600);
        assert_eq!(Remote::start(disk.builder_at(&provider, NOW)).await.heard("Malformed"), 1);
    });
}

#[test]
fn absent_file_is_no_event() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(disk.builder_at(&provider, NOW)).await;
        assert!(accepts(&remote.engine, &signer.header()));
        assert_eq!(remote.heard("SavedSetRefused"), 0);
    });
}

#[test]
fn folder_that_cannot_be_written_costs_nothing_but_an_event() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let provider = Provider::start(publishes(signer.jwks()));
        let nowhere = disk.folder.path().join("absent").join("keys.json");
        let remote = Remote::start(remote(&provider).saved_in(nowhere)).await;
        until("it is reported", || remote.heard("NotSaved") == 1).await;
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[cfg(unix)]
#[test]
fn file_is_for_its_owner_alone_and_refused_when_others_may_write_it() {
    use std::os::unix::fs::PermissionsExt;
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let mut provider = Provider::start(publishes(signer.jwks()));
        disk.fill(&provider).await;
        assert_eq!(fs::metadata(disk.file()).unwrap().permissions().mode() & 0o777, 0o600);
        provider.goes_down();
        for mode in [0o620, 0o602, 0o666] {
            disk.set_mode(mode);
            let remote = Remote::start(disk.builder_at(&provider, NOW)).await;
            assert_eq!(remote.heard("WritableByOthers"), 1, "{mode:o}");
            assert!(!accepts(&remote.engine, &signer.header()));
        }
    });
}

#[test]
fn file_is_replaced_as_a_whole() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(disk.builder_at(&provider, NOW)).await;
        disk.wait_for(NOW).await;
        for round in 0..20 {
            signer.keys.announce(key(&format!("k-{round}")), unix_time()).unwrap();
            provider.becomes(publishes(signer.jwks()));
            remote.pass_a_refresh().await;
            // The file is complete at any moment.
            let text = fs::read_to_string(disk.file()).unwrap();
            assert!(text.starts_with('{') && text.ends_with('}'), "{text}");
            signer.keys.withdraw(&format!("k-{round}")).unwrap();
        }
        until("nothing is left over", || disk.files() == [disk.file()]).await;
    });
}

#[test]
fn confirmations_make_the_saved_set_younger() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let jwks = signer.jwks();
        let mut provider = Provider::start(tags(move || (jwks.clone(), "\"1\"".to_owned())));
        let time = Arc::new(AtomicI64::new(NOW));
        let clock = Arc::clone(&time);
        let remote = Remote::start(disk.builder_at(&provider, NOW).clock(move || clock.load(SeqCst))).await;
        disk.wait_for(NOW).await;
        time.store(NOW + 10_000, SeqCst);
        remote.pass_a_refresh().await;
        disk.wait_for(NOW + 10_000).await;
        drop(remote);
        provider.goes_down();
        let remote = Remote::start(disk.builder_at(&provider, NOW + 10_060)).await;
        until("the saved set serves", || accepts(&remote.engine, &signer.header())).await;
    });
}

#[test]
fn file_is_removed_when_a_key_in_it_is_exposed() {
    simulate(async {
        let (signer, disk) = (Signer::new(), Disk::new());
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(disk.builder_at(&provider, NOW)).await;
        disk.wait_for(NOW).await;
        let private = signer.keys.signing_key().to_private_jwk().to_string();
        provider.becomes(publishes(format!(r#"{{"keys":[{private}]}}"#)));
        remote.pass_a_refresh().await;
        until("the file is gone", || disk.files().is_empty()).await;
    });
}

/// A temporary folder with a saved set.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn new() -> Self {
        Disk { folder: TempDir::new().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The time of day is always `now`.
    fn builder_at(&self, provider: &Provider, now: i64) -> RemoteKeysBuilder {
        remote(provider).saved_in(self.file()).clock(move || now)
    }

    /// Creates the file as a process does that has fetched the keys at [`NOW`].
    async fn fill(&self, provider: &Provider) {
        let remote = Remote::start(self.builder_at(provider, NOW)).await;
        self.wait_for(NOW).await;
        drop(remote);
    }

    async fn wait_for(&self, confirmed_at: i64) {
        let text = format!(r#""confirmed_at":{confirmed_at},"#);
        let is_there = || fs::read_to_string(self.file()).is_ok_and(|saved| saved.contains(&text));
        until("the set is saved", is_there).await;
    }

    fn write(&self, provider: &Provider, document: &str) {
        let document = document.replace('"', "\\\"");
        let source = provider.uri("/jwks.json");
        let saved = format!(r#"{{"version":1,"source":"{source}","confirmed_at":{NOW},"jwks":"{document}"}}"#);
        fs::write(self.file(), saved).unwrap();
        self.set_mode(0o600);
    }

    fn set_mode(&self, mode: u32) {
        set_mode(&self.file(), mode);
    }
}

#[cfg(unix)]
fn set_mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}
