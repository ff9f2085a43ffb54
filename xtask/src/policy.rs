//! `xtask.toml`: the only knob file. Every key has a default, so a workspace without one works.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use marker::Environment;
use serde::Deserialize;

use crate::exit::Problem;

pub(crate) const FILE: &str = "xtask.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Policy {
    pub(crate) branch: Branch,
    pub(crate) apps: Apps,
    pub(crate) docs: Docs,
    pub(crate) routes: Routes,
    pub(crate) migrations: Migrations,
    pub(crate) queries: Queries,
    pub(crate) backup: Backup,
    pub(crate) deploy: Deploy,
    pub(crate) roles: Roles,
    /// Per gate id.
    pub(crate) gates: BTreeMap<String, GatePolicy>,
    pub(crate) allow: Vec<Allow>,
}

/// Trunk-based development: what a branch may be called and how long it may live.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Branch {
    pub(crate) trunk: String,
    pub(crate) prefixes: Vec<String>,
    pub(crate) bots: Vec<Bot>,
    pub(crate) max_age_days: u32,
}

impl Default for Branch {
    fn default() -> Self {
        Self {
            trunk: "main".to_owned(),
            prefixes: ["feat/", "fix/", "chore/", "hotfix/"]
                .map(str::to_owned)
                .to_vec(),
            bots: Vec::new(),
            max_age_days: 2,
        }
    }
}

/// Branches of a bot are named by the bot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Bot {
    pub(crate) prefix: String,
    pub(crate) reason: String,
}

/// The deployables: crates below this folder, each with `describe settings|routes`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Apps {
    pub(crate) dir: String,
    /// Crates that may touch axum's own router: they are the guard.
    pub(crate) guard_crates: Vec<String>,
}

impl Default for Apps {
    fn default() -> Self {
        Self {
            dir: "apps".to_owned(),
            guard_crates: vec!["crates/guard".to_owned()],
        }
    }
}

/// What stands before the routes of a raw axum router. Functions and types are named by their full
/// path, with the crate first (`web::auth::require_user`): two of one name stay two. Routes of
/// `guard::GuardedRouter` carry their policy themselves and need nothing here.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Routes {
    /// Middleware and layers that turn away whoever may not come in. A route needs one of them.
    pub(crate) guards: Vec<String>,
    /// Handler arguments that do so.
    pub(crate) extractors: Vec<String>,
    /// Layers that set the required headers. Every answer needs one, where any are named.
    pub(crate) headers: Vec<String>,
    /// Layers that limit how often one may call. Every route needs one, where any are named.
    pub(crate) rate_limits: Vec<String>,
    /// What only certain routes must have.
    pub(crate) rule: Vec<RouteRule>,
    /// Routes for everybody.
    pub(crate) public: Vec<PublicRoute>,
    /// Where all this was read, for findings about it.
    #[serde(skip)]
    pub(crate) file: String,
}

impl Routes {
    /// Guards, the general ones and those of rules.
    pub(crate) fn all_guards(&self) -> impl Iterator<Item = &str> {
        let ruled = self.rule.iter().flat_map(|rule| &rule.guards);
        self.guards.iter().chain(ruled).map(String::as_str)
    }

    /// Handler arguments, the general ones and those of rules.
    pub(crate) fn all_extractors(&self) -> impl Iterator<Item = &str> {
        let ruled = self.rule.iter().flat_map(|rule| &rule.extractors);
        self.extractors.iter().chain(ruled).map(String::as_str)
    }

    /// Every name of a function, type or layer.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let layers = self.headers.iter().chain(&self.rate_limits);
        self.all_guards()
            .chain(self.all_extractors())
            .chain(layers.map(String::as_str))
    }
}

/// Routes of an app, or below a path, need one of these guards instead of the general ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RouteRule {
    pub(crate) app: Option<String>,
    pub(crate) path: Option<PathPattern>,
    #[serde(default)]
    pub(crate) guards: Vec<String>,
    #[serde(default)]
    pub(crate) extractors: Vec<String>,
}

/// A path as the table prints it, or all below one: `/admin/**`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PathPattern(String);

