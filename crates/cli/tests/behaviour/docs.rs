//! The commands in the documents.

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
    let stdout = run_in(&Folder::new(), "docs/api-keys.md", &blocks.concat());
    // Each verify prints one answer a line, all accepted.
    assert_eq!(stdout.matches(r#"{"ok":true,"principal":{"#).count(), 4, "{stdout}");
    assert!(!stdout.contains(r#""ok":false"#), "{stdout}");
}

/// The blocks of these documents run in a folder with the files that they name. Left out are commands that run until they are
/// stopped, `cargo`, and `bench`, which takes seconds: other tests run them.
#[test]
fn the_blocks_of_the_readme_and_the_guides_run() {
    let folder = Folder::new();
    let key = folder.key("ES256", "k1");
    let token = |issuer: &str, audience: &str| {
        let arguments =
            ["token", "new", "--key", &key, "--issuer", issuer, "--audience", audience, "--subject", "user-7"];
        let made = run(&arguments, "");
        assert_eq!(made.status, 0, "{made:?}");
        made.stdout
    };
    let mut jwk: serde_json::Value = serde_json::from_str(&fs::read_to_string(&key).unwrap()).unwrap();
    jwk.as_object_mut().unwrap().remove("d");
    folder.write("jwks.json", serde_json::json!({ "keys": [jwk] }).to_string());
    let token = token("https://auth.example.com/", "https://api.example.com");
    for name in ["tokens.txt", "token.txt", "headers.txt"] {
        folder.write(name, &token);
    }
    folder.write("requests.jsonl", serde_json::json!({ "authorization": token.trim() }).to_string());
    folder.write(
        "tollgate.toml",
        "[[issuer]]\nname = \"https://auth.example.com/\"\naudiences = [\"https://api.example.com\"]\njwks = \"jwks.json\"\n",
    );
    // The keys that the README imports, and the key that it names.
    let prepared = "tollgate api-key new --subject user-8 --store $TOLLGATE_STORE.other > handed-out\n\
        tollgate api-key export --format csv --store $TOLLGATE_STORE.other > keys.csv\n\
        tollgate api-key new --subject user-7 --scope read:sites --id key_01kdzb6y0v8e6q5t3h4jm2n7ra > found.txt\n";
    let documents = [
        ("README.md", include_str!("../../../../README.md")),
        ("docs/start.md", include_str!("../../../../docs/start.md")),
        ("docs/a-401-explained.md", include_str!("../../../../docs/a-401-explained.md")),
        ("docs/gateway.md", include_str!("../../../../docs/gateway.md")),
        ("docs/server.md", include_str!("../../../../docs/server.md")),
        ("crates/cli/README.md", include_str!("../../README.md")),
    ];
    for (name, document) in documents {
        let blocks = document.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let lines = blocks.flat_map(str::lines).filter(|line| is_run(line)).map(with_input);
        let script: String = [format!("export TOLLGATE_STORE=./{}\n{prepared}", name.replace(['/', '.'], "-"))]
            .into_iter()
            .chain(lines.map(|line| line.replace("/var/lib/tollgate", "$TOLLGATE_STORE") + "\n"))
            .filter(|line| !line.starts_with("export TOLLGATE_STORE=$"))
            .collect();
        run_in(&folder, name, &script);
    }
}

fn is_run(line: &str) -> bool {
    let left_out = ["tollgate serve", "tollgate gateway", "tollgate bench", "cargo ", "tollgate signing-key"];
    !left_out.iter().any(|start| line.starts_with(start))
}

/// Supplies a password where the command asks for one, and a token file where the command reads the terminal.
fn with_input(line: &str) -> String {
    let command = line.split(" #").next().unwrap_or_default();
    let asks = command.starts_with("tollgate user new") || command.starts_with("tollgate user passwd");
    let reads = ["tollgate explain", "tollgate verify"].iter().any(|start| command.starts_with(start));
    // Status 1: a credential was rejected, for example a token where only keys are accepted.
    let judges = ["tollgate verify --store", "tollgate api-key check"].iter().any(|start| command.starts_with(start));
    match command {
        _ if judges => format!("{command} || [ $? = 1 ]"),
        _ if asks => format!("echo the-analytical-engine | {command}"),
        _ if reads && !command.contains('<') => format!("{command} < token.txt"),
        _ => command.to_owned(),
    }
}

/// Runs a script in the folder. Each of its commands must succeed.
fn run_in(folder: &Folder, name: &str, script: &str) -> String {
    let binaries = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-eux", "-c", script]).current_dir(folder.path("")).env("PATH", path);
    let ran = shell.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{name}: {stdout}{stderr}");
    stdout.into_owned()
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
        // After assignments of variables.
        let mut words = part.split_whitespace().skip_while(|word| word.contains('='));
        (words.next() == Some("tollgate")).then(|| words.map(str::to_owned).collect::<Vec<_>>())
    });
    commands.filter(|words| !words.is_empty()).collect()
}

/// The longest sequence of words that names a command; its help is then in `helps`.
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
            // A group alone is not a command.
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
