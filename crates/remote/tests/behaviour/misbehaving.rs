//! A provider that misbehaves costs no valid token: the current set stays, and the failure has a name.

use std::time::Duration;

use crate::support::*;

/// The provider publishes a good set, then behaves as `behaviour` at the next refresh, which fails with `error`.
async fn fails_with(behaviour: impl FnOnce(&Signer) -> Behaviour, error: &str) {
    let signer = Signer::new();
    let provider = Provider::start(publishes(signer.jwks()));
    let remote = Remote::start(remote(&provider)).await;
    let header = signer.header();
    assert!(accepts(&remote.engine, &header));

    provider.becomes(behaviour(&signer));
    remote.pass_a_refresh().await;
    assert_eq!(remote.last_failure(), Some(error));
    assert_eq!((remote.keys.health().status, remote.keys.health().failures), (Status::Stale, 1));
    assert!(accepts(&remote.engine, &header), "{error}");

    provider.becomes(publishes(signer.jwks()));
    remote.pass_a_refresh().await;
    assert_eq!((remote.keys.health().status, remote.keys.health().failures), (Status::Fresh, 0));
    assert!(accepts(&remote.engine, &header));
}

#[test]
fn slow_answer_within_the_timeout_is_taken() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(drips(signer.jwks(), Duration::from_micros(100)));
        let remote = Remote::start(remote(&provider)).await;
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn slow_answer_beyond_the_timeout_is_given_up() {
    simulate(fails_with(|signer| drips(signer.jwks(), Duration::from_millis(100)), "timeout"));
}

#[test]
fn hanging_before_the_answer_is_given_up() {
    simulate(fails_with(|_| hangs(), "timeout"));
}

#[test]
fn hanging_in_the_head_is_given_up() {
    simulate(fails_with(|_| sends_and_hangs("HTTP/1.1 200 OK\r\nContent-Type: applica"), "timeout"));
}

#[test]
fn hanging_in_the_body_is_given_up() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"keys\":[";
    simulate(fails_with(move |_| sends_and_hangs(head), "timeout"));
}

#[test]
fn server_error_is_a_failure() {
    simulate(fails_with(|_| answers_status("500 Internal Server Error", ""), "http-status"));
}

#[test]
fn server_error_with_a_key_set_is_a_failure() {
    let answer = |signer: &Signer| {
        let jwks = signer.jwks();
        let head = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length:";
        sends(format!("{head} {}\r\n\r\n{jwks}", jwks.len()))
    };
    simulate(fails_with(answer, "http-status"));
}

#[test]
fn truncated_body_is_a_failure() {
    let answer = |signer: &Signer| {
        let jwks = signer.jwks();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        sends(format!("{head} {}\r\n\r\n{jwks}", jwks.len() + 1))
    };
    simulate(fails_with(answer, "interrupted"));
}

#[test]
fn truncated_chunks_are_a_failure() {
    let answer = |signer: &Signer| {
        let jwks = signer.jwks();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        sends(format!("{head}{:x}\r\n{jwks}\r\n", jwks.len()))
    };
    simulate(fails_with(answer, "interrupted"));
}

#[test]
fn truncated_document_without_a_length_is_a_failure() {
    let answer = |signer: &Signer| {
        let jwks = signer.jwks();
        sends(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}", &jwks[..jwks.len() - 1]))
    };
    simulate(fails_with(answer, "not-a-key-set"));
}

#[test]
fn closed_connection_is_a_failure() {
    simulate(fails_with(|_| sends(""), "interrupted"));
}

#[test]
fn answer_that_is_not_http_is_a_failure() {
    simulate(fails_with(|_| sends("220 mail.example.com ESMTP\r\n"), "interrupted"));
}

#[test]
fn oversized_document_is_refused_by_its_length() {
    let answer = |signer: &Signer| publishes(signer.jwks() + &" ".repeat(256 * 1024));
    simulate(fails_with(answer, "document-too-large"));
}

#[test]
fn oversized_document_is_refused_without_a_length() {
    let answer = |signer: &Signer| {
        let padding = " ".repeat(256 * 1024);
        sends(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}{padding}", signer.jwks()))
    };
    simulate(fails_with(answer, "document-too-large"));
}

