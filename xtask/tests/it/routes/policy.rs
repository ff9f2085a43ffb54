//! What a policy says that matches nothing, or not what it seems to.

use super::{GREEN, POLICY, Repo};
use crate::sandbox::Sandbox;

fn rule(path: &str) -> String {
    format!("[[routes.rule]]\npath = \"{path}\"\nguards = [\"shop::auth::require_user\"]\n")
}

#[test]
fn a_rule_that_matches_no_route_is_told() {
    Repo::new(&format!("{POLICY}{}", rule("/orders/**")), GREEN)
        .routes(&[])
        .expect(0);
    Repo::new(&format!("{POLICY}{}", rule("/order/**")), GREEN)
        .routes(&[])
        .expect(1)
        .says("the `routes.rule` of `/order/**` matches no route [RG009]")
        .says("at xtask.toml")
        .says("help:");
    let policy = format!(
        "{POLICY}[[routes.rule]]\napp = \"store\"\nguards = [\"shop::auth::require_user\"]\n"
    );
    Repo::new(&policy, GREEN)
        .routes(&[])
        .expect(1)
        .says("the `routes.rule` of app `store` matches no route");
}

#[test]
fn a_star_has_its_meaning_at_the_end_only() {
    for path in ["/orders*", "/*/orders", "orders/**", "/**/orders"] {
        Repo::new(&format!("{POLICY}{}", rule(path)), GREEN)
            .routes(&[])
            .expect(3)
            .says(path)
            .says("line 4")
            .says("^^^");
    }
}

#[test]
fn every_guard_reaches_the_access() {
    let policy =
        "[routes]\nguards = [\"shop::auth::require_user\", \"shop::auth::require_staff\"]\n";
    let app = GREEN.replace(
        ".route_layer(from_fn(require_user))",
        ".route_layer(from_fn(require_user))\n        .route_layer(from_fn(require_staff))",
    );
    let repo = Repo::new(policy, &app);
    let table = repo.routes(&["--format", "json"]).json();
    assert_eq!(
        table["routes"][0]["access"],
        "shop::auth::require_staff + shop::auth::require_user"
    );
    // Whichever of the two goes, fewer ask.
    for guard in ["user", "staff"] {
        repo.app(&app.replace(
            &format!("\n        .route_layer(from_fn(require_{guard}))"),
            "",
        ));
        repo.routes(&["diff", "HEAD"]).expect(1).says("weakened");
    }
}

#[test]
fn an_argument_beside_a_layer_counts_too() {
    let policy = format!("{POLICY}extractors = [\"shop::router::Customer\"]\n");
    let app = "pub struct Customer;\nasync fn mine(_: Customer) {}\npub fn app() -> Router {\n    Router::new().route(\"/a\", get(mine)).route_layer(from_fn(require_user))\n}\n";
    let repo = Repo::new(&policy, app);
    let table = repo.routes(&["--format", "json"]);
    assert_eq!(
        table.expect(0).json()["routes"][0]["access"],
        "shop::auth::require_user + shop::router::Customer"
    );
}

#[test]
fn a_stale_declaration_says_why_it_is_stale() {
    let app = GREEN.replace("\n}", "\n        .route(\"/p\", get(h))\n}");
    let entry = |more: &str, path: &str| {
        format!("[[routes.public]]\n{more}method = \"GET\"\npath = \"{path}\"\nreason = \"test\"\n")
    };
    let known = format!("{POLICY}{}", entry("", "/p"));
    Repo::new(&known, &app).routes(&[]).expect(0);
    for (more, why) in [
        (entry("", "/p"), "`routes.public` names `GET /p` twice"),
        (
            entry("app = \"store\"\n", "/p"),
            "`routes.public` names `GET /p` of `store`, which is a route of `shop`",
        ),
        (
            entry("", "/q"),
            "`routes.public` names `GET /q`, which is not there",
        ),
    ] {
        Repo::new(&format!("{known}{more}"), &app)
            .routes(&[])
            .expect(1)
            .says(why);
    }
    // Two names of one function.
    let repo = Repo::new(
        "[routes]\nguards = [\"shop::auth::require_user\", \"shop::require_user\"]\n",
        GREEN,
    );
    repo.write(
        "src/main.rs",
        &format!("pub use auth::require_user;\n{}", repo.read("src/main.rs")),
    );
    repo.routes(&[]).expect(1).says(
        "`shop::require_user` is another name of `shop::auth::require_user`, which is given too",
    );
}

#[test]
fn a_finding_names_the_policy_that_was_given() {
    let repo = Repo::new(POLICY, GREEN);
    repo.write("rules/strict.toml", &format!("{POLICY}{}", rule("/none")));
    let file = repo.dir().join("rules/strict.toml");
    repo.routes(&["--policy", file.to_str().unwrap()])
        .expect(1)
        .says("rules/strict.toml");
}

#[test]
fn a_layer_that_is_there_only_sometimes_is_named() {
    let policy = format!(
        "{POLICY}headers = [\"shop::auth::set_headers\"]\nrate-limits = [\"shop::auth::require_staff\"]\n"
    );
    let app = "pub fn app() -> Router {\n    let mut app = Router::new().route(\"/a\", get(h)).route_layer(from_fn(require_user));\n    if cfg!(debug_assertions) {\n        app = app.layer(from_fn(require_staff));\n        app = app.layer(from_fn(set_headers));\n    }\n    app\n}\n";
    Repo::new(&policy, app)
        .routes(&[])
        .expect(1)
        .says("has a rate limit only sometimes, at src/router.rs:10")
        .says("have the required headers only sometimes, at src/router.rs:11");
}

#[test]
fn what_carries_its_policy_needs_no_entry() {
    let sandbox = Sandbox::new();
    sandbox.append(
        "xtask.toml",
        "\n[[routes.public]]\nmethod = \"GET\"\npath = \"/\"\nreason = \"test\"\n",
    );
    sandbox
        .xtask(&["routes"])
        .expect(1)
        .says("`routes.public` names `GET /` of `web`, which carries its policy with it");
    sandbox.append(
        "xtask.toml",
        "\n[[routes.rule]]\npath = \"/orders\"\nguards = [\"util::check\"]\n",
    );
    sandbox
        .xtask(&["routes"])
        .expect(1)
        .says("the `routes.rule` of `/orders` matches only routes that carry their policy");
}
