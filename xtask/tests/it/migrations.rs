//! Migration files over the branches of a repository, and the commands that make and move them.

use std::collections::BTreeSet;

use xshell::cmd;

use crate::sandbox::{Sandbox, findings, gate};

const ENGINES: [&str; 2] = ["postgres", "sqlite"];

/// Files of the folder of an engine, without its path.
fn files(sandbox: &Sandbox, engine: &str) -> Vec<String> {
    let folder = sandbox.dir.join("migrations").join(engine);
    let mut files: Vec<String> = (std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}

fn write(sandbox: &Sandbox, name: &str, text: &str) {
    for engine in ENGINES {
        sandbox.write(&format!("migrations/{engine}/{name}"), text);
    }
}

#[test]
fn new_writes_a_migration_for_each_engine() {
    let sandbox = Sandbox::new();
    sandbox
        .xtask(&["migrate", "new", "orders_have_notes"])
        .expect(0);
    let made = files(&sandbox, "postgres");
    assert_eq!(made, files(&sandbox, "sqlite"));
    assert!(
        made.len() == 2 && made[1].ends_with("_orders_have_notes.sql"),
        "{made:?}"
    );
    sandbox.xtask(&["ci", "migrations"]).expect(0);

    // What is ahead of the clock is followed, not overtaken.
    write(&sandbox, "29991231235959_far.sql", "select 1;\n");
    (sandbox.xtask(&["migrate", "new", "after"]).expect(0))
        .says("wrote migrations/postgres/30000101000000_after.sql")
        .says("ahead of this machine's clock");

    (sandbox
        .xtask(&["migrate", "new", "Orders have--notes"])
        .expect(2))
    .says("`Orders have--notes` is no name of a migration")
    .says("help: cargo xtask migrate new orders_have_notes");
    sandbox.xtask(&["migrate", "new", "../etc"]).expect(2);

    // Both or none: what cannot be written for one engine is not left for the other.
    let before = files(&sandbox, "postgres");
    let folder = sandbox.dir.join("migrations/sqlite");
    std::fs::rename(&folder, sandbox.dir.join("kept")).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
    sandbox
        .xtask(&["migrate", "new", "half"])
        .expect(3)
        .says("migrations/sqlite");
    assert_eq!(files(&sandbox, "postgres"), before);
}

#[test]
fn renumber_moves_what_trunk_overtook_and_keeps_its_order() {
    let sandbox = Sandbox::new();
    let sh = &sandbox.sh;
    cmd!(sh, "git switch --quiet --create feature")
        .run()
        .unwrap();
    write(
        &sandbox,
        "20260201000000_first.sql",
        "create table a (id integer);\n",
    );
    write(
        &sandbox,
        "20260401000000_second.sql",
        "create table b (id integer);\n",
    );
    sandbox.xtask(&["fix", "migrations"]).expect(0);
    sandbox.commit("two migrations");
    cmd!(sh, "git switch --quiet main").run().unwrap();
    write(&sandbox, "20260301000000_of_trunk.sql", "select 1;\n");
    sandbox.commit("trunk goes on");
    cmd!(sh, "git switch --quiet feature").run().unwrap();

    let red = sandbox.xtask(&["ci", "migrations"]);
    red.expect(1).says("help: cargo xtask migrate renumber");
    sandbox.xtask(&["migrate", "renumber"]).expect(0);
    let moved = files(&sandbox, "postgres");
    assert_eq!(moved, files(&sandbox, "sqlite"));
    let names: Vec<_> = moved.iter().map(|name| &name[15..]).collect();
    assert_eq!(names, ["env_marker.sql", "first.sql", "second.sql"]);
    assert!(
        moved[1].as_str() > "20260301000001" && moved[1] < moved[2],
        "{moved:?}"
    );
    sandbox.xtask(&["ci", "migrations"]).expect(0);
    (sandbox.xtask(&["migrate", "renumber"]).expect(0))
        .says("every migration of this branch is newer");
    assert_eq!(files(&sandbox, "postgres"), moved);
}

/// What a branch may do to the folders, and the rules that it then breaks.
struct Act {
    name: &'static str,
    does: fn(&Sandbox),
    changes_merged: bool,
    breaks: &'static [&'static str],
}

const MERGED: &str = "20260102000000_merged.sql";
const OTHER: &str = "20260103000000_other.sql";

fn of_each(sandbox: &Sandbox, name: &str, change: fn(&str) -> String) {
    for engine in ENGINES {
        let file = format!("migrations/{engine}/{name}");
        sandbox.write(&file, change(&sandbox.read(&file)));
    }
}

fn rename(sandbox: &Sandbox, from: &str, to: &str) {
    for engine in ENGINES {
        let folder = sandbox.dir.join("migrations").join(engine);
        std::fs::rename(folder.join(from), folder.join(to)).unwrap();
    }
}

