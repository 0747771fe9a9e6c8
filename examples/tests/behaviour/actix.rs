use reqwest::Method;

use crate::program::Program;
use crate::tokens::{bearer, issuer};

#[test]
fn actix_serves_whom_the_middleware_lets_pass() {
    let issuer = issuer("https://auth.example.com/");
    let jwks = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&jwks, issuer.keys().jwks().as_bytes()).unwrap();
    let program = Program::start(env!("CARGO_BIN_EXE_actix"), &[jwks.path().to_str().unwrap()]);
    let with_scope = |scope| bearer(&issuer, "https://api.example.com", scope);
    assert_eq!(program.get("/healthz", ""), (200, "well\n".to_owned()));
    assert_eq!(program.get("/sites", ""), (401, String::new()));
    assert_eq!(program.get("/sites", &with_scope("read:sites")), (200, "the sites of user_7\n".to_owned()));
    assert_eq!(program.ask(Method::DELETE, "/sites", &with_scope("read:sites")).0, 403);
    assert_eq!(program.ask(Method::DELETE, "/sites", &with_scope("write:sites")), (200, "removed\n".to_owned()));
    assert_eq!(program.get("/sites", &bearer(&issuer, "https://other.example", "read:sites")).0, 401);
}
