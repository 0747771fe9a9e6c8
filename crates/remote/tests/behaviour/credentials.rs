//! Header fields of a fetch: sent only to the configured origin.

use std::fs;

use tollgate_remote::{HeaderSource, RemoteKeys, RemoteKeysBuilder, limits};

use crate::support::*;

const SECRET: &str = "Bearer s3cret";

fn sent(provider: &Provider) -> Vec<Option<String>> {
    provider.requests().iter().map(|request| request.fields.get("authorization").cloned()).collect()
}

/// The two kinds of source. Each must reach the configured origin and no other.
fn sources(folder: &tempfile::TempDir) -> [HeaderSource; 2] {
    let file = folder.path().join("header");
    fs::write(&file, format!("{SECRET}\n")).unwrap();
    [HeaderSource::value(SECRET), HeaderSource::file(file)]
}

#[test]
fn configured_uri_is_sent_the_header() {
    simulate(async {
        let folder = tempfile::tempdir().unwrap();
        for source in sources(&folder) {
            let signer = Signer::new();
            let provider = Provider::start(publishes(signer.jwks()));
            let remote = Remote::start(remote(&provider).header("Authorization", source)).await;
            assert!(accepts(&remote.engine, &signer.header()), "{:?}", remote.keys.health());
            assert_eq!(sent(&provider), [Some(SECRET.to_owned())]);
        }
    });
}

#[test]
fn jwks_uri_of_metadata_on_another_origin_is_not_sent_the_header() {
    simulate(async {
        let folder = tempfile::tempdir().unwrap();
        for source in sources(&folder) {
            let (signer, metadata, keys) = (Signer::new(), Provider::start(hangs()), Provider::start(hangs()));
            let issuer = metadata.uri("");
            let document = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{}"}}"#, keys.uri("/keys"));
            metadata.becomes(publishes(document));
            keys.becomes(publishes(signer.jwks()));
            let builder = RemoteKeys::from_openid_issuer(&issuer).clocks(clocks()).header("authorization", source);
            let remote = Remote::start(builder).await;
            assert!(accepts(&remote.engine, &signer.header()), "{:?}", remote.keys.health());
            assert_eq!((sent(&metadata), sent(&keys)), (vec![Some(SECRET.to_owned())], vec![None]));
        }
    });
}

#[test]
fn jwks_uri_of_metadata_on_the_same_origin_is_sent_the_header() {
    simulate(async {
        let (signer, provider) = (Signer::new(), Provider::start(hangs()));
        let issuer = provider.uri("");
        let document = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{}"}}"#, provider.uri("/keys"));
        provider.answers("/.well-known/openid-configuration", publishes(document));
        provider.answers("/keys", publishes(signer.jwks()));
        let builder = RemoteKeys::from_openid_issuer(&issuer).clocks(clocks());
        let remote = Remote::start(builder.header("authorization", HeaderSource::value(SECRET))).await;
        assert!(accepts(&remote.engine, &signer.header()));
        assert_eq!(sent(&provider), [Some(SECRET.to_owned()), Some(SECRET.to_owned())]);
    });
}

#[test]
fn target_of_a_redirect_is_not_sent_anything() {
    simulate(async {
        let folder = tempfile::tempdir().unwrap();
        for source in sources(&folder) {
            let target = Provider::start(publishes(Signer::new().jwks()));
            for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
                let location = format!("Location: {}\r\n", target.uri("/jwks.json"));
                let provider = Provider::start(answers_status(status, &location));
                let remote = Remote::start(remote(&provider).header("authorization", source.clone())).await;
                assert_eq!(remote.last_failure(), Some("redirect-refused"));
                assert_eq!(sent(&provider), [Some(SECRET.to_owned())]);
            }
            assert_eq!(target.request_count(), 0);
        }
    });
}

