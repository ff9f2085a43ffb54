//! The table itself: where it comes from, and which paths it stands for.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

const APPS: [&str; 4] = ["api", "client", "admin", "site"];

/// What the scan and the recorder both know of a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) app: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) access: String,
    pub(super) reason: Option<String>,
    pub(super) file: String,
    pub(super) line: u64,
}

impl Row {
    fn read(app: &Value, row: &Value) -> Self {
        let text = |value: &Value| match value.as_str() {
            Some(text) => text.to_owned(),
            None => panic!("no text: {value} in {row}"),
        };
        Self {
            app: text(app),
            method: text(&row["method"]),
            path: text(&row["path"]),
            access: text(&row["access"]),
            reason: row["reason"].as_str().map(str::to_owned),
            file: text(&row["file"]),
            line: row["line"].as_u64().unwrap(),
        }
    }

    pub(super) fn is_public(&self) -> bool {
        self.access == "public"
    }

    /// Whether it may change something, so that pages ask for the token of a form.
    pub(super) fn is_change(&self) -> bool {
        self.method != "GET"
    }

    pub(super) fn name(&self) -> String {
        let Self {
            app, method, path, ..
        } = self;
        format!("{app}: {method} {path}")
    }
}

/// What the processes themselves say: each executable's `describe routes`.
pub(super) fn recorded() -> Vec<Row> {
    let described = APPS.map(|app| {
        let run = Command::new(env!("CARGO_BIN_EXE_e2e"))
            .arg0(app)
            .args(["describe", "routes"])
            .env_clear()
            .output()
            .unwrap();
        assert!(run.status.success(), "{app}: {run:?}");
        serde_json::from_slice::<Value>(&run.stdout).unwrap()
    });
    rows(described.iter().flat_map(|described| {
        let routes = described["routes"].as_array().unwrap();
        routes
            .iter()
            .map(|route| Row::read(&described["app"], route))
    }))
}

fn rows(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

/// What the scan prints, asked once for each process of tests.
///
/// By the command line that people type, because no other way works under both `cargo xtask test` and
/// a plain `cargo test`: this package does not depend on `xtask`, so cargo neither builds it for these
/// tests nor tells where it is, and an executable that happens to lie about may be older than its
/// source. Cargo looks whether it is, which takes a fraction of a second; only the first `cargo test`
/// of a checkout where `cargo xtask` never ran has to build it. No lock is in the way: the runner has
/// a profile of its own, and nobody holds the lock of that one while tests run.
pub(super) fn scanned() -> &'static [Row] {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let run = Command::new(env!("CARGO"))
            .args(["xtask", "routes", "--format", "json"])
            .current_dir(root)
            .output()
            .unwrap();
        assert!(run.status.success(), "the scan is not green: {run:?}");
        let table: Value = serde_json::from_slice(&run.stdout).unwrap();
        let routes = table["routes"].as_array().unwrap().iter();
        rows(routes.map(|route| Row::read(&route["app"], route)))
    })
}

/// What is in one of the two and not in the other, field by field.
pub(super) fn differences(table: &[Row], recorded: &[Row]) -> Vec<String> {
    let count = |rows: &[Row]| {
        let mut counts = BTreeMap::new();
        for row in rows {
            *counts.entry(row.clone()).or_insert(0_i64) += 1;
        }
        counts
    };
    let (scanned, registered) = (count(table), count(recorded));
    let all: BTreeSet<_> = scanned.keys().chain(registered.keys()).collect();
    all.into_iter()
        .filter_map(|row| {
            let of = |rows: &BTreeMap<Row, i64>| rows.get(row).copied().unwrap_or_default();
            let (scanned, registered) = (of(&scanned), of(&registered));
            (scanned != registered)
                .then(|| format!("scanned {scanned} times, registered {registered}: {row:?}"))
        })
        .collect()
}

/// The paths that a pattern stands for, once with a number and once with a UUID for each parameter:
/// who is let in is decided before anyone looks which of them a handler takes.
pub(super) fn filled(pattern: &str) -> Vec<String> {
    if !pattern.contains('{') {
        return vec![pattern.to_owned()];
    }
    ["1", "6f1c2b1e-8f0a-4c59-9d6b-0d6f5a1f7c11"]
        .map(|value| {
            let segments = pattern.split('/').map(|segment| {
                let is_parameter = segment.starts_with('{');
                if is_parameter { value } else { segment }
            });
            segments.collect::<Vec<_>>().join("/")
        })
        .into()
}

/// Whether the router takes this path for this pattern.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let mut given = path.split('/');
    for segment in pattern.split('/') {
        if segment.starts_with("{*") {
            return given.next().is_some_and(|rest| !rest.is_empty());
        }
        let fits = match given.next() {
            Some(part) if segment.starts_with('{') => !part.is_empty(),
            part => part == Some(segment),
        };
        if !fits {
            return false;
        }
    }
    given.next().is_none()
}

/// What people leave lying about, or expect to find.
pub(super) const LIKELY: [&str; 42] = [
    "/",
    "/.env",
    "/.env.local",
    "/.git/HEAD",
    "/.git/config",
    "/.well-known/security.txt",
    "/_debug",
    "/actuator",
    "/actuator/health",
    "/admin",
    "/api",
    "/api-docs",
    "/api/v1",
    "/app.db",
    "/assets/style.css",
    "/config",
    "/console",
    "/debug",
    "/debug/pprof/",
    "/describe",
    "/docs",
    "/favicon.ico",
    "/graphql",
    "/healthz",
    "/index.html",
    "/internal",
    "/login",
    "/metrics",
    "/metrics/",
    "/openapi",
    "/openapi.json",
    "/openapi.yaml",
    "/redoc",
    "/robots.txt",
    "/server-status",
    "/static/style.css",
    "/status",
    "/swagger-ui",
    "/swagger-ui/index.html",
    "/swagger.json",
    "/v1",
    "/v2",
];

/// What stands at the end of other people's paths.
const ENDINGS: [&str; 18] = [
    "1",
    "admin",
    "all",
    "cancel",
    "current",
    "debug",
    "export",
    "icon.svg",
    "me",
    "metrics",
    "new",
    "openapi",
    "openapi.json",
    "refresh",
    "search",
    "sign-up",
    "style.css",
    "webhooks/payments",
];

/// Paths near those of the table and of everyone: those of the other apps, and each with a slash, in
/// capitals, cut short, and with another end.
pub(super) fn nearby(table: &[Row]) -> BTreeSet<String> {
    let mut folders = BTreeSet::from([String::new()]);
    let mut endings: BTreeSet<_> = ENDINGS.map(str::to_owned).into();
    let mut paths: BTreeSet<_> = LIKELY.map(str::to_owned).into();
    for path in table.iter().flat_map(|row| filled(&row.path)) {
        for (at, _) in path.match_indices('/') {
            folders.insert(path[..at].to_owned());
        }
        endings.extend(path.split('/').map(str::to_owned));
        paths.extend([
            format!("{path}/"),
            format!("/{path}"),
            format!("{path}.json"),
            format!("{path}%00"),
            path.to_uppercase(),
        ]);
        folders.insert(path.trim_end_matches('/').to_owned());
    }
    for folder in &folders {
        paths.insert(folder.clone());
        paths.extend(endings.iter().map(|ending| format!("{folder}/{ending}")));
    }
    paths.retain(|path| path.starts_with('/'));
    paths
}
