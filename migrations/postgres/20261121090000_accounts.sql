-- Who signs in. The id is opaque; the e-mail address is kept in lower case.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY DEFAULT replace(gen_random_uuid()::text, '-', ''),
    email TEXT NOT NULL UNIQUE CHECK (email = lower(email)),
    name TEXT NOT NULL,
    -- A PHC string, or `!` where nobody can sign in.
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('customer', 'staff')),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY DEFAULT replace(gen_random_uuid()::text, '-', ''),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    opened_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    closed_at TIMESTAMPTZ,
    closed_reason TEXT CHECK (closed_reason IN ('signed-out', 'token-reused')),
    CHECK ((closed_at IS NULL) = (closed_reason IS NULL))
);

CREATE INDEX sessions_account_id ON sessions (account_id);

-- What keeps a session going: each token once. Used ones stay, to notice that they are used again.
CREATE TABLE refresh_tokens (
    hash TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
