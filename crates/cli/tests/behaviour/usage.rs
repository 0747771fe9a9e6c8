//! The command line: help, mistakes, completions.

use crate::support::{Folder, run, run_command};

const COMMANDS: [&[&str]; 42] = [
    &["jws"],
    &["verify"],
    &["keys"],
    &["inspect"],
    &["key", "new"],
    &["api-key", "new"],
    &["api-key", "list"],
    &["api-key", "show"],
    &["api-key", "disable"],
    &["api-key", "enable"],
    &["api-key", "rotate"],
    &["api-key", "revoke"],
    &["api-key", "import"],
    &["api-key", "export"],
    &["api-key", "check"],
    &["client", "new"],
    &["client", "list"],
    &["client", "disable"],
    &["client", "enable"],
    &["client", "rotate"],
    &["client", "remove"],
    &["user", "new"],
    &["user", "list"],
    &["user", "show"],
    &["user", "disable"],
    &["user", "enable"],
    &["user", "passwd"],
    &["user", "logout"],
    &["user", "remove"],
    &["session", "list"],
    &["session", "end"],
    &["revoke", "jti"],
    &["revoke", "subject"],
    &["revoke", "session"],
    &["revoke", "client"],
    &["revoke", "issuer"],
    &["revoke", "list"],
    &["audit", "list"],
    &["token", "new"],
    &["bench"],
    &["serve"],
    &["completions"],
];

#[test]
fn help_of_every_command_has_examples() {
    for command in COMMANDS {
        let help = run(&[command, &["--help"]].concat(), "");
        assert_eq!((help.status, help.stderr.as_str()), (0, ""), "{command:?}");
        assert!(help.stdout.contains("Examples:\n  "), "{command:?}");
        assert!(help.stdout.contains(&format!("Usage: tollgate {}", command.join(" "))), "{command:?}");
    }
    let help = run(&["--help"], "");
    assert!(COMMANDS.iter().all(|command| help.stdout.contains(&format!("\n  {}", command[0]))), "{help:?}");
    assert!(
        help.stdout.contains("Exit status: 0 all accepted, 1 at least one rejected, 2 bad usage or configuration.")
    );
}

#[test]
fn version_is_printed() {
    let version = run(&["--version"], "");
    assert_eq!((version.status, version.stdout.as_str()), (0, concat!("tollgate ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn bad_usage_is_one_line_and_exit_status_2() {
    run(&[], "").refused_with("requires a subcommand");
    run(&["frobnicate"], "").refused_with("unrecognized subcommand 'frobnicate'");
    run(&["jws"], "").refused_with("required arguments were not provided: --key <FILE>");
    run(&["jws", "--key"], "").refused_with("--key <FILE>");
    run(&["jws", "--key", "a", "--alg", "none"], "").refused_with("invalid value 'none' for '--alg <ALG>'");
    run(&["jws", "--key", "a", "--alg", "es256"], "").refused_with("invalid value 'es256'");
    run(&["inspect", "--input", "xml"], "").refused_with("possible values: lines, json");
    run(&["inspect", "--in\nput"], "").refused_with("--in");
    run(&["key"], "").refused_with("requires a subcommand");
    run(&["keys"], "").refused_with("<FILE>");
    run(&["completions", "tcsh"], "").refused_with("bash");
    run(&["verify"], "").refused_with("--issuer");
    run(&["api-key", "list"], "").refused_with("TOLLGATE_STORE");
    run(&["api-key", "list", "--store", "nowhere"], "").refused_with("nowhere");
    run(&["api-key", "list", "--expires-before", "soon", "--store", "s"], "").refused_with("2026-12-31");
    run(&["api-key", "new", "--file", "f", "--store", "s", "--subject", "u"], "").refused_with("cannot be used with");
    run(&["api-key", "new", "--subject", "u", "--name", "n"], "").refused_with("--store");
    run(&["api-key", "import", "f", "--raw", "--store", "s"], "").refused_with("--pepper-file");
    run(&["api-key", "revoke", "a", "-", "--store", env!("CARGO_MANIFEST_DIR")], "").refused_with("no store");
    run(&["verify", "--pepper-file", "p", "--issuer", "i", "--audience", "a", "--jwks", "k"], "")
        .refused_with("--store");
    run(&["verify", "--issuer", "i"], "").refused_with("--audience");
    run(&["verify", "--issuer", "i", "--audience", "a"], "").refused_with("--jwks");
    run(&["verify", "--config", "c", "--issuer", "i", "--audience", "a", "--jwks", "k"], "")
        .refused_with("cannot be used with");
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    run(&["verify", "--issuer", "i", "--audience", "a", "--jwks", &key, "--leeway", "301"], "")
        .refused_with("at most 300");
    run(&["serve", "--demo", "--data", "x"], "").refused_with("cannot be used with");
    run(&["serve", "--session-ttl", "1w"], "").refused_with("90s, 15m, 12h, 30d");
}

#[test]
fn completions_are_there_for_each_shell() {
    for (shell, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef tollgate"),
        ("fish", "complete -c tollgate"),
        ("powershell", "Register-"),
        ("elvish", "edit:"),
    ] {
        let script = run(&["completions", shell], "");
        assert_eq!(script.status, 0, "{shell}");
        assert!(script.stdout.contains(mark), "{shell}");
        for word in ["api-key", "rotate", "export", "pepper-file", "expires-before"] {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn a_reader_that_has_gone_ends_the_command_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = crate::support::command(&["inspect"]);
    command.stdout(writer);
    let run = run_command(command, &b"a.b.c\n".repeat(100_000));
    // Not all input was read, so the status is not 0.
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
}
