//! Manifests as people write them.

mod real;

use super::*;

/// Files by path.
fn files<const N: usize>(files: [(&str, &str); N]) -> BTreeMap<String, String> {
    files
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into()
}

/// The manifests that change.
#[track_caller]
fn after(files: &BTreeMap<String, String>, new: &str) -> BTreeMap<String, String> {
    let workspace = Workspace::read(files).unwrap();
    workspace.set(&new.parse().unwrap()).unwrap()
}

/// Message and help of a refusal.
#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error = result.unwrap_err();
    let help = crate::exit::help_of(&error).unwrap_or_default();
    format!("{error:#}; {help}")
}

/// `text` with every `«old|new»` as `old`, and with it as `new`.
fn sides(text: &str) -> (String, String) {
    let (mut before, mut after) = (String::new(), String::new());
    let mut rest = text;
    while let Some((same, marked)) = rest.split_once('«') {
        let (marked, behind) = marked.split_once('»').unwrap();
        let (old, new) = marked.split_once('|').unwrap();
        before += &[same, old].concat();
        after += &[same, new].concat();
        rest = behind;
    }
    (before + rest, after + rest)
}

/// `text` with LF, with CRLF, with a byte order mark, and without its last line ending.
fn encodings(text: &str) -> [String; 4] {
    let text = text.replace("\r\n", "\n");
    [
        text.clone(),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        text.trim_end().to_owned(),
    ]
}

const ROOT: &str = r#"# The workspace.
[workspace]
members = [
    "crates/*", # all of them
    'tools/x',
]
exclude = ["crates/old", "fuzz"]

[workspace.package]
version   =   "«1.2.3|1.3.0»"   # "1.2.3" is written once

[workspace.dependencies]
a = { version = "«1.2.3|1.3.0»", path = "crates/a" }
b = { path = "./crates/b/" }
renamed = { package = "a", path = "crates/../crates/a", version = '=«1.2.3|1.3.0»' }
foreign = "1.2.3"
c.path = "crates/c"
c.version = "^«1.2.3|1.3.0»"

[patch.crates-io]
a = { path = "crates/a", version = "«1.2.3|1.3.0»" }

[profile.release]
# version = "1.2.3"
"#;

const A: &str = r#"[package]
name = "a"
version.workspace = true
description = """
version = "1.2.3"
"""
"#;

const B: &str = r#"[package]
name = "b"
version = { workspace = true }

[dependencies.a] # a table of its own
path = "../a"
version = "~«1.2.3|1.3.0»" # keep

[dependencies]
"d" = { path = '../../inner/d', version = """«1.2.3|1.3.0»""" }
c = { version = "1", path = "../c" }
a-twin = { package = "a", version = "1.2.3" }
elsewhere = { path = "../old", version = "1.2.3" }

[dev-dependencies]
c = { path = "../c" }
a = { path = "../a/", version = "^«1.2.3|1.3.0»" }

[dev_dependencies]
d = { path = "../../inner/./d", version = "«1.2.3|1.3.0»" }

[build_dependencies]
d = { path = "../../inner/d", version = "«1.2.3|1.3.0»" }

[build-dependencies]
c = { path = "../c", version = "= «1.2.3|1.3.0»" }

[target.'cfg(unix)'.dependencies]
c = { path = "../c", version = "\u0031.2.3" }

[target.x86_64-pc-windows-msvc.build-dependencies.c]
version = "«1.2.3|1.3.0»"
path = "../c"
"#;

const C: &str = "package = { name = \"c\", version = '«1.2.3|1.3.0»' }\n";
const D: &str = "package.name = \"d\"\npackage.version = \"«1.2.3|1.3.0»\"\n";
const OUTSIDE: &str = r#"package = { name = "fuzz", version = "0.0.0" }
workspace = {}
dependencies = { a = { path = "../crates/a", version = "«1.2.3|1.3.0»" } }
"#;
const UNVERSIONED: &str =
    "package.name = \"x\"\ndependencies.a = { path = \"../../crates/a\", version = \"1\" }\n";
const OLD: &str = "[package]\nname = \"a\"\nversion = \"1.2.3\"\n";

