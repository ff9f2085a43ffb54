//! The real binary of an app: its command line, and what it says when it cannot start.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::migrations::must;

/// The binary of the app whose test asks: `binary!("api")`.
#[macro_export]
macro_rules! binary {
    ($name:literal) => {
        $crate::Binary {
            name: $name,
            path: env!(concat!("CARGO_BIN_EXE_", $name)),
            folder: env!("CARGO_TARGET_TMPDIR"),
        }
    };
}

/// An app as it is started; made by [`binary!`](crate::binary!).
#[derive(Debug, Clone, Copy)]
pub struct Binary {
    /// The app's name.
    pub name: &'static str,
    /// The executable.
    pub path: &'static str,
    /// Where it runs: a folder without `.env.local`.
    pub folder: &'static str,
}

/// How a run ended, and what it wrote.
#[derive(Debug)]
pub struct Run {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// What it wrote on standard output.
    pub stdout: String,
    /// What it wrote on standard error.
    pub stderr: String,
}

/// Each assertion panics when it does not hold.
impl Binary {
    /// Runs it to its end, with these settings and an otherwise empty environment.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, args: &[&str], settings: &[(&str, &str)]) -> Run {
        let output = Command::new(self.path)
            .args(args)
            .env_clear()
            .envs(settings.iter().copied())
            .current_dir(self.folder)
            .output();
        let output = must(&format!("run `{}`", self.path), output);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// It describes its settings without any, `own` after those that all apps have.
    #[track_caller]
    pub fn assert_settings(&self, own: &[&str]) {
        let described = self.describe("settings");
        assert_eq!(described["surface"], self.name);
        let rows = described["settings"].as_array().into_iter().flatten();
        let names: Vec<_> = rows.filter_map(|row| row["name"].as_str()).collect();
        assert!(names.ends_with(own), "{names:?}");
    }

    /// It describes its routes without any settings: method, path and access of each. The three of
    /// the health checks, which every app has, are not given.
    #[track_caller]
    pub fn assert_routes(&self, own: &[[&str; 3]]) {
        let described = self.describe("routes");
        assert_eq!(described["app"], self.name);
        let routes: Vec<_> = described["routes"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let row = |route: &Value| ["method", "path", "access"].map(|key| text(&route[key]));
        let rows: BTreeSet<_> = routes.iter().map(|route| row(route)).collect();
        let health = ["/livez", "/readyz", "/health"].map(|path| ["GET", path, "public"]);
        let expected = own.iter().chain(&health).map(|row| row.map(str::to_owned));
        assert_eq!(rows, expected.collect());
        assert_eq!(routes.len(), rows.len());
        let file = format!("apps/{}/src/router.rs", self.name);
        assert_eq!(routes[0]["file"], file);
        assert!(routes[0]["line"].as_u64() > Some(1));
    }

    /// Whatever else it is told is a usage error.
    #[track_caller]
    pub fn assert_usage(&self) {
        for args in [&["describe"][..], &["describe", "secrets"], &["--force"]] {
            let run = self.run(args, &[]);
            assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
            let usage = format!("usage: {} [describe ", self.name);
            assert!(run.stderr.starts_with(&usage), "{}", run.stderr);
        }
    }

    /// Without its secret it does not start, and says how to get one.
    #[track_caller]
    pub fn assert_needs(&self, secret: &str) {
        let run = self.run(&[], &[]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
        for part in [
            &format!("error: the settings of `{}` cannot be used\n", self.name),
            &format!("`{secret}` is not set"),
            "\nhelp: run `cargo xtask setup`",
        ] {
            assert!(run.stderr.contains(part), "{}", run.stderr);
        }
    }

    #[track_caller]
    fn describe(&self, what: &str) -> Value {
        let run = self.run(&["describe", what], &[]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        must(
            &format!("read the {what}"),
            serde_json::from_str(&run.stdout),
        )
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
