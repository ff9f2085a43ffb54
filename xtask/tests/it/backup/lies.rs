//! A `pg_dump` whose file is not what it says, though it ends well: no backup is made of it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{KITCHEN, Staging, noise};

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

fn program(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
    std::fs::set_permissions(folder.join(name), PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn postgres_no_backup_is_made_of_a_dump_that_is_not_the_database() {
    let Some(staging) = Staging::new(&format!("{KITCHEN}{}", noise(100))) else {
        return;
    };
    let server = pgscratch::server_for_tests().unwrap();
    let bin = server.folder().display();
    let folder = staging.sandbox.dir.with_extension("bin");
    std::fs::create_dir_all(&folder).unwrap();
    program(
        &folder,
        "pg_restore",
        &format!("#!/bin/sh\nexec {bin}/pg_restore \"$@\"\n"),
    );
    staging.backup();
    let before = staging.files();
    for (lie, says) in LIES {
        let text = format!(
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
        program(&folder, "pg_dump", &text);
        let env = [("BACKUP_PG_BIN", folder.to_str().unwrap())];
        let refused = staging.xtask_with(&["db", "backup"], &env);
        assert!(refused.stderr.contains(says), "{lie}: {}", refused.stderr);
        refused.expect(1).says("help: ");
        assert_eq!(staging.files(), before, "{lie}");
        if lie.contains("psql") {
            staging
                .execute("insert into orders (id, meal_id) values (1, 1) on conflict do nothing");
        }
    }
    staging.backup();
}
