//! Forms that were not ours.

use axum::http::Method;
use testkit::hidden;

use crate::kitchen::{CUSTOMER, Kitchen};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn every_form_needs_our_token_and_our_origin() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let before = kitchen.api_as(CUSTOMER).await.orders().await;
    let page = browser.page("/").await;
    let csrf = hidden(&page, "csrf");
    let ours = kitchen.client.url();
    let once = hidden(&page, "once");
    let fields = "meal_id=1&quantity=1&version=1&email=a@b.test&name=x&password=rather+long+one";
    let with_token = format!("{fields}&csrf={csrf}");
    let routes = client::records();
    let posts: Vec<_> = routes
        .iter()
        .filter(|route| route.method == "POST")
        .collect();
    assert_eq!(posts.len(), 5);
    for route in posts {
        let path = route.path.replace("{id}", &before[0].id.to_string());
        let forgeries: [(&[(&str, &str)], &str); 7] = [
            (&[FORM, ("origin", &ours)], fields),
            (&[FORM, ("origin", &ours)], &format!("{fields}&csrf=x")),
            (&[FORM, ("origin", &ours)], &format!("{fields}&csrf=")),
            (&[FORM, ("origin", "https://evil.example")], &with_token),
            (&[FORM, ("origin", "null")], &with_token),
            (&[FORM, ("referer", "https://evil.example/")], &with_token),
            (&[FORM], &with_token),
        ];
        for (nth, (headers, body)) in forgeries.into_iter().enumerate() {
            // From here and there, or the rate limit would refuse them first.
            let from = format!("192.0.2.{nth}");
            let headers = [headers, &[("x-forwarded-for", &from)]].concat();
            let body = body.to_owned();
            let answer = browser.0.send(Method::POST, &path, &headers, body).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert!(
                answer.text().contains("<h1>Forbidden</h1>"),
                "{}",
                answer.text()
            );
        }
    }
    assert_eq!(kitchen.api_as(CUSTOMER).await.orders().await, before);
    // The referer will do where a browser sends no origin.
    let with_token = format!("{with_token}&once={once}");
    let referer = format!("{ours}/");
    let headers = [FORM, ("referer", &referer)];
    let answer = browser
        .0
        .send(Method::POST, "/orders", &headers, with_token)
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
}
