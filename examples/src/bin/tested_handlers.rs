//! Handlers with tests that mint no token: the feature `testing` makes principals.
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tollgate = "0.1"
//! tollgate-tower = { version = "0.1", features = ["axum"] }
//!
//! [dev-dependencies]
//! tollgate = { version = "0.1", features = ["testing"] }
//! ```
//!
//! `tested_handlers ADDRESS`; the tests are below.

#![forbid(unsafe_code)]

use std::error::Error;

use axum::http::StatusCode;
use axum::{Router, extract::Path, routing::get};
use tokio::net::TcpListener;
use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};
use tollgate_tower::{AuthLayer, Authenticated};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: tested_handlers ADDRESS")?;
    let format = KeyFormat::new("tg", "live")?;
    let (key, table) = (ApiKey::generate(&format)?, ApiKeyTable::new(format));
    table.insert(&key, KeyRecord::api_key("key_1", "7"));
    println!("{}", key.as_str());

    let app =
        Router::new().route("/users/{id}", get(user)).layer(AuthLayer::new(Engine::builder().api_keys(table).build()?));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// Users see themselves, operators see all.
async fn user(Authenticated(principal): Authenticated, Path(id): Path<String>) -> Result<String, StatusCode> {
    let is_own = principal.subject() == Some(&id);
    if is_own || principal.require_scope("admin").is_ok() {
        Ok(format!("user {id}\n"))
    } else {
        Err(StatusCode::FORBIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use tollgate::Principal;
    use tollgate::testing::TestingPrincipal;

    use super::*;

    async fn asked_by(principal: Principal, id: &str) -> Result<String, StatusCode> {
        user(Authenticated(principal), Path(id.to_owned())).await
    }

    #[tokio::test]
    async fn users_see_themselves() {
        let seven = TestingPrincipal::new("7");
        assert_eq!(asked_by(seven.build(), "7").await, Ok("user 7\n".to_owned()));
        assert_eq!(asked_by(seven.build(), "8").await, Err(StatusCode::FORBIDDEN));
    }

    #[tokio::test]
    async fn operators_see_all() {
        let operator = TestingPrincipal::new("1").scopes(["admin"]);
        assert_eq!(asked_by(operator.build(), "8").await, Ok("user 8\n".to_owned()));
    }
}
