//! An app behind a socket, and the client for it.

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::AppendHeaders;
use guard::{Deny, GuardedRouter, Guards, public};
use settings::AppEnv;
use testkit::{Http, Served};

/// Says what it was sent; gives a cookie, or takes it away.
async fn served() -> Served {
    let echo = async |method: Method, headers: HeaderMap, body: String| {
        let cookie = headers
            .get(header::COOKIE)
            .map(|value| value.to_str().unwrap());
        format!("{method} {} {body}", cookie.unwrap_or("-"))
    };
    let give = async || {
        let headers = [
            ("set-cookie", "a=1; Path=/; Secure"),
            ("set-cookie", "b=2"),
            ("location", "/echo"),
        ];
        (StatusCode::SEE_OTHER, AppendHeaders(headers))
    };
    let take = async || AppendHeaders([(header::SET_COOKIE, "a=; Max-Age=0")]);
    let open = || public("a test calls it");
    let app = GuardedRouter::new()
        .get("/echo", open(), echo)
        .post("/echo", open(), echo)
        .get("/give", open(), give)
        .get("/take", open(), take)
        .finish(Guards::new(Deny::Problem, AppEnv::Local));
    Served::start(app).await
}

#[tokio::test]
async fn a_client_sends_what_it_is_told_and_follows_nothing() {
    let served = served().await;
    let http = Http::new(served.url());
    assert_eq!(http.get("/echo").await.text(), "GET - ");
    let headers = [("cookie", "x=y")];
    let answer = http.send(Method::POST, "/echo", &headers, "body").await;
    assert_eq!(answer.text(), "POST x=y body");
    let form = [("name", "dal & rice"), ("quantity", "2")];
    let answer = http.post_form("/echo", &form).await;
    assert_eq!(answer.text(), "POST - name=dal+%26+rice&quantity=2");
    let answer = http.get("/give").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/echo");
    assert_eq!(answer.header("etag"), "");
    assert_eq!(http.get("/nowhere").await.json()["status"], 404);
}

#[tokio::test]
async fn a_jar_keeps_cookies_until_they_end() {
    let served = served().await;
    let http = Http::with_cookies(served.url());
    http.get("/give").await;
    assert_eq!(http.get("/echo").await.text(), "GET a=1; b=2 ");
    http.get("/take").await;
    assert_eq!(http.get("/echo").await.text(), "GET b=2 ");
    http.set_cookie("b", "3");
    assert_eq!(http.cookie("b").as_deref(), Some("3"));
    assert_eq!(http.get("/echo").await.text(), "GET b=3 ");
    let forgetful = Http::new(served.url());
    forgetful.get("/give").await;
    assert_eq!(forgetful.get("/echo").await.text(), "GET - ");
}

#[tokio::test]
async fn a_served_app_ends_with_its_owner() {
    let served = served().await;
    let addr = served.addr();
    Http::new(served.url()).get("/echo").await;
    drop(served);
    tokio::task::yield_now().await;
    let refused = tokio::net::TcpStream::connect(addr).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}
