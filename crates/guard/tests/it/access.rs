//! Who gets in.

use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guard::{
    App, Authentication, Authenticator, Deny, GuardedRouter, Guards, Identity, Problem, Role,
    SignedTokens, public, role, signed_in,
};
use secrecy::SecretString;
use settings::AppEnv;

use crate::{ada, bearer, get, get_as, guards, json, send, status, text, tokens};

fn app(deny: Deny) -> App {
    GuardedRouter::new()
        .get("/open", public("a test"), async || "open")
        .get("/mine", signed_in(), async |identity: Identity| {
            identity.subject
        })
        .get("/kitchen", role(Role::Staff), async || "kitchen")
        .finish(guards(deny, AppEnv::Production))
}

#[tokio::test]
async fn each_policy_allows_and_denies() {
    let app = app(Deny::Problem);
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
    let app = app(Deny::Problem);
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
        .finish(guards(Deny::Problem, AppEnv::Production));
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
    let app = app(Deny::SignIn("/sign-in"));
    let denied = send(&app, get("/kitchen")).await;
    assert_eq!(denied.status(), StatusCode::SEE_OTHER);
    assert_eq!(denied.headers()[header::LOCATION], "/sign-in");
    let wrong = send(&app, get_as(Role::Customer, "/kitchen")).await;
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    assert!(text(wrong).await.contains("<h1>Forbidden</h1>"));
}

#[tokio::test]
async fn an_app_without_sign_in_denies_with_a_page() {
    let app = GuardedRouter::new()
        .get("/mine", signed_in(), async || "")
        .finish(Guards::new(Deny::Page, AppEnv::Production));
    let denied = send(&app, get("/mine")).await;
    assert_eq!(denied.status(), StatusCode::UNAUTHORIZED);
    assert!(text(denied).await.contains("<h1>Unauthorized</h1>"));
}

#[test]
fn only_our_own_fresh_tokens_are_believed() {
    let ours = tokens();
    let minute = Duration::from_mins(1);
    let identity = Identity {
        session: Some("s1".into()),
        ..ada(Role::Staff)
    };
    let token = ours.issue(&identity, minute).unwrap();
    assert_eq!(ours.verify(&token), Some(identity.clone()));

    let other = SignedTokens::new(&["f".repeat(32).into()]);
    assert_eq!(ours.verify(&other.issue(&identity, minute).unwrap()), None);
    let short = ours.issue(&identity, Duration::from_secs(2)).unwrap();
    // One that was found good is remembered, and expires all the same.
    assert!(ours.verify(&short).is_some());
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(ours.verify(&short), None);
    assert_eq!(tokens().verify(&short), None);

    // {"alg":"none"} with our own key's id, and a signature cut short.
    let [header, claims, _] = *token.split('.').collect::<Vec<_>>() else {
        panic!("{token}")
    };
    let header = String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let none = URL_SAFE_NO_PAD.encode(header.replace("HS256", "none"));
    assert_eq!(ours.verify(&format!("{none}.{claims}.")), None);
    assert_eq!(ours.verify(&token[..token.len() - 4]), None);
    for junk in ["", ".", "..", "a.b.c"] {
        assert_eq!(ours.verify(junk), None);
    }
}

#[test]
fn keys_change_without_a_gap() {
    let (old, new): (SecretString, SecretString) = ("o".repeat(32).into(), "n".repeat(32).into());
    let with = |keys: &[&SecretString]| {
        SignedTokens::new(&keys.iter().map(|&key| key.clone()).collect::<Vec<_>>())
    };
    // Instances change one after the other, so each step is believed by the one before and after.
    let steps = [
        with(&[&old]),
        with(&[&old, &new]),
        with(&[&new, &old]),
        with(&[&new]),
    ];
    let believes = |reader: usize, writer: usize| {
        let token = steps[writer].issue(&ada(Role::Staff), Duration::from_mins(1));
        steps[reader].verify(&token.unwrap()).is_some()
    };
    for step in 0..3 {
        assert!(
            believes(step, step + 1) && believes(step + 1, step),
            "{step}"
        );
    }
    assert!(!believes(0, 3) && !believes(3, 0));
    assert!(
        SignedTokens::new(&[])
            .issue(&ada(Role::Staff), Duration::ZERO)
            .is_err()
    );
}

/// HS256 as anyone else computes it: this token was made with Python.
#[test]
fn the_algorithm_is_the_standard_one() {
    // {"alg":"HS256","typ":"JWT","kid":"tg-CwaiO"}
    // {"sub":"1234567890","role":"staff","iat":0,"exp":4102444800}
    let tokens = SignedTokens::new(&["your-256-bit-secret".into()]);
    let [header, claims, signature] = [
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InRnLUN3YWlPIn0",
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwicm9sZSI6InN0YWZmIiwiaWF0IjowLCJleHAiOjQxMDI0NDQ4MDB9",
        "-Ps2a847Gt4BjsRb3hARB1cRjkU_cqRsOe8EYCRGh0M",
    ];
    let token = format!("{header}.{claims}.{signature}");
    assert_eq!(tokens.verify(&token).unwrap().subject, "1234567890");
}

#[tokio::test]
async fn an_authenticator_that_fails_denies_and_says_so() {
    struct Broken;
    impl Authenticator for Broken {
        fn authenticate<'a>(&'a self, _: &'a mut Parts) -> Authentication<'a> {
            Box::pin(async { Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE)) })
        }
    }
    let app = GuardedRouter::new()
        .get("/mine", signed_in(), async || "")
        .get("/open", public("a test"), async || "")
        .finish(Guards::new(Deny::SignIn("/sign-in"), AppEnv::Production).authenticator(Broken));
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
        .finish(guards(Deny::Problem, AppEnv::Production));
    assert_eq!(
        status(&app, get_as(Role::Staff, "/open")).await,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}
