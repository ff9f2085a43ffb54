//! `CHANGELOG.md` is a Keep a Changelog: readable by people and by the release.

use anyhow::Result;

use super::{Cache, Gate, Input, Plant, Platform, Rule, Tier, minutes};
use crate::cx::Cx;
use crate::release::changelog::{self, Changelog};
use crate::report::{Finding, Report};
use crate::runner::tree::{Spot, Tree};

pub(super) const GATE: Gate = Gate {
    id: "changelog",
    about: "`CHANGELOG.md` that is not a Keep a Changelog",
    tier: Tier::Hook,
    needs: &[],
    locks: &[],
    inputs: &[Input::Files(FILE)],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(1),
    rules: &[
        Rule::error("changelog/missing", "there is no `CHANGELOG.md`"),
        Rule::error("changelog/unreleased", "no `## [Unreleased]` at the top"),
        Rule::error("changelog/version", "a release heading that is no version"),
        Rule::error("changelog/order", "releases out of order, or twice"),
        Rule::error("changelog/date", "a release without a `YYYY-MM-DD` date"),
        Rule::error(
            "changelog/section",
            "a section that Keep a Changelog does not know, or twice in a release",
        ),
        Rule::error(
            "changelog/entry",
            "an entry under no section, or a section without entry",
        ),
        Rule::error(
            "changelog/link",
            "a release in brackets without its link definition",
        ),
    ],
    check,
    fix: None,
    plants: &[
        Plant {
            rule: "changelog/missing",
            plant: |tree| tree.remove(FILE),
        },
        Plant {
            rule: "changelog/unreleased",
            plant: |tree| {
                tree.replace(FILE, "## [Unreleased]\n", "## [999.0.0] - 2026-01-01\n")?;
                Ok(Spot::file(FILE))
            },
        },
        Plant {
            rule: "changelog/version",
            plant: |tree| below(tree, "## [soon] - 2026-01-01\n", 0),
        },
        Plant {
            rule: "changelog/order",
            plant: |tree| {
                below(
                    tree,
                    "## [0.0.1] - 2026-01-01\n\n## [0.0.2] - 2026-01-02\n",
                    2,
                )
            },
        },
        Plant {
            rule: "changelog/date",
            plant: |tree| below(tree, "## [0.0.1] - 2026-02-30\n", 0),
        },
        Plant {
            rule: "changelog/section",
            plant: |tree| below(tree, "### Improved\n\n- x\n", 0),
        },
        Plant {
            rule: "changelog/entry",
            plant: |tree| {
                let spot =
                    tree.replace(FILE, "## [Unreleased]\n", "## [Unreleased]\n\n- planted\n")?;
                Ok(Spot {
                    line: spot.line.map(|line| line + 2),
                    ..spot
                })
            },
        },
        Plant {
            rule: "changelog/link",
            plant: |tree| below(tree, "## [0.0.1] - 2026-01-01\n", 0),
        },
    ],
};

const FILE: &str = "CHANGELOG.md";
/// Keep a Changelog, "What kinds of changes are there".
const SECTIONS: &[&str] = &[
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

/// Puts `text` at the end of the releases, before the link definitions; the spot is `offset` lines in.
fn below(tree: &Tree, text: &str, offset: usize) -> Result<Spot> {
    let old = tree.read(FILE)?;
    let at = changelog::parse(&old)
        .links
        .values()
        .map(|(line, _)| line - 1)
        .min()
        .unwrap_or(old.lines().count());
    let lines: Vec<&str> = old.lines().collect();
    let (head, tail) = lines.split_at(at);
    let (head, tail) = (head.join("\n"), tail.join("\n"));
    tree.write(FILE, &format!("{head}\n{text}\n{tail}\n"))?;
    Ok(Spot::line(FILE, at + 1 + offset))
}

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    if !cx.root.join(FILE).is_file() {
        report.findings.push(
            Finding::error("changelog/missing", "there is no `CHANGELOG.md`")
                .file(FILE)
                .help("start one with `# Changelog` and `## [Unreleased]`"),
        );
        return Ok(report);
    }
    let log = changelog::parse(&cx.read(FILE)?);
    report.findings = findings(&log);
    report.count("releases", log.releases.len());
    Ok(report)
}

fn findings(log: &Changelog) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |rule: &str, line: usize, message: String, help: &str| {
        findings.push(Finding::error(rule, message).at(FILE, line).help(help));
    };
    let starts_unreleased = log
        .releases
        .first()
        .is_some_and(changelog::Release::is_unreleased);
    if !starts_unreleased {
        let line = log.releases.first().map_or(1, |release| release.line);
        let message = "the first release heading is not `## [Unreleased]`".to_owned();
        add(
            "changelog/unreleased",
            line,
            message,
            "add `## [Unreleased]` above it; a release moves its entries down",
        );
    }
    let mut last: Option<semver::Version> = None;
    for release in log.releases.iter().skip(usize::from(starts_unreleased)) {
        let name = &release.name;
        if release.is_unreleased() && starts_unreleased {
            let message = "a second `Unreleased` heading".to_owned();
            add(
                "changelog/order",
                release.line,
                message,
                "move its entries up into the first one",
            );
            continue;
        }
        let Some(version) = release.version() else {
            let message = format!("`{name}` is not a semantic version");
            add(
                "changelog/version",
                release.line,
                message,
                "write `## [1.2.3] - YYYY-MM-DD`",
            );
            continue;
        };
        if last
            .as_ref()
            .is_some_and(|last| version.cmp_precedence(last).is_ge())
        {
            let message = format!("`{name}` stands below an older or equal release");
            add(
                "changelog/order",
                release.line,
                message,
                "newest first, each version once",
            );
        }
        last = Some(version);
        let date = release.date.as_deref().unwrap_or_default();
        if date.len() != 10 || date.parse::<jiff::civil::Date>().is_err() {
            let message = format!("`{name}` has no date `YYYY-MM-DD`");
            add(
                "changelog/date",
                release.line,
                message,
                "give the day of the release",
            );
        }
        if release.bracketed && !log.links.contains_key(&name.to_lowercase()) {
            let message = format!("`[{name}]` has no link definition");
            add(
                "changelog/link",
                release.line,
                message,
                "add `[1.2.3]: <compare link>` at the end, or drop the brackets",
            );
        }
    }
    for release in &log.releases {
        let mut seen = Vec::new();
        for section in &release.sections {
            let name = section.name.as_str();
            if !SECTIONS.contains(&name) {
                let message = format!("`### {name}` is not a section of Keep a Changelog");
                add(
                    "changelog/section",
                    section.line,
                    message,
                    &format!("use one of {}", SECTIONS.join(", ")),
                );
            } else if seen.contains(&name) {
                let message = format!("`### {name}` stands twice in `{}`", release.name);
                add(
                    "changelog/section",
                    section.line,
                    message,
                    "put its entries under the first one",
                );
            } else if section.entries == 0 {
                let message = format!("`### {name}` has no entry");
                add(
                    "changelog/entry",
                    section.line,
                    message,
                    "write `- what changed`, or remove the heading",
                );
            }
            seen.push(name);
        }
    }
    for line in &log.loose {
        add(
            "changelog/entry",
            *line,
            "the entry stands under no section".to_owned(),
            "put it under `### Added`, `### Fixed`, …",
        );
    }
    findings
}
