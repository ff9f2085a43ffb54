//! Sending a release: branch and tag in one push, and what the remote has of it afterwards.

use anyhow::Result;

use super::apply::{ABORT, RESUME, Release};
use super::git::{failed, is_interrupted};
use crate::exit::{Code, Problem};

/// What came of a push.
pub(super) enum Push {
    Landed,
    /// The remote has nothing of it.
    Refused(anyhow::Error),
    /// Nobody knows.
    Unknown(anyhow::Error),
}

impl Release<'_> {
    /// Sends all of it at once, by full names and ids.
    pub(super) fn push(&self, remote: &str) -> Push {
        let push = || -> Result<Push> {
            let refs = self.refs()?;
            // Where all of it is there already this does nothing but write down that it is.
            let specs: Vec<String> = (refs.iter())
                .map(|(name, _, new)| format!("{new}:{name}"))
                .collect();
            // Also where git is set to send other tags along.
            let mut args = vec!["push", "--atomic", "--no-follow-tags", remote];
            args.extend(specs.iter().map(String::as_str));
            let output = self.git.to_the_end().try_run(&args, b"")?;
            if output.status.success() {
                return Ok(Push::Landed);
            }
            let error = if is_interrupted(&output) {
                Problem::new(Code::Interrupted, "interrupted `git push`")
            } else {
                failed(&args, &output)
            };
            // What the remote says of itself counts, not how the connection ended.
            Ok(match self.is_there(remote, &refs) {
                Ok(Some(true)) => Push::Landed,
                Ok(Some(false)) => {
                    let error = error.help(
                        "see what the remote says; `--pr` is for a trunk that takes no commits",
                    );
                    Push::Refused(error.into())
                }
                Ok(None) | Err(_) => {
                    let help = format!("once the remote answers again: {RESUME}, or {ABORT}");
                    Push::Unknown(anyhow::Error::new(error).context(
                        Problem::precondition("whether the push landed is not known").help(help),
                    ))
                }
            })
        };
        push().unwrap_or_else(|error| {
            let help = format!("once the remote answers again: {RESUME}, or {ABORT}");
            Push::Unknown(error.context(Problem::precondition("the push was not made").help(help)))
        })
    }

    /// Whether the remote has all of `refs`; `None` where it has a part, or something else.
    pub(super) fn is_there(
        &self,
        remote: &str,
        refs: &[(String, Option<String>, String)],
    ) -> Result<Option<bool>> {
        let mut args = vec!["ls-remote", remote];
        args.extend(refs.iter().map(|(name, ..)| name.as_str()));
        let git = self.git.to_the_end();
        let text = String::from_utf8_lossy(&git.run(&args, b"")?).into_owned();
        let value = |name: &str| {
            let mut rows = text.lines().filter_map(|line| line.split_once('\t'));
            rows.find_map(|(id, row)| (row == name).then_some(id))
        };
        // The tag is nobody else's. Where it is, the branch came with it, and others may have built
        // on that already.
        let has_tag = refs
            .iter()
            .any(|(name, _, new)| name.starts_with("refs/tags/") && value(name) == Some(new));
        let has = |(name, old, new): &&(String, Option<String>, String)| {
            let found = value(name);
            found == Some(new) || (has_tag && found.is_some() && found != old.as_deref())
        };
        let count = refs.iter().filter(has).count();
        Ok(match count {
            0 => Some(false),
            n if n == refs.len() => Some(true),
            _ => None,
        })
    }
}
