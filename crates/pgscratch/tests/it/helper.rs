//! A process of its own for tests that kill an owner or need another environment: this test
//! binary again, told by a variable what to do.

use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use pgscratch::{Cluster, Database, SOCKET_DIR_ENV, find};
use sqlx::{Connection as _, PgConnection};

use crate::tools;

const TASK_ENV: &str = "PGSCRATCH_TEST_TASK";
const FILE_ENV: &str = "PGSCRATCH_TEST_FILE";

/// The command that runs `task` of [`helper`] in a new process without inherited settings.
pub(crate) fn command(task: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["helper::helper", "--exact", "--nocapture"]);
    command
        .env(TASK_ENV, task)
        .env_remove(SOCKET_DIR_ENV)
        .env_remove(pgscratch::REQUIRED_ENV);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The command for task `template`: copies the template `key`, and notes in `file` whenever the
/// template is being prepared.
pub(crate) fn template(key: &str, file: &Path) -> Command {
    let mut command = command(&format!("template {key}"));
    command.env(FILE_ENV, file);
    command
}

/// A process that holds a cluster until it is killed.
pub(crate) struct Holder {
    process: Child,
    pub(crate) dir: String,
    _stdout: BufReader<ChildStdout>,
}

impl Holder {
    pub(crate) fn start(tmp: &Path) -> Holder {
        Holder::start_with(tmp, &[])
    }

    pub(crate) fn start_with(tmp: &Path, environment: &[(&str, &str)]) -> Holder {
        let mut command = command("hold");
        command.env("TMPDIR", tmp).envs(environment.iter().copied());
        let mut process = command.spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("dir=") {
            line.clear();
            assert_ne!(
                stdout.read_line(&mut line).unwrap(),
                0,
                "the helper gave up"
            );
        }
        let dir = line.trim_end().trim_start_matches("dir=").to_owned();
        Holder {
            process,
            dir,
            _stdout: stdout,
        }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Before the folder around it goes. Killed or not, the supervisor is at work.
        let _ = self.process.kill();
        let _ = self.process.wait();
        tools::wait_until_gone(&self.dir);
    }
}

/// Not a test of its own: passes at once unless [`command`] asks for a task.
#[test]
fn helper() {
    let Ok(task) = std::env::var(TASK_ENV) else {
        return;
    };
    match task.split_once(' ').unwrap_or((&task, "")) {
        ("hold", _) => {
            let cluster = Cluster::start(&find().unwrap()).unwrap();
            println!("\ndir={}", cluster.dir().display());
            // Ends when the test that asked ends, should it forget to kill.
            io::copy(&mut io::stdin(), &mut io::sink()).unwrap();
        }
        ("find", _) => match find() {
            Ok(server) => println!("\nfound={}", server.version()),
            Err(missing) => println!("\n{missing}"),
        },
        ("for_tests", _) => assert!(pgscratch::for_tests().is_none()),
        ("select", _) => block_on(async {
            let database = pgscratch::for_tests()
                .unwrap()
                .empty_database()
                .await
                .unwrap();
            println!("\nselected={}", one(&database).await);
        }),
        ("template", key) => block_on(async {
            let handle = pgscratch::for_tests().unwrap();
            let prepared = handle
                .database(key, |url| prepare(url, note))
                .await
                .unwrap();
            assert_eq!(one(&prepared).await, 1);
        }),
        ("abort", key) => block_on(async {
            let handle = pgscratch::for_tests().unwrap();
            let _ = handle
                .database(key, |url| prepare(url, || std::process::abort()))
                .await;
        }),
        _ => panic!("no task `{task}`"),
    }
}

/// Runs `halfway` in the middle of preparing a template.
pub(crate) async fn prepare(url: String, halfway: impl FnOnce()) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(&url).await?;
    sqlx::raw_sql("CREATE TABLE one (n INT)")
        .execute(&mut connection)
        .await?;
    halfway();
    sqlx::raw_sql("INSERT INTO one VALUES (1)")
        .execute(&mut connection)
        .await?;
    // The connection is left to be dropped: the template must cope.
    Ok(())
}

fn note() {
    let path = std::env::var_os(FILE_ENV).unwrap();
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(b"prepared\n").unwrap();
}

/// The rows of table `one`, or -1 when the database has no such table.
pub(crate) async fn one(database: &Database) -> i64 {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    match sqlx::query_scalar("SELECT count(*) FROM one")
        .fetch_one(&mut connection)
        .await
    {
        Ok(rows) => rows,
        Err(sqlx::Error::Database(_)) => -1,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn block_on(task: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(task);
}
