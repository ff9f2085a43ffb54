//! The imports that a text needs.

/// The lines of them, for this text.
pub(super) fn of(body: &str) -> Vec<String> {
    let routing = [
        "MethodFilter",
        "MethodRouter",
        "any",
        "delete",
        "get",
        "on",
        "post",
        "put",
    ];
    let used = |name: &&str| {
        let call = format!("{name}(");
        let uses = |(at, _): (usize, &str)| {
            let before = body[..at].chars().next_back();
            !before.is_some_and(|c| c == '.' || c == '_' || c.is_alphanumeric())
        };
        body.contains(&format!("{name}::")) || body.match_indices(&call).any(uses)
    };
    let routing: Vec<&str> = routing.into_iter().filter(used).collect();
    let mut lines = vec!["use axum::Router;".to_owned()];
    if body.contains("Request") {
        lines.push("use axum::extract::Request;".to_owned());
    }
    if has_layered_handler(body) {
        lines.push("use axum::handler::Handler as _;".to_owned());
    }
    if body.contains("from_fn(") {
        lines.push("use axum::middleware::{Next, from_fn};".to_owned());
        lines.push("use axum::response::Response;".to_owned());
    }
    match routing[..] {
        [] => {}
        [one] => lines.push(format!("use axum::routing::{one};")),
        _ => lines.push(format!("use axum::routing::{{{}}};", routing.join(", "))),
    }
    if body.contains("ServiceBuilder::") {
        lines.push("use tower::ServiceBuilder;".to_owned());
    }
    if body.contains(").layer(app())") {
        lines.push("use tower::Layer as _;".to_owned());
    }
    if body.contains(" mark(") {
        lines.push("use super::mark;".to_owned());
    }
    lines.push(String::new());
    lines
}

/// Whether `layer` is called on a handler.
fn has_layered_handler(body: &str) -> bool {
    body.match_indices(".layer(").any(|(at, _)| {
        let word = body[..at].trim_end_matches(|c: char| c.is_ascii_digit());
        word.ends_with('h') && word.len() < at
    })
}
