//! One violation per rule of the gate `migrations`, for `cargo xtask prove`.

use anyhow::{Context as _, Result};

use super::queries::{self, Registry};
use super::{Engine, files};
use crate::gates::Plant;
use crate::runner::tree::{Spot, Tree};

pub(crate) const PLANTS: &[Plant] = &[
    Plant {
        rule: "migrations/name",
        plant: |tree| tree.write("migrations/sqlite/2026-11-21_planted.sql", "select 1;\n"),
    },
    Plant {
        rule: "migrations/duplicate",
        plant: |tree| {
            let newest = newest(tree)?;
            let name = newest.rsplit('/').next().unwrap_or_default();
            let stamp = name.split('_').next().unwrap_or_default();
            tree.write(
                &format!("migrations/sqlite/{stamp}_zz_planted.sql"),
                "select 1;\n",
            )
        },
    },
    Plant {
        rule: "migrations/unpaired",
        plant: |tree| {
            tree.write(
                "migrations/sqlite/29990101000000_planted.sql",
                "select 1;\n",
            )
        },
    },
    Plant {
        rule: "migrations/edited",
        plant: |tree| tree.append(&newest(tree)?, "-- planted\n"),
    },
    Plant {
        rule: "migrations/removed",
        plant: |tree| tree.remove(&newest(tree)?),
    },
    Plant {
        rule: "migrations/late",
        plant: |tree| {
            tree.write(
                "migrations/postgres/20000101000000_planted.sql",
                "select 1;\n",
            )?;
            tree.write(
                "migrations/sqlite/20000101000000_planted.sql",
                "select 1;\n",
            )
        },
    },
    Plant {
        rule: "migrations/text",
        plant: |tree| planted(tree, Engine::Sqlite, "select 1;\nselect 2;\r\n", 2),
    },
    Plant {
        rule: "migrations/syntax",
        plant: |tree| planted(tree, Engine::Postgres, "select 1;\nselct 2;\n", 2),
    },
    Plant {
        rule: "migrations/destructive",
        plant: |tree| {
            let sql = format!("-- gone\nDROP TABLE {};\n", table(tree)?);
            planted(tree, Engine::Postgres, &sql, 2)
        },
    },
    Plant {
        rule: "migrations/heavy",
        plant: |tree| {
            let sql = format!("-- slow\nCREATE INDEX planted ON {} ((1));\n", table(tree)?);
            planted(tree, Engine::Postgres, &sql, 2)
        },
    },
    Plant {
        rule: "migrations/note",
        plant: |tree| {
            planted(
                tree,
                Engine::Postgres,
                "-- heavy: it is not\nselect 1;\n",
                1,
            )
        },
    },
    Plant {
        rule: "migrations/transaction",
        plant: |tree| {
            let sql = "-- Too late.\n-- no-transaction\nselect 1;\n";
            planted(tree, Engine::Sqlite, sql, 2)
        },
    },
    Plant {
        rule: "migrations/unnamed",
        plant: |tree| {
            let sql = format!(
                "-- no-transaction\nCREATE INDEX CONCURRENTLY ON {} ((1));\n",
                table(tree)?
            );
            planted(tree, Engine::Postgres, &sql, 2)
        },
    },
    Plant {
        rule: "migrations/sqlite",
        plant: |tree| {
            let sql = "CREATE TABLE planted (\n    id UUID PRIMARY KEY\n);\n";
            planted(tree, Engine::Sqlite, sql, 2)
        },
    },
    Plant {
        rule: "migrations/measured",
        plant: |tree| {
            let sql = format!(
                "CREATE FUNCTION planted() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n    \
                CREATE INDEX planted ON {} ((1));\nEND $$;\nSELECT planted();\n",
                table(tree)?
            );
            planted(tree, Engine::Postgres, &sql, 5)
        },
    },
    Plant {
        rule: "migrations/apply",
        plant: |tree| {
            planted(tree, Engine::Sqlite, "select * from planted;\n", 1)?;
            Ok(Spot::file("migrations/sqlite/29990101000000_planted.sql"))
        },
    },
    Plant {
        rule: "migrations/snapshot",
        plant: |tree| tree.append(Engine::Sqlite.snapshot(), "-- planted\n"),
    },
    Plant {
        rule: "migrations/parity",
        plant: |tree| {
            let table = table(tree)?;
            let sql = format!("ALTER TABLE {table}\n    ADD COLUMN planted TEXT;\n");
            planted(tree, Engine::Postgres, &sql, 2)
        },
    },
    Plant {
        rule: "migrations/contract",
        plant: |tree| {
            let table = table(tree)?;
            let sql = format!(
                "-- It is called otherwise now.\nALTER TABLE {table}\n    RENAME TO planted;\n"
            );
            planted(tree, Engine::Postgres, &sql, 2)
        },
    },
];

fn newest(tree: &Tree) -> Result<String> {
    let is_migration = |file: &String| file.rsplit('/').next().and_then(files::version).is_some();
    tree.find("migrations/sqlite/", ".sql")
        .into_iter()
        .rfind(is_migration)
        .context("no migration to plant over")
}

/// A table that the newest migration leaves there: one that a query of the applications reads.
fn table(tree: &Tree) -> Result<String> {
    let registry = Registry::parse(&tree.read(queries::FILE)?)?;
    let table = registry.of(Engine::Postgres).find_map(|query| {
        let mut words = query.sql.split_whitespace();
        words.find(|word| word.eq_ignore_ascii_case("from"))?;
        words
            .next()
            .filter(|word| word.bytes().all(|b| b == b'_' || b.is_ascii_lowercase()))
    });
    Ok(table.context("no query to plant for")?.to_owned())
}

/// A new version that says `sql` on one engine and nothing on the other.
fn planted(tree: &Tree, engine: Engine, sql: &str, line: usize) -> Result<Spot> {
    for other in Engine::ALL {
        let file = format!("{}/29990101000000_planted.sql", other.folder());
        tree.write(&file, if other == engine { sql } else { "select 1;\n" })?;
    }
    let file = format!("{}/29990101000000_planted.sql", engine.folder());
    Ok(Spot::line(&file, line))
}
