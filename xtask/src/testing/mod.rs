//! Running tests, on nextest or on cargo's own runner: what was listed, what ran, what failed.

pub(crate) mod components;
pub(crate) mod libtest;
pub(crate) mod nextest;

use crate::cx::Cx;
use crate::report::NotRun;

/// What came of a run of tests.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) passed: usize,
    /// Name and captured output.
    pub(crate) failed: Vec<(String, String)>,
    /// Tests that never run.
    pub(crate) ignored: Vec<String>,
    /// Tests left out for the want of an optional component.
    pub(crate) not_run: Vec<NotRun>,
    /// The runner's closing line, and what it says of slow tests.
    pub(crate) notes: Vec<String>,
}

/// The packages of a narrowed run, as cargo wants them.
fn packages(cx: &Cx) -> Vec<String> {
    match &cx.only {
        Some(only) => only
            .iter()
            .flat_map(|name| ["--package".to_owned(), name.clone()])
            .collect(),
        None => vec!["--workspace".to_owned()],
    }
}
