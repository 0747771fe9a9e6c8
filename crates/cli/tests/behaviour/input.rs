//! Input items and answers, for all sub-commands that read tokens.

use std::io::{BufRead, BufReader, Write};

use crate::support::{command, data, data_text, run};

const BAD: &str = r#"{"ok":false,"error":"malformed-token"}"#;

fn key() -> Vec<String> {
    ["jws", "--key"].map(str::to_owned).into_iter().chain([data("ec.spki.pem")]).collect()
}

fn jws(further: &[&str], input: impl AsRef<[u8]>) -> crate::support::Run {
    let key = key();
    run(&[&key.iter().map(String::as_str).collect::<Vec<_>>(), further].concat(), input)
}

fn good() -> (String, String) {
    let token = data_text("ec.es256.jws");
    let payload = token.split('.').nth(1).unwrap();
    let answer = format!(r#"{{"ok":true,"alg":"ES256","kid":null,"payload":"{payload}"}}"#);
    (token, answer)
}

#[test]
fn blank_lines_are_items_and_the_last_line_needs_no_line_feed() {
    let (token, answer) = good();
    let none = jws(&[], "");
    assert_eq!((none.status, none.stdout.as_str()), (0, ""));
    assert_eq!(jws(&[], "\n").lines_without_detail(), [BAD]);
    assert_eq!(jws(&[], format!("\n{token}\n\n{token}")).lines_without_detail(), [BAD, &answer, BAD, &answer]);
    assert_eq!(jws(&[], format!("{token}\n")).status, 0);
    assert_eq!(jws(&[], format!("{token}\n\n")).status, 1);
}

#[test]
fn only_the_line_feed_ends_a_line_and_nothing_is_trimmed() {
    let (token, _) = good();
    for (item, error) in [
        (format!("{token}\r"), "malformed-signature"),
        (format!("{token} "), "malformed-signature"),
        (format!("{token}\0"), "malformed-signature"),
        (format!(" {token}"), "malformed-token"),
        (format!("\u{feff}{token}"), "malformed-token"),
    ] {
        let run = jws(&[], format!("{item}\n"));
        assert_eq!((run.status, run.errors()), (1, vec![Some(error.to_owned())]), "{item:?}");
    }
}

#[test]
fn lines_need_not_be_utf_8() {
    let (token, answer) = good();
    let input = [b"\xff\xfe\n", token.as_bytes(), b"\n\xc3\n"].concat();
    assert_eq!(jws(&[], input).lines_without_detail(), [BAD, &answer, BAD]);
}

#[test]
fn json_input_carries_any_character_and_any_byte() {
    let (token, answer) = good();
    let escaped: String = token.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect();
    // "a.b" and base64 of "a.b" with a line feed: both are items on one line.
    let input = format!("\"{token}\"\n\"{escaped}\"\n  \"{token}\" \r\n\"a\\nb\"\n{{\"base64\":\"/wA=\"}}\n\n\"\"\n");
    let run = jws(&["--input", "json"], input);
    assert_eq!(run.lines_without_detail(), [&answer, &answer, &answer, BAD, BAD, BAD, BAD]);
}

#[test]
fn base64_items_are_decoded_whatever_the_alphabet() {
    // `>>>???~~` needs both special characters, and padding.
    for base64 in ["Pj4+Pz8/fn4=", "Pj4+Pz8/fn4", "Pj4-Pz8_fn4=", "Pj4-Pz8_fn4"] {
        let run = run(&["inspect", "--input", "json"], format!("{{\"base64\":\"{base64}\"}}"));
        assert_eq!(run.errors(), [Some("malformed-token".to_owned())], "{base64}");
    }
}

#[test]
fn lines_that_are_not_json_items_are_rejected_one_by_one() {
    let (token, answer) = good();
    let malformed = [
        token.as_str(),
        "1",
        "null",
        "[]",
        "{}",
        "{\"base64\":1}",
        "{\"base64\":\"*\"}",
        "{\"base64\":\"QR==\"}",
        "{\"base64\":\"\",\"x\":1}",
        "{\"base64\":\"\",\"base64\":\"\"}",
        "\"\\ud800\"",
        "\"\u{1}\"",
        "\"a\" \"b\"",
        "\"a",
        "'a'",
    ];
    let input = format!("{}\n\"{token}\"\n", malformed.join("\n"));
    let run = jws(&["--input", "json"], input);
    let mut expected = vec![r#"{"ok":false,"error":"malformed-input"}"#; malformed.len()];
    expected.push(&answer);
    assert_eq!(run.status, 1);
    assert_eq!(run.lines_without_detail(), expected);
    assert_eq!(jws(&["--input", "json"], b"\"\xff\"\n").errors(), [Some("malformed-input".to_owned())]);
}

#[test]
fn a_huge_line_is_one_rejected_item() {
    let (token, answer) = good();
    let huge = "a".repeat(5 * 1024 * 1024);
    assert_eq!(
        jws(&[], format!("{token}\n{huge}\n{token}\n{huge}")).lines_without_detail(),
        [&answer, BAD, &answer, BAD]
    );
    assert_eq!(jws(&["--input", "json"], format!("\"{huge}\"\n\"{token}\"\n")).lines_without_detail(), [BAD, &answer]);
    // The answer is the same whether or not a line is held.
    for length in [1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1] {
        assert_eq!(
            jws(&[], format!("{}\n{token}\n", "a".repeat(length))).lines_without_detail(),
            [BAD, &answer],
            "{length}"
        );
        assert_eq!(jws(&[], "a".repeat(length)).lines_without_detail(), [BAD], "{length}");
    }
}

#[test]
fn an_answer_is_there_before_the_next_line_is() {
    let key = key();
    let mut child = command(&key.iter().map(String::as_str).collect::<Vec<_>>()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let (token, answer) = good();
    for _ in 0..3 {
        stdin.write_all(format!("{token}\n{}", &token[..10]).as_bytes()).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), answer);
        stdin.write_all(b"\n").unwrap();
        line.clear();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with(BAD.trim_end_matches('}')), "{line}");
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn the_input_is_never_held_as_a_whole() {
    let key = key();
    let mut child = command(&key.iter().map(String::as_str).collect::<Vec<_>>()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let answers = std::thread::spawn(move || stdout.lines().count());
    // 192 MiB: a line of 64 MiB, then short ones.
    let mebibyte = vec![b'a'; 1024 * 1024];
    let short = [vec![b'a'; 1023], vec![b'\n']].concat().repeat(1024);
    for _ in 0..64 {
        stdin.write_all(&mebibyte).unwrap();
    }
    stdin.write_all(b"\n").unwrap();
    for _ in 0..128 {
        stdin.write_all(&short).unwrap();
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kibibytes < 48 * 1024, "{kibibytes} KiB");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(answers.join().unwrap(), 1 + 128 * 1024);
}
