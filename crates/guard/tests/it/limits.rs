//! How often, how much, how long.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request as Incoming;
use axum::http::{Method, Request, StatusCode, header};
use guard::{App, ClientAddr, Deny, GuardedRouter, RateClass, Role, public, signed_in};
use http_body_util::{BodyExt, Empty};
use settings::AppEnv;
use tower::ServiceExt;

use crate::{get_as, guards, send, status};

fn finish(router: GuardedRouter) -> App {
    router.finish(guards(Deny::Problem, AppEnv::Production))
}

fn from(addr: &str, path: &str) -> Request<Body> {
    let addr = ClientAddr(addr.parse::<IpAddr>().unwrap());
    Request::get(path)
        .extension(addr)
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn a_caller_that_comes_too_often_is_told_when_to_come_back() {
    let app = finish(
        GuardedRouter::new()
            .get(
                "/mine",
                signed_in().rate(RateClass::Strict),
                async || "mine",
            )
            .get("/open", public("a test"), async || "open"),
    );
    for _ in 0..10 {
        assert_eq!(
            status(&app, from("192.0.2.1", "/mine")).await,
            StatusCode::UNAUTHORIZED
        );
    }
    let refused = send(&app, from("192.0.2.1", "/mine")).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()[header::RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=6).contains(&wait));

    // Another address, another class and an identity each have their own allowance.
    assert_eq!(
        status(&app, from("192.0.2.2", "/mine")).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(&app, from("192.0.2.1", "/open")).await,
        StatusCode::OK
    );
    let mut signed_in = get_as(Role::Customer, "/mine");
    signed_in
        .extensions_mut()
        .insert(ClientAddr([192, 0, 2, 1].into()));
    assert_eq!(status(&app, signed_in).await, StatusCode::OK);
}

#[tokio::test]
async fn an_identity_is_counted_wherever_it_comes_from() {
    let app = finish(GuardedRouter::new().get(
        "/mine",
        signed_in().rate(RateClass::Strict),
        async || "mine",
    ));
    let mut statuses = Vec::new();
    for n in 0..11 {
        let mut request = get_as(Role::Customer, "/mine");
        request
            .extensions_mut()
            .insert(ClientAddr([192, 0, 2, n].into()));
        statuses.push(status(&app, request).await.as_u16());
    }
    assert_eq!(statuses, [&[200; 10][..], &[429]].concat());
}

#[tokio::test]
async fn what_matches_no_route_is_counted_too() {
    let app = finish(GuardedRouter::new().get("/open", public("a test"), async || "open"));
    let mut statuses = BTreeMap::new();
    for _ in 0..130 {
        *statuses
            .entry(status(&app, from("192.0.2.1", "/nowhere")).await.as_u16())
            .or_insert(0) += 1;
        let mut post = from("192.0.2.1", "/open");
        *post.method_mut() = Method::POST;
        *statuses
            .entry(status(&app, post).await.as_u16())
            .or_insert(0) += 1;
    }
    let refused = statuses.remove(&429).unwrap_or(0);
    assert!((1..=20).contains(&refused), "{refused} {statuses:?}");
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [404, 405]);
    // The same allowance as for everything else of this class.
    assert_eq!(
        status(&app, from("192.0.2.1", "/open")).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        status(&app, from("192.0.2.2", "/open")).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_body_is_limited_however_it_is_read() {
    let app = finish(
        GuardedRouter::new()
            .post(
                "/bytes",
                public("a test").body_limit(4),
                async |body: Bytes| body,
            )
            .post(
                "/raw",
                public("a test").body_limit(4),
                async |request: Incoming| {
                    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await;
                    body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
                },
            )
            .post("/default", public("a test"), async |_: Bytes| ())
            .post(
                "/large",
                public("a test").body_limit(3 << 20),
                async |_: Bytes| (),
            ),
    );
    let post = |path: &str, len: usize| {
        // Without a server in between, nothing announces its length.
        Request::post(path).body(vec![b'a'; len].into()).unwrap()
    };
    for (path, len, expected) in [
        ("/bytes", 4, 200),
        ("/bytes", 5, 413),
        ("/raw", 4, 200),
        ("/raw", 5, 413),
        ("/default", 64 * 1024, 200),
        ("/default", 64 * 1024 + 1, 413),
        ("/large", 3 << 20, 200),
    ] {
        assert_eq!(
            status(&app, post(path, len)).await,
            expected,
            "{path} {len}"
        );
    }
}

#[tokio::test]
async fn an_announced_length_is_refused_before_the_handler_runs() {
    let ran = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ran);
    let app =
        finish(
            GuardedRouter::new().post("/", public("a test").body_limit(4), async move || {
                seen.store(true, Ordering::Relaxed);
            }),
        );
    let request = Request::post("/")
        .header(header::CONTENT_LENGTH, 5)
        .body("12345".into());
    assert_eq!(
        status(&app, request.unwrap()).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert!(!ran.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_hanging_handler_and_a_hanging_body_are_finalised() {
    let short = public("a test").timeout(Duration::from_millis(20));
    let app = finish(
        GuardedRouter::new()
            .get("/hang", short, async || pending::<()>().await)
            .post("/read", short, async |_: Bytes| ()),
    );
    let hang = app
        .clone()
        .oneshot(Request::get("/hang").body(Body::empty()).unwrap());
    let hang = tokio::time::timeout(Duration::from_secs(5), hang)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(hang.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(hang.headers()[header::RETRY_AFTER], "1");

    let endless = Empty::<Bytes>::new().with_trailers(pending());
    let read = Request::post("/read").body(Body::new(endless)).unwrap();
    assert_eq!(status(&app, read).await, StatusCode::SERVICE_UNAVAILABLE);
}