impl PathPattern {
    /// `/admin/**` covers `/admin` and all below, fallbacks included.
    pub(crate) fn covers(&self, path: &str) -> bool {
        let Some(prefix) = self.0.strip_suffix("/**") else {
            return self.0 == path;
        };
        let path = path
            .strip_prefix("<fallback:")
            .and_then(|inner| inner.strip_suffix('>'))
            .unwrap_or(path);
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl TryFrom<String> for PathPattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        if !pattern.starts_with('/') && !pattern.starts_with("<fallback:/") {
            return Err(format!("`{pattern}` begins with no `/`"));
        }
        let path = pattern.strip_suffix("/**").unwrap_or(&pattern);
        // A star with a name behind it is a wildcard of axum's own: `/{*rest}`, `/*rest`.
        let is_name = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_own = |part: &str| {
            let rest = part.strip_prefix('{').unwrap_or(part).strip_prefix('*');
            !part.contains('*') || rest.is_some_and(|rest| is_name(rest) && !rest.contains('*'))
        };
        if !path.split('/').all(is_own) {
            return Err(format!(
                "`*` in `{pattern}` means nothing: only `/**` at the end does, for all below"
            ));
        }
        Ok(Self(pattern))
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PublicRoute {
    pub(crate) app: Option<String>,
    pub(crate) method: String,
    /// As it is registered, nesting applied; `<fallback:/>` for a fallback.
    pub(crate) path: String,
    pub(crate) reason: String,
}

/// Where SQL may stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Queries {
    /// Folders of crates that have SQL of their own: they make, mark or check databases, and are no
    /// part of what an app asks of its own.
    pub(crate) exempt: Vec<String>,
}

impl Default for Queries {
    fn default() -> Self {
        let exempt = [
            "crates/marker",
            "crates/pgscratch",
            "crates/testkit",
            "xtask",
        ];
        Self {
            exempt: exempt.map(str::to_owned).to_vec(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Docs {
    /// Markdown that is not ours to mend (vendored, test input), by path prefix.
    pub(crate) skip: Vec<String>,
}

/// How migrations are applied to databases that are kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Migrations {
    /// How long to wait for another migrator.
    pub(crate) migrator_lock_s: u64,
    /// How long a migration may wait for a lock on a table, and hold up all behind it. 0: for ever.
    pub(crate) lock_timeout_ms: u64,
    /// How often it is tried when it does not get the lock.
    pub(crate) lock_attempts: u32,
    /// How long one statement may take in a transaction. 0: no limit.
    pub(crate) statement_timeout_s: u64,
    /// The same outside of a transaction, where indexes are built. 0: no limit.
    pub(crate) no_transaction_timeout_s: u64,
    /// When few people notice: heavy statements at another time are warned of.
    pub(crate) heavy_window: Option<Window>,
}

/// Hours of a day in UTC, from the first up to the last: `22:00-04:00` goes over midnight.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Window {
    from: jiff::civil::Time,
    to: jiff::civil::Time,
}

impl Window {
    pub(crate) fn has(&self, moment: jiff::Timestamp) -> bool {
        let time = moment.to_zoned(jiff::tz::TimeZone::UTC).time();
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = |text: &str| jiff::civil::Time::strptime("%H:%M", text.trim()).ok();
        let window = text
            .split_once('-')
            .and_then(|(from, to)| Some((time(from)?, time(to)?)));
        match window {
            Some((from, to)) if from != to => Ok(Self { from, to }),
            _ => Err(format!(
                "`{text}` is no window, such as `22:00-04:00` (UTC)"
            )),
        }
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.from.strftime("%H:%M"), self.to.strftime("%H:%M"));
        write!(f, "{from}-{to} UTC")
    }
}

impl Default for Migrations {
    fn default() -> Self {
        Self {
            migrator_lock_s: 60,
            lock_timeout_ms: 2000,
            lock_attempts: 8,
            statement_timeout_s: 900,
            no_transaction_timeout_s: 0,
            heavy_window: None,
        }
    }
}

/// Where backups are, how long they stay, and what a recovery may take.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Backup {
    /// Each environment has a folder below it. `BACKUP_DIR` overrides it.
    pub(crate) dir: String,
    /// A command that puts `{file}` elsewhere as `{name}`; and one that gets `{name}` into `{file}`.
    pub(crate) upload: Vec<String>,
    pub(crate) download: Vec<String>,
    /// How long a restore to the newest schema may take.
    pub(crate) recovery_time_h: u32,
    /// How old the data may be that is left after a loss, and the backup that a migration relies on.
    pub(crate) data_age_h: u32,
    keep_days: KeepDays,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            dir: "data/backups".to_owned(),
            upload: Vec::new(),
            download: Vec::new(),
            recovery_time_h: 4,
            data_age_h: 1,
            keep_days: KeepDays::default(),
        }
    }
}

impl Backup {
    pub(crate) fn keep_days(&self, environment: Environment) -> u32 {
        match environment {
            Environment::Dev => self.keep_days.dev,
            Environment::Staging => self.keep_days.staging,
            Environment::Prod => self.keep_days.production,
        }
    }

