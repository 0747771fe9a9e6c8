use crate::form::Form;
use crate::limits::{DEFAULT_PAGE, MAX_PAGE};
use crate::problem::Problem;
use serde_json::{Value, json};
use tollgate::jwt::base64url;

/// Which part of a list is asked for: `limit` and `page_token`.
pub(super) struct Page {
    /// The name of the last entry of the page before.
    pub(super) after: Option<String>,
    pub(super) limit: usize,
}

impl Page {
    pub(super) fn of(form: &Form<'_>) -> Result<Self, Problem> {
        let limit = form.value("limit").map_or(Ok(DEFAULT_PAGE), str::parse).unwrap_or(0);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Problem::BadRequest("limit must be a number from 1 to 200"));
        }
        let after = form.value("page_token").map(name_in).transpose()?;
        Ok(Self { after, limit })
    }

    /// How many entries to ask for: one more than the page has tells whether there is another page.
    pub(super) fn wanted(&self) -> usize {
        self.limit + 1
    }

    /// The answer: the entries of this page, and the token of the next unless this was the last.
    pub(super) fn answer<T>(
        &self,
        entries: &[T],
        name: impl Fn(&T) -> String,
        description: impl Fn(&T) -> Value,
    ) -> Value {
        let page = &entries[..entries.len().min(self.limit)];
        let has_next = entries.len() > page.len();
        let next = page.last().filter(|_| has_next).map(|last| base64url::encode(name(last)));
        json!({"data": page.iter().map(description).collect::<Vec<_>>(), "meta": {"next_page_token": next}})
    }
}

/// The parameters of a list, and of what is addressed by them.
pub(super) fn parameters(query: &str) -> Result<Form<'_>, Problem> {
    Form::parse(query.as_bytes()).map_err(|_| Problem::BadRequest("the query is malformed"))
}

fn name_in(page_token: &str) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    let decoded = base64url::decode(page_token, &mut bytes).ok().and_then(|_| String::from_utf8(bytes).ok());
    decoded.ok_or(Problem::BadRequest("page_token is not one of this service"))
}
