use rusqlite::Connection;

use crate::program::Program;

#[test]
fn a_key_of_the_table_is_good_until_its_row_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let program = Program::start(env!("CARGO_BIN_EXE_keys_in_your_own_table"), &[file.to_str().unwrap(), "customer_7"]);
    let key = &program.printed[0];
    for authorization in [key.clone(), format!("Bearer {key}")] {
        assert_eq!(program.get("/orders", &authorization), (200, "the orders of customer_7\n".to_owned()));
    }
    let database = Connection::open(file).unwrap();
    database.execute("UPDATE customer_keys SET revoked = 1", ()).unwrap();
    program.get_until(401, "/orders", key);
}
