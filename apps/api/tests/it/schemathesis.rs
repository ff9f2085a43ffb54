//! The app does what its OpenAPI document says: schemathesis makes up requests from the document,
//! right ones and wrong ones, and compares the answers with it.

use std::process::Command;

use guard::Role;
use serde_json::json;
use testkit::Served;

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis.py");

#[tokio::test]
async fn nothing_contradicts_the_document() {
    let database = testkit::sqlite().await;
    let app = TestApp::in_env(&database, "local").await;
    let identity = app.account("chef", Role::Staff).await;
    let (chef, token) = app.signed_in(&identity);
    // The small numbers that it tries first name something then.
    for name in ["Soup", "Stew", "Cake"] {
        let meal = json!({"name": name, "price_cents": 450});
        let meal_id = chef.post("/v1/menu", meal).await.expect(201)["id"].clone();
        for quantity in 1..=3 {
            let order = json!({"meal_id": meal_id, "quantity": quantity});
            chef.post("/v1/orders", order).await.expect(201);
        }
    }
    let served = Served::start(app.app.clone()).await;

    let document = format!("{}/v1/openapi.json", served.url());
    let mut schemathesis = Command::new("schemathesis");
    schemathesis
        .args([
            "run",
            &document,
            "--checks=all",
            "--max-examples=10",
            "--rate-limit=100/s",
        ])
        .args(["--no-color", "--generation-database=none"])
        // Staff who sign out are out at once: all that comes after it would be refused.
        .arg("--exclude-path=/v1/sessions/current")
        .arg(format!("--header=Authorization: Bearer {token}"))
        .env("SCHEMATHESIS_HOOKS", HOOKS)
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    let run = tokio::task::spawn_blocking(move || schemathesis.output());
    let output = run
        .await
        .unwrap()
        .expect("`schemathesis` cannot be run: is it installed?");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Whoever called is signed in still: the handlers were reached.
    chef.get("/v1/audit").await.expect(200);
    // All but that and the document itself: no other was left out, and the tool has not given up
    // before.
    let routes = api::records().into_iter();
    let operations = routes
        .filter(|route| route.path.starts_with("/v1/"))
        .count()
        - 2;
    assert!(
        report.contains(&format!("Tested: {operations}\n")),
        "{report}"
    );
}
