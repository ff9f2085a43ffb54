//! A mend never opens a route, never takes a layer off one, and leaves less to mend than there was.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{POLICY, Repo};

/// The guards of each route, and how much is wrong.
struct State {
    guards: BTreeMap<(String, String), BTreeSet<String>>,
    layers: BTreeMap<(String, String), usize>,
    wrong: (usize, usize),
}

fn state(table: &Value) -> State {
    let mut state = State {
        guards: BTreeMap::new(),
        layers: BTreeMap::new(),
        wrong: (0, 0),
    };
    for route in table["routes"].as_array().unwrap() {
        let text = |name: &str| route[name].as_str().unwrap_or_default().to_owned();
        let key = (text("method"), text("path"));
        let guards = match route["verdict"].as_str().unwrap() {
            "guarded" => text("access").split(" + ").map(str::to_owned).collect(),
            _ => BTreeSet::new(),
        };
        state
            .layers
            .insert(key.clone(), route["covered_by"].as_array().unwrap().len());
        state.guards.insert(key, guards);
    }
    let findings = table["findings"].as_array().unwrap();
    let errors = findings
        .iter()
        .filter(|finding| finding["severity"] == "error");
    state.wrong = (errors.count(), findings.len());
    state
}

/// Applies each mend by itself; answers the router after each.
#[track_caller]
fn mends(policy: &str, app: &str) -> Vec<String> {
    let repo = Repo::new(policy, app);
    let table = repo.routes(&["--format", "json"]).json();
    let before = state(&table);
    let committed = repo.read("src/router.rs");
    let mut all = Vec::new();
    let findings = table["findings"].as_array().unwrap();
    assert!(!findings.is_empty(), "nothing to mend in\n{app}");
    for finding in findings {
        let Some(fix) = finding["fix"].as_str() else {
            continue;
        };
        std::fs::write(repo.dir().join(".git/mend.diff"), fix).unwrap();
        repo.git(&["apply", "--unidiff-zero", ".git/mend.diff"]);
        let text = repo.read("src/router.rs");
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        let after = state(&repo.routes(&["--format", "json"]).json());
        assert!(
            after.wrong < before.wrong,
            "{:?} after {:?}: {finding:#}\n{text}",
            after.wrong,
            before.wrong
        );
        for (key, guards) in &before.guards {
            let (Some(now), Some(layers)) = (after.guards.get(key), after.layers.get(key)) else {
                // A route that `routes!` made of two others.
                assert_eq!(finding["rule"], "RG010", "{key:?} is gone:\n{text}");
                continue;
            };
            assert!(now.is_superset(guards), "{key:?} is weaker:\n{text}");
            assert!(
                *layers >= before.layers[key],
                "{key:?} lost a layer:\n{text}"
            );
        }
        repo.write("src/router.rs", &committed);
        all.push(text);
    }
    all
}

