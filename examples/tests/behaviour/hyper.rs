use crate::program::Program;
use crate::tokens::{bearer, issuer};

#[test]
fn hyper_serves_whom_the_engine_accepts() {
    let issuer = issuer("https://auth.example.com/");
    let jwks = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&jwks, issuer.keys().jwks().as_bytes()).unwrap();
    let program = Program::start(env!("CARGO_BIN_EXE_hyper"), &[jwks.path().to_str().unwrap()]);
    let with_scope = |scope| bearer(&issuer, "https://api.example.com", scope);
    assert_eq!(program.get("/", &with_scope("read:sites")), (200, "the sites of user_7\n".to_owned()));
    assert_eq!(program.get("/", &with_scope("write:sites")).0, 403);
    assert_eq!(program.get("/", &bearer(&issuer, "https://other.example", "read:sites")).0, 401);
    assert_eq!(program.get("/", "").0, 401);
}
