//! Held against cargo, and against the manifests of the packages that this workspace depends on.

use std::path::Path;
use std::process::Command;

use super::*;

#[test]
fn members_are_those_that_cargo_finds() {
    let root = r#"[workspace]
resolver = "3"
members = ["crates/*", "tools/[ab]", "deep/**/y", "./here/../there/", "one?", "vendor/kept"]
exclude = ["crates/out", "tools/b", "vendor"]
package.version = "1.2.3"
dependencies.lib-inherited.path = "lib/inherited"
"#;
    let packages = [
        (
            "crates/a",
            "dependencies.lib-by-path.path = \"../../lib/by-path\"\ndependencies.vendor-skipped.path = \"../../vendor/skipped\"\ndependencies.outside.path = \"../../../outside\"",
        ),
        ("crates/out", ""),
        ("crates/outer", ""),
        ("crates/.hidden", ""),
        ("crates/a/nested", ""),
        ("tools/a", ""),
        ("tools/b", ""),
        ("tools/c", ""),
        ("deep/y", ""),
        ("deep/x/y", ""),
        ("there", ""),
        ("one1", ""),
        ("one22", ""),
        (
            "lib/by-path",
            "target.'cfg(unix)'.dev-dependencies.lib-inherited.workspace = true",
        ),
        ("lib/inherited", ""),
        ("lib/nobodys", ""),
        ("vendor/skipped", ""),
        ("vendor/kept", ""),
        ("../outside", ""),
    ];
    let temp = tempfile::tempdir().unwrap();
    let repo = temp.path().join("repo");
    let mut files = files([("Cargo.toml", root)]);
    for (dir, dependencies) in packages {
        let name = dir.trim_start_matches("../").replace(['/', '.'], "-");
        let version = match dir {
            "vendor/skipped" | "../outside" => "version = \"9.9.9\"",
            _ => "version.workspace = true",
        };
        let text = format!(
            "{dependencies}\n[package]\nname = \"{name}\"\n{version}\nedition = \"2024\"\n"
        );
        files.insert(format!("{dir}/Cargo.toml"), text);
        std::fs::create_dir_all(repo.join(dir).join("src")).unwrap();
        std::fs::write(repo.join(dir).join("src/lib.rs"), "").unwrap();
    }
    for (path, text) in &files {
        std::fs::write(repo.join(path), text).unwrap();
    }
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(&repo)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let wanted: BTreeSet<&str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    let workspace = Workspace::read(&files).unwrap();
    let got: BTreeSet<&str> = workspace.members.values().map(String::as_str).collect();
    assert_eq!(got, wanted);
    assert_eq!(got.len(), 11);
}

#[test]
fn a_real_manifest_changes_in_one_line() {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        if package["source"].is_null() {
            continue;
        }
        // As cargo made it for the registry, and as its author wrote it.
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        for path in [
            manifest.to_owned(),
            manifest.with_file_name("Cargo.toml.orig"),
        ] {
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            for text in encodings(&text) {
                let name = path.display();
                let toml = Toml::parse("Cargo.toml", &text).unwrap();
                if !matches!(source(&toml), Ok(Source::Own(_))) || toml.at(&["workspace"]).is_some()
                {
                    continue;
                }
                let files = files([("Cargo.toml", &text)]);
                let got = after(&files, "999.0.0-rc.1");
                let got = &got["Cargo.toml"];
                let changed: Vec<(&str, &str)> = text
                    .split_inclusive('\n')
                    .zip(got.split_inclusive('\n'))
                    .filter(|(old, new)| old != new)
                    .collect();
                let [(old, new)] = changed.as_slice() else {
                    panic!("{name}: {changed:?}");
                };
                let version = package["version"].as_str().unwrap();
                assert_eq!(old.replacen(version, "999.0.0-rc.1", 1), *new, "{name}");
                assert_eq!(text.matches('\n').count(), got.matches('\n').count());
                seen += 1;
            }
        }
    }
    assert!(seen > 1500, "{seen}");
}
