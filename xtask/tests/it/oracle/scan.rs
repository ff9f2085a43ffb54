//! The scan of a package of programs, and what it says of each of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use super::program::Version;
use crate::scan::{self, Files, Table};

impl Table {
    /// What it says of each file.
    pub(crate) fn by_file(self) -> BTreeMap<String, Self> {
        let mut files: BTreeMap<String, Self> = BTreeMap::new();
        for row in self.routes {
            files.entry(row.file.clone()).or_default().routes.push(row);
        }
        for answer in self.answers {
            let (file, _) = answer.root.rsplit_once(':').unwrap();
            files
                .entry(file.to_owned())
                .or_default()
                .answers
                .push(answer);
        }
        for finding in self.findings {
            let file = finding.file.clone().unwrap_or_default();
            files.entry(file).or_default().findings.push(finding);
        }
        files
    }

    /// What it says of these lines of one file, which are served on other ones.
    pub(crate) fn part(&self, file: &str, lines: &Range<usize>, served: &Range<usize>) -> Self {
        let mut part = self.clone();
        part.routes
            .retain(|row| row.file == file && lines.contains(&row.line));
        part.answers.retain(|answer| {
            let (root, line) = answer.root.rsplit_once(':').unwrap();
            root == file && served.contains(&line.parse().unwrap())
        });
        part.findings.retain(|finding| {
            let line = finding.line.unwrap_or_default();
            finding.file.as_deref() == Some(file) && lines.contains(&line)
        });
        part
    }
}

/// Scans a package of these modules, name and text each.
pub(crate) fn scan(version: Version, modules: &[(String, &str)]) -> Table {
    let mut files = Files::new();
    let mut main = String::from("//! Programs.\n\nmod marks;\n\nuse marks::mark;\n\n");
    for (name, text) in modules {
        let _ = writeln!(main, "mod {name};");
        files.insert(format!("src/{name}.rs"), (*text).to_owned());
    }
    main.push_str("\nfn main() {}\n");
    for (file, text) in [
        ("Cargo.toml", manifest(version)),
        ("Cargo.lock", lockfile(version)),
        ("src/main.rs", main),
        ("src/marks.rs", MARKS.to_owned()),
    ] {
        files.insert(file.to_owned(), text);
    }
    scan::table(&files)
}

const MARKS: &str = "\
//! Adds the name of a layer to an answer that passes it.

use axum::response::Response;

pub(crate) fn mark(name: &'static str, mut response: Response) -> Response {
    response.headers_mut().append(\"x-layers\", name.parse().unwrap());
    response
}
";

/// Name, locked version and requirement of what the programs use.
fn dependencies(version: Version) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut all = vec![
        ("axum", version.number(), &version.number()[..3]),
        ("tokio", "1.54.1", "1"),
        ("tower", "0.5.3", "0.5"),
    ];
    if version == Version::V08 {
        all.push(("axum-extra", "0.12.6", "0.12"));
        all.push(("utoipa", "6.0.0", "6"));
        all.push(("utoipa-axum", "0.3.0", "0.3"));
    }
    all
}

fn manifest(version: Version) -> String {
    let mut text = String::from(
        "[package]\nname = \"programs\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n",
    );
    for (name, _, wanted) in dependencies(version) {
        let _ = writeln!(text, "{name} = \"{wanted}\"");
    }
    text
}

fn lockfile(version: Version) -> String {
    let mut text = String::from("version = 4\n");
    let mut names = String::new();
    for (name, locked, _) in dependencies(version) {
        let _ = writeln!(
            text,
            "\n[[package]]\nname = \"{name}\"\nversion = \"{locked}\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\""
        );
        let _ = writeln!(names, " \"{name}\",");
    }
    let _ = writeln!(
        text,
        "\n[[package]]\nname = \"programs\"\nversion = \"0.0.0\"\ndependencies = [\n{names}]"
    );
    text
}
