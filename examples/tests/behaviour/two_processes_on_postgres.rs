use reqwest::Method;

use crate::cluster::shared;
use crate::program::Program;

#[test]
fn what_one_process_does_counts_at_the_other() {
    let Some(database) = shared() else { return };
    let url = database.url(&database.new_database());
    let start = || Program::start(env!("CARGO_BIN_EXE_two_processes_on_postgres"), &[&url]);
    let one = start();
    let admin = one.printed[0].clone();
    let two = start();
    assert!(two.printed.is_empty(), "the first has made a key");

    let (status, key) = one.ask(Method::POST, "/keys", &admin);
    assert_eq!(status, 200);
    let id = two.get_until(200, "/keys/mine", &key);
    assert_eq!(one.get_until(200, "/keys/mine", &key), id);

    assert_eq!(two.ask(Method::DELETE, &format!("/keys/{}", id.trim_end()), &key).0, 403);
    assert_eq!(two.ask(Method::DELETE, &format!("/keys/{}", id.trim_end()), &admin).0, 204);
    one.get_until(401, "/keys/mine", &key);
    two.get_until(401, "/keys/mine", &key);
    assert_eq!(one.get("/keys/mine", &admin).0, 200);
}
