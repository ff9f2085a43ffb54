//! What a backup must be, a function for each.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use marker::{Environment, Identity};
use sha2::{Digest as _, Sha256};

use super::content::Content;
use super::folder::Kept;
use super::manifest::{Dump, Manifest};
use crate::database::clock;
use crate::exit::{Code, Problem};
use crate::report::text;

/// How many earlier backups a new one is held against.
const EARLIER: usize = 7;

const OTHER: &str = "take another backup, or make one: cargo xtask db backup";

/// The dump is there in full, byte for byte.
pub(super) fn whole(kept: &Kept) -> Result<()> {
    let path = kept.dump();
    let name = path.display();
    let red = |what: String| Problem::new(Code::Red, what).help(OTHER);
    let found = read(&path).with_context(|| red(format!("the dump `{name}` cannot be read")))?;
    let wanted = &kept.manifest.dump;
    if found.bytes != wanted.bytes {
        return Err(red(format!(
            "the dump `{name}` has {} bytes, its manifest says {}",
            found.bytes, wanted.bytes
        ))
        .into());
    }
    if found.sha256 != wanted.sha256 {
        return Err(red(format!(
            "the dump `{name}` was changed: its SHA-256 is not the manifest's"
        ))
        .into());
    }
    Ok(())
}

/// It is a backup of that very database, made in its environment.
pub(super) fn origin(kept: &Kept, environment: Environment, identity: &Identity) -> Result<()> {
    let manifest = &kept.manifest;
    if manifest.environment != environment {
        return Err(Problem::precondition(format!(
            "`{}` is of `{}`, not of `{environment}`",
            kept.path.display(),
            manifest.environment
        ))
        .help("set APP_ENV to its environment, or name another backup")
        .into());
    }
    if manifest.identity != *identity {
        return Err(Problem::precondition(format!(
            "`{}` is of another database: of {}, not of {identity}",
            kept.path.display(),
            manifest.identity
        ))
        .help("check DATABASE_URL, or name a backup of this database")
        .into());
    }
    Ok(())
}

/// How old the data is. What was made in the future was made by another clock.
pub(super) fn age(manifest: &Manifest, now: Timestamp) -> Result<SignedDuration> {
    clock::age("the backup", manifest.created_at, now)
}

/// It is young enough to rely on.
pub(super) fn young(kept: &Kept, now: Timestamp, limit: SignedDuration) -> Result<()> {
    let age = age(&kept.manifest, now)?;
    if age <= limit {
        return Ok(());
    }
    Err(Problem::precondition(format!(
        "`{}` is {} min old, {} min is the limit",
        kept.path.display(),
        age.as_mins(),
        limit.as_mins()
    ))
    .help("make a new one: cargo xtask db backup")
    .into())
}

/// A copy has what the database has.
pub(super) fn same(content: &Content, copy: &Content) -> Result<()> {
    let differences = content.differences(copy);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Problem::new(
        Code::Red,
        format!(
            "what was restored is not what was backed up:\n  - {}",
            differences.join("\n  - ")
        ),
    )
    .help("the dump is no backup: make another, cargo xtask db backup")
    .into())
}

/// The table of contents of a dump names every table. A name with a `.` of its own reads the same.
pub(super) fn lists(contents: &str, content: &Content) -> Result<()> {
    let missing: Vec<&str> = (content.tables.keys())
        .filter(|name| !contents.contains(&format!(" TABLE DATA {} ", name.replacen('.', " ", 1))))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::new(
        Code::Red,
        format!("the dump does not list `{}`", missing.join("`, `")),
    )
    .help("dump as a role that may read every table")
    .into())
}

/// A database without tables has nothing else either; else the tables were not seen.
pub(super) fn empty(content: &Content, applied: usize, objects: i64) -> Result<()> {
    if !content.tables.is_empty() || (applied == 0 && objects == 0) {
        return Ok(());
    }
    Err(Problem::new(
        Code::Red,
        "no table was seen, and the database is not empty",
    )
    .help("back up as a role that may read every table")
    .into())
}

