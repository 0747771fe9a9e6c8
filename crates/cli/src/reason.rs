//! Why an item was rejected: a code for programs and a sentence for people.

use std::fmt::Display;

use tollgate::Rejection;
use tollgate::apikeys::KeyError;
use tollgate::jwt::ParseError;
use tollgate::keys::{KeyRefused, VerifyError};
use tollgate_storage::LineRefused;

use crate::error::one_line;
use crate::limits::MAX_DETAIL_CHARACTERS;

/// The `error` and the `detail` of a line that says `"ok":false`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Reason {
    /// A stable kebab-case code.
    pub(crate) error: &'static str,
    /// One sentence of at most [`MAX_DETAIL_CHARACTERS`], control characters escaped.
    pub(crate) detail: String,
}

impl Reason {
    pub(crate) fn new(error: &'static str, detail: impl Display) -> Self {
        Reason { error, detail: bounded(one_line(&detail.to_string())) }
    }

    /// The line does not have the format of `--input`. `detail` says why.
    pub(crate) fn malformed_input(detail: impl Display) -> Self {
        Self::new("malformed-input", detail)
    }
}

impl From<&Rejection> for Reason {
    fn from(rejection: &Rejection) -> Self {
        Self::new(rejection.code(), rejection)
    }
}

impl From<ParseError> for Reason {
    fn from(error: ParseError) -> Self {
        Self::new(error.code(), error)
    }
}

impl From<VerifyError> for Reason {
    fn from(error: VerifyError) -> Self {
        Self::new(error.code(), error)
    }
}

impl From<KeyError> for Reason {
    fn from(error: KeyError) -> Self {
        Self::new(error.code(), error)
    }
}

impl From<&KeyRefused> for Reason {
    fn from(refused: &KeyRefused) -> Self {
        Self::new(refused.code(), refused)
    }
}

impl From<&LineRefused> for Reason {
    fn from(refused: &LineRefused) -> Self {
        Self::new(refused.code(), refused)
    }
}

/// Cuts a text that is too long, and marks the cut.
fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_DETAIL_CHARACTERS) {
        text.truncate(end);
        text.pop();
        text.push('…');
    }
    text
}
