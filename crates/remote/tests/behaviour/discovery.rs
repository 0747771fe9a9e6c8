//! From an issuer's name to its keys.

use tollgate_remote::{RemoteKeys, RemoteKeysBuilder};

use crate::support::*;

#[test]
fn openid_metadata_leads_to_the_keys() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(answers_status("404 Not Found", ""));
        let issuer = provider.uri("/tenant/");
        let keys = provider.uri("/elsewhere/keys");
        // OpenID Connect Discovery 1.0 section 4: the trailing slash is removed, and the well-known path is appended.
        provider.answers("/tenant/.well-known/openid-configuration", publishes(metadata(&issuer, &keys)));
        provider.answers("/elsewhere/keys", publishes(signer.jwks()));
        let remote = Remote::start(openid(&issuer)).await;
        assert!(accepts(&remote.engine, &signer.header()));
        assert_eq!(remote.keys.name(), issuer);
    });
}

#[test]
fn authorization_server_metadata_leads_to_the_keys() {
    simulate(async {
        for (path, well_known) in [
            // RFC 8414 section 3: the well-known part comes before the path.
            ("", "/.well-known/oauth-authorization-server"),
            ("/", "/.well-known/oauth-authorization-server"),
            ("/tenant", "/.well-known/oauth-authorization-server/tenant"),
            ("/tenant/", "/.well-known/oauth-authorization-server/tenant"),
        ] {
            let signer = Signer::new();
            let provider = Provider::start(answers_status("404 Not Found", ""));
            let issuer = provider.uri(path);
            provider.answers(well_known, publishes(metadata(&issuer, &provider.uri("/keys"))));
            provider.answers("/keys", publishes(signer.jwks()));
            let remote = Remote::start(RemoteKeys::from_authorization_server(&issuer).clocks(clocks())).await;
            assert!(accepts(&remote.engine, &signer.header()), "{path}");
        }
    });
}

#[test]
fn byte_order_mark_before_the_metadata_and_the_keys_is_skipped() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(answers_status("404 Not Found", ""));
        let issuer = provider.uri("/tenant");
        let document = format!("\u{feff}{}", metadata(&issuer, &provider.uri("/keys")));
        provider.answers("/tenant/.well-known/openid-configuration", publishes(document));
        provider.answers("/keys", publishes(format!("\u{feff}{}", signer.jwks())));
        let remote = Remote::start(openid(&issuer)).await;
        assert!(accepts(&remote.engine, &signer.header()), "{:?}", remote.keys.health());
    });
}

#[test]
fn metadata_of_another_issuer_is_refused() {
    simulate(async {
        let provider = Provider::start(publishes(Signer::new().jwks()));
        let issuer = provider.uri("/tenant");
        for other in [provider.uri("/tenant/"), provider.uri("/Tenant"), provider.uri("/"), String::new()] {
            let document = metadata(&other, &provider.uri("/keys"));
            provider.answers("/tenant/.well-known/openid-configuration", publishes(document));
            let remote = Remote::start(openid(&issuer)).await;
            assert_eq!(remote.last_failure(), Some("issuer-mismatch"), "{other}");
            assert!(!remote.keys.health().is_serving());
        }
    });
}

