/// What a user has let a client have: asked for on the consent page, remembered, and revoked by the user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consent {
    /// The user.
    pub user_id: String,
    /// The client.
    pub client_id: String,
    /// Scope names separated by single spaces, each once.
    pub scopes: String,
    /// When the user last gave consent to that client, in seconds since the Unix epoch.
    pub granted_at: i64,
}

impl Consent {
    /// This consent together with an `earlier` one of the same user to the same client.
    ///
    /// ```
    /// use tollgate_storage::accounts::Consent;
    ///
    /// let consent = |scopes: &str, granted_at| {
    ///     Consent { user_id: "usr_1".into(), client_id: "blog".into(), scopes: scopes.into(), granted_at }
    /// };
    /// assert_eq!(consent("b c", 2).and_earlier(&consent("a b", 1)), consent("a b c", 2));
    /// ```
    #[must_use]
    pub fn and_earlier(mut self, earlier: &Self) -> Self {
        let mut scopes: Vec<&str> = Vec::new();
        for scope in earlier.scopes.split(' ').chain(self.scopes.split(' ')) {
            if !scope.is_empty() && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        self.scopes = scopes.join(" ");
        self
    }

    /// Whether every one of `scopes`, names separated by single spaces, is in it.
    #[must_use]
    pub fn covers(&self, scopes: &str) -> bool {
        scopes.split(' ').all(|scope| self.scopes.split(' ').any(|granted| granted == scope))
    }
}
