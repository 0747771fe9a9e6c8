use std::fmt;

use serde_json::Value;

use crate::members::{Members, quoted};
use crate::policy::Policy;
use crate::sent_with::SentWith;
use crate::token;

/// One token, the configuration of its verifier, and the correct verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Case {
    /// Class, algorithm and mutation, joined by slashes. Unique.
    pub id: String,
    /// `valid`, or `a` and the attack's number in the ledger; followed by `-choice` if the specifications leave
    /// the verdict to the verifier.
    pub class: String,
    /// The name of the key set.
    pub keys: String,
    /// The token.
    pub token: String,
    /// The verifier's configuration.
    pub policy: Policy,
    /// The rest of the request, in the classes for bound tokens.
    pub sent_with: Option<SentWith>,
    /// The correct verdict; in a class of choice, tollgate's choice.
    pub expect: Verdict,
    /// The source of the verdict.
    pub why: String,
}

/// A verifier's answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Verdict {
    Accept,
    Reject,
}

impl Case {
    /// Whether the specifications leave the verdict to the verifier.
    #[must_use]
    pub fn is_choice(&self) -> bool {
        self.class.ends_with("-choice")
    }

    /// The case as one line of JSON, without the line feed.
    pub(crate) fn to_line(&self) -> String {
        let members = Members::default()
            .set("id", quoted(&self.id))
            .set("class", quoted(&self.class))
            .set("keys", quoted(&self.keys))
            .set("token", token::to_json(&self.token))
            .set("policy", self.policy.to_json());
        let members = match &self.sent_with {
            Some(sent_with) => members.set("sent_with", sent_with.to_json()),
            None => members,
        };
        members.set("expect", quoted(&self.expect.to_string())).set("why", quoted(&self.why)).to_string()
    }

    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| Some(value[name].as_str()?.to_owned());
        Some(Case {
            id: text("id")?,
            class: text("class")?,
            keys: text("keys")?,
            token: token::from_json(&value["token"])?,
            policy: Policy::from_json(&value["policy"])?,
            sent_with: match value.get("sent_with") {
                None => None,
                Some(sent_with) => Some(SentWith::from_json(sent_with)?),
            },
            expect: match value["expect"].as_str()? {
                "accept" => Verdict::Accept,
                "reject" => Verdict::Reject,
                _ => return None,
            },
            why: text("why")?,
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Accept => "accept",
            Verdict::Reject => "reject",
        })
    }
}
