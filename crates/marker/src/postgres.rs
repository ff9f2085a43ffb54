//! The marker in PostgreSQL.

use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::{Environment, Found, Identity, Marker, seal};

const EXISTS: &str = "SELECT to_regclass('_env_marker') IS NOT NULL";
const READ: &str =
    "SELECT env, system_id, database_name, server, seal FROM _env_marker WHERE id = 1";
const IDENTITY: &str = "
SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()),
    current_database()::text,
    coalesce(host(inet_server_addr()) || ':' || inet_server_port(), '')
FROM pg_control_system()";
const CREATE: &str = "
CREATE TABLE IF NOT EXISTS _env_marker (
    id integer PRIMARY KEY CHECK (id = 1),
    env text NOT NULL CHECK (env IN ('dev', 'staging', 'prod')),
    system_id text NOT NULL,
    database_name text NOT NULL,
    server text NOT NULL,
    seal text NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT now()
)";
const WRITE: &str = "
INSERT INTO _env_marker (id, env, system_id, database_name, server, seal)
VALUES (1, $1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET env = excluded.env, system_id = excluded.system_id,
    database_name = excluded.database_name, server = excluded.server, seal = excluded.seal,
    marked_at = excluded.marked_at";

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
    let (system, database, address): (String, String, String) =
        sqlx::query_as(IDENTITY).fetch_one(&mut *connection).await?;
    let exists: bool = sqlx::query_scalar(EXISTS)
        .fetch_one(&mut *connection)
        .await?;
    let marker = if exists {
        let row: Option<(String, String, String, String, String)> =
            sqlx::query_as(READ).fetch_optional(connection).await?;
        // A row is written with the table: one that is gone was taken away by hand.
        Some(row.map_or_else(Marker::default, |row| {
            Marker::from(<[String; 5]>::from(row))
        }))
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
    sqlx::query(WRITE)
        .bind(environment.as_str())
        .bind(&identity.system)
        .bind(&identity.database)
        .bind(&identity.server)
        .bind(seal(environment, &identity))
        .execute(&mut *connection)
        .await?;
    read(connection, server).await
}