fn one(policy: &str, app: &str) -> String {
    let mut all = mends(policy, app);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn none(policy: &str, app: &str) {
    let all = mends(policy, app);
    assert!(all.is_empty(), "{}", all.join("\n"));
}

fn public(path: &str) -> String {
    format!("[[routes.public]]\nmethod = \"GET\"\npath = \"{path}\"\nreason = \"test\"\n")
}

fn headers() -> String {
    format!("{POLICY}headers = [\"shop::auth::set_headers\"]\n")
}

fn has(text: &str, part: &str) {
    assert!(text.contains(part), "no\n{part}\nin\n{text}");
}

#[test]
fn the_late_call_moves_and_nothing_else() {
    // What is public and merged in between stays outside.
    let text = one(
        &format!("{POLICY}{}", public("/p")),
        "fn open() -> Router {\n    Router::new().route(\"/p\", get(h))\n}\n\npub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .merge(open())\n        .route(\"/b\", get(h))\n}\n",
    );
    has(
        &text,
        "        .route(\"/a\", get(h))\n        .route(\"/b\", get(h))\n        .route_layer(from_fn(require_user))\n        .merge(open())\n",
    );
    // So does what it is merged with, where that is for everybody.
    none(
        &format!("{POLICY}{}", public("/p")),
        "fn mixed() -> Router {\n    Router::new().route(\"/p\", get(h)).route(\"/b\", get(h))\n}\n\npub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .merge(mixed())\n}\n",
    );
    // The headers stay the outermost.
    let text = one(
        &headers(),
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .layer(from_fn(set_headers))\n        .route(\"/b\", get(h).layer(from_fn(set_headers)))\n}\n",
    );
    has(
        &text,
        ".route_layer(from_fn(require_user))\n        .layer(from_fn(set_headers))\n}",
    );
    // No route comes before the state that it needs.
    none(
        POLICY,
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .with_state(1)\n        .route(\"/b\", get(h))\n}\n",
    );
}

#[test]
fn what_a_route_layer_never_reaches_is_not_moved_before_it() {
    for app in [
        "    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .fallback(h)\n",
        "    Router::new().route(\"/a\", get(h).route_layer(from_fn(require_user)).fallback(h))\n",
    ] {
        let app = format!("pub fn app() -> Router {{\n{app}}}\n");
        none(POLICY, &app);
        Repo::new(POLICY, &app)
            .routes(&[])
            .expect(1)
            .says("which does not reach it anywhere")
            .says("put that on with `.layer(…)`");
    }
}

#[test]
fn each_late_call_has_a_mend_of_its_own() {
    let all = mends(
        POLICY,
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", get(h))\n        .route_layer(from_fn(require_user))\n        .route(\"/b\", get(h).post(h))\n        .route(\"/c\", get(h))\n}\n",
    );
    assert_eq!(all.len(), 2, "{all:#?}");
}

#[test]
fn comments_stay_with_their_calls() {
    let text = one(
        POLICY,
        "pub fn app() -> Router {\n    let app = Router::new()\n        .route(\"/a\", get(h)) // first\n        // who is it?\n        .route_layer(from_fn(require_user)) // asked\n        // late\n        .route(\"/b\", get(h)); // second\n    app\n}\n",
    );
    has(
        &text,
        "        .route(\"/a\", get(h)) // first\n        // late\n        .route(\"/b\", get(h)) // second\n        // who is it?\n        .route_layer(from_fn(require_user)); // asked\n    app\n",
    );
    let text = one(
        POLICY,
        "pub fn app() -> Router {\n    let app = Router::new().route(\"/a\", get(h)); // first\n    // who is it?\n    let app = app.route_layer(from_fn(require_user)); // asked\n    // late\n    let app = app.route(\"/b\", get(h)); // second\n    app\n}\n",
    );
    has(
        &text,
        "// first\n    // late\n    let app = app.route(\"/b\", get(h)); // second\n    // who is it?\n    let app = app.route_layer(from_fn(require_user)); // asked\n    app\n",
    );
    let text = one(
        POLICY,
        "pub fn app() -> Router {\n    Router::new().route(\"/a\", get(h)).route_layer(from_fn(require_user)) // asked\n        .route(\"/b\", get(h))\n}\n",
    );
    has(
        &text,
        ".route(\"/b\", get(h)).route_layer(from_fn(require_user)) // asked\n",
    );
}

#[test]
fn a_statement_is_of_one_variable() {
    // The value at the end, as it is, in a call, and with a call left over.
    for (before, after) in [
        ("app.route(\"/b\", get(h))", "    app\n"),
        (
            "std::convert::identity(app.route(\"/b\", get(h)))",
            "    std::convert::identity(app)\n",
        ),
        (
            "app.route(\"/b\", get(h)).merge(Router::new())",
            "    app.merge(Router::new())\n",
        ),
    ] {
        let text = one(
            POLICY,
            &format!(
                "pub fn app() -> Router {{\n    let app = Router::new().route(\"/a\", get(h));\n    let app = app.route_layer(from_fn(require_user));\n    {before}\n}}\n"
            ),
        );
        has(
            &text,
            &format!(
                "let app = app.route(\"/b\", get(h)).route_layer(from_fn(require_user));\n{after}"
            ),
        );
    }
    // Bound by one name, and called by another; only sometimes; with what comes later.
    for app in [
        "    let users = Router::new().route(\"/a\", get(h));\n    let users = users.route_layer(from_fn(require_user));\n    let app = users;\n    app.route(\"/b\", get(h))\n",
        "    let mut app = Router::new().route(\"/a\", get(h));\n    app = app.route_layer(from_fn(require_user));\n    if cfg!(debug_assertions) {\n        app = app.route(\"/b\", get(h));\n    }\n    app\n",
        "    let app = Router::new().route(\"/a\", get(h));\n    let app = app.route_layer(from_fn(require_user));\n    let path = \"/b\";\n    app.route(path, get(h))\n",
        "    let users = Router::new().route(\"/a\", get(h));\n    let app = users.clone().route_layer(from_fn(require_user));\n    let users = users.route(\"/b\", get(h));\n    app.merge(users.route(\"/c\", get(h)).reset_fallback())\n",
    ] {
        none(POLICY, &format!("pub fn app() -> Router {{\n{app}}}\n"));
    }
    // A `let` and an assignment are not exchanged.
    let text = one(
        POLICY,
        "pub fn app() -> Router {\n    let app = Router::new().route(\"/a\", get(h));\n    let mut app = app.route_layer(from_fn(require_user));\n    app = app.route(\"/b\", get(h));\n    app\n}\n",
    );
    has(
        &text,
        "    let mut app = app.route(\"/b\", get(h)).route_layer(from_fn(require_user));\n    app\n",
    );
}

#[test]
fn a_guard_gives_up_the_404_and_nothing_else() {
    // A fallback inside, one of the router's own, a second layer in the same call.
    for app in [
        "    Router::new()\n        .nest(\"/n\", Router::new().route(\"/a\", get(h)).fallback(h))\n        .layer(from_fn(require_user))\n",
        "    Router::new()\n        .nest_service(\"/n\", Router::new().route(\"/a\", get(h)).fallback(h))\n        .layer(from_fn(require_user))\n",
        "    Router::new()\n        .route(\"/a\", get(h))\n        .layer((from_fn(set_headers), from_fn(require_user)))\n",
        "    Router::new()\n        .route(\"/a\", get(h))\n        .layer(tower::ServiceBuilder::new().layer(from_fn(set_headers)).layer(from_fn(require_user)))\n",
    ] {
        none(POLICY, &format!("pub fn app() -> Router {{\n{app}}}\n"));
    }
    one(
        POLICY,
        "pub fn app() -> Router {\n    Router::new()\n        .route(\"/a\", any(h))\n        .layer(from_fn(require_user))\n}\n",
    );
}

#[test]
fn a_split_keeps_comments_and_is_printed_once() {
    let handlers = "#[utoipa::path(get, path = \"/a\")]\nasync fn a() {}\n\n#[utoipa::path(post, path = \"/b\")]\nasync fn b() {}\n";
    let app = |routes: &str| {
        format!(
            "pub fn app() -> Router {{\n    let (app, _) = utoipa_axum::router::OpenApiRouter::new()\n        .routes(utoipa_axum::routes!({routes}))\n        .route_layer(from_fn(require_user))\n        .split_for_parts();\n    app\n}}\n\n{handlers}"
        )
    };
    let text = one(POLICY, &app("a, /* why */ b"));
    has(
        &text,
        "        .routes(utoipa_axum::routes!(a))\n        .routes(utoipa_axum::routes!(/* why */ b))\n",
    );
    none(POLICY, &app("a, // why\n            b"));
}
