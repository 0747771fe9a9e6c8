//! The verifier's configuration for a case.

use serde_json::Value;

use crate::members::{Members, quoted, sorted};

/// The issuer of the tokens.
pub(crate) const ISSUER: &str = "https://as.example";

/// The audience of the tokens.
pub(crate) const AUDIENCE: &str = "https://api.example";

/// The time of the cases, in seconds since the Unix epoch.
pub(crate) const NOW: i64 = 1_763_800_000;

/// The verifier's configuration. `iss`, `aud` and `exp` are required.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The one issuer.
    pub iss: String,
    /// The one audience.
    pub aud: String,
    /// The allowed algorithms.
    pub algorithms: Vec<String>,
    /// The time, in seconds since the Unix epoch.
    pub now: i64,
    /// The tolerated clock skew, in seconds.
    pub leeway: u32,
    /// `JWT`: the token's `typ` is `JWT` or absent. `at+jwt`: the token's `typ` is `at+jwt`.
    pub typ: String,
    /// Additional or different settings of the issuer: a JSON object with members of `[[issuer]]` in a
    /// configuration file.
    pub issuer: Option<String>,
}

impl Policy {
    /// The usual policy for tokens of this algorithm.
    pub(crate) fn new(algorithm: &str) -> Self {
        Policy {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            algorithms: vec![algorithm.to_owned()],
            now: NOW,
            leeway: 0,
            typ: "JWT".to_owned(),
            issuer: None,
        }
    }

    pub(crate) fn set_issuer(&mut self, settings: Value) {
        self.issuer = Some(sorted(&settings));
    }

    pub(crate) fn to_json(&self) -> String {
        let algorithms: Vec<String> = self.algorithms.iter().map(|name| quoted(name)).collect();
        let policy = Members::default()
            .set("iss", quoted(&self.iss))
            .set("aud", quoted(&self.aud))
            .set("algorithms", format!("[{}]", algorithms.join(",")))
            .set("now", self.now.to_string())
            .set("leeway", self.leeway.to_string())
            .set("typ", quoted(&self.typ));
        match &self.issuer {
            Some(issuer) => policy.set("issuer", issuer.as_str()),
            None => policy,
        }
        .to_string()
    }

    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value[name].as_str()?.to_owned());
        let algorithms = value["algorithms"].as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
        Some(Policy {
            iss: text("iss")?,
            aud: text("aud")?,
            algorithms: algorithms.collect::<Option<_>>()?,
            now: value["now"].as_i64()?,
            leeway: value["leeway"].as_u64()?.try_into().ok()?,
            typ: text("typ")?,
            issuer: value.get("issuer").map(sorted),
        })
    }
}
