//! Opening a store: the schema, roles and connection security.

use tollgate_postgres::{PostgresConfig, PostgresStore};
use tollgate_storage::{KeyStore, StorageError};

use crate::cluster::{Server, shared};
use crate::support::{add, block_on, execute, open};

#[test]
fn many_that_open_an_empty_database_at_once_make_one_schema() {
    let Some(server) = shared() else { return };
    let config = server.config(&server.new_database());
    block_on(async {
        let stores = (0..8).map(|_| {
            let config = config.clone();
            tokio::spawn(async move { open(&config).await })
        });
        for (number, store) in (0..).zip(stores.collect::<Vec<_>>()) {
            execute(&store.await.unwrap(), add(number)).await.unwrap().outcomes[0].clone().unwrap();
        }
        assert_eq!(open(&config).await.latest().await.unwrap().number, 8);
    });
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let Some(server) = shared() else { return };
    let database = server.new_database();
    let config = server.config(&database);
    block_on(async {
        drop(open(&config).await);
        server.sql(&database, "UPDATE tollgate.schema SET version = 1000").unwrap();
        let refused = PostgresStore::open(&config).await.unwrap_err();
        assert!(matches!(refused, StorageError::NewerSchema { found: 1000, .. }), "{refused}");
    });
    assert_eq!(server.sql(&database, "SELECT version FROM tollgate.schema").as_deref(), Some("1000"));
}

#[test]
fn a_role_that_owns_nothing_but_its_database_can_use_it() {
    let Some(server) = shared() else { return };
    let database = server.new_database();
    server
        .sql("postgres", &format!("CREATE ROLE {database} LOGIN; ALTER DATABASE {database} OWNER TO {database}"))
        .unwrap();
    let url = server.url(&database).replace("postgres@", &format!("{database}@"));
    block_on(async {
        let store = open(&PostgresConfig::from_url(&url).unwrap()).await;
        execute(&store, add(1)).await.unwrap().outcomes[0].clone().unwrap();
    });
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let config = PostgresConfig::from_url("postgres://me:secret@127.0.0.1:1/keys").unwrap();
    let error = block_on(PostgresStore::open(&config)).unwrap_err();
    assert_eq!(error.code(), "store-location");
    let text = format!("{error} {error:?} {config:?}");
    assert!(text.contains("postgres://me@127.0.0.1:1/keys") && !text.contains("secret"), "{text}");
}

#[test]
fn a_password_comes_from_a_file_that_may_change() {
    let Some(server) = Server::start(&[("password_encryption", "scram-sha-256")]) else { return };
    server.sql("postgres", "CREATE ROLE app LOGIN PASSWORD 'first' SUPERUSER").unwrap();
    server.sql("postgres", "CREATE DATABASE keys OWNER app").unwrap();
    server.require_passwords_of("app");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let url = server.url("keys").replace("postgres@", "app@") + "?pool_size=2&password_file=" + file.to_str().unwrap();
    let config = PostgresConfig::from_url(&url).unwrap();
    block_on(async {
        assert_eq!(PostgresStore::open(&config).await.unwrap_err().code(), "store-location");
        std::fs::write(&file, "wrong\n").unwrap();
        assert_eq!(PostgresStore::open(&config).await.unwrap_err().code(), "store-location");
        std::fs::write(&file, "first\n").unwrap();
        let store = open(&config).await;
        execute(&store, add(1)).await.unwrap();
        server.sql("postgres", "ALTER ROLE app PASSWORD 'second'").unwrap();
        std::fs::write(&file, "second").unwrap();
        // Existing connections continue; new ones use the new password.
        server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'").unwrap();
        execute(&store, add(2)).await.unwrap();
    });
}

#[test]
fn a_server_is_known_by_a_certificate_of_the_named_authority_alone() {
    let Some(server) = Server::start(&[]) else { return };
    let authority = server.use_tls("localhost");
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    let database = server.new_database();
    let open = |host: &str, roots: &std::path::Path| {
        let url = server.url(&database).replace("127.0.0.1", host);
        let url = format!("{url}?sslmode=verify-full&sslrootcert={}", roots.display());
        block_on(PostgresStore::open(&PostgresConfig::from_url(&url).unwrap())).map(drop)
    };
    std::fs::write(&roots, &authority).unwrap();
    open("localhost", &roots).unwrap();
    // Its name is not in the certificate.
    assert_eq!(open("127.0.0.1", &roots).unwrap_err().code(), "store-location");
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&roots, other.cert.pem()).unwrap();
    assert_eq!(open("localhost", &roots).unwrap_err().code(), "store-location");
    std::fs::write(&roots, "no certificate").unwrap();
    assert_eq!(open("localhost", &roots).unwrap_err().code(), "store-location");
}
