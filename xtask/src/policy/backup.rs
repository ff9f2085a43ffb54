//! `[backup]`: what a recovery rests on.

use marker::Environment;
use serde::Deserialize;

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
    pub(super) fn check(&self) -> Result<(), (String, &'static str)> {
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

#[cfg(test)]
mod tests {
    use crate::policy::{FILE, Policy};
    use marker::Environment;

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
}
