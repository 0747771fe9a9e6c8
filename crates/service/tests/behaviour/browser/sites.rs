use super::login::{log_in, start};
use super::{VisitedSite, in_chromium};
use crate::support::{EMAIL, PASSWORD};

#[test]
fn a_person_logs_in_at_two_sites_allows_each_once_and_takes_it_back() {
    let server = start();
    let notes = VisitedSite::start(&server, "notes", "Notes & More", "email profile read:sites");
    let shop = VisitedSite::start(&server, "shop", "The Shop", "email profile");
    let hosts = [notes.host(), shop.host()];
    let hosts = hosts.each_ref().map(|(host, port)| (host.as_str(), *port));
    let (notes, shop) = (notes.url(), shop.url());
    in_chromium("sites", &hosts, |browser| {
        let (server, notes, shop) = (server.clone(), notes.clone(), shop.clone());
        async move {
            browser.goto(&notes).await?;
            browser.press("Log in").await?;
            assert!(browser.text().await?.contains("to continue to Notes & More"));
            browser.check("login-for-site").await?;
            log_in(&browser, PASSWORD).await?;
            let asked = browser.text().await?;
            assert!(asked.contains("Let Notes & More use your account?") && asked.contains("https://notes.example"));
            browser.check("consent").await?;
            browser.press("Do not allow").await?;
            assert_eq!(browser.text().await?, "Not logged in: access_denied");

            browser.goto(&notes).await?;
            browser.press("Log in").await?;
            browser.press_by_keyboard("Allow").await?;
            let greeted = browser.text().await?;
            assert!(greeted.starts_with(&format!("Hello, {EMAIL}.")), "{greeted}");
            let token = format!("Bearer {}", greeted.split_whitespace().last().unwrap());

            // The second site: no password any more; the first again: no question either.
            browser.goto(&shop).await?;
            browser.press("Log in").await?;
            assert!(browser.text().await?.contains("Let The Shop use your account?"));
            browser.press("Allow").await?;
            assert!(browser.text().await?.starts_with(&format!("Hello, {EMAIL}.")));
            browser.goto(&notes).await?;
            browser.press("Log in").await?;
            assert!(browser.text().await?.starts_with("Hello, "), "remembered");
            // By a form that the page's script sends, within the page's policy.
            browser.goto(&format!("{notes}posted")).await?;
            browser.press("Log in").await?;
            browser.wait_for("Hello, ").await;

            browser.go(&server, "/profile").await?;
            browser.check("connected-sites").await?;
            browser.press("Disconnect Notes & More").await?;
            assert!(browser.text().await?.contains("The site is disconnected."));
            browser.check("disconnected").await?;
            let of_site = server.clone();
            let status = tokio::task::spawn_blocking(move || of_site.get("/api/v2/sites", &token).status().as_u16());
            assert_eq!(status.await.unwrap(), 401);
            browser.goto(&notes).await?;
            browser.press("Log in").await?;
            assert!(browser.text().await?.contains("Let Notes & More use your account?"), "asked again");
            browser.go(&server, "/profile").await?;
            browser.press("Disconnect The Shop").await?;
            Ok(())
        }
    });
}
