//! `cargo xtask db roles`: the SQL of least privilege, and what the database has otherwise.

use anyhow::Result;
use serde_json::json;

use crate::cli::{say, say_json};
use crate::cx::Cx;
use crate::database::{Link, Target, roles};
use crate::exit::{Code, Problem};

/// Prints SQL, with what differs as comments behind it. Writes nothing.
pub(super) fn roles(cx: &Cx, json: bool) -> Result<Code> {
    let target = Target::read(cx)?;
    let found = cx.block_on(Link::look(&target, async |link| read(cx, link).await))?;
    if json {
        say_json(&json!({
            "database": target.to_string(),
            "sql": found.sql,
            "differences": found.differences,
        }))?;
    } else {
        say(found.sql.trim_end())?;
        say(match found.differences.len() {
            0 => format!("\n-- `{target}` is as above."),
            _ => format!("\n-- `{target}` is otherwise:"),
        })?;
        for difference in &found.differences {
            say(format!("-- {difference}"))?;
        }
    }
    Ok(if found.differences.is_empty() {
        Code::Done
    } else {
        Code::Red
    })
}

async fn read(cx: &Cx, link: &mut Link) -> Result<roles::Roles> {
    match link {
        Link::Postgres { connection, .. } => roles::read(connection, &cx.policy.roles).await,
        Link::Sqlite { .. } => Err(Problem::precondition("SQLite has no roles")
            .help("set APP_ENV and DATABASE_URL to staging or production")
            .into()),
    }
}
