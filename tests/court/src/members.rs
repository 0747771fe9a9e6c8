//! A JSON object whose values may be any text.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// Members in order: names, and values as raw text, JSON or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(Vec<(String, String)>);

impl Members {
    /// Sets a member, at its old position or at the end.
    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        match self.0.iter_mut().find(|(present, _)| present == name) {
            Some((_, present)) => *present = value.into(),
            None => self.0.push((name.to_owned(), value.into())),
        }
        self
    }

    /// Removes a member.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(present, _)| present != name);
        self
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}:{value}", quoted(name))?;
        }
        f.write_str("}")
    }
}

/// The text of a JSON value, with the members of each object in the order of their names.
///
/// A [`Value`] keeps another order if a crate of the same build enables serde_json's `preserve_order`.
pub(crate) fn sorted(value: &Value) -> String {
    let list = |parts: Vec<String>| parts.join(",");
    match value {
        Value::Object(members) => {
            let members: BTreeMap<&String, &Value> = members.iter().collect();
            let member = |(name, value): (&String, &Value)| format!("{}:{}", quoted(name), sorted(value));
            format!("{{{}}}", list(members.into_iter().map(member).collect()))
        }
        Value::Array(values) => format!("[{}]", list(values.iter().map(sorted).collect())),
        other => other.to_string(),
    }
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
