//! The commands beside the table: what they print, and how they end.

use serde_json::Value;

use super::{GREEN, POLICY, Repo};
use crate::sandbox;

/// The app with other text in it.
fn but(old: &str, new: &str) -> String {
    assert!(GREEN.contains(old));
    GREEN.replace(old, new)
}

#[test]
fn the_table_has_three_forms() {
    let repo = Repo::new(POLICY, GREEN);
    let human = repo.routes(&[]);
    human
        .expect(0)
        .says("shop  GET   /orders  shop::auth::require_user  src/router.rs:9");
    human.says("2 routes in 1 app, 0 unresolved, 0 findings");

    let md = repo.routes(&["--format", "md"]);
    md.expect(0)
        .says("| app | method | path | access | handler | registered | reason |");
    let rows: Vec<&str> = md
        .stdout
        .lines()
        .filter(|line| line.contains("/orders"))
        .collect();
    assert_eq!(rows.len(), 2, "{}", md.stdout);
    let columns = |line: &str| line.matches(" | ").count();
    assert!(rows.iter().all(|row| columns(row) == 6), "{rows:?}");

    let json = repo.routes(&["--format", "json"]);
    let json = json.expect(0).json();
    assert_eq!(json["counts"]["seen"], 2);
    let route = &json["routes"][0];
    let expected = [
        ("app", "shop"),
        ("method", "GET"),
        ("path", "/orders"),
        ("file", "src/router.rs"),
        ("handler", "h"),
        ("access", "shop::auth::require_user"),
        ("verdict", "guarded"),
    ];
    for (key, value) in expected {
        assert_eq!(route[key], value, "{key} of {route:#}");
    }
    assert_eq!(route["line"], 9);
    assert_eq!(route["covered_by"], serde_json::json!(["src/router.rs:10"]));
    assert_eq!(route["rule"], Value::Null);
}

#[test]
fn a_red_table_is_red_in_each_form() {
    let repo = Repo::new(
        POLICY,
        &but("\n        .route_layer(from_fn(require_user))", ""),
    );
    let human = repo.routes(&[]);
    human
        .expect(1)
        .says("error: `GET /orders` of `shop` has no guard [RG001]")
        .says("at src/router.rs:9")
        .says("help: ");
    repo.routes(&["--format", "md"])
        .expect(1)
        .says("UNGUARDED (RG001)");
    let json = repo.routes(&["--format", "json"]);
    let json = json.expect(1).json();
    let findings = json["findings"].as_array().unwrap();
    let open = findings.iter().filter(|finding| finding["rule"] == "RG001");
    assert_eq!(open.count(), 2, "{json:#}");
    // And the guard of the policy stands before nothing any more.
    assert_eq!(findings.last().unwrap()["rule"], "RG009", "{json:#}");
    assert_eq!(json["routes"][0]["verdict"], "unguarded");
    repo.routes(&["--format", "xml"]).expect(2);
}

#[test]
fn explain_prints_the_stack_outermost_first() {
    let app = but("\n}", "\n        .layer(from_fn(set_headers))\n}");
    let repo = Repo::new(POLICY, &app);
    let ran = repo.routes(&["explain", "get", "/orders"]);
    ran.expect(0).says("GET /orders of shop: guarded");
    let at = |text: &str| {
        ran.stdout
            .find(text)
            .unwrap_or_else(|| panic!("no `{text}` in {}", ran.stdout))
    };
    assert!(
        at("shop::auth::set_headers  src/router.rs:11")
            < at("shop::auth::require_user  src/router.rs:10")
    );
    assert!(at("shop::auth::require_user  src/router.rs:10") < at("src/router.rs:9"));
    ran.says("guarded by shop::auth::require_user at src/router.rs:10");
    let json = repo.routes(&["explain", "GET", "/orders", "--format", "json"]);
    assert_eq!(json.expect(0).json()[0]["path"], "/orders");

    repo.routes(&["explain", "DELETE", "/orders"])
        .expect(3)
        .says("`/orders` has GET, POST");
    repo.routes(&["explain", "GET", "/nothing"])
        .expect(3)
        .says("no route `GET /nothing`")
        .says("help:");

    repo.app(
        &but("route_layer", "layer").replace(".route(", ".layer(from_fn(set_headers)).route("),
    );
    let ran = repo.routes(&["explain", "GET", "/orders"]);
    ran.expect(0)
        .says("GET /orders of shop: guarded")
        .says("shop::auth::require_user  src/router.rs:10")
        .says("guarded by shop::auth::require_user at src/router.rs:10");
    // A layer before the route is not around it.
    assert!(!ran.stdout.contains("set_headers"), "{}", ran.stdout);
    repo.app(&but("        .route_layer(from_fn(require_user))\n", ""));
    repo.routes(&["explain", "GET", "/orders"])
        .expect(0)
        .says("unguarded");
}