const ACTS: &[Act] = &[
    Act {
        name: "add a newer one",
        does: |sandbox| write(sandbox, "20260501000000_newer.sql", "select 1;\n"),
        changes_merged: false,
        breaks: &[],
    },
    Act {
        name: "add two, the later written first",
        does: |sandbox| {
            write(sandbox, "20260503000000_later.sql", "select 1;\n");
            write(sandbox, "20260502000000_sooner.sql", "select 1;\n");
        },
        changes_merged: false,
        breaks: &[],
    },
    Act {
        name: "end lines as on Windows",
        does: |sandbox| of_each(sandbox, MERGED, |text| text.replace('\n', "\r\n")),
        changes_merged: true,
        breaks: &[],
    },
    Act {
        name: "edit a comment",
        does: |sandbox| {
            of_each(sandbox, MERGED, |text| {
                text.replace("merged", "merged long ago")
            });
        },
        changes_merged: true,
        breaks: &["migrations/edited"],
    },
    Act {
        name: "edit a statement of one engine",
        does: |sandbox| sandbox.append("migrations/sqlite/20260103000000_other.sql", "select 2;\n"),
        changes_merged: true,
        breaks: &["migrations/edited"],
    },
    Act {
        name: "delete",
        does: |sandbox| {
            for engine in ENGINES {
                let folder = sandbox.dir.join("migrations").join(engine);
                std::fs::remove_file(folder.join(OTHER)).unwrap();
            }
        },
        changes_merged: true,
        breaks: &["migrations/removed"],
    },
    Act {
        name: "rename the words",
        does: |sandbox| rename(sandbox, MERGED, "20260102000000_better_name.sql"),
        changes_merged: true,
        breaks: &["migrations/removed", "migrations/late"],
    },
    Act {
        name: "rename to a newer number",
        does: |sandbox| rename(sandbox, MERGED, "20260601000000_merged.sql"),
        changes_merged: true,
        breaks: &["migrations/removed"],
    },
    Act {
        name: "add an older one than trunk's newest",
        does: |sandbox| write(sandbox, "20260102120000_between.sql", "select 1;\n"),
        changes_merged: false,
        breaks: &["migrations/late"],
    },
    Act {
        name: "take the number that trunk took meanwhile",
        does: |sandbox| write(sandbox, "20260401000000_mine.sql", "select 1;\n"),
        changes_merged: false,
        breaks: &["migrations/late"],
    },
    Act {
        name: "give two files one number",
        does: |sandbox| {
            write(sandbox, "20260701000000_one.sql", "select 1;\n");
            write(sandbox, "20260701000000_two.sql", "select 1;\n");
        },
        changes_merged: false,
        breaks: &["migrations/duplicate"],
    },
    Act {
        name: "forget an engine",
        does: |sandbox| sandbox.write("migrations/postgres/20260801000000_lone.sql", "select 1;\n"),
        changes_merged: false,
        breaks: &["migrations/unpaired"],
    },
    Act {
        name: "name a file as the migrator skips it",
        does: |sandbox| write(sandbox, "20260901_short.sql", "select 1;\n"),
        changes_merged: false,
        breaks: &["migrations/name"],
    },
];

/// Each act alone and in pairs, on a branch whose trunk went on.
#[test]
fn every_way_to_rewrite_history_is_red_and_every_other_is_green() {
    let sandbox = Sandbox::new();
    let sh = &sandbox.sh;
    write(&sandbox, MERGED, "-- merged\nselect 1;\n");
    write(&sandbox, OTHER, "-- other\nselect 1;\n");
    sandbox.commit("merged migrations");
    cmd!(sh, "git branch feature").run().unwrap();
    write(&sandbox, "20260401000000_of_trunk.sql", "select 1;\n");
    sandbox.commit("trunk goes on");
    cmd!(sh, "git switch --quiet feature").run().unwrap();

    let pairs = (0..ACTS.len()).map(|n| (n, (n * 5 + 3) % ACTS.len()));
    let alone = (0..ACTS.len()).map(|n| (n, n));
    for (n, (a, b)) in alone.chain(pairs).enumerate() {
        let mut acts = vec![&ACTS[a]];
        if a != b {
            acts.push(&ACTS[b]);
        }
        // Two acts on what is merged would be another act.
        if acts.len() == 2 && acts.iter().all(|act| act.changes_merged) {
            continue;
        }
        for act in &acts {
            (act.does)(&sandbox);
        }
        // Committed or not makes no difference.
        if n % 2 == 0 {
            sandbox.commit("what the branch does");
        }
        let run = sandbox.xtask(&["ci", "migrations", "--format", "json"]);
        let json = run.json();
        let rules: BTreeSet<String> = (findings(&json, "migrations").iter())
            .map(|finding| finding.split(' ').next().unwrap().to_owned())
            .collect();
        let expected: BTreeSet<String> = (acts.iter())
            .flat_map(|act| act.breaks.iter().map(|rule| (*rule).to_owned()))
            .collect();
        let names: Vec<_> = acts.iter().map(|act| act.name).collect();
        assert_eq!(rules, expected, "{names:?}");
        assert_eq!(run.code, Some(i32::from(!expected.is_empty())), "{names:?}");
        assert_eq!(
            gate(&json, "migrations")["verdict"] == "passed",
            expected.is_empty()
        );
        cmd!(sh, "git reset --quiet --hard").run().unwrap();
        cmd!(sh, "git clean --quiet -fd migrations").run().unwrap();
        if n % 2 == 0 {
            cmd!(sh, "git reset --quiet --hard HEAD~1").run().unwrap();
        }
    }
}
