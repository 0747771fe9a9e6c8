use super::in_chromium;
use super::login::log_in;
use crate::support::{PASSWORD, TestServer, config};
use tollgate_service::Config;

#[test]
fn the_demo_leads_a_person_through_all_of_it() {
    in_chromium("demo", &[], |browser| async move {
        let start = || TestServer::start_with(Config { store: None, demo: true, ..config() });
        let server = tokio::task::spawn_blocking(start).await.unwrap();
        browser.go(&server, "/").await?;
        assert!(browser.text().await?.contains(PASSWORD));
        browser.check("welcome").await?;
        browser.press("The Blog").await?;
        browser.check("blog").await?;
        browser.press("Log in with tollgate").await?;
        log_in(&browser, PASSWORD).await?;
        assert!(browser.text().await?.contains("Let The Blog use your account?"));
        browser.check("consent-on-this-device").await?;
        browser.press("Allow").await?;
        assert!(browser.text().await?.contains("You are logged in here."));
        browser.check("logged-in-at-the-blog").await?;
        browser.press("Back to the demo").await?;
        browser.press("The Shop").await?;
        browser.press("Log in with tollgate").await?;
        assert!(browser.text().await?.contains("You are logged in here."), "the operator's own: nobody is asked");
        browser.go(&server, "/").await?;
        browser.press("My Profile").await?;
        browser.check("profile").await?;
        Ok(())
    });
}
