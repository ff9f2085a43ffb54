//! Logs, metrics and the panic hook belong to a whole process: a test of them runs in one of its
//! own, which is this binary, started again for a single test.

use std::process::{Command, Output};

use settings::{Common, Settings, SiteSettings};

const ALONE: &str = "TELEMETRY_TEST_ALONE";

/// Whether this is the process that [`run`] has started.
pub(crate) fn is_alone() -> bool {
    !told(ALONE).is_empty()
}

/// What the process was told besides; empty without.
#[expect(
    clippy::disallowed_methods,
    reason = "what a test tells the process it starts is no setting"
)]
pub(crate) fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// The process for a test, which is `module::name`.
pub(crate) fn command(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1");
    command
}

/// Runs the test in its process, told these besides, and gives what it has written.
pub(crate) fn run(test: &str, told: &[(&str, &str)]) -> Output {
    let output = command(test).envs(told.iter().copied()).output().unwrap();
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    // A name that no test has is a success, too.
    let passed = output.status.success() && stdout.contains("1 passed");
    assert!(passed, "{stdout}\n{stderr}");
    output
}

/// The settings of an environment.
pub(crate) fn common(env: &str) -> Common {
    let source = |name: &str| match name {
        "APP_ENV" => Some(env.to_owned()),
        "API_URL" => Some("http://127.0.0.1:1".to_owned()),
        "RELEASE_SHA" => Some("abc123".to_owned()),
        _ => None,
    };
    SiteSettings::from_source(&source).unwrap().common
}
