use super::lines::{Demo, JSON, Line, line};
use super::seed::SPARE_CLIENT_ID;

/// What an administrator's lines are made of. Those of one line are no other's, so that any order will do.
pub(super) struct Spare {
    pub(super) admin_key: String,
    /// The id of a key that is switched off and on.
    pub(super) switched: String,
    pub(super) rotated: String,
    pub(super) revoked: String,
}

impl Demo {
    pub(super) fn administration(&self) -> Vec<Line> {
        let Spare { admin_key, switched, rotated, revoked } = &self.spare;
        let url =
            |path: &str| format!("{} -H 'Authorization: {admin_key}'", self.url(&format!("/api/v2/admin/{path}")));
        let post = |path: &str, body: &str| format!("{} {JSON} -d '{body}'", url(path));
        vec![
            line("All API keys, two a page", "200, and meta has the next page's token", {
                format!("-G {} -d limit=2", url("api-keys"))
            }),
            line(
                "A key for anybody, for any scope",
                "201, the key, shown once",
                post("api-keys", r#"{"api_key":{"subject":"account-7","name":"deploy","scope":"read:reports"}}"#),
            ),
            line(
                "Switch a key off",
                "200, disabled",
                format!("-X POST {}", url(&format!("api-keys/{switched}/disable"))),
            ),
            line(
                "Switch it on again",
                "200, active",
                format!("-X POST {}", url(&format!("api-keys/{switched}/enable"))),
            ),
            line(
                "Rotate a key, the old one going on for a day",
                "201, the new key, shown once",
                post(&format!("api-keys/{rotated}/rotate"), r#"{"overlap_seconds":86400}"#),
            ),
            line("Revoke a key", "200, revoked", format!("-X POST {}", url(&format!("api-keys/{revoked}/revoke")))),
            line("The clients", "200, a list without secrets", url("clients")),
            line(
                "A new secret for a client, the old one going on for an hour",
                "201, the secret, shown once",
                post(&format!("clients/{SPARE_CLIENT_ID}/rotate-secret"), r#"{"overlap_seconds":3600}"#),
            ),
            line(
                "Revoke all that somebody was issued before a time",
                "201",
                post(
                    "revocations",
                    r#"{"revocation":{"kind":"subject","name":"account-9","issued_before":"2026-01-01T00:00:00Z"}}"#,
                ),
            ),
            line("The same for a user, who is no administrator", "403 insufficient_scope", {
                format!("{} -H 'Authorization: {}'", self.url("/api/v2/admin/api-keys"), self.api_key)
            }),
        ]
    }
}
