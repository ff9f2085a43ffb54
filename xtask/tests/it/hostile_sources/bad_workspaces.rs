//! Folders, manifests, lock files and policies that are not what they should be.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::{MAIN, MANIFEST, POLICY, Workspace};
use crate::sandbox::{self, Ran};

#[track_caller]
fn routes(root: &Path) -> Ran {
    let ran = sandbox::run(sandbox::routes(root, &[]));
    assert!(!ran.stderr.contains("bug in xtask"), "{}", ran.stderr);
    ran
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    routes(Path::new("/no/such/folder"))
        .expect(3)
        .says("/no/such/folder")
        .says("help:");
    let workspace = Workspace::green();
    routes(&workspace.path("Cargo.toml"))
        .expect(3)
        .says("Cargo.toml");
}

#[test]
fn a_folder_without_axum_is_no_green_table() {
    let workspace = Workspace::empty();
    workspace.scan().expect(3).says("axum").says("help:");
    workspace.write("README.md", "nothing");
    workspace.scan().expect(3).says("axum");
    workspace.write(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.0.0\"\n",
    );
    workspace.write("src/main.rs", "fn main() {}\n");
    workspace.scan().expect(3).says("axum");
}

#[test]
fn a_package_with_axum_and_no_route_says_so() {
    let workspace = Workspace::empty();
    workspace.write("Cargo.toml", MANIFEST);
    workspace.write("src/main.rs", "fn main() {}\n");
    workspace.scan().expect(3).says("serves a router");
}

#[test]
fn an_axum_whose_rules_are_not_known_is_red() {
    for version in ["0.6", "0.6.20", "0.9", "0.9.0", "1.0.0", "0.5"] {
        let workspace = Workspace::green();
        workspace.write("Cargo.toml", MANIFEST.replace("0.8", version));
        workspace.finds("RG008", "src/main.rs", version);
        // The lock file knows better than the manifest.
        let workspace = Workspace::green();
        let lock = format!(
            "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.0.0\"\ndependencies = [\n \"axum\",\n]\n\n[[package]]\nname = \"axum\"\nversion = \"{version}\"\n"
        );
        workspace.write("Cargo.lock", lock);
        workspace.finds("RG008", "src/main.rs", version);
    }
    for version in ["0.7", "0.7.9", "0.8.0", "0.8.9", "=0.8.4", "^0.8"] {
        let workspace = Workspace::green();
        workspace.write("Cargo.toml", MANIFEST.replace("0.8", version));
        workspace.is_green(1);
    }
}

#[test]
fn a_manifest_that_does_not_parse_is_named() {
    for broken in [
        "[package",
        "= 1",
        "name = \"a\"\nname = \"b\"\n",
        "[dependencies]\naxum = \"0.8\n",
        "\u{0}",
    ] {
        let workspace = Workspace::green();
        workspace.write("Cargo.toml", broken);
        workspace.finds("RG008", "Cargo.toml", "does not parse");
        let workspace = Workspace::green();
        workspace.write("crates/other/Cargo.toml", broken);
        workspace.finds("RG008", "crates/other/Cargo.toml", "does not parse");
    }
    let workspace = Workspace::green();
    workspace.write("Cargo.toml", b"[package]\nname = \"\xff\"\n");
    workspace.finds("RG008", "Cargo.toml", "does not parse");
    for broken in [
        "",
        "not a lock file",
        "[[package]]\nname = \"axum\"\n",
        "\u{0}\u{1}",
    ] {
        let workspace = Workspace::green();
        workspace.write("Cargo.lock", broken);
        workspace.is_green(1);
    }
}

#[test]
fn manifests_that_are_odd_are_read() {
    for odd in [
        "[package]\nname = 5\n[dependencies]\naxum = \"0.8\"\n",
        "package = 1\n",
        "[package]\nname = \"app\"\n[dependencies]\naxum = 8\n",
        "[package]\nname = \"app\"\n[dependencies]\naxum = { workspace = true }\n",
        "[package]\nname = \"app\"\n[dependencies]\naxum = { git = \"https://localhost/axum\" }\n",
        "[package]\nname = \"app\"\n[[bin]]\nname = \"x\"\npath = \"../../../etc/passwd\"\n[dependencies]\naxum = \"0.8\"\n",
        "[package]\nname = \"app\"\n[lib]\npath = \"src/main.rs\"\n[dependencies]\naxum = \"0.8\"\n",
    ] {
        let workspace = Workspace::green();
        workspace.write("Cargo.toml", odd);
        let ran = workspace.scan();
        // Whatever it is, the route is told of, or that it is not known.
        let silent = ran.code == Some(0) && ran.json()["counts"]["seen"] == 0;
        assert!(!silent, "{odd}\n{}", ran.stdout);
    }
}

