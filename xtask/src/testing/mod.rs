//! Running tests, on nextest or on cargo's own runner: what was listed, what ran, what failed.

pub(crate) mod libtest;
pub(crate) mod nextest;

use anyhow::Result;
use xshell::Shell;

use crate::cx::{Cx, Postgres};

/// Tests that need a PostgreSQL server say so in their path.
const NEEDS_POSTGRES: &str = "postgres";

/// What came of a run of tests.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) passed: usize,
    /// Name and captured output.
    pub(crate) failed: Vec<(String, String)>,
    /// Tests that never run.
    pub(crate) ignored: Vec<String>,
    /// Tests left out because no PostgreSQL server was found.
    pub(crate) left_out: usize,
    /// The runner's closing line, and what it says of slow tests.
    pub(crate) notes: Vec<String>,
}

/// A shell whose tests find the cluster of this run. Without a server, what is left must need none:
/// a test that does, and does not say so in its name, fails.
fn shell(cx: &Cx, server: &Server) -> Result<Shell> {
    let sh = cx.shell()?;
    match server {
        Server::NotNeeded => {}
        Server::Here(postgres) => {
            if let Postgres::Running(cluster) = postgres {
                for (name, value) in cluster.env() {
                    sh.set_var(name, value);
                }
            } else {
                sh.set_var("XTASK_REQUIRE_POSTGRES", "1");
            }
        }
    }
    Ok(sh)
}

/// The server for tests: started when the first test needs it.
#[derive(Debug)]
pub(crate) enum Server {
    NotNeeded,
    Here(Postgres),
}

impl Server {
    fn is_absent(&self) -> bool {
        matches!(self, Server::Here(Postgres::Absent(_)))
    }
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