    /// What is wrong with it, and what it should be.
    fn check(&self) -> Result<(), (String, &'static str)> {
        let KeepDays {
            staging,
            production,
            dev,
        } = self.keep_days;
        for (name, days, least, most) in [
            ("dev", dev, 1, 90),
            ("staging", staging, 7, 14),
            ("production", production, 30, 90),
        ] {
            if !(least..=most).contains(&days) {
                return Err((
                    format!("`backup.keep-days.{name}` is {days}, it may be {least} to {most}"),
                    "long enough to notice a loss, and no longer than data may be kept",
                ));
            }
        }
        if self.upload.is_empty() != self.download.is_empty() {
            return Err((
                "`backup.upload` and `backup.download` are set together or not at all".to_owned(),
                "an uploaded copy is read back and compared",
            ));
        }
        Ok(())
    }
}

/// How long backups stay.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct KeepDays {
    dev: u32,
    staging: u32,
    production: u32,
}

impl Default for KeepDays {
    fn default() -> Self {
        Self {
            dev: 7,
            staging: 14,
            production: 90,
        }
    }
}

/// What a deployment relies on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Deploy {
    /// How old the receipt of staging may be when production is migrated.
    pub(crate) receipt_max_age_h: u32,
}

impl Default for Deploy {
    fn default() -> Self {
        Self {
            receipt_max_age_h: 168,
        }
    }
}

/// The roles of PostgreSQL, by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Roles {
    /// Owns the tables, and migrates.
    pub(crate) owner: RoleName,
    /// Of the apps.
    pub(crate) app: RoleName,
    /// Reads everything.
    pub(crate) backup: RoleName,
}

impl Default for Roles {
    fn default() -> Self {
        let name = |name: &str| RoleName(name.to_owned());
        Self {
            owner: name("app_owner"),
            app: name("app"),
            backup: name("app_backup"),
        }
    }
}

/// A name that needs no quotes in SQL.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RoleName(String);

impl std::ops::Deref for RoleName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoleName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_plain = name.chars().all(fits) && name.starts_with(|c: char| !c.is_ascii_digit());
        if is_plain && name.len() <= 63 && !name.starts_with("pg_") {
            return Ok(Self(name));
        }
        Err(format!(
            "`{name}` is no name of a role: lower case letters, digits and `_`"
        ))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct GatePolicy {
    /// Switches the gate off, for this reason; shown in every run.
    pub(crate) off: Option<String>,
    pub(crate) timeout_s: Option<u64>,
}

impl GatePolicy {
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout_s.map(Duration::from_secs)
    }
}

/// One accepted finding. It must keep matching: an entry that matches nothing is reported.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Allow {
    pub(crate) rule: String,
    /// Exact path of the finding, or a folder ending in `/`.
    pub(crate) path: String,
    pub(crate) reason: String,
}

impl Allow {
    pub(crate) fn covers(&self, rule: &str, file: Option<&str>) -> bool {
        self.rule == rule
            && file.is_some_and(|file| {
                file == self.path || (self.path.ends_with('/') && file.starts_with(&self.path))
            })
    }
}

