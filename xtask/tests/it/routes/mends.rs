//! The mend beside a finding is a patch: applied, it makes the scan green and loses no route.

use std::collections::BTreeSet;

use super::{POLICY, Repo};
use crate::scan::{self, Table};

/// Method and path of each route.
fn routes(table: &Table) -> BTreeSet<(&str, &str)> {
    let routes = table.routes.iter();
    routes
        .map(|route| (route.method.as_str(), route.path.as_str()))
        .collect()
}

/// The repository with its findings of a rule mended; it has the routes that it had before.
#[track_caller]
fn mend(rule: &str, policy: &str, app: &str) -> Repo {
    let repo = Repo::new(policy, app);
    let before = scan::scan(repo.dir()).unwrap().table;
    let after = apply(rule, &repo);
    assert_eq!(
        routes(&after),
        routes(&before),
        "{}",
        repo.read("src/router.rs")
    );
    repo
}

/// Applies the diffs that findings of a rule print, one scan after the other, until none is left;
/// answers the table, in which every route is guarded.
#[track_caller]
fn apply(rule: &str, repo: &Repo) -> Table {
    let mut applied = 0;
    while applied < 4 {
        let json = repo.routes(&["--format", "json"]).json();
        let findings = json["findings"].as_array().unwrap();
        let Some(finding) = findings.iter().find(|finding| finding["rule"] == rule) else {
            assert!(applied > 0, "no {rule} in {json:#}");
            assert_eq!(findings.len(), 0, "{findings:#?}");
            let scanned = scan::scan(repo.dir()).unwrap();
            assert_eq!(scanned.code, 0);
            for route in &scanned.table.routes {
                assert!(route.is_guarded(), "{route:?}");
            }
            return scanned.table;
        };
        let fix = finding["fix"]
            .as_str()
            .unwrap_or_else(|| panic!("no mend: {finding:#}"));
        repo.write(".git/mend.diff", fix);
        repo.git(&["apply", "--unidiff-zero", ".git/mend.diff"]);
        let text = repo.read("src/router.rs");
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        applied += 1;
    }
    panic!("{rule} is still there:\n{}", repo.read("src/router.rs"));
}

fn headers() -> String {
    format!("{POLICY}headers = [\"shop::auth::set_headers\"]\n")
}

#[test]
fn rg002_a_route_behind_its_layer() {
    mend(
        "RG002",
        POLICY,
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .route(\"/b\", get(h))\n}\n",
    );
    // On one line; with a call in between; as a merge and a nest.
    mend(
        "RG002",
        POLICY,
        "pub fn app() -> Router {\n    Router::new().route(\"/a\", get(h)).route_layer(from_fn(require_user)).route(\"/b\", get(h))\n}\n",
    );
    mend(
        "RG002",
        POLICY,
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user)) // who is it?\n        .route(\"/b\", get(h))\n        .route(\"/c\", get(h))\n}\n",
    );
    mend(
        "RG002",
        POLICY,
        "fn inner() -> Router {\n    Router::new().route(\"/x\", get(h))\n}\n\npub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .merge(inner())\n        .nest(\"/n\", inner())\n}\n",
    );
}

#[test]
fn rg002_a_statement_behind_its_layer() {
    mend(
        "RG002",
        POLICY,
        "pub fn app() -> Router {\n    let app = Router::new().route(\"/a\", get(h));\n    let app = app.route_layer(from_fn(require_user));\n    app.route(\"/b\", get(h))\n}\n",
    );
    mend(
        "RG002",
        POLICY,
        "pub fn app() -> Router {\n    let mut app = Router::new();\n    app = app.route(\"/a\", get(h));\n    app = app.route_layer(from_fn(require_user));\n    app = app.route(\"/b\", get(h));\n    app\n}\n",
    );
}

