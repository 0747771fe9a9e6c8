/// A person who can log in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The public id, the `sub` of the user's tokens.
    pub id: String,
    /// The address, as [`User::normal_email`] writes it.
    pub email: String,
    /// What the user may do: scope names separated by single spaces.
    pub scopes: String,
    /// When the user was added, in seconds since the Unix epoch.
    pub created_at: i64,
}

impl User {
    /// The one spelling under which an address is stored and looked up: trimmed, ASCII lower case.
    ///
    /// ```
    /// use tollgate_storage::accounts::User;
    /// assert_eq!(User::normal_email(" Ada@Example.com "), "ada@example.com");
    /// ```
    #[must_use]
    pub fn normal_email(email: &str) -> String {
        email.trim().to_ascii_lowercase()
    }
}

/// A site of a user: what the protected example route lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// The public id.
    pub id: String,
    /// The user it belongs to.
    pub user_id: String,
    /// A name for people.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// When it was added, in seconds since the Unix epoch.
    pub created_at: i64,
}
