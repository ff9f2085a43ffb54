//! A repository at a release, a staging and a production database on a server that logs every
//! statement, and the settings of a pipeline that may deploy.

use std::collections::BTreeMap;
use xshell::cmd;

use crate::sandbox::{Ran, Sandbox, run};

/// What stands before each line of the server's log, with the application and the database between.
const PREFIX: &str = "@@";

pub(crate) struct Production {
    pub(crate) sandbox: Sandbox,
    cluster: pgscratch::Cluster,
    keys: (String, String),
}

/// The variables of a command.
pub(crate) type Env = BTreeMap<&'static str, String>;

impl Production {
    /// Two empty, unmarked databases. `None` where no PostgreSQL is.
    pub(crate) fn new() -> Option<Self> {
        let server = pgscratch::server_for_tests()?;
        let cluster = pgscratch::Cluster::start(&server).unwrap();
        let sandbox = Sandbox::new();
        sandbox.write(".gitignore", "/target/\n.env*\n!.env.example\n/data/\n");
        let sh = &sandbox.sh;
        cmd!(sh, "git rm -r --quiet --cached --ignore-unmatch target")
            .quiet()
            .run()
            .unwrap();
        sandbox.commit("release");
        cmd!(sh, "git tag --annotate v0.1.0 --message v0.1.0")
            .quiet()
            .run()
            .unwrap();
        let keygen = sandbox.xtask(&["deploy", "keygen"]);
        let key = |name: &str| {
            let mut lines = keygen.expect(0).stdout.lines();
            let value = lines.find_map(|line| line.strip_prefix(name));
            value.unwrap().trim_start_matches('=').to_owned()
        };
        let keys = (key("RECEIPT_PRIVATE_KEY"), key("RECEIPT_PUBLIC_KEY"));
        let this = Self {
            sandbox,
            cluster,
            keys,
        };
        for sql in [
            "alter system set log_statement = 'all'",
            "alter system set log_line_prefix = '@@%a@%d@'",
            "select pg_reload_conf()",
            "create database kitchen_staging",
            "create database kitchen",
        ] {
            this.sql("postgres", sql);
        }
        Some(this)
    }

    pub(crate) fn url(&self, database: &str) -> String {
        self.cluster.handle().url(database)
    }

    /// Everything that staging's pipeline sets.
    pub(crate) fn staging(&self) -> Env {
        BTreeMap::from([
            ("APP_ENV", "staging".to_owned()),
            ("DATABASE_URL", self.url("kitchen_staging")),
            ("RECEIPT_PRIVATE_KEY", self.keys.0.clone()),
            ("WEB_KEY", "a key of staging".to_owned()),
        ])
    }

    /// Everything that production's pipeline sets.
    pub(crate) fn production(&self, receipt: &str) -> Env {
        BTreeMap::from([
            ("CI", "true".to_owned()),
            ("APP_ENV", "production".to_owned()),
            ("CONFIRM_PROD_MIGRATE", "YES".to_owned()),
            ("DATABASE_URL", self.url("kitchen")),
            ("DEPLOY_ENV", "production".to_owned()),
            ("STAGING_RECEIPT", receipt.to_owned()),
            ("RECEIPT_PUBLIC_KEY", self.keys.1.clone()),
            ("WEB_KEY", "a key of production".to_owned()),
        ])
    }

    /// Marks staging and deploys to it; answers the path of the receipt.
    pub(crate) fn deployed_to_staging(&self) -> String {
        let env = self.staging();
        self.xtask(&["db", "mark", "staging"], &env).expect(0);
        let deployed = self.xtask(&["deploy", "db"], &env);
        let mut lines = deployed.expect(0).stdout.lines();
        let receipt = lines.find_map(|line| line.strip_prefix("receipt "));
        receipt.unwrap().to_owned()
    }

    /// The manifest of the newest backup of an environment.
    pub(crate) fn newest_backup(&self, environment: &str) -> String {
        let folder = self.sandbox.dir.join("data/backups").join(environment);
        let files = std::fs::read_dir(folder).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let manifests = files.filter(|file| file.extension().is_some_and(|e| e == "json"));
        manifests.max().unwrap().display().to_string()
    }

    /// Tables of a database, by name.
    pub(crate) fn tables(&self, database: &str) -> Vec<String> {
        const SQL: &str = "select relname::text from pg_class where relkind = 'r'
            and relnamespace = 'public'::regnamespace order by relname";
        self.sql(database, SQL)
    }

    pub(crate) fn xtask(&self, args: &[&str], env: &Env) -> Ran {
        let mut command = self.sandbox.xtask_command(args);
        command.envs(env);
        run(command)
    }

    /// Runs statements as the superuser, see [`sql_at`].
    pub(crate) fn sql(&self, database: &str, sql: &str) -> Vec<String> {
        let url = self.url(database);
        sql_at(&url, sql).unwrap()
    }

    /// What `act` made clients send: application, database and statement, in one line each.
    pub(crate) fn sent(&self, act: impl FnOnce()) -> Vec<(String, String, String)> {
        let log = self.cluster.dir().join("log");
        let before = std::fs::read(&log).unwrap().len();
        act();
        let text = std::fs::read(&log).unwrap().split_off(before);
        let text = String::from_utf8_lossy(&text).into_owned();
        let entries = text.split(PREFIX).filter_map(|entry| {
            let mut parts = entry.splitn(3, '@');
            let (application, database) = (parts.next()?, parts.next()?);
            let (kind, sql) = parts.next()?.split_once(": ")?;
            let sql = sql.trim_start().strip_prefix("statement: ").or_else(|| {
                let executed = sql.trim_start().strip_prefix("execute ")?;
                Some(executed.split_once(": ")?.1)
            })?;
            let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            (kind.trim() == "LOG").then(|| (application.to_owned(), database.to_owned(), sql))
        });
        entries.collect()
    }
}

/// Runs statements as whoever the URL names; answers the first column of the rows, where it is
/// text.
pub(crate) fn sql_at(url: &str, sql: &str) -> Result<Vec<String>, String> {
    use sqlx::{Connection as _, Row as _};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::postgres::PgConnection::connect(url)
            .await
            .map_err(|error| error.to_string())?;
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        let rows = sql.fetch_all(&mut connection).await;
        connection.close().await.unwrap();
        let rows = rows.map_err(|error| error.to_string())?;
        let texts = rows.iter().map(|row| row.try_get::<String, _>(0));
        Ok(texts.map(Result::unwrap_or_default).collect())
    })
}

/// Demands that there are statements, and that each of them only reads.
#[track_caller]
pub(crate) fn assert_only_reads(sent: &[(String, String, String)]) {
    assert!(!sent.is_empty(), "nothing was sent");
    for (application, database, sql) in sent {
        // Texts within a statement may say what they like.
        let code: String = sql.to_lowercase().split('\'').step_by(2).collect();
        for part in code.split(';') {
            let word = part.split_whitespace().next().unwrap_or("show");
            assert!(
                ["select", "begin", "rollback", "set", "show"].contains(&word),
                "{application} sent to {database}: {sql}"
            );
            assert!(!part.contains(" for update"), "{sql}");
        }
    }
}
