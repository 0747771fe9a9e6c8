use crate::support::{TestServer, config};
use std::process::Command;
use tollgate_service::{AccessTokenFormat, Config};

fn start() -> TestServer {
    TestServer::start_with(Config { store: None, demo: true, ..config() })
}

/// What the demo prints: a comment with the promised answer, and the line under it.
fn lines(text: &str) -> Vec<(&str, &str)> {
    let mut lines = text.lines().peekable();
    let mut pairs = Vec::new();
    while let Some(line) = lines.next() {
        if let (Some((_, answer)), Some(command)) = (line.split_once(" -> "), lines.peek()) {
            pairs.push((answer, *command));
        }
    }
    pairs
}

#[test]
fn every_printed_curl_line_answers_as_promised() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl on this machine");
        return;
    }
    let server = start();
    let text = server.demo.clone().expect("the demo prints its lines");
    let lines = lines(&text);
    assert_eq!(lines.len(), text.lines().filter(|line| line.starts_with("curl ")).count());
    assert!(lines.len() >= 60, "{}", lines.len());
    for (promised, command) in lines {
        assert_eq!(command.lines().count(), 1);
        let output = Command::new("sh").args(["-c", command]).env("no_proxy", "*").output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout);
        // "401 invalid_token, and more": the status, and the error when it names one.
        let mut words = promised.split([' ', ',']);
        let status = words.next().unwrap();
        let answered = answer.split(' ').nth(1).unwrap_or_default();
        assert_eq!(answered, status, "{command}\n{answer}{}", String::from_utf8_lossy(&output.stderr));
        for word in words.filter(|word| word.contains('_')) {
            assert!(answer.contains(word), "{word} is not in the answer of {command}\n{answer}");
        }
    }
}

#[test]
fn the_lines_can_be_pasted_twice_and_in_any_order() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl on this machine");
        return;
    }
    // Under a public name the lines go to this machine all the same, and opaque tokens do what JWTs do.
    let base_url = Some("https://auth.example.com".to_owned());
    let access_token_format = AccessTokenFormat::Opaque;
    let server = TestServer::start_with(Config { store: None, demo: true, base_url, access_token_format, ..config() });
    let text = server.demo.clone().expect("the demo prints its lines");
    let lines = lines(&text);
    for (promised, command) in lines.iter().rev().filter(|(_, command)| !command.contains("password")) {
        let output = Command::new("sh").args(["-c", command]).env("no_proxy", "*").output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout);
        assert_eq!(answer.split(' ').nth(1), promised.split([' ', ',']).next(), "{command}\n{answer}");
    }
}
