//! A tonic server whose handlers know who calls. It serves gRPC's own health service, which is generated already, so that the example needs no
//! compiler for protocol buffers; a service of your own takes the layer in the same way.
//!
//! ```toml
//! [dependencies]
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tollgate = "0.1"
//! tollgate-tower = "0.1"
//! tonic = { version = "0.14", features = ["router", "server"] }
//! tonic-health = "0.14"
//! ```
//!
//! `tonic ADDRESS JWKS` serves the bearers of tokens that `https://auth.example.com/` has signed with a key in the file JWKS.

#![forbid(unsafe_code)]

use std::error::Error;
use std::pin::Pin;

use tokio::net::TcpListener;
use tollgate::{Engine, Issuer, KeySet, Principal};
use tollgate_tower::AuthLayer;
use tonic::codegen::tokio_stream::Stream;
use tonic::codegen::tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(jwks)) = (arguments.next(), arguments.next()) else {
        return Err("usage: tonic ADDRESS JWKS".into());
    };
    let keys = KeySet::builder().jwks(&std::fs::read(jwks)?)?.build()?;
    let issuer = Issuer::new("https://auth.example.com/").audience("https://api.example.com").keys(keys);
    let engine = Engine::builder().issuer(issuer).build()?;

    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Clients without a good token get UNAUTHENTICATED, with the challenge among the metadata.
    let server = Server::builder().layer(AuthLayer::new(engine)).add_service(HealthServer::new(Sites));
    Ok(server.serve_with_incoming(TcpListenerStream::new(listener)).await?)
}

struct Sites;

#[tonic::async_trait]
impl Health for Sites {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let caller = caller(&request)?;
        let service = &request.get_ref().service;
        caller.require_scope(&format!("health:{service}")).map_err(|rejection| {
            // The code is for the log.
            eprintln!("{}: {rejection}", rejection.code());
            Status::permission_denied("insufficient_scope")
        })?;
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("ask again"))
    }
}

/// The layer has left it in the request's extensions.
fn caller<T>(request: &Request<T>) -> Result<&Principal, Status> {
    request.extensions().get().ok_or_else(|| Status::internal("the layer is missing"))
}
