use super::{Browser, in_chromium};
use crate::support::{EMAIL, PASSWORD, TestServer};
use std::sync::Arc;
use thirtyfour::error::WebDriverResult;

/// A server with Ada, who may do what users may.
pub(super) fn start() -> Arc<TestServer> {
    let server = TestServer::start();
    server.accounts.add_user(EMAIL, PASSWORD, "profile read:sites manage:api-keys").unwrap();
    Arc::new(server)
}

/// The same, where waiting is not allowed.
pub(super) async fn server() -> Arc<TestServer> {
    tokio::task::spawn_blocking(start).await.unwrap()
}

pub(super) async fn log_in(browser: &Browser, password: &str) -> WebDriverResult<()> {
    browser.fill("E-mail address", EMAIL).await?;
    browser.fill("Password", password).await?;
    browser.press("Log in").await
}

#[test]
fn a_person_logs_in_and_out() {
    in_chromium("login", &[], |browser| async move {
        let server = server().await;
        browser.go(&server, "/").await?;
        assert_eq!(browser.url().await?, server.url("/login"), "the way to My Profile leads there");
        assert_eq!(browser.focused().await?, "email");
        browser.check("login").await?;
        log_in(&browser, PASSWORD).await?;
        assert_eq!(browser.url().await?, server.url("/profile"));
        assert!(browser.text().await?.contains(EMAIL));
        browser.go(&server, "/logout").await?;
        browser.check("log-out").await?;
        browser.go(&server, "/profile").await?;
        browser.press("Log out").await?;
        assert!(browser.text().await?.contains("You are logged out"));
        browser.check("logged-out").await?;
        browser.go(&server, "/profile").await?;
        assert_eq!(browser.url().await?, server.url("/login"));
        Ok(())
    });
}

#[test]
fn a_wrong_password_is_said_at_the_field_and_leaves_the_address() {
    in_chromium("wrong-password", &[], |browser| async move {
        let server = server().await;
        browser.go(&server, "/login").await?;
        log_in(&browser, "guess").await?;
        assert_eq!(browser.focused().await?, "problem", "what went wrong is read out first");
        assert!(browser.title().await?.starts_with("Problem: "));
        browser.check("wrong-password").await?;
        let password = browser.field("Password").await?;
        assert_eq!(password.attr("aria-invalid").await?.as_deref(), Some("true"));
        let told = password.attr("aria-describedby").await?.expect("the problem is tied to the field");
        let told = browser.script(&format!("return document.getElementById('{told}').textContent")).await?;
        assert_eq!(told, "The e-mail address or the password is wrong.");
        assert_eq!(password.prop("value").await?.as_deref(), Some(""), "no password comes back");
        assert_eq!(browser.field("E-mail address").await?.prop("value").await?.as_deref(), Some(EMAIL));
        browser.open_part("The e-mail address or the password is wrong.").await?;
        assert_eq!(browser.focused().await?, "password", "the summary leads to the field");
        browser.fill("Password", PASSWORD).await?;
        browser.press("Log in").await?;
        assert_eq!(browser.url().await?, server.url("/profile"));
        Ok(())
    });
}

#[test]
fn what_is_not_there_is_a_page_with_a_way_back() {
    in_chromium("not-found", &[], |browser| async move {
        let server = server().await;
        browser.go(&server, "/nowhere").await?;
        assert!(browser.text().await?.contains("There is nothing here"));
        browser.check("not-found").await?;
        browser.go(&server, "/oauth/v2/authorize?client_id=nobody").await?;
        assert!(browser.text().await?.contains("It names no known client."));
        browser.check("refused").await?;
        browser.press("Back to the start page").await?;
        assert_eq!(browser.url().await?, server.url("/login"));
        Ok(())
    });
}
