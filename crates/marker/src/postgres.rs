//! The marker in PostgreSQL: in the schema `public`, where the migrations go.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::query::Query;

use crate::{Environment, Found, Identity, Marker, row};

const IDENTITY: &str = "
SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()),
    current_database()::text,
    coalesce(host(inet_server_addr()) || ':' || inet_server_port(), ''),
    to_regclass('public._env_marker') IS NOT NULL
FROM pg_control_system()";
const CREATE: &str = "
CREATE TABLE IF NOT EXISTS public._env_marker (
    id integer PRIMARY KEY CHECK (id = 1),
    env text NOT NULL CHECK (env IN ('dev', 'staging', 'prod')),
    system_id text NOT NULL,
    database_name text NOT NULL,
    server text NOT NULL,
    seal text NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT now()
)";
row::statements!("public");

/// The database that `options` names; without one, PostgreSQL takes the user's name for it.
pub fn database(options: &PgConnectOptions) -> &str {
    (options.get_database()).unwrap_or_else(|| options.get_username())
}

/// What a server is called in an identity where its own address does not tell: `id`, the name that
/// was given to it, because its address is not stable; else the socket of a connection without an
/// address. `None`: its address tells.
pub fn server(options: &PgConnectOptions, id: Option<&str>) -> Option<String> {
    let socket = || {
        let folder = options.get_socket()?;
        Some(format!("{}:{}", folder.display(), options.get_port()))
    };
    id.map(str::to_owned).or_else(socket)
}

/// Reads marker and identity; writes nothing. `server` is what [`server()`] says.
///
/// # Errors
/// What the database says. A missing table is none.
pub async fn read(connection: &mut PgConnection, server: Option<&str>) -> sqlx::Result<Found> {
    let (system, database, address, exists): (String, String, String, bool) =
        sqlx::query_as(IDENTITY).fetch_one(&mut *connection).await?;
    let marker = if exists {
        let row = sqlx::query_as(READ).fetch_optional(connection).await?;
        Some(Marker::of_row(row))
    } else {
        None
    };
    Ok(Found {
        marker,
        identity: Identity {
            system,
            database,
            server: server.map_or(address, str::to_owned),
        },
    })
}

/// Marks the database as `environment`, whatever it was before: whether it may be is the caller's
/// to know. Gives what [`read`] will find.
///
/// # Errors
/// What the database says.
pub async fn write(
    connection: &mut PgConnection,
    server: Option<&str>,
    environment: Environment,
) -> sqlx::Result<Found> {
    let identity = read(connection, server).await?.identity;
    sqlx::raw_sql(CREATE).execute(&mut *connection).await?;
    let values = row::values(environment, &identity);
    let write = values.into_iter().fold(sqlx::query(WRITE), Query::bind);
    write.execute(&mut *connection).await?;
    read(connection, server).await
}
