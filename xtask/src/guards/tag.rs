//! Production runs releases.

use anyhow::anyhow;
use semver::Version;

use super::{Guard, PRODUCTION};
use crate::exit::Problem;

pub(super) const GUARD: Guard = Guard {
    name: "release-tag",
    demands: "HEAD has a release tag: vX.Y.Z, or vX.Y.Z-rc.N",
    on: PRODUCTION,
    marks: true,
    check: |scene| {
        let tags = scene.tags.as_ref().map_err(|error| anyhow!("{error:#}"))?;
        if tags.iter().any(|tag| is_release(tag)) {
            return Ok(());
        }
        Err(Problem::precondition("HEAD has no release tag")
            .help("check out the tag of the release: git switch --detach vX.Y.Z")
            .into())
    },
};

fn is_release(tag: &str) -> bool {
    let version = tag
        .strip_prefix('v')
        .and_then(|version| Version::parse(version).ok());
    version.is_some_and(|version| {
        let number = version.pre.strip_prefix("rc.");
        let is_rc = number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        version.build.is_empty() && (version.pre.is_empty() || is_rc)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_release_is_a_version_or_its_candidate() {
        for tag in ["v1.2.3", "v0.1.0-rc.1", "v10.0.0-rc.12"] {
            assert!(super::is_release(tag), "{tag}");
        }
        for tag in [
            "1.2.3",
            "v1.2",
            "v1.2.3-beta.1",
            "v1.2.3-rc",
            "v1.2.3-rc.",
            "v1.2.3-rc.1.2",
            "v1.2.3+5",
            "v01.2.3",
            "vnext",
            "",
        ] {
            assert!(!super::is_release(tag), "{tag}");
        }
    }
}
