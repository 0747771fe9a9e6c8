use rusqlite::Connection;
use tollgate_issuer::Minter;

use crate::program::Program;
use crate::tokens::{bearer, issuer};

#[test]
fn tenants_come_and_go_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenants.db");
    let program = Program::start(env!("CARGO_BIN_EXE_issuers_from_database"), &[file.to_str().unwrap()]);
    let database = Connection::open(file).unwrap();
    let add = |issuer: &Minter| {
        let jwks = issuer.keys().jwks();
        let row = (issuer.issuer(), "https://api.example.com", jwks.as_bytes());
        database.execute("INSERT INTO issuers VALUES (?1, ?2, ?3)", row).unwrap();
    };
    let [one, two] = ["https://one.example/", "https://two.example/"].map(issuer);
    let of = |issuer| bearer(issuer, "https://api.example.com", "");

    assert_eq!(program.get("/tenant", &of(&one)).0, 401);
    add(&one);
    assert_eq!(program.get_until(200, "/tenant", &of(&one)), "https://one.example/\n");
    assert_eq!(program.get("/tenant", &of(&two)).0, 401);
    add(&two);
    assert_eq!(program.get_until(200, "/tenant", &of(&two)), "https://two.example/\n");
    database.execute("DELETE FROM issuers WHERE name = 'https://one.example/'", ()).unwrap();
    program.get_until(401, "/tenant", &of(&one));
    assert_eq!(program.get("/tenant", &of(&two)).0, 200);
}
