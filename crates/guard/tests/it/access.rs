//! Who gets in.

use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode, header};
use guard::{
    App, Authentication, Authenticator, Carrier, Deny, GuardedRouter, Identity, NoIdentities,
    Problem, Role, SignedTokens, public, role, signed_in,
};
use settings::AppEnv;

use crate::{bearer, get, get_as, json, send, status, text, tokens};

fn app(deny: Deny, carrier: Carrier) -> App {
    GuardedRouter::new()
        .get("/open", public("a test"), async || "open")
        .get("/mine", signed_in(), async |identity: Identity| {
            identity.subject
        })
        .get("/kitchen", role(Role::Staff), async || "kitchen")
        .finish(tokens(carrier), deny, AppEnv::Production)
}

#[tokio::test]
async fn each_policy_allows_and_denies() {
    let app = app(Deny::Problem, Carrier::Bearer);
    assert_eq!(status(&app, get("/open")).await, StatusCode::OK);

    let denied = send(&app, get("/mine")).await;
    assert_eq!(denied.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(denied.headers()[header::WWW_AUTHENTICATE], "Bearer");
    assert_eq!(
        json(denied).await,
        serde_json::json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "sign in first",
        })
    );
    assert_eq!(
        text(send(&app, get_as(Role::Customer, "/mine")).await).await,
        "ada"
    );

    assert_eq!(
        status(&app, get("/kitchen")).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(&app, get_as(Role::Customer, "/kitchen")).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status(&app, get_as(Role::Staff, "/kitchen")).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn head_and_other_methods_are_no_way_round() {
    let app = app(Deny::Problem, Carrier::Bearer);
    let head = Request::head("/mine").body(Body::empty()).unwrap();
    assert_eq!(status(&app, head).await, StatusCode::UNAUTHORIZED);
    let post = Request::post("/mine").body(Body::empty()).unwrap();
    assert_eq!(status(&app, post).await, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn two_methods_of_one_path_keep_their_own_policies() {
    let app = GuardedRouter::new()
        .get("/menu", public("a test"), async || "menu")
        .post("/menu", role(Role::Staff), async || "added")
        .finish(tokens(Carrier::Bearer), Deny::Problem, AppEnv::Production);
    assert_eq!(status(&app, get("/menu")).await, StatusCode::OK);
    let post = || Request::post("/menu");
    assert_eq!(
        status(&app, post().body(Body::empty()).unwrap()).await,
        StatusCode::UNAUTHORIZED
    );
    let staff = post().header(header::AUTHORIZATION, bearer(Role::Staff));
    assert_eq!(
        status(&app, staff.body(Body::empty()).unwrap()).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn pages_send_the_signed_out_to_sign_in_and_show_the_wrong_role_a_page() {
    let app = app(Deny::SignIn("/sign-in"), Carrier::Cookie("session"));
    let denied = send(&app, get("/kitchen")).await;
    assert_eq!(denied.status(), StatusCode::SEE_OTHER);
    assert_eq!(denied.headers()[header::LOCATION], "/sign-in");

    let session = tokens(Carrier::Bearer).issue("ada", Role::Customer, Duration::from_mins(1));
    let cookie = format!("theme=dark; session={}", session.unwrap());
    let request = |path| {
        Request::get(path)
            .header(header::COOKIE, &cookie)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(text(send(&app, request("/mine")).await).await, "ada");
    let wrong = send(&app, request("/kitchen")).await;
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    assert!(text(wrong).await.contains("<h1>Forbidden</h1>"));
}

#[tokio::test]
async fn an_app_without_sign_in_denies_with_a_page() {
    let app = GuardedRouter::new()
        .get("/mine", signed_in(), async || "")
        .finish(NoIdentities, Deny::Page, AppEnv::Production);
    let denied = send(&app, get("/mine")).await;
    assert_eq!(denied.status(), StatusCode::UNAUTHORIZED);
    assert!(text(denied).await.contains("<h1>Unauthorized</h1>"));
}

#[tokio::test]
async fn a_bearer_token_is_not_a_cookie() {
    let app = app(Deny::Problem, Carrier::Cookie("session"));
    assert_eq!(
        status(&app, get_as(Role::Staff, "/mine")).await,
        StatusCode::UNAUTHORIZED
    );
}

#[test]
fn only_our_own_fresh_tokens_are_believed() {
    let ours = tokens(Carrier::Bearer);
    let minute = Duration::from_mins(1);
    let token = ours.issue("ada", Role::Staff, minute).unwrap();
    assert_eq!(
        ours.verify(&token),
        Some(Identity {
            subject: "ada".into(),
            role: Role::Staff
        })
    );

    let other = SignedTokens::new(&"f".repeat(32).into(), Carrier::Bearer);
    assert_eq!(
        ours.verify(&other.issue("ada", Role::Staff, minute).unwrap()),
        None
    );
    let expired = ours.issue("ada", Role::Staff, Duration::ZERO).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(ours.verify(&expired), None);

    // {"alg":"none"}, and a signature cut short.
    let claims = token.split('.').nth(1).unwrap();
    assert_eq!(
        ours.verify(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")),
        None
    );
    assert_eq!(ours.verify(&token[..token.len() - 4]), None);
    for junk in ["", ".", "..", "a.b.c"] {
        assert_eq!(ours.verify(junk), None);
    }
}

/// HS256 as anyone else computes it: this token was made with Python.
#[test]
fn the_algorithm_is_the_standard_one() {
    let key = "your-256-bit-secret".to_owned().into();
    // {"alg":"HS256","typ":"JWT"}.{"sub":"1234567890","role":"staff","iat":0,"exp":4102444800}
    let tokens = SignedTokens::new(&key, Carrier::Bearer);
    let [header, claims, signature] = [
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwicm9sZSI6InN0YWZmIiwiaWF0IjowLCJleHAiOjQxMDI0NDQ4MDB9",
        "QHVScVsMBIF9MJzAjZzVpK806R22exRsyqRDQz1B_Kw",
    ];
    let token = format!("{header}.{claims}.{signature}");
    assert_eq!(tokens.verify(&token).unwrap().subject, "1234567890");
}

#[tokio::test]
async fn an_authenticator_that_fails_denies_and_says_so() {
    struct Broken;
    impl Authenticator for Broken {
        fn authenticate<'a>(&'a self, _: &'a Parts) -> Authentication<'a> {
            Box::pin(async { Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE)) })
        }
    }
    let app = GuardedRouter::new()
        .get("/mine", signed_in(), async || "")
        .get("/open", public("a test"), async || "")
        .finish(Broken, Deny::SignIn("/sign-in"), AppEnv::Production);
    assert_eq!(
        status(&app, get("/mine")).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(status(&app, get("/open")).await, StatusCode::OK);
}

#[tokio::test]
async fn an_identity_is_not_to_be_had_on_a_public_route() {
    let app = GuardedRouter::new()
        .get("/open", public("a test"), async |identity: Identity| {
            identity.subject
        })
        .finish(tokens(Carrier::Bearer), Deny::Problem, AppEnv::Production);
    assert_eq!(
        status(&app, get_as(Role::Staff, "/open")).await,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}
