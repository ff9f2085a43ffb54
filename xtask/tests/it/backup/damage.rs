//! What may happen to a backup after it was made, and that `db verify` tells.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};

use super::{Backup, KITCHEN, Staging, block_on, execute, noise};

/// A way to damage a backup, the code and the words it is refused with.
type Damage = (&'static str, fn(&Backup), i32, &'static str);

fn keep(backup: &Backup, percent: u64) {
    let bytes = backup.manifest["dump"]["bytes"].as_u64().unwrap();
    let file = OpenOptions::new().write(true).open(backup.dump()).unwrap();
    file.set_len(bytes * percent / 100).unwrap();
}

fn flip(backup: &Backup) {
    let mut bytes = std::fs::read(backup.dump()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(backup.dump(), bytes).unwrap();
}

/// Makes the manifest say of the dump what is true of it.
pub(super) fn adjust(backup: &Backup) {
    use sha2::{Digest as _, Sha256};
    let dump = std::fs::read(backup.dump()).unwrap();
    let said = &backup.manifest["dump"];
    let sha256 = marker::hex(&Sha256::digest(&dump));
    backup.reseal(said["sha256"].as_str().unwrap(), &sha256);
    let bytes = format!("\"bytes\": {}", said["bytes"]);
    backup.reseal(&bytes, &format!("\"bytes\": {}", dump.len()));
}

const DAMAGES: &[Damage] = &[
    (
        "truncated at 99 %",
        |backup| keep(backup, 99),
        1,
        "bytes, its manifest says",
    ),
    (
        "truncated at 60 %",
        |backup| keep(backup, 60),
        1,
        "bytes, its manifest says",
    ),
    (
        "truncated at 10 %",
        |backup| keep(backup, 10),
        1,
        "bytes, its manifest says",
    ),
    (
        "one bit flipped",
        flip,
        1,
        "its SHA-256 is not the manifest's",
    ),
    ("empty", |backup| keep(backup, 0), 1, "has 0 bytes"),
    (
        "grown",
        |backup| {
            let mut file = OpenOptions::new().append(true).open(backup.dump()).unwrap();
            file.write_all(b"more").unwrap();
        },
        1,
        "bytes, its manifest says",
    ),
    (
        "no dump",
        |backup| std::fs::remove_file(backup.dump()).unwrap(),
        1,
        "cannot be read",
    ),
    (
        "the manifest edited",
        |backup| backup.edit("\"rows\": 500", "\"rows\": 499"),
        1,
        "was changed after it was written",
    ),
    (
        "the manifest torn",
        |backup| {
            let mut file = File::options().write(true).open(&backup.path).unwrap();
            let end = file.seek(SeekFrom::End(-100)).unwrap();
            file.set_len(end).unwrap();
        },
        1,
        "is no manifest of a backup",
    ),
    (
        "the manifest empty",
        |backup| std::fs::write(&backup.path, "").unwrap(),
        1,
        "is no manifest of a backup",
    ),
    (
        "a field that nobody knows",
        |backup| backup.edit("\"format\": 1,", "\"format\": 1, \"verified\": true,"),
        1,
        "is no manifest of a backup",
    ),
    (
        "of another form",
        |backup| backup.reseal("\"format\": 1,", "\"format\": 2,"),
        3,
        "has the form 2",
    ),
    (
        "made in the future",
        |backup| backup.shift(3),
        3,
        "this machine's clock is behind",
    ),
    (
        "of another environment",
        |backup| backup.reseal("\"environment\": \"staging\"", "\"environment\": \"prod\""),
        3,
        "is of `prod`, not of `staging`",
    ),
    // From here on whoever did it made the manifest fit: only restoring tells.
    (
        "truncated, and hidden",
        |backup| {
            keep(backup, 60);
            adjust(backup);
        },
        1,
        "the dump cannot be restored",
    ),
    (
        "one bit flipped, and hidden",
        |backup| {
            flip(backup);
            adjust(backup);
        },
        1,
        "the dump cannot be restored",
    ),
    (
        "a count that is not so",
        |backup| backup.reseal("\"rows\": 500", "\"rows\": 499"),
        1,
        "table `public.orders` has 500 rows instead of 499",
    ),
    (
        "a sequence that is not so",
        |backup| backup.reseal("\"last\": 500", "\"last\": 400"),
        1,
        "sequence `public.orders_id_seq` stands at 500 instead of 400",
    ),
];

#[test]
fn postgres_every_damage_is_told() {
    let Some(staging) = Staging::new(&format!("{KITCHEN}{}", noise(50))) else {
        return;
    };
    let backup = staging.backup();
    let (dump, text) = (std::fs::read(backup.dump()).unwrap(), backup.text());
    for (name, damage, code, says) in DAMAGES {
        damage(&backup);
        let refused = staging.verify(&backup);
        assert_eq!(refused.code, Some(*code), "{name}: {}", refused.stderr);
        assert!(refused.stderr.contains(says), "{name}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("help: "),
            "{name}: {}",
            refused.stderr
        );
        std::fs::write(backup.dump(), &dump).unwrap();
        std::fs::write(&backup.path, &text).unwrap();
    }
    staging.verify(&backup).expect(0);

    let other = block_on(staging.server.empty_database()).unwrap();
    let env = [("DATABASE_URL", &*other.url)];
    staging
        .xtask_with(&["db", "mark", "staging"], &env)
        .expect(0);
    (staging
        .xtask_with(&["db", "verify", backup.path()], &env)
        .expect(3))
    .says("is of another database")
    .says(&staging.database.name);
}

/// What the dump of one state holds is not what the manifest of another says.
#[test]
fn postgres_every_change_of_content_is_told() {
    const CHANGES: &[(&str, &str)] = &[
        (
            "update orders set note = note || ' ' where id = 7",
            "table `public.orders` has other content",
        ),
        (
            "update orders set price = price + 1e-13 where id = 1",
            "table `public.orders` has other content",
        ),
        (
            "update orders a set note = b.note from orders b where (a.id, b.id) in ((8, 9), (9, 8))",
            "table `public.orders` has other content",
        ),
        (
            "delete from orders where id = 3",
            "table `public.orders` has 499 rows instead of 500",
        ),
        (
            "delete from doubled where ctid in (select ctid from doubled limit 1); insert into doubled values (2)",
            "table `public.doubled` has other content",
        ),
        (
            "update \"odd place\".\"a \"\"table\"\"\" set t = '' where t is null",
            "`odd place.a \"table\"` has other content",
        ),
        (
            "update \"odd place\".\"a \"\"table\"\"\" set raw = '\\x00fe' where t = ''",
            "`odd place.a \"table\"` has other content",
        ),
        ("drop table doubled", "table `public.doubled` is missing"),
        (
            "create table more ()",
            "table `public.more` is there besides",
        ),
        (
            "select nextval('orders_id_seq')",
            "sequence `public.orders_id_seq` stands at 501 instead of 500",
        ),
    ];
    let doubled = "create table doubled (n int); insert into doubled values (1), (1), (2), (2);";
    let Some(staging) = Staging::new(&format!("{KITCHEN}{doubled}")) else {
        return;
    };
    let pg_dump = pgscratch::server_for_tests()
        .unwrap()
        .folder()
        .join("pg_dump");
    let first = staging.backup();
    let (text, dump) = (first.text(), first.dump());
    let server = staging.server.url("postgres");
    let template = &staging.database.name;
    let name = format!("changed_{template}");
    let url = staging.server.url(&name);
    for (change, says) in CHANGES {
        // A copy of the database with the change, dumped as the first one was.
        execute(
            &server,
            &format!("create database {name} template {template}"),
        );
        execute(&url, change);
        let mut command = staging.sandbox.command(&pg_dump);
        let dumped = command.arg("-Fc").arg("-f").arg(&dump).arg(&url).output();
        assert!(dumped.unwrap().status.success());
        adjust(&first);
        let refused = staging.verify(&first);
        assert!(
            refused.stderr.contains(says),
            "{change}: {}",
            refused.stderr
        );
        refused.expect(1);
        std::fs::write(&first.path, &text).unwrap();
        execute(&server, &format!("drop database {name}"));
    }
}
