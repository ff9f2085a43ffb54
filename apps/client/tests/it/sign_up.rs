//! Accounts: opened, used, left.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use guard::Problem;
use testkit::hidden;

use crate::kitchen::{COOKIE, CUSTOMER, Kitchen, PASSWORD};
use crate::stub::{CSRF, Stub};

#[tokio::test]
async fn whoever_opens_an_account_is_signed_in() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.browser();
    let fields = [
        ("name", "<script>alert(1)</script>"),
        ("email", "ada@example.test"),
        ("password", "rather long and easy"),
    ];
    let answer = browser.submit("/sign-up", "/sign-up", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), "/?done=welcome");
    let page = browser.page("/?done=welcome").await;
    assert!(page.contains("role=\"status\">Welcome!"), "{page}");
    // A name is not markup.
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");

    let answer = browser.submit("/", "/sign-out", &[]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(browser.0.cookie(COOKIE), None);
    assert_eq!(browser.get("/").await.header("location"), "/sign-in");
    let page = browser.page(answer.header("location")).await;
    assert!(page.contains("You are signed out."), "{page}");
    let answer = browser
        .sign_in("ADA@example.test", "rather long and easy")
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
}

#[tokio::test]
async fn whoever_cannot_be_signed_in_at_once_is_told_that_the_account_is_open() {
    let stubs = [
        Stub::open(|asked, _| {
            let busy = || Problem::new(StatusCode::TOO_MANY_REQUESTS).retry_after(5);
            (asked.what == "POST /v1/sessions").then(|| busy().into_response())
        })
        .await,
        Stub::open(|asked, _| {
            let away = || Problem::new(StatusCode::SERVICE_UNAVAILABLE);
            (asked.what == "POST /v1/sessions").then(|| away().into_response())
        })
        .await,
        Stub::open(|asked, _| {
            (asked.what == "GET /v1/accounts/me").then(|| "half an ans".into_response())
        })
        .await,
    ];
    for stub in &stubs {
        let browser = stub.customer(Duration::from_mins(10));
        let fields = [
            ("csrf", CSRF),
            ("name", "Ada"),
            ("email", "a@b.test"),
            ("password", "rather long and easy"),
        ];
        let answer = browser.0.post_form("/sign-up", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let page = browser.page(answer.header("location")).await;
        assert!(
            page.contains("role=\"status\">Your account is open: sign in"),
            "{page}"
        );
        assert!(page.contains("action=\"/sign-in\""), "{page}");
    }
}

#[tokio::test]
async fn what_was_typed_is_kept_but_the_password() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.browser();
    let fields = [
        ("name", "Ada \"A\""),
        ("email", "nowhere"),
        ("password", "short-one"),
    ];
    let answer = browser.submit("/sign-up", "/sign-up", &fields).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("role=\"alert\""), "{page}");
    assert!(page.contains("value=\"Ada &#34;A&#34;\""), "{page}");
    assert!(page.contains("value=\"nowhere\""), "{page}");
    assert!(!page.contains("short-one"), "{page}");
    assert!(page.contains("aria-describedby=\"email-error\""), "{page}");
    assert!(
        page.contains("aria-describedby=\"password-hint password-error\""),
        "{page}"
    );

    let fields = [
        ("name", "Ada"),
        ("email", CUSTOMER),
        ("password", "rather long and easy"),
    ];
    let answer = browser.submit("/sign-up", "/sign-up", &fields).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.text().contains("has an account already"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_wrong_password_is_said_kindly() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.browser();
    for (email, password) in [(CUSTOMER, "wrong"), ("nobody@example.test", PASSWORD)] {
        let answer = browser.sign_in(email, password).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        let page = answer.text();
        assert!(
            page.contains("e-mail address or the password is wrong"),
            "{page}"
        );
        assert!(page.contains(&format!("value=\"{email}\"")), "{page}");
    }
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.browser();
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(browser.sign_in(CUSTOMER, "wrong").await.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[10]), (422, 429), "{statuses:?}");
}

#[tokio::test]
async fn no_parameter_leads_elsewhere() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.browser();
    let page = browser
        .page("/sign-in?next=https://evil.example&done=//evil.example")
        .await;
    assert!(!page.contains("evil"), "{page}");
    let fields = [
        ("csrf", hidden(&page, "csrf")),
        ("email", CUSTOMER),
        ("password", PASSWORD),
        ("next", "https://evil.example"),
    ];
    let path = "/sign-in?next=//evil.example&redirect=https://evil.example";
    let answer = browser.0.post_form(path, &fields).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/")
    );
    for path in [
        "//evil.example/",
        "/\\evil.example",
        "/orders/..//evil.example",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (404, ""),
            "{path}"
        );
    }
}
