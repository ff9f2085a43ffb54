//! What a customer and a cook do, in a real browser that runs no script.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use thirtyfour::prelude::*;

use crate::surfaces::Surfaces;

/// What the driver and its browsers say: all that tells why one did not start.
const LOG: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/chromedriver.log");

fn last_words() -> String {
    let log = std::fs::read(LOG).unwrap();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// A ChromeDriver of this test's own, and every browser it started: all end with it.
struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .args(["--port=0", "--enable-chrome-logs"])
            .arg(format!("--log-path={LOG}"))
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("`chromedriver` is needed: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let port = line.split_once("started successfully on port ")?.1;
            Some(port.trim_end_matches('.').to_owned())
        });
        let url = format!("http://127.0.0.1:{}", port.unwrap());
        // Whatever it says later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// A browser with a profile of its own. Chromium now and then dies while it starts on a busy
    /// machine, before it was asked for any page; it gets three attempts.
    async fn browser(&self) -> WebDriver {
        let mut chrome = DesiredCapabilities::chrome();
        for argument in [
            "--headless",
            "--no-sandbox",
            "--remote-debugging-pipe",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ] {
            chrome.add_arg(argument).unwrap();
        }
        let no_script = json!({"profile.managed_default_content_settings.javascript": 2});
        chrome.add_experimental_option("prefs", no_script).unwrap();
        chrome
            .set("goog:loggingPrefs", json!({"browser": "ALL"}))
            .unwrap();
        let mut why = Vec::new();
        for _ in 0..3 {
            match WebDriver::new(&self.url, chrome.clone()).await {
                Ok(browser) => return browser,
                Err(error) => why.push(error.to_string()),
            }
        }
        panic!("{why:?}\n{}", last_words())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = rustix::process::kill_process_group(group.unwrap(), rustix::process::Signal::KILL);
        let _ = self.child.wait();
    }
}

/// What a person does with a page: reads labels, types, presses.
struct Visitor {
    browser: WebDriver,
    site: String,
}

impl Visitor {
    async fn new(driver: &Driver, site: &str) -> Self {
        let browser = driver.browser().await;
        browser.goto(site).await.unwrap();
        let site = site.to_owned();
        Self { browser, site }
    }

    async fn at(&self) -> String {
        let url = self.browser.current_url().await.unwrap();
        let path = url.path();
        path.to_owned()
    }

    async fn text(&self) -> String {
        let main = self.browser.find(By::Tag("main")).await.unwrap();
        main.text().await.unwrap()
    }

    /// Types into the input with this label; `for` has to lead to it.
    async fn fill(&self, label: &str, text: &str) {
        let label = By::XPath(format!(
            "//label[starts-with(normalize-space(), '{label}')]"
        ));
        let label = self.browser.find(label).await.unwrap();
        let id = label.attr("for").await.unwrap().unwrap();
        let input = self.browser.find(By::Id(id)).await.unwrap();
        input.clear().await.unwrap();
        input.send_keys(text).await.unwrap();
    }

    /// Presses a button, and waits for the page it leads to.
    async fn press(&self, button: &str) {
        let page = self.browser.find(By::Tag("html")).await.unwrap();
        let button = By::XPath(format!(
            "//button[starts-with(normalize-space(), '{button}')]"
        ));
        let button = self.browser.find(button).await.unwrap();
        button.click().await.unwrap();
        page.wait_until().stale().await.unwrap();
    }

    async fn follow(&self, path: &str) {
        let to = format!("{}{path}", self.site);
        self.browser.goto(to).await.unwrap();
    }

    async fn sign_in(&self, email: &str) {
        assert_eq!(self.at().await, "/sign-in");
        self.fill("E-mail", email).await;
        self.fill("Password", "pancakes-for-all").await;
        self.press("Sign in").await;
        assert_eq!(self.at().await, "/", "{}", self.text().await);
    }

    /// Nothing is missing, blocked or wrong on any page so far; and at both widths nothing is wider
    /// than the window. Leaves pictures to look at in the target folder.
    async fn assert_sound(&self, page: &str) {
        for width in [390, 1280] {
            self.browser
                .set_window_rect(0, 0, width, 900)
                .await
                .unwrap();
            let window = self.browser.find(By::Tag("html")).await.unwrap();
            let px = async |name| window.prop(name).await.unwrap().unwrap();
            let (content, window) = (px("scrollWidth").await, px("clientWidth").await);
            assert_eq!(content, window, "{page} is wider than a window of {width}");
            let picture = format!("{}/{page}-{width}.png", env!("CARGO_TARGET_TMPDIR"));
            let picture = std::path::Path::new(&picture);
            self.browser.screenshot(picture).await.unwrap();
        }
        let log = self.browser.get_log("browser").await.unwrap();
        assert!(log.is_empty(), "{log:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_chromium_a_customer_orders_and_a_cook_moves_the_order() {
    let surfaces = Surfaces::start("test", &[("APP_ENV", "local")]).await;
    let driver = Driver::start();

    let ada = Visitor::new(&driver, &surfaces.client.url).await;
    ada.sign_in("customer@example.test").await;
    ada.fill("Quantity", "2").await;
    ada.press("Order").await;
    let order = ada.at().await;
    let text = ada.text().await;
    assert!(order.starts_with("/orders/"), "{order}: {text}");
    assert!(
        text.contains("Thank you") && text.contains("placed"),
        "{text}"
    );
    let number = order.trim_start_matches("/orders/").to_owned();

    let chef = Visitor::new(&driver, &surfaces.admin.url).await;
    chef.sign_in("staff@example.test").await;
    for (press, lane) in [("Start cooking", "cooking"), ("Ready", "ready")] {
        chef.press(&format!("{press} order {number}")).await;
        let lane = chef
            .browser
            .find(By::Css(format!("[aria-labelledby='lane-{lane}']")));
        let lane = lane.await.unwrap().text().await.unwrap();
        assert!(lane.contains(&format!("Order {number}")), "{lane}");
        ada.follow(&order).await;
        assert!(!ada.text().await.contains("placed"), "{}", ada.text().await);
    }
    assert!(ada.text().await.contains("ready"), "{}", ada.text().await);
    ada.assert_sound("client-order").await;
    ada.follow("/").await;
    ada.assert_sound("client-menu").await;
    ada.follow("/orders").await;
    ada.assert_sound("client-orders").await;
    chef.assert_sound("admin-board").await;
    chef.follow("/menu").await;
    chef.assert_sound("admin-menu").await;
    chef.follow("/audit").await;
    chef.assert_sound("admin-audit").await;

    let guest = Visitor::new(&driver, &surfaces.site.url).await;
    guest.follow("/menu").await;
    assert!(
        guest.text().await.contains("Ramen"),
        "{}",
        guest.text().await
    );
    guest.assert_sound("site-menu").await;

    // The customer's cookie is no key to the kitchen, and signing out is for good.
    ada.press("Sign out").await;
    ada.follow(&order).await;
    assert_eq!(ada.at().await, "/sign-in");
    ada.assert_sound("client-sign-in").await;
    for visitor in [ada, chef, guest] {
        visitor.browser.quit().await.unwrap();
    }
}
