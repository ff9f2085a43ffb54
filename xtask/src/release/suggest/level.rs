//! What a change means, and the step of a version that it needs.

use semver::Version;
use serde::Serialize;

/// What a change means for those who use a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Fix,
    Feature,
    Breaking,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fix => "fix",
            Self::Feature => "feature",
            Self::Breaking => "breaking",
        }
    }

    /// The step of a version, by Cargo's rule: left of the first number that is not zero nothing is
    /// promised, and 1.0.0 is somebody's decision.
    pub(super) fn step(self, version: &Version) -> Step {
        match (self, version.major, version.minor) {
            (Self::Breaking, 1.., _) => Step::Major,
            (Self::Feature, 1.., _) | (Self::Breaking, 0, 1..) => Step::Minor,
            _ => Step::Patch,
        }
    }
}

/// What `cargo xtask release` is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    /// The next candidate.
    Rc,
    /// The candidate, as it is.
    Final,
    Patch,
    Minor,
    Major,
}

impl Step {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rc => "rc",
            Self::Final => "final",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// How far a version went from an older one.
    pub(super) fn between(old: &Version, new: &Version) -> Self {
        if new.major != old.major {
            Self::Major
        } else if new.minor != old.minor {
            Self::Minor
        } else {
            Self::Patch
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Step, Version};

    #[test]
    fn the_leftmost_number_that_is_not_zero_is_the_major_one() {
        for (version, steps) in [
            ("1.2.3", [Step::Patch, Step::Minor, Step::Major]),
            ("0.5.1", [Step::Patch, Step::Patch, Step::Minor]),
            ("0.0.7", [Step::Patch, Step::Patch, Step::Patch]),
        ] {
            let version = Version::parse(version).unwrap();
            let found = [Level::Fix, Level::Feature, Level::Breaking].map(|l| l.step(&version));
            assert_eq!(found, steps, "{version}");
        }
    }
}
