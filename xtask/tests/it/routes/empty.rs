//! What has no route: an app with an empty router has been looked at, a workspace that serves
//! nothing has not.

use super::{GREEN, POLICY, Repo};

#[test]
fn an_empty_router_is_an_app() {
    let repo = Repo::new("", "pub fn app() -> Router {\n    Router::new()\n}\n");
    repo.routes(&[]).expect(0).says("0 routes in 1 app");
    repo.routes(&["accept"]).expect(0);
    assert!(!repo.has("routes.lock"));
}

#[test]
fn a_workspace_that_serves_nothing_says_so() {
    let repo = Repo::new(POLICY, GREEN);
    repo.write("src/main.rs", "fn main() {}\n");
    repo.write("src/router.rs", "");
    for command in [&[] as &[&str], &["accept"], &["diff", "HEAD"]] {
        repo.routes(command)
            .expect(3)
            .says("serves a router")
            .says("help:");
    }
}

#[test]
fn a_guard_crate_that_is_not_there_is_named() {
    let policy = format!("[apps]\nguard-crates = [\"crates/gaurd\"]\n{POLICY}");
    let repo = Repo::new(&policy, GREEN);
    for command in [&[] as &[&str], &["accept"], &["diff", "HEAD"]] {
        repo.routes(command)
            .expect(3)
            .says("`apps.guard-crates` of `xtask.toml` names `crates/gaurd`")
            .says("help:");
    }
}
