//! What a requirement on a package of the workspace says after a release.

use semver::{Comparator, Op, Version, VersionReq};

/// `requirement` for `new`: with its operator, and as many numbers as it had. One with fewer than
/// three stays as it is while it matches, and gets all of them for a candidate, which nothing less
/// would match.
///
/// # Errors
/// Why the requirement cannot follow, to be read behind its name.
pub(super) fn carry(requirement: &str, new: &Version) -> Result<String, String> {
    let parsed =
        VersionReq::parse(requirement).map_err(|error| format!("cannot be read: {error}"))?;
    let matches = parsed.matches(new);
    let [
        Comparator {
            op: Op::Caret | Op::Tilde | Op::Exact,
            minor,
            patch,
            ..
        },
    ] = parsed.comparators.as_slice()
    else {
        // A range, a wildcard: what its author means by it is not known here.
        let unmatched = || format!("does not match {new}");
        return matches
            .then(|| requirement.to_owned())
            .ok_or_else(unmatched);
    };
    if matches && patch.is_none() {
        return Ok(requirement.to_owned());
    }
    let number = match (minor, patch) {
        (Some(_), None) if new.pre.is_empty() => format!("{}.{}", new.major, new.minor),
        (None, _) if new.pre.is_empty() => new.major.to_string(),
        _ => new.to_string(),
    };
    let start = requirement.find(|c: char| c.is_ascii_digit());
    let end = requirement.trim_end().len();
    let operator = &requirement[..start.unwrap_or_default()];
    Ok(format!("{operator}{number}{}", &requirement[end..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn operators_and_precision_are_kept() {
        for (old, new, wanted) in [
            ("1.2.3", "1.2.4", "1.2.4"),
            ("1.2.3", "2.0.0", "2.0.0"),
            ("^1.2.3", "1.3.0", "^1.3.0"),
            ("=1.2.3", "1.2.4", "=1.2.4"),
            (" = 1.2.3 ", "1.2.4", " = 1.2.4 "),
            ("~1.2.3", "1.3.0", "~1.3.0"),
            ("1.2.3+build", "1.2.4", "1.2.4"),
            // Fewer numbers, which match or do not.
            ("1", "1.9.0", "1"),
            ("1", "2.0.0", "2"),
            ("1.2", "1.3.0", "1.2"),
            ("1.2", "2.1.0", "2.1"),
            ("0.2", "0.3.0", "0.3"),
            ("~1.2", "1.3.0", "~1.3"),
            ("=1.2", "1.3.0", "=1.3"),
            ("^1", "2.0.0", "^2"),
            // Into candidates, from one to the next, and out of them.
            ("1", "1.3.0-rc.1", "1.3.0-rc.1"),
            ("~1.2", "1.3.0-rc.1", "~1.3.0-rc.1"),
            ("1.2.3", "1.3.0-rc.1", "1.3.0-rc.1"),
            ("=1.3.0-rc.1", "1.3.0-rc.2", "=1.3.0-rc.2"),
            ("^1.3.0-rc.2", "1.3.0", "^1.3.0"),
            // Others, while they match.
            ("*", "1.3.0", "*"),
            (">=1, <2", "1.3.0", ">=1, <2"),
            ("1.*", "1.3.0", "1.*"),
        ] {
            let got = carry(old, &Version::parse(new).unwrap());
            assert_eq!(got.as_deref(), Ok(wanted), "{old} for {new}");
        }
        for (old, new, wanted) in [
            (">=1, <2", "2.0.0", "does not match 2.0.0"),
            ("*", "1.3.0-rc.1", "does not match 1.3.0-rc.1"),
            ("1.*", "2.0.0", "does not match 2.0.0"),
            ("one", "2.0.0", "cannot be read: unexpected character 'o'"),
        ] {
            let got = carry(old, &Version::parse(new).unwrap()).unwrap_err();
            assert!(got.contains(wanted), "{old} for {new}: {got}");
        }
    }

    proptest! {
        #[test]
        fn what_is_carried_matches(
            operator in "(|\\^|~|=|>=|<=|= )",
            numbers in "[0-3](\\.[0-3](\\.([0-3](-rc\\.[1-3])?|\\*)|\\.\\*)?)?",
            new in "[0-3]\\.[0-3]\\.[0-3](-rc\\.[1-3])?",
        ) {
            let new = Version::parse(&new).unwrap();
            if let Ok(requirement) = carry(&format!("{operator}{numbers}"), &new) {
                prop_assert!(VersionReq::parse(&requirement).unwrap().matches(&new), "{}", requirement);
                prop_assert_eq!(carry(&requirement, &new), Ok(requirement));
            }
        }
    }
}
