use crate::cache::Judgement;
use crate::confirmation::Sender;
use crate::introspection::JwtIntrospection;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::status_lists::StatusLists;
use crate::token::Token;

/// How an issuer reports that it has revoked a token that it signed: in its status lists, or by introspection.
#[derive(Debug)]
pub(crate) struct Withdrawals {
    pub(crate) status_lists: Option<StatusLists>,
    pub(crate) introspection: Option<JwtIntrospection>,
}

impl Withdrawals {
    /// The judgement of a cached token; `None` if it is valid. Not inlined: most issuers have neither.
    #[inline(never)]
    pub(crate) fn judge(&self, token: &Token, policy: &Policy, sender: &Sender<'_>) -> Option<Judgement<Rejection>> {
        if let Some(lists) = &self.status_lists
            && let Err(rejection) = lists.check(token.status(), policy.name(), sender.now)
        {
            return Some(Judgement::Rejected(rejection));
        }
        self.introspection.as_ref()?.judge(token, policy, sender)
    }
}
