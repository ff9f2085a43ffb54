//! The process environment, and `.env.local` underneath it on a developer's machine.

use std::collections::BTreeMap;
use std::env::{self, VarError};
use std::{fs, io};

use crate::table::APP_ENV;
use crate::{AppEnv, Surface};

const LOCAL_FILE: &str = ".env.local";

/// The values of one surface's variables, and what was wrong with where they come from.
pub(crate) struct Environment {
    values: BTreeMap<&'static str, String>,
    pub(crate) problems: Vec<String>,
}

impl Environment {
    pub(crate) fn load(surface: Surface) -> Self {
        let mut environment = Self {
            values: BTreeMap::new(),
            problems: Vec::new(),
        };
        environment.read_process(surface);
        let app_env = environment.get(APP_ENV.name);
        if app_env.is_none_or(|value| value == AppEnv::Local.as_str()) {
            match fs::read_to_string(LOCAL_FILE) {
                Ok(text) => environment.read_file(surface, &text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    environment
                        .problems
                        .push(format!("failed to read `{LOCAL_FILE}`: {error}"));
                }
            }
        }
        environment
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    fn read_process(&mut self, surface: Surface) {
        for variable in surface.variables() {
            match env::var(variable.name) {
                Ok(value) if value.is_empty() => {}
                Ok(value) => {
                    self.values.insert(variable.name, value);
                }
                Err(VarError::NotPresent) => {}
                Err(VarError::NotUnicode(_)) => {
                    self.problems
                        .push(format!("`{}` is not valid UTF-8", variable.name));
                }
            }
        }
    }

    /// Takes what the process environment leaves open. Other surfaces' variables are passed over.
    fn read_file(&mut self, surface: Surface, text: &str) {
        let mut file = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = format!("line {} of `{LOCAL_FILE}`", index + 1);
            // A line without a plain name is not quoted: it may be a secret by itself.
            let Some((name, value)) = assignment(line) else {
                self.problems.push(format!("{at} is not `NAME=value`"));
                continue;
            };
            let mut everybodys = Surface::ALL.into_iter().flat_map(Surface::variables);
            if !everybodys.any(|known| known.name == name) {
                self.problems
                    .push(format!("{at} sets `{name}`, which no app reads"));
                continue;
            }
            // As in the process environment: not set.
            if value.is_empty() {
                continue;
            }
            // Otherwise a file called local could turn the process into a production one.
            if name == APP_ENV.name && value != AppEnv::Local.as_str() {
                self.problems
                    .push(format!("{at} sets `{name}` to other than `local`"));
                continue;
            }
            if let Some(variable) = surface.variables().find(|known| known.name == name) {
                // The last one counts, as in a shell; `cargo xtask setup` appends.
                file.insert(variable.name, value.to_owned());
            }
        }
        for (name, value) in file {
            self.values.entry(name).or_insert(value);
        }
    }
}

/// Name and value of `NAME=value`, with or without `export` before it and quotes around the value.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(is_plain)).then(|| (name, unquoted(value.trim())))
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Environment {
        let values = BTreeMap::from([("LOG", "from the process".to_owned())]);
        let mut environment = Environment {
            values,
            problems: Vec::new(),
        };
        environment.read_file(Surface::Api, text);
        environment
    }

    #[test]
    fn file_lies_underneath_the_process() {
        let environment = read("# comment\n\nLOG=from the file\nAPI_ADDR = \"[::1]:1\"\n");
        assert_eq!(environment.get("LOG").as_deref(), Some("from the process"));
        assert_eq!(environment.get("API_ADDR").as_deref(), Some("[::1]:1"));
        assert_eq!(environment.problems, [""; 0]);
    }

    #[test]
    fn an_empty_value_in_the_file_counts_as_not_set() {
        let environment = read("APP_ENV=\nAPI_TOKEN_KEY=\"\"\nAPI_ADDR=");
        assert_eq!(environment.problems, [""; 0]);
        for name in ["APP_ENV", "API_TOKEN_KEY", "API_ADDR"] {
            assert_eq!(environment.get(name), None, "{name}");
        }
    }

    #[test]
    fn of_a_name_that_is_set_twice_the_last_value_counts() {
        let text = "API_TOKEN_KEY=\nAPI_ADDR=[::1]:1\nexport API_ADDR='[::1]:2'\nAPI_TOKEN_KEY=x\nAPI_TOKEN_KEY=";
        let environment = read(text);
        assert_eq!(environment.problems, [""; 0]);
        assert_eq!(environment.get("API_ADDR").as_deref(), Some("[::1]:2"));
        assert_eq!(environment.get("API_TOKEN_KEY").as_deref(), Some("x"));
    }

    #[test]
    fn a_name_that_no_app_reads_is_told_but_what_may_be_a_secret_is_not() {
        let environment = read("API_TOKN_KEY=hunter2\npostgres://ada:hunter2@db?sslmode=disable");
        assert_eq!(
            environment.problems,
            [
                "line 1 of `.env.local` sets `API_TOKN_KEY`, which no app reads",
                "line 2 of `.env.local` is not `NAME=value`",
            ]
        );
    }

    #[test]
    fn file_never_yields_another_surfaces_secret() {
        assert_eq!(read("ADMIN_SESSION_KEY=x").get("ADMIN_SESSION_KEY"), None);
    }

    #[test]
    fn file_problems_name_the_line_and_not_its_content() {
        let environment = read("API_TOKEN_KEY: hunter2\nAPP_ENV=production\nAPP_ENV=local");
        assert_eq!(
            environment.problems,
            [
                "line 1 of `.env.local` is not `NAME=value`",
                "line 2 of `.env.local` sets `APP_ENV` to other than `local`",
            ]
        );
        assert_eq!(environment.get("APP_ENV").as_deref(), Some("local"));
    }
}
