//! `tollgate inspect`: the content of tokens, unverified.

use crate::support::{Folder, data_text, run, token};

/// Members: verified, header, payload, payload_base64url, signature_bytes, error.
const UNREADABLE: &str = r#"{"verified":false,"header":null,"payload":null,"payload_base64url":null,"signature_bytes":null,"error":"malformed-token"}"#;

#[test]
fn header_and_payload_are_shown_in_their_order() {
    // {"alg":"none","kid":"a","crit":["x"]} . {"b":1.5,"a":[null,true,-1,{"c":"d"}]} . (three bytes)
    let token =
        "eyJhbGciOiJub25lIiwia2lkIjoiYSIsImNyaXQiOlsieCJdfQ.eyJiIjoxLjUsImEiOltudWxsLHRydWUsLTEseyJjIjoiZCJ9XX0.AAAA";
    let expected = r#"{"verified":false,"header":{"alg":"none","kid":"a","crit":["x"]},"payload":{"b":1.5,"a":[null,true,-1,{"c":"d"}]},"payload_base64url":null,"signature_bytes":3,"error":null}"#;
    for item in [token.to_owned(), format!("Bearer {token}"), format!("bearer  {token}"), format!("DPoP {token}")] {
        let shown = run(&["inspect"], item);
        assert_eq!((shown.status, shown.lines()), (0, vec![expected]));
    }
}

#[test]
fn nothing_is_ever_said_to_be_verified() {
    let folder = Folder::new();
    let good = token(&folder.key("ES256", "k"), &["--subject", "user-7"]);
    let shown = run(&["inspect"], &good);
    assert_eq!(shown.status, 0);
    assert!(shown.stdout.starts_with(r#"{"verified":false,"header":{"#), "{shown:?}");
    assert_eq!(shown.answers()[0]["payload"]["sub"], "user-7");
    assert!(
        !shown.stdout.contains(good.rsplit('.').next().unwrap()),
        "the signature would make the output a credential"
    );
}

#[test]
fn a_payload_that_is_no_object_is_shown_as_it_was_sent() {
    let shown = run(&["inspect"], data_text("ec.es256.jws"));
    let expected = r#"{"verified":false,"header":{"alg":"ES256"},"payload":null,"payload_base64url":"YW55IHBheWxvYWQ","signature_bytes":64,"error":null}"#;
    assert_eq!((shown.status, shown.lines()), (0, vec![expected]));
}

#[test]
fn what_cannot_be_read_is_rejected() {
    for item in ["", "a", "a.b", "a.b.c.d", "tg_live_2", "{}", "*.e30.", "e30.*.", "e30.e30.*", "W10.e30."] {
        let shown = run(&["inspect"], format!("{item}\n"));
        assert_eq!((shown.status, shown.errors()), (1, vec![Some("malformed-token".to_owned())]), "{item:?}");
    }
    assert_eq!(run(&["inspect"], "\n\n").lines(), [UNREADABLE, UNREADABLE]);
    assert_eq!(run(&["inspect"], "a.b.c.d.e").errors(), [Some("encrypted-token".to_owned())]);
    // {"a":1,"a":2}
    assert_eq!(run(&["inspect"], "eyJhIjoxLCJhIjoyfQ.e30.").status, 1);
}

#[test]
fn what_a_token_says_cannot_command_a_terminal() {
    // {"kid":"<U+009B><U+202E><U+007F><U+2028>é"}: all but the last are escaped.
    let header = "eyJraWQiOiLCm-KArn_igKjDqSJ9";
    let shown = run(&["inspect"], format!("{header}.e30."));
    assert!(shown.stdout.contains("\"header\":{\"kid\":\"\\u009b\\u202e\\u007f\\u2028é\"}"), "{shown:?}");
    assert_eq!(shown.answers()[0]["header"]["kid"], "\u{9b}\u{202e}\u{7f}\u{2028}é");
}
