//! The files in `deploy`: every option in them is an option of the command.

use std::path::Path;

use crate::support::run;

#[test]
fn units_start_the_command_with_options_that_it_has() {
    for unit in ["tollgate-serve.service", "tollgate-gateway.service"] {
        let text = read(unit);
        let (_, command) = text.lines().find_map(|line| line.split_once("ExecStart=")).unwrap();
        let mut words = command.split(' ').map(|word| match word {
            "${STATE_DIRECTORY}" => "state",
            "${TOLLGATE_LISTEN}" => "127.0.0.1:0",
            "${TOLLGATE_BASE_URL}" => "https://auth.example.com",
            word => word,
        });
        assert_eq!(words.next(), Some("/usr/local/bin/tollgate"), "{unit}");
        // Help is printed if all preceding arguments are valid, and nothing is started.
        let arguments: Vec<_> = words.chain(["--help"]).collect();
        let output = run(&arguments, "");
        assert!(output.stdout.contains("Usage: tollgate"), "{unit}: {}", output.stderr);
    }
}

#[test]
fn the_image_runs_the_command_as_nobody_and_is_built_with_the_rust_that_it_needs() {
    let text = read("Dockerfile");
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml")).unwrap();
    let (_, version) = manifest.split_once("rust-version = \"").unwrap();
    let (version, _) = version.split_once('"').unwrap();
    assert!(text.contains(&format!("FROM rust:{version}-bookworm AS build\n")));
    assert!(text.contains(":nonroot\n"));
}

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file)).unwrap()
}
