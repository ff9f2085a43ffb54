//! One cluster per run, and the rule for machines that have no PostgreSQL.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::chain;
use crate::{Cluster, Error, Handle, Server, server, variable};

/// Names the socket folder of a cluster that already runs: set by a runner of several test
/// processes from [`Cluster::env`].
pub const SOCKET_DIR_ENV: &str = "PGSCRATCH_SOCKET_DIR";

/// Set to `1` where a missing PostgreSQL is a failure.
pub const REQUIRED_ENV: &str = "XTASK_REQUIRE_POSTGRES";

/// The cluster of this run: the one named by `$PGSCRATCH_SOCKET_DIR`, else one of this process,
/// started by the first call and removed when the process ends. Blocks while it starts.
///
/// # Errors
/// When no server is installed or it does not start; see [`Cluster::start`].
pub fn cluster() -> Result<Handle, Error> {
    /// Never dropped, as statics are not: its supervisor removes it at the end of the process.
    static OWN: Mutex<Option<Cluster>> = Mutex::new(None);

    if let Some(dir) = variable(SOCKET_DIR_ENV) {
        return Ok(Handle::new(PathBuf::from(dir)));
    }
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cluster) = &*own {
        return Ok(cluster.handle());
    }
    let cluster = Cluster::start(&server::find()?)?;
    Ok(own.insert(cluster).handle())
}

/// [`cluster`] for tests: without an installed PostgreSQL it says `not run: postgresql` on
/// standard error and gives `None`, and the test returns.
///
/// A test that calls this has `postgres` in its path: that is how a runner on a machine without
/// PostgreSQL leaves it out and counts it as not run.
///
/// # Panics
/// When the cluster does not start, or PostgreSQL is absent and `XTASK_REQUIRE_POSTGRES=1`.
pub fn for_tests() -> Option<Handle> {
    unless_absent(cluster())
}

/// The installed server, for tests that start a cluster of their own; the rest is as with
/// [`for_tests`].
///
/// # Panics
/// When PostgreSQL is absent and `XTASK_REQUIRE_POSTGRES=1`.
pub fn server_for_tests() -> Option<Server> {
    unless_absent(server::find().map_err(Error::from))
}

#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn unless_absent<T>(found: Result<T, Error>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(Error::Missing(missing)) if !required() => {
            eprintln!("not run: postgresql: {missing}");
            None
        }
        Err(error) => panic!("{}", chain(&error)),
    }
}

fn required() -> bool {
    variable(REQUIRED_ENV).is_some_and(|value| value == "1")
}
