//! The pages for people: login and logout, My Profile, consent, problems. No script but on the page that shows a key, and nothing from
//! another origin.

mod assets;
mod browser;
mod consent;
mod cookies;
mod device;
mod log_in;
mod login;
mod page;
mod problem;
mod profile;
mod time;

pub(crate) use assets::{copy_script, icon, style, submit_script};
pub(crate) use browser::{FormOfBrowser, actor, form_of, form_token, is_ours, logged_in};
pub(crate) use consent::{ConsentPage, client_name, scope_text};
pub(crate) use cookies::{Cookie, Cookies};
pub(crate) use device::{DeviceConsentPage, DevicePage};
pub(crate) use log_in::{LogInRefused, LoggedIn, log_in};
pub(crate) use login::{LoginPage, LogoutPage, forget_login, log_in_by_form, log_out, show_login, show_logout};
pub(crate) use page::{Policy, page};
pub(crate) use problem::{FormProblem, failed, message, not_a_form, not_found, refusal};
pub(crate) use profile::{
    end_all_sessions, end_session, make_key, revoke_consent, revoke_key, rotate_key, set_password, show as show_profile,
};
