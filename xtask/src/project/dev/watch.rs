//! Which files changed: their times and sizes, looked at again and again. Slower to notice than what
//! a kernel offers, and the same on every system and file system.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;

use crate::cargo::Member;
use crate::cx::Cx;
use crate::project::setup::ENV_FILE;
use crate::{cargo, repo};

/// How often a new file is looked for; listing costs more than looking at what is known.
const LIST: Duration = Duration::from_secs(1);

/// When it was modified, and its size in bytes.
pub(super) type Stamp = (SystemTime, u64);

/// The files that the apps are made of, as they were when last looked at.
#[derive(Debug)]
pub(super) struct Watch {
    /// Folders that no app is built from.
    skip: Vec<String>,
    files: BTreeMap<String, Option<Stamp>>,
    listed: Instant,
}

impl Watch {
    pub(super) fn start(cx: &Cx) -> Result<Self> {
        let mut watch = Self {
            skip: irrelevant(&cargo::members(cx)?, &cx.policy.apps.dir),
            files: BTreeMap::new(),
            listed: Instant::now(),
        };
        watch.list(&cx.root)?;
        Ok(watch)
    }

    /// What was added, changed or removed since it was last asked.
    pub(super) fn changes(&mut self, root: &Path) -> BTreeSet<String> {
        let mut changed = BTreeSet::new();
        for (file, stamp) in &mut self.files {
            let now = stamp_of(&root.join(file));
            if *stamp != now {
                *stamp = now;
                changed.insert(file.clone());
            }
        }
        // Git may be in the middle of something; then the next look tells.
        if self.listed.elapsed() > LIST
            && let Ok(new) = self.list(root)
        {
            changed.extend(new);
        }
        changed
    }

    /// Takes the file as it is now for known: it was written by ourselves.
    pub(super) fn look_away(&mut self, root: &Path, file: &str) {
        self.files
            .insert(file.to_owned(), stamp_of(&root.join(file)));
    }

    /// Lists the files anew; answers those that were not known. A file that is gone was noticed by
    /// its stamp.
    fn list(&mut self, root: &Path) -> Result<BTreeSet<String>> {
        let is_skipped = |file: &String| {
            self.skip.iter().any(|dir| {
                file.strip_prefix(dir)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let files = repo::files(root)?
            .into_iter()
            .filter(|file| !is_skipped(file))
            // Git does not know it, and the apps read it.
            .chain([ENV_FILE.to_owned()]);
        let old = std::mem::take(&mut self.files);
        let mut new = BTreeSet::new();
        for file in files {
            let stamp = old.get(&file).copied().unwrap_or_else(|| {
                new.insert(file.clone());
                stamp_of(&root.join(&file))
            });
            self.files.insert(file, stamp);
        }
        self.listed = Instant::now();
        Ok(new)
    }
}

/// Of a file that is not there: `None`.
pub(super) fn stamp_of(path: &Path) -> Option<Stamp> {
    let meta = path.metadata().ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// The folders that no app is built from: tools of the workspace, and tests.
fn irrelevant(members: &[Member], apps: &str) -> Vec<String> {
    let below = format!("{apps}/");
    let mut wanted: Vec<&Member> = members
        .iter()
        .filter(|member| member.dir.starts_with(&below))
        .collect();
    let mut next = 0;
    while let Some(member) = wanted.get(next).copied() {
        for needed in members.iter().filter(|m| member.needs.contains(&m.dir)) {
            if !wanted.iter().any(|known| known.dir == needed.dir) {
                wanted.push(needed);
            }
        }
        next += 1;
    }
    let strangers = members
        .iter()
        .filter(|member| !member.dir.is_empty())
        .filter(|member| !wanted.iter().any(|known| known.dir == member.dir))
        .map(|member| member.dir.clone());
    let tests = wanted.iter().map(|member| format!("{}/tests", member.dir));
    strangers.chain(tests).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_app_depends_on_is_not_watched() {
        let member = |dir: &str, needs: &[&str]| Member {
            name: dir.to_owned(),
            dir: dir.to_owned(),
            doctests: false,
            inherits_lints: true,
            needs: needs.iter().map(|dir| (*dir).to_owned()).collect(),
        };
        let members = [
            member("apps/web", &["crates/a"]),
            member("crates/a", &["crates/b"]),
            member("crates/b", &["crates/a"]),
            member("crates/c", &["crates/a"]),
            member("tool", &[]),
        ];
        assert_eq!(
            irrelevant(&members, "apps"),
            [
                "crates/c",
                "tool",
                "apps/web/tests",
                "crates/a/tests",
                "crates/b/tests"
            ]
        );
    }
}
