use super::World;
use super::sample::{NOW, id, key_of, refused, run, state, token};
use crate::certificate_subject::{CertificateSubject, SubjectName};
use crate::client::{Client, ClientAuthMethod, ClientKind, ClientSettings, GrantType};
use crate::client_keys::ClientKeys;
use crate::command::{Command, Issued};
use crate::error::Refusal;
use crate::key::StoredKey;
use crate::key_store::KeyStore;
use crate::redirect_uri::RedirectUri;
use crate::revocation::RevocationKind;
use std::sync::Arc;
use tollgate::{KeyKind, KeyState};

/// A key set with the key of RFC 8037 appendix A.2.
const JWKS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// The same key with a certificate that is known by its thumbprint.
const JWKS_WITH_THUMBPRINT: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}]}"#;

fn client(id: &str) -> Client {
    Client::new(id, "Reports", "read:reports", ["https://b.example/cb", "https://a.example/cb"], NOW).unwrap()
}

fn secret_of(client: &str, number: u64) -> StoredKey {
    key_of(number, KeyKind::ClientSecret, client, Some(client))
}

fn register(id: &str, secret: Option<StoredKey>) -> Command {
    Command::AddClient { client: client(id), secret }
}

fn issued() -> Issued {
    let issuers = ["https://as.example", "https://old.example"].map(str::to_owned).to_vec();
    Issued { issuers, made_before: NOW + 1, until: NOW + 3_600 }
}

pub async fn a_client_and_its_secret_are_registered_both_or_not_at_all(world: &dyn World) {
    let store = world.open().await;
    assert_eq!(run(&store, register("blog", Some(secret_of("blog", 1)))).await, 2);
    assert_eq!(store.client("blog").await.unwrap(), Some(client("blog")));
    assert_eq!(state(&store, 1).await, Some(KeyState::Active));
    let twice = refused(&store, register("blog", Some(secret_of("blog", 2)))).await;
    assert_eq!(twice, Refusal::AlreadyExists { what: "client" });
    let taken = StoredKey { record: secret_of("shop", 1).record, ..secret_of("shop", 3) };
    assert_eq!(refused(&store, register("shop", Some(taken))).await, Refusal::AlreadyExists { what: "key" });
    let anothers = refused(&store, register("shop", Some(secret_of("blog", 3)))).await;
    assert_eq!(anothers, Refusal::Field { field: "client_id" });
    assert_eq!(
        (store.client("shop").await.unwrap(), state(&store, 2).await, state(&store, 3).await),
        (None, None, None)
    );
    let changed = Client::new("blog", "Blog", "", ["https://c.example/"], NOW).unwrap();
    assert_eq!(run(&store, Command::ChangeClient(changed.clone())).await, 1);
    assert_eq!(run(&store, Command::ChangeClient(changed.clone())).await, 0);
    assert_eq!(store.client("blog").await.unwrap(), Some(changed));
    let keys = Command::ReplaceClientKeys { id: "blog".into(), jwks: ClientKeys::new(JWKS).unwrap() };
    let unfit = refused(&store, keys).await;
    assert!(matches!(unfit, Refusal::Field { field: "jwks" }), "a client with a secret has no keys");
    let unknown = refused(&store, Command::ChangeClient(client("shop"))).await;
    assert_eq!(unknown, Refusal::NotFound { what: "client" });
}

