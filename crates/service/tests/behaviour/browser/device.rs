use super::in_chromium;
use super::login::log_in;
use crate::devices::Television;
use crate::support::PASSWORD;
use std::sync::Arc;

#[test]
fn a_person_connects_a_device_by_its_code() {
    in_chromium("device", &[], |browser| async move {
        let tv = Arc::new(tokio::task::spawn_blocking(Television::start).await.unwrap());
        let codes = |tv: &Arc<Television>| {
            let tv = Arc::clone(tv);
            tokio::task::spawn_blocking(move || tv.codes()["user_code"].as_str().unwrap().to_owned())
        };
        browser.go(&tv.server, "/device").await?;
        assert!(browser.text().await?.contains("Log in to connect a device."));
        log_in(&browser, PASSWORD).await?;
        assert_eq!(browser.focused().await?, "user_code");
        browser.check("device").await?;
        browser.fill("Code", "BCDF-GHJK").await?;
        browser.press("Continue").await?;
        assert_eq!(browser.focused().await?, "problem");
        assert!(browser.title().await?.starts_with("Problem: "));
        browser.check("device-wrong-code").await?;
        browser.fill("Code", &codes(&tv).await.unwrap()).await?;
        browser.press("Continue").await?;
        assert!(browser.text().await?.contains("Let The Television use your account?"));
        browser.check("device-consent").await?;
        browser.press_by_keyboard("Allow").await?;
        assert!(browser.text().await?.contains("The device is connected"));
        browser.check("device-connected").await?;

        let code = codes(&tv).await.unwrap();
        browser.go(&tv.server, &format!("/device?user_code={code}")).await?;
        assert!(browser.text().await?.contains("only if the device in front of you shows this code"));
        browser.check("device-of-link").await?;
        browser.press("Continue").await?;
        browser.press("Do not allow").await?;
        assert!(browser.text().await?.contains("The device is not connected"));
        browser.go(&tv.server, "/profile").await?;
        assert!(browser.text().await?.contains("The Television"), "it can be disconnected");
        tokio::task::spawn_blocking(move || drop(tv)).await.unwrap();
        Ok(())
    });
}
