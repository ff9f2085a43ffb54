-- Whose database it is stands in `_env_marker`, which `cargo xtask db mark` writes and no migration
-- makes: a database is marked before it is migrated for the first time.
-- destructive: the row says nothing that `_env_marker` does not say
-- contract-of: 20261121080000
DROP TABLE env_marker;
