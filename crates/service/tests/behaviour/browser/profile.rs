use super::login::{log_in, server};
use super::{Browser, in_chromium};
use crate::support::{EMAIL, PASSWORD, TestServer, json};
use thirtyfour::error::WebDriverResult;

async fn logged_in(browser: &Browser, server: &TestServer) -> WebDriverResult<()> {
    browser.go(server, "/login").await?;
    log_in(browser, PASSWORD).await
}

/// Takes the key off the page that shows it.
async fn copied(browser: &Browser) -> WebDriverResult<String> {
    browser.open_part("Copy the key").await?;
    let said = "return new Promise(done => setTimeout(() => done(document.getElementById('copied').textContent), 200))";
    assert_eq!(browser.script(said).await?, "Copied.");
    let selected = "const field = document.getElementById('secret');
        return field.value.slice(field.selectionStart, field.selectionEnd)";
    let selected = browser.script(selected).await?;
    let shown = browser.script("return document.getElementById('secret').value").await?;
    assert_eq!(selected, shown);
    Ok(shown.as_str().unwrap().to_owned())
}

async fn status_with(server: &std::sync::Arc<TestServer>, key: &str) -> u16 {
    let (server, key) = (std::sync::Arc::clone(server), key.to_owned());
    let status = tokio::task::spawn_blocking(move || server.get("/api/v2/sites", &key).status().as_u16());
    status.await.unwrap()
}

#[test]
fn a_key_is_made_shown_once_rotated_and_revoked() {
    in_chromium("keys", &[], |browser| async move {
        let server = server().await;
        logged_in(&browser, &server).await?;
        assert!(browser.text().await?.contains("You have no active API key."));
        browser.check("no-key").await?;
        browser.press("Create an API key").await?;
        browser.check("new-key").await?;
        let first = copied(&browser).await?;
        assert_eq!(status_with(&server, &first).await, 200);
        browser.press("Back to My Profile").await?;
        let profile = browser.text().await?;
        assert!(profile.contains("You have an API key.") && !profile.contains(&first));
        browser.check("key").await?;

        browser.open_part("Rotate the key “default”").await?;
        browser.check("rotate").await?;
        browser.press("Rotate “default”").await?;
        let second = copied(&browser).await?;
        assert_ne!(second, first);
        assert_eq!((status_with(&server, &first).await, status_with(&server, &second).await), (401, 200));
        // The form sent again, as by loading the page again, rotates nothing.
        browser.reload().await?;
        assert!(!browser.text().await?.contains("Copy it now."), "{}", browser.text().await?);
        browser.check("rotated-already").await?;
        assert_eq!(status_with(&server, &second).await, 200);

        browser.go(&server, "/profile").await?;
        browser.open_part("Create another key").await?;
        browser.fill("Name", "backup").await?;
        browser.check("further-key-form").await?;
        browser.press("Create the key").await?;
        let further = copied(&browser).await?;
        assert_eq!(status_with(&server, &further).await, 200);
        browser.press("Back to My Profile").await?;
        browser.check("two-keys").await?;
        browser.open_part("Revoke the key “default”").await?;
        browser.press("Revoke “default”").await?;
        assert!(browser.text().await?.contains("The API key is revoked."));
        assert_eq!(browser.focused().await?, "notice");
        assert_eq!((status_with(&server, &second).await, status_with(&server, &further).await), (401, 200));
        browser.check("revoked").await?;
        Ok(())
    });
}

#[test]
fn a_further_key_needs_a_name_and_something_that_it_may_do() {
    in_chromium("further-key", &[], |browser| async move {
        let server = server().await;
        logged_in(&browser, &server).await?;
        browser.open_part("Create another key").await?;
        browser.fill("Name", "nothing").await?;
        browser.script("document.querySelectorAll('#key-scope input').forEach(box => box.click())").await?;
        browser.press("Create the key").await?;
        assert_eq!(browser.focused().await?, "problem");
        browser.check("no-scope").await?;
        browser.open_part("Choose at least one scope.").await?;
        assert_eq!(browser.focused().await?, "key-scope");
        Ok(())
    });
}

#[test]
fn a_login_elsewhere_is_seen_and_ended() {
    in_chromium("logins", &[], |browser| async move {
        let server = server().await;
        let other = std::sync::Arc::clone(&server);
        let token = tokio::task::spawn_blocking(move || {
            let session = json(other.log_in(EMAIL, PASSWORD), 200);
            session["meta"]["jwt"].as_str().unwrap().to_owned()
        });
        let token = format!("Bearer {}", token.await.unwrap());
        logged_in(&browser, &server).await?;
        let profile = browser.text().await?;
        assert!(profile.contains("this browser") && profile.contains("A program, with your password"), "{profile}");
        browser.check("logins").await?;
        // By the keyboard alone.
        browser.press_by_keyboard("End the login A program").await?;
        assert!(browser.text().await?.contains("The login has ended."));
        assert_eq!(status_with(&server, &token).await, 401);
        browser.check("ended").await?;
        browser.press("Log out everywhere").await?;
        assert!(browser.text().await?.contains("You are logged out"));
        browser.go(&server, "/profile").await?;
        assert_eq!(browser.url().await?, server.url("/login"));
        Ok(())
    });
}

#[test]
fn the_password_is_changed_by_who_knows_it() {
    in_chromium("password", &[], |browser| async move {
        let server = server().await;
        logged_in(&browser, &server).await?;
        let change = async |current: &str, new: &str| {
            browser.fill("Current password", current).await?;
            browser.fill("New password", new).await?;
            browser.press("Change the password").await
        };
        change("guess", "the difference engine").await?;
        assert_eq!(browser.focused().await?, "problem");
        assert!(browser.text().await?.contains("That is not your current password."));
        browser.check("wrong-present-password").await?;
        change(PASSWORD, "password1").await?;
        browser.check("common-password").await?;
        browser
            .open_part("The password is one of those that are guessed first: take another, such as four random words.")
            .await?;
        assert_eq!(browser.focused().await?, "new-password");
        change(PASSWORD, "the difference engine").await?;
        assert!(browser.text().await?.contains("Your password has changed."));
        browser.check("password-changed").await?;
        log_in(&browser, PASSWORD).await?;
        assert_eq!(browser.focused().await?, "problem");
        log_in(&browser, "the difference engine").await?;
        assert_eq!(browser.url().await?, server.url("/profile"));
        Ok(())
    });
}
