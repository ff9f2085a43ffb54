//! `pg_dump` and `pg_restore` of this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sqlx::postgres::PgSslMode;
use xshell::cmd;

use crate::cx::Cx;
use crate::database::{At, Target};
use crate::environment;
use crate::exit::{Code, Problem};
use crate::process::Finished;

/// Names the one folder to take them from.
const FOLDER: &str = "BACKUP_PG_BIN";
/// Where Debian has the versions side by side.
const PACKAGES: &str = "/usr/lib/postgresql";

/// Both, of one version, in one folder.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    /// As `pg_dump` states it, such as `15.18`.
    pub(super) version: String,
}

/// How a dump is put into a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Fast, without owners and rights, whose roles are not there.
    Scratch,
    /// In one transaction, with the rights.
    Whole,
}

impl Programs {
    /// The newest there are.
    ///
    /// # Errors
    /// Exit 4 when there are none.
    pub(super) fn find(cx: &Cx) -> Result<Self> {
        let asked = environment::var_os(FOLDER).map(PathBuf::from);
        let folders = asked.map_or_else(|| folders(cx), |folder| Ok(vec![folder]))?;
        let mut found: Vec<Self> = Vec::new();
        for folder in folders {
            if let Some(version) = version(cx, &folder)? {
                found.push(Self { folder, version });
            }
        }
        let newest = found
            .into_iter()
            .max_by_key(|programs| numbers(&programs.version));
        newest.with_context(|| {
            Problem::new(Code::ToolMissing, "no `pg_dump` with a `pg_restore` beside it").help(
                format!("apt-get install postgresql-client or brew install libpq, of the server's version or newer; or set {FOLDER} to their folder"),
            )
        })
    }

    /// # Errors
    /// Exit 3 when they are older than the server of `server_version`, which they would refuse.
    pub(super) fn refuse_older(&self, server_version: &str) -> Result<()> {
        if numbers(&self.version).first() >= numbers(server_version).first() {
            return Ok(());
        }
        Err(Problem::precondition(format!(
            "`pg_dump` is {}, the server {server_version}: it dumps no newer server",
            self.version
        ))
        .help("install the client programs of the server's version, or a newer one")
        .into())
    }

    /// # Errors
    /// Exit 4 when they are newer than the scratch server of `server_version`, which would not take
    /// what they say.
    pub(super) fn refuse_newer(&self, server_version: &str) -> Result<()> {
        if numbers(&self.version).first() <= numbers(server_version).first() {
            return Ok(());
        }
        Err(Problem::new(
            Code::ToolMissing,
            format!(
                "`pg_restore` is {}, and the newest server on this machine to restore into {server_version}",
                self.version
            ),
        )
        .help(format!("install the server's programs of that version, or set {FOLDER} to older client programs"))
        .into())
    }

    /// Dumps the exported snapshot into `file`.
    ///
    /// # Errors
    /// Exit 1, with what `pg_dump` said.
    pub(super) fn dump(&self, cx: &Cx, of: &Target, snapshot: &str, file: &Path) -> Result<()> {
        let sh = cx.shell()?;
        let program = self.folder.join("pg_dump");
        let cmd = cmd!(
            sh,
            "{program} --format=custom --snapshot={snapshot} --no-password --lock-wait-timeout=60s --file={file}"
        );
        ended(&cx.run(cmd.envs(variables(of)?))?, "pg_dump").context(
            Problem::new(Code::Red, format!("failed to dump `{of}`")).help(
                "mend what it names (free space, the rights of the role), then run this again; nothing is left of this backup",
            ),
        )
    }

    /// Reads and unpacks every block of a dump.
    ///
    /// # Errors
    /// Exit 1, with what `pg_restore` said.
    pub(super) fn read_through(&self, cx: &Cx, file: &Path) -> Result<()> {
        let sh = cx.shell()?;
        let program = self.folder.join("pg_restore");
        ended(
            &cx.run(cmd!(sh, "{program} --file=/dev/null {file}"))?,
            "pg_restore",
        )
        .context(
            Problem::new(Code::Red, "the dump cannot be read to its end")
                .help("it is no backup; look at the disk it is on"),
        )
    }

    /// The lines of the table of contents.
    pub(super) fn contents(&self, cx: &Cx, file: &Path) -> Result<String> {
        let sh = cx.shell()?;
        let program = self.folder.join("pg_restore");
        let listed = cx.run(cmd!(sh, "{program} --list {file}"))?;
        ended(&listed, "pg_restore").context("failed to list what is in the dump")?;
        Ok(String::from_utf8_lossy(&listed.stdout).into_owned())
    }