#[test]
fn only_the_intended_bytes_change() {
    let marked = [
        ("Cargo.toml", ROOT),
        ("crates/a/Cargo.toml", A),
        ("crates/b/Cargo.toml", B),
        ("crates/c/Cargo.toml", C),
        // No pattern names it, `b` depends on it.
        ("inner/d/Cargo.toml", D),
        ("tools/x/Cargo.toml", UNVERSIONED),
        ("crates/old/Cargo.toml", OLD),
        ("fuzz/Cargo.toml", OUTSIDE),
        ("crates/a/tests/broken/Cargo.toml", "[package\n"),
        ("crates/a/tests/other/Cargo.toml", OLD),
    ];
    for encoding in 0..4 {
        let mut before = BTreeMap::new();
        let mut wanted = BTreeMap::new();
        for (path, text) in marked {
            let (old, new) = sides(&encodings(text)[encoding]);
            // What is written with escapes is written anew.
            let new = new.replace("\"\\u0031.2.3\"", "\"1.3.0\"");
            if new != old {
                wanted.insert(path.to_owned(), new);
            }
            before.insert(path.to_owned(), old);
        }
        assert_eq!(wanted.len(), 5, "{:?}", wanted.keys());
        let workspace = Workspace::read(&before).unwrap();
        assert_eq!(workspace.version, Version::new(1, 2, 3));
        let names: Vec<&str> = workspace.members.values().map(String::as_str).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        let got = workspace.set(&Version::new(1, 3, 0)).unwrap();
        assert_eq!(got, wanted, "encoding {encoding}");
    }
}

#[test]
fn lockfiles_hold_the_members_that_their_packages_need() {
    let member = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion.workspace = true\n{rest}")
    };
    let root = "[workspace]\nmembers = [\"*\"]\nexclude = [\"fuzz\", \"api\", \"more\"]\npackage.version = \"1.0.0\"\ndependencies.b.path = \"b\"\n";
    let files = files([
        ("Cargo.toml", root),
        (
            "a/Cargo.toml",
            &member("a", "[dependencies]\nb.workspace = true\n"),
        ),
        ("b/Cargo.toml", &member("b", "")),
        ("c/Cargo.toml", &member("c", "")),
        (
            "fuzz/Cargo.toml",
            "[package]\nname = \"fuzz\"\n[dependencies]\na.path = \"../a\"\n",
        ),
        // Its packages have the names of members, and are others.
        ("api/Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
        ("api/a/Cargo.toml", OLD),
        // What its package inherits is said by itself.
        (
            "more/Cargo.toml",
            "[workspace]\nmembers = [\"x\"]\ndependencies.b.path = \"../c\"\n",
        ),
        (
            "more/x/Cargo.toml",
            "package.name = \"x\"\ndependencies.b.workspace = true\n",
        ),
    ]);
    let workspace = Workspace::read(&files).unwrap();
    for (path, wanted) in [
        ("Cargo.lock", &["a", "b", "c"][..]),
        ("fuzz/Cargo.lock", &["a", "b"]),
        ("api/Cargo.lock", &[]),
        ("more/Cargo.lock", &["c"]),
        ("none/Cargo.lock", &[]),
        ("a/Cargo.lock", &[]),
    ] {
        let names = workspace.locked(path).unwrap();
        assert!(names.iter().eq(wanted), "{path}: {names:?}");
    }
}

#[test]
fn a_lone_package_is_its_own_workspace() {
    let files = files([
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\n[dependencies]\nb = { path = \"b\", version = \"0.1.0\" }\n",
        ),
        (
            "b/Cargo.toml",
            "[package]\nname = \"b\"\nversion = \"0.7.0\"\n",
        ),
    ]);
    let got = after(&files, "0.2.0");
    assert_eq!(got.len(), 1);
    assert_eq!(
        got["Cargo.toml"],
        files["Cargo.toml"].replacen("0.1.0", "0.2.0", 1)
    );
}

#[test]
fn into_a_candidate_and_out_of_it() {
    let text = |version: &str, one: &str, exact: &str| {
        format!(
            "package = {{ name = \"a\", version = \"{version}\" }}\nworkspace.members = [\"b\"]\ndependencies.b = {{ path = \"b\", version = \"{one}\" }}\nbuild-dependencies.b = {{ path = \"b\", version = \"={exact}\" }}\n"
        )
    };
    let b = "package = { name = \"b\", version = \"1.2.3\" }\n";
    let mut tree = files([
        ("Cargo.toml", &text("1.2.3", "1", "1.2.3")),
        ("b/Cargo.toml", b),
    ]);
    for version in ["1.3.0-rc.1", "1.3.0-rc.2", "1.3.0"] {
        let got = after(&tree, version);
        assert_eq!(got["Cargo.toml"], text(version, version, version));
        assert_eq!(got["b/Cargo.toml"], b.replace("1.2.3", version));
        tree.extend(got);
        assert_eq!(after(&tree, version), BTreeMap::new());
    }
}

