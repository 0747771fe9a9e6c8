//! The commands of the documents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::support::{Folder, run};

const DOCUMENT: &str = include_str!("../../../../docs/api-keys.md");

#[test]
fn the_examples_of_the_document_run() {
    let section = DOCUMENT.split("\n## ").find(|section| section.starts_with("On the command line")).unwrap();
    let blocks: Vec<&str> = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3);
    let folder = Folder::new();
    let binaries = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-eux", "-c", &blocks.concat()]).current_dir(folder.path("")).env("PATH", path);
    let ran = shell.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{stdout}{stderr}");
    // Of each verify one answer a line, all of them good.
    assert_eq!(stdout.matches(r#"{"ok":true,"principal":{"#).count(), 4, "{stdout}");
    assert!(!stdout.contains(r#""ok":false"#), "{stdout}");
}

/// In the blocks of shell of all documents.
#[test]
fn every_command_of_the_documents_and_each_option_of_it_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let documents = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<PathBuf>>()
    };
    let mut helps: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut count = 0;
    for path in [documents(""), documents("docs"), documents("examples")].concat() {
        let document = fs::read_to_string(&path).unwrap();
        for block in document.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
            let block = block.replace("\\\n", " ").replace("cargo run --release -- ", "tollgate ");
            for command in block.lines().flat_map(commands) {
                let subcommand = subcommand(&command, &mut helps);
                let help = &helps[&subcommand];
                for option in command.iter().filter(|word| word.starts_with("--")) {
                    let name = option.split('=').next().unwrap();
                    let is_there =
                        help.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'));
                    assert!(is_there.into_iter().any(|word| word == name), "{}: {}", path.display(), command.join(" "));
                }
                count += 1;
            }
        }
    }
    assert!(count > 60, "{count}");
}

/// The words of each command of this program in a line, without comments.
fn commands(line: &str) -> Vec<Vec<String>> {
    let line = line.split(" #").next().unwrap_or_default();
    let parts = line.split(['|', ';', '&', '(', ')']);
    let commands = parts.filter_map(|part| {
        // After settings of variables.
        let mut words = part.split_whitespace().skip_while(|word| word.contains('='));
        (words.next() == Some("tollgate")).then(|| words.map(str::to_owned).collect::<Vec<_>>())
    });
    commands.filter(|words| !words.is_empty()).collect()
}

/// The words that name it, the longest that do; its help is then in `helps`.
fn subcommand(command: &[String], helps: &mut BTreeMap<Vec<String>, String>) -> Vec<String> {
    let names: Vec<String> = command.iter().take(2).take_while(|word| !word.starts_with('-')).cloned().collect();
    for length in (0..=names.len()).rev() {
        let words = names[..length].to_vec();
        if helps.contains_key(&words) {
            return words;
        }
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        let shown = run(&arguments, "");
        let usage = ["Usage: tollgate", &words.join(" ")].join(" ");
        if shown.status == 0 && shown.stdout.contains(usage.trim_end()) {
            // A group alone is no command.
            assert!(length > 0 || command[0].starts_with('-'), "no such command: {}", command.join(" "));
            helps.insert(words.clone(), shown.stdout);
            return words;
        }
    }
    panic!("no such command: {}", command.join(" "));
}

#[test]
fn the_sections_of_docs_remote_are_read() {
    let document = include_str!("../../../../docs/remote.md");
    let blocks: Vec<&str> = document.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [opaque, of_jwts, lists] = blocks[..] else { panic!("{}", blocks.len()) };
    let folder = Folder::new();
    folder.write("secret", "s3cret");
    let authority = rcgen::generate_simple_self_signed(["as.example".to_owned()]).unwrap().cert.pem();
    folder.write("ca.pem", authority);
    // Nothing listens there.
    let issuer = "[[issuer]]\nname = \"https://auth.example.com\"\naudiences = [\"https://api.example.com\"]\n\
        remote = { jwks_uri = \"https://127.0.0.1:1/jwks\" }\n";
    let file = folder.write("tollgate.toml", [issuer, of_jwts, lists, opaque].concat());
    let checked = run(&["check", "--config", &file], "");
    assert_eq!((checked.status, checked.answers()[0]["error"].as_str()), (1, Some("no-keys")), "{checked:?}");
}