    /// Restores a dump into `into`, which is empty.
    ///
    /// # Errors
    /// Exit 1, with what `pg_restore` said.
    pub(super) fn restore(&self, cx: &Cx, file: &Path, into: &Target, how: How) -> Result<()> {
        let At::Postgres { options, .. } = &into.at else {
            return Err(Problem::bug("a dump of PostgreSQL for a SQLite file").into());
        };
        let sh = cx.shell()?;
        let program = self.folder.join("pg_restore");
        let name = marker::postgres::database(options);
        let database = format!(
            "dbname='{}'",
            name.replace('\\', "\\\\").replace('\'', "\\'")
        );
        let jobs = std::thread::available_parallelism()
            .map_or(1, |n| n.get().min(4))
            .to_string();
        let how: &[&str] = match how {
            How::Scratch => &["--no-privileges", "--jobs", &jobs],
            How::Whole => &["--single-transaction"],
        };
        let cmd = cmd!(
            sh,
            "{program} --exit-on-error --no-owner --no-password {how...} --dbname={database} {file}"
        );
        ended(&cx.run(cmd.envs(variables(into)?))?, "pg_restore").context(
            Problem::new(Code::Red, "the dump cannot be restored")
                .help("it is no backup of anything: make another, cargo xtask db backup"),
        )
    }
}

/// The error of a program that failed: the end of what it said.
fn ended(finished: &Finished, program: &str) -> Result<()> {
    if finished.success() {
        return Ok(());
    }
    let said = finished.stderr();
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(6)..].join("\n  ");
    anyhow::bail!("`{program}` failed ({}): {last}", finished.status)
}

/// What libpq reads from the environment; the arguments of a process are for all to see.
fn variables(target: &Target) -> Result<Vec<(&'static str, String)>> {
    let At::Postgres {
        options, password, ..
    } = &target.at
    else {
        return Err(Problem::bug("client programs of PostgreSQL for a SQLite file").into());
    };
    let host = options.get_socket().map_or_else(
        || options.get_host().to_owned(),
        |folder| folder.display().to_string(),
    );
    let user = options.get_username();
    let mode = match options.get_ssl_mode() {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        _ => "prefer",
    };
    let mut variables = vec![
        ("PGHOST", host),
        ("PGPORT", options.get_port().to_string()),
        ("PGUSER", user.to_owned()),
        (
            "PGDATABASE",
            options.get_database().unwrap_or(user).to_owned(),
        ),
        ("PGSSLMODE", mode.to_owned()),
        ("PGCONNECT_TIMEOUT", "10".to_owned()),
    ];
    let optional = [
        ("PGPASSWORD", password.clone()),
        ("PGOPTIONS", options.get_options().map(str::to_owned)),
    ];
    for (name, value) in optional {
        variables.extend(value.map(|value| (name, value)));
    }
    Ok(variables)
}

/// Folders to look in: the packages', those of the `PATH`, and where `pg_config` says.
fn folders(cx: &Cx) -> Result<Vec<PathBuf>> {
    let packages = std::fs::read_dir(PACKAGES).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = packages.map(|entry| entry.path().join("bin")).collect();
    let path = environment::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    if folders
        .iter()
        .any(|folder| folder.join("pg_config").is_file())
    {
        let sh = cx.shell()?;
        // It is one more place to look in; that it fails is no loss.
        if let Ok(said) = cx.run(cmd!(sh, "pg_config --bindir")) {
            let folder = String::from_utf8_lossy(&said.stdout).trim().to_owned();
            folders.push(PathBuf::from(folder));
        }
    }
    Ok(folders)
}

fn version(cx: &Cx, folder: &Path) -> Result<Option<String>> {
    let program = folder.join("pg_dump");
    if !program.is_file() || !folder.join("pg_restore").is_file() {
        return Ok(None);
    }
    let sh = cx.shell()?;
    let said = cx.run(cmd!(sh, "{program} --version"))?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let after = said.split_once("(PostgreSQL) ");
    Ok(after.and_then(|(_, rest)| rest.split_whitespace().next().map(str::to_owned)))
}

/// `[15, 18]` of `15.18 (Debian …)`.
fn numbers(version: &str) -> Vec<u32> {
    let number = version.split_whitespace().next().unwrap_or_default();
    let digits = |part: &str| {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        part[..end].parse().ok()
    };
    number.split('.').map_while(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(numbers("15.18 (Debian 15.18-0+deb12u1)"), [15, 18]);
        assert_eq!(numbers("19beta1"), [19]);
        assert!(numbers("9.6.24") < numbers("15.1") && numbers("15.2") < numbers("15.18"));
        assert!(numbers("").is_empty());
    }
}
