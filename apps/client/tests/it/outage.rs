//! `api` is away.

use flags::Flags;
use settings::AppEnv;
use testkit::{Http, Served, hidden};

use crate::kitchen::{COOKIE, CUSTOMER, Kitchen, PASSWORD, health, settings_for};
use crate::sessions::aged;

#[tokio::test]
async fn pages_say_so_and_the_session_survives() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let held = browser.0.cookie(COOKIE).unwrap();
    // Nobody listens on a port that was just given back.
    let nowhere = {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", gone.local_addr().unwrap())
    };
    let flags = Flags::load(AppEnv::Local).unwrap();
    let client = client::app(&settings_for(&nowhere), &flags, None, &health());
    let client = Served::start(client).await;
    let stranded = Http::with_cookies(client.url());
    stranded.set_cookie(COOKIE, &held);
    for path in ["/", "/orders", "/orders/1"] {
        let answer = stranded.get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.header("retry-after"), "1");
        let page = answer.text();
        assert!(page.contains("cannot be reached right now"), "{page}");
        for leak in ["127.0.0.1", "Connect", "os error", ".rs", "api"] {
            assert!(!page.contains(leak), "{page}");
        }
    }
    let page = stranded.get("/sign-in").await;
    assert_eq!(page.status, 200);
    let csrf = page.text();
    let csrf = hidden(&csrf, "csrf");
    let fields = [("csrf", csrf), ("email", CUSTOMER), ("password", PASSWORD)];
    let answer = stranded.post_form("/sign-in", &fields).await;
    assert_eq!(answer.status, 503);
    assert!(!answer.text().contains(PASSWORD));
    let ordering = [
        ("csrf", csrf),
        ("once", &"x".repeat(43)),
        ("meal_id", "1"),
        ("quantity", "4"),
    ];
    let answer = stranded.post_form("/orders", &ordering).await;
    assert_eq!(answer.status, 503);
    let page = answer.text();
    assert!(page.contains("We do not know whether"), "{page}");
    assert_eq!(hidden(&page, "once"), "x".repeat(43));
    // Nobody has to stay signed in because a service is down, however long they were away.
    for held in [&held, &aged(&held)] {
        stranded.set_cookie(COOKIE, held);
        let answer = stranded.post_form("/sign-out", &[("csrf", csrf)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(answer.header("location"), "/sign-in?done=signed-out");
        assert_eq!(stranded.cookie(COOKIE), None);
    }
    // It is no reason to send customers elsewhere: the other instances would say the same.
    assert_eq!(stranded.get("/readyz").await.status, 200);
    let health = stranded.get("/health").await.json();
    assert_eq!(health["services"], serde_json::json!({}));

    browser.page("/orders").await;
}
