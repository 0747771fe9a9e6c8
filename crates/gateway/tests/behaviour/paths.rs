//! Paths that two servers would read differently (attack 87).

use proptest::prelude::*;
use tollgate_gateway::Rule;

use crate::support::{gateway, nginx, status};

#[tokio::test]
async fn a87_a_path_with_two_readings_is_denied_whatever_the_rules_say() {
    let (builder, keys) = gateway();
    // With a rule for everything, so that no request is denied for lack of a rule.
    let gateway = builder.rule(Rule::new(["/*"]).unwrap().public()).build().unwrap();
    for uri in [
        "/assets/../sites/7",
        "/assets/./x",
        "/assets/..",
        "/assets//x",
        "//assets/x",
        "/assets/%2e%2e/sites/7",
        "/assets/%2E./sites/7",
        "/assets%2fx",
        "/assets/%5c..%5csites",
        "/assets\\..\\sites",
        "/assets;a=b/x",
        "/assets/%3bx",
        "/%61ssets/x",
        "/assets/%2561",
        "/assets/%00",
        "/assets/%0a",
        "/assets/%3Fx",
        "/assets/%23x",
        "/assets/%",
        "/assets/%2",
        "/assets/%zz",
        "/assets/x#y",
        "/assets/x#/../y",
        "/x?a#b",
        "http://example.com/assets/x",
        "assets/x",
        "*",
        "",
    ] {
        assert_eq!(status(&gateway, nginx("GET", uri)).await, 403, "{uri}");
        assert_eq!(status(&gateway, nginx("GET", uri).header("authorization", &keys.writer)).await, 403, "{uri}");
    }
    for uri in [
        "/",
        "/x",
        "/assets/",
        "/assets/a%20b",
        "/assets/%C3%A4",
        "/assets/a.b",
        "/assets/...",
        "/assets/x?../y",
        "/assets/x?a=%2e%2e",
    ] {
        assert_eq!(status(&gateway, nginx("GET", uri)).await, 200, "{uri}");
    }
}

proptest! {
    /// A path that passes as public is the same for a server that decodes, removes parameters, resolves dots and merges
    /// slashes.
    #[test]
    fn a87_what_is_public_is_public_for_a_server_that_normalises(
        path in proptest::collection::vec(
            proptest::sample::select(vec!["/", ".", "..", "%2e", "%2F", "%61", "assets", "sites", ";", "a", "\\", "%5C", "%25", "%20", "?", "#", "%"]), 0..8,
        ),
    ) {
        let uri = format!("/assets/{}", path.concat());
        let (builder, _) = gateway();
        let gateway = builder.build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        if runtime.block_on(status(&gateway, nginx("GET", &uri))) == 200 {
            prop_assert!(normalised(&uri).starts_with("/assets/"), "{uri}");
        }
    }
}

/// The path as the most lenient server reads it: decoded until nothing changes, parameters and the rest removed, dots
/// resolved.
fn normalised(uri: &str) -> String {
    let mut path = uri.split(['?', '#']).next().unwrap_or_default().to_owned();
    loop {
        let decoded = decoded(&path);
        if decoded == path {
            break;
        }
        path = decoded;
    }
    let path = path.replace('\\', "/");
    let path = path.split(['?', '#', '\0']).next().unwrap_or_default().to_owned();
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    format!("/{}/", segments.join("/"))
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii) {
            Some(byte) => {
                decoded.push(byte.into());
                decoded.push_str(&part[2..]);
            }
            None => decoded.extend(["%", part]),
        }
    }
    decoded
}