pub async fn a_client_of_each_kind_comes_back_as_it_was(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    let codes = || vec![GrantType::AuthorizationCode];
    let uri = |uri: &str| RedirectUri::new(uri).unwrap();
    let settings = |kind, grants, auth_method, user_scopes: &str| ClientSettings {
        kind,
        grants,
        auth_method,
        user_scopes: user_scopes.to_owned(),
        post_logout_redirect_uris: match kind {
            ClientKind::Native => vec![uri("com.example.app:/bye"), uri("https://a.example/bye")],
            _ => Vec::new(),
        },
        backchannel_logout_uri: (kind == ClientKind::Web).then(|| uri("https://a.example/logout")),
        is_operators_own: kind == ClientKind::Browser,
        is_disabled: kind == ClientKind::Native,
        requires_pushed_requests: kind == ClientKind::Browser,
        is_dpop_bound: kind == ClientKind::Native,
        is_certificate_bound: kind == ClientKind::Machine,
        jwks: match auth_method {
            ClientAuthMethod::PrivateKeyJwt => Some(ClientKeys::new(JWKS).unwrap()),
            ClientAuthMethod::SelfSignedTlsClientAuth => Some(ClientKeys::new(JWKS_WITH_THUMBPRINT).unwrap()),
            _ => None,
        },
        certificate_subject: (auth_method == ClientAuthMethod::TlsClientAuth)
            .then(|| CertificateSubject::new(SubjectName::SubjectDn, "CN=mobile robot,O=Example").unwrap()),
    };
    let both = vec![GrantType::ClientCredentials, GrantType::AuthorizationCode];
    // Nothing that browsers are sent to.
    let television = ClientSettings {
        post_logout_redirect_uris: Vec::new(),
        ..settings(ClientKind::Native, vec![GrantType::DeviceCode], ClientAuthMethod::None, "b")
    };
    let machine = || vec![GrantType::ClientCredentials];
    for (id, scopes, uris, settings) in [
        (
            "web",
            "a",
            &["https://a.example/"][..],
            settings(ClientKind::Web, both, ClientAuthMethod::ClientSecretBasic, "b c"),
        ),
        ("app", "", &["com.example.app:/cb"], settings(ClientKind::Native, codes(), ClientAuthMethod::None, "b")),
        ("tv", "", &[], television),
        ("page", "", &["https://a.example/"], settings(ClientKind::Browser, codes(), ClientAuthMethod::None, "")),
        ("job", "a", &[], settings(ClientKind::Machine, machine(), ClientAuthMethod::ClientSecretPost, "")),
        ("robot", "a", &[], settings(ClientKind::Machine, machine(), ClientAuthMethod::PrivateKeyJwt, "")),
        ("mobile", "a", &[], settings(ClientKind::Machine, machine(), ClientAuthMethod::TlsClientAuth, "")),
        ("sealed", "a", &[], settings(ClientKind::Machine, machine(), ClientAuthMethod::SelfSignedTlsClientAuth, "")),
    ] {
        let client = Client::new(id, "", scopes, uris.iter().copied(), NOW).unwrap().with(settings).unwrap();
        run(&store, Command::AddClient { client: client.clone(), secret: None }).await;
        assert_eq!(other.client(id).await.unwrap(), Some(client));
    }
    for id in ["app", "robot", "mobile", "sealed"] {
        let secret = refused(&store, rotate_of(id, None, 1)).await;
        assert_eq!(secret, Refusal::Field { field: "token_endpoint_auth_method" }, "{id} has none");
    }
}

pub async fn a_client_is_disabled_enabled_and_removed_with_what_it_was_issued(world: &dyn World) {
    let store = world.open().await;
    run(&store, register("blog", Some(secret_of("blog", 1)))).await;
    for key in [secret_of("blog", 2), token(3, "ada", "blog", NOW), token(4, "ada", "shop", NOW)] {
        run(&store, Command::AddKey { key, max: None }).await;
    }
    run(&store, Command::PutKeyInState { id: id(2), state: KeyState::Revoked }).await;
    let states = async || {
        let states = [state(&store, 1).await, state(&store, 2).await, state(&store, 3).await, state(&store, 4).await];
        states.map(|state| state.unwrap().as_str())
    };
    let blog = || "blog".to_owned();
    assert_eq!(run(&store, Command::DisableClient { id: blog(), issued: issued() }).await, 5);
    assert_eq!(states().await, ["disabled", "revoked", "revoked", "active"]);
    assert!(store.client("blog").await.unwrap().unwrap().settings().is_disabled);
    for issuer in issued().issuers {
        let revoked = store.revocation(RevocationKind::Client, &issuer, "blog").await.unwrap().unwrap();
        assert_eq!((revoked.issued_before, revoked.until), (NOW + 1, NOW + 3_600));
    }
    assert_eq!(run(&store, Command::EnableClient { id: blog() }).await, 2);
    assert_eq!(states().await, ["active", "revoked", "revoked", "active"]);
    run(&store, Command::AddKey { key: token(5, "ada", "blog", NOW), max: None }).await;
    assert_eq!(run(&store, Command::RemoveClient { id: blog(), issued: issued() }).await, 3);
    assert_eq!(states().await, ["revoked", "revoked", "revoked", "active"]);
    assert_eq!((store.client("blog").await.unwrap(), state(&store, 5).await), (None, Some(KeyState::Revoked)));
    for command in [
        Command::DisableClient { id: blog(), issued: Issued::default() },
        Command::EnableClient { id: blog() },
        Command::RemoveClient { id: blog(), issued: Issued::default() },
    ] {
        assert_eq!(refused(&store, command).await, Refusal::NotFound { what: "client" });
    }
}

