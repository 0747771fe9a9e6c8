//! `tollgate audit list`: the command's own actions are recorded like those of the routes.

use serde_json::Value;

use crate::support::{Folder, run};

#[test]
fn what_a_command_does_is_recorded_with_who_ran_it() {
    let folder = Folder::new();
    let data = folder.path("data");
    let with_store = |arguments: &[&str], input: &str| run(&[arguments, &["--store", &data]].concat(), input);
    let done = |arguments: &[&str], input: &str| {
        let run = with_store(arguments, input);
        assert_eq!(run.status, 0, "{run:?}");
        run
    };
    done(&["user", "new", "ada@example.com", "--scope", "read:sites"], "analytical engine\n");
    let key = done(&["api-key", "new", "--subject", "user_7", "--id", "k1", "--json"], "").answers().remove(0);
    assert_eq!(key["id"], "k1");
    done(&["api-key", "disable", "k1"], "");
    assert_eq!(with_store(&["api-key", "disable", "k2"], "").status, 1);
    done(&["client", "new", "--id", "billing", "--scope", "read:reports"], "");
    done(&["client", "remove", "billing"], "");
    done(&["revoke", "jti", "t1", "--issuer", "https://as.example"], "");
    done(&["user", "disable", "ada@example.com"], "");
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let line = format!(r#"{{"digest":"{digest}","id":"k3","kind":"api-key","subject":"user_7"}}"#);
    done(&["api-key", "import", "--format", "json", "-"], &line);

    let list = |arguments: &[&str]| done(&[&["audit", "list", "--json"], arguments].concat(), "").answers();
    let acts = |records: &[Value]| -> Vec<String> {
        let act = |record: &Value| format!("{} {}", record["action"], record["outcome"]).replace('"', "");
        records.iter().map(act).collect()
    };
    let all = list(&[]);
    let expected = [
        "user.add done",
        "api-key.add done",
        "api-key.disable done",
        "api-key.disable not-found",
        "client.add done",
        "client.remove done",
        "revoke.token done",
        "user.disable done",
        "api-key.import done",
    ];
    assert_eq!(acts(&all), expected, "in the order in which it was done, whichever database it is in");
    assert!(all.iter().all(|record| record["door"] == "command"));
    #[cfg(unix)]
    assert!(all.iter().all(|record| record["actor"].as_str().is_some_and(|actor| actor.starts_with("uid "))));
    assert_eq!(list(&["--about", "k1"]), all[1..3]);
    assert_eq!(list(&["--action", "revoke.token"]), all[6..7]);
    assert_eq!(list(&["--max", "3"]), all[..3]);
    let third = all[2]["id"].as_str().unwrap();
    assert_eq!(list(&["--after", third]), all[3..]);
    assert_eq!(list(&["--since", "1h"]), Vec::<Value>::new());
    assert_eq!(list(&["--until", "1h"]), all);
    let text = done(&["audit", "list", "--about", "user_7"], "");
    assert!(text.stdout.contains("api-key.add  k1 (user_7)  done  by command"), "{text:?}");
}

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let folder = Folder::new();
    run(&["audit", "list", "--store", &folder.path("data")], "").refused_with("data");
    assert!(!std::path::Path::new(&folder.path("data")).exists());
}