impl Policy {
    /// Reads `xtask.toml` below `root`; a missing file is the default policy.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        Self::read(&root.join(FILE), FILE)
    }

    /// Reads a policy from anywhere.
    pub(crate) fn load_file(path: &Path) -> Result<Self> {
        Self::read(path, &path.display().to_string())
    }

    fn read(path: &Path, name: &str) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).context(
                    Problem::precondition(format!("failed to read `{name}`"))
                        .help("make the file readable UTF-8 text"),
                );
            }
        };
        Self::parse(&text, name)
    }

    /// `name` is the file's, for errors.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self> {
        let mut policy: Self = toml_edit::de::from_str(text).map_err(|error| {
            // The error of `toml_edit` quotes the line and puts a caret under the spot.
            Problem::precondition(format!(
                "failed to parse `{name}`\n{}",
                error.to_string().trim_end()
            ))
            .help(format!("mend the marked spot in `{name}`"))
        })?;
        name.clone_into(&mut policy.routes.file);
        let reasons = policy
            .allow
            .iter()
            .map(|allow| (&allow.rule, &allow.reason))
            .chain(
                policy
                    .branch
                    .bots
                    .iter()
                    .map(|bot| (&bot.prefix, &bot.reason)),
            );
        for (what, reason) in reasons {
            if reason.trim().is_empty() {
                return Err(Problem::precondition(format!(
                    "empty reason for `{what}` in `{name}`"
                ))
                .help("say why the exception is right")
                .into());
            }
        }
        (policy.backup.check()).map_err(|(what, help)| {
            Problem::precondition(format!("{what}, in `{name}`")).help(help)
        })?;
        Ok(policy)
    }

    /// Refuses names of gates and rules that do not exist: a typo must not switch nothing off.
    pub(crate) fn check_names(&self, known: &[&str], rules: &[&str]) -> Result<()> {
        for allow in &self.allow {
            if !rules.contains(&allow.rule.as_str()) {
                return Err(Problem::precondition(format!(
                    "unknown rule `{}` in `{FILE}`",
                    allow.rule
                ))
                .help("docs/gates.md lists the rules")
                .into());
            }
        }
        for (id, gate) in &self.gates {
            if !known.contains(&id.as_str()) {
                return Err(
                    Problem::precondition(format!("unknown gate `{id}` in `{FILE}`"))
                        .help(format!("the gates are: {}", known.join(", ")))
                        .into(),
                );
            }
            if gate
                .off
                .as_ref()
                .is_some_and(|reason| reason.trim().is_empty())
            {
                return Err(Problem::precondition(format!(
                    "empty reason in `gates.{id}.off` in `{FILE}`"
                ))
                .help("say why the gate is off")
                .into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_policy_is_shown_with_a_caret() {
        let error = Policy::parse("[branch]\ntrunk = \"main\"\nprefixs = []\n", FILE).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("line 3") && text.contains("^^^^^^^"),
            "{text}"
        );
        assert!(text.contains("unknown field `prefixs`"), "{text}");
    }

    #[test]
    fn a_pattern_has_a_star_at_its_end_only() {
        let rule = |path: &str| {
            let text = format!("[[routes.rule]]\npath = \"{path}\"\nguards = [\"a::b\"]\n");
            Policy::parse(&text, FILE)
        };
        for path in [
            "/**",
            "/a",
            "/a/**",
            "/a/{id}/**",
            "/{*rest}",
            "/a/*rest",
            "<fallback:/a>",
        ] {
            rule(path).unwrap();
        }
        for path in [
            "", "a/**", "/a*", "/a/*", "/*/a", "/**/a", "/a/**/**", "/a**", "**",
        ] {
            let error = format!("{:#}", rule(path).unwrap_err());
            assert!(error.contains("line 2") && error.contains('^'), "{error}");
        }
    }

    #[test]
    fn a_window_may_go_over_midnight() {
        let window = |text: &str| Window::try_from(text.to_owned());
        let at = |time: &str| format!("2026-11-21T{time}:00Z").parse().unwrap();
        let night = window("22:00-04:00").unwrap();
        for (time, inside) in [
            ("21:59", false),
            ("22:00", true),
            ("00:00", true),
            ("03:59", true),
            ("04:00", false),
            ("12:00", false),
        ] {
            assert_eq!(night.has(at(time)), inside, "{time}");
        }
        let noon = window("12:00-13:30").unwrap();
        assert!(noon.has(at("13:29")) && !noon.has(at("13:30")) && !noon.has(at("11:59")));
        assert_eq!(night.to_string(), "22:00-04:00 UTC");
        for wrong in ["", "22-4", "22:00", "22:00-22:00", "25:00-26:00", "a-b"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_exception_needs_a_reason() {
        let text = "[[allow]]\nrule = \"docs/dead-link\"\npath = \"README.md\"\nreason = \" \"\n";
        assert!(format!("{:#}", Policy::parse(text, FILE).unwrap_err()).contains("empty reason"));
    }

    #[test]
    fn backups_are_kept_within_limits_and_copied_to_be_read_back() {
        for (text, says) in [
            ("keep-days = { staging = 6 }", "it may be 7 to 14"),
            ("keep-days = { staging = 15 }", "it may be 7 to 14"),
            ("keep-days = { production = 29 }", "it may be 30 to 90"),
            ("keep-days = { production = 91 }", "it may be 30 to 90"),
            ("upload = [\"cp\"]", "set together"),
        ] {
            let error = Policy::parse(&format!("[backup]\n{text}\n"), FILE).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{text}: {error:#}");
        }
        let kept = Policy::parse("[backup]\nkeep-days = { staging = 7 }\n", FILE).unwrap();
        assert_eq!(kept.backup.keep_days(Environment::Staging), 7);
        assert_eq!(kept.backup.keep_days(Environment::Prod), 90);
    }

    #[test]
    fn a_typo_in_a_gate_name_is_refused() {
        let policy = Policy::parse("[gates.lnt]\noff = \"later\"\n", FILE).unwrap();
        assert!(policy.check_names(&["lint"], &[]).is_err());
    }

    #[test]
    fn an_allowance_covers_a_file_or_a_folder() {
        let allow = |path: &str| Allow {
            rule: "a/b".into(),
            path: path.into(),
            reason: "x".into(),
        };
        assert!(allow("src/").covers("a/b", Some("src/lib.rs")));
        assert!(allow("src/lib.rs").covers("a/b", Some("src/lib.rs")));
        assert!(!allow("src").covers("a/b", Some("src/lib.rs")));
        assert!(!allow("src/").covers("a/c", Some("src/lib.rs")));
    }
}
