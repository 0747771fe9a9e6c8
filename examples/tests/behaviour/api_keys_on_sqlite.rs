use reqwest::Method;

use crate::program::Program;

#[test]
fn keys_are_made_kept_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Program::start(env!("CARGO_BIN_EXE_api_keys_on_sqlite"), &[folder.path().to_str().unwrap()]);
    let program = start();
    let admin = program.printed[0].clone();
    assert_eq!(program.get_until(200, "/keys/mine", &admin).len(), "key_01kdzb6y0v8e6q5t3h4jm2n7ra\n".len());
    let (status, key) = program.ask(Method::POST, "/keys", &admin);
    assert_eq!(status, 200);
    program.get_until(200, "/keys/mine", &key);
    assert_eq!(program.ask(Method::POST, "/keys", &key).0, 403);

    drop(program);
    let program = start();
    assert!(program.printed.is_empty());
    assert_eq!(program.get("/keys/mine", &key).0, 200);
    assert_eq!(program.ask(Method::DELETE, "/keys/mine", &key).0, 204);
    program.get_until(401, "/keys/mine", &key);
    assert_eq!(program.get("/keys/mine", &admin).0, 200);
}
