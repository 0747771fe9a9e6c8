//! 22: dots. 23: base64url. 24: the JSON serialisation.

use crate::docket::{Docket, Filing};
use crate::draft::{base64url, sign};
use crate::key::{ALGORITHMS, Key};
use crate::members::quoted;

pub(super) fn file(docket: &mut Docket) {
    for algorithm in ALGORITHMS {
        file_dots(&mut docket.of("a22", algorithm));
    }
    for algorithm in ALGORITHMS {
        file_base64url(&mut docket.of("a23", algorithm));
    }
    for algorithm in ALGORITHMS {
        file_json_serialisation(&mut docket.of("a24", algorithm));
    }
}

fn file_dots(filing: &mut Filing<'_>) {
    let token = filing.draft().sign(&filing.key);
    let [h, p, s] = parts(&token);
    let many = ".".repeat(1_000_000);
    let forms = [
        ("none", format!("{h}{p}{s}")),
        ("one", format!("{h}.{p}")),
        ("signature-empty", format!("{h}.{p}.")),
        ("payload-empty", format!("{h}..{s}")),
        ("header-empty", format!(".{p}.{s}")),
        ("only-two-dots", "..".to_owned()),
        ("leading", format!(".{token}")),
        ("trailing", format!("{token}.")),
        ("doubled-first", format!("{h}..{p}.{s}")),
        ("doubled-second", format!("{h}.{p}..{s}")),
        ("four-parts", format!("{token}.{s}")),
        ("six-parts", format!("{token}.{token}")),
        ("million-after", format!("{token}{many}")),
        ("million-before", format!("{many}{token}")),
        ("million", many),
        ("payload-and-signature-swapped", format!("{h}.{s}.{p}")),
        ("header-and-payload-swapped", format!("{p}.{h}.{s}")),
        ("other-separator", format!("{h}:{p}:{s}")),
    ];
    for (name, token) in forms {
        filing.reject(name, token, "RFC 7515 7.1, 5.2");
    }
}

fn file_base64url(filing: &mut Filing<'_>) {
    // A header and a payload with both characters in which base64 and base64url differ.
    let draft = filing.draft().header("x-note", r#""???>>>~~~""#).claim("note", r#""???>>>~~~""#);
    let [h, p, _] = parts(&draft.sign(&filing.key));
    let key = filing.key.clone();
    let signed = |input: &str| parts(&sign(input, &key))[2].clone();
    let signature = signed(&format!("{h}.{p}"));
    for (part, text) in [("header", &h), ("payload", &p), ("signature", &signature)] {
        for (name, changed, is_choice) in changes(text) {
            if changed == *text {
                continue;
            }
            // The changed text is signed if possible.
            let token = match part {
                "header" => format!("{changed}.{p}.{}", signed(&format!("{changed}.{p}"))),
                "payload" => format!("{h}.{changed}.{}", signed(&format!("{h}.{changed}"))),
                _ => format!("{h}.{p}.{changed}"),
            };
            let mutation = format!("{part}-{name}");
            if is_choice {
                filing.may_reject(&mutation, token, "RFC 4648 3.5: MAY reject");
            } else {
                filing.reject(&mutation, token, "RFC 7515 2");
            }
        }
    }
    file_around(filing, &format!("{h}.{p}.{signature}"));
}

/// Changes that a lenient decoder ignores.
fn changes(text: &str) -> Vec<(&'static str, String, bool)> {
    let (start, end) = text.split_at(text.len() / 4 * 2);
    let mut changes = vec![
        ("padding", format!("{text}{}", &"==="[..(4 - text.len() % 4) % 4]), false),
        ("one-equals-sign", format!("{text}="), false),
        ("four-equals-signs", format!("{text}===="), false),
        ("base64-alphabet", text.replace('-', "+").replace('_', "/"), false),
        ("space-inside", format!("{start} {end}"), false),
        ("space-before", format!(" {text}"), false),
        ("space-after", format!("{text} "), false),
        ("line-feed-inside", format!("{start}\n{end}"), false),
        ("crlf-inside", format!("{start}\r\n{end}"), false),
        ("line-feed-after", format!("{text}\n"), false),
        ("tab-inside", format!("{start}\t{end}"), false),
        ("nul-inside", format!("{start}\0{end}"), false),
        ("question-mark-inside", format!("{start}?{end}"), false),
        ("equals-sign-inside", format!("{start}={end}"), false),
        ("percent-encoded", format!("{start}%{:02X}{}", end.as_bytes()[0], &end[1..]), false),
        ("letter-not-ascii-inside", format!("{start}é{end}"), false),
        ("zero-width-space-inside", format!("{start}\u{200b}{end}"), false),
        ("one-character-too-many", format!("{text}{}", &"AAAA"[..(5 - text.len() % 4) % 4]), false),
    ];
    changes.extend(trailing_bits(text).map(|changed| ("trailing-bits", changed, true)));
    changes
}

/// The same bytes, with an unused bit set.
fn trailing_bits(text: &str) -> Option<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if text.len().is_multiple_of(4) {
        return None;
    }
    let (rest, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.iter().position(|letter| *letter == last.as_bytes()[0])?;
    Some(format!("{rest}{}", char::from(ALPHABET[value | 1])))
}

fn file_around(filing: &mut Filing<'_>, token: &str) {
    let forms = [
        ("line-feed-after", format!("{token}\n")),
        ("nul-after", format!("{token}\0")),
        ("quoted", format!("\"{token}\"")),
        ("comma-and-another", format!("{token},{token}")),
        ("bearer-twice", format!("Bearer {token}")),
        ("byte-order-mark-before", format!("\u{feff}{token}")),
    ];
    for (name, token) in forms {
        filing.reject(&format!("around-{name}"), token, "RFC 7515 7.1, 2");
    }
}

fn file_json_serialisation(filing: &mut Filing<'_>) {
    const WHY: &str = "RFC 7519 1: always in compact form";
    let token = filing.draft().sign(&filing.key);
    let [h, p, s] = parts(&token);
    let flattened = format!(r#"{{"payload":"{p}","protected":"{h}","signature":"{s}"}}"#);
    let general = format!(r#"{{"payload":"{p}","signatures":[{{"protected":"{h}","signature":"{s}"}}]}}"#);
    let bad = Key::new(filing.key.algorithm, 5).sign(b"");
    let one_good = format!(
        r#"{{"payload":"{p}","signatures":[{{"protected":"{h}","signature":"{}"}},{{"protected":"{h}","signature":"{s}"}}]}}"#,
        base64url(bad)
    );
    let unprotected = {
        let signature = filing.key.sign(format!(".{p}").as_bytes());
        let header = filing.draft().header_json();
        format!(r#"{{"payload":"{p}","header":{header},"signature":"{}"}}"#, base64url(signature))
    };
    let forms = [
        ("flattened", flattened.clone()),
        ("general", general),
        ("general-one-of-two-good", one_good),
        ("unprotected-header", unprotected),
        ("compact-as-json-string", quoted(&token)),
        ("compact-in-json-array", format!("[{}]", quoted(&token))),
        ("flattened-in-base64url", base64url(&flattened)),
        ("json-before-compact", format!("{flattened}.{token}")),
    ];
    for (name, token) in forms {
        filing.reject(name, token, WHY);
    }
}

fn parts(token: &str) -> [String; 3] {
    let mut parts = token.splitn(3, '.').map(str::to_owned);
    std::array::from_fn(|_| parts.next().expect("a token has three parts"))
}
