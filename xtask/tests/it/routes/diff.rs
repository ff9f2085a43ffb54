//! `routes diff`: what opens a route is red, however it is written, and nothing but the answer is made.

use super::{GREEN, POLICY, Repo};

const STAFF: &str =
    "[routes]\nguards = [\"shop::auth::require_user\", \"shop::auth::require_staff\"]\n";

fn public(path: &str) -> String {
    format!("[[routes.public]]\nmethod = \"GET\"\npath = \"{path}\"\nreason = \"test\"\n")
}

#[test]
fn an_added_route_without_a_guard_is_red() {
    let repo = Repo::new(POLICY, GREEN);
    repo.app(&GREEN.replace("\n}", "\n        .route(\"/new\", get(h))\n}"));
    repo.routes(&["diff", "HEAD"])
        .expect(1)
        .says("added     shop  GET /new  unguarded");
    repo.write("xtask.toml", &format!("{POLICY}{}", public("/new")));
    repo.routes(&["diff", "HEAD"])
        .expect(0)
        .says("added     shop  GET /new  public");
}

#[test]
fn the_name_of_a_parameter_hides_nothing() {
    let app = "pub fn app() -> Router {\n    Router::new().route(\"/a/{id}\", get(h)).route_layer(from_fn(require_user))\n}\n";
    let repo = Repo::new(POLICY, app);
    repo.app("pub fn app() -> Router {\n    Router::new().route(\"/a/{item}\", get(h))\n}\n");
    repo.write("xtask.toml", &format!("{POLICY}{}", public("/a/{item}")));
    repo.routes(&["diff", "HEAD"])
        .expect(1)
        .says("weakened  shop  GET /a/{item}  shop::auth::require_user, path /a/{id} → public, path /a/{item}");
}

#[test]
fn any_takes_over_what_a_method_guarded() {
    let app = "pub fn app() -> Router {\n    Router::new().route(\"/a\", get(h)).route_layer(from_fn(require_user))\n}\n";
    let repo = Repo::new(POLICY, app);
    repo.app("pub fn app() -> Router {\n    Router::new().route(\"/a\", any(h))\n}\n");
    let policy = public("/a").replace("GET", "ANY");
    repo.write("xtask.toml", &format!("{POLICY}{policy}"));
    repo.routes(&["diff", "HEAD"])
        .expect(1)
        .says("weakened  shop  GET /a  shop::auth::require_user → public");
}

#[test]
fn a_handler_and_a_reason_are_changes() {
    let app = format!("{GREEN}async fn other() {{}}\n");
    let policy = format!("{POLICY}{}", public("/p"));
    let app = app.replace("\n}\nasync", "\n        .route(\"/p\", get(h))\n}\nasync");
    let repo = Repo::new(&policy, &app);
    repo.app(&app.replace("get(h).post(h)", "get(other).post(h)"));
    repo.routes(&["diff", "HEAD"])
        .expect(0)
        .says("changed   shop  GET /orders  handler h → handler other");
    repo.app(&app);
    repo.write("xtask.toml", &policy.replace("test", "because"));
    repo.routes(&["diff", "HEAD"])
        .expect(0)
        .says("changed   shop  GET /p  reason `test` → reason `because`");
}

#[test]
fn of_twins_none_is_left_out() {
    let twins = |unix: &str, other: &str| {
        format!(
            "#[cfg(unix)]\npub fn app() -> Router {{\n    Router::new().route(\"/a\", get(h)).route_layer(from_fn({unix}))\n}}\n#[cfg(not(unix))]\npub fn app() -> Router {{\n    Router::new().route(\"/a\", get(h)).route_layer(from_fn({other}))\n}}\n"
        )
    };
    let repo = Repo::new(STAFF, &twins("require_user", "require_user"));
    for app in [
        twins("set_headers", "require_user"),
        twins("require_user", "set_headers"),
    ] {
        repo.app(&app);
        repo.routes(&["diff", "HEAD"])
            .expect(1)
            .says("weakened  shop  GET /a  shop::auth::require_user → unguarded");
    }
}

