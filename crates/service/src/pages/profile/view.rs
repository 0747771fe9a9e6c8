//! What the template of My Profile shows.

use super::agent;
use crate::app::App;
use crate::ids::now;
use crate::pages::problem::FormProblem;
use crate::pages::{client_name, scope_text, time};
use crate::problem::Problem;
use crate::routes::scopes;
use crate::scope;
use askama::Template;
use tollgate::KeyState;
use tollgate_storage::StoredKey;
use tollgate_storage::accounts::{Consent, LoginSession, User};

#[derive(Template)]
#[template(path = "profile.html")]
pub(super) struct ProfilePage<'a> {
    pub(super) email: &'a str,
    pub(super) form_token: &'a str,
    pub(super) done: Option<&'a str>,
    pub(super) problem: Option<FormProblem>,
    /// The id of the field that the problem is about, or nothing.
    pub(super) problem_field: &'a str,
    pub(super) account: Account,
    pub(super) min_password_chars: usize,
}

/// What the store has of the user.
pub(super) struct Account {
    pub(super) may_manage_keys: bool,
    /// Whether there is a key, one that is disabled too.
    pub(super) has_key: bool,
    /// The newest that works.
    pub(super) current: Option<KeyRow>,
    /// The others.
    pub(super) further: Vec<KeyRow>,
    /// What a further key can be given.
    pub(super) scopes: Vec<ScopeRow>,
    pub(super) sessions: Vec<SessionRow>,
    /// How many more there are than are shown.
    pub(super) more_sessions: usize,
    pub(super) consents: Vec<ConsentRow>,
}

/// `made` and `ends` are elements.
pub(super) struct KeyRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) scope: String,
    pub(super) is_disabled: bool,
    pub(super) made: String,
    pub(super) ends: Option<String>,
}

pub(super) struct ScopeRow {
    pub(super) name: String,
    pub(super) text: String,
}

/// `since` is an element.
pub(super) struct SessionRow {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) address: Option<String>,
    pub(super) since: String,
    pub(super) since_text: String,
    pub(super) is_current: bool,
}

/// `since` is an element.
pub(super) struct ConsentRow {
    pub(super) client_id: String,
    pub(super) client: String,
    pub(super) scopes: Vec<String>,
    pub(super) since: String,
}

impl Account {
    /// Waits for the disk.
    pub(super) fn read(app: &App, current: &LoginSession, user: &User) -> Result<Self, Problem> {
        let (keys, store) = (&app.accounts.keys, &app.accounts.store);
        let stored = app.accounts.api_keys_of(&user.id)?;
        let all: Vec<LoginSession> = keys.wait(store.login_sessions_of(&user.id, now()))?;
        let mut consents = Vec::new();
        for consent in keys.wait(store.consents_of(&user.id))? {
            let client = keys.wait(keys.store.client(&consent.client_id))?;
            consents.push(ConsentRow::new(consent, client.map(|client| client_name(&client).to_owned())));
        }
        // This browser's first.
        let (these, others): (Vec<_>, Vec<_>) = all.iter().partition(|session| session.id == current.id);
        let shown = these.into_iter().chain(others).take(MAX_SESSIONS);
        let sessions: Vec<SessionRow> =
            shown.map(|session| SessionRow::new(session, &stored, session.id == current.id)).collect();
        let at = stored.iter().position(|key| key.record.state() == KeyState::Active);
        let mut further: Vec<KeyRow> = stored.iter().map(KeyRow::new).collect();
        Ok(Self {
            may_manage_keys: scope::contains(&user.scopes, scopes::MANAGE_API_KEYS),
            has_key: !stored.is_empty(),
            current: at.map(|at| further.remove(at)),
            further,
            scopes: ScopeRow::all(&user.scopes),
            more_sessions: all.len() - sessions.len(),
            sessions,
            consents,
        })
    }
}

impl KeyRow {
    fn new(key: &StoredKey) -> Self {
        let record = &key.record;
        Self {
            id: record.id().to_owned(),
            name: record.name().to_owned(),
            scope: record.scopes().as_str().to_owned(),
            is_disabled: record.state() != KeyState::Active,
            made: time::element(key.created_at),
            ends: key.ends_at().map(time::element),
        }
    }
}

impl ScopeRow {
    /// In the order in which the user has them; the form's field of the first is `scope-1`.
    fn all(scopes: &str) -> Vec<Self> {
        let scopes = scopes.split(' ').filter(|scope| !scope.is_empty());
        scopes.map(|scope| Self { name: scope.to_owned(), text: scope_text(scope) }).collect()
    }
}

impl SessionRow {
    fn new(session: &LoginSession, keys: &[StoredKey], is_current: bool) -> Self {
        let key = session.key_id.as_ref().map(|id| keys.iter().find(|key| key.record.id() == id));
        let agent = agent::name(&session.agent);
        let what = match (key, session.digest) {
            (Some(Some(key)), _) => format!("{agent}, with the key “{}”", key.record.name()),
            (Some(None), _) => format!("{agent}, with a key that has ended"),
            (None, None) => format!("{agent}, with your password"),
            (None, Some(_)) => agent,
        };
        Self {
            id: session.id.clone(),
            what,
            address: session.address.clone(),
            since: time::element(session.created_at),
            since_text: time::text(session.created_at),
            is_current,
        }
    }
}

impl ConsentRow {
    fn new(consent: Consent, name: Option<String>) -> Self {
        Self {
            client: name.unwrap_or_else(|| format!("{}, which is no longer registered", consent.client_id)),
            scopes: consent.scopes.split(' ').map(scope_text).collect(),
            since: time::element(consent.granted_at),
            client_id: consent.client_id,
        }
    }
}

/// Logins that the page lists. Our own choice: who has more has programs that log in, and can end all of them.
const MAX_SESSIONS: usize = 50;