#[test]
fn endless_head_is_refused() {
    let head = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(64 * 1024));
    simulate(fails_with(move |_| sends_and_hangs(head.clone()), "interrupted"));
}

#[test]
fn wrong_content_type_is_refused() {
    simulate(async {
        for content_type in ["text/html", "text/plain; charset=utf-8", "image/png", "application/x-json"] {
            let field = format!("Content-Type: {content_type}");
            fails_with(|signer| publishes_with(signer.jwks(), &field), "wrong-content-type").await;
        }
    });
}

#[test]
fn absent_content_type_is_refused() {
    simulate(fails_with(|signer| publishes_with(signer.jwks(), ""), "wrong-content-type"));
}

#[test]
fn content_types_of_json_and_of_files_without_a_type_are_taken() {
    simulate(async {
        let of_storage_services = ["application/octet-stream", "binary/octet-stream"];
        for content_type in
            ["application/jwk-set+json", "Application/JSON; charset=utf-8"].into_iter().chain(of_storage_services)
        {
            let signer = Signer::new();
            let provider = Provider::start(publishes_with(signer.jwks(), &format!("Content-Type: {content_type}")));
            let remote = Remote::start(remote(&provider)).await;
            assert!(accepts(&remote.engine, &signer.header()), "{content_type}");
        }
    });
}

#[test]
fn any_content_type_is_taken_where_it_is_asked_for() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes_with(signer.jwks(), "Content-Type: text/plain"));
        let remote = Remote::start(remote(&provider).danger_accept_any_content_type()).await;
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn content_coding_is_refused() {
    let fields = "Content-Type: application/json\r\nContent-Encoding: gzip";
    simulate(fails_with(move |signer| publishes_with(signer.jwks(), fields), "content-encoding-refused"));
}