#[test]
fn rg003_a_method_behind_its_layer() {
    mend(
        "RG003",
        POLICY,
        "pub fn app() -> Router {\n    Router::new().route(\"/a\", get(h).layer(from_fn(require_user)).post(h))\n}\n",
    );
    mend(
        "RG003",
        POLICY,
        "pub fn app() -> Router {\n    let a = get(h)\n        .route_layer(from_fn(require_user))\n        .post(h)\n        .put(h);\n    Router::new().route(\"/a\", a)\n}\n",
    );
}

#[test]
fn rg004_what_a_route_layer_does_not_reach() {
    mend(
        "RG004",
        POLICY,
        "pub fn app() -> Router {\n    Router::new().route(\"/a\", any(h).get(h).route_layer(from_fn(require_user)))\n}\n",
    );
    mend(
        "RG004",
        POLICY,
        "pub fn app() -> Router {\n    Router::new().route(\"/a\", get(h).fallback(h).route_layer(from_fn(require_user)))\n}\n",
    );
}

#[test]
fn rg004_a_fallback_of_the_router() {
    // Before the guard's `route_layer`: it has to become a `layer`. Behind a `layer`: before it.
    mend(
        "RG004",
        POLICY,
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .fallback(h)\n        .route_layer(from_fn(require_user))\n}\n",
    );
    mend(
        "RG004",
        POLICY,
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .layer(from_fn(require_user))\n        .fallback(h)\n}\n",
    );
}

#[test]
fn rg007_a_merge_behind_the_headers() {
    mend(
        "RG007",
        &headers(),
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .layer(from_fn(set_headers))\n        .merge(Router::new())\n}\n",
    );
    mend(
        "RG007",
        &headers(),
        "pub fn app() -> Router {\n    let app = Router::new().route(\"/a\", get(h)).route_layer(from_fn(require_user));\n    let app = app.layer(from_fn(set_headers));\n    let app = app.merge(Router::new());\n    app\n}\n",
    );
}

#[test]
fn rg010_routes_of_several_paths() {
    let handlers = "#[utoipa::path(get, path = \"/a\")]\nasync fn a() {}\n\n#[utoipa::path(post, path = \"/b\")]\nasync fn b() {}\n";
    for app in [
        "    let (app, _) = utoipa_axum::router::OpenApiRouter::new().routes(utoipa_axum::routes!(a, b)).route_layer(from_fn(require_user)).split_for_parts();\n    app\n",
        "    let (app, _) = utoipa_axum::router::OpenApiRouter::new()\n        .routes(utoipa_axum::routes!(a, b))\n        .route_layer(from_fn(require_user))\n        .split_for_parts();\n    app\n",
    ] {
        let app = format!("pub fn app() -> Router {{\n{app}}}\n\n{handlers}");
        let repo = Repo::new(POLICY, &app);
        // Each method was on the path of the other as well.
        let table = apply("RG010", &repo);
        assert_eq!(
            routes(&table),
            BTreeSet::from([("GET", "/a"), ("POST", "/b")])
        );
    }
}

#[test]
fn rg013_a_guard_before_unknown_paths() {
    mend(
        "RG013",
        POLICY,
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .layer(from_fn(require_user))\n}\n",
    );
    mend(
        "RG013",
        POLICY,
        "pub fn app() -> Router {\n    let app = Router::new();\n    let app = app.route(\"/a\", get(h));\n    app.layer(\n        from_fn(require_user),\n    )\n}\n",
    );
}

#[test]
fn a_mend_fits_a_file_with_line_ends_of_another_system() {
    let app = "pub fn app() -> Router {\r\n    Router::new()\r\n        .route(\"/a\", get(h))\r\n        .route_layer(from_fn(require_user))\r\n        .route(\"/b\", get(h))\r\n}\r\n";
    let repo = mend("RG002", POLICY, app);
    let text = repo.read("src/router.rs");
    assert!(
        text.contains(".route(\"/b\", get(h))\r\n        .route_layer(from_fn(require_user))\r\n}"),
        "{text:?}"
    );
}
