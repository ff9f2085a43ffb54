-- Says which environment this database belongs to: one row at most.
CREATE TABLE env_marker (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    env TEXT NOT NULL CHECK (env IN ('dev', 'staging', 'prod')),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
