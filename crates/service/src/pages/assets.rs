use axum::http::{HeaderName, header};
use axum::response::IntoResponse;

/// `GET /assets/style.css`.
pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), CACHED], include_str!("../../assets/style.css"))
}

/// `GET /assets/copy.js`: what the button beside a new key does.
pub(crate) async fn copy_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), CACHED], include_str!("../../assets/copy.js"))
}

/// `GET /assets/submit.js`: sends the form of the page that leads to a client.
pub(crate) async fn submit_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), CACHED], include_str!("../../assets/submit.js"))
}

/// `GET /assets/icon.svg`.
pub(crate) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), CACHED], include_str!("../../assets/icon.svg"))
}

/// Five minutes: another release shows its own within that time.
const CACHED: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");
