//! Optional components of a machine that some tests need: a server, a browser. A test says so in its
//! path, and is left out where the component is absent; it never counts as passed there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use xshell::Shell;

use crate::cx::{Cx, Postgres};
use crate::environment;
use crate::report::{NotRun, text};

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) name: &'static str,
    /// What stands in the path of a test that needs it.
    pub(crate) word: &'static str,
    /// How such a test runs, for people.
    how: &'static str,
    /// Set to `1` it makes the absence red.
    pub(crate) required_by: &'static str,
    pub(crate) install: &'static str,
    is: Is,
}

#[derive(Debug)]
enum Is {
    /// A server that is found where packages put it, and started by us.
    Postgres,
    /// Programs that the tests themselves start, all of them on the `PATH`.
    Programs(&'static [&'static str]),
}

pub(crate) const COMPONENTS: &[Component] = &[
    Component {
        name: "PostgreSQL",
        word: "postgres",
        how: "on PostgreSQL",
        required_by: "XTASK_REQUIRE_POSTGRES",
        install: "apt-get install postgresql, or brew install postgresql@17",
        is: Is::Postgres,
    },
    Component {
        name: "Chromium",
        word: "chromium",
        how: "in Chromium",
        required_by: "XTASK_REQUIRE_CHROMIUM",
        install: "apt-get install chromium chromium-driver, or brew install chromium chromedriver",
        is: Is::Programs(&["chromium", "chromedriver"]),
    },
    Component {
        name: "Redis",
        word: "redis_server",
        how: "on Redis",
        required_by: "XTASK_REQUIRE_REDIS",
        install: "apt-get install redis-server, or brew install redis",
        is: Is::Programs(&["redis-server"]),
    },
    Component {
        name: "Schemathesis",
        word: "schemathesis",
        how: "by Schemathesis",
        required_by: "XTASK_REQUIRE_SCHEMATHESIS",
        install: "pipx install schemathesis",
        is: Is::Programs(&["schemathesis"]),
    },
    Component {
        name: "curl and openssl",
        word: "curl",
        how: "by curl",
        required_by: "XTASK_REQUIRE_CURL",
        install: "apt-get install curl openssl, or brew install curl openssl",
        is: Is::Programs(&["bash", "curl", "openssl"]),
    },
    Component {
        name: "OpenSSH",
        word: "openssh",
        how: "signed by OpenSSH",
        required_by: "XTASK_REQUIRE_OPENSSH",
        install: "apt-get install openssh-client",
        is: Is::Programs(&["ssh-keygen"]),
    },
    Component {
        name: "GitHub CLI",
        word: "github_cli",
        how: "by gh",
        required_by: "XTASK_REQUIRE_GH",
        install: "apt-get install gh, or brew install gh",
        is: Is::Programs(&["gh"]),
    },
];

const NO_SERVER: &str = "no PostgreSQL server was found";

impl Component {
    /// Where it is, or what is missing. Starts nothing that stays.
    pub(crate) fn find(&self) -> Result<String, String> {
        match self.is {
            Is::Postgres => match pgscratch::find() {
                Ok(server) => Ok(format!(
                    "{} in {}",
                    server.version(),
                    server.folder().display()
                )),
                Err(_) => Err(NO_SERVER.to_owned()),
            },
            Is::Programs(programs) => {
                let path = environment::var_os("PATH").unwrap_or_default();
                let found: Result<Vec<String>, String> = programs
                    .iter()
                    .map(|program| match on_path(&path, program) {
                        Some(file) => Ok(file.display().to_string()),
                        None => Err(format!("no `{program}` is on the PATH")),
                    })
                    .collect();
                found.map(|files| files.join(", "))
            }
        }
    }
}