#[test]
fn failover_on_another_origin_is_not_sent_the_header() {
    simulate(async {
        let folder = tempfile::tempdir().unwrap();
        for source in sources(&folder) {
            let signer = Signer::new();
            let first = Provider::start(answers_status("500 Internal Server Error", ""));
            let second = Provider::start(publishes(signer.jwks()));
            let builder = remote(&first).failover(&second.uri("/jwks.json")).header("authorization", source);
            let remote = Remote::start(builder).await;
            assert!(accepts(&remote.engine, &signer.header()));
            assert_eq!((sent(&first), sent(&second)), (vec![Some(SECRET.to_owned())], vec![None]));
        }
    });
}

#[test]
fn host_written_otherwise_is_another_origin() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(answers_status("500 Internal Server Error", ""));
        let path = format!(":{}/jwks.json", provider.address().port());
        provider.answers("/good", publishes(signer.jwks()));
        // The same machine and port, but `localhost` is not the configured host.
        let failover = format!("http://localhost{path}").replace("/jwks.json", "/good");
        let builder = remote(&provider).failover(&failover).header("authorization", HeaderSource::value(SECRET));
        let _remote = Remote::start(builder).await;
        assert_eq!(sent(&provider), [Some(SECRET.to_owned()), None]);
    });
}

#[test]
fn file_is_read_anew_for_each_fetch() {
    simulate(async {
        let (signer, folder) = (Signer::new(), tempfile::tempdir().unwrap());
        let file = folder.path().join("token");
        fs::write(&file, "\u{feff}first\r\n").unwrap();
        let provider = Provider::start(publishes(signer.jwks()));
        let source = HeaderSource::bearer_token_file(&file);
        let remote = Remote::start(remote(&provider).header("authorization", source)).await;
        fs::write(&file, "second").unwrap();
        remote.pass_a_refresh().await;
        assert_eq!(sent(&provider), [Some("Bearer first".to_owned()), Some("Bearer second".to_owned())]);
    });
}

#[test]
fn file_that_cannot_be_used_is_a_failure_and_costs_no_token() {
    simulate(async {
        let (signer, folder) = (Signer::new(), tempfile::tempdir().unwrap());
        let file = folder.path().join("token");
        fs::write(&file, "good").unwrap();
        let provider = Provider::start(publishes(signer.jwks()));
        let source = HeaderSource::bearer_token_file(&file);
        let remote = Remote::start(remote(&provider).header("authorization", source)).await;
        let long = "x".repeat(limits::MAX_HEADER_VALUE_BYTES);
        for bad in ["", " \n", "a\nb", "caf\u{e9}\u{1}", &long] {
            fs::write(&file, bad).unwrap();
            remote.pass_a_refresh().await;
            assert_eq!(remote.last_failure(), Some("header-file"), "{bad:?}");
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        remote.pass_a_refresh().await;
        let failure = remote.keys.health().last_failure.unwrap().error.to_string();
        assert!(failure.contains("token") && failure.contains("not a regular file"), "{failure}");
        assert_eq!(provider.request_count(), 1, "nothing is asked without the header");
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn headers_that_cannot_be_sent_are_refused_at_the_start() {
    simulate(async {
        let with = |name: &str, value: &str| {
            let builder = RemoteKeys::from_jwks_uri("https://auth.example.com/jwks");
            builder.header(name, HeaderSource::value(value))
        };
        let code = |builder: RemoteKeysBuilder| builder.start().unwrap_err().code();
        for name in ["host", "Content-Length", "transfer-encoding", "accept-encoding", "proxy-authorization", "", "a b"]
        {
            assert_eq!(code(with(name, "x")), "invalid-header", "{name}");
        }
        for value in ["", " x", "a\r\nb: c", "a\u{0}"] {
            assert_eq!(code(with("authorization", value)), "invalid-header", "{value:?}");
        }
        let many = (0..=limits::MAX_HEADERS)
            .fold(with("a", "x"), |builder, number| builder.header(&format!("x-{number}"), HeaderSource::value("x")));
        assert_eq!(code(many), "too-many-headers");
    });
}

#[test]
fn values_are_not_shown() {
    let builder = RemoteKeys::from_jwks_uri("https://auth.example.com/jwks");
    let builder = builder.header("authorization", HeaderSource::value(SECRET));
    assert!(!format!("{builder:?}").contains("s3cret"));
}
