use super::login::{log_in, server};
use super::{VisitedSite, in_chromium};
use crate::support::{EMAIL, PASSWORD};
use std::sync::Arc;
use tollgate_storage::{Client, ClientSettings, RedirectUri};

#[test]
fn a_person_confirms_a_logout_that_a_site_asks_for() {
    in_chromium("confirm-logout", &[], |browser| async move {
        let server = server().await;
        let registering = Arc::clone(&server);
        let bye = server.url("/login");
        let registered = bye.clone();
        let register = move || {
            let client =
                Client::new("notes", "Notes & More", "read:sites", ["https://notes.example/callback"], 0).unwrap();
            let post_logout_redirect_uris = vec![RedirectUri::new(registered).unwrap()];
            let settings = ClientSettings { post_logout_redirect_uris, ..client.settings().clone() };
            registering.accounts.register_client(&client.with(settings).unwrap()).unwrap();
        };
        tokio::task::spawn_blocking(register).await.unwrap();
        browser.go(&server, "/login").await?;
        log_in(&browser, PASSWORD).await?;
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("client_id", "notes"), ("post_logout_redirect_uri", &*bye)])
            .finish();
        browser.go(&server, &format!("/oauth/v2/logout?{query}")).await?;
        let asked = browser.text().await?;
        assert!(asked.contains("Notes & More") && asked.contains(EMAIL), "{asked}");
        browser.check("confirm-logout").await?;
        browser.press_by_keyboard("Log out").await?;
        assert_eq!(browser.url().await?, bye);
        browser.go(&server, "/profile").await?;
        assert_eq!(browser.url().await?, bye, "nobody is logged in");
        Ok(())
    });
}

/// The page of `response_mode=form_post`, as it is while its script is on the way, or where there are no scripts.
#[test]
fn a_person_without_scripts_sends_the_answer_to_the_site_by_a_button() {
    let server = super::login::start();
    let notes = VisitedSite::start(&server, "notes", "Notes & More", "email profile");
    let (host, port) = notes.host();
    let notes = notes.url();
    in_chromium("form-post", &[(&host, port)], |browser| {
        let notes = notes.clone();
        let server = server.clone();
        async move {
            browser.block("*/submit.js").await?;
            browser.goto(&format!("{notes}posted")).await?;
            browser.press("Log in").await?;
            log_in(&browser, PASSWORD).await?;
            browser.press("Allow").await?;
            browser.check("form-post").await?;
            browser.press_by_keyboard("Continue").await?;
            assert!(browser.text().await?.starts_with(&format!("Hello, {EMAIL}.")));
            browser.go(&server, "/profile").await?;
            browser.press("Disconnect Notes & More").await?;
            Ok(())
        }
    });
}
