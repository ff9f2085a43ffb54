//! What every answer carries, whichever part of the app gave it.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Json;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use guard::{
    App, Deny, FieldError, GuardedRouter, Problem, RateClass, Role, public, role, signed_in,
};
use settings::AppEnv;

use crate::{get, get_as, guards, json, send, status, text};

fn app_in(env: AppEnv, deny: Deny) -> App {
    GuardedRouter::new()
        .get("/open", public("a test"), async || "open")
        .get("/mine", signed_in(), async || "mine")
        .get("/kitchen", role(Role::Staff), async || "kitchen")
        .get("/panic", public("a test"), async || -> &'static str {
            panic!("secret of the chef")
        })
        .get("/broken", public("a test"), async || {
            Problem::internal(&std::io::Error::other("secret of the chef"))
        })
        .get("/plain", public("a test"), async || {
            (StatusCode::BAD_GATEWAY, "secret of the chef")
        })
        .get("/invalid", public("a test"), async || {
            Problem::invalid(vec![FieldError {
                field: "name".into(),
                message: "must not be empty".into(),
            }])
        })
        .get(
            "/slow",
            public("a test").timeout(Duration::from_millis(20)),
            async || std::future::pending::<&str>().await,
        )
        .get(
            "/rare",
            public("a test").rate(RateClass::Strict),
            async || "rare",
        )
        .post(
            "/body",
            public("a test").body_limit(8),
            async |body: String| body,
        )
        .post("/json", public("a test"), async |Json(n): Json<u8>| {
            n.to_string()
        })
        .finish(guards(deny, env))
}

fn app() -> App {
    app_in(AppEnv::Production, Deny::Problem)
}

fn request(method: Method, path: &str, body: &'static str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn headers_are_on_every_class_of_answer() {
    let app = app();
    for _ in 0..10 {
        assert_eq!(status(&app, get("/rare")).await, StatusCode::OK);
    }
    let json = Request::post("/json").header(header::CONTENT_TYPE, "application/json");
    let preflight = Request::options("/open")
        .header(header::ORIGIN, "https://elsewhere.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET");
    let long = Request::post("/body").header(header::CONTENT_LENGTH, "9");
    let cases = [
        (200, get("/open")),
        (200, request(Method::HEAD, "/open", "")),
        (200, get_as(Role::Customer, "/mine")),
        (401, get("/mine")),
        (403, get_as(Role::Customer, "/kitchen")),
        (404, get("/nowhere")),
        (404, get("/mine/../open")),
        (405, request(Method::DELETE, "/open", "")),
        (405, preflight.body(Body::empty()).unwrap()),
        (413, request(Method::POST, "/body", "too long!")),
        (413, long.body("too long!".into()).unwrap()),
        (415, request(Method::POST, "/json", "1")),
        (422, json.body("\"one\"".into()).unwrap()),
        (422, get("/invalid")),
        (429, get("/rare")),
        (500, get("/panic")),
        (500, get("/broken")),
        (502, get("/plain")),
        (503, get("/slow")),
    ];
    for (expected, request) in cases {
        let what = format!("{} {}", request.method(), request.uri());
        let response = send(&app, request).await;
        assert_eq!(response.status(), expected, "{what}");
        let headers = response.headers();
        for (name, part) in [
            ("content-security-policy", "frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("permissions-policy", "camera=()"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("strict-transport-security", "max-age=63072000"),
        ] {
            let value = headers
                .get(name)
                .unwrap_or_else(|| panic!("{what} lacks {name}"));
            assert!(
                value.to_str().unwrap().contains(part),
                "{what}: {name}: {value:?}"
            );
        }
        assert_eq!(headers["x-request-id"].len(), 32, "{what}");
        if expected >= 400 {
            assert_eq!(
                headers[header::CONTENT_TYPE],
                "application/problem+json",
                "{what}"
            );
            assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{what}");
            let body = text(response).await;
            assert!(!body.contains("secret"), "{what}: {body}");
            assert!(
                body.contains(&format!("\"status\":{expected}")),
                "{what}: {body}"
            );
        }
    }
}

#[tokio::test]
async fn answers_behind_an_identity_or_to_a_change_are_never_stored() {
    let app = app();
    let change = send(&app, request(Method::POST, "/body", "a")).await;
    assert_eq!(change.status(), StatusCode::OK);
    assert_eq!(change.headers()[header::CACHE_CONTROL], "no-store");
    let mine = send(&app, get_as(Role::Customer, "/mine")).await;
    assert_eq!(mine.headers()[header::CACHE_CONTROL], "no-store");
    let open = send(&app, get("/open")).await;
    assert_eq!(open.headers().get(header::CACHE_CONTROL), None);
    let pages = app_in(AppEnv::Production, Deny::SignIn("/sign-in"));
    let redirect = send(&pages, get("/mine")).await;
    assert_eq!(redirect.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn no_hsts_on_a_developers_machine() {
    let response = send(&app_in(AppEnv::Local, Deny::Problem), get("/open")).await;
    assert_eq!(
        response.headers().get(header::STRICT_TRANSPORT_SECURITY),
        None
    );
}

#[tokio::test]
async fn a_handler_cannot_weaken_them() {
    let own = [
        (header::CONTENT_SECURITY_POLICY, "default-src *"),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=0"),
    ];
    let names = own.clone().map(|(name, _)| name);
    let app = GuardedRouter::new()
        .get("/", public("a test"), async move || (own.clone(), "open"))
        .finish(guards(Deny::Problem, AppEnv::Production));
    let (own, ours) = (
        send(&app, get("/")).await,
        send(&app, get("/nowhere")).await,
    );
    for name in &names {
        let values = |response: &Response| -> Vec<_> {
            response.headers().get_all(name).iter().cloned().collect()
        };
        assert_eq!(values(&own), values(&ours), "{name}");
        assert_eq!(values(&own).len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_harmless_request_id_is_answered_and_another_replaced() {
    for (sent, kept) in [("deploy-42", true), ("a b", false), ("", false)] {
        let request = Request::get("/open")
            .header("x-request-id", sent)
            .body(Body::empty());
        let response = send(&app(), request.unwrap()).await;
        assert_eq!(response.headers()["x-request-id"] == sent, kept, "{sent}");
    }
}

#[tokio::test]
async fn not_allowed_keeps_its_allow_header() {
    let response = send(&app(), request(Method::DELETE, "/open", "")).await;
    assert_eq!(response.headers()[header::ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn problems_name_the_fields_and_keep_what_helps_the_caller() {
    let app = app();
    let invalid = json(send(&app, get("/invalid")).await).await;
    assert_eq!(
        invalid["errors"],
        serde_json::json!([{"field": "name", "message": "must not be empty"}])
    );
    let mistyped = json(send(&app, request(Method::POST, "/json", "1")).await).await;
    assert!(
        mistyped["detail"]
            .as_str()
            .unwrap()
            .contains("application/json"),
        "{mistyped}"
    );
}

#[tokio::test]
async fn page_apps_answer_errors_with_pages() {
    let app = app_in(AppEnv::Production, Deny::SignIn("/sign-in"));
    for (status, path) in [(404, "/nowhere"), (500, "/panic"), (503, "/slow")] {
        let response = send(&app, get(path)).await;
        assert_eq!(response.status(), status);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/html; charset=utf-8"
        );
        assert!(text(response).await.starts_with("<!doctype html>"));
    }
}
