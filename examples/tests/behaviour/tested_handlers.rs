use crate::program::Program;

#[test]
fn handlers_that_were_tested_without_a_token_take_one() {
    let program = Program::start(env!("CARGO_BIN_EXE_tested_handlers"), &[]);
    let key = &program.printed[0];
    assert_eq!(program.get("/users/7", key), (200, "user 7\n".to_owned()));
    assert_eq!(program.get("/users/8", key).0, 403);
    assert_eq!(program.get("/users/7", "").0, 401);
}
