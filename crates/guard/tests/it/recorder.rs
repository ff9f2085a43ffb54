//! What the router tells about itself.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::extract::State;
use guard::{
    Deny, GuardedRouter, Guards, Role, RouteRecord, WebhookKey, public, role, signed_in, webhook,
};
use settings::AppEnv;

use crate::{get, send, text};

fn record(method: &'static str, path: &str, access: &str, line: u32) -> RouteRecord {
    RouteRecord {
        method,
        path: path.to_owned(),
        access: access.to_owned(),
        reason: (access == "public").then_some("a test"),
        file: "crates/guard/tests/it/recorder.rs".to_owned(),
        line,
    }
}

#[test]
fn records_hold_the_full_path_and_the_line_of_registration() {
    let start = line!();
    let inner = GuardedRouter::<()>::new()
        .get("/", public("a test"), async || ())
        .post("/{id}", signed_in(), async || ());
    let router = GuardedRouter::new()
        .put("/put", role(Role::Staff), async || ())
        .patch("/patch", role(Role::Customer), async || ())
        .delete("/delete", signed_in(), async || ())
        .post("/hook", webhook("payments"), async || ())
        .nest("/v1", GuardedRouter::new().nest("/menu", inner));
    let expected = [
        record("PUT", "/put", "role:staff", start + 5),
        record("PATCH", "/patch", "role:customer", start + 6),
        record("DELETE", "/delete", "signed-in", start + 7),
        record("POST", "/hook", "webhook:payments", start + 8),
        record("GET", "/v1/menu", "public", start + 2),
        record("POST", "/v1/menu/{id}", "signed-in", start + 3),
    ];
    assert_eq!(router.records(), expected);
    let guards = Guards::new(Deny::Problem, AppEnv::Local);
    let app = router.finish(guards.webhook_key("payments", WebhookKey::new(&"k".into())));
    assert_eq!(app.routes(), expected);
}

#[tokio::test]
async fn nested_routes_answer_at_their_recorded_path_with_their_state() {
    let inner = GuardedRouter::new().get(
        "/",
        public("a test"),
        async |State(name): State<&'static str>| name,
    );
    let app = GuardedRouter::new()
        .nest("/v1", inner)
        .with_state(&"ada")
        .finish(Guards::new(Deny::Problem, AppEnv::Local));
    assert_eq!(text(send(&app, get("/v1")).await).await, "ada");
    assert_eq!(send(&app, get("/v1/")).await.status(), 404);
}

#[track_caller]
fn panics_with(expected: &str, registration: impl FnOnce()) {
    let payload = catch_unwind(AssertUnwindSafe(registration)).unwrap_err();
    let message = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn mistakes_stop_the_registration_with_a_clear_message() {
    for reason in ["", "  "] {
        panics_with("a public route needs a reason", || {
            let _ = public(reason);
        });
    }
    let line = line!() + 1;
    let one = || GuardedRouter::<()>::new().get("/a", signed_in(), async || ());
    panics_with("path `a` must begin with a slash", || {
        let _ = GuardedRouter::<()>::new().get("a", signed_in(), async || ());
    });
    panics_with(
        "prefix `/v1/` must begin with a slash and end without one",
        || {
            let _ = one().nest("/v1/", one());
        },
    );
    panics_with(
        &format!("`GET /a` is registered twice: crates/guard/tests/it/recorder.rs:{line} and"),
        || {
            let _ = one()
                .merge(one())
                .finish(Guards::new(Deny::Problem, AppEnv::Local));
        },
    );
    panics_with(
        "`POST /hook` takes webhooks of `payments`, which has no key",
        || {
            let hook = GuardedRouter::<()>::new().post("/hook", webhook("payments"), async || ());
            let _ = hook.finish(Guards::new(Deny::Problem, AppEnv::Local));
        },
    );
}
