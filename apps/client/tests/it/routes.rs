//! Every route, from outside.

use axum::http::Method;
use testkit::hidden;

use crate::kitchen::Kitchen;

#[tokio::test]
async fn the_signed_out_get_no_further_than_the_public_pages() {
    let kitchen = Kitchen::open().await;
    let mut seen = 0;
    for route in client::records() {
        let browser = kitchen.browser();
        let path = route.path.replace("{id}", "1");
        let answer = if route.method == "POST" {
            browser.0.post_form(&path, &[("quantity", "1")]).await
        } else {
            browser.get(&path).await
        };
        let what = format!("{} {path}", route.method);
        answer.assert_headers(&what);
        match (route.access.as_str(), route.method) {
            ("public", "GET") => assert_eq!(answer.status, 200, "{what}"),
            ("public", _) => assert_eq!(answer.status, 403, "{what}"),
            _ => {
                assert_eq!(answer.status, 303, "{what}");
                assert_eq!(answer.header("location"), "/sign-in", "{what}");
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 15);
}

#[tokio::test]
async fn errors_are_pages_with_all_headers() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    for (method, path, body, status) in [
        (Method::GET, "/nowhere", String::new(), 404),
        (Method::GET, "/favicon.ico", String::new(), 404),
        (Method::DELETE, "/orders", String::new(), 405),
        (Method::OPTIONS, "/orders", String::new(), 405),
        (Method::POST, "/orders", "x".repeat(100_000), 413),
        (Method::GET, "/orders/999999", String::new(), 404),
        (Method::GET, "/orders/one", String::new(), 400),
        (Method::GET, "/orders/%ff", String::new(), 400),
        (
            Method::GET,
            "/orders/99999999999999999999",
            String::new(),
            400,
        ),
        (Method::GET, "/orders?cursor=1&cursor=2", String::new(), 400),
        (Method::GET, "/orders?cursor=%00", String::new(), 422),
    ] {
        let answer = browser.0.send(method.clone(), path, &[], body).await;
        let what = format!("{method} {path}");
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        answer.assert_headers(&what);
        assert!(answer.text().contains("<html lang=\"en\">"), "{what}");
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    }
}

#[tokio::test]
async fn forms_that_no_browser_sends_are_refused_calmly() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let page = browser.page("/").await;
    let [csrf, once] = ["csrf", "once"].map(|name| hidden(&page, name));
    let tokens = format!("csrf={csrf}&once={once}");
    let origin = kitchen.client.url();
    for (content_type, rest, status) in [
        ("text/plain", "&meal_id=1&quantity=1", 415),
        ("application/json", "&meal_id=1&quantity=1", 415),
        ("application/x-www-form-urlencoded", "&meal_id=one", 422),
        (
            "application/x-www-form-urlencoded",
            "&meal_id=1&meal_id=2",
            422,
        ),
        (
            "application/x-www-form-urlencoded",
            "&meal_id=1&quantity=%ff",
            422,
        ),
        (
            "application/x-www-form-urlencoded",
            "&meal_id=1&quantity=99999999999",
            422,
        ),
        (
            "application/x-www-form-urlencoded",
            "&meal_id=-1&quantity=1",
            422,
        ),
        ("application/x-www-form-urlencoded", "", 422),
        (
            "application/x-www-form-urlencoded",
            "&meal_id=1&quantity=1&wanted_at=%00",
            422,
        ),
        (
            "application/x-www-form-urlencoded",
            "&meal_id=1&quantity=1&wanted_at=2026-13-45T99:99",
            422,
        ),
    ] {
        let headers = [("content-type", content_type), ("origin", &origin)];
        let body = format!("{tokens}{rest}");
        let answer = browser
            .0
            .send(Method::POST, "/orders", &headers, body)
            .await;
        assert_eq!(answer.status, status, "{rest}: {}", answer.text());
        answer.assert_headers(rest);
    }
}
