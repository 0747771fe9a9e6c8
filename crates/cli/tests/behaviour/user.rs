//! `tollgate user`: new users can log in at a service that runs on the same store.

use serde_json::json;

use crate::serve::Service;
use crate::support::{Folder, run};

#[test]
fn a_user_who_was_made_can_log_in_and_nobody_else() {
    let folder = Folder::new();
    let data = folder.path("data");
    let service = Service::start(&["--data", &data]);
    let made =
        run(&["user", "new", "Ada@Example.com", "--scope", "read:sites", "--store", &data], "analytical engine\n");
    assert_eq!(made.status, 0, "{made:?}");
    let user = &made.answers()[0];
    assert_eq!((&user["email"], &user["scopes"]), (&json!("ada@example.com"), &json!(["read:sites"])));
    let log_in = |email: &str, password: &str| {
        let body = json!({ "session": { "email": email, "password": password } }).to_string();
        service.post("/api/v2/sessions", &body)
    };
    let answer = log_in("ada@example.com", "analytical engine");
    assert!(answer.starts_with("HTTP/1.1 200 ") || answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(log_in("ada@example.com", "analytical engine ").starts_with("HTTP/1.1 401 "));
    assert!(log_in("eve@example.com", "analytical engine").starts_with("HTTP/1.1 401 "));
    let shown = run(&["user", "show", "ADA@example.com", "eve@example.com", "--store", &data], "");
    assert_eq!((shown.status, &shown.answers()[0]), (1, user));
    assert_eq!(shown.answers()[1]["error"], "unknown-user");
    assert!(!shown.stdout.contains("argon2"), "{shown:?}");
    service.stop("-TERM");
}

#[test]
fn what_no_user_can_be_is_refused() {
    let folder = Folder::new();
    let data = folder.path("data");
    let new = |email: &str, scope: &str, password: &str| {
        run(&["user", "new", email, "--scope", scope, "--store", &data], password)
    };
    new("ada", "read:sites", "analytical engine").refused_with("email");
    new("ada@example.com", "read:sites", "short\n").refused_with("password");
    new("ada@example.com", "read:sites", "").refused_with("password");
    new("ada@example.com", "read:sites", &"x".repeat(100_000)).refused_with("password");
    new("ada@example.com", "re\"ad", "analytical engine").refused_with("scopes");
    assert_eq!(new("ada@example.com", "", "analytical engine").status, 0);
    new("Ada@example.com", "", "analytical engine").refused_with("already");
    run(&["user", "new", "ada@example.com"], "analytical engine").refused_with("--store");
}

#[test]
fn a71_what_the_command_ends_is_over_at_a_service_that_runs() {
    let folder = Folder::new();
    let data = folder.path("data");
    let service = Service::start(&["--data", &data]);
    let user = |arguments: &[&str], input: &str| run(&[&["user"], arguments, &["--store", &data]].concat(), input);
    assert_eq!(user(&["new", "ada@example.com", "--scope", "read:reports"], "analytical engine\n").status, 0);
    let log_in = |password: &str| {
        let body = json!({ "session": { "email": "ada@example.com", "password": password } }).to_string();
        let answer = service.post("/api/v2/sessions", &body);
        let body: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
        body["meta"]["jwt"].as_str().map(str::to_owned)
    };
    let status_of = |token: &str| service.status("/api/v2/reports", &format!("Authorization: Bearer {token}\r\n"));
    let ends = |token: &str| {
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while status_of(token) != 401 {
            assert!(std::time::Instant::now() < limit, "the token is still good");
        }
    };
    let token = log_in("analytical engine").unwrap();
    assert_eq!(status_of(&token), 200);
    let changed = user(&["passwd", "Ada@example.com"], "difference engine\n");
    assert_eq!((changed.status, &changed.answers()[0]["state"]), (0, &json!("active")));
    ends(&token);
    assert_eq!(log_in("analytical engine"), None);
    let token = log_in("difference engine").unwrap();
    assert_eq!(status_of(&token), 200);
    let session = |arguments: &[&str]| run(&[&["session"], arguments, &["--store", &data]].concat(), "");
    let listed = session(&["list", "ada@example.com"]);
    let [one] = &listed.answers()[..] else { panic!("{listed:?}") };
    assert_eq!((&one["kind"], &one["address"]), (&json!("token"), &json!("127.0.0.1")));
    let ended = session(&["end", "ada@example.com", one["id"].as_str().unwrap(), "session_0"]);
    assert_eq!((ended.status, &ended.answers()[0]["ok"]), (1, &json!(true)));
    assert_eq!(ended.answers()[1]["error"], "unknown-session");
    ends(&token);
    let token = log_in("difference engine").unwrap();
    assert_eq!(user(&["logout", "ada@example.com"], "").answers()[0]["state"], "active");
    ends(&token);
    assert_eq!(session(&["list", "ada@example.com"]).stdout, "");
    assert_eq!(session(&["list", "eve@example.com"]).status, 1);
    let token = log_in("difference engine").unwrap();
    assert_eq!(status_of(&token), 200);

    let disabled = user(&["disable", "ada@example.com", "eve@example.com"], "");
    assert_eq!((disabled.status, &disabled.answers()[0]["state"]), (1, &json!("disabled")));
    assert_eq!(disabled.answers()[1]["error"], "unknown-user");
    ends(&token);
    assert_eq!(log_in("difference engine"), None);
    let id = disabled.answers()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(user(&["enable", "-"], &format!("{id}\n")).answers()[0]["state"], "active");
    let token = log_in("difference engine").unwrap();
    assert_eq!(user(&["list"], "").answers(), user(&["show", &id], "").answers());

    let removed = user(&["remove", &id], "");
    assert_eq!((removed.status, &removed.answers()[0]["email"]), (0, &json!("ada@example.com")));
    ends(&token);
    assert_eq!((user(&["remove", &id], "").status, user(&["list"], "").stdout.as_str()), (1, ""));
    assert_eq!(user(&["passwd", &id], "another engine\n").status, 1);
    service.stop("-TERM");
}

#[test]
fn the_sites_of_a_user_are_added_renamed_and_removed() {
    let folder = Folder::new();
    let data = folder.path("data");
    let site = |arguments: &[&str]| run(&[&["site"], arguments, &["--store", &data]].concat(), "");
    run(&["user", "new", "ada@example.com", "--store", &data], "analytical engine\n");
    let new = ["new", "ada@example.com", "--name", "Notes", "--url", "https://notes.example/"];
    let added = site(&new).answers().remove(0);
    let id = added["id"].as_str().unwrap();
    assert_eq!((&added["name"], &added["url"]), (&json!("Notes"), &json!("https://notes.example/")));
    assert_eq!(site(&["list", "ada@example.com"]).answers()[0], added);
    let renamed = site(&["rename", "ada@example.com", id, "--name", "Diary"]);
    assert_eq!((renamed.status, &renamed.answers()[0]), (0, &json!({"ok": true, "id": id})));
    assert_eq!(site(&["list", "ada@example.com"]).answers()[0]["name"], "Diary");
    for url in ["javascript:alert(1)", "/notes", "ftp://notes.example/", ""] {
        site(&["new", "ada@example.com", "--name", "Notes", "--url", url]).refused_with("url");
    }
    let removed = site(&["remove", "ada@example.com", id, "site_0"]);
    assert_eq!((removed.status, &removed.answers()[0]["ok"]), (1, &json!(true)));
    assert_eq!(removed.answers()[1]["error"], "unknown-site");
    assert_eq!(site(&["rename", "ada@example.com", id, "--name", "Gone"]).status, 1);
    assert_eq!(site(&["list", "ada@example.com"]).stdout, "");
    let unknown = site(&["list", "eve@example.com"]);
    assert_eq!((unknown.status, &unknown.answers()[0]["error"]), (1, &json!("unknown-user")));
    let acts = run(&["audit", "list", "--store", &data, "--about", id, "--json"], "");
    let acts: Vec<_> = acts.answers().iter().map(|act| (act["action"].clone(), act["outcome"].clone())).collect();
    let act = |action: &str, outcome: &str| (json!(action), json!(outcome));
    let expected = [
        act("site.add", "done"),
        act("site.rename", "done"),
        act("site.remove", "done"),
        act("site.rename", "not-found"),
    ];
    assert_eq!(acts, expected);
}

#[test]
fn consents_are_listed_and_revoked() {
    let folder = Folder::new();
    let data = folder.path("data");
    let consent = |arguments: &[&str]| run(&[&["consent"], arguments, &["--store", &data]].concat(), "");
    let made = run(&["user", "new", "ada@example.com", "--store", &data], "analytical engine\n");
    let user_id = made.answers()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((consent(&["list", "ada@example.com"]).status, consent(&["list", "eve@example.com"]).status), (0, 1));
    let file = std::path::Path::new(&data).join("tollgate-service.sqlite3");
    rusqlite::Connection::open(file)
        .unwrap()
        .execute("INSERT INTO consents VALUES (?1, 'shop', 'profile read:sites', 7)", [&user_id])
        .unwrap();
    let expected = json!({"client_id": "shop", "scopes": ["profile", "read:sites"], "granted_at": 7});
    assert_eq!(consent(&["list", "ada@example.com"]).answers(), [expected]);
    let revoked = consent(&["revoke", "ada@example.com", "shop", "unknown"]);
    assert_eq!((revoked.status, &revoked.answers()[0]), (1, &json!({"ok": true, "id": "shop"})));
    assert_eq!(revoked.answers()[1]["error"], "unknown-consent");
    assert_eq!(consent(&["list", "ada@example.com"]).stdout, "");
}

#[test]
fn a_password_that_is_guessed_first_is_refused() {
    let folder = Folder::new();
    let data = folder.path("data");
    run(&["user", "new", "ada@example.com", "--store", &data], "password123\n").refused_with("guessed first");
    assert_eq!(run(&["user", "new", "ada@example.com", "--store", &data], "analytical engine\n").status, 0);
    run(&["user", "passwd", "ada@example.com", "--store", &data], "Qwertyuiop1\n").refused_with("guessed first");
}