fn on_path(path: &std::ffi::OsStr, program: &str) -> Option<PathBuf> {
    let is_executable = |file: &Path| {
        file.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

/// What this machine lacks, and what the tests of a run need of the rest.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    here: Vec<&'static Component>,
    absent: Vec<Absent>,
    cluster: Option<Arc<pgscratch::Cluster>>,
}

#[derive(Debug)]
struct Absent {
    component: &'static Component,
    tests: usize,
    reason: String,
    help: String,
}

impl Needs {
    /// Looks for every component; starts the database server if one of these tests needs it.
    pub(crate) fn of(cx: &Cx, tests: &[&str]) -> Result<Self> {
        let mut needs = Self::default();
        for component in COMPONENTS {
            let needing = |name: &&&str| name.contains(component.word);
            let tests = tests.iter().filter(needing).count();
            let mut help = component.install.to_owned();
            let found = match component.is {
                Is::Postgres if tests > 0 => match cx.postgres()? {
                    Postgres::Running(cluster) => {
                        needs.cluster = Some(cluster);
                        Ok(())
                    }
                    Postgres::Absent(where_it_was_looked_for) => {
                        help = where_it_was_looked_for;
                        Err(NO_SERVER.to_owned())
                    }
                },
                _ => component.find().map(drop),
            };
            match found {
                Ok(()) if tests == 0 => {}
                Ok(()) => needs.here.push(component),
                Err(reason) => needs.absent.push(Absent {
                    component,
                    tests,
                    reason,
                    help,
                }),
            }
        }
        Ok(needs)
    }

    /// The words that keep a test out.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = &'static str> {
        self.absent.iter().map(|absent| absent.component.word)
    }

    pub(crate) fn leaves_out(&self, test: &str) -> bool {
        self.left_out().any(|word| test.contains(word))
    }

    /// A shell whose tests find the cluster of this run. To all that is left an absent component is
    /// a required one: a test that needs it, and does not say so in its path, fails.
    pub(crate) fn shell(&self, cx: &Cx) -> Result<Shell> {
        let sh = cx.shell()?;
        for (name, value) in self.cluster.iter().flat_map(|cluster| cluster.env()) {
            sh.set_var(name, value);
        }
        for absent in &self.absent {
            sh.set_var(absent.component.required_by, "1");
        }
        Ok(sh)
    }

    /// A test that lacks two components is told with each: either may be the required one.
    pub(crate) fn not_run(&self) -> Vec<NotRun> {
        let not_run = |absent: &Absent| NotRun {
            what: format!(
                "{} {}",
                text::plural(absent.tests, "test"),
                absent.component.how
            ),
            reason: absent.reason.clone(),
            required_by: absent.component.required_by.to_owned(),
            required: environment::requires(absent.component.required_by),
            help: absent.help.clone(),
            hides: vec!["tests".to_owned()],
        };
        let missed = self.absent.iter().filter(|absent| absent.tests > 0);
        missed.map(not_run).collect()
    }

    /// What took part, for a line of the report.
    pub(crate) fn note(&self) -> Option<String> {
        let names: Vec<&str> = self.here.iter().map(|component| component.name).collect();
        (!names.is_empty()).then(|| format!("with {}", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_it_can_be_executed() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("tool");
        let path = std::env::join_paths([Path::new("/nonexistent"), temp.path()]).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert_eq!(on_path(&path, "tool"), None, "a folder");
        std::fs::remove_dir(&file).unwrap();
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(on_path(&path, "tool"), None, "not executable");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(on_path(&path, "tool"), Some(file));
    }

    #[test]
    fn every_component_counts_among_the_inputs_of_the_tests() {
        let gate = crate::gates::find("test").unwrap();
        for component in COMPONENTS {
            let is_input = gate.inputs.iter().any(|input| {
                matches!(input, crate::gates::Input::Env(name) if *name == component.required_by)
            });
            assert!(is_input, "{}", component.required_by);
        }
    }

    /// One of the two may be the required one, so both are told.
    #[test]
    fn a_test_that_lacks_two_components_is_told_with_each() {
        let absent = |component: &'static Component| Absent {
            component,
            tests: 1,
            reason: String::new(),
            help: String::new(),
        };
        let needs = Needs {
            absent: COMPONENTS.iter().take(2).map(absent).collect(),
            ..Needs::default()
        };
        let told: Vec<String> = needs.not_run().into_iter().map(|n| n.what).collect();
        assert_eq!(told, ["1 test on PostgreSQL", "1 test in Chromium"]);
        assert!(needs.leaves_out("a::chromium::b") && !needs.leaves_out("a::b"));
    }
}
