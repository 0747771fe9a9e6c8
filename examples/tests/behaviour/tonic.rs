use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::program::Program;
use crate::tokens::{bearer, issuer};

#[tokio::test]
async fn a_tonic_handler_knows_who_calls() {
    let issuer = issuer("https://auth.example.com/");
    let jwks = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&jwks, issuer.keys().jwks().as_bytes()).unwrap();
    let program = Program::start(env!("CARGO_BIN_EXE_tonic"), &[jwks.path().to_str().unwrap()]);
    let channel = Channel::from_shared(program.url.clone()).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    let with_scope = |scope| bearer(&issuer, "https://api.example.com", scope);
    for (service, authorization, expected) in [
        ("sites", with_scope("health:sites"), None),
        ("users", with_scope("health:sites"), Some(Code::PermissionDenied)),
        ("sites", bearer(&issuer, "https://other.example", "health:sites"), Some(Code::Unauthenticated)),
        ("sites", String::new(), Some(Code::Unauthenticated)),
    ] {
        let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
        if !authorization.is_empty() {
            request.metadata_mut().insert("authorization", MetadataValue::try_from(authorization).unwrap());
        }
        let answer = client.check(request).await.map(|answer| answer.into_inner().status);
        assert_eq!(answer.map_err(|status| status.code()), expected.map_or(Ok(1), Err), "{service}");
    }
}
