//! A server that demands a password: the client programs have it from wherever sqlx has it, and
//! nobody sees it in their arguments.

use std::os::unix::fs::PermissionsExt;

use super::failures::programs;
use super::{Backup, execute};
use crate::production::sql_at;
use crate::sandbox::Sandbox;

const PASSWORD: &str = "s3cret +@:%41";
const IN_URL: &str = "s3cret%20%2B%40%3A%2541";

#[test]
fn postgres_a_password_reaches_the_programs_and_no_argument() {
    let Some(server) = pgscratch::server_for_tests() else {
        return;
    };
    let cluster = pgscratch::Cluster::start(&server).unwrap();
    let url = cluster.handle().url("postgres");
    execute(
        &url,
        &format!("create role keeper superuser login password '{PASSWORD}'"),
    );
    execute(&url, "create database kitchen owner keeper");
    let rules = sql_at(&url, "show hba_file").unwrap();
    let demand = "local all keeper scram-sha-256\nlocal all all trust\n";
    std::fs::write(&rules[0], demand).unwrap();
    execute(&url, "select pg_reload_conf()");

    let sandbox = Sandbox::new();
    let (bin, home) = (sandbox.dir.join("bin"), sandbox.dir.join("home"));
    for folder in [&bin, &home] {
        std::fs::create_dir_all(folder).unwrap();
    }
    programs(&bin, "echo \"$0 $*\" >>\"$0.log\"");
    let escaped = PASSWORD.replace(':', "\\:");
    let file = |name: &str| {
        let file = home.join(name);
        std::fs::write(&file, format!("*:*:*:keeper:{escaped}\n")).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let elsewhere = file("passwords");

    let of_url = |user: &str| {
        let url = cluster.handle().url("kitchen");
        url.replace("postgres@", &format!("{user}@"))
    };
    let (bare, whole) = (of_url("keeper"), of_url(&format!("keeper:{IN_URL}")));
    let run = |args: &[&str], env: &[(&str, &str)]| {
        let mut all = vec![
            ("APP_ENV", "staging"),
            ("BACKUP_PG_BIN", bin.to_str().unwrap()),
            ("HOME", home.to_str().unwrap()),
            ("DATABASE_URL", &*bare),
        ];
        all.extend(env);
        sandbox.xtask_with(args, &all)
    };
    run(&["db", "backup"], &[])
        .expect(3)
        .says("failed to connect");
    (run(&["db", "mark", "staging"], &[("DATABASE_URL", &whole)])).expect(0);
    let backup = ["db", "backup", "--format", "json"];
    let made = Backup::made(&run(&backup, &[("DATABASE_URL", &whole)]));
    Backup::made(&run(&backup, &[("PGPASSWORD", PASSWORD)]));
    Backup::made(&run(&backup, &[("PGPASSFILE", &elsewhere)]));
    file(".pgpass");
    Backup::made(&run(&backup, &[]));
    // The URL has the last word.
    let wrong = [("DATABASE_URL", &*whole), ("PGPASSWORD", "wrong")];
    Backup::made(&run(&backup, &wrong));

    execute(&url, "create database fresh owner keeper");
    let fresh = bare.replace("kitchen", "fresh");
    let into = [("DATABASE_URL", &*fresh), ("PGPASSWORD", PASSWORD)];
    run(&["db", "restore", made.path()], &into).expect(0);

    for (program, runs) in [("pg_dump", 5), ("pg_restore", 16)] {
        let log = std::fs::read_to_string(bin.join(format!("{program}.log"))).unwrap();
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| !line.contains("--version"))
            .collect();
        assert_eq!(lines.len(), runs, "{log}");
        assert!(!log.contains("s3cret"), "{log}");
    }
}
