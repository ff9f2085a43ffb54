//! `cargo xtask routes` as people use it: explain, diff, accept, the formats, and the mends it prints.

mod commands;
mod diff;
mod empty;
mod every_mend;
mod explain;
mod locks;
mod mends;
mod policy;

use std::path::Path;

use crate::sandbox::{self, Ran};

/// A git repository with one app on plain axum.
pub(crate) struct Repo {
    temp: tempfile::TempDir,
}

const MANIFEST: &str = "\
[package]
name = \"shop\"
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
axum = \"0.8\"
utoipa = \"5\"
utoipa-axum = \"0.2\"
";

const AUTH: &str = "\
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

pub async fn require_user(request: Request, next: Next) -> Result<Response, StatusCode> {
    if request.headers().get(\"authorization\").is_none() {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(next.run(request).await)
}

pub async fn require_staff(request: Request, next: Next) -> Result<Response, StatusCode> {
    if request.headers().get(\"x-staff\").is_none() {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(next.run(request).await)
}

pub async fn set_headers(request: Request, next: Next) -> Response {
    next.run(request).await
}
";

pub(crate) const POLICY: &str = "\
[routes]
guards = [\"shop::auth::require_user\"]
";

impl Repo {
    /// A repository whose `src/router.rs` has these functions, `app() -> Router` among them.
    pub(crate) fn new(policy: &str, app: &str) -> Self {
        let temp = tempfile::Builder::new()
            .prefix("röutes ")
            .tempdir()
            .unwrap();
        let repo = Self { temp };
        repo.git(&["init", "--quiet", "--initial-branch", "main"]);
        repo.write("Cargo.toml", MANIFEST);
        repo.write(".gitignore", "target\n");
        repo.write("xtask.toml", policy);
        repo.write("src/auth.rs", AUTH);
        repo.write(
            "src/main.rs",
            "mod auth;\nmod router;\n\n#[tokio::main]\nasync fn main() {\n    axum::serve(listener, router::app()).await.unwrap();\n}\n",
        );
        repo.app(app);
        repo.commit("first");
        repo
    }

    /// Writes the router.
    pub(crate) fn app(&self, app: &str) {
        self.write(
            "src/router.rs",
            &format!(
                "use axum::Router;\nuse axum::middleware::from_fn;\nuse axum::routing::{{any, get, post}};\n\nuse crate::auth::{{require_staff, require_user, set_headers}};\n\n{app}\nasync fn h() {{}}\n"
            ),
        );
    }

    pub(crate) fn dir(&self) -> &Path {
        self.temp.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        sandbox::write(self.dir(), file, text);
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir().join(file)).unwrap()
    }

    pub(crate) fn has(&self, file: &str) -> bool {
        self.dir().join(file).exists()
    }

    /// What git says.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut command = sandbox::command("git");
        command.args(args).current_dir(self.dir()).envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_AUTHOR_NAME", "Test"),
            ("GIT_AUTHOR_EMAIL", "test@localhost"),
            ("GIT_COMMITTER_NAME", "Test"),
            ("GIT_COMMITTER_EMAIL", "test@localhost"),
        ]);
        let ran = sandbox::run(command);
        ran.expect(0);
        ran.stdout
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Runs `xtask routes` here.
    pub(crate) fn routes(&self, args: &[&str]) -> Ran {
        let mut command = sandbox::routes(self.dir(), args);
        command.current_dir(self.dir());
        sandbox::run(command)
    }
}

/// Two routes behind a guard.
pub(crate) const GREEN: &str = "\
pub fn app() -> Router {
    Router::new()
        .route(\"/orders\", get(h).post(h))
        .route_layer(from_fn(require_user))
}
";
