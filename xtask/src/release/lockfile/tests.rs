//! Lockfiles after a release, held against cargo itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::manifest::Workspace;
use super::*;

const ROOT: &str = r#"[workspace]
resolver = "3"
members = ["crates/*"]
exclude = ["fuzz"]
package = { version = "1.2.3", edition = "2024" }

[workspace.dependencies]
lib = { path = "crates/lib", version = "1.2" }
twin = { path = "crates/twin", version = "=1.2.3" }
"#;

const MANIFESTS: [&str; 6] = [
    "Cargo.toml",
    "crates/app/Cargo.toml",
    "crates/lib/Cargo.toml",
    "crates/twin/Cargo.toml",
    "fuzz/Cargo.toml",
    "inner/deep/Cargo.toml",
];

/// No pattern names `deep`.
const LIB: &str = r#"[package]
name = "lib"
version.workspace = true
edition.workspace = true

[target.'cfg(unix)'.build-dependencies.renamed]
package = "deep"
path = "../../inner/deep"
version = "1"
"#;

/// Three packages of the registry have the name of a member, and one lies in a folder outside.
const APP: &str = r#"[package]
name = "app"
version.workspace = true
edition.workspace = true

[dependencies]
lib = { workspace = true }
twin = { workspace = true }
other = "0.1"
twin-09 = { package = "twin", version = "0.9" }
twin-1 = { package = "twin", version = "1.2.0" }
twin-2 = { package = "twin", version = "2" }
"#;

const FUZZ: &str = r#"[package]
name = "app-fuzz"
edition = "2024"

[workspace]

[dependencies]
app = { path = "../crates/app", version = "~1.2.3" }
lib-05 = { package = "lib", path = "../../outside/lib" }
"#;