#[test]
fn every_refusal_names_file_and_help() {
    let member = |text: &str| {
        let root = "[workspace]\nmembers = [\"m\"]\npackage.version = \"1.0.0\"\n";
        files([("Cargo.toml", root), ("m/Cargo.toml", text)])
    };
    let root = |text: &str| files([("Cargo.toml", text)]);
    let broken = |root: &str| files([("Cargo.toml", root), ("m/Cargo.toml", "\n[")]);
    for (files, wanted) in [
        (files([]), "there is no `Cargo.toml` at the root"),
        (
            root("[package\n"),
            "`Cargo.toml` does not parse\nTOML parse error at line 1",
        ),
        (
            member("[package]\nname = \"m\"\nname = \"n\"\n"),
            "`m/Cargo.toml` does not parse\nTOML parse error at line 3",
        ),
        (
            broken("[workspace]\nmembers = [\"m*\"]\n"),
            "`m/Cargo.toml` does not parse\nTOML parse error at line 2",
        ),
        (
            broken(
                "package = { name = \"a\", version = \"1.0.0\" }\nworkspace = {}\ndependencies.m.path = \"m\"\n",
            ),
            "`m/Cargo.toml` does not parse\nTOML parse error at line 2",
        ),
        (
            root("[workspace]\nmembers = [\"m\"]\n"),
            "`m` is a member by `Cargo.toml`, and `m/Cargo.toml` is not tracked; git add m/Cargo.toml",
        ),
        (
            root("[workspace]\nmembers = [\"m/[\"]\n"),
            "`m/[` among `members` of `Cargo.toml` is no pattern",
        ),
        (
            root("[workspace]\n"),
            "the workspace has no version; write it once, below `[workspace.package]`",
        ),
        (
            root("[package]\nname = \"a\"\n"),
            "the workspace has no version",
        ),
        (
            files([
                ("Cargo.toml", "[workspace]\nmembers = [\"m\"]\n"),
                (
                    "m/Cargo.toml",
                    "[package]\nname = \"m\"\nversion = \"1.2.3\"\n",
                ),
            ]),
            "`1.2.3` is written in members, and not in `Cargo.toml` at the root; write it below",
        ),
        (
            root("[package]\nname = \"a\"\nversion.workspace = true\n"),
            "takes its version from the workspace, which has none",
        ),
        (
            root("[package]\nname = \"a\"\nversion = 1.2\n"),
            "`version` in `Cargo.toml`, a float, is no version",
        ),
        (
            root("[workspace]\npackage.version.workspace = true\n"),
            "is no version; write",
        ),
        (
            root("[package]\nname = \"a\"\nversion = \"1.2\"\n"),
            "`1.2` is no version, in `Cargo.toml`, line 3: unexpected end of input",
        ),
        (
            root("[package]\nname = \"a\"\nversion = \"1.18446744073709551616.0\"\n"),
            "value of minor version number exceeds u64::MAX",
        ),
        (
            root("[package]\nversion = \"1.2.3\"\n"),
            "`Cargo.toml` is a member without a name",
        ),
        (
            member("[package]\nname = \"m\"\nversion = \"1.1.0\"\n"),
            "the workspace has 2 versions: 1.0.0 in `Cargo.toml`, line 3; 1.1.0 in `m/Cargo.toml`, line 3; write it once",
        ),
    ] {
        let got = refusal(Workspace::read(&files));
        assert!(got.contains(wanted), "{files:?}\n{got}");
    }
}

#[test]
fn a_requirement_that_cannot_follow_is_refused() {
    let files = files([
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"1.2.3\"\n[dependencies]\nb = { path = \"b\", version = \">=1, <2\" }\n[workspace]\n",
        ),
        (
            "b/Cargo.toml",
            "[package]\nname = \"b\"\nversion = \"1.2.3\"\n",
        ),
    ]);
    let workspace = Workspace::read(&files).unwrap();
    assert_eq!(workspace.set(&Version::new(1, 3, 0)).unwrap().len(), 2);
    assert_eq!(
        refusal(workspace.set(&Version::new(2, 0, 0))),
        "`b = \">=1, <2\"` in `Cargo.toml`, line 5, does not match 2.0.0; write it as `b = \"1.2.3\"`: a release carries that along"
    );
}
