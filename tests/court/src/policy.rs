//! What a case's verifier expects of a token.

use serde_json::Value;

use crate::members::{Members, quoted, sorted};

/// The issuer of the tokens here.
pub(crate) const ISSUER: &str = "https://as.example";

/// The audience of the tokens here.
pub(crate) const AUDIENCE: &str = "https://api.example";

/// When the cases take place, in seconds since the Unix epoch.
pub(crate) const NOW: i64 = 1_763_800_000;

/// What the verifier is told. `iss`, `aud` and `exp` are required.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The one issuer.
    pub iss: String,
    /// The one audience.
    pub aud: String,
    /// The algorithms that are allowed.
    pub algorithms: Vec<String>,
    /// The time, in seconds since the Unix epoch.
    pub now: i64,
    /// Seconds of clock skew that are forgiven.
    pub leeway: u32,
    /// `JWT`: the token's `typ` is that or absent. `at+jwt`: it is that.
    pub typ: String,
    /// What else is configured of the issuer, or otherwise: a JSON object of the members that `[[issuer]]` has in a configuration
    /// file.
    pub issuer: Option<String>,
}

impl Policy {
    /// The usual one for tokens of this algorithm.
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