/// A folder `repo` with a workspace and a second one beside it, and the registry's packages.
struct Fixture {
    repo: PathBuf,
    _temp: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let repo = temp.path().canonicalize().unwrap().join("repo");
        let fixture = Self { repo, _temp: temp };
        let member = |name: &str| {
            format!(
                "[package]\nname = \"{name}\"\nversion.workspace = true\nedition.workspace = true\n"
            )
        };
        let package = |name: &str, version: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n")
        };
        fixture.write("Cargo.toml", ROOT);
        fixture.write("crates/app/Cargo.toml", APP);
        fixture.write("crates/lib/Cargo.toml", LIB);
        fixture.write("crates/twin/Cargo.toml", &member("twin"));
        fixture.write("inner/deep/Cargo.toml", &package("deep", "1.2.3"));
        fixture.write("fuzz/Cargo.toml", FUZZ);
        fixture.write("../outside/lib/Cargo.toml", &package("lib", "0.5.0"));
        for (name, version) in [
            ("other", "0.1.0"),
            ("twin", "0.9.0"),
            ("twin", "1.3.0"),
            ("twin", "2.0.0"),
        ] {
            let folder = format!("../registry/{name}-{version}");
            fixture.write(&format!("{folder}/Cargo.toml"), &package(name, version));
            let sum = format!("{{\"files\":{{}},\"package\":\"{}\"}}", "0".repeat(64));
            fixture.write(&format!("{folder}/.cargo-checksum.json"), &sum);
        }
        fixture.write(
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"folder\"\n[source.folder]\ndirectory = \"../registry\"\n",
        );
        for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
            fixture.cargo(manifest, &["generate-lockfile", "--offline"]);
        }
        fixture
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.repo.join(path);
        let folder = path.parent().unwrap();
        std::fs::create_dir_all(folder).unwrap();
        if path.ends_with("Cargo.toml") && text.starts_with("[package]") {
            std::fs::create_dir_all(folder.join("src")).unwrap();
            std::fs::write(folder.join("src/lib.rs"), "").unwrap();
        }
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.repo.join(path)).unwrap()
    }

    /// What cargo prints.
    #[track_caller]
    fn cargo(&self, manifest: &str, words: &[&str]) -> String {
        let out = Command::new(env!("CARGO"))
            .args(words)
            .args(["--manifest-path", manifest])
            .current_dir(&self.repo)
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{words:?} {manifest}\n{said}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// The version is `new` everywhere, and cargo has nothing to add.
    #[track_caller]
    fn release(&self, new: &str) {
        let new: Version = new.parse().unwrap();
        let manifests = MANIFESTS.map(|path| (path.to_owned(), self.read(path)));
        let manifests = manifests.into();
        let workspace = Workspace::read(&manifests).unwrap();
        for (path, text) in workspace.set(&new).unwrap() {
            self.write(&path, &text);
        }
        for path in ["Cargo.lock", "fuzz/Cargo.lock"] {
            let (text, members) = (self.read(path), workspace.locked(path).unwrap());
            assert_eq!(members.len(), 4);
            let set = |text: &str| {
                let set = set(path, text, &members, &workspace.version, &new);
                set.unwrap().unwrap()
            };
            let after = set(&text);
            assert_eq!(
                set(&text.replace('\n', "\r\n")),
                after.replace('\n', "\r\n")
            );
            assert_eq!(set(&format!("\u{feff}{text}")), format!("\u{feff}{after}"));
            assert_eq!(set(text.trim_end()), after.trim_end());
            self.write(path, &after);
        }
        for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
            let lock = manifest.replace(".toml", ".lock");
            let before = self.read(&lock);
            let words = ["metadata", "--format-version=1", "--locked", "--offline"];
            let metadata: serde_json::Value =
                serde_json::from_str(&self.cargo(manifest, &words)).unwrap();
            let at_new = metadata["packages"].as_array().unwrap().iter();
            let at_new = at_new
                .filter(|package| package["version"] == new.to_string().as_str())
                .filter(|package| package["source"].is_null())
                .map(|package| package["name"].as_str().unwrap().to_owned());
            assert_eq!(
                at_new.collect::<BTreeSet<_>>(),
                workspace.locked(&lock).unwrap()
            );
            self.cargo(manifest, &["update", "--workspace", "--offline"]);
            assert_eq!(self.read(&lock), before, "{new}");
        }
    }
}

#[test]
fn cargo_has_nothing_to_add() {
    let fixture = Fixture::new();
    for version in [
        "1.2.4",
        "1.3.0-rc.1",
        "1.3.0-rc.2",
        // The same as the registry's: its dependants say so.
        "1.3.0",
        // Behind the registry's, which changes places.
        "1.4.0",
        "2.0.0-rc.1",
        "2.0.0",
        // Dependencies are ordered by letters, packages by precedence.
        "10.0.0-rc.9",
        "10.0.0",
    ] {
        fixture.release(version);
    }
}

#[test]
fn a_real_lockfile_changes_in_the_lines_of_its_members() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let lock = Lock::parse("Cargo.lock", &text).unwrap();
    let local = lock
        .packages
        .iter()
        .filter(|package| package.source.is_none());
    let members: BTreeSet<String> = local.clone().map(|package| package.name.clone()).collect();
    let old = &local.clone().next().unwrap().version;
    let new = Version::new(old.major + 1, 0, 0);
    let after = set("Cargo.lock", &text, &members, old, &new)
        .unwrap()
        .unwrap();
    let changed: Vec<(&str, &str)> = text
        .split_inclusive('\n')
        .zip(after.split_inclusive('\n'))
        .filter(|(old, new)| old != new)
        .collect();
    assert_eq!(text.lines().count(), after.lines().count());
    assert_eq!(changed.len(), members.len());
    for line in changed {
        assert_eq!(
            line,
            (
                &*format!("version = \"{old}\"\n"),
                &*format!("version = \"{new}\"\n")
            )
        );
    }
    let back = set("Cargo.lock", &after, &members, &new, old).unwrap();
    assert_eq!(back.as_deref(), Some(text.as_str()));
    let nobody = BTreeSet::new();
    assert_eq!(set("Cargo.lock", "<<<", &nobody, old, &new).unwrap(), None);
    let others = BTreeSet::from(["serde".to_owned(), "nobody".to_owned()]);
    let path = "fuzz/Cargo.lock";
    assert_eq!(set(path, &text, &others, old, &new).unwrap(), None);
    // The workspace's own has every member.
    let error = set("Cargo.lock", &text, &others, old, &new).unwrap_err();
    let wanted = "`Cargo.lock` is stale: it has no `nobody`";
    assert!(format!("{error:#}").contains(wanted), "{error:#}");
}

