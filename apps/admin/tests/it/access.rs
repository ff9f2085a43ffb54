//! Who gets in, and with which forms.

use axum::http::Method;
use testkit::hidden;

use crate::kitchen::{COOKIE, CUSTOMER, Kitchen, PASSWORD};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn the_signed_out_get_no_further_than_the_sign_in() {
    let kitchen = Kitchen::open().await;
    let mut seen = 0;
    for route in admin::records() {
        let browser = kitchen.browser();
        let path = route.path.replace("{id}", "1");
        let answer = if route.method == "POST" {
            browser.0.post_form(&path, &[("version", "1")]).await
        } else {
            browser.get(&path).await
        };
        let what = format!("{} {path}", route.method);
        answer.assert_headers(&what);
        match (route.access.as_str(), route.method) {
            ("public", "GET") => {
                assert_eq!(answer.status, 200, "{what}");
                // Who is shown a form gets a session of their own with it.
                if !answer.header("set-cookie").is_empty() {
                    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
                }
            }
            ("public", _) => assert_eq!(answer.status, 403, "{what}"),
            _ => {
                assert_eq!(answer.status, 303, "{what}");
                assert_eq!(answer.header("location"), "/sign-in", "{what}");
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 14);
}

#[tokio::test]
async fn customers_are_told_that_these_pages_are_for_staff() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.browser();
    let answer = browser.sign_in(CUSTOMER, PASSWORD).await;
    assert_eq!(answer.status, 403);
    let page = answer.text();
    assert!(
        page.contains("role=\"alert\">This account may not sign in here"),
        "{page}"
    );
    assert!(!page.contains("Casey"), "{page}");
    assert_eq!(browser.get("/").await.header("location"), "/sign-in");
}

#[tokio::test]
async fn staff_who_are_staff_no_more_lose_access_with_the_next_token() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.staff().await;
    browser.page("/").await;
    kitchen
        .database
        .execute("update accounts set role = 'customer' where email = 'staff@example.test'")
        .await;
    let held = browser.0.cookie(COOKIE).unwrap();
    browser.0.set_cookie(COOKIE, &aged(&held));
    for path in ["/", "/menu", "/audit"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        answer.assert_headers(path);
    }
}

/// The same session, later: its access token is none any more.
fn aged(value: &str) -> String {
    use axum::http::{HeaderMap, HeaderValue, header};
    let cookie = guard::SessionCookie::new(
        COOKIE,
        &[crate::kitchen::KEY.into()],
        settings::AppEnv::Local,
    );
    let pair = HeaderValue::from_str(&format!("{COOKIE}={value}")).unwrap();
    let headers = HeaderMap::from_iter([(header::COOKIE, pair)]);
    let mut content: serde_json::Value = cookie.open(&headers).unwrap();
    content["account"]["access_token"] = "".into();
    let minute = std::time::Duration::from_mins(1);
    let header = cookie.seal(&content, minute).unwrap();
    let (pair, _) = header.to_str().unwrap().split_once(';').unwrap();
    pair.split_once('=').unwrap().1.to_owned()
}

#[tokio::test]
async fn every_form_needs_our_token_and_our_origin() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.staff().await;
    let before = browser.page("/").await + &browser.page("/menu").await;
    let csrf = hidden(&before, "csrf");
    let ours = kitchen.admin.url();
    let fields = "status=cooking&version=1&name=Pho&description=x&price_cents=9&email=a@b.test";
    let with_token = format!("{fields}&csrf={csrf}");
    let routes = admin::records();
    let posts: Vec<_> = routes
        .iter()
        .filter(|route| route.method == "POST")
        .collect();
    assert_eq!(posts.len(), 5);
    for route in posts {
        let path = route.path.replace("{id}", "3");
        let forgeries: [(&[(&str, &str)], &str); 5] = [
            (&[("origin", &ours)], fields),
            (&[("origin", &ours)], &format!("{fields}&csrf=x")),
            (&[("origin", "https://evil.example")], &with_token),
            (&[("referer", "https://evil.example/")], &with_token),
            (&[], &with_token),
        ];
        for (headers, body) in forgeries {
            let headers = [headers, &[FORM]].concat();
            let body = body.to_owned();
            let answer = browser.0.send(Method::POST, &path, &headers, body).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
        }
    }
    let after = browser.page("/").await + &browser.page("/menu").await;
    assert_eq!(before, after);
}