#[test]
fn a_base_without_a_router_has_no_routes() {
    let repo = Repo::new(POLICY, GREEN);
    repo.git(&["checkout", "--quiet", "--orphan", "before"]);
    repo.git(&["rm", "-r", "--quiet", "--cached", "."]);
    repo.git(&["add", ".gitignore"]);
    repo.git(&["commit", "--quiet", "--message", "before"]);
    repo.routes(&["diff", "before"])
        .expect(0)
        .says("added     shop  GET /orders")
        .says("added     shop  POST /orders");
}

#[test]
fn a_given_policy_judges_both_sides() {
    // The commit knows of no guard; the file that is given does.
    let repo = Repo::new("[routes]\n", GREEN);
    let file = repo.dir().join("strict.toml");
    repo.write("strict.toml", POLICY);
    repo.routes(&["diff", "HEAD", "--policy", file.to_str().unwrap()])
        .expect(0)
        .says("the routes are those of `HEAD`");
}

#[test]
fn a_commit_is_read_and_never_written() {
    let repo = Repo::new(POLICY, GREEN);
    let dir = repo.dir();
    // Entries that no checkout would make, from beside the folder to the root of the disk.
    let git = git2::Repository::open(dir).unwrap();
    let evil = git.blob(b"use axum::Router;\n").unwrap();
    let head = git.head().unwrap().peel_to_commit().unwrap();
    let mut raw = git
        .odb()
        .unwrap()
        .read(head.tree_id())
        .unwrap()
        .data()
        .to_vec();
    let outside = tempfile::tempdir().unwrap();
    let absolute = outside.path().join("evil.rs");
    for name in [
        "../evil.rs",
        "..\\evil.rs",
        "..",
        absolute.to_str().unwrap(),
    ] {
        raw.extend(format!("100644 {name}\0").bytes());
        raw.extend(evil.as_bytes());
    }
    let tree = git
        .odb()
        .unwrap()
        .write(git2::ObjectType::Tree, &raw)
        .unwrap();
    let commit = repo.git(&["commit-tree", &tree.to_string(), "-m", "evil"]);
    let commit = commit.trim();
    let parent = dir.parent().unwrap();
    let before = std::fs::read_dir(dir).unwrap().count();
    let read = repo.routes(&["diff", commit]);
    // Names that lead elsewhere are no files of the workspace.
    read.expect(0).says("the routes are those of");
    assert!(!absolute.exists() && !parent.join("evil.rs").exists());
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), before);
    assert!(!repo.has("target"));
}

#[test]
fn a_linked_source_is_the_one_it_leads_to() {
    let repo = Repo::new(POLICY, GREEN);
    let dir = repo.dir();
    std::fs::rename(dir.join("src/router.rs"), dir.join("shared.rs")).unwrap();
    std::os::unix::fs::symlink("../shared.rs", dir.join("src/router.rs")).unwrap();
    repo.commit("linked");
    repo.routes(&["diff", "HEAD"])
        .expect(0)
        .says("the routes are those of `HEAD`");
}

#[test]
fn only_what_can_be_fetched_is_to_be_fetched() {
    let repo = Repo::new(POLICY, GREEN);
    let ran = repo.routes(&["diff", "HEAD~9"]);
    ran.expect(3).says("no commit `HEAD~9`");
    assert!(!ran.stderr.contains("git fetch"), "{}", ran.stderr);
    let ran = repo.routes(&["diff", "elsewhere"]);
    ran.expect(3);
    assert!(!ran.stderr.contains("git fetch"), "{}", ran.stderr);
    repo.git(&["remote", "add", "origin", "/none"]);
    repo.routes(&["diff", "origin/elsewhere"])
        .expect(3)
        .says("git fetch origin elsewhere");
    let ran = repo.routes(&["diff", "HEAD~9"]);
    ran.expect(3);
    assert!(!ran.stderr.contains("git fetch"), "{}", ran.stderr);
}
