use crate::support::{TestServer, config};
use std::process::Command;
use tollgate_service::{AccessTokenFormat, Config};

fn start() -> TestServer {
    TestServer::start_with(Config { store: None, demo: true, ..config() })
}

/// The files that the demo names: the variables, and the lines that use them.
fn files(server: &TestServer) -> (String, String) {
    let text = server.demo.as_ref().expect("the demo says what it is");
    assert!(text.lines().count() <= 10, "{text}");
    let file = |name: &str| {
        let path = text.split_whitespace().find(|word| word.ends_with(name)).unwrap_or_else(|| panic!("{text}"));
        std::fs::read_to_string(path).unwrap()
    };
    (file("variables.sh"), file("curl-lines.sh"))
}

/// The answer of a line, in a shell that has the variables.
fn answer(variables: &str, command: &str) -> String {
    let script = format!("{variables}\n{command}");
    let output = Command::new("sh").args(["-c", &script]).env("no_proxy", "*").output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Of the file of lines: a comment with the promised answer, and the line under it.
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
    let (variables, text) = files(&server);
    let lines = lines(&text);
    assert_eq!(lines.len(), text.lines().filter(|line| line.starts_with("curl ")).count());
    assert!(lines.len() >= 60, "{}", lines.len());
    for (promised, command) in lines {
        assert_eq!(command.lines().count(), 1);
        let answer = answer(&variables, command);
        // "401 invalid_token, and more": the status, and the error when it names one.
        let mut words = promised.split([' ', ',']);
        let status = words.next().unwrap();
        let answered = answer.split(' ').nth(1).unwrap_or_default();
        assert_eq!(answered, status, "{command}\n{answer}");
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
    let (variables, text) = files(&server);
    let lines = lines(&text);
    for (promised, command) in lines.iter().rev().filter(|(_, command)| !command.contains("PASSWORD")) {
        let answer = answer(&variables, command);
        assert_eq!(answer.split(' ').nth(1), promised.split([' ', ',']).next(), "{command}\n{answer}");
    }
}
