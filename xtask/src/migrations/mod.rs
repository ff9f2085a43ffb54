//! Database migrations: the rules of their files, their application, the schema they make.

pub(crate) mod apply;
pub(crate) mod contract;
pub(crate) mod files;
pub(crate) mod lint;
pub(crate) mod plants;
pub(crate) mod queries;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod stamp;

use serde::{Deserialize, Serialize};

/// Tables that no migration makes, what the tool itself knows of a database: `array`, or `sql` for
/// `concat!`.
macro_rules! own_tables {
    ($form:ident) => {
        $crate::migrations::own_tables!($form
            "_env_marker", "_migration_backfill", "_migration_journal", "_sqlx_migrations")
    };
    (array $($name:literal),+) => { [$($name),+] };
    (sql $first:literal $(, $name:literal)*) => { concat!("('", $first, "'" $(, ", '", $name, "'")*, ")") };
}
pub(crate) use own_tables;

/// Tables that no migration makes.
pub(crate) const OWN_TABLES: [&str; 4] = own_tables!(array);

/// A database the product runs on, with its own folder of migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    Postgres,
    Sqlite,
}

impl Engine {
    pub(crate) const ALL: [Engine; 2] = [Engine::Postgres, Engine::Sqlite];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Engine::Postgres => "postgres",
            Engine::Sqlite => "sqlite",
        }
    }

    /// As people write it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Engine::Postgres => "PostgreSQL",
            Engine::Sqlite => "SQLite",
        }
    }

    /// Folder of its migrations, from the root.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Engine::Postgres => "migrations/postgres",
            Engine::Sqlite => "migrations/sqlite",
        }
    }

    /// The committed schema that its migrations must make.
    pub(crate) fn snapshot(self) -> &'static str {
        match self {
            Engine::Postgres => "migrations/schema.postgres.sql",
            Engine::Sqlite => "migrations/schema.sqlite.sql",
        }
    }
}
