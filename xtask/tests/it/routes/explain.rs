//! `routes explain`, and the forms of what is printed.

use super::{GREEN, POLICY, Repo};

#[test]
fn explain_says_why_a_route_is_open() {
    let app = GREEN.replace(
        "\n}",
        "\n        .route(\"/late\", get(h))\n        .route(\"/p\", get(h))\n}",
    );
    let policy = format!(
        "{POLICY}[[routes.public]]\nmethod = \"GET\"\npath = \"/p\"\nreason = \"asked for by all\"\n"
    );
    let repo = Repo::new(&policy, &app);
    repo.routes(&["explain", "GET", "/late"])
        .expect(0)
        .says("RG002: ")
        .says("it is added at src/router.rs:11 after the layer at src/router.rs:10");
    repo.routes(&["explain", "GET", "/p"])
        .expect(0)
        .says("public: asked for by all");
    let json = repo
        .routes(&["explain", "GET", "/orders", "--format", "json"])
        .json();
    assert_eq!(
        json[0]["layers"],
        serde_json::json!([{
            "place": "src/router.rs:10",
            "names": ["shop::auth::require_user"],
            "is_conditional": false,
        }])
    );
    assert_eq!(
        json[0]["why"][0],
        "guarded by shop::auth::require_user at src/router.rs:10"
    );
    repo.routes(&["explain", "GET", "/ordrs"])
        .expect(3)
        .says("the nearest is `/orders`");
}

#[test]
fn a_form_that_a_command_does_not_have_is_refused() {
    let repo = Repo::new(POLICY, GREEN);
    for args in [
        &["explain", "GET", "/orders", "--format", "md"] as &[&str],
        &["accept", "--format", "json"],
        &["accept", "--format", "md"],
    ] {
        repo.routes(args).expect(2).says("`--format`").says("help:");
    }
    assert!(!repo.has("routes.lock"));
}

#[test]
fn a_cell_of_markdown_stays_one() {
    let app = "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a|b`c\", get(h))\n        .route(\"/p\", get(h))\n}\n";
    let policy = format!(
        "{POLICY}[[routes.public]]\nmethod = \"GET\"\npath = \"/p\"\nreason = \"a | b `c` \\u001b[31m\"\n"
    );
    let repo = Repo::new(&policy, app);
    let ran = repo.routes(&["--format", "md"]);
    let rows: Vec<&str> = ran.stdout.lines().collect();
    for row in &rows {
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 8, "{row}");
    }
    ran.says("`` /a\\|b`c ``").says("a \\| b \\`c\\` ");
    let human = repo.routes(&[]);
    assert!(!human.stdout.contains('\u{1b}'), "{}", human.stdout);
    let diff = repo.routes(&["diff", "HEAD", "--format", "md"]);
    assert!(!diff.stdout.contains('\u{1b}'), "{}", diff.stdout);
}

#[test]
fn the_name_of_a_file_is_made_visible() {
    let repo = Repo::new(POLICY, GREEN);
    let main = repo.read("src/main.rs");
    let odd = "src/r\u{1b}[31mo.rs";
    repo.write(odd, &repo.read("src/router.rs"));
    repo.write(
        "src/main.rs",
        &main.replace("mod router;", "#[path = \"r\u{1b}[31mo.rs\"]\nmod router;"),
    );
    std::fs::remove_file(repo.dir().join("src/router.rs")).unwrap();
    for args in [
        &[] as &[&str],
        &["--format", "md"],
        &["explain", "GET", "/orders"],
    ] {
        let ran = repo.routes(args);
        ran.expect(0).says("u{1b}");
        assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    }
}

#[test]
fn outside_of_a_workspace_the_root_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["routes"]).current_dir(dir.path());
    crate::sandbox::run(command)
        .expect(3)
        .says("no workspace at or above")
        .says("--root PATH");
}

#[test]
fn an_unknown_axum_has_a_help_of_its_own() {
    let repo = Repo::new(POLICY, GREEN);
    repo.write(
        "Cargo.toml",
        &repo
            .read("Cargo.toml")
            .replace("axum = \"0.8\"", "axum = \"0.6\""),
    );
    repo.routes(&[])
        .expect(1)
        .says("uses axum 0.6")
        .says("help: scan a workspace on axum 0.7 or 0.8");
}
