//! What decides beside the statement itself: those before it in the file, and the files before that.

use super::{Engine, SCHEMA, files, found, places};

#[test]
fn the_file_and_those_before_it_decide() {
    let cases: &[(&str, &[&str])] = &[
        // A validated CHECK proves what SET NOT NULL would read for.
        (
            "ALTER TABLE users ADD CONSTRAINT c CHECK (n IS NOT NULL) NOT VALID;\nALTER TABLE users ALTER n SET NOT NULL;\n",
            &["heavy:2"],
        ),
        // And VALIDATE under the lock of what came before is as bad as no NOT VALID.
        (
            "ALTER TABLE users ADD CONSTRAINT c CHECK (n IS NOT NULL AND n > 0) NOT VALID;\nALTER TABLE users VALIDATE CONSTRAINT c;\nALTER TABLE users ALTER n SET NOT NULL;\n",
            &["heavy:2"],
        ),
        (
            "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users NOT VALID;\n",
            &[],
        ),
        (
            "SET LOCAL timezone = 'UTC';\nALTER TABLE users ALTER COLUMN at TYPE timestamptz;\n",
            &[],
        ),
        (
            "SET TIME ZONE 'UTC';\nALTER TABLE users ALTER COLUMN at TYPE timestamp with time zone;\n",
            &[],
        ),
        // Its index is of another kind and must be built anew.
        (
            "SET LOCAL timezone = 'UTC';\nALTER TABLE users ALTER COLUMN seen TYPE timestamptz;\n",
            &["heavy:2"],
        ),
        (
            "SET LOCAL timezone = 'Europe/Vienna';\nALTER TABLE users ALTER COLUMN at TYPE timestamptz;\n",
            &["heavy:2"],
        ),
        // The usual way to take a value from an enum: the new type is nobody's yet.
        (
            "CREATE TYPE mood_new AS ENUM ('good');\nALTER TYPE mood RENAME TO mood_old;\nALTER TYPE mood_new RENAME TO mood;\nDROP TYPE mood_old;\n",
            &["destructive:2", "destructive:4"],
        ),
        (
            "CREATE TYPE m AS ENUM ('good');\nALTER TABLE users ALTER body TYPE m USING body::m;\nALTER TYPE m RENAME VALUE 'good' TO 'fine';\n",
            &["heavy:2", "destructive:3"],
        ),
        (
            "CREATE DOMAIN d AS int;\nALTER DOMAIN d RENAME TO e;\nDROP DOMAIN e;\nCREATE SEQUENCE s;\nDROP SEQUENCE s;\n",
            &[],
        ),
        (
            "CREATE SEQUENCE IF NOT EXISTS s;\nDROP SEQUENCE s;\n",
            &["destructive:2"],
        ),
        // Another type under the name that the column's had.
        (
            "ALTER TYPE mood RENAME TO mood_before;\nCREATE TYPE mood AS ENUM ('good');\nALTER TABLE users ALTER felt TYPE mood USING felt::text::mood;\n",
            &["destructive:1", "heavy:3"],
        ),
        // Twice: the second starts from what the first made.
        (
            "ALTER TABLE users ALTER email TYPE varchar(60);\nALTER TABLE users ALTER email TYPE varchar(40);\n",
            &["heavy:2"],
        ),
        (
            "DROP VIEW seen;\nCREATE VIEW seen AS SELECT id, n FROM users;\n",
            &[],
        ),
        ("CREATE TABLE a (id int);\nDROP TABLE a;\n", &[]),
        (
            "CREATE TABLE a (id int);\nALTER TABLE a RENAME TO b;\nCREATE INDEX i ON b (id);\n",
            &[],
        ),
        (
            "CREATE TABLE IF NOT EXISTS users (id int);\nCREATE INDEX i ON users (id);\n",
            &["heavy:2"],
        ),
        (
            "CREATE TABLE IF NOT EXISTS users AS SELECT id FROM orders;\nCREATE INDEX i ON users (id);\n",
            &["heavy:2"],
        ),
        // A new column may be filled, but not while the table is locked for it.
        (
            "ALTER TABLE users ADD COLUMN x int;\nUPDATE users SET x = n;\n",
            &["heavy:2"],
        ),
        (
            "ALTER TABLE users ADD COLUMN x int;\nUPDATE users SET n = x;\n",
            &["destructive:2"],
        ),
        (
            "ALTER TABLE users ADD COLUMN x int;\nUPDATE users SET x = 1 WHERE id IN (1, 2);\n",
            &[],
        ),
        (
            "CREATE TABLE a (id int);\nINSERT INTO a SELECT id FROM users;\nUPDATE a SET id = 1;\n",
            &[],
        ),
        (
            "INSERT INTO users (id) SELECT id FROM orders;\nUPDATE users SET n = 1 WHERE n = 2;\n",
            &[],
        ),
        // What is read into a new table is read under the same locks.
        (
            "ALTER TABLE users ADD COLUMN x int;\nCREATE TABLE a (id int);\nINSERT INTO a SELECT id FROM orders;\n",
            &["heavy:3"],
        ),
        (
            "ALTER TABLE users ADD COLUMN x int;\nCREATE TABLE a AS SELECT id FROM orders;\nSELECT id INTO b FROM orders;\nSELECT id INTO c FROM a;\n",
            &["heavy:2", "heavy:3"],
        ),
        (
            "ALTER TABLE users ADD COLUMN x int;\nCREATE VIEW v AS SELECT id FROM orders;\nCREATE MATERIALIZED VIEW m AS SELECT * FROM v;\nCREATE MATERIALIZED VIEW n AS SELECT * FROM v WITH NO DATA;\n",
            &["heavy:3"],
        ),
        (
            "ALTER TABLE users ADD COLUMN x int;\nCREATE TABLE a (id int);\nWITH one AS (SELECT 1 AS id) INSERT INTO a SELECT id FROM one;\n",
            &[],
        ),
        ("CREATE TABLE a AS SELECT id FROM orders;\n", &[]),
        // A reference locks what it refers to, even from a new table.
        (
            "CREATE TABLE a (id bigint REFERENCES users);\nINSERT INTO a SELECT id FROM orders;\n",
            &["heavy:2"],
        ),
        (
            "CREATE TABLE a (id bigint);\nALTER TABLE a ADD FOREIGN KEY (id) REFERENCES users;\nINSERT INTO a SELECT id FROM orders;\n",
            &["heavy:3"],
        ),
        // An index that is there already, and one that went with its table or its constraint.
        (
            "CREATE INDEX IF NOT EXISTS users_seen ON users (seen);\n",
            &[],
        ),
        (
            "DROP INDEX users_seen;\nCREATE INDEX IF NOT EXISTS users_seen ON users (seen);\n",
            &["heavy:2"],
        ),
        (
            "ALTER TABLE orders ADD CONSTRAINT u UNIQUE USING INDEX orders_q;\nCREATE INDEX IF NOT EXISTS orders_q ON orders (q);\nCREATE INDEX IF NOT EXISTS u ON orders (q);\nALTER TABLE orders DROP CONSTRAINT u;\nCREATE INDEX IF NOT EXISTS u ON orders (q);\n",
            &["heavy:2", "heavy:5"],
        ),
        (
            "-- destructive: made anew\n-- contract-of: v1.0.0\nDROP TABLE part;\nCREATE INDEX IF NOT EXISTS part_id ON orders (id);\n",
            &["heavy:4"],
        ),
        (
            "ALTER TABLE users_seen RENAME TO users_saw;\nCREATE INDEX IF NOT EXISTS users_seen ON users (seen);\n",
            &["destructive:1", "heavy:2"],
        ),
        (
            "CREATE TABLE a.b (id int);\nALTER TABLE a.b RENAME TO c;\nCREATE INDEX i ON a.c (id);\n",
            &[],
        ),
        (
            "ALTER TABLE users\n    ADD COLUMN x int,\n    DROP COLUMN n,\n    ALTER COLUMN body SET NOT NULL;\n",
            &["destructive:3", "heavy:4"],
        ),
        ("ALTER TABLE \"Users\" DROP COLUMN a;\n", &["destructive:1"]),
        (
            "CREATE TABLE \"users\" (id int);\nCREATE INDEX i ON public.users (id);\n",
            &[],
        ),
    ];
    for (sql, wanted) in cases {
        assert_eq!(found(sql), *wanted, "{sql}");
    }
    // A table that is made anew has none of the indexes of the one before it.
    let again = files(
        Engine::Postgres,
        &[
            (SCHEMA, false),
            (
                "DO $$ BEGIN EXECUTE 'DROP TABLE part'; END $$; CREATE TABLE part (id int);",
                false,
            ),
            ("CREATE INDEX IF NOT EXISTS part_id ON part (id);", true),
        ],
    );
    assert_eq!(places(&again), ["heavy:1"]);
    let validated = files(
        Engine::Postgres,
        &[
            (SCHEMA, false),
            (
                "ALTER TABLE users ADD CONSTRAINT c CHECK (n IS NOT NULL AND n > 0) NOT VALID;",
                true,
            ),
            (
                "ALTER TABLE users VALIDATE CONSTRAINT c;\nALTER TABLE users ALTER n SET NOT NULL;",
                true,
            ),
        ],
    );
    assert_eq!(places(&validated), [""; 0]);
}
