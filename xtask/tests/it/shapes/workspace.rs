//! The files of a shape: what it brings, and what every workspace has besides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Source;

/// Serves `app()` of `src/app.rs`.
const MAIN: &str = "\
mod app;
mod guards;
mod handlers;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(\"127.0.0.1:8080\").await?;
    axum::serve(listener, app::app()).await
}
";

/// What the routes of most shapes answer with.
const HANDLERS: &str = "\
//! What the routes answer.

pub async fn list() -> &'static str { \"list\" }
pub async fn show() -> &'static str { \"show\" }
pub async fn create() -> &'static str { \"create\" }
pub async fn update() -> &'static str { \"update\" }
pub async fn remove() -> &'static str { \"remove\" }
pub async fn health() -> &'static str { \"healthy\" }
pub async fn missing() -> &'static str { \"missing\" }
";

/// The layers of most shapes.
const GUARDS: &str = "\
//! What stands in front of the routes.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub async fn auth(request: Request, next: Next) -> Response {
    if request.headers().contains_key(\"authorization\") {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

pub async fn log(request: Request, next: Next) -> Response {
    println!(\"{}\", request.uri());
    next.run(request).await
}
";

/// `src/lib.rs` of `crates/guard`, a guard crate: the policy of a route is its guard.
pub(super) const GUARD: &str = "\
//! Routes that each have a policy.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

pub struct Policy {
    reason: Option<&'static str>,
}

pub const fn public(reason: &'static str) -> Policy {
    Policy { reason: Some(reason) }
}

pub const fn signed_in() -> Policy {
    Policy { reason: None }
}

impl Policy {
    fn guard(&self, methods: MethodRouter) -> MethodRouter {
        match self.reason {
            Some(_) => methods,
            None => methods.layer(from_fn(sign_in)),
        }
    }
}

async fn sign_in(request: Request, next: Next) -> Response {
    if request.headers().contains_key(\"authorization\") {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

pub struct GuardedRouter {
    routes: Vec<(String, MethodRouter)>,
}

impl GuardedRouter {
    pub const fn new() -> Self {
        Self { routes: Vec::new() }
    }

    pub fn get<T: 'static>(mut self, path: &str, policy: Policy, handler: impl Handler<T, ()>) -> Self {
        self.routes.push((path.to_owned(), policy.guard(get(handler))));
        self
    }

    pub fn finish(self) -> Router {
        let routes = self.routes.into_iter();
        routes.fold(Router::new(), |app, (path, methods)| app.route(&path, methods))
    }
}
";

/// Crates of elsewhere: name, version, and the name in code.
const CRATES: &[(&str, &str, &str)] = &[
    ("aide", "0.15.1", "aide"),
    ("anyhow", "1.0.104", "anyhow"),
    ("axum", "0.8.9", "axum"),
    ("axum-extra", "0.12.6", "axum_extra"),
    ("axum-prometheus", "0.9.0", "axum_prometheus"),
    ("axum-server", "0.7.3", "axum_server"),
    ("const_format", "0.2.34", "const_format"),
    ("figment", "0.10.19", "figment"),
    ("headers", "0.4.1", "headers"),
    ("http", "1.4.0", "http"),
    ("hyper", "1.8.1", "hyper"),
    ("hyper-util", "0.1.19", "hyper_util"),
    ("lambda_http", "0.17.0", "lambda_http"),
    ("leptos", "0.8.6", "leptos"),
    ("leptos_axum", "0.8.5", "leptos_axum"),
    ("reqwest", "0.12.23", "reqwest"),
    ("serde", "1.0.229", "serde"),
    ("shuttle-axum", "0.57.0", "shuttle_axum"),
    ("tokio", "1.54.1", "tokio"),
    ("tonic", "0.14.2", "tonic"),
    ("tower", "0.5.3", "tower"),
    ("tower-http", "0.6.6", "tower_http"),
    ("tracing-subscriber", "0.3.23", "tracing_subscriber"),
    ("utoipa", "6.0.0", "utoipa"),
    ("utoipa-axum", "0.3.0", "utoipa_axum"),
    ("utoipa-rapidoc", "6.0.0", "utoipa_rapidoc"),
    ("utoipa-redoc", "6.0.0", "utoipa_redoc"),
    ("utoipa-scalar", "0.3.0", "utoipa_scalar"),
    ("utoipa-swagger-ui", "10.0.0", "utoipa_swagger_ui"),
];

/// All files of a workspace by path.
pub(super) fn files(source: &Source) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    match source {
        Source::App(text) => {
            files.insert("src/main.rs".to_owned(), MAIN.to_owned());
            files.insert("src/app.rs".to_owned(), (*text).trim_start().to_owned());
        }
        Source::Files(all) => {
            let all = all
                .iter()
                .map(|(file, text)| ((*file).to_owned(), text.trim_start().to_owned()));
            files.extend(all);
        }
    }
    let folders: BTreeSet<String> = files
        .keys()
        .filter_map(|file| Some(file.split_once("src/")?.0.to_owned()))
        .collect();
    for folder in &folders {
        for (name, text) in [("handlers", HANDLERS), ("guards", GUARDS)] {
            let is_declared = ["main", "lib"].iter().any(|root| {
                let root = files.get(&format!("{folder}src/{root}.rs"));
                root.is_some_and(|root| root.contains(&format!("mod {name};")))
            });
            if is_declared {
                let file = format!("{folder}src/{name}.rs");
                files.entry(file).or_insert_with(|| text.to_owned());
            }
        }
    }
    let manifests: Vec<(String, String)> = folders
        .iter()
        .map(|folder| {
            (
                format!("{folder}Cargo.toml"),
                manifest(folder, &folders, &files),
            )
        })
        .collect();
    for (file, text) in manifests {
        files.entry(file).or_insert(text);
    }
    if !folders.contains("") {
        let members: Vec<String> = folders
            .iter()
            .map(|folder| format!("\"{}\"", folder.trim_end_matches('/')))
            .collect();
        let text = format!(
            "[workspace]\nmembers = [{}]\nresolver = \"3\"\n",
            members.join(", ")
        );
        files.entry("Cargo.toml".to_owned()).or_insert(text);
    }
    let lock = lockfile(&folders, &files);
    let policy = policy(&files);
    files.entry("xtask.toml".to_owned()).or_insert(policy);
    files.entry("Cargo.lock".to_owned()).or_insert(lock);
    files
}

/// The guard is `guards::auth` of each package, unless a shape says otherwise.
fn policy(files: &BTreeMap<String, String>) -> String {
    let folders = files
        .keys()
        .filter_map(|file| file.strip_suffix("src/guards.rs"));
    let guards: Vec<String> = folders
        .map(|folder| format!("\"{}::guards::auth\"", package(folder).replace('-', "_")))
        .collect();
    format!("[routes]\nguards = [{}]\n", guards.join(", "))
}

/// A package is called as its folder is; the only one is `app`.
fn package(folder: &str) -> &str {
    let name = folder
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    if name.is_empty() { "app" } else { name }
}

/// Whether a source of a package names a crate.
fn uses(folder: &str, name: &str, files: &BTreeMap<String, String>) -> bool {
    let sources = files
        .iter()
        .filter(|(file, _)| file.starts_with(&format!("{folder}src/")));
    let name = name.replace('-', "_");
    sources.into_iter().any(|(_, text)| {
        let mut rest = text.as_str();
        // `axum::` is no use of a crate `rum`, nor is `axum_extra::` one of `axum`.
        while let Some(at) = rest.find(&format!("{name}::")) {
            if !rest[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
                return true;
            }
            rest = &rest[at + 1..];
        }
        false
    })
}

fn manifest(folder: &str, folders: &BTreeSet<String>, files: &BTreeMap<String, String>) -> String {
    let mut text = format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n",
        package(folder)
    );
    for (name, version, code) in CRATES {
        if uses(folder, code, files) {
            let _ = writeln!(text, "{name} = \"{version}\"");
        }
    }
    let up = "../".repeat(folder.matches('/').count());
    for other in folders.iter().filter(|other| *other != folder) {
        if uses(folder, package(other), files) {
            let _ = writeln!(text, "{} = {{ path = \"{up}{other}\" }}", package(other));
        }
    }
    text
}

fn lockfile(folders: &BTreeSet<String>, files: &BTreeMap<String, String>) -> String {
    let mut text = String::from("version = 4\n");
    for (name, version, _) in CRATES {
        let _ = writeln!(
            text,
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\""
        );
    }
    for folder in folders {
        let mut names = String::new();
        let others = folders.iter().map(|other| (package(other), package(other)));
        for (name, code) in CRATES
            .iter()
            .map(|(name, _, code)| (*name, *code))
            .chain(others)
        {
            if name != package(folder) && uses(folder, code, files) {
                let _ = writeln!(names, " \"{name}\",");
            }
        }
        let name = package(folder);
        let _ = writeln!(
            text,
            "\n[[package]]\nname = \"{name}\"\nversion = \"0.0.0\"\ndependencies = [\n{names}]"
        );
    }
    text
}
