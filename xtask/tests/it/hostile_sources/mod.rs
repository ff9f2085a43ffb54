//! Sources that nobody would write, and some that somebody does: the scan says what it could not
//! read, and ends as it should.

mod bad_files;
mod bad_workspaces;
mod large;
mod mutated;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::sandbox::{self, Ran};

/// A folder with the files of a workspace.
pub(crate) struct Workspace {
    temp: tempfile::TempDir,
}

pub(crate) const MANIFEST: &str = "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\naxum = \"0.8\"\n";

/// One guarded route, served, and a guard.
pub(crate) const MAIN: &str = "\
use axum::{Router, middleware::from_fn, routing::get};

async fn guard(request: axum::extract::Request, next: axum::middleware::Next) -> Result<axum::response::Response, u16> {
    if request.headers().is_empty() {
        return Err(401);
    }
    Ok(next.run(request).await)
}

#[tokio::main]
async fn main() {
    let app = Router::new().route(\"/a\", get(|| async {})).route_layer(from_fn(guard));
    axum::serve(listener, app).await.unwrap();
}
";

/// Longer than a scan takes wherever it runs: only one that does not end is stopped.
pub(crate) const PATIENCE: Duration = Duration::from_mins(4);

/// Runs a command that may not end by itself; what did not end has no code.
fn within(mut command: Command, patience: Duration) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
    command
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    let since = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if since.elapsed() > patience {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let read = |file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    Ran {
        code,
        stdout: read(out),
        stderr: read(err),
    }
}

pub(crate) const POLICY: &str = "[routes]\nguards = [\"app::guard\"]\n";

impl Workspace {
    pub(crate) fn empty() -> Self {
        Self {
            temp: tempfile::tempdir().unwrap(),
        }
    }

    /// A package that is green.
    pub(crate) fn green() -> Self {
        let workspace = Self::empty();
        workspace.write("Cargo.toml", MANIFEST);
        workspace.write("xtask.toml", POLICY);
        workspace.write("src/main.rs", MAIN);
        workspace
    }

    pub(crate) fn dir(&self) -> &Path {
        self.temp.path()
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir().join(file)
    }

    pub(crate) fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        sandbox::write(self.dir(), file, text);
    }

    /// Writes a file that the program is made of: one that no module names is not compiled.
    pub(crate) fn module(&self, file: &str, text: impl AsRef<[u8]>) {
        let name = file.strip_prefix("src/").unwrap();
        self.write(
            "src/main.rs",
            format!("#[path = {name:?}]\nmod broken;\n{MAIN}"),
        );
        self.write(file, text);
    }

    pub(crate) fn scan(&self) -> Ran {
        self.routes(&["--format", "json"])
    }

    /// Runs `xtask routes` on it; whatever it is, it ends as a judge ends.
    #[track_caller]
    pub(crate) fn routes(&self, args: &[&str]) -> Ran {
        let ran = within(sandbox::routes(self.dir(), args), PATIENCE);
        assert!(
            matches!(ran.code, Some(0 | 1 | 3))
                && !ran.stderr.contains("bug in xtask")
                && !ran.stderr.contains("panicked"),
            "{:?}: {}\n{}",
            ran.code,
            ran.stdout.chars().take(2_000).collect::<String>(),
            ran.stderr
        );
        ran
    }

    /// Red, with a finding of the rule that names all of this; answers its lines.
    #[track_caller]
    pub(crate) fn finds(&self, rule: &str, file: &str, says: &str) -> Vec<u64> {
        let ran = self.scan();
        ran.expect(1);
        let json = ran.json();
        let findings = json["findings"].as_array().unwrap();
        let found = findings.iter().filter(|finding| {
            finding["rule"] == rule
                && finding["file"].as_str().unwrap_or_default() == file
                && finding["message"].as_str().unwrap().contains(says)
        });
        let lines: Vec<u64> = found
            .map(|finding| finding["line"].as_u64().unwrap_or_default())
            .collect();
        assert!(
            !lines.is_empty(),
            "no {rule} at {file} saying `{says}`:\n{findings:#?}"
        );
        lines
    }

    /// Green with its one route, or said to be unknown in this file.
    #[track_caller]
    pub(crate) fn is_green_or_unknown(&self, file: &str) {
        let ran = self.scan();
        let json = ran.json();
        if ran.code == Some(0) {
            assert_eq!(json["counts"]["seen"], 1, "{}", ran.stdout);
        } else {
            self.finds("RG008", file, "");
        }
    }

    /// Green, with this many routes.
    #[track_caller]
    pub(crate) fn is_green(&self, routes: usize) {
        let ran = self.scan();
        ran.expect(0);
        assert_eq!(ran.json()["counts"]["seen"], routes, "{}", ran.stdout);
    }
}

#[test]
fn the_workspace_that_is_broken_here_is_green() {
    Workspace::green().is_green(1);
}