#[test]
fn a_policy_that_cannot_be_used_is_named() {
    let workspace = Workspace::green();
    workspace
        .routes(&["--policy", "/no/such/policy.toml"])
        .expect(3)
        .says("/no/such/policy.toml");
    workspace
        .routes(&["--policy", workspace.dir().to_str().unwrap()])
        .expect(3)
        .says("help:");
    for broken in [
        "[routes",
        "[routes]\nguards = \"app::guard\"\n",
        "[routes]\nguard = []\n",
        "[[routes.public]]\nmethod = \"GET\"\npath = \"/\"\n",
        "[[routes.rule]]\npaths = \"/\"\n",
        "routes = 1\n",
    ] {
        let file = workspace.path("policy.toml");
        std::fs::write(&file, broken).unwrap();
        let file = file.to_str().unwrap();
        workspace
            .routes(&["--policy", file])
            .expect(3)
            .says("policy.toml")
            .says("failed to parse")
            .says("line");
        let workspace = Workspace::green();
        workspace.write("xtask.toml", broken);
        workspace.scan().expect(3).says("xtask.toml");
    }
    let file = workspace.path("binary.toml");
    std::fs::write(&file, b"\xff\xfe").unwrap();
    workspace
        .routes(&["--policy", file.to_str().unwrap()])
        .expect(3)
        .says("help:");
}

#[test]
fn links_that_lead_in_circles_end() {
    let workspace = Workspace::green();
    symlink(".", workspace.path("src/again")).unwrap();
    symlink("..", workspace.path("src/up")).unwrap();
    symlink("loop.rs", workspace.path("src/loop.rs")).unwrap();
    symlink("nowhere.rs", workspace.path("src/dangling.rs")).unwrap();
    let ran = workspace.scan();
    assert_eq!(
        ran.json()["routes"].as_array().unwrap().len(),
        1,
        "{}",
        ran.stdout
    );
}

#[test]
fn a_tree_is_read_and_not_written() {
    let workspace = Workspace::green();
    let tree = || -> BTreeMap<_, _> {
        let entries = walkdir::WalkDir::new(workspace.dir()).into_iter();
        let entries = entries.map(|entry| entry.unwrap().into_path());
        entries
            .map(|path| {
                let changed = path.metadata().unwrap().modified().unwrap();
                (path, changed)
            })
            .collect()
    };
    let before = tree();
    let set = |mode: u32| {
        for path in ["src/main.rs", "src", "Cargo.toml", "xtask.toml", ""] {
            let path = workspace.path(path);
            let mode = if path.is_dir() { mode | 0o111 } else { mode };
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set(0o444);
    workspace.is_green(1);
    set(0o755);
    // Whoever may do everything may write it, too.
    assert_eq!(tree(), before);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let workspace = Workspace::green();
    workspace.module("src/secret.rs", "fn f() {}\n");
    let secret = workspace.path("src/secret.rs");
    // Nobody can read what a dangling link leads to, not even who may do everything.
    std::fs::remove_file(&secret).unwrap();
    symlink("nowhere.rs", &secret).unwrap();
    workspace.finds("RG008", "src/secret.rs", "");
    // A folder with the name of a file may be read by nobody.
    let workspace = Workspace::green();
    std::fs::create_dir(workspace.path("src/folder.rs")).unwrap();
    workspace.write("src/folder.rs/mod.rs", "fn f() {}\n");
    workspace.is_green(1);
}

#[test]
fn names_of_files_are_no_commands() {
    for name in [
        "src/with space.rs",
        "src/ümläut.rs",
        "src/new\nline.rs",
        "src/::error::x.rs",
        "src/\u{1b}[2J.rs",
    ] {
        let workspace = Workspace::green();
        workspace.module(name, "fn (");
        let ran = workspace.routes(&[]);
        ran.expect(1).says("does not parse");
        assert!(!ran.stdout.contains('\u{1b}'), "{:?}", ran.stdout);
        assert!(
            !ran.stdout
                .lines()
                .any(|line| line.starts_with("::") || line.starts_with("line.rs")),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn text_of_the_source_is_no_command_either() {
    let workspace = Workspace::green();
    let hostile = MAIN.replace("\"/a\"", "\"/\u{1b}[2J\\n::error::x\u{202e}\"");
    workspace.write("src/main.rs", hostile);
    workspace.write("xtask.toml", POLICY);
    for format in ["human", "md"] {
        let ran = workspace.routes(&["--format", format]);
        ran.expect(0).says(r"/\u{1b}[2J\u{a}::error::x\u{202e}");
        let is_command = |line: &str| line.trim_start().starts_with("::");
        assert!(
            !ran.stdout.contains(['\u{1b}', '\u{202e}']) && !ran.stdout.lines().any(is_command),
            "{format}: {:?}",
            ran.stdout
        );
    }
}