#[test]
fn empty_set_does_not_replace_a_good_one() {
    simulate(fails_with(|_| publishes(r#"{"keys":[]}"#), "no-usable-key"));
}

#[test]
fn set_of_unusable_keys_does_not_replace_a_good_one() {
    let document = r#"{"keys":[{"kty":"Unheard-of","kid":"k1"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#;
    simulate(fails_with(move |_| publishes(document), "no-usable-key"));
}

#[test]
fn garbage_does_not_replace_a_good_set() {
    simulate(async {
        for garbage in ["", "null", "[]", "{}", r#"{"keys":{}}"#, "<html>", "{\"keys\":[]", "\u{0}\u{1}\u{2}"] {
            fails_with(|_| publishes(garbage), "not-a-key-set").await;
        }
    });
}

#[test]
fn duplicate_members_do_not_replace_a_good_set() {
    let answer = |signer: &Signer| publishes(signer.jwks().replacen('{', r#"{"keys":[],"#, 1));
    simulate(fails_with(answer, "not-a-key-set"));
}

#[test]
fn too_many_keys_do_not_replace_a_good_set() {
    let answer = |signer: &Signer| {
        let one = signer.keys.signing_key().public_jwk().unwrap();
        publishes(format!(r#"{{"keys":[{}]}}"#, vec![one; 101].join(",")))
    };
    simulate(fails_with(answer, "too-many-keys"));
}

#[test]
fn redirects_are_refused_and_their_target_is_not_asked() {
    simulate(async {
        for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
            let target = Provider::start(publishes(r#"{"keys":[]}"#));
            let location = format!("Location: {}\r\n", target.uri("/jwks.json"));
            fails_with(|_| answers_status(status, &location), "redirect-refused").await;
            assert_eq!(target.request_count(), 0);
        }
    });
}

#[test]
fn not_modified_that_was_not_asked_for_is_a_failure() {
    simulate(fails_with(|_| answers_status("304 Not Modified", ""), "http-status"));
}

#[test]
fn refused_connection_is_a_failure() {
    simulate(async {
        let signer = Signer::new();
        let mut provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        provider.goes_down();
        remote.pass_a_refresh().await;
        assert_eq!(remote.last_failure(), Some("connect-failed"));
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn flapping_provider_costs_no_token() {
    simulate(async {
        let signer = Signer::new();
        let provider = Provider::start(publishes(signer.jwks()));
        let remote = Remote::start(remote(&provider)).await;
        let bad = answers_status("502 Bad Gateway", "");
        provider.becomes(alternates([bad, publishes(signer.jwks())]));
        let header = signer.header();
        remote.pass_in_steps(HOUR, SECOND, || assert!(accepts(&remote.engine, &header))).await;
        assert!(remote.refreshes() > 20, "{}", remote.refreshes());
    });
}

#[test]
fn good_failover_serves_while_the_first_uri_fails() {
    simulate(async {
        let (signer, other) = (Signer::new(), Signer::new());
        let first = Provider::start(hangs());
        let second = Provider::start(publishes(r#"{"keys":[]}"#));
        let third = Provider::start(publishes(signer.jwks()));
        let builder = remote(&first).failover(&second.uri("/jwks.json")).failover(&third.uri("/jwks.json"));
        let remote = Remote::start(builder).await;
        assert!(accepts(&remote.engine, &signer.header()));
        assert_eq!((remote.keys.health().status, remote.last_failure()), (Status::Fresh, Some("timeout")));

        // The first URI is used again as soon as it answers.
        first.becomes(publishes(other.jwks()));
        remote.pass_a_refresh().await;
        assert!(accepts(&remote.engine, &other.header()));
        assert!(!accepts(&remote.engine, &signer.header()));
        assert_eq!(third.request_count(), 1);
    });
}

#[test]
fn etag_is_sent_back_and_304_confirms_the_set() {
    simulate(async {
        let signer = std::sync::Arc::new(Signer::new());
        let current = signer.clone();
        let provider = Provider::start(tags(move || (current.jwks(), format!("W/\"{}\"", current.keys.generation()))));
        let remote = Remote::start(remote(&provider)).await;
        let (header, generation) = (signer.header(), remote.keys.key_ring().generation());
        for _ in 0..3 {
            remote.pass_a_refresh().await;
            assert_eq!(remote.keys.health().status, Status::Fresh);
            assert!(accepts(&remote.engine, &header));
        }
        let sent: Vec<_> =
            provider.requests().iter().map(|request| request.fields.get("if-none-match").cloned()).collect();
        let etag = Some("W/\"0\"".to_owned());
        assert_eq!(sent, [None, etag.clone(), etag.clone(), etag]);
        // A confirmed set is not replaced, so no verifier has to invalidate its cache.
        assert_eq!(remote.keys.key_ring().generation(), generation);

        signer.rotate("k2");
        remote.pass_a_refresh().await;
        assert!(accepts(&remote.engine, &header) && accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn etag_is_not_sent_to_another_uri() {
    simulate(async {
        let signer = Signer::new();
        let jwks = signer.jwks();
        let mut first = Provider::start(tags(move || (jwks.clone(), "\"same\"".to_owned())));
        let jwks = signer.jwks();
        let second = Provider::start(tags(move || (jwks.clone(), "\"same\"".to_owned())));
        let remote = Remote::start(remote(&first).failover(&second.uri("/jwks.json"))).await;
        first.goes_down();
        remote.pass_a_refresh().await;
        assert_eq!(second.requests()[0].fields.get("if-none-match"), None);
        assert!(accepts(&remote.engine, &signer.header()));
    });
}

#[test]
fn etag_does_not_confirm_what_is_left_after_a_withdrawal() {
    simulate(async {
        let signer = Signer::new();
        let (public, private) = (signer.jwks(), signer.keys.signing_key().to_private_jwk().to_string());
        let good = || {
            let public = public.clone();
            tags(move || (public.clone(), "\"1\"".to_owned()))
        };
        let provider = Provider::start(good());
        let remote = Remote::start(remote(&provider)).await;
        provider.becomes(publishes(format!(r#"{{"keys":[{private}]}}"#)));
        remote.pass_a_refresh().await;
        assert_eq!(remote.keys.health().keys, 0);
        // The provider publishes the key again: that is the provider's decision, and it is reported.
        provider.becomes(good());
        remote.pass_a_refresh().await;
        assert_eq!((remote.keys.health().keys, remote.keys.health().status), (1, Status::Fresh));
    });
}
