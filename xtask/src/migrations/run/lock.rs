//! One migrator at a time: sqlx's own advisory lock on PostgreSQL, so that a migrator of somebody
//! else waits for us too; a lock file beside the database on SQLite, whose migrator has none.
//!
//! The lock is polled, never waited for: a waiting `pg_advisory_lock` holds a snapshot, and
//! CREATE INDEX CONCURRENTLY waits for every snapshot, which is a deadlock of two migrators.

use std::fs::File;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::database::{At, Link, Target};
use crate::exit::{Code, Problem};

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Held until it is dropped (SQLite) or its session ends (PostgreSQL).
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Option<File>,
}

/// Takes the lock within `limit`; `on_wait` is told once when somebody else has it.
///
/// # Errors
/// Exit 75 when it is still held at the deadline.
pub(super) async fn take(
    target: &Target,
    link: &mut Link,
    limit: Duration,
    on_wait: &mut dyn FnMut(),
) -> Result<Lock> {
    // None is further away than the clock goes.
    let deadline = Instant::now().checked_add(limit);
    let mut told = false;
    loop {
        if let Some(lock) = attempt(target, link).await? {
            return Ok(lock);
        }
        if !told {
            told = true;
            on_wait();
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Problem::new(
                Code::Busy,
                format!(
                    "another migrator holds the lock of `{target}`, for {} s already",
                    limit.as_secs()
                ),
            )
            .help("wait for it, then run this again; its session is in pg_locks with locktype = 'advisory'")
            .into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn attempt(target: &Target, link: &mut Link) -> Result<Option<Lock>> {
    match (link, &target.at) {
        (Link::Postgres { connection, .. }, _) => {
            let database: String = sqlx::query_scalar("select current_database()::text")
                .fetch_one(&mut *connection)
                .await
                .context("failed to ask the database for its name")?;
            let taken: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
                .bind(key(&database))
                .fetch_one(connection)
                .await
                .context("failed to ask for the migrators' lock")?;
            Ok(taken.then_some(Lock { _file: None }))
        }
        (Link::Sqlite { .. }, At::Sqlite { file }) => {
            let mut path = file.as_os_str().to_owned();
            path.push(".migrate-lock");
            let file = File::create(&path).with_context(|| {
                Problem::precondition(format!(
                    "failed to create the lock `{}`",
                    path.to_string_lossy()
                ))
                .help("make the folder of the database writable")
            })?;
            match file.try_lock() {
                Ok(()) => Ok(Some(Lock { _file: Some(file) })),
                Err(std::fs::TryLockError::WouldBlock) => Ok(None),
                Err(std::fs::TryLockError::Error(error)) => {
                    Err(error).context("failed to take the migrators' lock")
                }
            }
        }
        (Link::Sqlite { .. }, At::Postgres { .. }) => {
            Err(Problem::bug("a SQLite connection to a PostgreSQL database").into())
        }
    }
}

/// The key that sqlx derives from a database's name: a constant of its own times CRC-32
/// (ISO-HDLC, as in IEEE 802.3) of the name.
fn key(database: &str) -> i64 {
    0x3d32_ad9e * i64::from(crc32(database.as_bytes()))
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_key_is_the_one_of_sqlx() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
