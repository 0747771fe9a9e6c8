//! What a credential is bound to, as stores and exports have it: methods separated by single spaces.

use tollgate::{ConfirmationMethod, NotAConfirmationMethod};

pub(crate) fn confirmation_text(methods: impl Iterator<Item = ConfirmationMethod>) -> String {
    methods.map(|method| method.to_string()).collect::<Vec<_>>().join(" ")
}

/// A method that is not known is an error: what a credential is bound to must not be ignored.
pub(crate) fn confirmation_from(text: &str) -> Result<Vec<ConfirmationMethod>, NotAConfirmationMethod> {
    text.split(' ').filter(|method| !method.is_empty()).map(str::parse).collect()
}
