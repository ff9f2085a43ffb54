-- Who signs in. The id is opaque; the e-mail address is kept in lower case.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(16)))),
    email TEXT NOT NULL UNIQUE CHECK (email = lower(email)),
    name TEXT NOT NULL,
    -- A PHC string, or `!` where nobody can sign in.
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('customer', 'staff')),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(16)))),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    opened_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    closed_at TEXT,
    closed_reason TEXT CHECK (closed_reason IN ('signed-out', 'token-reused')),
    CHECK ((closed_at IS NULL) = (closed_reason IS NULL))
);

CREATE INDEX sessions_account_id ON sessions (account_id);

-- What keeps a session going: each token once. Used ones stay, to notice that they are used again.
CREATE TABLE refresh_tokens (
    hash TEXT PRIMARY KEY NOT NULL,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    expires_at TEXT NOT NULL,
    used_at TEXT
);

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
