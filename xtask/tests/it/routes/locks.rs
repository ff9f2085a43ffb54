//! `routes.lock`, as `accept` writes it and the gate holds the table to it.

use super::{GREEN, POLICY, Repo};
use crate::sandbox::{Sandbox, findings, gate};

#[test]
fn accept_removes_the_lock_of_an_app_without_routes() {
    let repo = Repo::new(POLICY, GREEN);
    repo.routes(&["accept"]).expect(0);
    let lock = repo.read("routes.lock");
    for folder in ["old", "contests", "tests/data"] {
        repo.write(&format!("{folder}/routes.lock"), &lock);
    }
    repo.write("notes/routes.lock", "by hand\n");
    repo.routes(&["accept"])
        .expect(0)
        .says("--- a/contests/routes.lock");
    assert!(!repo.has("old/routes.lock") && !repo.has("contests/routes.lock"));
    assert!(repo.has("tests/data/routes.lock") && repo.has("notes/routes.lock"));
    assert!(repo.has("routes.lock"));
}

#[test]
fn a_lock_stays_where_a_router_cannot_be_evaluated() {
    let repo = Repo::new(POLICY, GREEN);
    repo.routes(&["accept"]).expect(0);
    repo.write("old/routes.lock", &repo.read("routes.lock"));
    repo.app("pub fn app() -> Router {\n    unknown::router()\n}\n");
    repo.routes(&["accept"]).expect(1);
    assert!(repo.has("old/routes.lock"));
}

#[test]
fn paths_that_differ_in_spaces_are_two_lines() {
    let app = "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a b\", get(h))\n        .route(\"/a  b\", get(h))\n        .route(\"/a␠b\", get(h))\n        .route(\"/a\u{a0}b\", get(h))\n        .route_layer(from_fn(require_user))\n}\n";
    let repo = Repo::new(POLICY, app);
    repo.routes(&["accept"]).expect(0);
    let lock = repo.read("routes.lock");
    let routes = lock.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(routes.count(), 4, "{lock}");
    repo.routes(&["diff", "HEAD"])
        .expect(0)
        .says("the routes are those of `HEAD`");
}

#[test]
fn the_gate_says_what_is_wrong_with_a_lock() {
    let sandbox = Sandbox::new();
    let file = "apps/web/routes.lock";
    let lock = sandbox.read(file);
    let message = || {
        let json = sandbox.xtask(&["ci", "routes", "--format", "json"]).json();
        let place = findings(&json, "routes").remove(0);
        let message = &gate(&json, "routes")["findings"][0]["message"];
        (place, message.as_str().unwrap().to_owned())
    };
    std::fs::remove_file(sandbox.dir.join(file)).unwrap();
    assert_eq!(message().1, format!("`{file}` is missing"));
    let (head, last) = lock.trim_end().rsplit_once('\n').unwrap();
    sandbox.write(
        file,
        format!("{head}\n<<<<<<< ours\n{last}\n=======\n>>>>>>> theirs\n"),
    );
    let line = head.lines().count() + 1;
    assert_eq!(
        message(),
        (
            format!("routes/lock {file}:{line}"),
            format!("`{file}` has the conflict markers of a merge")
        )
    );
    sandbox.write(file, &lock);
    sandbox.write("contests/routes.lock", &lock);
    let (place, _) = message();
    assert!(place.contains("contests/routes.lock"), "{place}");
}

#[test]
fn the_gate_asks_for_no_route_that_is_not_built_here() {
    let sandbox = Sandbox::new();
    let file = "apps/web/src/router.rs";
    let text = sandbox.read(file);
    let call = "        .post(\"/orders\", signed_in(), || \"ordered\")\n";
    assert!(text.contains(call));
    let twins = text.replace(call, "").replace(
        "    GuardedRouter::new()",
        "    orders(GuardedRouter::new())",
    ) + "\n#[cfg(unix)]\nfn orders(router: GuardedRouter) -> GuardedRouter {\n    router.post(\"/orders\", signed_in(), || \"ordered\")\n}\n\n#[cfg(not(unix))]\nfn orders(router: GuardedRouter) -> GuardedRouter {\n    router.post(\"/orders\", signed_in(), || \"ordered elsewhere\")\n}\n";
    sandbox.write(file, twins);
    sandbox.xtask(&["routes", "accept"]).expect(0);
    sandbox.xtask(&["ci", "typecheck", "routes"]).expect(0);
    // Without a twin that is built it is told.
    sandbox.write(
        file,
        sandbox.read(file).replace("#[cfg(unix)]", "#[cfg(any())]") + "\n#[cfg(unix)]\nfn orders(router: GuardedRouter) -> GuardedRouter {\n    router\n}\n",
    );
    sandbox.xtask(&["routes", "accept"]).expect(0);
    sandbox
        .xtask(&["ci", "typecheck", "routes"])
        .expect(1)
        .says("is in the source, but the app does not register it");
}