/// Rotates to the secret with that number.
fn rotate(current: Option<u64>, new: u64) -> Command {
    rotate_of("blog", current, new)
}

fn rotate_of(client: &str, current: Option<u64>, new: u64) -> Command {
    let current = current.map(id);
    // Made later, and so the newest.
    let new = secret_of(client, new).made_at(NOW + i64::try_from(new).unwrap());
    let overlap_ends_at = new.created_at + 60;
    Command::RotateClientSecret { id: client.to_owned(), current, new, overlap_ends_at }
}

async fn end(store: &Arc<dyn KeyStore>, number: u64) -> Option<i64> {
    store.key(&id(number)).await.unwrap().unwrap().ends_at()
}

pub async fn a68_a_clients_secret_is_rotated_if_it_is_current(world: &dyn World) {
    let store = world.open().await;
    run(&store, register("blog", None)).await;
    assert_eq!(run(&store, rotate(None, 1)).await, 1, "the first is made so too");
    assert_eq!(run(&store, rotate(Some(1), 2)).await, 2);
    assert_eq!((end(&store, 1).await, end(&store, 2).await), (Some(NOW + 62), None));
    let stale = refused(&store, rotate(Some(1), 3)).await;
    assert_eq!(stale, Refusal::Changed { what: "client" });
    assert_eq!(run(&store, rotate(Some(2), 3)).await, 3);
    assert_eq!((end(&store, 1).await, end(&store, 2).await), (Some(NOW + 62), Some(NOW + 63)), "the earlier end holds");
    run(&store, Command::DisableClient { id: "blog".to_owned(), issued: Issued::default() }).await;
    assert_eq!(refused(&store, rotate(Some(3), 4)).await, Refusal::Disabled { what: "client" });
    let unknown = Command::RotateClientSecret {
        id: "shop".to_owned(),
        current: None,
        new: secret_of("shop", 5),
        overlap_ends_at: NOW,
    };
    assert_eq!(refused(&store, unknown).await, Refusal::NotFound { what: "client" });

    run(&store, Command::EnableClient { id: "blog".to_owned() }).await;
    let rotations: Vec<_> = (10..18)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.run(rotate(Some(3), number)).await.is_ok() })
        })
        .collect();
    let mut rotated = 0;
    for rotation in rotations {
        rotated += u32::from(rotation.await.unwrap());
    }
    assert_eq!(rotated, 1);
}

pub async fn a_clients_scopes_are_sorted_wherever_they_come_from(world: &dyn World) {
    let (store, other) = (world.open().await, world.open().await);
    let client = Client::new("c1", "", "write:sites read:sites write:sites", ["https://a.example/cb"], NOW).unwrap();
    assert_eq!(
        (client.scopes(), &*client.settings().user_scopes),
        ("read:sites write:sites", "read:sites write:sites")
    );
    run(&store, Command::AddClient { client: client.clone(), secret: None }).await;
    assert_eq!(other.client("c1").await.unwrap(), Some(client.clone()));
    let twin = Client::new("c1", "", "read:sites write:sites", ["https://a.example/cb"], NOW).unwrap();
    assert_eq!(run(&store, Command::ChangeClient(twin)).await, 0, "the same client");
    // A round trip through text, and text that is not a client.
    let text = serde_json::to_string(&client).unwrap();
    assert_eq!(serde_json::from_str::<Client>(&text).unwrap(), client);
    for (was, is) in
        [("c1", "usr_1"), ("https://a", "http://a"), ("read:sites ", "read:\\\"sites "), ("web", "machine")]
    {
        assert!(serde_json::from_str::<Client>(&text.replacen(was, is, 1)).is_err(), "{is}");
    }
}
