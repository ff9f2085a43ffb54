//! Which version comes next.

use std::cmp::Ordering;

use anyhow::{Context as _, Result};
use semver::{BuildMetadata, Prerelease, Version};

use crate::exit::{Code, Problem};

/// What a release does to the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Major,
    Minor,
    Patch,
    /// This very version.
    Exact(Version),
    /// The next candidate.
    Rc,
    /// What the candidates were for.
    Final,
}

impl std::str::FromStr for Step {
    type Err = anyhow::Error;

    /// `major`, `minor`, `patch`, `rc`, `final`, or a version.
    fn from_str(word: &str) -> Result<Self> {
        Ok(match word {
            "major" => Self::Major,
            "minor" => Self::Minor,
            "patch" => Self::Patch,
            "rc" => Self::Rc,
            "final" => Self::Final,
            exact => {
                let version = Version::parse(exact).with_context(|| {
                    Problem::new(Code::Usage, format!("`{exact}` is no version"))
                        .help("write major, minor, patch, rc, final or X.Y.Z")
                })?;
                Self::Exact(version)
            }
        })
    }
}

/// The version after `current`, higher than it by SemVer's precedence; with `rc` the first
/// candidate for it. Candidates are `X.Y.Z-rc.N`.
///
/// # Errors
/// A step that does not fit `current`, a version that is not higher, build metadata, a candidate
/// that is counted in another way (`-rc1` sorts before `-rc.1` in some tools and after it in others),
/// and a number beyond 64 bits.
pub(crate) fn next(current: &Version, step: &Step, rc: bool) -> Result<Version> {
    refuse_build(current)?;
    let mut next = match step {
        Step::Major | Step::Minor | Step::Patch => raised(current, step)?,
        _ if rc => {
            return Err(
                Problem::new(Code::Usage, "`--rc` starts candidates of a new version")
                    .help("cargo xtask release minor --rc")
                    .into(),
            );
        }
        Step::Exact(version) => version.clone(),
        Step::Rc => Version {
            pre: candidate(up(count(current)?, current)?)?,
            ..current.clone()
        },
        Step::Final if current.pre.is_empty() => {
            return Err(not_a_candidate(current).into());
        }
        Step::Final => Version {
            pre: Prerelease::EMPTY,
            ..current.clone()
        },
    };
    if rc {
        next.pre = candidate(1)?;
    }
    refuse_build(&next)?;
    if !next.pre.is_empty() {
        count(&next)?;
    }
    if next.cmp_precedence(current) != Ordering::Greater {
        let message = format!("`{next}` is not higher than the version at hand, `{current}`");
        return Err(Problem::precondition(message)
            .help("cargo xtask release major|minor|patch")
            .into());
    }
    Ok(next)
}

/// `current` with the number of `step` one higher, and zeros behind it.
fn raised(current: &Version, step: &Step) -> Result<Version> {
    if !current.pre.is_empty() {
        let message = format!("`{current}` is a candidate: the version after it is settled");
        let help = "cargo xtask release rc for one more candidate, cargo xtask release final for the release itself";
        return Err(Problem::precondition(message).help(help).into());
    }
    let Version {
        major,
        minor,
        patch,
        ..
    } = *current;
    Ok(match step {
        Step::Major => Version::new(up(major, current)?, 0, 0),
        Step::Minor => Version::new(major, up(minor, current)?, 0),
        _ => Version::new(major, minor, up(patch, current)?),
    })
}

fn up(number: u64, current: &Version) -> Result<u64> {
    let next = number.checked_add(1).ok_or_else(|| {
        Problem::precondition(format!(
            "`{number}` of `{current}` is the highest number that a version can have"
        ))
        .help("name a version: cargo xtask release X.Y.Z")
    })?;
    Ok(next)
}

fn candidate(n: u64) -> Result<Prerelease> {
    Prerelease::new(&format!("rc.{n}")).context(Problem::bug(format!("`rc.{n}` is no pre-release")))
}

/// `N` of a version `X.Y.Z-rc.N`.
fn count(version: &Version) -> Result<u64> {
    if version.pre.is_empty() {
        return Err(not_a_candidate(version).into());
    }
    let number = (version.pre.as_str().strip_prefix("rc."))
        .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(number) = number else {
        let Version {
            major,
            minor,
            patch,
            ..
        } = version;
        let message = format!("`{version}` is no candidate that can be counted");
        let help = format!("candidates are written {major}.{minor}.{patch}-rc.1");
        return Err(Problem::precondition(message).help(help).into());
    };
    number.parse().with_context(|| {
        Problem::precondition(format!("`{number}` of `{version}` is beyond 64 bits"))
            .help("cargo xtask release final")
    })
}

fn not_a_candidate(version: &Version) -> Problem {
    Problem::precondition(format!("`{version}` is no candidate"))
        .help("cargo xtask release minor --rc makes one")
}