#[test]
fn diff_tells_what_was_added_dropped_changed_and_weakened() {
    let staff = POLICY.replace("\"]", "\", \"shop::auth::require_staff\"]");
    let app = "\
pub fn app() -> Router {
    let users = Router::new()
        .route(\"/orders\", get(h).post(h))
        .route_layer(from_fn(require_user));
    let staff = Router::new()
        .route(\"/menu\", post(h))
        .route_layer(from_fn(require_staff));
    users.merge(staff)
}
";
    let repo = Repo::new(&staff, app);
    repo.routes(&["diff", "HEAD"])
        .expect(0)
        .says("the routes are those of `HEAD`");
    let json = repo.routes(&["diff", "HEAD", "--format", "json"]);
    assert_eq!(json.expect(0).json(), serde_json::json!([]));

    // What is not committed yet counts.
    let added = app.replace("get(h).post(h)", "get(h).post(h).put(h)");
    repo.app(&added);
    let ran = repo.routes(&["diff", "HEAD"]);
    ran.expect(0)
        .says("added     shop  PUT /orders  shop::auth::require_user");

    repo.app(&app.replace("get(h).post(h)", "get(h)"));
    repo.routes(&["diff", "HEAD"])
        .expect(0)
        .says("dropped   shop  POST /orders");

    repo.app(&app.replace("from_fn(require_staff)", "from_fn(require_user)"));
    repo.routes(&["diff", "HEAD"])
        .expect(0)
        .says("changed   shop  POST /menu  shop::auth::require_staff → shop::auth::require_user");

    // A guard that is gone is weaker, and so is a declaration that lets everybody in.
    let open = app.replace("        .route_layer(from_fn(require_staff));", "        ;");
    repo.app(&open);
    let ran = repo.routes(&["diff", "HEAD"]);
    ran.expect(1)
        .says("weakened  shop  POST /menu  shop::auth::require_staff → unguarded");
    let public =
        "\n[[routes.public]]\nmethod = \"POST\"\npath = \"/menu\"\nreason = \"for a test\"\n";
    repo.write(
        "xtask.toml",
        &format!(
            "{}{public}",
            staff.replace(", \"shop::auth::require_staff\"", "")
        ),
    );
    repo.routes(&["diff", "HEAD"])
        .expect(1)
        .says("shop::auth::require_staff → public");
    let md = repo.routes(&["diff", "HEAD", "--format", "md"]);
    md.expect(1)
        .says("| weakened | shop | `POST /menu` | shop::auth::require_staff | public |");
    let json = repo.routes(&["diff", "HEAD", "--format", "json"]);
    assert_eq!(json.expect(1).json()[0]["kind"], "weakened");

    // Against older commits and branches, and back again.
    repo.commit("second");
    repo.routes(&["diff", "HEAD"]).expect(0);
    repo.routes(&["diff", "HEAD~1"]).expect(1);
    repo.app(app);
    repo.write("xtask.toml", &staff);
    let back = repo.routes(&["diff", "main"]);
    back.expect(0)
        .says("changed   shop  POST /menu  public → shop::auth::require_staff");

    repo.routes(&["diff", "no-such-branch"])
        .expect(3)
        .says("no commit `no-such-branch`")
        .says("help:");
    // Nothing is left behind, be it ignored or not.
    let status = repo.git(&["status", "--porcelain", "--ignored"]);
    assert_eq!(status, " M src/router.rs\n M xtask.toml\n");
    let left: Vec<_> = walkdir::WalkDir::new(repo.dir().join("target"))
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn diff_reads_a_workspace_below_the_top_of_the_repository() {
    let repo = Repo::new(POLICY, GREEN);
    for file in [
        "Cargo.toml",
        "xtask.toml",
        "src/main.rs",
        "src/auth.rs",
        "src/router.rs",
    ] {
        repo.write(&format!("below/the/top/{file}"), &repo.read(file));
    }
    repo.commit("below");
    repo.write(
        "below/the/top/src/router.rs",
        &repo.read("src/router.rs").replace("post(h)", "put(h)"),
    );
    let below = repo.dir().join("below/the/top");
    let ran = sandbox::run(sandbox::routes(&below, &["diff", "HEAD"]));
    ran.expect(0)
        .says("added     shop  PUT /orders")
        .says("dropped   shop  POST /orders");
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
}

#[test]
fn diff_needs_a_history() {
    let repo = Repo::new(POLICY, GREEN);
    std::fs::remove_dir_all(repo.dir().join(".git")).unwrap();
    repo.routes(&["diff", "HEAD"]).expect(3).says("help:");
    repo.routes(&[]).expect(0);
}

#[test]
fn accept_writes_the_lock_file_and_makes_nothing_right() {
    let repo = Repo::new(POLICY, GREEN);
    assert!(!repo.has("routes.lock"));
    let ran = repo.routes(&["accept"]);
    ran.expect(0)
        .says("+GET /orders shop::auth::require_user h");
    let lock = repo.read("routes.lock");
    let routes: Vec<&str> = lock.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        routes,
        [
            "GET /orders shop::auth::require_user h",
            "POST /orders shop::auth::require_user h"
        ]
    );

    repo.routes(&["accept"])
        .expect(0)
        .says("every `routes.lock` is current");
    assert_eq!(repo.read("routes.lock"), lock);

    repo.app(&but("        .route_layer(from_fn(require_user))\n", ""));
    let ran = repo.routes(&["accept"]);
    ran.expect(1)
        .says("-GET /orders shop::auth::require_user h")
        .says("+GET /orders unguarded h")
        .says("[RG001]");
    assert!(repo.read("routes.lock").contains("GET /orders unguarded h"));

    repo.write("routes.lock", "damaged\r\n\u{0}");
    repo.app(GREEN);
    repo.routes(&["accept"]).expect(0);
    assert_eq!(repo.read("routes.lock"), lock);
}
