//! `tollgate user`: who it makes can log in, at a service that runs on the same store.

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
