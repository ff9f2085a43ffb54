//! Much of everything: what generators write.

use std::fmt::Write as _;

use super::{MAIN, Workspace};

#[test]
fn a_hundred_thousand_functions() {
    let workspace = Workspace::green();
    let mut text = String::new();
    for n in 0..100_000 {
        let _ = writeln!(
            text,
            "pub fn generated_number_{n}(a: u32) -> u32 {{ a + {n} }}"
        );
    }
    assert!(text.len() > 5_000_000);
    workspace.write("src/generated.rs", &text);
    text.push_str("pub fn router() -> axum::Router { axum::Router::new().route(\"/g\", axum::routing::get(|| async {})) }\n");
    workspace.write("src/with_routes.rs", &text);
    let main = MAIN
        .replace("#[tokio", "mod generated;\nmod with_routes;\n#[tokio")
        .replace(
            "get(|| async {}))",
            "get(|| async {})).merge(with_routes::router())",
        );
    workspace.write("src/main.rs", main);
    workspace.is_green(2);
}

#[test]
fn ten_thousand_calls_in_a_chain() {
    let workspace = Workspace::green();
    let mut chain = String::new();
    for n in 0..10_000 {
        let _ = write!(chain, "\n        .route(\"/r{n}\", get(|| async {{}}))");
    }
    workspace.write(
        "src/main.rs",
        MAIN.replace(".route_layer", &format!("{chain}\n        .route_layer")),
    );
    workspace.is_green(10_001);
}

#[test]
fn ten_thousand_statements() {
    let workspace = Workspace::green();
    let mut text = String::from("let mut app = Router::new();\n");
    for n in 0..10_000 {
        let _ = writeln!(text, "    app = app.route(\"/s{n}\", get(|| async {{}}));");
    }
    let main = MAIN.replace(
        "let app = Router::new()",
        &format!("{text}    let app = app"),
    );
    workspace.write("src/main.rs", main);
    workspace.is_green(10_001);
}

#[test]
fn a_thousand_routers_and_branches() {
    let workspace = Workspace::green();
    let mut functions = String::new();
    let mut merges = String::new();
    for n in 0..1_000 {
        let _ = writeln!(
            functions,
            "fn r{n}() -> Router {{ Router::new().route(\"/r{n}\", get(|| async {{}})) }}"
        );
        let _ = write!(merges, ".merge(r{n}())");
    }
    let main = MAIN.replace(".route_layer", &format!("{merges}.route_layer"));
    workspace.write("src/main.rs", format!("{main}\n{functions}"));
    workspace.is_green(1_001);

    // Each doubles the ways through the function; the table must not double with them.
    let mut branches = String::from("let mut app = Router::new();\n");
    for n in 0..60 {
        let _ = writeln!(
            branches,
            "    if flag({n}) {{ app = app.route(\"/b{n}\", get(|| async {{}})); }}"
        );
    }
    let main = MAIN.replace(
        "let app = Router::new()",
        &format!("{branches}    let app = app"),
    );
    workspace.write("src/main.rs", main);
    workspace.is_green(61);
}

#[test]
fn branches_after_one_of_two() {
    let workspace = Workspace::green();
    // Each doubles what a text may be, and asks again which of two functions it was before.
    let mut texts = String::from("    let mut name = String::from(\"a\");\n");
    let mut choices = String::new();
    for n in 0..60 {
        let _ = writeln!(texts, "    if flag({n}) {{ name.push_str(\"a\"); }}");
        let _ = writeln!(choices, "    if flag({n}) {{ println!(\"{n}\"); }}");
    }
    let functions = "fn one(app: Router) -> Router { app }\nfn two(app: Router) -> Router { app.merge(Router::new()) }\n";
    let two = "    let with: fn(Router) -> Router = if flag(0) { one } else { two };\n";
    for (before, value) in [
        (texts.clone(), "Router::new()"),
        (format!("{two}{choices}"), "Router::new()"),
        (format!("{two}{choices}"), "with(Router::new())"),
        (format!("{two}{texts}"), "with(Router::new())"),
    ] {
        let main = MAIN.replace(
            "    let app = Router::new()",
            &format!("{before}    let app = {value}"),
        );
        workspace.write("src/main.rs", format!("{main}\n{functions}"));
        workspace.is_green(1);
    }
}

#[test]
fn brackets_and_operators_that_nest_deep() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("f(", ")"),
        ("Some(", ")"),
        ("&", ""),
        ("!", ""),
        ("1+", ""),
        ("if a {", "}"),
        ("|| ", ""),
    ] {
        for depth in [100, 10_000, 100_000] {
            let deep = format!(
                "fn deep() {{ let _ = {}1{}; }}\n",
                open.repeat(depth),
                close.repeat(depth)
            );
            let workspace = Workspace::green();
            workspace.module("src/deep.rs", &deep);
            workspace.is_green_or_unknown("src/deep.rs");
            workspace.write("src/main.rs", format!("{MAIN}\n{deep}"));
            workspace.is_green_or_unknown("src/main.rs");
        }
    }
    let nest = "Router::new().nest(\"/n\", ".repeat(400);
    let deep = format!(
        "{nest}Router::new().route(\"/x\", get(|| async {{}})){}",
        ")".repeat(400)
    );
    let workspace = Workspace::green();
    workspace.write(
        "src/main.rs",
        MAIN.replace("Router::new().route(", &format!("{deep}.route(")),
    );
    workspace.is_green(2);
}
