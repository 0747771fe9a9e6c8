use crate::support::TestServer;
use serde_json::{Value, json};
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;
use tollgate_tests::real_servers::{find_command, npm_install, skip};

/// How a page is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Look {
    Desk,
    Phone,
    Dark,
}

pub(crate) const LOOKS: [Look; 3] = [Look::Desk, Look::Phone, Look::Dark];

/// A browser with nothing in it yet.
#[derive(Clone)]
pub(crate) struct Browser {
    driver: WebDriver,
    look: Look,
    axe: Arc<str>,
    test: &'static str,
    shown: Arc<Mutex<usize>>,
}

/// Runs a test in a new browser for each look, or says that it is skipped. `hosts`: names that are this machine, each with its port.
pub(crate) fn in_chromium<F, T>(test: &'static str, hosts: &[(&str, u16)], flow: F)
where
    F: Fn(Browser) -> T,
    T: Future<Output = WebDriverResult<()>> + Send + 'static,
{
    let axe = match axe() {
        Ok(axe) => axe,
        Err(missing) => return skip(&missing),
    };
    if find_command(&["chromium"], "--version").is_none() {
        return skip("there is no chromium");
    }
    let Some(driver) = Driver::start() else { return skip("there is no chromedriver (Debian: chromium-driver)") };
    // Two cores have enough of one browser.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let rules: Vec<String> = hosts.iter().map(|(host, port)| format!("MAP {host} 127.0.0.1:{port}")).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for look in LOOKS {
        runtime.block_on(async {
            let browser = Browser::open(&driver.url, look, &rules.join(", "), axe.clone(), test).await.unwrap();
            let ended = tokio::spawn(flow(browser.clone())).await;
            browser.driver.quit().await.unwrap();
            match ended {
                Ok(done) => done.unwrap_or_else(|error| panic!("{look:?}: {error}")),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        });
    }
}

impl Browser {
    async fn open(url: &str, look: Look, host_rules: &str, axe: Arc<str>, test: &'static str) -> WebDriverResult<Self> {
        let mut chrome = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            // The tests may run as root, and pages that they open are their own.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--no-proxy-server",
            "--ignore-certificate-errors",
            "--window-size=1100,900",
            "--hide-scrollbars",
        ] {
            chrome.add_arg(argument)?;
        }
        if !host_rules.is_empty() {
            chrome.add_arg(&format!("--host-resolver-rules={host_rules}"))?;
        }
        let driver = WebDriver::new(url, chrome).await?;
        let tools = driver.cdp();
        if look == Look::Phone {
            let metrics = json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true});
            tools.send_raw("Emulation.setDeviceMetricsOverride", metrics).await?;
        }
        let scheme = if look == Look::Dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        tools.send_raw("Emulation.setEmulatedMedia", media).await?;
        Ok(Self { driver, look, axe, test, shown: Arc::default() })
    }

    pub(crate) async fn go(&self, server: &TestServer, path: &str) -> WebDriverResult<()> {
        self.goto(&server.url(path)).await
    }

    pub(crate) async fn goto(&self, url: &str) -> WebDriverResult<()> {
        self.driver.goto(url).await
    }

    /// Lets nothing be loaded from addresses of that pattern.
    pub(crate) async fn block(&self, pattern: &str) -> WebDriverResult<()> {
        let tools = self.driver.cdp();
        tools.send_raw("Network.enable", json!({})).await?;
        tools.send_raw("Network.setBlockedURLs", json!({"urls": [pattern]})).await.map(drop)
    }

    pub(crate) async fn url(&self) -> WebDriverResult<String> {
        Ok(self.driver.current_url().await?.to_string())
    }

    pub(crate) async fn reload(&self) -> WebDriverResult<()> {
        self.driver.refresh().await
    }

    pub(crate) async fn title(&self) -> WebDriverResult<String> {
        self.driver.title().await
    }

    /// What a person reads.
    pub(crate) async fn text(&self) -> WebDriverResult<String> {
        self.driver.find(By::Tag("body")).await?.text().await
    }

    /// Returns once a page that begins with `text` is there, which a script leads to.
    pub(crate) async fn wait_for(&self, text: &str) {
        for _ in 0..400 {
            // The page may go away while it is read.
            if self.text().await.is_ok_and(|shown| shown.starts_with(text)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("no page begins with {text:?}");
    }

    /// The control with that label.
    pub(crate) async fn field(&self, label: &str) -> WebDriverResult<WebElement> {
        let label = self.driver.find(By::XPath(format!("//label[normalize-space()=\"{label}\"]"))).await?;
        let id = label.attr("for").await?.expect("the label is tied to a control");
        self.driver.find(By::Id(id)).await
    }

    /// Puts that text into the field with that label, in place of what is there.
    pub(crate) async fn fill(&self, label: &str, text: &str) -> WebDriverResult<()> {
        let field = self.field(label).await?;
        field.clear().await?;
        field.send_keys(text).await
    }

    /// Presses the button, or follows the link, with that name; returns when the page that it leads to is there.
    pub(crate) async fn press(&self, name: &str) -> WebDriverResult<()> {
        self.leave().await?;
        self.open_part(name).await?;
        self.arrive(name).await
    }

    /// The same within the page.
    pub(crate) async fn open_part(&self, name: &str) -> WebDriverResult<()> {
        let path = format!(
            "//*[self::button or self::a or self::summary][normalize-space()=\"{name}\" or starts-with(@aria-label, \"{name}\")]"
        );
        self.driver.find(By::XPath(path)).await?.click().await
    }

    /// As [`press`](Self::press), with the keyboard alone: the focus is moved there and Enter is pressed.
    pub(crate) async fn press_by_keyboard(&self, name: &str) -> WebDriverResult<()> {
        self.leave().await?;
        for _ in 0..60 {
            let focused = self.driver.active_element().await?;
            let known_as = focused.attr("aria-label").await?.unwrap_or_default();
            if known_as.starts_with(name) || focused.text().await?.trim() == name {
                focused.send_keys(Key::Enter + "").await?;
                return self.arrive(name).await;
            }
            focused.send_keys(Key::Tab + "").await?;
        }
        panic!("{name} cannot be reached by the keyboard")
    }

    /// Marks the page that is about to be left.
    async fn leave(&self) -> WebDriverResult<()> {
        self.script("window.isLeft = true").await.map(drop)
    }

    /// Waits for the next page.
    async fn arrive(&self, by: &str) -> WebDriverResult<()> {
        let limit = Instant::now() + Duration::from_secs(30);
        loop {
            let is_there = self.script("return !window.isLeft && document.readyState === 'complete'").await;
            // Between two pages there is nothing that could answer.
            if is_there.is_ok_and(|is_there| is_there == true) {
                return Ok(());
            }
            assert!(Instant::now() < limit, "{by} leads nowhere");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The id of what has the focus, or its class.
    pub(crate) async fn focused(&self) -> WebDriverResult<String> {
        let element = self.driver.active_element().await?;
        let id = element.attr("id").await?.filter(|id| !id.is_empty());
        Ok(match id {
            Some(id) => id,
            None => element.attr("class").await?.unwrap_or_default(),
        })
    }

    /// What that script returns.
    pub(crate) async fn script(&self, script: &str) -> WebDriverResult<Value> {
        Ok(self.driver.execute(script, Vec::new()).await?.json().clone())
    }

    /// Whether the page is as it should be for everybody: axe-core finds nothing, it is as wide as the window, and it has the look.
    pub(crate) async fn check(&self, page: &str) -> WebDriverResult<()> {
        self.keep_picture(page).await?;
        let wide = self.script("return document.documentElement.scrollWidth - window.innerWidth").await?;
        assert!(wide.as_i64().is_some_and(|wide| wide <= 0), "{page}, {:?}: {wide} pixels too wide", self.look);
        let dark = self.script("return getComputedStyle(document.body).backgroundColor").await?;
        assert_eq!(dark == "rgb(19, 21, 22)", self.look == Look::Dark, "{page}: {dark}");
        self.driver.execute(&*self.axe, Vec::new()).await?;
        let run = "const done = arguments[arguments.length - 1];
            axe.run({resultTypes: ['violations']}).then(
                found => done(found.violations.map(one => [one.id, one.help, one.nodes.map(node => node.html)])),
                error => done(String(error)))";
        let found = self.driver.execute_async(run, Vec::new()).await?.json().clone();
        assert_eq!(found, json!([]), "{page}, {:?}", self.look);
        Ok(())
    }

    /// A picture of the whole page, where such are asked for.
    async fn keep_picture(&self, page: &str) -> WebDriverResult<()> {
        let Some(folder) = std::env::var_os("TOLLGATE_SCREENSHOTS") else { return Ok(()) };
        let number = {
            let mut shown = self.shown.lock().unwrap();
            *shown += 1;
            *shown
        };
        let tools = self.driver.cdp();
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let picture = tools.send_raw("Page.captureScreenshot", whole).await?;
        let picture = base64_simd::STANDARD.decode_to_vec(picture["data"].as_str().unwrap()).unwrap();
        let name = format!("{}-{number:02}-{page}-{:?}.png", self.test, self.look).to_lowercase();
        std::fs::write(Path::new(&folder).join(name), picture).unwrap();
        Ok(())
    }
}

/// Chromium's driver, which ends with the test.
struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    fn start() -> Option<Self> {
        let mut command = Command::new("chromedriver");
        let process = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = process.ok()?;
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            line.strip_prefix("ChromeDriver was started successfully on port ")?.strip_suffix('.').map(str::to_owned)
        });
        // What else it has to say must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, url: format!("http://127.0.0.1:{}", port.expect("chromedriver says its port")) })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// axe-core, in a folder of the build's.
fn axe() -> Result<Arc<str>, String> {
    static AXE: OnceLock<Result<Arc<str>, String>> = OnceLock::new();
    AXE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe");
        npm_install(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node"), &folder)?;
        Ok(std::fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js")).unwrap().into())
    })
    .clone()
}