/// There is room for half as much again as is expected.
pub(super) fn space(folder: &Path, expected: u64) -> Result<()> {
    let stat = rustix::fs::statvfs(folder)
        .with_context(|| format!("failed to ask for the free space of `{}`", folder.display()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let needed = expected.saturating_add(expected / 2);
    if free >= needed {
        return Ok(());
    }
    Err(Problem::precondition(format!(
        "`{}` has {} KiB free, a backup needs {} KiB",
        folder.display(),
        free >> 10,
        needed.div_ceil(1024)
    ))
    .help("free space, or set BACKUP_DIR to another disk")
    .into())
}

/// It is not less than half of the median of the last ones, unless the rows went down with it.
pub(super) fn size(earlier: &[Kept], dump: u64, rows: u64) -> Result<()> {
    let last = &earlier[earlier.len().saturating_sub(EARLIER)..];
    let Some(usual) = median(last.iter().map(|kept| kept.manifest.dump.bytes)) else {
        return Ok(());
    };
    let usual_rows = median(last.iter().map(|kept| kept.manifest.content.rows())).unwrap_or(0);
    if dump >= usual / 2 || rows < usual_rows / 2 {
        return Ok(());
    }
    Err(Problem::new(
        Code::Red,
        format!(
            "the dump has {dump} bytes, half of the {usual} that are usual would be expected of {}",
            text::plural(usize::try_from(rows).unwrap_or(usize::MAX), "row")
        ),
    )
    .help("look for what the database lost; if it was meant to go, move the earlier backups elsewhere")
    .into())
}

fn median(values: impl Iterator<Item = u64>) -> Option<u64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Size and SHA-256 of a file; its name is the file's.
pub(super) fn read(path: &Path) -> std::io::Result<Dump> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut chunk)?;
        if n == 0 {
            break;
        }
        hash.update(&chunk[..n]);
        bytes += n as u64;
    }
    Ok(Dump {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        bytes,
        sha256: marker::hex(&hash.finalize()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::content::Table;
    use super::*;
    use crate::exit;

    fn kept(bytes: u64, rows: u64) -> Kept {
        let manifest = serde_json::json!({
            "format": Manifest::FORMAT, "engine": "postgres", "environment": "staging",
            "identity": { "system": "7", "database": "kitchen", "server": "db:5432" },
            "created_at": "2026-11-21T12:00:00Z", "server_version": "15.18", "dump_version": null,
            "release": null, "migrations": [],
            "content": { "tables": { "public.meals": { "rows": rows, "digest": "" } }, "sequences": {} },
            "dump": { "file": "a.dump", "bytes": bytes, "sha256": "" }, "took_ms": 1,
        });
        Kept {
            path: "a.json".into(),
            manifest: serde_json::from_value(manifest).unwrap(),
        }
    }

    #[track_caller]
    fn code(result: Result<()>) -> Code {
        result.map_or_else(|error| exit::code_of(&error), |()| Code::Done)
    }

    #[test]
    fn what_is_too_old_or_of_the_future_is_not_relied_on() {
        let kept = kept(1, 1);
        let after = |minutes: i64| {
            let now = kept.manifest.created_at + SignedDuration::from_mins(minutes);
            code(young(&kept, now, SignedDuration::from_hours(1)))
        };
        assert_eq!(
            (after(0), after(60), after(-5)),
            (Code::Done, Code::Done, Code::Done)
        );
        assert_eq!(
            (after(61), after(-6)),
            (Code::Precondition, Code::Precondition)
        );
    }

    #[test]
    fn a_dump_is_held_against_the_last_seven() {
        // The eighth from the end was large, and counts no more.
        let earlier: Vec<Kept> = [9000, 100, 100, 100, 100, 100, 100, 9000]
            .map(|bytes| kept(bytes, 10))
            .into();
        assert_eq!(code(size(&earlier, 50, 10)), Code::Done);
        assert_eq!(code(size(&earlier, 49, 10)), Code::Red);
        assert_eq!(code(size(&earlier, 49, 5)), Code::Red);
        assert_eq!(code(size(&earlier, 49, 4)), Code::Done);
        assert_eq!(code(size(&[], 1, 10)), Code::Done);
    }

    #[test]
    fn a_database_without_tables_is_empty_or_was_not_seen() {
        let mut content = Content::default();
        assert_eq!(code(empty(&content, 0, 0)), Code::Done);
        assert_eq!(code(empty(&content, 3, 0)), Code::Red);
        assert_eq!(code(empty(&content, 0, 1)), Code::Red);
        let table = Table::new(1, &1, &1);
        content.tables.insert("public.meals".to_owned(), table);
        assert_eq!(code(empty(&content, 3, 5)), Code::Done);
        assert_eq!(
            code(lists("1; 0 2 TABLE DATA public meals postgres\n", &content)),
            Code::Done
        );
        assert_eq!(
            code(lists("1; 0 2 TABLE public meals postgres\n", &content)),
            Code::Red
        );
    }
}
