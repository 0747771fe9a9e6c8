#![doc = include_str!("../README.md")]
//!
//! ```
//! use actix_web::{App, HttpResponse, http::StatusCode, test, web};
//! use tollgate::{ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord};
//! use tollgate_actix::{Auth, Authenticated, Rejected};
//!
//! async fn sites(Authenticated(caller): Authenticated) -> Result<HttpResponse, Rejected> {
//!     caller.require_scope("read:sites")?;
//!     Ok(HttpResponse::Ok().body(format!("the sites of {}", caller.subject().unwrap_or("nobody"))))
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let format = KeyFormat::new("tg", "live")?;
//! let (key, table) = (ApiKey::generate(&format)?, ApiKeyTable::new(format));
//! table.insert(&key, KeyRecord::api_key("key_1", "user_7").scopes(["read:sites"]));
//! let auth = Auth::new(Engine::builder().api_keys(table).build()?).realm("sites");
//!
//! // In a server: HttpServer::new(move || App::new().wrap(auth.clone()).route("/sites", web::get().to(sites)))
//! let app = test::init_service(App::new().wrap(auth.clone()).route("/sites", web::get().to(sites))).await;
//! let request = test::TestRequest::get().uri("/sites").insert_header(("authorization", key.as_str()));
//! assert_eq!(test::call_service(&app, request.to_request()).await.status(), StatusCode::OK);
//!
//! let answer = test::call_service(&app, test::TestRequest::get().uri("/sites").to_request()).await;
//! assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(answer.headers().get("www-authenticate").unwrap(), r#"Bearer realm="sites""#);
//! # Ok(())
//! # }
//! ```
//!
//! Routes that need no credential stand outside of the scope that is wrapped, or the middleware is
//! [optional](Auth::optional). In reading order: `middleware` decides, `future` answers, `extract` takes out.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod extract;
mod future;
mod middleware;
mod rejected;

pub use extract::{Authenticated, Claims};
pub use middleware::{Auth, AuthService};
pub use rejected::Rejected;
pub use tollgate::PeerCertificate;
