//! What docs/api-keys.md says can be typed.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::support::Folder;

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