fn refuse_build(version: &Version) -> Result<()> {
    if version.build != BuildMetadata::EMPTY {
        let message = format!("`{version}` has build metadata, which orders no versions");
        return Err(Problem::precondition(message)
            .help(format!("leave out `+{}`", version.build))
            .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The next version, or the message and help of its refusal.
    fn after(current: &str, step: &str, rc: bool) -> Result<String, String> {
        let current = Version::parse(current).unwrap();
        match step.parse().and_then(|step| next(&current, &step, rc)) {
            Ok(version) => Ok(version.to_string()),
            Err(error) => Err(format!(
                "{error:#}; {}",
                crate::exit::help_of(&error).unwrap_or_default()
            )),
        }
    }

    #[test]
    fn every_step_has_one_answer() {
        for (current, step, rc, wanted) in [
            ("1.2.3", "major", false, "2.0.0"),
            ("1.2.3", "minor", false, "1.3.0"),
            ("1.2.3", "patch", false, "1.2.4"),
            ("0.2.3", "major", false, "1.0.0"),
            ("0.2.3", "minor", false, "0.3.0"),
            ("1.2.3", "major", true, "2.0.0-rc.1"),
            ("1.2.3", "minor", true, "1.3.0-rc.1"),
            ("1.2.3", "patch", true, "1.2.4-rc.1"),
            ("1.3.0-rc.1", "rc", false, "1.3.0-rc.2"),
            ("1.3.0-rc.9", "rc", false, "1.3.0-rc.10"),
            ("1.3.0-rc.2", "final", false, "1.3.0"),
            ("1.3.0-beta.2", "final", false, "1.3.0"),
            ("1.3.0-beta.2", "1.3.0-rc.1", false, "1.3.0-rc.1"),
            ("1.2.3", "1.2.4", false, "1.2.4"),
            ("1.2.3", "7.0.0-rc.3", false, "7.0.0-rc.3"),
            ("1.3.0-rc.2", "1.3.0", false, "1.3.0"),
        ] {
            let got = after(current, step, rc);
            assert_eq!(got.as_deref(), Ok(wanted), "{current} {step} {rc}");
        }
    }

    #[test]
    fn every_refusal_says_why_and_what_to_do() {
        const TWO: &str =
            "cargo xtask release rc for one more candidate, cargo xtask release final";
        for (current, step, rc, wanted) in [
            ("1.3.0-rc.1", "minor", false, TWO),
            ("1.3.0-rc.1", "patch", true, TWO),
            (
                "1.2.3",
                "rc",
                false,
                "`1.2.3` is no candidate; cargo xtask release minor --rc",
            ),
            (
                "1.2.3",
                "final",
                false,
                "`1.2.3` is no candidate; cargo xtask release minor --rc",
            ),
            (
                "1.3.0-rc.1",
                "rc",
                true,
                "`--rc` starts candidates of a new version",
            ),
            (
                "1.2.3",
                "2.0.0",
                true,
                "`--rc` starts candidates of a new version",
            ),
            (
                "1.2.3",
                "1.2.3",
                false,
                "`1.2.3` is not higher than the version at hand",
            ),
            ("1.2.3", "1.2.3-rc.1", false, "`1.2.3-rc.1` is not higher"),
            (
                "1.3.0-rc.10",
                "1.3.0-rc.9",
                false,
                "`1.3.0-rc.9` is not higher",
            ),
            (
                "1.2.3",
                "1.3.0-rc1",
                false,
                "candidates are written 1.3.0-rc.1",
            ),
            (
                "1.2.3",
                "1.3.0-rc",
                false,
                "candidates are written 1.3.0-rc.1",
            ),
            (
                "1.2.3",
                "1.3.0-rc.1.2",
                false,
                "candidates are written 1.3.0-rc.1",
            ),
            (
                "1.2.3",
                "1.3.0-beta.1",
                false,
                "candidates are written 1.3.0-rc.1",
            ),
            (
                "1.3.0-rc1",
                "rc",
                false,
                "`1.3.0-rc1` is no candidate that can be counted",
            ),
            ("1.2.3", "1.3.0+linux", false, "leave out `+linux`"),
            ("1.2.3+linux", "minor", false, "leave out `+linux`"),
            (
                "1.18446744073709551615.3",
                "minor",
                false,
                "is the highest number",
            ),
            (
                "1.0.0-rc.18446744073709551615",
                "rc",
                false,
                "is the highest number",
            ),
            (
                "1.0.0-rc.18446744073709551616",
                "rc",
                false,
                "is beyond 64 bits",
            ),
            (
                "1.2.3",
                "18446744073709551616.0.0",
                false,
                "value of major version number exceeds u64::MAX",
            ),
            (
                "1.2.3",
                "1.3",
                false,
                "`1.3` is no version: unexpected end of input",
            ),
            (
                "1.2.3",
                "v1.3.0",
                false,
                "write major, minor, patch, rc, final or X.Y.Z",
            ),
        ] {
            let got = after(current, step, rc).unwrap_err();
            assert!(got.contains(wanted), "{current} {step} {rc}: {got}");
        }
    }

    proptest! {
        #[test]
        fn the_next_version_is_higher(
            numbers in prop::array::uniform3(prop_oneof![0..3_u64, any::<u64>()]),
            candidate in prop::option::of(any::<u64>()),
            exact in prop::array::uniform3(0..3_u64),
            step in 0..6_usize,
            rc: bool,
        ) {
            let version = |[major, minor, patch]: [u64; 3]| Version::new(major, minor, patch);
            let mut current = version(numbers);
            if let Some(n) = candidate {
                current.pre = Prerelease::new(&format!("rc.{n}")).unwrap();
            }
            let exact = Step::Exact(version(exact));
            let steps = [Step::Major, Step::Minor, Step::Patch, exact, Step::Rc, Step::Final];
            if let Ok(next) = next(&current, &steps[step], rc) {
                prop_assert_eq!(next.cmp_precedence(&current), Ordering::Greater);
                prop_assert_eq!(Version::parse(&next.to_string()).unwrap(), next);
            }
        }
    }
}
