//! A `pg_dump` whose file is not what it says, though it ends well: no backup is made of it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Backup, KITCHEN, Staging, files, noise};
use crate::production::Production;

/// What is done with `$file`, of `$size` bytes, and the words of the refusal. `dump` is the real
/// program, with what it was given but the snapshot.
const LIES: &[(&str, &str)] = &[
    ("truncate -s $((size * 99 / 100)) \"$file\"", "the dump cannot be read to its end"),
    ("truncate -s $((size * 60 / 100)) \"$file\"", "the dump cannot be read to its end"),
    ("truncate -s $((size * 10 / 100)) \"$file\"", "the dump cannot be read to its end"),
    (": >\"$file\"", "the dump cannot be read to its end"),
    (
        "byte=$(od -An -tu1 -j $((size / 2)) -N1 \"$file\")
        printf \"\\\\$(printf %o $((byte ^ 1)))\" | dd of=\"$file\" bs=1 seek=$((size / 2)) conv=notrunc status=none",
        "the dump cannot be read to its end",
    ),
    ("PGDATABASE=postgres dump", "the dump does not list"),
    ("dump --exclude-table-data=orders", "the dump does not list `public.orders`"),
    (
        "\"$bin/psql\" -qc 'delete from orders where id = 1'; dump",
        "table `public.orders` has 499 rows instead of 500",
    ),
    (
        "\"$bin/psql\" -qc \"update meals set name = 'x' where id = 1\"; dump",
        "table `public.meals` has other content",
    ),
];

/// Puts a `pg_dump` that does so into `folder`, with the real `pg_restore` beside it.
fn lying(folder: &Path, lie: &str) {
    let server = pgscratch::server_for_tests().unwrap();
    let bin = server.folder().display();
    let dump = format!(
        "#!/bin/sh
bin={bin} file=
for given; do case $given in --file=*) file=${{given#--file=}} ;; esac; done
dump() {{ \"$bin/pg_dump\" --format=custom --file=\"$file\" \"$@\"; }}
\"$bin/pg_dump\" \"$@\" || exit $?
[ -n \"$file\" ] || exit 0
size=$(stat -c %s \"$file\")
{lie}
"
    );
    let restore = format!("#!/bin/sh\nexec {bin}/pg_restore \"$@\"\n");
    for (name, text) in [("pg_dump", dump), ("pg_restore", restore)] {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
        std::fs::set_permissions(folder.join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
}

/// Undoes what a lie did to the database.
const MEND: &str = "insert into orders (id, meal_id) values (1, 1) on conflict do nothing";

#[test]
fn postgres_no_backup_is_made_of_a_dump_that_is_not_the_database() {
    let Some(staging) = Staging::new(&format!("{KITCHEN}{}", noise(100))) else {
        return;
    };
    let folder = staging.sandbox.dir.with_extension("bin");
    staging.backup();
    let before = staging.files();
    for (lie, says) in LIES {
        lying(&folder, lie);
        let env = [("BACKUP_PG_BIN", folder.to_str().unwrap())];
        let refused = staging.xtask_with(&["db", "backup"], &env);
        assert!(refused.stderr.contains(says), "{lie}: {}", refused.stderr);
        refused.expect(1).says("help: ");
        assert_eq!(staging.files(), before, "{lie}");
        staging.execute(MEND);
    }
    staging.backup();
}

/// A deployment stops at its second step then, and the third never is.
#[test]
fn postgres_a_deployment_without_a_backup_migrates_nothing() {
    let Some(at) = Production::new() else { return };
    let release = |name: &str, sql: &str| {
        for engine in ["postgres", "sqlite"] {
            at.sandbox
                .write(&format!("migrations/{engine}/{name}"), sql);
        }
        at.sandbox.commit(name);
    };
    release(
        "20980101000000_tables.sql",
        "create table meals (id integer primary key, name text);
create table orders (id integer primary key, meal_id integer, bytes text);\n",
    );
    at.deployed_to_staging();
    let fill = "insert into meals select n, n from generate_series(1, 20) n;
        insert into orders select n, 1, gen_random_uuid()::text || gen_random_uuid()::text from generate_series(1, 500) n";
    at.sql("kitchen_staging", fill);
    release(
        "20990101000000_more.sql",
        "create table more (id integer);\n",
    );

    let folder = at.sandbox.dir.with_extension("bin");
    let mut env = at.staging();
    let backups = at.sandbox.dir.join("data/backups/staging");
    let before = files(&backups);
    let killed = ("kill -9 $$", "`pg_dump` failed (signal: 9");
    for (lie, says) in LIES.iter().chain([&killed]) {
        lying(&folder, lie);
        env.insert("BACKUP_PG_BIN", folder.display().to_string());
        let stopped = at.xtask(&["deploy", "db"], &env);
        assert!(stopped.stderr.contains(says), "{lie}: {}", stopped.stderr);
        (stopped.expect(1)).says("stopped in step 2/3, exit code 1: database unchanged");
        assert!(!stopped.stdout.contains("[STEP 3/3]"), "{}", stopped.stdout);
        assert!(
            !at.tables("kitchen_staging").contains(&"more".to_owned()),
            "{lie}"
        );
        assert_eq!(files(&backups), before, "{lie}");
        at.sql("kitchen_staging", MEND);
    }

    // A backup that was damaged, or has grown old, is none to migrate with either.
    env.remove("BACKUP_PG_BIN");
    let made = at.xtask(&["db", "backup", "--format", "json"], &env);
    let backup = Backup::made(&made);
    let apply = ["migrate", "apply", "--backup", backup.path()];
    backup.shift(-2);
    (at.xtask(&apply, &env).expect(3)).says("min old, 60 min is the limit");
    backup.shift(0);
    let dump = std::fs::read(backup.dump()).unwrap();
    std::fs::write(backup.dump(), &dump[..dump.len() / 2]).unwrap();
    (at.xtask(&apply, &env).expect(1)).says("its manifest says");
    assert!(!at.tables("kitchen_staging").contains(&"more".to_owned()));
    std::fs::write(backup.dump(), &dump).unwrap();
    at.xtask(&apply, &env).expect(0);
    assert!(at.tables("kitchen_staging").contains(&"more".to_owned()));
}
