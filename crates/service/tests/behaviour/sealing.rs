//! The signing keys in the store are encrypted under the keys of a file.

use crate::cluster::shared;
use crate::support::{TestResult, TestServer, config, wait};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate::Algorithm;
use tollgate_issuer::{SigningKey, SigningKeys};
use tollgate_service::{Config, Server, ServerError, StoreUrl};
use tollgate_storage::{AccountStore, Actor, AuditRecord, Door};

const FIRST: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// A store that is started again and again, each time with what is in the file then.
struct Store {
    url: StoreUrl,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Store {
    fn new(url: impl FnOnce(&Path) -> StoreUrl) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { url: url(&folder.path().join("data")), file: folder.path().join("sealing.key"), _folder: folder }
    }

    fn config(&self, file: Option<&str>) -> Config {
        if let Some(text) = file {
            fs::write(&self.file, text).unwrap();
        }
        Config { store: Some(self.url.clone()), sealing_key_file: file.map(|_| self.file.clone()), ..config() }
    }

    /// The public keys that a server publishes which has that file.
    fn jwks(&self, file: Option<&str>) -> String {
        let server = TestServer::start_with(self.config(file));
        server.client.get(server.url("/.well-known/jwks.json")).send().unwrap().text().unwrap()
    }

    fn refused(&self, config: Config) -> ServerError {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(Server::bind(config)).err().expect("it started")
    }

    /// What the store holds.
    fn stored(&self) -> (i64, String) {
        self.with(async |store| {
            let stored = store.signing_keys().await?.unwrap();
            Ok((stored.version, stored.private_jwks.to_string()))
        })
    }

    fn put(&self, version: i64, text: &str) {
        let audit = AuditRecord::new(&Actor::unknown(Door::Service), "test", "").unwrap();
        assert!(self.with(async |store| store.replace_signing_keys(version, text, &audit).await));
    }

    fn with<T>(&self, work: impl AsyncFnOnce(&dyn AccountStore) -> Result<T, tollgate_storage::StorageError>) -> T {
        wait(async { work(&*self.url.open_accounts().await.unwrap()).await })
    }
}

/// One on each backend.
fn stores() -> Vec<Store> {
    let mut stores = vec![Store::new(|folder| folder.into())];
    if let Some(cluster) = shared() {
        let database = cluster.url(&cluster.new_database());
        stores.push(Store::new(|_| StoreUrl::parse(Path::new(&database)).unwrap()));
    }
    stores
}

#[test]
fn signing_keys_are_not_in_clear_and_move_from_one_sealing_key_to_the_next() {
    for store in stores() {
        let jwks = store.jwks(Some(FIRST));
        let (version, sealed) = store.stored();
        assert!(version == 1 && !sealed.contains("kty"), "{sealed}");
        assert_eq!(store.jwks(Some(&format!("# the old one\n{FIRST}\n\n"))), jwks);
        assert_eq!(store.stored(), (1, sealed.clone()), "nothing was to be done");

        assert_eq!(store.jwks(Some(&format!("{SECOND}\n{FIRST}\n"))), jwks);
        let (version, moved) = store.stored();
        assert!(version == 2 && moved != sealed);
        assert_eq!(store.jwks(Some(SECOND)), jwks, "the first is needed no more");
        let refused = store.refused(store.config(Some(FIRST)));
        assert_eq!(refused.code(), "sealing-key-unknown", "{refused}");
        assert!(refused.to_string().contains("sealing.key") && !refused.to_string().contains(FIRST), "{refused}");
        assert_eq!(store.stored(), (2, moved), "and nothing was lost");
    }
}

#[test]
fn signing_keys_that_were_in_clear_are_encrypted_when_the_service_starts() -> TestResult {
    for store in stores() {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?).with_signing_since(now)?;
        store.put(0, &keys.to_private_jwks());
        assert_eq!(store.jwks(Some(FIRST)), *keys.jwks());
        let (version, sealed) = store.stored();
        assert!(version == 2 && !sealed.contains("kty"), "{sealed}");
        assert_eq!(store.jwks(Some(FIRST)), *keys.jwks());
    }
    Ok(())
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_that_says_why() {
    for store in stores() {
        store.jwks(Some(FIRST));
        let missing = Config { sealing_key_file: Some("/nonexistent/key".into()), ..store.config(None) };
        let refused = store.refused(missing);
        assert_eq!(refused.code(), "sealing-key-file", "{refused}");
        assert!(refused.to_string().contains("/nonexistent/key"), "{refused}");
        let refused = store.refused(store.config(None));
        assert_eq!(refused.code(), "sealing-key-needed", "{refused}");
        let many = vec![FIRST; 17].join("\n");
        for (text, reason) in [("", "holds 0"), ("# none", "holds 0"), ("\nab\n", "line 2"), (&many, "holds 17")] {
            let refused = store.refused(store.config(Some(text)));
            assert_eq!(refused.code(), "invalid-sealing-key-file", "{refused}");
            assert!(refused.to_string().contains(reason), "{refused}");
        }
    }
}

#[test]
fn what_was_sealed_as_one_version_opens_as_no_other() {
    for store in stores() {
        store.jwks(Some(FIRST));
        let (version, sealed) = store.stored();
        store.put(version, &sealed);
        let refused = store.refused(store.config(Some(FIRST)));
        assert_eq!(refused.code(), "signing-keys-damaged", "{refused}");
    }
}

#[test]
fn a_folder_has_a_sealing_key_of_its_own_which_is_not_made_anew_when_it_is_lost() -> TestResult {
    let store = Store::new(|folder| folder.into());
    let jwks = store.jwks(None);
    let StoreUrl::Sqlite(folder) = &store.url else { unreachable!() };
    let file = folder.join("tollgate-sealing.key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    }
    assert!(!store.stored().1.contains("kty"));
    assert_eq!(store.jwks(None), jwks);
    // Named, it is a file like any other.
    assert_eq!(store.jwks(Some(&format!("{FIRST}\n{}", fs::read_to_string(&file)?))), jwks);
    fs::remove_file(&file)?;
    let refused = store.refused(store.config(None));
    assert_eq!(refused.code(), "sealing-key-needed", "{refused}");
    assert!(!file.exists());
    Ok(())
}
