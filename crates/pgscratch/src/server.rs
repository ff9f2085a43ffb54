//! Finding the PostgreSQL server programs on this machine.

use std::cmp::Reverse;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::account::Account;
use crate::variable;

/// The environment variable that names the folder to take the server programs from.
const BIN_ENV: &str = "PGSCRATCH_BIN";

/// Where packages put servers beside `PATH`: parent folder, prefix of the versioned folder in
/// it, and the rest of the path.
const PACKAGES: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr/local", "pgsql", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/usr", "pgsql-", "bin"),
];

/// An installed PostgreSQL server: `initdb` and `postgres` in one folder, known to run.
#[derive(Debug, Clone)]
pub struct Server {
    folder: PathBuf,
    version: String,
}

impl Server {
    /// The version as the server states it, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The folder of the server programs. Client programs (`pg_dump`, `psql`) are there too when
    /// the package brings them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Accepts the folder that `dir/initdb` really lives in, or says why not.
    fn in_folder(dir: &Path) -> Result<Server, String> {
        let initdb = dir.join("initdb");
        // `initdb` on the PATH is often a link; `postgres` and its libraries are where it points.
        let initdb = initdb
            .canonicalize()
            .map_err(|_| "no `initdb`".to_owned())?;
        let folder = initdb.parent().unwrap_or(dir).to_owned();
        let postgres = folder.join("postgres");
        if !postgres.is_file() {
            return Err("`initdb` without `postgres` beside it".to_owned());
        }
        let version = version_of(&postgres)?;
        Ok(Server { folder, version })
    }
}

/// Runs `postgres --version`, as the account the server will run as.
fn version_of(postgres: &Path) -> Result<String, String> {
    let mut command = Command::new(postgres);
    command
        .arg("--version")
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null());
    if let Ok(Some(account)) = Account::to_change_to() {
        account.apply(&mut command);
    }
    let output = command
        .output()
        .map_err(|error| format!("`postgres` does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match parse_version(&text) {
        Some(version) if output.status.success() => Ok(version.to_owned()),
        _ => Err(format!(
            "`postgres --version` said `{}` ({})",
            text.trim(),
            output.status
        )),
    }
}

/// `15.18` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(text: &str) -> Option<&str> {
    text.split_once("(PostgreSQL) ")?
        .1
        .split_whitespace()
        .next()
}

/// No usable PostgreSQL server: what was looked at, and how to install one.
#[derive(Debug, Clone)]
pub struct Missing {
    /// Whether the folder was named by the environment, and no other was looked at.
    asked: bool,
    looked: Vec<(PathBuf, String)>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no postgresql server found (`initdb` and `postgres` in one folder); looked in ",
        )?;
        if self.asked {
            write!(f, "`${BIN_ENV}` only")?;
        } else {
            f.write_str("`PATH`")?;
            for (parent, prefix, rest) in PACKAGES {
                write!(f, ", `{parent}/{prefix}*/{rest}`")?;
            }
        }
        for (folder, why) in &self.looked {
            write!(f, "\n  `{}`: {why}", folder.display())?;
        }
        write!(
            f,
            "\nhelp: `apt-get install postgresql` or `brew install postgresql@17`, \
             or set `{BIN_ENV}` to the folder of `initdb`"
        )
    }
}

impl std::error::Error for Missing {}

/// Finds the server to use: `$PGSCRATCH_BIN` alone when it is set, else the first that works on
/// `PATH` and in the usual package folders, newest version first.
///
/// # Errors
/// [`Missing`] when there is none; its text says what was looked at and how to install one.
pub fn find() -> Result<Server, Missing> {
    // Falling back from a wrong setting would test against another server than was asked for.
    let asked = variable(BIN_ENV).map(PathBuf::from);
    let (asked, folders) = (
        asked.is_some(),
        asked.map_or_else(candidates, |folder| vec![folder]),
    );
    let mut looked = Vec::new();
    for folder in &folders {
        match Server::in_folder(folder) {
            Ok(server) => return Ok(server),
            // A folder of the `PATH` without `initdb` is not worth a line.
            Err(_) if !asked && !folder.join("initdb").exists() => {}
            Err(why) => looked.push((folder.clone(), why)),
        }
    }
    Err(Missing { asked, looked })
}

fn candidates() -> Vec<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    for (parent, prefix, rest) in PACKAGES {
        let mut names: Vec<String> = fs::read_dir(parent)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort_by_key(|name| Reverse(major(name)));
        folders.extend(
            names
                .iter()
                .map(|name| Path::new(parent).join(name).join(rest)),
        );
    }
    folders
}

/// The first number in a folder's name; names without one are newest (`postgresql` of Homebrew).
fn major(name: &str) -> u32 {
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{major, parse_version};

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(parse_version(debian), Some("15.18"));
        assert_eq!(
            parse_version("postgres (PostgreSQL) 19beta1\n"),
            Some("19beta1")
        );
        assert_eq!(parse_version("command not found"), None);
        assert!(major("postgresql@17") > major("postgresql@9.6"));
        assert!(major("postgresql") > major("postgresql@17"));
    }
}
