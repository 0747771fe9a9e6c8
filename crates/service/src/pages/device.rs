use super::problem::FormProblem;
use askama::Template;

/// The form for the code that a device shows.
#[derive(Template)]
#[template(path = "device.html")]
pub(crate) struct DevicePage<'a> {
    pub(crate) email: &'a str,
    /// What the link had; empty where the person types it in.
    pub(crate) user_code: &'a str,
    pub(crate) form_token: &'a str,
    pub(crate) problem: Option<FormProblem>,
    /// Whether the problem is about what was typed in.
    pub(crate) is_wrong: bool,
}

/// Whether a device may have what its client asks for.
#[derive(Template)]
#[template(path = "device_consent.html")]
pub(crate) struct DeviceConsentPage<'a> {
    pub(crate) client: &'a str,
    pub(crate) email: &'a str,
    pub(crate) user_code: &'a str,
    pub(crate) scopes: Vec<String>,
    pub(crate) user_id: &'a str,
    pub(crate) form_token: &'a str,
}