#[test]
fn what_needs_no_change_stays_as_it_is() {
    // An old format, an order that cargo would not write, and what else may stand there.
    let before = "# By hand.\n[[package]] # 1\nname = \"z\"\nversion = \"0.1.0\"\ndependencies = [\n \"b 1.0.0 (registry+x)\",\n \"a\",\n]\n\n\n[[package]]\nname = \"a\"\nversion = '1.2.3' # 2\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"1.2.3\"\n\n[metadata]\na = \"1.2.3\"";
    let members = BTreeSet::from(["a".to_owned()]);
    let (old, new) = (Version::new(1, 2, 3), Version::new(1, 3, 0));
    let after = set("Cargo.lock", before, &members, &old, &new).unwrap();
    let wanted = before.replace("'1.2.3'", "'1.3.0'");
    assert_eq!(after.as_deref(), Some(wanted.as_str()));
    let same = set("Cargo.lock", before, &members, &old, &old).unwrap();
    assert_eq!(same, None);
}

#[test]
fn a_lockfile_that_is_broken_or_stale_is_refused() {
    let a = "[[package]]\nname = \"a\"\nversion = \"1.2.2\"\n";
    for (path, text, wanted) in [
        (
            "Cargo.lock",
            "<<<<<<< HEAD\n".to_owned(),
            "`Cargo.lock` does not parse\nTOML parse error at line 1",
        ),
        (
            "Cargo.lock",
            a.to_owned(),
            "`Cargo.lock` is stale: it has `a 1.2.2`, the workspace is at 1.2.3; cargo update --workspace",
        ),
        (
            "fuzz/Cargo.lock",
            format!(
                "{a}\n{}",
                a.replace('a', "b")
                    .replace("pbckbge", "package")
                    .replace("nbme", "name")
            ),
            "it has `a 1.2.2`, `b 1.2.2`, the workspace is at 1.2.3; cargo update --workspace --manifest-path fuzz/Cargo.toml",
        ),
        (
            "Cargo.lock",
            a.replace("1.2.2", "1.2"),
            "has a package without a name or a version: unexpected end of input",
        ),
        (
            "Cargo.lock",
            a.replace("name", "nom"),
            "has a package without a name or a version: no `name`",
        ),
        (
            "Cargo.lock",
            format!("{a}dependencies = [\n \"c\",\n]\n"),
            "`Cargo.lock`, line 5, depends on `c`, which it does not hold; cargo update --workspace",
        ),
        (
            "Cargo.lock",
            format!(
                "{}\n{}",
                a.replace("1.2.2", "1.2.3"),
                a.replace("1.2.2", "1.3.0")
            ) + "\n[[package]]\nname = \"b\"\nversion = \"1.2.3\"\n",
            "`Cargo.lock` would have two packages `a 1.3.0`, which lie in two folders; give the `a` outside",
        ),
    ] {
        let members = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let (old, new) = (Version::new(1, 2, 3), Version::new(1, 3, 0));
        let error = set(path, &text, &members, &old, &new).unwrap_err();
        let help = crate::exit::help_of(&error).unwrap_or_default();
        let got = format!("{error:#}; {help}");
        assert!(got.contains(wanted), "{text}\n{got}");
    }
}