#[test]
fn metadata_without_what_is_needed_is_refused() {
    simulate(async {
        let provider = Provider::start(publishes(Signer::new().jwks()));
        let issuer = provider.uri("");
        let (name, keys) = (issuer.clone(), provider.uri("/keys"));
        for document in [
            "garbage".to_owned(),
            "[]".to_owned(),
            format!(r#"{{"jwks_uri":"{keys}"}}"#),
            format!(r#"{{"issuer":["{name}"],"jwks_uri":"{keys}"}}"#),
            format!(r#"{{"issuer":"{name}"}}"#),
            format!(r#"{{"issuer":"{name}","jwks_uri":7}}"#),
            format!(r#"{{"issuer":"https://a.example","issuer":"{name}","jwks_uri":"{keys}"}}"#),
        ] {
            provider.answers("/.well-known/openid-configuration", publishes(document.clone()));
            let remote = Remote::start(openid(&issuer)).await;
            assert_eq!(remote.last_failure(), Some("invalid-metadata"), "{document}");
            assert!(!remote.keys.health().is_serving());
        }
    });
}

#[test]
fn insecure_jwks_uri_is_refused() {
    simulate(async {
        let provider = Provider::start(publishes(Signer::new().jwks()));
        let issuer = provider.uri("");
        for uri in ["http://keys.example.com/", "ftp://127.0.0.1/", "//127.0.0.1/", "/keys", "https://user@127.0.0.1/"]
        {
            provider.answers("/.well-known/openid-configuration", publishes(metadata(&issuer, uri)));
            let remote = Remote::start(openid(&issuer)).await;
            assert_eq!(remote.last_failure(), Some("insecure-jwks-uri"), "{uri}");
        }
    });
}

#[test]
fn redirect_of_the_metadata_is_refused() {
    simulate(async {
        let provider = Provider::start(answers_status("302 Found", "Location: /keys\r\n"));
        let remote = Remote::start(openid(&provider.uri(""))).await;
        assert_eq!(remote.last_failure(), Some("redirect-refused"));
        assert_eq!(provider.request_count(), 1);
    });
}

#[test]
fn moved_keys_are_found_at_the_next_refresh() {
    simulate(async {
        let (old, new) = (Signer::new(), Signer::new());
        let provider = discovered(&old);
        let issuer = provider.uri("");
        let remote = Remote::start(openid(&issuer)).await;
        assert!(accepts(&remote.engine, &old.header()));
        // The old address still publishes the old keys.
        provider.answers("/new", publishes(new.jwks()));
        let moved = publishes(metadata(&issuer, &provider.uri("/new")));
        provider.answers("/.well-known/openid-configuration", moved);
        remote.pass_a_refresh().await;
        assert!(accepts(&remote.engine, &new.header()) && !accepts(&remote.engine, &old.header()));
    });
}

#[test]
fn keys_are_refreshed_while_the_metadata_is_out_of_reach() {
    simulate(async {
        let signer = Signer::new();
        let provider = discovered(&signer);
        let remote = Remote::start(openid(&provider.uri(""))).await;
        let unavailable = answers_status("503 Service Unavailable", "");
        provider.answers("/.well-known/openid-configuration", unavailable);
        signer.rotate("k2");
        provider.answers("/keys", publishes(signer.jwks()));
        remote.pass_a_refresh().await;
        assert!(accepts(&remote.engine, &signer.header()));
        assert_eq!(remote.keys.health().status, Status::Fresh);
    });
}

#[test]
fn keys_of_metadata_that_has_turned_bad_are_not_refreshed() {
    simulate(async {
        let signer = Signer::new();
        let provider = discovered(&signer);
        let remote = Remote::start(openid(&provider.uri(""))).await;
        let other = publishes(metadata("https://other.example", &provider.uri("/keys")));
        provider.answers("/.well-known/openid-configuration", other);
        remote.pass_a_refresh().await;
        assert_eq!(remote.last_failure(), Some("issuer-mismatch"));
        assert_eq!(remote.keys.health().status, Status::Stale);
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn failover_serves_while_the_metadata_is_out_of_reach() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(answers_status("500 Internal Server Error", ""));
        provider.answers("/mirror", publishes(signer.jwks()));
        let remote = Remote::start(openid(&provider.uri("")).failover(&provider.uri("/mirror"))).await;
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn wrong_descriptions_are_refused() {
    simulate(async {
        let code = |builder: RemoteKeysBuilder| builder.start().unwrap_err().code();
        for uri in
            ["", "keys.json", "/keys", "file:///etc/keys", "https://", "https://a.example/#b", "https://u:p@a.example/"]
        {
            assert_eq!(code(RemoteKeys::from_jwks_uri(uri)), "invalid-uri", "{uri}");
        }
        for uri in
            ["http://a.example/keys", "http://127.0.0.1.a.example/", "http://localhost.a.example/", "http://10.0.0.1/"]
        {
            assert_eq!(code(RemoteKeys::from_jwks_uri(uri)), "insecure-uri", "{uri}");
            assert_eq!(code(RemoteKeys::from_openid_issuer(uri)), "insecure-uri", "{uri}");
        }
        let local = || RemoteKeys::from_jwks_uri("http://[::1]:9/");
        assert_eq!(code(local().failover("http://a.example/")), "insecure-uri");
        assert_eq!(
            code((0..5).fold(local(), |builder, _| builder.failover("http://127.0.0.9/"))),
            "too-many-failovers"
        );
        assert_eq!(code(local().max_keys(0)), "invalid-limit");
        assert_eq!(code(local().max_document_bytes(2 * 1024 * 1024)), "invalid-limit");
        assert_eq!(code(local().root_certificates(b"no PEM")), "invalid-root-certificates");
        assert_eq!(code(RemoteKeys::from_authorization_server("https://a.example/?tenant=1")), "invalid-issuer");
        assert_eq!(code(RemoteKeys::from_openid_issuer("https://a.example/?tenant=1")), "invalid-issuer");
        assert_eq!(local().start().unwrap().name(), "http://[::1]:9/");
    });
    assert_eq!(RemoteKeys::from_jwks_uri("http://localhost/").start().unwrap_err().code(), "no-runtime");
}

fn metadata(issuer: &str, jwks_uri: &str) -> String {
    format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}","response_types_supported":["code"]}}"#)
}

/// A provider at the root of its host, with its keys at `/keys`.
fn discovered(signer: &Signer) -> Provider {
    let provider = Provider::start(answers_status("404 Not Found", ""));
    let document = metadata(&provider.uri(""), &provider.uri("/keys"));
    provider.answers("/.well-known/openid-configuration", publishes(document));
    provider.answers("/keys", publishes(signer.jwks()));
    provider
}

fn openid(issuer: &str) -> RemoteKeysBuilder {
    RemoteKeys::from_openid_issuer(issuer).clocks(clocks())
}
