//! Key sets after public bug reports, where they are there (../shared/reports). The same cases with keys of our own are in the
//! tests of the crates.

use std::fs;
use std::path::PathBuf;

use crate::support::run;

/// Where `--now` is for all of them.
const NOW: &str = "1800000000";

#[test]
fn members_that_are_null_are_absent() {
    let Some(folder) = folder("07") else { return };
    for (file, expected) in [
        ("jwks-alg.json", None),
        ("jwks-kid.json", None),
        ("jwks-use.json", None),
        ("jwks-key_ops.json", None),
        // RFC 7517 sections 4.2 to 4.5: another use, no operation, another algorithm, another type.
        ("jwks-use_empty.json", Some("use-not-sig")),
        ("jwks-key_ops_empty.json", Some("key-ops-without-verify")),
        ("jwks-alg_empty.json", Some("unsupported-algorithm")),
        ("jwks-kid_number.json", Some("malformed-member")),
    ] {
        let keys = run(&["keys", &path(&folder, file)], "");
        let [answer] = &keys.answers()[..] else { panic!("{file}: {keys:?}") };
        assert_eq!(
            (answer["usable"].as_bool(), answer["reason"].as_str()),
            (Some(expected.is_none()), expected),
            "{file}"
        );
        let member = file.trim_start_matches("jwks-").split(['_', '.']).next().unwrap();
        let names_member = answer["detail"].as_str().is_some_and(|detail| detail.contains(member));
        assert_eq!(names_member, expected.is_some(), "{file}: {answer}");
    }
}

#[test]
fn the_same_key_twice_is_one_and_different_keys_of_one_name_are_none() {
    let (Some(folder), Some(same_kid)) = (folder("11"), self::folder("12")) else { return };
    let header = fs::read_to_string(folder.join("header.txt")).unwrap();
    let jwks = ["jwks.json", "jwks2.json", "jwks3.json", "jwks4.json"].map(|file| path(&same_kid, file));
    for jwks in [path(&folder, "jwks.json")].iter().chain(&jwks) {
        let verified = verify(jwks, &header);
        assert_eq!((verified.status, verified.stderr.as_str()), (0, ""), "{jwks}: {verified:?}");
    }
    verify(&path(&folder, "jwks-diff.json"), &header).refused_with("a different key has the same `kid` and algorithm");
}

fn verify(jwks: &str, header: &str) -> crate::support::Run {
    let issuer = ["--issuer", "https://as.example", "--audience", "https://api.example"];
    run(&[&["verify", "--jwks", jwks, "--now", NOW], &issuer[..]].concat(), header)
}

fn folder(report: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reports").join(report);
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}

fn path(folder: &std::path::Path, file: &str) -> String {
    folder.join(file).to_str().unwrap().to_owned()
}
