//! The forms in which a stored key is shown: a line of JSON, a row of a list, a page. Never its digest or the key itself.

use serde::Serialize;
use tollgate::KeyState;
use tollgate::jwt::base64url;
use tollgate_storage::StoredKey;

use crate::error::one_line;
use crate::store_options::labels;
use crate::values::shown_moment;

/// The shown facts of a key. Members that do not apply are null.
#[derive(Serialize)]
pub(in crate::commands) struct Shown<'k> {
    id: &'k str,
    kind: &'static str,
    state: &'static str,
    subject: &'k str,
    client_id: Option<&'k str>,
    scopes: Vec<&'k str>,
    /// All times are seconds since the Unix epoch.
    created_at: Option<i64>,
    not_before: Option<i64>,
    expires_at: Option<i64>,
    name: Option<&'k str>,
    /// base64url.
    metadata: Option<String>,
    allowed_addresses: Vec<String>,
    /// Null for a key that another system made.
    prefix: Option<&'k str>,
    env: Option<&'k str>,
    rotated_to: Option<&'k str>,
    overlap_ends_at: Option<i64>,
}

impl<'k> From<&'k StoredKey> for Shown<'k> {
    fn from(key: &'k StoredKey) -> Self {
        let record = &key.record;
        let labels = key.format.as_deref().and_then(labels);
        let metadata = record.metadata();
        Shown {
            id: record.id(),
            kind: record.kind().as_str(),
            state: record.state().as_str(),
            subject: record.subject(),
            client_id: record.client_id(),
            scopes: record.scopes().iter().collect(),
            created_at: Some(key.created_at).filter(|created_at| *created_at != 0),
            not_before: record.not_before(),
            expires_at: record.expires_at(),
            name: Some(record.name()).filter(|name| !name.is_empty()),
            metadata: (!metadata.is_empty()).then(|| base64url::encode(metadata)),
            allowed_addresses: record.allowed_addresses().iter().map(ToString::to_string).collect(),
            prefix: labels.map(|(prefix, _)| prefix),
            env: labels.map(|(_, env)| env),
            rotated_to: key.rotated_to.as_deref(),
            overlap_ends_at: key.overlap_ends_at,
        }
    }
}

/// The columns of [`row`].
pub(super) const HEADER: &str =
    "ID                              STATE     KIND           ENDS                  SUBJECT               SCOPES\n";

/// The key as a row of a list.
pub(super) fn row(key: &StoredKey, now: i64) -> String {
    let record = &key.record;
    let end = key.ends_at();
    let ends = end.map_or_else(|| "never".to_owned(), shown_moment);
    format!(
        "{:<30}  {:<8}  {:<13}  {:<20}  {:<20}  {}\n",
        one_line(record.id()),
        state(key, now),
        record.kind().as_str(),
        ends,
        one_line(record.subject()),
        record.scopes().as_str(),
    )
}

/// The key as a page: one fact per line.
pub(super) fn page(key: &StoredKey, now: i64) -> String {
    let shown = Shown::from(key);
    let moment = |seconds: Option<i64>| seconds.map(shown_moment);
    let text = |text: Option<&str>| text.map(str::to_owned);
    let format = shown.prefix.zip(shown.env).map(|(prefix, env)| format!("{prefix}_{env}_"));
    let facts = [
        ("id", text(Some(shown.id))),
        ("kind", text(Some(shown.kind))),
        ("state", text(Some(state(key, now)))),
        ("subject", text(Some(shown.subject))),
        ("client", text(shown.client_id)),
        ("scopes", Some(shown.scopes.join(" "))),
        ("name", text(shown.name)),
        ("begins with", Some(format.unwrap_or_else(|| "(made by another system)".to_owned()))),
        ("created", moment(shown.created_at)),
        ("not before", moment(shown.not_before)),
        ("expires", Some(moment(shown.expires_at).unwrap_or_else(|| "never".to_owned()))),
        ("addresses", Some(shown.allowed_addresses.join(" ")).filter(|addresses| !addresses.is_empty())),
        ("metadata", shown.metadata),
        ("rotated to", text(shown.rotated_to)),
        ("valid until", moment(shown.overlap_ends_at)),
    ];
    let lines = facts.into_iter().filter_map(|(name, fact)| Some(format!("{name:<12} {}\n", one_line(&fact?))));
    lines.collect()
}

/// The state for people: an expired key is not active.
fn state(key: &StoredKey, now: i64) -> &'static str {
    match key.record.state() {
        KeyState::Active if key.ends_at().is_some_and(|end| end <= now) => "expired",
        state => state.as_str(),
    }
}
